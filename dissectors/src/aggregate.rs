//! Exchanges counted per combination (who asks whom for what, and how it ends) and time bucket (DESIGN: volume).

#[cfg(test)]
mod tests;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use smallvec::SmallVec;

use crate::columns::rows;
use crate::crowd::EVERYONE;
use crate::exchange::{Conversation, Exchange, Status};
use crate::intern::{Dictionaries, NONE};
use crate::known::Seat;
use crate::model::{Kind, Message, Operation, Protocol, Unit};
use crate::net::tcp::Stamp;
use crate::record::Tally;
use crate::session::Direction;

/// Length of a time bucket.
const BUCKET_NS: i64 = 15 * 60 * 1_000_000_000;
/// Combinations of one edge; beyond it they are coalesced into ranges (an attacker can vary registers).
const MAX_PER_EDGE: u32 = 1_024;
/// Combinations in all.
const MAX_COMBINATIONS: usize = 100_000;
/// Further ones that are told by their kind of object, and as many again that are told without function and object;
/// beyond them the rest is told without client and server, too.
const MAX_FOLDED: usize = 16_384;
/// Edges told one by one; further ones are told without ports and units, and still further ones together.
const MAX_EDGES: usize = 8_192;
/// Events kept whole for one combination in one bucket.
const MAX_WHOLE: u32 = 64;
/// Frames named as samples of an aggregate.
const MAX_SAMPLES: usize = 4;
/// Combinations of a flow that are found again without a search, as long as they come in the same order.
const RECENT: usize = 64;

/// A client and a server, down to their units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Edge {
    /// Capture point (a name).
    pub source: u32,
    /// Protocol.
    pub protocol: Protocol,
    /// `tcp` or `udp`.
    pub transport: &'static str,
    /// Client by protocol role.
    pub client: u32,
    /// Server by protocol role.
    pub server: u32,
    /// Its port.
    pub server_port: u16,
    /// Sub-address of the client.
    pub client_unit: Unit,
    /// Sub-address of the server.
    pub server_unit: Unit,
    /// Innermost VLAN.
    pub vlan: Option<u16>,
}

/// What an exchange is about, as far as aggregates tell objects apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Kind of object (a name), or [`NONE`].
    pub kind: u32,
    /// First point.
    pub start: Option<u32>,
    /// Points.
    pub count: u32,
    /// Property identifier.
    pub property: Option<u32>,
    /// Its name (a name).
    pub property_name: u32,
}

/// No object.
pub const NO_SUBJECT: Subject = Subject { kind: NONE, start: None, count: 0, property: None, property_name: 0 };

/// What is counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Combination {
    /// Number of the edge.
    pub edge: u32,
    /// Function code.
    pub function: Option<u16>,
    /// Its name (a name).
    pub function_name: u32,
    /// Operation.
    pub operation: Operation,
    /// Kind of the first message.
    pub kind: Kind,
    /// Outcome.
    pub status: Status,
    /// What it is about.
    pub subject: Subject,
    /// True where the subject is a kind alone, or none, because there were too many.
    pub coalesced: bool,
}

/// Counters of one combination in the current bucket; what each exchange changes lies together, in front.
#[derive(Clone, Debug, Default)]
#[repr(C)]
struct Counters {
    bucket: i64,
    count: u64,
    events: u64,
    last: (i64, u64, u32),
    samples: SmallVec<[u64; MAX_SAMPLES]>,
    capture: u32,
    first: (i64, u64),
    minimum: Option<f64>,
    maximum: Option<f64>,
    last_value: Option<f64>,
    not_finite: bool,
    changes: u64,
    whole: u32,
    /// Lowest and highest point of a coalesced range.
    range: Option<(u32, u32)>,
}

/// A combination with its counters.
#[derive(Clone, Debug)]
#[repr(C)]
struct Account {
    seat: Seat,
    counters: Counters,
    combination: Combination,
}

/// What one flow counted lately, so that polling is found again without a search.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    edge: Option<(usize, Unit, Unit, u32)>,
    /// In the order in which they first came, and which of them is expected next.
    slots: SmallVec<[u32; 4]>,
    next: usize,
    /// What counts the last exchange again.
    pub tally: Option<Tally>,
}

