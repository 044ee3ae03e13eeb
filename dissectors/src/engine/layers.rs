//! From the link layer to the flow, through any tunnels between.

use super::{Context, Engine, Load};
use crate::community;
use crate::flows::{Key, Transport};
use crate::model::OddityCode;
use crate::net::fragments::Added;
use crate::net::ip::{self, Datagram, Fragment, Ip, IpPacket, number};
use crate::net::link::{Bus, BusStation, Link, Station, ethertype};
use crate::net::mirror::Sighting;
use crate::net::tunnel::{self, Carried, Tunnel};
use crate::protocols::icmpv6;
use crate::registry;
use crate::services::Basis;
use crate::sinks::Odd;

/// Packets inside one another that are unpacked; honest networks have three or four.
const MAX_DEPTH: u8 = 8;

impl Engine {
    /// Takes what a link layer carries.
    #[inline]
    pub(super) fn network(&mut self, context: &Context, link: &Link<'_>) {
        let parsed = match link.ethertype {
            ethertype::IPV4 => ip::ipv4(link.payload),
            ethertype::IPV6 => ip::ipv6(link.payload),
            _ => return self.beside_ip(context, link),
        };
        let packet = match &parsed {
            Ok(packet) => packet,
            Err(bad) => return self.undecoded(*bad, context.stamp),
        };
        let sighting = self.mirror.look(link.payload, packet, context.frame, context.stamp.time);
        if sighting != Sighting::New && self.seen_before(context, packet, sighting) {
            return;
        }
        match packet.fragment {
            None => self.transport(context, packet),
            Some(fragment) => self.fragment(context, packet, fragment),
        }
    }

    #[inline(never)]
    fn fragment(&mut self, context: &Context, packet: &IpPacket<'_>, fragment: Fragment) {
        match self.fragments.add(packet, fragment, context.lan, context.stamp.frame, context.stamp.time) {
            Added::Whole(whole) => {
                if whole.conflict {
                    self.overlap(context, packet, fragment);
                }
                let wire_length = whole.payload.len();
                self.transport(context, &IpPacket { fragment: None, payload: &whole.payload, wire_length, ..*packet });
            }
            Added::Conflict => self.overlap(context, packet, fragment),
            Added::Waiting => {}
            Added::Impossible => self.sinks.coverage.undecoded_packets += 1,
        }
    }

    /// A fragment contradicts those before it.
    fn overlap(&mut self, context: &Context, packet: &IpPacket<'_>, fragment: Fragment) {
        let ends = [Some(packet.source), Some(packet.destination)];
        let odd = Odd {
            layer: "ip-fragment",
            offset: fragment.offset as u32,
            code: OddityCode::ConflictingOverlap,
            expected: "the octets that were sent before at this offset, found others".to_string(),
        };
        self.sinks.oddity(ends, context.stamp, odd);
    }

    /// Not IP: a tunnel of the link layer, or a flow of its own.
    #[inline(never)]
    fn beside_ip(&mut self, context: &Context, link: &Link<'_>) {
        if link.ethertype == ethertype::ARP {
            // A probe asks with an empty sender address (RFC 5227, 1.1).
            if let Some(arp) = ip::arp(link.payload).filter(|arp| arp.sender != Ip::v4([0; 4])) {
                self.sighting(arp.sender, arp.sender_mac, context, true);
            }
            return self.layer2(context, link);
        }
        let Some(tunnel) = tunnel::in_frame(link.ethertype, link.payload, context.missing) else {
            return self.layer2(context, link);
        };
        if tunnel.carried == Carried::Frame {
            self.layer2(context, link);
            if let Some(outer) = load_of(link) {
                self.is_service(context, &outer, tunnel.service);
            }
            return self.inside(context, &tunnel, context.missing, None);
        }
        // A label or a session number before a packet is as a tag before it: stations and flow are the packet's.
        self.inside(context, &tunnel, context.missing, Some(link));
    }

    /// What neighbour discovery says is in the table of addresses as what ARP says is.
    fn neighbour(&mut self, context: &Context, packet: &IpPacket<'_>) {
        if let Some((target, mac)) = icmpv6::neighbour(packet.payload) {
            let address = target.map_or(packet.source, |target| Ip::v6(target.octets()));
            // Whoever looks for a free address asks without one of his own (RFC 4862, 5.4.2).
            if address != Ip(0) {
                self.sighting(address, mac, context, true);
            }
        }
    }

    fn layer2(&mut self, context: &Context, link: &Link<'_>) {
        if let Some(load) = load_of(link) {
            self.load(context, &load);
        }
    }

    #[inline]
    fn transport(&mut self, context: &Context, packet: &IpPacket<'_>) {
        if packet.protocol != number::TCP {
            return self.beside_tcp(context, packet);
        }
        match ip::tcp(packet) {
            Ok(segment) => self.load(
                context,
                &Load {
                    addresses: [packet.source, packet.destination],
                    ports: segment.ports,
                    transport: Transport::Tcp,
                    flags: segment.flags,
                    sequence: segment.sequence,
                    acknowledgement: segment.acknowledgement,
                    payload: segment.payload,
                    missing: segment.missing,
                },
            ),
            Err(bad) => self.undecoded(bad, context.stamp),
        }
    }

