//! The flow table: who speaks with whom, how much, and the conversation of a protocol inside.

use hashbrown::HashMap;

use crate::lan::Lan;
use crate::net::ip::{Ip, flag};
use crate::net::link::Mac;
use crate::net::tcp::Half;
use crate::recognise::Probation;
use crate::services::Basis;
use crate::session::Direction;
use crate::stream::Assembly;
use crate::talk::Talk;

/// Flows kept at once; beyond it those silent longest are given up, and counted.
pub const MAX_FLOWS: usize = 88_000;
/// Flows of the same addresses and ports in different networks; further ones are mixed with one of these.
const MAX_TWINS: u8 = 16;
const SECOND: i64 = 1_000_000_000;
/// Packet time from one sweep to the next, and how many places of flows it looks at for each packet at most.
const SWEEP: i64 = 60 * SECOND;
const SLOTS_A_PACKET: usize = 16;
/// Silence after which a flow ends: closed TCP, open TCP, everything else.
const IDLE_CLOSED: i64 = 60 * SECOND;
const IDLE_OPEN: i64 = 4 * 3_600 * SECOND;
const IDLE_OTHER: i64 = 600 * SECOND;

/// What carries a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP of either version.
    Icmp,
    /// Another protocol of the internet layer.
    Ip(u8),
    /// No internet layer: addresses are MACs, the port is the EtherType or the service access point of LLC.
    Ethernet,
    /// The same of an ARCnet: addresses are nodes.
    Arcnet,
    /// The same of a BACnet MS/TP bus: addresses are stations.
    Mstp,
}

impl Transport {
    /// The word for it in tables; that of another internet protocol is followed by its number.
    pub const fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Icmp => "icmp",
            Transport::Ip(_) => "ip",
            Transport::Ethernet => "ethernet",
            Transport::Arcnet => "arcnet",
            Transport::Mstp => "mstp",
        }
    }

    /// True where no internet layer is between the link and what it carries.
    #[inline]
    pub const fn is_link(self) -> bool {
        matches!(self, Transport::Ethernet | Transport::Arcnet | Transport::Mstp)
    }
}

/// A flow's key, the same for both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    addresses: [Ip; 2],
    ports: [u16; 2],
    transport: Transport,
    /// Tells flows apart that have the rest in common, in different networks; 0 for nearly all.
    twin: u8,
}

impl Key {
    /// What carries the flow.
    pub const fn transport(&self) -> Transport {
        self.transport
    }

    /// The key of a packet from the first to the second endpoint.
    #[inline]
    pub fn new(addresses: [Ip; 2], ports: [u16; 2], transport: Transport) -> Self {
        if (addresses[0], ports[0]) <= (addresses[1], ports[1]) {
            Key { addresses, ports, transport, twin: 0 }
        } else {
            Key { addresses: [addresses[1], addresses[0]], ports: [ports[1], ports[0]], transport, twin: 0 }
        }
    }
}

/// A recognised protocol over TCP.
#[derive(Clone)]
pub struct Stream {
    /// The protocol's conversation.
    pub talk: Talk,
    /// Both directions, put in order.
    pub halves: [Half; 2],
    /// Both directions, cut into messages.
    pub assemblies: [Assembly; 2],
}

/// What speaks inside a flow.
#[derive(Clone)]
pub enum Content {
    /// Not known (yet).
    Unknown(Option<Box<Probation>>),
    /// A protocol over TCP.
    Stream(Box<Stream>),
    /// A protocol over UDP, or over a link.
    Datagrams(Box<Talk>),
    /// A service of which nothing more is to be learnt, and which way its client was seen to speak.
    Quiet(Option<Direction>),
}

