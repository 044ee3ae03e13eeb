//! The same addresses and ports in two networks are two flows; tags in one direction only, or here and there, make none.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;

use super::*;

/// The same packets with a tag each, where it is not 0.
fn tagged(packets: &[Owned], vlan: impl Fn(usize, bool) -> u16) -> Vec<Owned> {
    let tag = |(at, packet): (usize, &Owned)| {
        let mut packet = packet.clone();
        let from_client = packet.data[11] == 1;
        match vlan(at, from_client) {
            0 => {}
            vlan => {
                let [high, low] = vlan.to_be_bytes();
                packet.data.splice(12..12, [0x81, 0, high, low]);
                packet.original_length += 4;
            }
        }
        packet
    };
    packets.iter().enumerate().map(tag).collect()
}

/// Flows, events with request and answer, other events, holes.
fn told(packets: &[Owned], name: &str) -> (usize, usize, usize, u64) {
    same_either_way(packets, name);
    let tables = tables(Engine::new(Detail::Events), packets);
    let latency = tables[1].column_by_name("latency").expect("a column");
    let gaps = tables[8].column_by_name("gaps").expect("a counter").as_primitive::<UInt64Type>().value(0);
    (tables[3].num_rows(), latency.len() - latency.null_count(), latency.null_count(), gaps)
}

/// Rounds of both, one after the other, a second apart.
fn by_turns(one: Vec<Owned>, other: Vec<Owned>) -> Vec<Owned> {
    let mut packets: Vec<Owned> = one.into_iter().zip(other).flat_map(|(one, other)| [one, other]).collect();
    (0..).zip(&mut packets).for_each(|(at, packet)| packet.time_ns = at * 50_000_000);
    packets
}

#[test]
fn two_networks_are_two_flows() {
    // Other values and, of TCP, other sequence numbers.
    let other = |packets: Vec<Owned>| {
        let shift = |mut packet: Owned| {
            for at in [38, 42] {
                packet.data[at] = packet.data[at].wrapping_add(77);
            }
            packet
        };
        packets.into_iter().map(shift).collect::<Vec<Owned>>()
    };
    let tcp = (polling(12, |_| 7), other(polling(12, |round| round as u16)));
    let same_numbers = (polling(12, |_| 7), polling(12, |round| round as u16));
    let udp = (bacnet_polling(12, |_| 7), bacnet_polling(12, |_| 8));
    for (name, (one, two)) in [("TCP", tcp), ("TCP, the same numbers", same_numbers), ("UDP", udp)] {
        let packets = by_turns(tagged(&one, |_, _| 10), tagged(&two, |_, _| 20));
        assert_eq!(told(&packets, name), (2, 48, 0, 0), "{name}");
    }
}

#[test]
fn one_network_is_one_flow_however_it_is_tagged() {
    type Vlan = fn(usize, bool) -> u16;
    let cases: [(&str, Vlan); 5] = [
        ("no tag", |_, _| 0),
        ("a tag one way", |_, from_client| if from_client { 10 } else { 0 }),
        ("another tag each way", |_, from_client| if from_client { 10 } else { 20 }),
        ("a tag now and then", |at, _| if at % 3 == 0 { 10 } else { 0 }),
        // Of each packet and its copy behind a router the capture holds one.
        ("what comes next, elsewhere", |at, _| if at % 7 == 6 { 20 } else { 10 }),
    ];
    for (name, vlan) in cases {
        assert_eq!(told(&tagged(&polling(12, |_| 7), vlan), name), (1, 24, 0, 0), "{name}");
    }
}

#[test]
fn more_networks_than_are_told_apart_are_mixed() {
    let many: Vec<Owned> =
        (1..=40).flat_map(|vlan| tagged(&polling(1, |_| 7), move |_, _| vlan)).enumerate().map(later).collect();
    assert_eq!(told(&many, "many").0, 16);
}

fn later((at, packet): (usize, Owned)) -> Owned {
    Owned { time_ns: at as i64 * 50_000_000, ..packet }
}
