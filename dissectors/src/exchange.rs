//! Pairs requests with their answers: once, for all protocols.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use smallvec::{SmallVec, smallvec};

use crate::intern::NONE;
use crate::model::{Kind, Message, Pairing, Protocol};
use crate::net::tcp::Stamp;
use crate::session::Direction;

/// Requests awaiting an answer in one flow at most; beyond it the oldest counts as unanswered.
const MAX_PENDING: usize = 64;
/// A request is unanswered after this time.
pub const TIMEOUT_NS: i64 = 30_000_000_000;
/// An answer in parts, each of them in time, takes this long at most.
const LONGEST_NS: i64 = 600_000_000_000;
/// Numbers and octets of words of an answer in parts; a part beyond them is told by itself.
const MAX_JOINED: usize = 65_536;
/// What each flow may have open outside the bound of all flows together: a usual request.
const FREE_OCTETS: usize = 1_024;
/// An answer that was captured before its request waits this long for it: two mirrors are some milliseconds apart.
const EARLY_NS: i64 = 200_000_000;
/// Such answers that wait in one flow at most.
const MAX_EARLY: usize = 16;
/// Frames named for one side of an exchange.
const MAX_FRAMES: usize = 32;

/// Frames of one side; mostly one.
pub type Frames = SmallVec<[u64; 2]>;
/// Takes a completed exchange; its messages may be taken out of it.
pub type Done<'a> = dyn FnMut(&mut Exchange) + 'a;

crate::model::vocabulary! {
    /// Outcome of an event.
    Status {
        /// Answered.
        Ok = "ok",
        /// Answered negatively.
        Error = "error",
        /// Not answered in time.
        NoResponse = "no_response",
        /// The answer was captured, the request was not.
        ResponseOnly = "response_only",
        /// No answer is due.
        OneWay = "one_way",
        /// A message of it was not captured whole.
        Cut = "cut",
    }
}

/// The flow that an exchange belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Conversation {
    /// Capture point (a name).
    pub source: u32,
    /// Protocol.
    pub protocol: Protocol,
    /// What carries it: `tcp`, `udp`, or a link layer.
    pub transport: &'static str,
    /// Addresses of the forward and the backward sender.
    pub addresses: [u32; 2],
    /// Their ports.
    pub ports: [u16; 2],
    /// Innermost VLAN.
    pub vlan: Option<u16>,
}

/// A request with what answered it, or a message that stands alone.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The request, or the message that stands alone; none where only the answer was captured.
    pub request: Option<Box<Message>>,
    /// The answer; of several parts the last, with the objects of all.
    pub response: Option<Box<Message>>,
    /// Direction of the request (of the message; opposite to the answer where that is all there is).
    pub direction: Direction,
    /// Frames of the request.
    pub request_frames: Frames,
    /// Frames of the answers, as far as they are in the capture file of the first.
    pub response_frames: Frames,
    /// That capture file (a name), or [`NONE`].
    pub response_capture: u32,
    /// Where its first message ended.
    pub start: Stamp,
    /// Time of its last message.
    pub end_time: i64,
    /// Outcome.
    pub status: Status,
}

impl Exchange {
    /// The message that says what happened: the request, or what is there of the answer.
    pub fn lead(&self) -> Option<&Message> {
        self.request.as_deref().or(self.response.as_deref())
    }

    fn octets(&self) -> usize {
        [&self.request, &self.response].into_iter().flatten().map(|message| message.octets()).sum()
    }

    /// True where one more part of the answer has room beside those before it.
    fn has_room_for(&self, part: &Message) -> bool {
        self.response.as_ref().is_none_or(|earlier| {
            earlier.objects.len() + part.objects.len() <= Message::MAX_OBJECTS
                && earlier.values.len() + part.values.len() <= MAX_JOINED
                && earlier.text.len() + part.text.len() <= MAX_JOINED
        })
    }
}

#[derive(Clone, Debug)]
struct Pending {
    key: u64,
    exchange: Exchange,
    /// What its messages take.
    octets: usize,
}

impl Pending {
    fn new(key: u64, exchange: Exchange) -> Self {
        let octets = exchange.octets();
        Pending { key, exchange, octets }
    }

    /// After this time nothing more is waited for.
    fn deadline(&self) -> i64 {
        let Exchange { start, end_time, .. } = &self.exchange;
        end_time.saturating_add(TIMEOUT_NS).min(start.time.saturating_add(LONGEST_NS))
    }
}

/// The open exchanges of one flow.
#[derive(Clone, Debug, Default)]
pub struct Exchanges {
    /// True where the flow shows that what the other side says is captured later than this side's answers to it.
    pub answers_come_early: bool,
    pending: VecDeque<Pending>,
    /// Answers whose requests may still come.
    early: VecDeque<Pending>,
    /// Key of the last one: who never changes it does not tell by it which request is answered.
    last_early: Option<u64>,
    /// What the messages of all of them take.
    octets: usize,
    /// No request that waits for an answer has waited too long before this time.
    deadline: i64,
    dropped: u64,
}

