//! Cuts one direction of a stream into messages: the same for every protocol that has a `Session`.

use crate::model::OddityCode;
use crate::net::tcp::{Piece, Stamp};
use crate::session::{Chunk, Direction, Framing, Output, Session};

/// Longest message that is waited for; beyond it the octets are taken for something else.
const MAX_MESSAGE: usize = 128 * 1024;
/// Room that a direction keeps for messages that are not whole.
const ROOM: usize = 4 * 1024;
/// Octets kept while no message start is in sight, because one may be split there.
const TAIL: usize = 16;
/// Frames named for one message.
const MAX_FRAMES: usize = 16;

/// Receives what was decoded: messages, and the frames that carried them.
pub type Deliver<'a> = dyn FnMut(&mut Output, &[u64], Stamp) + 'a;

/// One direction.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    carry: Vec<u8>,
    carry_frames: Vec<u64>,
    skip: usize,
    synced: bool,
    /// True once octets were missing.
    lost: bool,
    /// True where the first octets start a message, or one was found.
    sure: bool,
    undecoded: u64,
}

impl Assembly {
    /// A direction whose first octets start a message.
    pub fn at_start() -> Self {
        Assembly { synced: true, sure: true, ..Assembly::default() }
    }

    /// Octets so far that belong to no message, or to the end of a message whose middle is missing.
    pub fn undecoded(&self) -> u64 {
        self.undecoded
    }

    /// True where the next octets start a message.
    #[inline]
    pub fn is_at_start(&self) -> bool {
        self.synced && self.skip == 0 && self.carry.is_empty()
    }

    /// Octets held for a message that is not whole, with the room for more.
    #[inline]
    pub fn held(&self) -> usize {
        if self.carry.capacity() > ROOM { self.carry.capacity() } else { self.carry.len() }
    }

    /// Gives up what is half built, here and in the session: a message is delivered as cut.
    pub fn give_up(
        &mut self,
        stamp: Stamp,
        direction: Direction,
        session: &mut dyn Session,
        out: &mut Output,
        deliver: &mut Deliver<'_>,
    ) {
        let is_at_start = self.is_at_start();
        self.hole(0, stamp, direction, session, out, deliver);
        self.synced |= is_at_start;
    }

    /// Takes the next piece of the stream and delivers the messages that it completes.
    pub fn piece(
        &mut self,
        piece: Piece<'_>,
        stamp: Stamp,
        direction: Direction,
        session: &mut dyn Session,
        out: &mut Output,
        deliver: &mut Deliver<'_>,
    ) {
        out.frame = stamp.frame;
        match piece {
            Piece::Data(bytes) => self.data(bytes, stamp, direction, session, out, deliver),
            Piece::Hole(length) => self.hole(length, stamp, direction, session, out, deliver),
            Piece::Break => self.hole(usize::MAX, stamp, direction, session, out, deliver),
        }
    }

    /// The stream ends: a message that is not whole is delivered as cut.
    pub fn finish(
        &mut self,
        stamp: Stamp,
        direction: Direction,
        session: &mut dyn Session,
        out: &mut Output,
        deliver: &mut Deliver<'_>,
    ) {
        if !self.carry.is_empty() {
            self.hole(usize::MAX, stamp, direction, session, out, deliver);
        }
    }

    fn data(
        &mut self,
        mut bytes: &[u8],
        stamp: Stamp,
        direction: Direction,
        session: &mut dyn Session,
        out: &mut Output,
        deliver: &mut Deliver<'_>,
    ) {
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        self.undecoded += skipped as u64;
        bytes = &bytes[skipped..];
        if bytes.is_empty() {
            return;
        }
        if self.carry.is_empty() {
            let used = self.messages(bytes, stamp, direction, session, out, deliver);
            if used < bytes.len() {
                self.carry.extend_from_slice(&bytes[used..]);
                self.carry_frames.push(stamp.frame);
            }
            return;
        }
        let mut whole = std::mem::take(&mut self.carry);
        if !self.synced && session.resync(direction, bytes) == Some(0) {
            self.undecoded += whole.len() as u64;
            whole.clear();
        }
        whole.extend_from_slice(bytes);
        let used = self.messages(&whole, stamp, direction, session, out, deliver);
        if used > 0 {
            self.carry_frames.clear();
        }
        whole.drain(..used);
        if !whole.is_empty() && self.carry_frames.len() < MAX_FRAMES && self.carry_frames.last() != Some(&stamp.frame) {
            self.carry_frames.push(stamp.frame);
        }
        if whole.capacity() > ROOM.max(4 * whole.len()) {
            whole.shrink_to(ROOM);
        }
        self.carry = whole;
    }

