//! Where those who capture leave packets for the one who decodes. Nobody who captures ever waits here.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::class::{Class, Conversations, look};
use crate::capture::Packet;

/// Octets of packets that are handed over together, about.
pub const BATCH: usize = 1 << 18;
/// Batches that are kept for reuse.
const SPARE: usize = 16;

/// A packet of a batch.
#[derive(Clone, Copy, Debug)]
struct Record {
    time_ns: i64,
    start: u32,
    length: u32,
    original_length: u32,
    interface: u32,
    link_type: u16,
    fcs_octets: Option<u8>,
}

/// Packets one after the other, in the order captured.
#[derive(Debug)]
pub struct Batch {
    octets: Vec<u8>,
    records: Vec<Record>,
    /// When it was handed over.
    pub arrived: Instant,
}

impl Default for Batch {
    fn default() -> Self {
        Batch { octets: Vec::new(), records: Vec::new(), arrived: Instant::now() }
    }
}

impl Batch {
    /// Adds a packet whose octets are those parts, one behind the other.
    pub fn add(&mut self, packet: &Packet<'_>, parts: [&[u8]; 3]) {
        let start = self.octets.len();
        parts.iter().for_each(|part| self.octets.extend_from_slice(part));
        let &Packet { time_ns, original_length, interface, link_type, fcs_octets, .. } = packet;
        let length = (self.octets.len() - start) as u32;
        let start = start as u32;
        self.records.push(Record { time_ns, start, length, original_length, interface, link_type, fcs_octets });
    }

    /// Packets.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// True where there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// What it takes in the queue.
    pub fn size(&self) -> usize {
        self.octets.len() + self.records.len() * size_of::<Record>()
    }

    /// Time of a packet.
    pub fn time(&self, number: usize) -> Option<i64> {
        self.records.get(number).map(|record| record.time_ns)
    }

    /// A packet.
    pub fn packet(&self, number: usize) -> Option<Packet<'_>> {
        let &Record { time_ns, start, length, original_length, interface, link_type, fcs_octets } =
            self.records.get(number)?;
        let data = self.octets.get(start as usize..start as usize + length as usize)?;
        Some(Packet { time_ns, link_type, original_length, data, interface, fcs_octets })
    }
}

/// Packets and octets.
#[derive(Debug, Default)]
pub struct Count {
    /// Packets.
    pub packets: AtomicU64,
    /// Octets.
    pub octets: AtomicU64,
}

impl Count {
    fn add(&self, octets: usize) {
        self.packets.fetch_add(1, Relaxed);
        self.octets.fetch_add(octets as u64, Relaxed);
    }

    /// Both as numbers.
    pub fn get(&self) -> [u64; 2] {
        [self.packets.load(Relaxed), self.octets.load(Relaxed)]
    }
}

/// How an interface is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It captures.
    #[default]
    Up,
    /// It is down.
    Down,
    /// There is no such interface any longer; of a file, it was read to its end.
    Gone,
}

impl State {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            State::Up => "up",
            State::Down => "down",
            State::Gone => "gone",
        }
    }
}

/// What is known of one interface.
#[derive(Debug, Default)]
pub struct Interface {
    /// Its name when it was opened.
    pub name: String,
    /// How it is, and its name now where that is another.
    pub now: Mutex<(State, String)>,
    /// Times that it stopped capturing.
    pub outages: AtomicU64,
    /// Packets that came out of its rings.
    pub captured: Count,
    /// Packets that the kernel had no room for.
    pub drops: AtomicU64,
    /// Times that the kernel found all rings of a socket full.
    pub freezes: AtomicU64,
    /// Why it ended early, where it is a file.
    pub problem: Mutex<String>,
}

impl Interface {
    /// An interface of that name.
    pub fn named(name: &str) -> Self {
        Interface { name: name.to_owned(), ..Interface::default() }
    }

    /// It is so now.
    pub fn is(&self, state: State, name: Option<String>) {
        let mut now = locked(&self.now);
        if now.0 == State::Up && state != State::Up {
            self.outages.fetch_add(1, Relaxed);
        }
        *now = (state, name.filter(|name| *name != self.name).unwrap_or_default());
    }

    /// How it is.
    pub fn state(&self) -> State {
        locked(&self.now).0
    }
}

