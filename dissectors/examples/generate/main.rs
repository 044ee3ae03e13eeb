//! Makes captures to measure with, the same octets each time.
//!
//! `generate polling|mix|endless octets|packets SIZE FILE...`
//!
//! `polling` is Modbus/TCP alone; `mix` is a plant with its office; in `endless` ends, registers, objects and names are
//! replaced by new ones all the time. Each file has at least this size; a later one continues the one before it, as
//! rotated captures do. Standard output tells what the files hold by kind of conversation.

mod office;
mod plant;
mod talk;
mod wire;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use talk::{Random, Talk};
use wire::Host;

/// In seconds since the epoch.
const START: u64 = 1_750_000_000;
/// Polls, or so, of a conversation in captures where new ones keep appearing.
const SHORT_LIFE: u64 = 40;
/// Hosts of one kind at each end, at the most.
const HOSTS: u64 = 1 << 20;

/// A kind of conversation: one function, and how many of them go on at once between which ends.
struct Kind {
    name: &'static str,
    /// Adds the packets of the next round.
    play: fn(&mut Talk, &mut Random),
    port: u16,
    /// Conversations at once.
    talks: u64,
    /// Conversations of one client.
    per_client: u64,
    servers: u64,
    /// One client in so many speaks IPv6.
    v6_every: Option<u64>,
}

const POLLING: &[Kind] = &[Kind {
    name: "Modbus/TCP",
    play: plant::modbus,
    port: 502,
    talks: 525,
    per_client: 25,
    servers: 175,
    v6_every: None,
}];

const MIX: &[Kind] = &[
    Kind {
        name: "Modbus/TCP",
        play: plant::modbus,
        port: 502,
        talks: 440,
        per_client: 20,
        servers: 160,
        v6_every: None,
    },
    Kind { name: "DNP3", play: plant::dnp3, port: 20_000, talks: 130, per_client: 26, servers: 130, v6_every: None },
    Kind {
        name: "BACnet/IP",
        play: plant::bacnet,
        port: 47_808,
        talks: 100,
        per_client: 25,
        servers: 100,
        v6_every: None,
    },
    Kind { name: "TLS", play: office::tls, port: 443, talks: 12, per_client: 1, servers: 40, v6_every: Some(5) },
    Kind { name: "DNS", play: office::dns, port: 53, talks: 40, per_client: 1, servers: 2, v6_every: Some(5) },
    Kind { name: "SMB2", play: office::smb, port: 445, talks: 4, per_client: 1, servers: 3, v6_every: None },
    Kind {
        name: "ARP, ND",
        play: office::neighbours,
        port: 0,
        talks: 90,
        per_client: 1,
        servers: 30,
        v6_every: Some(5),
    },
];

impl Kind {
    /// The ends of a conversation; clients are in a third of the cases in a VLAN of their own.
    fn ends(&self, base: u32, talk: u64, generation: u64, is_endless: bool) -> ([Host; 2], Option<u16>) {
        let (client, server) = if is_endless {
            let number = talk + generation * self.talks;
            (number / self.per_client % HOSTS, number % HOSTS)
        } else {
            (talk / self.per_client, (talk + 7 * generation) % self.servers)
        };
        let hosts = [base + 10 + client as u32, base + HOSTS as u32 + 10 + server as u32];
        let is_v6 = self.v6_every.is_some_and(|every| client % every == 0);
        let vlan = (client % 3 == 0).then_some(100 + (base >> 21 & 7) as u16);
        (hosts.map(if is_v6 { Host::v6 } else { Host::v4 }), vlan)
    }
}

/// Conversations of several kinds, packet by packet in the order of time.
struct Scene {
    kinds: &'static [Kind],
    is_endless: bool,
    random: Random,
    /// Each conversation and its kind.
    talks: Vec<(Talk, usize)>,
    /// The time of each conversation's next packet.
    next: BinaryHeap<Reverse<(u64, usize)>>,
    /// Packets and octets on the wire of each kind.
    written: Vec<(u64, u64)>,
}

