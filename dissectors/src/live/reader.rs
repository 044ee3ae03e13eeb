//! One thread for each socket: blocks of its ring into the hub, and a look at the interface from time to time.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::hub::{BATCH, Hub, State};
use super::ring::frames;
use super::system::{Ring, Socket};
use super::{OpenError, Settings};
use crate::capture::Packet;

/// A block that is not full is handed over after so many milliseconds.
const RETIRE: u32 = 20;
/// Octets of a packet that are captured at least: its headers.
const LEAST_SNAP: u32 = 64;
/// A block: room for the largest packet, few enough octets that several are in a small ring.
const BLOCK: u32 = 1 << 18;
const LEAST_BLOCKS: u32 = 4;
/// Time between two looks at counters and interface.
const LOOK: Duration = Duration::from_millis(250);
/// Milliseconds that are waited for packets.
const WAIT: i32 = 100;

/// LINKTYPE of what a packet socket gives, by the kernel's kind of link (linux/if_arp.h).
const LINKS: [(u16, u16); 7] = [
    (1, 1),        // Ethernet
    (772, 1),      // loopback: with a header of Ethernet
    (512, 9),      // PPP
    (519, 101),    // raw IP
    (65_534, 101), // none: tunnels of IP
    (801, 105),    // IEEE 802.11
    (803, 127),    // the same with radiotap
];

/// A socket that captures.
pub struct Reader {
    socket: Socket,
    ring: Ring,
    /// Number in the hub.
    interface: u32,
    lane: usize,
    index: i32,
    link_type: u16,
    octets: u32,
    is_alone: bool,
    /// The first of its interface looks at it.
    watches: bool,
}

/// Opens the sockets of all interfaces; no packet comes before the last is open.
///
/// # Errors
/// The first that cannot be opened, with what is missing.
pub fn open(interfaces: &[String], settings: &Settings) -> Result<Vec<Reader>, OpenError> {
    let mut readers = Vec::new();
    let threads = settings.threads.max(1);
    let octets = settings.ring_octets / (interfaces.len().max(1) * threads);
    let blocks = u32::try_from(octets).unwrap_or(u32::MAX) / BLOCK;
    for (number, name) in (0..).zip(interfaces) {
        let mut group = None;
        for thread in 0..threads {
            let lane = readers.len();
            let place = Place { interface: number, lane, blocks: blocks.max(LEAST_BLOCKS), is_alone: threads == 1 };
            let reader = place.open(name, settings, &mut group, thread == 0).map_err(|error| told(name, error))?;
            readers.push(reader);
        }
    }
    for reader in &readers {
        let name = interfaces.get(reader.interface as usize).map_or("", String::as_str);
        reader.socket.limit(reader.octets).map_err(|error| told(name, error))?;
    }
    Ok(readers)
}

fn told(interface: &str, error: Error) -> OpenError {
    let what = match error.raw_os_error() {
        Some(libc::ENODEV | libc::ENXIO) => "there is no such interface".to_owned(),
        Some(libc::EPERM | libc::EACCES) => "capturing needs the capability CAP_NET_RAW".to_owned(),
        Some(libc::ENETDOWN) => "the interface is down".to_owned(),
        Some(libc::ENOMEM) => "there is no memory for a ring of this size".to_owned(),
        _ => error.to_string(),
    };
    OpenError { interface: interface.to_owned(), number: error.raw_os_error().unwrap_or_default(), what }
}

struct Place {
    interface: u32,
    lane: usize,
    blocks: u32,
    is_alone: bool,
}

