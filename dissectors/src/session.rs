//! What a protocol gives the engine: recognition, framing and decoding, without input or output.
//!
//! A protocol is one file under `protocols/` and one table under `tables/`. It is handed octets in order and
//! answers with messages; streams, gaps, pairing and columns are the engine's and exist once.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use crate::activity::Activity;
use crate::model::{Attribute, Claim, Message, Oddity, OddityCode, Protocol, Unit};
use crate::net::link::Mac;
use crate::record::Read;

/// Way of a flow. Forward is from the endpoint that was seen to send first (or that opened the connection).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the first endpoint to the second.
    Forward,
    /// The other way.
    Backward,
}

impl Direction {
    /// The other way.
    pub const fn opposite(self) -> Self {
        match self {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        }
    }
}

/// Where the message at the start of a stream's octets ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Not enough octets to tell.
    NeedMore,
    /// The message has this many octets in all (they need not be there yet). Never 0.
    Message(usize),
    /// The same, of which only the first so many are to be decoded; the rest is passed over and never held.
    Head {
        /// Octets to be decoded.
        keep: usize,
        /// Octets in all. Never 0.
        length: usize,
    },
    /// No message of this protocol starts here.
    NotMine,
}

/// One message of a stream, or one datagram.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The octets that are there.
    pub bytes: &'a [u8],
    /// Octets that the message (or datagram) has on the wire; more than `bytes.len()` where the capture cut it.
    pub wire_length: usize,
    /// Its way.
    pub direction: Direction,
}

impl Chunk<'_> {
    /// True where the capture holds all of it.
    pub fn is_whole(&self) -> bool {
        self.bytes.len() >= self.wire_length
    }
}

/// What every session has by being `Clone`: a copy of itself as it is now.
pub trait Copied {
    /// A session that goes on as this one would.
    fn copied(&self) -> Box<dyn Session>;
}

impl<S: Session + Clone + 'static> Copied for S {
    fn copied(&self) -> Box<dyn Session> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Session> {
    fn clone(&self) -> Self {
        (**self).copied()
    }
}

/// One conversation of one protocol between two endpoints (both directions).
pub trait Session: Copied + Send {
    /// Which protocol.
    fn protocol(&self) -> Protocol;

    /// Streams only. Where the message at the start of `bytes` ends. Decided on as few octets as the framing needs.
    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing;

    /// Streams only. Offset (> 0 allowed, 0 allowed) of the first place where a message surely starts; strict,
    /// because the octets before it are given up. None where there is no such place. A service's first octets start
    /// its first message; it is asked only after a loss.
    fn resync(&self, _direction: Direction, _bytes: &[u8]) -> Option<usize> {
        None
    }

    /// Decodes one message (streams) or one datagram (which may hold several messages, or none).
    /// Must accept any octets. Messages, oddities and claims go to `out` in wire order.
    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output);

    /// Octets of this direction are lost: half-built messages above the framing are given up (pushed as cut).
    fn gap(&mut self, _direction: Direction, _out: &mut Output) {}

    /// All conversations together hold too much: what this one remembers of earlier messages goes.
    fn forget(&mut self) {}

    /// The flow ends: what was still open is told.
    fn close(&mut self, _out: &mut Output) {}

    /// The flow's service, where what was said tells more than the protocol.
    fn service(&self) -> &'static str {
        self.protocol().name()
    }

    /// Datagrams only. True where nothing said so far has a bearing on what follows: the session is let go, and what
    /// follows is recognised anew. Flows of one question and its answer are many, and take no room then.
    fn may_forget(&self) -> bool {
        false
    }

    /// True where nothing more is to be learnt: what follows is only counted.
    fn is_done(&self) -> bool {
        false
    }

    /// Octets held for half-built messages above the framing; of a service all that it holds beyond its own size.
    fn held(&self) -> usize {
        0
    }

    /// What of a whole message may differ when it comes again and says the same; none where that cannot be told.
    fn variable(&self, _direction: Direction, _message: &[u8]) -> Option<Variable> {
        None
    }

    /// Datagrams only. True where the datagram tells nothing that an earlier one of its way did not, and nothing between
    /// them has a bearing on that: it is counted where that was. Asked with one datagram twice it says whether there is
    /// such a thing here at all.
    fn says_the_same(&self, _earlier: &[u8], _datagram: &[u8]) -> bool {
        false
    }

    /// True where no message so far has a bearing on how the next one is decoded: nothing is awaited, nothing is half
    /// built. Only then are repetitions looked for.
    fn is_idle(&self) -> bool {
        false
    }
}

/// What two messages that say the same may differ in: octets of the message, the number before the values.
#[derive(Clone, Debug, Default)]
pub struct Variable {
    /// The number that pairs request and answer, at most four octets, the highest first.
    pub number: Range<usize>,
    /// Values that an answer carries; empty where they are not told apart from the rest.
    pub values: Range<usize>,
    /// Reads them as decoding does, though it may read more at the end.
    pub read: Option<Read>,
}

