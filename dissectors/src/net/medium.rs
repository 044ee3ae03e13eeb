//! Link layers other than Ethernet: loopback, raw IP, Linux cooked, PPP and its kin, FDDI, netfilter logs, ARCnet, MS/TP.

use super::link::{self, Link, Station, ethertype, llc, mac_at, short, tagged};
use super::{BadHeader, u16_at, wireless};

/// LINKTYPE_ number of Ethernet.
pub const ETHERNET: u16 = 1;

type Parsed<'a> = Result<Link<'a>, BadHeader>;

/// Reads a packet of a link type other than Ethernet; none where its number is not known.
pub fn parse(link_type: u16, packet: &[u8]) -> Option<Parsed<'_>> {
    Some(match link_type {
        0 | 108 => loopback(packet),
        7 => arcnet(packet, 2),
        9 | 50 => ppp(packet),
        10 => fddi(packet),
        12 | 14 | 101 | 228 | 229 => raw_ip(packet),
        100 => Ok(llc(link::bare(0, packet))),
        104 => cisco_hdlc(packet),
        113 => cooked(packet),
        129 => arcnet(packet, 4),
        165 => mstp(packet),
        239 => netfilter_log(packet),
        276 => cooked2(packet),
        _ => return wireless::parse(link_type, packet),
    })
}

fn raw_ip(packet: &[u8]) -> Parsed<'_> {
    match packet.first().map(|octet| octet >> 4) {
        Some(4) => Ok(link::bare(ethertype::IPV4, packet)),
        Some(6) => Ok(link::bare(ethertype::IPV6, packet)),
        _ => Err(BadHeader { layer: "ip", offset: 0, expected: "version 4 or 6" }),
    }
}

/// BSD loopback: an address family in the byte order of whoever captured; the IP version settles it.
fn loopback(packet: &[u8]) -> Parsed<'_> {
    raw_ip(packet.get(4..).ok_or_else(|| short("loopback", packet))?)
}

fn cooked(packet: &[u8]) -> Parsed<'_> {
    let (Some(length), Some(protocol), Some(payload)) = (u16_at(packet, 4), u16_at(packet, 14), packet.get(16..))
    else {
        return Err(short("sll", packet));
    };
    let source = mac_at(packet, 6).filter(|_| length == 6).map(Station::Mac);
    cooked_payload(Link { source, destination: receiver(packet[1]), ..link::bare(protocol, payload) })
}

fn cooked2(packet: &[u8]) -> Parsed<'_> {
    let (Some(protocol), Some(&length), Some(payload)) = (u16_at(packet, 0), packet.get(11), packet.get(20..)) else {
        return Err(short("sll2", packet));
    };
    let source = mac_at(packet, 12).filter(|_| length == 6).map(Station::Mac);
    cooked_payload(Link { source, destination: receiver(packet[10]), ..link::bare(protocol, payload) })
}

/// The receiver, where the type of a packet tells it: 1 is a broadcast (LINKTYPE_LINUX_SLL).
fn receiver(kind: u8) -> Option<Station> {
    (kind == 1).then_some(Station::Mac([0xff; 6]))
}

/// 4 is 802.2 LLC here (LINKTYPE_LINUX_SLL).
fn cooked_payload(link: Link<'_>) -> Parsed<'_> {
    if link.ethertype == 4 { Ok(llc(link)) } else { typed(link) }
}

/// A payload behind an EtherType; what is below 0x0600 is neither that nor a length, and not looked into.
fn typed(link: Link<'_>) -> Parsed<'_> {
    if link.ethertype < ethertype::LEAST { Ok(Link { ethertype: 0, ..link }) } else { tagged(link) }
}

/// PPP, with or without address and control octets of HDLC-like framing (RFC 1662, 3.1).
pub fn ppp(packet: &[u8]) -> Parsed<'_> {
    let packet = packet.strip_prefix(&[0xff, 0x03]).unwrap_or(packet);
    // A protocol number ends with the first odd octet (RFC 1661, 2 and 6.5).
    let (protocol, payload) = match *packet {
        [low, ref rest @ ..] if low & 1 == 1 => (u16::from(low), rest),
        [high, low, ref rest @ ..] => (u16::from_be_bytes([high, low]), rest),
        _ => return Err(short("ppp", packet)),
    };
    let ethertype = match protocol {
        0x0021 => ethertype::IPV4,
        0x0057 => ethertype::IPV6,
        0x0281 => ethertype::MPLS,
        0x0283 => ethertype::MPLS_UPSTREAM,
        _ => 0,
    };
    Ok(link::bare(ethertype, payload))
}

/// Cisco HDLC: `address | control | EtherType` (RFC 1547, 4.3.1). PPP begins with 0xff in its place.
fn cisco_hdlc(packet: &[u8]) -> Parsed<'_> {
    match (u16_at(packet, 2), packet.get(4..)) {
        (Some(protocol), Some(payload)) => typed(link::bare(protocol, payload)),
        _ => Err(short("c-hdlc", packet)),
    }
}

