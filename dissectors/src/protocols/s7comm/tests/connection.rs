//! The transport connection: selectors, confirms, refusals, data in several units.

use super::*;

pub(super) const CONNECT: &[u8] = &[
    0x03, 0x00, 0x00, 0x16, 0x11, 0xE0, // connection request
    0x00, 0x00, 0x00, 0x2E, 0x00, // references, class 0
    0xC1, 0x02, 0x01, 0x00, // calling: programming device
    0xC2, 0x02, 0x03, 0x42, // called: S7 basic, rack 2, slot 2
    0xC0, 0x01, 0x09,
];

const CONFIRM: &[u8] = &[
    0x03, 0x00, 0x00, 0x16, 0x11, 0xD0, // connection confirm
    0x00, 0x2E, 0x44, 0x31, 0x00, // references
    0xC0, 0x01, 0x09, 0xC1, 0x02, 0x01, 0x00, 0xC2, 0x02, 0x03, 0x42,
];

const REFUSED: &[u8] = &[
    0x03, 0x00, 0x00, 0x0B, 0x06, 0x80, // disconnect request
    0x00, 0x2E, 0x00, 0x00, 0x03, // references, address unknown
];

#[test]
fn a_confirmed_selector_tells_the_slot() {
    let mut session = session();
    let request = feed(&mut session, Direction::Backward, CONNECT);
    let expected = [
        ("transport-selector", "calling", Some(0), 1, Some(0), &[][..], "pg rack 0 slot 0"),
        ("transport-selector", "called", Some(2), 1, Some(2), &[], "s7_basic rack 2 slot 2"),
    ];
    assert_eq!(shapes(&request.messages[0]), expected);
    assert_eq!(request.messages[0].pairing, Pairing::Opens(keys::CONNECTION | 0x2E));
    let confirm = feed(&mut session, Direction::Forward, CONFIRM);
    assert_eq!(confirm.messages[0].pairing, Pairing::Answers { key: keys::CONNECTION | 0x2E, last: true });
    assert_eq!((claims(&confirm), confirm.claims[0].1.about_sender), (vec![("slot", "rack 2 slot 2")], true));
}

#[test]
fn a_disconnect_refuses_what_was_requested_or_ends_what_there_is() {
    let mut session = session();
    feed(&mut session, Direction::Forward, CONNECT);
    let refused = feed(&mut session, Direction::Backward, REFUSED);
    let message = &refused.messages[0];
    assert_eq!((message.kind, message.status, message.status_name), (Kind::Error, Some(3), "address_unknown"));
    let ended = feed(&mut session, Direction::Backward, REFUSED);
    assert_eq!((ended.messages[0].kind, ended.messages[0].pairing), (Kind::Unconfirmed, Pairing::Alone));
}

#[test]
fn user_data_in_several_units_is_one_message() {
    let read = variables::READ;
    for cut in 1..read.len() {
        let mut session = session();
        assert!(feed(&mut session, Direction::Forward, &packet(false, &[])).messages.is_empty());
        assert!(feed(&mut session, Direction::Forward, &packet(false, &read[..cut])).messages.is_empty());
        let out = feed(&mut session, Direction::Forward, &packet(true, &read[cut..]));
        assert_eq!((out.messages.len(), out.messages[0].objects.len(), out.oddities.len()), (1, 2, 0));
        assert_eq!(out.messages[0].length as usize, 3 * 7 + read.len());
    }
}

#[test]
fn a_gap_gives_up_what_was_begun() {
    let mut session = session();
    feed(&mut session, Direction::Forward, &packet(false, &variables::READ[..24]));
    let mut out = Output::default();
    session.gap(Direction::Forward, &mut out);
    assert_eq!((out.messages[0].name, out.messages[0].complete, out.oddities.len()), ("read_var", false, 0));
}
