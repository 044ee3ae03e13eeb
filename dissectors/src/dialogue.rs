//! The conversation of a recognised protocol inside a flow: segments and datagrams go through its session into the
//! sinks.

use crate::columns::rows;
use crate::exchange::Conversation;
use crate::flows::{Content, Flow, Stream};
use crate::model::{OddityCode, Protocol};
use crate::net::ip::{Segment, flag};
use crate::net::tcp::{Half, Piece, Stamp};
use crate::recognise::{Kept, Recognised, Seen};
use crate::services::Basis;
use crate::session::{Chunk, Direction, Output, Session};
use crate::sinks::{Hold, Odd, Sinks};
use crate::stream::Assembly;
use crate::talk::Talk;

/// A protocol was recognised in a TCP flow: the segments kept so far are its own.
pub fn start_stream(flow: &mut Flow, recognised: Recognised, sinks: &mut Sinks, output: &mut Output) {
    let Recognised { session, kept, starts } = recognised;
    flow.service = Some((session.protocol().name(), Basis::Content));
    sinks.recognised(flow, session.protocol());
    let place = conversation(flow, session.protocol(), sinks.source);
    let mut stream =
        Stream { talk: Talk::new(session, place), halves: Default::default(), assemblies: Default::default() };
    for direction in [Direction::Forward, Direction::Backward] {
        // The lowest sequence number kept starts the direction, should the first segments be out of order.
        let of_side = kept.iter().filter(|kept| kept.direction == direction).map(|kept| kept.sequence);
        let lowest =
            of_side.reduce(|lowest, other| if (other.wrapping_sub(lowest) as i32) < 0 { other } else { lowest });
        let start = starts[direction as usize];
        if let Some(first) = start.map(|start| start.sequence).or(lowest) {
            stream.halves[direction as usize].synchronise(first.wrapping_sub(1));
        }
        if start.is_some_and(|start| start.is_message) {
            stream.assemblies[direction as usize] = Assembly::at_start();
        }
    }
    flow.content = Content::Stream(Box::new(stream));
    for earlier in &kept {
        segment(flow, earlier.seen(), None, sinks, output);
    }
}

/// A protocol was recognised in a flow of datagrams: the datagrams kept so far are its own.
pub fn start_datagrams(
    flow: &mut Flow,
    session: Box<dyn Session>,
    kept: &[Kept],
    sinks: &mut Sinks,
    output: &mut Output,
) {
    flow.service = Some((session.protocol().name(), Basis::Content));
    sinks.recognised(flow, session.protocol());
    let place = conversation(flow, session.protocol(), sinks.source);
    flow.content = Content::Datagrams(Box::new(Talk::new(session, place)));
    for earlier in kept {
        datagram(flow, earlier.seen(), sinks, output);
    }
}

/// Takes a TCP segment that is the next of its direction, while nothing waits in either, where it carries what was said
/// before or nothing at all; false, and nothing is done, where it is another.
#[inline]
pub fn again(flow: &mut Flow, direction: Direction, segment: &Segment<'_>, stamp: Stamp, sinks: &mut Sinks) -> bool {
    let stream = match &mut flow.content {
        Content::Stream(stream) => stream,
        Content::Quiet(_) => {
            flow.loaded = flow.loaded.saturating_add(u32::from(!segment.payload.is_empty()));
            return true;
        }
        Content::Unknown(_) | Content::Datagrams(_) => return false,
    };
    let Stream { talk, halves, assemblies } = &mut **stream;
    let way = direction as usize;
    let is_usual = segment.missing == 0
        && segment.flags & (flag::SYN | flag::ACK) == flag::ACK
        && !halves.iter().any(Half::is_waiting);
    if !is_usual {
        return false;
    }
    if !segment.payload.is_empty() {
        let may_repeat = halves[way].awaits(segment.sequence) && assemblies[way].is_at_start();
        if !(may_repeat && talk.again(direction, segment.payload, stamp, sinks)) {
            return false;
        }
        halves[way].pass(segment.payload);
        flow.loaded = flow.loaded.saturating_add(1);
    }
    halves[direction.opposite() as usize].acknowledge(segment.acknowledgement);
    true
}

