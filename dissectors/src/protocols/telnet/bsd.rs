//! Remote login (RFC 1282) and remote shell of BSD: names of users that the server takes on trust, and the first word of
//! what is to be done.

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::model::{Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::text::word;

/// Ports: login, shell.
const PORTS: [(u16, Protocol); 2] = [(513, Protocol::Rlogin), (514, Protocol::Rsh)];
/// Octets of what a client says first, at most.
const MAX_START: usize = 1024;

/// Tells from the first octets whether a stream is one of both: only on their ports.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let Some((port, protocol)) = PORTS.iter().find(|(port, _)| probe.ports.contains(port)) else {
        return Recognition::No;
    };
    let client = probe.direction_to(*port).unwrap_or(probe.first);
    match start(*protocol, probe.bytes(client)) {
        Start::Whole(_) => Recognition::Yes(Box::new(Bsd { protocol: *protocol, client, is_done: false })),
        Start::Short => Recognition::Undecided,
        Start::Not => Recognition::No,
    }
}

enum Start<'a> {
    Whole([&'a [u8]; 3]),
    Short,
    Not,
}

/// The three texts of the start: names of the user here and there, terminal or command.
fn start(protocol: Protocol, bytes: &[u8]) -> Start<'_> {
    let mut rest = bytes;
    let mut texts = [&[][..]; 4];
    for (place, text) in texts.iter_mut().enumerate() {
        let Some(end) = memchr::memchr(0, rest) else {
            let is_text = rest.iter().all(|octet| !octet.is_ascii_control());
            return if is_text && !rest.is_empty() && bytes.len() < MAX_START {
                Start::Short
            } else {
                short(bytes, place)
            };
        };
        (*text, rest) = (&rest[..end], &rest[end + 1..]);
        if !text.iter().all(|octet| octet.is_ascii_graphic() || *octet == b' ') {
            return Start::Not;
        }
    }
    let [first, here, there, last] = texts;
    let is_first = match protocol {
        Protocol::Rlogin => first.is_empty() && last.contains(&b'/'),
        _ => first.len() <= 5 && first.iter().all(u8::is_ascii_digit),
    };
    if is_first && !here.is_empty() && !there.is_empty() { Start::Whole([here, there, last]) } else { Start::Not }
}

/// A start whose further texts are still to come.
fn short(bytes: &[u8], texts: usize) -> Start<'static> {
    if texts > 0 && bytes.len() < MAX_START { Start::Short } else { Start::Not }
}

#[derive(Clone)]
struct Bsd {
    protocol: Protocol,
    client: Direction,
    is_done: bool,
}

impl Session for Bsd {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        match start(self.protocol, bytes) {
            _ if direction != self.client => Framing::Head { keep: 0, length: bytes.len().max(1) },
            Start::Whole(_) => Framing::Message(bytes.len()),
            Start::Short => Framing::NeedMore,
            Start::Not => Framing::NotMine,
        }
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        if chunk.direction != self.client {
            return;
        }
        if let Start::Whole([here, there, last]) = start(self.protocol, chunk.bytes) {
            let activity = match self.protocol {
                Protocol::Rlogin => Activity::new(self.client, "login", Operation::Authenticate)
                    .with(Field::UserName, printable(there))
                    .with(
                        Field::TerminalType,
                        printable(last.split(|octet| *octet == b'/').next().unwrap_or_default()),
                    ),
                _ => Activity::new(self.client, "execute", Operation::Operate)
                    .with(Field::UserName, printable(there))
                    .with(Field::ServiceName, printable(word(last).0)),
            };
            out.activity(activity.with(Field::UserClient, printable(here)));
            self.is_done = true;
        }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }
}
