//! Vectors of every kind of message beside their tests, each cut everywhere, and hostile octets.

mod connection;
mod engineering;
mod hostile;
mod plus;
mod recognition;
mod userdata;
mod variables;

use super::*;
use crate::model::{Claim, Message};
use crate::session::{Probe, Recognition};

/// User data of whole messages, with the way each goes.
const MESSAGES: &[(Direction, &[u8])] = &[
    (Direction::Forward, variables::READ),
    (Direction::Backward, variables::READ_ANSWER),
    (Direction::Forward, variables::WRITE),
    (Direction::Backward, variables::WRITE_ANSWER),
    (Direction::Forward, engineering::REQUEST_DOWNLOAD),
    (Direction::Backward, engineering::DOWNLOAD_BLOCK),
    (Direction::Forward, engineering::DOWNLOAD_PIECE),
    (Direction::Backward, engineering::UPLOAD_STARTED),
    (Direction::Forward, engineering::INSERT),
    (Direction::Forward, engineering::STOP),
    (Direction::Forward, userdata::READ_SZL),
    (Direction::Backward, userdata::SZL_ANSWER),
    (Direction::Forward, userdata::PASSWORD),
    (Direction::Forward, userdata::SET_CLOCK),
    (Direction::Backward, userdata::MODE_TRANSITION),
    (Direction::Forward, plus::CREATE),
    (Direction::Backward, plus::CREATED),
];

/// A packet with one data unit.
fn packet(last: bool, data: &[u8]) -> Vec<u8> {
    let length = (7 + data.len()) as u16;
    let [high, low] = length.to_be_bytes();
    [&[0x03, 0x00, high, low, 0x02, code::DATA, u8::from(last) << 7], data].concat()
}

/// A connection whose client is not known yet.
fn session() -> S7comm {
    S7comm::new(None)
}

/// Gives one packet to a session that goes on.
fn feed(session: &mut S7comm, direction: Direction, bytes: &[u8]) -> Output {
    let mut out = Output::default();
    session.decode(Chunk { bytes, wire_length: bytes.len(), direction }, &mut out);
    out
}

/// The only message of user data that nothing is wrong with.
fn sound(session: &mut S7comm, direction: Direction, data: &[u8]) -> Box<Message> {
    let out = feed(session, direction, &packet(true, data));
    assert_eq!(out.oddities, []);
    assert_eq!(out.messages.len(), 1);
    out.messages[0].clone()
}

fn asked(data: &[u8]) -> Box<Message> {
    sound(&mut session(), Direction::Forward, data)
}

/// What was claimed, as words.
fn claims(out: &Output) -> Vec<(&'static str, &str)> {
    out.claims.iter().map(|(_, Claim { attribute, value, .. })| (attribute.name(), value.as_str())).collect()
}

/// Kind, property, start, count, index, numbers, words of each object.
type Shape<'a> = (&'static str, &'static str, Option<u32>, u32, Option<u32>, &'a [f64], &'a str);

fn shapes(message: &Message) -> Vec<Shape<'_>> {
    let shape = |object: &crate::model::Object| {
        let crate::model::Object { kind, property_name, start, count, index, .. } = *object;
        (kind, property_name, start, count, index, message.values_of(object), message.text_of(object))
    };
    message.objects.iter().map(shape).collect()
}

fn recognised(forward: &[u8], backward: &[u8]) -> Recognition {
    let probe = Probe { forward, backward, first: Direction::Forward, opener: None, ports: [50001, 12345], cut: false };
    probe_stream(&probe)
}
