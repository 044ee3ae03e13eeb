//! Where decoded messages, oddities, claims and ended flows go: rows, by way of the exchanges.

use std::hash::BuildHasher;

use hashbrown::{HashMap, HashTable};

use crate::activity::Activities;
use crate::columns::{Table, rows};
use crate::community;
use crate::crowd::Crowd;
use crate::exchange::{Conversation, Exchange};
use crate::flows::{Flow, Key, Transport};
use crate::intern::{Dictionaries, NONE};
use crate::model::{Message, OddityCode, Protocol, Unit};
use crate::net::ip::Ip;
use crate::net::link::{Station, ethertype};
use crate::net::tcp::Stamp;
use crate::record::{Dialogue, Recorder};
use crate::refrain::Told;
use crate::services::{self, Basis};
use crate::session::{Direction, Expected, Output};
use crate::unknown::Tally;

/// Oddities kept of one code and capture file.
const MAX_ODDITIES: u32 = 1_000;
/// What all flows together remember to find it again may take so much.
const MAX_REMEMBERED: usize = 16 << 20;
/// Agreed connections that are waited for; where there are more, all are forgotten.
const MAX_EXPECTED: usize = 4_096;
/// Distinct statements about devices kept, and octets of them.
const MAX_CLAIMS: usize = 100_000;
const MAX_CLAIM_OCTETS: usize = 16 << 20;

/// Conversations of control systems that wait to be told; of more, those told later are not told.
const MAX_CONTROL: usize = 4_096;

/// What conversations hold of what was said. Each kind has a bound of its own for all conversations together: who fills
/// one takes no room from the others.
#[derive(Clone, Copy, Debug)]
pub enum Hold {
    /// Half-built messages, and segments that wait for holes to be filled.
    Parts,
    /// Requests that await an answer, and answers that await their request.
    Requests,
    /// Octets that were delivered, to compare repetitions with.
    History,
}

/// Octets of each kind.
pub type Held = [usize; 3];

/// What all conversations together hold at most.
const MAX_HELD: Held = [32 << 20, 16 << 20, 16 << 20];

/// What is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Aggregates, and the events that matter.
    #[default]
    Aggregates,
    /// Aggregates, and every event.
    Events,
    /// Every PDU; no events.
    Pdus,
}

/// Rows made so far, by table.
#[derive(Clone, Default)]
pub struct Rows {
    /// PDUs.
    pub pdus: Table<rows::Pdu>,
    /// Flows that ended.
    pub flows: Table<rows::Flow>,
    /// Statements about devices, of sources that ended.
    pub claims: Table<rows::Claim>,
    /// Pairs of IP and MAC address, of sources that ended.
    pub addresses: Table<rows::Address>,
    /// What hosts did in the protocols of services.
    pub activities: Table<rows::Activity>,
    /// Malformed input.
    pub oddities: Table<rows::Oddity>,
}

/// Something malformed: which layer, where, which kind, what was expected.
pub struct Odd {
    /// Layer.
    pub layer: &'static str,
    /// Octets into the message or header.
    pub offset: u32,
    /// Which kind.
    pub code: OddityCode,
    /// What was expected and found.
    pub expected: String,
}

/// Receives the results of sessions.
#[derive(Clone, Default)]
pub struct Sinks {
    /// What is kept.
    pub detail: Detail,
    /// Words of all rows.
    pub dictionaries: Dictionaries,
    /// Events and aggregates.
    pub recorder: Recorder,
    /// All other rows.
    pub rows: Rows,
    /// What the current capture file let us see.
    pub coverage: rows::Coverage,
    /// Current capture point.
    pub source: u32,
    /// Octets that flows may still take to remember what repeats.
    pub memory_left: usize,
    /// What all conversations together hold.
    held: Held,
    /// Where the rows are that were made of what was decoded last.
    pub told: Told,
    /// Conversations of control systems that were recognised, where somebody asks for them.
    pub control: Option<Vec<Key>>,
    /// Rows of claims by what they say.
    claims: HashTable<usize>,
    claim_rows: Vec<rows::Claim>,
    /// Services of agreed connections, by listener, its port, and the other host.
    expected: HashMap<(u32, u16, u32), &'static str, foldhash::fast::RandomState>,
    claim_octets: usize,
    hasher: foldhash::fast::RandomState,
    oddity_counts: HashMap<u32, u32, foldhash::fast::RandomState>,
    /// Octets of no message and messages decoded in part, by protocol.
    undecoded: HashMap<Protocol, (u64, u64), foldhash::fast::RandomState>,
    unknown: Tally,
    crowd: Crowd,
    activities: Activities,
}

