//! What changes the outstation: controls, times, freezes.

use super::*;

/// Both a control relay output block and an analog output.
pub(super) const SELECT: &[u8] = &[
    0xC4, // application control: FIR, FIN, sequence 4
    0x03, // function: select
    0x0C, 0x01, 0x28, // control relay output block, 16-bit indices
    0x01, 0x00, // count
    0x07, 0x00, // index
    0x81, // control code: trip, pulse on
    0x01, // count
    0xF4, 0x01, 0x00, 0x00, // on-time 500 ms
    0x64, 0x00, 0x00, 0x00, // off-time 100 ms
    0x00, // status
    0x29, 0x03, 0x17, // single-precision analog output
    0x01, // count
    0x02, // index
    0x00, 0x00, 0x48, 0x42, // 50.0
    0x00, // status
];

pub(super) const SET_TIME: &[u8] = &[
    0xC5, // application control
    0x02, // function: write
    0x32, 0x01, 0x07, // absolute time
    0x01, // count
    0x87, 0xE2, 0xF5, 0x53, 0x4C, 0x01, // 1427337765511 ms
];

pub(super) const CLEAR_RESTART: &[u8] = &[
    0xC6, // application control
    0x02, // function: write
    0x50, 0x01, 0x00, // internal indications, packed
    0x07, // start: device restart
    0x07, // stop
    0x00, // clear
];

pub(super) const FREEZE_AT_TIME: &[u8] = &[
    0xC7, // application control
    0x0B, // function: freeze at time
    0x32, 0x02, 0x07, // absolute time and interval
    0x01, // count
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // at once
    0x60, 0xEA, 0x00, 0x00, // each minute
    0x14, 0x00, 0x06, // all counters
];

pub(super) const ASSIGN_CLASS: &[u8] = &[
    0xC8, // application control
    0x16, // function: assign class
    0x3C, 0x02, 0x06, // class 1, all
    0x01, 0x00, 0x06, // binary input, any variation, all
    0x3C, 0x01, 0x06, // class 0, all
    0x1E, 0x00, 0x00, // analog input, any variation, 8-bit start and stop
    0x02, // start
    0x05, // stop
];

/// The answer to a cold restart.
pub(super) const RESTART_DELAY: &[u8] = &[
    0xC9, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x34, 0x01, 0x07, // coarse time delay
    0x01, // count
    0x05, 0x00, // 5 s
    0x34, 0x02, 0x07, // fine time delay
    0x01, // count
    0x05, 0x00, // 5 ms
];

/// The response that repeats the objects of a request.
pub(super) fn answer_to(request: &[u8]) -> Vec<u8> {
    [&[request[0], 0x81, 0x00, 0x00], &request[2..]].concat()
}

#[test]
fn a_control_says_what_it_does_and_the_answer_how_it_went() {
    let mut session = Dnp3::default();
    let request = feed_fragment(&mut session, SELECT).messages.remove(0);
    assert_eq!((request.operation, request.name), (Operation::Operate, "select"));
    let words = "pulse_on trip=trip count=1 on=500ms off=100ms";
    assert_eq!(
        shapes(&request),
        [
            ("control-relay-output", 12, 1, Some(7), 1, &[129.0][..], words),
            ("analog-output", 41, 3, Some(2), 1, &[50.0], ""),
        ]
    );
    assert_eq!(request.objects[0].status, None);

    let mut answer = answer_to(SELECT);
    answer[21] = 0x02; // status: no select
    let out = feed_fragment(&mut session, &answer);
    assert_eq!(out.oddities, []);
    let answer = &out.messages[0];
    assert_eq!((answer.kind, answer.status, answer.status_name), (Kind::Error, Some(2), "no_select"));
    let statuses: Vec<_> = answer.objects.iter().map(|object| object.status).collect();
    assert_eq!(statuses, [Some(2), Some(0)]);
    let Pairing::Opens(key) = request.pairing else { panic!("{:?}", request.pairing) };
    assert_eq!(answer.pairing, Pairing::Answers { key, last: true });
}

#[test]
fn what_is_written_tells_the_operation() {
    assert_eq!(sound(SET_TIME).operation, Operation::Time);
    assert_eq!(sound(SET_TIME).values, [1_427_337_765_511.0]);
    assert_eq!(sound(CLEAR_RESTART).operation, Operation::Configure);
    assert_eq!(shapes(&sound(CLEAR_RESTART)), [("iin", 80, 1, Some(7), 1, &[0.0][..], "")]);
    let with_a_point = [SET_TIME, &[0x29, 0x02, 0x17, 0x01, 0x00, 0x05, 0x00, 0x00]].concat();
    assert_eq!(sound(&with_a_point).operation, Operation::Write);
}

#[test]
fn a_freeze_at_a_time_has_a_time_and_bare_headers() {
    let message = sound(FREEZE_AT_TIME);
    assert_eq!(message.operation, Operation::Operate);
    assert_eq!(
        shapes(&message),
        [("time", 50, 2, None, 1, &[0.0][..], "interval=60000 milliseconds"), ("counter", 20, 0, None, 0, &[], "")]
    );
}