/// Values of one exchange to be counted.
pub struct Reading<'a> {
    /// The numbers.
    pub values: &'a [f64],
    /// True where they differ from those known before.
    pub changed: bool,
    /// True where this combination has counted these numbers of this bucket already.
    pub counted: bool,
}

impl Reading<'_> {
    /// No numbers.
    pub const NONE: Self = Reading { values: &[], changed: false, counted: false };
}

/// All combinations of a source.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Times that a combination was coalesced.
    pub coalesced: u64,
    edge_index: HashMap<Edge, u32, foldhash::fast::RandomState>,
    edges: Vec<(Edge, u32)>,
    index: HashMap<Combination, u32, foldhash::fast::RandomState>,
    accounts: Vec<Account>,
    closed: Vec<(Combination, Counters)>,
}

impl Ledger {
    /// Number of the edge that an exchange belongs to.
    pub fn edge(
        &mut self,
        recent: &mut Recent,
        place: &Conversation,
        exchange: &Exchange,
        lead: &Message,
        words: &mut Dictionaries,
    ) -> u32 {
        let sender = match (exchange.request.is_some(), exchange.direction) {
            (true, direction) => direction,
            (false, direction) => direction.opposite(),
        };
        let (client, server) = match (lead.from_client, sender) {
            (true, Direction::Forward) | (false, Direction::Backward) => (0, 1),
            _ => (1, 0),
        };
        let (client_unit, server_unit) = if lead.from_client {
            (lead.source_unit, lead.destination_unit)
        } else {
            (lead.destination_unit, lead.source_unit)
        };
        match recent.edge {
            Some((side, of_client, of_server, edge))
                if (side, of_client, of_server) == (client, client_unit, server_unit) =>
            {
                return edge;
            }
            _ => {}
        }
        let key = Edge {
            source: place.source,
            protocol: place.protocol,
            transport: place.transport,
            client: place.addresses[client],
            server: place.addresses[server],
            server_port: place.ports[server],
            client_unit,
            server_unit,
            vlan: place.vlan,
        };
        let edge = self.edge_index.get(&key).copied().unwrap_or_else(|| self.new_edge(key, words));
        recent.edge = Some((client, client_unit, server_unit, edge));
        edge
    }

    #[cold]
    fn new_edge(&mut self, key: Edge, words: &mut Dictionaries) -> u32 {
        let key = match self.edges.len() / MAX_EDGES {
            0 => key,
            1 => pair(key),
            _ => everyone(key, words),
        };
        self.coalesced += u64::from(self.edges.len() >= MAX_EDGES);
        self.numbered(key)
    }

    fn numbered(&mut self, key: Edge) -> u32 {
        *self.edge_index.entry(key).or_insert_with(|| {
            self.edges.push((key, 0));
            self.edges.len() as u32 - 1
        })
    }

    /// The edge of a number.
    pub fn edge_of(&self, number: u32) -> &Edge {
        &self.edges[number as usize].0
    }

    /// Slot of a combination, and true where it is new. Where there are too many, that of several.
    pub fn slot(&mut self, recent: &mut Recent, combination: &Combination, words: &mut Dictionaries) -> (u32, bool) {
        let expected = recent.slots.get(recent.next).or(recent.slots.first());
        if let Some(&slot) = expected.filter(|slot| self.accounts[**slot as usize].combination == *combination) {
            recent.next = if recent.next < recent.slots.len() { recent.next + 1 } else { 1 };
            return (slot, false);
        }
        let (slot, new) = self.searched(combination, words);
        match recent.slots.iter().position(|other| *other == slot) {
            Some(at) => recent.next = at + 1,
            None if recent.slots.len() < RECENT => {
                recent.slots.push(slot);
                recent.next = recent.slots.len();
            }
            None => {}
        }
        (slot, new)
    }

