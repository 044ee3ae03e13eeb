//! Polling, found again. A controller is asked the same all day. A request whose octets are those of an earlier one,
//! but for the number that pairs it, and the answer to it are counted as the earlier exchange was, without being
//! decoded once more. Where anything is otherwise (another length, a second request before the answer, a time-out, the
//! end of the flow), the request is decoded after all: what comes out is the same either way, and tests hold it to
//! that.

use std::ops::Range;

use smallvec::SmallVec;

use crate::bytes::same;
use crate::columns::rows;
use crate::exchange::TIMEOUT_NS;
use crate::model::Kind;
use crate::net::tcp::Stamp;
use crate::record::{Read, Tally};
use crate::session::{Direction, Output, Session, Variable};
use crate::sinks::{Detail, Sinks};

/// Exchanges remembered for one flow.
const MAX_VERSES: usize = 32;
/// Messages after which a flow that repeats nothing it is remembered for is listened to anew.
const PATIENCE: u32 = 256;
/// Longest message that is remembered.
const MAX_OCTETS: usize = 1_536;

/// Octets of a message; most requests are short.
pub type Octets = SmallVec<[u8; 16]>;

/// Octets of a message, and which of them may differ: those of the number, and those of the values behind it. Kept
/// small, for a core's cache is to hold those of hundreds of flows.
#[derive(Clone, Debug)]
struct Words {
    octets: Octets,
    number: Range<u16>,
    values: Range<u16>,
    read: Option<Read>,
}

fn wide(range: &Range<u16>) -> Range<usize> {
    range.start.into()..range.end.into()
}

impl Words {
    fn of(session: &dyn Session, direction: Direction, message: &[u8]) -> Option<Self> {
        let Variable { number, values, read } = session.variable(direction, message)?;
        let fits = number.end <= values.start && values.end <= message.len() && message.len() <= MAX_OCTETS;
        let narrow = |range: Range<usize>| range.start as u16..range.end as u16;
        fits.then(|| Words {
            octets: SmallVec::from_slice(message),
            number: narrow(number),
            values: narrow(values),
            read,
        })
    }

    /// True where a message says the same, its values apart.
    #[inline]
    fn are_in(&self, message: &[u8]) -> bool {
        let (octets, number, values) = (&self.octets[..], wide(&self.number), wide(&self.values));
        let alike = |range: Range<usize>| match (message.get(range.clone()), octets.get(range)) {
            (Some(one), Some(other)) => same(one, other),
            _ => false,
        };
        message.len() == octets.len()
            && alike(number.end..values.start)
            && (number.start == 0 || alike(0..number.start))
            && (values.end == octets.len() || alike(values.end..octets.len()))
    }

    /// The number that pairs a message which says the same.
    #[inline]
    fn number(&self, message: &[u8]) -> u32 {
        match *message.get(wide(&self.number)).unwrap_or(&[]) {
            [high, low] => u32::from(u16::from_be_bytes([high, low])),
            ref octets => octets.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)),
        }
    }

    fn values<'a>(&self, message: &'a [u8]) -> &'a [u8] {
        message.get(wide(&self.values)).unwrap_or(&[])
    }
}

/// An exchange that may come again.
#[derive(Clone, Debug)]
struct Verse {
    request: Words,
    response: Words,
    outcome: Outcome,
}

/// What the shortest verse takes.
#[cfg(test)]
pub const LEAST_VERSE: usize = size_of::<Verse>();

impl Verse {
    /// What it takes in memory.
    fn octets(&self) -> usize {
        let apart = |words: &Words| if words.octets.spilled() { words.octets.capacity() } else { 0 };
        let outcome = match &self.outcome {
            Outcome::Rows(rows) => size_of_val(&**rows),
            Outcome::Counted(tally) => tally.apart(),
        };
        size_of::<Verse>() + apart(&self.request) + apart(&self.response) + outcome
    }
}

/// What became of an exchange.
#[derive(Clone, Debug)]
enum Outcome {
    Rows(Box<[rows::Pdu; 2]>),
    Counted(Tally),
}

/// A request that was found again, and awaits its answer.
#[derive(Clone, Copy, Debug)]
struct Asked {
    verse: usize,
    number: u32,
    stamp: Stamp,
}

/// A request that was decoded: the first half of a verse.
#[derive(Clone, Debug)]
struct Draft {
    request: Words,
    row: Option<rows::Pdu>,
}

/// What one flow repeats.
#[derive(Clone, Debug, Default)]
pub struct Polling {
    verses: Vec<Verse>,
    /// Where the next request is looked for first: devices are polled in turn.
    next: usize,
    asked: Option<Asked>,
    draft: Option<Box<Draft>>,
    /// Nothing that was decoded has a bearing on the next message.
    idle: bool,
    /// Who asks in the verses.
    client: Option<Direction>,
    misses: u32,
}

/// What a message that was decoded came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    /// Messages.
    pub messages: usize,
    /// True where there were oddities or claims.
    pub remarks: bool,
    /// Kind of the last message.
    pub kind: Option<Kind>,
    /// True where nothing is awaited or half built any more.
    pub idle: bool,
}

impl Heard {
    /// Counts what is about to be handed over.
    pub fn add(&mut self, output: &Output) {
        self.messages += output.messages.len();
        self.remarks |= !(output.oddities.is_empty() && output.claims.is_empty());
        self.kind = output.messages.last().map(|message| message.kind).or(self.kind);
    }
}

