//! The conversation of a recognised protocol inside a flow: segments and datagrams go through its session into the
//! sinks.

use crate::columns::rows;
use crate::exchange::Conversation;
use crate::flows::{Content, Datagrams, Flow, Stream};
use crate::model::{OddityCode, Protocol};
use crate::net::tcp::{Piece, Stamp};
use crate::recognise::{Kept, Seen};
use crate::record::Dialogue;
use crate::services::Basis;
use crate::session::{Chunk, Direction, Output, Session};
use crate::sinks::{Odd, Sinks};

/// A protocol was recognised in a TCP flow: the segments kept so far are its own.
pub fn start_stream(flow: &mut Flow, session: Box<dyn Session>, kept: &[Kept], sinks: &mut Sinks, output: &mut Output) {
    flow.service = Some((session.protocol().name(), Basis::Content));
    let mut stream = Stream {
        place: conversation(flow, session.protocol(), sinks.source),
        session,
        halves: Default::default(),
        assemblies: Default::default(),
        dialogue: Dialogue::default(),
    };
    for direction in [Direction::Forward, Direction::Backward] {
        // The lowest sequence number kept starts the direction, should the first segments be out of order.
        let of_side = kept.iter().filter(|kept| kept.direction == direction).map(|kept| kept.sequence);
        let lowest =
            of_side.reduce(|lowest, other| if (other.wrapping_sub(lowest) as i32) < 0 { other } else { lowest });
        if let Some(lowest) = lowest {
            stream.halves[direction as usize].synchronise(lowest.wrapping_sub(1));
        }
    }
    flow.content = Content::Stream(Box::new(stream));
    for earlier in kept {
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
    let place = conversation(flow, session.protocol(), sinks.source);
    flow.content = Content::Datagrams(Box::new(Datagrams { session, dialogue: Dialogue::default(), place }));
    for earlier in kept {
        datagram(flow, earlier.seen(), sinks, output);
    }
}

/// Takes a TCP segment, and what it acknowledges of the other direction.
pub fn segment(flow: &mut Flow, seen: Seen<'_>, acknowledgement: Option<u32>, sinks: &mut Sinks, output: &mut Output) {
    let Content::Stream(stream) = &mut flow.content else { return };
    let Stream { session, halves, assemblies, dialogue, place } = &mut **stream;
    let place = &*place;
    let client = &mut flow.client;
    let mut run = |direction: Direction, piece: Piece<'_>, stamp: Stamp, sinks: &mut Sinks| {
        note_missing(&piece, &mut sinks.coverage);
        let mut deliver = |out: &mut Output, frames: &[u64], stamp: Stamp| {
            *client = sinks.messages(place, dialogue, direction, out, frames, stamp).or(*client);
        };
        assemblies[direction as usize].piece(piece, stamp, direction, session.as_mut(), output, &mut deliver);
    };
    let Seen { direction, sequence, payload, missing, stamp } = seen;
    let mut conflict = false;
    if missing == 0 && !payload.is_empty() && halves[direction as usize].awaited(sequence, payload) {
        run(direction, Piece::Data(payload), stamp, sinks);
    } else if !payload.is_empty() || missing > 0 {
        conflict = halves[direction as usize].segment(sequence, payload, missing, stamp, &mut |piece, stamp| {
            run(direction, piece, stamp, sinks);
        });
    }
    if let Some(acknowledgement) = acknowledgement {
        let other = direction.opposite();
        let half = &mut halves[other as usize];
        half.acknowledge(acknowledgement);
        if half.is_waiting() {
            half.give_up(stamp.time, &mut |piece, stamp| run(other, piece, stamp, sinks));
        }
    }
    if conflict {
        let odd = Odd {
            layer: "tcp",
            offset: 0,
            code: OddityCode::ConflictingOverlap,
            expected: "the octets that were sent before with these sequence numbers, found others".to_string(),
        };
        sinks.oddity_of(place, direction, stamp, odd);
    }
}

/// Takes a datagram, or what a frame of a link without an internet layer carries.
pub fn datagram(flow: &mut Flow, seen: Seen<'_>, sinks: &mut Sinks, output: &mut Output) {
    let Content::Datagrams(datagrams) = &mut flow.content else { return };
    let Datagrams { session, dialogue, place } = &mut **datagrams;
    let Seen { direction, payload, missing, stamp, .. } = seen;
    session.decode(Chunk { bytes: payload, wire_length: payload.len() + missing, direction }, output);
    if output.messages.is_empty() {
        sinks.undecoded(place.protocol, payload.len() as u64);
    }
    flow.client = sinks.messages(place, dialogue, direction, output, &[stamp.frame], stamp).or(flow.client);
    output.clear();
}

/// Gives up what is still open in a flow: holes, half messages, unanswered requests.
pub fn finish(flow: &mut Flow, sinks: &mut Sinks, output: &mut Output) {
    let stamp = Stamp { frame: flow.last().1, time: flow.last().0, capture: sinks.coverage.capture };
    match std::mem::replace(&mut flow.content, Content::Unknown(None)) {
        Content::Unknown(_) => {}
        Content::Datagrams(mut datagrams) => {
            let Datagrams { dialogue, place, .. } = &mut *datagrams;
            sinks.finish_dialogue(place, dialogue);
        }
        Content::Stream(stream) => {
            let Stream { mut session, mut halves, mut assemblies, mut dialogue, place } = *stream;
            for direction in [Direction::Forward, Direction::Backward] {
                let assembly = &mut assemblies[direction as usize];
                let mut deliver = |out: &mut Output, frames: &[u64], stamp: Stamp, sinks: &mut Sinks| {
                    let client = sinks.messages(&place, &mut dialogue, direction, out, frames, stamp);
                    flow.client = client.or(flow.client);
                };
                halves[direction as usize].finish(&mut |piece, stamp| {
                    note_missing(&piece, &mut sinks.coverage);
                    let mut deliver =
                        |out: &mut Output, frames: &[u64], stamp: Stamp| deliver(out, frames, stamp, sinks);
                    assembly.piece(piece, stamp, direction, session.as_mut(), output, &mut deliver);
                });
                let mut deliver = |out: &mut Output, frames: &[u64], stamp: Stamp| deliver(out, frames, stamp, sinks);
                assembly.finish(stamp, direction, session.as_mut(), output, &mut deliver);
                sinks.undecoded(place.protocol, assembly.undecoded());
            }
            sinks.finish_dialogue(&place, &mut dialogue);
        }
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
