//! Bounds how many bytes of one kind are in memory at the same time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A number of bytes that everyone who has a clone of it shares.
#[derive(Clone, Debug)]
pub struct MemoryLimit(Arc<Semaphore>);

/// Reserved bytes; dropping it releases them.
pub type MemoryPermit = OwnedSemaphorePermit;

impl MemoryLimit {
    /// A limit of this many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// Reserves bytes; `None` where there is no space now.
    pub fn try_reserve(&self, bytes: usize) -> Option<MemoryPermit> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.0.clone().try_acquire_many_owned(bytes).ok()
    }
}