/// FDDI: `frame control | destination | source`, then 802.2 LLC in asynchronous LLC frames.
fn fddi(packet: &[u8]) -> Parsed<'_> {
    let (Some(control), Some(destination), Some(source), Some(payload)) =
        (packet.first(), mac_at(packet, 1), mac_at(packet, 7), packet.get(13..))
    else {
        return Err(short("fddi", packet));
    };
    let link = Link {
        source: Some(Station::Mac(source)),
        destination: Some(Station::Mac(destination)),
        ..link::bare(0, payload)
    };
    Ok(if control & 0xf0 == 0x50 { llc(link) } else { link })
}

/// Netfilter log: `family | version | resource`, then attributes in the byte order of the host that captured.
fn netfilter_log(packet: &[u8]) -> Parsed<'_> {
    let payload =
        [u16::from_le_bytes, u16::from_be_bytes].into_iter().find_map(|order| netfilter_payload(packet, order));
    raw_ip(payload.ok_or_else(|| short("nflog", packet))?)
}

/// The attribute that holds the packet. Attributes are `length | type | value`, padded to whole words.
fn netfilter_payload(packet: &[u8], order: fn([u8; 2]) -> u16) -> Option<&[u8]> {
    const PAYLOAD: u16 = 9;
    let mut at = 4;
    loop {
        let &[first, second, third, fourth] = packet.get(at..)?.first_chunk::<4>()?;
        let (length, kind) = (usize::from(order([first, second])), order([third, fourth]));
        let end = packet.len().min(at + length);
        if kind == PAYLOAD {
            return packet.get(at + 4..end);
        }
        at += Some(length.next_multiple_of(4)).filter(|length| *length >= 4)?;
    }
}

/// ARCnet (LINKTYPE_ARCNET_BSD, LINKTYPE_ARCNET_LINUX): `source | destination | [offset, Linux only] | system code`.
///
/// Files of one layout under the number of the other exist: BACnet, which says its name twice, is found in either.
fn arcnet(packet: &[u8], code_at: usize) -> Parsed<'_> {
    let (Some(&[source, destination]), Some(&code)) = (packet.first_chunk::<2>(), packet.get(code_at)) else {
        return Err(short("arcnet", packet));
    };
    let ends = Link {
        source: Some(Station::Arcnet(source)),
        destination: Some(Station::Arcnet(destination)),
        ..link::bare(0, &[])
    };
    for at in [code_at, 6 - code_at] {
        // System code of BACnet, then LLC (ASHRAE 135, 8.1).
        if let Some([0xcd, 0x82, 0x82, 0x03, npdu @ ..]) = packet.get(at..) {
            return Ok(Link { ethertype: ethertype::BACNET, payload: npdu, ..ends });
        }
    }
    let rest = &packet[code_at + 1..];
    let (ethertype, header) = match code {
        // RFC 1051 has no fragment header, RFC 1201 three octets of it: the first says split or not.
        240 => (ethertype::IPV4, 0),
        241 => (ethertype::ARP, 0),
        212 if rest.first() == Some(&0) => (ethertype::IPV4, 3),
        213 if rest.first() == Some(&0) => (ethertype::ARP, 3),
        196 if rest.first() == Some(&0) => (ethertype::IPV6, 3),
        _ => (0, 0),
    };
    Ok(Link { ethertype, payload: rest.get(header..).unwrap_or(&[]), ..ends })
}

