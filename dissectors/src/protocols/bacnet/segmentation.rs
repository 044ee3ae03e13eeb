//! Segmented messages (5.2): the segments of one service's data, put together by sequence number, within bounds.

use std::collections::VecDeque;

use crate::model::Unit;
use crate::session::Direction;

/// Messages in assembly at a time; the oldest gives way.
const MAX_ASSEMBLIES: usize = 8;

/// Octets of one message.
const MAX_OCTETS: usize = 128 * 1024;

/// Segments that came before their turn; a sender has at most a window of them on the way, seldom above 16 (5.2.1.3).
const MAX_AHEAD: usize = 32;

/// What tells segmented messages of a flow apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub direction: Direction,
    /// APDU type: a request and an answer may have the same invoke id.
    pub message_type: u8,
    pub source: Unit,
    pub destination: Unit,
    pub invoke_id: u8,
}

/// The header of one segment (20.1.2.7).
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub sequence: u8,
    pub more_follows: bool,
}

/// What a segment made of its message.
#[derive(Debug, PartialEq, Eq)]
pub enum Placed {
    /// The first segment of a message.
    First,
    /// One more, before or at its turn.
    Next,
    /// The message is whole with it.
    Whole {
        /// The service's data.
        octets: Vec<u8>,
        /// True where it is the first segment as well.
        first: bool,
    },
    /// Already there.
    Duplicate,
    /// Already there, with other octets.
    Conflict,
    /// The segments before it are not there.
    Orphan,
    /// The message exceeds the bounds.
    TooLong,
}

#[derive(Clone)]
struct Assembly {
    key: Key,
    /// Sequence number of the segment that is to be appended next.
    next: u8,
    octets: Vec<u8>,
    /// Octets of the first segment, to tell its retransmission from another message with the same invoke id.
    first: usize,
    ahead: Vec<(Segment, Vec<u8>)>,
    whole: bool,
}

impl Assembly {
    fn new(key: Key) -> Self {
        Assembly { key, next: 0, octets: Vec::new(), first: 0, ahead: Vec::new(), whole: false }
    }

    fn append(&mut self, segment: Segment, octets: &[u8]) {
        if self.octets.is_empty() {
            self.first = octets.len();
        }
        self.octets.extend_from_slice(octets);
        self.next = self.next.wrapping_add(1);
        self.whole = !segment.more_follows;
    }

    fn size(&self) -> usize {
        self.octets.len() + self.ahead.iter().map(|(_, octets)| octets.len()).sum::<usize>()
    }
}

/// The messages in assembly.
#[derive(Clone, Default)]
pub struct Reassembly {
    assemblies: VecDeque<Assembly>,
}

impl Reassembly {
    /// Takes a segment.
    pub fn add(&mut self, key: Key, segment: Segment, octets: &[u8]) -> Placed {
        let found = self.assemblies.iter().position(|assembly| assembly.key == key);
        // Sequence number 0 starts a message, except as the 257th segment or as a retransmission of the first.
        let restarts = |assembly: &Assembly| {
            let wraps = assembly.next == 0 && !assembly.whole;
            segment.sequence == 0 && !wraps && assembly.octets.get(..assembly.first) != Some(octets)
        };
        let index = match found {
            Some(index) if restarts(&self.assemblies[index]) => {
                self.assemblies[index] = Assembly::new(key);
                index
            }
            Some(index) => index,
            // Too far in to be a segment that overtook the first.
            None if usize::from(segment.sequence) > MAX_AHEAD => return Placed::Orphan,
            None => {
                if self.assemblies.len() == MAX_ASSEMBLIES {
                    self.assemblies.pop_front();
                }
                self.assemblies.push_back(Assembly::new(key));
                self.assemblies.len() - 1
            }
        };
        let assembly = &mut self.assemblies[index];
        if assembly.size() + octets.len() > MAX_OCTETS {
            self.assemblies.remove(index);
            return Placed::TooLong;
        }

        let distance = segment.sequence.wrapping_sub(assembly.next);
        if assembly.whole || distance >= 128 {
            // Behind what is appended, so it is appended already.
            return Placed::Duplicate;
        }
        if distance > 0 {
            return match assembly.ahead.iter().find(|(other, _)| other.sequence == segment.sequence) {
                Some((_, other)) if other == octets => Placed::Duplicate,
                Some(_) => Placed::Conflict,
                None if assembly.ahead.len() == MAX_AHEAD => Placed::Orphan,
                None => {
                    assembly.ahead.push((segment, octets.to_vec()));
                    Placed::Next
                }
            };
        }
        let is_first = assembly.next == 0 && assembly.octets.is_empty();
        assembly.append(segment, octets);
        while !assembly.whole {
            let Some(at) = assembly.ahead.iter().position(|(other, _)| other.sequence == assembly.next) else { break };
            let (segment, octets) = assembly.ahead.swap_remove(at);
            assembly.append(segment, &octets);
        }
        match (assembly.whole, is_first) {
            (true, _) => {
                // It stays, empty, to know the retransmissions of its last segments.
                assembly.ahead = Vec::new();
                assembly.first = 0;
                Placed::Whole { octets: std::mem::take(&mut assembly.octets), first: is_first }
            }
            (false, true) => Placed::First,
            (false, false) => Placed::Next,
        }
    }

    /// Octets held.
    pub fn held(&self) -> usize {
        self.assemblies.iter().map(Assembly::size).sum()
    }

    /// True where every message is whole.
    pub fn is_idle(&self) -> bool {
        self.assemblies.iter().all(|assembly| assembly.whole)
    }

    /// Forgets the messages of a direction; true where one of them was not whole.
    pub fn give_up(&mut self, direction: Direction) -> bool {
        let unfinished = self.assemblies.iter().any(|assembly| assembly.key.direction == direction && !assembly.whole);
        self.assemblies.retain(|assembly| assembly.key.direction != direction);
        unfinished
    }
}
