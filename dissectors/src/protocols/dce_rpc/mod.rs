//! DCE remote procedure calls over TCP, over datagrams and over named pipes: which service of a host is bound and called,
//! by whom, and how that ends. What is handed over in a call is not read, but for where services are and what hosts are
//! called.

mod answers;
mod connection;
mod datagram;
mod pdu;
#[cfg(test)]
mod tests;

use crate::holds::Holds as _;
use crate::model::Protocol;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
pub use connection::{Connection, Pipe};
pub use datagram::probe_datagram;
use pdu::{HEADER, header, kind};

/// Octets read of a call or its answer; units that open a connection are read whole.
const HEAD: usize = 4 * 1024;

/// True where octets start with a unit's header.
pub fn is_unit(bytes: &[u8]) -> bool {
    header(bytes).is_some()
}

/// Tells from the first octets whether a stream is remote procedure calls.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    match header(bytes) {
        Some(header) if header.kind == kind::BIND || header.length >= HEADER + 8 => {
            Recognition::Yes(Box::new(Stream(Connection::default())))
        }
        _ => Recognition::No,
    }
}

/// A conversation over TCP.
#[derive(Clone)]
struct Stream(Connection);

impl Session for Stream {
    fn protocol(&self) -> Protocol {
        Protocol::DceRpc
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        match header(bytes) {
            Some(header) if header.is_opening() => Framing::Message(header.length),
            Some(header) => Framing::Head { keep: header.length.min(HEAD), length: header.length },
            None if bytes.len() < HEADER => Framing::NeedMore,
            None => Framing::NotMine,
        }
    }

    fn resync(&self, _: Direction, bytes: &[u8]) -> Option<usize> {
        is_unit(bytes).then_some(0)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        self.0.unit(chunk.bytes, chunk.direction, out);
    }

    fn close(&mut self, out: &mut Output) {
        self.0.close(out);
    }

    fn held(&self) -> usize {
        self.0.holds()
    }
}
