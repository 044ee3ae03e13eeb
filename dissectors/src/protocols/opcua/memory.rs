//! What requests asked for, until they are answered, and what is subscribed to: answers and notifications carry values
//! without the nodes that they are of.

use std::collections::{BTreeMap, VecDeque};

use super::draft::Point;
use crate::session::Direction;

/// Requests that are remembered of one connection.
const MAX_REQUESTS: usize = 64;
/// Octets of what they asked for.
const MAX_OCTETS: usize = 1 << 20;
/// Monitored items that are remembered of one connection.
const MAX_ITEMS: usize = 8_192;

/// The direction that a request went, and its id.
pub(super) type Key = (Direction, u32);

/// What a request asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Question {
    /// The nodes, in their order.
    pub(super) points: Vec<Point>,
    /// The handles that the client gave them, where it monitors them.
    pub(super) handles: Vec<u32>,
    /// The subscription that they belong to.
    pub(super) subscription: u32,
    /// True where the request waits at the server until there is something to tell.
    pub(super) waits: bool,
}

impl Question {
    fn size(&self) -> usize {
        size_of::<(Key, Question)>() + 4 * self.handles.len() + self.points.iter().map(Point::size).sum::<usize>()
    }
}

/// One monitored item: the id that the server gave it, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    id: u32,
    point: Point,
}

/// All that is remembered of a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    requests: VecDeque<(Key, Question)>,
    /// Items by subscription and the client's handle.
    items: BTreeMap<(u32, u32), Item>,
    /// Octets of both.
    held: usize,
}

impl Memory {
    /// Remembers a request.
    pub(super) fn ask(&mut self, key: Key, question: Question) {
        let size = question.size();
        if question == Question::default() || size > MAX_OCTETS {
            return;
        }
        while self.requests.len() >= MAX_REQUESTS
            || self.requests.iter().map(|(_, question)| question.size()).sum::<usize>() + size > MAX_OCTETS
        {
            let Some((_, oldest)) = self.requests.pop_front() else { break };
            self.held -= oldest.size();
        }
        self.held += size;
        self.requests.push_back((key, question));
    }

    /// What the message that goes this way answers.
    pub(super) fn answer(&mut self, (direction, request): Key) -> Question {
        let asked = (direction.opposite(), request);
        let place = self.requests.iter().rposition(|(key, _)| *key == asked);
        let Some((_, question)) = place.and_then(|place| self.requests.remove(place)) else {
            return Question::default();
        };
        self.held -= question.size();
        question
    }

    /// An item is monitored from now on.
    pub(super) fn monitor(&mut self, subscription: u32, handle: u32, id: u32, point: Point) {
        if self.items.len() >= MAX_ITEMS && !self.items.contains_key(&(subscription, handle)) {
            return;
        }
        self.held += item_size(&point);
        if let Some(old) = self.items.insert((subscription, handle), Item { id, point }) {
            self.held -= item_size(&old.point);
        }
    }

    /// The client gave an item another handle.
    pub(super) fn rename(&mut self, subscription: u32, id: u32, handle: u32) {
        let old = self.of(subscription).find(|(_, item)| item.id == id).map(|(key, _)| *key);
        if let Some(Item { id, point }) = old.and_then(|key| self.items.remove(&key)) {
            self.held -= item_size(&point);
            self.monitor(subscription, handle, id, point);
        }
    }

    /// Items are monitored no longer.
    pub(super) fn release(&mut self, subscription: u32, ids: &[u32]) {
        self.items.retain(|(of, _), item| *of != subscription || !ids.contains(&item.id));
        self.weigh();
    }

    /// A subscription ends.
    pub(super) fn end(&mut self, subscription: u32) {
        self.items.retain(|(of, _), _| *of != subscription);
        self.weigh();
    }

    /// What a client's handle stands for.
    pub(super) fn item(&self, subscription: u32, handle: u32) -> Option<&Point> {
        self.items.get(&(subscription, handle)).map(|item| &item.point)
    }

    /// Octets held.
    pub(super) const fn held(&self) -> usize {
        self.held
    }

    fn of(&self, subscription: u32) -> impl Iterator<Item = (&(u32, u32), &Item)> {
        self.items.range((subscription, 0)..=(subscription, u32::MAX))
    }

    fn weigh(&mut self) {
        let requests = self.requests.iter().map(|(_, question)| question.size()).sum::<usize>();
        self.held = requests + self.items.values().map(|item| item_size(&item.point)).sum::<usize>();
    }
}

/// With what the map needs beside it.
fn item_size(point: &Point) -> usize {
    point.size() + size_of::<(u32, u32, u32)>()
}
