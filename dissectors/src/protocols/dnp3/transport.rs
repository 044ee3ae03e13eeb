//! The transport function (IEEE 1815-2012, clause 8): segments of link frames become application fragments.

use super::application::Fragment;
use super::link;

/// Name of the layer in oddities.
pub(super) const LAYER: &str = "dnp3-transport";

/// A fragment longer than this is given up. Devices take 2048 octets unless their profile says more.
pub(super) const MAX_FRAGMENT: usize = 64 * 1024;

const FIN: u8 = 0x80;
const FIR: u8 = 0x40;
const SEQUENCE: u8 = 0x3F;

/// The transport header, one octet before each segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header(pub(super) u8);

impl Header {
    /// FIR: the first segment of a fragment.
    pub(super) const fn is_first(self) -> bool {
        self.0 & FIR != 0
    }

    /// FIN: the last segment of a fragment.
    pub(super) const fn is_final(self) -> bool {
        self.0 & FIN != 0
    }

    /// The segment's number, modulo 64.
    pub(super) const fn sequence(self) -> u8 {
        self.0 & SEQUENCE
    }
}

/// One segment out of one link frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    /// Its header.
    pub(super) header: Header,
    /// Octets of the application layer.
    pub(super) octets: &'a [u8],
    /// Octets of its link frame on the wire.
    pub(super) wire: usize,
    /// False where the capture cut the frame.
    pub(super) whole: bool,
    /// False where a CRC of the frame is wrong.
    pub(super) intact: bool,
}

/// A fragment under construction.
#[derive(Clone, Debug)]
pub(super) struct Assembly {
    /// Octets of the application layer so far: those before the first loss.
    pub(super) octets: Vec<u8>,
    /// Octets of its link frames on the wire.
    pub(super) wire: usize,
    /// False once octets are missing.
    pub(super) whole: bool,
    /// False once a CRC was wrong.
    pub(super) intact: bool,
    frame: link::Header,
    last: u8,
}

/// What became of a segment that is not the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// It was added, or carried nothing new.
    Yes,
    /// Its number is not the one after the last; the number that was expected.
    OutOfSequence(u8),
    /// The fragment is longer than [`MAX_FRAGMENT`].
    TooLong,
}

impl Assembly {
    /// Starts with the first segment.
    pub(super) fn new(frame: link::Header, segment: Segment<'_>) -> Self {
        Assembly {
            octets: segment.octets.to_vec(),
            wire: segment.wire,
            whole: segment.whole,
            intact: segment.intact,
            frame,
            last: segment.header.sequence(),
        }
    }

    /// Adds a segment that is not the first.
    pub(super) fn join(&mut self, frame: link::Header, segment: Segment<'_>) -> Joined {
        let expected = (self.last + 1) & SEQUENCE;
        if segment.header.sequence() == self.last && self.octets.ends_with(segment.octets) {
            return Joined::Yes; // The link layer sent it twice.
        }
        if segment.header.sequence() != expected {
            return Joined::OutOfSequence(expected);
        }
        if self.octets.len() + segment.octets.len() > MAX_FRAGMENT {
            return Joined::TooLong;
        }
        // After a loss the place of later octets is not known.
        if self.whole && self.intact {
            self.octets.extend_from_slice(segment.octets);
        }
        self.wire += segment.wire;
        self.whole &= segment.whole;
        self.intact &= segment.intact;
        self.frame = frame;
        self.last = expected;
        Joined::Yes
    }

    /// The fragment as far as it has come.
    pub(super) fn fragment(&self) -> Fragment<'_> {
        Fragment { octets: &self.octets, frame: self.frame, wire: self.wire, whole: self.whole, intact: self.intact }
    }
}
