//! Properties read and written, and their values.

use super::*;

pub(super) const READ_PROPERTY: &[u8] = &[
    0x02, 0x05, 0x09, 0x0C, // Confirmed-Request, segmented accepted, max APDU 1476, invoke id 9, ReadProperty
    0x0C, 0x00, 0x00, 0x00, 0x01, // [0] analog-input 1
    0x19, 0x57, // [1] priority-array
    0x29, 0x03, // [2] array index 3
];

pub(super) const READ_PROPERTY_ACK: &[u8] = &[
    0x30, 0x09, 0x0C, // Complex-ACK, invoke id 9, ReadProperty
    0x0C, 0x00, 0x00, 0x00, 0x01, // [0] analog-input 1
    0x19, 0x57, // [1] priority-array
    0x29, 0x03, // [2] array index 3
    0x3E, // [3] {
    0x44, 0x42, 0x90, 0x00, 0x00, // real 72.0
    0x3F, // }
];

pub(super) const READ_PROPERTY_MULTIPLE: &[u8] = &[
    0x02, 0x05, 0x0A, 0x0E, // Confirmed-Request, invoke id 10, ReadPropertyMultiple
    0x0C, 0x02, 0x00, 0x01, 0xF4, // [0] device 500
    0x1E, // [1] {
    0x09, 0x4D, // [0] object-name
    0x09, 0x79, // [0] vendor-name
    0x1F, // }
    0x0C, 0x20, 0x00, 0x00, 0x02, // [0] object of the proprietary type 128, instance 2
    0x1E, // [1] {
    0x0A, 0x02, 0x58, // [0] proprietary property 600
    0x1F, // }
];

pub(super) const READ_PROPERTY_MULTIPLE_ACK: &[u8] = &[
    0x30, 0x0A, 0x0E, // Complex-ACK, invoke id 10, ReadPropertyMultiple
    0x0C, 0x02, 0x00, 0x01, 0xF4, // [0] device 500
    0x1E, // [1] {
    0x29, 0x4D, // [2] object-name
    0x4E, // [4] {
    0x75, 0x07, 0x00, b'K', b'B', b'R', b'N', b'A', b'E', // UTF-8 "KBRNAE"
    0x4F, // }
    0x29, 0x79, // [2] vendor-name
    0x4E, // [4] {
    0x75, 0x07, 0x04, 0x00, b'J', 0x00, b'C', 0x00, b'I', // UCS-2 "JCI"
    0x4F, // }
    0x29, 0x70, // [2] system-status
    0x4E, // [4] {
    0x91, 0x00, // enumerated 0, operational
    0x4F, // }
    0x29, 0x1C, // [2] description
    0x5E, // [5] {
    0x91, 0x02, // error class property
    0x91, 0x20, // error code unknown-property
    0x5F, // }
    0x1F, // }
];

pub(super) const WRITE_PROPERTY: &[u8] = &[
    0x00, 0x05, 0x0B, 0x0F, // Confirmed-Request, invoke id 11, WriteProperty
    0x0C, 0x01, 0x00, 0x00, 0x07, // [0] binary-output 7
    0x19, 0x55, // [1] present-value
    0x3E, // [3] {
    0x91, 0x01, // enumerated 1, active
    0x3F, // }
    0x49, 0x08, // [4] priority 8
];

pub(super) const WRITE_PROPERTY_MULTIPLE: &[u8] = &[
    0x00, 0x05, 0x0C, 0x10, // Confirmed-Request, invoke id 12, WritePropertyMultiple
    0x0C, 0x00, 0x40, 0x00, 0x01, // [0] analog-output 1
    0x1E, // [1] {
    0x09, 0x55, // [0] present-value
    0x2E, // [2] {
    0x00, // null: relinquishes
    0x2F, // }
    0x39, 0x10, // [3] priority 16
    0x1F, // }
];

pub(super) const WRITE_PROPERTY_MULTIPLE_ERROR: &[u8] = &[
    0x50, 0x0C, 0x10, // Error, invoke id 12, WritePropertyMultiple
    0x0E, // [0] {
    0x91, 0x02, // error class property
    0x91, 0x28, // error code write-access-denied
    0x0F, // }
    0x1E, // [1] {
    0x0C, 0x00, 0x40, 0x00, 0x01, // [0] analog-output 1
    0x19, 0x55, // [1] present-value
    0x1F, // }
];