impl Exchanges {
    /// Takes the next message of the flow; calls `done` for each exchange that it completes.
    pub fn message(
        &mut self,
        message: Box<Message>,
        direction: Direction,
        frames: &[u64],
        stamp: Stamp,
        done: &mut Done<'_>,
    ) {
        self.expire(stamp.time, done);
        match message.pairing {
            Pairing::None => {}
            Pairing::Alone => done(&mut alone(message, direction, frames, stamp)),
            Pairing::Opens(key) => {
                // The same key again is a repetition or a reuse: the older request stays unanswered.
                if let Some(index) = self.find(key, direction) {
                    self.close(index, done);
                } else if self.pending.len() >= MAX_PENDING {
                    self.dropped += 1;
                    self.close(0, done);
                }
                let exchange = Exchange { status: Status::NoResponse, ..alone(message, direction, frames, stamp) };
                self.open(Pending::new(key, exchange));
                self.answer_early(key, direction, done);
            }
            Pairing::Answers { key, last } => match self.find(key, direction.opposite()) {
                Some(index) if self.pending[index].exchange.has_room_for(&message) => {
                    answer(&mut self.pending[index].exchange, message, frames, stamp);
                    if last {
                        self.close(index, done);
                    } else {
                        self.weigh(index);
                    }
                }
                Some(index) => {
                    self.pending[index].exchange.status = Status::Cut;
                    self.dropped += 1;
                    self.close(index, done);
                    done(&mut orphan(message, direction, frames, stamp));
                }
                None if self.answers_come_early && last && self.last_early.replace(key) != Some(key) => {
                    if self.early.len() >= MAX_EARLY {
                        self.give_up_early(done);
                    }
                    let early = Pending::new(key, orphan(message, direction, frames, stamp));
                    self.octets += early.octets;
                    self.early.push_back(early);
                }
                None => done(&mut orphan(message, direction, frames, stamp)),
            },
        }
    }

    fn open(&mut self, pending: Pending) {
        // Nearly always one is open: it takes no room for more.
        if self.pending.len() == self.pending.capacity() {
            self.pending.reserve_exact(self.pending.len().max(1));
        }
        self.octets += pending.octets;
        self.deadline = self.deadline.min(pending.deadline());
        self.pending.push_back(pending);
    }

    /// The messages of an exchange take something else than before.
    fn weigh(&mut self, index: usize) {
        let Pending { exchange, octets, .. } = &mut self.pending[index];
        let before = std::mem::replace(octets, exchange.octets());
        self.octets = self.octets + *octets - before;
    }

    /// What is open takes so much, beyond what each flow may.
    pub fn held(&self) -> usize {
        let places = (self.pending.capacity() + self.early.capacity()) * size_of::<Pending>();
        (self.octets + places).saturating_sub(FREE_OCTETS)
    }

    /// All flows together have too much open: the oldest of this one are closed, until it has no more than it may.
    #[cold]
    pub fn give_up(&mut self, done: &mut Done<'_>) {
        for index in 0..self.pending.len() {
            let Exchange { request, response, .. } = &mut self.pending[index].exchange;
            [request, response].into_iter().flatten().for_each(|message| message.fit());
            self.weigh(index);
        }
        while !self.early.is_empty() {
            self.dropped += 1;
            self.give_up_early(done);
        }
        self.early.shrink_to_fit();
        while !self.pending.is_empty() && self.octets + self.pending.len() * size_of::<Pending>() > FREE_OCTETS {
            self.dropped += 1;
            self.close(0, done);
        }
        self.pending.shrink_to_fit();
    }

    /// Answers the newest request where its answer was there before it.
    #[inline]
    fn answer_early(&mut self, key: u64, direction: Direction, done: &mut Done<'_>) {
        let is_its = |early: &Pending| early.key == key && early.exchange.direction == direction;
        let Some(at) = self.early.iter().position(is_its) else { return };
        let (Some(early), Some(pending)) = (self.early.remove(at), self.pending.back_mut()) else { return };
        self.octets -= early.octets;
        let Exchange { response: Some(mut response), start, response_frames, .. } = early.exchange else { return };
        if let Some(request) = &pending.exchange.request {
            place_values(request, &mut response);
        }
        answer(&mut pending.exchange, response, &response_frames, start);
        self.close(self.pending.len() - 1, done);
    }

    fn give_up_early(&mut self, done: &mut Done<'_>) {
        if let Some(mut early) = self.early.pop_front() {
            self.octets -= early.octets;
            done(&mut early.exchange);
        }
    }

    /// Closes what has waited too long.
    fn expire(&mut self, now: i64, done: &mut Done<'_>) {
        if now > self.deadline {
            self.close_late(now, done);
        }
        while self.early.front().is_some_and(|oldest| now.saturating_sub(oldest.exchange.end_time) > EARLY_NS) {
            self.give_up_early(done);
        }
    }

