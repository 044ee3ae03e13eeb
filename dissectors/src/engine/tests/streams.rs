//! However a conversation is cut into segments, whatever comes late, twice or overlapping, and however its two directions
//! and other conversations are mixed with it: the rows are those of the plain conversation.

use std::collections::BTreeSet;
use std::ops::Range;

use arrow_array::RecordBatch;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::net::ip::number;
use crate::net::{ip, link};
use crate::recognise::{Opening, Probation};
use crate::session::Direction::{Backward, Forward};

/// What depends on how a message was cut and when it came, in events, aggregates, PDUs, claims and oddities.
const OF_THE_SEGMENTS: [&str; 12] = [
    "frame",
    "time",
    "latency",
    "request_frames",
    "response_frames",
    "first_time",
    "last_time",
    "first_frame",
    "last_frame",
    "sample_frames",
    "bucket",
    "event",
]; // fmt: skip
/// PDUs, events, aggregates, claims, oddities.
const COMPARED: [usize; 5] = [0, 1, 2, 4, 6];
const EVENTS: usize = 1;
const STEP_NS: i64 = 50_000;
/// Segments that are shuffled among themselves. The engine waits for more, unless a receiver acknowledged them.
const LATE: usize = 6;

/// Captures of every protocol that has a stream session.
const STREAMS: [&str; 6] = [
    "modbus/read_write",
    "dnp3/select_operate",
    "s7comm/engineering",
    "modbus/rtu_over_tcp",
    "s7comm/plus_session",
    "opcua/session",
];
/// One whose messages have a number, and whose client never waits for leave to ask.
const NUMBERED: &str = "modbus/read_write";
/// Some of every protocol that has datagrams; what went over TCP goes as well over UDP.
const DATAGRAMS: [&str; 6] = [
    "bacnet/read_property_multiple",
    "bacnet/segmented_ack",
    "modbus/rtu_over_udp",
    "modbus/read_write",
    "dnp3/select_operate",
    "mirror/replayed",
];

/// What a flow carried: messages in order, each whole.
#[derive(Clone)]
struct Talk {
    ports: [u16; 2],
    messages: Vec<(Direction, Vec<u8>)>,
}