pub(super) const READ_RANGE_ACK: &[u8] = &[
    0x30, 0x01, 0x1A, // Complex-ACK, invoke id 1, ReadRange
    0x0C, 0x05, 0x00, 0x00, 0x01, // [0] trend-log 1
    0x19, 0x83, // [1] log-buffer
    0x3A, 0x05, 0xC0, // [3] result flags 110
    0x49, 0x02, // [4] 2 items
    0x5E, 0x5F, // [5] { }: contradicts the count
    0x6B, 0x01, 0x35, 0x61, // [6] first sequence number 79201
];

pub(super) const READ_RANGE: &[u8] = &[
    0x00, 0x02, 0x01, 0x1A, // Confirmed-Request, invoke id 1, ReadRange
    0x0C, 0x05, 0x00, 0x00, 0x01, // [0] trend-log 1
    0x19, 0x83, // [1] log-buffer
    0x7E, // [7] by time {
    0xA4, 0x7E, 0x0B, 0x17, 0x01, // date 2026-11-23
    0xB4, 0x08, 0x00, 0x00, 0x00, // time 08:00
    0x31, 0xFC, // the 4 before
    0x7F, // }
];

pub(super) const LOG_RECORDS: &[u8] = &[
    0x30, 0x01, 0x1A, // Complex-ACK, invoke id 1, ReadRange
    0x0C, 0x05, 0x00, 0x00, 0x01, // [0] trend-log 1
    0x19, 0x83, // [1] log-buffer
    0x3A, 0x05, 0xC0, // [3] result flags 110
    0x49, 0x01, // [4] 1 item
    0x5E, // [5] {
    0x0E, 0xA4, 0x7E, 0x0B, 0x17, 0x01, 0xB4, 0x08, 0x00, 0x00, 0x00, 0x0F, // [0] { date, time }
    0x1E, 0x2C, 0x41, 0x90, 0x00, 0x00, 0x1F, // [1] { [2] real 18.0 }
    0x2A, 0x04, 0x00, // [2] status flags 0000
    0x5F, // }
    0x6B, 0x01, 0x35, 0x61, // [6] first sequence number 79201
];

pub(super) const WRITE_PROGRAM_CHANGE: &[u8] = &[
    0x00, 0x05, 0x0B, 0x0F, // Confirmed-Request, invoke id 11, WriteProperty
    0x0C, 0x04, 0x00, 0x00, 0x01, // [0] program 1
    0x19, 0x5A, // [1] program-change
    0x3E, 0x91, 0x03, 0x3F, // [3] { halt }
];

#[test]
fn ranges_have_their_items() {
    let range = message(&unicast(READ_RANGE));
    assert_eq!((range.text.as_str(), &range.values[..]), ("2026-11-23, 08:00:00.00, -4", &[-4.0][..]));
    let empty = message(&unicast(READ_RANGE_ACK));
    assert_eq!((empty.values_of(&empty.objects[0]), empty.text.as_str()), (&[2.0, 79201.0][..], "110: "));
    let records = message(&unicast(LOG_RECORDS));
    assert_eq!(records.values_of(&records.objects[0]), [1.0, 79201.0, 18.0]);
    assert_eq!(
        records.text_of(&records.objects[0]),
        "110: timestamp {2026-11-23, 08:00:00.00}, datum {real 18}, status-flags 0000"
    );
}

#[test]
fn a_write_of_program_change_starts_and_stops() {
    for (request, operation) in [(1, Operation::ProgramDownload), (2, Operation::Start), (3, Operation::Stop)] {
        let mut apdu = WRITE_PROGRAM_CHANGE.to_vec();
        apdu[13] = request;
        assert_eq!(message(&unicast(&apdu)).operation, operation);
    }
    let multiple =
        [&[0x00, 0x05, 0x0C, 0x10][..], &WRITE_PROGRAM_CHANGE[4..9], &[0x1E, 0x09, 0x5A], &[0x2E, 0x91, 2, 0x2F, 0x1F]];
    assert_eq!(message(&unicast(&multiple.concat())).operation, Operation::Start);
    // The same number written elsewhere is a write.
    let mut apdu = WRITE_PROGRAM_CHANGE.to_vec();
    apdu[10] = 0x55;
    assert_eq!(message(&unicast(&apdu)).operation, Operation::Write);
}

