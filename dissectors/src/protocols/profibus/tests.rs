//! Telegrams of every kind, cut everywhere; services one field a line; a bus whose masters come and go.

use proptest::prelude::*;

use super::bus::{Heard, Ring};
use super::telegram::{self, Bad, Telegram, sd1, sd2};
use super::*;
use crate::model::Kind;
use crate::net::tcp::Stamp;

const MASTER: Direction = Direction::Forward;
const SLAVE: Direction = Direction::Backward;
const SRD: u8 = 0x4d;
const SDN: u8 = 0x46;
const DATA_LOW: u8 = 0x08;

/// Set_Prm of master 2 to slave 5.
const SET_PRM: &[u8] = &[
    61, 62,   // destination and source service access point
    0xb8, // lock, sync, freeze, watchdog on
    2, 50, // watchdog factors: 2 × 50 × 10 ms
    11, // min TSDR
    0x80, 0x27, // ident number
    0x03, // groups
    0x80, // DP-V1
];
/// Configuration: the compact form in all three ways, the special form, an empty slot.
const CHK_CFG: &[u8] = &[
    62, 62,   //
    0x11, // 2 octets in
    0xe0, // 1 word out, consistent
    0x31, // 2 octets in and out
    0xc2, 0x01, 0x43, 0xaa, 0xbb, // 2 octets out, 4 words in, two octets of the maker
    0x00, // an empty slot
];
const DIAGNOSIS: &[u8] = &[
    62, 60,   //
    0x0a, // not ready, extended diagnosis
    0x0d, // parameters requested, watchdog on
    0x80, // overflow
    2,    // the master
    0x80, 0x27, // ident number
    0x03, 1, 2, // device
    0x42, 0xff, // modules
    0x81, 0x40, 0xa2, // channel
];

fn extended(to: u8, from: u8, function: u8, data: &[u8]) -> Vec<u8> {
    sd2(to | 0x80, from | 0x80, function, data)
}

fn decode(session: &mut Profibus, direction: Direction, octets: &[u8]) -> Output {
    let mut out = Output::default();
    session.decode(Chunk { bytes: octets, wire_length: octets.len(), direction }, &mut out);
    out
}

/// An object: kind, start, count, words.
type Said = (String, Option<u32>, u32, String);

/// A request: function code, data; kind, function, operation and words of its message.
type Case = (u8, &'static [u8], Kind, u16, Operation, &'static str);

/// Kind, function, operation and words of the only message.
fn told(out: &Output) -> (Kind, u16, Operation, Vec<Said>) {
    assert_eq!(out.messages.len(), 1);
    let message = &out.messages[0];
    let objects = message
        .objects
        .iter()
        .map(|object| (object.kind.to_string(), object.start, object.count, message.text_of(object).to_string()));
    (message.kind, message.function.unwrap_or(999), message.operation, objects.collect())
}

fn claims(out: &Output) -> Vec<(bool, &str)> {
    out.claims.iter().map(|(_, claim)| (claim.about_sender, &*claim.value)).collect()
}

#[test]
fn telegrams_have_five_forms() {
    let long = sd2(5, 2, SRD, &[1, 2, 3]);
    assert_eq!(telegram::parse(&[0xe5], 0), Ok((Telegram::Ack, 1)));
    assert_eq!(telegram::parse(&[0xdc, 3, 2], 0), Ok((Telegram::Token { to: 3, from: 2 }, 3)));
    for (octets, data) in [(sd1(5, 2, 0x49), &[][..]), (long.clone(), &[1, 2, 3])] {
        let Ok((Telegram::Frame(frame), length)) = telegram::parse(&octets, 0) else { panic!("{octets:02x?}") };
        assert_eq!((frame.to, frame.from, frame.data, length), (5, 2, data, octets.len()));
    }
    let fixed = [0xa2, 5, 2, SRD, 1, 2, 3, 4, 5, 6, 7, 8, 0x78, 0x16];
    let Ok((Telegram::Frame(frame), 14)) = telegram::parse(&fixed, 0) else { panic!() };
    assert_eq!((frame.data.len(), frame.data_at), (8, 4));
    // Address extensions: a bus, then the point; the sender has a point alone.
    let bridged = extended(5, 2, SRD, &[0xc1, 61, 62, 9]);
    let Ok((Telegram::Frame(frame), _)) = telegram::parse(&bridged, 0) else { panic!() };
    assert_eq!((frame.to_point, frame.from_point, frame.data, frame.data_at), (Some(61), Some(62), &[9][..], 10));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let good = sd2(5, 2, SRD, &[1]);
    let with = |at: usize, octet: u8| {
        let mut octets = good.clone();
        octets[at] = octet;
        octets
    };
    let cases = [
        (with(0, 0x67), OddityCode::NotTheProtocol, 0),
        (with(2, 5), OddityCode::BadLength, 2),
        (with(3, 0), OddityCode::InvalidValue, 3),
        (with(7, 9), OddityCode::BadChecksum, 8),
        (with(8, 0), OddityCode::BadChecksum, 8),
        (with(9, 0), OddityCode::InvalidValue, 9),
        (vec![0x68, 3, 3, 0x68, 0, 0, 0, 0, 0x16], OddityCode::BadLength, 1),
        (vec![0x68, 250, 250, 0x68], OddityCode::BadLength, 1),
    ];
    for (octets, code, offset) in cases {
        let Err(Bad { code: found, offset: at, .. }) = telegram::parse(&octets, 0) else { panic!("{octets:02x?}") };
        assert_eq!((found, at), (code, offset), "{octets:02x?}");
    }
}

