//! Reassembly of fragmented IP packets. Bounded in packets and octets; the first octets seen win.

use hashbrown::HashMap;

use super::ip::{Fragment, Ip, IpPacket};
use crate::lan::Lan;

/// Longest payload that fragments can make (RFC 791, 3.2).
const MAX_PACKET: usize = 65_535;
/// Unfinished packets kept at once.
const MAX_UNFINISHED: usize = 512;
/// Unfinished packets are given up after this time (RFC 8200, 4.5: 60 seconds).
const TIMEOUT_NS: i64 = 60_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    source: Ip,
    destination: Ip,
    id: u32,
    protocol: u8,
    lan: Lan,
}

#[derive(Clone, Debug, Default)]
struct Unfinished {
    started: i64,
    order: u64,
    bytes: Vec<u8>,
    /// Sorted, disjoint ranges of octets that are there.
    have: Vec<(usize, usize)>,
    total: Option<usize>,
    frames: Vec<u64>,
}

/// A packet made whole again.
#[derive(Debug, PartialEq, Eq)]
pub struct Whole {
    /// Its payload.
    pub payload: Vec<u8>,
    /// Frames that carried it.
    pub frames: Vec<u64>,
    /// True where its last fragment to come contradicts those before it.
    pub conflict: bool,
}

/// What came of a fragment.
#[derive(Debug, PartialEq, Eq)]
pub enum Added {
    /// The packet is not whole yet.
    Waiting,
    /// It is.
    Whole(Whole),
    /// It overlapped other octets with different content, or the packet has two ends (known evasions); the first are
    /// kept.
    Conflict,
    /// It cannot belong to any packet.
    Impossible,
}

/// Packets in pieces.
#[derive(Clone, Debug, Default)]
pub struct Fragments {
    unfinished: HashMap<Key, Unfinished, foldhash::fast::RandomState>,
    order: u64,
    given_up: u64,
}

impl Fragments {
    /// Packets whose other fragments never came, so far.
    pub fn given_up(&self) -> u64 {
        self.given_up
    }

    /// Adds one fragment, captured whole in this network.
    pub fn add(&mut self, packet: &IpPacket<'_>, fragment: Fragment, lan: Lan, frame: u64, time_ns: i64) -> Added {
        let end = fragment.offset + packet.payload.len();
        if end > MAX_PACKET || packet.payload.is_empty() || packet.payload.len() < packet.wire_length {
            return Added::Impossible;
        }
        let &IpPacket { source, destination, protocol, .. } = packet;
        let key = Key { source, destination, id: fragment.id, protocol, lan };
        self.make_room(&key, time_ns);
        self.order += 1;
        let order = self.order;
        let entry =
            self.unfinished.entry(key).or_insert_with(|| Unfinished { started: time_ns, order, ..Default::default() });
        if !entry.frames.contains(&frame) && entry.frames.len() < 64 {
            entry.frames.push(frame);
        }
        let conflict = entry.ends_otherwise(end, fragment.more) | entry.insert(fragment.offset, packet.payload);
        if entry.is_whole() {
            let mut whole = self.unfinished.remove(&key).unwrap_or_default();
            whole.bytes.truncate(whole.total.unwrap_or_default());
            return Added::Whole(Whole { payload: whole.bytes, frames: whole.frames, conflict });
        }
        if conflict { Added::Conflict } else { Added::Waiting }
    }

    /// Gives up what is unfinished at the end of a source.
    pub fn finish(&mut self) {
        self.given_up += self.unfinished.len() as u64;
        self.unfinished.clear();
    }

    fn make_room(&mut self, key: &Key, now: i64) {
        if self.unfinished.get(key).is_some_and(|old| now.saturating_sub(old.started) > TIMEOUT_NS) {
            self.unfinished.remove(key);
            self.given_up += 1;
        }
        if self.unfinished.len() < MAX_UNFINISHED || self.unfinished.contains_key(key) {
            return;
        }
        let oldest = self.unfinished.iter().min_by_key(|(_, entry)| entry.order).map(|(key, _)| *key);
        if let Some(oldest) = oldest {
            self.unfinished.remove(&oldest);
            self.given_up += 1;
        }
    }
}

impl Unfinished {
    fn is_whole(&self) -> bool {
        self.total.is_some_and(|total| self.have.first().is_some_and(|first| first.0 == 0 && first.1 >= total))
    }

    /// Takes where a fragment ends; true where the packet ends elsewhere by what came before, which stays.
    fn ends_otherwise(&mut self, end: usize, more: bool) -> bool {
        let total = self.total.unwrap_or(if more { usize::MAX } else { end });
        if !more {
            self.total = Some(total);
        }
        end > total || !more && (end < total || self.bytes.len() > end)
    }

    /// Writes octets where none are yet; true where others are there already.
    fn insert(&mut self, offset: usize, payload: &[u8]) -> bool {
        let end = offset + payload.len();
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        let mut conflict = false;
        let mut at = offset;
        for &(start, stop) in &self.have {
            let (from, to) = (start.max(offset), stop.min(end));
            if from < to {
                conflict |= self.bytes[from..to] != payload[from - offset..to - offset];
                if at < from {
                    self.bytes[at..from].copy_from_slice(&payload[at - offset..from - offset]);
                }
                at = at.max(to);
            }
        }
        if at < end {
            self.bytes[at..end].copy_from_slice(&payload[at - offset..]);
        }
        self.have.push((offset, end));
        self.have.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::with_capacity(self.have.len());
        for &(start, stop) in &self.have {
            match merged.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(stop),
                _ => merged.push((start, stop)),
            }
        }
        self.have = merged;
        conflict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(offset: usize, more: bool) -> Fragment {
        Fragment { id: 7, offset, more }
    }

