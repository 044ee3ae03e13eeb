//! Userdata: identity, modes, clock, password, cyclic data.

use super::*;
use crate::protocols::s7comm::userdata::Partials;

pub(super) const READ_SZL: &[u8] = &[
    0x32, 0x07, 0x00, 0x00, 0x00, 0x01, 0x00, 0x08, 0x00, 0x08, // userdata 1
    0x00, 0x01, 0x12, 0x04, 0x11, 0x44, 0x01, 0x00, // request, CPU functions, read
    0xFF, 0x09, 0x00, 0x04, 0x00, 0x11, 0x00, 0x01, // list 0x0011, index 1
];

pub(super) const SZL_ANSWER: &[u8] = &[
    0x32, 0x07, 0x00, 0x00, 0x00, 0x01, 0x00, 0x0C, 0x00, 0x44, // userdata 1
    0x00, 0x01, 0x12, 0x08, 0x12, 0x84, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, // response, last, no error
    0xFF, 0x09, 0x00, 0x40, // 64 octets
    0x00, 0x11, 0x00, 0x00, 0x00, 0x1C, 0x00, 0x02, // list 0x0011, 2 records of 28 octets
    0x00, 0x01, b'6', b'E', b'S', b'7', b' ', b'3', b'1', b'5', b'-', b'2', b'E', b'H', b'1', b'4', b'-', b'0', b'A',
    b'B', b'0', b' ', 0x00, 0xC0, 0x00, 0x03, 0x00, 0x01, // 1: the module
    0x00, 0x07, b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' ',
    b' ', b' ', b' ', 0x00, 0xC0, b'V', 0x03, 0x02, 0x08, // 7: its firmware
];

pub(super) const PASSWORD: &[u8] = &[
    0x32, 0x07, 0x00, 0x00, 0x00, 0x02, 0x00, 0x08, 0x00, 0x0C, // userdata 2
    0x00, 0x01, 0x12, 0x04, 0x11, 0x45, 0x01, 0x00, // request, security, password
    0xFF, 0x09, 0x00, 0x08, b'S', b'E', b'C', b'R', b'E', b'T', b'0', b'1',
];

pub(super) const SET_CLOCK: &[u8] = &[
    0x32, 0x07, 0x00, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00, 0x0E, // userdata 3
    0x00, 0x01, 0x12, 0x04, 0x11, 0x47, 0x02, 0x00, // request, time, set
    0xFF, 0x09, 0x00, 0x0A, 0x00, 0x19, 0x14, 0x08, 0x20, 0x11, 0x59, 0x33, 0x04, 0x04, // 2014-08-20 11:59:33.040
];

/// Its head differs, and it has no data.
pub(super) const MODE_TRANSITION: &[u8] = &[
    0x32, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x00, // userdata 0
    0x01, 0x00, 0x10, 0x10, 0x00, 0x00, 0x00, 0x00, // push, mode transition: stop
];

fn answer(group: u8, subfunction: u8, data_unit: u8, last: bool, payload: &[u8]) -> Vec<u8> {
    let length = (4 + payload.len()) as u8;
    let header = [0x32, 0x07, 0, 0, 0, 9, 0, 0x0C, 0, length, 0, 1, 0x12, 8, 0x12, 0x80 | group, subfunction, 1];
    [&header[..], &[data_unit, u8::from(!last), 0, 0, 0xFF, 0x09, 0, payload.len() as u8], payload].concat()
}

#[test]
fn a_list_of_identity_becomes_claims() {
    let mut session = session();
    let request = sound(&mut session, Direction::Forward, READ_SZL);
    assert_eq!((request.function, request.name, request.operation), (Some(0x4401), "read_szl", Operation::Discover));
    let out = feed(&mut session, Direction::Backward, &packet(true, SZL_ANSWER));
    let expected = [("vendor", "Siemens"), ("model", "6ES7 315-2EH14-0AB0"), ("firmware", "V3.2.8")];
    assert_eq!(claims(&out), expected);
    let expected =
        ("system-status-list", "module_identification", Some(17), 1, Some(0), &[][..], "6ES7 315-2EH14-0AB0; V3.2.8");
    assert_eq!(shapes(&out.messages[0]), [expected]);
}

#[test]
fn a_list_in_data_units_is_read_once_the_last_is_there() {
    let mut session = session();
    let list = &SZL_ANSWER[26..];
    let first = feed(&mut session, Direction::Backward, &packet(true, &answer(4, 1, 0xD5, false, &list[..30])));
    assert_eq!((first.claims.len(), first.messages[0].objects.len()), (0, 0));
    let last = feed(&mut session, Direction::Backward, &packet(true, &answer(4, 1, 0xD5, true, &list[30..])));
    assert_eq!(claims(&last).len(), 3);
}

#[test]
fn data_units_of_many_lists_are_held_in_bounds() {
    let mut session = session();
    for data_unit in 1..=255 {
        for _ in 0..300 {
            feed(&mut session, Direction::Backward, &packet(true, &answer(4, 1, data_unit, false, &[0xAA; 240])));
        }
    }
    let held = format!("{:?}", session.partials).matches("170").count();
    assert!(held <= 4 * 64 * 1024, "{held}");
    session.gap(Direction::Backward, &mut Output::default());
    assert_eq!(format!("{:?}", session.partials), format!("{:?}", Partials::default()));
}

#[test]
fn a_password_is_told_and_nothing_of_it() {
    let request = asked(PASSWORD);
    assert_eq!((request.name, request.operation), ("password", Operation::Authenticate));
    assert_eq!(shapes(&request), [("password", "", None, 1, None, &[][..], "")]);
}

#[test]
fn the_clock_is_told_as_a_time() {
    let request = asked(SET_CLOCK);
    assert_eq!((request.name, request.operation), ("set_clock", Operation::Time));
    assert_eq!(shapes(&request), [("clock", "", None, 1, None, &[][..], "2014-08-20 11:59:33.040")]);
}

#[test]
fn a_device_tells_that_it_stops() {
    let out = feed(&mut session(), Direction::Backward, &packet(true, MODE_TRANSITION));
    let message = &out.messages[0];
    assert_eq!((message.name, message.operation), ("mode_transition_stop", Operation::Report));
    assert_eq!((message.kind, message.pairing, message.from_client), (Kind::Unsolicited, Pairing::Alone, false));
    assert_eq!((claims(&out), out.oddities.len()), (vec![("state", "stop")], 0));
}

#[test]
fn groups_are_named_and_refusals_told() {
    let mut refused = answer(5, 1, 0, true, &[]);
    refused[20..22].copy_from_slice(&[0xD6, 0x02]);
    let message = sound(&mut session(), Direction::Backward, &refused);
    assert_eq!((message.kind, message.status, message.status_name), (Kind::Error, Some(0xD602), "wrong_password"));

    let message = sound(&mut session(), Direction::Backward, &answer(3, 1, 0, true, b"08\x00\x010A\x00\x02"));
    let expected = [("block", "ob", None, 1, None, &[1.0][..], ""), ("block", "db", None, 1, None, &[2.0], "")];
    assert_eq!(shapes(&message), expected);

    let message = sound(&mut session(), Direction::Backward, &answer(6, 0x70, 0, true, &[]));
    assert_eq!((message.function, message.name, message.operation), (Some(0x4670), "block_send", Operation::Write));
}
