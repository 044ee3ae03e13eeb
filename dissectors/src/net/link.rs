//! Link layers: Ethernet with stacked tags, LLC/SNAP, loopback, raw IP, Linux cooked captures.

use super::{BadHeader, u16_at, u32_at};

/// A MAC address.
pub type Mac = [u8; 6];

/// EtherTypes that the engine looks into.
pub mod ethertype {
    /// IPv4.
    pub const IPV4: u16 = 0x0800;
    /// ARP.
    pub const ARP: u16 = 0x0806;
    /// IPv6.
    pub const IPV6: u16 = 0x86dd;
    /// 802.1Q customer tag.
    pub const VLAN: u16 = 0x8100;
    /// 802.1ad service tag.
    pub const SERVICE_VLAN: u16 = 0x88a8;
    /// Service tag before 802.1ad was agreed.
    pub const OLD_SERVICE_VLAN: u16 = 0x9100;
}

/// LINKTYPE_ numbers (tcpdump.org registry).
mod link_type {
    pub const NULL: u16 = 0;
    pub const ETHERNET: u16 = 1;
    pub const RAW_BSD: u16 = 12;
    pub const RAW_OPENBSD: u16 = 14;
    pub const RAW: u16 = 101;
    pub const LOOP: u16 = 108;
    pub const LINUX_SLL: u16 = 113;
    pub const IPV4: u16 = 228;
    pub const IPV6: u16 = 229;
    pub const LINUX_SLL2: u16 = 276;
}

/// What the link layer says, and what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// Sender, where the link layer names one.
    pub source: Option<Mac>,
    /// Receiver, where the link layer names one.
    pub destination: Option<Mac>,
    /// Innermost VLAN identifier.
    pub vlan: Option<u16>,
    /// EtherType of the payload; for LLC without SNAP the DSAP and SSAP (below 0x0600 no EtherType is meant).
    pub ethertype: u16,
    /// The payload, padding included.
    pub payload: &'a [u8],
}

/// Reads a packet's link layer.
///
/// # Errors
/// [`BadHeader`] where the link type is not known or its header is cut.
#[inline]
pub fn parse(link_type: u16, packet: &[u8]) -> Result<Link<'_>, BadHeader> {
    match link_type {
        link_type::ETHERNET => ethernet(packet),
        link_type::NULL | link_type::LOOP => loopback(packet),
        link_type::RAW | link_type::RAW_BSD | link_type::RAW_OPENBSD | link_type::IPV4 | link_type::IPV6 => {
            raw_ip(packet)
        }
        link_type::LINUX_SLL => cooked(packet),
        link_type::LINUX_SLL2 => cooked2(packet),
        _ => Err(BadHeader { layer: "link", offset: 0, expected: "a link type that is decoded" }),
    }
}

fn short(layer: &'static str, packet: &[u8]) -> BadHeader {
    BadHeader { layer, offset: u32::try_from(packet.len()).unwrap_or(u32::MAX), expected: "a whole link header" }
}

fn mac_at(packet: &[u8], offset: usize) -> Option<Mac> {
    packet.get(offset..offset + 6)?.try_into().ok()
}

#[inline]
fn ethernet(packet: &[u8]) -> Result<Link<'_>, BadHeader> {
    let (Some(destination), Some(source), Some(ethertype)) = (mac_at(packet, 0), mac_at(packet, 6), u16_at(packet, 12))
    else {
        return Err(short("ethernet", packet));
    };
    let link =
        Link { source: Some(source), destination: Some(destination), vlan: None, ethertype, payload: &packet[14..] };
    tagged(link)
}

