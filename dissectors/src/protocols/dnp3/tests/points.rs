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

pub(super) const QUALITY: &[u8] = &[
    0xC2, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x01, 0x02, 0x00, // binary input with flags, 8-bit start and stop
    0x00, // start
    0x04, // stop
    0x81, // on, online
    0x01, // off, online
    0x85, // on, online, communication lost
    0x05, // off, online, communication lost
    0x00, // off, not online
    0x1E, 0x01, 0x00, // 32-bit analog input with flag
    0x07, // start
    0x07, // stop
    0x21, 0xFF, 0xFF, 0xFF, 0x7F, // online, over range: 2147483647
    0x0D, 0x01, 0x17, // binary output command event, 8-bit indices
    0x01, // count
    0x02, // index
    0x84, // on, not supported
    0x2B, 0x02, 0x17, // 16-bit analog output command event with status
    0x01, // count
    0x03, // index
    0x00, 0x07, 0x00, // success: 7
];

pub(super) const TIMED_EVENTS: &[u8] = &[
    0xC3, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x02, 0x02, 0x28, // binary input event with absolute time, 16-bit indices
    0x02, 0x00, // count
    0x05, 0x00, // index
    0x81, // on, online
    0x87, 0xE2, 0xF5, 0x53, 0x4C, 0x01, // 1427337765511 ms
    0x06, 0x00, // index
    0x81, // on, online
    0x88, 0xE2, 0xF5, 0x53, 0x4C, 0x01, // 1427337765512 ms
    0x20, 0x07, 0x17, // single-precision analog input event with flag and time
    0x01, // count
    0x09, // index
    0x01, // online
    0x00, 0x00, 0xA4, 0x41, // 20.5
    0x87, 0xE2, 0xF5, 0x53, 0x4C, 0x01, // 1427337765511 ms
    0x04, 0x03, 0x17, // double-bit input event with relative time, and no common time before it
    0x01, // count
    0x01, // index
    0x81, // on, online
    0x10, 0x00, // 16 ms later
];

/// Objects whose numbers are coded in their own ways.
pub(super) const NUMBERS: &[u8] = &[
    0xC4, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x65, 0x02, 0x00, // medium packed decimal, 8-bit start and stop
    0x00, // start
    0x00, // stop
    0x78, 0x56, 0x34, 0x12, // 12345678
    0x66, 0x01, 0x00, // 8-bit unsigned integer
    0x03, // start
    0x04, // stop
    0x07, 0xFF, // 7, 255
    0x51, 0x01, 0x07, // buffer fill status
    0x01, // count
    0x32, // 50 %
    0x02, 0x02, // of binary input events with absolute time
    0x32, 0x04, 0x17, // indexed absolute time and long interval, 8-bit indices
    0x01, // count
    0x02, // index
    0x87, 0xE2, 0xF5, 0x53, 0x4C, 0x01, // 1427337765511 ms
    0x05, 0x00, 0x00, 0x00, // interval
    0x03, // units: minutes
    0x79, 0x01, 0x00, // 32-bit security statistic with flag
    0x04, // start
    0x04, // stop
    0x01, // online
    0x02, 0x00, // association
    0x0B, 0x00, 0x00, 0x00, // 11
    0x53, 0x01, 0x07, // private registration object
    0x01, // count
    b'A', b'C', b'M', b'E', // vendor code
    0x09, 0x00, // object identifier
    0x02, 0x00, // length
    0xAA, 0xBB, // data
    0x57, 0x01, 0x5B, // data set, present value, free format
    0x01, // count
    0x03, 0x00, // size
    0x01, 0x02, 0x03, // elements
    0x03, 0x02, 0x00, // double-bit input with flags
    0x01, // start
    0x01, // stop
    0x81, // on, online
];