/// One flow. Arrays are by direction: forward is from the endpoint that was seen to send first.
#[derive(Clone)]
pub struct Flow {
    /// Its key.
    pub key: Key,
    /// Interned addresses.
    pub addresses: [u32; 2],
    /// Ports.
    pub ports: [u16; 2],
    /// Addresses themselves, to tell directions.
    pub endpoints: [Ip; 2],
    /// MAC seen with each address.
    pub macs: [Option<Mac>; 2],
    /// Row of the address table for each.
    pub sightings: [Option<u32>; 2],
    /// Innermost VLAN of the first packet.
    pub vlan: Option<u16>,
    /// The network that packets were seen in each way: a capture may have tags in one of them only.
    pub lans: [Option<Lan>; 2],
    /// Capture file of the first packet.
    pub capture: u32,
    /// Packets.
    pub packets: [u64; 2],
    /// Octets on the wire.
    pub bytes: [u64; 2],
    /// First packet: time and frame.
    pub first: (i64, u64),
    /// Last packet each way: time and frame.
    pub last: [(i64, u64); 2],
    /// Packets each way that the rows of the address table count already.
    pub sighted: [u64; 2],
    /// Packets when the table was swept last, and the table's time of the last one of them.
    pub swept: (u64, i64),
    /// TCP flags seen.
    pub flags: [u8; 2],
    /// Who sent the SYN.
    pub opener: Option<Direction>,
    /// Sequence numbers of the first octets each way, where the SYN was seen, until a protocol is recognised.
    pub starts: [Option<u32>; 2],
    /// Service, as far as its content or a session showed it.
    pub service: Option<(&'static str, Basis)>,
    /// Payload-carrying packets so far.
    pub loaded: u32,
    /// What speaks inside.
    pub content: Content,
}

impl Flow {
    /// Direction of a packet with these endpoints.
    #[inline]
    pub fn direction(&self, source: Ip, port: u16) -> Direction {
        if self.endpoints[0] == source && self.ports[0] == port { Direction::Forward } else { Direction::Backward }
    }

    /// How sure it is that a packet belongs here, and not to a flow of the same addresses and ports in another network; 0
    /// where it does not. What comes next in the stream does: of two copies, one in each network that a router connects,
    /// the capture may hold either.
    fn claim(&self, source: Ip, port: u16, lan: Lan, sequence: u32) -> u8 {
        let direction = self.direction(source, port);
        let way = direction as usize;
        let comes_next = || matches!(&self.content, Content::Stream(stream) if stream.halves[way].awaits(sequence));
        match (self.lans[way], self.lans[direction.opposite() as usize]) {
            (Some(own), _) if own == lan => 4,
            (Some(own), _) if own.agrees(lan) => 3,
            (Some(_), _) => u8::from(comes_next()),
            (None, Some(other)) if other.agrees(lan) => 2,
            (None, _) => 1,
        }
    }

    /// Notes the network of a packet.
    #[inline]
    pub fn seen_in(&mut self, direction: Direction, lan: Lan) {
        let own = &mut self.lans[direction as usize];
        if *own != Some(lan) {
            *own = Some(own.map_or(lan, |own| if own.agrees(lan) { own.joined(lan) } else { own }));
        }
    }

    /// Its last packet: time and frame.
    pub fn last(&self) -> (i64, u64) {
        self.last[0].max(self.last[1])
    }

    /// State as the tables name it.
    pub fn state(&self) -> &'static str {
        if self.key.transport != Transport::Tcp {
            return if self.packets[1] > 0 { "two_way" } else { "one_way" };
        }
        let both = self.flags[0] | self.flags[1];
        let opened_only = both & flag::SYN != 0 && self.loaded == 0;
        let handshake = self.flags.iter().all(|flags| flags & flag::SYN != 0);
        match () {
            () if opened_only && !handshake && both & flag::RST != 0 => "refused",
            () if opened_only && !handshake => "attempted",
            () if both & flag::RST != 0 => "reset",
            () if both & flag::FIN != 0 => "closed",
            () => "established",
        }
    }

    /// Which way the client of a protocol was seen to speak.
    pub fn client(&self) -> Option<Direction> {
        match &self.content {
            Content::Unknown(_) => None,
            Content::Stream(stream) => stream.talk.client,
            Content::Datagrams(talk) => talk.client,
            Content::Quiet(client) => *client,
        }
    }

    /// Which direction leads from the client to the server.
    pub fn client_direction(&self, is_service: impl Fn(u16) -> bool) -> Direction {
        if let Some(direction) = self.client().or(self.opener) {
            return direction;
        }
        match (is_service(self.ports[0]), is_service(self.ports[1])) {
            (true, false) => Direction::Backward,
            (false, true) => Direction::Forward,
            _ if self.key.transport == Transport::Tcp && self.ports[0] < 1024 && self.ports[1] >= 1024 => {
                Direction::Backward
            }
            _ => Direction::Forward,
        }
    }

    /// Notes whether there were packets since the last sweep. Captures of several clocks are one after the other in
    /// none of them: what the flow's own clock says counts as far as it lies between the two sweeps.
    fn sweep(&mut self, before: i64, now: i64) {
        let packets = self.packets[0] + self.packets[1];
        if packets != self.swept.0 {
            self.swept = (packets, self.last().0.clamp(before, now));
        }
    }

