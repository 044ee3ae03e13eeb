//! Packets in, rows out: every stage is wired here, once.

mod buses;
mod checksums;
mod copies;
mod layers;
#[cfg(test)]
mod tests;
mod usual;

use buses::Buses;
use hashbrown::HashMap;

use crate::capture::Packet;
use crate::columns::rows;
use crate::dialogue;
use crate::flows::{Content, Ending, Flow, Flows, Key, Transport};
use crate::intern::{Addresses, Dictionaries};
use crate::lan::Lan;
use crate::model::OddityCode;
use crate::net::BadHeader;
use crate::net::fragments::Fragments;
use crate::net::ip::{Ip, Segment, flag};
use crate::net::link::{self, BusStation, Mac, Station};
use crate::net::mirror::{self, Mirror};
use crate::net::tcp::Stamp;
use crate::profile;
use crate::recognise::{Opening, Seen};
use crate::record::Recorder;
use crate::registry;
use crate::services::Basis;
use crate::session::{Direction, Output};
use crate::signatures::{by_datagram, by_stream};
use crate::sinks::{Detail, Odd, Rows, Sinks};

/// Distinct pairs of IP and MAC address kept.
const MAX_SIGHTINGS: usize = 100_000;
/// Octets held back in all by conversations that nobody has recognised.
const MAX_PROBATION: usize = 32 * 1024 * 1024;
/// Packets of a flow whose first octets are looked at for a service.
const SERVICE_LOOKS: u32 = 8;
/// Octets of the fields of activities that count as one row more.
const OCTETS_A_ROW: usize = 256;
/// The longest frame that Ethernet carries: 1,500 octets with header, two tags and check sequence (IEEE 802.3, 3.2.7).
const LONGEST_FRAME: u32 = 1_526;
/// A step of the packet clock back by more than this, or on by more than the other, is a jump.
const CLOCK_BACK_NS: i64 = 1_000_000_000;
const CLOCK_ON_NS: i64 = 3_600_000_000_000;

/// The engine for one run. Sources follow one another; their address spaces are apart.
#[derive(Clone)]
pub struct Engine {
    flows: Flows,
    fragments: Fragments,
    mirror: Mirror,
    buses: Buses,
    sinks: Sinks,
    output: Output,
    sightings: HashMap<(Ip, Mac, Option<u16>, bool), u32, foldhash::fast::RandomState>,
    sighting_rows: Vec<rows::Address>,
    probation: usize,
    /// Flows whose profile is taken.
    profiles: usize,
    last_time: Option<i64>,
    /// False where every packet goes the long way.
    short_cuts: bool,
}

/// Where a packet is, and what its link layer said.
#[derive(Clone, Copy)]
struct Context {
    stamp: Stamp,
    wire_length: u32,
    /// A number for the link layer's octets; inside a tunnel that of the frame around it.
    frame: u32,
    /// Octets of those that were not captured.
    missing: usize,
    source: Option<Station>,
    destination: Option<Station>,
    vlan: Option<u16>,
    lan: Lan,
    /// How many packets this one is inside of.
    depth: u8,
}

/// One packet of a flow, to be counted and looked into.
struct Load<'a> {
    addresses: [Ip; 2],
    ports: [u16; 2],
    transport: Transport,
    flags: u8,
    sequence: u32,
    acknowledgement: u32,
    payload: &'a [u8],
    missing: usize,
}

impl Load<'_> {
    /// The network of its flow. Stations of a link have addresses of their own in any.
    #[inline]
    fn lan(&self, context: &Context) -> Lan {
        if self.transport.is_link() { Lan::default() } else { context.lan }
    }
}

impl Engine {
    /// An engine that keeps this much.
    pub fn new(detail: Detail) -> Self {
        Engine {
            flows: Flows::default(),
            fragments: Fragments::default(),
            mirror: Mirror::default(),
            buses: Buses::default(),
            sinks: Sinks::new(detail),
            output: Output::default(),
            sightings: HashMap::default(),
            sighting_rows: Vec::new(),
            probation: 0,
            profiles: 0,
            last_time: None,
            short_cuts: true,
        }
    }

