//! Rows taken while packets come, those of the end, and those of one decoding of the same packets are the same.

use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use proptest::prelude::*;

use super::hub::Batch;
use super::*;
use crate::capture::{Packet, Reader};
use crate::decoder::Decoder;

const SETTINGS: Settings = Settings {
    ring_octets: 1 << 24,
    threads: 1,
    snap_length: u32::MAX,
    most_remembered_octets: 1 << 20,
    detail: Detail::Events,
};
const CAPTURES: [&str; 5] = [
    "modbus/read_write.pcap",
    "dnp3/select_operate.pcap",
    "bacnet/read_property.pcap",
    "s7comm/read_write.pcap",
    "services/dns.pcap",
];

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps");
    let mut found: Vec<PathBuf> = CAPTURES.iter().map(|name| folder.join(name)).filter(|path| path.exists()).collect();
    found.extend(
        ["modbus", "dnp3", "bacnet", "s7comm", "services", "layers"]
            .iter()
            .filter_map(|name| std::fs::read_dir(folder.join(name)).ok())
            .flat_map(|entries| entries.flatten().map(|entry| entry.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "pcap"))
            .filter(|path| path.metadata().is_ok_and(|file| file.len() < 60_000)),
    );
    found.sort();
    found.dedup();
    assert!(found.len() > 20);
    found
}

/// A cell as text, whatever words come before its own.
fn cell(column: &ArrayRef, row: usize) -> String {
    match column.data_type() {
        _ if column.is_null(row) => "none".to_owned(),
        DataType::Dictionary(..) => {
            let words = column.as_any_dictionary();
            cell(words.values(), words.normalized_keys()[row])
        }
        DataType::List(_) => {
            let items = column.as_list::<i32>().value(row);
            (0..items.len()).map(|item| cell(&items, item)).collect::<Vec<_>>().join(",")
        }
        DataType::Struct(_) => {
            let parts = column.as_struct().columns().iter();
            parts.map(|part| cell(part, row)).collect::<Vec<_>>().join(" ")
        }
        _ => format!("{:?}", column.slice(row, 1)),
    }
}

/// Rows as text, in no order; of coverage without what only a file has.
fn rows(table: &str, batches: &[RecordBatch]) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in batches {
        let schema = batch.schema();
        for row in 0..batch.num_rows() {
            let cells = schema.fields().iter().zip(batch.columns()).filter_map(|(field, column)| {
                let only_of_files = ["format", "sha256", "reported_drops"].contains(&&**field.name());
                (table != "coverage" || !only_of_files).then(|| format!("{}={}", field.name(), cell(column, row)))
            });
            rows.push(cells.collect::<Vec<_>>().join(" "));
        }
    }
    rows.sort();
    rows
}

fn decoded(path: &Path) -> Vec<Vec<String>> {
    let files = vec![("capture".to_owned(), path.to_string_lossy().into_owned())];
    let mut decoder = Decoder::new(vec![("point".to_owned(), files)], SETTINGS.detail, false);
    while decoder.advance(1_000) {}
    let take = |table: &&str| rows(table, &[decoder.take(table).unwrap().unwrap()]);
    TABLES.iter().map(take).collect()
}

/// A live capture whose packets a test leaves in so many lanes.
fn live(lanes: usize) -> Live {
    let interfaces = (0..lanes).map(|number| Interface::named(&format!("eth{number}"))).collect();
    Live::over(Hub::new(interfaces, lanes, SETTINGS.ring_octets), "point", "capture", &SETTINGS, false)
}

