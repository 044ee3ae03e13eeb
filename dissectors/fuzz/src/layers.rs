//! Link layers and tunnels: what is carried lies within what was given, and a capture that cuts packets changes nothing
//! but the end.

use zonewatch_dissectors::net::ip::{self, IpPacket, number};
use zonewatch_dissectors::net::link::{self, Link, ethertype};
use zonewatch_dissectors::net::tunnel::{self, Tunnel};

use crate::input::Input;

/// Link types of the registry that are asked for, more often than chance would.
const LINK_TYPES: [u16; 18] = [1, 0, 108, 7, 9, 50, 10, 12, 14, 101, 228, 229, 100, 104, 113, 129, 165, 239];
/// Tunnels in one another that are looked at.
const MAX_DEPTH: usize = 64;

/// A seed for [`link`] and [`tunnels`]: a packet and its link type.
pub fn seed(link_type: u16, packet: &[u8]) -> Vec<u8> {
    [&link_type.to_be_bytes(), packet].concat()
}

/// Link type and packet; a number that is no link type stands for one that is.
fn packet(data: &[u8]) -> (u16, &[u8]) {
    let mut input = Input(data);
    let number = input.u16();
    let known = link::parse(number, &[]).is_some();
    (if known { number } else { LINK_TYPES[usize::from(number) % LINK_TYPES.len()] }, input.0)
}

/// Where a part of the octets starts; it must be a part.
fn place(whole: &[u8], part: &[u8]) -> usize {
    let start = (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize);
    assert!(part.is_empty() || start + part.len() <= whole.len(), "octets from elsewhere");
    start.min(whole.len())
}

/// Holds a link layer to its contract.
pub fn link(data: &[u8]) {
    let (link_type, packet) = packet(data);
    let Some(Ok(whole)) = link::parse(link_type, packet) else { return };
    let start = place(packet, whole.payload);
    if whole.payload.is_empty() {
        return;
    }
    // Cut by the capture behind the headers, it says the same of itself, and as many octets in all.
    for end in [start + 1, start + whole.payload.len() / 2 + 1, packet.len() - 1] {
        if end <= start || end > packet.len() {
            continue;
        }
        let Some(Ok(cut)) = link::parse(link_type, &packet[..end]) else { panic!("no link layer in the first {end}") };
        let says = |link: &Link<'_>| (link.source, link.destination, link.vlan, link.ethertype);
        assert_eq!(says(&cut), says(&whole), "cut at {end}");
        assert!(whole.payload.starts_with(cut.payload), "cut at {end}");
        let announces = whole.missing > 0 || cut.missing > 0;
        if announces {
            let sizes = [&whole, &cut].map(|link| link.payload.len() + link.missing);
            assert_eq!(sizes[0], sizes[1], "cut at {end}");
        }
    }
}

/// Opens tunnels to the innermost packet; each is smaller than the one around it.
pub fn tunnels(data: &[u8]) {
    let (link_type, packet) = packet(data);
    let Some(Ok(mut link)) = link::parse(link_type, packet) else { return };
    let mut around = packet.len() + 1;
    for _ in 0..MAX_DEPTH {
        assert!(link.payload.len() < around, "what is inside is as large as what is around it");
        around = link.payload.len();
        let Some(tunnel) = inside(&link) else { return };
        place(packet, tunnel.payload);
        let Ok(inner) = tunnel.link() else { return };
        place(tunnel.payload, inner.payload);
        link = inner;
    }
}

fn inside<'a>(link: &Link<'a>) -> Option<Tunnel<'a>> {
    let parsed = match link.ethertype {
        ethertype::IPV4 => ip::ipv4(link.payload),
        ethertype::IPV6 => ip::ipv6(link.payload),
        other => {
            let missing = tunnel::in_frame(other, link.payload, link.missing);
            // What fits with nothing missing fits also where octets may be missing.
            assert!(tunnel::in_frame(other, link.payload, 0).is_none() || missing.is_some());
            return missing;
        }
    };
    in_packet(&parsed.ok()?)
}

fn in_packet<'a>(packet: &IpPacket<'a>) -> Option<Tunnel<'a>> {
    assert!(packet.wire_length >= packet.payload.len());
    if packet.fragment.is_some() {
        return None;
    }
    match packet.protocol {
        number::UDP => tunnel::in_datagram(&ip::udp(packet).ok()?),
        _ => tunnel::in_packet(packet),
    }
}
