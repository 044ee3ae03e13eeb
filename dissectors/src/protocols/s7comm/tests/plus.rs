//! S7comm-plus: named, paired, joined, and its identity.

use super::*;

pub(super) const CREATE: &[u8] = &[
    0x72, 0x01, 0x00, 0x12, // version 1, 18 octets
    0x31, 0x00, 0x00, 0x04, 0xCA, 0x00, 0x00, 0x00, 0x01, // request, create object, sequence number 1
    0x00, 0x00, 0x01, 0x20, 0x36, // no session yet, transport flags
    0x00, 0x00, 0x01, 0x1D, // content
    0x72, 0x01, 0x00, 0x00,
];

pub(super) const CREATED: &[u8] = &[
    0x72, 0x01, 0x00, 0x28, // version 1, 40 octets
    0x32, 0x00, 0x00, 0x04, 0xCA, 0x00, 0x00, 0x00, 0x01, // response
    0x36, 0x00, 0x15, 0x1B, // transport flags, content: a string of 27 octets
    b'1', b';', b'6', b'E', b'S', b'7', b' ', b'2', b'1', b'4', b'-', b'1', b'H', b'E', b'3', b'0', b'-', b'0', b'X',
    b'B', b'0', b' ', b';', b'V', b'2', b'.', b'2', //
    0x72, 0x01, 0x00, 0x00,
];

#[test]
fn a_session_is_set_up_and_the_device_names_itself() {
    let mut session = session();
    let request = sound(&mut session, Direction::Forward, CREATE);
    assert_eq!((request.function, request.name, request.operation), (Some(0x4CA), "create_object", Operation::Session));
    assert_eq!(request.pairing, Pairing::Opens(keys::PLUS | 1));
    let out = feed(&mut session, Direction::Backward, &packet(true, CREATED));
    assert_eq!(out.messages[0].pairing, Pairing::Answers { key: keys::PLUS | 1, last: true });
    assert_eq!(claims(&out), [("vendor", "Siemens"), ("model", "6ES7 214-1HE30-0XB0"), ("firmware", "V2.2")]);
}

#[test]
fn parts_without_a_trailer_are_joined() {
    let mut session = session();
    let first = [&[0x72, 0x01, 0x00, 0x0E], &CREATED[4..18]].concat();
    assert!(feed(&mut session, Direction::Backward, &packet(true, &first)).messages.is_empty());
    let second = [&[0x72, 0x01, 0x00, 0x1A], &CREATED[18..]].concat();
    let out = feed(&mut session, Direction::Backward, &packet(true, &second));
    assert_eq!((out.messages.len(), claims(&out).len()), (1, 3));
    assert_eq!(out.messages[0].length as usize, 14 + first.len() + second.len());
}

#[test]
fn a_connection_with_nothing_else_is_told_by_its_name() {
    let mut session = session();
    let services = [(CREATE, "s7comm-plus"), (variables::READ, "s7comm"), (CREATE, "s7comm")].map(|(data, service)| {
        feed(&mut session, Direction::Forward, &packet(true, data));
        (session.service(), service)
    });
    services.into_iter().for_each(|(service, expected)| assert_eq!(service, expected));
    assert_eq!(super::session().service(), "s7comm");
}

#[test]
fn a_digest_is_skipped_and_other_kinds_are_named() {
    let digest = [&[0x72, 0x03, 0x00, 0x33, 0x20], &[0xAA; 32][..], &CREATE[4..22], &[0x72, 0x03, 0, 0]].concat();
    assert_eq!(asked(&digest).name, "create_object");
    let out = feed(&mut session(), Direction::Backward, &packet(true, &[0x72, 0xFF, 0x00, 0x02, 0x00, 0x00]));
    assert_eq!((out.messages[0].name, out.messages[0].kind), ("keep_alive", Kind::Link));
    let notification = [0x72, 0x02, 0x00, 0x03, 0x33, 0x00, 0x00, 0x72, 0x02, 0x00, 0x00];
    let message = sound(&mut session(), Direction::Backward, &notification);
    assert_eq!((message.kind, message.operation), (Kind::Unsolicited, Operation::Report));
}

#[test]
fn what_is_encrypted_is_told_apart_from_what_is_odd() {
    let message = asked(&[0x17, 0x03, 0x03, 0x00, 0x20]);
    assert_eq!((message.name, message.pairing), ("tls", Pairing::None));
    let out = feed(&mut session(), Direction::Forward, &packet(true, &[0x0D, 0xC0]));
    assert_eq!(out.oddities[0].1.code, OddityCode::NotTheProtocol);
}

#[test]
fn a_client_that_goes_on_being_told_writes_nothing_to_the_process() {
    let set = |identifier: [u8; 2]| {
        let head =
            [0x72, 0x02, 0x00, 0x16, 0x31, 0, 0, 0x04, 0xF2, 0, 0, 0, 5, 0, 0, 3, 0xC8, 0x74, 0x10, 0, 0, 0x6A, 1];
        [&head[..], &identifier, &[0x00, 0x72, 0x02, 0x00, 0x00]].concat()
    };
    let cases =
        [([0x88, 0x1D], Operation::Subscribe), ([0x90, 0x77], Operation::Mode), ([0x90, 0x01], Operation::Write)];
    for (identifier, operation) in cases {
        assert_eq!(asked(&set(identifier)).operation, operation);
    }
    let short = [0x72, 0x02, 0x00, 0x0A, 0x02, 0, 0, 0x04, 0xF2, 0, 0, 0, 5, 0x74, 0x72, 0x02, 0x00, 0x00];
    let answer = sound(&mut session(), Direction::Backward, &short);
    assert_eq!(answer.pairing, Pairing::Answers { key: keys::PLUS | 5, last: true });
}