impl Sinks {
    /// Sinks that keep this much.
    pub fn new(detail: Detail) -> Self {
        let mut sinks = Sinks { detail, memory_left: MAX_REMEMBERED, ..Sinks::default() };
        sinks.recorder.keep_all = detail == Detail::Events;
        sinks
    }

    /// A capture file starts: its own limits count anew.
    pub fn start_capture(&mut self) {
        self.oddity_counts.clear();
    }

    /// A capture file ends; gives what it let us see.
    pub fn finish_capture(&mut self) -> rows::Coverage {
        let Dictionaries { names, addresses } = &mut self.dictionaries;
        let mut coverage = std::mem::take(&mut self.coverage);
        coverage.events = std::mem::take(&mut self.recorder.seen);
        coverage.events_thinned = std::mem::take(&mut self.recorder.thinned);
        coverage.activities_coalesced = std::mem::take(&mut self.activities.coalesced);
        coverage.activities_dropped = std::mem::take(&mut self.activities.dropped);
        coverage.combinations_coalesced = std::mem::take(&mut self.recorder.ledger.coalesced);
        coverage.units_folded = std::mem::take(&mut addresses.units_folded);
        coverage.unknown = self.unknown.take(names.fixed(""));
        let undecoded = std::mem::take(&mut self.undecoded);
        let of = |protocol: &Protocol| Some((*protocol, *undecoded.get(protocol)?));
        coverage.undecoded = Protocol::ALL
            .iter()
            .filter_map(of)
            .map(|(protocol, (bytes, messages))| rows::Undecoded {
                protocol: names.fixed(protocol.name()),
                bytes,
                messages,
            })
            .collect();
        coverage
    }

    /// A conversation holds so many octets of a kind now, instead of so many; true where all together hold too much, and
    /// the one that would hold more has to give its own up.
    #[inline]
    pub fn holds_too_much(&mut self, kind: Hold, held: &mut Held, now: usize) -> bool {
        let (held, all) = (&mut held[kind as usize], &mut self.held[kind as usize]);
        let before = std::mem::replace(held, now);
        *all = (*all + now).saturating_sub(before);
        now > before && *all > MAX_HELD[kind as usize]
    }

    /// A conversation gave up its half-built messages.
    #[cold]
    pub fn gave_up(&mut self, held: &mut Held) {
        self.holds_too_much(Hold::Parts, held, 0);
        self.coverage.messages_dropped += 1;
    }

    /// A conversation ends.
    pub fn holds_nothing(&mut self, held: &mut Held) {
        for kind in [Hold::Parts, Hold::Requests, Hold::History] {
            self.holds_too_much(kind, held, 0);
        }
    }

    /// Takes room for what a flow remembers instead of something else; false where there is not so much.
    pub fn remembers(&mut self, octets: usize, instead_of: usize) -> bool {
        let left = (self.memory_left + instead_of).checked_sub(octets);
        self.memory_left = left.unwrap_or(self.memory_left);
        left.is_some()
    }

    /// Octets of the fields of activities that became rows.
    pub fn octets_told(&self) -> usize {
        self.activities.told
    }

    /// Counts octets in a protocol's flow that belong to no message.
    pub fn undecoded(&mut self, protocol: Protocol, octets: u64) {
        // Of services no more is read than what they tell of themselves.
        if !protocol.is_control() {
            return;
        }
        if octets > 0 {
            self.undecoded.entry(protocol).or_default().0 += octets;
        }
    }

