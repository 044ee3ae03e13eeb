//! One conversation: its ends, where it stands, and the packets that wait to be written.

use std::ops::Range;

use super::wire::{self, ACK, FIN, Host, PSH, SYN, Segment, Side};

/// Octets of a full segment.
const SEGMENT: usize = 1_460;
/// Random octets that ciphertext and files are cut from.
const NOISE: usize = 1 << 17;
/// From the data's way through a card to the next packet, in microseconds.
const NEXT: u64 = 12;

/// Numbers that are the same each time (Steele, Lea and Flood: SplitMix64).
pub struct Random {
    state: u64,
    noise: Vec<u8>,
}

impl Random {
    /// A sequence of its own for each seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Random { state: seed, noise: Vec::new() };
        random.noise = (0..NOISE / 8).flat_map(|_| random.next().to_be_bytes()).collect();
        random
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ self.state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number of a range.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.next() % (range.end - range.start)
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.next() % times == 0
    }

    /// Appends so many random octets.
    pub fn fill(&mut self, out: &mut Vec<u8>, mut octets: usize) {
        while octets > 0 {
            let from = self.next() as usize % (NOISE / 2);
            let part = octets.min(NOISE / 2);
            out.extend_from_slice(&self.noise[from..from + part]);
            octets -= part;
        }
    }
}

/// A packet that waits: its time in microseconds, and where its octets are.
struct Waiting {
    time: u64,
    octets: Range<usize>,
}

/// One conversation. A round of it adds packets; when all are written, the next round comes.
pub struct Talk {
    /// Its number among those of its kind.
    pub index: u64,
    /// Client and server.
    pub hosts: [Host; 2],
    /// Their ports.
    pub ports: [u16; 2],
    /// Its VLAN.
    pub vlan: Option<u16>,
    /// Rounds so far.
    pub round: u64,
    /// Rounds that it has, of those that otherwise never end.
    pub life: u64,
    /// Conversations before it in this place.
    pub generation: u64,
    /// True where the round was the last.
    pub is_over: bool,
    /// In microseconds.
    pub clock: u64,
    /// Where objects and registers have moved to, in captures where new ones keep appearing.
    pub moved: u64,
    sequence: [u32; 2],
    id: [u16; 2],
    octets: Vec<u8>,
    waiting: Vec<Waiting>,
    written: usize,
}

impl Talk {
    /// A conversation that starts at a time.
    pub fn new(index: u64, hosts: [Host; 2], ports: [u16; 2], vlan: Option<u16>, clock: u64) -> Self {
        Talk {
            index,
            hosts,
            ports,
            vlan,
            round: 0,
            life: u64::MAX,
            generation: 0,
            is_over: false,
            clock,
            moved: 0,
            sequence: [1_000, 70_000],
            id: [index as u16, !index as u16],
            octets: Vec::new(),
            waiting: Vec::new(),
            written: 0,
        }
    }

    /// Time and octets of the next packet, where one waits.
    pub fn next(&mut self) -> Option<(u64, &[u8])> {
        let Waiting { time, octets } = self.waiting.get(self.written)?;
        self.written += 1;
        Some((*time, &self.octets[octets.clone()]))
    }

    /// The time of the next packet, where one waits.
    pub fn next_time(&self) -> Option<u64> {
        Some(self.waiting.get(self.written)?.time)
    }

    /// Room for the next round.
    pub fn clear(&mut self) {
        self.octets.clear();
        self.waiting.clear();
        self.written = 0;
    }

    /// Nothing happens for so many microseconds.
    pub fn wait(&mut self, microseconds: u64) {
        self.clock += microseconds;
    }

    /// Another conversation in its place, from the next port (RFC 6335, 6) where client and server differ.
    pub fn renew(&mut self, hosts: [Host; 2], vlan: Option<u16>) {
        (self.hosts, self.vlan) = (hosts, vlan);
        (self.round, self.is_over) = (0, false);
        if self.ports[0] != self.ports[1] {
            self.ports[0] = 49_152 + self.ports[0].wrapping_add(7) % 16_384;
        }
        self.sequence = self.sequence.map(|sequence| sequence.wrapping_mul(69_069).wrapping_add(1));
    }

