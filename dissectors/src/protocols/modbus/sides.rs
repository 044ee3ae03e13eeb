//! Which side of a conversation is the client, and the requests whose answers are due.

use std::collections::VecDeque;

use super::shape::{Role, role_shown};
use crate::session::{Direction, Probe};

/// Messages that must contradict the transport before they are believed.
const SURE: usize = 3;
/// So many messages that contradict outweigh one that agrees.
const WEIGHT: i32 = 8;
/// More than the messages of two exchanges prove nothing more: what is said once more after those need not be weighed.
const SETTLED: i32 = 4 * WEIGHT;

/// The client's direction, and what the content said of it.
#[derive(Clone, Copy, Debug)]
pub struct Sides {
    client: Direction,
    /// How far the messages agree with it: 0 at the start, at most [`SETTLED`].
    evidence: i32,
}

impl Sides {
    /// A decision that content may still overturn.
    pub const fn new(client: Direction) -> Self {
        Sides { client, evidence: 0 }
    }

    /// The opener of the connection is the client (Messaging V1.0b, 4.2), unless it opens from the standard port,
    /// which no client binds; unseen, the side that talks to the standard port. `shown` are the client's directions
    /// that the messages at hand show: they decide where the transport does not, or where several all say otherwise.
    pub fn of(probe: &Probe<'_>, port: u16, shown: &[Direction]) -> Self {
        let content = shown.first().copied().filter(|first| shown.iter().all(|other| other == first));
        let by_port = probe.direction_to(port);
        let certain = match (probe.opener, by_port) {
            (Some(opener), Some(to_port)) => (opener == to_port).then_some(opener),
            (opener, to_port) => opener.or(to_port),
        };
        Sides::new(match (certain, content) {
            (Some(client), Some(_)) if shown.len() < SURE => client,
            (_, Some(content)) => content,
            (Some(client), None) => client,
            (None, None) => by_port.unwrap_or(probe.first),
        })
    }

    /// In which role this direction speaks.
    pub fn role(&self, direction: Direction) -> Role {
        if direction == self.client { Role::Request } else { Role::Response }
    }

    /// True where a message that agrees changes nothing any more.
    pub const fn are_settled(&self) -> bool {
        self.evidence == SETTLED
    }

    /// Weighs a message; turns the sides only when the evidence is overwhelming.
    pub fn weigh(&mut self, direction: Direction, pdu: &[u8], length: usize) {
        let Some(shown) = role_shown(pdu, length) else { return };
        if shown == self.role(direction) {
            self.evidence = (self.evidence + WEIGHT).min(SETTLED);
            return;
        }
        self.evidence -= 1;
        if self.evidence <= -(SURE as i32) {
            *self = Sides::new(self.client.opposite());
        }
    }
}

/// The client's direction that a message shows by its content.
pub fn client_shown(direction: Direction, pdu: &[u8], length: usize) -> Option<Direction> {
    role_shown(pdu, length).map(|role| match role {
        Role::Request => direction,
        Role::Response => direction.opposite(),
    })
}

/// A range that a request names; its response does not say it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First address or record number.
    pub start: u32,
    /// How many.
    pub count: u32,
    /// File number of a file record.
    pub index: Option<u32>,
}

/// What the answer to a request cannot be understood without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Sub-function (8), MEI type (43) or UMAS function (90).
    pub sub_function: Option<u16>,
    /// What it reads, or writes where it only writes.
    pub span: Option<Span>,
    /// What the answer has to repeat beside the range: the value of 5 and 6, both masks of 22.
    pub echo: Option<u32>,
    /// File records that it reads (20), in wire order.
    pub records: Vec<Span>,
}

/// Requests that await their answers, the newest last.
#[derive(Clone, Debug)]
pub struct Outstanding {
    requests: VecDeque<Request>,
    most: usize,
}

#[derive(Clone, Debug)]
struct Request {
    key: u64,
    /// Counts those under one identifier.
    turn: u8,
    asked: Asked,
    /// False where an answer under its identifier may have been its own.
    is_sure: bool,
}

impl Outstanding {
    /// Remembers `most` requests. The standard lets a server bound them too (Messaging V1.0b, 4.4.1.2).
    pub const fn new(most: usize) -> Self {
        Outstanding { requests: VecDeque::new(), most }
    }

    /// Remembers a request; the oldest gives way. Gives the key of the exchange: another one than before while a request
    /// under the same identifier awaits its answer.
    pub fn ask(&mut self, key: u64, asked: Asked) -> u64 {
        // Who asks again did not wait for more answers than came.
        self.requests.retain(|request| request.key != key || request.is_sure);
        let latest = self.requests.iter().rev().find(|request| request.key == key);
        let turn = latest.map_or(0, |request| request.turn.wrapping_add(1));
        while self.requests.len() >= self.most {
            self.requests.pop_front();
        }
        self.requests.push_back(Request { key, turn, asked, is_sure: true });
        of_turn(key, turn)
    }

    /// True where no request awaits its answer.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// True where a request of this key awaits its answer.
    pub fn awaits(&self, key: u64) -> bool {
        self.requests.iter().any(|request| request.key == key)
    }

    /// Takes the request that an answer belongs to, and the key of the exchange: of those under one identifier the
    /// oldest that the answer fits, else the oldest. Where it fits others that asked something else, it cannot be told
    /// what was asked, here and at the next answers: a client that never changes the identifier may have given up the
    /// oldest.
    pub fn answer(&mut self, key: u64, fits: impl Fn(&Asked) -> bool) -> (u64, Option<Asked>) {
        let mut of_key = (0..self.requests.len()).filter(|at| self.requests[*at].key == key);
        let oldest = of_key.next();
        let fitting = oldest.filter(|at| fits(&self.requests[*at].asked));
        let chosen = fitting.or_else(|| of_key.find(|at| fits(&self.requests[*at].asked))).or(oldest);
        let Some(Request { turn, asked, is_sure, .. }) = chosen.and_then(|at| self.requests.remove(at)) else {
            return (key, None);
        };
        let fits_another = |other: &Request| other.key == key && other.asked != asked && fits(&other.asked);
        let is_sure = is_sure && !self.requests.iter().any(fits_another);
        if !is_sure {
            self.requests.iter_mut().filter(|request| request.key == key).for_each(|request| request.is_sure = false);
        }
        if self.requests.is_empty() {
            // The next request goes to the same place in memory.
            self.requests.clear();
        }
        (of_turn(key, turn), Some(asked).filter(|_| is_sure))
    }

    /// Octets are lost: which requests under one identifier were answered in them cannot be told, and the newest is
    /// taken for the one that awaits its answer.
    pub fn forget_older(&mut self) {
        let newest: Vec<(u64, u8)> = self.requests.iter().map(|request| (request.key, request.turn)).collect();
        self.requests.retain(|request| {
            newest.iter().rev().find(|(key, _)| *key == request.key) == Some(&(request.key, request.turn))
        });
    }
}

/// The key of an exchange whose identifier was in use so many times when it was asked.
fn of_turn(key: u64, turn: u8) -> u64 {
    u64::from(turn) << 32 | key
}
