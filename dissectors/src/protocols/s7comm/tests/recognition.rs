//! What is S7 communication, and what only has the same transport.

use super::*;

fn word(recognition: &Recognition) -> &'static str {
    match recognition {
        Recognition::No => "no",
        Recognition::Undecided => "undecided",
        Recognition::Yes(_) => "yes",
    }
}

#[test]
fn the_user_data_decide() {
    let rdp =
        b"\x03\x00\x00\x2b\x26\xe0\x00\x00\x00\x00\x00Cookie: mstshash=vendor\r\n\x01\x00\x08\x00\x03\x00\x00\x00";
    let rdp_data = packet(true, &[0x7F, 0x65, 0x82, 0x01, 0x94]);
    let mms = packet(true, &[0x0D, 0xC0, 0x05, 0x06, 0x13, 0x01, 0x00]);
    let mms_data = packet(true, &[0x01, 0x00, 0x01, 0x00, 0x61, 0x10]);
    let read = packet(true, variables::READ);
    let longer = packet(true, &[variables::READ, &[0]].concat());
    let after_connect = [connection::CONNECT, &read].concat();
    let mms_after_connect = [connection::CONNECT, &mms].concat();
    let after_empty = [packet(false, &[]), read.clone()].concat();
    let cases: &[(&[u8], &str)] = &[
        (&read, "yes"),
        (&after_connect, "yes"),
        (&after_empty, "yes"),
        (&packet(false, &variables::READ[..12]), "yes"),
        (&packet(true, plus::CREATE), "yes"),
        (&packet(true, userdata::MODE_TRANSITION), "yes"),
        (connection::CONNECT, "undecided"),
        (&[], "no"),
        (rdp, "no"),
        (&rdp_data, "no"),
        (&mms, "no"),
        (&mms_data, "no"),
        (&mms_after_connect, "no"),
        (&longer, "no"),
        (&packet(true, &[0x32, 0x05, 0, 0, 0, 0, 0, 0, 0, 0]), "no"),
        (&packet(true, &[0x72, 0x01, 0x00, 0x01, 0x99, 0x72, 0x01, 0, 0]), "no"),
        (b"\x03\x00", "undecided"),
        (b"\x16\x03\x01", "no"),
    ];
    for (octets, expected) in cases {
        assert_eq!(word(&recognised(octets, &[])), *expected, "{octets:x?}");
        assert_eq!(word(&recognised(&[], octets)), *expected, "{octets:x?}");
    }
}

#[test]
fn a_start_inside_a_stream_is_found() {
    let read = packet(true, variables::READ);
    let inside = [&read[9..], &packet(true, &[0x0D]), &read].concat();
    let found = session().resync(Direction::Forward, &inside);
    assert_eq!(found, Some(inside.len() - read.len()));
}