fn capture(name: &str) -> Vec<Owned> {
    packets(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../pcaps/{name}.pcap")))
}

/// The flows of a capture, in the order of their first packets; whoever sends first is forward.
fn talks(name: &str) -> Vec<Talk> {
    let mut talks: Vec<([Ip; 2], Talk)> = Vec::new();
    for packet in capture(name) {
        let Some(Ok(link)) = link::parse(packet.link_type, &packet.data) else { continue };
        let Ok(packet) = ip::ipv4(link.payload) else { continue };
        let (ports, payload) = match packet.protocol {
            number::TCP => ip::tcp(&packet).map(|segment| (segment.ports, segment.payload)).expect("a segment"),
            number::UDP => ip::udp(&packet).map(|datagram| (datagram.ports, datagram.payload)).expect("a datagram"),
            _ => continue,
        };
        let ends = [packet.source, packet.destination];
        let of = |ends: [Ip; 2], ports: [u16; 2]| {
            move |(other, talk): &([Ip; 2], Talk)| (*other, talk.ports) == (ends, ports)
        };
        let backward = talks.iter().position(of([ends[1], ends[0]], [ports[1], ports[0]]));
        let (at, direction) = match (talks.iter().position(of(ends, ports)), backward) {
            (Some(at), _) => (at, Forward),
            (None, Some(at)) => (at, Backward),
            (None, None) => {
                talks.push((ends, Talk { ports, messages: Vec::new() }));
                (talks.len() - 1, Forward)
            }
        };
        if !payload.is_empty() {
            talks[at].1.messages.push((direction, payload.to_vec()));
        }
    }
    talks.into_iter().map(|(_, talk)| talk).collect()
}

impl Talk {
    /// All octets of one direction.
    fn octets(&self, direction: Direction) -> Vec<u8> {
        let of_side = self.messages.iter().filter(|(side, _)| *side == direction);
        of_side.flat_map(|(_, octets)| octets.clone()).collect()
    }

    /// Stretches of messages of one direction: octets of that direction, and how many of the other must come first.
    fn runs(&self) -> Vec<(Direction, Range<usize>)> {
        let (mut runs, mut ends): (Vec<(Direction, Range<usize>)>, _) = (Vec::new(), [0; 2]);
        for (direction, octets) in &self.messages {
            let start = ends[*direction as usize];
            ends[*direction as usize] += octets.len();
            match runs.last_mut() {
                Some((last, run)) if last == direction => run.end = ends[*direction as usize],
                _ => runs.push((*direction, start..ends[*direction as usize])),
            }
        }
        runs
    }
}

/// How a stream is cut and mixed.
#[derive(Clone, Debug)]
struct Plan {
    starts: [u32; 2],
    /// Where the octets of either direction are cut, beside the places where the other side speaks.
    cuts: [Vec<Index>; 2],
    /// Octets of the neighbours that a segment carries too.
    overlaps: Vec<(Index, usize, usize)>,
    /// Segments that are sent again, and how many packets later.
    again: Vec<(Index, usize)>,
    /// Segments that come earlier.
    early: Vec<(Index, usize)>,
    /// What the other side sends is mixed by these, where it may.
    mix: Vec<bool>,
    /// Acknowledgements of all that was sent, between the segments.
    acknowledgements: Vec<Index>,
}

fn plans() -> impl Strategy<Value = Plan> {
    let cuts = || {
        prop_oneof![proptest::collection::vec(any::<Index>(), 0..6), proptest::collection::vec(any::<Index>(), 0..60)]
    };
    (
        prop_oneof![Just([100, 900]), Just([u32::MAX - 30, u32::MAX]), any::<[u32; 2]>()],
        [cuts(), cuts()],
        proptest::collection::vec((any::<Index>(), 0..40usize, 0..40usize), 0..6),
        proptest::collection::vec((any::<Index>(), 0..12usize), 0..6),
        proptest::collection::vec((any::<Index>(), 1..LATE), 0..12),
        proptest::collection::vec(any::<bool>(), 1..40),
        proptest::collection::vec(any::<Index>(), 0..6),
    )
        .prop_map(|(starts, cuts, overlaps, again, early, mix, acknowledgements)| Plan {
            starts,
            cuts,
            overlaps,
            again,
            early,
            mix,
            acknowledgements,
        })
}

/// Octets of one direction in one packet.
#[derive(Clone, Debug)]
struct Piece {
    direction: Direction,
    octets: Range<usize>,
}

/// The segments in the order in which they are sent. Where `pipelined`, the client speaks on before it is answered.
fn pieces(talk: &Talk, plan: &Plan, pipelined: bool) -> Vec<Piece> {
    let mut sides: [Vec<(Range<usize>, usize)>; 2] = Default::default();
    let mut ends = [0; 2];
    for (direction, run) in talk.runs() {
        let side = direction as usize;
        let needs = if pipelined && direction == Forward { 0 } else { ends[1 - side] };
        ends[side] = run.end;
        let total = talk.octets(direction).len();
        let mut cuts: Vec<usize> =
            plan.cuts[side].iter().map(|cut| cut.index(total)).filter(|cut| run.contains(cut)).collect();
        cuts.extend([run.start, run.end]);
        cuts.sort_unstable();
        cuts.dedup();
        sides[side].extend(cuts.windows(2).map(|pair| (pair[0]..pair[1], needs)));
    }
    let (mut at, mut sent, mut pieces) = ([0; 2], [0; 2], Vec::new());
    let mut mix = plan.mix.iter().cycle();
    while at[0] < sides[0].len() || at[1] < sides[1].len() {
        let may = |side: usize| sides[side].get(at[side]).is_some_and(|(_, needs)| sent[1 - side] >= *needs);
        let side = match (may(0), may(1)) {
            (true, true) => usize::from(*mix.next().unwrap()),
            (forward, _) => usize::from(!forward),
        };
        let octets = sides[side][at[side]].0.clone();
        at[side] += 1;
        sent[side] = octets.end;
        pieces.push(Piece { direction: [Forward, Backward][side], octets });
    }
    for (which, before, behind) in &plan.overlaps {
        let piece = which.index(pieces.len());
        let longest = talk.octets(pieces[piece].direction).len();
        let Piece { direction, octets } = &mut pieces[piece];
        // What the other side must wait for is not told before its time.
        let limit = talk
            .runs()
            .into_iter()
            .find(|(side, run)| side == direction && run.contains(&(octets.end - 1)))
            .unwrap()
            .1
            .end;
        octets.start = octets.start.saturating_sub(*before);
        octets.end = (octets.end + behind).min(limit).min(longest);
    }
    for (which, by) in &plan.early {
        let mut at = which.index(pieces.len());
        for _ in 0..*by {
            // Only among what one side sends, so that no answer comes before its request.
            if at > 0 && pieces[at - 1].direction == pieces[at].direction {
                pieces.swap(at - 1, at);
                at -= 1;
            }
        }
    }
    for (which, later) in &plan.again {
        let at = which.index(pieces.len());
        let again = pieces[at].clone();
        pieces.insert((at + 1 + later).min(pieces.len()), again);
    }
    pieces
}

pub(super) const SYN: u8 = 0x02;
pub(super) const ACK: u8 = 0x10;

/// Writes packets between two hosts of a subnet.
pub(super) struct Wire {
    pub(super) subnet: u8,
    pub(super) protocol: u8,
    pub(super) ports: [u16; 2],
    pub(super) number: u16,
}

impl Wire {
    fn packet(&mut self, direction: Direction, header: &[u8], payload: &[u8]) -> Owned {
        self.number = self.number.wrapping_add(1);
        let hosts = if direction == Forward { [1, 2] } else { [2, 1] };
        let ports = if direction == Forward { self.ports } else { [self.ports[1], self.ports[0]] };
        let mut data = vec![2, 0, 0, 0, self.subnet, hosts[1], 2, 0, 0, 0, self.subnet, hosts[0], 8, 0, 0x45, 0];
        data.extend(((24 + header.len() + payload.len()) as u16).to_be_bytes());
        data.extend(self.number.to_be_bytes());
        data.extend([0x40, 0, 64, self.protocol, 0, 0]);
        data.extend(hosts.iter().flat_map(|host| [10, 0, self.subnet, *host]));
        data.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
        data.extend([header, payload].concat());
        Owned { time_ns: 0, link_type: 1, original_length: data.len() as u32, fcs_octets: None, data }
    }

    pub(super) fn segment(&mut self, direction: Direction, numbers: [u32; 2], flags: u8, payload: &[u8]) -> Owned {
        let [sequence, acknowledgement] = numbers.map(u32::to_be_bytes);
        let header = [&sequence[..], &acknowledgement, &[0x50, flags, 0x20, 0, 0, 0, 0, 0]].concat();
        self.packet(direction, &header, payload)
    }

    fn datagram(&mut self, direction: Direction, payload: &[u8]) -> Owned {
        let length = ((8 + payload.len()) as u16).to_be_bytes();
        self.packet(direction, &[length[0], length[1], 0, 0], payload)
    }
}

/// The packets of a stream that is cut as planned.
fn stream(talk: &Talk, plan: &Plan, pipelined: bool, subnet: u8) -> Vec<Owned> {
    let mut wire = Wire { subnet, protocol: number::TCP, ports: talk.ports, number: 0 };
    let streams = [talk.octets(Forward), talk.octets(Backward)];
    // Of either side: octets sent so far from the start without a hole.
    let (mut got, mut held): ([usize; 2], [Vec<Range<usize>>; 2]) = Default::default();
    let at = |side: usize, octets: usize| plan.starts[side].wrapping_add(1 + octets as u32);
    let mut packets = Vec::new();
    let [start, other] = plan.starts;
    packets.push(wire.segment(Forward, [start, 0], SYN, &[]));
    packets.push(wire.segment(Backward, [other, at(0, 0)], SYN | ACK, &[]));
    packets.push(wire.segment(Forward, [at(0, 0), at(1, 0)], ACK, &[]));
    let pieces = pieces(talk, plan, pipelined);
    let acknowledged: Vec<usize> = plan.acknowledgements.iter().map(|index| index.index(pieces.len())).collect();
    for (index, Piece { direction, octets }) in pieces.iter().enumerate() {
        let side = *direction as usize;
        let numbers = [at(side, octets.start), at(1 - side, got[1 - side])];
        packets.push(wire.segment(*direction, numbers, ACK, &streams[side][octets.clone()]));
        held[side].push(octets.clone());
        while let Some(next) = held[side].iter().find(|held| held.start <= got[side] && held.end > got[side]) {
            got[side] = next.end;
        }
        if acknowledged.contains(&index) {
            let numbers = [at(1 - side, got[1 - side]), at(side, got[side])];
            packets.push(wire.segment(direction.opposite(), numbers, ACK, &[]));
        }
    }
    packets
}

fn datagrams(talk: &Talk, subnet: u8) -> Vec<Owned> {
    let mut wire = Wire { subnet, protocol: number::UDP, ports: talk.ports, number: 0 };
    talk.messages.iter().map(|(direction, payload)| wire.datagram(*direction, payload)).collect()
}

/// One message a segment, one after the other.
fn plain() -> Plan {
    Plan {
        starts: [100, 900],
        cuts: Default::default(),
        overlaps: Vec::new(),
        again: Vec::new(),
        early: Vec::new(),
        mix: vec![false],
        acknowledgements: Vec::new(),
    }
}

pub(super) fn in_time(mut packets: Vec<Owned>) -> Vec<Owned> {
    (0..).zip(&mut packets).for_each(|(at, packet)| packet.time_ns = at * STEP_NS);
    packets
}

/// Columns of a table that do not depend on how it was cut.
fn comparable(batch: &RecordBatch) -> RecordBatch {
    let schema = batch.schema();
    let kept: Vec<usize> =
        (0..schema.fields().len()).filter(|at| !OF_THE_SEGMENTS.contains(&schema.field(*at).name().as_str())).collect();
    batch.project(&kept).expect("columns that are there")
}

fn rows_of(packets: &[Owned], detail: Detail) -> Vec<RecordBatch> {
    let tables = tables(Engine::new(detail), packets);
    COMPARED.iter().map(|table| comparable(&tables[*table])).collect()
}

fn same_rows(found: &[Owned], expected: &[Owned], detail: Detail) -> Result<(), TestCaseError> {
    for (found, expected) in rows_of(found, detail).iter().zip(&rows_of(expected, detail)) {
        prop_assert_eq!(found, expected);
    }
    Ok(())
}

/// Mixes flows, each of which keeps its order.
fn mixed(mut flows: Vec<std::vec::IntoIter<Owned>>, mix: &[Index]) -> Vec<Owned> {
    let (mut packets, mut mix) = (Vec::new(), mix.iter().cycle());
    while !flows.is_empty() {
        let at = mix.next().expect("a cycle").index(flows.len());
        match flows[at].next() {
            Some(packet) => packets.push(packet),
            None => drop(flows.remove(at)),
        }
    }
    packets
}

/// Every row is the next one of a flow; none is left over.
fn each_has_its_rows(all: &RecordBatch, alone: &[RecordBatch]) -> Result<(), TestCaseError> {
    let mut at = vec![0; alone.len()];
    for row in 0..all.num_rows() {
        let row = all.slice(row, 1);
        let of = (0..alone.len()).find(|of| at[*of] < alone[*of].num_rows() && alone[*of].slice(at[*of], 1) == row);
        prop_assert!(of.is_some(), "no flow has this row next: {:?}", row);
        at[of.unwrap_or_default()] += 1;
    }
    let rows: Vec<usize> = alone.iter().map(RecordBatch::num_rows).collect();
    prop_assert_eq!(at, rows);
    Ok(())
}

/// What the registry takes a talk for.
fn protocol(talk: &Talk) -> &'static str {
    let (mut probation, mut sequences) = (Probation::default(), [0; 2]);
    let found = talk.messages.iter().find_map(|(direction, payload)| {
        let sequence = sequences[*direction as usize];
        sequences[*direction as usize] += payload.len() as u32;
        let seen = Seen { direction: *direction, sequence, payload, missing: 0, stamp: Stamp::default() };
        probation.segment(registry::STREAMS, &[], seen, Opening { ports: talk.ports, ..Opening::default() })
    });
    found.map_or("none", |found| found.session.protocol().name())
}

