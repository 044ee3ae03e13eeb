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

    let mut answer = SELECT.to_vec();
    answer[1] = 0x81; // function: response
    answer[19] = 0x02; // status: no select
    answer.splice(2..2, [0x00, 0x00]); // IIN
    let answer = feed_fragment(&mut session, &answer).messages.remove(0);
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