#[test]
fn a_point_that_is_not_plainly_online_says_so() {
    let message = sound(QUALITY);
    let found: Vec<_> = message.objects.iter().map(|o| (o.kind, o.start, message.values_of(o), o.status)).collect();
    assert_eq!(
        found,
        [
            ("binary-input", Some(0), &[1.0, 0.0][..], None),
            ("binary-input", Some(2), &[1.0, 0.0], Some(0x05)),
            ("binary-input", Some(4), &[0.0], Some(0x00)),
            ("analog-input", Some(7), &[2_147_483_647.0], Some(0x21)),
            ("control-relay-output", Some(2), &[1.0], Some(4)),
            ("analog-output", Some(3), &[7.0], Some(0)),
        ]
    );
    // It is no answer to a request.
    assert_eq!((message.kind, message.status), (Kind::Response, None));
}

#[test]
fn the_times_of_events_are_words() {
    assert_eq!(
        shapes(&sound(TIMED_EVENTS)),
        [
            ("binary-input", 2, 2, Some(5), 2, &[1.0, 1.0][..], "time=1427337765511 1427337765512"),
            ("analog-input", 32, 7, Some(9), 1, &[20.5], "time=1427337765511"),
            ("double-bit-input", 4, 3, Some(1), 1, &[2.0], ""),
        ]
    );
}

#[test]
fn numbers_of_every_other_coding() {
    assert_eq!(
        shapes(&sound(NUMBERS)),
        [
            ("binary-coded-decimal", 101, 2, Some(0), 1, &[12_345_678.0][..], ""),
            ("unsigned-integer", 102, 1, Some(3), 2, &[7.0, 255.0], ""),
            ("storage", 81, 1, None, 1, &[50.0], ""),
            ("time", 50, 4, Some(2), 1, &[1_427_337_765_511.0], "interval=5 minutes"),
            ("security-statistic", 121, 1, Some(4), 1, &[11.0], ""),
            ("private-registration", 83, 1, None, 1, &[], "object=9 vendor=ACME"),
            ("data-set", 87, 1, None, 1, &[], ""),
            ("double-bit-input", 3, 2, Some(1), 1, &[2.0], ""),
        ]
    );
}

/// Points of every variation that tells its size, in every range and with every prefix, are walked to their end.
#[test]
fn every_variation_is_walked_to_its_end() {
    let sizes = codes::OBJECTS.iter().filter_map(|entry| Some((entry, entry.size?)));
    for (entry, bits) in sizes {
        let (group, variation) = ((entry.code >> 8) as u8, entry.code as u8);
        let octets = (bits as usize).div_ceil(8);
        let packed = vec![0_u8; (3 * bits as usize).div_ceil(8)];
        let prefixed = |prefix: &[u8]| [prefix, &vec![0; octets]].concat().repeat(3);
        let cases: [(&[u8], Vec<u8>); 8] = [
            (&[0x00, 0x02, 0x04], packed.clone()),
            (&[0x01, 0x02, 0x01, 0x04, 0x01], packed.clone()),
            (&[0x02, 0x02, 0, 0, 0, 0x04, 0, 0, 0], packed.clone()),
            (&[0x07, 0x03], packed.clone()),
            (&[0x08, 0x03, 0x00], packed.clone()),
            (&[0x17, 0x03], prefixed(&[0x05])),
            (&[0x28, 0x03, 0x00], prefixed(&[0x05, 0x00])),
            (&[0x39, 0x03, 0, 0, 0], prefixed(&[0x05, 0, 0, 0])),
        ];
        for (header, points) in cases {
            let fragment =
                [&[0xC1, 0x81, 0, 0, group, variation], header, &points, &[0x01, 0x02, 0x00, 9, 9, 1]].concat();
            let message = sound(&fragment);
            let (last, points) = message.objects.split_last().expect("objects");
            assert_eq!((last.kind, last.start), ("binary-input", Some(9)), "{} {header:x?}", entry.name);
            assert_eq!(points.iter().map(|object| object.count).sum::<u32>(), 3, "{} {header:x?}", entry.name);
        }
    }
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
        [("time", 51, 1, None, 1, &[123_456.0][..], ""), ("binary-input", 2, 3, Some(5), 1, &[1.0], "time=123472")]
    );
}
