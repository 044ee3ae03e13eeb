//! What is unknown, does not fit, is cut, or is anything at all.

use proptest::prelude::*;

use super::*;

#[test]
fn unknown_codes_are_kept() {
    let cases: &[(&[u8], Option<u16>)] = &[
        (&[0x32, 0x01, 0, 0, 0, 1, 0, 2, 0, 0, 0x77, 0x01], Some(0x77)),
        (&[0x32, 0x07, 0, 0, 0, 1, 0, 8, 0, 0, 0, 1, 0x12, 4, 0x11, 0x4A, 0x63, 0], Some(0x4A63)),
        (&[0x72, 0x01, 0, 14, 0x31, 0, 0, 0x7F, 0xFF, 0, 0, 0, 1, 0, 0, 0, 1, 0x36, 0x72, 1, 0, 0], Some(0x7FFF)),
    ];
    for (data, function) in cases {
        let message = asked(data);
        assert_eq!((message.function, message.name, message.operation), (*function, "", Operation::Unknown));
        assert!(matches!(message.pairing, Pairing::Opens(_)));
    }
}

#[test]
fn what_does_not_fit_is_told_with_its_place() {
    let longer = [variables::READ, &[0]].concat();
    let cases: &[(&[u8], OddityCode, u32)] = &[
        (&[0x32, 0x05, 0, 0, 0, 1, 0, 0, 0, 0], OddityCode::InvalidValue, 1), // no such ROSCTR
        (&variables::READ[..20], OddityCode::BadLength, 6),
        (&longer, OddityCode::TrailingOctets, 6),
        (&[0x32, 0x01, 0, 0, 0, 1], OddityCode::Truncated, 6), // no lengths
        (&[0x32, 0x01, 0, 0, 0, 1, 0, 2, 0, 0, 0x04, 0x01], OddityCode::Truncated, 12), // an item that is not there
        (&[0x32, 0x01, 0, 0, 0, 1, 0, 4, 0, 0, 0x28, 0, 0, 0], OddityCode::Truncated, 11), // no service
        (&[0x32, 0x01, 0, 0, 0, 1, 0, 6, 0, 0, 0x04, 0x01, 0x12, 0x02, 0x10, 0x02], OddityCode::BadLength, 16), // a short address
        (&[0x72, 0x01, 0, 1, 0x44, 0x72, 1, 0, 0], OddityCode::InvalidValue, 4), // no such opcode
    ];
    for (data, code, offset) in cases {
        let out = feed(&mut session(), Direction::Forward, &packet(true, data));
        let (_, oddity) = &out.oddities[0];
        assert_eq!((oddity.code, oddity.offset, out.messages.len()), (*code, *offset, 1), "{data:x?} {oddity:?}");
    }
    let out = feed(&mut session(), Direction::Forward, &[0x03, 0x00, 0x00, 0x07, 0x09, 0xF0, 0x80]);
    assert_eq!((out.oddities[0].1.code, out.oddities[0].1.layer), (OddityCode::BadLength, "cotp"));
}

#[test]
fn every_truncation_of_every_message_is_survived() {
    for (direction, data) in MESSAGES {
        let whole = packet(true, data);
        for length in 0..whole.len() {
            // The capture cut it: nothing is odd about that, and the header stays.
            let mut out = Output::default();
            let chunk = Chunk { bytes: &whole[..length], wire_length: whole.len(), direction: *direction };
            session().decode(chunk, &mut out);
            assert_eq!(out.oddities, [], "{length} of {whole:x?}");
            assert!(out.messages.iter().all(|message| !message.complete));
            assert_eq!(out.messages.len(), usize::from(length > 7), "{length} of {whole:x?}");
            assert!(out.claims.is_empty(), "a cut value would be stated wrongly");
            // The sender sent no more.
            feed(&mut session(), *direction, &packet(true, &data[..length.min(data.len())]));
        }
    }
}

#[test]
fn requests_that_are_never_answered_are_held_in_bounds() {
    let mut session = session();
    let mut read = variables::READ.to_vec();
    for reference in 0..1_000_u16 {
        read[4..6].copy_from_slice(&reference.to_be_bytes());
        feed(&mut session, Direction::Forward, &packet(true, &read));
    }
    assert!(format!("{:?}", session.asked).matches("db7").count() <= 32);
}

/// Everything a session is asked, on any octets; what comes out stays within its bounds.
fn survive(octets: &[u8], wire_length: usize) {
    let mut session = session();
    let mut out = Output::default();
    recognised(octets, octets);
    for direction in [Direction::Forward, Direction::Backward, Direction::Forward] {
        assert_ne!(session.frame(direction, octets), Framing::Message(0));
        if let Some(at) = session.resync(direction, octets) {
            assert!(matches!(session.frame(direction, &octets[at..]), Framing::Message(_)));
        }
        session.decode(Chunk { bytes: octets, wire_length, direction }, &mut out);
    }
    session.gap(Direction::Forward, &mut out);
    for message in &out.messages {
        assert!(message.objects.len() <= Message::MAX_OBJECTS);
        for object in &message.objects {
            assert!(object.values.end as usize <= message.values.len());
            assert!(message.text.get(object.text.start as usize..object.text.end as usize).is_some());
        }
    }
}

proptest! {
    #[test]
    fn any_octets_are_survived(octets in prop::collection::vec(any::<u8>(), 0..300), more in 0_usize..20) {
        survive(&octets, octets.len() + more);
    }

    /// Sections of any sort behind a good header.
    #[test]
    fn any_sections_are_survived(
        rosctr in prop::sample::select(vec![1_u8, 2, 3, 7]),
        first in prop::sample::select(vec![0_u8, 4, 5, 0x1A, 0x1B, 0x1D, 0x1E, 0x28, 0x29, 0xF0]),
        parameters in prop::collection::vec(prop_oneof![Just(0_u8), Just(0x12), any::<u8>()], 0..60),
        data in prop::collection::vec(prop_oneof![Just(0_u8), Just(0xFF), any::<u8>()], 0..60),
    ) {
        let mut pdu = vec![0x32, rosctr, 0, 0, 0, 1, 0, 1 + parameters.len() as u8, 0, data.len() as u8];
        if matches!(rosctr, 2 | 3) {
            pdu.extend([0, 0]);
        }
        pdu.push(first);
        pdu.extend(&parameters);
        pdu.extend(&data);
        let packet = packet(true, &pdu);
        survive(&packet, packet.len());
    }

    #[test]
    fn mutated_vectors_are_survived(
        which in prop::sample::select(MESSAGES.to_vec()),
        place in any::<prop::sample::Index>(),
        octet in any::<u8>(),
    ) {
        let mut packet = packet(true, which.1);
        let place = place.index(packet.len());
        packet[place] = octet;
        survive(&packet, packet.len());
    }

    /// Data units of any size give the same message.
    #[test]
    fn any_segmentation_gives_the_same_message(
        which in prop::sample::select(MESSAGES.to_vec()),
        size in 1_usize..40,
    ) {
        let (direction, data) = which;
        let one = feed(&mut session(), direction, &packet(true, data)).messages[0].clone();
        let mut session = session();
        let mut parts = data.chunks(size).peekable();
        let mut last = None;
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            last = feed(&mut session, direction, &packet(is_last, part)).messages.pop();
        }
        let parts = last.unwrap();
        prop_assert_eq!((parts.name, parts.operation, &parts.objects, parts.pairing), (one.name, one.operation, &one.objects, one.pairing));
    }
}
