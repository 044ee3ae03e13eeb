//! What requests asked for, until they are answered: an answer carries data without addresses.

use std::collections::VecDeque;

use super::variables::Item;
use crate::session::Direction;

/// Requests that are remembered; a client has a few under way (setup communication negotiates how many).
const MAX_REQUESTS: usize = 32;

/// The direction that a request went, and its key.
type Key = (Direction, u64);

/// The addresses of requests under way.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    requests: VecDeque<(Key, Vec<Item>)>,
}

impl Asked {
    /// Remembers a request.
    pub(super) fn ask(&mut self, direction: Direction, key: u64, items: Vec<Item>) {
        if items.is_empty() {
            return;
        }
        if self.requests.len() >= MAX_REQUESTS {
            self.requests.pop_front();
        }
        self.requests.push_back(((direction, key), items));
    }

    /// What the answer that goes this way answers.
    pub(super) fn answer(&mut self, direction: Direction, key: u64) -> Vec<Item> {
        let asked = (direction.opposite(), key);
        let place = self.requests.iter().rposition(|(key, _)| *key == asked);
        place.and_then(|place| self.requests.remove(place)).map_or_else(Vec::new, |(_, items)| items)
    }
}
