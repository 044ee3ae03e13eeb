//! Writes the first corpus of every target from the bundled captures:
//! `cargo run --example seeds -- PCAPS CORPUS` (`make fuzz` does it).

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use flate2::Compression;
use flate2::write::GzEncoder;
use zonewatch_dissectors::capture::{CaptureError, Reader};
use zonewatch_dissectors::model::Protocol;
use zonewatch_dissectors::net::link::{self, ethertype};
use zonewatch_dissectors::net::{ip, tcp};
use zonewatch_dissectors::recognise::{Opening, Probation, Seen};
use zonewatch_dissectors::registry;
use zonewatch_dissectors::session::Direction;
use zonewatch_fuzz::{conversation, layers, wrapped};

const LINKTYPE_ETHERNET: u16 = 1;
const RTAC_SERIAL: u16 = 250;
const PROFIBUS_DL: u16 = 257;
/// Payloads of one flow in a seed.
const PAYLOADS: usize = 24;
/// Flows of one protocol and capture that become seeds.
const FLOWS: usize = 12;
/// Packets of a capture in a seed.
const PACKETS: usize = 60;
/// Such pieces of one capture.
const PIECES: usize = 10;

fn main() -> io::Result<()> {
    let folders: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [captures, corpus] = &folders[..] else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "seeds PCAPS CORPUS"));
    };
    for (index, seed) in wrapped::seeds().iter().enumerate() {
        write(&corpus.join("wrapped"), &index.to_string(), seed)?;
    }
    for capture in found(captures)? {
        let packets = read(&capture).map_err(io::Error::other)?;
        for (index, piece) in pieces(&packets).enumerate() {
            let name = format!("{}-{index}", stem(&capture));
            let [pcap, pcapng] = [pcap(piece), pcapng(piece)];
            let forms = [("pcap", &pcap), ("pcap.gz", &gzip(&pcap)?), ("pcapng", &pcapng)];
            for (form, octets) in forms {
                write(&corpus.join("capture"), &format!("{name}.{form}"), octets)?;
            }
            write(&corpus.join("engine"), &name, &pcap)?;
        }
        for (index, packet) in packets.iter().enumerate().step_by(packets.len().div_ceil(PACKETS).max(1)) {
            let name = format!("{}-{index}", stem(&capture));
            let seed = layers::seed(packet.link_type, &packet.data);
            write(&corpus.join("link"), &name, &seed)?;
            write(&corpus.join("tunnel"), &name, &seed)?;
        }
        for (index, piece) in packets.chunks(PACKETS).enumerate() {
            let name = format!("{}-{index}", stem(&capture));
            // Lengths first, as the targets read them.
            let of_type = |number: u16| piece.iter().filter(move |packet| packet.link_type == number);
            let line: Vec<u8> = of_type(RTAC_SERIAL)
                .flat_map(|packet| [&(packet.data.len() as u16).to_be_bytes()[..], &packet.data].concat())
                .collect();
            let bus: Vec<u8> = of_type(PROFIBUS_DL)
                .flat_map(|packet| [&[packet.data.len().min(255) as u8, 0][..], &packet.data].concat())
                .collect();
            for (target, seed) in [("serial", line), ("profibus", bus)].into_iter().filter(|(_, seed)| !seed.is_empty())
            {
                write(&corpus.join(target), &name, &seed)?;
            }
        }
        for (index, packet) in packets.iter().enumerate() {
            let Some(Ok(link)) = link::parse(packet.link_type, &packet.data) else { continue };
            if link.ethertype != ethertype::BACNET && !registry::frames(link.ethertype).is_empty() {
                let frame = conversation::seed(true, [0, 0], [(Direction::Forward, link.payload)].into_iter());
                let seed = [&[0][..], &link.ethertype.to_be_bytes(), &frame].concat();
                write(&corpus.join("neighbours"), &format!("{}-{index}", stem(&capture)), &seed)?;
            }
            if link.ethertype == ethertype::BACNET {
                let npdu = [(Direction::Forward, link.payload)];
                let seed = conversation::seed(true, [0, 0], npdu.into_iter());
                write(&corpus.join("bacnet_link"), &format!("{}-{index}", stem(&capture)), &seed)?;
            }
        }
        let mut written: BTreeMap<Protocol, usize> = BTreeMap::new();
        for (index, flow) in flows(&packets).iter().enumerate() {
            let Some(protocol) = flow.protocol() else { continue };
            let count = written.entry(protocol).or_default();
            if *count < FLOWS {
                *count += 1;
                let target = if protocol.is_control() { protocol.name() } else { "services" };
                write(&corpus.join(target), &format!("{}-{index}", stem(&capture)), &flow.seed())?;
            }
        }
    }
    Ok(())
}

struct Packet {
    time_ns: i64,
    link_type: u16,
    data: Vec<u8>,
}

#[derive(Default)]
struct Flow {
    is_udp: bool,
    ports: [u16; 2],
    payloads: Vec<(Direction, Vec<u8>)>,
}

