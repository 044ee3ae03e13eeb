//! PROFIBUS DP: telegrams of the link layer (`telegram`), who sends them on a bus (`bus`), and the services of DP-V0,
//! DP-V1 and between masters that they carry (`services`). A session is a pair of stations.
//!
//! A slave answers at once or not at all: one question is open on a bus. Acyclic services (DP-V1, and between masters)
//! take longer: they are asked, acknowledged, and polled for until they are answered; that is one exchange here.

pub mod bus;
mod services;
pub mod telegram;
#[cfg(test)]
mod tests;

use telegram::{Frame, Telegram};

use crate::model::{Attribute, Claim, Kind, Message, Object, OddityCode, Operation, Pairing, Protocol, Unit};
use crate::session::{Chunk, Direction, Output, Probe, Recognition, Session, Variable};
use crate::tables::{self, profibus as codes};

const LAYER: &str = "profibus";
/// Numbers of functions of the link layer, and of the token (see the table).
const OF_LINK: u16 = 256;
const TOKEN: u16 = 512;
const DATA_EXCHANGE: u16 = 0;
/// Service access points that carry acyclic services: connections of class-2 masters, their resource manager, alarms,
/// and those of the class-1 master.
const ACYCLIC: std::ops::RangeInclusive<u8> = 0..=51;
/// That of services between masters.
const MASTERS: u8 = 54;
/// Set in an acyclic service that is answered negatively.
const NEGATIVE: u8 = 0x80;
/// Requests that send data and ask for some.
const SEND_AND_REQUEST: [u8; 2] = [12, 13];
/// Requests that carry data.
const DATA: [u8; 7] = [3, 4, 5, 6, 7, 12, 13];
/// Answers: with data, low and high priority, of one that was short of resources too; and without any.
const WITH_DATA: [u8; 4] = [8, 10, 12, 13];
const REFUSED: [u8; 3] = [1, 2, 3];

/// Recognises a telegram by its form and check sequence.
pub fn probe_frame(probe: &Probe<'_>) -> Recognition {
    match telegram::parse(probe.datagram(), usize::from(probe.cut) * 256) {
        Ok(_) => Recognition::Yes(Box::new(Profibus::default())),
        Err(_) => Recognition::No,
    }
}

/// Two stations.
#[derive(Clone, Debug, Default)]
pub struct Profibus {
    /// The question that is open: who asked, its function, and the key of the exchange where it is one.
    asked: Option<Asked>,
    /// An acyclic service that was acknowledged and is not answered yet.
    acyclic: Option<Acyclic>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    direction: Direction,
    function: u16,
    /// False for a poll of an acyclic service.
    opens: bool,
    /// True for an acyclic service.
    is_acyclic: bool,
}

#[derive(Clone, Copy, Debug)]
struct Acyclic {
    direction: Direction,
    function: u16,
}

impl Acyclic {
    const fn key(self) -> u64 {
        1 << 16 | self.function as u64
    }
}

impl Session for Profibus {
    fn protocol(&self) -> Protocol {
        Protocol::Profibus
    }

    fn frame(&mut self, _direction: Direction, _bytes: &[u8]) -> crate::session::Framing {
        crate::session::Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let missing = chunk.wire_length.saturating_sub(chunk.bytes.len());
        let telegram = match telegram::parse(chunk.bytes, missing) {
            Ok((telegram, _)) => telegram,
            Err(bad) => return out.oddity(bad.code, LAYER, bad.offset, bad.expected),
        };
        let mut draft = Draft { message: out.message(), claims: Vec::new(), odd: None };
        draft.message.length = u32::try_from(chunk.wire_length).unwrap_or(u32::MAX);
        match telegram {
            Telegram::Token { .. } => {
                draft.function(TOKEN);
                draft.message.kind = Kind::Link;
                draft.message.pairing = Pairing::Alone;
            }
            Telegram::Ack => self.acknowledged(chunk.direction, &mut draft),
            Telegram::Frame(frame) => {
                draft.message.link_code = Some(frame.function);
                draft.message.complete = frame.whole;
                if frame.is_request() {
                    self.request(frame, chunk.direction, &mut draft);
                } else {
                    self.answer(frame, chunk.direction, &mut draft);
                }
            }
        }
        draft.finish(out);
    }

