//! The whole engine from a capture's octets: every table is built, the same under other hash seeds, and the same where no
//! packet takes a short cut.
#![no_main]

use std::io::Cursor;

use arrow_array::RecordBatch;
use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::capture::Reader;
use zonewatch_dissectors::columns::Table;
use zonewatch_dissectors::engine::Engine;
use zonewatch_dissectors::sinks::Detail;

/// Few octets can unpack to many packets.
const MAX_PACKETS: u64 = 4096;
const DETAILS: [Detail; 3] = [Detail::Aggregates, Detail::Events, Detail::Pdus];

fuzz_target!(|data: &[u8]| {
    let detail = DETAILS[data.len() % DETAILS.len()];
    let once = tables(data, Engine::new(detail));
    assert_eq!(once, tables(data, Engine::new(detail)));
    assert_eq!(once, tables(data, Engine::plain(detail)));
});

fn tables(data: &[u8], mut engine: Engine) -> Vec<RecordBatch> {
    let Ok(mut reader) = Reader::from_read(Box::new(Cursor::new(data.to_vec())), false) else { return Vec::new() };
    engine.start_capture("source", "capture");
    let mut frame = 0;
    while let Ok(Some(packet)) = reader.next_packet() {
        frame += 1;
        engine.packet(&packet, frame);
        if frame == MAX_PACKETS {
            break;
        }
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
        coverage.take(dictionaries),
    ];
    batches.map(|batch| batch.expect("rows fit their columns")).to_vec()
}
