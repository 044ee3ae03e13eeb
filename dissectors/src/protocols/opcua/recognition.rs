//! Whether a stream is OPC UA: the header of the first message, and what its type has behind it.

use super::Opcua;
use super::header::{self, HEADER, Start, letter};
use crate::session::{Direction, Probe, Recognition};

/// What the octets of one direction say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Nothing,
    Maybe,
    Mine,
    Other,
}

/// Recognises a stream by the first message of either direction.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let looks = [probe.forward, probe.backward].map(look);
    if looks.contains(&Look::Mine) {
        Recognition::Yes(Box::new(Opcua::new(client(probe))))
    } else if looks.contains(&Look::Other) || !looks.contains(&Look::Maybe) {
        Recognition::No
    } else {
        Recognition::Undecided
    }
}

/// The way of the client's messages: who says hello is the client, who answers it or calls back is the server; else
/// whoever opened the connection, or speaks to the usual port.
fn client(probe: &Probe<'_>) -> Option<Direction> {
    let says = |direction: Direction, letter: u8| probe.bytes(direction).first() == Some(&letter);
    let ways = [Direction::Forward, Direction::Backward];
    let hello = ways.into_iter().find(|way| says(*way, letter::HELLO));
    let server = ways.into_iter().find(|way| says(*way, letter::ACKNOWLEDGE) || says(*way, letter::REVERSE));
    hello.or(server.map(Direction::opposite)).or(probe.direction_to(Opcua::PORT)).or(probe.opener)
}

fn look(bytes: &[u8]) -> Look {
    if bytes.is_empty() {
        return Look::Nothing;
    }
    match header::start(bytes) {
        Start::Nothing => Look::Other,
        Start::NeedMore => Look::Maybe,
        Start::Message(chunk) => body(chunk.letter, chunk.part, bytes.get(HEADER..).unwrap_or(&[])),
    }
}

/// Fields behind the header that say that it is no chance; `body` may end early.
fn body(kind: u8, part: u8, body: &[u8]) -> Look {
    let number = |at: usize| {
        let octets = body.get(at..at + 4)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*octets))
    };
    match kind {
        // Version, then sizes of buffers of at least 8192 octets, as 7.1.2.3 asks; some offer less.
        letter::HELLO | letter::ACKNOWLEDGE => match (number(0), number(4), number(8)) {
            (Some(version), Some(receive), Some(send)) => {
                let fits = version < 256 && receive.min(send) >= 1024 && receive.max(send) <= 1 << 30;
                if fits { Look::Mine } else { Look::Other }
            }
            _ => Look::Maybe,
        },
        letter::ERROR => match number(0) {
            Some(status) if status >> 30 == 2 && status & 0xFFFF == 0 => Look::Mine,
            Some(_) => Look::Other,
            None => Look::Maybe,
        },
        // Two strings: URIs.
        letter::REVERSE => match body.get(4..8) {
            Some(start) if start.iter().all(u8::is_ascii_graphic) => Look::Mine,
            Some(_) => Look::Other,
            None => Look::Maybe,
        },
        // The policy's URI.
        letter::OPEN => match body.get(8..12) {
            Some(b"http") => Look::Mine,
            Some(_) => Look::Other,
            None => Look::Maybe,
        },
        letter::MESSAGE | letter::CLOSE => message(part, body),
        _ => Look::Other,
    }
}

/// A message whose channel was opened before: its type id, where the body can be read; else the ids of channel and token.
fn message(part: u8, body: &[u8]) -> Look {
    let Some(ids) = body.get(..16) else { return Look::Maybe };
    let [channel, token] = [&ids[..4], &ids[4..8]];
    match body.get(16..) {
        _ if part == b'A' => Look::Mine,
        Some(rest) if super::service_of(rest).is_some() => Look::Mine,
        // A chunk behind the first, or an encrypted one: the header is all there is. Ids of channel and token are not 0.
        Some(rest) if rest.len() >= 4 && channel != [0; 4] && token != [0; 4] => Look::Mine,
        Some(rest) if rest.len() >= 4 => Look::Other,
        _ => Look::Maybe,
    }
}

/// The first place where a message surely starts.
pub(super) fn find(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|at| look(&bytes[*at..]) == Look::Mine)
}