    fn idle_limit(&self) -> i64 {
        let both = self.flags[0] | self.flags[1];
        match self.key.transport {
            Transport::Tcp if both & (flag::FIN | flag::RST) != 0 => IDLE_CLOSED,
            Transport::Tcp => IDLE_OPEN,
            _ => IDLE_OTHER,
        }
    }
}

/// Addresses and ports of a TCP segment in IPv4, sender first, as they stand in its headers.
pub type Ends = [u8; 12];

/// Places of flows that are found without a search: the two seen last at each, by their ends.
const GUESSES: usize = 4_096;

/// Slot and direction of what was last sent between such ends.
#[derive(Clone, Copy)]
struct Guess {
    ends: Ends,
    slot: u32,
    direction: Direction,
}

const NO_GUESS: Guess = Guess { ends: [0; 12], slot: u32::MAX, direction: Direction::Forward };

#[derive(Clone)]
struct Guesses(Box<[[Guess; 2]; GUESSES]>);

impl Default for Guesses {
    fn default() -> Self {
        Guesses(Box::new([[NO_GUESS; 2]; GUESSES]))
    }
}

impl Guesses {
    /// The place of such ends; those that share it are searched for.
    #[inline]
    fn place(ends: &Ends) -> usize {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = *ends;
        let number = u64::from_le_bytes([a, b, c, d, e, f, g, h]) ^ u64::from(u32::from_le_bytes([i, j, k, l])) << 16;
        // 2^64 by the golden ratio.
        (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % GUESSES
    }

    /// Forgets both ways of a flow.
    fn forget(&mut self, flow: &Flow) {
        let [one, other] = flow.endpoints.map(|ip| (ip.0 as u32).to_be_bytes());
        let [from, to] = flow.ports.map(u16::to_be_bytes);
        for (source, destination, ports) in [(one, other, [from, to]), (other, one, [to, from])] {
            let mut ends = NO_GUESS.ends;
            let octets = source.into_iter().chain(destination).chain(ports.into_iter().flatten());
            ends.iter_mut().zip(octets).for_each(|(end, octet)| *end = octet);
            let guesses = &mut self.0[Guesses::place(&ends)];
            guesses.iter_mut().filter(|guess| guess.ends == ends).for_each(|guess| *guess = NO_GUESS);
        }
    }
}

/// All flows, in the order in which they appeared.
#[derive(Clone)]
pub struct Flows {
    guesses: Guesses,
    index: HashMap<Key, u32, foldhash::fast::RandomState>,
    slots: Vec<Option<Flow>>,
    free: Vec<u32>,
    latest: Option<(Key, u32)>,
    /// Flows beside the first of their addresses and ports.
    twins: usize,
    /// The latest time of any sweep; time that goes back does not count.
    last_sweep: Option<i64>,
    next_sweep: i64,
    /// How often a sweep that is due was put off.
    put_off: usize,
}

/// Slots of flows that end: those silent too long, and those that have to give way to new ones.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// Silent too long.
    pub idle: Vec<u32>,
    /// Too many.
    pub surplus: Vec<u32>,
}

impl Default for Flows {
    fn default() -> Self {
        Flows {
            guesses: Guesses::default(),
            index: HashMap::default(),
            slots: Vec::new(),
            free: Vec::new(),
            latest: None,
            twins: 0,
            last_sweep: None,
            next_sweep: i64::MIN,
            put_off: 0,
        }
    }
}

impl Flows {
    /// Slot of a flow.
    #[inline]
    pub fn find(&mut self, key: &Key) -> Option<u32> {
        if let Some((latest, slot)) = &self.latest {
            if latest == key {
                return Some(*slot);
            }
        }
        let slot = *self.index.get(key)?;
        self.latest = Some((*key, slot));
        Some(slot)
    }

    /// Slot and direction of a segment between such ends, where they were noted.
    #[inline]
    pub fn guess(&self, ends: &Ends) -> Option<(u32, Direction)> {
        let [one, other] = &self.guesses.0[Guesses::place(ends)];
        let guess = if one.ends == *ends { one } else { other };
        (guess.ends == *ends && guess.slot != u32::MAX).then_some((guess.slot, guess.direction))
    }

    /// Notes slot and direction of what is sent between such ends.
    pub fn note(&mut self, ends: &Ends, slot: u32, direction: Direction) {
        let [one, other] = &mut self.guesses.0[Guesses::place(ends)];
        *other = std::mem::replace(one, Guess { ends: *ends, slot, direction });
    }

