//! Segmented messages.

use super::super::segmentation::{Key, Placed, Reassembly, Segment};
use super::*;

/// The acknowledgement of a ReadPropertyMultiple in segments of `size` octets.
pub(super) fn segments(size: usize) -> Vec<Vec<u8>> {
    let data = &READ_PROPERTY_MULTIPLE_ACK[3..];
    let count = data.len().div_ceil(size);
    data.chunks(size)
        .enumerate()
        .map(|(sequence, part)| {
            let flags = if sequence + 1 < count { 0x0C } else { 0x08 };
            unicast(&[&[0x30 | flags, 0x0A, sequence as u8, 0x04, 0x0E], part].concat())
        })
        .collect()
}

#[test]
fn segments_are_messages_and_the_last_has_the_objects() {
    let mut session = BacnetIp::default();
    let parts = segments(20);
    for (index, part) in parts.iter().enumerate() {
        let out = decode_with(&mut session, Direction::Backward, part);
        let is_last = index + 1 == parts.len();
        assert_eq!((out.messages.len(), out.oddities.len()), (1, 0));
        assert!(matches!(out.messages[0].pairing, Pairing::Answers { last, .. } if last == is_last));
        assert_eq!(
            (out.messages[0].name, out.messages[0].objects.len()),
            ("read_property_multiple", if is_last { 4 } else { 0 })
        );
        assert_eq!(out.claims.is_empty(), !is_last);
    }
    // A retransmission of the last segment says nothing new.
    let again = decode_with(&mut session, Direction::Backward, parts.last().unwrap());
    assert_eq!((again.messages[0].objects.len(), again.oddities.len()), (0, 0));
}

#[test]
fn segments_out_of_order_and_twice() {
    let mut session = BacnetIp::default();
    let parts = segments(10);
    let mut order: Vec<usize> = (0..parts.len()).rev().collect();
    order.insert(2, order[1]);
    let outs: Vec<_> = order.iter().map(|i| decode_with(&mut session, Direction::Backward, &parts[*i])).collect();
    assert!(outs.iter().all(|out| out.oddities.is_empty()));
    assert_eq!(outs.last().unwrap().messages[0].objects.len(), 4);
}

#[test]
fn a_late_start_is_an_oddity_and_the_next_message_is_whole() {
    let mut session = BacnetIp::default();
    let late = unicast(&[0x3C, 0x0A, 0x64, 0x04, 0x0E, 0x00]);
    let out = decode_with(&mut session, Direction::Backward, &late);
    assert_eq!((out.messages.len(), out.oddities[0].1.code), (1, OddityCode::BadSequence));
    let objects: Vec<_> = segments(30)
        .iter()
        .map(|part| decode_with(&mut session, Direction::Backward, part).messages[0].objects.len())
        .collect();
    assert_eq!(objects.last(), Some(&4));
}

#[test]
fn only_the_first_segment_of_a_request_opens() {
    let mut session = BacnetIp::default();
    let first = unicast(&[0x0C, 0x05, 0x0A, 0x00, 0x04, 0x0F, 0x0C, 0x01, 0x00, 0x00, 0x07, 0x19]);
    let last = unicast(&[0x08, 0x05, 0x0A, 0x01, 0x04, 0x0F, 0x55, 0x3E, 0x91, 0x01, 0x3F]);
    let out = decode_with(&mut session, Direction::Forward, &first);
    assert!(matches!(out.messages[0].pairing, Pairing::Opens(_)));
    let out = decode_with(&mut session, Direction::Forward, &last);
    assert_eq!((out.messages[0].pairing, &out.messages[0].values[..]), (Pairing::None, &[1.0][..]));
}

#[test]
fn reassembly_is_bounded_and_wraps() {
    let key = |invoke_id| Key {
        direction: Direction::Forward,
        message_type: 3,
        source: Unit::None,
        destination: Unit::None,
        invoke_id,
    };
    let segment = |sequence: usize| Segment { sequence: sequence as u8, more_follows: true };
    let mut reassembly = Reassembly::default();
    for sequence in 0..600 {
        let expected = if sequence == 0 { Placed::First } else { Placed::Next };
        assert_eq!(reassembly.add(key(1), segment(sequence), &[sequence as u8]), expected, "{sequence}");
    }
    let octets = [0; 1400];
    assert!((0..200).any(|sequence| reassembly.add(key(2), segment(sequence), &octets) == Placed::TooLong));
    // Other messages push the oldest out.
    (3..20).for_each(|invoke_id| drop(reassembly.add(key(invoke_id), segment(0), &[1])));
    assert_eq!(reassembly.add(key(1), segment(600), &[1]), Placed::Orphan);
    assert!(reassembly.give_up(Direction::Forward));
    assert!(!reassembly.give_up(Direction::Forward));
}

#[test]
fn a_window_that_the_standard_forbids_is_told_and_the_segment_taken() {
    for (apdu, offset) in [
        (&[0x3C, 0x0A, 0x00, 0x00, 0x0E, 0x00][..], 9), // proposed window size 0
        (&[0x40, 0x0A, 0x00, 0xFF], 9),                 // actual window size 255
    ] {
        let out = decode(&unicast(apdu));
        assert_eq!((out.messages.len(), out.oddities.len()), (1, 1));
        assert_eq!((out.oddities[0].1.code, out.oddities[0].1.offset), (OddityCode::InvalidValue, offset));
    }
}

#[test]
fn conflicting_segments_are_told() {
    let mut session = BacnetIp::default();
    let ahead = |octet| unicast(&[0x3C, 0x0A, 0x02, 0x04, 0x0E, octet]);
    assert!(decode_with(&mut session, Direction::Backward, &ahead(1)).oddities.is_empty());
    let out = decode_with(&mut session, Direction::Backward, &ahead(2));
    assert_eq!(out.oddities[0].1.code, OddityCode::ConflictingOverlap);
}
