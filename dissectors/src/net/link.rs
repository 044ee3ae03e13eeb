//! Ethernet with stacked tags and 802.2 LLC/SNAP; every other link layer is in `medium`.

use std::fmt;

use super::{BadHeader, medium, u16_at};

/// A MAC address.
pub type Mac = [u8; 6];

/// A sender or receiver of the link layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Station {
    /// Of Ethernet and its kin.
    Mac(Mac),
    /// Node of an ARCnet.
    Arcnet(u8),
    /// Station of a BACnet MS/TP bus.
    Mstp(u8),
    /// Station of a serial line or another bus.
    Bus(BusStation),
}

/// What a line or bus is, as far as its frames tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Bus {
    /// A serial line with Modbus RTU: servers have numbers, their client has none.
    ModbusRtu = 1,
    /// A serial line with DNP3.
    Dnp3 = 2,
    /// PROFIBUS.
    Profibus = 3,
}

/// A station of a line or bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BusStation {
    /// What it is on.
    pub bus: Bus,
    /// Which of them: the capture's interface.
    pub line: u16,
    /// Its number.
    pub number: u16,
}

impl BusStation {
    /// Stands for the client of a Modbus line, which has no number.
    pub const CLIENT: u16 = u16::MAX;

    /// As the number that a flow's key has.
    pub const fn key(self) -> u64 {
        (self.bus as u64) << 32 | (self.line as u64) << 16 | self.number as u64
    }

    /// True for the key of a client of a Modbus line.
    pub const fn is_client(key: u64) -> bool {
        key >> 32 == Bus::ModbusRtu as u64 && key & 0xffff == Self::CLIENT as u64
    }
}

impl fmt::Display for BusStation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.bus {
            Bus::ModbusRtu => "rtu:",
            Bus::Dnp3 => "dnp3:",
            Bus::Profibus => "profibus:",
        })?;
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        match (self.bus, self.number) {
            (Bus::ModbusRtu, Self::CLIENT) => f.write_str("client"),
            (_, number) => write!(f, "{number}"),
        }
    }
}

impl Station {
    /// The MAC address, where it has one.
    #[inline]
    pub const fn mac(self) -> Option<Mac> {
        match self {
            Station::Mac(mac) => Some(mac),
            Station::Arcnet(_) | Station::Mstp(_) | Station::Bus(_) => None,
        }
    }
}

impl fmt::Display for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Station::Mac([a, b, c, d, e, g]) => write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"),
            Station::Arcnet(node) => write!(f, "arcnet:{node}"),
            Station::Mstp(station) => write!(f, "mstp:{station}"),
            Station::Bus(station) => station.fmt(f),
        }
    }
}

