//! A serial line with a tap: captured records in, link frames out. LINKTYPE_RTAC_SERIAL holds no message boundaries:
//! a message may lie in several records, several in one, and noise between them. Each way has its own octets.
//!
//! A frame is found by its check sequence. DNP3's header, with its start octets and CRC, proves itself; a Modbus RTU
//! frame has 16 bits of CRC and a structure, so that the first one of a line counts once another is near, or where it
//! fills a record from its first octet to its last. Modbus ASCII has a colon, a sum and a line end. Which of two readings
//! is better borne out is told in `reading`.

use std::collections::VecDeque;

use self::reading::{Form, Here, Reading, Worth, here, rival};
use crate::net::link::{Bus, BusStation};
use crate::net::tcp::Stamp;
use crate::protocols::modbus::rtu;
use crate::protocols::modbus::shape::{Fit, Role, answers, fit, role_shown};

/// Octets of the record header: time (8), event, state of the control lines, two reserved.
pub const HEADER: usize = 12;
/// No frame is longer: DNP3's has 292 octets, Modbus' 256.
pub const MOST_OCTETS: usize = 292;
/// Octets without a frame after which a line's Modbus has to be proven again.
const NEAR: usize = 4_096;
/// Frames that speak for a way being the client's, before it is believed for frames that do not say.
const SURE: i32 = 3;
const SETTLED: i32 = 16;
/// Octets of noise that an oddity shows.
const SHOWN: usize = 4;
/// Records of one frame that are told.
const MAX_PARTS: usize = 16;
/// The highest number of a server (Serial Line V1.02, 2.2).
const MOST_UNIT: u8 = 247;

/// What a record is (LINKTYPE_RTAC_SERIAL).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// Octets that were sent (0) or received (1).
    Data(usize),
    /// Octets were lost, here or before it was captured.
    Lost(&'static str),
    /// Octets were damaged on the line.
    Damaged(&'static str),
    /// Control lines, the end of the capture, what has no meaning yet.
    Other,
}

/// Reads a record: its event and its octets; none where it is shorter than its header.
pub fn record(packet: &[u8]) -> Option<(Event, &[u8])> {
    let (header, octets) = packet.split_at_checked(HEADER)?;
    let event = match header[8] {
        // Start and end of what is sent, start and end of what is received.
        1 | 3 => Event::Data(0),
        2 | 4 => Event::Data(1),
        5 => Event::Lost("captured octets were lost"),
        10 => Event::Lost("the receiver was overrun"),
        7 => Event::Damaged("a framing error"),
        8 => Event::Damaged("a parity error"),
        _ => Event::Other,
    };
    Some((event, octets))
}

/// A frame of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its protocol.
    pub bus: Bus,
    /// Who sent it and to whom: numbers of stations.
    pub ends: [u16; 2],
    /// Its octets.
    pub octets: Vec<u8>,
    /// The record with its last octet.
    pub stamp: Stamp,
    /// Frame numbers of the records with the octets before, in order; at most 16.
    pub parts: Vec<u64>,
}

/// What a line gives, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A frame.
    Frame(Frame),
    /// Octets that are no frame: how many, the first of them, the record with the first, and what the line is.
    Noise {
        /// How many.
        octets: usize,
        /// The first of them.
        first: Vec<u8>,
        /// The record with the first.
        stamp: Stamp,
        /// What the line is, as far as frames showed it.
        bus: Option<Bus>,
    },
}

/// One way of a line.
#[derive(Clone, Debug, Default)]
struct Way {
    octets: Vec<u8>,
    /// Where records begin in the octets, in order; the first mark may lie before the octets left (at 0 then).
    marks: VecDeque<Mark>,
    /// Octets of the last record are still to come.
    is_within: bool,
    noise: usize,
    noise_shown: Vec<u8>,
    noise_stamp: Option<Stamp>,
    /// How far the frames of this way speak for its sender being the client.
    client: i32,
    frames: bool,
}

/// Octets off the start of a way.
#[derive(Clone, Debug, Default)]
struct Piece {
    octets: Vec<u8>,
    /// The records that they were in, in order.
    records: Vec<Stamp>,
}

impl Piece {
    fn frame(self, bus: Bus, ends: [u16; 2]) -> Found {
        let stamp = self.records.last().copied().unwrap_or_default();
        let before = self.records.len().saturating_sub(1);
        let parts = self.records[..before].iter().take(MAX_PARTS).map(|record| record.frame).collect();
        Found::Frame(Frame { bus, ends, octets: self.octets, stamp, parts })
    }
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    at: usize,
    /// False where octets of the record are gone.
    is_start: bool,
    stamp: Stamp,
}

/// A line.
#[derive(Clone, Debug, Default)]
pub struct Line {
    ways: [Way; 2],
    /// Octets since the last good frame, either way.
    since: usize,
    proven: bool,
    /// What the last frame showed the line to be.
    bus: Option<Bus>,
    /// A frame of Modbus that nothing bears out yet, with its way.
    pending: Option<(usize, Piece)>,
    /// The last request of Modbus while it awaits its answer: unit and PDU.
    asked: Option<Vec<u8>>,
}

