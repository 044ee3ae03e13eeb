//! Live capture: packets of interfaces as they come, through the engine, with rows at any time.
//!
//! A thread for each socket ([`reader`]) copies what the kernel left in its ring into the [`hub`], and gives up by class
//! ([`class`]) what does not fit. Who calls [`Live::advance`] decodes: packets of all sockets in the order of their times
//! ([`merge`]). The last packets stay in memory ([`recent`]).

mod class;
mod hub;
mod merge;
#[cfg(feature = "extension-module")]
pub(crate) mod python;
#[cfg(target_os = "linux")]
mod reader;
mod recent;
mod replay;
#[cfg(target_os = "linux")]
mod ring;
#[cfg(target_os = "linux")]
mod system;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "extension-module"))]
mod turns;

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;
use thiserror::Error;

use crate::columns::{Table, rows};
use crate::decoder::{self, TABLES};
use crate::engine::Engine;
use crate::extract::{self, MiniCapture, Wanted};
use crate::sinks::Detail;
pub use class::Class;
pub use hub::State;
use hub::{Hub, Interface, locked};
use merge::{Merge, Next};
use recent::Recent;

/// Packets that are decoded between two looks at the clock.
const PORTION: usize = 256;
/// Rows after which they are to be taken.
const MANY_ROWS: usize = 65_536;

/// How much of everything there is.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Octets of all rings together; as many more may wait behind them.
    pub ring_octets: usize,
    /// Sockets for each interface.
    pub threads: usize,
    /// Octets of a packet that are captured.
    pub snap_length: u32,
    /// Octets of the last packets that are remembered.
    pub most_remembered_octets: usize,
    /// What is kept.
    pub detail: Detail,
}

/// Why an interface cannot be captured.
#[derive(Debug, Error)]
#[error("{interface}: {what}")]
pub struct OpenError {
    /// Its name.
    pub interface: String,
    /// The system's number of the error; 0 where it has none.
    pub number: i32,
    /// What is missing.
    pub what: String,
}

/// What was lost so far, to tell what a capture lost from what was lost before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Losses {
    drops: u64,
    /// Packets, in the order of [`Class::ALL`].
    shed: [u64; 4],
    outages: Vec<u64>,
}

/// Rows that were made and not taken, by table in the order of [`TABLES`].
type Untaken = [Vec<RecordBatch>; TABLES.len()];

/// A capture point that is listened to.
pub struct Live {
    engine: Engine,
    hub: Arc<Hub>,
    merge: Merge,
    threads: Vec<JoinHandle<()>>,
    descriptors: Vec<i32>,
    recent: Recent,
    source: String,
    capture: String,
    detail: Detail,
    /// Frames of the present capture.
    frame: u64,
    coverage: Table<rows::Coverage>,
    untaken: Untaken,
    before: Losses,
    is_over: bool,
}

impl Live {
    /// Captures interfaces as one source; the capture has a name as a file would.
    ///
    /// # Errors
    /// The first interface that cannot be captured, and why.
    #[cfg(target_os = "linux")]
    pub fn open(source: &str, capture: &str, interfaces: &[String], settings: &Settings) -> Result<Self, OpenError> {
        let readers = reader::open(interfaces, settings)?;
        let named = interfaces.iter().map(|name| Interface::named(name)).collect();
        let mut live =
            Live::over(Hub::new(named, readers.len(), settings.ring_octets), source, capture, settings, true);
        live.descriptors = readers.iter().map(reader::Reader::descriptor).collect();
        let dropped = Arc::new(std::sync::Barrier::new(readers.len() + 1));
        for reader in readers {
            let (hub, dropped) = (Arc::clone(&live.hub), Arc::clone(&dropped));
            live.threads.push(std::thread::spawn(move || {
                // Its socket is open, and capabilities are a thread's own. Who confines the process tells what is left.
                let _ = crate::confine::hold_capabilities(&[]);
                dropped.wait();
                reader.run(&hub);
            }));
        }
        dropped.wait();
        Ok(live)
    }

    /// Tells that it needs Linux.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(target_os = "linux"))]
    pub fn open(_: &str, _: &str, interfaces: &[String], _: &Settings) -> Result<Self, OpenError> {
        let interface = interfaces.first().cloned().unwrap_or_default();
        Err(OpenError { interface, number: 0, what: "live capture needs Linux".to_owned() })
    }

