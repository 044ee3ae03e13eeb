//! Records of every kind; frames in any portions; noise between them.

use proptest::prelude::*;

use super::*;
use crate::net::link::BusStation;
use crate::protocols::modbus::crc;

const CLIENT: u16 = BusStation::CLIENT;

/// Request link status, master 1 to outstation 10, and its answer.
const DNP3_ASKED: &[u8] = &[0x05, 0x64, 0x05, 0xc9, 0x0a, 0x00, 0x01, 0x00];
const DNP3_ANSWER: &[u8] = &[0x05, 0x64, 0x05, 0x0b, 0x01, 0x00, 0x0a, 0x00];

/// CRC of IEEE 1815, 9.2.4, bit by bit.
fn with_dnp3_crc(octets: &[u8]) -> Vec<u8> {
    let mut crc = 0u16;
    for octet in octets {
        crc ^= u16::from(*octet);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xa6bc } else { crc >> 1 };
        }
    }
    [octets, &(!crc).to_le_bytes()].concat()
}

fn framed(body: &[u8]) -> Vec<u8> {
    [body, &crc(body).to_le_bytes()].concat()
}

fn ask(unit: u8, start: u8, count: u8) -> Vec<u8> {
    framed(&[unit, 3, 0, start, 0, count])
}

fn answer(unit: u8, values: &[u8]) -> Vec<u8> {
    let body: Vec<u8> = values.iter().flat_map(|value| [0, *value]).collect();
    framed(&[&[unit, 3, body.len() as u8], &body[..]].concat())
}

fn at(frame: u64) -> Stamp {
    Stamp { frame, time: frame as i64, capture: 0 }
}

/// Way and octets of each record, to the end of the line.
fn run(records: &[(usize, &[u8])]) -> Vec<Found> {
    let (mut line, mut found) = (Line::default(), Vec::new());
    for (number, (way, octets)) in records.iter().enumerate() {
        line.take(*way, octets, at(number as u64 + 1), &mut found);
        assert!(line.held() <= 2 * MOST_OCTETS, "{} octets held", line.held());
    }
    line.finish(&mut found);
    assert_eq!(line.held(), 0);
    found
}

/// Sender, receiver, and the record with the last octet, of each frame.
fn frames(found: &[Found]) -> Vec<(u16, u16, u64)> {
    let frame = |found: &Found| match found {
        Found::Frame(frame) => Some((frame.ends[0], frame.ends[1], frame.stamp.frame)),
        Found::Noise { .. } => None,
    };
    found.iter().filter_map(frame).collect()
}

fn noise_octets(found: &[Found]) -> usize {
    let octets = |found: &Found| if let Found::Noise { octets, .. } = found { *octets } else { 0 };
    found.iter().map(octets).sum()
}

#[test]
fn a_record_has_an_event_and_octets() {
    let header = |event: u8| [&[0; 8][..], &[event, 0x09, 0, 0], b"ab"].concat();
    let cases = [
        (0, Event::Other),
        (1, Event::Data(0)),
        (2, Event::Data(1)),
        (3, Event::Data(0)),
        (4, Event::Data(1)),
        (5, Event::Lost("captured octets were lost")),
        (6, Event::Other),
        (7, Event::Damaged("a framing error")),
        (8, Event::Damaged("a parity error")),
        (9, Event::Other),
        (10, Event::Lost("the receiver was overrun")),
        (255, Event::Other),
    ];
    for (event, expected) in cases {
        assert_eq!(record(&header(event)), Some((expected, &b"ab"[..])), "{event}");
    }
    for end in 0..HEADER {
        assert_eq!(record(&header(1)[..end]), None);
    }
}