/// MS/TP frame (ASHRAE 135, 9.3): `preamble | type | destination | source | length | header CRC | data | data CRC`.
fn mstp(packet: &[u8]) -> Parsed<'_> {
    const HEADER: usize = 8;
    /// Asks whether a station is there (9.3.2); mostly none is, so that nothing is said of its receiver.
    const POLL_FOR_MASTER: u8 = 1;
    /// BACnet Data Expecting Reply, and the one that expects none (9.3.6, 9.3.7).
    const BACNET_DATA: [u8; 2] = [5, 6];
    let (Some(&[0x55, 0xff, kind, destination, source, high, low, _]), Some(rest)) =
        (packet.first_chunk::<HEADER>(), packet.get(HEADER..))
    else {
        return Err(BadHeader { layer: "mstp", offset: 0, expected: "a preamble 55 ff and 6 octets of header" });
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let ends = Link {
        source: Some(Station::Mstp(source)),
        destination: Some(Station::Mstp(destination)).filter(|_| kind != POLL_FOR_MASTER),
        ..link::bare(0, &[])
    };
    if !BACNET_DATA.contains(&kind) {
        return Ok(ends);
    }
    let npdu = &rest[..rest.len().min(length)];
    Ok(Link { ethertype: ethertype::BACNET, payload: npdu, missing: length - npdu.len(), ..ends })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: [u8; 6] = [0x00, 0x50, 0x56, 0, 0, 0x10];

    #[test]
    fn what_each_link_type_carries() {
        let ip = [0x45, 0];
        let cases: &[(u16, Vec<u8>, u16, &[u8])] = &[
            (0, [&[2, 0, 0, 0][..], &ip].concat(), ethertype::IPV4, &ip),
            (9, [&[0xff, 3, 0, 0x21][..], &ip].concat(), ethertype::IPV4, &ip),
            (9, [&[0x21][..], &ip].concat(), ethertype::IPV4, &ip),
            (9, vec![0xc0, 0x21, 1, 1], 0, &[1, 1]),
            (10, [&[0x50][..], &MAC, &MAC, &[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &ip].concat(), ethertype::IPV4, &ip),
            (101, ip.to_vec(), ethertype::IPV4, &ip),
            (100, [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0][..], &ip].concat(), ethertype::IPV4, &ip),
            (104, [&[0x0f, 0, 8, 0][..], &ip].concat(), ethertype::IPV4, &ip),
            (113, [&[0, 0, 0, 1, 0, 6][..], &MAC, &[0, 0, 8, 0], &ip].concat(), ethertype::IPV4, &ip),
            (239, [&[2, 0, 0, 0, 5, 0, 10, 0, b'x', 0, 0, 0, 6, 0, 9, 0][..], &ip].concat(), ethertype::IPV4, &ip),
            (276, [&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6][..], &MAC, &[0, 0], &ip].concat(), ethertype::IPV4, &ip),
            (7, vec![1, 2, 0xcd, 0x82, 0x82, 3, 1, 0], ethertype::BACNET, &[1, 0]),
            (7, vec![1, 2, 0xe8, 0, 0xcd, 0x82, 0x82, 3, 1, 0], ethertype::BACNET, &[1, 0]),
            (129, vec![1, 2, 0xe8, 0, 0xcd, 0x82, 0x82, 3, 1, 0], ethertype::BACNET, &[1, 0]),
            (7, [&[1, 2, 212, 0, 0, 9][..], &ip].concat(), ethertype::IPV4, &ip),
            (165, vec![0x55, 0xff, 5, 12, 0, 0, 2, 0, 1, 4, 0xcc, 0xcc], ethertype::BACNET, &[1, 4]),
            (165, vec![0x55, 0xff, 0, 0, 27, 0, 0, 6], 0, &[]),
        ];
        for (link_type, packet, ethertype, payload) in cases {
            let link = parse(*link_type, packet).unwrap().unwrap();
            assert_eq!((link.ethertype, link.payload), (*ethertype, *payload), "link type {link_type}");
        }
        assert_eq!(parse(195, &ip), None, "IEEE 802.15.4");
    }

    #[test]
    fn stations_are_named_by_their_medium() {
        let ends = |link_type, packet: &[u8]| {
            let link = parse(link_type, packet).unwrap().unwrap();
            [link.source, link.destination].map(|end| end.map(|station| station.to_string()).unwrap_or_default())
        };
        assert_eq!(ends(165, &[0x55, 0xff, 5, 255, 12, 0, 0, 0]), ["mstp:12", "mstp:255"]);
        assert_eq!(ends(165, &[0x55, 0xff, 1, 13, 12, 0, 0, 0]), ["mstp:12", ""]);
        assert_eq!(ends(7, &[61, 0, 128]), ["arcnet:61", "arcnet:0"]);
        let sll2 = [&[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6][..], &MAC, &[0, 0, 0x45]].concat();
        assert_eq!(ends(276, &sll2), ["00:50:56:00:00:10", ""]);
        let to_all = [&sll2[..10], &[1], &sll2[11..]].concat();
        assert_eq!(ends(276, &to_all), ["00:50:56:00:00:10", "ff:ff:ff:ff:ff:ff"]);
        let sll = |kind| [&[0, kind, 0, 1, 0, 6][..], &MAC, &[0, 0, 8, 6]].concat();
        assert_eq!(ends(113, &sll(1)), ["00:50:56:00:00:10", "ff:ff:ff:ff:ff:ff"]);
        assert_eq!(ends(113, &sll(4)), ["00:50:56:00:00:10", ""]);
    }

    #[test]
    fn every_truncation_is_an_error_or_a_shorter_payload() {
        let packet: Vec<u8> = (0..64).map(|octet| octet * 4 + 1).chain([0x55, 0xff, 5, 1, 2, 0, 9]).collect();
        for link_type in 0..300 {
            for start in 0..packet.len() {
                for end in start..packet.len() {
                    let _ = parse(link_type, &packet[start..end]);
                }
            }
        }
    }
}