impl Flow {
    fn protocol(&self) -> Option<Protocol> {
        let (mut probation, mut sequences) = (Probation::default(), [0u32; 2]);
        self.payloads.iter().find_map(|(direction, payload)| {
            let sequence = sequences[*direction as usize];
            sequences[*direction as usize] += payload.len() as u32;
            let stamp = tcp::Stamp::default();
            let seen = Seen { direction: *direction, sequence, payload, missing: 0, stamp };
            let found = if self.is_udp {
                probation.datagram(registry::DATAGRAMS, seen, self.ports, None)
            } else {
                let opening = Opening { ports: self.ports, ..Opening::default() };
                probation
                    .segment(registry::STREAMS, registry::SERVICE_STREAMS, seen, opening)
                    .map(|found| (found.session, found.kept))
            };
            found.map(|(session, _)| session.protocol())
        })
    }

    fn seed(&self) -> Vec<u8> {
        let payloads = self.payloads.iter().map(|(direction, payload)| (*direction, &payload[..]));
        conversation::seed(self.is_udp, self.ports, payloads)
    }
}

fn found(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut captures = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            captures.append(&mut found(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng") {
            captures.push(path);
        }
    }
    captures.sort();
    Ok(captures)
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The packets of a capture, up to where it is broken off or damaged.
fn read(path: &Path) -> Result<Vec<Packet>, CaptureError> {
    let (mut reader, mut packets) = (Reader::open(path, false)?, Vec::new());
    while let Ok(Some(packet)) = reader.next_packet() {
        packets.push(Packet { time_ns: packet.time_ns, link_type: packet.link_type, data: packet.data.to_vec() });
    }
    Ok(packets)
}

/// Pieces of a capture, spread over it.
fn pieces(packets: &[Packet]) -> impl Iterator<Item = &[Packet]> {
    let chunks = packets.len().div_ceil(PACKETS);
    packets.chunks(PACKETS).step_by(chunks.div_ceil(PIECES).max(1))
}

/// What TCP and UDP flows carried, whoever sent first is forward.
fn flows(packets: &[Packet]) -> Vec<Flow> {
    let mut places = BTreeMap::new();
    let mut flows: Vec<Flow> = Vec::new();
    for packet in packets {
        let Some(Ok(link)) = link::parse(packet.link_type, &packet.data) else { continue };
        let Some(packet) = (link.ethertype == ethertype::IPV4).then(|| ip::ipv4(link.payload).ok()).flatten() else {
            continue;
        };
        let (is_udp, ports, payload) = match packet.protocol {
            ip::number::TCP => match ip::tcp(&packet) {
                Ok(segment) => (false, segment.ports, segment.payload),
                Err(_) => continue,
            },
            ip::number::UDP => match ip::udp(&packet) {
                Ok(datagram) => (true, datagram.ports, datagram.payload),
                Err(_) => continue,
            },
            _ => continue,
        };
        let ends = [(packet.source, ports[0]), (packet.destination, ports[1])];
        let direction = if places.contains_key(&(is_udp, ends[1], ends[0])) && ends[0] != ends[1] {
            Direction::Backward
        } else {
            Direction::Forward
        };
        let key = match direction {
            Direction::Forward => (is_udp, ends[0], ends[1]),
            Direction::Backward => (is_udp, ends[1], ends[0]),
        };
        let place = *places.entry(key).or_insert_with(|| {
            flows.push(Flow { is_udp, ports, ..Flow::default() });
            flows.len() - 1
        });
        if !payload.is_empty() && flows[place].payloads.len() < PAYLOADS {
            flows[place].payloads.push((direction, payload.to_vec()));
        }
    }
    flows
}

fn link_type(packets: &[Packet]) -> u16 {
    packets.first().map_or(LINKTYPE_ETHERNET, |packet| packet.link_type)
}

/// draft-ietf-opsawg-pcap, nanoseconds.
fn pcap(packets: &[Packet]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 0x0004_0000, u32::from(link_type(packets))] {
        file.extend(u32::to_le_bytes(word));
    }
    for Packet { time_ns, data, .. } in packets {
        let length = data.len() as u32;
        for word in [(time_ns / 1_000_000_000) as u32, (time_ns % 1_000_000_000) as u32, length, length] {
            file.extend(word.to_le_bytes());
        }
        file.extend(data);
    }
    file
}

/// draft-ietf-opsawg-pcapng: a section header, an interface, enhanced packets.
fn pcapng(packets: &[Packet]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut block = |kind: u32, body: &[u8]| {
        let padded = body.len().next_multiple_of(4);
        let total = (padded + 12) as u32;
        file.extend(kind.to_le_bytes());
        file.extend(total.to_le_bytes());
        file.extend(body);
        file.resize(file.len() + padded - body.len(), 0);
        file.extend(total.to_le_bytes());
    };
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    block(1, &words(&[u32::from(link_type(packets)), 0]));
    for Packet { time_ns, data, .. } in packets {
        let (micros, length) = ((time_ns / 1000) as u64, data.len() as u32);
        let mut body = words(&[0, (micros >> 32) as u32, micros as u32, length, length]);
        body.extend(data);
        block(6, &body);
    }
    file
}

fn gzip(octets: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets)?;
    encoder.finish()
}

fn write(folder: &Path, name: &str, octets: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join(name), octets)
}
