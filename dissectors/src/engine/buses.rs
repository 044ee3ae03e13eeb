//! Serial lines and PROFIBUS: what needs the frames before it to be told who speaks with whom.

use std::collections::BTreeMap;

use super::layers::number_of;
use super::{Context, Engine, Load};
use crate::capture::Packet;
use crate::flows::Transport;
use crate::lan::Lan;
use crate::line::{self, Event, Found, Frame, Line};
use crate::model::{OddityCode, Protocol};
use crate::net::link::{Bus, BusStation, Station};
use crate::net::tcp::Stamp;
use crate::protocols::profibus::bus::{Heard, Ring};
use crate::sinks::Odd;

/// LINKTYPE_ numbers.
const RTAC_SERIAL: u16 = 250;
const PROFIBUS_DL: u16 = 257;
/// Lines, that is interfaces, of one source; what is on further ones is put together with the last.
const MAX_LINES: u32 = 256;

/// The lines and buses of a source, by interface.
#[derive(Clone, Debug, Default)]
pub(super) struct Buses {
    lines: BTreeMap<u16, Line>,
    rings: BTreeMap<u16, Ring>,
}

/// True for link types that are lines or buses.
pub(super) const fn carries(link_type: u16) -> bool {
    matches!(link_type, RTAC_SERIAL | PROFIBUS_DL)
}

impl Engine {
    /// Takes a record of a line or bus.
    #[cold]
    #[inline(never)]
    pub(super) fn bus(&mut self, packet: &Packet<'_>, stamp: Stamp) {
        let number = packet.interface.min(MAX_LINES - 1) as u16;
        if packet.link_type == PROFIBUS_DL {
            return self.profibus(number, packet, stamp);
        }
        let Some((event, octets)) = line::record(packet.data) else {
            let bad = crate::net::BadHeader {
                layer: "serial",
                offset: packet.data.len() as u32,
                expected: "a record header of 12 octets",
            };
            return self.undecoded(bad, stamp);
        };
        let mut found = Vec::new();
        let line = self.buses.lines.entry(number).or_default();
        match event {
            Event::Data(way) => {
                line.take(way, octets, stamp, &mut found);
                if packet.data.len() < packet.original_length as usize {
                    line.lose(&mut found);
                }
            }
            Event::Lost(_) => line.lose(&mut found),
            Event::Damaged(_) | Event::Other => {}
        }
        match event {
            Event::Lost(what) => {
                self.sinks.coverage.gaps += 1;
                self.odd_line(OddityCode::Gap, format!("all octets of the line, found that {what}"), stamp);
            }
            Event::Damaged(what) => {
                self.odd_line(OddityCode::BadChecksum, format!("octets as they were sent, found {what}"), stamp);
            }
            Event::Data(_) | Event::Other => {}
        }
        self.found_on_line(number, found);
    }

    /// A source ends: what its lines still hold is told.
    pub(super) fn finish_buses(&mut self) {
        let buses = std::mem::take(&mut self.buses);
        for (number, mut line) in buses.lines {
            let mut found = Vec::new();
            line.finish(&mut found);
            self.found_on_line(number, found);
        }
    }

    fn odd_line(&mut self, code: OddityCode, expected: String, stamp: Stamp) {
        self.sinks.oddity([None, None], stamp, Odd { layer: "serial", offset: 0, code, expected });
    }

    fn found_on_line(&mut self, line: u16, found: Vec<Found>) {
        for found in found {
            match found {
                Found::Frame(Frame { bus, ends, octets, stamp, parts }) => {
                    let ends = ends.map(|number| BusStation { bus, line, number });
                    self.output.parts = parts;
                    self.between(ends, &octets, 0, octets.len() as u32, stamp);
                }
                Found::Noise { octets, first, stamp, bus } => {
                    let protocol = bus.map(|bus| if bus == Bus::Dnp3 { Protocol::Dnp3 } else { Protocol::Modbus });
                    self.sinks.line_noise(protocol, octets as u64);
                    let Some(protocol) = protocol else { continue };
                    let shown = first.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
                    let expected = format!("a frame with its check sequence, found 0x{shown}…, {octets} octets in all");
                    let odd = Odd { layer: "serial", offset: 0, code: OddityCode::NotTheProtocol, expected };
                    self.sinks.oddity_on_bus(protocol, [None; 2], stamp, odd);
                }
            }
        }
    }

    /// Takes a record of PROFIBUS: mostly one telegram.
    fn profibus(&mut self, line: u16, packet: &Packet<'_>, stamp: Stamp) {
        let missing = (packet.original_length as usize).saturating_sub(packet.data.len());
        let mut heard = Vec::new();
        self.buses.rings.entry(line).or_default().record(packet.data, missing, stamp, &mut heard);
        for heard in heard {
            match heard {
                Heard::Telegram { ends, octets, missing, stamp } => {
                    let ends = ends.map(|number| BusStation { bus: Bus::Profibus, line, number: number.into() });
                    self.between(ends, &octets, missing, packet.original_length, stamp);
                }
                Heard::Odd { ends, code, offset, expected, stamp } => {
                    let station =
                        |number: u8| Station::Bus(BusStation { bus: Bus::Profibus, line, number: number.into() });
                    let ends = ends.map_or([None; 2], |ends| ends.map(|number| Some(station(number))));
                    let odd = Odd { layer: "profibus", offset, code, expected };
                    self.sinks.oddity_on_bus(Protocol::Profibus, ends, stamp, odd);
                }
                Heard::Nothing(octets) => self.sinks.undecoded(Protocol::Profibus, octets as u64),
            }
        }
    }

    /// A frame from one station to another.
    fn between(&mut self, ends: [BusStation; 2], octets: &[u8], missing: usize, wire_length: u32, stamp: Stamp) {
        let [source, destination] = ends.map(Station::Bus);
        let context = Context {
            stamp,
            wire_length,
            frame: 0,
            missing,
            source: Some(source),
            destination: Some(destination),
            vlan: None,
            lan: Lan::default(),
            depth: 0,
        };
        let load = Load {
            addresses: [source, destination].map(number_of),
            ports: [0; 2],
            transport: if ends[0].bus == Bus::Profibus { Transport::Profibus } else { Transport::Serial },
            flags: 0,
            sequence: 0,
            acknowledgement: 0,
            payload: octets,
            missing,
        };
        self.load(&context, &load);
    }
}
