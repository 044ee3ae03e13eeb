//! Tunnels: mirrors to a remote port (ERSPAN), overlays (VXLAN, Geneve, GRE), provider networks (MPLS, PPPoE, 802.1ah)
//! and IP in IP. Each function takes what a layer carries and gives what is inside, where that is another packet.

use super::ip::{Datagram, IpPacket, number};
use super::link::{self, Link, ethertype};
use super::{BadHeader, medium, u16_at, u32_at, wireless};

/// What a tunnel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// An Ethernet frame.
    Frame,
    /// A frame of IEEE 802.11.
    Wireless,
    /// The payload of this EtherType.
    Packet(u16),
}

/// A packet inside another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnel<'a> {
    /// What carries it, as the word for the outer flow's service.
    pub service: &'static str,
    /// What it is.
    pub carried: Carried,
    /// Its octets.
    pub payload: &'a [u8],
    /// VLAN of the mirrored frame, where the mirror took the tag off and says so.
    pub vlan: Option<u16>,
    /// The number by which its ends tell networks apart; 0 where they do not, or where it only carries what a mirror saw.
    pub number: u32,
}

impl<'a> Tunnel<'a> {
    const fn new(service: &'static str, carried: Carried, payload: &'a [u8]) -> Self {
        Tunnel { service, carried, payload, vlan: None, number: 0 }
    }

    const fn numbered(self, number: u32) -> Self {
        Tunnel { number, ..self }
    }

    /// Reads the link layer inside.
    ///
    /// # Errors
    /// [`BadHeader`] as that link layer has it.
    pub fn link(&self) -> Result<Link<'a>, BadHeader> {
        let link = match self.carried {
            Carried::Frame => link::ethernet(self.payload),
            Carried::Wireless => wireless::frame(self.payload),
            Carried::Packet(ethertype) => Ok(link::bare(ethertype, self.payload)),
        }?;
        Ok(Link { vlan: link.vlan.or(self.vlan), ..link })
    }
}

/// What the payload of an EtherType holds; `missing` octets of it were not captured.
pub fn in_frame(ethertype: u16, payload: &[u8], missing: usize) -> Option<Tunnel<'_>> {
    match ethertype {
        ethertype::MPLS | ethertype::MPLS_UPSTREAM => mpls(payload, missing),
        ethertype::PPPOE => pppoe(payload),
        // I-TAG: priority and service instance, then the customer's frame (IEEE 802.1Q, 9.7).
        ethertype::BACKBONE => {
            Some(Tunnel::new("802.1ah", Carried::Frame, payload.get(4..)?).numbered(u32_at(payload, 0)? & 0x00ff_ffff))
        }
        ethertype::HSR => hsr(payload),
        _ => None,
    }
}

/// HSR's tag (IEC 62439-3, 5.7): `path and size | number | EtherType`, then what it stands before.
fn hsr(payload: &[u8]) -> Option<Tunnel<'_>> {
    let (&[_, _, _, _, high, low], inner) = payload.split_first_chunk::<6>()?;
    let ethertype = u16::from_be_bytes([high, low]);
    (ethertype >= ethertype::LEAST).then(|| Tunnel::new("hsr", Carried::Packet(ethertype), inner))
}

/// What an IP packet that is neither TCP nor UDP nor ICMP holds.
pub fn in_packet<'a>(packet: &IpPacket<'a>) -> Option<Tunnel<'a>> {
    let payload = packet.payload;
    match packet.protocol {
        number::IPV4 => Some(Tunnel::new("ip-in-ip", Carried::Packet(ethertype::IPV4), payload)),
        number::IPV6 => Some(Tunnel::new("ip-in-ip", Carried::Packet(ethertype::IPV6), payload)),
        number::GRE => gre(payload),
        number::MPLS => mpls(payload, packet.wire_length - payload.len()),
        // Version 3 and reserved bits, then a frame (RFC 3378).
        number::ETHERIP => Some(Tunnel::new("etherip", Carried::Frame, payload.strip_prefix(&[0x30, 0])?)),
        _ => None,
    }
}

/// Destination ports of tunnels (IANA; 8472 is older Linux).
mod port {
    pub const L2TP: u16 = 1701;
    pub const GRE: u16 = 4754;
    pub const VXLAN: u16 = 4789;
    pub const VXLAN_GPE: u16 = 4790;
    pub const GENEVE: u16 = 6081;
    pub const MPLS: u16 = 6635;
    pub const VXLAN_OLD: u16 = 8472;
}

