//! What a protocol's conversation in a flow consists of, whatever carries it: the session, what is open, what repeats.

use crate::exchange::Conversation;
use crate::net::tcp::{Piece, Stamp};
use crate::polling::{Heard, Octets};
use crate::record::Dialogue;
use crate::refrain::{self, Refrain, Told};
use crate::session::{Chunk, Direction, Output, Session};
use crate::sinks::{Detail, Held, Hold, Sinks};
use crate::stream::Assembly;

/// Octets that every conversation of a service may hold beside what all of them hold together: a question or two.
const FREE: usize = 256;

/// A conversation of one protocol.
#[derive(Clone)]
pub struct Talk {
    /// The protocol's part.
    pub session: Box<dyn Session>,
    /// What is open.
    pub dialogue: Dialogue,
    /// What it says again and again.
    refrain: Refrain,
    /// Whose it is.
    pub place: Conversation,
    /// Which side was seen to be the client.
    pub client: Option<Direction>,
    /// What it holds of what was said.
    pub held: Held,
    /// True where it is not listened to any longer, because all conversations together hold too much.
    pub is_over: bool,
}

impl Talk {
    /// A conversation that starts.
    pub fn new(session: Box<dyn Session>, place: Conversation) -> Self {
        Talk {
            session,
            place,
            dialogue: Dialogue::default(),
            refrain: Refrain::default(),
            client: None,
            held: Held::default(),
            is_over: false,
        }
    }

    /// Takes a whole message that is the next of its direction where it repeats an earlier one; false where it has to
    /// be decoded.
    #[inline]
    pub fn again(&mut self, direction: Direction, message: &[u8], stamp: Stamp, sinks: &mut Sinks) -> bool {
        self.dialogue.polling.again(direction, message, stamp, sinks)
    }

    /// Decodes the next piece of a stream.
    pub fn piece(
        &mut self,
        assembly: &mut Assembly,
        direction: Direction,
        piece: Piece<'_>,
        stamp: Stamp,
        sinks: &mut Sinks,
        output: &mut Output,
    ) {
        self.catch_up(sinks, output);
        let message = match piece {
            Piece::Data(octets) if assembly.is_at_start() => octets,
            _ => &[],
        };
        let Talk { session, dialogue, place, client, .. } = self;
        let mut heard = Heard::default();
        let mut deliver = |out: &mut Output, frames: &[u64], stamp: Stamp| {
            heard.add(out);
            *client = sinks.messages(place, dialogue, direction, out, frames, stamp).or(*client);
        };
        assembly.piece(piece, stamp, direction, session.as_mut(), output, &mut deliver);
        heard.remarks |= message.is_empty() || !assembly.is_at_start();
        self.heard(direction, message, heard, sinks);
    }

    /// Decodes a datagram, or what a frame of a link without an internet layer carries.
    pub fn datagram(&mut self, chunk: Chunk<'_>, stamp: Stamp, sinks: &mut Sinks, output: &mut Output) {
        let Chunk { bytes, direction, .. } = chunk;
        let parts = std::mem::take(&mut output.parts);
        if chunk.is_whole()
            && parts.is_empty()
            && (self.again(direction, bytes, stamp, sinks)
                || self.refrain.again(&*self.session, direction, bytes, stamp, sinks))
        {
            return;
        }
        self.catch_up(sinks, output);
        output.frame = stamp.frame;
        self.session.decode(chunk, output);
        // Of datagrams nothing but their number tells which one is answered.
        self.dialogue.exchanges.answers_come_early =
            output.messages.last().is_some_and(|message| message.transaction.is_some());
        if output.messages.is_empty() {
            sinks.undecoded(self.place.protocol, chunk.bytes.len() as u64);
        }
        let mut heard = Heard { remarks: !chunk.is_whole(), ..Heard::default() };
        heard.add(output);
        let may_repeat =
            chunk.is_whole() && bytes.len() <= refrain::MAX_OCTETS && self.session.says_the_same(bytes, bytes);
        if may_repeat {
            sinks.told = Told::default();
        }
        self.take(direction, &parts, stamp, sinks, output);
        if may_repeat && !sinks.told.lacks {
            let told = std::mem::take(&mut sinks.told);
            self.refrain.remember(&*self.session, direction, bytes, told, sinks);
        }
        self.heard(direction, bytes, heard, sinks);
        self.bound_requests(sinks);
        let parts = self.parts();
        if sinks.holds_too_much(Hold::Parts, &mut self.held, parts) {
            for direction in [Direction::Forward, Direction::Backward] {
                self.session.gap(direction, output);
                self.take(direction, &[], stamp, sinks, output);
            }
            self.gave_up(sinks);
        }
    }