    /// Takes capture files in the place of interfaces: their packets in the order of their times, none is given up.
    pub fn replay(source: &str, capture: &str, files: &[String], settings: &Settings) -> Self {
        let named = files.iter().map(|name| Interface::named(name)).collect();
        let mut live = Live::over(Hub::new(named, files.len(), settings.ring_octets), source, capture, settings, false);
        for (lane, file) in files.iter().cloned().enumerate() {
            let hub = Arc::clone(&live.hub);
            live.threads.push(std::thread::spawn(move || replay::run(&file, lane, &hub)));
        }
        live
    }

    /// Takes what is left in a hub. Where it is `bounded`, packets wait for earlier ones only so long.
    fn over(hub: Hub, source: &str, capture: &str, settings: &Settings, bounded: bool) -> Self {
        let mut live = Live {
            engine: Engine::new(settings.detail),
            merge: Merge::new(hub.lanes(), bounded),
            hub: Arc::new(hub),
            threads: Vec::new(),
            descriptors: Vec::new(),
            recent: Recent::new(settings.most_remembered_octets),
            source: source.to_owned(),
            capture: String::new(),
            detail: settings.detail,
            frame: 0,
            coverage: Table::default(),
            untaken: Untaken::default(),
            before: Losses::default(),
            is_over: false,
        };
        live.start(capture);
        live
    }

    fn start(&mut self, capture: &str) {
        self.engine = Engine::new(self.detail);
        self.engine.tells_control();
        self.engine.start_capture(&self.source, capture);
        capture.clone_into(&mut self.capture);
        self.frame = 0;
        self.recent.clear();
        self.before = self.losses();
    }

    /// Decodes what has come and what comes, for so long; less where many rows were made. False where nothing more will
    /// come.
    pub fn advance(&mut self, most: Duration) -> bool {
        let (end, rows) = (Instant::now() + most, self.engine.rows());
        while self.engine.rows().saturating_sub(rows) < MANY_ROWS {
            let (seen, now) = (self.hub.changes(), Instant::now());
            match self.portion(now) {
                Next::End => return false,
                _ if now >= end => return true,
                Next::More => {}
                // What is held back is looked at again before its time is over.
                Next::Wait => self.hub.wait(seen, (end - now).min(merge::HOLD / 4)),
            }
        }
        true
    }

    /// Decodes a few packets.
    fn portion(&mut self, now: Instant) -> Next {
        let Live { engine, hub, merge, recent, frame, is_over, .. } = self;
        if *is_over {
            return Next::End;
        }
        let (mut packets, mut octets) = (0, 0);
        let next = merge.give(hub, PORTION, now, &mut |packet| {
            *frame += 1;
            packets += 1;
            octets += u64::from(packet.original_length);
            engine.packet(packet, *frame);
            recent.add(*frame, packet);
        });
        hub.decoded.packets.fetch_add(packets, Relaxed);
        hub.decoded.octets.fetch_add(octets, Relaxed);
        for key in engine.control() {
            hub.conversations.add(&key);
        }
        next
    }

    /// Rows of a table that were made since they were last taken; none where there is no such table.
    ///
    /// # Errors
    /// Where the columns contradict each other: a mistake of the row type.
    pub fn take(&mut self, table: &str) -> Result<Option<Vec<RecordBatch>>, ArrowError> {
        let Some(place) = TABLES.iter().position(|name| *name == table) else { return Ok(None) };
        let mut batches = std::mem::take(&mut self.untaken[place]);
        batches.extend(decoder::take(table, &mut self.engine, &mut self.coverage)?);
        Ok(Some(batches))
    }

    /// Everything that is not taken yet, as if the capture ended now. It changes nothing.
    ///
    /// # Errors
    /// Where the columns contradict each other: a mistake of the row type.
    pub fn snapshot(&mut self) -> Result<Snapshot, ArrowError> {
        self.put_aside()?;
        let mut engine = self.engine.clone();
        let mut coverage = Table::default();
        if !self.is_over {
            coverage.push(self.ended(&mut engine));
        }
        let mut tables = self.untaken.clone();
        for (table, batches) in TABLES.iter().zip(&mut tables) {
            batches.extend(decoder::take(table, &mut engine, &mut coverage)?);
        }
        Ok(Snapshot { tables })
    }

    /// Turns the rows made so far into columns: a copy of the engine takes none along.
    fn put_aside(&mut self) -> Result<(), ArrowError> {
        for (table, batches) in TABLES.iter().zip(&mut self.untaken) {
            let batch = decoder::take(table, &mut self.engine, &mut self.coverage)?;
            batches.extend(batch.filter(|batch| batch.num_rows() > 0));
        }
        Ok(())
    }