    /// Counts octets of a serial line that are no frame.
    pub fn line_noise(&mut self, protocol: Option<Protocol>, octets: u64) {
        match protocol {
            Some(protocol) => self.undecoded(protocol, octets),
            None => {
                let transport = self.dictionaries.names.fixed(Transport::Serial.name());
                self.unknown.flow(transport, 0, 0, octets);
            }
        }
    }

    /// A source ends: its aggregates and claims are complete.
    pub fn finish_source(&mut self) {
        self.recorder.finish(&mut self.dictionaries);
        self.rows.flows.extend(self.crowd.finish());
        self.activities.turn(&mut self.rows.activities, &mut self.dictionaries);
        self.claims.clear();
        self.expected.clear();
        self.claim_octets = 0;
        self.rows.claims.extend(self.claim_rows.drain(..));
    }

    /// A protocol was recognised in a flow.
    pub fn recognised(&mut self, flow: &Flow, protocol: Protocol) {
        let told = self.control.as_mut().filter(|told| protocol.is_control() && told.len() < MAX_CONTROL);
        if let Some(told) = told {
            told.push(Key::new(flow.endpoints, flow.ports, flow.key.transport()));
        }
    }

    /// Takes the messages that were decoded together; gives the direction of the protocol client, where one showed.
    pub fn messages(
        &mut self,
        place: &Conversation,
        dialogue: &mut Dialogue,
        direction: Direction,
        output: &mut Output,
        frames: &[u64],
        stamp: Stamp,
    ) -> Option<Direction> {
        if !(output.oddities.is_empty() && output.claims.is_empty() && output.expected.is_empty()) {
            self.told = Told::default();
            self.remarks(place, direction, output, stamp);
        }
        if !output.activities.is_empty() {
            self.told.activities.clear();
            return self.activities(place, output, stamp);
        }
        let last = output.messages.last()?;
        let client = if last.from_client { direction } else { direction.opposite() };
        if self.detail == Detail::Pdus {
            for message in &output.messages {
                self.pdu(place, direction, message, stamp);
            }
            return Some(client);
        }
        let Dialogue { exchanges, recent, .. } = dialogue;
        // In wire order: the list is turned, so that taking from its end takes the first.
        output.messages.reverse();
        while let Some(message) = output.messages.pop() {
            exchanges.message(message, direction, frames, stamp, &mut |exchange| {
                self.recorder.exchange(place, recent, exchange, &mut self.dictionaries);
                recycle(output, exchange);
            });
        }
        Some(client)
    }

    /// Takes what was done in the protocol of a service.
    fn activities(&mut self, place: &Conversation, output: &mut Output, stamp: Stamp) -> Option<Direction> {
        let Sinks { activities, rows, dictionaries, told, .. } = self;
        let client = output.activities.last().map(|activity| activity.client);
        for activity in output.activities.drain(..) {
            match activities.add(place, activity, stamp, &mut rows.activities, dictionaries) {
                Some(place) => told.activities.push(place),
                None => told.lacks = true,
            }
        }
        client
    }

    /// Counts once more what was made of a datagram; false, and nothing is done, where that cannot be.
    #[inline]
    pub fn tell_again(&mut self, told: &Told, stamp: Stamp) -> bool {
        if !self.activities.are_current(&told.activities, stamp) {
            return false;
        }
        told.activities.iter().for_each(|place| self.activities.again(*place, stamp));
        for number in &told.claims {
            if let Some(row) = self.claim_rows.get_mut(*number) {
                row.count += 1;
            }
        }
        true
    }

    #[cold]
    fn remarks(&mut self, place: &Conversation, direction: Direction, output: &mut Output, stamp: Stamp) {
        for (_, odd) in output.oddities.drain(..) {
            if odd.code == OddityCode::UndecodedObject {
                self.undecoded.entry(place.protocol).or_default().1 += 1;
            }
            let odd = Odd { layer: odd.layer, offset: odd.offset, code: odd.code, expected: odd.expected };
            self.oddity_of(place, direction, stamp, odd);
        }
        for (_, claim) in output.claims.drain(..) {
            self.claim(place, direction, stamp, &claim);
        }
        for Expected { listener, port, service } in output.expected.drain(..) {
            let [listener, other] = [listener, listener.opposite()].map(|way| place.addresses[way as usize]);
            if self.expected.len() >= MAX_EXPECTED {
                self.expected.clear();
            }
            self.expected.insert((listener, port, other), service);
        }
    }