#[test]
fn a_cut_telegram_keeps_its_addresses() {
    let whole = extended(5, 2, SRD, SET_PRM);
    for end in 0..whole.len() {
        let mut out = Output::default();
        let chunk = Chunk { bytes: &whole[..end], wire_length: whole.len(), direction: MASTER };
        Profibus::default().decode(chunk, &mut out);
        match out.messages.first() {
            Some(message) => assert!(!message.complete && message.length as usize == whole.len()),
            None => assert!(end < 7, "{end}"),
        }
        assert!(out.claims.is_empty(), "a cut message states nothing");
    }
}

#[test]
fn parameters_configuration_and_diagnosis_in_words() {
    let mut session = Profibus::default();
    let out = decode(&mut session, MASTER, &extended(5, 2, SRD, SET_PRM));
    let words = "watchdog on, freeze, sync, lock, watchdog 1000 ms, min TSDR 11, PROFIBUS ident 0x8027, groups 0x03, \
                 1 octets of the user";
    let object = ("slave-parameters".to_string(), None, 1, words.to_string());
    assert_eq!(told(&out), (Kind::Request, 61, Operation::Configure, vec![object]));
    let ident = (false, "PROFIBUS ident 0x8027");
    assert_eq!(claims(&out), [(true, "profibus-master-class-1"), (false, "profibus-slave"), ident]);
    let out = decode(&mut session, SLAVE, &[0xe5]);
    assert_eq!((told(&out).0, told(&out).1), (Kind::Response, 61), "a short acknowledgement");
    assert_eq!(out.messages[0].pairing, Pairing::Answers { key: 61, last: true });

    let (_, _, _, modules) = told(&decode(&mut session, MASTER, &extended(5, 2, SRD, CHK_CFG)));
    let expected = [
        (0, 2, "2 octets in"),
        (1, 2, "1 words out"),
        (2, 4, "2 octets in, 2 octets out"),
        (3, 10, "2 octets out, 4 words in"),
        (4, 0, "empty"),
    ];
    let expected = expected.map(|(slot, size, text)| ("module".to_string(), Some(slot), size, text.to_string()));
    assert_eq!(modules, expected);

    decode(&mut session, MASTER, &extended(5, 2, SRD, &[60, 62]));
    let out = decode(&mut session, SLAVE, &extended(2, 5, DATA_LOW, DIAGNOSIS));
    let words = "not ready, extended diagnosis, parameters requested, watchdog on, diagnosis overflow, master 2, \
                 PROFIBUS ident 0x8027, device diagnosis of 3 octets, modules diagnosis of 2 octets, \
                 channel diagnosis of 3 octets";
    assert_eq!(told(&out).3[0].3, words);
    assert_eq!(claims(&out), [(true, "profibus-slave"), (true, "PROFIBUS ident 0x8027")]);
    assert!(session.is_idle());
}