/// EtherTypes that the engine looks into, and below 0x0600 the service access point of 802.2 LLC.
pub mod ethertype {
    /// Service access point of BACnet (ASHRAE 135, 7.1): the payload is an NPDU.
    pub const BACNET: u16 = 0x0082;
    /// Service access point of the spanning tree (IEEE 802.1D-2004, 7.12.3).
    pub const SPANNING_TREE: u16 = 0x0042;
    /// That of SNAP, where what is behind it has no EtherType.
    pub const SNAP: u16 = 0x00aa;
    /// The least number that is an EtherType; in Ethernet the field below it is a length (IEEE 802.3, 3.2.6).
    pub const LEAST: u16 = 0x0600;
    /// IPv4.
    pub const IPV4: u16 = 0x0800;
    /// ARP.
    pub const ARP: u16 = 0x0806;
    /// Ethernet over GRE (RFC 7637 and others).
    pub const BRIDGED: u16 = 0x6558;
    /// CDP, VTP and DTP: numbers of Cisco, which have the place of an EtherType behind SNAP with Cisco's OUI.
    pub const CDP: u16 = 0x2000;
    /// VLAN trunking protocol.
    pub const VTP: u16 = 0x2003;
    /// Dynamic trunking protocol.
    pub const DTP: u16 = 0x2004;
    /// 802.1Q customer tag.
    pub const VLAN: u16 = 0x8100;
    /// IPv6.
    pub const IPV6: u16 = 0x86dd;
    /// MPLS.
    pub const MPLS: u16 = 0x8847;
    /// MPLS with labels that the receiver gave out (RFC 5332).
    pub const MPLS_UPSTREAM: u16 = 0x8848;
    /// PPPoE session.
    pub const PPPOE: u16 = 0x8864;
    /// 802.1X.
    pub const EAPOL: u16 = 0x888e;
    /// PROFINET.
    pub const PROFINET: u16 = 0x8892;
    /// Slow protocols (IEEE 802.3, annex 57A), of which one is LACP.
    pub const SLOW: u16 = 0x8809;
    /// LLDP.
    pub const LLDP: u16 = 0x88cc;
    /// MRP.
    pub const MRP: u16 = 0x88e3;
    /// PTP.
    pub const PTP: u16 = 0x88f7;
    /// Supervision frames of PRP and HSR.
    pub const PRP: u16 = 0x88fb;
    /// The tag of HSR.
    pub const HSR: u16 = 0x892f;
    /// PPP over GRE (RFC 2637 has it as protocol type).
    pub const PPP: u16 = 0x880b;
    /// 802.1ad service tag.
    pub const SERVICE_VLAN: u16 = 0x88a8;
    /// 802.1ah instance tag.
    pub const BACKBONE: u16 = 0x88e7;
    /// Service tag before 802.1ad was agreed.
    pub const OLD_SERVICE_VLAN: u16 = 0x9100;
}

/// What the link layer says, and what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// Sender, where the link layer names one.
    pub source: Option<Station>,
    /// Receiver, where the link layer names one.
    pub destination: Option<Station>,
    /// Innermost VLAN identifier.
    pub vlan: Option<u16>,
    /// EtherType of the payload; below 0x0600 the DSAP of 802.2 LLC, 0 where there is neither.
    pub ethertype: u16,
    /// The payload, padding included.
    pub payload: &'a [u8],
    /// Octets of the payload on the wire beyond those, as far as the link layer itself says so.
    pub missing: usize,
}

/// Reads a packet's link layer; none where its LINKTYPE_ number (tcpdump.org registry) is not known.
///
/// # Errors
/// [`BadHeader`] where the header is cut or cannot be true.
#[inline]
pub fn parse(link_type: u16, packet: &[u8]) -> Option<Result<Link<'_>, BadHeader>> {
    if link_type == medium::ETHERNET { Some(ethernet(packet)) } else { medium::parse(link_type, packet) }
}

pub(super) fn short(layer: &'static str, packet: &[u8]) -> BadHeader {
    BadHeader { layer, offset: u32::try_from(packet.len()).unwrap_or(u32::MAX), expected: "a whole link header" }
}

pub(super) fn mac_at(packet: &[u8], offset: usize) -> Option<Mac> {
    packet.get(offset..offset + 6)?.try_into().ok()
}

/// Reads an Ethernet frame, wherever it was found.
///
/// # Errors
/// [`BadHeader`] where the header is cut.
#[inline]
pub fn ethernet(packet: &[u8]) -> Result<Link<'_>, BadHeader> {
    let (Some(destination), Some(source), Some(ethertype)) = (mac_at(packet, 0), mac_at(packet, 6), u16_at(packet, 12))
    else {
        return Err(short("ethernet", packet));
    };
    let link = Link {
        source: Some(Station::Mac(source)),
        destination: Some(Station::Mac(destination)),
        ..bare(ethertype, &packet[14..])
    };
    // By far the most frequent case has neither tag nor length.
    if ethertype == ethertype::IPV4 { Ok(link) } else { tagged(link) }
}

/// A payload without sender and receiver.
#[inline]
pub fn bare(ethertype: u16, payload: &[u8]) -> Link<'_> {
    Link { source: None, destination: None, vlan: None, ethertype, payload, missing: 0 }
}