    fn gap(&mut self, _direction: Direction, _out: &mut Output) {
        self.asked = None;
    }

    fn variable(&self, _direction: Direction, message: &[u8]) -> Option<Variable> {
        let end = message.len();
        Some(Variable { number: 0..0, values: end..end, read: None })
    }

    fn is_idle(&self) -> bool {
        self.asked.is_none() && self.acyclic.is_none()
    }
}

/// What a request asks for: by its point, and behind some points by the first octet of its data.
fn function_of(frame: &Frame<'_>) -> u16 {
    let service = |octet: u8| u16::from(octet & !NEGATIVE);
    match (frame.to_point, frame.data.first()) {
        _ if frame.is_request() && !DATA.contains(&frame.code()) => OF_LINK + u16::from(frame.code()),
        (None, _) if SEND_AND_REQUEST.contains(&frame.code()) => DATA_EXCHANGE,
        (None, _) => OF_LINK + u16::from(frame.code()),
        (Some(point), Some(octet)) if ACYCLIC.contains(&point) || point == MASTERS => service(*octet),
        (Some(point), _) => u16::from(point),
    }
}

impl Profibus {
    fn request(&mut self, frame: Frame<'_>, direction: Direction, draft: &mut Draft) {
        let is_acyclic = frame.to_point.is_some_and(|point| ACYCLIC.contains(&point) || point == MASTERS);
        let function = function_of(&frame);
        draft.function(function);
        draft.message.from_client = true;
        let is_poll = is_acyclic && frame.data.is_empty() && frame.whole;
        draft.message.kind = match () {
            () if is_poll => Kind::Link,
            () if frame.is_answered() => Kind::Request,
            () => Kind::Unconfirmed,
        };
        let opens = !is_poll && frame.is_answered();
        let waiting = Acyclic { direction, function };
        draft.message.pairing = match () {
            () if is_poll => Pairing::None,
            () if opens && is_acyclic => Pairing::Opens(waiting.key()),
            () if opens => Pairing::Opens(function.into()),
            () => Pairing::Alone,
        };
        if opens && is_acyclic {
            self.acyclic = Some(waiting);
        }
        self.asked = frame.is_answered().then_some(Asked { direction, function, opens, is_acyclic });
        services::request(function, &frame, draft);
    }

    /// Where an answer goes: to the question that is open, where the other side asked it.
    fn open(&mut self, direction: Direction) -> Option<Asked> {
        self.asked.take().filter(|asked| asked.direction != direction)
    }

    /// A short acknowledgement.
    fn acknowledged(&mut self, direction: Direction, draft: &mut Draft) {
        draft.message.from_client = false;
        draft.message.kind = Kind::Response;
        let asked = self.open(direction);
        draft.function(asked.map_or(DATA_EXCHANGE, |asked| asked.function));
        draft.message.pairing = match asked {
            // The answer itself is still to come.
            Some(asked) if asked.is_acyclic => Pairing::None,
            Some(asked) => Pairing::Answers { key: asked.function.into(), last: true },
            None => Pairing::None,
        };
        if draft.message.pairing == Pairing::None {
            draft.message.kind = Kind::Link;
        }
    }

