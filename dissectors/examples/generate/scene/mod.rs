//! Scenes to measure with: conversations of several kinds, packet by packet in the order of time.

mod office;
mod plant;
mod talk;
mod wire;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

use talk::{Random, Talk};
use wire::Host;

/// In seconds since the epoch.
const START: u64 = 1_750_000_000;
/// Polls, or so, of a conversation in captures where new ones keep appearing.
const SHORT_LIFE: u64 = 40;
/// Hosts of one kind at each end, at the most.
const HOSTS: u64 = 1 << 20;

/// A kind of conversation: one function, and how many of them go on at once between which ends.
pub struct Kind {
    /// As it is told.
    pub name: &'static str,
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

/// One scene, and where it stands.
pub struct Scene {
    /// The kinds of conversations.
    pub kinds: &'static [Kind],
    is_endless: bool,
    random: Random,
    /// Each conversation and its kind.
    talks: Vec<(Talk, usize)>,
    /// The time of each conversation's next packet.
    next: BinaryHeap<Reverse<(u64, usize)>>,
    /// Packets and octets on the wire of each kind.
    pub written: Vec<(u64, u64)>,
}

impl Scene {
    /// The scene of this name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "polling" => Some(Scene::new(POLLING, false)),
            "mix" => Some(Scene::new(MIX, false)),
            "endless" => Some(Scene::new(MIX, true)),
            _ => None,
        }
    }

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
    pub fn write(&mut self, out: &mut impl Write) -> io::Result<u64> {
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

/// The file header of a pcap file (draft-ietf-opsawg-pcap, 4).
pub fn header() -> Vec<u8> {
    let mut out = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    out.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    out.extend(65_535_u32.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out
}