    /// An engine that takes no short cut: every packet goes every stage of the way. Its tables are the same; tests
    /// compare them.
    pub fn plain(detail: Detail) -> Self {
        let mut engine = Engine::new(detail);
        engine.short_cuts = false;
        engine.sinks.memory_left = 0;
        engine
    }

    /// Starts a capture file of a source.
    pub fn start_capture(&mut self, source: &str, capture: &str) {
        let names = &mut self.sinks.dictionaries.names;
        self.sinks.source = names.id(source);
        self.sinks.coverage = rows::Coverage {
            source: self.sinks.source,
            capture: names.id(capture),
            status: names.fixed("whole"),
            ..rows::Coverage::default()
        };
        self.sinks.start_capture();
    }

    /// Ends a capture file; flows go on into the next file of the source. Gives what was counted.
    pub fn finish_capture(&mut self) -> rows::Coverage {
        self.sinks.finish_capture()
    }

    /// Ends a source: everything open is closed.
    pub fn finish_source(&mut self) {
        self.finish_buses();
        for slot in self.flows.all() {
            self.end_flow(slot);
        }
        self.fragments.finish();
        self.sinks.coverage.incomplete_fragments += self.fragments.given_up();
        self.fragments = Fragments::default();
        self.mirror = Mirror::default();
        self.flows = Flows::default();
        self.sightings.clear();
        self.sinks.rows.addresses.extend(self.sighting_rows.drain(..));
        self.sinks.finish_source();
        self.last_time = None;
        self.probation = 0;
    }

    /// The tables made so far, and the words of all of them.
    pub fn tables(&mut self) -> (&mut Rows, &mut Recorder, &mut Dictionaries) {
        let Sinks { rows, recorder, dictionaries, .. } = &mut self.sinks;
        (rows, recorder, dictionaries)
    }

    /// Rows that were made and not yet taken, of the tables that grow with the packets, and what the fields of activities
    /// were longer so far.
    pub fn rows(&self) -> usize {
        let Sinks { rows, recorder, .. } = &self.sinks;
        let rows = recorder.events.rows() + rows.pdus.rows() + rows.activities.rows() + rows.flows.rows();
        rows + self.sinks.octets_told() / OCTETS_A_ROW
    }

    /// From here on it remembers which conversations are control systems', for [`Engine::control`].
    pub fn tells_control(&mut self) {
        self.sinks.control = Some(Vec::new());
    }

    /// Conversations of control systems that were recognised since it was last asked.
    pub fn control(&mut self) -> impl Iterator<Item = Key> {
        self.sinks.control.iter_mut().flat_map(|told| told.drain(..))
    }

    /// The words of all rows.
    pub fn dictionaries(&mut self) -> &mut Dictionaries {
        &mut self.sinks.dictionaries
    }

    /// Takes one packet.
    pub fn packet(&mut self, packet: &Packet<'_>, frame: u64) {
        let stamp = Stamp { frame, time: packet.time_ns, capture: self.sinks.coverage.capture };
        self.count(packet);
        if checksums::is_sampled(frame) {
            self.sample(packet);
        }
        if !(self.short_cuts && self.usual(packet, stamp)) {
            self.any(packet, stamp);
        }
        if self.flows.may_need_sweep(packet.time_ns) {
            self.sweep(packet.time_ns);
        }
    }

    /// Takes a packet of any kind.
    #[inline(never)]
    fn any(&mut self, packet: &Packet<'_>, stamp: Stamp) {
        if buses::carries(packet.link_type) {
            return self.bus(packet, stamp);
        }
        let data = without_check_sequence(packet);
        match &link::parse(packet.link_type, data) {
            Some(Ok(link)) => {
                let header = (link.payload.as_ptr() as usize).wrapping_sub(data.as_ptr() as usize);
                let context = Context {
                    stamp,
                    wire_length: packet.original_length,
                    frame: mirror::frame(data.get(..header).unwrap_or_default()),
                    missing: (packet.original_length as usize).saturating_sub(packet.data.len()),
                    source: link.source,
                    destination: link.destination,
                    vlan: link.vlan,
                    lan: Lan::of(link.vlan),
                    depth: 0,
                };
                self.network(&context, link);
            }
            Some(Err(bad)) => self.undecoded(*bad, stamp),
            None => {
                self.sinks.coverage.undecoded_packets += 1;
                self.sinks.coverage.unknown_link_packets += 1;
            }
        }
    }

