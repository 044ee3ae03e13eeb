//! Sweeps, room in a full table, and flows of the same addresses in different networks.

use super::*;

fn flow(port: u32, time: i64) -> Flow {
    let endpoints = [Ip::v4(port.to_be_bytes()), Ip::v4([10, 0, 0, 5])];
    Flow {
        key: Key::new(endpoints, [40_000, 502], Transport::Udp),
        addresses: [0, 1],
        ports: [40_000, 502],
        endpoints,
        macs: [None; 2],
        sightings: [None; 2],
        vlan: None,
        lans: [None; 2],
        capture: 0,
        packets: [1, 0],
        bytes: [60, 0],
        first: (time, 1),
        last: [(time, 1); 2],
        sighted: [0; 2],
        swept: (0, time),
        flags: [0; 2],
        opener: None,
        starts: [None; 2],
        service: None,
        loaded: 1,
        profile: None,
        content: Content::Unknown(None),
    }
}

/// A packet of a flow, as the engine counts it; the flows that end.
fn packet(flows: &mut Flows, slot: u32, time: i64, sweeps: &mut usize) -> Ending {
    if let Some(flow) = flows.get(slot) {
        flow.packets[0] += 1;
        flow.last[0] = (time, 0);
    }
    if !flows.may_need_sweep(time) {
        return Ending::default();
    }
    let due = flows.next_sweep;
    let ending = flows.sweep(time);
    *sweeps += usize::from(flows.next_sweep != due);
    ending
}

#[test]
fn clocks_apart_make_no_sweeps_and_end_no_flow() {
    for apart in [0, 120, 5 * 3_600, 10 * 365 * 86_400] {
        let (mut flows, mut sweeps) = (Flows::default(), 0);
        for port in 0..2 {
            flows.insert(flow(port, i64::from(port) * apart * SECOND));
        }
        for second in 0..3_600 {
            for slot in 0..2 {
                let time = (second + i64::from(slot) * apart) * SECOND;
                let ending = packet(&mut flows, slot, time, &mut sweeps);
                // Nobody can tell the first packet of the second clock from a long silence.
                assert!(second == 0 || ending == Ending::default(), "{apart} {second}");
            }
        }
        assert!((59..=62).contains(&sweeps), "{sweeps} sweeps in an hour");
    }
}

#[test]
fn a_flow_ends_by_the_silence_of_its_own() {
    for (silent, ends) in [(590, false), (700, true)] {
        let (mut flows, mut sweeps, mut ended) = (Flows::default(), 0, Vec::new());
        // One clock is two minutes behind.
        flows.insert(flow(0, 0));
        flows.insert(flow(1, 120 * SECOND));
        for second in 0..silent {
            ended.extend(packet(&mut flows, 1, (120 + second) * SECOND, &mut sweeps).idle);
        }
        assert_eq!(ended, if ends { vec![0] } else { Vec::new() }, "{silent}");
    }
}

#[test]
fn a_clock_that_runs_makes_few_sweeps() {
    let (mut flows, mut sweeps) = (Flows::default(), 0);
    for port in 0..1_600 {
        flows.insert(flow(port, 0));
    }
    for minute in 0..1_000 {
        packet(&mut flows, 0, minute * 61 * SECOND, &mut sweeps);
    }
    assert!((9..=10).contains(&sweeps), "{sweeps} sweeps for 1,000 packets");
}

#[test]
fn a_full_table_makes_room() {
    for idle in [0, 1, MAX_FLOWS / 8 - 1, MAX_FLOWS / 8 + 1] {
        let mut flows = Flows::default();
        flows.sweep(0);
        for port in 0..MAX_FLOWS {
            let time = if port < idle { 0 } else { 800 + (port % 1_000) as i64 / 10 };
            flows.insert(flow(port as u32, time * SECOND));
        }
        assert!(flows.may_need_sweep(900 * SECOND));
        let Ending { idle: ended, surplus } = flows.sweep(900 * SECOND);
        assert_eq!((ended.len(), ended.len() + surplus.len()), (idle, idle.max(MAX_FLOWS / 8)));
        for slot in ended.into_iter().chain(surplus) {
            assert!(flows.remove(slot).is_some_and(|flow| flow.last().0 < 815 * SECOND), "the most silent ones");
        }
        assert!(!flows.may_need_sweep(901 * SECOND));
    }
}