    /// The service that a new connection was agreed on for: its ends and their ports, the sender of the first packet
    /// first. It is the only one.
    pub fn agreed(&mut self, ends: [u32; 2], ports: [u16; 2]) -> Option<&'static str> {
        if self.expected.is_empty() {
            return None;
        }
        let [sender, receiver] = ends;
        let answered = self.expected.remove(&(receiver, ports[1], sender));
        answered.or_else(|| self.expected.remove(&(sender, ports[0], receiver)))
    }

    /// Closes the exchanges of a flow that ends.
    pub fn finish_dialogue(&mut self, place: &Conversation, dialogue: &mut Dialogue) {
        let Dialogue { exchanges, recent, .. } = dialogue;
        self.coverage.exchanges_dropped += exchanges.dropped();
        exchanges.finish(&mut |exchange| self.recorder.exchange(place, recent, exchange, &mut self.dictionaries));
    }

    /// All flows together have too many open exchanges: closes those of one that are more than it may have.
    #[cold]
    pub fn give_up_exchanges(&mut self, place: &Conversation, dialogue: &mut Dialogue) {
        let Dialogue { exchanges, recent, .. } = dialogue;
        exchanges.give_up(&mut |exchange| self.recorder.exchange(place, recent, exchange, &mut self.dictionaries));
    }

    /// Adds an oddity of a protocol's conversation.
    pub fn oddity_of(&mut self, place: &Conversation, direction: Direction, stamp: Stamp, odd: Odd) {
        let (from, to) = (place.addresses[direction as usize], place.addresses[direction.opposite() as usize]);
        self.push_oddity(place.protocol.name(), [from, to], stamp, odd);
    }

    /// Adds an oddity below the protocols.
    pub fn oddity(&mut self, ends: [Option<Ip>; 2], stamp: Stamp, odd: Odd) {
        let addresses = &mut self.dictionaries.addresses;
        let ends = ends.map(|end| match end {
            Some(ip) => addresses.ip(ip),
            None => addresses.optional_mac(None),
        });
        self.push_oddity("", ends, stamp, odd);
    }

    /// Adds an oddity of a line or bus, between these stations where they are known.
    pub fn oddity_on_bus(&mut self, protocol: Protocol, ends: [Option<Station>; 2], stamp: Stamp, odd: Odd) {
        let addresses = &mut self.dictionaries.addresses;
        let ends = ends.map(|end| match end {
            Some(station) => addresses.station(station),
            None => addresses.optional_mac(None),
        });
        self.push_oddity(protocol.name(), ends, stamp, odd);
    }

    fn push_oddity(&mut self, protocol: &'static str, ends: [u32; 2], stamp: Stamp, odd: Odd) {
        let names = &mut self.dictionaries.names;
        let code = names.fixed(odd.code.name());
        self.coverage.oddities += 1;
        let count = self.oddity_counts.entry(code).or_default();
        if *count >= MAX_ODDITIES {
            self.coverage.oddities_dropped += 1;
            return;
        }
        *count += 1;
        self.rows.oddities.push(rows::Oddity {
            source: self.source,
            capture: stamp.capture,
            frame: stamp.frame,
            time: stamp.time,
            protocol: names.fixed(protocol),
            source_address: ends[0],
            destination_address: ends[1],
            layer: names.fixed(odd.layer),
            offset: odd.offset,
            code,
            expected: odd.expected,
        });
    }

    fn claim(&mut self, place: &Conversation, direction: Direction, stamp: Stamp, claim: &crate::model::Claim) {
        let side = if claim.about_sender { direction } else { direction.opposite() };
        let addresses = &mut self.dictionaries.addresses;
        let (address, unit) = match (claim.unit, claim.address) {
            (Unit::Station(mac), _) => (addresses.mac(mac), NONE),
            (unit, Some(address)) => (addresses.ip(Ip::from(address.ip())), addresses.unit(unit)),
            (unit, None) => (place.addresses[side as usize], addresses.unit(unit)),
        };
        let attribute = self.dictionaries.names.fixed(claim.attribute.name());
        let Sinks { claims, claim_rows, hasher, .. } = self;
        let hash = hasher.hash_one((address, unit, attribute, &*claim.value));
        let says_it = |number: &usize| {
            let row = &claim_rows[*number];
            (row.address, row.unit, row.attribute, &*row.value) == (address, unit, attribute, &*claim.value)
        };
        if let Some(&number) = claims.find(hash, says_it) {
            claim_rows[number].count += 1;
            self.told.claims.push(number);
            return;
        }
        if claim_rows.len() >= MAX_CLAIMS || self.claim_octets + claim.value.len() > MAX_CLAIM_OCTETS {
            self.coverage.claims_dropped += 1;
            self.told.lacks = true;
            return;
        }
        let number = claim_rows.len();
        self.told.claims.push(number);
        self.claim_octets += claim.value.len();
        claim_rows.push(rows::Claim {
            source: self.source,
            capture: stamp.capture,
            frame: stamp.frame,
            time: stamp.time,
            protocol: self.dictionaries.names.fixed(place.protocol.name()),
            address,
            unit,
            attribute,
            value: claim.value.clone(),
            count: 1,
        });
        claims.insert_unique(hash, number, |number| {
            let row = &claim_rows[*number];
            hasher.hash_one((row.address, row.unit, row.attribute, &*row.value))
        });
    }

    fn pdu(&mut self, place: &Conversation, direction: Direction, message: &Message, stamp: Stamp) {
        let (from, to) = (direction as usize, direction.opposite() as usize);
        let Dictionaries { names, addresses } = &mut self.dictionaries;
        let first = message.objects.first();
        self.rows.pdus.push(rows::Pdu {
            source: self.source,
            capture: stamp.capture,
            frame: stamp.frame,
            time: stamp.time,
            protocol: names.fixed(place.protocol.name()),
            transport: names.fixed(place.transport),
            source_address: place.addresses[from],
            destination_address: place.addresses[to],
            ports: [place.ports[from], place.ports[to]],
            vlan: place.vlan,
            kind: names.fixed(message.kind.name()),
            source_unit: addresses.unit(message.source_unit),
            destination_unit: addresses.unit(message.destination_unit),
            link_code: message.link_code,
            message_type: message.message_type,
            function: message.function,
            function_name: names.fixed(message.name),
            operation: names.fixed(message.operation.name()),
            status_code: message.status,
            status_name: names.fixed(message.status_name),
            transaction: message.transaction,
            indications: message.indications,
            length: message.length,
            complete: message.complete,
            objects: message.objects.len() as u32,
            object_kind: first.map_or(NONE, |object| names.fixed(object.kind)),
            object_start: first.and_then(|object| object.start),
            object_count: first.map(|object| object.count),
        });
        self.coverage.events += 1;
    }

    /// Adds a flow that ended.
    pub fn flow(&mut self, flow: &Flow) {
        let is_tcp = flow.key.transport() == Transport::Tcp;
        let by_port = |port: u16| match flow.key.transport() {
            Transport::Tcp | Transport::Udp => services::by_port(is_tcp, port),
            _ => None,
        };
        let direction = flow.client_direction(|port| by_port(port).is_some());
        let (client, server) = (direction as usize, direction.opposite() as usize);
        let guess = match flow.key.transport() {
            Transport::Ethernet => services::by_ethertype(flow.ports[server]).map(|service| (service, Basis::Content)),
            _ => by_port(flow.ports[server]).map(|service| (service, Basis::Port)),
        };
        let (service, basis) = flow.service.or(guess).map_or(("", ""), |(service, basis)| (service, basis.name()));
        let one_sided = flow.loaded > 0 && is_tcp && flow.packets.contains(&0);
        self.coverage.one_sided_flows += u64::from(one_sided);
        let Dictionaries { names, addresses } = &mut self.dictionaries;
        let transport = match flow.key.transport() {
            Transport::Ip(number) => names.id(&format!("ip-{number}")),
            transport => names.fixed(transport.name()),
        };
        let carries = match flow.key.transport() {
            Transport::Tcp | Transport::Udp => flow.loaded > 0,
            Transport::Icmp => false,
            // What ARP says is in the table of addresses.
            Transport::Ethernet => flow.ports[server] != ethertype::ARP,
            _ => true,
        };
        if service.is_empty() && carries {
            self.unknown.flow(transport, flow.ports[server], flow.packets.iter().sum(), flow.bytes.iter().sum());
        }
        let ends = [flow.endpoints[client], flow.endpoints[server]];
        let ports = [flow.ports[client], flow.ports[server]];
        let odd_port = basis == Basis::Content.name() && is_at_odd_port(flow, direction, service);
        let row = rows::Flow {
            source: self.source,
            capture: flow.capture,
            transport,
            client: flow.addresses[client],
            server: flow.addresses[server],
            ports,
            vlan: flow.vlan,
            macs: [addresses.optional_mac(flow.macs[client]), addresses.optional_mac(flow.macs[server])],
            community_id: community::id(flow.key.transport(), ends, ports),
            service: names.fixed(service),
            basis: names.fixed(basis),
            odd_port,
            state: names.fixed(flow.state()),
            shape: flow.profile.as_ref().filter(|_| service.is_empty()).and_then(|profile| profile.shape()),
            flows: 1,
            packets: [flow.packets[client], flow.packets[server]],
            bytes: [flow.bytes[client], flow.bytes[server]],
            first_time: flow.first.0,
            last_time: flow.last().0,
            first_frame: flow.first.1,
            last_frame: flow.last().1,
        };
        self.coverage.flows_folded += self.crowd.put(flow, row, ends, addresses, &mut self.rows.flows);
    }
}

