//! Completed exchanges become events and aggregates (DESIGN: volume). Whole events are kept for what changes state,
//! is new to the capture or fails; the rest is counted per combination and time bucket.

use smallvec::SmallVec;

use crate::aggregate::{Combination, Edge, Ledger, NO_SUBJECT, Reading, Recent, Subject};
use crate::columns::{Table, rows};
use crate::event::{Kept, Part, parts};
use crate::exchange::{Conversation, Exchange, Exchanges, Status};
use crate::intern::{Dictionaries, Words};
use crate::known::{Known, Learnt, Place, Seat};
use crate::net::tcp::Stamp;
use crate::polling::Polling;

/// Objects of an exchange that is counted again without its messages.
const MAX_TALLIED: usize = 32;

/// Reads values out of a message's octets.
pub type Read = fn(&[u8], &mut Vec<f64>);

/// What is open in the conversation of a flow.
#[derive(Clone, Debug, Default)]
pub struct Dialogue {
    /// Open exchanges.
    pub exchanges: Exchanges,
    /// What was counted lately.
    pub recent: Recent,
    /// What is said again and again.
    pub polling: Polling,
}

/// What it takes to count an exchange once more without its messages: its objects.
#[derive(Clone, Debug, Default)]
pub struct Tally(SmallVec<[Tallied; 2]>);

/// One object of an exchange that was counted.
#[derive(Clone, Debug)]
struct Tallied {
    slot: u32,
    /// Values that it has.
    values: u32,
    /// Clock at which the values last changed that were counted last.
    clock: u64,
}

/// Makes events and aggregates of exchanges.
#[derive(Clone, Default)]
pub struct Recorder {
    /// True where every event is kept whole.
    pub keep_all: bool,
    /// Events made since they were last taken.
    pub events: Table<rows::Event>,
    /// Events so far.
    pub seen: u64,
    /// Events that would have been kept whole but for the cap.
    pub thinned: u64,
    /// What is counted.
    pub ledger: Ledger,
    aggregates: Table<rows::Aggregate>,
    known: Known,
    scratch: Vec<f64>,
}

/// What counting an event showed.
#[derive(Clone, Copy, Debug, Default)]
struct Verdict {
    new: bool,
    slot: Option<u32>,
}

impl Recorder {
    /// Takes a completed exchange of a flow; `recent` is the flow's.
    pub fn exchange(
        &mut self,
        conversation: &Conversation,
        recent: &mut Recent,
        exchange: &Exchange,
        dictionaries: &mut Dictionaries,
    ) {
        let Some(lead) = exchange.lead() else { return };
        self.seen += 1;
        let edge = self.ledger.edge(recent, conversation, exchange, lead, dictionaries);
        let of = *self.ledger.edge_of(edge);
        let base = Combination {
            edge,
            function: lead.function,
            function_name: dictionaries.names.fixed(lead.name),
            operation: lead.operation,
            kind: lead.kind,
            status: exchange.status,
            subject: NO_SUBJECT,
            coalesced: false,
        };
        let changes_state = base.operation.changes_state();
        let parts = parts(exchange);
        let mut before: Vec<Vec<f64>> = Vec::new();
        if changes_state {
            before.extend(parts.iter().map(|part| match part.first() {
                Some(start) => {
                    let stride = part.object.stride.max(1);
                    let count =
                        if part.name.is_empty() { part.object.count / stride } else { part.values.len() as u32 };
                    self.known.values(place(&of, part, &mut dictionaries.names), start / stride, count.max(1))
                }
                None => Vec::new(),
            }));
        }

        let mut verdict = Verdict::default();
        let mut tally = (base.status == Status::Ok && !changes_state).then(Tally::default);
        let start = Stamp { frame: frame(exchange), ..exchange.start };
        for part in &parts {
            let subject = subject(part, &mut dictionaries.names);
            let place = place(&of, part, &mut dictionaries.names);
            if !part.asked {
                learn(&mut self.known, part, exchange, place, &mut Seat::default());
                tally = None;
                continue;
            }
            let slot = self.slot(recent, &Combination { subject, ..base }, start, &mut verdict, dictionaries);
            let reading = learn(&mut self.known, part, exchange, place, self.ledger.seat(slot));
            self.ledger.count(slot, start, &reading, subject, is_first(&mut verdict, slot));
            tally = tally.and_then(|tally| tally.with(part, slot, &mut self.ledger));
        }
        if verdict.slot.is_none() {
            let slot = self.slot(recent, &base, start, &mut verdict, dictionaries);
            self.ledger.count(slot, start, &Reading::NONE, NO_SUBJECT, is_first(&mut verdict, slot));
            tally = None;
        }
        recent.tally = tally.filter(|_| !verdict.new);
        if let Some(reason) = self.reason(&base, verdict) {
            let edge = &of;
            let kept =
                Kept { number: self.seen, base: &base, edge, conversation, exchange, parts: &parts, before, reason };
            self.events.extend(kept.event(dictionaries));
        }
    }

    /// Counts an exchange once more that started there and read the same values; false, and nothing is done, where
    /// that is not all there is to do.
    pub fn again(&mut self, tally: &Tally, start: Stamp) -> bool {
        let Recorder { ledger, known, .. } = self;
        let as_it_was = tally.0.iter().all(|part| {
            ledger.is_current(part.slot, start.time)
                && (part.values == 0 || known.again(ledger.seat(part.slot)) == Some(part.clock))
        });
        if !as_it_was {
            return false;
        }
        for (number, part) in tally.0.iter().enumerate() {
            ledger.again(part.slot, start, number == 0);
        }
        self.seen += 1;
        true
    }

