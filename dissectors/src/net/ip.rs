//! IPv4 (RFC 791), IPv6 with extension headers (RFC 8200), ARP (RFC 826), and the headers of TCP and UDP.

use std::fmt;
use std::net::Ipv6Addr;

use super::link::Mac;
use super::{BadHeader, u16_at, u32_at};

/// An IP address; IPv4 addresses are kept as `::ffff:a.b.c.d`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ip(pub u128);

impl Ip {
    /// From four octets.
    #[inline]
    pub fn v4(octets: [u8; 4]) -> Self {
        Ip(0xffff_0000_0000 | u128::from(u32::from_be_bytes(octets)))
    }

    /// From sixteen octets.
    #[inline]
    pub fn v6(octets: [u8; 16]) -> Self {
        Ip(u128::from_be_bytes(octets))
    }
}

impl From<std::net::IpAddr> for Ip {
    fn from(address: std::net::IpAddr) -> Self {
        match address {
            std::net::IpAddr::V4(v4) => Ip::v4(v4.octets()),
            std::net::IpAddr::V6(v6) => Ip::v6(v6.octets()),
        }
    }
}

impl From<Ip> for std::net::IpAddr {
    fn from(ip: Ip) -> Self {
        Ipv6Addr::from(ip.0).to_canonical()
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::net::IpAddr::from(*self) {
            std::net::IpAddr::V4(address) => f.write_str(Dotted::new(address.octets()).as_str()),
            std::net::IpAddr::V6(address) => address.fmt(f),
        }
    }
}

/// An IPv4 address as text. Every flow and name of a capture is told with some, and the general way takes ten times as
/// long.
struct Dotted {
    text: [u8; 15],
    length: usize,
}

impl Dotted {
    fn new(octets: [u8; 4]) -> Self {
        let mut dotted = Dotted { text: [0; 15], length: 0 };
        for (place, octet) in octets.into_iter().enumerate() {
            if place > 0 {
                dotted.push(b'.');
            }
            for (least, digit) in [(100, octet / 100), (10, octet / 10 % 10), (0, octet % 10)] {
                if octet >= least {
                    dotted.push(b'0' + digit);
                }
            }
        }
        dotted
    }

    fn push(&mut self, octet: u8) {
        self.text[self.length] = octet;
        self.length += 1;
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }
}

/// Protocol numbers (IANA).
pub mod number {
    /// ICMP.
    pub const ICMP: u8 = 1;
    /// IGMP.
    pub const IGMP: u8 = 2;
    /// IPv4 in IP.
    pub const IPV4: u8 = 4;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// IPv6 in IP.
    pub const IPV6: u8 = 41;
    /// GRE.
    pub const GRE: u8 = 47;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
    /// EIGRP.
    pub const EIGRP: u8 = 88;
    /// OSPF.
    pub const OSPF: u8 = 89;
    /// Ethernet in IP.
    pub const ETHERIP: u8 = 97;
    /// VRRP, and CARP.
    pub const VRRP: u8 = 112;
    /// The stream control transmission protocol.
    pub const SCTP: u8 = 132;
    /// MPLS in IP.
    pub const MPLS: u8 = 137;
}

/// One IP packet (or fragment of one).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpPacket<'a> {
    /// Sender.
    pub source: Ip,
    /// Receiver.
    pub destination: Ip,
    /// Protocol of the payload, extension headers skipped.
    pub protocol: u8,
    /// Set where this is a fragment of a larger packet.
    pub fragment: Option<Fragment>,
    /// What was captured of the payload; link-layer padding is cut off.
    pub payload: &'a [u8],
    /// Octets of the payload on the wire.
    pub wire_length: usize,
}

/// Where a fragment belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Identification.
    pub id: u32,
    /// Offset of its payload in octets.
    pub offset: usize,
    /// True where more fragments follow.
    pub more: bool,
}

/// Reads an IPv4 header.
///
/// # Errors
/// [`BadHeader`] where version, header length or total length cannot be true.
#[inline]
pub fn ipv4(bytes: &[u8]) -> Result<IpPacket<'_>, BadHeader> {
    let bad = |offset, expected| BadHeader { layer: "ipv4", offset, expected };
    if bytes.len() < 20 {
        return Err(bad(bytes.len() as u32, "20 octets of header"));
    }
    if bytes[0] >> 4 != 4 {
        return Err(bad(0, "version 4"));
    }
    let header_length = usize::from(bytes[0] & 0x0f) * 4;
    if header_length < 20 || header_length > bytes.len() {
        return Err(bad(0, "a header length of 5 words or more that is there"));
    }
    let total = match usize::from(u16::from_be_bytes([bytes[2], bytes[3]])) {
        // Segmentation offload leaves the field empty on the sending host.
        0 => bytes.len(),
        total if total < header_length => return Err(bad(2, "a total length not below the header's")),
        total => total,
    };
    let flags = u16::from_be_bytes([bytes[6], bytes[7]]);
    let (offset, more) = (usize::from(flags & 0x1fff) * 8, flags & 0x2000 != 0);
    let fragment = (offset > 0 || more).then(|| Fragment {
        id: u32::from(u16::from_be_bytes([bytes[4], bytes[5]])),
        offset,
        more,
    });
    Ok(IpPacket {
        source: Ip::v4([bytes[12], bytes[13], bytes[14], bytes[15]]),
        destination: Ip::v4([bytes[16], bytes[17], bytes[18], bytes[19]]),
        protocol: bytes[9],
        fragment,
        payload: &bytes[header_length..bytes.len().min(total)],
        wire_length: total - header_length,
    })
}

