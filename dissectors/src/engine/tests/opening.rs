//! Where the opening of a connection was captured, its first octets are known, whenever they come.

use super::streams::{ACK, SYN, Wire, in_time};
use super::*;
use crate::net::ip::number;
use crate::session::Direction::{Backward, Forward};

/// Sequence numbers of both SYNs: those of the client's octets wrap.
const OPENED: [u32; 2] = [u32::MAX - 5, 900];
/// Read one holding register, twice, and the answers.
const ASKED: &[u8] = &[
    0, 1, 0, 0, 0, 6, 1, 3, 0, 10, 0, 1, // transaction, protocol, length, unit; function, start, quantity
    0, 2, 0, 0, 0, 6, 1, 3, 0, 20, 0, 1,
]; // fmt: skip
const ANSWERED: &[u8] = &[
    0, 1, 0, 0, 0, 5, 1, 3, 2, 0, 7, // transaction, protocol, length, unit; function, octets, value
    0, 2, 0, 0, 0, 5, 1, 3, 2, 0, 8,
]; // fmt: skip
const MESSAGE: usize = 12;
const ANSWER: usize = 11;
/// Octets that no protocol here has.
const GREETING: &[u8] = b"hello there, who are you?";

/// Octets of one direction, and how many of it are before them.
type Sent<'a> = (Direction, usize, &'a [u8]);
/// Events that have request and answer; other events; holes.
type Told = (usize, usize, u64);

/// What is told of these octets, sent in this order.
fn told(segments: &[Sent<'_>], opened: bool) -> Told {
    let mut wire = Wire { subnet: 1, protocol: number::TCP, ports: [40_000, 502], number: 0 };
    let [client, server] = OPENED;
    let mut packets = Vec::new();
    if opened {
        packets.push(wire.segment(Forward, [client, 0], SYN, &[]));
        packets.push(wire.segment(Backward, [server, client.wrapping_add(1)], SYN | ACK, &[]));
    }
    let mut sent = [0; 2];
    for (direction, from, octets) in segments {
        let at = |side: Direction, octets: usize| OPENED[side as usize].wrapping_add(1 + octets as u32);
        let other = direction.opposite();
        packets.push(wire.segment(*direction, [at(*direction, *from), at(other, sent[other as usize])], ACK, octets));
        sent[*direction as usize] = sent[*direction as usize].max(from + octets.len());
    }
    let tables = tables(Engine::new(Detail::Events), &in_time(packets));
    let latency = tables[1].column_by_name("latency").expect("a column");
    let gaps = tables[8].column_by_name("gaps").expect("a counter").clone();
    let gaps = gaps.as_any().downcast_ref::<arrow_array::UInt64Array>().expect("a count").value(0);
    (latency.len() - latency.null_count(), latency.null_count(), gaps)
}

#[test]
fn the_first_octets_may_come_late() {
    let (first, second) = ASKED.split_at(MESSAGE);
    let (early, late) = first.split_at(7);
    let answers = [(Backward, 0, &ANSWERED[..ANSWER]), (Backward, ANSWER, &ANSWERED[ANSWER..])];
    let behind = GREETING.len();
    let cases: &[(&str, &[Sent<'_>], Told)] = &[
        ("in order", &[(Forward, 0, first), (Forward, MESSAGE, second)], (2, 0, 0)),
        ("second message first", &[(Forward, MESSAGE, second), (Forward, 0, first)], (2, 0, 0)),
        ("second half first", &[(Forward, 7, late), (Forward, 0, early), (Forward, MESSAGE, second)], (2, 0, 0)),
        ("both halves behind", &[(Forward, MESSAGE, second), (Forward, 7, late), (Forward, 0, early)], (2, 0, 0)),
        ("sent again", &[(Forward, 7, late), (Forward, 7, late), (Forward, 0, ASKED)], (2, 0, 0)),
        ("the first is lost", &[(Forward, MESSAGE, second)], (1, 1, 1)),
        (
            "something else came first",
            &[(Forward, 0, GREETING), (Forward, behind, first), (Forward, behind + MESSAGE, second)],
            (2, 0, 0),
        ),
    ];
    for (name, asked, expected) in cases {
        assert_eq!(told(&[asked, &answers[..]].concat(), true), *expected, "{name}");
    }
    let turned = [(Forward, 0, first), (Forward, MESSAGE, second), answers[1], answers[0]];
    assert_eq!(told(&turned, true), (2, 0, 0), "second answer first");
    // Who joins later takes what comes first for the start.
    let joined = [(Forward, MESSAGE, second), (Forward, 0, first), answers[0], answers[1]];
    assert_eq!((told(&joined, true), told(&joined, false)), ((2, 0, 0), (1, 1, 0)));
}
