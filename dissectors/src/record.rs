//! Completed exchanges become events and aggregates (DESIGN: volume). Whole events are kept for what changes state,
//! is new to the capture or fails; the rest is counted per combination and time bucket.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::columns::rows;
use crate::exchange::{Exchange, Status};
use crate::intern::{Dictionaries, NONE};
use crate::known::{Known, Place};
use crate::model::{Kind, Message, Object, Operation, Protocol, Unit};
use crate::session::Direction;

/// Length of a time bucket.
const BUCKET_NS: i64 = 15 * 60 * 1_000_000_000;
/// Combinations of one edge; beyond it they are coalesced into ranges (an attacker can vary registers).
const MAX_PER_EDGE: u32 = 1_024;
/// Combinations in all.
const MAX_COMBINATIONS: usize = 200_000;
/// Events kept whole for one combination in one bucket.
const MAX_WHOLE: u32 = 64;
/// Frames named as samples of an aggregate.
const MAX_SAMPLES: usize = 4;
/// Values kept for one object of an event.
const MAX_VALUES: usize = 256;
/// Octets of text kept for one object of an event.
const MAX_TEXT: usize = 1_024;

/// The flow that an exchange belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Conversation {
    /// Capture point (a name).
    pub source: u32,
    /// Protocol.
    pub protocol: Protocol,
    /// `tcp` or `udp`.
    pub transport: &'static str,
    /// Addresses of the forward and the backward sender.
    pub addresses: [u32; 2],
    /// Their ports.
    pub ports: [u16; 2],
    /// Innermost VLAN.
    pub vlan: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct EdgeKey {
    source: u32,
    protocol: Protocol,
    transport: &'static str,
    client: u32,
    server: u32,
    server_port: u16,
    client_unit: Unit,
    server_unit: Unit,
    vlan: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Subject {
    kind: u32,
    start: Option<u32>,
    count: u32,
    property: Option<u32>,
    property_name: u32,
}

const NO_SUBJECT: Subject = Subject { kind: NONE, start: None, count: 0, property: None, property_name: 0 };

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Combination {
    edge: u32,
    function: Option<u16>,
    function_name: u32,
    operation: Operation,
    kind: Kind,
    status: Status,
    subject: Subject,
    coalesced: bool,
}

/// Counters of one combination in the current bucket.
#[derive(Debug, Default)]
struct Counters {
    bucket: i64,
    capture: u32,
    count: u64,
    events: u64,
    first: (i64, u64),
    last: (i64, u64, u32),
    samples: Vec<u64>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    last_value: Option<f64>,
    changes: u64,
    whole: u32,
    /// Lowest and highest point of a coalesced range.
    range: Option<(u32, u32)>,
}

/// One object of an exchange: as asked for, with what was answered.
struct Part<'a> {
    object: &'a Object,
    values: &'a [f64],
    text: &'a str,
    status: Option<u16>,
    /// False for objects that only the answer names though the request named others.
    asked: bool,
}

/// Makes events and aggregates of exchanges.
#[derive(Debug, Default)]
pub struct Recorder {
    /// True where every event is kept whole.
    pub keep_all: bool,
    /// Events made since they were last taken.
    pub events: Vec<rows::Event>,
    /// Finished aggregates since they were last taken.
    pub aggregates: Vec<rows::Aggregate>,
    /// Events so far.
    pub seen: u64,
    /// Events that would have been kept whole but for the cap.
    pub thinned: u64,
    /// Times that a combination was coalesced.
    pub coalesced: u64,
    edges: HashMap<EdgeKey, u32, foldhash::fast::RandomState>,
    edge_list: Vec<(EdgeKey, u32)>,
    index: HashMap<Combination, u32, foldhash::fast::RandomState>,
    combinations: Vec<(Combination, Counters)>,
    pending_rows: Vec<(Combination, Counters)>,
    known: Known,
}

