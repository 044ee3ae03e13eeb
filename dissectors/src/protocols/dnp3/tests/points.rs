//! What is read, answered and reported: points of each coding.

use super::*;

/// Master 1 asks outstation 10 for the events of class 1 and the static data.
pub(super) const READ_CLASSES: &[u8] = &[
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

pub(super) const READ: &[u8] = &[
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

pub(super) const RESPONSE: &[u8] = &[
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

pub(super) const UNSOLICITED: &[u8] = &[
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
        [("time", 51, 1, None, 1, &[123_456.0][..], ""), ("binary-input", 2, 3, Some(5), 1, &[1.0], "123472")]
    );
}