impl Scene {
    fn new(kinds: &'static [Kind], is_endless: bool) -> Self {
        let mut scene = Scene {
            kinds,
            is_endless,
            random: Random::new(1),
            talks: Vec::new(),
            next: BinaryHeap::new(),
            written: vec![(0, 0); kinds.len()],
        };
        for (number, kind) in kinds.iter().enumerate() {
            for index in 0..kind.talks {
                let (hosts, vlan) = kind.ends(Scene::base(number), index, 0, is_endless);
                let ports = [if kind.port == 47_808 { 47_808 } else { 40_000 + index as u16 }, kind.port];
                // All of a kind start within the 1.25 seconds between two polls.
                let mut talk = Talk::new(index, hosts, ports, vlan, index * 1_250_000 / kind.talks);
                talk.life = if is_endless { SHORT_LIFE } else { u64::MAX };
                scene.talks.push((talk, number));
                scene.play(scene.talks.len() - 1);
            }
        }
        scene
    }

    /// Each kind has two blocks of 10.0.0.0/8 for its own.
    fn base(kind: usize) -> u32 {
        u32::from_be_bytes([10, 0, 0, 0]) + ((kind as u32) << 21)
    }

    /// Adds packets to a conversation that has none.
    fn play(&mut self, number: usize) {
        let (talk, kind_number) = &mut self.talks[number];
        let kind = &self.kinds[*kind_number];
        talk.clear();
        let time = loop {
            (kind.play)(talk, &mut self.random);
            talk.round += 1;
            if talk.is_over {
                talk.generation += 1;
                talk.moved += u64::from(self.is_endless);
                let base = Scene::base(*kind_number);
                let (hosts, vlan) = kind.ends(base, talk.index, talk.generation, self.is_endless);
                talk.renew(hosts, vlan);
            }
            if let Some(time) = talk.next_time() {
                break time;
            }
        };
        self.next.push(Reverse((time, number)));
    }

    /// Writes the next packet's record; gives its octets.
    fn write(&mut self, out: &mut impl Write) -> io::Result<u64> {
        let Some(Reverse((_, number))) = self.next.pop() else { return Ok(0) };
        let (talk, kind) = &mut self.talks[number];
        let Some((time, octets)) = talk.next() else { return Ok(0) };
        let length = octets.len() as u32;
        let fields = [(START + time / 1_000_000) as u32, (time % 1_000_000) as u32, length, length];
        out.write_all(fields.map(u32::to_le_bytes).as_flattened())?;
        out.write_all(octets)?;
        let counted = &mut self.written[*kind];
        *counted = (counted.0 + 1, counted.1 + u64::from(length));
        match talk.next_time() {
            Some(time) => self.next.push(Reverse((time, number))),
            None => self.play(number),
        }
        Ok(u64::from(length) + 16)
    }
}

fn header() -> Vec<u8> {
    let mut out = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    out.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(65_535_u32.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out
}

/// How large each file becomes.
#[derive(Clone, Copy)]
enum Size {
    Octets(u64),
    Packets(u64),
}

fn generate(scene: &mut Scene, size: Size, files: &[String]) -> io::Result<()> {
    for file in files {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(file)?);
        let header = header();
        out.write_all(&header)?;
        let (mut octets, mut packets) = (header.len() as u64, 0);
        while match size {
            Size::Octets(size) => octets < size,
            Size::Packets(size) => packets < size,
        } {
            octets += scene.write(&mut out)?;
            packets += 1;
        }
        out.flush()?;
        println!("{file}: {packets} packets, {octets} octets");
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((mut scene, size, files)) = understood(&arguments) else {
        eprintln!("usage: generate polling|mix|endless octets|packets SIZE FILE...");
        return ExitCode::from(2);
    };
    if let Err(error) = generate(&mut scene, size, files) {
        eprintln!("generate: {error}");
        return ExitCode::FAILURE;
    }
    let (packets, octets) = scene.written.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    for (kind, written) in scene.kinds.iter().zip(&scene.written) {
        let share = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
        let (of_packets, of_octets) = (share(written.0, packets), share(written.1, octets));
        println!("{}: {of_packets:.1} % of packets, {of_octets:.1} % of octets", kind.name);
    }
    ExitCode::SUCCESS
}

fn understood(arguments: &[String]) -> Option<(Scene, Size, &[String])> {
    let [scene, unit, size, files @ ..] = arguments else { return None };
    let scene = match scene.as_str() {
        "polling" => Scene::new(POLLING, false),
        "mix" => Scene::new(MIX, false),
        "endless" => Scene::new(MIX, true),
        _ => return None,
    };
    let size = match (unit.as_str(), size.parse().ok()?) {
        ("octets", size) => Size::Octets(size),
        ("packets", size) => Size::Packets(size),
        _ => return None,
    };
    Some((scene, size, files))
}