    #[cold]
    fn searched(&mut self, combination: &Combination, words: &mut Dictionaries) -> (u32, bool) {
        if let Some(&slot) = self.index.get(combination) {
            return (slot, false);
        }
        let (of_edge, all) = (self.edges[combination.edge as usize].1, self.accounts.len());
        if of_edge < MAX_PER_EDGE && all < MAX_COMBINATIONS {
            return self.opened(*combination);
        }
        self.coalesced += 1;
        let Subject { kind, .. } = combination.subject;
        let of_kind = Combination { coalesced: true, subject: Subject { kind, ..NO_SUBJECT }, ..*combination };
        if self.index.contains_key(&of_kind) || of_edge < 2 * MAX_PER_EDGE && all < MAX_COMBINATIONS + MAX_FOLDED {
            return self.opened(of_kind);
        }
        let function_name = words.names.fixed("");
        let of_pair = Combination { function: None, function_name, subject: NO_SUBJECT, ..of_kind };
        if self.index.contains_key(&of_pair) || all < MAX_COMBINATIONS + 2 * MAX_FOLDED {
            return self.opened(of_pair);
        }
        let edge = self.numbered(everyone(*self.edge_of(combination.edge), words));
        self.opened(Combination { edge, ..of_pair })
    }

    fn opened(&mut self, combination: Combination) -> (u32, bool) {
        match self.index.entry(combination) {
            Entry::Occupied(entry) => (*entry.get(), false),
            Entry::Vacant(entry) => {
                self.edges[combination.edge as usize].1 += 1;
                self.accounts.push(Account { combination, counters: Counters::default(), seat: Seat::default() });
                (*entry.insert(self.accounts.len() as u32 - 1), true)
            }
        }
    }

    /// Makes the bucket of an exchange's time the current one of its combination.
    pub fn turn(&mut self, slot: u32, start: Stamp) {
        let Account { combination, counters, seat } = &mut self.accounts[slot as usize];
        if counters.holds(start.time) {
            return;
        }
        let bucket = start.time.div_euclid(BUCKET_NS) * BUCKET_NS;
        let fresh = Counters { bucket, capture: start.capture, ..Counters::default() };
        let old = std::mem::replace(counters, fresh);
        seat.forget_values();
        if old.count > 0 {
            self.closed.push((*combination, old));
        }
    }

    /// True where a time is in the current bucket of a combination.
    #[inline]
    pub fn is_current(&self, slot: u32, time: i64) -> bool {
        self.accounts[slot as usize].counters.holds(time)
    }

    /// True where further combinations or edges are, or may be, counted together, and each time is counted.
    pub fn is_crowded(&self, slot: u32) -> bool {
        self.edges.len() >= MAX_EDGES || self.accounts[slot as usize].combination.coalesced
    }

    /// Where the values of a combination are known.
    pub fn seat(&mut self, slot: u32) -> &mut Seat {
        &mut self.accounts[slot as usize].seat
    }

    /// Counts an exchange that started there under a combination whose bucket is current.
    pub fn count(&mut self, slot: u32, start: Stamp, reading: &Reading<'_>, subject: Subject, first: bool) {
        let Account { combination, counters, .. } = &mut self.accounts[slot as usize];
        if combination.coalesced && combination.subject.kind == NONE {
            // Numbers of many kinds have no range together.
            counters.add(start, &Reading { values: &[], ..*reading }, first);
            return;
        }
        counters.add(start, reading, first);
        if combination.coalesced {
            counters.widen(subject);
        }
    }

    /// Counts an exchange that read what this combination has counted already in its current bucket.
    #[inline]
    pub fn again(&mut self, slot: u32, start: Stamp, first: bool) {
        self.accounts[slot as usize].counters.step(start, first);
    }

    /// True where one more event of a combination may be kept whole in this bucket.
    pub fn may_keep(&mut self, slot: u32) -> bool {
        let counters = &mut self.accounts[slot as usize].counters;
        let may = counters.whole < MAX_WHOLE;
        counters.whole += u32::from(may);
        may
    }

    /// Rows of the buckets that closed.
    pub fn settle(&mut self, dictionaries: &mut Dictionaries) -> Vec<rows::Aggregate> {
        let closed = std::mem::take(&mut self.closed).into_iter();
        closed.map(|(combination, counters)| aggregate(&combination, counters, &self.edges, dictionaries)).collect()
    }

