//! The short cuts of the engine against the long way: every table is the same, whatever is done to a capture.

mod again;
mod held;
mod lans;
mod loss;
mod opening;
mod snapshot;
mod streams;

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use proptest::prelude::*;

use super::*;
use crate::capture::Reader;
use crate::columns::Table;
use crate::polling::LEAST_VERSE;
use crate::protocols::modbus::crc;

const DETAILS: [Detail; 3] = [Detail::Aggregates, Detail::Events, Detail::Pdus];

/// So many cases of a property, unless the environment says how many.
fn cases(cases: u32) -> ProptestConfig {
    let given = std::env::var_os("PROPTEST_CASES").map(|_| ProptestConfig::default());
    given.unwrap_or_else(|| ProptestConfig::with_cases(cases))
}

/// One packet, as tests change it.
#[derive(Clone)]
struct Owned {
    time_ns: i64,
    link_type: u16,
    original_length: u32,
    fcs_octets: Option<u8>,
    data: Vec<u8>,
}

impl Owned {
    fn packet(&self) -> Packet<'_> {
        let &Owned { time_ns, link_type, original_length, fcs_octets, ref data } = self;
        Packet { time_ns, link_type, original_length, data, interface: 0, fcs_octets }
    }
}

fn packets(path: &Path) -> Vec<Owned> {
    let mut reader = Reader::open(path, false).expect("a capture");
    let mut packets = Vec::new();
    while let Ok(Some(packet)) = reader.next_packet() {
        let Packet { time_ns, link_type, original_length, fcs_octets, .. } = packet;
        packets.push(Owned { time_ns, link_type, original_length, fcs_octets, data: packet.data.to_vec() });
    }
    packets
}

/// Captures of this project, the small ones.
fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps");
    let folders =
        std::fs::read_dir(folder).expect("captures").filter_map(|entry| std::fs::read_dir(entry.ok()?.path()).ok());
    let files = folders.flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "pcap"))
        .filter(|path| path.metadata().is_ok_and(|file| file.len() < 200_000))
        .collect();
    files.sort();
    assert!(files.len() > 30, "{files:?}");
    files
}

fn tables(mut engine: Engine, packets: &[Owned]) -> Vec<RecordBatch> {
    engine.start_capture("source", "capture");
    for (frame, packet) in (1..).zip(packets) {
        engine.packet(&packet.packet(), frame);
    }
    engine.finish_source();
    let mut coverage = Table::default();
    coverage.push(engine.finish_capture());
    let (rows, recorder, dictionaries) = engine.tables();
    let batches = [
        rows.pdus.take(dictionaries),
        recorder.events.take(dictionaries),
        recorder.aggregates(dictionaries).take(dictionaries),
        rows.flows.take(dictionaries),
        rows.claims.take(dictionaries),
        rows.addresses.take(dictionaries),
        rows.oddities.take(dictionaries),
        rows.activities.take(dictionaries),
        coverage.take(dictionaries),
    ];
    batches.map(|batch| batch.expect("rows fit their columns")).to_vec()
}

fn same_either_way(packets: &[Owned], name: &str) {
    for detail in DETAILS {
        let (short, long) = (tables(Engine::new(detail), packets), tables(Engine::plain(detail), packets));
        for (short, long) in short.iter().zip(&long) {
            assert_eq!(short, long, "{name}, {detail:?}");
        }
    }
}

/// A request and its answer: of a round, for a unit.
type Exchange = dyn Fn(u32, u8) -> [Vec<u8>; 2];

/// Polling with each round's packets a little later than those of the round before.
fn rounds(rounds: u32, is_tcp: bool, exchange: &Exchange) -> Vec<Owned> {
    let mut packets = Vec::new();
    let (mut sent, mut answered) = (100_u32, 900_u32);
    for round in 0..rounds {
        for unit in [1, 2] {
            let [request, response] = exchange(round, unit);
            let time = i64::from(round) * 60_000_000_000 + i64::from(unit) * 1_000_000;
            if !is_tcp {
                packets.extend([datagram(true, &request, time), datagram(false, &response, time + 400_000)]);
                continue;
            }
            packets.push(segment(true, sent, answered, &request, time));
            sent += request.len() as u32;
            packets.push(segment(false, answered, sent, &response, time + 400_000));
            answered += response.len() as u32;
        }
    }
    packets
}