    /// Each by its own time: the parts of an answer keep an older request open than those behind it.
    #[cold]
    fn close_late(&mut self, now: i64, done: &mut Done<'_>) {
        let mut index = 0;
        while let Some(pending) = self.pending.get(index) {
            if now > pending.deadline() {
                self.close(index, done);
            } else {
                index += 1;
            }
        }
        self.deadline = self.pending.iter().map(Pending::deadline).min().unwrap_or(i64::MAX);
    }

    /// True where nothing is open.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty() && self.early.is_empty()
    }

    /// Requests that were no longer waited for, because too many were open.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Closes everything: the flow ends.
    pub fn finish(&mut self, done: &mut Done<'_>) {
        while !self.pending.is_empty() {
            self.close(0, done);
        }
        while !self.early.is_empty() {
            self.give_up_early(done);
        }
    }

    fn find(&self, key: u64, direction: Direction) -> Option<usize> {
        self.pending.iter().position(|pending| pending.key == key && pending.exchange.direction == direction)
    }

    fn close(&mut self, index: usize, done: &mut Done<'_>) {
        if let Some(pending) = self.pending.get_mut(index) {
            self.octets -= pending.octets;
            done(&mut pending.exchange);
        }
        if self.pending.len() == 1 {
            // The next request goes to the same place in memory.
            self.pending.clear();
        } else {
            self.pending.remove(index);
        }
    }
}

fn copied(frames: &[u64]) -> Frames {
    match frames {
        [frame] => smallvec![*frame],
        _ => Frames::from_slice(frames),
    }
}

fn alone(message: Box<Message>, direction: Direction, frames: &[u64], stamp: Stamp) -> Exchange {
    let status = if message.complete { Status::OneWay } else { Status::Cut };
    Exchange {
        request: Some(message),
        response: None,
        direction,
        request_frames: copied(frames),
        response_frames: Frames::new(),
        response_capture: NONE,
        start: stamp,
        end_time: stamp.time,
        status,
    }
}

fn orphan(message: Box<Message>, direction: Direction, frames: &[u64], stamp: Stamp) -> Exchange {
    Exchange {
        request: None,
        response: Some(message),
        direction: direction.opposite(),
        request_frames: Frames::new(),
        response_frames: copied(frames),
        response_capture: stamp.capture,
        start: stamp,
        end_time: stamp.time,
        status: Status::ResponseOnly,
    }
}

fn answer(exchange: &mut Exchange, mut message: Box<Message>, frames: &[u64], stamp: Stamp) {
    let whole = message.complete && exchange.request.as_ref().is_none_or(|request| request.complete);
    exchange.status = match (message.kind, whole) {
        (Kind::Error, _) => Status::Error,
        (_, false) => Status::Cut,
        (_, true) if exchange.status == Status::Cut => Status::Cut,
        _ => Status::Ok,
    };
    exchange.end_time = stamp.time;
    if exchange.response_capture == NONE {
        exchange.response_capture = stamp.capture;
    }
    if exchange.response_capture == stamp.capture {
        let room = MAX_FRAMES.saturating_sub(exchange.response_frames.len()).min(frames.len());
        exchange.response_frames.extend_from_slice(&frames[..room]);
    }
    if let Some(earlier) = &mut exchange.response {
        join(earlier, &mut message);
    }
    exchange.response = Some(message);
}

/// An answer that was decoded before its request does not know which points its values are of: the request says it.
fn place_values(request: &Message, response: &mut Message) {
    for (asked, told) in request.objects.iter().zip(&mut response.objects) {
        let same_kind = asked.kind == told.kind && told.start.is_none() && asked.name.is_empty();
        // Bits come in whole octets.
        if same_kind && (asked.count..asked.count.saturating_add(8)).contains(&told.count) {
            (told.start, told.count) = (asked.start, asked.count);
            told.values.end = told.values.end.min(told.values.start.saturating_add(asked.count));
        }
    }
}

/// Puts an earlier part of an answer before the later one: the later header, the objects of both.
fn join(earlier: &mut Message, later: &mut Message) {
    let (values, text) = (earlier.values.len() as u32, earlier.text.len() as u32);
    for mut object in later.objects.drain(..) {
        object.values = object.values.start + values..object.values.end + values;
        object.text = object.text.start + text..object.text.end + text;
        object.name = object.name.start + text..object.name.end + text;
        earlier.objects.push(object);
    }
    earlier.values.append(&mut later.values);
    earlier.text.push_str(&later.text);
    std::mem::swap(&mut later.objects, &mut earlier.objects);
    std::mem::swap(&mut later.values, &mut earlier.values);
    std::mem::swap(&mut later.text, &mut earlier.text);
    later.complete &= earlier.complete;
}