#[test]
fn commands_addresses_and_cyclic_data() {
    let cases: &[Case] = &[
        (SDN, &[58, 62, 0x02, 0], Kind::Unconfirmed, 58, Operation::Stop, "clear"),
        (SDN, &[58, 62, 0x28, 1], Kind::Unconfirmed, 58, Operation::Operate, "freeze, sync"),
        (SDN, &[58, 62, 0, 0], Kind::Unconfirmed, 58, Operation::Operate, "operate"),
        (
            SRD,
            &[55, 62, 99, 0x80, 1, 1],
            Kind::Request,
            55,
            Operation::Configure,
            "address 99, PROFIBUS ident 0x8001, for good",
        ),
        (SRD, &[53, 62, 1], Kind::Request, 53, Operation::Unknown, ""),
        (SRD, &[51, 51, 0x5f, 1, 48, 2, 7, 7], Kind::Request, 95, Operation::Write, ""),
        (SRD, &[49, 50, 0x57, 0], Kind::Request, 87, Operation::Session, ""),
        (SRD, &[54, 54, 0x43, 0], Kind::Request, 67, Operation::Configure, ""),
    ];
    for (function, data, kind, number, operation, words) in cases {
        let out = decode(&mut Profibus::default(), MASTER, &extended(5, 2, *function, data));
        let (found_kind, found, found_operation, objects) = told(&out);
        assert_eq!((found_kind, found, found_operation), (*kind, *number, *operation), "{data:?}");
        assert_eq!(objects.first().map_or("", |object| &object.3), *words);
    }
    let mut session = Profibus::default();
    let out = decode(&mut session, MASTER, &sd2(5, 2, SRD, &[1, 2, 3]));
    let octets = ("output".to_string(), Some(0), 3, String::new());
    assert_eq!(told(&out), (Kind::Request, 0, Operation::Report, vec![octets]));
    let out = decode(&mut session, SLAVE, &sd1(2, 5, 0x03));
    assert_eq!((told(&out).0, out.messages[0].status_name), (Kind::Error, "no_service_activated"));
    let out = decode(&mut session, MASTER, &sd1(5, 2, 0x4b));
    assert_eq!((told(&out).1, out.messages[0].name), (267, ""), "a function of the link layer that has no name");
}

#[test]
fn an_acyclic_service_is_one_exchange_however_often_it_is_polled_for() {
    let mut session = Profibus::default();
    let read = [51, 51, 0x5e, 1, 47, 4];
    let asked = decode(&mut session, MASTER, &extended(5, 2, SRD, &read)).messages[0].pairing;
    let Pairing::Opens(key) = asked else { panic!("{asked:?}") };
    for _ in 0..3 {
        let pairing = decode(&mut session, SLAVE, &[0xe5]).messages[0].pairing;
        assert_eq!(pairing, Pairing::None);
        let poll = decode(&mut session, MASTER, &extended(5, 2, SRD, &[51, 51]));
        assert_eq!((told(&poll).0, poll.messages[0].pairing), (Kind::Link, Pairing::None));
    }
    let refused = extended(2, 5, DATA_LOW, &[51, 51, 0xde, 0x80, 0xb6, 0]);
    let out = decode(&mut session, SLAVE, &refused);
    let message = &out.messages[0];
    assert_eq!((message.kind, message.function, message.status), (Kind::Error, Some(94), Some(0xb6)));
    assert_eq!(message.pairing, Pairing::Answers { key, last: true });
    assert!(session.is_idle());
}

#[test]
fn short_data_is_an_oddity() {
    for (data, least) in [(SET_PRM, 9), (&[58, 62, 2, 0][..], 4), (&[55, 62, 9, 1, 2, 0], 6), (CHK_CFG, 0)] {
        for end in 2..least {
            let out = decode(&mut Profibus::default(), MASTER, &extended(5, 2, SRD, &data[..end]));
            assert_eq!(out.oddities.len(), 1, "{:?}", &data[..end]);
            assert_eq!(out.oddities[0].1.code, OddityCode::Truncated);
        }
    }
    let out = decode(&mut Profibus::default(), MASTER, &extended(5, 2, SRD, &[62, 62, 0xc2, 1]));
    assert_eq!(out.oddities.len(), 1, "a special identifier that is not whole");
}

/// What a bus tells of records, as words.
fn hear(records: &[&[u8]]) -> Vec<String> {
    let mut ring = Ring::default();
    let mut heard = Vec::new();
    for (number, record) in records.iter().enumerate() {
        ring.record(record, 0, Stamp { frame: number as u64 + 1, ..Stamp::default() }, &mut heard);
    }
    let word = |heard: &Heard| match heard {
        Heard::Telegram { ends: [from, to], octets, stamp, .. } => {
            format!("{} {from}>{to} {:02x}", stamp.frame, octets[0])
        }
        Heard::Odd { code, stamp, expected, .. } => format!("{} {code}: {expected}", stamp.frame),
        Heard::Nothing(octets) => format!("nothing {octets}"),
    };
    heard.iter().map(word).collect()
}