    fn packet(payload: &[u8]) -> IpPacket<'_> {
        IpPacket {
            source: Ip(1),
            destination: Ip(2),
            protocol: 17,
            fragment: None,
            payload,
            wire_length: payload.len(),
        }
    }

    #[test]
    fn fragments_in_any_order() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let parts = [(0, true, &b"01234567"[..]), (8, true, b"89abcdef"), (16, false, b"gh")];
            let mut fragments = Fragments::default();
            let last = order
                .iter()
                .map(|&index| {
                    let (offset, more, payload) = parts[index];
                    fragments.add(&packet(payload), fragment(offset, more), Lan::default(), index as u64, 0)
                })
                .last();
            assert!(matches!(last, Some(Added::Whole(whole)) if whole.payload == b"0123456789abcdefgh"));
        }
    }

    #[test]
    fn a_conflicting_overlap_is_told_and_the_first_octets_stay() {
        let mut fragments = Fragments::default();
        assert_eq!(fragments.add(&packet(b"01234567"), fragment(0, true), Lan::default(), 1, 0), Added::Waiting);
        assert_eq!(fragments.add(&packet(b"XXXXXXXX"), fragment(0, true), Lan::default(), 2, 0), Added::Conflict);
        let last = fragments.add(&packet(b"89"), fragment(8, false), Lan::default(), 3, 0);
        assert!(matches!(last, Added::Whole(whole) if whole.payload == b"0123456789"));
    }

    /// Fragments by offset, whether more follow, and octets; what comes of them, and whether a conflict was told.
    type Case<'a> = (&'a str, &'a [(usize, bool, &'a [u8])], &'a [u8], bool);

    #[test]
    fn the_fragment_that_completes_a_packet_is_compared_too() {
        let cases: &[Case<'_>] = &[
            ("honest", &[(0, true, b"01234567"), (8, false, b"89")], b"0123456789", false),
            (
                "honest overlap",
                &[(8, true, b"89abcdef"), (16, false, b"gh"), (0, true, b"0123456789")],
                b"0123456789abcdefgh",
                false,
            ),
            ("the last octets to come differ", &[(8, false, b"89"), (0, true, b"01234567XX")], b"0123456789", true),
            ("the end differs", &[(0, true, b"01234567"), (4, false, b"XXXX89")], b"0123456789", true),
            (
                "a second end, shorter",
                &[(16, false, b"gh"), (8, false, b"8"), (0, true, b"0123456789abcdef")],
                b"0123456789abcdefgh",
                true,
            ),
            (
                "a second end, longer",
                &[(8, false, b"89"), (8, false, b"89ab"), (0, true, b"01234567")],
                b"0123456789",
                true,
            ),
            (
                "octets behind the end",
                &[(8, false, b"89"), (8, true, b"89abcdef"), (0, true, b"01234567")],
                b"0123456789",
                true,
            ),
            (
                "an end before octets",
                &[(8, true, b"89abcdef"), (8, false, b"89"), (0, true, b"01234567")],
                b"0123456789",
                true,
            ),
        ];
        for (name, parts, expected, conflict) in cases {
            let (mut fragments, mut told, mut whole) = (Fragments::default(), false, Vec::new());
            for (frame, (offset, more, payload)) in (1..).zip(*parts) {
                match fragments.add(&packet(payload), fragment(*offset, *more), Lan::default(), frame, 0) {
                    Added::Waiting => {}
                    Added::Conflict => told = true,
                    Added::Whole(made) => {
                        told |= made.conflict;
                        whole = made.payload;
                    }
                    Added::Impossible => panic!("{name}"),
                }
            }
            assert_eq!((&whole[..], told), (*expected, *conflict), "{name}");
        }
    }

    #[test]
    fn what_never_ends_is_bounded_and_counted() {
        let mut fragments = Fragments::default();
        for id in 0..2_000 {
            fragments.add(&packet(b"01234567"), Fragment { id, offset: 0, more: true }, Lan::default(), 1, 0);
        }
        assert_eq!(fragments.given_up(), 2_000 - MAX_UNFINISHED as u64);
        assert_eq!(
            fragments.add(&packet(b"01234567"), Fragment { id: 1, offset: 65_528, more: true }, Lan::default(), 1, 0),
            Added::Impossible
        );
    }

    #[test]
    fn fragments_of_two_networks_are_not_mixed() {
        let (mut fragments, ten, twenty) = (Fragments::default(), Lan::of(Some(10)), Lan::of(Some(20)));
        let told = [(ten, b"01234567"), (twenty, b"abcdefgh")]
            .map(|(lan, first)| fragments.add(&packet(first), fragment(0, true), lan, 1, 0));
        assert_eq!(told, [Added::Waiting, Added::Waiting]);
        for (lan, expected) in [(ten, b"0123456789"), (twenty, b"abcdefgh89")] {
            let whole = fragments.add(&packet(b"89"), fragment(8, false), lan, 2, 0);
            assert!(matches!(whole, Added::Whole(whole) if whole.payload == expected && !whole.conflict));
        }
    }
}