#[test]
fn every_protocol_with_streams_is_here() {
    let mut found = BTreeSet::new();
    for name in STREAMS {
        let talk = talks(name).swap_remove(0);
        found.insert(protocol(&talk));
        let tables = tables(Engine::new(Detail::Events), &in_time(stream(&talk, &plain(), false, 1)));
        assert!(tables[1].num_rows() > 2, "{name}");
    }
    assert_eq!(found.len(), registry::STREAMS.len(), "{found:?}");
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn streams_cut_late_twice_and_overlapping(name in prop::sample::select(&STREAMS[..]), plan in plans(), detail in prop::sample::select(&DETAILS[..])) {
        let talk = &talks(name)[0];
        same_rows(&in_time(stream(talk, &plan, false, 1)), &in_time(stream(talk, &plain(), false, 1)), detail)?;
    }

    /// Where requests and answers have a number, a client need not wait. PDUs then come in another order.
    #[test]
    fn requests_sent_ahead(plan in plans(), detail in prop::sample::select(&DETAILS[..2])) {
        let talk = &talks(NUMBERED)[0];
        same_rows(&in_time(stream(talk, &plan, true, 1)), &in_time(stream(talk, &plain(), false, 1)), detail)?;
    }

    #[test]
    fn flows_among_one_another(plan in plans(), mix in proptest::collection::vec(any::<Index>(), 1..60)) {
        let streams = STREAMS.iter().map(|name| (talks(name).swap_remove(0), true));
        let datagram_flows = DATAGRAMS.iter().flat_map(|name| talks(name)).map(|talk| (talk, false));
        let flows: Vec<Vec<Owned>> = (1..)
            .zip(streams.chain(datagram_flows))
            .map(|(subnet, (talk, is_stream))| if is_stream { stream(&talk, &plan, false, subnet) } else { datagrams(&talk, subnet) })
            .collect();
        let all = in_time(mixed(flows.iter().map(|flow| flow.clone().into_iter()).collect(), &mix));
        let alone: Vec<Vec<RecordBatch>> = flows.into_iter().map(|flow| rows_of(&in_time(flow), Detail::Events)).collect();
        let events: Vec<RecordBatch> = alone.iter().map(|tables| tables[EVENTS].clone()).collect();
        each_has_its_rows(&rows_of(&all, Detail::Events)[EVENTS], &events)?;
    }
}
