//! Messages that are cut, short, or anything at all.

use proptest::prelude::*;

use super::recognition::probe;
use super::*;

#[test]
fn a_cut_message_keeps_its_header() {
    for (vectors, direction) in [(REQUESTS, TO_SERVER), (RESPONSES, TO_CLIENT)] {
        for vector in vectors {
            for end in 0..vector.len() {
                let mut out = Output::default();
                let cut = Chunk { bytes: &vector[..end], wire_length: vector.len(), direction };
                session().decode(cut, &mut out);
                assert!(out.oddities.is_empty(), "the capture's fault is no oddity: {:?}", out.oddities);
                assert!(out.claims.iter().all(|(_, claim)| !claim.value.is_empty()));
                if end < 7 {
                    assert!(out.messages.is_empty());
                    continue;
                }
                let message = &out.messages[0];
                assert!(!message.complete && message.length as usize == vector.len());
                assert_eq!(message.function.is_some(), end > 7);
                if direction == TO_SERVER && end >= 10 && (1..=6).contains(&vector[7]) {
                    let address = u32::from(vector[8]) << 8 | u32::from(vector[9]);
                    assert_eq!(message.objects[0].start, Some(address));
                }
            }
        }
    }
}

#[test]
fn a_message_shorter_than_its_fields_is_listed_with_an_oddity() {
    for (vectors, direction) in [(REQUESTS, TO_SERVER), (RESPONSES, TO_CLIENT)] {
        // Those whose data may have any length are left out.
        for vector in vectors.iter().filter(|vector| !matches!(vector[7], 0x00 | 0x5A) && **vector != CANOPEN) {
            for end in 8..vector.len() {
                let mut short = vector[..end].to_vec();
                short[5] = (end - 6) as u8;
                let out = decoded(&short, direction);
                assert_eq!(out.messages.len(), 1);
                assert!(oddities(&out).contains(&OddityCode::Truncated), "{short:02x?}");
            }
        }
    }
}

/// A vector, some of whose octets are others, or octets of any kind.
pub(super) fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let vectors: Vec<Vec<u8>> =
        REQUESTS.iter().chain(RESPONSES).flat_map(|vector| [vector.to_vec(), as_rtu(vector)]).collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let changed = (prop::sample::select(vectors), changes, 1usize..4).prop_map(|(vector, changes, times)| {
        let mut octets = vector.repeat(times);
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        octets
    });
    prop_oneof![changed, prop::collection::vec(any::<u8>(), 0..600)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_octets_break_anything(
        first in hostile(), second in hostile(), cut in 0usize..300, forward: bool, standard: bool, rtu: bool
    ) {
        let ports = [50001, if standard { 502 } else { 9999 }];
        let _ = (probe_stream(&probe(&first, &second, ports)), probe_datagram(&probe(&first, &second, ports)));
        let direction = if forward { TO_SERVER } else { TO_CLIENT };
        let sides = Sides::new(TO_SERVER);
        let mut session: Box<dyn Session> =
            if rtu { Box::new(RtuSession::new(sides)) } else { Box::new(MbapSession::new(sides)) };
        let mut out = Output::default();
        for octets in [&first, &second, &first] {
            let mut rest = octets.as_slice();
            while let Framing::Message(octets) = session.frame(direction, rest) {
                prop_assert!(octets > 0);
                let taken = octets.min(rest.len());
                session.decode(Chunk { bytes: &rest[..taken], wire_length: octets, direction }, &mut out);
                rest = &rest[taken..];
                if rest.is_empty() { break }
            }
            if let Some(start) = session.resync(direction, rest) {
                prop_assert!(start < rest.len());
                prop_assert_ne!(session.frame(direction, &rest[start..]), Framing::NotMine);
            }
            let wire_length = octets.len() + cut;
            session.decode(Chunk { bytes: octets, wire_length, direction: direction.opposite() }, &mut out);
            session.gap(direction, &mut out);
        }
        for message in &out.messages {
            prop_assert!(message.values.len() <= 2048 && message.text.len() <= 16384);
            for object in &message.objects {
                prop_assert!(object.values.end as usize <= message.values.len());
                prop_assert!(message.text.get(object.text.start as usize..object.text.end as usize).is_some());
            }
        }
        prop_assert!(out.oddities.iter().all(|(before, _)| *before <= out.messages.len()));
    }
}
