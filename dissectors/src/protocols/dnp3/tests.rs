//! Vectors of every family, each cut everywhere, and hostile octets.

use proptest::prelude::*;

use super::*;
use crate::model::{Attribute, Claim, Message};

/// Master 1 asks outstation 10 for the events of class 1 and the static data.
const READ_CLASSES: &[u8] = &[
    0x05, 0x64, // start
    0x0B, // length: 5 and 6 octets of user data
    0xC4, // control: DIR, PRM, unconfirmed user data
    0x0A, 0x00, // destination
    0x01, 0x00, // source
    0xAC, 0xD1, // CRC
    0xC0, // transport: FIN, FIR, sequence 0
    0xC1, // application control: FIR, FIN, sequence 1
    0x01, // function: read
    0x3C, 0x02, 0x06, // class 1, all
    0x52, 0xC3, // CRC
];

/// Master 1 asks outstation 10 whether it is there.
const REQUEST_LINK_STATUS: &[u8] = &[
    0x05, 0x64, // start
    0x05, // length
    0xC9, // control: DIR, PRM, request link status
    0x0A, 0x00, // destination
    0x01, 0x00, // source
    0xFE, 0xDA, // CRC
];

/// The outstation's answer to it.
const LINK_STATUS: &[u8] = &[
    0x05, 0x64, // start
    0x05, // length
    0x0B, // control: link status
    0x01, 0x00, // destination
    0x0A, 0x00, // source
    0x6D, 0xED, // CRC
];

const READ: &[u8] = &[
    0xC1, // application control: FIR, FIN, sequence 1
    0x01, // function: read
    0x3C, 0x02, 0x06, // class 1, all
    0x1E, 0x00, 0x01, // analog input, any variation, 16-bit start and stop
    0x00, 0x01, // start 256
    0x0A, 0x01, // stop 266
    0x01, 0x00, 0x17, // binary input, any variation, 8-bit indices
    0x03, // count
    0x04, 0x05, 0x09, // indices
];

const RESPONSE: &[u8] = &[
    0xC1, // application control: FIR, FIN, sequence 1
    0x81, // function: response
    0x90, 0x01, // IIN: need time and device restart; no function code support
    0x01, 0x01, 0x00, // binary input, packed, 8-bit start and stop
    0x03, // start
    0x0C, // stop: 10 points
    0x05, 0x02, // points 3, 5 and 12 are on
    0x1E, 0x02, 0x00, // 16-bit analog input with flag
    0x00, // start
    0x01, // stop
    0x01, 0xFE, 0xFF, // online, -2
    0x01, 0x10, 0x00, // online, 16
    0x03, 0x01, 0x00, // double-bit input, packed
    0x00, // start
    0x04, // stop: 5 points
    0xE4, 0x01, // 0 1 2 3 1
    0x1E, 0x05, 0x28, // single-precision analog input, 16-bit indices
    0x01, 0x00, // count
    0x02, 0x01, // index 258
    0x01, // online
    0x00, 0x00, 0xA4, 0x41, // 20.5
    0x16, 0x01, 0x17, // 32-bit counter event, 8-bit indices
    0x03, // count
    0x07, 0x01, 0x05, 0x00, 0x00, 0x00, // counter 7: 5
    0x08, 0x01, 0x06, 0x00, 0x00, 0x00, // counter 8: 6
    0x07, 0x01, 0x09, 0x00, 0x00, 0x00, // counter 7 again: 9
];

const UNSOLICITED: &[u8] = &[
    0xF3, // application control: FIR, FIN, CON, UNS, sequence 3
    0x82, // function: unsolicited response
    0x02, 0x00, // IIN: class 1 events
    0x33, 0x01, 0x07, // common time of occurrence
    0x01, // count
    0x40, 0xE2, 0x01, 0x00, 0x00, 0x00, // 123456 ms
    0x02, 0x03, 0x17, // binary input event with relative time
    0x01, // count
    0x05, // index
    0x81, // on, online
    0x10, 0x00, // 16 ms later
];

/// Both a control relay output block and an analog output.
const SELECT: &[u8] = &[
    0xC4, // application control: FIR, FIN, sequence 4
    0x03, // function: select
    0x0C, 0x01, 0x28, // control relay output block, 16-bit indices
    0x01, 0x00, // count
    0x07, 0x00, // index
    0x81, // control code: trip, pulse on
    0x01, // count
    0xF4, 0x01, 0x00, 0x00, // on-time 500 ms
    0x64, 0x00, 0x00, 0x00, // off-time 100 ms
    0x00, // status
    0x29, 0x03, 0x17, // single-precision analog output
    0x01, // count
    0x02, // index
    0x00, 0x00, 0x48, 0x42, // 50.0
    0x00, // status
];