/// Batches that wait, by lane: a lane's are in order.
#[derive(Default)]
struct Waiting {
    lanes: Vec<VecDeque<Batch>>,
    ended: Vec<bool>,
}

/// The place where packets are left and fetched.
pub struct Hub {
    waiting: Mutex<Waiting>,
    came: Condvar,
    went: Condvar,
    /// Counts every change of what waits.
    changes: AtomicU64,
    /// Octets that wait, and those being decoded.
    octets: AtomicUsize,
    most_octets: usize,
    spare: Mutex<Vec<Batch>>,
    is_over: AtomicBool,
    /// What the engine knows.
    pub conversations: Conversations,
    /// What was given up, in the order of [`Class::ALL`].
    pub shed: [Count; 4],
    /// What the packets come from.
    pub interfaces: Vec<Interface>,
    /// What was decoded.
    pub decoded: Count,
    /// Packets that came later than the ones before them can be held.
    pub late: AtomicU64,
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// A hub where so many octets may wait, with lanes for those who capture.
    pub fn new(interfaces: Vec<Interface>, lanes: usize, most_octets: usize) -> Self {
        let waiting = Waiting { lanes: (0..lanes).map(|_| VecDeque::new()).collect(), ended: vec![false; lanes] };
        Hub {
            waiting: Mutex::new(waiting),
            came: Condvar::new(),
            went: Condvar::new(),
            changes: AtomicU64::new(0),
            octets: AtomicUsize::new(0),
            most_octets: most_octets.max(1),
            spare: Mutex::default(),
            is_over: AtomicBool::new(false),
            conversations: Conversations::default(),
            shed: Default::default(),
            interfaces,
            decoded: Count::default(),
            late: AtomicU64::new(0),
        }
    }

    /// Lanes.
    pub fn lanes(&self) -> usize {
        locked(&self.waiting).lanes.len()
    }

    /// Octets that wait.
    pub fn octets(&self) -> usize {
        self.octets.load(Relaxed)
    }

    /// How full it is, in hundredths.
    pub fn fill(&self) -> usize {
        self.octets() * 100 / self.most_octets
    }

    /// Adds a packet of an interface to a batch, or what the fill of the hub leaves of it. Its octets are those parts, one
    /// behind the other; a tag of four octets may be between the two others.
    pub fn admit(&self, batch: &mut Batch, packet: &Packet<'_>, parts: [&[u8]; 3], fill: usize) {
        if let Some(interface) = self.interfaces.get(packet.interface as usize) {
            interface.captured.add(packet.original_length as usize);
        }
        if fill < Class::Payload.given_up_at() {
            return batch.add(packet, parts);
        }
        let before = batch.octets.len();
        batch.add(packet, parts);
        let look = look(packet.link_type, &batch.octets[before..], &self.conversations);
        let is_given_up = |class: Class| fill >= class.given_up_at();
        let whole = if look.class == Class::Payload { Class::Session } else { look.class };
        if is_given_up(whole) {
            self.shed[whole as usize].add(packet.original_length as usize);
            batch.octets.truncate(before);
            batch.records.pop();
        } else if look.class == Class::Payload {
            let lost = batch.octets.len() - before - look.headers;
            self.shed[Class::Payload as usize].add(lost);
            batch.octets.truncate(before + look.headers);
            if let Some(record) = batch.records.last_mut() {
                record.length = look.headers as u32;
            }
        }
    }

    /// An empty batch.
    pub fn batch(&self) -> Batch {
        locked(&self.spare).pop().unwrap_or_default()
    }

    /// Gives a batch back that was decoded.
    pub fn done(&self, mut batch: Batch) {
        self.octets.fetch_sub(batch.size(), Relaxed);
        batch.octets.clear();
        batch.records.clear();
        let mut spare = locked(&self.spare);
        if spare.len() < SPARE {
            spare.push(batch);
        }
        drop(spare);
        self.went.notify_all();
    }

    /// Leaves a batch in a lane.
    pub fn push(&self, lane: usize, mut batch: Batch) {
        batch.arrived = Instant::now();
        self.octets.fetch_add(batch.size(), Relaxed);
        let mut waiting = locked(&self.waiting);
        if let Some(lane) = waiting.lanes.get_mut(lane) {
            lane.push_back(batch);
        }
        self.changed(waiting);
    }

    /// A lane gets no more.
    pub fn end(&self, lane: usize) {
        let mut waiting = locked(&self.waiting);
        if let Some(ended) = waiting.ended.get_mut(lane) {
            *ended = true;
        }
        self.changed(waiting);
    }

