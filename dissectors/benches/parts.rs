//! The parts of the way from packet to column, each alone, on the packets of the generated mix.
//!
//! `cargo bench -p zonewatch-dissectors`

#[path = "../examples/generate/scene/mod.rs"]
#[expect(dead_code, reason = "the benches need no more of the generator than packets")]
mod scene;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use zonewatch_dissectors::capture::{Packet, Reader};
use zonewatch_dissectors::engine::Engine;
use zonewatch_dissectors::exchange::{Conversation, Exchanges};
use zonewatch_dissectors::flows::{Ends, Flows};
use zonewatch_dissectors::model::Protocol;
use zonewatch_dissectors::net::ip::{self, IpPacket};
use zonewatch_dissectors::net::link::{self, Link};
use zonewatch_dissectors::net::mirror::{self, Mirror};
use zonewatch_dissectors::net::tcp::{Half, Stamp};
use zonewatch_dissectors::record::Dialogue;
use zonewatch_dissectors::registry;
use zonewatch_dissectors::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use zonewatch_dissectors::sinks::{Detail, Sinks};

const PACKETS: usize = 20_000;
const ETHERNET: u16 = 1;
/// Messages of one protocol that are decoded together.
const MESSAGES: usize = 200;

/// Octets with their direction.
type Payloads = Vec<(Direction, Vec<u8>)>;

fn main() {
    divan::main();
}

/// A pcap file of a scene's first packets.
fn capture(name: &str) -> Vec<u8> {
    let (mut scene, mut file) = (scene::Scene::named(name).expect("a scene"), scene::header());
    for _ in 0..PACKETS {
        scene.write(&mut file).expect("memory takes all");
    }
    file
}

/// The frames of the mix, with their times.
fn frames() -> Vec<(i64, Vec<u8>)> {
    let mut reader = Reader::from_read(Box::new(std::io::Cursor::new(capture("mix"))), false).expect("a capture");
    let mut frames = Vec::new();
    while let Some(packet) = reader.next_packet().expect("a whole capture") {
        frames.push((packet.time_ns, packet.data.to_vec()));
    }
    frames
}

fn parsed(frame: &[u8]) -> Option<(Link<'_>, IpPacket<'_>)> {
    let link = link::parse(ETHERNET, frame)?.ok()?;
    let packet = ip::ipv4(link.payload).ok()?;
    Some((link, packet))
}

/// Payloads of one connection or pair of ports of the mix, with their direction.
fn payloads(port: u16) -> Payloads {
    let mut chosen = None;
    let mut payloads = Vec::new();
    for (_, frame) in frames() {
        let Some((_, packet)) = parsed(&frame) else { continue };
        let (ports, payload) = match (ip::tcp(&packet), ip::udp(&packet)) {
            (Ok(segment), _) if packet.protocol == ip::number::TCP => (segment.ports, segment.payload),
            (_, Ok(datagram)) if packet.protocol == ip::number::UDP => (datagram.ports, datagram.payload),
            _ => continue,
        };
        if !ports.contains(&port) || payload.is_empty() {
            continue;
        }
        let [from, to] = [packet.source, packet.destination];
        let (client, server) = *chosen.get_or_insert((from, to));
        if (from, to) == (client, server) {
            payloads.push((Direction::Forward, payload.to_vec()));
        } else if (from, to) == (server, client) {
            payloads.push((Direction::Backward, payload.to_vec()));
        }
    }
    payloads
}

/// The session of a protocol, and messages of it.
fn session(port: u16, is_stream: bool) -> (Box<dyn Session>, Payloads) {
    let payloads = payloads(port);
    let known = if is_stream { registry::STREAMS } else { registry::DATAGRAMS };
    let [first, second] = [Direction::Forward, Direction::Backward].map(|direction| {
        let of_one = payloads.iter().filter(|(of, _)| *of == direction);
        of_one.take(if is_stream { 4 } else { 1 }).flat_map(|(_, payload)| payload.clone()).collect::<Vec<u8>>()
    });
    let probe = Probe {
        forward: &first,
        backward: &second,
        first: Direction::Forward,
        opener: Some(Direction::Forward),
        ports: [49_152, port],
        cut: false,
    };
    let found = known.iter().find_map(|recognise| match recognise(&probe) {
        Recognition::Yes(session) => Some(session),
        _ => None,
    });
    let mut session = found.expect("a protocol that is known");
    let mut messages = Vec::new();
    for (direction, payload) in payloads.into_iter().cycle().take(MESSAGES) {
        let mut rest = &payload[..];
        while let Framing::Message(length) = if is_stream { session.frame(direction, rest) } else { Framing::NotMine } {
            messages.push((direction, rest[..length].to_vec()));
            rest = &rest[length..];
        }
        if !is_stream {
            messages.push((direction, payload));
        }
    }
    (session, messages)
}

fn decode(session: &mut dyn Session, messages: &[(Direction, Vec<u8>)], output: &mut Output) {
    for (direction, bytes) in messages {
        session.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, output);
    }
}

fn stamp(time: i64) -> Stamp {
    Stamp { frame: 1, time, capture: 0 }
}

