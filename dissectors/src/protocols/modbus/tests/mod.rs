//! Vectors of each message family beside their tests, each cut at every octet, and random octets through everything.

mod hostile;
mod identity;
mod lengths;
mod mbap;
mod points;
mod recognition;
mod rtu;
mod services;
mod umas;

use self::identity::*;
use self::points::*;
use self::services::*;
use self::umas::*;
use super::rtu::crc;
use super::*;
use crate::model::{Attribute, Claim, Kind, Message, OddityCode, Operation, Pairing, Unit};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};

const TO_SERVER: Direction = Direction::Forward;

const TO_CLIENT: Direction = Direction::Backward;

/// Messages of a client.
const REQUESTS: &[&[u8]] = &[
    READ_THREE_REGISTERS,
    READ_TEN_COILS,
    SWITCH_ON_COIL_172,
    WRITE_REGISTER_1,
    WRITE_TEN_COILS,
    WRITE_TWO_REGISTERS,
    MASK_REGISTER_4,
    READ_SIX_WRITE_THREE,
    FORCE_LISTEN_ONLY,
    READ_TWO_FILE_RECORDS,
    WRITE_FILE_RECORD,
    READ_IDENTIFICATION,
    UMAS_STOP,
    UMAS_READ_ID,
    UMAS_SIGNED_STOP,
    CANOPEN,
    REPORT_SERVER_ID,
    READ_EXCEPTION_STATUS,
    GET_EVENT_COUNTER,
    READ_FIFO_QUEUE,
    FUNCTION_0,
];

/// Messages of a server.
const RESPONSES: &[&[u8]] = &[
    THREE_REGISTERS,
    ILLEGAL_DATA_ADDRESS,
    TEN_COILS,
    TWO_REGISTERS_WRITTEN,
    TWO_FILE_RECORDS,
    FIFO_QUEUE,
    IDENTIFICATION,
    SERVER_ID,
    EVENT_LOG,
    FIRST_OF_TWO_IDENTIFICATIONS,
    EXCEPTION_STATUS,
    EVENT_COUNTER,
    WRITE_FILE_RECORD,
    MASK_REGISTER_4,
    UMAS_REFUSED,
    UMAS_ID,
    UMAS_SIGNED_REFUSAL,
];

fn session() -> MbapSession {
    MbapSession::new(Sides::new(TO_SERVER))
}

fn whole(bytes: &[u8], direction: Direction) -> Chunk<'_> {
    Chunk { bytes, wire_length: bytes.len(), direction }
}

/// Decodes messages in their order, and keeps what the last one gave.
fn last_of(session: &mut dyn Session, chunks: &[(&[u8], Direction)]) -> Output {
    let mut out = Output::default();
    for (bytes, direction) in chunks {
        out.clear();
        session.decode(whole(bytes, *direction), &mut out);
    }
    out
}

fn decoded(bytes: &[u8], direction: Direction) -> Output {
    last_of(&mut session(), &[(bytes, direction)])
}

fn oddities(out: &Output) -> Vec<OddityCode> {
    out.oddities.iter().map(|(_, oddity)| oddity.code).collect()
}

/// Kind, start, count and values of each object.
fn objects(message: &Message) -> Vec<(&'static str, Option<u32>, u32, &[f64])> {
    message.objects.iter().map(|o| (o.kind, o.start, o.count, message.values_of(o))).collect()
}

fn with_crc(frame: &[u8]) -> Vec<u8> {
    [frame, &crc(frame).to_le_bytes()].concat()
}

/// The unit and PDU of a vector as an RTU frame.
fn as_rtu(vector: &[u8]) -> Vec<u8> {
    with_crc(&vector[6..])
}

fn request_key(pairing: Pairing) -> u64 {
    let Pairing::Opens(key) = pairing else { panic!("{pairing:?}") };
    key
}

fn response_key(pairing: Pairing) -> u64 {
    let Pairing::Answers { key, last: true } = pairing else { panic!("{pairing:?}") };
    key
}
