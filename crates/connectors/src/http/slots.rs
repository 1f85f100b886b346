//! Slots of which the number may change while some are taken.

use std::sync::{Arc, Mutex};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::lock;

/// A semaphore whose size can be set. Made smaller, it takes slots away as they come free.
pub(super) struct Slots {
    free: Arc<Semaphore>,
    size: Mutex<Size>,
}

#[derive(Clone, Copy)]
struct Size {
    /// How many there should be.
    slots: usize,
    /// How many are taken beyond that: they are not given back when they come free.
    beyond: usize,
}

/// A slot that is taken, until it is dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Slots {
    pub(super) fn new(slots: usize) -> Arc<Self> {
        let slots = slots.min(Semaphore::MAX_PERMITS);
        Arc::new(Self { free: Arc::new(Semaphore::new(slots)), size: Mutex::new(Size { slots, beyond: 0 }) })
    }

    /// Waits for a slot, behind all who wait already.
    pub(super) async fn take(self: &Arc<Self>) -> Slot {
        let permit = Arc::clone(&self.free).acquire_owned().await.expect("the semaphore is never closed");
        Slot { slots: Arc::clone(self), permit: Some(permit) }
    }

    /// Sets how many there are.
    pub(super) fn resize(&self, slots: usize) {
        let slots = slots.min(Semaphore::MAX_PERMITS);
        let mut size = lock(&self.size);
        if slots < size.slots {
            let fewer = size.slots - slots;
            size.beyond += fewer - self.free.forget_permits(fewer);
        } else {
            let more = slots - size.slots;
            let kept = more.min(size.beyond);
            size.beyond -= kept;
            self.free.add_permits(more - kept);
        }
        size.slots = slots;
    }

    /// How many there are.
    pub(super) fn size(&self) -> usize {
        lock(&self.size).slots
    }

    /// How many may be taken at the same time until somebody resizes: those that are to go when they come free included.
    pub(super) fn most_taken(&self) -> usize {
        let size = lock(&self.size);
        size.slots + size.beyond
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut size = lock(&self.slots.size);
        if size.beyond > 0
            && let Some(permit) = self.permit.take()
        {
            size.beyond -= 1;
            permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(slots: &Arc<Slots>) -> usize {
        slots.free.available_permits()
    }

    #[tokio::test]
    async fn slots_that_are_taken_go_when_they_come_free() {
        let slots = Slots::new(4);
        let mut taken = Vec::new();
        for _ in 0..3 {
            taken.push(slots.take().await);
        }
        slots.resize(1);
        assert_eq!((slots.size(), slots.most_taken(), free(&slots)), (1, 3, 0));
        taken.pop();
        assert_eq!((slots.size(), slots.most_taken(), free(&slots)), (1, 2, 0));
        slots.resize(3);
        assert_eq!((slots.size(), slots.most_taken(), free(&slots)), (3, 3, 1));
        taken.clear();
        assert_eq!((slots.most_taken(), free(&slots)), (3, 3));
        slots.resize(0);
        assert_eq!((slots.most_taken(), free(&slots)), (0, 0));
    }
}