    /// Ends the flows that have been silent too long; where there are too many, those silent longest.
    fn sweep(&mut self, now: i64) {
        let Ending { idle, surplus } = self.flows.sweep(now);
        self.sinks.coverage.flows_evicted += surplus.len() as u64;
        for slot in idle.into_iter().chain(surplus) {
            self.end_flow(slot);
        }
    }

    /// Looks at the checksums of a packet. Of long ones, which were joined, nobody filled them in.
    #[inline(never)]
    fn sample(&mut self, packet: &Packet<'_>) {
        let coverage = &mut self.sinks.coverage;
        if let Some(right) = checksums::are_right(packet).filter(|_| packet.original_length <= LONGEST_FRAME) {
            coverage.checksums_tried += 1;
            coverage.checksums_wrong += u64::from(!right);
        }
    }

    fn count(&mut self, packet: &Packet<'_>) {
        let coverage = &mut self.sinks.coverage;
        coverage.packets += 1;
        coverage.bytes += u64::from(packet.original_length);
        coverage.long_packets += u64::from(packet.original_length > LONGEST_FRAME);
        let cut = u64::from(packet.original_length).saturating_sub(packet.data.len() as u64);
        coverage.cut_packets += u64::from(cut > 0);
        coverage.cut_bytes += cut;
        let (time, Some(last)) = (packet.time_ns, self.last_time) else { return self.tick(packet.time_ns) };
        // Nearly always the clock goes on, by less than ever before.
        let step = time.wrapping_sub(last) as u64;
        if step > coverage.silence || coverage.last_time != Some(last) {
            return self.tick(time);
        }
        coverage.last_time = Some(time);
        self.last_time = Some(time);
    }

    /// The packet clock starts, stands longer than before, jumps, or goes back.
    #[inline(never)]
    fn tick(&mut self, time: i64) {
        let coverage = &mut self.sinks.coverage;
        coverage.first_time = Some(coverage.first_time.map_or(time, |first| first.min(time)));
        coverage.last_time = Some(coverage.last_time.map_or(time, |last| last.max(time)));
        if let Some(last) = self.last_time.replace(time) {
            let step = time.saturating_sub(last);
            if step > coverage.silence as i64 {
                coverage.silence = step as u64;
                coverage.silence_start_time = Some(last);
            }
            coverage.clock_jumps += u64::from(!(-CLOCK_BACK_NS..=CLOCK_ON_NS).contains(&step));
        }
    }

    fn undecoded(&mut self, bad: BadHeader, stamp: Stamp) {
        self.sinks.coverage.undecoded_packets += 1;
        let BadHeader { layer, offset, expected } = bad;
        let odd = Odd { layer, offset, code: OddityCode::BadHeader, expected: expected.to_string() };
        self.sinks.oddity([None, None], stamp, odd);
    }

    /// Remembers that an IP address was seen with a MAC address; gives its row.
    fn sighting(&mut self, ip: Ip, mac: Mac, context: &Context, by_arp: bool) -> Option<u32> {
        let known = self.sightings.get(&(ip, mac, context.vlan, by_arp)).copied();
        let rows = &mut self.sighting_rows;
        let row = match known {
            Some(row) => row,
            None if self.sightings.len() >= MAX_SIGHTINGS => {
                self.sinks.coverage.addresses_dropped += 1;
                return None;
            }
            None => {
                let dictionaries = &mut self.sinks.dictionaries;
                rows.push(rows::Address {
                    source: self.sinks.source,
                    capture: context.stamp.capture,
                    address: dictionaries.addresses.ip(ip),
                    mac: dictionaries.addresses.mac(mac),
                    vlan: context.vlan,
                    via: dictionaries.names.fixed(if by_arp { "arp" } else { "ip" }),
                    packets: 0,
                    first_time: context.stamp.time,
                    last_time: context.stamp.time,
                    first_frame: context.stamp.frame,
                    last_frame: context.stamp.frame,
                });
                let row = rows.len() as u32 - 1;
                self.sightings.insert((ip, mac, context.vlan, by_arp), row);
                row
            }
        };
        if by_arp {
            seen_again(&mut rows[row as usize], 1, (context.stamp.time, context.stamp.frame));
        }
        Some(row)
    }