    /// Decodes the whole messages at the start of `bytes`; gives the octets used.
    fn messages(
        &mut self,
        bytes: &[u8],
        stamp: Stamp,
        direction: Direction,
        session: &mut dyn Session,
        out: &mut Output,
        deliver: &mut Deliver<'_>,
    ) -> usize {
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            self.synced |= !self.lost && !session.protocol().is_control();
            if !self.synced {
                // A message that fills the segment to its end is as good a proof of a start as there is.
                if at == 0 && session.frame(direction, rest) == Framing::Message(rest.len()) {
                    self.synced = true;
                    continue;
                }
                match session.resync(direction, rest) {
                    Some(offset) if offset < rest.len() => {
                        self.undecoded += offset as u64;
                        at += offset;
                    }
                    _ => {
                        let tail = if at == 0 { Self::start(direction, rest, session) } else { TAIL };
                        self.undecoded += rest.len().saturating_sub(tail) as u64;
                        return bytes.len() - rest.len().min(tail);
                    }
                }
                self.synced = true;
                continue;
            }
            match session.frame(direction, rest) {
                Framing::NeedMore if rest.len() < MAX_MESSAGE => return at,
                Framing::Message(length) if (1..=rest.len()).contains(&length) => {
                    self.sure = true;
                    session.decode(Chunk { bytes: &rest[..length], wire_length: length, direction }, out);
                    self.hand_over(at == 0, stamp, out, deliver);
                    at += length;
                }
                Framing::Message(length) if (1..=MAX_MESSAGE).contains(&length) => return at,
                Framing::Head { keep, length } if length > 0 && (keep <= rest.len() || keep <= MAX_MESSAGE) => {
                    let keep = keep.min(length);
                    if keep > rest.len() {
                        return at;
                    }
                    self.sure = true;
                    session.decode(Chunk { bytes: &rest[..keep], wire_length: length, direction }, out);
                    self.hand_over(at == 0, stamp, out, deliver);
                    at += length.min(rest.len());
                    self.skip = length.saturating_sub(rest.len());
                }
                _ if !session.protocol().is_control() => {
                    if self.sure {
                        // Whatever else a service says is not read.
                        self.skip = usize::MAX;
                    } else {
                        // The capture started in the middle of a message.
                        (self.lost, self.synced) = (true, false);
                        self.undecoded += rest.len() as u64;
                    }
                    return bytes.len();
                }
                _ => {
                    let found = rest.iter().take(4).map(|octet| format!("{octet:02x}")).collect::<String>();
                    let name = session.protocol().name();
                    out.oddity(OddityCode::NotTheProtocol, name, at, format!("a message of {name}, found 0x{found}…"));
                    self.hand_over(at == 0, stamp, out, deliver);
                    self.synced = false;
                    // The octet here starts no message: look behind it.
                    self.undecoded += 1;
                    at += 1;
                }
            }
        }
        at
    }

    /// Octets that are kept while nothing surely starts a message: all of them where they may be the start of one that
    /// goes on.
    fn start(direction: Direction, bytes: &[u8], session: &mut dyn Session) -> usize {
        match session.frame(direction, bytes) {
            Framing::Message(length) if (bytes.len()..=MAX_MESSAGE).contains(&length) => bytes.len(),
            _ => TAIL,
        }
    }

    fn hole(
        &mut self,
        length: usize,
        stamp: Stamp,
        direction: Direction,
        session: &mut dyn Session,
        out: &mut Output,
        deliver: &mut Deliver<'_>,
    ) {
        let known_end = if self.skip > 0 {
            Some(self.skip)
        } else if self.carry.is_empty() || !self.synced {
            None
        } else {
            match session.frame(direction, &self.carry) {
                Framing::Message(total) if total > self.carry.len() && total <= MAX_MESSAGE => {
                    let carry = std::mem::take(&mut self.carry);
                    session.decode(Chunk { bytes: &carry, wire_length: total, direction }, out);
                    self.hand_over(true, stamp, out, deliver);
                    Some(total - carry.len())
                }
                Framing::Head { length, .. } => Some(length - self.carry.len().min(length)),
                _ => None,
            }
        };
        self.undecoded += self.carry.len() as u64;
        self.carry = Vec::new();
        self.carry_frames.clear();
        self.lost = true;
        session.gap(direction, out);
        self.hand_over(false, stamp, out, deliver);
        (self.skip, self.synced) = match known_end {
            Some(end) if length <= end => (end - length, true),
            _ => (0, false),
        };
    }

    fn hand_over(&mut self, from_carry: bool, stamp: Stamp, out: &mut Output, deliver: &mut Deliver<'_>) {
        if out.is_empty() {
            return;
        }
        if from_carry && !self.carry_frames.is_empty() {
            if self.carry_frames.last() != Some(&stamp.frame) {
                self.carry_frames.push(stamp.frame);
            }
            deliver(out, &self.carry_frames, stamp);
        } else {
            deliver(out, &[stamp.frame], stamp);
        }
        out.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Protocol;
    use crate::registry;
    use crate::session::{Probe, Recognition};

    /// Reads one holding register (transaction 1).
    const ASKED: &[u8] = &[0, 1, 0, 0, 0, 6, 1, 3, 0, 10, 0, 1];

    fn session() -> Box<dyn Session> {
        let forward = Direction::Forward;
        let ports = [40_000, 502];
        let probe = Probe { forward: ASKED, backward: &[], first: forward, opener: Some(forward), ports, cut: false };
        let found = registry::STREAMS.iter().find_map(|recognise| match recognise(&probe) {
            Recognition::Yes(session) => Some(session),
            _ => None,
        });
        found.expect("a session")
    }

    /// A service whose messages are an `m` and another octet.
    #[derive(Clone)]
    struct Service(Vec<u8>);

    impl Session for Service {
        fn protocol(&self) -> Protocol {
            Protocol::Smb
        }

        fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
            if bytes[0] == b'm' { Framing::Message(2) } else { Framing::NotMine }
        }

        fn resync(&self, _: Direction, bytes: &[u8]) -> Option<usize> {
            bytes.iter().position(|octet| *octet == b'm')
        }

        fn decode(&mut self, chunk: Chunk<'_>, _: &mut Output) {
            self.0.push(chunk.bytes[1]);
        }
    }

    #[test]
    fn a_service_is_found_again_where_the_capture_starts_in_the_middle_of_a_message() {
        let cases = [
            (false, "rest|m1|m2", "12"),
            (false, "rest|of it|it m1", "1"),
            // Where a message was surely expected, something else was agreed on.
            (false, "m1|else|m2", "1"),
            (true, "else|m1", ""),
        ];
        for (is_start_known, pieces, expected) in cases {
            let mut assembly = if is_start_known { Assembly::at_start() } else { Assembly::default() };
            let (mut session, mut out) = (Service(Vec::new()), Output::default());
            for octets in pieces.split('|') {
                let mut deliver = |_: &mut Output, _: &[u64], _: Stamp| {};
                let (stamp, way) = (Stamp::default(), Direction::Forward);
                assembly.piece(Piece::Data(octets.as_bytes()), stamp, way, &mut session, &mut out, &mut deliver);
            }
            assert_eq!(session.0, expected.as_bytes(), "{pieces}");
        }
    }

    #[test]
    fn what_is_given_up_is_cut_and_the_stream_keeps_step() {
        let cases: &[(&str, usize, &[bool])] = &[
            ("nothing is half built", 12, &[true, true]),
            ("its end is known", 8, &[false, true]),
            ("its end is not known", 3, &[true]),
        ];
        for (name, first, expected) in cases {
            let (mut assembly, mut session, mut out) = (Assembly::at_start(), session(), Output::default());
            let mut whole = Vec::new();
            let mut deliver =
                |out: &mut Output, _: &[u64], _: Stamp| whole.extend(out.messages.iter().map(|it| it.complete));
            let (stamp, way) = (Stamp::default(), Direction::Forward);
            let (begun, rest) = ASKED.split_at(*first);
            assembly.piece(Piece::Data(begun), stamp, way, session.as_mut(), &mut out, &mut deliver);
            assert_eq!(assembly.held(), begun.len() % ASKED.len(), "{name}");
            assembly.give_up(stamp, way, session.as_mut(), &mut out, &mut deliver);
            assert_eq!(assembly.held(), 0, "{name}");
            for octets in [rest, ASKED] {
                assembly.piece(Piece::Data(octets), stamp, way, session.as_mut(), &mut out, &mut deliver);
            }
            assert_eq!(whole, *expected, "{name}");
        }
    }
}
