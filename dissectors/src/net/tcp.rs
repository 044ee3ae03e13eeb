//! One direction of a TCP connection, put in order: out-of-order segments are held, retransmissions are dropped
//! (and compared), holes are told once they are surely lost.

/// Where octets came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Frame number within the capture.
    pub frame: u64,
    /// Nanoseconds since the epoch.
    pub time: i64,
    /// Which capture file (an interned name).
    pub capture: u32,
}

/// A piece of the stream, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Octets.
    Data(&'a [u8]),
    /// So many octets are missing.
    Hole(usize),
    /// The sequence numbers start anew somewhere else: nothing is known of what lies between.
    Break,
}

/// Segments held for one direction at most.
const MAX_HELD: usize = 64;
/// Octets held for one direction at most.
const MAX_HELD_OCTETS: usize = 128 * 1024;
/// Delivered octets kept to compare retransmissions with, at least and at most.
const LEAST_HISTORY: usize = 64;
const MOST_HISTORY: usize = 4096;
/// A hole that the receiver acknowledged was lost by the capture; reordering in the capture is shorter than this.
const ACKNOWLEDGED_LOST_NS: i64 = 200_000_000;
const ACKNOWLEDGED_LOST_SEGMENTS: usize = 8;
/// Any hole is given up after this time.
const LOST_NS: i64 = 5_000_000_000;
/// Older than this, a segment belongs to another incarnation of the connection.
const FAR_BACK: i32 = -(1 << 20);

#[derive(Clone, Debug)]
struct Held {
    sequence: u32,
    payload: Vec<u8>,
    missing: usize,
    stamp: Stamp,
}

/// One direction.
#[derive(Clone, Debug, Default)]
pub struct Half {
    next: Option<u32>,
    held: Vec<Held>,
    held_octets: usize,
    history: History,
    acknowledged: Option<u32>,
    /// The last acknowledgement that came with octets: whoever sent them had all before it.
    answered: Option<u32>,
}

/// Signed distance between sequence numbers (RFC 9293, 3.4).
fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from) as i32
}

impl Half {
    /// True while segments wait for a hole to be filled.
    pub fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    /// What it takes to keep the segments that wait.
    #[inline]
    pub fn held(&self) -> usize {
        self.held_octets + self.held.len() * size_of::<Held>()
    }

    /// What it takes to keep what repetitions are compared with, beyond what each has.
    #[inline]
    pub fn history(&self) -> usize {
        self.history.room.saturating_sub(LEAST_HISTORY)
    }

    /// Compares repetitions with the last few octets only from now on.
    #[cold]
    pub fn shorten_history(&mut self) {
        self.history.shorten();
    }

    /// The connection starts with this sequence number.
    pub fn synchronise(&mut self, sequence: u32) {
        *self = Half { next: Some(sequence.wrapping_add(1)), ..Half::default() };
    }

    /// True where the octets from this sequence number on come next, and nothing is held behind them.
    #[inline]
    pub fn awaits(&self, sequence: u32) -> bool {
        self.next == Some(sequence) && self.held.is_empty()
    }

    /// Takes the octets of a whole segment that was awaited; they are the caller's to deliver.
    #[inline]
    pub fn pass(&mut self, payload: &[u8]) {
        self.history.push(payload);
        self.next = self.next.map(|next| next.wrapping_add(payload.len() as u32));
    }

