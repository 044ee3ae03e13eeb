//! What is unknown, does not fit, is cut, or is anything at all.

use proptest::prelude::*;

use super::*;

#[test]
fn an_unknown_function_and_an_unknown_object_are_kept() {
    let out = feed_fragment(&mut Dnp3::default(), &[0xC1, 0x70, 0x01, 0x02, 0x06]);
    assert_eq!((out.messages[0].function, out.messages[0].name), (Some(0x70), ""));
    assert_eq!(out.messages[0].operation, Operation::Unknown);
    assert_eq!(codes_of(&out), [OddityCode::UndecodedObject]);

    let unknown = [&RESPONSE[..11], &[0xC8, 0x05, 0x00, 0x02, 0x03, 0xAA, 0xBB]].concat();
    let out = feed_fragment(&mut Dnp3::default(), &unknown);
    assert_eq!(shapes(&out.messages[0])[1], ("group", 200, 5, Some(2), 2, &[][..], ""));
    assert_eq!(codes_of(&out), [OddityCode::UndecodedObject]);
    assert_eq!((out.oddities[0].0, out.oddities[0].1.offset), (1, 11));
}

#[test]
fn what_does_not_fit_leaves_what_came_before() {
    let cases: &[(&[u8], OddityCode, usize)] = &[
        (&[0x01, 0x02, 0x70], OddityCode::UndecodedObject, 1), // prefix code 7
        (&[0x01, 0x02, 0x0A], OddityCode::UndecodedObject, 1), // range specifier A
        (&[0x01, 0x02], OddityCode::BadLength, 1),             // no qualifier
        (&[0x01, 0x02, 0x00, 0x05], OddityCode::BadLength, 1), // no stop
        (&[0x01, 0x02, 0x00, 0x05, 0x04], OddityCode::InvalidValue, 1), // stop below start
        (&[0x01, 0x02, 0x00, 0x05, 0x07, 0x81], OddityCode::BadLength, 1), // one of three points
        (&[0x01, 0x01, 0x02, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], OddityCode::BadLength, 1), // 2^32 points
        (&[0x1E, 0x01, 0x39, 0xFF, 0xFF, 0xFF, 0xFF], OddityCode::BadLength, 1), // 2^32 points with indices
        (&[0x46, 0x05, 0x5B, 0x01, 0x10, 0x00, 0x01], OddityCode::BadLength, 1), // 1 of 16 octets
        (&[0x01], OddityCode::BadLength, 0),
    ];
    for (objects, code, more) in cases {
        let fragment = [&RESPONSE[..11], objects].concat();
        let out = feed_fragment(&mut Dnp3::default(), &fragment);
        let message = &out.messages[0];
        assert_eq!(codes_of(&out), [*code], "{objects:x?}");
        assert_eq!(message.objects.len(), 1 + more, "{objects:x?}");
        assert_eq!((message.complete, message.values[0]), (true, 1.0), "{objects:x?}");
    }
}

#[test]
fn bit_7_of_the_qualifier_is_odd_and_no_more() {
    let out = feed_fragment(&mut Dnp3::default(), &[0xC1, 0x01, 0x3C, 0x02, 0x86]);
    assert_eq!(codes_of(&out), [OddityCode::InvalidValue]);
    assert_eq!(out.messages[0].objects.len(), 1);
}

#[test]
fn every_truncation_keeps_the_header() {
    for fragment in FRAGMENTS {
        let from_master = is_masters(fragment);
        let frame = segment(ONLY, fragment, from_master);
        for length in 0..frame.len() {
            let mut session = Dnp3::default();
            let framing = session.frame(way(from_master), &frame[..length]);
            match length {
                ..link::HEADER => assert_eq!(framing, Framing::NeedMore),
                _ => assert_eq!(framing, Framing::Message(frame.len())),
            }
            // The capture cut it.
            let mut out = Output::default();
            let chunk = Chunk { bytes: &frame[..length], wire_length: frame.len(), direction: way(from_master) };
            session.decode(chunk, &mut out);
            assert_eq!(out.oddities, [], "{length} of {frame:x?}");
            match out.messages.as_slice() {
                [] => assert!(length < link::HEADER, "{length} of {frame:x?}"),
                [message] => {
                    assert!(!message.complete);
                    let kept = length >= link::HEADER + 3;
                    assert_eq!(message.function == Some(fragment[1].into()), kept, "{length} of {frame:x?}");
                }
                more => panic!("{more:?}"),
            }
        }
        // The fragment itself is short, as its sender made it.
        for length in 0..fragment.len() {
            let user_data = [&[ONLY], &fragment[..length]].concat();
            let frame = frame_of(if from_master { FROM_MASTER } else { FROM_OUTSTATION }, 10, 1, &user_data);
            let out = feed(&mut Dnp3::default(), way(from_master), &frame);
            assert_eq!(out.messages.len(), 1);
            assert!(out.messages[0].complete);
            assert_eq!(out.messages[0].kind == Kind::Link, length < 2);
        }
    }
}