#[test]
fn sides_of_modbus_are_told_by_way_by_answer_and_by_content() {
    let write = framed(&[7, 6, 0, 10, 0, 80]);
    // Both ways: a repetition without an answer stays a request once the ways are known.
    let (one, two) = (ask(1, 0, 2), answer(1, &[5, 6]));
    let mut records: Vec<(usize, &[u8])> = [(0, &one[..]), (1, &two[..])].repeat(3);
    records.extend([(0, &write[..]), (0, &write), (1, &write)]);
    let told = frames(&run(&records));
    assert_eq!(told[6..], [(CLIENT, 7, 7), (CLIENT, 7, 8), (7, CLIENT, 9)]);
    // One way: what repeats the frame before it is its answer, and then nothing is open any more.
    let told = frames(&run(&[(1, &write), (1, &write), (1, &write), (1, &write)]));
    assert_eq!(told, [(CLIENT, 7, 1), (7, CLIENT, 2), (CLIENT, 7, 3), (7, CLIENT, 4)]);
    // An answer whose question was not captured; a broadcast, which nobody answers.
    let all = framed(&[0, 6, 0, 10, 0, 80]);
    let told = frames(&run(&[(1, &two), (1, &all), (1, &all)]));
    assert_eq!(told, [(1, CLIENT, 1), (CLIENT, 0, 2), (CLIENT, 0, 3)]);
}

#[test]
fn dnp3_has_its_ends_in_its_header() {
    let (asked, answered) = (with_dnp3_crc(DNP3_ASKED), with_dnp3_crc(DNP3_ANSWER));
    let told = frames(&run(&[(0, &asked[..3]), (0, &asked[3..]), (1, &answered)]));
    assert_eq!(told, [(1, 10, 2), (10, 1, 3)]);
    // A frame that goes on in the next record waits for it, whoever speaks meanwhile.
    let told = frames(&run(&[(0, &asked[..9]), (1, &answered), (0, &asked[9..])]));
    assert_eq!(told, [(10, 1, 2), (1, 10, 3)]);
}

#[test]
fn noise_that_looks_like_a_frame_does_not_hold_the_next_one_back() {
    // The noise could start a request to unit 5, or an answer of 200 octets.
    let (asked, answered) = (ask(5, 0, 1), answer(5, &[9]));
    let noisy = [&[0x05, 0x03, 0xc8][..], &asked].concat();
    let found = run(&[(0, &noisy), (1, &answered), (0, &asked)]);
    assert_eq!(frames(&found), [(CLIENT, 5, 1), (5, CLIENT, 2), (CLIENT, 5, 3)]);
    assert_eq!(noise_octets(&found), 3);
}

#[test]
fn a_function_without_known_structure_is_a_frame_where_it_fills_a_record() {
    let own = framed(&[9, 100, 1, 2, 3]);
    assert_eq!(frames(&run(&[(0, &own)])), [(CLIENT, 9, 1)]);
    assert_eq!(frames(&run(&[(0, &[&own[..], &[1]].concat())])), []);
}

#[test]
fn one_frame_in_the_middle_of_something_else_is_chance() {
    let frame = ask(1, 0, 1);
    let inside = [&b"some words "[..], &frame, b" and others"].concat();
    let found = run(&[(0, &inside)]);
    assert_eq!((frames(&found).len(), noise_octets(&found)), (0, inside.len()));
    assert!(matches!(&found[..], [Found::Noise { bus: None, .. }]), "{found:?}");
    assert_eq!(frames(&run(&[(0, &inside), (0, &inside)])).len(), 2, "two bear one another out");
    let far = vec![b' '; NEAR + 1];
    assert_eq!(frames(&run(&[(0, &inside), (0, &far), (0, &inside)])).len(), 0, "unless they are far apart");
}

#[test]
fn the_beginning_of_an_answer_is_no_request_though_its_crc_fits() {
    // The answer's first 8 octets: a request for 5 registers from 0x1400, with its CRC.
    let asked = ask(1, 0, 10);
    let request = framed(&[1, 3, 20, 0, 0, 5]);
    let answer = framed(&[&request[..], &[7; 15]].concat());
    assert_eq!(answer.len(), 25);
    for cut in 1..answer.len() {
        let records = [(0, &asked[..]), (1, &answer[..cut]), (1, &answer[cut..]), (0, &asked), (1, &answer)];
        let told = frames(&run(&records));
        assert_eq!(told, [(CLIENT, 1, 1), (1, CLIENT, 3), (CLIENT, 1, 4), (1, CLIENT, 5)], "{cut}");
    }
    // Nobody asked, and the other side goes on: it is what it may be.
    let told = frames(&run(&[(0, &asked), (1, &answer), (0, &request), (0, &asked)]));
    assert_eq!(told[2..], [(CLIENT, 1, 3), (CLIENT, 1, 4)]);
}

