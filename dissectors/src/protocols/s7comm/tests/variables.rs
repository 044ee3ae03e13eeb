//! Variables: addresses of every kind, data of every size, and return codes.

use super::*;

pub(super) const READ: &[u8] = &[
    0x32, 0x01, 0x00, 0x00, 0x00, 0x05, 0x00, 0x1A, 0x00, 0x00, // job 5, 26 octets of parameters
    0x04, 0x02, // read two items
    0x12, 0x0A, 0x10, 0x08, 0x00, 0x02, 0x00, 0x07, 0x84, 0x00, 0x00, 0x20, // DB 7, octet 4, two REAL
    0x12, 0x0A, 0x10, 0x01, 0x00, 0x01, 0x00, 0x00, 0x81, 0x00, 0x00, 0x0B, // input 1.3, BIT
];

pub(super) const READ_ANSWER: &[u8] = &[
    0x32, 0x03, 0x00, 0x00, 0x00, 0x05, 0x00, 0x02, 0x00, 0x11, 0x00, 0x00, // 17 octets of data, no error
    0x04, 0x02, // two items
    0xFF, 0x07, 0x00, 0x08, 0x40, 0x20, 0x00, 0x00, 0x3F, 0xC0, 0x00, 0x00, // success, 8 octets of REAL: 2.5, 1.5
    0xFF, 0x03, 0x00, 0x01, 0x01, // success, 1 bit: set
];

pub(super) const WRITE: &[u8] = &[
    0x32, 0x01, 0x00, 0x00, 0x00, 0x06, 0x00, 0x1A, 0x00, 0x0C, // job 6
    0x05, 0x02, // write two items
    0x12, 0x0A, 0x10, 0x02, 0x00, 0x01, 0x00, 0x00, 0x83, 0x00, 0x00, 0x50, // flag 10, one BYTE
    0x12, 0x0A, 0x10, 0x05, 0x00, 0x01, 0x00, 0x00, 0x82, 0x00, 0x00, 0x10, // output 2, one INT
    0x00, 0x04, 0x00, 0x08, 0x81, 0x00, // 8 bits: 0x81, and a fill octet
    0x00, 0x05, 0x00, 0x10, 0xFF, 0xFE, // 16 bits: -2
];

pub(super) const WRITE_ANSWER: &[u8] = &[
    0x32, 0x03, 0x00, 0x00, 0x00, 0x06, 0x00, 0x02, 0x00, 0x02, 0x00, 0x00, // two octets of data, no error
    0x05, 0x02, // two items
    0xFF, 0x03, // success, access not allowed
];

#[test]
fn what_is_read_comes_back_under_its_address() {
    let mut session = session();
    let request = sound(&mut session, Direction::Forward, READ);
    assert_eq!((request.name, request.operation, request.kind), ("read_var", Operation::Read, Kind::Request));
    assert_eq!((request.transaction, request.length, request.from_client), (Some(5), 43, true));
    let expected = [("data-block", "db7", Some(4), 8, None, &[][..], ""), ("input", "", Some(1), 1, Some(3), &[], "")];
    assert_eq!(shapes(&request), expected);
    let answer = sound(&mut session, Direction::Backward, READ_ANSWER);
    assert_eq!(answer.pairing, Pairing::Answers { key: keys::JOB | 5, last: true });
    let expected =
        [("data-block", "db7", Some(4), 8, None, &[2.5, 1.5][..], ""), ("input", "", Some(1), 1, Some(3), &[1.0], "")];
    assert_eq!(shapes(&answer), expected);
    assert_eq!(answer.objects[0].stride, 4);
}

#[test]
fn an_answer_whose_request_was_not_captured_names_its_items_by_number() {
    let answer = sound(&mut session(), Direction::Backward, READ_ANSWER);
    let expected = [("item", "", None, 1, Some(0), &[2.5, 1.5][..], ""), ("item", "", None, 1, Some(1), &[1.0], "")];
    assert_eq!(shapes(&answer), expected);
}

#[test]
fn what_is_written_and_which_items_are_refused() {
    let mut session = session();
    let request = sound(&mut session, Direction::Forward, WRITE);
    let expected = [("flag", "", Some(10), 1, None, &[129.0][..], ""), ("output", "", Some(2), 2, None, &[-2.0], "")];
    assert_eq!(shapes(&request), expected);
    let answer = sound(&mut session, Direction::Backward, WRITE_ANSWER);
    let statuses: Vec<_> = answer.objects.iter().map(|object| (object.kind, object.status)).collect();
    assert_eq!(statuses, [("flag", None), ("output", Some(3))]);
    assert_eq!((answer.kind, answer.status), (Kind::Response, None), "one of two was written");
}