impl Line {
    /// Takes the octets of a record of one way (0 or 1).
    pub fn take(&mut self, way: usize, octets: &[u8], stamp: Stamp, found: &mut Vec<Found>) {
        let way = way & 1;
        // Whoever answers has heard the end of what was said: no more of it comes.
        self.settle(1 - way, false, found);
        // Little is held beside what a frame may still need, whatever a record's length.
        for (index, part) in octets.chunks(MOST_OCTETS).enumerate() {
            let held = &mut self.ways[way];
            if index == 0 {
                held.marks.push_back(Mark { at: held.octets.len(), is_start: true, stamp });
            }
            held.octets.extend_from_slice(part);
            held.is_within = (index + 1) * MOST_OCTETS < octets.len();
            while self.step(way, true, found) {}
        }
    }

    /// Octets are missing: what is half there stays so.
    pub fn lose(&mut self, found: &mut Vec<Found>) {
        for way in [0, 1] {
            self.settle(way, true, found);
        }
        self.asked = None;
    }

    /// The line ends.
    pub fn finish(&mut self, found: &mut Vec<Found>) {
        self.lose(found);
        if let Some((way, piece)) = self.pending.take() {
            self.ways[way].pass(&piece);
        }
        for way in &mut self.ways {
            way.tell_noise(self.bus, found);
        }
    }

    /// Octets held.
    pub fn held(&self) -> usize {
        self.ways.iter().map(|way| way.octets.len()).sum()
    }

    /// Takes what is at the start of a way's octets; false where more are needed. `more`: others may follow.
    fn step(&mut self, way: usize, more: bool, found: &mut Vec<Found>) -> bool {
        let asked = self.question();
        let held = &self.ways[way];
        if held.octets.is_empty() {
            return false;
        }
        let reading = match here(&held.octets, asked, more) {
            Here::Frame(reading) => reading,
            Here::Wait(_) => return false,
            Here::Nothing => match held.whole_record() {
                // A function whose structure is not known ends where the record does, if the CRC agrees.
                Some(length) => Reading { worth: Worth::Unknown, length, is_whole: true, form: Form::Rtu },
                None => {
                    self.drop_octets(way, 1);
                    return true;
                }
            },
        };
        let fills = held.fills(reading.length);
        if !(fills && reading.worth > Worth::Forbidden) {
            match rival(&held.octets, reading.length, reading.worth, asked, more) {
                Some((at, true)) => {
                    self.drop_octets(way, at);
                    return true;
                }
                Some((_, false)) => return false,
                None => {}
            }
        }
        let held = &mut self.ways[way];
        let mut piece = held.cut(reading.length);
        match reading.form {
            Form::Dnp3(ends) => {
                self.bus = Some(Bus::Dnp3);
                held.tell_noise(self.bus, found);
                self.since = 0;
                found.push(piece.frame(Bus::Dnp3, ends));
            }
            Form::Rtu => self.modbus(way, piece, fills, found),
            Form::Ascii => {
                if let ascii::Start::Frame(_, frame) = ascii::start(&piece.octets) {
                    piece.octets = frame;
                }
                self.modbus(way, piece, true, found);
            }
        }
        true
    }

    /// The question that is open: unit and PDU. A frame that nothing bears out yet may be one.
    fn question(&self) -> Option<&[u8]> {
        let pending = self.pending.as_ref().map(|(_, piece)| &piece.octets[..piece.octets.len().saturating_sub(2)]);
        pending.filter(|octets| octets.first().is_some_and(|unit| *unit != 0)).or(self.asked.as_deref())
    }

    fn drop_octets(&mut self, way: usize, count: usize) {
        let piece = self.ways[way].cut(count);
        self.ways[way].pass(&piece);
        self.since = self.since.saturating_add(count);
    }

    /// Looks behind what waits for more octets: a whole frame there shows that nothing waits. `is_all`: no more come.
    fn settle(&mut self, way: usize, is_all: bool, found: &mut Vec<Found>) {
        while !self.ways[way].octets.is_empty() {
            let asked = self.question();
            let octets = &self.ways[way].octets;
            let held = octets.len();
            let is_frame = |at: usize| match here(&octets[at..], asked, false) {
                Here::Frame(reading) => rival(&octets[at..], reading.length, reading.worth, asked, false).is_none(),
                Here::Wait(_) | Here::Nothing => false,
            };
            let is_proven = here(octets, asked, true) == Here::Wait(true);
            let is_record = !is_proven && self.ways[way].whole_record().is_some();
            if is_proven && !is_all {
                return;
            }
            match (0..held).find(|at| is_frame(*at) || (*at == 0 && is_record)) {
                Some(0) if self.step(way, false, found) => {}
                Some(at) => self.drop_octets(way, at.max(1)),
                None if is_all => self.drop_octets(way, held),
                None => return,
            }
        }
    }