    /// Counts one packet of a flow and looks into what it carries.
    #[inline]
    fn load(&mut self, context: &Context, load: &Load<'_>) {
        let key = Key::new(load.addresses, load.ports, load.transport);
        let lan = load.lan(context);
        let mut slot = self.flows.find_in(&key, (load.addresses[0], load.ports[0]), lan, load.sequence);
        if let Some(old) = slot.filter(|_| load.flags & (flag::SYN | flag::ACK) == flag::SYN) {
            if self.flows.get(old).is_some_and(|flow| is_over(flow)) {
                self.end_flow(old);
                slot = None;
            }
        }
        let slot = match slot {
            Some(slot) => slot,
            None => self.new_flow(context, load, key),
        };
        let Some(flow) = self.flows.get(slot) else { return };
        let direction = flow.direction(load.addresses[0], load.ports[0]);
        let side = direction as usize;
        let new_mac = context.source.and_then(Station::mac).filter(|_| !load.transport.is_link());
        let new_mac = new_mac.filter(|mac| flow.sightings[side].is_none() || flow.macs[side] != Some(*mac));
        if let Some(mac) = new_mac {
            self.seen_with(slot, side, mac, context, load.addresses[0]);
        }
        let Some(flow) = self.flows.get(slot) else { return };
        flow.packets[side] += 1;
        flow.bytes[side] += u64::from(context.wire_length);
        flow.last[side] = (context.stamp.time, context.stamp.frame);
        flow.flags[side] |= load.flags;
        flow.seen_in(direction, lan);
        if load.flags & flag::SYN != 0 && flow.opener.is_none() {
            let opener = if load.flags & flag::ACK == 0 { direction } else { direction.opposite() };
            flow.opener = Some(opener);
        }
        match load.transport {
            Transport::Tcp => {
                let &Load { ports, flags, sequence, acknowledgement, payload, missing, .. } = load;
                let segment = Segment { ports, sequence, acknowledgement, flags, payload, missing };
                self.segment(slot, direction, context.stamp, &segment);
            }
            _ if !load.payload.is_empty() => self.datagram(slot, direction, context.stamp, load),
            _ => {}
        }
    }

    #[cold]
    fn new_flow(&mut self, context: &Context, load: &Load<'_>, key: Key) -> u32 {
        let addresses = &mut self.sinks.dictionaries.addresses;
        let intern = |address: Ip, station: Option<Station>, addresses: &mut Addresses| match station {
            Some(station) if load.transport.is_link() => addresses.station(station),
            _ => addresses.ip(address),
        };
        self.sinks.coverage.flows += 1;
        let ends = [
            intern(load.addresses[0], context.source, addresses),
            intern(load.addresses[1], context.destination, addresses),
        ];
        let agreed = (load.transport == Transport::Tcp).then(|| self.sinks.agreed(ends, load.ports)).flatten();
        self.flows.insert(Flow {
            key,
            addresses: ends,
            ports: load.ports,
            endpoints: load.addresses,
            macs: [None, context.destination.and_then(Station::mac)],
            sightings: [None, None],
            vlan: context.vlan,
            lans: [None; 2],
            capture: context.stamp.capture,
            packets: [0; 2],
            bytes: [0; 2],
            first: (context.stamp.time, context.stamp.frame),
            last: [(context.stamp.time, context.stamp.frame); 2],
            sighted: [0; 2],
            swept: (0, context.stamp.time),
            flags: [0; 2],
            opener: opener_on_line(load),
            starts: [None; 2],
            service: agreed.map(|service| (service, Basis::Content)),
            loaded: 0,
            profile: None,
            content: Content::Unknown(None),
        })
    }