impl Place {
    fn open(&self, name: &str, settings: &Settings, group: &mut Option<u16>, watches: bool) -> Result<Reader, Error> {
        let &Place { interface, lane, blocks, is_alone } = self;
        let socket = Socket::new()?;
        let index = socket.index(name)?;
        let kind = socket.link(name)?;
        let link_type = LINKS.iter().find(|(known, _)| *known == kind).map(|(_, link_type)| *link_type);
        let unknown = || Error::new(ErrorKind::Unsupported, format!("its link layer ({kind}) cannot be captured"));
        let link_type = link_type.ok_or_else(unknown)?;
        if !socket.is_up(name)? {
            return Err(Error::from_raw_os_error(libc::ENETDOWN));
        }
        let ring = socket.ring(BLOCK, blocks, RETIRE)?;
        // While sockets join a group, what one of them gets another may get, too.
        socket.limit(0)?;
        socket.ignore_outgoing()?;
        socket.promiscuous(index)?;
        socket.bind(index)?;
        if !is_alone {
            *group = Some(socket.share(*group)?);
        }
        let octets = settings.snap_length.max(LEAST_SNAP);
        Ok(Reader { socket, ring, interface, lane, index, link_type, octets, is_alone, watches })
    }
}

impl Reader {
    /// Number of its socket in this process.
    pub fn descriptor(&self) -> i32 {
        self.socket.fd()
    }

    /// Captures until the hub is over.
    pub fn run(mut self, hub: &Arc<Hub>) {
        let mut looked = Instant::now();
        while !hub.is_over() {
            while self.block(hub) {
                if looked.elapsed() >= LOOK {
                    break;
                }
            }
            let wait = self.socket.wait(WAIT);
            if matches!(wait, Ok(false)) && looked.elapsed() < LOOK {
                continue;
            }
            if wait.is_err() {
                // Not to turn without end.
                std::thread::sleep(LOOK);
            }
            looked = Instant::now();
            let _ = self.socket.error();
            self.count(hub);
            self.watch(hub);
        }
        // What came before the end is in blocks that are handed over soon.
        let _ = self.socket.limit(0);
        let end = Instant::now() + Duration::from_millis(u64::from(4 * RETIRE));
        while Instant::now() < end {
            while self.block(hub) {}
            let _ = self.socket.wait(RETIRE as i32);
        }
        self.count(hub);
        hub.end(self.lane);
    }

    /// Takes the next block, if it is there.
    fn block(&mut self, hub: &Hub) -> bool {
        let Some(block) = self.ring.filled() else { return false };
        let (mut batch, fill) = (hub.batch(), hub.fill());
        for frame in frames(block) {
            let packet = Packet {
                time_ns: frame.time_ns,
                link_type: self.link_type,
                original_length: frame.original_length,
                data: &[],
                interface: self.interface,
                fcs_octets: None,
            };
            hub.admit(&mut batch, &packet, frame.parts(), fill);
            if batch.size() >= 2 * BATCH {
                hub.push(self.lane, std::mem::replace(&mut batch, hub.batch()));
            }
        }
        self.ring.release();
        if !batch.is_empty() {
            hub.push(self.lane, batch);
        }
        true
    }

    fn count(&self, hub: &Hub) {
        let (Some(interface), Ok(counted)) = (hub.interfaces.get(self.interface as usize), self.socket.statistics())
        else {
            return;
        };
        interface.drops.fetch_add(counted.drops, Relaxed);
        interface.freezes.fetch_add(counted.freezes, Relaxed);
    }

    /// How the interface is. One that comes back is bound again where no other socket shares it.
    fn watch(&mut self, hub: &Hub) {
        let Some(interface) = hub.interfaces.get(self.interface as usize).filter(|_| self.watches) else { return };
        match self.socket.name(self.index) {
            Ok(name) => {
                let is_up = self.socket.is_up(&name).unwrap_or(false);
                interface.is(if is_up { State::Up } else { State::Down }, Some(name));
            }
            Err(_) => {
                interface.is(State::Gone, None);
                let Some(index) = self.socket.index(&interface.name).ok().filter(|_| self.is_alone) else { return };
                let up = self.socket.is_up(&interface.name).unwrap_or(false);
                if up && self.socket.promiscuous(index).and_then(|()| self.socket.bind(index)).is_ok() {
                    self.index = index;
                    interface.is(State::Up, None);
                }
            }
        }
    }
}
