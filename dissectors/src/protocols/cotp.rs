//! ISO transport over TCP: TPKT packets (RFC 1006, 6) with the data units of transport class 0 in them (ITU-T X.224).
//!
//! ```text
//! version 3 | reserved | length (2) | length indicator | code | fixed and variable part | data
//! ```
//!
//! It carries S7 communication, MMS and the remote desktop; what is above it is told by the data alone.

use crate::bytes::{Cursor, Short};
use crate::holds::holds;

/// Name of the layer in oddities.
pub const LAYER: &str = "cotp";
/// Octets of a TPKT header.
const TPKT: usize = 4;
/// The shortest packet has a data unit of two octets behind its length indicator.
const LEAST: usize = 7;
/// Octets of one unit of user data that are held while it is put together.
const MAX_HELD: usize = 64 * 1024;
/// Fixed part of connection requests and confirms: code, two references, class (X.224, 13.3.3).
const CONNECT_FIXED: usize = 6;
/// The last data unit of a unit of user data (X.224, 13.7.3).
const EOT: u8 = 0x80;

/// Codes of data units, with the credit as 0 (X.224, 13.1).
pub mod code {
    /// Disconnect request.
    pub const DISCONNECT: u8 = 0x80;
    /// Connection confirm.
    pub const CONFIRM: u8 = 0xD0;
    /// Connection request.
    pub const CONNECT: u8 = 0xE0;
    /// Data.
    pub const DATA: u8 = 0xF0;
}

/// Parameters of connection requests and confirms (X.224, 13.3.4).
mod parameter {
    pub(super) const CALLING: u8 = 0xC1;
    pub(super) const CALLED: u8 = 0xC2;
}

/// What starts at some octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Too few octets to tell.
    NeedMore,
    /// A packet of so many octets.
    Packet(usize),
    /// No packet.
    Nothing,
}

/// Reads a TPKT header (RFC 1006, 6).
pub fn start(bytes: &[u8]) -> Start {
    match *bytes {
        [] | [3] | [3, 0] | [3, 0, _] => Start::NeedMore,
        [3, 0, high, low, ..] => match usize::from(u16::from_be_bytes([high, low])) {
            length @ LEAST.. => Start::Packet(length),
            _ => Start::Nothing,
        },
        _ => Start::Nothing,
    }
}

/// One transport data unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tpdu<'a> {
    /// Its code, with the credit as 0.
    pub code: u8,
    /// Code, fixed and variable part: as many octets as the length indicator says.
    pub header: &'a [u8],
    /// User data.
    pub data: &'a [u8],
    /// Where those start in the packet.
    pub data_at: usize,
}

impl<'a> Tpdu<'a> {
    /// The data unit of a packet.
    pub fn of(packet: &'a [u8]) -> Result<Self, Short> {
        let mut cursor = Cursor::new(packet);
        cursor.take(TPKT, "TPKT header")?;
        let indicator = cursor.u8("length indicator")?;
        let header = cursor.take(indicator.into(), "data unit's header")?;
        let code = header.first().map_or(0, |octet| octet & 0xF0);
        Ok(Tpdu { code, header, data: cursor.rest(), data_at: cursor.offset() })
    }

    /// True where a unit of user data ends here; class 0 has no reference in its data units, others have one.
    pub fn is_last(&self) -> bool {
        let number = if self.header.len() < 4 { self.header.get(1) } else { self.header.get(3) };
        number.is_none_or(|number| number & EOT != 0)
    }

    /// References of the receiver and of the sender.
    pub fn references(&self) -> [u16; 2] {
        [1, 3].map(|at| match self.header.get(at..at + 2) {
            Some(&[high, low]) => u16::from_be_bytes([high, low]),
            _ => 0,
        })
    }

    /// Why a disconnect request ends the connection.
    pub fn reason(&self) -> Option<u8> {
        self.header.get(5).copied()
    }

    /// Calling and called transport selector.
    pub fn selectors(&self) -> [Option<&'a [u8]>; 2] {
        let mut found = [None; 2];
        let mut rest = self.header.get(CONNECT_FIXED..).unwrap_or(&[]);
        while let &[code, length, ref value @ ..] = rest {
            let Some((value, after)) = value.split_at_checked(length.into()) else { break };
            match code {
                parameter::CALLING => found[0] = Some(value),
                parameter::CALLED => found[1] = Some(value),
                _ => {}
            }
            rest = after;
        }
        found
    }
}