#[test]
fn nobody_answers_these() {
    let no_ack = sound(&[0xC1, 0x06, 0x0C, 0x01, 0x06]);
    assert_eq!((no_ack.kind, no_ack.pairing), (Kind::Unconfirmed, Pairing::Alone));
    let confirm = sound(&[0xC1, 0x00]);
    assert_eq!((confirm.kind, confirm.pairing), (Kind::Confirm, Pairing::None));
    let to_all = frame_of(FROM_MASTER, 0xFFFF, MASTER, &[ONLY, 0xC1, 0x0D]);
    let out = feed(&mut Dnp3::default(), Direction::Forward, &to_all);
    assert_eq!((out.messages[0].kind, out.messages[0].pairing), (Kind::Unconfirmed, Pairing::Alone));
    assert_eq!(out.messages[0].operation, Operation::Restart);
}

#[test]
fn an_answer_with_other_controls_is_a_mismatch() {
    let index = 11; // of the first control, in the response
    for (place, octet, mismatch) in [(0, 0xC4, false), (index, 0x08, true), (index + 2, 0x41, true), (0, 0xC5, false)] {
        let mut session = Dnp3::default();
        feed_fragment(&mut session, SELECT);
        let mut answer = answer_to(SELECT);
        answer[place] = octet;
        let found = codes_of(&feed_fragment(&mut session, &answer));
        assert_eq!(found.contains(&OddityCode::Mismatch), mismatch, "{octet:#x} at {place}");
    }
}

#[test]
fn an_indication_refuses_a_request_without_objects() {
    let cases: &[(u8, Kind, &str)] = &[
        (0x00, Kind::Response, ""),
        (0x01, Kind::Error, "no_function_code_support"),
        (0x02, Kind::Error, "object_unknown"),
        (0x04, Kind::Error, "parameter_error"),
        (0x08, Kind::Response, ""), // event buffer overflow
        (0x10, Kind::Error, "already_executing"),
        (0x20, Kind::Response, ""), // configuration corrupt
    ];
    for (indications, kind, name) in cases {
        let message = sound(&[0xC1, 0x81, 0x80, *indications]);
        assert_eq!((message.kind, message.status, message.status_name), (*kind, None, *name));
        assert!(matches!(message.pairing, Pairing::Answers { last: true, .. }));
    }
    // Some of what was asked for is there.
    assert_eq!(sound(RESPONSE).kind, Kind::Response);
}

#[test]
fn classes_are_assigned_without_points() {
    let message = sound(ASSIGN_CLASS);
    assert_eq!((message.name, message.operation), ("assign_class", Operation::Configure));
    assert_eq!(
        shapes(&message),
        [
            ("class", 60, 2, Some(1), 1, &[][..], ""),
            ("binary-input", 1, 0, None, 0, &[], ""),
            ("class", 60, 1, Some(0), 1, &[], ""),
            ("analog-input", 30, 0, Some(2), 4, &[], ""),
        ]
    );
}

#[test]
fn a_restart_is_answered_with_its_delay_in_milliseconds() {
    let mut session = Dnp3::default();
    let asked = feed_fragment(&mut session, &[0xC9, 0x0D]).messages.remove(0);
    let answered = feed_fragment(&mut session, RESTART_DELAY).messages.remove(0);
    assert_eq!((asked.name, asked.operation), ("cold_restart", Operation::Restart));
    assert_eq!(answered.values, [5000.0, 5.0]);
    let Pairing::Opens(key) = asked.pairing else { panic!("{:?}", asked.pairing) };
    assert_eq!(answered.pairing, Pairing::Answers { key, last: true });
}

#[test]
fn every_function_has_its_operation() {
    use Operation::*;
    let cases: &[(&[u8], Operation)] = &[
        (&[0], Session),
        (&[1], Read),
        (&[2], Write),
        (&[3, 4, 5, 6, 7, 8, 9, 10, 11, 12], Operate),
        (&[13, 14], Restart),
        (&[15, 16, 19, 22, 31], Configure),
        (&[17], Start),
        (&[18], Stop),
        (&[20, 21], Subscribe),
        (&[23, 24], Time),
        (&[25, 26, 27, 28, 29, 30], File),
        (&[32, 33], Authenticate),
        (&[34, 128], Unknown),
    ];
    for (functions, operation) in cases {
        for function in *functions {
            let message = sound(&[0xC1, *function]);
            assert_eq!((message.operation, message.name.is_empty()), (*operation, *operation == Unknown), "{function}");
        }
    }
}

#[test]
fn each_broadcast_address_is_answered_by_nobody() {
    for address in 0xFFFD..=0xFFFF {
        let out =
            feed(&mut Dnp3::default(), Direction::Forward, &frame_of(FROM_MASTER, address, MASTER, SET_TIME_SENT));
        let message = &out.messages[0];
        assert_eq!(
            (message.kind, message.pairing, message.operation),
            (Kind::Unconfirmed, Pairing::Alone, Operation::Time)
        );
        assert_eq!(out.oddities, []);
    }
}

/// The clock is set in one segment.
const SET_TIME_SENT: &[u8] = &[
    ONLY, // transport
    0xC5, 0x02, // application control, write
    0x32, 0x03, 0x07, // absolute time at last recorded time
    0x01, // count
    0x87, 0xE2, 0xF5, 0x53, 0x4C, 0x01, // 1427337765511 ms
];
