//! Fragments over several segments, and responses over several fragments.

use super::*;

#[test]
fn a_fragment_over_several_segments_is_one_message() {
    let mut session = Dnp3::default();
    let parts = [&RESPONSE[..20], &RESPONSE[20..40], &RESPONSE[40..]];
    let frames = [
        segment(0x40 | 63, parts[0], false), // FIR
        segment(0, parts[1], false),
        segment(0, parts[1], false),        // once more
        segment(0x80 | 1, parts[2], false), // FIN
    ];
    for frame in &frames[..3] {
        let out = feed(&mut session, Direction::Backward, frame);
        assert_eq!((out.messages.len(), out.oddities.len()), (0, 0));
    }
    let out = feed(&mut session, Direction::Backward, &frames[3]);
    assert_eq!(out.oddities, []);
    let message = &out.messages[0];
    assert_eq!(shapes(message), shapes(&sound(RESPONSE)));
    assert_eq!(message.length as usize, frames[0].len() + frames[1].len() + frames[3].len());
}

#[test]
fn pairs_that_share_a_connection_do_not_mix() {
    let mut session = Dnp3::default();
    let of = |outstation: u16, transport: u8, octets: &[u8]| {
        frame_of(FROM_OUTSTATION, MASTER, outstation, &[&[transport], octets].concat())
    };
    let stream = [
        of(10, 0x40, &RESPONSE[..20]),
        of(11, 0x47, &UNSOLICITED[..9]),
        of(10, 0x81, &RESPONSE[20..]),
        of(11, 0x88, &UNSOLICITED[9..]),
    ]
    .concat();
    let out = feed(&mut session, Direction::Backward, &stream);
    assert_eq!(out.oddities, []);
    assert_eq!(
        out.messages.iter().map(|message| message.source_unit).collect::<Vec<_>>(),
        [Unit::Number(10), Unit::Number(11)]
    );
    assert_eq!(shapes(&out.messages[0]), shapes(&sound(RESPONSE)));
    assert_eq!(shapes(&out.messages[1]), shapes(&sound(UNSOLICITED)));
}

#[test]
fn a_fragment_that_is_not_finished_is_listed_as_cut() {
    let first = segment(0x40, &RESPONSE[..20], false);
    let alone = segment(ONLY, UNSOLICITED, false);
    let third = segment(0x82, &RESPONSE[40..], false);

    let mut session = Dnp3::default();
    let out = feed(&mut session, Direction::Backward, &[&first[..], &alone].concat());
    assert_eq!(out.messages.iter().map(|message| message.complete).collect::<Vec<_>>(), [false, true]);
    assert_eq!(codes_of(&out), [OddityCode::BadSequence]);
    assert_eq!(shapes(&out.messages[0]).len(), 2);

    let out = feed(&mut session, Direction::Backward, &[&first[..], &third].concat());
    assert_eq!((out.messages.len(), out.messages[0].complete), (1, false));
    assert_eq!(codes_of(&out), [OddityCode::BadSequence]);

    let mut out = feed(&mut session, Direction::Backward, &first);
    session.gap(Direction::Forward, &mut out);
    assert_eq!(out.messages.len(), 0);
    session.gap(Direction::Backward, &mut out);
    assert_eq!((out.messages.len(), out.messages[0].complete, out.oddities.len()), (1, false, 0));

    let out = feed(&mut session, Direction::Backward, &third);
    assert_eq!((out.messages.len(), codes_of(&out)), (0, vec![OddityCode::BadSequence]));
}

#[test]
fn all_fragments_of_a_response_answer_its_request() {
    let mut session = Dnp3::default();
    let Pairing::Opens(key) = feed_fragment(&mut session, &[0xCF, 0x01, 0x3C, 0x01, 0x06]).messages[0].pairing else {
        panic!("a request opens");
    };
    let answers = [0xAF_u8, 0x20, 0x20, 0x41].map(|control| {
        let out = feed_fragment(&mut session, &[control, 0x81, 0x00, 0x00]);
        assert_eq!(out.oddities, []);
        // The master confirms each.
        feed_fragment(&mut session, &[0xC0 | control & 0x0F, 0x00]);
        out.messages[0].pairing
    });
    let answer = |last| Pairing::Answers { key, last };
    assert_eq!(answers, [answer(false), answer(false), answer(false), answer(true)]);
}
