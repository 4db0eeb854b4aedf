//! Short lists that other things refer to by id: shipping methods, payment methods, suppliers. People change
//! them a few times a year, so they are cached.
//!
//! An id that the cache lacks may be younger than the cache. Nothing is decided from such a miss: the lists are
//! read anew first. An id that a younger reading lacks too is remembered as missing, so that it costs that
//! reading once.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use super::wire;
use crate::{
    domain::{product::Supplier, shipping::ShippingMethod},
    vendors::{field::Field, http::single_flight::SingleFlight},
};

/// How long lookups are cached.
pub(super) const CACHE_TTL: Duration = Duration::from_secs(600);

/// Caches the lookups as last read.
#[derive(Debug)]
pub(super) struct LookupCache {
    pub(super) cash_on_delivery: Vec<String>,
    pub(super) needs_suppliers: bool,
    needs_pictures: bool,
    pub(super) cached: SingleFlight<(Instant, Arc<Lookups>)>,
    misses: Mutex<Misses>,
}

/// How often the lists are read because of a miss: as often within the minute, then only after it.
const MAX_MISS_READS: usize = 6;

/// The time in which those reads are counted.
const MISS_WINDOW: Duration = Duration::from_secs(60);

/// Ids that the lists do not have, and the reads that found that out.
#[derive(Debug, Default)]
struct Misses {
    confirmed: HashMap<Reference, Instant>,
    reads: Vec<Instant>,
}

/// An id that something read from the shop refers to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Reference {
    ShippingMethod(String),
    PaymentMethod(String),
    Supplier(String),
}

/// Whether the lists may be read because of a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MissRead {
    Allowed,
    /// Only after this time.
    After(Duration),
}

impl LookupCache {
    pub(super) fn new(cash_on_delivery: Vec<String>, needs_suppliers: bool, needs_pictures: bool) -> Self {
        Self {
            cash_on_delivery,
            needs_suppliers,
            needs_pictures,
            cached: SingleFlight::new(),
            misses: Mutex::default(),
        }
    }

    /// The references that these lookups lack and that no younger reading has confirmed as missing.
    pub(super) fn missing(&self, lookups: &Lookups, references: &[Reference]) -> Vec<Reference> {
        let misses = self.misses.lock();
        let is_confirmed =
            |it: &Reference| misses.confirmed.get(it).is_some_and(|at| at.elapsed() < CACHE_TTL);
        references.iter().filter(|it| !lookups.has(it) && !is_confirmed(it)).cloned().collect()
    }

    /// Counts a read because of a miss, unless there were too many within the minute.
    pub(super) fn begin_miss_read(&self) -> MissRead {
        let mut misses = self.misses.lock();
        misses.reads.retain(|at| at.elapsed() < MISS_WINDOW);
        match misses.reads.first() {
            Some(first) if misses.reads.len() >= MAX_MISS_READS => {
                MissRead::After(MISS_WINDOW.saturating_sub(first.elapsed()))
            }
            Some(_) | None => {
                misses.reads.push(Instant::now());
                MissRead::Allowed
            }
        }
    }

    /// Remembers that the lists, read after these references were, do not have them.
    pub(super) fn confirm_missing(&self, references: Vec<Reference>) {
        let mut misses = self.misses.lock();
        misses.confirmed.retain(|_, at| at.elapsed() < CACHE_TTL);
        let now = Instant::now();
        misses.confirmed.extend(references.into_iter().map(|reference| (reference, now)));
    }

    /// The `expand` parameter for reading products.
    pub(super) fn product_expand(&self) -> String {
        let pictures = if self.needs_pictures { ",image_links" } else { "" };
        format!("stock_item,variations,variations.stock_item{pictures}")
    }
}

/// Maps ids of the shop to what they stand for.
#[derive(Clone, Debug, Default)]
pub struct Lookups {
    pub(super) shipping: HashMap<String, ShippingMethod>,
    /// Ids of the payment methods that the configuration calls cash on delivery.
    pub(super) cash_on_delivery: Vec<String>,
    /// Ids of all payment methods; `None` where the configuration names none as cash on delivery.
    payment: Option<HashSet<String>>,
    /// Names of suppliers by id; `None` where the connection's rules do not depend on suppliers.
    pub(super) suppliers: Option<HashMap<String, String>>,
}

impl Lookups {
    /// Builds lookups from the lists. `cash_on_delivery` names payment methods by id, product code or name, in
    /// any case.
    pub fn new(shipping: Vec<wire::Method>, payment: Vec<wire::Method>, cash_on_delivery: &[String]) -> Self {
        let shipping = shipping.into_iter().filter_map(|method| {
            let wire::Method { id, name, product_code } = method;
            Some((id.clone()?, ShippingMethod { id, product_code, name }))
        });
        let is_cash_on_delivery = |method: &wire::Method| {
            let names = [&method.id, &method.product_code, &method.name];
            names
                .into_iter()
                .flatten()
                .any(|name| cash_on_delivery.iter().any(|cod| cod.to_lowercase() == name.to_lowercase()))
        };
        let all = payment.iter().filter_map(|method| method.id.clone()).collect();
        let all = (!cash_on_delivery.is_empty()).then_some(all);
        let cash_on_delivery =
            payment.into_iter().filter(is_cash_on_delivery).filter_map(|method| method.id).collect();
        Self { shipping: shipping.collect(), cash_on_delivery, payment: all, suppliers: None }
    }

    /// Whether the lists have this id, or nothing depends on it.
    fn has(&self, reference: &Reference) -> bool {
        match reference {
            Reference::ShippingMethod(id) => self.shipping.contains_key(id),
            Reference::PaymentMethod(id) => self.payment.as_ref().is_none_or(|ids| ids.contains(id)),
            Reference::Supplier(id) => self.suppliers.as_ref().is_none_or(|names| names.contains_key(id)),
        }
    }

    /// The supplier that a product names. One that cannot be read is unknown, and so is whose goods these are.
    pub(super) fn supplier_of(&self, id: Field<String>) -> Supplier {
        match id {
            Field::Unreadable if self.suppliers.is_some() => Supplier::Unknown,
            id => self.supplier(id.ok()),
        }
    }

    /// The supplier with this id.
    pub(super) fn supplier(&self, id: Option<String>) -> Supplier {
        match (&self.suppliers, id.filter(|id| id != "0")) {
            (None, _) => Supplier::NotRead,
            (Some(_), None) => Supplier::Unnamed,
            (Some(names), Some(id)) => Supplier::Named { name: names.get(&id).cloned(), id },
        }
    }
}

/// Suppliers by product id.
pub type Suppliers = HashMap<String, Supplier>;

/// The methods that these orders refer to.
pub(super) fn references_of(orders: &[wire::Order]) -> Vec<Reference> {
    let shipping = orders.iter().flat_map(|order| {
        let of_shipments = order.shipments.readable().filter_map(|it| it.shipping_method_id.clone());
        order.shipping_method_id.as_ref().cloned().into_iter().chain(of_shipments)
    });
    let payment = orders
        .iter()
        .flat_map(|order| order.payments.readable())
        .filter_map(|it| it.payment_method_id.clone());
    shipping.map(Reference::ShippingMethod).chain(payment.map(Reference::PaymentMethod)).collect()
}

/// The suppliers that these products refer to.
pub(super) fn suppliers_in<'a>(products: impl IntoIterator<Item = &'a wire::Product>) -> Vec<Reference> {
    let ids = products.into_iter().filter_map(|product| product.supplier_id.as_ref().cloned());
    ids.filter(|id| id != "0").map(Reference::Supplier).collect()
}