impl Polling {
    /// Takes a whole message where it repeats what was said before; false where it has to be decoded. What was asked
    /// ([`Polling::take_asked`]) has to be decoded before it.
    #[inline]
    pub fn again(&mut self, direction: Direction, message: &[u8], stamp: Stamp, sinks: &mut Sinks) -> bool {
        if !self.idle || self.verses.is_empty() {
            return false;
        }
        match self.asked {
            None if self.client == Some(direction) => self.asks(message, stamp, sinks),
            Some(asked) if self.client != Some(direction) => self.answers(asked, message, stamp, sinks),
            _ => false,
        }
    }

    #[inline]
    fn asks(&mut self, message: &[u8], stamp: Stamp, sinks: &mut Sinks) -> bool {
        let verses = &self.verses;
        let is_it = |verse: &usize| verses.get(*verse).is_some_and(|verse| verse.request.are_in(message));
        let Some(verse) = Some(self.next).filter(is_it).or_else(|| (0..verses.len()).find(is_it)) else {
            return false;
        };
        let number = verses[verse].request.number(message);
        self.next = if verse + 1 < verses.len() { verse + 1 } else { 0 };
        self.misses = 0;
        self.asked = Some(Asked { verse, number, stamp });
        if let Outcome::Rows(rows) = &verses[verse].outcome {
            again(&rows[0], number, stamp, sinks);
        }
        true
    }

    #[inline]
    fn answers(&mut self, asked: Asked, message: &[u8], stamp: Stamp, sinks: &mut Sinks) -> bool {
        let Verse { response, outcome, .. } = &mut self.verses[asked.verse];
        let in_time = stamp.time.saturating_sub(asked.stamp.time) <= TIMEOUT_NS;
        if !in_time || !response.are_in(message) || response.number(message) != asked.number {
            return false;
        }
        match outcome {
            Outcome::Rows(rows) => again(&rows[1], asked.number, stamp, sinks),
            Outcome::Counted(tally) => {
                let values = response.values(message);
                let unchanged = same(values, response.values(&response.octets));
                if !(unchanged && sinks.recorder.again(tally, asked.stamp)) {
                    let Some(read) = response.read else { return false };
                    if !sinks.recorder.again_with(tally, asked.stamp, values, read) {
                        return false;
                    }
                    let range = wide(&response.values);
                    response.octets[range].copy_from_slice(values);
                }
            }
        }
        self.asked = None;
        true
    }

    /// A request that was taken as a repetition and has to be decoded after all: its way, octets and place.
    #[inline]
    pub fn take_asked(&mut self) -> Option<(Direction, Octets, Stamp)> {
        let asked = self.asked.take()?;
        let request = &self.verses[asked.verse].request;
        let mut octets = request.octets.clone();
        let number = asked.number.to_be_bytes();
        let into = &mut octets[wide(&request.number)];
        into.copy_from_slice(&number[number.len() - into.len()..]);
        Some((self.client?, octets, asked.stamp))
    }

    /// Octets were decoded that repeat nothing; `session` is as they left it.
    pub fn heard(
        &mut self,
        session: &dyn Session,
        direction: Direction,
        message: &[u8],
        heard: Heard,
        tally: Option<Tally>,
        sinks: &mut Sinks,
    ) {
        let was_idle = std::mem::replace(&mut self.idle, heard.idle);
        let draft = self.draft.take();
        let client = match heard.kind {
            Some(Kind::Request) => Some(direction),
            Some(Kind::Response) => Some(direction.opposite()),
            _ => self.client,
        };
        if client != self.client {
            // Whoever asked before answers now: what is remembered has another meaning.
            self.forget(sinks);
            self.client = client;
        }
        if sinks.detail == Detail::Events || heard.messages != 1 || heard.remarks {
            return;
        }
        let row = |sinks: &Sinks| sinks.rows.pdus.last().cloned().filter(|_| sinks.detail == Detail::Pdus);
        match (heard.kind, draft.map(|draft| *draft)) {
            (Some(Kind::Request), _) if was_idle => {
                self.missed(sinks);
                let row = row(sinks);
                self.draft = Words::of(session, direction, message).map(|request| Box::new(Draft { request, row }));
            }
            (Some(Kind::Response), Some(Draft { request, row: asked })) if heard.idle => {
                let outcome = match sinks.detail {
                    Detail::Pdus => asked.zip(row(sinks)).map(|(asked, told)| Outcome::Rows(Box::new([asked, told]))),
                    _ => tally.map(Outcome::Counted),
                };
                let Some((response, outcome)) = Words::of(session, direction, message).zip(outcome) else { return };
                // The same request with another answer than before takes the place of that.
                let verse = Verse { request, response, outcome };
                match self.verses.iter().position(|other| other.request.are_in(&verse.request.octets)) {
                    Some(at) if sinks.remembers(verse.octets(), self.verses[at].octets()) => self.verses[at] = verse,
                    None if self.verses.len() < MAX_VERSES && sinks.remembers(verse.octets(), 0) => {
                        if self.verses.len() == self.verses.capacity() {
                            self.verses.reserve_exact(self.verses.len().max(1));
                        }
                        self.verses.push(verse);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn missed(&mut self, sinks: &mut Sinks) {
        self.misses += 1;
        if self.misses > PATIENCE {
            self.forget(sinks);
        }
    }

    /// Forgets all: the flow ends, or says other things now.
    pub fn forget(&mut self, sinks: &mut Sinks) {
        sinks.memory_left += std::mem::take(&mut self.verses).iter().map(Verse::octets).sum::<usize>();
        (self.next, self.misses) = (0, 0);
    }
}

/// A PDU's row once more, at another place.
#[inline]
fn again(row: &rows::Pdu, number: u32, stamp: Stamp, sinks: &mut Sinks) {
    let transaction = row.transaction.map(|_| number);
    let Stamp { frame, time, capture } = stamp;
    sinks.rows.pdus.push(rows::Pdu { frame, time, capture, transaction, ..row.clone() });
    sinks.coverage.events += 1;
}
