//! An exchange's objects, and the whole event that is kept of it.

use smallvec::{SmallVec, smallvec};

use crate::aggregate::{Combination, Edge};
use crate::columns::rows;
use crate::exchange::{Conversation, Exchange};
use crate::intern::{Dictionaries, Words};
use crate::model::{Message, Object};

/// Values kept for one object of an event.
const MAX_VALUES: usize = 256;
/// Octets of text kept for one object of an event.
const MAX_TEXT: usize = 1_024;
/// Objects of an answer among which the one asked for is sought.
const MAX_SOUGHT: usize = 64;

/// One object of an exchange: as asked for, with what was answered.
pub struct Part<'a> {
    /// The object.
    pub object: &'a Object,
    /// Numbers written, read or reported.
    pub values: &'a [f64],
    /// Words.
    pub text: &'a str,
    /// Name of the point where it has one.
    pub name: &'a str,
    /// Status of the object.
    pub status: Option<u16>,
    /// False for objects that only the answer names though the request named others.
    pub asked: bool,
}

impl Part<'_> {
    /// Number of its property's name, or of its own where it has one.
    #[inline]
    pub fn property_name(&self, names: &mut Words) -> u32 {
        if self.name.is_empty() { names.fixed(self.object.property_name) } else { names.point(self.name) }
    }

    /// Its first point; of one with a name that is all there is.
    #[inline]
    pub fn first(&self) -> Option<u32> {
        if self.name.is_empty() { self.object.start } else { Some(0) }
    }
}

/// Mostly one.
pub type Parts<'a> = SmallVec<[Part<'a>; 2]>;

/// The objects asked for, each with what was answered about it; then those that only the answer names.
pub fn parts(exchange: &Exchange) -> Parts<'_> {
    let (Some(request), Some(response)) = (&exchange.request, &exchange.response) else {
        let Some(only) = exchange.lead() else { return Parts::new() };
        return only.objects.iter().map(|object| part(only, object, true)).collect();
    };
    if let ([object], [answer]) = (&request.objects[..], &response.objects[..]) {
        let (asked, answer) = (part(request, object, true), part(response, answer, true));
        if answers(&asked, &answer) {
            return smallvec![merged(asked, answer)];
        }
    }
    let mut used: SmallVec<[bool; 16]> = SmallVec::from_elem(false, response.objects.len());
    let mut parts = Parts::with_capacity(request.objects.len());
    for (index, object) in request.objects.iter().enumerate() {
        let asked = part(request, object, true);
        let fits = |at: &usize| {
            used.get(*at) == Some(&false) && answers(&asked, &part(response, &response.objects[*at], true))
        };
        let found = Some(index).filter(fits).or_else(|| (0..response.objects.len().min(MAX_SOUGHT)).find(fits));
        parts.push(match found {
            None => asked,
            Some(at) => {
                used[at] = true;
                merged(asked, part(response, &response.objects[at], true))
            }
        });
    }
    let asked_any = !request.objects.is_empty();
    for (object, used) in response.objects.iter().zip(&used) {
        if !used {
            parts.push(part(response, object, !asked_any));
        }
    }
    parts
}

/// True where an object of an answer is the one asked for.
fn answers(asked: &Part<'_>, answer: &Part<'_>) -> bool {
    let (of, object) = (asked.object, answer.object);
    object.start == of.start
        && object.property == of.property
        && object.index == of.index
        && asked.name == answer.name
        && (std::ptr::eq(object.kind, of.kind) || object.kind == of.kind)
}

/// What was asked for, with what was answered about it.
fn merged<'a>(mut asked: Part<'a>, answered: Part<'a>) -> Part<'a> {
    if asked.values.is_empty() {
        asked.values = answered.values;
    }
    if asked.text.is_empty() {
        asked.text = answered.text;
    }
    asked.status = answered.status.or(asked.status);
    asked
}

#[inline]
fn part<'a>(message: &'a Message, object: &'a Object, asked: bool) -> Part<'a> {
    Part {
        object,
        values: message.values_of(object),
        text: message.text_of(object),
        name: if object.name.is_empty() { "" } else { message.name_of(object) },
        status: object.status,
        asked,
    }
}

/// An exchange that is kept whole.
pub struct Kept<'a> {
    /// Ordinal in the run.
    pub number: u64,
    /// What it was counted as, but for its objects.
    pub base: &'a Combination,
    /// Its edge.
    pub edge: &'a Edge,
    /// Its flow.
    pub conversation: &'a Conversation,
    /// The exchange.
    pub exchange: &'a Exchange,
    /// Its objects.
    pub parts: &'a [Part<'a>],
    /// Numbers known before, one list for each object; empty where nothing changed state.
    pub before: Vec<Vec<f64>>,
    /// Why it is kept.
    pub reason: &'static str,
}

impl Kept<'_> {
    /// The event; none of an exchange without messages.
    pub fn event(self, dictionaries: &mut Dictionaries) -> Option<rows::Event> {
        let Kept { number, base, edge, conversation, exchange, parts, before, reason } = self;
        let lead = exchange.lead()?;
        let names = &mut dictionaries.names;
        let forward = edge.client == conversation.addresses[0]
            && edge.server == conversation.addresses[1]
            && edge.server_port == conversation.ports[1];
        let client_port = conversation.ports[usize::from(!forward)];
        let answer = exchange.response.as_deref().unwrap_or(lead);
        let mut before = before.into_iter();
        let objects = parts.iter().map(|part| event_object(part, before.next().unwrap_or_default(), names)).collect();
        Some(rows::Event {
            event: number,
            source: edge.source,
            capture: exchange.start.capture,
            time: exchange.start.time,
            protocol: names.fixed(edge.protocol.name()),
            transport: names.fixed(edge.transport),
            client: edge.client,
            server: edge.server,
            ports: [client_port, edge.server_port],
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
                .then(|| exchange.end_time.saturating_sub(exchange.start.time))
                // None of an answer that was captured before its request.
                .filter(|latency| *latency >= 0),
            request_frames: exchange.request_frames.to_vec(),
            response_frames: exchange.response_frames.to_vec(),
            response_capture: exchange.response_capture,
            reason: names.fixed(reason),
            objects,
        })
    }
}

fn event_object(part: &Part<'_>, before: Vec<f64>, names: &mut Words) -> rows::EventObject {
    let object = part.object;
    let text = part.text.char_indices().nth(MAX_TEXT).map_or(part.text, |(end, _)| &part.text[..end]);
    rows::EventObject {
        kind: names.fixed(object.kind),
        type_number: object.type_number,
        variation: object.variation,
        start: object.start,
        count: object.count,
        property: object.property,
        property_name: part.property_name(names),
        index: object.index,
        priority: object.priority,
        values: part.values[..part.values.len().min(MAX_VALUES)].to_vec(),
        text: text.to_string(),
        before,
        status: part.status,
    }
}