    fn push(&mut self, write: impl FnOnce(&mut Self, &mut Vec<u8>)) {
        let mut octets = std::mem::take(&mut self.octets);
        let at = octets.len();
        write(self, &mut octets);
        // A frame is filled up to the least that Ethernet carries (IEEE 802.3, 4.2.3.3), without its check sequence.
        octets.resize(octets.len().max(at + 60), 0);
        self.waiting.push(Waiting { time: self.clock, octets: at..octets.len() });
        self.octets = octets;
        self.clock += NEXT;
    }

    fn ends(&self, from: Side) -> ([Host; 2], [u16; 2]) {
        let ([client, server], [asking, asked]) = (self.hosts, self.ports);
        match from {
            Side::Client => ([client, server], [asking, asked]),
            Side::Server => ([server, client], [asked, asking]),
        }
    }

    /// The next identification of a sender's packets.
    fn next_id(&mut self, from: Side) -> u16 {
        let id = &mut self.id[from as usize];
        *id = id.wrapping_add(1);
        *id
    }

    fn segment(&mut self, from: Side, flags: u8, payload: &[u8]) {
        self.push(|talk, out| {
            let (hosts, ports) = talk.ends(from);
            let (sequence, acknowledgement) = (talk.sequence[from as usize], talk.sequence[1 - from as usize]);
            let acknowledgement = if flags & ACK != 0 { acknowledgement } else { 0 };
            let segment = Segment { ports, sequence, acknowledgement, flags, id: talk.next_id(from) };
            wire::tcp(out, &hosts[0], &hosts[1], talk.vlan, &segment, payload);
            let taken = payload.len() as u32 + u32::from(flags & (SYN | FIN) != 0);
            talk.sequence[from as usize] = sequence.wrapping_add(taken);
        });
    }

    /// A connection is opened.
    pub fn open(&mut self) {
        self.segment(Side::Client, SYN, &[]);
        self.wait(150);
        self.segment(Side::Server, SYN | ACK, &[]);
        self.wait(60);
        self.segment(Side::Client, ACK, &[]);
    }

    /// A connection is closed.
    pub fn close(&mut self) {
        for (from, flags) in [(Side::Client, FIN | ACK), (Side::Server, FIN | ACK), (Side::Client, ACK)] {
            self.segment(from, flags, &[]);
            self.wait(100);
        }
    }

    /// Octets of a connection, in full segments; every second one is acknowledged (RFC 9293, 3.8.6.3).
    pub fn tcp(&mut self, from: Side, octets: &[u8]) {
        let back = if from == Side::Client { Side::Server } else { Side::Client };
        let segments = octets.len().div_ceil(SEGMENT);
        for (number, part) in octets.chunks(SEGMENT).enumerate() {
            let is_last = number + 1 == segments;
            self.segment(from, if is_last { PSH | ACK } else { ACK }, part);
            if number % 2 == 1 && !is_last {
                self.segment(back, ACK, &[]);
            }
        }
    }

    /// A datagram.
    pub fn udp(&mut self, from: Side, octets: &[u8]) {
        self.push(|talk, out| {
            let (hosts, ports) = talk.ends(from);
            let id = talk.next_id(from);
            wire::udp(out, &hosts[0], &hosts[1], talk.vlan, ports, id, octets);
        });
    }

    /// A datagram of the client to everybody, on the server's port.
    pub fn broadcast(&mut self, octets: &[u8]) {
        self.push(|talk, out| {
            let (client, port) = (talk.hosts[0], talk.ports[1]);
            let id = talk.next_id(Side::Client);
            wire::udp(out, &client, &client.broadcast(), talk.vlan, [port, port], id, octets);
        });
    }

    /// The client asks for the server's MAC address, or the server tells it.
    pub fn neighbour(&mut self, from: Side) {
        self.push(|talk, out| {
            let (hosts, _) = talk.ends(from);
            wire::neighbour(out, &hosts[0], &hosts[1], talk.vlan, from == Side::Server);
        });
    }
}
