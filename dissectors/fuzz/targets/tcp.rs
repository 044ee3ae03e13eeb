//! One direction of TCP: segments of one stream in any order, cut, repeated and overlapping. What is delivered is the
//! stream, told holes are as long as they are told to be, and honest repetitions are never a conflict.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::net::tcp::{Half, Piece, Stamp};
use zonewatch_fuzz::input::Input;
use zonewatch_fuzz::octet_at;

const MAX_STEPS: u64 = 512;
/// Longest time between two segments.
const STEP_NS: i64 = 40_000_000;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let (mut half, mut stamp) = (Half::default(), Stamp::default());
    let mut position = None;
    let start = input.u32();
    while !input.is_empty() && stamp.frame < MAX_STEPS {
        stamp.frame += 1;
        stamp.time += i64::from(input.u8()) * STEP_NS / 255;
        let (what, sequence) = (input.u8(), place(&mut input, start));
        match what % 16 {
            0 => {
                half.synchronise(sequence);
                position = Some(sequence.wrapping_add(1));
            }
            1 => {
                half.acknowledge(sequence);
                half.give_up(&mut |piece, _| follow(&piece, &mut position, sequence));
            }
            _ => {
                let (length, missing) = (usize::from(input.u16() % 9000), usize::from(what >> 6) * 100);
                let payload: Vec<u8> = (0..length).map(|at| octet_at(sequence.wrapping_add(at as u32))).collect();
                position = position.or(Some(sequence));
                let mut sink = |piece: Piece<'_>, _: Stamp| follow(&piece, &mut position, sequence);
                if missing == 0 && half.awaits(sequence) {
                    half.pass(&payload);
                    sink(Piece::Data(&payload), stamp);
                } else {
                    let conflict = half.segment(sequence, &payload, missing, stamp, &mut sink);
                    assert!(!conflict, "a conflict within one stream");
                }
            }
        }
    }
    half.finish(&mut |piece, _| follow(&piece, &mut position, 0));
    assert!(!half.is_waiting());
});

/// Near the start as a rule, so that segments meet; else anywhere.
fn place(input: &mut Input<'_>, start: u32) -> u32 {
    match input.u16() {
        u16::MAX => input.u32(),
        near => start.wrapping_add(u32::from(near)),
    }
}

/// Checks a piece against the stream; `anew` is where it starts again after a break.
fn follow(piece: &Piece<'_>, position: &mut Option<u32>, anew: u32) {
    let at = position.get_or_insert(anew);
    match piece {
        Piece::Data(octets) => {
            for octet in *octets {
                assert_eq!(*octet, octet_at(*at), "another octet than the stream has at {at}");
                *at = at.wrapping_add(1);
            }
        }
        Piece::Hole(length) => *at = at.wrapping_add(*length as u32),
        Piece::Break => *at = anew,
    }
}
