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