/// Reads an IPv6 header and its extension headers.
///
/// # Errors
/// [`BadHeader`] where the version or an extension header cannot be true.
pub fn ipv6(bytes: &[u8]) -> Result<IpPacket<'_>, BadHeader> {
    let bad = |offset: usize, expected| BadHeader { layer: "ipv6", offset: offset as u32, expected };
    if bytes.len() < 40 {
        return Err(bad(bytes.len(), "40 octets of header"));
    }
    if bytes[0] >> 4 != 6 {
        return Err(bad(0, "version 6"));
    }
    let address = |at: usize| <[u8; 16]>::try_from(&bytes[at..at + 16]).map(Ip::v6).unwrap_or_default();
    let end = match usize::from(u16::from_be_bytes([bytes[4], bytes[5]])) {
        // Jumbograms and segmentation offload.
        0 => bytes.len(),
        length => 40 + length,
    };
    let (mut protocol, mut at, mut fragment) = (bytes[6], 40, None);
    // Hop-by-hop, routing, destination, authentication, mobility, HIP, shim6 (IANA, extension header types).
    while matches!(protocol, 0 | 43 | 44 | 51 | 60 | 135 | 139 | 140) {
        let Some(header) = bytes.get(at..at + 8).filter(|_| at + 8 <= end) else {
            return Err(bad(at, "a whole extension header"));
        };
        let length = match protocol {
            44 => 8,
            51 => (usize::from(header[1]) + 2) * 4,
            _ => (usize::from(header[1]) + 1) * 8,
        };
        if protocol == 44 {
            let field = u16::from_be_bytes([header[2], header[3]]);
            let (offset, more) = (usize::from(field & 0xfff8), field & 1 != 0);
            let id = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
            // An atomic fragment (RFC 6946) is a whole packet.
            fragment = (offset > 0 || more).then_some(Fragment { id, offset, more });
        }
        protocol = header[0];
        at += length;
        if fragment.is_some_and(|fragment: Fragment| fragment.offset > 0) {
            break;
        }
    }
    if at > end {
        return Err(bad(at, "extension headers within the payload length"));
    }
    let payload = bytes.get(at..bytes.len().min(end)).unwrap_or(&[]);
    Ok(IpPacket { source: address(8), destination: address(24), protocol, fragment, payload, wire_length: end - at })
}

/// What an ARP message says of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arp {
    /// 1 request, 2 reply.
    pub operation: u16,
    /// MAC of the sender.
    pub sender_mac: Mac,
    /// Address that the sender says is its own.
    pub sender: Ip,
    /// Address asked for or answered to.
    pub target: Ip,
}

/// Reads an ARP message for IPv4 over Ethernet, or over networks of IEEE 802 (hardware type 6); others are none.
pub fn arp(bytes: &[u8]) -> Option<Arp> {
    let ip = |at: usize| Some(Ip::v4(bytes.get(at..at + 4)?.try_into().ok()?));
    let &[0, 1 | 6, 8, 0, 6, 4] = bytes.first_chunk()? else { return None };
    Some(Arp {
        operation: u16_at(bytes, 6)?,
        sender_mac: bytes.get(8..14)?.try_into().ok()?,
        sender: ip(14)?,
        target: ip(24)?,
    })
}

/// A TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Ports of sender and receiver.
    pub ports: [u16; 2],
    /// Sequence number of the first octet (of the SYN, where set).
    pub sequence: u32,
    /// Next octet that the sender awaits; meaningful with the ACK flag.
    pub acknowledgement: u32,
    /// Flags of octet 13.
    pub flags: u8,
    /// Octets captured.
    pub payload: &'a [u8],
    /// Octets on the wire beyond those.
    pub missing: usize,
}

/// TCP flags.
pub mod flag {
    /// No more data from the sender.
    pub const FIN: u8 = 0x01;
    /// Synchronise sequence numbers.
    pub const SYN: u8 = 0x02;
    /// Reset.
    pub const RST: u8 = 0x04;
    /// The acknowledgement field counts.
    pub const ACK: u8 = 0x10;
}