    /// The address of one side of a flow is seen with another MAC address than before.
    #[cold]
    fn seen_with(&mut self, slot: u32, side: usize, mac: Mac, context: &Context, address: Ip) {
        let row = self.sighting(address, mac, context, false);
        let Some(flow) = self.flows.get(slot) else { return };
        settle_sighting(flow, side, &mut self.sighting_rows);
        flow.macs[side] = Some(mac);
        flow.sightings[side] = row;
    }

    #[inline]
    fn segment(&mut self, slot: u32, direction: Direction, stamp: Stamp, load: &Segment<'_>) {
        let Engine { flows, sinks, .. } = self;
        let Some(flow) = flows.get(slot) else { return };
        // Nearly always nothing is out of order, and what is said was said before.
        let again = self.short_cuts && dialogue::again(flow, direction, load, stamp, sinks);
        if !again {
            self.any_segment(slot, direction, stamp, load);
        }
    }

    #[inline(never)]
    fn any_segment(&mut self, slot: u32, direction: Direction, stamp: Stamp, load: &Segment<'_>) {
        let Engine { flows, sinks, output, probation, profiles, .. } = self;
        let Some(flow) = flows.get(slot) else { return };
        let sequence = load.sequence.wrapping_add(u32::from(load.flags & flag::SYN != 0));
        let loaded = !load.payload.is_empty() || load.missing > 0;
        if loaded {
            profile::look_at(flow, direction, load.payload, stamp.time, profiles);
            flow.loaded = flow.loaded.saturating_add(1);
            look_for_service(flow, load.payload, by_stream);
        }
        if load.flags & flag::SYN != 0 {
            flow.starts[direction as usize] = Some(sequence);
        }
        match &mut flow.content {
            Content::Stream(stream) => {
                if load.flags & flag::SYN != 0 {
                    stream.halves[direction as usize].synchronise(load.sequence);
                }
                let seen = Seen { direction, sequence, payload: load.payload, missing: load.missing, stamp };
                let acknowledgement = (load.flags & flag::ACK != 0).then_some(load.acknowledgement);
                dialogue::segment(flow, seen, acknowledgement, sinks, output);
                dialogue::settle(flow, sinks, output);
            }
            Content::Unknown(state) if loaded => {
                let mut on_probation = state.take().unwrap_or_default();
                *probation = probation.saturating_sub(on_probation.octets());
                let seen = Seen { direction, sequence, payload: load.payload, missing: load.missing, stamp };
                let opening = Opening { opener: flow.opener, starts: flow.starts, ports: flow.ports };
                match on_probation.segment(registry::STREAMS, registry::SERVICE_STREAMS, seen, opening) {
                    Some(recognised) => {
                        dialogue::start_stream(flow, recognised, sinks, output);
                        dialogue::settle(flow, sinks, output);
                    }
                    None => {
                        let octets = on_probation.octets();
                        if *probation + octets <= MAX_PROBATION {
                            *probation += octets;
                            flow.content = Content::Unknown(Some(on_probation));
                        } else {
                            // What follows is no longer all that was said.
                            flow.starts = [None; 2];
                            sinks.coverage.recognitions_dropped += 1;
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn datagram(&mut self, slot: u32, direction: Direction, stamp: Stamp, load: &Load<'_>) {
        let Engine { flows, sinks, output, probation, profiles, .. } = self;
        let Some(flow) = flows.get(slot) else { return };
        profile::look_at(flow, direction, load.payload, stamp.time, profiles);
        flow.loaded = flow.loaded.saturating_add(1);
        if let Content::Unknown(state) = &mut flow.content {
            let mut on_probation = state.take().unwrap_or_default();
            *probation = probation.saturating_sub(on_probation.octets());
            let seen = Seen { direction, sequence: 0, payload: load.payload, missing: load.missing, stamp };
            let protocols = match flow.key.transport() {
                Transport::Udp | Transport::Tcp => registry::DATAGRAMS,
                Transport::Icmp => registry::CONTROL_MESSAGES,
                Transport::Ip(number) => registry::packets(number),
                Transport::Ethernet | Transport::Arcnet | Transport::Mstp => registry::frames(flow.ports[0]),
                Transport::Serial => registry::LINES,
                Transport::Profibus => registry::PROFIBUS,
            };
            match on_probation.datagram(protocols, seen, flow.ports, flow.opener) {
                Some((session, kept)) => {
                    dialogue::start_datagrams(flow, session, &kept, sinks, output);
                    dialogue::settle(flow, sinks, output);
                }
                None if !on_probation.is_empty() && *probation + on_probation.octets() <= MAX_PROBATION => {
                    *probation += on_probation.octets();
                    flow.content = Content::Unknown(Some(on_probation));
                }
                None => sinks.coverage.recognitions_dropped += u64::from(!on_probation.is_empty()),
            }
            if flow.key.transport() == Transport::Udp {
                look_for_service(flow, load.payload, by_datagram);
            }
            return;
        }
        let seen = Seen { direction, sequence: 0, payload: load.payload, missing: load.missing, stamp };
        dialogue::datagram(flow, seen, sinks, output);
        dialogue::settle(flow, sinks, output);
    }

    fn end_flow(&mut self, slot: u32) {
        let Some(mut flow) = self.flows.remove(slot) else { return };
        if let Content::Unknown(Some(on_probation)) = &flow.content {
            self.probation = self.probation.saturating_sub(on_probation.octets());
        }
        let Engine { sinks, output, sighting_rows, .. } = self;
        for side in [0, 1] {
            settle_sighting(&mut flow, side, sighting_rows);
        }
        dialogue::finish(&mut flow, sinks, output);
        self.profiles -= usize::from(flow.profile.is_some());
        sinks.flow(&flow);
    }
}

/// The octets of a packet without the frame check sequence that the file says is at their end.
#[inline]
fn without_check_sequence<'a>(packet: &Packet<'a>) -> &'a [u8] {
    let Some(octets) = packet.fcs_octets else { return packet.data };
    let on_wire = packet.data.len().max(packet.original_length as usize);
    &packet.data[..packet.data.len().min(on_wire.saturating_sub(usize::from(octets)))]
}

fn seen_again(row: &mut rows::Address, packets: u64, last: (i64, u64)) {
    row.packets += packets;
    (row.last_time, row.last_frame) = last.max((row.last_time, row.last_frame));
}

/// Counts the packets of one side of a flow in the row of its address and MAC address.
fn settle_sighting(flow: &mut Flow, side: usize, rows: &mut [rows::Address]) {
    let packets = flow.packets[side] - flow.sighted[side];
    flow.sighted[side] = flow.packets[side];
    if let Some(row) = flow.sightings[side].and_then(|row| rows.get_mut(row as usize)).filter(|_| packets > 0) {
        seen_again(row, packets, flow.last[side]);
    }
}

/// The client of a line of Modbus, which is known by having no number.
fn opener_on_line(load: &Load<'_>) -> Option<Direction> {
    let is_client = |side: usize| u64::try_from(load.addresses[side].0).is_ok_and(BusStation::is_client);
    match load.transport {
        Transport::Serial if is_client(0) => Some(Direction::Forward),
        Transport::Serial if is_client(1) => Some(Direction::Backward),
        _ => None,
    }
}

/// True where a SYN starts a new connection on the same ports.
fn is_over(flow: &Flow) -> bool {
    let both = flow.flags[0] | flow.flags[1];
    flow.loaded > 0 || both & (flag::FIN | flag::RST) != 0
}

fn look_for_service(flow: &mut Flow, payload: &[u8], by: fn(&[u8], [u16; 2]) -> Option<&'static str>) {
    if flow.loaded <= SERVICE_LOOKS && flow.service.is_none() {
        flow.service = by(payload, flow.ports).map(|service| (service, Basis::Content));
    }
}