#[test]
fn a_frame_that_is_less_borne_out_gives_way_to_one_that_begins_in_it() {
    // Noise and the first octets of a request: an exception that nobody asked for, of a function that does not exist.
    let asked = ask(5, 0, 1);
    let noise = (1..=247u8)
        .flat_map(|unit| (0x80..=0xffu8).flat_map(move |function| (0..=255).map(move |code| [unit, function, code])))
        .find(|noise| crc(noise) == u16::from_le_bytes([asked[0], asked[1]]));
    let noise = noise.expect("some of 8 million fit 16 bits").to_vec();
    let answered = answer(5, &[9]);
    for cut in 1..noise.len() + asked.len() {
        let octets = [&noise[..], &asked].concat();
        let records = [(0, &octets[..cut]), (0, &octets[cut..]), (1, &answered), (0, &asked), (1, &answered)];
        let found = run(&records);
        let told = [(CLIENT, 5), (5, CLIENT), (CLIENT, 5), (5, CLIENT)];
        assert_eq!((ends(&found), noise_octets(&found)), (told.to_vec(), noise.len()), "{cut}");
    }
}

/// A frame of Modbus ASCII.
fn ascii(body: &[u8]) -> Vec<u8> {
    let sum = body.iter().fold(0u8, |sum, octet| sum.wrapping_sub(*octet));
    let digits: String = body.iter().chain([&sum]).map(|octet| format!("{octet:02X}")).collect();
    format!(":{digits}\r\n").into_bytes()
}

#[test]
fn frames_of_modbus_ascii_go_on_as_those_of_rtu() {
    // The example of Serial Line V1.02, 2.5.2 in its form: unit 17 is asked for 3 registers from 107.
    assert_eq!(ascii(&[17, 3, 0, 107, 0, 3]), b":1103006B00037E\r\n");
    let asked = ascii(&[17, 3, 0, 107, 0, 3]);
    let answered = ascii(&[17, 3, 6, 2, 43, 0, 0, 0, 99]);
    for cut in 1..asked.len() {
        let found = run(&[(0, &asked[..cut]), (0, &asked[cut..]), (1, &answered)]);
        assert_eq!(frames(&found), [(CLIENT, 17, 2), (17, CLIENT, 3)], "{cut}");
        let octets = found.iter().map(|found| match found {
            Found::Frame(frame) => frame.octets.clone(),
            Found::Noise { .. } => unreachable!("no noise was sent"),
        });
        let expected = [framed(&[17, 3, 0, 107, 0, 3]), framed(&[17, 3, 6, 2, 43, 0, 0, 0, 99])];
        assert_eq!(octets.collect::<Vec<_>>(), expected);
    }
    // A sum that is wrong, a digit that is none, no line end, an odd digit, and the longest.
    for bad in [&b":1103006B00037F\r\n"[..], b":110300GB00037E\r\n", b":1103006B00037E\n", b":1103006B00037E0\r\n"] {
        let found = run(&[(0, bad), (0, &asked), (1, &answered)]);
        assert_eq!((frames(&found).len(), noise_octets(&found)), (2, bad.len()));
    }
    let longest = ascii(&[&[1, 100][..], &[7; 252]].concat());
    assert_eq!(longest.len(), 513);
    assert_eq!(frames(&run(&[(0, &longest)])), [(CLIENT, 1, 1)]);
    assert_eq!(frames(&run(&[(0, &[&b":"[..], &[b'0'; 600]].concat()), (0, &asked)])), [(CLIENT, 17, 2)]);
}

#[test]
fn a_frame_names_the_records_it_was_in() {
    let (asked, answered) = (ask(1, 0, 2), answer(1, &[5, 6]));
    let found = run(&[(0, &asked[..3]), (0, &asked[3..5]), (0, &asked[5..]), (1, &answered)]);
    let parts = found.iter().map(|found| match found {
        Found::Frame(frame) => frame.parts.clone(),
        Found::Noise { .. } => unreachable!("no noise was sent"),
    });
    assert_eq!(parts.collect::<Vec<_>>(), [vec![1, 2], vec![]]);
}