/// What a UDP datagram holds: by its destination port, or by the shape of VXLAN around a whole frame.
#[inline]
pub fn in_datagram<'a>(datagram: &Datagram<'a>) -> Option<Tunnel<'a>> {
    let payload = datagram.payload;
    let missing = datagram.wire_length - payload.len();
    match datagram.ports[1] {
        port::VXLAN | port::VXLAN_OLD => vxlan(payload, missing),
        port::VXLAN_GPE => vxlan_gpe(payload, missing),
        port::GENEVE => geneve(payload),
        port::GRE => gre(payload),
        port::L2TP => l2tp(payload),
        port::MPLS => mpls(payload, missing),
        _ if payload.starts_with(&[0x08, 0, 0, 0]) => {
            vxlan(payload, missing).filter(|tunnel| is_frame(tunnel.payload, missing))
        }
        _ => None,
    }
}

/// VXLAN (RFC 7348, 5): `flags | reserved | VNI | reserved`. The group policy extension has three bits and the two
/// octets behind them (draft-smith-vxlan-group-policy). Where another reserved bit is set, as a receiver must ignore,
/// the frame has to prove itself: a port alone proves nothing.
fn vxlan(payload: &[u8], missing: usize) -> Option<Tunnel<'_>> {
    const VNI_IS_VALID: u8 = 0x08;
    const GROUP_POLICY: [u8; 2] = [0x80, 0x48];
    let (&[flags, policy, _, _, _, _, _, reserved], frame) = payload.split_first_chunk::<8>()?;
    let is_usual = flags & !GROUP_POLICY[0] == VNI_IS_VALID && policy & !GROUP_POLICY[1] == 0 && reserved == 0;
    let is_vxlan = is_usual || (flags & VNI_IS_VALID != 0 && is_frame(frame, missing));
    is_vxlan.then(|| Tunnel::new("vxlan", Carried::Frame, frame).numbered(network_of(payload)))
}

/// The network identifier of VXLAN and Geneve: octets 4 to 6.
fn network_of(payload: &[u8]) -> u32 {
    u32_at(payload, 4).map_or(0, |word| word >> 8)
}

/// VXLAN with a next protocol (draft-ietf-nvo3-vxlan-gpe).
fn vxlan_gpe(payload: &[u8], missing: usize) -> Option<Tunnel<'_>> {
    const NEXT_PROTOCOL_IS_VALID: u8 = 0x04;
    let (header, inner) = payload.split_first_chunk::<8>()?;
    if header[0] & NEXT_PROTOCOL_IS_VALID == 0 {
        return vxlan(payload, missing);
    }
    let carried = match header[3] {
        1 => Carried::Packet(ethertype::IPV4),
        2 => Carried::Packet(ethertype::IPV6),
        3 => Carried::Frame,
        _ => return None,
    };
    Some(Tunnel::new("vxlan", carried, inner).numbered(network_of(payload)))
}

/// Geneve (RFC 8926, 3.4): `version, option words | flags | protocol | VNI | reserved | options`.
fn geneve(payload: &[u8]) -> Option<Tunnel<'_>> {
    const VERSION: u8 = 0xc0;
    const RESERVED_FLAGS: u8 = 0x3f;
    let (&[first, flags, high, low, _, _, _, reserved], rest) = payload.split_first_chunk::<8>()?;
    if first & VERSION != 0 || flags & RESERVED_FLAGS != 0 || reserved != 0 {
        return None;
    }
    let carried = by_protocol_type(u16::from_be_bytes([high, low]))?;
    Some(Tunnel::new("geneve", carried, rest.get(usize::from(first) * 4..)?).numbered(network_of(payload)))
}

/// L2TP version 2 (RFC 2661, 3.1), data messages: `flags | [length] | tunnel | session | [Ns, Nr] | [offset]`, then PPP.
fn l2tp(payload: &[u8]) -> Option<Tunnel<'_>> {
    const CONTROL: u16 = 0x8000;
    const LENGTH: u16 = 0x4000;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;
    let flags = u16_at(payload, 0)?;
    if flags & 0x000f != 2 || flags & CONTROL != 0 {
        return None;
    }
    let mut at = 6 + if flags & LENGTH != 0 { 2 } else { 0 } + if flags & SEQUENCE != 0 { 4 } else { 0 };
    if flags & OFFSET != 0 {
        at += 2 + usize::from(u16_at(payload, at)?);
    }
    let session = u32_at(payload, if flags & LENGTH != 0 { 4 } else { 2 })?;
    ppp("l2tp", payload.get(at..)?).map(|tunnel| tunnel.numbered(session))
}