/// Reads a TCP header (RFC 9293, 3.1).
///
/// # Errors
/// [`BadHeader`] where the header is cut or its length cannot be true.
#[inline]
pub fn tcp<'a>(packet: &IpPacket<'a>) -> Result<Segment<'a>, BadHeader> {
    let bytes = packet.payload;
    let bad = |offset, expected| BadHeader { layer: "tcp", offset, expected };
    if bytes.len() < 20 {
        return Err(bad(bytes.len() as u32, "20 octets of header"));
    }
    let header_length = usize::from(bytes[12] >> 4) * 4;
    if header_length < 20 || header_length > packet.wire_length {
        return Err(bad(12, "a data offset of 5 words or more within the packet"));
    }
    let payload = bytes.get(header_length..).unwrap_or(&[]);
    Ok(Segment {
        ports: [u16::from_be_bytes([bytes[0], bytes[1]]), u16::from_be_bytes([bytes[2], bytes[3]])],
        sequence: u32_at(bytes, 4).unwrap_or_default(),
        acknowledgement: u32_at(bytes, 8).unwrap_or_default(),
        flags: bytes[13],
        payload,
        missing: packet.wire_length - header_length - payload.len(),
    })
}

/// A UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Ports of sender and receiver.
    pub ports: [u16; 2],
    /// Octets captured.
    pub payload: &'a [u8],
    /// Octets of the payload on the wire.
    pub wire_length: usize,
}

/// Reads a UDP header (RFC 768).
///
/// # Errors
/// [`BadHeader`] where the header is cut.
#[inline]
pub fn udp<'a>(packet: &IpPacket<'a>) -> Result<Datagram<'a>, BadHeader> {
    let bytes = packet.payload;
    let (Some(source), Some(destination), Some(length)) = (u16_at(bytes, 0), u16_at(bytes, 2), u16_at(bytes, 4)) else {
        return Err(BadHeader { layer: "udp", offset: bytes.len() as u32, expected: "8 octets of header" });
    };
    // A length of 0, or one beyond the packet, is offload or a mistake: the packet's own length counts.
    let available = packet.wire_length.saturating_sub(8);
    let wire_length = usize::from(length).checked_sub(8).filter(|length| *length <= available).unwrap_or(available);
    let payload = bytes.get(8..).unwrap_or(&[]);
    Ok(Datagram { ports: [source, destination], payload: &payload[..payload.len().min(wire_length)], wire_length })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_written_as_the_library_writes_them() {
        let parts = [0, 1, 9, 10, 99, 100, 101, 199, 255];
        for (first, second) in parts.iter().flat_map(|first| parts.map(|second| (*first, second))) {
            let octets = [first, second, second, first];
            assert_eq!(Ip::v4(octets).to_string(), std::net::Ipv4Addr::from(octets).to_string());
        }
        assert_eq!(Ip::v6([1; 16]).to_string(), "101:101:101:101:101:101:101:101");
    }

    const UDP_IN_IPV4: &[u8] = &[
        0x45, 0, 0, 30, // version, header length; total length
        0x10, 1, 0x40, 0, // identification; do not fragment
        64, 17, 0, 0, // time to live, UDP, checksum
        10, 0, 0, 10, 10, 0, 0, 20, // addresses
        0xba, 0xc0, 0xba, 0xc0, 0, 10, 0, 0, // ports, length, checksum
        0x81, 0x0b, // payload
        0, 0, 0, // Ethernet padding
    ];

    #[test]
    fn padding_is_cut_off() {
        let packet = ipv4(UDP_IN_IPV4).unwrap();
        assert_eq!(packet.source.to_string(), "10.0.0.10");
        let datagram = udp(&packet).unwrap();
        assert_eq!((datagram.payload, datagram.wire_length, datagram.ports[1]), (&[0x81, 0x0b][..], 2, 47808));
    }

    #[test]
    fn an_ipv6_hop_by_hop_header_is_skipped() {
        let mut bytes = vec![0x60, 0, 0, 0, 0, 16, 0, 64];
        bytes.extend([0xfd; 32]);
        bytes.extend([17, 0, 1, 4, 0, 0, 0, 0]);
        bytes.extend([0, 53, 0, 53, 0, 8, 0, 0]);
        let packet = ipv6(&bytes).unwrap();
        assert_eq!((packet.protocol, packet.payload.len(), packet.wire_length), (17, 8, 8));
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120), version in prop_oneof![Just(0x45u8), Just(0x60), Just(0x4f)]) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() { *first = version; }
            for packet in [ipv4(&bytes), ipv6(&bytes)].into_iter().flatten() {
                prop_assert!(packet.payload.len() <= packet.wire_length || packet.wire_length == 0 || packet.payload.is_empty());
                let _ = tcp(&packet);
                let _ = udp(&packet);
            }
            let _ = arp(&bytes);
        }
    }
}
