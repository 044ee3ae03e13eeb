//! Inputs one after the other through the engine: files of sources in the order given, or standard input.

use std::collections::VecDeque;
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use crate::capture::{CaptureError, Reader};
use crate::columns::{Table, rows};
use crate::engine::Engine;
use crate::sinks::Detail;

/// Rows that are told before as many packets as wanted were decoded: a packet may make a hundred.
const MANY_ROWS: usize = 65_536;
/// Packets between two looks at the rows.
const PORTION: u64 = 256;

/// The tables.
pub const TABLES: [&str; 9] =
    ["pdus", "events", "aggregates", "flows", "activities", "claims", "addresses", "oddities", "coverage"];

/// Rows of a table of [`TABLES`] that an engine made since they were last taken.
///
/// # Errors
/// Where the columns contradict each other: a mistake of the row type.
pub fn take(
    table: &str,
    engine: &mut Engine,
    coverage: &mut Table<rows::Coverage>,
) -> Result<Option<RecordBatch>, ArrowError> {
    let (rows, recorder, dictionaries) = engine.tables();
    match table {
        "pdus" => rows.pdus.take(dictionaries),
        "events" => recorder.events.take(dictionaries),
        "aggregates" => recorder.aggregates(dictionaries).take(dictionaries),
        "flows" => rows.flows.take(dictionaries),
        "activities" => rows.activities.take(dictionaries),
        "claims" => rows.claims.take(dictionaries),
        "addresses" => rows.addresses.take(dictionaries),
        "oddities" => rows.oddities.take(dictionaries),
        "coverage" => coverage.take(dictionaries),
        _ => return Ok(None),
    }
    .map(Some)
}

/// One input file.
#[derive(Clone, Debug)]
struct Input {
    source: String,
    name: String,
    path: String,
    last_of_source: bool,
}

struct Open {
    input: Input,
    reader: Reader,
    frame: u64,
}

/// What an input said of itself in the end.
#[derive(Default)]
struct Told {
    format: String,
    sha256: String,
    status: &'static str,
    problem: String,
    untimed: u64,
    drops: Option<u64>,
}

/// Decodes all inputs in one streaming pass.
pub struct Decoder {
    engine: Engine,
    waiting: VecDeque<Input>,
    open: Option<Open>,
    coverage: Table<rows::Coverage>,
    hash: bool,
    threads: usize,
    packets: u64,
    bytes_done: u64,
}

impl Decoder {
    /// A decoder for sources, each with its files as (name in results, path or `-`).
    pub fn new(sources: Vec<(String, Vec<(String, String)>)>, detail: Detail, hash: bool) -> Self {
        let mut waiting = VecDeque::new();
        for (source, files) in sources {
            let count = files.len();
            for (index, (name, path)) in files.into_iter().enumerate() {
                let last_of_source = index + 1 == count;
                waiting.push_back(Input { source: source.clone(), name, path, last_of_source });
            }
        }
        Decoder {
            engine: Engine::new(detail),
            waiting,
            open: None,
            coverage: Table::default(),
            hash,
            threads: 1,
            packets: 0,
            bytes_done: 0,
        }
    }

    /// The same with at most so many threads. With two, one reads, hashes and unpacks, and one decodes; the results
    /// are the same.
    #[must_use]
    pub fn with_threads(self, threads: usize) -> Self {
        Decoder { threads, ..self }
    }

    /// Packets read so far.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Octets of the inputs read so far, as stored.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_done + self.open.as_ref().map_or(0, |open| open.reader.bytes_read())
    }

    /// Rows of a table of [`TABLES`] made since they were last taken; none where there is no such table.
    ///
    /// # Errors
    /// Where the columns contradict each other: a mistake of the row type.
    pub fn take(&mut self, table: &str) -> Result<Option<RecordBatch>, ArrowError> {
        take(table, &mut self.engine, &mut self.coverage)
    }

    /// Decodes up to so many packets, fewer where they made many rows; false when nothing is left.
    pub fn advance(&mut self, packets: u64) -> bool {
        let (mut left, before) = (packets.max(1), self.engine.rows());
        while left > 0 && self.engine.rows().saturating_sub(before) < MANY_ROWS {
            if self.open.is_none() {
                let Some(input) = self.waiting.pop_front() else { return false };
                self.start(input);
                continue;
            }
            let (taken, end) = self.take_packets(left.min(PORTION));
            self.packets += taken;
            left -= taken;
            if let Some(end) = end {
                self.finish(end);
            }
        }
        true
    }

    /// Takes up to so many packets of the open input: how many there were, and how it ended, if it did.
    fn take_packets(&mut self, most: u64) -> (u64, Option<Option<CaptureError>>) {
        let Decoder { engine, open: Some(Open { reader, frame, .. }), .. } = self else { return (0, Some(None)) };
        for taken in 0..most {
            match reader.next_packet() {
                Ok(Some(packet)) => {
                    *frame += 1;
                    engine.packet(&packet, *frame);
                }
                Ok(None) => return (taken, Some(None)),
                Err(error) => return (taken, Some(Some(error))),
            }
        }
        (most, None)
    }

    fn start(&mut self, input: Input) {
        self.engine.start_capture(&input.source, &input.name);
        let reader = match input.path.as_str() {
            "-" => Reader::from_read(Box::new(std::io::stdin()), self.hash),
            path => Reader::open(Path::new(path), self.hash),
        };
        let reader = if self.threads > 1 { reader.map(Reader::ahead) } else { reader };
        match reader {
            Ok(reader) => self.open = Some(Open { input, reader, frame: 0 }),
            Err(error) => {
                let told = Told { status: "unreadable", problem: error.to_string(), ..Told::default() };
                self.close(&input, told);
            }
        }
    }

    fn finish(&mut self, error: Option<CaptureError>) {
        let Some(Open { input, reader, .. }) = self.open.take() else { return };
        self.bytes_done += reader.bytes_read();
        let told = Told {
            format: reader.format().to_string(),
            untimed: reader.untimed_packets(),
            drops: reader.reported_drops(),
            ..Told::default()
        };
        let (sha256, unread) = match reader.finish_hash() {
            Ok(Some(hash)) => (hash.iter().map(|octet| format!("{octet:02x}")).collect(), None),
            Ok(None) => (String::new(), None),
            Err(error) => (String::new(), Some(error)),
        };
        match error.or(unread) {
            None => self.close(&input, Told { sha256, status: "whole", ..told }),
            Some(error) => {
                self.close(&input, Told { sha256, status: "partial", problem: error.to_string(), ..told });
            }
        }
    }

    fn close(&mut self, input: &Input, told: Told) {
        if input.last_of_source {
            self.engine.finish_source();
        }
        let mut coverage = self.engine.finish_capture();
        coverage.status = self.engine.dictionaries().names.fixed(told.status);
        let Told { format, sha256, problem, untimed: untimed_packets, drops: reported_drops, .. } = told;
        self.coverage.push(rows::Coverage { format, sha256, problem, untimed_packets, reported_drops, ..coverage });
    }
}