    /// Octets that the session holds, as far as they count.
    #[inline]
    pub fn parts(&self) -> usize {
        let free = if self.place.protocol.is_control() { 0 } else { FREE };
        self.session.held().saturating_sub(free)
    }

    /// Half-built messages were given up. What a service holds beside them, questions and what it knows of the other
    /// side, goes when it is not listened to any longer.
    #[cold]
    pub fn gave_up(&mut self, sinks: &mut Sinks) {
        self.session.forget();
        self.is_over = !self.place.protocol.is_control() && self.parts() > 0;
        sinks.gave_up(&mut self.held);
    }

    /// Closes open exchanges where all conversations together have too many.
    #[inline]
    pub fn bound_requests(&mut self, sinks: &mut Sinks) {
        let Talk { dialogue, held, place, .. } = self;
        if sinks.holds_too_much(Hold::Requests, held, dialogue.exchanges.held()) {
            sinks.give_up_exchanges(place, dialogue);
            sinks.holds_too_much(Hold::Requests, held, dialogue.exchanges.held());
        }
    }

    /// Gives up what is half built of one direction of a stream.
    pub fn give_up(
        &mut self,
        assembly: &mut Assembly,
        direction: Direction,
        stamp: Stamp,
        sinks: &mut Sinks,
        output: &mut Output,
    ) {
        self.catch_up(sinks, output);
        let Talk { session, dialogue, place, client, .. } = self;
        let mut deliver = |out: &mut Output, frames: &[u64], stamp: Stamp| {
            *client = sinks.messages(place, dialogue, direction, out, frames, stamp).or(*client);
        };
        assembly.give_up(stamp, direction, session.as_mut(), output, &mut deliver);
    }

    /// A stream ends: what is half there is cut.
    pub fn end(
        &mut self,
        assembly: &mut Assembly,
        direction: Direction,
        stamp: Stamp,
        sinks: &mut Sinks,
        output: &mut Output,
    ) {
        self.catch_up(sinks, output);
        let Talk { session, dialogue, place, client, .. } = self;
        let mut deliver = |out: &mut Output, frames: &[u64], stamp: Stamp| {
            *client = sinks.messages(place, dialogue, direction, out, frames, stamp).or(*client);
        };
        assembly.finish(stamp, direction, session.as_mut(), output, &mut deliver);
        sinks.undecoded(place.protocol, assembly.undecoded());
    }

    /// Nothing more is said.
    pub fn finish(&mut self, stamp: Stamp, sinks: &mut Sinks, output: &mut Output) {
        self.catch_up(sinks, output);
        output.frame = stamp.frame;
        self.session.close(output);
        self.take(Direction::Forward, &[], stamp, sinks, output);
        sinks.holds_nothing(&mut self.held);
        self.dialogue.polling.forget(sinks);
        self.refrain.forget(sinks);
        sinks.finish_dialogue(&self.place, &mut self.dialogue);
    }

    /// Decodes the request that was taken for a repetition, because something else than its answer follows.
    #[inline]
    fn catch_up(&mut self, sinks: &mut Sinks, output: &mut Output) {
        if let Some(asked) = self.dialogue.polling.take_asked() {
            self.decode_after_all(asked, sinks, output);
        }
    }

    #[cold]
    fn decode_after_all(&mut self, asked: (Direction, Octets, Stamp), sinks: &mut Sinks, output: &mut Output) {
        let (direction, octets, stamp) = asked;
        self.session.decode(Chunk { bytes: &octets, wire_length: octets.len(), direction }, output);
        if sinks.detail == Detail::Pdus {
            // Its row is there.
            output.clear();
        }
        self.take(direction, &[], stamp, sinks, output);
    }

    /// Tells what was decoded; `parts` are frames before the last that carried it.
    fn take(&mut self, direction: Direction, parts: &[u64], stamp: Stamp, sinks: &mut Sinks, output: &mut Output) {
        let Talk { dialogue, place, client, .. } = self;
        let last = [stamp.frame];
        let all: Vec<u64>;
        let frames = if parts.is_empty() {
            &last[..]
        } else {
            all = [parts, &last].concat();
            &all
        };
        *client = sinks.messages(place, dialogue, direction, output, frames, stamp).or(*client);
        output.clear();
    }

    fn heard(&mut self, direction: Direction, message: &[u8], heard: Heard, sinks: &mut Sinks) {
        let Dialogue { exchanges, recent, polling } = &mut self.dialogue;
        let idle = self.session.is_idle() && exchanges.is_empty();
        polling.heard(&*self.session, direction, message, Heard { idle, ..heard }, recent.tally.take(), sinks);
    }
}