/// True where a flow's service is at a port that is not its own: that of whoever did not open the connection; of a
/// connection whose opening was not captured, both; of datagrams, the server's.
fn is_at_odd_port(flow: &Flow, client: Direction, service: &str) -> bool {
    let transport = flow.key.transport();
    let is_odd = |way: Direction| services::is_odd(transport, flow.ports[way as usize], service);
    match flow.opener {
        Some(opener) => is_odd(opener.opposite()),
        None if transport == Transport::Tcp => is_odd(client) && is_odd(client.opposite()),
        None => is_odd(client.opposite()),
    }
}

/// Gives the buffers of an exchange's messages back.
fn recycle(output: &mut Output, exchange: &mut Exchange) {
    for message in [exchange.request.take(), exchange.response.take()].into_iter().flatten() {
        output.recycle(message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_would_hold_more_than_all_may_gives_its_own_up() {
        for kind in [Hold::Parts, Hold::Requests, Hold::History] {
            let (mut sinks, mut one, mut other) = (Sinks::default(), Held::default(), Held::default());
            let most = MAX_HELD[kind as usize];
            assert!(!sinks.holds_too_much(kind, &mut one, most));
            assert!(!sinks.holds_too_much(kind, &mut other, 0));
            assert!(sinks.holds_too_much(kind, &mut other, 1));
            sinks.holds_nothing(&mut other);
            assert_eq!((sinks.held[kind as usize], other), (most, Held::default()));
            // Nobody has to, who holds less than before.
            assert!(sinks.holds_too_much(kind, &mut other, 2));
            assert!(!sinks.holds_too_much(kind, &mut other, 1));
            assert!(!sinks.holds_too_much(kind, &mut one, 0));
            assert_eq!(sinks.held.iter().sum::<usize>(), 1);
        }
    }

    #[test]
    fn what_is_remembered_has_a_bound_in_octets() {
        let mut sinks = Sinks::new(Detail::Aggregates);
        assert!(sinks.remembers(MAX_REMEMBERED - 10, 0));
        // Octets, those that they take the place of, whether there is room, what is left then.
        for (octets, instead_of, fits, left) in
            [(11, 0, false, 10), (12, 2, true, 0), (1, 0, false, 0), (3, 3, true, 0), (0, 12, true, 12)]
        {
            assert_eq!((sinks.remembers(octets, instead_of), sinks.memory_left), (fits, left));
        }
    }
}
