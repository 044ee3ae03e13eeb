//! Packets cut before what they may carry of secrets, as if they had been sent so short: not even the length of what is
//! left out shows.

use crate::capture::Packet;
use crate::net::ip::{self, number};
use crate::net::link::{self, ethertype};

/// The packet without the octets that follow the first `keep` of what TCP or UDP carries; none where it has no more.
/// Of tunnels, fragments and other carriers of the internet layer nothing is kept; what is no such packet and no carrier
/// of one has no secrets.
pub(super) fn shortened(packet: &Packet<'_>, keep: usize) -> Option<Vec<u8>> {
    let data = packet.data;
    let Some(Ok(link)) = link::parse(packet.link_type, data) else { return Some(Vec::new()) };
    let place = |part: &[u8]| (part.as_ptr() as usize).saturating_sub(data.as_ptr() as usize).min(data.len());
    let start = place(link.payload);
    let parsed = match link.ethertype {
        ethertype::IPV4 => ip::ipv4(link.payload),
        ethertype::IPV6 => ip::ipv6(link.payload),
        // Carries users' traffic without an internet layer of its own in front.
        ethertype::PPPOE | ethertype::PPP | ethertype::MPLS | ethertype::MPLS_UPSTREAM | ethertype::BACKBONE => {
            return Some(data[..start].to_vec());
        }
        // The answer to a challenge, a password of one use; the digest of a domain's password; whatever is behind a tag
        // of HSR that does not fit.
        ethertype::EAPOL | ethertype::VTP | ethertype::HSR => return Some(data[..start].to_vec()),
        _ => return None,
    };
    let Ok(packet) = parsed else { return Some(data[..start].to_vec()) };
    let transport = place(packet.payload);
    let headers = match packet.protocol {
        _ if packet.fragment.is_some() => 0,
        number::TCP => ip::tcp(&packet).map_or(0, |segment| packet.payload.len() - segment.payload.len()),
        number::UDP => 8.min(packet.payload.len()),
        number::ICMP | number::ICMPV6 => 8.min(packet.payload.len()),
        _ => 0,
    };
    let end = transport + headers + if headers > 0 { keep } else { 0 };
    let mut octets = data.get(..end).filter(|_| end < data.len())?.to_vec();
    told_length(&mut octets, start, transport, link.ethertype == ethertype::IPV4, packet.protocol);
    Some(octets)
}

/// Sets the length fields of the headers to what is there.
fn told_length(octets: &mut [u8], start: usize, transport: usize, is_v4: bool, protocol: u8) {
    let length = |from: usize| u16::try_from(octets.len() - from).unwrap_or(u16::MAX).to_be_bytes();
    let (of_v4, of_v6, of_udp) = (length(start), length(octets.len().min(start + 40)), length(transport));
    let mut set = |at: usize, value: [u8; 2]| {
        if let Some(field) = octets.get_mut(at..at + 2) {
            field.copy_from_slice(&value);
        }
    };
    if protocol == number::UDP {
        set(transport + 4, of_udp);
    }
    if !is_v4 {
        return set(start + 4, of_v6);
    }
    set(start + 2, of_v4);
    set(start + 10, [0, 0]);
    let sum = checksum(&octets[start..transport]);
    octets[start + 10..start + 12].copy_from_slice(&sum);
}

/// RFC 1071.
fn checksum(header: &[u8]) -> [u8; 2] {
    let words = header.chunks(2).map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    (!((folded & 0xffff) + (folded >> 16)) as u16).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &[u8] = &[0, 0x80, 0xf4, 0, 0, 0x20, 0, 0x50, 0x56, 0, 0, 0x10];

    fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
        let total = (20 + payload.len() as u16).to_be_bytes();
        let header = [0x45, 0, total[0], total[1], 0, 1, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 10, 10, 0, 0, 20];
        [LINK, &[8, 0], &header, payload].concat()
    }

    fn tcp(payload: &[u8]) -> Vec<u8> {
        [&[0xc0, 0, 0, 21, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0x20, 0, 0, 0, 0, 0], payload].concat()
    }

    fn cut(data: &[u8], keep: usize) -> Option<Vec<u8>> {
        let packet = Packet {
            time_ns: 0,
            link_type: 1,
            original_length: data.len() as u32,
            data,
            interface: 0,
            fcs_octets: None,
        };
        shortened(&packet, keep)
    }

    #[test]
    fn a_password_and_its_length_are_gone() {
        for (keep, rest) in [(0, &b""[..]), (5, b"PASS ")] {
            let octets = cut(&ipv4(6, &tcp(b"PASS hunter2\r\n")), keep).unwrap();
            let link = link::ethernet(&octets).unwrap();
            let packet = ip::ipv4(link.payload).unwrap();
            assert_eq!(packet.wire_length, 20 + keep);
            assert_eq!(ip::tcp(&packet).unwrap().payload, rest);
            assert_eq!(checksum(&octets[14..34]), [0, 0], "the header's checksum is right");
        }
    }

    #[test]
    fn what_is_kept_of_other_packets() {
        let udp = [0xc0, 0, 0, 161, 0, 14, 0, 0, b's', b'e', b'c', b'r', b'e', b't'];
        let frame = |ethertype: [u8; 2], payload: &[u8]| [LINK, &ethertype, payload].concat();
        let cases: [(Vec<u8>, Option<usize>); 8] = [
            (ipv4(17, &udp), Some(14 + 20 + 8)),
            (ipv4(47, &udp), Some(14 + 20)),
            (frame([0x88, 0x64], b"\x11\x00\x00\x01\x00\x10\xc0\x23password"), Some(14)),
            (frame([0x88, 0xcc], b"\x02\x07\x04switch"), None),
            (frame([0x88, 0x8e], b"\x01\x00\x00\x0a\x02\x07\x00\x0a\x06secret"), Some(14)),
            (frame([0x89, 0x2f], b"\x00\x30\x00\x01\x08\x00not a header"), Some(14)),
            (ipv4(6, &tcp(b"")), None),
            (frame([8, 0], b"no header"), Some(14)),
        ];
        for (data, kept) in cases {
            assert_eq!(cut(&data, 0).map(|octets| octets.len()), kept, "{data:02x?}");
        }
        let octets = cut(&ipv4(17, &udp), 0).unwrap();
        assert_eq!(octets[14 + 20 + 4..14 + 20 + 6], [0, 8]);
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(data in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), keep in 0..64_usize) {
            if let Some(octets) = cut(&data, keep) {
                proptest::prop_assert!(octets.len() <= data.len());
            }
        }
    }
}