    fn changed(&self, waiting: MutexGuard<'_, Waiting>) {
        self.changes.fetch_add(1, Relaxed);
        drop(waiting);
        self.came.notify_all();
    }

    /// Number of the last change.
    pub fn changes(&self) -> u64 {
        self.changes.load(Relaxed)
    }

    /// Fetches the next batch of a lane; says whether the lane has ended where there is none.
    pub fn pop(&self, lane: usize) -> Result<Batch, bool> {
        let mut waiting = locked(&self.waiting);
        let ended = waiting.ended.get(lane).copied().unwrap_or(true);
        waiting.lanes.get_mut(lane).and_then(VecDeque::pop_front).ok_or(ended)
    }

    /// Waits for a change beyond that one, at most so long.
    pub fn wait(&self, seen: u64, most: Duration) {
        let waiting = locked(&self.waiting);
        let unchanged = |_: &mut Waiting| self.changes() == seen;
        drop(self.came.wait_timeout_while(waiting, most, unchanged));
    }

    /// Waits until there is room: for who reads files, of which nothing may be lost.
    pub fn wait_for_room(&self) {
        let waiting = locked(&self.waiting);
        let is_full = |_: &mut Waiting| self.octets() >= self.most_octets && !self.is_over();
        let step = Duration::from_millis(100);
        drop(self.went.wait_timeout_while(waiting, step, is_full));
    }

    /// Tells those who capture to end.
    pub fn stop(&self) {
        self.is_over.store(true, Relaxed);
        self.went.notify_all();
    }

    /// True where they shall end.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: [u8; 12] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];

    fn tcp(port: u16) -> Vec<u8> {
        let ip = [0x45, 0, 0, 50, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        let [high, low] = port.to_be_bytes();
        let tcp = [0xc0, 0, high, low, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0x20, 0, 0, 0, 0, 0];
        [&LINK[..], &[8, 0], &ip, &tcp, &[7; 10]].concat()
    }

    #[test]
    fn what_is_given_up_first_is_said_by_the_class_and_counted() {
        let packets = [tcp(443), tcp(502), [&LINK[..], &[8, 6, 0, 1]].concat()];
        let headers = 54_u32;
        // How full the hub is, what is left of each packet, packets given up of each class.
        for (fill, left, shed) in [
            (24, vec![64, 64, 16], [0, 0, 0, 0]),
            (25, vec![headers, 64, 16], [1, 0, 0, 0]),
            (40, vec![64, 16], [0, 1, 0, 0]),
            (60, vec![64], [0, 1, 1, 0]),
            (99, vec![64], [0, 1, 1, 0]),
            (100, vec![], [0, 1, 1, 1]),
        ] {
            let hub = Hub::new(vec![Interface::named("one")], 1, 1_000);
            let mut batch = hub.batch();
            for data in &packets {
                let original_length = data.len() as u32;
                let packet =
                    Packet { time_ns: 5, link_type: 1, original_length, data: &[], interface: 0, fcs_octets: None };
                hub.admit(&mut batch, &packet, [data, &[], &[]], fill);
            }
            let lengths: Vec<u32> =
                (0..batch.len()).filter_map(|number| Some(batch.packet(number)?.data.len() as u32)).collect();
            assert_eq!(lengths, left, "{fill}");
            assert_eq!(hub.shed.each_ref().map(|count| count.get()[0]), shed, "{fill}");
            assert_eq!(hub.interfaces[0].captured.get(), [3, 144], "{fill}");
            let octets: usize = lengths.iter().map(|length| *length as usize).sum();
            assert_eq!(batch.octets.len(), octets, "nothing is left behind of what was given up");
        }
    }

    #[test]
    fn outages_are_counted_once_each() {
        let interface = Interface::named("eth1");
        for (state, name, outages, told) in [
            (State::Up, "eth1", 0, ""),
            (State::Down, "eth1", 1, ""),
            (State::Gone, "", 1, ""),
            (State::Up, "lan1", 1, "lan1"),
            (State::Gone, "", 2, ""),
        ] {
            interface.is(state, Some(name.to_owned()));
            assert_eq!(interface.outages.load(Relaxed), outages);
            assert_eq!(*locked(&interface.now), (state, told.to_owned()));
        }
    }
}
