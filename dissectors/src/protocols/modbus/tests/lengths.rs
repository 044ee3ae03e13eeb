//! Lengths that are wrong: one costs the message that it stands in, and not those behind it.

use proptest::prelude::*;

use super::*;
use crate::net::tcp::{Piece, Stamp};
use crate::stream::Assembly;

/// A function that no standard defines, with four octets of data.
const FUNCTION_100: &[u8] = &[
    0x00, 0x30, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x11, // unit identifier
    0x64, // function
    0xDE, 0xAD, 0xBE, 0xEF, // data
];

/// A vector of another transaction, unit and length.
fn changed(vector: &[u8], transaction: u16, unit: u8, length: Option<u16>) -> Vec<u8> {
    let mut octets = vector.to_vec();
    octets[..2].copy_from_slice(&transaction.to_be_bytes());
    if let Some(length) = length {
        octets[4..6].copy_from_slice(&length.to_be_bytes());
    }
    octets[6] = unit;
    octets
}

/// Transactions and oddities of a stream that arrives in these segments.
fn streamed(segments: &[&[u8]], direction: Direction) -> (Vec<u32>, Vec<OddityCode>) {
    let (mut session, mut assembly, mut out) = (session(), Assembly::default(), Output::default());
    let (mut transactions, mut odd) = (Vec::new(), Vec::new());
    let mut deliver = |out: &mut Output, _: &[u64], _: Stamp| {
        transactions.extend(out.messages.iter().filter_map(|message| message.transaction));
        odd.extend(oddities(out));
    };
    for segment in segments {
        let stamp = Stamp::default();
        assembly.piece(Piece::Data(segment), stamp, direction, &mut session, &mut out, &mut deliver);
    }
    assembly.finish(Stamp::default(), direction, &mut session, &mut out, &mut deliver);
    (transactions, odd)
}

#[test]
fn a_length_that_is_too_long_swallows_nothing() {
    let before = changed(READ_THREE_REGISTERS, 1, 0x11, None);
    let after = [changed(READ_THREE_REGISTERS, 3, 0x11, None), changed(WRITE_REGISTER_1, 4, 0x11, None)].concat();
    // Into the middle of the next message, to its end, into the one after it, to the end of all, and far beyond.
    for length in [10, 18, 25, 30, 200] {
        for vector in [FUNCTION_100, READ_THREE_REGISTERS, WRITE_TWO_REGISTERS, UMAS_STOP] {
            let wrong = changed(vector, 2, 0x11, Some(length + vector.len() as u16 - 12));
            let stream = [&before[..], &wrong, &after].concat();
            let (transactions, odd) = streamed(&[&stream], TO_SERVER);
            assert_eq!((transactions, odd.contains(&OddityCode::BadLength)), (vec![1, 2, 3, 4], true), "{length}");
        }
    }
}

#[test]
fn a_length_that_is_too_short_leaves_the_fields_of_the_function() {
    let wrong = changed(WRITE_TWO_REGISTERS, 2, 1, Some(6));
    let out = decoded(&wrong, TO_SERVER);
    assert_eq!(objects(&out.messages[0]), [("holding-register", Some(1), 2, &[10.0, 258.0][..])]);
    assert_eq!((out.messages.len(), oddities(&out)), (1, vec![OddityCode::BadLength]));
    let stream = [READ_TEN_COILS, &wrong, READ_TEN_COILS].concat();
    assert_eq!(streamed(&[&stream], TO_SERVER), (vec![11, 2, 11], vec![OddityCode::BadLength]));
}

#[test]
fn a_message_within_the_data_of_another_is_data() {
    let inner = changed(READ_THREE_REGISTERS, 3, 0x11, None);
    let outer = [FUNCTION_100, &inner, &[0x00]].concat();
    let outer = changed(&outer, 2, 0x11, Some(outer.len() as u16 - 6));
    let stream = [&outer[..], &changed(READ_THREE_REGISTERS, 4, 0x11, None)].concat();
    assert_eq!(session().frame(TO_SERVER, &stream), Framing::Message(outer.len()));
}

#[test]
fn the_length_of_an_unknown_function_is_believed() {
    for more in [0, 100, 243] {
        let long = [FUNCTION_100, &vec![0xA5; more]].concat();
        let long = changed(&long, 2, 0x11, Some(long.len() as u16 - 6));
        let stream = [READ_THREE_REGISTERS, &long, READ_THREE_REGISTERS].concat();
        assert_eq!(streamed(&[&stream[..20], &stream[20..]], TO_SERVER), (vec![10, 2, 10], vec![]));
    }
}

/// Messages of one direction whose functions have a structure; others are data like any other.
fn good(direction: Direction) -> Vec<&'static [u8]> {
    let all = if direction == TO_SERVER { REQUESTS } else { RESPONSES };
    all.iter().copied().filter(|vector| !matches!(vector[7], 0x00 | 0x5A) && *vector != CANOPEN).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_wrong_length_costs_its_own_message_at_most(
        to_server: bool,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 3..8),
        wrong in any::<prop::sample::Index>(),
        undefined: bool,
        length in prop_oneof![0u16..60, 60u16..3000],
        first: u16,
        unit: u8,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let direction = if to_server { TO_SERVER } else { TO_CLIENT };
        let vectors = good(direction);
        // The first message has a segment of its own, and something has to follow a wrong one.
        let wrong = 1 + wrong.index(picks.len() - 2);
        let (mut stream, mut starts, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for (place, pick) in picks.iter().enumerate() {
            starts.push(stream.len());
            let transaction = first.wrapping_add(place as u16);
            let vector = if place == wrong && undefined { FUNCTION_100 } else { vectors[pick.index(vectors.len())] };
            if place == wrong {
                prop_assume!(usize::from(length) + 6 != vector.len());
                stream.extend(changed(vector, transaction, unit, Some(length)));
            } else {
                stream.extend(changed(vector, transaction, unit, None));
                expected.push(u32::from(transaction));
            }
        }
        // A segment that ends within the wrong message or the one behind it may not show yet that one starts there.
        let behind = starts[wrong] + 1..starts.get(wrong + 2).copied().unwrap_or(stream.len());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.retain(|cut| *cut > starts[1] && !behind.contains(cut));
        cuts.extend([0, starts[1], stream.len()]);
        cuts.sort_unstable();
        let segments: Vec<&[u8]> =
            cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]).filter(|segment| !segment.is_empty()).collect();
        let (transactions, odd) = streamed(&segments, direction);
        let mut left = transactions.iter();
        prop_assert!(expected.iter().all(|one| left.any(|other| other == one)), "{transactions:?} of {expected:?}");
        prop_assert!(!odd.is_empty());
    }
}