    /// Counts an exchange once more that read other values of its one object.
    pub fn again_with(&mut self, tally: &mut Tally, start: Stamp, octets: &[u8], read: Read) -> bool {
        let [Tallied { slot, values: count @ 1.., clock }] = &mut tally.0[..] else { return false };
        let Recorder { ledger, known, scratch, .. } = self;
        scratch.clear();
        read(octets, scratch);
        let Some(values) = scratch.get(..*count as usize).filter(|_| ledger.is_current(*slot, start.time)) else {
            return false;
        };
        let seat = ledger.seat(*slot);
        let Some(Learnt { changed, seen: counted }) = known.learn_again(values, seat) else { return false };
        *clock = seat.seen();
        ledger.count(*slot, start, &Reading { values, changed, counted }, NO_SUBJECT, true);
        self.seen += 1;
        true
    }

    /// Aggregates of the buckets that closed.
    pub fn aggregates(&mut self, dictionaries: &mut Dictionaries) -> &mut Table<rows::Aggregate> {
        self.aggregates.extend(self.ledger.settle(dictionaries));
        &mut self.aggregates
    }

    /// A source ends: all buckets are closed, nothing is known of the next source's devices.
    pub fn finish(&mut self, dictionaries: &mut Dictionaries) {
        self.aggregates.extend(self.ledger.finish(dictionaries));
        self.known = Known::default();
    }

    /// Slot of a combination, its bucket turned to the time of the exchange.
    fn slot(
        &mut self,
        recent: &mut Recent,
        combination: &Combination,
        start: Stamp,
        verdict: &mut Verdict,
        dictionaries: &mut Dictionaries,
    ) -> u32 {
        let (slot, new) = self.ledger.slot(recent, combination, dictionaries);
        verdict.new |= new;
        self.ledger.turn(slot, start);
        slot
    }

    /// Why an event is to be kept whole, if it is.
    fn reason(&mut self, base: &Combination, verdict: Verdict) -> Option<&'static str> {
        let failed = matches!(base.status, Status::Error | Status::NoResponse);
        let reason = match (verdict.new, base.operation.changes_state(), failed) {
            (_, true, _) => "state_change",
            (_, _, true) => "failed",
            (true, ..) => "new",
            _ if self.keep_all => "one_of_all",
            _ => return None,
        };
        let within_cap = self.keep_all || verdict.slot.is_none_or(|slot| self.ledger.may_keep(slot));
        self.thinned += u64::from(!within_cap);
        within_cap.then_some(reason)
    }
}

impl Tally {
    /// What it takes in memory apart from itself.
    pub fn apart(&self) -> usize {
        if self.0.spilled() { self.0.capacity() * size_of::<Tallied>() } else { 0 }
    }

    /// With one more object; none where its values could not be compared the next time, or coalescing is counted.
    fn with(mut self, part: &Part<'_>, slot: u32, ledger: &mut Ledger) -> Option<Self> {
        let clock = ledger.seat(slot).seen();
        let comparable = part.values.is_empty() || part.first().is_some() && clock > 0;
        let repeats = comparable && !ledger.is_crowded(slot) && self.0.len() < MAX_TALLIED;
        self.0.push(Tallied { slot, values: part.values.len() as u32, clock });
        repeats.then_some(self)
    }
}

/// Frame of an exchange's first message.
fn frame(exchange: &Exchange) -> u64 {
    exchange.request_frames.first().or(exchange.response_frames.first()).copied().unwrap_or_default()
}

/// True for the first object of an event that is counted; the event's cap is that of its lowest slot.
fn is_first(verdict: &mut Verdict, slot: u32) -> bool {
    let first = verdict.slot.is_none();
    verdict.slot = Some(verdict.slot.map_or(slot, |earlier| earlier.min(slot)));
    first
}

/// Learns the values of a part, and says what is new about them.
fn learn<'a>(known: &mut Known, part: &Part<'a>, exchange: &Exchange, place: Place, seat: &mut Seat) -> Reading<'a> {
    let unknown = Reading { values: part.values, ..Reading::NONE };
    let Some(start) = part.first().filter(|_| !part.values.is_empty()) else { return unknown };
    let start = start / part.object.stride.max(1);
    let happened = matches!(exchange.status, Status::Ok | Status::OneWay | Status::ResponseOnly | Status::Cut);
    if !happened {
        return unknown;
    }
    if exchange.lead().is_some_and(|lead| lead.operation.changes_state()) {
        known.overwrite(place, start, part.values);
        return unknown;
    }
    let learnt = known.learn(place, start, part.values, seat);
    Reading { changed: learnt.changed, counted: learnt.seen, ..unknown }
}

fn place(edge: &Edge, part: &Part<'_>, names: &mut Words) -> Place {
    let object = part.object;
    Place {
        server: edge.server,
        unit: edge.server_unit,
        kind: names.fixed(known_kind(object.kind)),
        property: object.property,
        lane: match (object.stride, object.start) {
            (stride @ 1.., Some(start)) => (stride, start % stride, object.index),
            _ if !part.name.is_empty() => (0, names.point(part.name), None),
            _ => (0, 0, None),
        },
    }
}

/// The point kind under which values are known: commands act on what status objects report (IEEE 1815, 11.9).
fn known_kind(kind: &'static str) -> &'static str {
    match kind {
        "control-relay-output" => "binary-output",
        _ => kind,
    }
}

fn subject(part: &Part<'_>, names: &mut Words) -> Subject {
    let object = part.object;
    Subject {
        kind: names.fixed(object.kind),
        start: object.start,
        count: object.count,
        property: object.property,
        property_name: part.property_name(names),
    }
}
