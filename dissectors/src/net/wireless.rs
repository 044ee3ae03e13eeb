//! IEEE 802.11 data frames, with or without the headers that capturing adds (radiotap, PPI), as far as they are not
//! encrypted: from tunnels of access points, and from captures of the air.

use super::link::{self, Link, Station, llc, mac_at, short};
use super::{BadHeader, u16_at};

type Parsed<'a> = Result<Link<'a>, BadHeader>;

/// Bits of the second octet of frame control (IEEE 802.11-2020, 9.2.4.1).
mod flag {
    pub const TO_DS: u8 = 0x01;
    pub const FROM_DS: u8 = 0x02;
    pub const MORE_FRAGMENTS: u8 = 0x04;
    pub const PROTECTED: u8 = 0x40;
    pub const HT_CONTROL: u8 = 0x80;
}

/// A frame from its frame control on, without octets of padding behind the header.
pub fn frame(packet: &[u8]) -> Parsed<'_> {
    padded(packet, 1)
}

/// A frame whose header is filled up to a multiple of `align` octets. What is no plain data is told by its stations.
fn padded(packet: &[u8], align: usize) -> Parsed<'_> {
    const DATA: u8 = 0b10;
    const WITHOUT_DATA: u8 = 0x40;
    const QUALITY_OF_SERVICE: u8 = 0x80;
    /// Several frames in one (9.3.2.2.2).
    const AGGREGATE: u8 = 0x80;
    const SEQUENCE: usize = 22;
    let (Some(&[control, flags]), Some(first)) = (packet.first_chunk::<2>(), mac_at(packet, 4)) else {
        return Err(short("802.11", packet));
    };
    if control & 0b11 != 0 {
        return Err(BadHeader { layer: "802.11", offset: 0, expected: "version 0" });
    }
    let ends = Link { destination: Some(Station::Mac(first)), ..link::bare(0, &[]) };
    if control >> 2 & 0b11 != DATA {
        return Ok(ends);
    }
    let (to, from) = (flags & flag::TO_DS != 0, flags & flag::FROM_DS != 0);
    let addresses = if to && from { 30 } else { 24 };
    let has_quality = control & QUALITY_OF_SERVICE != 0;
    let options: usize = match (has_quality, flags & flag::HT_CONTROL != 0) {
        (false, _) => 0,
        (true, false) => 2,
        (true, true) => 6,
    };
    let header = (addresses + options).next_multiple_of(align);
    let place = |to, from| match (to, from) {
        (false, false) | (true, false) => 10,
        (false, true) => 16,
        (true, true) => 24,
    };
    let (Some(source), Some(destination), Some(sequence), Some(payload)) = (
        mac_at(packet, place(to, from)),
        mac_at(packet, if to { 16 } else { 4 }),
        u16_at(packet, SEQUENCE),
        packet.get(header..),
    ) else {
        return Err(short("802.11", packet));
    };
    let link = Link {
        source: Some(Station::Mac(source)),
        destination: Some(Station::Mac(destination)),
        ..link::bare(0, payload)
    };
    // The fragment's number stands in the low bits of a little-endian field.
    let is_fragment = flags & flag::MORE_FRAGMENTS != 0 || sequence & 0x0f00 != 0;
    let is_aggregate = has_quality && packet.get(addresses).is_some_and(|octet| octet & AGGREGATE != 0);
    let is_opaque = flags & flag::PROTECTED != 0 || is_fragment || is_aggregate || control & WITHOUT_DATA != 0;
    Ok(if is_opaque { link } else { llc(link) })
}

/// Radiotap: `version | pad | length | words that say which fields are present`, then the fields, then the frame.
pub fn radiotap(packet: &[u8]) -> Parsed<'_> {
    const TIMESTAMP: u8 = 0x01;
    const FLAGS: u8 = 0x02;
    const MORE_WORDS: u8 = 0x80;
    /// The frame's header is filled up to whole words.
    const PADDED: u8 = 0x20;
    let Some(&[0, _, low, high]) = packet.first_chunk::<4>() else {
        return Err(short("radiotap", packet));
    };
    let length = usize::from(u16::from_le_bytes([low, high]));
    let (Some(fields), Some(rest)) = (packet.get(4..length), packet.get(length..)) else {
        return Err(short("radiotap", packet));
    };
    let words = fields.chunks_exact(4).take_while(|word| word[3] & MORE_WORDS != 0).count() + 1;
    let present = fields.first().copied().unwrap_or_default();
    // The timestamp comes first and lies on a multiple of eight, counted from the start of the header.
    let after_words = 4 + 4 * words;
    let at = if present & TIMESTAMP == 0 { after_words } else { after_words.next_multiple_of(8) + 8 };
    let flags = if present & FLAGS == 0 { 0 } else { packet.get(at).copied().unwrap_or_default() };
    padded(rest, if flags & PADDED == 0 { 1 } else { 4 })
}

