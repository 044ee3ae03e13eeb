//! Link frames: their CRCs, their exchanges, their directions.

use super::*;

/// Master 1 asks outstation 10 whether it is there.
pub(super) const REQUEST_LINK_STATUS: &[u8] = &[
    0x05, 0x64, // start
    0x05, // length
    0xC9, // control: DIR, PRM, request link status
    0x0A, 0x00, // destination
    0x01, 0x00, // source
    0xFE, 0xDA, // CRC
];

/// The outstation's answer to it.
pub(super) const LINK_STATUS: &[u8] = &[
    0x05, 0x64, // start
    0x05, // length
    0x0B, // control: link status
    0x01, 0x00, // destination
    0x0A, 0x00, // source
    0x6D, 0xED, // CRC
];

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
    assert_eq!((codes_of(&out), out.oddities[0].1.offset), (vec![OddityCode::BadChecksum], 44));
}

#[test]
fn a_datagram_holds_any_number_of_frames() {
    let datagram = [REQUEST_LINK_STATUS, &[0xFF, 0x05, 0x64, 0x00], READ_CLASSES].concat();
    let out = feed(&mut Dnp3::default(), Direction::Forward, &datagram);
    assert_eq!(out.messages.iter().map(|message| message.kind).collect::<Vec<_>>(), [Kind::Link, Kind::Request]);
    assert_eq!(codes_of(&out), [OddityCode::NotTheProtocol]);
}
