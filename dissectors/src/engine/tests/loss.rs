//! Octets that the capture lost: what was captured behind them keeps its order, so that answers go with their requests.

use arrow_array::cast::AsArray;
use arrow_array::types::UInt64Type;

use super::*;

const SECOND_NS: i64 = 1_000_000_000;

/// A packet of one round, by its name in the cases: `q` the request, `r` the answer, `a` the acknowledgement of it.
type Named = (String, Owned);

/// A client that asks for a register each second and never changes the transaction identifier.
fn polled() -> Vec<Named> {
    let (mut sent, mut answered) = (100, 900);
    let mut packets = Vec::new();
    for round in 1..=5 {
        let request = [0, 3, 0, 0, 0, 6, 1, 3, 0, 99, 0, 1];
        let response = [0, 3, 0, 0, 0, 5, 1, 3, 2, 0, round];
        let time = i64::from(round) * SECOND_NS;
        packets.push((format!("q{round}"), segment(true, sent, answered, &request, time)));
        sent += request.len() as u32;
        packets.push((format!("r{round}"), segment(false, answered, sent, &response, time + 4_000_000)));
        answered += response.len() as u32;
        packets.push((format!("a{round}"), segment(true, sent, answered, &[], time + 198_000_000)));
    }
    packets
}

/// Requests with their answers, as names; `-` for what is not there.
fn pairs(packets: &[Named]) -> Vec<String> {
    let captured: Vec<Owned> = packets.iter().map(|(_, packet)| packet.clone()).collect();
    let events = &tables(Engine::new(Detail::Events), &captured)[1];
    let names = |column: &str, row: usize| {
        let frames = events.column_by_name(column).expect("a column").as_list::<i32>().value(row);
        let frames = frames.as_primitive::<UInt64Type>().values().to_vec();
        let names: Vec<&str> = frames.iter().map(|frame| packets[*frame as usize - 1].0.as_str()).collect();
        if names.is_empty() { "-".to_string() } else { names.join("+") }
    };
    let rows = 0..events.num_rows();
    let mut pairs: Vec<String> =
        rows.map(|row| format!("{} {}", names("request_frames", row), names("response_frames", row))).collect();
    pairs.sort();
    pairs
}

#[test]
fn answers_go_with_their_requests_whatever_is_lost() {
    let cases: [(&str, &[&str], &[&str]); 7] = [
        ("nothing", &[], &["q1 r1", "q2 r2", "q3 r3", "q4 r4", "q5 r5"]),
        ("an answer", &["r2"], &["q1 r1", "q2 -", "q3 r3", "q4 r4", "q5 r5"]),
        ("a request", &["q2"], &["- r2", "q1 r1", "q3 r3", "q4 r4", "q5 r5"]),
        ("both", &["q2", "r2"], &["q1 r1", "q3 r3", "q4 r4", "q5 r5"]),
        ("both, twice", &["q2", "r2", "q4", "r4"], &["q1 r1", "q3 r3", "q5 r5"]),
        // Nothing tells this from an answer that came late.
        ("an answer and the next request", &["r2", "q3"], &["q1 r1", "q2 r3", "q4 r4", "q5 r5"]),
        ("both, and the acknowledgements", &["q2", "r2", "a2", "a3"], &["q1 r1", "q3 r3", "q4 r4", "q5 r5"]),
    ];
    for (name, lost, expected) in cases {
        let captured: Vec<Named> =
            polled().into_iter().filter(|(packet, _)| !lost.contains(&packet.as_str())).collect();
        assert_eq!(pairs(&captured), expected, "{name}");
    }
}