    fn answer(&mut self, frame: Frame<'_>, direction: Direction, draft: &mut Draft) {
        let asked = self.open(direction);
        draft.message.from_client = false;
        draft.message.kind = Kind::Response;
        let is_acyclic = match asked {
            Some(asked) => asked.is_acyclic,
            None => frame.from_point.is_some_and(|point| ACYCLIC.contains(&point) || point == MASTERS),
        };
        let refusal = REFUSED.contains(&frame.code()).then(|| tables::find(codes::ANSWERS, frame.code().into()));
        if let Some(refusal) = refusal {
            draft.failed(frame.code().into(), refusal.map_or("", |code| code.name));
        }
        if is_acyclic {
            return self.acyclic_answer(asked, frame, direction, draft);
        }
        let function = match asked {
            Some(asked) => asked.function,
            // The question was not captured: the answer's point is that of the service.
            None => frame.from_point.map_or(DATA_EXCHANGE, u16::from),
        };
        draft.function(function);
        draft.message.pairing = Pairing::Answers { key: function.into(), last: true };
        if refusal.is_none() {
            services::answer(function, &frame, draft);
        }
    }

    /// What comes back for an acyclic service: nothing yet, a refusal of the link layer, or its answer.
    fn acyclic_answer(&mut self, asked: Option<Asked>, frame: Frame<'_>, direction: Direction, draft: &mut Draft) {
        let waiting = self.acyclic.filter(|waiting| waiting.direction != direction);
        let service = frame.data.first().filter(|_| WITH_DATA.contains(&frame.code())).copied();
        let is_refused = draft.message.kind == Kind::Error && asked.is_some_and(|asked| asked.opens);
        let Some(service) = service else {
            draft.function(waiting.map_or(0, |waiting| waiting.function));
            match waiting.filter(|_| is_refused) {
                Some(waiting) => {
                    draft.message.pairing = Pairing::Answers { key: waiting.key(), last: true };
                    self.acyclic = None;
                }
                None => draft.message.kind = Kind::Link,
            }
            return;
        };
        let function = u16::from(service & !NEGATIVE);
        draft.function(function);
        // The resource manager answers at once for its own service, and names the connection to go on with.
        let key = waiting.unwrap_or(Acyclic { direction: direction.opposite(), function }).key();
        draft.message.pairing = Pairing::Answers { key, last: true };
        self.acyclic = None;
        if service & NEGATIVE != 0 {
            let reason = frame.data.get(2).copied().unwrap_or(0);
            draft.failed(reason.into(), "");
        }
        services::answer(function, &frame, draft);
    }
}

/// A message under construction.
struct Draft {
    message: Box<Message>,
    claims: Vec<Claim>,
    odd: Option<(OddityCode, usize, String)>,
}

impl Draft {
    fn function(&mut self, function: u16) {
        let code = tables::find(codes::FUNCTIONS, function.into());
        self.message.function = Some(function);
        self.message.name = code.map_or("", |code| code.name);
        self.message.operation = code.and_then(|code| code.operation).unwrap_or(Operation::Unknown);
    }

    fn failed(&mut self, status: u16, name: &'static str) {
        self.message.kind = Kind::Error;
        self.message.status = Some(status);
        self.message.status_name = name;
    }

    fn object(&mut self, object: Object, values: impl IntoIterator<Item = f64>, text: &str) {
        let values = self.message.push_values(values);
        let text = self.message.push_text(text);
        self.message.objects.push(Object { values, text, ..object });
    }

    /// A statement about the sender or the receiver.
    fn claim(&mut self, about_sender: bool, attribute: Attribute, value: impl Into<String>) {
        if self.message.complete {
            let value = value.into();
            self.claims.push(Claim { about_sender, address: None, unit: Unit::None, attribute, value });
        }
    }

    /// Notes what the data lacks, unless the capture cut it.
    fn lacks(&mut self, frame: &Frame<'_>, what: &str) {
        if self.message.complete {
            let found = format!("{what}, found {} octets of data", frame.data.len());
            self.odd = Some((OddityCode::Truncated, frame.data_at, found));
        }
    }

    fn finish(self, out: &mut Output) {
        out.push(self.message);
        if let Some((code, offset, expected)) = self.odd {
            out.oddity(code, LAYER, offset, expected);
        }
        self.claims.into_iter().for_each(|claim| out.claim(claim));
    }
}
