//! QUIC (RFC 9000): the handshake in its Initial packets, which name the server as TLS does.

mod keys;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::activity::Field;
use crate::bytes::{Cursor, Short};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::Protocol;
use crate::protocols::tls::facts::Facts;
use crate::protocols::tls::hello::Carrier;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, tls};
use keys::{Dialect, Keys, VERSION_2};

/// Octets of a connection identifier at most (RFC 9000, 17.2).
const MAX_CONNECTION: usize = 20;
/// Octets of the first one that a client chooses at least (RFC 9000, 7.2).
const MIN_CONNECTION: usize = 8;
/// Octets of a handshake that are held, and pieces of them.
const MAX_HELD: usize = 16 * 1024;
const MAX_PIECES: usize = 64;
/// Datagrams after which nothing more is waited for.
const MAX_DATAGRAMS: u16 = 32;
/// Octets of a handshake message's header.
const MESSAGE_HEADER: usize = 4;

/// The first octet's bits (RFC 9000, 17.2).
mod bit {
    pub(super) const LONG: u8 = 0x80;
    pub(super) const FIXED: u8 = 0x40;
}

/// Frames of Initial packets (RFC 9000, 19).
mod frame {
    pub(super) const PADDING: u64 = 0x00;
    pub(super) const PING: u64 = 0x01;
    pub(super) const ACK: u64 = 0x02;
    pub(super) const ACK_ECN: u64 = 0x03;
    pub(super) const CRYPTO: u64 = 0x06;
    pub(super) const CLOSE: u64 = 0x1c;
}

/// An integer of variable length (RFC 9000, 16).
fn varint(cursor: &mut Cursor<'_>) -> Result<u64, Short> {
    let first = cursor.u8("integer")?;
    let rest = cursor.uint_be((1 << (first >> 6)) - 1, "integer")?;
    Ok(u64::from(first & 0x3f) << (8 * ((1 << (first >> 6)) - 1)) | rest)
}

/// A packet with a long header.
#[derive(Debug)]
struct Packet<'a> {
    version: u32,
    is_initial: bool,
    destination: &'a [u8],
    /// Its octets, and where its number starts.
    octets: &'a [u8],
    number_at: usize,
    /// What follows in the datagram.
    rest: &'a [u8],
}

impl<'a> Packet<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let first = cursor.u8("flags").ok().filter(|first| first & bit::LONG != 0)?;
        let version = cursor.u32_be("version").ok()?;
        let connection = |cursor: &mut Cursor<'a>| {
            let length = usize::from(cursor.u8("length").ok()?);
            (length <= MAX_CONNECTION).then(|| cursor.take(length, "connection identifier").ok()).flatten()
        };
        let destination = connection(&mut cursor)?;
        connection(&mut cursor)?;
        let Some(dialect) = Dialect::of(version).filter(|_| first & bit::FIXED != 0) else {
            return Some(Packet { version, is_initial: false, destination, octets: bytes, number_at: 0, rest: &[] });
        };
        let kind = first >> 4 & 0x03;
        let is_initial = kind == dialect.initial;
        // A Retry packet has no length.
        if kind == (dialect.initial + 3) % 4 {
            return Some(Packet { version, is_initial: false, destination, octets: bytes, number_at: 0, rest: &[] });
        }
        if is_initial {
            let token = usize::try_from(varint(&mut cursor).ok()?).ok()?;
            cursor.take(token, "token").ok()?;
        }
        let length = usize::try_from(varint(&mut cursor).ok()?).ok()?;
        let number_at = cursor.offset();
        let end = number_at.checked_add(length)?;
        let (octets, rest) = bytes.split_at_checked(end)?;
        Some(Packet { version, is_initial, destination, octets, number_at, rest })
    }
}

/// Tells from a datagram whether it is QUIC: the client's first packet can be read with the keys that follow from it.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let is_first = |bytes: &[u8]| {
        let packet = Packet::read(bytes).filter(|packet| packet.is_initial)?;
        let dialect = Dialect::of(packet.version).filter(|_| packet.destination.len() >= MIN_CONNECTION)?;
        let [client, _] = keys::derive(dialect, packet.destination)?;
        client.open(packet.octets, packet.number_at)
    };
    match [probe.forward, probe.backward].into_iter().any(|bytes| is_first(bytes).is_some()) {
        true => Recognition::Yes(Box::new(Quic::default())),
        false => Recognition::No,
    }
}

/// The octets of a handshake, put together from the frames that have them (RFC 9000, 19.6).
#[derive(Clone, Debug, Default)]
struct Crypto {
    pieces: BTreeMap<u64, Vec<u8>>,
    whole: Vec<u8>,
}

holds!(Crypto { pieces, whole });

impl Crypto {
    fn add(&mut self, offset: u64, octets: &[u8]) {
        if offset > MAX_HELD as u64 || octets.len() > MAX_HELD || self.pieces.len() >= MAX_PIECES {
            return;
        }
        let held: usize = self.pieces.values().map(Vec::len).sum();
        if held + self.whole.len() + octets.len() <= MAX_HELD {
            self.pieces.entry(offset).or_insert_with(|| octets.to_vec());
        }
        while let Some(first) = self.pieces.first_entry().filter(|first| *first.key() <= self.whole.len() as u64) {
            let (offset, octets) = first.remove_entry();
            if let Some(more) = octets.get(self.whole.len() - offset as usize..) {
                self.whole.extend_from_slice(more);
            }
        }
    }

