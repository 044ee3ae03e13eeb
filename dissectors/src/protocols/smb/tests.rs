mod one;

use one::{one, one_negotiated, one_setup, one_setup_response};

use super::*;
use crate::protocols::gss::tests::{spnego_init, spnego_response};
use crate::protocols::ntlm::tests::{authenticate, challenge, wide};

const TO: Direction = Direction::Forward;
const FROM: Direction = Direction::Backward;

/// A NetBIOS session message.
fn packet(message: &[u8]) -> Vec<u8> {
    let length = message.len();
    [&[0, (length >> 16) as u8, (length >> 8) as u8, length as u8], message].concat()
}

fn le16(number: usize) -> [u8; 2] {
    (number as u16).to_le_bytes()
}

fn le32(number: usize) -> [u8; 4] {
    (number as u32).to_le_bytes()
}

/// A message of version 2 in tree 5, session 0x11.
fn two(command: u16, is_response: bool, message: u8, status: u32, body: &[u8]) -> Vec<u8> {
    two_in_chain(command, is_response, message, status, body, 0)
}

fn two_in_chain(command: u16, is_response: bool, message: u8, status: u32, body: &[u8], next: usize) -> Vec<u8> {
    [
        &b"\xfeSMB\x40\0\0\0"[..],
        &status.to_le_bytes(),
        &command.to_le_bytes(),
        &[1, 0, u8::from(is_response), 0, 0, 0],
        &le32(next),
        &[message, 0, 0, 0, 0, 0, 0, 0],
        &[0; 4],
        &[5, 0, 0, 0],
        &[0x11, 0, 0, 0, 0, 0, 0, 0],
        &[0; 16],
        body,
    ]
    .concat()
}

const FILE: [u8; 16] = [7; 16];
const RELATED: [u8; 16] = [0xff; 16];

fn negotiate_response(mode: u8, dialect: u16) -> Vec<u8> {
    let body = [&[65, 0, mode, 0][..], &dialect.to_le_bytes(), &[0; 50], &le16(128), &le16(0), &[0; 4]].concat();
    two(0, true, 0, 0, &body)
}

fn setup(message: u8, token: &[u8]) -> Vec<u8> {
    two(1, false, message, 0, &[&[25, 0, 0, 1][..], &[0; 8], &le16(88), &le16(token.len()), &[0; 8], token].concat())
}

fn setup_response(message: u8, status: u32, flags: u8, token: &[u8]) -> Vec<u8> {
    two(1, true, message, status, &[&[9, 0, flags, 0][..], &le16(72), &le16(token.len()), token].concat())
}

fn tree(message: u8, share: &str) -> Vec<u8> {
    let path = wide(share);
    two(3, false, message, 0, &[&[9, 0, 0, 0][..], &le16(72), &le16(path.len()), &path].concat())
}

fn tree_response(message: u8, kind: u8) -> Vec<u8> {
    two(3, true, message, 0, &[&[16, 0, kind][..], &[0; 13]].concat())
}

fn create_body(name: &str, options: usize) -> Vec<u8> {
    let name = wide(name);
    [&[57, 0][..], &[0; 38], &le32(options), &le16(120), &le16(name.len()), &[0; 8], &name].concat()
}

fn create(message: u8, name: &str) -> Vec<u8> {
    two(5, false, message, 0, &create_body(name, 0))
}

/// The answer: what was done, 4711 octets.
fn created_body(action: u8) -> Vec<u8> {
    [&[89, 0, 0, 0, action, 0, 0, 0][..], &[0; 40], &4711_u64.to_le_bytes(), &[0; 8], &FILE, &[0; 8]].concat()
}

fn created(message: u8, action: u8) -> Vec<u8> {
    two(5, true, message, 0, &created_body(action))
}

fn read(message: u8) -> Vec<u8> {
    two(8, false, message, 0, &[&[49, 0][..], &[0; 14], &FILE, &[0; 17]].concat())
}

fn read_response(message: u8, data: &[u8]) -> Vec<u8> {
    two(8, true, message, 0, &[&[17, 0, 80, 0][..], &le32(data.len()), &[0; 8], data].concat())
}

