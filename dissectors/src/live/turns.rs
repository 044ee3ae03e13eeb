//! A value that threads have in turn.

use std::sync::{Mutex, MutexGuard};

use super::hub::locked;

/// A mutex that nobody can keep for himself.
///
/// The standard one lets a thread that gives it back have it again before one that waits has woken: under load the thread
/// that decodes would never let another in. Here who waits holds the door meanwhile.
pub(super) struct Turns<T> {
    door: Mutex<()>,
    value: Mutex<T>,
}

impl<T> Turns<T> {
    pub(super) fn new(value: T) -> Self {
        Turns { door: Mutex::new(()), value: Mutex::new(value) }
    }

    /// Waits for one's turn.
    pub(super) fn take(&self) -> MutexGuard<'_, T> {
        let _door = locked(&self.door);
        locked(&self.value)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::Relaxed;
    use std::time::Duration;

    use super::*;

    /// A hundred times as many turns as one needs who gets every second.
    const GREEDY: u32 = 5_000;

    #[test]
    fn who_waits_is_next() {
        let (turns, over) = (Turns::new(0_u32), AtomicBool::new(false));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for turn in 1..=GREEDY {
                    let mut had = turns.take();
                    if over.load(Relaxed) {
                        return;
                    }
                    *had = turn;
                    std::thread::sleep(Duration::from_millis(2));
                }
            });
            let had = (0..50).all(|_| *turns.take() < GREEDY);
            over.store(true, Relaxed);
            assert!(had, "the other had all its turns first");
        });
    }
}