    /// Slot of the flow that a packet belongs to: its key, sender, network and sequence number.
    #[inline]
    pub fn find_in(&mut self, key: &Key, (source, port): (Ip, u16), lan: Lan, sequence: u32) -> Option<u32> {
        let first = self.find(key);
        let flow = first.and_then(|slot| self.slots.get(slot as usize)?.as_ref());
        match flow {
            None if self.twins == 0 => None,
            Some(flow) if flow.lans[flow.direction(source, port) as usize] == Some(lan) => first,
            _ => self.find_twin(key, (source, port), lan, sequence),
        }
    }

    #[cold]
    fn find_twin(&self, key: &Key, (source, port): (Ip, u16), lan: Lan, sequence: u32) -> Option<u32> {
        let twins = if self.twins == 0 { 1 } else { MAX_TWINS };
        let slots = (0..twins).filter_map(|twin| self.index.get(&Key { twin, ..*key }).copied());
        let (mut best, mut last, mut count) = (None, None, 0);
        for slot in slots {
            let flow = self.slots.get(slot as usize)?.as_ref()?;
            let claim = flow.claim(source, port, lan, sequence);
            if claim > best.map_or(0, |(most, _)| most) {
                best = Some((claim, slot));
            }
            (last, count) = (Some(slot), count + 1);
        }
        best.map(|(_, slot)| slot).or(last.filter(|_| count == MAX_TWINS))
    }

    /// The flow in a slot.
    #[inline]
    pub fn get(&mut self, slot: u32) -> Option<&mut Flow> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// Adds a flow; where there is one of its key, as another of that.
    pub fn insert(&mut self, mut flow: Flow) -> u32 {
        while flow.key.twin + 1 < MAX_TWINS && self.index.contains_key(&flow.key) {
            flow.key.twin += 1;
        }
        let key = flow.key;
        self.twins += usize::from(key.twin > 0);
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(flow);
                slot
            }
            None => {
                self.slots.push(Some(flow));
                self.slots.len() as u32 - 1
            }
        };
        self.index.insert(key, slot);
        slot
    }

    /// Takes a flow out.
    pub fn remove(&mut self, slot: u32) -> Option<Flow> {
        let flow = self.slots.get_mut(slot as usize)?.take()?;
        self.index.remove(&flow.key);
        self.twins -= usize::from(flow.key.twin > 0);
        self.guesses.forget(&flow);
        self.free.push(slot);
        self.latest = None;
        Some(flow)
    }

    /// True where a sweep may be due: a minute of packet time has passed, or there are too many flows.
    #[inline]
    pub fn may_need_sweep(&self, now: i64) -> bool {
        now >= self.next_sweep || self.index.len() >= MAX_FLOWS
    }

    /// Slots of the flows that end now, mostly none. A sweep looks at every flow: for each of them, packets enough to
    /// pay for that come first.
    #[cold]
    pub fn sweep(&mut self, now: i64) -> Ending {
        let is_full = self.index.len() >= MAX_FLOWS;
        self.put_off += 1;
        if !is_full && self.put_off <= self.slots.len() / SLOTS_A_PACKET {
            return Ending::default();
        }
        let before = self.last_sweep.unwrap_or(now);
        let now = now.max(before);
        (self.last_sweep, self.next_sweep, self.put_off) = (Some(now), now.saturating_add(SWEEP), 0);
        self.slots.iter_mut().flatten().for_each(|flow| flow.sweep(before, now));
        let idle = self.slots_where(|flow| now.saturating_sub(flow.swept.1) > flow.idle_limit());
        let most = (MAX_FLOWS / 8).saturating_sub(idle.len());
        let surplus = if is_full && most > 0 { self.silent(most, &idle) } else { Vec::new() };
        Ending { idle, surplus }
    }

    /// Slots of so many flows that have been silent longest, beside others (in order).
    fn silent(&self, most: usize, others: &[u32]) -> Vec<u32> {
        let flows = (0..).zip(&self.slots).filter_map(|(slot, flow)| Some((slot, flow.as_ref()?)));
        let mut silent: Vec<((i64, i64), u32)> = flows
            .filter(|(slot, _)| others.binary_search(slot).is_err())
            .map(|(slot, flow)| ((flow.swept.1, flow.last().0), slot))
            .collect();
        silent.sort_unstable();
        silent.truncate(most);
        silent.into_iter().map(|(_, slot)| slot).collect()
    }

    /// All slots in use.
    pub fn all(&self) -> Vec<u32> {
        self.slots_where(|_| true)
    }

    fn slots_where(&self, condition: impl Fn(&Flow) -> bool) -> Vec<u32> {
        (0..).zip(&self.slots).filter(|(_, flow)| flow.as_ref().is_some_and(&condition)).map(|(slot, _)| slot).collect()
    }
}

#[cfg(test)]
mod tests;
