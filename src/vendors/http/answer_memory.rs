//! Bounds the memory of all vendors' answers in work together.
//!
//! - **Small answers** are read at once. There are as many as calls at the same time.
//! - **A large answer** waits for one of a few places while it is read, before it grows. One vendor of one connection has fewer
//!   of them than there are, so that a vendor that answers slowly does not keep all others waiting.
//! - **A costly answer** is parsed alone. What it takes then can be many times its length: `[{},{},` becomes a map for every
//!   three bytes. [`JsonCost`](super::json_cost::JsonCost) says how much, while it is read.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::json_cost::JsonCost;

/// Up to this length an answer needs no place: any order, and most pages of lists.
const SMALL_BYTES: usize = 256 << 10;

/// An answer that may take more than this is parsed alone.
const COSTLY_BYTES: usize = 2 << 20;

/// Large answers that are read at the same time.
const PLACES: usize = 3;

/// Of them, those of one vendor of one connection.
const PLACES_OF_ONE_VENDOR: usize = 2;

/// The memory that all clients of a process share.
#[derive(Clone, Debug)]
pub struct AnswerMemory {
    places: Arc<Semaphore>,
    parsing: Arc<Semaphore>,
}

impl Default for AnswerMemory {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), parsing: Arc::new(Semaphore::new(1)) }
    }
}

/// A client's part of the shared memory.
#[derive(Clone, Debug)]
pub(super) struct ClientMemory {
    shared: AnswerMemory,
    own_places: Arc<Semaphore>,
}

/// What an answer has reserved, until it is parsed.
#[derive(Debug, Default)]
pub(super) struct AnswerPermit {
    place: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
    parsing: Option<OwnedSemaphorePermit>,
}

impl ClientMemory {
    pub(super) fn of(shared: AnswerMemory) -> Self {
        Self { shared, own_places: Arc::new(Semaphore::new(PLACES_OF_ONE_VENDOR)) }
    }

    /// Reads an answer up to a limit; `None` where it breaks off, is too long or would take too much once parsed.
    pub(super) async fn read(
        &self,
        mut response: reqwest::Response,
        limit: usize,
    ) -> Option<(Vec<u8>, AnswerPermit)> {
        let (mut body, mut cost, mut permit) = (Vec::new(), JsonCost::default(), AnswerPermit::default());
        while let Some(chunk) = response.chunk().await.ok()? {
            let length = body.len() + chunk.len();
            if length > limit || !cost.add(&chunk) {
                return None;
            }
            self.reserve_place(&mut permit, length).await;
            body.extend_from_slice(&chunk);
        }
        self.reserve_parsing(&mut permit, cost.bytes()).await;
        Some((body, permit))
    }

    /// Waits for a place if the answer is about to need one.
    async fn reserve_place(&self, permit: &mut AnswerPermit, length: usize) {
        if length > SMALL_BYTES && permit.place.is_none() {
            // The own one first: nobody waits with a shared one in hand.
            permit.place = Some((acquire(&self.own_places).await, acquire(&self.shared.places).await));
        }
    }

    /// Waits until the answer may be parsed. Its permit is released before any other call is made: no call waits for its own
    /// answer before.
    async fn reserve_parsing(&self, permit: &mut AnswerPermit, cost: usize) {
        if cost > COSTLY_BYTES {
            permit.parsing = Some(acquire(&self.shared.parsing).await);
        }
    }
}

async fn acquire(semaphore: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    semaphore.clone().acquire_owned().await.expect("never closed")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LARGE: usize = SMALL_BYTES + 1;

    async fn has_place(client: &ClientMemory, length: usize) -> Option<AnswerPermit> {
        let mut permit = AnswerPermit::default();
        let reserved = client.reserve_place(&mut permit, length);
        tokio::time::timeout(Duration::from_millis(20), reserved).await.ok().map(|()| permit)
    }

    #[tokio::test]
    async fn large_answers_wait_for_a_place_and_one_vendor_leaves_some() {
        let shared = AnswerMemory::default();
        let [one, other] = [ClientMemory::of(shared.clone()), ClientMemory::of(shared.clone())];
        let held = [has_place(&one, LARGE).await, has_place(&one, LARGE).await];
        assert!(held.iter().all(Option::is_some));
        assert!(has_place(&one, LARGE).await.is_none(), "its share is used up");
        assert!(has_place(&one, SMALL_BYTES).await.is_some(), "small ones need none");
        let last = has_place(&other, LARGE).await;
        assert!(last.is_some(), "another vendor");
        assert!(has_place(&other, LARGE).await.is_none(), "all places are taken");
        drop(held);
        assert!(has_place(&other, LARGE).await.is_some());
    }

    #[tokio::test]
    async fn costly_answers_are_parsed_one_by_one() {
        let client = ClientMemory::of(AnswerMemory::default());
        let parse = async |cost| {
            let mut permit = AnswerPermit::default();
            let reserved = client.reserve_parsing(&mut permit, cost);
            tokio::time::timeout(Duration::from_millis(20), reserved).await.ok().map(|()| permit)
        };
        let costly = parse(COSTLY_BYTES + 1).await;
        assert!(costly.is_some() && parse(COSTLY_BYTES + 1).await.is_none());
        assert!(parse(COSTLY_BYTES).await.is_some());
        drop(costly);
        assert!(parse(COSTLY_BYTES + 1).await.is_some());
    }
}
