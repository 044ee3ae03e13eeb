use super::*;
use crate::model::Object;

fn message(pairing: Pairing, kind: Kind) -> Box<Message> {
    Box::new(Message { pairing, kind, ..Message::default() })
}

/// A message: pairing, kind, way, second.
type Step = (Pairing, Kind, Direction, i64);
/// An exchange: outcome, frames of the request, frames of the answers.
type Outcome = (Status, usize, usize);

fn run(steps: &[Step]) -> Vec<Outcome> {
    run_in(&mut Exchanges::default(), steps)
}

fn run_in(exchanges: &mut Exchanges, steps: &[Step]) -> Vec<Outcome> {
    let mut done = Vec::new();
    let mut sink = |exchange: &mut Exchange| {
        done.push((exchange.status, exchange.request_frames.len(), exchange.response_frames.len()));
    };
    for (index, (pairing, kind, direction, seconds)) in steps.iter().enumerate() {
        let stamp = Stamp { frame: index as u64, time: seconds * 1_000_000_000, capture: 0 };
        exchanges.message(message(*pairing, *kind), *direction, &[index as u64], stamp, &mut sink);
    }
    exchanges.finish(&mut sink);
    done
}

#[test]
fn answers_have_a_capture_file_of_their_own() {
    let answers = |last| Pairing::Answers { key: 1, last };
    // Capture file of the request, and of each part of the answer with its frame.
    type Case = (&'static str, Option<u32>, &'static [(u32, u64)], (u32, u32, &'static [u64]));
    let cases: [Case; 6] = [
        ("in one file", Some(7), &[(7, 40)], (7, 7, &[40])),
        ("in the next", Some(7), &[(8, 2)], (7, 8, &[2])),
        ("in the next, two parts", Some(7), &[(8, 2), (8, 3)], (7, 8, &[2, 3])),
        ("over three files", Some(7), &[(8, 2), (9, 1)], (7, 8, &[2])),
        ("unanswered", Some(7), &[], (7, NONE, &[])),
        ("without a request", None, &[(8, 2)], (8, 8, &[2])),
    ];
    for (name, request, parts, expected) in cases {
        let (mut exchanges, mut done) = (Exchanges::default(), Vec::new());
        let mut sink = |exchange: &mut Exchange| {
            done.push((exchange.start.capture, exchange.response_capture, exchange.response_frames.to_vec()));
        };
        if let Some(capture) = request {
            let stamp = Stamp { frame: 36, time: 0, capture };
            let request = message(Pairing::Opens(1), Kind::Request);
            exchanges.message(request, Direction::Forward, &[36], stamp, &mut sink);
        }
        for (number, &(capture, frame)) in parts.iter().enumerate() {
            let part = message(answers(number + 1 == parts.len()), Kind::Response);
            let stamp = Stamp { frame, time: 1, capture };
            exchanges.message(part, Direction::Backward, &[frame], stamp, &mut sink);
        }
        exchanges.finish(&mut sink);
        assert_eq!(done, [(expected.0, expected.1, expected.2.to_vec())], "{name}");
    }
}

#[test]
fn an_answer_captured_before_its_request_waits_for_it() {
    use Direction::{Backward, Forward};
    let answer = |key, second| (Pairing::Answers { key, last: true }, Kind::Response, Backward, second);
    let request = |key, second| (Pairing::Opens(key), Kind::Request, Forward, second);
    let cases: &[(&str, bool, &[Step], &[Outcome])] = &[
        ("it comes", true, &[answer(1, 0), request(1, 0)], &[(Status::Ok, 1, 1)]),
        ("several", true, &[answer(1, 0), answer(2, 0), request(1, 0), request(2, 0)], &[(Status::Ok, 1, 1); 2]),
        ("too late", true, &[answer(1, 0), request(1, 1)], &[(Status::ResponseOnly, 0, 1), (Status::NoResponse, 1, 0)]),
        ("another", true, &[answer(1, 0), request(2, 0)], &[(Status::NoResponse, 1, 0), (Status::ResponseOnly, 0, 1)]),
        (
            "no sign of it",
            false,
            &[answer(1, 0), request(1, 0)],
            &[(Status::ResponseOnly, 0, 1), (Status::NoResponse, 1, 0)],
        ),
        (
            "a key that never changes tells nothing",
            true,
            &[answer(0, 0), request(0, 0), answer(0, 0), request(0, 0), answer(0, 0)],
            &[(Status::Ok, 1, 1), (Status::ResponseOnly, 0, 1), (Status::Ok, 1, 1)],
        ),
    ];
    for (name, early, steps, expected) in cases {
        let mut exchanges = Exchanges { answers_come_early: *early, ..Exchanges::default() };
        assert_eq!(run_in(&mut exchanges, steps), *expected, "{name}");
    }
}

#[test]
fn the_values_of_an_early_answer_are_of_the_points_asked_for() {
    let mut request = message(Pairing::Opens(1), Kind::Request);
    request.objects.push(Object { kind: "coil", start: Some(19), count: 3, ..Object::default() });
    let mut response = message(Pairing::Answers { key: 1, last: true }, Kind::Response);
    let values = response.push_values([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    response.objects.push(Object { kind: "coil", count: 8, values, ..Object::default() });
    let mut exchanges = Exchanges { answers_come_early: true, ..Exchanges::default() };
    let mut found = Vec::new();
    let mut sink = |exchange: &mut Exchange| {
        let response = exchange.response.as_ref().expect("an answer");
        let object = &response.objects[0];
        found.push((object.start, object.count, response.values_of(object).to_vec()));
    };
    exchanges.message(response, Direction::Backward, &[1], Stamp::default(), &mut sink);
    exchanges.message(request, Direction::Forward, &[2], Stamp::default(), &mut sink);
    assert_eq!(found, [(Some(19), 3, vec![1.0, 0.0, 1.0])]);
}

/// A message with so many objects, numbers and octets of words.
fn sized(pairing: Pairing, [objects, values, text]: [usize; 3]) -> Box<Message> {
    let mut message = message(pairing, Kind::Response);
    message.objects.resize(objects, Object::default());
    message.push_values(std::iter::repeat_n(1.0, values));
    message.push_text(&"x".repeat(text));
    message
}

#[test]
fn an_answer_in_parts_has_an_end() {
    // Of how many parts, one a second, of which size; what comes of them: outcome, objects, values, octets of text.
    type Case = (&'static str, i64, [usize; 3], &'static [(Status, [usize; 3])]);
    let cases: [Case; 6] = [
        ("fits", 4, [1_024, 16_384, 16_384], &[(Status::Ok, [4_096, 65_536, 65_536])]),
        ("objects", 4, [1_025, 0, 0], &[(Status::Cut, [3_075, 0, 0]), (Status::ResponseOnly, [1_025, 0, 0])]),
        ("values", 3, [1, 32_768, 0], &[(Status::Cut, [2, 65_536, 0]), (Status::ResponseOnly, [1, 32_768, 0])]),
        ("words", 3, [1, 0, 32_768], &[(Status::Cut, [2, 0, 65_536]), (Status::ResponseOnly, [1, 0, 32_768])]),
        ("one part", 1, [4_096, 100_000, 100_000], &[(Status::Ok, [4_096, 100_000, 100_000])]),
        ("in time", 601, [1, 1, 1], &[(Status::Ok, [600, 600, 600]), (Status::ResponseOnly, [1, 1, 1])]),
    ];
    for (name, parts, size, expected) in cases {
        let (mut exchanges, mut done) = (Exchanges::default(), Vec::new());
        let mut sink = |exchange: &mut Exchange| {
            let response = exchange.response.as_ref().expect("an answer");
            done.push((exchange.status, [response.objects.len(), response.values.len(), response.text.len()]));
        };
        let stamp = |second: i64| Stamp { frame: 1, time: second * 1_000_000_000, capture: 0 };
        exchanges.message(message(Pairing::Opens(1), Kind::Request), Direction::Forward, &[1], stamp(0), &mut sink);
        for part in 1..=parts {
            let part_of = sized(Pairing::Answers { key: 1, last: false }, size);
            exchanges.message(part_of, Direction::Backward, &[2], stamp(part), &mut sink);
        }
        exchanges.finish(&mut sink);
        assert_eq!(exchanges.octets, 0, "{name}");
        assert_eq!(done, expected, "{name}");
    }
}

#[test]
fn who_has_too_much_open_keeps_the_newest_request() {
    let usual = [4, 0, 0];
    // Sizes of the requests, oldest first; how many stay.
    let cases: [(&str, &[[usize; 3]], usize); 4] = [
        ("one", &[usual], 1),
        ("many", &[usual; 64], 1),
        ("the newest is long", &[usual, [4_096, 0, 0]], 0),
        ("an older one is long", &[[4_096, 0, 0], usual], 1),
    ];
    for (name, sizes, stay) in cases {
        let (mut exchanges, mut done) = (Exchanges::default(), 0);
        let mut sink = |_: &mut Exchange| done += 1;
        for (key, size) in (0..).zip(sizes) {
            let mut request = sized(Pairing::Opens(key), *size);
            // Room that an earlier message needed.
            request.values.reserve(5_000);
            exchanges.message(request, Direction::Forward, &[1], Stamp::default(), &mut sink);
        }
        assert!(exchanges.held() > 0, "{name}");
        exchanges.give_up(&mut sink);
        assert_eq!((exchanges.pending.len(), exchanges.held()), (stay, 0), "{name}");
        let newest = exchanges.pending.back().map(|pending| pending.key);
        assert_eq!(newest, (stay > 0).then_some(sizes.len() as u64 - 1), "{name}");
        assert_eq!((done, exchanges.dropped()), (sizes.len() - stay, (sizes.len() - stay) as u64), "{name}");
    }
}

#[test]
fn outcomes() {
    use Direction::{Backward, Forward};
    let answers = |key, last| Pairing::Answers { key, last };
    let cases: &[(&str, &[Step], &[Outcome])] = &[
        (
            "answered",
            &[(Pairing::Opens(1), Kind::Request, Forward, 0), (answers(1, true), Kind::Response, Backward, 1)],
            &[(Status::Ok, 1, 1)],
        ),
        (
            "refused",
            &[(Pairing::Opens(1), Kind::Request, Forward, 0), (answers(1, true), Kind::Error, Backward, 1)],
            &[(Status::Error, 1, 1)],
        ),
        (
            "in two parts",
            &[
                (Pairing::Opens(1), Kind::Request, Forward, 0),
                (answers(1, false), Kind::Response, Backward, 1),
                (answers(1, true), Kind::Response, Backward, 2),
            ],
            &[(Status::Ok, 1, 2)],
        ),
        (
            "the same key of the other side does not answer",
            &[(Pairing::Opens(1), Kind::Request, Forward, 0), (answers(1, true), Kind::Response, Forward, 1)],
            &[(Status::ResponseOnly, 0, 1), (Status::NoResponse, 1, 0)],
        ),
        (
            "repeated",
            &[
                (Pairing::Opens(1), Kind::Request, Forward, 0),
                (Pairing::Opens(1), Kind::Request, Forward, 1),
                (answers(1, true), Kind::Response, Backward, 2),
            ],
            &[(Status::NoResponse, 1, 0), (Status::Ok, 1, 1)],
        ),
        (
            "too late",
            &[(Pairing::Opens(1), Kind::Request, Forward, 0), (answers(1, true), Kind::Response, Backward, 60)],
            &[(Status::NoResponse, 1, 0), (Status::ResponseOnly, 0, 1)],
        ),
        (
            "a younger one too late, while an older one is answered in parts",
            &[
                (Pairing::Opens(1), Kind::Request, Forward, 0),
                (Pairing::Opens(2), Kind::Request, Forward, 1),
                (answers(1, false), Kind::Response, Backward, 20),
                (answers(2, true), Kind::Response, Backward, 40),
                (answers(1, true), Kind::Response, Backward, 45),
            ],
            &[(Status::NoResponse, 1, 0), (Status::ResponseOnly, 0, 1), (Status::Ok, 1, 2)],
        ),
        ("alone", &[(Pairing::Alone, Kind::Unsolicited, Backward, 0)], &[(Status::OneWay, 1, 0)]),
    ];
    for (name, steps, expected) in cases {
        assert_eq!(run(steps), *expected, "{name}");
    }
}