/// Bits of the first two octets of GRE (RFC 2784, RFC 2890; routing is of RFC 1701).
mod gre_bit {
    pub const CHECKSUM: u16 = 0x8000;
    pub const ROUTING: u16 = 0x4000;
    pub const KEY: u16 = 0x2000;
    pub const SEQUENCE: u16 = 0x1000;
    pub const VERSION: u16 = 0x0007;
}

/// Protocol types of ERSPAN (draft-foschiano-erspan, 4).
const ERSPAN_1_OR_2: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;

/// Protocol types with which Aruba's access points send the frames of their stations, a number each virtual network.
const WIRELESS_FIRST: u16 = 0x8200;
const WIRELESS_LAST: u16 = 0x83ff;

/// GRE of version 0. Version 1 (PPTP, RFC 2637) carries compressed and mostly encrypted PPP, which stays data.
fn gre(payload: &[u8]) -> Option<Tunnel<'_>> {
    let (flags, protocol) = (u16_at(payload, 0)?, u16_at(payload, 2)?);
    if flags & (gre_bit::ROUTING | gre_bit::VERSION) != 0 {
        return None;
    }
    let options = [gre_bit::CHECKSUM, gre_bit::KEY, gre_bit::SEQUENCE];
    let header = 4 + 4 * options.iter().filter(|bit| flags & **bit != 0).count();
    let inner = payload.get(header..)?;
    let key_at = if flags & gre_bit::CHECKSUM == 0 { 4 } else { 8 };
    let key = u32_at(payload, key_at).filter(|_| flags & gre_bit::KEY != 0).unwrap_or(0);
    match protocol {
        // Type I has no header of its own, and is told by the missing sequence number.
        ERSPAN_1_OR_2 if flags & gre_bit::SEQUENCE == 0 => Some(Tunnel::new("erspan", Carried::Frame, inner)),
        ERSPAN_1_OR_2 => erspan(inner, 8),
        ERSPAN_3 => erspan_3(inner),
        ethertype::PPP => ppp("gre", inner),
        _ => Some(Tunnel::new("gre", by_protocol_type(protocol)?, inner).numbered(key)),
    }
}

/// What a protocol type of GRE or Geneve stands for; none for what holds no packet.
fn by_protocol_type(protocol: u16) -> Option<Carried> {
    match protocol {
        ethertype::BRIDGED => Some(Carried::Frame),
        WIRELESS_FIRST..=WIRELESS_LAST => Some(Carried::Wireless),
        ethertype::IPV4 | ethertype::IPV6 | ethertype::ARP | ethertype::MPLS | ethertype::MPLS_UPSTREAM => {
            Some(Carried::Packet(protocol))
        }
        _ => None,
    }
}

/// ERSPAN, types II and III, begin alike: `version (4) VLAN (12) | priority (3) encapsulation (2) …`.
fn erspan(inner: &[u8], header: usize) -> Option<Tunnel<'_>> {
    /// The tag was of ISL or 802.1Q and is not in the frame any more; in type III these bits say something else.
    const TAG_TAKEN_OFF: [u16; 2] = [1, 2];
    let (first, second) = (u16_at(inner, 0)?, u16_at(inner, 2)?);
    let encapsulation = second >> 11 & 0b11;
    let vlan = Some(first & 0x0fff).filter(|_| header == 8 && TAG_TAKEN_OFF.contains(&encapsulation));
    Some(Tunnel { vlan, ..Tunnel::new("erspan", Carried::Frame, inner.get(header..)?) })
}

/// ERSPAN type III: 12 octets, of which the last two hold frame type and the bit of an 8-octet subheader behind them.
fn erspan_3(inner: &[u8]) -> Option<Tunnel<'_>> {
    const SUBHEADER: u16 = 0x0001;
    let last = u16_at(inner, 10)?;
    let tunnel = erspan(inner, if last & SUBHEADER == 0 { 12 } else { 20 })?;
    match last >> 10 & 0x1f {
        0 => Some(tunnel),
        2 => Some(Tunnel { carried: Carried::Packet(ip_version(tunnel.payload)?), ..tunnel }),
        _ => None,
    }
}

fn ip_version(payload: &[u8]) -> Option<u16> {
    match payload.first()? >> 4 {
        4 => Some(ethertype::IPV4),
        6 => Some(ethertype::IPV6),
        _ => None,
    }
}