#[test]
fn read_property_and_its_answer_share_a_key() {
    // The client reaches the device 5 on network 2 through a router.
    let request = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x24, 0, 2, 1, 5, 0xFF], READ_PROPERTY]));
    let answer = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x08, 0, 2, 1, 5], READ_PROPERTY_ACK]));
    let Pairing::Opens(key) = request.pairing else { panic!("{:?}", request.pairing) };
    assert_eq!(answer.pairing, Pairing::Answers { key, last: true });
    assert_eq!((request.from_client, answer.from_client), (true, false));
    assert_eq!((request.transaction, answer.transaction), (Some(9), Some(9)));
    assert_eq!((request.kind, answer.kind), (Kind::Request, Kind::Response));

    let read =
        Object { property: Some(87), property_name: "priority-array", index: Some(3), ..point("analog-input", 1) };
    assert_eq!(request.objects[0], read);
    assert_eq!(answer.objects, [Object { values: 0..1, ..read }]);
    assert_eq!(answer.values, [72.0]);

    // The same invoke id to another device of that network is another exchange.
    let other = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x24, 0, 2, 1, 6, 0xFF], READ_PROPERTY]));
    assert_ne!(other.pairing, request.pairing);
}

#[test]
fn read_property_multiple_lists_every_property() {
    let request = message(&unicast(READ_PROPERTY_MULTIPLE));
    let names: Vec<_> = request.objects.iter().map(|object| (object.kind, object.property_name)).collect();
    assert_eq!(names, [("device", "object-name"), ("device", "vendor-name"), ("object", "")]);
    let unknown = &request.objects[2];
    assert_eq!((unknown.type_number, unknown.start, unknown.property), (Some(128), Some(2), Some(600)));

    let answer = message(&unicast(READ_PROPERTY_MULTIPLE_ACK));
    let words: Vec<_> = answer.objects.iter().map(|object| (answer.text_of(object), object.status)).collect();
    assert_eq!(words, [("KBRNAE", None), ("JCI", None), ("", None), ("error property unknown-property", Some(32))]);
    assert_eq!(
        claims(&unicast(READ_PROPERTY_MULTIPLE_ACK)),
        [
            (Attribute::Instance, "500".to_string()),
            (Attribute::Name, "KBRNAE".to_string()),
            (Attribute::Vendor, "JCI".to_string()),
            (Attribute::State, "operational".to_string()),
        ]
    );
}

#[test]
fn writes_have_value_and_priority() {
    let one = message(&unicast(WRITE_PROPERTY));
    assert_eq!(
        (one.operation, one.objects[0].kind, one.objects[0].start),
        (Operation::Write, "binary-output", Some(7))
    );
    assert_eq!((one.values_of(&one.objects[0]), one.objects[0].priority), (&[1.0][..], Some(8)));

    let many = message(&unicast(WRITE_PROPERTY_MULTIPLE));
    assert_eq!((many.text_of(&many.objects[0]), many.objects[0].priority), ("null", Some(16)));

    let refused = message(&unicast(WRITE_PROPERTY_MULTIPLE_ERROR));
    assert_eq!((refused.status, refused.status_name), (Some(40), "write-access-denied"));
    assert_eq!((refused.objects[0].kind, refused.objects[0].status), ("analog-output", Some(40)));
}

/// What an override at a priority is worth depends on which priority it is.
#[test]
fn a_priority_array_tells_the_place_of_each_value() {
    const NULL: [u8; 1] = [0x00];
    const REAL: [u8; 5] = [0x44, 0x42, 0x90, 0x00, 0x00]; // 72.0
    let of = |first: usize, value: &[u8], rest: usize| {
        let array = [&NULL.repeat(first)[..], value, &NULL.repeat(rest)].concat();
        let ack = [&READ_PROPERTY_ACK[..10], &[0x3E], &array, &[0x3F]].concat();
        let answer = message(&unicast(&ack));
        (answer.values_of(&answer.objects[0]).to_vec(), answer.text_of(&answer.objects[0]).to_string())
    };
    let nulls = |count: usize| vec!["null"; count].join(", ");
    assert_eq!(of(7, &REAL, 8), (vec![72.0], format!("{}, 72, {}", nulls(7), nulls(8))));
    assert_eq!(of(0, &[0x91, 0x01], 15), (vec![1.0], format!("1, {}", nulls(15))));
    assert_eq!(of(8, &[], 8), (vec![], nulls(16)));
    // Sixteen numbers need no words.
    assert_eq!(of(0, &REAL.repeat(16), 0), (vec![72.0; 16], String::new()));
}

#[test]
fn every_character_set_becomes_text() {
    for (set, expected) in [
        (&[0x00, 0xC3, 0xBC][..], "ü"),
        (&[0x01, 0x03, 0x52, b'a', 0x81], "a\u{fffd}"),
        (&[0x02, b'j'], "j"),
        (&[0x03, 0x00, 0x01, 0xF6, 0x00], "😀"),
        (&[0x04, 0x00, 0xFC, 0x20, 0xAC], "ü€"),
        (&[0x05, 0xFC, 0x0A], "ü\u{fffd}"),
        (&[0x63, b'x'], "x"),
        (&[0x04, 0x00], ""),
        (&[], ""),
    ] {
        let mut text = String::new();
        value::Value::CharacterString(set).write_text(&mut text);
        assert_eq!(text, expected, "{set:02x?}");
    }
}