    /// Takes a segment; true where it carried other octets than were delivered for the same sequence numbers.
    pub fn segment(
        &mut self,
        sequence: u32,
        payload: &[u8],
        missing: usize,
        stamp: Stamp,
        sink: &mut dyn FnMut(Piece<'_>, Stamp),
    ) -> bool {
        let next = *self.next.get_or_insert(sequence);
        let ahead = distance(next, sequence);
        let conflict = self.differs_from_held(sequence, payload);
        if ahead == 0 {
            self.deliver(payload, missing, stamp, sink);
            self.release(sink);
            return conflict;
        }
        if ahead > 0 {
            self.hold(sequence, payload, missing, stamp);
            if self.is_lost(stamp.time) {
                self.skip_hole(sink);
            }
            return conflict;
        }
        if ahead < FAR_BACK {
            self.restart(sequence, payload, missing, stamp, sink);
            return false;
        }
        conflict | self.retransmission(ahead.unsigned_abs() as usize, payload, missing, stamp, sink)
    }

    /// True where a segment carries other octets than those that wait for the same sequence numbers.
    fn differs_from_held(&self, sequence: u32, payload: &[u8]) -> bool {
        self.held.iter().any(|held| {
            let ahead = distance(sequence, held.sequence);
            let (earlier, later) = if ahead >= 0 { (payload, &held.payload[..]) } else { (&held.payload[..], payload) };
            let Some(overlap) = earlier.get(ahead.unsigned_abs() as usize..) else { return false };
            // A keep-alive repeats the last octet, of any content (RFC 9293, 3.8.4); it may come before what it repeats.
            let keep_alive = overlap.len() == 1 && later.len() == 1;
            !keep_alive && overlap.iter().zip(later).any(|(one, other)| one != other)
        })
    }

    /// The other side awaits `acknowledgement` next. Where segments are waiting, [`Half::lost`] has to be asked.
    #[inline]
    pub fn acknowledge(&mut self, acknowledgement: u32) {
        if self.acknowledged.is_none_or(|old| distance(old, acknowledgement) > 0) {
            self.acknowledged = Some(acknowledgement);
        }
    }

    /// The other side sent octets when it had all of this side's before `acknowledgement`.
    #[inline]
    pub fn answer(&mut self, acknowledgement: u32) {
        self.answered = Some(acknowledgement);
    }

    /// True where octets before this acknowledgement were not seen yet.
    #[inline]
    pub fn lacks(&self, acknowledgement: u32) -> bool {
        self.next.is_some_and(|next| distance(next, acknowledgement) > 0)
    }

    /// True where octets from this sequence number on may fill the first hole.
    pub fn is_filled_from(&self, sequence: u32) -> bool {
        self.held.first().is_some_and(|first| distance(sequence, first.sequence) > 0)
    }

    /// Where the first of the segments that wait came from, if what precedes it is surely lost by now.
    pub fn lost(&self, now: i64) -> Option<Stamp> {
        self.held.first().filter(|_| self.is_lost(now)).map(|first| first.stamp)
    }

    /// Gives up the first hole.
    pub fn give_up(&mut self, sink: &mut dyn FnMut(Piece<'_>, Stamp)) {
        self.skip_hole(sink);
    }

    /// Gives up all holes: the connection or the capture ends.
    pub fn finish(&mut self, sink: &mut dyn FnMut(Piece<'_>, Stamp)) {
        while self.is_waiting() {
            self.skip_hole(sink);
        }
    }

    fn deliver(&mut self, payload: &[u8], missing: usize, stamp: Stamp, sink: &mut dyn FnMut(Piece<'_>, Stamp)) {
        if !payload.is_empty() {
            sink(Piece::Data(payload), stamp);
        }
        if missing > 0 {
            sink(Piece::Hole(missing), stamp);
            self.history.clear();
        } else {
            self.history.push(payload);
        }
        let length = (payload.len() + missing) as u32;
        self.next = self.next.map(|next| next.wrapping_add(length));
    }

    fn hold(&mut self, sequence: u32, payload: &[u8], missing: usize, stamp: Stamp) {
        let at = self.held.partition_point(|held| distance(held.sequence, sequence) >= 0);
        self.held_octets += payload.len();
        self.held.insert(at, Held { sequence, payload: payload.to_vec(), missing, stamp });
    }

    fn is_lost(&self, now: i64) -> bool {
        let Some(first) = self.held.first() else { return false };
        let waited = now.saturating_sub(first.stamp.time);
        let acknowledged = self.acknowledged.is_some_and(|number| distance(first.sequence, number) >= 0);
        let end = first.sequence.wrapping_add((first.payload.len() + first.missing) as u32);
        let answered = self.answered.is_some_and(|number| distance(end, number) >= 0);
        self.held.len() > MAX_HELD
            || self.held_octets > MAX_HELD_OCTETS
            || waited >= LOST_NS
            || answered
            || acknowledged && (waited >= ACKNOWLEDGED_LOST_NS || self.held.len() >= ACKNOWLEDGED_LOST_SEGMENTS)
    }

    fn skip_hole(&mut self, sink: &mut dyn FnMut(Piece<'_>, Stamp)) {
        if let (Some(next), Some(first)) = (self.next, self.held.first()) {
            let hole = distance(next, first.sequence);
            if hole > 0 {
                sink(Piece::Hole(hole as usize), first.stamp);
                self.history.clear();
                self.next = Some(first.sequence);
            }
            self.release(sink);
        }
    }

    /// Delivers what was held and now follows on.
    fn release(&mut self, sink: &mut dyn FnMut(Piece<'_>, Stamp)) {
        while let (Some(next), Some(first)) = (self.next, self.held.first()) {
            let ahead = distance(next, first.sequence);
            if ahead > 0 {
                return;
            }
            let held = self.held.remove(0);
            self.held_octets -= held.payload.len();
            let old = ahead.unsigned_abs() as usize;
            if old < held.payload.len() {
                self.deliver(&held.payload[old..], held.missing, held.stamp, sink);
            }
        }
    }

    fn restart(
        &mut self,
        sequence: u32,
        payload: &[u8],
        missing: usize,
        stamp: Stamp,
        sink: &mut dyn FnMut(Piece<'_>, Stamp),
    ) {
        self.finish(sink);
        sink(Piece::Break, stamp);
        *self = Half { next: Some(sequence), ..Half::default() };
        self.deliver(payload, missing, stamp, sink);
    }

    fn retransmission(
        &mut self,
        back: usize,
        payload: &[u8],
        missing: usize,
        stamp: Stamp,
        sink: &mut dyn FnMut(Piece<'_>, Stamp),
    ) -> bool {
        // A keep-alive repeats one octet, of any content (RFC 9293, 3.8.4).
        let keep_alive = back == 1 && payload.len() <= 1;
        let conflict = !keep_alive && self.history.differs(back, payload);
        if payload.len() > back {
            self.deliver(&payload[back..], missing, stamp, sink);
            self.release(sink);
        }
        conflict
    }
}

/// The octets delivered last, in a ring that holds two of the longest segments so far: the rings of many polled
/// flows are to fit into a core's cache.
#[derive(Clone, Debug, Default)]
struct History {
    ring: Vec<u8>,
    room: usize,
    /// True where it is to stay as short as can be.
    is_short: bool,
    /// Where the next octet goes, once the ring is full.
    end: usize,
}

impl History {
    fn clear(&mut self) {
        self.ring.clear();
        self.end = 0;
    }

    #[inline]
    fn push(&mut self, octets: &[u8]) {
        // Nearly always they fit behind the last ones.
        let end = self.end + octets.len();
        if octets.len() <= self.room / 2 && end < self.ring.len() && self.ring.len() == self.room {
            self.ring[self.end..end].copy_from_slice(octets);
            self.end = end;
            return;
        }
        self.wrap(octets);
    }

    #[inline(never)]
    fn wrap(&mut self, octets: &[u8]) {
        let most = if self.is_short { LEAST_HISTORY } else { MOST_HISTORY };
        if octets.len() > self.room / 2 && self.room < most {
            self.ring.rotate_left(self.end);
            self.end = 0;
            self.room = (2 * octets.len()).next_power_of_two().clamp(LEAST_HISTORY, most);
            self.ring.reserve_exact(self.room - self.ring.len());
        }
        let octets = &octets[octets.len().saturating_sub(self.room)..];
        let (fill, mut rest) = octets.split_at(octets.len().min(self.room - self.ring.len()));
        self.ring.extend_from_slice(fill);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(self.room - self.end));
            self.ring[self.end..self.end + now.len()].copy_from_slice(now);
            self.end = (self.end + now.len()) % self.room;
            rest = later;
        }
    }

    /// Keeps the last few octets, and never more.
    fn shorten(&mut self) {
        self.ring.rotate_left(self.end);
        self.ring.drain(..self.ring.len().saturating_sub(LEAST_HISTORY));
        self.ring.shrink_to_fit();
        (self.end, self.room, self.is_short) = (0, self.room.min(LEAST_HISTORY), true);
    }

    /// True where octets that start `back` before the end of what was delivered are others than those kept.
    fn differs(&self, back: usize, again: &[u8]) -> bool {
        let kept = self.ring.len();
        let Some(again) = again.get(back.saturating_sub(kept)..) else { return false };
        let back = back.min(kept);
        let (newer, older) = self.ring.split_at(self.end);
        let before = older.iter().chain(newer).skip(kept - back);
        before.zip(again).any(|(before, again)| before != again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sequence number and payload.
    type Sent<'a> = (u32, &'a [u8]);

    /// Runs segments (sequence, payload) through a half; gives the stream with holes as dots, and conflicts.
    fn stream(segments: &[(u32, &[u8])], start: Option<u32>) -> (String, usize) {
        let (mut half, mut text, mut conflicts) = (Half::default(), String::new(), 0);
        if let Some(start) = start {
            half.synchronise(start);
        }
        let mut sink = |piece: Piece<'_>, _: Stamp| match piece {
            Piece::Data(data) => text.push_str(std::str::from_utf8(data).unwrap()),
            Piece::Hole(length) => text.push_str(&".".repeat(length.min(100))),
            Piece::Break => text.push('|'),
        };
        for (index, (sequence, payload)) in segments.iter().enumerate() {
            let stamp = Stamp { frame: index as u64, time: index as i64, capture: 0 };
            if half.awaits(*sequence) {
                half.pass(payload);
                sink(Piece::Data(payload), stamp);
            } else {
                conflicts += usize::from(half.segment(*sequence, payload, 0, stamp, &mut sink));
            }
        }
        half.finish(&mut sink);
        (text, conflicts)
    }

    #[test]
    fn order_is_restored() {
        let cases: &[(&str, &[Sent<'_>], &str, usize)] = &[
            ("in order", &[(1, b"ab"), (3, b"cd")], "abcd", 0),
            ("out of order", &[(3, b"cd"), (1, b"ab")], "abcd", 0),
            ("retransmission", &[(1, b"ab"), (1, b"ab"), (3, b"cd")], "abcd", 0),
            ("retransmission with more", &[(1, b"ab"), (1, b"abcd")], "abcd", 0),
            ("conflict", &[(1, b"ab"), (1, b"aX"), (3, b"cd")], "abcd", 1),
            ("conflict with more", &[(1, b"ab"), (2, b"Xcd")], "abcd", 1),
            ("keep-alive", &[(1, b"ab"), (2, b"\0"), (3, b"cd")], "abcd", 0),
            ("hole", &[(1, b"ab"), (5, b"ef")], "ab..ef", 0),
            ("overlap of held segments", &[(3, b"cd"), (4, b"de"), (1, b"ab")], "abcde", 0),
            ("conflict of held segments", &[(3, b"cd"), (4, b"Xe"), (1, b"ab")], "abcde", 1),
            ("conflict of held segments, the later first", &[(4, b"de"), (3, b"cX"), (1, b"ab")], "abcXe", 1),
            ("conflict inside a held segment", &[(3, b"cdef"), (4, b"dX"), (1, b"ab")], "abcdef", 1),
            ("what fills the hole conflicts", &[(3, b"cd"), (1, b"abX")], "abXd", 1),
            ("what fills it again conflicts", &[(1, b"ab"), (5, b"ef"), (1, b"abcdX")], "abcdXf", 1),
            ("held segments side by side", &[(5, b"ef"), (3, b"cd"), (1, b"ab")], "abcdef", 0),
            ("an octet sent again conflicts", &[(3, b"cd"), (3, b"X"), (1, b"ab")], "abcd", 1),
            ("keep-alive behind a hole", &[(3, b"cd"), (4, b"\0"), (1, b"ab")], "abcd", 0),
            ("keep-alive before its octets", &[(4, b"\0"), (1, b"abcd")], "abcd", 0),
        ];
        for (name, segments, expected, conflicts) in cases {
            assert_eq!(stream(segments, Some(0)), (expected.to_string(), *conflicts), "{name}");
        }
    }

    #[test]
    fn a_repetition_longer_than_the_history_is_no_conflict() {
        let long: String = ('a'..='y').cycle().take(2 * MOST_HISTORY).collect();
        let (half, all) = long.split_at(MOST_HISTORY / 2);
        let segments: &[Sent<'_>] =
            &[(1, half.as_bytes()), (1 + half.len() as u32, all.as_bytes()), (1, long.as_bytes())];
        assert_eq!(stream(segments, Some(0)), (long.clone(), 0));
    }

    #[test]
    fn a_short_history_compares_the_last_octets_and_stays_short() {
        let long = [7; 1_400];
        for sent in [0, 1, 3] {
            let (mut half, mut sink) = (Half::default(), |_: Piece<'_>, _: Stamp| {});
            half.synchronise(0);
            let mut next = 1;
            let mut send = |half: &mut Half, octets: &[u8]| {
                half.segment(next, octets, 0, Stamp::default(), &mut sink);
                next += octets.len() as u32;
            };
            (0..sent).for_each(|_| send(&mut half, &long));
            assert_eq!(half.history(), if sent > 0 { MOST_HISTORY - LEAST_HISTORY } else { 0 });
            half.shorten_history();
            for _ in 0..2 {
                assert!(half.history() == 0 && half.history.ring.capacity() <= LEAST_HISTORY, "{sent} sent");
                send(&mut half, &long);
                send(&mut half, b"the end");
            }
            let kept = [&long[..LEAST_HISTORY - 7], b"the end"].concat();
            for (wrong, octets) in [(None, &kept), (Some(0), &kept), (Some(LEAST_HISTORY - 1), &kept)] {
                let mut again = octets.clone();
                wrong.into_iter().for_each(|at: usize| again[at] ^= 1);
                assert_eq!(half.history.differs(LEAST_HISTORY, &again), wrong.is_some(), "{sent} sent, {wrong:?}");
            }
        }
    }

    #[test]
    fn sequence_numbers_wrap_around() {
        let segments: &[(u32, &[u8])] = &[(0, b"cd"), (u32::MAX - 1, b"ab"), (2, b"ef")];
        assert_eq!(stream(segments, Some(u32::MAX - 2)).0, "abcdef");
    }

    #[test]
    fn a_mid_stream_start_takes_the_first_segment_as_start() {
        assert_eq!(stream(&[(77, b"ab"), (79, b"cd")], None).0, "abcd");
    }

    #[test]
    fn an_acknowledged_hole_is_given_up_before_the_end() {
        let (mut half, mut holes) = (Half::default(), 0);
        half.synchronise(0);
        let mut sink = |piece: Piece<'_>, _: Stamp| holes += usize::from(matches!(piece, Piece::Hole(2)));
        half.segment(3, b"cd", 0, Stamp::default(), &mut sink);
        half.acknowledge(5);
        assert_eq!(half.lost(ACKNOWLEDGED_LOST_NS - 1), None);
        assert_eq!(half.lost(ACKNOWLEDGED_LOST_NS), Some(Stamp::default()));
        half.give_up(&mut sink);
        assert!(!half.is_waiting());
        assert_eq!(holes, 1);
    }

    proptest! {
        #[test]
        fn the_history_is_the_end_of_what_was_delivered(
            pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..900), 0..12),
            back in 0usize..4_000,
            length in 0usize..600,
            wrong in proptest::option::of(0usize..600),
        ) {
            let mut history = History::default();
            pieces.iter().for_each(|piece| history.push(piece));
            let all = pieces.concat();
            let back = back.min(all.len());
            let start = all.len() - back;
            let mut again = all[start..(start + length).min(all.len())].to_vec();
            prop_assert!(!history.differs(back, &again));
            let longest = pieces.iter().map(Vec::len).max().unwrap_or(0);
            prop_assert!(history.ring.len() >= longest);
            if let Some(wrong) = wrong.filter(|wrong| *wrong < again.len()) {
                again[wrong] ^= 0x55;
                let is_kept = start + wrong >= all.len().saturating_sub(history.ring.len());
                prop_assert_eq!(history.differs(back, &again), is_kept);
            }
        }

        #[test]
        fn any_order_of_all_segments_gives_the_stream(order in Just((0..12usize).collect::<Vec<_>>()).prop_shuffle(), start in any::<u32>()) {
            let text = b"abcdefghijklmnopqrstuvwx";
            let segments: Vec<(u32, &[u8])> = order.iter().map(|&i| (start.wrapping_add(1 + 2 * i as u32), &text[2 * i..2 * i + 2])).collect();
            prop_assert_eq!(stream(&segments, Some(start)), ("abcdefghijklmnopqrstuvwx".to_string(), 0));
        }

        #[test]
        fn any_segments_are_taken(segments in proptest::collection::vec((any::<u32>(), 0usize..9, any::<bool>()), 0..200)) {
            let segments: Vec<(u32, &[u8])> = segments.iter().map(|(sequence, length, near)| {
                (if *near { sequence % 64 } else { *sequence }, &b"abcdefgh"[..*length.min(&8)])
            }).collect();
            stream(&segments, None);
        }
    }
}