    /// Closes all buckets and gives their rows; nothing is remembered.
    pub fn finish(&mut self, dictionaries: &mut Dictionaries) -> Vec<rows::Aggregate> {
        let mut rows = self.settle(dictionaries);
        let Ledger { coalesced, edges, accounts, .. } = std::mem::take(self);
        self.coalesced = coalesced;
        let open = accounts.into_iter().filter(|account| account.counters.count > 0);
        rows.extend(open.map(|account| aggregate(&account.combination, account.counters, &edges, dictionaries)));
        rows
    }
}

/// The edge without ports and units.
fn pair(edge: Edge) -> Edge {
    Edge { server_port: 0, client_unit: Unit::None, server_unit: Unit::None, vlan: None, ..edge }
}

/// The edge of everybody who speaks its protocol.
fn everyone(edge: Edge, words: &mut Dictionaries) -> Edge {
    let everyone = words.addresses.fixed(EVERYONE);
    Edge { client: everyone, server: everyone, ..pair(edge) }
}

impl Counters {
    /// True where a time is in this bucket, and the bucket is not empty.
    fn holds(&self, time: i64) -> bool {
        self.count > 0 && (self.bucket..self.bucket.saturating_add(BUCKET_NS)).contains(&time)
    }

    #[inline]
    fn step(&mut self, start: Stamp, first_of_event: bool) {
        let Stamp { time, frame, capture } = start;
        if self.count == 0 {
            self.first = (time, frame);
        }
        self.last = (time, frame, capture);
        self.count += 1;
        self.events += u64::from(first_of_event);
        if self.samples.len() < MAX_SAMPLES && self.samples.last() != Some(&frame) {
            self.samples.push(frame);
        }
    }

    fn add(&mut self, start: Stamp, reading: &Reading<'_>, first_of_event: bool) {
        self.step(start, first_of_event);
        self.changes += u64::from(reading.changed);
        if reading.counted {
            return;
        }
        for &value in reading.values {
            if !value.is_finite() {
                self.not_finite = true;
                continue;
            }
            self.minimum = Some(self.minimum.map_or(value, |least| least.min(value)));
            self.maximum = Some(self.maximum.map_or(value, |greatest| greatest.max(value)));
        }
        self.last_value = reading.values.first().copied().filter(|value| value.is_finite()).or(self.last_value);
    }

    fn widen(&mut self, subject: Subject) {
        let Some(start) = subject.start else { return };
        let end = start.saturating_add(subject.count.saturating_sub(1));
        self.range = Some(self.range.map_or((start, end), |(low, high)| (low.min(start), high.max(end))));
    }
}

fn aggregate(
    combination: &Combination,
    counters: Counters,
    edges: &[(Edge, u32)],
    dictionaries: &mut Dictionaries,
) -> rows::Aggregate {
    let edge = &edges[combination.edge as usize].0;
    let names = &mut dictionaries.names;
    let subject = combination.subject;
    let (object_start, object_count) = match counters.range {
        Some((low, high)) => (Some(low), (high - low).saturating_add(1)),
        None => (subject.start, subject.count),
    };
    rows::Aggregate {
        source: edge.source,
        capture: counters.capture,
        bucket: counters.bucket,
        protocol: names.fixed(edge.protocol.name()),
        transport: names.fixed(edge.transport),
        client: edge.client,
        server: edge.server,
        server_port: edge.server_port,
        client_unit: dictionaries.addresses.unit(edge.client_unit),
        server_unit: dictionaries.addresses.unit(edge.server_unit),
        vlan: edge.vlan,
        kind: names.fixed(combination.kind.name()),
        function: combination.function,
        function_name: combination.function_name,
        operation: names.fixed(combination.operation.name()),
        status: names.fixed(combination.status.name()),
        object_kind: subject.kind,
        object_start,
        object_count,
        property: subject.property,
        property_name: if subject.kind == NONE || combination.coalesced {
            names.fixed("")
        } else {
            subject.property_name
        },
        coalesced: combination.coalesced,
        count: counters.count,
        events: counters.events,
        first_time: counters.first.0,
        last_time: counters.last.0,
        first_frame: counters.first.1,
        last_frame: counters.last.1,
        last_capture: counters.last.2,
        sample_frames: counters.samples.to_vec(),
        value_min: counters.minimum,
        value_max: counters.maximum,
        value_last: counters.last_value,
        value_not_finite: counters.not_finite,
        changes: counters.changes,
    }
}