    /// The first message, once it is whole: its type and body.
    fn message(&self) -> Option<(u8, &[u8])> {
        let (&[kind, high, middle, low], rest) = self.whole.split_first_chunk::<MESSAGE_HEADER>()?;
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        Some((kind, rest.get(..length)?))
    }
}

/// A conversation.
#[derive(Clone, Default)]
struct Quic {
    facts: Facts,
    version: u32,
    connection: Vec<u8>,
    keys: Option<Arc<[Keys; 2]>>,
    crypto: [Crypto; 2],
    datagrams: u16,
    is_established: bool,
    code: Option<String>,
    told: bool,
}

impl Quic {
    fn packets(&mut self, chunk: &Chunk<'_>, out: &mut Output) {
        let mut bytes = chunk.bytes;
        while let Some(first) = bytes.first() {
            if first & bit::LONG == 0 {
                // Only after the handshake a client has keys for packets with a short header.
                self.is_established |= first & bit::FIXED != 0 && self.facts.client == Some(chunk.direction);
                return;
            }
            let Some(packet) = Packet::read(bytes) else { return };
            if packet.version == 0 {
                self.code = Some("version_negotiation".to_string());
            }
            if packet.is_initial {
                if let Some(frames) = self.open(&packet, chunk.direction) {
                    // A frame that is not known ends the reading of its packet.
                    let _ = self.frames(&frames, chunk.direction, out);
                }
            }
            bytes = packet.rest;
        }
    }

    /// The frames of an Initial packet. A client has new keys after a Retry, and for a new version.
    fn open(&mut self, packet: &Packet<'_>, direction: Direction) -> Option<Vec<u8>> {
        let is_server = self.facts.client.is_some_and(|client| client != direction);
        let with = |keys: &[Keys; 2]| keys[usize::from(is_server)].open(packet.octets, packet.number_at);
        if let Some(frames) = self.keys.as_deref().and_then(with) {
            return Some(frames);
        }
        let connection = if is_server { &self.connection } else { packet.destination };
        let keys = keys::derive(Dialect::of(packet.version)?, connection)?;
        let frames = with(&keys)?;
        if !is_server {
            self.connection = connection.to_vec();
            self.facts.client = Some(direction);
        }
        self.keys = Some(Arc::new(keys));
        self.version = packet.version;
        Some(frames)
    }

    fn frames(&mut self, frames: &[u8], direction: Direction, out: &mut Output) -> Result<(), Short> {
        let mut cursor = Cursor::new(frames);
        while !cursor.is_empty() {
            match varint(&mut cursor)? {
                frame::PADDING | frame::PING => {}
                kind @ (frame::ACK | frame::ACK_ECN) => {
                    varint(&mut cursor)?;
                    varint(&mut cursor)?;
                    let ranges = varint(&mut cursor)?;
                    varint(&mut cursor)?;
                    let more = if kind == frame::ACK_ECN { 3 } else { 0 };
                    for _ in 0..ranges.saturating_mul(2).saturating_add(more) {
                        varint(&mut cursor)?;
                    }
                }
                frame::CRYPTO => {
                    let offset = varint(&mut cursor)?;
                    let length = usize::try_from(varint(&mut cursor)?).unwrap_or(usize::MAX);
                    self.crypto[direction as usize].add(offset, cursor.take(length, "crypto data")?);
                }
                frame::CLOSE => {
                    // The codes from 0x100 are alerts of TLS (RFC 9001, 4.8).
                    let code = varint(&mut cursor)?;
                    let alert = code.checked_sub(0x100).and_then(|alert| u32::try_from(alert).ok());
                    let name = alert.map_or("", |alert| tables::name(tls::ALERTS, alert));
                    self.code = Some(if name.is_empty() { format!("0x{code:x}") } else { name.to_string() });
                    break;
                }
                _ => break,
            }
        }
        if let Some((kind, body)) = self.crypto[direction as usize].message() {
            self.facts.message(direction, kind, body, Carrier::Quic, out);
        }
        Ok(())
    }
}

/// A version's name: its number, or that of a draft.
fn version_name(version: u32) -> String {
    match version {
        VERSION_2 => "2".to_string(),
        0xff00_0001..=0xff00_00ff => format!("draft-{}", version & 0xff),
        1..=9 => version.to_string(),
        _ => format!("0x{version:08x}"),
    }
}

impl Session for Quic {
    fn protocol(&self) -> Protocol {
        Protocol::Quic
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        self.datagrams = self.datagrams.saturating_add(1);
        self.packets(&chunk, out);
    }

    fn close(&mut self, out: &mut Output) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let mut activity = self.facts.activity(Carrier::Quic).with(Field::QuicVersion, version_name(self.version));
        activity.put(Field::TlsEstablished, if self.is_established { "true" } else { "false" });
        let (status, code) = match &self.code {
            _ if self.is_established => (Status::Ok, ""),
            Some(code) => (Status::Error, &**code),
            None if self.facts.taken.is_some() => (Status::Cut, ""),
            None => (Status::NoResponse, ""),
        };
        out.activity(activity.ended(status, code));
    }

    fn service(&self) -> &'static str {
        self.facts.product().unwrap_or(self.protocol().name())
    }

    fn is_done(&self) -> bool {
        self.is_established || self.datagrams >= MAX_DATAGRAMS
    }

    fn held(&self) -> usize {
        self.facts.holds() + self.crypto.holds()
    }
}
