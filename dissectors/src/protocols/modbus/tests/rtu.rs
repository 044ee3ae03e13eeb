//! RTU frames carried over TCP and UDP.

use super::*;

#[test]
fn the_crc_is_that_of_the_serial_line_standard() {
    // Serial Line V1.02, 6.2.2: unit 2, function 7 gives 0x1241, low octet first.
    assert_eq!(with_crc(&[0x02, 0x07]), [0x02, 0x07, 0x41, 0x12]);
}

#[test]
fn rtu_frames_follow_each_other_without_a_length() {
    let mut session = RtuSession::new(Sides::new(TO_SERVER));
    let requests = [as_rtu(READ_THREE_REGISTERS), as_rtu(WRITE_TWO_REGISTERS)].concat();
    assert_eq!(session.frame(TO_SERVER, &requests), Framing::Message(8));
    assert_eq!(session.frame(TO_SERVER, &requests[8..]), Framing::Message(13));
    let mut out = Output::default();
    session.decode(whole(&requests, TO_SERVER), &mut out);
    assert_eq!(out.messages.len(), 2);
    assert_eq!((out.messages[0].transaction, request_key(out.messages[0].pairing)), (None, 0x11 << 8 | 3));
    let response = as_rtu(THREE_REGISTERS);
    let exchange = [(&requests[..8], TO_SERVER), (&response, TO_CLIENT)];
    let out = last_of(&mut session, &exchange);
    assert_eq!(objects(&out.messages[0]), [("holding-register", Some(107), 3, &[555.0, 0.0, 100.0][..])]);
    assert!(out.oddities.is_empty());
}

#[test]
fn every_vector_is_an_rtu_frame_as_well() {
    for (vectors, direction) in [(REQUESTS, TO_SERVER), (RESPONSES, TO_CLIENT)] {
        for vector in vectors {
            let frame = as_rtu(vector);
            let mut session = RtuSession::new(Sides::new(TO_SERVER));
            let out = last_of(&mut session, &[(&frame, direction)]);
            assert_eq!(out.messages.len(), 1, "{vector:02x?}");
            assert!(!oddities(&out).contains(&OddityCode::BadChecksum));
            assert_eq!(session.frame(direction, &frame), Framing::Message(frame.len()));
            for end in 0..frame.len() {
                let mut out = Output::default();
                let cut = Chunk { bytes: &frame[..end], wire_length: frame.len(), direction };
                session.decode(cut, &mut out);
                assert_eq!(out.messages.len(), usize::from(end > 0));
                assert!(out.messages.iter().all(|message| !message.complete));
                assert_eq!(out.messages.iter().any(|message| message.function.is_some()), end > 1);
            }
        }
    }
}

#[test]
fn a_damaged_rtu_frame_is_listed_and_a_broadcast_awaits_nothing() {
    let mut session = RtuSession::new(Sides::new(TO_SERVER));
    let mut damaged = as_rtu(WRITE_REGISTER_1);
    assert!(last_of(&mut session, &[(&damaged, TO_SERVER)]).oddities.is_empty());
    damaged[5] ^= 0x40;
    assert_eq!(session.frame(TO_SERVER, &damaged), Framing::Message(8));
    let out = last_of(&mut session, &[(&damaged, TO_SERVER)]);
    assert_eq!((out.messages.len(), oddities(&out)), (1, vec![OddityCode::BadChecksum]));
    let broadcast = with_crc(&[0x00, 0x06, 0x00, 0x01, 0x00, 0x03]);
    let out = last_of(&mut session, &[(&broadcast, TO_SERVER)]);
    assert_eq!((out.messages[0].kind, out.messages[0].pairing), (Kind::Unconfirmed, Pairing::Alone));
    let dirty = [&[0x03, 0x00, 0x2B][..], &broadcast].concat();
    assert_eq!(session.resync(TO_SERVER, &dirty), Some(3));
}

#[test]
fn a_frame_comes_again_as_it_was() {
    let [request, damaged] = [with_crc(&[1, 3, 0, 107, 0, 2]), vec![1, 3, 0, 107, 0, 2, 0, 0]];
    let response = with_crc(&[1, 3, 4, 0, 7, 0, 9]);
    let mut session = RtuSession::new(Sides::new(TO_SERVER));
    last_of(&mut session, &[(&request, TO_SERVER), (&response, TO_CLIENT)]);
    assert!(!session.is_idle(), "one exchange shows the sides, and may be by chance");
    let idle = [(&request, TO_SERVER, false), (&response, TO_CLIENT, true), (&request, TO_SERVER, false)];
    for (frame, direction, idle) in idle {
        last_of(&mut session, &[(frame, direction)]);
        assert_eq!(session.is_idle(), idle);
    }
    let found = |frame: &[u8], direction| session.variable(direction, frame).map(|found| (found.number, found.values));
    assert_eq!(found(&request, TO_SERVER), Some((0..0, 8..8)));
    assert_eq!(found(&response, TO_CLIENT), Some((0..0, 9..9)));
    assert_eq!(found(&damaged, TO_SERVER), None);
    assert_eq!(found(&[&request[..], &request].concat(), TO_SERVER), None, "two frames");
}

#[test]
fn after_a_loss_both_ways_have_to_be_in_step_again() {
    let (request, response) = (with_crc(&[1, 3, 0, 107, 0, 1]), with_crc(&[1, 3, 2, 0, 7]));
    let mut session = RtuSession::new(Sides::new(TO_SERVER));
    for _ in 0..2 {
        last_of(&mut session, &[(&request, TO_SERVER), (&response, TO_CLIENT)]);
    }
    assert!(session.is_idle());
    session.gap(TO_CLIENT, &mut Output::default());
    assert!(!session.is_idle());
    last_of(&mut session, &[(&request, TO_SERVER), (&response, TO_CLIENT)]);
    assert!(session.is_idle());
}