const SET_TIME: &[u8] = &[
    0xC5, // application control
    0x02, // function: write
    0x32, 0x01, 0x07, // absolute time
    0x01, // count
    0x87, 0xE2, 0xF5, 0x53, 0x4C, 0x01, // 1427337765511 ms
];

const CLEAR_RESTART: &[u8] = &[
    0xC6, // application control
    0x02, // function: write
    0x50, 0x01, 0x00, // internal indications, packed
    0x07, // start: device restart
    0x07, // stop
    0x00, // clear
];

const FREEZE_AT_TIME: &[u8] = &[
    0xC7, // application control
    0x0B, // function: freeze at time
    0x32, 0x02, 0x07, // absolute time and interval
    0x01, // count
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // at once
    0x60, 0xEA, 0x00, 0x00, // each minute
    0x14, 0x00, 0x06, // all counters
];

const DEVICE_ATTRIBUTES: &[u8] = &[
    0xC8, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x00, 0xFC, 0x00, // manufacturer's name
    0x00, // start: the standard set
    0x00, // stop
    0x01, 0x04, b'A', b'c', b'm', b'e', // visible string
    0x00, 0xFA, 0x00, // product name and model
    0x00, 0x00, // start, stop
    0x01, 0x05, b'R', b'T', b'U', b'-', b'7', // visible string
    0x00, 0xF2, 0x17, // software version, 8-bit indices
    0x01, 0x00, // count, index
    0x01, 0x03, b'1', b'.', b'2', // visible string
    0x00, 0xF0, 0x00, // maximum transmit fragment
    0x00, 0x00, // start, stop
    0x02, 0x02, 0x00, 0x08, // unsigned integer: 2048
    0x00, 0xFC, 0x00, // manufacturer's name again
    0x01, // start: a set of the vendor's own
    0x01, // stop
    0x01, 0x01, b'x', // visible string
];

const OPEN_FILE: &[u8] = &[
    0xC9, // application control
    0x19, // function: open file
    0x46, 0x03, 0x5B, // file command, free format
    0x01, // count
    0x1F, 0x00, // size
    0x1A, 0x00, // name offset
    0x05, 0x00, // name size
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // time of creation
    0xFF, 0x01, // permissions
    0x00, 0x00, 0x00, 0x00, // authentication key
    0x00, 0x00, 0x00, 0x00, // file size
    0x01, 0x00, // mode: read
    0x00, 0x04, // maximum block size
    0x01, 0x00, // request identifier
    b'/', b'c', b'o', b'n', b'f', // name
];

const CHALLENGE: &[u8] = &[
    0xC4, // application control: the sequence of SELECT
    0x83, // function: authenticate response
    0x00, 0x00, // IIN
    0x78, 0x01, 0x5B, // challenge, free format
    0x01, // count
    0x0C, 0x00, // size
    0x01, 0x00, 0x00, 0x00, // challenge sequence
    0x01, 0x00, // user number
    0x04, // HMAC algorithm
    0x01, // reason
    0x51, 0x52, 0x53, 0x54, // challenge data
];

const REPLY: &[u8] = &[
    0xC4, // application control
    0x20, // function: authenticate request
    0x78, 0x02, 0x5B, // reply, free format
    0x01, // count
    0x0A, 0x00, // size
    0x01, 0x00, 0x00, 0x00, // challenge sequence
    0x01, 0x00, // user number
    0xA1, 0xA2, 0xA3, 0xA4, // HMAC
];

const OCTET_STRING: &[u8] = &[
    0xCA, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x6E, 0x03, 0x00, // octet string of 3 octets
    0x01, // start
    0x02, // stop
    b'o', b'n', b'e', // string 1
    b't', b'w', b'o', // string 2
];

