//! Counts what each client address has open, so that one address cannot take everything.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use parking_lot::Mutex;

use crate::security::client_network::network;

/// How many slots each address has taken. Holds an entry only while one is taken, so that it needs no bound of its own.
#[derive(Clone, Default)]
pub(super) struct AddressSlots(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// A slot of an address; dropping it releases it.
pub(super) struct AddressSlot {
    slots: AddressSlots,
    network: IpAddr,
}

impl AddressSlots {
    /// Takes a slot; `None` where the address has `max` of them.
    pub(super) fn take(&self, address: IpAddr, max: usize) -> Option<AddressSlot> {
        let network = network(address);
        let mut taken = self.0.lock();
        let count = taken.entry(network).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        Some(AddressSlot { slots: self.clone(), network })
    }
}

impl Drop for AddressSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.0.lock();
        if let Some(count) = taken.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_slots_and_releases_them() {
        let slots = AddressSlots::default();
        let take = |address: &str| slots.take(address.parse().expect("an address"), 2);
        let first = take("192.0.2.1").expect("a slot");
        let second = take("::ffff:192.0.2.1").expect("the same address");
        assert!(take("192.0.2.1").is_none());
        let other = take("192.0.2.2").expect("another address");
        drop(first);
        let third = take("192.0.2.1").expect("a released slot");
        let network = [take("2001:db8::1"), take("2001:db8::2")];
        assert!(network.iter().all(Option::is_some) && take("2001:db8::ffff:1").is_none(), "one network");
        drop((second, other, third, network));
        assert!(slots.0.lock().is_empty());
    }
}