/// Walks stacked tags, then 802.2 LLC where the field is a length.
#[inline(never)]
pub(super) fn tagged(mut link: Link<'_>) -> Result<Link<'_>, BadHeader> {
    while matches!(link.ethertype, ethertype::VLAN | ethertype::SERVICE_VLAN | ethertype::OLD_SERVICE_VLAN) {
        let (Some(tag), Some(inner)) = (u16_at(link.payload, 0), u16_at(link.payload, 2)) else {
            return Err(short("vlan", link.payload));
        };
        link.vlan = Some(tag & 0x0fff);
        link.ethertype = inner;
        link.payload = &link.payload[4..];
    }
    if link.ethertype < ethertype::LEAST {
        let length = usize::from(link.ethertype);
        let announced = length.saturating_sub(link.payload.len());
        link.payload = &link.payload[..link.payload.len().min(length)];
        link = Link { missing: announced, ..llc(link) };
    }
    Ok(link)
}

/// 802.2 LLC: `DSAP | SSAP | control`; behind it SNAP, BACnet, or what is not looked into.
pub(super) fn llc(link: Link<'_>) -> Link<'_> {
    const UNNUMBERED: u8 = 0x03;
    match *link.payload {
        // SNAP with the OUI of encapsulated Ethernet (RFC 1042).
        [0xaa, 0xaa, UNNUMBERED, 0, 0, 0, high, low, ref inner @ ..] => {
            Link { ethertype: u16::from_be_bytes([high, low]), payload: inner, ..link }
        }
        // SNAP with Cisco's OUI; numbers that could be a length are left as they are.
        [0xaa, 0xaa, UNNUMBERED, 0, 0, 0x0c, high @ 0x06..=0xff, low, ref inner @ ..] => {
            Link { ethertype: u16::from_be_bytes([high, low]), payload: inner, ..link }
        }
        [0x82, 0x82, UNNUMBERED, ref npdu @ ..] => Link { ethertype: ethertype::BACNET, payload: npdu, ..link },
        [dsap, ..] => Link { ethertype: u16::from(dsap), ..link },
        [] => Link { ethertype: 0, ..link },
    }
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
        let link = ethernet(&packet).unwrap();
        assert_eq!((link.vlan, link.ethertype, link.payload), (Some(30), ethertype::IPV4, &[0x45][..]));
        let ends = (link.source.and_then(Station::mac), link.destination.and_then(Station::mac));
        assert_eq!(ends, (Some(SOURCE), Some(DESTINATION)));
    }

    #[test]
    fn the_length_of_an_llc_frame_drops_padding_and_tells_what_is_missing() {
        // Length and LLC, then what is carried: its type, its octets, and how many more were announced.
        let cases: [(&[u8], u16, &[u8], usize); 7] = [
            (&[0, 9, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0, 0x45, 0xff, 0xff], ethertype::IPV4, &[0x45], 0),
            (&[0, 5, 0x82, 0x82, 3, 1, 0, 0xff, 0xff], ethertype::BACNET, &[1, 0], 0),
            (&[0, 9, 0x82, 0x82, 3, 1, 0], ethertype::BACNET, &[1, 0], 4),
            (&[0, 3, 0x42, 0x42, 3, 0xff], 0x42, &[0x42, 0x42, 3], 0),
            (&[0, 0, 0xff], 0, &[], 0),
            (&[0, 9, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, 2], ethertype::CDP, &[2], 0),
            (&[0, 8, 0xaa, 0xaa, 3, 0, 0, 0x0c, 1, 11], 0xaa, &[0xaa, 0xaa, 3, 0, 0, 0x0c, 1, 11], 0),
        ];
        for (rest, ethertype, payload, missing) in cases {
            let packet = frame(rest);
            let link = ethernet(&packet).unwrap();
            assert_eq!((link.ethertype, link.payload, link.missing), (ethertype, payload, missing), "{rest:02x?}");
        }
    }

    #[test]
    fn every_truncation_is_an_error_or_a_shorter_payload() {
        let packet = frame(&[0x81, 0, 0, 20, 0, 9, 0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0, 0x45]);
        for length in 0..packet.len() {
            let _ = ethernet(&packet[..length]);
        }
    }
}