impl Recorder {
    /// Takes a completed exchange.
    pub fn exchange(&mut self, conversation: &Conversation, exchange: &Exchange, dictionaries: &mut Dictionaries) {
        let Some(lead) = exchange.lead() else { return };
        self.seen += 1;
        let edge = self.edge(conversation, exchange, lead);
        let (server, server_unit) =
            (self.edge_list[edge as usize].0.server, self.edge_list[edge as usize].0.server_unit);
        let place = |names: &mut crate::intern::Words, object: &Object| Place {
            server,
            unit: server_unit,
            kind: names.fixed(known_kind(object.kind)),
            property: object.property,
        };

        let parts = parts(exchange);
        let mut verdict = Verdict::default();
        let base = Combination {
            edge,
            function: lead.function,
            function_name: dictionaries.names.fixed(lead.name),
            operation: operation(exchange),
            kind: lead.kind,
            status: exchange.status,
            subject: NO_SUBJECT,
            coalesced: false,
        };
        let changes_state = base.operation.changes_state();
        let before: Vec<Vec<f64>> = if changes_state {
            let asked = |part: &Part<'_>| match part.object.start {
                Some(start) => {
                    self.known.values(place(&mut dictionaries.names, part.object), start, part.object.count.max(1))
                }
                None => Vec::new(),
            };
            parts.iter().map(asked).collect()
        } else {
            Vec::new()
        };