#[test]
fn what_is_held_is_bounded() {
    let mut session = Dnp3::default();
    let filler = [0xAA; 249];
    for source in 0..400_u16 {
        let mut sequence = 0;
        let mut send = |flags: u8, octets: &[u8]| {
            let frame = frame_of(FROM_OUTSTATION, MASTER, source, &[&[flags | sequence], octets].concat());
            sequence = (sequence + 1) & 0x3F;
            feed(&mut session, Direction::Backward, &frame);
        };
        send(0x40, RESPONSE);
        (0..270).for_each(|_| send(0, &filler));
    }
    let held: usize = session.associations.iter().map(Association::held).sum();
    assert!(session.associations.len() <= MAX_ASSOCIATIONS && held <= MAX_HELD + 2 * MAX_FRAGMENT);
}

#[test]
fn a_message_of_countless_objects_is_cut_short() {
    let headers = [0x01, 0x00, 0x06].repeat(Message::MAX_OBJECTS + 100);
    let out = feed_long(&[&[0xC1, 0x01], &headers[..]].concat());
    assert_eq!(out.messages[0].objects.len(), Message::MAX_OBJECTS);
    assert_eq!(codes_of(&out), [OddityCode::UndecodedObject]);
    // Points whose flags differ from those before are objects of their own.
    let points = [0x81, 0x85].repeat(Message::MAX_OBJECTS);
    let header = [0x01, 0x02, 0x08, 0x00, 0x20]; // binary input with flags, 8192 of them
    let out = feed_long(&[&[0xC1, 0x81, 0x00, 0x00], &header[..], &points].concat());
    assert_eq!(out.messages[0].objects.len(), Message::MAX_OBJECTS);
}

/// Decodes a fragment of many segments.
fn feed_long(fragment: &[u8]) -> Output {
    let mut session = Dnp3::default();
    let mut out = Output::default();
    let segments: Vec<_> = fragment.chunks(249).collect();
    let from_master = is_masters(fragment);
    for (place, octets) in segments.iter().enumerate() {
        let first = if place == 0 { 0x40 } else { 0 };
        let last = if place + 1 == segments.len() { 0x80 } else { 0 };
        let frame = segment(first | last | place as u8 & 0x3F, octets, from_master);
        out = feed(&mut session, way(from_master), &frame);
    }
    out
}

/// Everything a session is asked, on any octets; what comes out stays within its bounds.
pub(super) fn survive(octets: &[u8], wire_length: usize) {
    let mut session = Dnp3::default();
    let mut out = Output::default();
    recognised(octets, octets);
    for direction in [Direction::Forward, Direction::Backward, Direction::Forward] {
        if let Framing::Message(length) = session.frame(direction, octets) {
            assert!((link::HEADER..=292).contains(&length));
        }
        if let Some(at) = session.resync(direction, octets) {
            assert!(at < octets.len());
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

    /// Application octets of any sort, in good frames.
    #[test]
    fn any_fragment_is_survived(
        transport in any::<u8>(),
        fragment in prop::collection::vec(any::<u8>(), 0..240),
        from_master in any::<bool>(),
    ) {
        let frame = segment(transport, &fragment, from_master);
        survive(&[&frame[..], &frame].concat(), frame.len() * 2);
    }

    /// Object headers of any group, with each function that carries points.
    #[test]
    fn any_object_header_is_survived(
        function in prop::sample::select(vec![1_u8, 2, 5, 11, 22, 25, 32, 129, 130, 131]),
        group in any::<u8>(),
        variation in 0_u8..20,
        qualifier in any::<u8>(),
        rest in prop::collection::vec(prop_oneof![Just(0_u8), Just(1), any::<u8>()], 0..100),
    ) {
        let fragment = [&[0xC0, function, 0, 0][..if function > 128 { 4 } else { 2 }], &[group, variation, qualifier], &rest].concat();
        survive(&segment(ONLY, &fragment, is_masters(&fragment)), 400);
    }

    #[test]
    fn mutated_vectors_are_survived(
        which in prop::sample::select(FRAGMENTS.to_vec()),
        place in any::<prop::sample::Index>(),
        octet in any::<u8>(),
        in_frame in any::<bool>(),
    ) {
        let mut fragment = which.to_vec();
        let place_in_fragment = place.index(fragment.len());
        if !in_frame {
            fragment[place_in_fragment] = octet;
        }
        let mut frame = segment(ONLY, &fragment, is_masters(which));
        if in_frame {
            let place = place.index(frame.len());
            frame[place] = octet;
        }
        survive(&frame, frame.len());
    }
}
