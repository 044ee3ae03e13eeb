//! Decodes a capture and drops the rows: the engine alone, without Python, for profilers.
//!
//! `valgrind --tool=callgrind target/release/examples/decode aggregates polling.pcap`

use std::hint::black_box;
use std::process::ExitCode;

use zonewatch_dissectors::decoder::Decoder;
use zonewatch_dissectors::sinks::Detail;

/// Packets decoded before the rows are taken, as the audit does it.
const STEP: u64 = 16_384;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (detail, path) = match arguments.as_slice() {
        [detail, path] if detail == "pdus" => (Detail::Pdus, path),
        [detail, path] if detail == "aggregates" => (Detail::Aggregates, path),
        _ => {
            eprintln!("usage: decode pdus|aggregates CAPTURE");
            return ExitCode::from(2);
        }
    };
    let file = (path.clone(), path.clone());
    let mut decoder = Decoder::new(vec![("capture".to_string(), vec![file])], detail, false);
    while decoder.advance(STEP) {
        let (rows, _, _, dictionaries) = decoder.tables();
        // Columns of one table have the same length.
        let _ = black_box(rows.pdus.take(dictionaries));
    }
    println!("{} packets", decoder.packets());
    ExitCode::SUCCESS
}