/// Walks stacked tags, then LLC/SNAP where the field is a length (IEEE 802.3, 3.2.6).
fn tagged(mut link: Link<'_>) -> Result<Link<'_>, BadHeader> {
    while matches!(link.ethertype, ethertype::VLAN | ethertype::SERVICE_VLAN | ethertype::OLD_SERVICE_VLAN) {
        let (Some(tag), Some(inner)) = (u16_at(link.payload, 0), u16_at(link.payload, 2)) else {
            return Err(short("vlan", link.payload));
        };
        link.vlan = Some(tag & 0x0fff);
        link.ethertype = inner;
        link.payload = &link.payload[4..];
    }
    if link.ethertype < 0x0600 {
        link = llc(link);
    }
    Ok(link)
}

fn llc(mut link: Link<'_>) -> Link<'_> {
    let length = usize::from(link.ethertype);
    link.payload = link.payload.get(..length).unwrap_or(link.payload);
    // SNAP with the encapsulated-Ethernet OUI (RFC 1042).
    if let (Some(0xaaaa), Some([0x03, 0, 0, 0]), Some(inner)) =
        (u16_at(link.payload, 0), link.payload.get(2..6), u16_at(link.payload, 6))
    {
        link.ethertype = inner;
        link.payload = &link.payload[8..];
    } else {
        link.ethertype = 0;
    }
    link
}

fn unaddressed(ethertype: u16, payload: &[u8]) -> Link<'_> {
    Link { source: None, destination: None, vlan: None, ethertype, payload }
}

fn raw_ip(packet: &[u8]) -> Result<Link<'_>, BadHeader> {
    match packet.first().map(|octet| octet >> 4) {
        Some(4) => Ok(unaddressed(ethertype::IPV4, packet)),
        Some(6) => Ok(unaddressed(ethertype::IPV6, packet)),
        _ => Err(BadHeader { layer: "ip", offset: 0, expected: "version 4 or 6" }),
    }
}

/// BSD loopback: an address family in the byte order of whoever captured; the IP version settles it.
fn loopback(packet: &[u8]) -> Result<Link<'_>, BadHeader> {
    raw_ip(packet.get(4..).ok_or_else(|| short("loopback", packet))?)
}

fn cooked(packet: &[u8]) -> Result<Link<'_>, BadHeader> {
    let (Some(length), Some(protocol), Some(payload)) = (u16_at(packet, 4), u16_at(packet, 14), packet.get(16..))
    else {
        return Err(short("sll", packet));
    };
    let source = if length == 6 { mac_at(packet, 6) } else { None };
    tagged(Link { source, destination: None, vlan: None, ethertype: protocol, payload })
}

fn cooked2(packet: &[u8]) -> Result<Link<'_>, BadHeader> {
    let (Some(protocol), Some(_), Some(payload)) = (u16_at(packet, 0), u32_at(packet, 4), packet.get(20..)) else {
        return Err(short("sll2", packet));
    };
    let source = if packet[11] == 6 { mac_at(packet, 12) } else { None };
    tagged(Link { source, destination: None, vlan: None, ethertype: protocol, payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESTINATION: Mac = [0x00, 0x80, 0xf4, 0, 0, 0x20];
    const SOURCE: Mac = [0x00, 0x50, 0x56, 0, 0, 0x10];

    fn frame(rest: &[u8]) -> Vec<u8> {
        [&DESTINATION[..], &SOURCE[..], rest].concat()
    }

    #[test]
    fn three_stacked_tags_give_the_innermost() {
        let packet = frame(&[0x88, 0xa8, 0, 100, 0x81, 0, 0, 20, 0x81, 0, 0x20, 30, 0x08, 0, 0x45]);
        let link = parse(1, &packet).unwrap();
        assert_eq!((link.vlan, link.ethertype, link.payload), (Some(30), ethertype::IPV4, &[0x45][..]));
        assert_eq!((link.source, link.destination), (Some(SOURCE), Some(DESTINATION)));
    }

    #[test]
    fn snap_gives_its_ethertype_and_drops_padding() {
        let packet = frame(&[0, 9, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0, 0x45, 0xff, 0xff]);
        let link = parse(1, &packet).unwrap();
        assert_eq!((link.ethertype, link.payload), (ethertype::IPV4, &[0x45][..]));
    }

    #[test]
    fn cooked_headers() {
        let sll = [&[0, 0, 0, 1, 0, 6][..], &SOURCE, &[0, 0, 0x08, 0, 0x45]].concat();
        assert_eq!(parse(113, &sll).unwrap().source, Some(SOURCE));
        let sll2 = [&[0x08, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6][..], &SOURCE, &[0, 0, 0x45]].concat();
        let link = parse(276, &sll2).unwrap();
        assert_eq!((link.source, link.ethertype, link.payload), (Some(SOURCE), ethertype::IPV4, &[0x45][..]));
    }

    #[test]
    fn every_truncation_is_an_error_or_a_shorter_payload() {
        let packet = frame(&[0x81, 0, 0, 20, 0x08, 0, 0x45]);
        for length in 0..packet.len() {
            for link_type in [0, 1, 12, 101, 108, 113, 228, 229, 276, 999] {
                let _ = parse(link_type, &packet[..length]);
            }
        }
    }
}