fn write(message: u8, data: &[u8]) -> Vec<u8> {
    let body = [&[49, 0][..], &le16(112), &le32(data.len()), &[0; 8], &FILE, &[0; 16], data].concat();
    two(9, false, message, 0, &body)
}

fn written(message: u8) -> Vec<u8> {
    two(9, true, message, 0, &[17, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

fn set_body(class: u8, file: [u8; 16], data: &[u8]) -> Vec<u8> {
    [&[33, 0, 1, class][..], &le32(data.len()), &le16(96), &[0; 6], &file, data].concat()
}

fn close_body(file: [u8; 16]) -> Vec<u8> {
    [&[24, 0][..], &[0; 6], &file].concat()
}

/// Octets of both ways as a stream gives them: framed, cut to what is kept, decoded.
fn hear(packets: &[(Direction, Vec<u8>)]) -> Output {
    let (mut session, mut out) = (Smb::default(), Output::default());
    for (frame, (direction, bytes)) in (1..).zip(packets) {
        out.frame = frame;
        let kept = match session.frame(*direction, bytes) {
            Framing::Message(length) => length,
            Framing::Head { keep, .. } => keep,
            Framing::NeedMore | Framing::NotMine => continue,
        };
        let bytes = &bytes[..kept.min(bytes.len())];
        session.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
    }
    session.close(&mut out);
    out
}

fn conversation(messages: &[(Direction, Vec<u8>)]) -> Output {
    hear(&messages.iter().map(|(direction, message)| (*direction, packet(message))).collect::<Vec<_>>())
}

fn told(out: &Output) -> Vec<(&'static str, Status, &str)> {
    out.activities.iter().map(|activity| (activity.action, activity.status, &*activity.code)).collect()
}

fn field(activity: &Activity, field: Field) -> &str {
    activity.fields.iter().find(|(name, _)| *name == field).map_or("", |(_, value)| value)
}

fn logged_in() -> Vec<(Direction, Vec<u8>)> {
    vec![
        (TO, two(0, false, 0, 0, &[36, 0, 1, 0, 1, 0, 0, 0])),
        (FROM, negotiate_response(3, 0x0311)),
        (TO, setup(1, &spnego_init(b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2"))),
        (FROM, setup_response(1, 0xc000_0016, 0, &spnego_response(&challenge()))),
        (TO, setup(2, &spnego_response(&authenticate("eva", 24, 220)))),
        (FROM, setup_response(2, 0, 0, &[])),
        (TO, tree(3, r"\\hmi1\recipes")),
        (FROM, tree_response(3, 1)),
    ]
}

#[test]
fn a_user_logs_in_and_reads_a_file() {
    let mut messages = logged_in();
    messages.extend([
        (TO, create(4, r"line1\mix.csv")),
        (FROM, created(4, 1)),
        (TO, read(5)),
        (FROM, read_response(5, b"the first part")),
        (TO, read(6)),
        (FROM, read_response(6, b"the second part")),
        (TO, two(6, false, 7, 0, &close_body(FILE))),
        (FROM, two(6, true, 7, 0, &[60, 0])),
    ]);
    let out = conversation(&messages);
    let expected = [
        Activity::new(TO, "negotiate", Operation::Session)
            .with(Field::SmbDialect, "3.1.1")
            .with(Field::SmbSigning, "required"),
        Activity::new(TO, "logon", Operation::Authenticate)
            .with(Field::Authentication, "ntlm")
            .with(Field::UserName, "eva")
            .with(Field::UserDomain, "PLANT")
            .with(Field::Workstation, "ENG1")
            .with(Field::NtlmVersion, "NTLMv2")
            .with(Field::NtlmTarget, "PLANT")
            .with(Field::SmbDialect, "3.1.1"),
        Activity::new(TO, "tree_connect", Operation::Session)
            .with(Field::SmbShare, r"\\hmi1\recipes")
            .with(Field::SmbShareKind, "disk")
            .with(Field::UserName, "eva"),
        file("open", Operation::Read),
        file("read", Operation::Read),
    ];
    let frames = [1, 5, 7, 9, 11];
    let expected = expected.map(|activity| activity.ended(Status::Ok, ""));
    for ((found, expected), frame) in out.activities.iter().zip(expected).zip(frames) {
        assert_eq!(*found, Activity { request_frame: Some(frame), ..expected });
    }
    assert_eq!(out.activities.len(), 5);
    assert!(out.claims.iter().any(|(_, claim)| claim.value == "hmi1.plant.example"));
}

fn file(action: &'static str, operation: Operation) -> Activity {
    Activity::new(TO, action, operation)
        .with(Field::FileName, r"line1\mix.csv")
        .with(Field::FileAction, action)
        .with(Field::FileSize, "4711")
        .with(Field::SmbShare, r"\\hmi1\recipes")
        .with(Field::UserName, "eva")
}

#[test]
fn a_file_is_made_written_renamed_and_deleted() {
    let rename = [&[0; 16][..], &le32(16), &wide("line1\\b.")].concat();
    let mut messages = logged_in();
    messages.extend([
        (TO, create(4, r"line1\mix.csv")),
        (FROM, created(4, 2)),
        (TO, write(5, b"octets")),
        (FROM, written(5)),
        (TO, two(17, false, 6, 0, &set_body(10, FILE, &rename))),
        (FROM, two(17, true, 6, 0, &[2, 0])),
        (TO, two(17, false, 7, 0, &set_body(13, FILE, &[1]))),
        (FROM, two(17, true, 7, 0xc000_0022, &[9, 0, 0, 0])),
        // A file that goes when it is closed; one that is not there.
        (TO, two(5, false, 8, 0, &create_body("x", 0x1000))),
        (FROM, created(8, 2)),
        (TO, create(9, "y")),
        (FROM, two(5, true, 9, 0xc000_0034, &[9, 0, 0, 0])),
        (TO, create(10, "z")),
    ]);
    let out = conversation(&messages);
    let expected = [
        ("create", Status::Ok, ""),
        ("write", Status::Ok, ""),
        ("rename", Status::Ok, ""),
        ("delete", Status::Error, "STATUS_ACCESS_DENIED"),
        ("create", Status::Ok, ""),
        ("delete", Status::Ok, ""),
        ("open", Status::Error, "STATUS_OBJECT_NAME_NOT_FOUND"),
        ("open", Status::NoResponse, ""),
    ];
    assert_eq!(&told(&out)[3..], expected);
    assert_eq!(field(&out.activities[5], Field::FileNewName), "line1\\b.");
}

#[test]
fn a_chain_means_the_file_that_it_opens() {
    let mut messages = logged_in();
    let ask = create_body("x", 0);
    let padding = vec![0; (64 + ask.len()).next_multiple_of(8) - 64 - ask.len()];
    let ask = [ask, padding].concat();
    let request = [
        two_in_chain(5, false, 4, 0, &ask, 64 + ask.len()),
        two_in_chain(17, false, 5, 0, &set_body(13, RELATED, &[1, 0, 0, 0, 0, 0, 0, 0]), 64 + 40),
        two(6, false, 6, 0, &close_body(RELATED)),
    ];
    let answer = created_body(1);
    let response = [
        two_in_chain(5, true, 4, 0, &answer, 64 + answer.len()),
        two_in_chain(17, true, 5, 0, &[2, 0, 0, 0, 0, 0, 0, 0], 72),
        two(6, true, 6, 0, &[60, 0]),
    ];
    messages.extend([(TO, request.concat()), (FROM, response.concat())]);
    assert_eq!(told(&conversation(&messages))[3..], [("open", Status::Ok, ""), ("delete", Status::Ok, "")]);
}

#[test]
fn an_answer_that_comes_later_is_waited_for() {
    let mut pending = two(5, true, 4, 0x103, &[9, 0, 0, 0]);
    pending[16] |= 2;
    let mut messages = logged_in();
    messages.extend([(TO, create(4, "x")), (FROM, pending), (FROM, created(4, 1))]);
    assert_eq!(told(&conversation(&messages))[3..], [("open", Status::Ok, "")]);
}

#[test]
fn outcomes_of_a_login() {
    let cases = [
        (0xc000_006d, 0, Status::Error, "STATUS_LOGON_FAILURE", ""),
        (0xc000_dead, 0, Status::Error, "0xc000dead", ""),
        (0, 1, Status::Ok, "", "guest"),
        (0, 4, Status::Ok, "", "encrypted"),
    ];
    for (status, flags, expected, code, kind) in cases {
        let mut messages = logged_in()[..5].to_vec();
        messages.push((FROM, setup_response(2, status, flags, &[])));
        let out = conversation(&messages);
        let logon = &out.activities[1];
        assert_eq!((logon.status, &*logon.code, field(logon, Field::SmbSession)), (expected, code, kind));
    }
    assert_eq!(told(&conversation(&logged_in()[..5]))[1], ("logon", Status::NoResponse, ""));
}

/// A bind to the service control manager, and a call of CreateServiceW.
fn calls() -> [Vec<u8>; 2] {
    let svcctl = b"\x81\xbb\x7a\x36\x44\x98\xf1\x35\xad\x32\x98\xf0\x38\x00\x10\x03\x02\0\0\0";
    let bind = [
        &b"\x05\0\x0b\x03\x10\0\0\0\x48\0\0\0\x01\0\0\0\xb8\x10\xb8\x10\0\0\0\0\x01\0\0\0\0\0\x01\0"[..],
        svcctl,
        &[0; 20],
    ]
    .concat();
    let call = b"\x05\0\x00\x03\x10\0\0\0\x1c\0\0\0\x02\0\0\0\0\0\0\0\0\0\x0c\0\0\0\0\0".to_vec();
    [bind, call]
}

fn answers() -> [Vec<u8>; 2] {
    let bound = [
        &b"\x05\0\x0c\x03\x10\0\0\0\x38\0\0\0\x01\0\0\0\xb8\x10\xb8\x10\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"[..],
        &[0; 20],
    ]
    .concat();
    let answer = b"\x05\0\x02\x03\x10\0\0\0\x1c\0\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    [bound, answer]
}

#[test]
fn calls_over_a_pipe() {
    let ([bind, call], [bound, answer]) = (calls(), answers());
    let transceive = |offset: usize, is_response: bool, data: &[u8]| {
        let head = [&[57, 0, 0, 0][..], &0x0011_c017_u32.to_le_bytes(), &FILE].concat();
        let place = [&le32(offset)[..], &le32(data.len())].concat();
        let rest = if is_response { [&[0; 8][..], &place, &[0; 8]].concat() } else { [&place[..], &[0; 24]].concat() };
        two(11, is_response, 8, 0, &[&head[..], &rest, data].concat())
    };
    let mut messages = logged_in();
    messages[7].1 = tree_response(3, 2);
    messages.extend([
        (TO, create(4, "svcctl")),
        (FROM, created(4, 1)),
        (TO, write(5, &bind)),
        (FROM, written(5)),
        (TO, read(6)),
        (FROM, read_response(6, &bound)),
        (TO, transceive(120, false, &call)),
        (FROM, transceive(112, true, &answer)),
        (TO, two(6, false, 9, 0, &close_body(FILE))),
        (FROM, two(6, true, 9, 0, &[60, 0])),
    ]);
    let out = conversation(&messages);
    assert_eq!(told(&out)[3..], [("open_pipe", Status::Ok, ""), ("bind", Status::Ok, ""), ("call", Status::Ok, "")]);
    let call = &out.activities[5];
    assert_eq!(field(call, Field::DceRpcOperation), "CreateServiceW");
    assert_eq!(field(call, Field::DceRpcEndpoint), "svcctl");
}

#[test]
fn what_is_encrypted_is_named_once() {
    let sealed = [&b"\xfdSMB"[..], &[9; 100]].concat();
    let mut messages = logged_in();
    messages.extend([(TO, sealed.clone()), (FROM, sealed)]);
    assert_eq!(told(&conversation(&messages))[3..], [("encrypt", Status::OneWay, "")]);
}

#[test]
fn a_netbios_session_names_both() {
    let coded = |name: &str| {
        let octets = format!("{name:<15}\0");
        let halves = octets.bytes().flat_map(|octet| [b'A' + (octet >> 4), b'A' + (octet & 15)]);
        [&[32][..], &halves.collect::<Vec<u8>>(), &[0]].concat()
    };
    let request = [&[0x81, 0, 0, 68][..], &coded("HMI1"), &coded("ENG1")].concat();
    let cases: [(&[u8], Status, &str); 3] = [
        (b"\x82\0\0\0", Status::Ok, ""),
        (b"\x83\0\0\x01\x82", Status::Error, "called name not present"),
        (b"", Status::NoResponse, ""),
    ];
    for (answer, status, code) in cases {
        let out = hear(&[(TO, request.clone()), (FROM, answer.to_vec())]);
        let expected = Activity::new(TO, "session_request", Operation::Session)
            .with(Field::HostName, "HMI1")
            .with(Field::Workstation, "ENG1")
            .ended(status, code);
        assert_eq!(out.activities, [Activity { request_frame: Some(1), ..expected }]);
    }
    assert!(recognised(&request));
    assert!(!recognised(&request[..40]));
}

fn recognised(bytes: &[u8]) -> bool {
    let probe = Probe { forward: bytes, backward: &[], first: TO, opener: None, ports: [40_000, 9_999], cut: false };
    matches!(probe_stream(&probe), Recognition::Yes(_))
}

#[test]
fn it_is_recognised_by_content_and_found_again_after_a_loss() {
    let [(_, ask), _] = one_negotiated(3);
    let messages = [ask, tree(1, "x"), [&b"\xfdSMB"[..], &[0; 60]].concat()];
    for message in &messages {
        assert!(recognised(&packet(message)));
        let lost = [b"the end of a file", &packet(message)[..]].concat();
        assert_eq!(Smb::default().resync(TO, &lost), Some(17));
    }
    assert!(!recognised(b"\0\0\0\x54\xfeSMB\0\0"));
    assert_eq!(Smb::default().frame(TO, b"GET / HTTP/1.1\r\n"), Framing::NotMine);
}

#[test]
fn what_files_hold_is_passed_over() {
    let mut session = Smb::default();
    session.conversation.connected(
        5,
        0,
        conversation::Share { name: "x".into(), kind: "disk" },
        conversation::Ended { client: TO, status: 0, frame: None },
        &mut Output::default(),
    );
    let bulk = packet(&write(5, &[0; 60_000]));
    assert_eq!(session.frame(TO, &bulk[..120]), Framing::Head { keep: 4 + 112, length: bulk.len() });
    assert_eq!(session.frame(TO, &bulk[..60]), Framing::NeedMore);
}

#[test]
fn every_truncation_is_taken() {
    let [(_, ask), (_, answer)] = one_negotiated(3);
    let mut messages = logged_in();
    messages.extend([
        (TO, ask),
        (FROM, answer),
        (TO, one_setup(&[1; 24], &[2; 24])),
        (FROM, one_setup_response(0)),
        (TO, create(4, "x")),
        (FROM, created(4, 1)),
        (TO, write(5, &calls()[0])),
        (TO, two(17, false, 6, 0, &set_body(10, FILE, &[0; 30]))),
    ]);
    for (place, (direction, message)) in messages.iter().enumerate() {
        for length in 0..message.len() {
            let mut cut = messages[..place].to_vec();
            cut.push((*direction, message[..length].to_vec()));
            let _ = conversation(&cut);
            let _ = recognised(&packet(&message[..length]));
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(
        command in proptest::prelude::any::<u8>(),
        is_reply in proptest::prelude::any::<bool>(),
        words in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80),
        data in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
    ) {
        let command2 = u16::from(command % 20);
        let messages = [
            (TO, two(command2, false, 1, 0, &data)),
            (FROM, two(command2, true, 1, 0, &words)),
            (TO, one(false, 0, &[(command, words.clone(), data.clone())])),
            (FROM, one(is_reply, 0, &[(command, data[..data.len().min(100)].to_vec(), words)])),
        ];
        let _ = conversation(&messages);
        let _ = hear(&[(TO, data)]);
    }
}