#[test]
fn what_is_lost_is_not_joined() {
    let frame = ask(1, 0, 1);
    let (mut line, mut found) = (Line::default(), Vec::new());
    line.take(0, &frame[..4], at(1), &mut found);
    line.lose(&mut found);
    line.take(0, &frame[4..], at(2), &mut found);
    line.take(0, &frame, at(3), &mut found);
    line.finish(&mut found);
    assert_eq!((frames(&found), noise_octets(&found)), (vec![(CLIENT, 1, 3)], frame.len()));
}

/// A conversation: unit, values, and noise before the request and before the answer.
type Turn = (u8, Vec<u8>, Vec<u8>, Vec<u8>);

fn turns(noise: usize) -> impl Strategy<Value = Vec<Turn>> {
    let octets = || prop::collection::vec(any::<u8>(), 0..=noise);
    prop::collection::vec((1u8..=247, prop::collection::vec(any::<u8>(), 1..60), octets(), octets()), 1..12)
}

/// The octets of each way in order, and the ends of every frame.
type Said = (Vec<(usize, Vec<u8>)>, Vec<(u16, u16)>);

fn said(turns: &[Turn]) -> Said {
    let mut octets = Vec::new();
    let mut ends = Vec::new();
    for (unit, values, before, between) in turns {
        octets.push((0, [&before[..], &ask(*unit, 0, values.len() as u8)].concat()));
        octets.push((1, [&between[..], &answer(*unit, values)].concat()));
        ends.extend([(CLIENT, u16::from(*unit)), (u16::from(*unit), CLIENT)]);
    }
    (octets, ends)
}

/// Octets of each way in portions; `cuts` are lengths, taken in turn.
fn portions(octets: &[(usize, Vec<u8>)], cuts: &[usize]) -> Vec<(usize, Vec<u8>)> {
    let mut cuts = cuts.iter().cycle();
    let mut records = Vec::new();
    for (way, octets) in octets {
        let mut rest = &octets[..];
        while !rest.is_empty() {
            let (one, other) = rest.split_at((*cuts.next().unwrap_or(&1)).min(rest.len()));
            records.push((*way, one.to_vec()));
            rest = other;
        }
    }
    records
}

fn ends(found: &[Found]) -> Vec<(u16, u16)> {
    frames(found).into_iter().map(|(from, to, _)| (from, to)).collect()
}

fn run_all(records: &[(usize, Vec<u8>)]) -> Vec<Found> {
    run(&records.iter().map(|(way, octets)| (*way, &octets[..])).collect::<Vec<_>>())
}

/// True where noise and the octets behind it are, by their CRC, a request within its bounds: nothing then tells it from
/// the one that was sent.
fn makes_a_request(noise: &[u8], frame: &[u8]) -> bool {
    let octets = [noise, frame].concat();
    (0..noise.len()).any(|at| matches!(rtu::start(Role::Request, &octets[at..]), rtu::Start::Frame(_)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_portions_give_the_same_frames(turns in turns(0), cuts in prop::collection::vec(1usize..80, 1..8)) {
        let (octets, expected) = said(&turns);
        let found = run_all(&portions(&octets, &cuts));
        prop_assert_eq!(ends(&found), expected);
        prop_assert_eq!(noise_octets(&found), 0);
    }

    #[test]
    fn noise_between_frames_loses_no_good_frame(turns in turns(40), cuts in prop::collection::vec(1usize..80, 1..8)) {
        for (unit, values, before, _) in &turns {
            prop_assume!(!makes_a_request(before, &ask(*unit, 0, values.len() as u8)));
        }
        let (octets, expected) = said(&turns);
        let found = run_all(&portions(&octets, &cuts));
        let count = |end: &(u16, u16), all: &[(u16, u16)]| all.iter().filter(|other| *other == end).count();
        let told = ends(&found);
        for end in &expected {
            prop_assert!(count(end, &told) >= count(end, &expected), "{:?} of {:?}, found {:?}", end, expected, found);
        }
    }

    #[test]
    fn no_octet_is_lost_or_told_twice(records in prop::collection::vec((0usize..2, prop::collection::vec(any::<u8>(), 0..700)), 0..12)) {
        let found = run_all(&records);
        let in_frames: usize =
            found.iter().map(|found| if let Found::Frame(frame) = found { frame.octets.len() } else { 0 }).sum();
        prop_assert_eq!(in_frames + noise_octets(&found), records.iter().map(|(_, octets)| octets.len()).sum::<usize>());
    }
}