/// Takes a TCP segment, and what it acknowledges of the other direction.
#[inline]
pub fn segment(flow: &mut Flow, seen: Seen<'_>, acknowledgement: Option<u32>, sinks: &mut Sinks, output: &mut Output) {
    let Content::Stream(stream) = &mut flow.content else { return };
    let Stream { talk, halves, assemblies } = &mut **stream;
    let Seen { direction, sequence, payload, missing, stamp } = seen;
    // Who acknowledges what was not seen yet answers it, maybe; of what was kept nothing is known.
    talk.dialogue.exchanges.answers_come_early =
        acknowledgement.is_none_or(|number| halves[direction.opposite() as usize].lacks(number));
    let mut run = |direction: Direction, piece: Piece<'_>, stamp: Stamp, sinks: &mut Sinks| {
        note_missing(&piece, &mut sinks.coverage);
        talk.piece(&mut assemblies[direction as usize], direction, piece, stamp, sinks, output);
    };
    if let Some(acknowledgement) = acknowledgement {
        let half = &mut halves[direction.opposite() as usize];
        half.acknowledge(acknowledgement);
        if half.is_waiting() && !payload.is_empty() {
            half.answer(acknowledgement);
        }
    }
    // What waited for octets that are surely lost was sent before this segment: either side in the order captured, or
    // answers come to belong to later requests.
    while let Some(way) = oldest_lost(halves, direction, sequence, stamp.time) {
        halves[way as usize].give_up(&mut |piece, stamp| run(way, piece, stamp, sinks));
    }
    let mut conflict = false;
    if missing == 0 && !payload.is_empty() && halves[direction as usize].awaits(sequence) {
        halves[direction as usize].pass(payload);
        run(direction, Piece::Data(payload), stamp, sinks);
    } else if !payload.is_empty() || missing > 0 {
        conflict = halves[direction as usize].segment(sequence, payload, missing, stamp, &mut |piece, stamp| {
            run(direction, piece, stamp, sinks);
        });
    }
    let held = halves.iter().map(Half::held).sum::<usize>() + assemblies.iter().map(Assembly::held).sum::<usize>();
    let parts = talk.parts();
    let too_much = sinks.holds_too_much(Hold::Parts, &mut talk.held, held + parts);
    talk.bound_requests(sinks);
    let history = |halves: &[Half; 2]| halves.iter().map(Half::history).sum();
    if sinks.holds_too_much(Hold::History, &mut talk.held, history(halves)) {
        halves.iter_mut().for_each(Half::shorten_history);
        sinks.holds_too_much(Hold::History, &mut talk.held, history(halves));
    }
    if conflict {
        let odd = Odd {
            layer: "tcp",
            offset: 0,
            code: OddityCode::ConflictingOverlap,
            expected: "the octets that were sent before with these sequence numbers, found others".to_string(),
        };
        sinks.oddity_of(&talk.place, direction, stamp, odd);
    }
    if too_much {
        give_up(stream, stamp, sinks, output);
    }
}

/// Gives up the holes and half-built messages of a stream that goes on.
#[cold]
fn give_up(stream: &mut Stream, stamp: Stamp, sinks: &mut Sinks, output: &mut Output) {
    for direction in [Direction::Forward, Direction::Backward] {
        give_up_holes(stream, direction, sinks, output);
        stream.talk.give_up(&mut stream.assemblies[direction as usize], direction, stamp, sinks, output);
    }
    stream.talk.gave_up(sinks);
}

