//! Where a short cut was taken, what follows is decoded as if there had been none.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::UInt16Type;

use super::*;

/// Exchanges of one read, of which a client sends each request, then the other side: roles change, ports do not.
fn reversed(polls: u32, others: u32) -> Vec<Owned> {
    let (mut packets, mut numbers) = (Vec::new(), [100_u32, 900]);
    for round in 0..polls + others {
        let [high, low] = (round as u16).to_be_bytes();
        let request = [high, low, 0, 0, 0, 6, 1, 3, 0, 107, 0, 2];
        let response = [high, low, 0, 0, 0, 7, 1, 3, 4, 0, 7, 0, 9];
        let client = usize::from(round >= polls);
        let halves: [(usize, &[u8]); 2] = [(client, &request), (1 - client, &response)];
        for (side, octets) in halves {
            let time = i64::from(round) * 1_000_000_000 + i64::from(side != client) * 400_000;
            packets.push(segment(side == 0, numbers[side], numbers[1 - side], octets, time));
            numbers[side] += octets.len() as u32;
        }
    }
    packets
}

#[test]
fn sides_turn_as_they_do_without_repetitions() {
    for (polls, others) in [(2, 40), (20, 18), (20, 40), (600, 200)] {
        same_either_way(&reversed(polls, others), &format!("{polls} polls, then {others} the other way"));
    }
}

#[test]
fn sides_turn_after_any_polling() {
    for polls in [2, 20, 600] {
        let pdus = &tables(Engine::new(Detail::Pdus), &reversed(polls, 40))[0];
        let ports = pdus.column_by_name("source_port").expect("a column").as_primitive::<UInt16Type>().clone();
        let units = pdus.column_by_name("source_unit").expect("a column");
        // Who asks has no unit.
        let asked = (0..pdus.num_rows()).filter(|row| ports.value(*row) == 502 && units.is_null(*row)).count();
        assert!((20..40).contains(&asked), "{asked} after {polls}");
    }
}

/// A hole that is given up because time has passed, when the side that waits for nothing else speaks without octets.
#[test]
fn holes_time_out_where_nothing_is_said() {
    let exchange =
        |number: u8| [vec![0, number, 0, 0, 0, 6, 1, 3, 0, 107, 0, 1], vec![0, number, 0, 0, 0, 5, 1, 3, 2, 0, 7]];
    let second = 1_000_000_000;
    let mut packets = Vec::new();
    let (mut sent, mut answered) = (100, 900);
    for round in 0..3_u8 {
        let [request, response] = exchange(round);
        packets.push(segment(true, sent, answered, &request, i64::from(round) * second));
        sent += request.len() as u32;
        packets.push(segment(false, answered, sent, &response, i64::from(round) * second + 1_000));
        answered += response.len() as u32;
    }
    // The request before this one is lost, and nothing is answered.
    let [request, _] = exchange(9);
    packets.push(segment(true, sent + 12, answered, &request, 4 * second));
    packets.push(segment(true, sent + 24, answered, &[], 10 * second));
    let other = [vec![0x81, 0x0a, 0, 17, 1, 4, 0, 5, 1, 12, 0x0c, 0, 0, 0, 1, 0x19, 0x55]];
    packets.extend(other.iter().map(|octets| datagram(true, octets, 11 * second)));
    same_either_way(&packets, "a hole");
}
