//! The mirror stage against a list of all packets so far.
//!
//! On the wire of the fuzzer: steps of control octet, milliseconds and either a packet (length and octets) or the number
//! of an earlier one that comes again.

use zonewatch_dissectors::net::ip::{self, Fragment, Ip};
use zonewatch_dissectors::net::mirror::{Mirror, Sighting};

use crate::input::Input;

const MAX_STEPS: usize = 512;
/// A copy comes this soon.
const WINDOW_NS: i64 = 10_000_000;
/// Copies are at most so many routers apart.
const MOST_HOPS: u8 = 4;
/// Packets before which nobody speaks of doubling.
const LEAST_PACKETS: usize = 32;

const AGAIN: u8 = 0x01;
const OTHER_FRAME: u8 = 0x02;
const IPV6: u8 = 0x04;
const TCP: u8 = 0x08;

/// What no router changes.
#[derive(Clone, PartialEq)]
struct Kernel {
    lead: [u8; 8],
    ends: [Ip; 2],
    protocol: u8,
    fragment: Option<Fragment>,
    above: Vec<u8>,
}

#[derive(Clone)]
struct Seen {
    kernel: Kernel,
    hops: u8,
    frame: u32,
    time: i64,
    octets: Vec<u8>,
    sighting: Sighting,
}

/// Shows packets to two stages with secrets of their own.
pub fn check(data: &[u8]) {
    let mut input = Input(data);
    let (mut one, mut other) = (Mirror::default(), Mirror::default());
    let mut before: Vec<Seen> = Vec::new();
    let mut time = 0;
    while !input.is_empty() && before.len() < MAX_STEPS {
        let (control, later) = (input.u8(), input.u8());
        time += i64::from(later) * 100_000;
        let frame = u32::from(control & OTHER_FRAME != 0);
        let octets = match control & AGAIN {
            AGAIN if !before.is_empty() => routed(&before[usize::from(input.u8()) % before.len()].octets, control >> 5),
            _ => packet(&mut input, control),
        };
        let Some(seen) = seen(octets, frame, time) else { continue };
        let parsed = if control_is_v6(&seen.octets) { ip::ipv6(&seen.octets) } else { ip::ipv4(&seen.octets) };
        let Ok(parsed) = parsed else { continue };
        let sighting = one.look(&seen.octets, &parsed, frame, time);
        assert_eq!(sighting, other.look(&seen.octets, &parsed, frame, time), "a secret decides");
        explain(sighting, &seen, &before);
        before.push(Seen { sighting, ..seen });
    }
}

/// Every sighting but the first has packets before it that explain it.
fn explain(sighting: Sighting, seen: &Seen, before: &[Seen]) {
    let of_time = |earlier: &&Seen| earlier.kernel == seen.kernel && seen.time - earlier.time <= WINDOW_NS;
    let mut earlier = before.iter().filter(of_time);
    match sighting {
        Sighting::New => {
            // The window is that of the packet, not of its copies.
            let last = before.last().filter(of_time).filter(|last| last.sighting != Sighting::Copy);
            let twice = before.len() < LEAST_PACKETS && last.is_some_and(|last| last.octets == seen.octets);
            assert!(!twice, "the same packet once more is not new");
        }
        Sighting::Again => assert!(earlier.next().is_some(), "nothing of the kind was there"),
        Sighting::Copy => assert!(
            earlier.any(|earlier| {
                let routed = earlier.hops.checked_sub(1) == Some(seen.hops);
                let elsewhere = earlier.frame != seen.frame && earlier.hops.abs_diff(seen.hops) <= MOST_HOPS;
                routed || elsewhere || before.len() + 1 >= LEAST_PACKETS
            }),
            "nothing shows a mirror"
        ),
    }
}

fn control_is_v6(octets: &[u8]) -> bool {
    octets.first().is_some_and(|octet| octet >> 4 == 6)
}

fn seen(octets: Vec<u8>, frame: u32, time: i64) -> Option<Seen> {
    let is_v6 = control_is_v6(&octets);
    let parsed = if is_v6 { ip::ipv6(&octets) } else { ip::ipv4(&octets) }.ok()?;
    let mut lead: [u8; 8] = *octets.first_chunk()?;
    if is_v6 {
        // Traffic class, flow label, hop limit.
        (lead[0], lead[1], lead[2], lead[3], lead[7]) = (lead[0] & 0xf0, 0, 0, 0, 0);
    } else {
        lead[1] = 0;
    }
    let is_segment = parsed.protocol == 6 && parsed.fragment.is_none();
    let above = parsed.payload.get(..20).filter(|_| is_segment).unwrap_or(parsed.payload).to_vec();
    let kernel = Kernel {
        lead,
        ends: [parsed.source, parsed.destination],
        protocol: parsed.protocol,
        fragment: parsed.fragment,
        above,
    };
    let hops = octets[if is_v6 { 7 } else { 8 }];
    Some(Seen { kernel, hops, frame, time, octets, sighting: Sighting::New })
}

/// The packet after so many routers.
fn routed(octets: &[u8], hops: u8) -> Vec<u8> {
    let mut octets = octets.to_vec();
    let at = if control_is_v6(&octets) { 7 } else { 8 };
    octets[at] = octets[at].wrapping_sub(hops);
    octets
}

fn packet(input: &mut Input<'_>, control: u8) -> Vec<u8> {
    let (length, number) = (usize::from(input.u8() % 64), input.u8());
    let protocol = if control & TCP == 0 { 17 } else { 6 };
    let payload = input.octets(length);
    let size = payload.len() as u8;
    let head: Vec<u8> = if control & IPV6 == 0 {
        vec![0x45, 0, 0, 20 + size, 0, number, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
    } else {
        [&[0x60, 0, 0, number, 0, size, protocol, 64][..], &[0xfd; 32]].concat()
    };
    [&head, payload].concat()
}
