//! Vectors of every family beside their tests, each cut everywhere, and hostile octets.

mod captures;
mod control;
mod device;
mod files;
mod fragments;
mod frames;
mod hostile;
mod points;
mod recognition;
mod security;

use self::control::*;
use self::device::*;
use self::files::*;
use self::frames::*;
use self::points::*;
use self::security::*;
use super::*;
use crate::model::{Attribute, Claim, Message};

const FRAGMENTS: &[&[u8]] = &[
    READ,
    RESPONSE,
    UNSOLICITED,
    SELECT,
    SET_TIME,
    CLEAR_RESTART,
    FREEZE_AT_TIME,
    DEVICE_ATTRIBUTES,
    OCTET_STRING,
    QUALITY,
    TIMED_EVENTS,
    NUMBERS,
    ASSIGN_CLASS,
    RESTART_DELAY,
    OPEN_FILE,
    FILE_OPENED,
    WRITE_BLOCK,
    BLOCK_REFUSED,
    AUTHENTICATE_FILE,
    FILE_INFORMATION,
    ACTIVATE,
    ACTIVATED,
    CHALLENGE,
    REPLY,
    AGGRESSIVE_OPERATE,
    SESSION_KEY_STATUS_REQUEST,
    SESSION_KEY_STATUS,
    SESSION_KEY_CHANGE,
    AUTHENTICATION_ERROR,
    MASTERS_ERROR,
    USER_CERTIFICATE,
    USER_STATUS_CHANGE,
    UPDATE_KEY_CHANGE_REQUEST,
    UPDATE_KEY_CHANGE_REPLY,
    UPDATE_KEY_CHANGE,
];

const MASTER: u16 = 1;

const OUTSTATION: u16 = 10;

const FROM_MASTER: u8 = 0xC4; // DIR, PRM, unconfirmed user data

const FROM_OUTSTATION: u8 = 0x44; // PRM, unconfirmed user data

const ONLY: u8 = 0xC0; // FIN, FIR

/// A link frame with its CRCs.
fn frame_of(control: u8, destination: u16, source: u16, user_data: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x05, 0x64, 5 + user_data.len() as u8, control];
    frame.extend(destination.to_le_bytes());
    frame.extend(source.to_le_bytes());
    frame.extend(link::crc_of(&frame).to_le_bytes());
    for block in user_data.chunks(16) {
        frame.extend(block);
        frame.extend(link::crc_of(block).to_le_bytes());
    }
    frame
}

/// A frame with one transport segment, from the side that the function belongs to.
fn segment(transport: u8, application: &[u8], from_master: bool) -> Vec<u8> {
    let user_data = [&[transport], application].concat();
    match from_master {
        true => frame_of(FROM_MASTER, OUTSTATION, MASTER, &user_data),
        false => frame_of(FROM_OUTSTATION, MASTER, OUTSTATION, &user_data),
    }
}

fn is_masters(fragment: &[u8]) -> bool {
    fragment[1] < 129
}

fn way(from_master: bool) -> Direction {
    if from_master { Direction::Forward } else { Direction::Backward }
}

/// Decodes the frames of one side; the session goes on.
fn feed(session: &mut Dnp3, direction: Direction, frames: &[u8]) -> Output {
    let mut out = Output::default();
    session.decode(Chunk { bytes: frames, wire_length: frames.len(), direction }, &mut out);
    out
}

fn feed_fragment(session: &mut Dnp3, fragment: &[u8]) -> Output {
    let from_master = is_masters(fragment);
    feed(session, way(from_master), &segment(ONLY, fragment, from_master))
}

/// The only message of a fragment that nothing is wrong with.
fn sound(fragment: &[u8]) -> Box<Message> {
    let out = feed_fragment(&mut Dnp3::default(), fragment);
    assert_eq!(out.oddities, []);
    assert_eq!(out.messages.len(), 1);
    out.messages[0].clone()
}

fn codes_of(out: &Output) -> Vec<OddityCode> {
    out.oddities.iter().map(|(_, oddity)| oddity.code).collect()
}

/// Kind, group, variation, start, count, numbers, words of each object.
type Shape<'a> = (&'static str, u32, u16, Option<u32>, u32, &'a [f64], &'a str);

fn shapes(message: &Message) -> Vec<Shape<'_>> {
    let mut shapes = Vec::new();
    for object in &message.objects {
        let (group, variation) = (object.type_number.unwrap_or(0), object.variation.unwrap_or(0));
        let (values, text) = (message.values_of(object), message.text_of(object));
        shapes.push((object.kind, group, variation, object.start, object.count, values, text));
    }
    shapes
}

fn recognised(forward: &[u8], backward: &[u8]) -> Recognition {
    let probe = Probe { forward, backward, first: Direction::Forward, opener: None, ports: [50001, 12345], cut: false };
    probe_stream(&probe)
}