#[test]
fn an_answer_is_negative_where_no_item_succeeds_or_the_header_says_so() {
    let refused = [&WRITE_ANSWER[..14], &[0x03, 0x03]].concat();
    let answer = sound(&mut session(), Direction::Backward, &refused);
    assert_eq!((answer.kind, answer.status, answer.status_name), (Kind::Error, Some(3), "access_not_allowed"));

    // Ack_Data with error class 0x85, code 0, and no items.
    let header = &[0x32, 0x03, 0x00, 0x00, 0x00, 0x05, 0x00, 0x02, 0x00, 0x00, 0x85, 0x00, 0x04, 0x01];
    let answer = sound(&mut session(), Direction::Backward, header);
    assert_eq!((answer.kind, answer.status, answer.status_name), (Kind::Error, Some(0x8500), "wrong_frames"));

    // Ack without parameters; an error that only its class names.
    let header = &[0x32, 0x02, 0x00, 0x00, 0x00, 0x15, 0x00, 0x00, 0x00, 0x00, 0xD2, 0xFF];
    let answer = sound(&mut session(), Direction::Backward, header);
    assert_eq!((answer.function, answer.status_name), (None, "block_function"));
}

#[test]
fn an_item_that_failed_has_no_octets_whatever_its_length_says() {
    let answer = &[
        0x32, 0x03, 0x00, 0x00, 0x00, 0x05, 0x00, 0x02, 0x00, 0x08, 0x00, 0x00, // eight octets of data
        0x04, 0x02, // two items
        0x0A, 0x00, 0x00, 0x04, // object does not exist, no type, a length of 4
        0x0A, 0x00, 0x00, 0x04,
    ];
    let answer = sound(&mut session(), Direction::Backward, answer);
    assert_eq!(answer.objects.iter().map(|object| object.status).collect::<Vec<_>>(), [Some(10), Some(10)]);
    assert_eq!(answer.kind, Kind::Error);
}

/// One item's address, and the object that it is.
const ADDRESSES: &[(&[u8], Shape<'static>)] = &[
    (&[0x10, 0x1D, 0x00, 0x08, 0x00, 0x00, 0x1D, 0, 0, 5], ("s7-timer", "", Some(5), 8, None, &[], "")),
    (&[0x10, 0x04, 0x00, 0x03, 0x00, 0x00, 0x80, 0, 0, 8], ("peripheral", "", Some(1), 6, None, &[], "")),
    (&[0x10, 0x01, 0x00, 0x0A, 0x00, 0x00, 0x83, 0, 0, 7], ("flag", "", Some(0), 3, Some(7), &[], "")),
    (&[0x10, 0x63, 0x00, 0x02, 0x00, 0x00, 0x99, 0, 0, 8], ("area", "", Some(1), 2, None, &[], "")),
    (&[0xB0, 0x01, 0x04, 0x00, 0x4C, 0x01, 0x94], ("data-block", "db76", Some(404), 4, None, &[], "")),
    (
        &[0xB2, 0xFF, 0x8A, 0x0E, 0x00, 0x01, 0, 0, 0, 0, 0x40, 0, 0, 9],
        ("data-block", "db1", None, 1, Some(9), &[], ""),
    ),
    (&[0xB2, 0xFF, 0, 0, 0, 0x52, 0, 0, 0, 0, 0x40, 0, 0, 2], ("flag", "", None, 1, Some(2), &[], "")),
    (&[0x82, 0x41, 0x00, 0x24, 0x00, 0x01, 0x7F, 0x01], ("nck-variable", "", Some(1), 1, Some(0x24), &[], "")),
    (&[0x13, 0x00, 0x00], ("variable", "r_id", None, 1, None, &[], "")),
    (&[0x77, 0x01], ("variable", "", None, 1, None, &[], "")),
];

#[test]
fn addresses_of_every_syntax() {
    for (address, shape) in ADDRESSES {
        let length = address.len() as u8;
        let parameters = [&[0x04, 0x01, 0x12, length], *address].concat();
        let header = [0x32, 0x01, 0, 0, 0, 1, 0, parameters.len() as u8, 0, 0];
        let request = asked(&[&header[..], &parameters].concat());
        assert_eq!(shapes(&request), [*shape], "{address:x?}");
    }
}

#[test]
fn parts_of_one_address_have_a_return_code_each() {
    let mut session = session();
    let request = &[
        0x32, 0x01, 0x00, 0x00, 0x00, 0x0D, 0x00, 0x10, 0x00, 0x00, // job 13
        0x04, 0x01, 0x12, 0x0C, 0xB0, 0x02, // read one item of two parts
        0x02, 0x00, 0x4A, 0x00, 0x6C, // two octets of DB 74 at 108
        0x04, 0x00, 0x4C, 0x01, 0x94, // four octets of DB 76 at 404
    ];
    let answer = &[
        0x32, 0x03, 0x00, 0x00, 0x00, 0x0D, 0x00, 0x02, 0x00, 0x08, 0x00, 0x00, // answer 13
        0x04, 0x01, 0xFF, 0x09, 0x00, 0x04, // one item, four octets
        0xFF, 0x04, 0x0A, 0x05, // success with its two octets; invalid address
    ];
    assert_eq!(sound(&mut session, Direction::Forward, request).objects.len(), 2);
    let answer = sound(&mut session, Direction::Backward, answer);
    let expected = [
        ("data-block", "db74", Some(108), 2, None, &[4.0, 10.0][..], ""),
        ("data-block", "db76", Some(404), 4, None, &[], ""),
    ];
    assert_eq!(shapes(&answer), expected);
    assert_eq!(answer.objects[1].status, Some(5));
}