/// First octets of a conversation that nobody has recognised yet.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// Octets sent forward so far, in order, from a segment's start (streams), or the last datagram forward.
    pub forward: &'a [u8],
    /// The same, backward. Either may be empty.
    pub backward: &'a [u8],
    /// Who sent the first of these octets.
    pub first: Direction,
    /// Who opened the TCP connection, where that was seen.
    pub opener: Option<Direction>,
    /// Transport ports: of the forward sender, and of the backward sender. A hint only.
    pub ports: [u16; 2],
    /// Datagrams only: true where the last octets were cut by the capture.
    pub cut: bool,
}

impl<'a> Probe<'a> {
    /// Octets of one direction.
    pub fn bytes(&self, direction: Direction) -> &'a [u8] {
        match direction {
            Direction::Forward => self.forward,
            Direction::Backward => self.backward,
        }
    }

    /// Datagrams only: one of them, where it makes no difference which.
    pub fn datagram(&self) -> &'a [u8] {
        if self.forward.is_empty() { self.backward } else { self.forward }
    }

    /// The direction that leads to the given port, where just one does.
    pub fn direction_to(&self, port: u16) -> Option<Direction> {
        match (self.ports[1] == port, self.ports[0] == port) {
            (true, false) => Some(Direction::Forward),
            (false, true) => Some(Direction::Backward),
            _ => None,
        }
    }
}

/// What a protocol says of the first octets.
pub enum Recognition {
    /// Not mine: these octets cannot start one of my messages.
    No,
    /// Could be mine; ask again with more octets.
    Undecided,
    /// Mine. The engine replays the octets of the probe into the session.
    Yes(Box<dyn Session>),
}

/// A connection that the two hosts of a conversation agreed on: who listens for it, and where, and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The way of what the listener sends in the conversation.
    pub listener: Direction,
    /// Its TCP port.
    pub port: u16,
    /// The service of the connection.
    pub service: &'static str,
}

/// Where a session puts what it decodes.
#[derive(Clone, Default)]
#[expect(clippy::vec_box, reason = "a message is handed on from stage to stage and comes back for reuse")]
pub struct Output {
    /// Messages in wire order.
    pub messages: Vec<Box<Message>>,
    /// Malformed input in wire order, each with the number of messages pushed before it.
    pub oddities: Vec<(usize, Oddity)>,
    /// Statements about devices, each with the number of messages pushed before it.
    pub claims: Vec<(usize, Claim)>,
    /// What was done in the protocol of a service.
    pub activities: Vec<Activity>,
    /// Connections that were agreed on.
    pub expected: Vec<Expected>,
    /// Frame of the octets being decoded: of a message over several, the last one.
    pub frame: u64,
    /// Frames before the last that carried the datagram in hand, where it was put together of several.
    pub parts: Vec<u64>,
    pool: Vec<Box<Message>>,
}

impl Output {
    /// An empty message whose buffers are reused.
    pub fn message(&mut self) -> Box<Message> {
        self.pool.pop().unwrap_or_default()
    }

    /// Adds a message.
    pub fn push(&mut self, message: Box<Message>) {
        self.messages.push(message);
    }

    /// Adds an oddity; `expected` says what the standard has there and what was found.
    pub fn oddity(&mut self, code: OddityCode, layer: &'static str, offset: usize, expected: impl Into<String>) {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.oddities.push((self.messages.len(), Oddity { code, layer, offset, expected: expected.into() }));
    }

    /// Adds a claim.
    pub fn claim(&mut self, claim: Claim) {
        self.claims.push((self.messages.len(), claim));
    }

    /// The sender says this of itself; nothing where the value is empty.
    pub fn sender_is(&mut self, attribute: Attribute, value: impl Into<String>) {
        self.statement(None, Unit::None, attribute, value.into());
    }

    /// This is said of the host at an address.
    pub fn host_is(&mut self, address: IpAddr, attribute: Attribute, value: impl Into<String>) {
        let is_host = !(address.is_unspecified() || address.is_loopback() || address.is_multicast());
        if is_host {
            self.statement(Some(SocketAddr::new(address, 0)), Unit::None, attribute, value.into());
        }
    }

    /// This is said of the host with a MAC address.
    pub fn station_is(&mut self, mac: Mac, attribute: Attribute, value: impl Into<String>) {
        self.statement(None, Unit::Station(mac), attribute, value.into());
    }

    fn statement(&mut self, address: Option<SocketAddr>, unit: Unit, attribute: Attribute, value: String) {
        if !value.is_empty() {
            self.claim(Claim { about_sender: true, address, unit, attribute, value });
        }
    }

    /// Adds an activity.
    pub fn activity(&mut self, activity: Activity) {
        self.activities.push(activity);
    }

    /// True where nothing was decoded.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
            && self.oddities.is_empty()
            && self.claims.is_empty()
            && self.activities.is_empty()
            && self.expected.is_empty()
    }

    /// Gives a message's buffers back for reuse.
    pub fn recycle(&mut self, mut message: Box<Message>) {
        if self.pool.len() < 64 {
            message.reset();
            self.pool.push(message);
        }
    }

    /// Empties it and keeps the buffers for reuse.
    pub fn clear(&mut self) {
        while let Some(message) = self.messages.pop() {
            self.recycle(message);
        }
        self.oddities.clear();
        self.claims.clear();
        self.activities.clear();
        self.expected.clear();
    }
}