    #[inline(never)]
    fn beside_tcp(&mut self, context: &Context, packet: &IpPacket<'_>) {
        let quiet = Load {
            addresses: [packet.source, packet.destination],
            ports: [0, 0],
            transport: Transport::Ip(packet.protocol),
            flags: 0,
            sequence: 0,
            acknowledgement: 0,
            payload: &[],
            missing: 0,
        };
        match packet.protocol {
            number::UDP => match ip::udp(packet) {
                Ok(datagram) => self.datagram_of(context, &datagram, &quiet),
                Err(bad) => self.undecoded(bad, context.stamp),
            },
            number::ICMP | number::ICMPV6 => {
                let (payload, missing) = (packet.payload, packet.wire_length - packet.payload.len());
                if packet.protocol == number::ICMPV6 {
                    self.neighbour(context, packet);
                }
                let ports = match *payload {
                    [kind, code, ..] => community::icmp_ports(packet.protocol == number::ICMPV6, kind, code),
                    _ => [0, 0],
                };
                self.load(context, &Load { ports, transport: Transport::Icmp, payload, missing, ..quiet });
            }
            // Ports come first, as in TCP and UDP (RFC 9260, 3.1).
            number::SCTP => {
                let ports = match *packet.payload {
                    [a, b, c, d, ..] => [u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])],
                    _ => [0, 0],
                };
                self.load(context, &Load { ports, ..quiet });
            }
            _ => match tunnel::in_packet(packet) {
                Some(tunnel) => self.tunnel(context, &quiet, &tunnel, packet.wire_length - packet.payload.len()),
                None if registry::packets(packet.protocol).is_empty() => self.load(context, &quiet),
                None => {
                    let (payload, missing) = (packet.payload, packet.wire_length - packet.payload.len());
                    self.load(context, &Load { payload, missing, ..quiet });
                }
            },
        }
    }

    fn datagram_of(&mut self, context: &Context, datagram: &Datagram<'_>, quiet: &Load<'_>) {
        let outer = Load { ports: datagram.ports, transport: Transport::Udp, ..*quiet };
        let missing = datagram.wire_length - datagram.payload.len();
        match tunnel::in_datagram(datagram) {
            Some(tunnel) => self.tunnel(context, &outer, &tunnel, missing),
            None => self.load(context, &Load { payload: datagram.payload, missing, ..outer }),
        }
    }

    /// Counts a packet of a tunnel as a flow between the tunnel's ends, and takes what is inside.
    #[cold]
    fn tunnel(&mut self, context: &Context, outer: &Load<'_>, tunnel: &Tunnel<'_>, missing: usize) {
        self.load(context, outer);
        self.is_service(context, outer, tunnel.service);
        self.inside(context, tunnel, missing, None);
    }

    fn is_service(&mut self, context: &Context, load: &Load<'_>, service: &'static str) {
        let key = Key::new(load.addresses, load.ports, load.transport);
        let sender = (load.addresses[0], load.ports[0]);
        let slot = self.flows.find_in(&key, sender, load.lan(context), load.sequence);
        if let Some(flow) = slot.and_then(|slot| self.flows.get(slot)) {
            flow.service = Some((service, Basis::Content));
        }
    }

    /// Takes the packet inside another; `around` is the frame whose stations are its own too.
    #[cold]
    fn inside(&mut self, context: &Context, tunnel: &Tunnel<'_>, missing: usize, around: Option<&Link<'_>>) {
        if context.depth >= MAX_DEPTH {
            let odd = Odd {
                layer: tunnel.service,
                offset: 0,
                code: OddityCode::TooDeep,
                expected: format!("at most {MAX_DEPTH} packets around one, found more"),
            };
            return self.sinks.oddity([None, None], context.stamp, odd);
        }
        let mut link = match tunnel.link() {
            Ok(link) => link,
            Err(bad) => return self.undecoded(bad, context.stamp),
        };
        let mut wire_length = u32::try_from(tunnel.payload.len() + missing).unwrap_or(u32::MAX);
        if let Some(around) = around {
            wire_length = context.wire_length;
            link = Link { source: around.source, destination: around.destination, vlan: around.vlan, ..link };
        }
        let context = Context {
            wire_length,
            missing,
            source: link.source,
            destination: link.destination,
            vlan: link.vlan,
            lan: context.lan.inside(tunnel.number, link.vlan),
            depth: context.depth + 1,
            ..*context
        };
        self.network(&context, &link);
    }
}

/// A frame of a link as a packet of a flow between its stations, where it names them.
fn load_of<'a>(link: &Link<'a>) -> Option<Load<'a>> {
    let (source, destination) = (link.source?, link.destination?);
    // What other frames carry is not looked into.
    let carries_message = !registry::frames(link.ethertype).is_empty();
    Some(Load {
        addresses: [source, destination].map(number_of),
        ports: [link.ethertype; 2],
        transport: match source {
            Station::Mac(_) => Transport::Ethernet,
            Station::Arcnet(_) => Transport::Arcnet,
            Station::Mstp(_) => Transport::Mstp,
            Station::Bus(BusStation { bus: Bus::Profibus, .. }) => Transport::Profibus,
            Station::Bus(_) => Transport::Serial,
        },
        flags: 0,
        sequence: 0,
        acknowledgement: 0,
        payload: if carries_message { link.payload } else { &[] },
        missing: if carries_message { link.missing } else { 0 },
    })
}

/// A station as the number that a flow's key has; the transport tells which kind.
pub(super) fn number_of(station: Station) -> Ip {
    match station {
        Station::Mac([a, b, c, d, e, f]) => Ip(u128::from(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))),
        Station::Arcnet(number) | Station::Mstp(number) => Ip(u128::from(number)),
        Station::Bus(station) => Ip(u128::from(station.key())),
    }
}