/// Polling with moving values.
fn polling(count: u32, change: impl Fn(u32) -> u16 + 'static) -> Vec<Owned> {
    rounds(count, true, &move |round, unit| {
        let [high, low] = ((2 * round + u32::from(unit)) as u16).to_be_bytes();
        let [first, second] = change(round).to_be_bytes();
        [
            vec![high, low, 0, 0, 0, 6, unit, 3, 0, 107, 0, 2],
            vec![high, low, 0, 0, 0, 7, unit, 3, 4, first, second, 0, 9],
        ]
    })
}

/// The same in RTU frames.
fn rtu_polling(count: u32, change: impl Fn(u32) -> u16 + 'static) -> Vec<Owned> {
    rounds(count, true, &move |round, unit| {
        let [first, second] = change(round).to_be_bytes();
        let frames = [vec![unit, 3, 0, 107, 0, 2], vec![unit, 3, 4, first, second, 0, 9]];
        frames.map(|frame| [&frame[..], &crc(&frame).to_le_bytes()].concat())
    })
}

/// The present value of an analogue input.
fn bacnet_polling(count: u32, change: impl Fn(u32) -> u16 + 'static) -> Vec<Owned> {
    rounds(count, false, &move |round, unit| {
        let invoke_id = (2 * round) as u8 + unit;
        let [first, second] = change(round).to_be_bytes();
        let property = [0x0c, 0, 0, 0, unit, 0x19, 0x55];
        let request = [&[0x81, 0x0a, 0, 17, 1, 4, 0, 5, invoke_id, 12][..], &property].concat();
        let value = [0x3e, 0x44, 0x42, 0x90, first, second, 0x3f];
        let response = [&[0x81, 0x0a, 0, 23, 1, 0, 0x30, invoke_id, 12][..], &property, &value].concat();
        [request, response]
    })
}

/// A UDP datagram between two stations of BACnet/IP.
fn datagram(from_client: bool, payload: &[u8], time_ns: i64) -> Owned {
    let (source, destination) = if from_client { (1, 2) } else { (2, 1) };
    let mut data = vec![2, 0, 0, 0, 0, destination, 2, 0, 0, 0, 0, source, 8, 0, 0x45, 0];
    data.extend((28 + payload.len() as u16).to_be_bytes());
    data.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, source, 10, 0, 0, destination, 0xba, 0xc0, 0xba, 0xc0]);
    data.extend((8 + payload.len() as u16).to_be_bytes());
    data.extend([0, 0]);
    data.extend(payload);
    Owned { time_ns, link_type: 1, original_length: data.len() as u32, fcs_octets: None, data }
}

fn segment(from_client: bool, sequence: u32, acknowledgement: u32, payload: &[u8], time_ns: i64) -> Owned {
    let (client, server) = ([10, 0, 0, 1], [10, 0, 0, 2]);
    let (source, destination) = if from_client { (client, server) } else { (server, client) };
    let ports: [u16; 2] = if from_client { [40_000, 502] } else { [502, 40_000] };
    let mut data = vec![2, 0, 0, 0, 0, destination[3], 2, 0, 0, 0, 0, source[3], 8, 0];
    let total = 40 + payload.len() as u16;
    data.extend([0x45, 0]);
    data.extend(total.to_be_bytes());
    data.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
    data.extend(source.into_iter().chain(destination));
    data.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    data.extend(sequence.to_be_bytes());
    data.extend(acknowledgement.to_be_bytes());
    data.extend([0x50, 0x18, 0x20, 0, 0, 0, 0, 0]);
    data.extend(payload);
    Owned { time_ns, link_type: 1, original_length: data.len() as u32, fcs_octets: None, data }
}