const FRAGMENTS: &[&[u8]] = &[
    READ,
    RESPONSE,
    UNSOLICITED,
    SELECT,
    SET_TIME,
    CLEAR_RESTART,
    FREEZE_AT_TIME,
    DEVICE_ATTRIBUTES,
    OPEN_FILE,
    CHALLENGE,
    REPLY,
    OCTET_STRING,
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

#[test]
fn a_read_of_class_events() {
    let mut session = Dnp3::default();
    assert_eq!(session.frame(Direction::Forward, READ_CLASSES), Framing::Message(READ_CLASSES.len()));
    let out = feed(&mut session, Direction::Forward, READ_CLASSES);
    assert_eq!(out.oddities, []);
    let message = &out.messages[0];
    assert_eq!((message.kind, message.function, message.name), (Kind::Request, Some(1), "read"));
    assert_eq!((message.source_unit, message.destination_unit), (Unit::Number(1), Unit::Number(10)));
    assert_eq!((message.link_code, message.transaction, message.operation), (Some(0x44), Some(1), Operation::Read));
    assert_eq!((message.length, message.complete, message.from_client), (18, true, true));
    assert_eq!(shapes(message), [("class", 60, 2, Some(1), 1, &[][..], "")]);
}

#[test]
fn a_read_names_points_without_numbers() {
    assert_eq!(
        shapes(&sound(READ)),
        [
            ("class", 60, 2, Some(1), 1, &[][..], ""),
            ("analog-input", 30, 0, Some(256), 11, &[], ""),
            ("binary-input", 1, 0, Some(4), 2, &[], ""),
            ("binary-input", 1, 0, Some(9), 1, &[], ""),
        ]
    );
}

#[test]
fn a_response_with_numbers_of_each_coding() {
    let message = sound(RESPONSE);
    assert_eq!((message.kind, message.indications, message.from_client), (Kind::Response, Some(0x0190), false));
    assert_eq!((message.operation, message.status), (Operation::Report, None));
    let binary = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
    assert_eq!(
        shapes(&message),
        [
            ("binary-input", 1, 1, Some(3), 10, &binary[..], ""),
            ("analog-input", 30, 2, Some(0), 2, &[-2.0, 16.0], ""),
            ("double-bit-input", 3, 1, Some(0), 5, &[0.0, 1.0, 2.0, 3.0, 1.0], ""),
            ("analog-input", 30, 5, Some(258), 1, &[20.5], ""),
            ("counter", 22, 1, Some(7), 2, &[5.0, 6.0], ""),
            ("counter", 22, 1, Some(7), 1, &[9.0], ""),
        ]
    );
}

#[test]
fn an_unsolicited_response_stands_alone() {
    let message = sound(UNSOLICITED);
    assert_eq!((message.kind, message.pairing, message.from_client), (Kind::Unsolicited, Pairing::Alone, false));
    assert_eq!(
        shapes(&message),
        [("time", 51, 1, None, 1, &[123_456.0][..], ""), ("binary-input", 2, 3, Some(5), 1, &[1.0], ""),]
    );
}

#[test]
fn a_control_says_what_it_does_and_the_answer_how_it_went() {
    let mut session = Dnp3::default();
    let request = feed_fragment(&mut session, SELECT).messages.remove(0);
    assert_eq!((request.operation, request.name), (Operation::Operate, "select"));
    let words = "pulse_on trip=trip count=1 on=500ms off=100ms";
    assert_eq!(
        shapes(&request),
        [
            ("control-relay-output", 12, 1, Some(7), 1, &[129.0][..], words),
            ("analog-output", 41, 3, Some(2), 1, &[50.0], ""),
        ]
    );
    assert_eq!(request.objects[0].status, None);

    let mut answer = SELECT.to_vec();
    answer[1] = 0x81; // function: response
    answer[19] = 0x02; // status: no select
    answer.splice(2..2, [0x00, 0x00]); // IIN
    let answer = feed_fragment(&mut session, &answer).messages.remove(0);
    let statuses: Vec<_> = answer.objects.iter().map(|object| object.status).collect();
    assert_eq!(statuses, [Some(2), Some(0)]);
    let Pairing::Opens(key) = request.pairing else { panic!("{:?}", request.pairing) };
    assert_eq!(answer.pairing, Pairing::Answers { key, last: true });
}

#[test]
fn what_is_written_tells_the_operation() {
    assert_eq!(sound(SET_TIME).operation, Operation::Time);
    assert_eq!(sound(SET_TIME).values, [1_427_337_765_511.0]);
    assert_eq!(sound(CLEAR_RESTART).operation, Operation::Configure);
    assert_eq!(shapes(&sound(CLEAR_RESTART)), [("iin", 80, 1, Some(7), 1, &[0.0][..], "")]);
    let with_a_point = [SET_TIME, &[0x29, 0x02, 0x17, 0x01, 0x00, 0x05, 0x00, 0x00]].concat();
    assert_eq!(sound(&with_a_point).operation, Operation::Write);
}

#[test]
fn a_freeze_at_a_time_has_a_time_and_bare_headers() {
    let message = sound(FREEZE_AT_TIME);
    assert_eq!(message.operation, Operation::Operate);
    assert_eq!(shapes(&message), [("time", 50, 2, None, 1, &[0.0][..], ""), ("counter", 20, 0, None, 0, &[], "")]);
}

#[test]
fn device_attributes_become_claims() {
    let out = feed_fragment(&mut Dnp3::default(), DEVICE_ATTRIBUTES);
    assert_eq!(out.oddities, []);
    let claim = |attribute, value: &str| {
        (1, Claim { about_sender: true, unit: Unit::Number(10), address: None, attribute, value: value.into() })
    };
    assert_eq!(
        out.claims,
        [claim(Attribute::Vendor, "Acme"), claim(Attribute::Model, "RTU-7"), claim(Attribute::Firmware, "1.2")]
    );
    let message = &out.messages[0];
    assert_eq!(shapes(message)[3], ("device-attribute", 0, 240, Some(0), 1, &[2048.0][..], ""));
    assert_eq!((message.objects[0].index, message.objects[0].property_name), (Some(252), "manufacturer_name"));
}

#[test]
fn files_are_named_and_strings_read() {
    let message = sound(OPEN_FILE);
    assert_eq!(message.operation, Operation::File);
    assert_eq!(shapes(&message), [("file", 70, 3, None, 1, &[][..], "/conf")]);
    assert_eq!(
        shapes(&sound(OCTET_STRING)),
        [("octet-string", 110, 3, Some(1), 1, &[][..], "one"), ("octet-string", 110, 3, Some(2), 1, &[], "two")]
    );
}

#[test]
fn a_challenge_holds_the_answer_back() {
    let mut session = Dnp3::default();
    let pairings = [SELECT, CHALLENGE, REPLY, &[0xC4, 0x81, 0x00, 0x00]]
        .map(|fragment| feed_fragment(&mut session, fragment).messages[0].pairing);
    let Pairing::Opens(key) = pairings[0] else { panic!("{:?}", pairings[0]) };
    assert_eq!(
        pairings[1..],
        [Pairing::Answers { key, last: false }, Pairing::Alone, Pairing::Answers { key, last: true }]
    );
}

#[test]
fn nobody_answers_these() {
    let no_ack = sound(&[0xC1, 0x06, 0x0C, 0x01, 0x06]);
    assert_eq!((no_ack.kind, no_ack.pairing), (Kind::Unconfirmed, Pairing::Alone));
    let confirm = sound(&[0xC1, 0x00]);
    assert_eq!((confirm.kind, confirm.pairing), (Kind::Confirm, Pairing::None));
    let to_all = frame_of(FROM_MASTER, 0xFFFF, MASTER, &[ONLY, 0xC1, 0x0D]);
    let out = feed(&mut Dnp3::default(), Direction::Forward, &to_all);
    assert_eq!((out.messages[0].kind, out.messages[0].pairing), (Kind::Unconfirmed, Pairing::Alone));
    assert_eq!(out.messages[0].operation, Operation::Restart);
}

#[test]
fn link_frames_without_user_data_make_an_exchange() {
    let mut session = Dnp3::default();
    let asked = feed(&mut session, Direction::Forward, REQUEST_LINK_STATUS);
    let answered = feed(&mut session, Direction::Backward, LINK_STATUS);
    assert_eq!((asked.oddities.len(), answered.oddities.len()), (0, 0));
    let (asked, answered) = (&asked.messages[0], &answered.messages[0]);
    assert_eq!((asked.kind, asked.name, asked.operation), (Kind::Link, "request_link_status", Operation::Diagnose));
    assert_eq!((asked.function, asked.link_code, asked.from_client), (Some(9), Some(0x49), true));
    assert_eq!((answered.name, answered.link_code, answered.from_client), ("link_status", Some(0x0B), false));
    let Pairing::Opens(key) = asked.pairing else { panic!("{:?}", asked.pairing) };
    assert_eq!(answered.pairing, Pairing::Answers { key, last: true });
}

#[test]
fn an_acknowledgement_of_user_data_answers_nothing() {
    let mut session = Dnp3::default();
    let confirmed = frame_of(0xF3, OUTSTATION, MASTER, &[&[ONLY], READ].concat());
    assert_eq!(feed(&mut session, Direction::Forward, &confirmed).messages[0].kind, Kind::Request);
    let ack = feed(&mut session, Direction::Backward, &frame_of(0x00, MASTER, OUTSTATION, &[]));
    assert_eq!((ack.messages[0].name, ack.messages[0].pairing), ("ack", Pairing::None));
}

#[test]
fn an_unknown_link_function_is_kept() {
    let out = feed(&mut Dnp3::default(), Direction::Forward, &frame_of(0xCD, OUTSTATION, MASTER, &[]));
    let message = &out.messages[0];
    assert_eq!((message.kind, message.function, message.name), (Kind::Link, Some(13), ""));
    assert_eq!((message.operation, message.pairing), (Operation::Unknown, Pairing::Alone));
}

#[test]
fn an_unknown_function_and_an_unknown_object_are_kept() {
    let out = feed_fragment(&mut Dnp3::default(), &[0xC1, 0x70, 0x01, 0x02, 0x06]);
    assert_eq!((out.messages[0].function, out.messages[0].name), (Some(0x70), ""));
    assert_eq!(out.messages[0].operation, Operation::Unknown);
    assert_eq!(codes_of(&out), [OddityCode::UndecodedObject]);

    let unknown = [&RESPONSE[..11], &[0xC8, 0x05, 0x00, 0x02, 0x03, 0xAA, 0xBB]].concat();
    let out = feed_fragment(&mut Dnp3::default(), &unknown);
    assert_eq!(shapes(&out.messages[0])[1], ("group", 200, 5, Some(2), 2, &[][..], ""));
    assert_eq!(codes_of(&out), [OddityCode::UndecodedObject]);
    assert_eq!((out.oddities[0].0, out.oddities[0].1.offset), (1, 11));
}

#[test]
fn what_does_not_fit_leaves_what_came_before() {
    let cases: &[(&[u8], OddityCode, usize)] = &[
        (&[0x01, 0x02, 0x70], OddityCode::UndecodedObject, 1), // prefix code 7
        (&[0x01, 0x02, 0x0A], OddityCode::UndecodedObject, 1), // range specifier A
        (&[0x01, 0x02], OddityCode::BadLength, 1),             // no qualifier
        (&[0x01, 0x02, 0x00, 0x05], OddityCode::BadLength, 1), // no stop
        (&[0x01, 0x02, 0x00, 0x05, 0x04], OddityCode::InvalidValue, 1), // stop below start
        (&[0x01, 0x02, 0x00, 0x05, 0x07, 0x81], OddityCode::BadLength, 1), // one of three points
        (&[0x01, 0x01, 0x02, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], OddityCode::BadLength, 1), // 2^32 points
        (&[0x1E, 0x01, 0x39, 0xFF, 0xFF, 0xFF, 0xFF], OddityCode::BadLength, 1), // 2^32 points with indices
        (&[0x46, 0x05, 0x5B, 0x01, 0x10, 0x00, 0x01], OddityCode::BadLength, 1), // 1 of 16 octets
        (&[0x01], OddityCode::BadLength, 0),
    ];
    for (objects, code, more) in cases {
        let fragment = [&RESPONSE[..11], objects].concat();
        let out = feed_fragment(&mut Dnp3::default(), &fragment);
        let message = &out.messages[0];
        assert_eq!(codes_of(&out), [*code], "{objects:x?}");
        assert_eq!(message.objects.len(), 1 + more, "{objects:x?}");
        assert_eq!((message.complete, message.values[0]), (true, 1.0), "{objects:x?}");
    }
}

#[test]
fn bit_7_of_the_qualifier_is_odd_and_no_more() {
    let out = feed_fragment(&mut Dnp3::default(), &[0xC1, 0x01, 0x3C, 0x02, 0x86]);
    assert_eq!(codes_of(&out), [OddityCode::InvalidValue]);
    assert_eq!(out.messages[0].objects.len(), 1);
}

#[test]
fn a_fragment_over_several_segments_is_one_message() {
    let mut session = Dnp3::default();
    let parts = [&RESPONSE[..20], &RESPONSE[20..40], &RESPONSE[40..]];
    let frames = [
        segment(0x40 | 63, parts[0], false), // FIR
        segment(0, parts[1], false),
        segment(0, parts[1], false),        // once more
        segment(0x80 | 1, parts[2], false), // FIN
    ];
    for frame in &frames[..3] {
        let out = feed(&mut session, Direction::Backward, frame);
        assert_eq!((out.messages.len(), out.oddities.len()), (0, 0));
    }
    let out = feed(&mut session, Direction::Backward, &frames[3]);
    assert_eq!(out.oddities, []);
    let message = &out.messages[0];
    assert_eq!(shapes(message), shapes(&sound(RESPONSE)));
    assert_eq!(message.length as usize, frames[0].len() + frames[1].len() + frames[3].len());
}

#[test]
fn pairs_that_share_a_connection_do_not_mix() {
    let mut session = Dnp3::default();
    let of = |outstation: u16, transport: u8, octets: &[u8]| {
        frame_of(FROM_OUTSTATION, MASTER, outstation, &[&[transport], octets].concat())
    };
    let stream = [
        of(10, 0x40, &RESPONSE[..20]),
        of(11, 0x47, &UNSOLICITED[..9]),
        of(10, 0x81, &RESPONSE[20..]),
        of(11, 0x88, &UNSOLICITED[9..]),
    ]
    .concat();
    let out = feed(&mut session, Direction::Backward, &stream);
    assert_eq!(out.oddities, []);
    assert_eq!(
        out.messages.iter().map(|message| message.source_unit).collect::<Vec<_>>(),
        [Unit::Number(10), Unit::Number(11)]
    );
    assert_eq!(shapes(&out.messages[0]), shapes(&sound(RESPONSE)));
    assert_eq!(shapes(&out.messages[1]), shapes(&sound(UNSOLICITED)));
}

#[test]
fn a_fragment_that_is_not_finished_is_listed_as_cut() {
    let first = segment(0x40, &RESPONSE[..20], false);
    let alone = segment(ONLY, UNSOLICITED, false);
    let third = segment(0x82, &RESPONSE[40..], false);

    let mut session = Dnp3::default();
    let out = feed(&mut session, Direction::Backward, &[&first[..], &alone].concat());
    assert_eq!(out.messages.iter().map(|message| message.complete).collect::<Vec<_>>(), [false, true]);
    assert_eq!(codes_of(&out), [OddityCode::BadSequence]);
    assert_eq!(shapes(&out.messages[0]).len(), 2);

    let out = feed(&mut session, Direction::Backward, &[&first[..], &third].concat());
    assert_eq!((out.messages.len(), out.messages[0].complete), (1, false));
    assert_eq!(codes_of(&out), [OddityCode::BadSequence]);

    let mut out = feed(&mut session, Direction::Backward, &first);
    session.gap(Direction::Forward, &mut out);
    assert_eq!(out.messages.len(), 0);
    session.gap(Direction::Backward, &mut out);
    assert_eq!((out.messages.len(), out.messages[0].complete, out.oddities.len()), (1, false, 0));

    let out = feed(&mut session, Direction::Backward, &third);
    assert_eq!((out.messages.len(), codes_of(&out)), (0, vec![OddityCode::BadSequence]));
}

#[test]
fn all_fragments_of_a_response_answer_its_request() {
    let mut session = Dnp3::default();
    let Pairing::Opens(key) = feed_fragment(&mut session, &[0xCF, 0x01, 0x3C, 0x01, 0x06]).messages[0].pairing else {
        panic!("a request opens");
    };
    let answers = [0xAF_u8, 0x20, 0x20, 0x41].map(|control| {
        let out = feed_fragment(&mut session, &[control, 0x81, 0x00, 0x00]);
        assert_eq!(out.oddities, []);
        // The master confirms each.
        feed_fragment(&mut session, &[0xC0 | control & 0x0F, 0x00]);
        out.messages[0].pairing
    });
    let answer = |last| Pairing::Answers { key, last };
    assert_eq!(answers, [answer(false), answer(false), answer(false), answer(true)]);
}

#[test]
fn a_wrong_dir_bit_is_told_once_and_the_function_believed() {
    let mut session = Dnp3::default();
    let frame = frame_of(FROM_OUTSTATION, OUTSTATION, MASTER, &[&[ONLY], READ].concat());
    let out = feed(&mut session, Direction::Forward, &frame);
    assert_eq!((out.messages[0].from_client, codes_of(&out)), (true, vec![OddityCode::InvalidValue]));
    let out = feed(&mut session, Direction::Forward, &frame);
    assert_eq!(out.oddities, []);
    let status = frame_of(0x49, OUTSTATION, MASTER, &[]);
    assert!(feed(&mut session, Direction::Forward, &status).messages[0].from_client);
}

#[test]
fn a_damaged_block_leaves_the_header_only() {
    let mut frame = segment(ONLY, RESPONSE, false);
    let place = link::HEADER + 18 + 3; // in the second block
    frame[place] ^= 0xFF;
    let out = feed(&mut Dnp3::default(), Direction::Backward, &frame);
    let message = &out.messages[0];
    assert_eq!((message.function, message.complete, message.objects.len()), (Some(129), false, 0));
    assert_eq!(message.pairing, Pairing::None);
    assert_eq!((codes_of(&out), out.oddities[0].1.offset), (vec![OddityCode::BadChecksum], 28));
}

#[test]
fn a_datagram_holds_any_number_of_frames() {
    let datagram = [REQUEST_LINK_STATUS, &[0xFF, 0x05, 0x64, 0x00], READ_CLASSES].concat();
    let out = feed(&mut Dnp3::default(), Direction::Forward, &datagram);
    assert_eq!(out.messages.iter().map(|message| message.kind).collect::<Vec<_>>(), [Kind::Link, Kind::Request]);
    assert_eq!(codes_of(&out), [OddityCode::NotTheProtocol]);
}

#[test]
fn every_truncation_keeps_the_header() {
    for fragment in FRAGMENTS {
        let from_master = is_masters(fragment);
        let frame = segment(ONLY, fragment, from_master);
        for length in 0..frame.len() {
            let mut session = Dnp3::default();
            let framing = session.frame(way(from_master), &frame[..length]);
            match length {
                ..link::HEADER => assert_eq!(framing, Framing::NeedMore),
                _ => assert_eq!(framing, Framing::Message(frame.len())),
            }
            // The capture cut it.
            let mut out = Output::default();
            let chunk = Chunk { bytes: &frame[..length], wire_length: frame.len(), direction: way(from_master) };
            session.decode(chunk, &mut out);
            assert_eq!(out.oddities, [], "{length} of {frame:x?}");
            match out.messages.as_slice() {
                [] => assert!(length < link::HEADER, "{length} of {frame:x?}"),
                [message] => {
                    assert!(!message.complete);
                    let kept = length >= link::HEADER + 3;
                    assert_eq!(message.function == Some(fragment[1].into()), kept, "{length} of {frame:x?}");
                }
                more => panic!("{more:?}"),
            }
        }
        // The fragment itself is short, as its sender made it.
        for length in 0..fragment.len() {
            let user_data = [&[ONLY], &fragment[..length]].concat();
            let frame = frame_of(if from_master { FROM_MASTER } else { FROM_OUTSTATION }, 10, 1, &user_data);
            let out = feed(&mut Dnp3::default(), way(from_master), &frame);
            assert_eq!(out.messages.len(), 1);
            assert!(out.messages[0].complete);
            assert_eq!(out.messages[0].kind == Kind::Link, length < 2);
        }
    }
}

#[test]
fn a_frame_header_is_recognised_wherever_it_is_sent() {
    assert!(matches!(recognised(READ_CLASSES, &[]), Recognition::Yes(_)));
    assert!(matches!(recognised(&[0x16, 0x03], LINK_STATUS), Recognition::Yes(_)));
    for length in 1..link::HEADER {
        assert!(matches!(recognised(&READ_CLASSES[..length], &[]), Recognition::Undecided));
    }
    let mut wrong_crc = READ_CLASSES.to_vec();
    wrong_crc[8] ^= 1;
    let others: &[&[u8]] = &[
        &[],
        &wrong_crc,
        &READ_CLASSES[2..],
        &[0x05, 0x64, 0x04], // length below 5
        b"GET / HTTP/1.1\r\n",
        &[0x16, 0x03, 0x01, 0x00, 0xF4], // TLS
        &[0x05, 0x00, 0x0B, 0x03],       // DCE/RPC bind
        &[0x05, 0x01, 0x00],             // SOCKS 5
        &[0x00, 0x00, 0x00, 0x54, 0xFE, b'S', b'M', b'B'],
    ];
    for octets in others {
        assert!(matches!(recognised(octets, &[]), Recognition::No), "{octets:x?}");
    }
}

#[test]
fn a_datagram_is_recognised_at_once_or_not() {
    let probe = |forward| {
        let ports = [20000, 20000];
        probe_datagram(&Probe { forward, backward: &[], first: Direction::Forward, opener: None, ports, cut: false })
    };
    assert!(matches!(probe(READ_CLASSES), Recognition::Yes(_)));
    assert!(matches!(probe(&READ_CLASSES[..9]), Recognition::No));
}

#[test]
fn resync_finds_the_next_header() {
    let session = Dnp3::default();
    let find = |octets: &[u8]| session.resync(Direction::Forward, octets);
    let stray = [0x05, 0x64, 0x0B, 0xC4, 0x0A, 0x05];
    assert_eq!(find(&[&stray, READ_CLASSES].concat()), Some(stray.len()));
    assert_eq!(find(&[&[0xAA, 0xBB], &READ_CLASSES[..6]].concat()), Some(2));
    assert_eq!(find(&[0xAA, 0xBB, 0x05]), Some(2));
    assert_eq!(find(&stray[3..5]), None);
}

#[test]
fn what_is_held_is_bounded() {
    let mut session = Dnp3::default();
    let filler = [0xAA; 249];
    for source in 0..400_u16 {
        let mut sequence = 0;
        let mut send = |flags: u8, octets: &[u8]| {
            let frame = frame_of(FROM_OUTSTATION, MASTER, source, &[&[flags | sequence], octets].concat());
            sequence = (sequence + 1) & 0x3F;
            feed(&mut session, Direction::Backward, &frame);
        };
        send(0x40, RESPONSE);
        (0..270).for_each(|_| send(0, &filler));
    }
    let held: usize = session.associations.iter().map(Association::held).sum();
    assert!(session.associations.len() <= MAX_ASSOCIATIONS && held <= MAX_HELD + 2 * MAX_FRAGMENT);
}

#[test]
fn a_message_of_countless_objects_is_cut_short() {
    let mut session = Dnp3::default();
    let headers: Vec<u8> = [0x01, 0x00, 0x06].repeat(Message::MAX_OBJECTS + 100);
    let fragment = [&[0xC1, 0x01], &headers[..]].concat();
    let segments: Vec<_> = fragment.chunks(249).collect();
    let mut out = Output::default();
    for (place, octets) in segments.iter().enumerate() {
        let first = if place == 0 { 0x40 } else { 0 };
        let last = if place + 1 == segments.len() { 0x80 } else { 0 };
        out = feed(&mut session, Direction::Forward, &segment(first | last | place as u8 & 0x3F, octets, true));
    }
    assert_eq!(out.messages[0].objects.len(), Message::MAX_OBJECTS);
    assert_eq!(codes_of(&out), [OddityCode::UndecodedObject]);
}

/// Everything a session is asked, on any octets; what comes out stays within its bounds.
fn survive(octets: &[u8], wire_length: usize) {
    let mut session = Dnp3::default();
    let mut out = Output::default();
    recognised(octets, octets);
    for direction in [Direction::Forward, Direction::Backward, Direction::Forward] {
        if let Framing::Message(length) = session.frame(direction, octets) {
            assert!((link::HEADER..=292).contains(&length));
        }
        if let Some(at) = session.resync(direction, octets) {
            assert!(at < octets.len());
        }
        session.decode(Chunk { bytes: octets, wire_length, direction }, &mut out);
    }
    session.gap(Direction::Forward, &mut out);
    for message in &out.messages {
        assert!(message.objects.len() <= Message::MAX_OBJECTS);
        for object in &message.objects {
            assert!(object.values.end as usize <= message.values.len());
            assert!(message.text.get(object.text.start as usize..object.text.end as usize).is_some());
        }
    }
}

proptest! {
    #[test]
    fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..300), more in 0_usize..20) {
        survive(&octets, octets.len() + more);
    }

    /// Application octets of any sort, in good frames.
    #[test]
    fn any_fragment_is_survived(
        transport in any::<u8>(),
        fragment in prop::collection::vec(any::<u8>(), 0..240),
        from_master in any::<bool>(),
    ) {
        let frame = segment(transport, &fragment, from_master);
        survive(&[&frame[..], &frame].concat(), frame.len() * 2);
    }

    /// Object headers of any group, with each function that carries points.
    #[test]
    fn any_object_header_is_survived(
        function in prop::sample::select(vec![1_u8, 2, 5, 11, 22, 25, 32, 129, 130, 131]),
        group in any::<u8>(),
        variation in 0_u8..20,
        qualifier in any::<u8>(),
        rest in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), any::<u8>()], 0..100),
    ) {
        let fragment = [&[0xC0, function, 0, 0][..if function > 128 { 4 } else { 2 }], &[group, variation, qualifier], &rest].concat();
        survive(&segment(ONLY, &fragment, is_masters(&fragment)), 400);
    }

    #[test]
    fn mutated_vectors_are_survived(
        which in prop::sample::select(FRAGMENTS.to_vec()),
        place in any::<prop::sample::Index>(),
        octet in any::<u8>(),
        in_frame in any::<bool>(),
    ) {
        let mut fragment = which.to_vec();
        let place_in_fragment = place.index(fragment.len());
        if !in_frame {
            fragment[place_in_fragment] = octet;
        }
        let mut frame = segment(ONLY, &fragment, is_masters(which));
        if in_frame {
            let place = place.index(frame.len());
            frame[place] = octet;
        }
        survive(&frame, frame.len());
    }
}