#[divan::bench]
fn whole_engine(bencher: Bencher<'_, '_>) {
    let frames = frames();
    bencher.counter(ItemsCount::new(frames.len())).bench_local(|| {
        let mut engine = Engine::new(Detail::Aggregates);
        engine.start_capture("bench", "mix");
        for (number, (time_ns, data)) in (1..).zip(&frames) {
            let original_length = data.len() as u32;
            let packet = Packet {
                time_ns: *time_ns,
                link_type: ETHERNET,
                original_length,
                data,
                interface: 0,
                fcs_octets: None,
            };
            engine.packet(&packet, number);
        }
        engine.finish_capture().packets
    });
}

#[divan::bench]
fn link_and_ip(bencher: Bencher<'_, '_>) {
    let frames = frames();
    bencher.counter(ItemsCount::new(frames.len())).bench_local(|| {
        let lengths = frames.iter().filter_map(|(_, frame)| Some(parsed(black_box(frame))?.1.wire_length));
        lengths.sum::<usize>()
    });
}

#[divan::bench]
fn flow_lookup(bencher: Bencher<'_, '_>) {
    let mut flows = Flows::default();
    let frames = frames();
    let ends: Vec<Ends> = frames
        .iter()
        .filter_map(|(_, frame)| {
            let (link, packet) = parsed(frame)?;
            (packet.protocol == ip::number::TCP).then_some(())?;
            link.payload.get(12..24)?.try_into().ok()
        })
        .collect();
    for (slot, ends) in (0..).zip(&ends) {
        flows.note(ends, slot, Direction::Forward);
    }
    bencher
        .counter(ItemsCount::new(ends.len()))
        .bench_local(|| ends.iter().filter(|ends| flows.guess(black_box(ends)).is_some()).count());
}

#[divan::bench]
fn mirror_look(bencher: Bencher<'_, '_>) {
    let frames = frames();
    let packets: Vec<_> = frames
        .iter()
        .filter_map(|(time, frame)| parsed(frame).map(|(link, packet)| (time, frame, link, packet)))
        .collect();
    bencher.counter(ItemsCount::new(packets.len())).with_inputs(Mirror::default).bench_local_values(|mut mirror| {
        for (time, frame, link, packet) in &packets {
            black_box(mirror.look(link.payload, packet, mirror::frame(&frame[..14]), **time));
        }
    });
}

#[divan::bench]
fn tcp_in_order(bencher: Bencher<'_, '_>) {
    let payloads = payloads(445);
    bencher.counter(ItemsCount::new(payloads.len())).with_inputs(Half::default).bench_local_values(|mut half| {
        let (mut sequence, mut delivered) = (1_u32, 0);
        for (_, payload) in &payloads {
            half.segment(sequence, payload, 0, stamp(0), &mut |_, _| delivered += 1);
            sequence = sequence.wrapping_add(payload.len() as u32);
        }
        delivered
    });
}

#[divan::bench(args = [("modbus", 502, true), ("dnp3", 20_000, true), ("bacnet", 47_808, false)])]
fn decoding(bencher: Bencher<'_, '_>, (_, port, is_stream): (&str, u16, bool)) {
    let (mut session, messages) = session(port, is_stream);
    let mut output = Output::default();
    bencher.counter(ItemsCount::new(messages.len())).bench_local(|| {
        output.clear();
        decode(&mut *session, &messages, &mut output);
        output.messages.len()
    });
}

#[divan::bench]
fn pairing(bencher: Bencher<'_, '_>) {
    let (mut session, messages) = session(502, true);
    let made = || {
        let mut output = Output::default();
        decode(&mut *session, &messages, &mut output);
        output.messages.into_iter().zip(messages.iter().map(|(direction, _)| *direction)).collect::<Vec<_>>()
    };
    bencher.counter(ItemsCount::new(messages.len())).with_inputs(made).bench_local_values(|messages| {
        let (mut exchanges, mut completed) = (Exchanges::default(), 0);
        for (message, direction) in messages {
            exchanges.message(message, direction, &[1], stamp(0), &mut |exchange| completed += exchange.end_time);
        }
        completed
    });
}

#[divan::bench]
fn rows_to_arrow(bencher: Bencher<'_, '_>) {
    let (mut session, messages) = session(502, true);
    let (mut sinks, mut output, mut dialogue) = (Sinks::new(Detail::Pdus), Output::default(), Dialogue::default());
    decode(&mut *session, &messages, &mut output);
    output.claims.clear();
    let place = Conversation {
        source: 0,
        protocol: Protocol::Modbus,
        transport: "tcp",
        addresses: [0, 1],
        ports: [49_152, 502],
        vlan: None,
    };
    bencher.counter(ItemsCount::new(output.messages.len() * MESSAGES)).bench_local(|| {
        for _ in 0..MESSAGES {
            sinks.messages(&place, &mut dialogue, Direction::Forward, &mut output, &[1], stamp(0));
        }
        let Sinks { rows, dictionaries, .. } = &mut sinks;
        rows.pdus.take(dictionaries).map_or(0, |batch| batch.num_rows())
    });
}