#[test]
fn bundled_captures() {
    for path in captures() {
        same_either_way(&packets(&path), &path.display().to_string());
    }
}

#[test]
fn polling_that_lasts_longer_than_a_bucket() {
    type Values = fn(u32) -> u16;
    let cases: [(&str, Values); 3] =
        [("steady", |_| 7), ("moving", |round| round as u16), ("now and then", |round| (round / 5 % 3) as u16)];
    for (name, change) in cases {
        for packets in [polling(40, change), rtu_polling(40, change), bacnet_polling(40, change)] {
            same_either_way(&packets, name);
        }
    }
}

#[test]
fn repetitions_are_found() {
    for packets in [polling(10, |_| 7), rtu_polling(10, |_| 7), bacnet_polling(10, |_| 7)] {
        let mut engine = Engine::new(Detail::Aggregates);
        let left = engine.sinks.memory_left;
        tables_of(&mut engine, &packets);
        let taken = left - engine.sinks.memory_left;
        assert!((2 * LEAST_VERSE..3 * LEAST_VERSE).contains(&taken), "a verse for each of two units: {taken}");
        engine.finish_capture();
        engine.finish_source();
        assert_eq!(engine.sinks.memory_left, left, "forgotten with its flow");
    }
}

fn tables_of(engine: &mut Engine, packets: &[Owned]) {
    engine.start_capture("source", "capture");
    for (frame, packet) in (1..).zip(packets) {
        let Owned { time_ns, link_type, original_length, fcs_octets, data } = packet;
        let (time_ns, link_type, original_length, fcs_octets) = (*time_ns, *link_type, *original_length, *fcs_octets);
        engine.packet(&Packet { time_ns, link_type, original_length, data, interface: 0, fcs_octets }, frame);
    }
}

/// What is done to a capture, each at a place.
#[derive(Clone, Debug)]
enum Change {
    Drop,
    Repeat,
    Swap,
    Octet(usize, u8),
    Cut(usize),
    Later(i64),
}

fn change(packets: &mut Vec<Owned>, place: usize, change: &Change) {
    let at = place % packets.len().max(1);
    let Some(packet) = packets.get_mut(at) else { return };
    match *change {
        Change::Drop => drop(packets.remove(at)),
        Change::Repeat => {
            let again = packet.clone();
            packets.insert(at, again);
        }
        Change::Swap if at > 0 => packets.swap(at - 1, at),
        Change::Swap => {}
        Change::Octet(octet, value) => {
            let length = packet.data.len();
            if let Some(old) = packet.data.get_mut(octet % length.max(1)) {
                *old ^= value;
            }
        }
        Change::Cut(length) => packet.data.truncate(length % (packet.data.len() + 1)),
        Change::Later(time) => packets[at..].iter_mut().for_each(|packet| packet.time_ns += time),
    }
}

fn changes() -> impl Strategy<Value = Vec<(usize, Change)>> {
    let change = prop_oneof![
        Just(Change::Drop),
        Just(Change::Repeat),
        Just(Change::Swap),
        (any::<usize>(), any::<u8>()).prop_map(|(octet, value)| Change::Octet(octet, value)),
        any::<usize>().prop_map(Change::Cut),
        prop_oneof![Just(31_000_000_000), Just(900_000_000_000), Just(-5_000_000_000)].prop_map(Change::Later),
    ];
    proptest::collection::vec((any::<usize>(), change), 0..8)
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn changed_captures(which in any::<usize>(), changes in changes()) {
        let captures = captures();
        let path = &captures[which % captures.len()];
        let mut packets = packets(path);
        changes.iter().for_each(|(place, what)| change(&mut packets, *place, what));
        same_either_way(&packets, &path.display().to_string());
    }

    #[test]
    fn changed_polling(every in 1u32..6, changes in changes()) {
        let moving = move |round| (round / every) as u16;
        for mut packets in [polling(24, moving), rtu_polling(24, moving), bacnet_polling(24, moving)] {
            changes.iter().for_each(|(place, what)| change(&mut packets, *place, what));
            same_either_way(&packets, "polling");
        }
    }
}
