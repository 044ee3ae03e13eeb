//! Decodes captures and drops the rows: the engine alone, without Python, to be measured and for profilers.
//!
//! `decode [hashed] [threads N] pdus|aggregates CAPTURE...` takes the captures for files of one source; `hashed` takes
//! their SHA-256, too, as the audit does.
//!
//! `valgrind --tool=callgrind target/release/examples/decode aggregates polling.pcap`

use std::hint::black_box;
use std::process::ExitCode;

use zonewatch_dissectors::decoder::Decoder;
use zonewatch_dissectors::sinks::Detail;

/// Packets decoded before PDUs are taken.
const STEP: u64 = 16_384;
/// Steps before all other rows are taken: half a million packets, as the audit does it.
const STEPS: u64 = 30;
/// The tables that are taken then.
const OTHERS: [&str; 7] = ["events", "aggregates", "flows", "claims", "addresses", "oddities", "coverage"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (hashed, rest) = match arguments.as_slice() {
        [word, rest @ ..] if word == "hashed" => (true, rest),
        rest => (false, rest),
    };
    let (threads, rest) = match rest {
        [word, number, rest @ ..] if word == "threads" => (number.parse().unwrap_or(1), rest),
        rest => (1, rest),
    };
    let (detail, paths) = match rest {
        [detail, paths @ ..] if detail == "pdus" => (Detail::Pdus, paths),
        [detail, paths @ ..] if detail == "aggregates" => (Detail::Aggregates, paths),
        _ => {
            eprintln!("usage: decode [hashed] [threads N] pdus|aggregates CAPTURE...");
            return ExitCode::from(2);
        }
    };
    let files = paths.iter().map(|path| (path.clone(), path.clone())).collect();
    let mut decoder = Decoder::new(vec![("capture".to_string(), files)], detail, hashed).with_threads(threads);
    let (mut rows, mut step, mut going) = (0, 0, true);
    while going {
        going = decoder.advance(STEP);
        step += 1;
        if detail == Detail::Pdus {
            rows += taken(&mut decoder, &["pdus"]);
        }
        if step % STEPS == 0 || !going {
            rows += taken(&mut decoder, &OTHERS);
        }
    }
    println!("{} packets, {rows} rows", decoder.packets());
    ExitCode::SUCCESS
}

/// Takes the rows of tables; gives how many.
fn taken(decoder: &mut Decoder, tables: &[&str]) -> usize {
    // Columns of one table have the same length.
    let rows = |table: &&str| black_box(decoder.take(table)).ok().flatten().map_or(0, |batch| batch.num_rows());
    tables.iter().map(rows).sum()
}