    /// A frame of Modbus; `fills` where it is a record from its first octet to its last.
    fn modbus(&mut self, way: usize, piece: Piece, fills: bool, found: &mut Vec<Found>) {
        let is_near = self.since <= NEAR;
        self.since = 0;
        let before = self.pending.take();
        if fills || (is_near && (self.proven || before.is_some())) {
            self.proven = true;
            if let Some((way, piece)) = before.filter(|_| is_near) {
                self.tell(way, piece, found);
            }
            self.tell(way, piece, found);
            return;
        }
        self.proven = false;
        if let Some((way, piece)) = before {
            self.ways[way].pass(&piece);
        }
        self.pending = Some((way, piece));
    }

    fn tell(&mut self, way: usize, piece: Piece, found: &mut Vec<Found>) {
        self.bus = Some(Bus::ModbusRtu);
        self.ways[way].tell_noise(self.bus, found);
        let octets = &piece.octets;
        let role = self.role(way, octets);
        let unit = u16::from(octets[0]);
        let ends = match role {
            Role::Request => [BusStation::CLIENT, unit],
            Role::Response => [unit, BusStation::CLIENT],
        };
        self.asked = (role == Role::Request && unit != 0).then(|| octets[..octets.len() - 2].to_vec());
        found.push(piece.frame(Bus::ModbusRtu, ends));
    }

    /// Who sent a frame: by the way, where each has one side's; else as the answer to the frame before, by its content,
    /// and where nothing tells it is a request.
    fn role(&mut self, way: usize, octets: &[u8]) -> Role {
        let (unit, pdu) = (octets[0], &octets[1..octets.len() - 2]);
        let shown = role_shown(pdu, pdu.len());
        let held = &mut self.ways[way];
        held.frames = true;
        match shown {
            Some(Role::Request) => held.client = (held.client + 1).min(SETTLED),
            Some(Role::Response) => held.client = (held.client - 1).max(-SETTLED),
            None => {}
        }
        let evidence = self.ways[way].client - self.ways[1 - way].client;
        if self.ways.iter().all(|way| way.frames) && evidence.abs() >= SURE {
            return if evidence > 0 { Role::Request } else { Role::Response };
        }
        let is_answer = |asked: &Vec<u8>| {
            asked.first() == Some(&unit)
                && answers(&asked[1..], pdu)
                && fit(Role::Response, pdu, pdu.len()) >= Fit::Open
        };
        match shown {
            _ if self.asked.as_ref().is_some_and(is_answer) => Role::Response,
            Some(role) => role,
            None => Role::Request,
        }
    }
}

impl Way {
    /// Takes so many octets off the start.
    fn cut(&mut self, count: usize) -> Piece {
        let count = count.min(self.octets.len());
        let mut records = Vec::new();
        while let Some(mark) = self.marks.front().copied().filter(|mark| mark.at < count) {
            records.push(mark.stamp);
            // The record goes on behind the octets, unless the next one begins there.
            let goes_on = self.marks.get(1).map_or(self.is_within || self.octets.len() > count, |next| next.at > count);
            if goes_on {
                break;
            }
            self.marks.pop_front();
        }
        self.marks.iter_mut().for_each(|mark| {
            mark.is_start &= mark.at >= count;
            mark.at = mark.at.saturating_sub(count);
        });
        Piece { octets: self.octets.drain(..count).collect(), records }
    }

    /// True where so many octets at the start are whole records.
    fn fills(&self, count: usize) -> bool {
        self.marks.front().is_some_and(|mark| mark.at == 0 && mark.is_start)
            && (self.marks.iter().any(|mark| mark.at == count) || (count == self.octets.len() && !self.is_within))
    }

    /// Notes octets that are no frame.
    fn pass(&mut self, piece: &Piece) {
        self.noise += piece.octets.len();
        let first = piece.records.first().copied().unwrap_or_default();
        self.noise_stamp.get_or_insert(first);
        let room = SHOWN - self.noise_shown.len().min(SHOWN);
        self.noise_shown.extend(piece.octets.iter().take(room));
    }

    fn tell_noise(&mut self, bus: Option<Bus>, found: &mut Vec<Found>) {
        if let Some(stamp) = self.noise_stamp.take() {
            let (octets, first) = (std::mem::take(&mut self.noise), std::mem::take(&mut self.noise_shown));
            found.push(Found::Noise { octets, first, stamp, bus });
        }
    }

    /// Octets of the record at the start, where all of it is there and is a frame by its CRC.
    fn whole_record(&self) -> Option<usize> {
        self.marks.front().filter(|mark| mark.at == 0 && mark.is_start)?;
        let end = self.marks.get(1).map_or(self.octets.len(), |next| next.at);
        let octets = self.octets.get(..end).filter(|_| self.fills(end))?;
        let is_frame = end <= rtu::MOST_OCTETS && octets.first().is_some_and(|unit| *unit <= MOST_UNIT);
        (is_frame && rtu::crc_holds(octets)).then_some(end)
    }
}

mod ascii;
mod reading;
#[cfg(test)]
mod tests;