#[test]
fn who_acknowledges_was_asked_and_who_never_answers_is_nobody() {
    let (poll, asked, sent) = (sd1(7, 2, 0x49), sd2(5, 2, SRD, &[1]), sd2(127, 2, SDN, &[1]));
    let there = sd1(2, 7, 0x00);
    assert_eq!(hear(&[&asked, &[0xe5]]), ["1 2>5 68", "2 5>2 e5"]);
    assert_eq!(hear(&[&sent, &[0xe5]]), ["1 2>127 68", "nothing 1"], "nobody was asked");
    assert_eq!(hear(&[&poll, &[0xdc, 3, 2]]), ["2 2>3 dc"], "nobody is there");
    assert_eq!(hear(&[&poll, &there]), ["1 2>7 10", "2 7>2 10"]);
    assert_eq!(hear(&[&[0xdc, 2, 2]]), Vec::<String>::new(), "a master that is alone");
    assert_eq!(hear(&[&[0xdc, 127, 2]]).len(), 1);
}

#[test]
fn a_ring_that_changes_is_told_once_it_was_settled() {
    let ring = |to: u8, from: u8| [0xdc, to, from];
    let said = |passes: &[[u8; 3]]| -> Vec<String> {
        hear(&passes.iter().map(|pass| &pass[..]).collect::<Vec<_>>())
            .into_iter()
            .filter_map(|word| Some(word.split_once("ring_changed: ")?.1.to_string()))
            .collect()
    };
    let settled = [ring(5, 2), ring(5, 2), ring(5, 2)];
    assert_eq!(said(&settled), Vec::<String>::new());
    assert_eq!(said(&[ring(5, 2), ring(4, 2)]), Vec::<String>::new(), "while a bus starts");
    let joined = "the token from 2 to 5, behind a station that joined, found it passed to 4";
    assert_eq!(said(&[&settled[..], &[ring(4, 2)]].concat()), [joined]);
    let gone = "the token from 2 to 5, which left the ring or is silent, found it passed to 9";
    assert_eq!(said(&[&settled[..], &[ring(9, 2)]].concat()), [gone]);
    let alone = "the token from 2 to 5, which left the ring or is silent, found it passed to 2";
    assert_eq!(said(&[&settled[..], &[ring(2, 2)]].concat()), [alone]);
}

fn telegrams() -> impl Strategy<Value = Vec<u8>> {
    let data = prop::collection::vec(any::<u8>(), 1..=200);
    prop_oneof![
        (0u8..=126, 0u8..=126, any::<u8>()).prop_map(|(to, from, function)| sd1(to, from, function)),
        (0u8..=126, 0u8..=126, any::<u8>(), data).prop_map(|(to, from, function, data)| sd2(to, from, function, &data)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn noise_before_a_telegram_does_not_lose_it(noise in prop::collection::vec(any::<u8>(), 0..60), good in telegrams()) {
        let mut heard = Vec::new();
        // A request for data: it is told at once.
        let good = if good[0] == 0x10 { sd1(good[1], good[2], SRD) } else { good };
        let record = [&noise[..], &good].concat();
        Ring::default().record(&record, 0, Stamp::default(), &mut heard);
        let is_good = |heard: &Heard| matches!(heard, Heard::Telegram { octets, .. } if *octets == good);
        let is_offer = matches!(telegram::parse(&good, 0), Ok((Telegram::Frame(frame), _)) if frame.is_request() && frame.code() == 9);
        // What looks like a telegram in the noise may reach into the good one only with its check sequence right.
        let reaches = heard.iter().any(|heard| matches!(heard, Heard::Telegram { octets, .. } if octets.len() > 3 && *octets != good));
        let token = heard.iter().any(|heard| matches!(heard, Heard::Telegram { octets, .. } if octets.len() == 3));
        prop_assert!(is_offer || reaches || token || heard.iter().any(is_good), "{:02x?} {:?}", record, heard);
    }

    #[test]
    fn no_octets_break_anything(records in prop::collection::vec((any::<bool>(), prop_oneof![telegrams(), prop::collection::vec(any::<u8>(), 0..300)], 0usize..300), 0..12)) {
        let (mut session, mut ring, mut heard) = (Profibus::default(), Ring::default(), Vec::new());
        for (forward, octets, missing) in &records {
            let direction = if *forward { MASTER } else { SLAVE };
            let mut out = Output::default();
            session.decode(Chunk { bytes: octets, wire_length: octets.len() + missing, direction }, &mut out);
            prop_assert!(out.messages.iter().all(|message| message.objects.len() <= 256));
            ring.record(octets, *missing, Stamp::default(), &mut heard);
        }
        let told: usize = heard.iter().map(|heard| match heard {
            Heard::Telegram { octets, .. } => octets.len(),
            _ => 0,
        }).sum();
        prop_assert!(told <= records.iter().map(|(_, octets, _)| octets.len()).sum::<usize>());
    }
}