/// PPI: `version | flags | length | link type`, all little-endian, then its fields, then a packet of that link type.
pub fn per_packet_information(packet: &[u8]) -> Parsed<'_> {
    const ITSELF: u16 = 192;
    let Some(&[0, _, low, high, kind_low, kind_high, 0, 0]) = packet.first_chunk::<8>() else {
        return Err(short("ppi", packet));
    };
    let (length, kind) = (u16::from_le_bytes([low, high]), u16::from_le_bytes([kind_low, kind_high]));
    let inner = packet.get(usize::from(length)..).filter(|_| kind != ITSELF && length >= 8);
    inner.and_then(|inner| link::parse(kind, inner)).unwrap_or_else(|| Err(short("ppi", packet)))
}

/// Link types of the air and what reads each.
pub fn parse(link_type: u16, packet: &[u8]) -> Option<Parsed<'_>> {
    match link_type {
        105 => Some(frame(packet)),
        127 => Some(radiotap(packet)),
        192 => Some(per_packet_information(packet)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::link::{Mac, ethertype};
    use super::*;
    use proptest::prelude::*;

    const A: Mac = [2, 0, 0, 0, 0, 0xa];
    const B: Mac = [2, 0, 0, 0, 0, 0xb];
    const C: Mac = [2, 0, 0, 0, 0, 0xc];
    const D: Mac = [2, 0, 0, 0, 0, 0xd];
    const SNAP: [u8; 8] = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0];
    const IP: [u8; 4] = [0x45, 0, 0, 20];

    /// What is carried: EtherType and octets.
    type Carried<'a> = (u16, &'a [u8]);
    type Case = (&'static str, Vec<u8>, Option<Mac>, Mac, Carried<'static>);

    /// Frame control, behind it duration, three addresses and a sequence number; then what is given.
    fn data(control: [u8; 2], rest: &[&[u8]]) -> Vec<u8> {
        [&control[..], &[0, 0], &A, &B, &C, &[0x10, 0], &rest.concat()].concat()
    }

    #[test]
    fn who_sends_to_whom_and_what_is_carried() {
        let open: Carried = (ethertype::IPV4, &IP);
        let cases: &[Case] = &[
            ("from station to station", data([0x08, 0], &[&SNAP, &IP]), Some(B), A, open),
            ("to the access point", data([0x08, 1], &[&SNAP, &IP]), Some(B), C, open),
            ("from the access point", data([0x08, 2], &[&SNAP, &IP]), Some(C), A, open),
            ("between access points", data([0x08, 3], &[&D, &SNAP, &IP]), Some(D), C, open),
            ("quality of service", data([0x88, 1], &[&[0, 0], &SNAP, &IP]), Some(B), C, open),
            ("HT control", data([0x88, 0x81], &[&[0; 6], &SNAP, &IP]), Some(B), C, open),
            ("encrypted", data([0x08, 0x41], &[&SNAP]), Some(B), C, (0, &SNAP)),
            ("first fragment", data([0x08, 5], &[&SNAP]), Some(B), C, (0, &SNAP)),
            ("several in one", data([0x88, 1], &[&[0x80, 0], &SNAP]), Some(B), C, (0, &SNAP)),
            ("null", data([0x48, 1], &[]), Some(B), C, (0, &[])),
            ("beacon", data([0x80, 0], &[&[1; 12]]), None, A, (0, &[])),
        ];
        for (name, packet, source, destination, carried) in cases {
            let link = frame(packet).expect(name);
            assert_eq!(link.source, source.map(Station::Mac), "{name}");
            assert_eq!(link.destination, Some(Station::Mac(*destination)), "{name}");
            assert_eq!((link.ethertype, link.payload), *carried, "{name}");
        }
    }

    #[test]
    fn what_capturing_adds_is_passed_over() {
        let plain = data([0x08, 0], &[&SNAP, &IP]);
        let quality = data([0x88, 0], &[&[0, 0, 0xee, 0xee], &SNAP, &IP]);
        let cases: &[(&str, u16, &[u8], &[u8])] = &[
            ("radiotap, no field", 127, &[0, 0, 8, 0, 0, 0, 0, 0], &plain),
            ("radiotap, flags", 127, &[0, 0, 9, 0, 2, 0, 0, 0, 0x10], &plain),
            ("radiotap, padded", 127, &[0, 0, 9, 0, 2, 0, 0, 0, 0x20], &quality),
            ("radiotap, time and flags", 127, &[0, 0, 17, 0, 3, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x20], &quality),
            ("radiotap, two words", 127, &[0, 0, 13, 0, 2, 0, 0, 0x80, 0, 0, 0, 0, 0x20], &quality),
            ("PPI", 192, &[0, 0, 8, 0, 105, 0, 0, 0], &plain),
        ];
        for (name, link_type, header, rest) in cases {
            let packet = [*header, *rest].concat();
            let link = link::parse(*link_type, &packet).expect(name).expect(name);
            assert_eq!((link.ethertype, link.payload), (ethertype::IPV4, &IP[..]), "{name}");
        }
        let itself = [0, 0, 8, 0, 192, 0, 0, 0].repeat(1000);
        assert!(link::parse(192, &itself).expect("known").is_err());
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            for link_type in [105, 127, 192] {
                if let Some(Ok(link)) = link::parse(link_type, &bytes) {
                    prop_assert!(link.payload.len() <= bytes.len());
                }
            }
        }
    }
}
