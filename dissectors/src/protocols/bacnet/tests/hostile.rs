//! What is deep, endless, cut, or anything at all.

use proptest::prelude::*;

use super::*;

#[test]
fn deep_nesting_ends_with_an_oddity_and_keeps_the_object() {
    let nested = [&[0x30, 0x01, 0x0C, 0x0C, 0, 0, 0, 1, 0x19, 0x55, 0x3E][..], &[0x0E; 500]].concat();
    let out = decode(&unicast(&nested));
    assert_eq!(out.oddities[0].1.code, OddityCode::UndecodedObject);
    assert_eq!(out.messages[0].objects[0].property_name, "present-value");
}

#[test]
fn objects_are_bounded() {
    let head = [0x02, 0x05, 0x0A, 0x0E, 0x0C, 0x02, 0x00, 0x01, 0xF4, 0x1E];
    let out = decode(&unicast(&[&head[..], &[0x09, 0x4D].repeat(20_000)].concat()));
    assert_eq!(out.messages[0].objects.len(), Message::MAX_OBJECTS);
    assert_eq!(out.oddities[0].1.code, OddityCode::UndecodedObject);
}

#[test]
fn every_truncation_keeps_the_header() {
    for datagram in datagrams() {
        let whole = decode(&datagram);
        for length in 1..datagram.len() {
            // Cut by the capture: nobody's fault, and the message is not complete.
            let mut out = Output::default();
            let chunk =
                Chunk { bytes: &datagram[..length], wire_length: datagram.len(), direction: Direction::Forward };
            BacnetIp::default().decode(chunk, &mut out);
            assert_eq!((out.messages.len(), out.oddities.len()), (1, 0), "{length} of {datagram:02x?}");
            assert!(!out.messages[0].complete);
            if length > 1 {
                assert_eq!(out.messages[0].link_code, whole.messages[0].link_code);
            }
            // Short on the wire: the length contradicts, and often a field is missing too.
            let out = decode(&datagram[..length]);
            assert_eq!(out.messages.len(), 1);
            assert!(!out.oddities.is_empty(), "{length} of {datagram:02x?}");
        }
    }
}

proptest! {
    #[test]
    fn random_octets_do_no_harm(octets in prop::collection::vec(any::<u8>(), 0..200), on_port: bool) {
        probe(&octets, if on_port { ON_PORT } else { OFF_PORT }, false);
        let mut session = BacnetIp::default();
        prop_assert_eq!(session.frame(Direction::Forward, &octets), Framing::NotMine);
        prop_assert_eq!(session.resync(Direction::Forward, &octets), None);
        for head in [&[][..], &[0x81, 0x0A, 0, 0, 1, 0], &[0x81, 0x0A, 0, 0, 1, 0, 0x30, 1, 14], &[0x81, 0x04], &[0x82, 8]] {
            decode_with(&mut session, Direction::Forward, &[head, &octets].concat());
        }
        session.gap(Direction::Forward, &mut Output::default());
    }

    #[test]
    fn random_octets_are_refused_off_the_port(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let datagram = bvlc(ORIGINAL_UNICAST_NPDU, &[&octets]);
        // Even with the right BVLC, the APDU must decode to its end.
        let refused = !is_yes(probe(&datagram, OFF_PORT, false));
        prop_assert!(refused || decode(&datagram).oddities.is_empty());
    }

    #[test]
    fn every_service_takes_any_octets(choice in 0..40u8, octets in prop::collection::vec(any::<u8>(), 0..100), which in 0..4usize) {
        let head: &[u8] = match which {
            0 => &[0x00, 0x05, 0x01, choice],
            1 => &[0x10, choice],
            2 => &[0x30, 0x01, choice],
            _ => &[0x50, 0x01, choice],
        };
        let out = decode(&unicast(&[head, &octets].concat()));
        prop_assert_eq!(out.messages.len(), 1);
        prop_assert_eq!(out.messages[0].function, Some(u16::from(choice)));
    }

    #[test]
    fn mutated_vectors_do_no_harm(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut datagram = which.get(&datagrams()).clone();
        for (at, octet) in changes {
            let at = at.index(datagram.len());
            datagram[at] = octet;
        }
        probe(&datagram, ON_PORT, false);
        probe(&datagram, OFF_PORT, true);
        let out = decode(&datagram);
        prop_assert_eq!(out.messages.len(), usize::from(matches!(datagram[0], 0x81 | 0x82)));
        for message in &out.messages {
            for object in &message.objects {
                prop_assert!(object.values.end as usize <= message.values.len());
                prop_assert!(message.text.get(object.text.start as usize..object.text.end as usize).is_some());
            }
        }
    }
}