        let mut counted = false;
        for part in &parts {
            let changed = self.learn(part, exchange, changes_state, place(&mut dictionaries.names, part.object));
            if part.asked {
                let subject = subject(part.object, dictionaries);
                self.count(Combination { subject, ..base }, exchange, part.values, changed, !counted, &mut verdict);
                counted = true;
            }
        }
        if !counted {
            self.count(base, exchange, &[], false, true, &mut verdict);
        }
        self.keep(base, exchange, conversation, &parts, &before, verdict, dictionaries);
    }

    /// Closes all buckets.
    pub fn finish(&mut self, dictionaries: &mut Dictionaries) {
        self.settle(dictionaries);
        let combinations = std::mem::take(&mut self.combinations);
        for (combination, counters) in &combinations {
            if counters.count > 0 {
                self.aggregates.push(aggregate(combination, counters, &self.edge_list, dictionaries));
            }
        }
        self.index.clear();
        self.edges.clear();
        self.edge_list.clear();
        self.pending_rows.clear();
        self.known = Known::default();
    }

    /// Turns buckets that closed into rows.
    pub fn settle(&mut self, dictionaries: &mut Dictionaries) {
        for (combination, counters) in std::mem::take(&mut self.pending_rows) {
            self.aggregates.push(aggregate(&combination, &counters, &self.edge_list, dictionaries));
        }
    }

    fn edge(&mut self, conversation: &Conversation, exchange: &Exchange, lead: &Message) -> u32 {
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
        let key = EdgeKey {
            source: conversation.source,
            protocol: conversation.protocol,
            transport: conversation.transport,
            client: conversation.addresses[client],
            server: conversation.addresses[server],
            server_port: conversation.ports[server],
            client_unit,
            server_unit,
            vlan: conversation.vlan,
        };
        match self.edges.entry(key) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                self.edge_list.push((key, 0));
                *entry.insert(self.edge_list.len() as u32 - 1)
            }
        }
    }

    /// Learns values; true where a value read or reported differs from the one before.
    fn learn(&mut self, part: &Part<'_>, exchange: &Exchange, changes_state: bool, place: Place) -> bool {
        let Some(start) = part.object.start.filter(|_| !part.values.is_empty()) else { return false };
        let happened = matches!(exchange.status, Status::Ok | Status::OneWay | Status::ResponseOnly | Status::Cut);
        if !happened {
            return false;
        }
        if changes_state {
            self.known.overwrite(place, start, part.values);
            return false;
        }
        self.known.learn(place, start, part.values)
    }

    fn count(
        &mut self,
        mut combination: Combination,
        exchange: &Exchange,
        values: &[f64],
        changed: bool,
        first_of_event: bool,
        verdict: &mut Verdict,
    ) {
        let subject = combination.subject;
        let slot = match self.index.get(&combination) {
            Some(&slot) => slot,
            None => {
                let full = self.edge_list[combination.edge as usize].1 >= MAX_PER_EDGE
                    || self.combinations.len() >= MAX_COMBINATIONS;
                if full {
                    self.coalesced += 1;
                    combination.coalesced = true;
                    combination.subject = Subject {
                        start: None,
                        count: 0,
                        property: None,
                        property_name: NO_SUBJECT.property_name,
                        ..subject
                    };
                }
                self.slot(combination, verdict)
            }
        };
        let bucket = exchange.start.time.div_euclid(BUCKET_NS) * BUCKET_NS;
        let counters = &mut self.combinations[slot as usize].1;
        if counters.bucket != bucket || counters.count == 0 {
            let old = std::mem::replace(
                counters,
                Counters { bucket, capture: exchange.start.capture, ..Counters::default() },
            );
            if old.count > 0 {
                self.pending_rows.push((combination, old));
            }
        }
        let frame = exchange.request_frames.first().or(exchange.response_frames.first()).copied().unwrap_or_default();
        counters.add(exchange, frame, values, changed, first_of_event);
        if combination.coalesced {
            counters.widen(subject);
        }
        verdict.slot = Some(verdict.slot.map_or(slot, |earlier| earlier.min(slot)));
    }

    fn slot(&mut self, combination: Combination, verdict: &mut Verdict) -> u32 {
        match self.index.entry(combination) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => {
                verdict.new = true;
                self.edge_list[combination.edge as usize].1 += 1;
                self.combinations.push((combination, Counters::default()));
                *entry.insert(self.combinations.len() as u32 - 1)
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn keep(
        &mut self,
        base: Combination,
        exchange: &Exchange,
        conversation: &Conversation,
        parts: &[Part<'_>],
        before: &[Vec<f64>],
        verdict: Verdict,
        dictionaries: &mut Dictionaries,
    ) {
        let failed = matches!(base.status, Status::Error | Status::NoResponse);
        let reason = match (verdict.new, base.operation.changes_state(), failed) {
            (_, true, _) => "state_change",
            (_, _, true) => "failed",
            (true, ..) => "new",
            _ if self.keep_all => "one_of_all",
            _ => return,
        };
        if let Some(slot) = verdict.slot.filter(|_| !self.keep_all) {
            let counters = &mut self.combinations[slot as usize].1;
            if counters.whole >= MAX_WHOLE {
                self.thinned += 1;
                return;
            }
            counters.whole += 1;
        }
        let Some(lead) = exchange.lead() else { return };
        let edge = self.edge_list[base.edge as usize].0;
        let names = &mut dictionaries.names;
        let forward = edge.client == conversation.addresses[0]
            && edge.server == conversation.addresses[1]
            && edge.server_port == conversation.ports[1];
        let client = usize::from(!forward);
        let answer = exchange.response.as_ref().unwrap_or(lead);
        let objects = parts.iter().enumerate().map(|(index, part)| {
            let known = before.get(index).cloned().unwrap_or_default();
            event_object(part, known, names)
        });
        let objects = objects.collect();
        self.events.push(rows::Event {
            event: self.seen,
            source: edge.source,
            capture: exchange.start.capture,
            time: exchange.start.time,
            protocol: names.fixed(edge.protocol.name()),
            transport: names.fixed(edge.transport),
            client: edge.client,
            server: edge.server,
            ports: [conversation.ports[client], edge.server_port],
            client_unit: dictionaries.addresses.unit(edge.client_unit),
            server_unit: dictionaries.addresses.unit(edge.server_unit),
            vlan: edge.vlan,
            kind: names.fixed(lead.kind.name()),
            function: lead.function,
            function_name: base.function_name,
            operation: names.fixed(base.operation.name()),
            status: names.fixed(base.status.name()),
            status_code: answer.status,
            status_name: names.fixed(answer.status_name),
            latency: (exchange.request.is_some() && exchange.response.is_some())
                .then(|| exchange.end_time.saturating_sub(exchange.start.time)),
            request_frames: exchange.request_frames.to_vec(),
            response_frames: exchange.response_frames.to_vec(),
            reason: names.fixed(reason),
            objects,
        });
    }
}

/// What counting an event showed.
#[derive(Clone, Copy, Debug, Default)]
struct Verdict {
    new: bool,
    slot: Option<u32>,
}

impl Counters {
    fn add(&mut self, exchange: &Exchange, frame: u64, values: &[f64], changed: bool, first_of_event: bool) {
        if self.count == 0 {
            self.first = (exchange.start.time, frame);
        }
        self.last = (exchange.start.time, frame, exchange.start.capture);
        self.count += 1;
        self.events += u64::from(first_of_event);
        self.changes += u64::from(changed);
        if self.samples.len() < MAX_SAMPLES && self.samples.last() != Some(&frame) {
            self.samples.push(frame);
        }
        for &value in values.iter().filter(|value| value.is_finite()) {
            self.minimum = Some(self.minimum.map_or(value, |least| least.min(value)));
            self.maximum = Some(self.maximum.map_or(value, |greatest| greatest.max(value)));
        }
        self.last_value = values.first().copied().filter(|value| value.is_finite()).or(self.last_value);
    }

    fn widen(&mut self, subject: Subject) {
        let Some(start) = subject.start else { return };
        let end = start.saturating_add(subject.count.saturating_sub(1));
        self.range = Some(self.range.map_or((start, end), |(low, high)| (low.min(start), high.max(end))));
    }
}

/// The point kind under which values are known: commands act on what status objects report (IEEE 1815, 11.9).
fn known_kind(kind: &'static str) -> &'static str {
    match kind {
        "control-relay-output" => "binary-output",
        _ => kind,
    }
}

/// What an exchange does: the request says it; where only the answer is there, its own function does.
fn operation(exchange: &Exchange) -> Operation {
    exchange.lead().map_or(Operation::Unknown, |lead| lead.operation)
}

fn subject(object: &Object, dictionaries: &mut Dictionaries) -> Subject {
    Subject {
        kind: dictionaries.names.fixed(object.kind),
        start: object.start,
        count: object.count,
        property: object.property,
        property_name: dictionaries.names.fixed(object.property_name),
    }
}

/// The objects asked for, each with what was answered about it; then those that only the answer names.
fn parts(exchange: &Exchange) -> Vec<Part<'_>> {
    let (Some(request), Some(response)) = (&exchange.request, &exchange.response) else {
        let Some(only) = exchange.lead() else { return Vec::new() };
        return only.objects.iter().map(|object| part(only, object, true)).collect();
    };
    let mut used = vec![false; response.objects.len()];
    let mut parts = Vec::with_capacity(request.objects.len());
    for (index, object) in request.objects.iter().enumerate() {
        let answers = |other: &Object| {
            other.kind == object.kind
                && other.start == object.start
                && other.property == object.property
                && other.index == object.index
        };
        let candidates = std::iter::once(index).chain(0..response.objects.len().min(64));
        let found = candidates
            .filter(|&at| used.get(at) == Some(&false))
            .find(|&at| response.objects.get(at).is_some_and(answers));
        let mut asked = part(request, object, true);
        if let Some(at) = found {
            used[at] = true;
            let answered = part(response, &response.objects[at], true);
            if !answered.values.is_empty() && asked.values.is_empty() {
                asked.values = answered.values;
            }
            if asked.text.is_empty() {
                asked.text = answered.text;
            }
            asked.status = answered.status.or(asked.status);
        }
        parts.push(asked);
    }
    let asked_any = !request.objects.is_empty();
    for (object, used) in response.objects.iter().zip(&used) {
        if !used {
            parts.push(part(response, object, !asked_any));
        }
    }
    parts
}

fn part<'a>(message: &'a Message, object: &'a Object, asked: bool) -> Part<'a> {
    Part { object, values: message.values_of(object), text: message.text_of(object), status: object.status, asked }
}

fn event_object(part: &Part<'_>, before: Vec<f64>, names: &mut crate::intern::Words) -> rows::EventObject {
    let object = part.object;
    let text = part.text.char_indices().nth(MAX_TEXT).map_or(part.text, |(end, _)| &part.text[..end]);
    rows::EventObject {
        kind: names.fixed(object.kind),
        type_number: object.type_number,
        variation: object.variation,
        start: object.start,
        count: object.count,
        property: object.property,
        property_name: names.fixed(object.property_name),
        index: object.index,
        priority: object.priority,
        values: part.values[..part.values.len().min(MAX_VALUES)].to_vec(),
        text: text.to_string(),
        before,
        status: part.status,
    }
}

fn aggregate(
    combination: &Combination,
    counters: &Counters,
    edges: &[(EdgeKey, u32)],
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
        sample_frames: counters.samples.clone(),
        value_min: counters.minimum,
        value_max: counters.maximum,
        value_last: counters.last_value,
        changes: counters.changes,
    }
}
