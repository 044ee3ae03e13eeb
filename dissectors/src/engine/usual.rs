//! The short way of most packets: an Ethernet frame with at most one tag, a whole IPv4 packet without options, a TCP
//! segment of a flow that is known. What is done is what the long way does; every other packet goes that.

use super::{Context, Engine};
use crate::capture::Packet;
use crate::flows::{Ends, Key, Transport};
use crate::lan::Lan;
use crate::net::ip::{Ip, IpPacket, Segment, flag, number};
use crate::net::link::{Station, ethertype};
use crate::net::medium;
use crate::net::mirror::{self, Sighting};
use crate::net::tcp::Stamp;

/// Headers of Ethernet, IPv4 and TCP, without tag and options.
const HEADERS: usize = ETHERNET + IPV4 + TCP;
const ETHERNET: usize = 14;
const IPV4: usize = 20;
const TCP: usize = 20;
const TAG: usize = 4;
/// Version 4, five words of header.
const PLAIN_IPV4: u8 = 0x45;
/// More fragments, and where this one belongs.
const FRAGMENT: u16 = 0x3fff;

#[inline]
fn u16_of(octets: &[u8; HEADERS], at: usize) -> u16 {
    u16::from_be_bytes([octets[at], octets[at + 1]])
}

#[inline]
fn u32_of(octets: &[u8; HEADERS], at: usize) -> u32 {
    u32::from_be_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
}

impl Engine {
    /// Takes a packet of the usual kind; false, and nothing is done, where it is another.
    #[inline]
    pub(super) fn usual(&mut self, packet: &Packet<'_>, stamp: Stamp) -> bool {
        let data = packet.data;
        if packet.link_type != medium::ETHERNET || packet.fcs_octets.is_some() {
            return false;
        }
        let tag = if data.get(12..14) == Some(&ethertype::VLAN.to_be_bytes()) { TAG } else { 0 };
        let Some(head) = data.get(tag..).and_then(|rest| rest.first_chunk::<HEADERS>()) else { return false };
        let is_plain = u16_of(head, 12) == ethertype::IPV4
            && head[14] == PLAIN_IPV4
            && u16_of(head, 20) & FRAGMENT == 0
            && head[23] == number::TCP;
        let total = usize::from(u16_of(head, 16));
        let offset = usize::from(head[46] >> 4) * 4;
        let flags = head[47];
        let octets = &data[tag + ETHERNET..];
        if !is_plain || flags & flag::SYN != 0 || offset < TCP || IPV4 + offset > total || octets.len() < total {
            return false;
        }
        let Some((slot, direction)) = self.known_flow(head) else { return false };
        let Some(flow) = self.flows.get(slot) else { return false };
        let side = direction as usize;
        // The sender's address, as it stands behind that of the receiver.
        let mac = data.get(6..12).and_then(|mac| mac.first_chunk::<6>());
        let lan = Lan::of((tag > 0).then(|| u16::from_be_bytes([data[14], data[15]]) & 0x0fff));
        if flow.sightings[side].is_none() || flow.macs[side].as_ref() != mac || flow.lans[side] != Some(lan) {
            return false;
        }
        let payload = &octets[IPV4 + offset..total];
        let (Some(ip_and_tcp), frame) = (octets.first_chunk(), mirror::frame(&data[..tag + ETHERNET])) else {
            return false;
        };
        let sighting = self.mirror.look_at_segment(ip_and_tcp, frame, stamp.time);
        if sighting != Sighting::New
            && self.usual_again(packet, stamp, head, &octets[IPV4..total], (frame, lan), sighting)
        {
            return true;
        }
        let Some(flow) = self.flows.get(slot) else { return true };
        flow.packets[side] += 1;
        flow.bytes[side] += u64::from(packet.original_length);
        flow.last[side] = (stamp.time, stamp.frame);
        flow.flags[side] |= flags;
        let segment = Segment {
            ports: [u16_of(head, 34), u16_of(head, 36)],
            sequence: u32_of(head, 38),
            acknowledgement: u32_of(head, 42),
            flags,
            payload,
            missing: 0,
        };
        self.segment(slot, direction, stamp, &segment);
        true
    }

    /// The flow of a segment, found by its ends as they stand in the headers.
    #[inline]
    fn known_flow(&mut self, head: &[u8; HEADERS]) -> Option<(u32, crate::session::Direction)> {
        let ends: &Ends = head[26..].first_chunk()?;
        if let Some(found) = self.flows.guess(ends) {
            return Some(found);
        }
        let addresses = [Ip::v4(u32_of(head, 26).to_be_bytes()), Ip::v4(u32_of(head, 30).to_be_bytes())];
        let ports = [u16_of(head, 34), u16_of(head, 36)];
        let slot = self.flows.find(&Key::new(addresses, ports, Transport::Tcp))?;
        let direction = self.flows.get(slot)?.direction(addresses[0], ports[0]);
        self.flows.note(ends, slot, direction);
        Some((slot, direction))
    }

    #[cold]
    fn usual_again(
        &mut self,
        packet: &Packet<'_>,
        stamp: Stamp,
        head: &[u8; HEADERS],
        payload: &[u8],
        (frame, lan): (u32, Lan),
        sighting: Sighting,
    ) -> bool {
        let (source, destination) = (Ip::v4(u32_of(head, 26).to_be_bytes()), Ip::v4(u32_of(head, 30).to_be_bytes()));
        let wire_length = payload.len();
        let ip = IpPacket { source, destination, protocol: number::TCP, fragment: None, payload, wire_length };
        let mac = |at: usize| packet.data.get(at..at + 6).and_then(|mac| Some(Station::Mac(mac.try_into().ok()?)));
        let context = Context {
            stamp,
            wire_length: packet.original_length,
            frame,
            missing: 0,
            source: mac(6),
            destination: mac(0),
            vlan: None,
            lan,
            depth: 0,
        };
        self.seen_before(&context, &ip, sighting)
    }
}