#[test]
fn primitive_values_of_every_type() {
    let values: &[(&[u8], &[f64], &str)] = &[
        (&[0x00], &[], "null"),
        (&[0x11], &[1.0], ""),
        (&[0x25, 0x08, 0, 0, 0, 1, 0, 0, 0, 0], &[4294967296.0], ""),
        (&[0x32, 0xFF, 0x7F], &[-129.0], ""),
        (&[0x55, 0x08, 0xC0, 0x52, 0, 0, 0, 0, 0, 0], &[-72.0], ""),
        (&[0x63, 0x01, 0x02, 0xFF], &[], "0102ff"),
        (&[0x82, 0x03, 0xA8], &[], "10101"),
        (&[0x91, 0x07], &[7.0], ""),
        (&[0xA4, 0xFF, 0x0D, 0xFF, 0xFF], &[], "*-13-*"),
        (&[0xC4, 0x00, 0xC0, 0x00, 0x03], &[], "binary-input 3"),
        (&[0xC4, 0x20, 0x00, 0x00, 0x03], &[], "object-128 3"),
    ];
    for (octets, numbers, words) in values {
        let ack = [&[0x30, 0x01, 0x0C, 0x0C, 0, 0, 0, 1, 0x19, 0x55, 0x3E][..], octets, &[0x3F]].concat();
        let message = message(&unicast(&ack));
        assert_eq!((&message.values[..], message.text.as_str()), (*numbers, *words), "{octets:02x?}");
    }
}

#[test]
fn properties_that_are_polled_differ_in_their_invoke_id() {
    let routed = bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x24, 0x00, 0x05, 0x01, 0x0C, 0xFF], READ_PROPERTY]);
    let source_routed = bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x08, 0x00, 0x05, 0x01, 0x0C], READ_PROPERTY_ACK]);
    let ipv6 = [&[0x82, 0x01, 0, 31, 0, 0, 1, 0, 0, 2, 0x01, 0x04], READ_PROPERTY].concat();
    let mut segmented = READ_PROPERTY_ACK.to_vec();
    segmented[0] |= 0x08;
    let cases: &[(&str, Vec<u8>, Option<usize>)] = &[
        ("read", unicast(READ_PROPERTY), Some(8)),
        ("its answer", unicast(READ_PROPERTY_ACK), Some(7)),
        ("read multiple", unicast(READ_PROPERTY_MULTIPLE), Some(8)),
        ("its answer", unicast(READ_PROPERTY_MULTIPLE_ACK), Some(7)),
        ("to another network", routed, Some(13)),
        ("from another network", source_routed, Some(11)),
        ("BACnet/IPv6", ipv6, Some(14)),
        ("a write", unicast(WRITE_PROPERTY), None),
        ("a simple answer", unicast(SIMPLE_ACK), None),
        ("a segment", unicast(&segmented), None),
        ("a broadcast", bvlc(ORIGINAL_BROADCAST_NPDU, &[&[0x01, 0x00], READ_PROPERTY]), None),
        ("a message of the network layer", bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x80, 0x12]]), None),
    ];
    for (name, datagram, invoke_id) in cases {
        let variable = BacnetIp::default().variable(Direction::Forward, datagram);
        let end = datagram.len();
        let found = variable.map(|variable| (variable.number, variable.values));
        assert_eq!(found, invoke_id.map(|at| (at..at + 1, end..end)), "{name}");
    }
    let npdu = BacnetNpdu::default().variable(Direction::Forward, &unicast(READ_PROPERTY)[4..]);
    assert_eq!(npdu.map(|variable| variable.number), Some(4..5));
}

#[test]
fn a_session_is_idle_where_nothing_is_half_built_and_no_notification_awaits_its_answer() {
    let mut session = BacnetIp::default();
    let mut segments = segments(20);
    let last = segments.split_off(segments.len() - 1);
    let steps = [
        (vec![unicast(READ_PROPERTY)], true),
        (segments, false),
        (last, true),
        (vec![unicast(COV_NOTIFICATION)], false),
    ];
    for (datagrams, idle) in steps {
        datagrams.iter().for_each(|datagram| drop(decode_with(&mut session, Direction::Forward, datagram)));
        assert_eq!(session.is_idle(), idle);
    }
    decode_with(&mut session, Direction::Backward, &unicast(COV_NOTIFICATION_ACK));
    assert!(session.is_idle());
}
