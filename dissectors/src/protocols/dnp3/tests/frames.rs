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

#[test]
fn a_header_with_a_wrong_crc_is_told_and_the_next_frame_found() {
    let mut damaged = READ_CLASSES.to_vec();
    damaged[4] ^= 0x40; // destination
    let stream = [&damaged, READ_CLASSES].concat();
    let mut session = Dnp3::default();
    assert_eq!(session.frame(Direction::Forward, &stream), Framing::Message(link::HEADER));
    let out = feed(&mut session, Direction::Forward, &stream[..link::HEADER]);
    let [(0, oddity)] = &out.oddities[..] else { panic!("{:?}", out.oddities) };
    assert_eq!((oddity.code, oddity.offset), (OddityCode::BadChecksum, 8));
    assert_eq!(oddity.expected, "header CRC 0xd7c2, found 0xd1ac");
    let rest = &stream[link::HEADER..];
    assert_eq!(session.frame(Direction::Forward, rest), Framing::NotMine);
    assert_eq!(session.resync(Direction::Forward, rest), Some(damaged.len() - link::HEADER));
    // A datagram is looked through to its end.
    let out = feed(&mut Dnp3::default(), Direction::Forward, &stream);
    assert_eq!((out.messages.len(), codes_of(&out)), (1, vec![OddityCode::BadChecksum]));
    // A frame that starts within the damaged header is not lost.
    let cut = [&READ_CLASSES[..6], READ_CLASSES].concat();
    assert_eq!(session.frame(Direction::Forward, &cut), Framing::NotMine);
}

#[test]
fn each_link_function_is_a_pdu() {
    let primary =
        [(0, "reset_link_states"), (1, "reset_user_process"), (2, "test_link_states"), (9, "request_link_status")];
    let secondary = [(0, "ack"), (1, "nack"), (11, "link_status"), (14, "not_functioning"), (15, "not_supported")];
    for (function, name) in primary {
        for (answer, answer_name) in secondary {
            let mut session = Dnp3::default();
            let asked = feed(&mut session, Direction::Forward, &frame_of(0xC0 | function, OUTSTATION, MASTER, &[]));
            let answered = feed(&mut session, Direction::Backward, &frame_of(answer, MASTER, OUTSTATION, &[]));
            let (asked, answered) = (&asked.messages[0], &answered.messages[0]);
            assert_eq!((asked.name, answered.name), (name, answer_name));
            let Pairing::Opens(key) = asked.pairing else { panic!("{:?}", asked.pairing) };
            assert_eq!(answered.pairing, Pairing::Answers { key, last: true });
        }
    }
}

#[test]
fn whoever_is_reached_answers_with_its_own_address() {
    let mut session = Dnp3::default();
    let user_data = [&[ONLY], &[0xC1, 0x01, 0x3C, 0x02, 0x06][..]].concat();
    let asked = feed(&mut session, Direction::Forward, &frame_of(FROM_MASTER, 0xFFFC, MASTER, &user_data));
    let answered = feed(&mut session, Direction::Backward, &segment(ONLY, RESPONSE, false));
    assert_eq!((asked.oddities.len(), answered.oddities.len()), (0, 0));
    let Pairing::Opens(key) = asked.messages[0].pairing else { panic!("{:?}", asked.messages[0].pairing) };
    assert_eq!(answered.messages[0].pairing, Pairing::Answers { key, last: true });
    assert_eq!(answered.messages[0].source_unit, Unit::Number(OUTSTATION.into()));
    // The link layer asks in the same way.
    let asked = feed(&mut session, Direction::Forward, &frame_of(0xC9, 0xFFFC, MASTER, &[])).messages.remove(0);
    let answered = feed(&mut session, Direction::Backward, LINK_STATUS).messages.remove(0);
    let Pairing::Opens(key) = asked.pairing else { panic!("{:?}", asked.pairing) };
    assert_eq!(answered.pairing, Pairing::Answers { key, last: true });
}

#[test]
fn an_address_that_no_device_may_have_is_odd() {
    for (destination, source, place) in
        [(0xFFF0, 1, Some(4)), (0xFFFB, 1, Some(4)), (10, 0xFFFF, Some(6)), (0xFFEF, 1, None)]
    {
        let out = feed(&mut Dnp3::default(), Direction::Forward, &frame_of(0xC9, destination, source, &[]));
        let places: Vec<_> = out.oddities.iter().map(|(_, oddity)| (oddity.code, oddity.offset)).collect();
        assert_eq!(places, Vec::from_iter(place.map(|place| (OddityCode::InvalidValue, place))));
        assert_eq!(out.messages.len(), 1);
    }
}
