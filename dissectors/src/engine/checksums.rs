//! Whether the checksums of packets are right: of a sample, for where a card is to fill them in they are nearly all wrong.

use crate::capture::Packet;
use crate::net::ip::number;
use crate::net::link::{self, ethertype};

/// The first packets of a capture are all looked at, later ones each so often. A prime, or the rhythm of polling would
/// choose requests alone.
const FIRST: u64 = 256;
const EACH: u64 = 61;
const IPV4: usize = 20;
const IPV6: usize = 40;
const ICMPV6: u8 = 58;
/// More fragments, and where this one belongs.
const FRAGMENT: u16 = 0x3fff;

/// Whether this packet of a capture (from one) is in the sample.
#[inline]
pub(super) fn is_sampled(frame: u64) -> bool {
    frame <= FIRST || frame % EACH == 0
}

/// Whether the checksums of IP, and of TCP or UDP in it, are right; none where the packet is cut or has none.
pub(super) fn are_right(packet: &Packet<'_>) -> Option<bool> {
    if packet.data.len() < packet.original_length as usize {
        return None;
    }
    let link = link::parse(packet.link_type, packet.data)?.ok()?;
    match link.ethertype {
        ethertype::IPV4 => ipv4(link.payload),
        ethertype::IPV6 => ipv6(link.payload),
        _ => None,
    }
}

fn ipv4(packet: &[u8]) -> Option<bool> {
    let head = packet.first_chunk::<IPV4>()?;
    let (header, total) = (usize::from(head[0] & 0x0f) * 4, usize::from(u16::from_be_bytes([head[2], head[3]])));
    if header < IPV4 || sum(packet.get(..header)?) != 0xffff {
        return Some(false);
    }
    if u16::from_be_bytes([head[6], head[7]]) & FRAGMENT != 0 {
        return Some(true);
    }
    let (addresses, segment) = (head.get(12..)?, packet.get(header..total)?);
    Some(carried(addresses, head[9], segment).unwrap_or(true))
}

fn ipv6(packet: &[u8]) -> Option<bool> {
    let head = packet.first_chunk::<IPV6>()?;
    let length = usize::from(u16::from_be_bytes([head[4], head[5]]));
    carried(head.get(8..)?, head[6], packet.get(IPV6..IPV6.checked_add(length)?)?)
}

/// The checksum over addresses, protocol, length and segment (RFC 9293, 3.1; RFC 768; RFC 8200, 8.1).
fn carried(addresses: &[u8], protocol: u8, segment: &[u8]) -> Option<bool> {
    let udp_without = protocol == number::UDP && segment.get(6..8) == Some(&[0, 0]);
    if udp_without || !matches!(protocol, number::TCP | number::UDP | ICMPV6) || segment.len() < 8 {
        return None;
    }
    let length = u16::try_from(segment.len()).ok()?;
    let all = u64::from(sum(addresses)) + u64::from(protocol) + u64::from(length) + u64::from(sum(segment));
    Some(folded(all) == 0xffff)
}

/// The sum of RFC 1071, not inverted.
fn sum(octets: &[u8]) -> u16 {
    let words = octets.chunks_exact(2);
    let last = words.remainder().first().map_or(0, |octet| u64::from(*octet) << 8);
    folded(words.map(|word| u64::from(u16::from_be_bytes([word[0], word[1]]))).sum::<u64>() + last)
}

fn folded(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::net::medium;

    /// An IPv4 packet of UDP, from 192.0.2.1 to 192.0.2.2, with right checksums.
    const RIGHT: &[u8] = &[
        0x45, 0, 0, 30, 0, 1, 0x40, 0, // version and header, length, identification, do not fragment
        64, 17, 0xb6, 0xca, // time to live, UDP, checksum
        192, 0, 2, 1, 192, 0, 2, 2, // from, to
        0x10, 0, 0x20, 0, 0, 10, 0x4a, 0xd4, // ports, length, checksum
        1, 2,
    ];

    fn look(change: impl Fn(&mut Vec<u8>)) -> Option<bool> {
        let mut data = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0], RIGHT].concat();
        change(&mut data);
        let original_length = data.len() as u32;
        let packet = Packet {
            time_ns: 0,
            link_type: medium::ETHERNET,
            original_length,
            data: &data,
            interface: 0,
            fcs_octets: None,
        };
        are_right(&packet)
    }

    #[test]
    fn a_changed_octet_is_noticed_where_a_checksum_covers_it() {
        assert_eq!(look(|_| {}), Some(true));
        for at in 14..14 + RIGHT.len() {
            assert_ne!(look(|data| data[at] ^= 0x40), Some(true), "octet {at}");
        }
        assert_eq!(look(|data| data.extend([9, 9, 9])), Some(true), "padding is no part of it");
    }

    #[test]
    fn what_has_no_checksum_is_not_judged() {
        assert_eq!(look(|data| data[40..42].fill(0)), Some(true), "UDP without one: the header's alone");
        assert_eq!(look(|data| data[12..14].copy_from_slice(&[0x88, 0xcc])), None, "LLDP");
        assert_eq!(look(|data| data.truncate(20)), None, "cut");
    }

    #[test]
    fn the_first_packets_and_then_a_few_are_looked_at() {
        assert!((1..=FIRST).all(is_sampled));
        let later = (FIRST + 1..=FIRST + 61_000).filter(|frame| is_sampled(*frame)).collect::<Vec<_>>();
        assert_eq!(later.len(), 1_000);
        assert_eq!(later.iter().filter(|frame| *frame % 2 == 0).count(), 500, "requests and answers alike");
    }

    proptest! {
        #[test]
        fn any_octets_are_looked_at(data: Vec<u8>, original_length: u32, link_type in 0u16..300) {
            are_right(&Packet { time_ns: 0, link_type, original_length, data: &data, interface: 0, fcs_octets: None });
        }
    }
}