    /// Ends an engine's source, and says what the capture let us see.
    fn ended(&self, engine: &mut Engine) -> rows::Coverage {
        engine.finish_source();
        let coverage = engine.finish_capture();
        let lost = self.losses();
        let since = |now: u64, before: u64| now.saturating_sub(before);
        let shed = lost.shed.iter().zip(&self.before.shed).map(|(now, before)| since(*now, *before));
        let shed: Vec<u64> = shed.collect();
        let whole: u64 =
            Class::ALL.iter().zip(&shed).filter(|(class, _)| **class != Class::Payload).map(|(_, n)| n).sum();
        let problem = self.problem(&lost, &shed);
        let status = if problem.is_empty() { "whole" } else { "partial" };
        rows::Coverage {
            format: "live".to_owned(),
            status: engine.dictionaries().names.fixed(status),
            problem,
            reported_drops: Some(since(lost.drops, self.before.drops) + whole),
            ..coverage
        }
    }

    fn problem(&self, lost: &Losses, shed: &[u64]) -> String {
        let mut said = Vec::new();
        for (number, interface) in self.hub.interfaces.iter().enumerate() {
            let before = self.before.outages.get(number).copied().unwrap_or_default();
            let outages = lost.outages.get(number).map_or(0, |now| now.saturating_sub(before));
            let state = interface.state();
            let problem = locked(&interface.problem).clone();
            if !problem.is_empty() {
                said.push(format!("{}: {problem}", interface.name));
            } else if outages > 0 || state == State::Down {
                let mut text = format!("{} stopped capturing {outages} times", interface.name);
                if state != State::Up {
                    let _ = write!(text, " and is {}", state.name());
                }
                said.push(text);
            }
        }
        let given_up = |(class, packets): (&Class, &u64)| match class {
            Class::Payload => format!("{packets} cut to their headers"),
            class => format!("{packets} of {}", class.name()),
        };
        let given_up: Vec<String> =
            Class::ALL.iter().zip(shed).filter(|(_, packets)| **packets > 0).map(given_up).collect();
        if !given_up.is_empty() {
            said.push(format!("more packets came than could be decoded; given up: {}", given_up.join(", ")));
        }
        said.join("; ")
    }

    fn losses(&self) -> Losses {
        let interfaces = &self.hub.interfaces;
        Losses {
            drops: interfaces.iter().map(|interface| interface.drops.load(Relaxed)).sum(),
            shed: self.hub.shed.each_ref().map(|count| count.get()[0]),
            outages: interfaces.iter().map(|interface| interface.outages.load(Relaxed)).collect(),
        }
    }

    /// Ends the present capture, so that its last rows can be taken, and begins another one: frames count anew, nothing of
    /// what was known is left, and the packets of the one before are forgotten.
    ///
    /// # Errors
    /// Where the columns contradict each other: a mistake of the row type.
    pub fn turn(&mut self, capture: &str) -> Result<(), ArrowError> {
        if !self.is_over {
            self.end_capture();
            self.put_aside()?;
            self.start(capture);
        }
        Ok(())
    }

    fn end_capture(&mut self) {
        let mut engine = std::mem::replace(&mut self.engine, Engine::new(self.detail));
        let coverage = self.ended(&mut engine);
        self.coverage.push(coverage);
        self.engine = engine;
    }

    /// Ends: those who capture stop, what they left is decoded, the last rows can be taken.
    pub fn close(&mut self) {
        if self.is_over {
            return;
        }
        self.hub.stop();
        // Whoever reads files may wait for room until the first is told that it is over.
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
        while self.portion(Instant::now() + merge::HOLD * 2) == Next::More {}
        self.end_capture();
        self.is_over = true;
    }

    /// Mini captures of packets of the present capture. Those that are no longer remembered are counted as left out.
    pub fn packets(&self, wanted: Vec<Wanted>, captures: usize, most_octets: usize) -> Vec<MiniCapture> {
        extract::at_hand(&self.source, &self.capture, wanted, captures, most_octets, |frame| self.recent.get(frame))
    }

    /// Numbers of the sockets in this process: for who confines it.
    pub fn descriptors(&self) -> &[i32] {
        &self.descriptors
    }

    /// Octets that remembered packets take.
    pub fn remembered(&self) -> usize {
        self.recent.octets()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.hub.stop();
    }
}

/// Rows as if the capture had ended.
pub struct Snapshot {
    tables: Untaken,
}

impl Snapshot {
    /// Rows of a table; none where there is no such table.
    pub fn take(&self, table: &str) -> Option<Vec<RecordBatch>> {
        TABLES.iter().zip(&self.tables).find(|(name, _)| **name == table).map(|(_, batches)| batches.clone())
    }
}