fn give_up_holes(stream: &mut Stream, direction: Direction, sinks: &mut Sinks, output: &mut Output) {
    let Stream { talk, halves, assemblies } = stream;
    halves[direction as usize].finish(&mut |piece, stamp| {
        note_missing(&piece, &mut sinks.coverage);
        talk.piece(&mut assemblies[direction as usize], direction, piece, stamp, sinks, output);
    });
}

/// The direction in which the segment that has waited longest waits for octets that are surely lost.
#[inline]
fn oldest_lost(halves: &[Half; 2], direction: Direction, sequence: u32, now: i64) -> Option<Direction> {
    if !halves.iter().any(Half::is_waiting) {
        return None;
    }
    let lost = |way: &Direction| {
        let half = &halves[*way as usize];
        // The octets at hand may be the missing ones.
        let is_filled = *way == direction && half.is_filled_from(sequence);
        half.lost(now).filter(|_| !is_filled).map(|stamp| (stamp.time, stamp.frame))
    };
    let ways = [Direction::Forward, Direction::Backward].into_iter();
    ways.filter(|way| lost(way).is_some()).min_by_key(lost)
}

/// Takes a datagram, or what a frame of a link without an internet layer carries.
pub fn datagram(flow: &mut Flow, seen: Seen<'_>, sinks: &mut Sinks, output: &mut Output) {
    let Content::Datagrams(talk) = &mut flow.content else { return };
    let Seen { direction, payload, missing, stamp, .. } = seen;
    let chunk = Chunk { bytes: payload, wire_length: payload.len() + missing, direction };
    talk.datagram(chunk, stamp, sinks, output);
}

/// Gives up what is still open in a flow: holes, half messages, unanswered requests.
pub fn finish(flow: &mut Flow, sinks: &mut Sinks, output: &mut Output) {
    let stamp = Stamp { frame: flow.last().1, time: flow.last().0, capture: sinks.coverage.capture };
    match &mut flow.content {
        Content::Unknown(_) | Content::Quiet(_) => {}
        Content::Datagrams(talk) => {
            flow.service = Some((talk.session.service(), Basis::Content));
            talk.finish(stamp, sinks, output);
        }
        Content::Stream(stream) => {
            for direction in [Direction::Forward, Direction::Backward] {
                give_up_holes(stream, direction, sinks, output);
                stream.talk.end(&mut stream.assemblies[direction as usize], direction, stamp, sinks, output);
            }
            flow.service = Some((stream.talk.session.service(), Basis::Content));
            stream.talk.finish(stamp, sinks, output);
        }
    }
}

/// Where a service has said all that is to be learnt, what follows in its flow is only counted. Where it had to let go
/// of what it held, what was open is told as it is; datagrams, which need none before them, may be recognised again.
pub fn settle(flow: &mut Flow, sinks: &mut Sinks, output: &mut Output) {
    let (talk, is_stream) = match &flow.content {
        Content::Stream(stream) => (&stream.talk, true),
        Content::Datagrams(talk) => (&**talk, false),
        Content::Unknown(_) | Content::Quiet(_) => return,
    };
    let (is_done, is_over) = (talk.session.is_done(), talk.is_over);
    if is_done || is_over {
        finish(flow, sinks, output);
        flow.content = if is_done || is_stream { Content::Quiet(flow.client()) } else { Content::Unknown(None) };
    } else if talk.session.may_forget() {
        finish(flow, sinks, output);
        flow.content = Content::Unknown(None);
    }
}

fn note_missing(piece: &Piece<'_>, coverage: &mut rows::Coverage) {
    match piece {
        Piece::Data(_) => {}
        Piece::Break => coverage.gaps += 1,
        Piece::Hole(length) => {
            coverage.gaps += 1;
            coverage.gap_bytes += *length as u64;
        }
    }
}

fn conversation(flow: &Flow, protocol: Protocol, source: u32) -> Conversation {
    Conversation {
        source,
        protocol,
        transport: flow.key.transport().name(),
        addresses: flow.addresses,
        ports: flow.ports,
        vlan: flow.vlan,
    }
}