/// User data that several data units carry.
#[derive(Clone, Debug, Default)]
pub struct Assembly {
    /// Octets so far: those before the first loss.
    pub octets: Vec<u8>,
    /// Octets of the packets on the wire.
    pub wire: usize,
    /// True where octets are missing.
    pub cut: bool,
}

holds!(Assembly { octets });

impl Assembly {
    /// True where nothing was begun.
    pub fn is_idle(&self) -> bool {
        self.wire == 0
    }

    /// Adds a data unit's octets; gives all of them with the last one.
    pub fn join(&mut self, tpdu: &Tpdu<'_>, wire: usize, whole: bool) -> Option<Assembly> {
        let fits = self.octets.len() + tpdu.data.len() <= MAX_HELD;
        // After a loss the place of later octets is not known.
        if fits && !self.cut {
            self.octets.extend_from_slice(tpdu.data);
        }
        self.cut |= !whole || !fits;
        self.wire = self.wire.saturating_add(wire);
        tpdu.is_last().then(|| std::mem::take(self))
    }

    /// Takes what was begun; its end will not come.
    pub fn give_up(&mut self) -> Option<Assembly> {
        let begun = std::mem::take(self);
        (!begun.octets.is_empty()).then_some(Assembly { cut: true, ..begun })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECT: &[u8] = &[
        0x03, 0x00, 0x00, 0x16, // version, reserved, length
        0x11, 0xE0, // length indicator, connection request
        0x00, 0x00, 0x00, 0x2E, 0x00, // references, class 0
        0xC1, 0x02, 0x01, 0x00, // calling selector
        0xC2, 0x02, 0x01, 0x02, // called selector
        0xC0, 0x01, 0x09, // size of data units: 512
    ];

    #[test]
    fn a_packet_starts_with_its_version_and_a_length_that_can_be() {
        let cases: &[(&[u8], Start)] = &[
            (CONNECT, Start::Packet(22)),
            (&[0x03, 0x00, 0x00, 0x07], Start::Packet(7)),
            (&[0x03, 0x00, 0xFF, 0xFF], Start::Packet(65_535)),
            (&[0x03, 0x00, 0x00], Start::NeedMore),
            (&[], Start::NeedMore),
            (&[0x03, 0x00, 0x00, 0x06], Start::Nothing),
            (&[0x03, 0x01], Start::Nothing),
            (&[0x02, 0x00, 0x00, 0x16], Start::Nothing),
        ];
        for (bytes, expected) in cases {
            assert_eq!(start(bytes), *expected, "{bytes:x?}");
        }
    }

    #[test]
    fn a_connection_request_names_both_selectors() {
        let tpdu = Tpdu::of(CONNECT).unwrap();
        assert_eq!((tpdu.code, tpdu.references()), (code::CONNECT, [0, 0x2E]));
        assert_eq!(tpdu.selectors(), [Some(&[0x01, 0x00][..]), Some(&[0x01, 0x02][..])]);
    }

    #[test]
    fn every_truncation_is_short_or_names_less() {
        for length in 0..CONNECT.len() {
            match Tpdu::of(&CONNECT[..length]) {
                Ok(tpdu) => panic!("{tpdu:?}"),
                Err(short) => assert!(short.offset <= length && short.needed > short.left),
            }
        }
    }

    #[test]
    fn data_units_are_joined_up_to_the_last_one() {
        let unit = |last: bool, data: &[u8]| [&[3, 0, 0, 0, 2, code::DATA, u8::from(last) << 7], data].concat();
        let mut assembly = Assembly::default();
        for part in [&b""[..], b"ab"] {
            assert!(assembly.join(&Tpdu::of(&unit(false, part)).unwrap(), 9, true).is_none());
        }
        let whole = assembly.join(&Tpdu::of(&unit(true, b"c")).unwrap(), 8, true).unwrap();
        assert_eq!((&whole.octets[..], whole.wire, whole.cut), (&b"abc"[..], 26, false));
        assert!(assembly.is_idle());
    }

    #[test]
    fn what_is_held_is_bounded_and_told_to_be_cut() {
        let packet = [&[3, 0, 0, 0, 2, code::DATA, 0][..], &[0xAA; 60_000]].concat();
        let mut assembly = Assembly::default();
        for _ in 0..10 {
            assembly.join(&Tpdu::of(&packet).unwrap(), packet.len(), true);
        }
        assert!(assembly.octets.len() <= MAX_HELD && assembly.cut);
    }
}