/// MPLS (RFC 3032, 2.1): labels to the one that ends the stack. What follows is not said: IP, or a pseudo-wire's
/// Ethernet frame with or without a control word (RFC 4448, 4.6), told apart by what fits.
fn mpls(payload: &[u8], missing: usize) -> Option<Tunnel<'_>> {
    const END_OF_STACK: u32 = 0x100;
    let labels = (0..).step_by(4).map_while(|at| u32_at(payload, at)).position(|label| label & END_OF_STACK != 0)?;
    let inner = payload.get((labels + 1) * 4..)?;
    if let Some(ethertype) = ip_version(inner).filter(|ethertype| fits(*ethertype, inner, missing)) {
        return Some(Tunnel::new("mpls", Carried::Packet(ethertype), inner));
    }
    let frames = [inner.get(4..).filter(|_| inner[0] >> 4 == 0), Some(inner)];
    let frame = frames.into_iter().flatten().find(|frame| is_frame(frame, missing))?;
    Some(Tunnel::new("mpls", Carried::Frame, frame))
}

/// PPPoE session (RFC 2516, 4): `version and type | code | session | length`, then PPP without address and control.
fn pppoe(payload: &[u8]) -> Option<Tunnel<'_>> {
    let (&[version_and_type, code, session, number, high, low], ppp) = payload.split_first_chunk::<6>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if version_and_type != 0x11 || code != 0 {
        return None;
    }
    let session = u16::from_be_bytes([session, number]);
    self::ppp("pppoe", &ppp[..ppp.len().min(length)]).map(|tunnel| tunnel.numbered(session.into()))
}

/// PPP that carries a packet; its control protocols stay data.
fn ppp<'a>(service: &'static str, frame: &'a [u8]) -> Option<Tunnel<'a>> {
    let link = medium::ppp(frame).ok().filter(|link| link.ethertype != 0)?;
    Some(Tunnel::new(service, Carried::Packet(link.ethertype), link.payload))
}

/// True where the octets are an Ethernet frame of a kind whose inside proves it.
fn is_frame(bytes: &[u8], missing: usize) -> bool {
    link::ethernet(bytes).is_ok_and(|link| fits(link.ethertype, link.payload, missing))
}

