//! A copy of the engine that ends tells what the engine itself would tell if it ended, and changes nothing of it.

use super::*;

fn taken(engine: &mut Engine) -> Vec<RecordBatch> {
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
    ];
    batches.map(|batch| batch.expect("rows fit their columns")).to_vec()
}

fn ended(mut engine: Engine) -> Vec<RecordBatch> {
    engine.finish_source();
    let coverage = engine.finish_capture();
    let mut table = Table::default();
    table.push(coverage);
    let coverage = table.take(engine.dictionaries()).expect("rows fit their columns");
    taken(&mut engine).into_iter().chain([coverage]).collect()
}

/// An engine that took so many packets, and its rows by then.
fn at(packets: &[Owned], detail: Detail) -> (Engine, Vec<RecordBatch>) {
    let mut engine = Engine::new(detail);
    engine.start_capture("source", "capture");
    for (frame, packet) in (1..).zip(packets) {
        engine.packet(&packet.packet(), frame);
    }
    let rows = taken(&mut engine);
    (engine, rows)
}

#[test]
fn a_copy_ends_as_the_engine_would_and_leaves_it_alone() {
    for path in captures() {
        let packets = packets(&path);
        for (detail, share) in DETAILS.into_iter().zip([3, 2, 5]) {
            let (first, rest) = packets.split_at(packets.len() / share);
            let (mut engine, rows) = at(first, detail);
            let copies = [ended(engine.clone()), ended(engine.clone())];
            let (alone, rows_alone) = at(first, detail);
            assert_eq!(rows, rows_alone);
            let mut to_go_on = alone.clone();
            let alone_ended = ended(alone);
            for copy in copies {
                assert_eq!(copy, alone_ended, "{path:?}, {detail:?}");
            }
            for (frame, packet) in (first.len() as u64 + 1..).zip(rest) {
                engine.packet(&packet.packet(), frame);
                to_go_on.packet(&packet.packet(), frame);
            }
            assert_eq!(ended(engine), ended(to_go_on), "{path:?}, {detail:?}: a copy goes on as the engine does");
        }
    }
}
