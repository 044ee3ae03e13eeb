//! Objects of public captures, beside those that tshark 4.0.17 finds (`tests/oracles/dnp3_objects.csv`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::*;
use crate::capture::Reader;
use crate::model::Object;
use crate::net::ip::{self, IpPacket, flag, number};
use crate::net::link::{self as network_link, ethertype};
use crate::net::tcp::{Half, Piece, Stamp};

const FACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/oracles/dnp3_objects.csv");
const CAPTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/pcaps");

/// Function, group, variation.
type Key = (u16, u32, u16);

/// Points, and the sum of their numbers where both tell them.
type Totals = BTreeMap<Key, (u64, f64)>;

/// One connection: both directions in order, and what is decoded of them.
#[derive(Default)]
struct Flow {
    session: Dnp3,
    halves: [Half; 2],
    pending: [Vec<u8>; 2],
}

impl Flow {
    fn segment(&mut self, direction: Direction, segment: &ip::Segment<'_>, time: i64, totals: &mut Totals) {
        let half = &mut self.halves[direction as usize];
        if segment.flags & flag::SYN != 0 {
            half.synchronise(segment.sequence);
            return;
        }
        let pending = &mut self.pending[direction as usize];
        let stamp = Stamp { time, ..Stamp::default() };
        half.segment(segment.sequence, segment.payload, segment.missing, stamp, &mut |piece, _| match piece {
            Piece::Data(octets) => pending.extend_from_slice(octets),
            Piece::Hole(_) | Piece::Break => pending.clear(),
        });
        self.messages(direction, totals);
    }

    fn messages(&mut self, direction: Direction, totals: &mut Totals) {
        loop {
            let pending = &mut self.pending[direction as usize];
            let length = match self.session.frame(direction, pending) {
                Framing::Message(length) if length <= pending.len() => length,
                Framing::NotMine if !pending.is_empty() => {
                    let start = self.session.resync(direction, pending).unwrap_or(pending.len());
                    pending.drain(..start);
                    continue;
                }
                _ => return,
            };
            let octets: Vec<u8> = pending.drain(..length).collect();
            add(feed(&mut self.session, direction, &octets), totals);
        }
    }
}

fn add(out: Output, totals: &mut Totals) {
    for message in &out.messages {
        for object in &message.objects {
            let (Some(function), Some(group), Some(variation)) =
                (message.function, object.type_number, object.variation)
            else {
                continue;
            };
            // The oracle tells the length of a string apart from its variation.
            let variation = if (110..=113).contains(&group) { 0 } else { variation };
            let (points, sum) = totals.entry((function, group, variation)).or_default();
            *points += points_of(object);
            *sum += message.values_of(object).iter().filter(|value| value.is_finite()).sum::<f64>();
        }
    }
}

/// A header that names all of its points counts as one, and so does a class, however many of its events it wants.
fn points_of(object: &Object) -> u64 {
    if object.type_number == Some(60) { 1 } else { u64::from(object.count.max(1)) }
}

fn totals_of(capture: &Path) -> Totals {
    let mut totals = Totals::new();
    let mut flows: BTreeMap<_, Flow> = BTreeMap::new();
    let mut reader = Reader::open(capture, false).expect("a capture");
    while let Ok(Some(packet)) = reader.next_packet() {
        let Some(packet_of_ip) = internet(packet.link_type, packet.data) else { continue };
        let ends = |ports: [u16; 2]| {
            let (from, to) = ((packet_of_ip.source.0, ports[0]), (packet_of_ip.destination.0, ports[1]));
            if from <= to { ((from, to), Direction::Forward) } else { ((to, from), Direction::Backward) }
        };
        match packet_of_ip.protocol {
            number::TCP => {
                let Ok(segment) = ip::tcp(&packet_of_ip) else { continue };
                let (key, direction) = ends(segment.ports);
                flows.entry(key).or_default().segment(direction, &segment, packet.time_ns, &mut totals);
            }
            number::UDP => {
                let Ok(datagram) = ip::udp(&packet_of_ip) else { continue };
                let (key, direction) = ends(datagram.ports);
                if datagram.payload.starts_with(&link::START) {
                    let flow = flows.entry(key).or_default();
                    add(feed(&mut flow.session, direction, datagram.payload), &mut totals);
                }
            }
            _ => {}
        }
    }
    totals
}

fn internet(link_type: u16, octets: &[u8]) -> Option<IpPacket<'_>> {
    let link = network_link::parse(link_type, octets)?.ok()?;
    (link.ethertype == ethertype::IPV4).then(|| ip::ipv4(link.payload).ok()).flatten()
}

/// What is expected of one kind of object of a capture.
#[derive(Clone, Copy, Debug)]
struct Expected {
    points: u64,
    /// Sum of the numbers; none where the oracle does not tell them.
    sum: Option<f64>,
}

/// The committed facts by capture: what the oracle finds, or what we do where a reason says why it differs.
fn facts() -> BTreeMap<String, BTreeMap<Key, Expected>> {
    let text = fs::read_to_string(FACTS).expect("the facts");
    let mut facts: BTreeMap<String, BTreeMap<Key, Expected>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [capture, function, group, variation, points, sum, ours, reason] = fields[..] else { panic!("{line}") };
        assert_eq!(ours.is_empty(), reason.is_empty(), "{line}");
        let key = (function.parse().unwrap(), group.parse().unwrap(), variation.parse().unwrap());
        let points = if ours.is_empty() { points } else { ours };
        let expected = Expected { points: points.parse().unwrap(), sum: sum.parse().ok() };
        facts.entry(capture.to_string()).or_default().insert(key, expected);
    }
    facts
}

#[test]
fn objects_points_and_numbers_are_those_of_another_dissector() {
    if !Path::new(CAPTURES).is_dir() {
        println!("skipped: no folder {CAPTURES}");
        return;
    }
    let mut differences = Vec::new();
    for (capture, expected) in facts() {
        let found = totals_of(&Path::new(CAPTURES).join(&capture));
        for key in found.keys().chain(expected.keys()).collect::<BTreeSet<_>>() {
            let (found, expected) = (found.get(key), expected.get(key));
            let points = found.map_or(0, |(points, _)| *points);
            let is_sum = |expected: &Expected, found: f64| {
                expected.sum.is_none_or(|sum| (sum - found).abs() <= 1e-4 * sum.abs().max(1.0))
            };
            let equal = expected.map_or(points == 0, |expected| {
                expected.points == points && found.is_none_or(|(_, sum)| is_sum(expected, *sum))
            });
            if !equal {
                differences.push(format!("{capture} {key:?}: ours {found:?}, theirs {expected:?}"));
            }
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}