/// True where a packet of this EtherType begins, and its length fits. Other EtherTypes prove nothing.
fn fits(ethertype: u16, packet: &[u8], missing: usize) -> bool {
    let available = packet.len() + missing;
    let length = |high: u8, low: u8| usize::from(u16::from_be_bytes([high, low]));
    match (ethertype, packet) {
        (ethertype::IPV4, [0x45..=0x4f, _, high, low, ..]) => (20..=available).contains(&length(*high, *low)),
        (ethertype::IPV6, [0x60..=0x6f, _, _, _, high, low, ..]) => 40 + length(*high, *low) <= available,
        (ethertype::ARP, [0, 1 | 6, 8, 0, 6, 4, ..]) | (ethertype::BACNET, [1, ..]) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRAME: &[u8] = &[
        0, 0x80, 0xf4, 0, 0, 0x20, 0, 0x50, 0x56, 0, 0, 0x10, 8, 0, // Ethernet
        0x45, 0, 0, 20, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4, empty
    ];
    /// Service, what is carried, VLAN.
    type Found = Option<(&'static str, Carried, Option<u16>)>;

    const PACKET: Carried = Carried::Packet(ethertype::IPV4);

    fn ip() -> &'static [u8] {
        &FRAME[14..]
    }

    fn packet(protocol: u8, payload: &[u8]) -> IpPacket<'_> {
        let (source, destination) = Default::default();
        IpPacket { source, destination, protocol, fragment: None, payload, wire_length: payload.len() }
    }

    #[test]
    fn numbers_tell_networks_apart() {
        let cases: &[(&str, Option<Tunnel<'_>>, u32)] = &[
            ("GRE", gre(&[0, 0, 0x65, 0x58]), 0),
            ("GRE with a key", gre(&[0x20, 0, 0x65, 0x58, 0, 0, 1, 2]), 0x102),
            ("GRE with checksum and key", gre(&[0xa0, 0, 0x65, 0x58, 9, 9, 0, 0, 0, 0, 1, 2]), 0x102),
            ("ERSPAN", gre(&[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 7, 0, 1, 0, 0, 0, 0]), 0),
            ("VXLAN", vxlan(&[8, 0, 0, 0, 0, 1, 42, 0], 0), 0x12a),
            ("Geneve", geneve(&[0, 0, 0x65, 0x58, 0, 0, 42, 0]), 42),
            ("L2TP", l2tp(&[0, 2, 0, 1, 0, 2, 0, 0x21, 0x45]), 0x1_0002),
            ("L2TP with a length", l2tp(&[0x40, 2, 0, 11, 0, 1, 0, 2, 0, 0x21, 0x45]), 0x1_0002),
            ("PPPoE", pppoe(&[0x11, 0, 1, 2, 0, 3, 0, 0x21, 0x45]), 0x102),
            ("802.1ah", in_frame(0x88e7, &[0xe0, 0, 1, 2], 0), 0x102),
        ];
        for (name, tunnel, number) in cases {
            assert_eq!(tunnel.map(|tunnel| tunnel.number), Some(*number), "{name}");
        }
    }

    /// One table for all carriers: where it was found, its header, what is inside.
    #[test]
    fn what_is_inside() {
        enum Place {
            Type(u16),
            Protocol(u8),
            Port(u16),
        }
        use Place::{Port, Protocol, Type};
        let frame = |service| Some((service, Carried::Frame, None));
        let packet_of = |service| Some((service, PACKET, None));
        /// Name, where it was found, header, inside, what is found.
        type Case<'a> = (&'a str, Place, &'a [u8], &'a [u8], Found);
        let cases: &[Case<'_>] = &[
            ("GRE", Protocol(47), &[0, 0, 8, 0], ip(), packet_of("gre")),
            (
                "GRE, all options",
                Protocol(47),
                &[0xb0, 0, 8, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3],
                ip(),
                packet_of("gre"),
            ),
            ("GRE, bridged", Protocol(47), &[0x20, 0, 0x65, 0x58, 0, 0, 1, 0], FRAME, frame("gre")),
            ("GRE with a route", Protocol(47), &[0x40, 0, 8, 0, 0, 0, 0, 0], ip(), None),
            ("PPTP", Protocol(47), &[0x30, 0x01, 0x88, 0x0b, 0, 4, 0, 1, 0, 0, 0, 1], ip(), None),
            ("ERSPAN I", Protocol(47), &[0, 0, 0x88, 0xbe], FRAME, frame("erspan")),
            (
                "ERSPAN II",
                Protocol(47),
                &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 7, 0, 1, 0, 0, 0, 0],
                FRAME,
                frame("erspan"),
            ),
            (
                "ERSPAN II, tag taken off",
                Protocol(47),
                &[0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 7, 0x10, 1, 0, 0, 0, 0],
                FRAME,
                Some(("erspan", Carried::Frame, Some(7))),
            ),
            (
                "ERSPAN III",
                Protocol(47),
                &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 7, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0],
                FRAME,
                frame("erspan"),
            ),
            (
                "ERSPAN III with subheader",
                Protocol(47),
                &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 7, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
                FRAME,
                frame("erspan"),
            ),
            (
                "ERSPAN III, IP",
                Protocol(47),
                &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, 7, 0, 1, 0, 0, 0, 9, 0, 0, 8, 0],
                ip(),
                packet_of("erspan"),
            ),
            (
                "GRE, 802.11",
                Protocol(47),
                &[0, 0, 0x82, 0, 8, 1, 0, 0, 0, 0, 0, 0, 0, 1],
                &[3; 30],
                Some(("gre", Carried::Wireless, None)),
            ),
            ("IP in IP", Protocol(4), &[], ip(), packet_of("ip-in-ip")),
            ("EtherIP", Protocol(97), &[0x30, 0], FRAME, frame("etherip")),
            ("ESP", Protocol(50), &[], ip(), None),
            ("VXLAN", Port(4789), &[8, 0, 0, 0, 0, 0, 42, 0], FRAME, frame("vxlan")),
            ("VXLAN with group", Port(4789), &[0x88, 0, 0, 9, 0, 0, 42, 0], FRAME, frame("vxlan")),
            ("VXLAN elsewhere", Port(5000), &[8, 0, 0, 0, 0, 0, 42, 0], FRAME, frame("vxlan")),
            ("not VXLAN", Port(5000), &[8, 0, 0, 0, 0, 0, 42, 0], &[0xee; 60], None),
            ("VXLAN, reserved bit", Port(4789), &[0x0c, 0, 0, 0, 0, 0, 42, 0], FRAME, frame("vxlan")),
            ("no VXLAN on its port", Port(4789), &[0x0c, 1, 0, 1, 0, 0, 42, 1], &[0xee; 60], None),
            ("GRE in UDP", Port(4754), &[0, 0, 8, 0], ip(), packet_of("gre")),
            ("MPLS in UDP", Port(6635), &[0, 1, 1, 64], ip(), packet_of("mpls")),
            ("VXLAN-GPE", Port(4790), &[0x0c, 0, 0, 1, 0, 0, 42, 0], ip(), packet_of("vxlan")),
            ("Geneve with options", Port(6081), &[1, 0, 0x65, 0x58, 0, 0, 1, 0, 1, 2, 3, 0], FRAME, frame("geneve")),
            ("L2TP", Port(1701), &[0x40, 2, 0, 30, 0, 1, 0, 2, 0, 0x21], ip(), packet_of("l2tp")),
            ("L2TP control", Port(1701), &[0xc8, 2, 0, 12, 0, 1, 0, 0, 0, 0, 0, 0], &[], None),
            ("MPLS", Type(0x8847), &[0, 1, 0, 64, 0, 2, 1, 64], ip(), packet_of("mpls")),
            ("pseudo-wire", Type(0x8847), &[0, 1, 1, 64], FRAME, frame("mpls")),
            ("pseudo-wire, control word", Type(0x8847), &[0, 1, 1, 64, 0, 0, 0, 0], FRAME, frame("mpls")),
            ("MPLS, unknown inside", Type(0x8847), &[0, 1, 1, 64], &[0xee; 30], None),
            ("PPPoE", Type(0x8864), &[0x11, 0, 0, 1, 0, 22, 0, 0x21], ip(), packet_of("pppoe")),
            ("PPPoE, LCP", Type(0x8864), &[0x11, 0, 0, 1, 0, 6, 0xc0, 0x21], &[9, 0, 0, 4], None),
            ("PPPoE discovery", Type(0x8863), &[0x11, 9, 0, 0, 0, 0], &[], None),
            ("HSR", Type(0x892f), &[0, 26, 0, 1, 8, 0], ip(), packet_of("hsr")),
            ("HSR before a length", Type(0x892f), &[0, 26, 0, 1, 0, 20], &[0; 20], None),
            ("802.1ah", Type(0x88e7), &[0, 0, 1, 0], FRAME, frame("802.1ah")),
        ]; // fmt: skip
        for (name, place, header, inner, expected) in cases {
            let bytes = [*header, *inner].concat();
            let found = match *place {
                Type(ethertype) => in_frame(ethertype, &bytes, 0),
                Protocol(number) => in_packet(&packet(number, &bytes)),
                Port(port) => {
                    in_datagram(&Datagram { ports: [50_000, port], payload: &bytes, wire_length: bytes.len() })
                }
            };
            assert_eq!(found.map(|tunnel| (tunnel.service, tunnel.carried, tunnel.vlan)), *expected, "{name}");
            if let Some(tunnel) = found {
                assert!(tunnel.payload.ends_with(inner), "{name}: {:02x?}", tunnel.payload);
                assert!(tunnel.link().is_ok(), "{name}");
            }
        }
    }

    #[test]
    fn a_tunnel_cut_by_the_capture_is_one_still() {
        let vxlan = [&[8, 0, 0, 0, 0, 0, 42, 0], &FRAME[..24]].concat();
        let cut = Datagram { ports: [1, 5000], payload: &vxlan, wire_length: vxlan.len() + 10 };
        assert!(in_datagram(&cut).is_some());
        assert!(in_datagram(&Datagram { wire_length: vxlan.len(), ..cut }).is_none());
        assert!(in_frame(ethertype::MPLS, &[&[0, 1, 1, 64], &FRAME[..24]].concat(), 10).is_some());
    }

    proptest! {
        #[test]
        fn any_octets_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), number in any::<u8>(), port in any::<u16>()) {
            let of_type = [ethertype::MPLS, ethertype::PPPOE, ethertype::BACKBONE];
            let datagram = |port| Datagram { ports: [1, port], payload: &bytes, wire_length: bytes.len() };
            let found = of_type.map(|ethertype| in_frame(ethertype, &bytes, 0)).into_iter()
                .chain([number, 4, 41, 47, 97, 137].map(|number| in_packet(&packet(number, &bytes))))
                .chain([port, 1701, 4789, 4790, 6081].map(|port| in_datagram(&datagram(port))));
            for tunnel in found.flatten() {
                prop_assert!(tunnel.payload.len() <= bytes.len());
                let _ = tunnel.link();
            }
        }
    }
}