fn batches(path: &Path, lane: impl Fn(&Packet<'_>) -> usize, lanes: usize) -> Vec<Batch> {
    let mut batches: Vec<Batch> = (0..lanes).map(|_| Batch::default()).collect();
    let mut reader = Reader::open(path, false).unwrap();
    while let Ok(Some(packet)) = reader.next_packet() {
        batches[lane(&packet)].add(&packet, [packet.data, &[], &[]]);
    }
    batches
}

fn add(all: &mut [Vec<RecordBatch>], live: &mut Live, tables: &[usize]) {
    for number in tables {
        all[*number].extend(live.take(TABLES[*number]).unwrap().unwrap());
    }
}

/// Feeds packets a few at a time, with snapshots and rows taken in between.
fn watched(path: &Path, steps: &[(usize, bool, usize)]) -> Vec<Vec<String>> {
    let mut live = live(1);
    let mut all = vec![Vec::new(); TABLES.len()];
    let whole = &batches(path, |_| 0, 1)[0];
    let mut at = 0;
    for (packets, looks, table) in steps.iter().cycle().take(3 * steps.len()) {
        let mut part = Batch::default();
        for number in at..(at + packets).min(whole.len()) {
            let packet = whole.packet(number).unwrap();
            part.add(&packet, [packet.data, &[], &[]]);
        }
        at = (at + packets).min(whole.len());
        live.hub.push(0, part);
        assert!(live.advance(Duration::ZERO));
        if *looks {
            drop(live.snapshot().unwrap());
        }
        add(&mut all, &mut live, &[*table]);
    }
    let mut part = Batch::default();
    for number in at..whole.len() {
        let packet = whole.packet(number).unwrap();
        part.add(&packet, [packet.data, &[], &[]]);
    }
    live.hub.push(0, part);
    live.hub.end(0);
    while live.advance(Duration::from_secs(1)) {}
    let snapshot = live.snapshot().unwrap();
    let as_if: Vec<Vec<String>> = (0..TABLES.len())
        .map(|number| rows(TABLES[number], &[&all[number][..], &snapshot.take(TABLES[number]).unwrap()].concat()))
        .collect();
    live.close();
    add(&mut all, &mut live, &[0, 1, 2, 3, 4, 5, 6, 7, 8]);
    let told: Vec<Vec<String>> = TABLES.iter().zip(&all).map(|(table, batches)| rows(table, batches)).collect();
    assert_eq!(as_if, told, "a snapshot at the end is the end");
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn rows_are_those_of_the_file_whenever_they_are_looked_at(
        steps in prop::collection::vec((0_usize..40, any::<bool>(), 0_usize..9), 1..12),
    ) {
        for path in captures() {
            let (told, file) = (watched(&path, &steps), decoded(&path));
            for ((table, told), file) in TABLES.iter().zip(told).zip(file) {
                prop_assert_eq!(told, file, "{} of {:?}", table, &path);
            }
        }
    }
}

#[test]
fn directions_on_two_interfaces_come_in_order() {
    // Of packets with one time nobody knows the order.
    let is_clear = |path: &&PathBuf| {
        let batch = &batches(path, |_| 0, 1)[0];
        (1..batch.len()).all(|number| batch.time(number - 1) < batch.time(number))
    };
    let paths = captures();
    let paths: Vec<&PathBuf> = paths.iter().filter(is_clear).collect();
    assert!(paths.len() > 10);
    for path in paths {
        // The sender's MAC address decides.
        let batches = batches(path, |packet| packet.data.get(11).map_or(0, |octet| usize::from(octet % 2)), 2);
        let mut live = live(2);
        for (lane, batch) in batches.into_iter().enumerate() {
            live.hub.push(lane, batch);
            live.hub.end(lane);
        }
        live.close();
        let told = TABLES.iter().map(|table| rows(table, &live.take(table).unwrap().unwrap()));
        assert_eq!(told.collect::<Vec<_>>(), decoded(path), "{path:?}");
    }
}

#[test]
fn files_are_replayed_whole_however_little_may_wait() {
    for path in captures().iter().take(5) {
        let settings = Settings { ring_octets: 1, ..SETTINGS };
        let files = [path.to_string_lossy().into_owned()];
        let mut live = Live::replay("point", "capture", &files, &settings);
        while live.advance(Duration::from_secs(1)) {}
        live.close();
        let told = TABLES.iter().map(|table| rows(table, &live.take(table).unwrap().unwrap()));
        assert_eq!(told.collect::<Vec<_>>(), decoded(path), "{path:?}");
    }
    let mut missing = Live::replay("point", "capture", &["no/such/file".to_owned()], &SETTINGS);
    missing.close();
    let coverage = missing.take("coverage").unwrap().unwrap();
    assert!(coverage[0]["problem"].as_string::<i32>().value(0).contains("no/such/file"));
}

#[test]
fn a_turn_begins_anew() {
    let path = &captures()[0];
    let mut live = live(1);
    let mut once = || {
        live.hub.push(0, batches(path, |_| 0, 1).remove(0));
        live.advance(Duration::ZERO);
        assert!(live.packets(vec![(1, 0, None)], 1, 1 << 20)[0].packets == 1);
        live.turn("capture").unwrap();
        assert_eq!(live.packets(vec![(1, 0, None)], 1, 1 << 20)[0].left_out, 1);
        TABLES.iter().map(|table| rows(table, &live.take(table).unwrap().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!((once(), once()), (decoded(path), decoded(path)));
}

#[test]
fn what_was_lost_is_told_of_the_capture_that_lost_it() {
    let mut live = live(2);
    let told = |live: &mut Live| {
        live.turn("next").unwrap();
        let batches = live.take("coverage").unwrap().unwrap();
        let batch = batches.iter().find(|batch| batch.num_rows() > 0).unwrap();
        let drops = batch["reported_drops"].as_primitive::<UInt64Type>().value(0);
        let status = batch["status"].as_any_dictionary();
        let status = status.values().as_string::<i32>().value(status.normalized_keys()[0]).to_owned();
        (drops, status, batch["problem"].as_string::<i32>().value(0).to_owned())
    };
    let whole = (0, "whole".to_owned(), String::new());
    assert_eq!(told(&mut live), whole);
    live.hub.interfaces[1].drops.fetch_add(7, Relaxed);
    live.hub.shed[Class::Payload as usize].packets.fetch_add(5, Relaxed);
    live.hub.shed[Class::Other as usize].packets.fetch_add(2, Relaxed);
    live.hub.interfaces[0].is(State::Down, None);
    let problem = "eth0 stopped capturing 1 times and is down; more packets came than could be decoded; given up: 5 cut to \
                   their headers, 2 of other";
    assert_eq!(told(&mut live), (9, "partial".to_owned(), problem.to_owned()));
    live.hub.interfaces[0].is(State::Up, None);
    assert_eq!(told(&mut live), whole);
}
