//! Vectors of the messages beside their tests, each of them cut everywhere, in any portions and chunks, and hostile octets.

use proptest::prelude::*;

use super::node::{Identifier, NodeId};
use super::reader::{Fault, Reader};
use super::*;
use crate::model::{Claim, Message};
use crate::net::tcp::{Piece, Stamp};
use crate::session::{Probe, Recognition};
use crate::stream::Assembly;

const FORWARD: Direction = Direction::Forward;
const BACKWARD: Direction = Direction::Backward;

fn string(text: &str) -> Vec<u8> {
    [&(text.len() as u32).to_le_bytes()[..], text.as_bytes()].concat()
}

const NULL: &[u8] = &[0xff; 4];
/// An extension object with nothing in it.
const NO_EXTENSION: &[u8] = &[0, 0, 0];
/// `ns=2;s=Pump` and the attribute with its value, of the whole array, in the default encoding.
const PUMP: &[u8] = &[
    3, 2, 0, 4, 0, 0, 0, b'P', b'u', b'm', b'p', // node id
    13, 0, 0, 0, // attribute
    0xff, 0xff, 0xff, 0xff, // index range
];
const ANY_ENCODING: &[u8] = &[0, 0, 0xff, 0xff, 0xff, 0xff];

fn four(number: u32) -> [u8; 4] {
    number.to_le_bytes()
}

/// A request: type id, header with a token, what is asked.
fn request(kind: u16, rest: &[&[u8]]) -> Vec<u8> {
    let [low, high] = kind.to_le_bytes();
    let head = [&[1, 0, low, high][..], &[4, 1, 0], &[7; 16], &[0; 8], &four(5), &four(0), NULL, &four(1000)].concat();
    [&head[..], NO_EXTENSION, &rest.concat()].concat()
}

/// A response: type id, header with a result, what is answered.
fn response(kind: u16, result: u32, rest: &[&[u8]]) -> Vec<u8> {
    let [low, high] = kind.to_le_bytes();
    let head = [&[1, 0, low, high][..], &[0; 8], &four(5), &four(result), &[0], &four(0), NO_EXTENSION].concat();
    [&head[..], &rest.concat()].concat()
}

/// A chunk of a message.
fn chunk(kind: &[u8; 4], number: u32, id: u32, body: &[u8]) -> Vec<u8> {
    let size = (BODY + body.len()) as u32;
    [&kind[..], &four(size), &four(1), &four(1), &four(number), &four(id), body].concat()
}

fn message(id: u32, body: &[u8]) -> Vec<u8> {
    chunk(b"MSGF", id, id, body)
}

fn hello() -> Vec<u8> {
    let url = string("opc.tcp://plc:4840");
    let body = [&four(0)[..], &four(65536), &four(65536), &four(0), &four(0), &url].concat();
    [b"HELF", &four((HEADER + body.len()) as u32)[..], &body].concat()
}

fn open(policy: &str, body: &[u8]) -> Vec<u8> {
    let uri = string(&format!("http://opcfoundation.org/UA/SecurityPolicy#{policy}"));
    let rest = [&four(1)[..], &uri, NULL, NULL, &four(1), &four(1), body].concat();
    [b"OPNF", &four((HEADER + rest.len()) as u32)[..], &rest].concat()
}

fn opening() -> Vec<u8> {
    request(446, &[&four(0), &four(0), &four(1), NULL, &four(3_600_000)])
}

fn read() -> Vec<u8> {
    request(631, &[&[0; 8], &four(2), &four(1), PUMP, ANY_ENCODING])
}

fn read_answer() -> Vec<u8> {
    // A value of 1.5 as Double, and a status.
    response(634, 0, &[&four(1), &[3, 11], &1.5f64.to_le_bytes(), &four(0x4000_0000), NULL])
}

fn write() -> Vec<u8> {
    request(673, &[&four(1), PUMP, &[1, 0x80 | 4], &four(2), &[1, 0, 0xfe, 0xff]])
}

fn call() -> Vec<u8> {
    let password = string("hunter2");
    request(712, &[&four(1), &[0, 85], &[1, 2, 7, 0], &four(2), &[6, 1, 0, 0, 0], &[12], &password])
}

fn activate(policy_of_password: &[u8]) -> Vec<u8> {
    let token = [&string("p")[..], &string("eva"), &string("hunter2"), policy_of_password].concat();
    let token = [&[1, 0, 0x44, 1, 1][..], &four(token.len() as u32), &token].concat();
    request(467, &[NULL, NULL, NULL, NULL, &token, NULL, NULL])
}

fn monitor() -> Vec<u8> {
    let parameters = [&four(77)[..], &250f64.to_le_bytes(), NO_EXTENSION, &four(1), &[1]].concat();
    request(751, &[&four(9), &four(2), &four(1), PUMP, ANY_ENCODING, &four(2), &parameters])
}

fn monitor_answer() -> Vec<u8> {
    response(754, 0, &[&four(1), &four(0), &four(500), &[0; 12], NO_EXTENSION, NULL])
}

/// A data change of the handle 77 in subscription 9.
fn publish_answer() -> Vec<u8> {
    let change = [&four(1)[..], &four(77), &[1, 10], &2.5f32.to_le_bytes(), NULL].concat();
    let data = [&[1, 0, 0x2b, 3, 1][..], &four(change.len() as u32), &change].concat();
    response(829, 0, &[&four(9), NULL, &[0], &four(1), &[0; 8], &four(1), &data, NULL, NULL])
}

/// Whole messages of one connection, with the way each goes.
fn conversation() -> Vec<(Direction, Vec<u8>)> {
    vec![
        (FORWARD, hello()),
        (FORWARD, open("None", &opening())),
        (FORWARD, message(2, &activate(NULL))),
        (FORWARD, message(3, &read())),
        (BACKWARD, message(3, &read_answer())),
        (FORWARD, message(4, &write())),
        (BACKWARD, message(4, &response(676, 0, &[&four(1), &four(0x803B_0000), NULL]))),
        (FORWARD, message(5, &call())),
        (FORWARD, message(6, &monitor())),
        (BACKWARD, chunk(b"MSGF", 5, 6, &monitor_answer())),
        (FORWARD, message(7, &request(826, &[NULL]))),
        (BACKWARD, chunk(b"MSGF", 6, 7, &publish_answer())),
        (FORWARD, chunk(b"CLOF", 8, 8, &request(452, &[]))),
    ]
}

fn feed(session: &mut Opcua, direction: Direction, bytes: &[u8]) -> Output {
    let mut out = Output::default();
    session.decode(Chunk { bytes, wire_length: bytes.len(), direction }, &mut out);
    out
}

/// Kind, attribute, name, numbers, words, status of each object.
type Shape = (&'static str, Option<u32>, String, Vec<f64>, String, Option<u16>);

fn shapes(message: &Message) -> Vec<Shape> {
    let shape = |object: &Object| {
        let name = if object.name.is_empty() { object.property_name } else { message.name_of(object) };
        let (numbers, words) = (message.values_of(object).to_vec(), message.text_of(object).to_string());
        (object.kind, object.property, name.to_string(), numbers, words, object.status)
    };
    message.objects.iter().map(shape).collect()
}

fn shape(kind: &'static str, of: Option<u32>, name: &str, numbers: &[f64], words: &str, status: u16) -> Shape {
    (kind, of, name.to_string(), numbers.to_vec(), words.to_string(), Some(status).filter(|status| *status != 0))
}

#[test]
fn a_conversation_is_told_message_by_message() {
    let value = Some(13);
    let expected: Vec<(&str, Kind, Operation, Vec<Shape>)> = vec![
        ("hello", Kind::Request, Operation::Session, vec![shape("endpoint", None, "", &[], "opc.tcp://plc:4840", 0)]),
        (
            "open_secure_channel",
            Kind::Request,
            Operation::Session,
            vec![
                shape("security-mode", None, "none", &[], "issue", 0),
                shape("security-policy", None, "None", &[], "", 0),
            ],
        ),
        (
            "activate_session",
            Kind::Request,
            Operation::Authenticate,
            vec![
                shape("security-mode", None, "none", &[], "", 0),
                shape("user-token", None, "user_name", &[], "eva", 0),
                shape("password", None, "clear", &[], "", 0),
            ],
        ),
        ("read", Kind::Request, Operation::Read, vec![shape("node", value, "ns=2;s=Pump", &[], "", 0)]),
        ("read", Kind::Response, Operation::Read, vec![shape("node", value, "ns=2;s=Pump", &[1.5], "", 0x4000)]),
        ("write", Kind::Request, Operation::Write, vec![shape("node", value, "ns=2;s=Pump", &[1.0, -2.0], "", 0)]),
        ("write", Kind::Error, Operation::Write, vec![shape("node", value, "ns=2;s=Pump", &[], "", 0x803B)]),
        (
            "call",
            Kind::Request,
            Operation::Operate,
            vec![shape("method", None, "ns=2;i=7", &[], "of i=85, 2 arguments", 0)],
        ),
        (
            "create_monitored_items",
            Kind::Request,
            Operation::Subscribe,
            vec![shape("node", value, "ns=2;s=Pump", &[], "every 250 ms", 0)],
        ),
        (
            "create_monitored_items",
            Kind::Response,
            Operation::Subscribe,
            vec![shape("node", value, "ns=2;s=Pump", &[], "", 0)],
        ),
        ("publish", Kind::Request, Operation::Report, vec![]),
        ("publish", Kind::Unsolicited, Operation::Report, vec![shape("node", value, "ns=2;s=Pump", &[2.5], "", 0)]),
        ("close_secure_channel", Kind::Unconfirmed, Operation::Session, vec![]),
    ];
    let mut session = Opcua::new(None);
    for ((direction, bytes), (name, kind, operation, objects)) in conversation().into_iter().zip(expected) {
        let out = feed(&mut session, direction, &bytes);
        assert_eq!(out.oddities, [], "{name}");
        let [message] = &out.messages[..] else { panic!("{name}: {} messages", out.messages.len()) };
        assert_eq!((message.name, message.kind, message.operation), (name, kind, operation));
        assert_eq!(message.from_client, direction == FORWARD, "{name}");
        assert_eq!(shapes(message), objects, "{name}");
        assert!(message.complete && message.length as usize == bytes.len());
        assert!(!message.text.contains("hunter2"));
    }
    assert!(session.held() > 0);
    session.forget();
    assert_eq!(session.held(), 0);
}

#[test]
fn a_user_is_claimed_and_a_password_only_by_its_kind() {
    for (algorithm, told) in
        [(NULL.to_vec(), "clear"), (string("http://www.w3.org/2001/04/xmlenc#rsa-oaep"), "encrypted")]
    {
        let out = feed(&mut Opcua::new(None), FORWARD, &message(2, &activate(&algorithm)));
        let claims: Vec<_> =
            out.claims.iter().map(|(_, Claim { attribute, value, .. })| (attribute.name(), &**value)).collect();
        assert_eq!(claims, [("user", "eva")]);
        assert_eq!(shapes(&out.messages[0]).last(), Some(&shape("password", None, told, &[], "", 0)));
    }
}

#[test]
fn a_call_or_a_write_is_told_though_its_values_cannot_be_read() {
    let no_type = [0x3f]; // of a variant
    let called = request(712, &[&four(1), &[0, 85], &[1, 2, 7, 0], &four(1), &no_type]);
    let written = request(673, &[&four(1), PUMP, &[1], &no_type]);
    for (body, told) in [
        (called, shape("method", None, "ns=2;i=7", &[], "of i=85, 1 argument", 0)),
        (written, shape("node", Some(13), "ns=2;s=Pump", &[], "", 0)),
    ] {
        let out = feed(&mut Opcua::new(None), FORWARD, &message(2, &body));
        assert_eq!(shapes(&out.messages[0]), [told]);
        let codes: Vec<_> = out.oddities.iter().map(|(_, oddity)| oddity.code).collect();
        assert_eq!(codes, [OddityCode::InvalidValue]);
    }
}

#[test]
fn every_encoding_of_a_node_id() {
    let cases: [(&[u8], &str); 9] = [
        (&[0, 85], "i=85"),
        (&[1, 3, 0x01, 0x02], "ns=3;i=513"),
        (&[2, 0x01, 0x01, 1, 0, 0, 1], "ns=257;i=16777217"),
        (&[3, 2, 0, 3, 0, 0, 0, b'a', b'.', b'b'], "ns=2;s=a.b"),
        (&[3, 2, 0, 0xff, 0xff, 0xff, 0xff], "ns=2;s="),
        (
            &[4, 1, 0, 0x91, 0x2b, 0x96, 0x72, 0x75, 0xfa, 0xe6, 0x4a, 0x8d, 0x28, 0xb4, 0x04, 0xdc, 0x7d, 0xaf, 0x63],
            "ns=1;g=72962b91-fa75-4ae6-8d28-b404dc7daf63",
        ),
        (&[5, 1, 0, 2, 0, 0, 0, 0xff, 0xee], "ns=1;b=/+4="),
        (&[0x80, 9, 1, 0, 0, 0, b'u'], "nsu=u;i=9"),
        (&[0xC1, 0, 9, 0, 1, 0, 0, 0, b'u', 4, 0, 0, 0], "svr=4;nsu=u;i=9"),
    ];
    for (octets, text) in cases {
        let mut reader = Reader::new(octets);
        assert_eq!(reader.expanded_node_id("node").map(|node| node.to_string()), Ok(text.to_string()));
        assert_eq!(reader.left(), 0, "{text}");
        for end in 0..octets.len() {
            assert!(Reader::new(&octets[..end]).expanded_node_id("node").is_err(), "{text} cut at {end}");
        }
    }
    assert_eq!(Reader::new(&[0x42]).node_id("node"), Err(Fault::Encoding { field: "node", offset: 0, found: 0x42 }));
    let null = NodeId { server: 0, uri: None, namespace: 1, identifier: Identifier::Numeric(0) };
    assert!(null.is_null());
}

#[test]
fn what_is_nested_or_long_is_refused_with_its_place() {
    let deep = [&[0x80 | 24, 1, 0, 0, 0][..]; 200].concat();
    let inner = vec![0x40; 200];
    let long = [0x80 | 6, 0xff, 0xff, 0xff, 0x7f];
    let negative = [0x80 | 6, 0xfe, 0xff, 0xff, 0xff];
    assert_eq!(Reader::new(&deep).variant("value"), Err(Fault::Deep { field: "value", offset: 500 }));
    assert_eq!(
        Reader::new(&inner).diagnostic_info("diagnostics"),
        Err(Fault::Deep { field: "diagnostics", offset: 0 })
    );
    for (octets, length) in [(long, i32::MAX), (negative, -2)] {
        let fault = Fault::Length { field: "value", offset: 1, length, left: 0 };
        assert_eq!(Reader::new(&octets).variant("value"), Err(fault));
    }
    let body = request(631, &[&[0; 8], &four(2), &four(1_000_000), PUMP, ANY_ENCODING]);
    let out = feed(&mut Opcua::new(None), FORWARD, &message(3, &body));
    let odd: Vec<_> = out.oddities.iter().map(|(_, odd)| (odd.code, odd.offset)).collect();
    assert_eq!(odd, [(OddityCode::BadLength, (BODY + read().len() - PUMP.len() - ANY_ENCODING.len() - 4) as u32)]);
}

#[test]
fn every_type_of_variant_is_read_to_its_end() {
    let guid = [7; 17];
    let data_value = [23, 0x3f, 1, 1, 0, 0, 0x40, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9];
    let cases: Vec<(Vec<u8>, &[f64])> = vec![
        (vec![0], &[]),
        (vec![1, 1], &[1.0]),
        (vec![2, 0xff], &[-1.0]),
        (vec![3, 0xff], &[255.0]),
        (vec![4, 0xfe, 0xff], &[-2.0]),
        (vec![5, 0xfe, 0xff], &[65534.0]),
        (vec![6, 0xfd, 0xff, 0xff, 0xff], &[-3.0]),
        (vec![7, 4, 0, 0, 0], &[4.0]),
        (vec![8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[-1.0]),
        (vec![9, 5, 0, 0, 0, 0, 0, 0, 0], &[5.0]),
        ([&[10][..], &0.5f32.to_le_bytes()].concat(), &[0.5]),
        ([&[11][..], &0.25f64.to_le_bytes()].concat(), &[0.25]),
        ([&[12][..], &string("on")].concat(), &[]),
        (vec![13; 9], &[]),
        ([&[14][..], &guid[1..]].concat(), &[]),
        ([&[15][..], &string("octets")].concat(), &[]),
        ([&[16][..], &string("<a/>")].concat(), &[]),
        (vec![17, 0, 85], &[]),
        (vec![18, 0x40, 85, 1, 0, 0, 0], &[]),
        (vec![19, 0, 0, 0x34, 0x80], &[2_150_891_520.0]),
        ([&[20, 1, 0][..], &string("q")].concat(), &[]),
        ([&[21, 3][..], &string("en"), &string("t")].concat(), &[]),
        (vec![22, 0, 7, 1, 2, 0, 0, 0, 9, 9], &[]),
        (data_value.to_vec(), &[1.0]),
        (vec![25, 0x7f, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 0, 0, 0, 0, 5, 5, 5, 5, 0], &[]),
        (vec![0xC0 | 3, 2, 0, 0, 0, 8, 9, 1, 0, 0, 0, 2, 0, 0, 0], &[8.0, 9.0]),
    ];
    for (octets, numbers) in cases {
        let mut reader = Reader::new(&octets);
        let read = reader.variant("value").map(|plain| plain.numbers);
        assert_eq!((read, reader.left()), (Ok(numbers.to_vec()), 0), "{octets:?}");
        for end in 0..octets.len() {
            assert!(Reader::new(&octets[..end]).variant("value").is_err(), "{octets:?} cut at {end}");
        }
    }
}

#[test]
fn an_unknown_service_and_an_encrypted_one_are_data() {
    let out = feed(&mut Opcua::new(Some(FORWARD)), FORWARD, &open("None", &opening()));
    assert_eq!(out.messages.len(), 1);
    let mut session = Opcua::new(Some(FORWARD));
    feed(&mut session, FORWARD, &open("None", &opening()));
    let out = feed(&mut session, FORWARD, &message(2, &request(9_999, &[])));
    let told = &out.messages[0];
    assert_eq!((told.function, told.name, told.operation), (Some(9_999), "", Operation::Unknown));
    assert_eq!((told.kind, told.pairing), (Kind::Request, Pairing::Opens(keys::MESSAGE | 2)));
    assert_eq!(out.oddities, []);

    let mut session = Opcua::new(Some(FORWARD));
    let out = feed(&mut session, FORWARD, &open("Basic256", &[0x5a; 64]));
    assert_eq!(shapes(&out.messages[0]), [shape("security-policy", None, "Basic256", &[], "", 0)]);
    assert_eq!(feed(&mut session, FORWARD, &chunk(b"MSGC", 9, 9, &[0x5a; 40])).messages.len(), 0);
    let out = feed(&mut session, FORWARD, &chunk(b"MSGF", 10, 10, &[0x5a; 40]));
    let told = &out.messages[0];
    assert_eq!((told.name, told.function, told.kind, told.pairing), ("encrypted", None, Kind::Unknown, Pairing::Alone));
    assert_eq!(told.length as usize, 2 * (BODY + 40));
    assert_eq!(shapes(told), [shape("security-mode", None, "sign_and_encrypt", &[], "", 0)]);
    assert_eq!(out.oddities, []);
}

#[test]
fn what_is_signed_alone_is_read_without_its_signature() {
    let mut session = Opcua::new(Some(FORWARD));
    feed(&mut session, FORWARD, &open("Basic256Sha256", &[0x5a; 64]));
    let asks = read();
    let (first, last) = asks.split_at(40);
    let signed = |kind, id, body: &[u8]| chunk(kind, id, 3, &[body, &[0xa5; 32]].concat());
    assert_eq!(feed(&mut session, FORWARD, &signed(b"MSGC", 2, first)).messages.len(), 0);
    let out = feed(&mut session, FORWARD, &signed(b"MSGF", 3, last));
    assert_eq!(shapes(&out.messages[0]), [shape("node", Some(13), "ns=2;s=Pump", &[], "", 0)]);
    assert_eq!(out.oddities, []);
}

#[test]
fn a_message_given_up_says_why() {
    let mut session = Opcua::new(None);
    feed(&mut session, FORWARD, &message(3, &read()));
    feed(&mut session, BACKWARD, &chunk(b"MSGC", 1, 3, &read_answer()[..20]));
    let why = [&four(0x80B9_0000)[..], &string("too large")].concat();
    let out = feed(&mut session, BACKWARD, &chunk(b"MSGA", 2, 3, &why));
    let told = &out.messages[0];
    assert_eq!((told.kind, told.status_name), (Kind::Error, "bad_response_too_large"));
    assert_eq!(told.pairing, Pairing::Answers { key: keys::MESSAGE | 3, last: true });
    assert!(!session.parts[1].has(3));
}

#[test]
fn sequence_numbers_that_do_not_follow_are_told() {
    let mut session = Opcua::new(None);
    for (number, is_odd) in
        [(7, false), (8, false), (10, true), (11, false), (u32::MAX - 1, true), (3, false), (2, true)]
    {
        let out = feed(&mut session, FORWARD, &chunk(b"MSGF", number, 1, &read()));
        assert_eq!(!out.oddities.is_empty(), is_odd, "{number}");
    }
    session.gap(FORWARD, &mut Output::default());
    assert_eq!(feed(&mut session, FORWARD, &chunk(b"MSGF", 999, 1, &read())).oddities, []);
}

#[test]
fn what_waits_has_a_bound() {
    let mut session = Opcua::new(Some(FORWARD));
    feed(&mut session, FORWARD, &open("None", &opening()));
    let mut cut = 0;
    for id in 0..200 {
        for _ in 0..20 {
            let out = feed(&mut session, FORWARD, &chunk(b"MSGC", id, id, &vec![0x5a; 100_000]));
            cut += out.messages.iter().filter(|message| !message.complete).count();
        }
    }
    assert!(session.held() < 32 << 20, "{}", session.held());
    assert!(cut > 100);
    let mut out = Output::default();
    session.gap(FORWARD, &mut out);
    assert!(session.parts[0].held() == 0 && !out.messages.is_empty());
    for id in 0..3_000u32 {
        let points = [&four(500)[..], &[PUMP, ANY_ENCODING].concat().repeat(500)].concat();
        feed(&mut session, FORWARD, &message(id, &request(631, &[&[0; 8], &four(2), &points])));
    }
    assert!(session.held() < 2 << 20, "{}", session.held());
}

#[test]
fn a_stream_is_recognised_by_its_first_message_alone() {
    let secure = open("Basic256Sha256", &[1; 32]);
    let reverse = [&b"RHEF"[..], &four(40), &string("urn:plc"), &string("opc.tcp://plc"), &[0; 4]].concat();
    let refused = [&b"ERRF"[..], &four(16), &four(0x8080_0000), NULL].concat();
    let encrypted = chunk(b"MSGF", 1, 1, &[0x77; 60]);
    let mine = [hello(), secure, reverse, refused, encrypted, message(2, &read()), chunk(b"MSGC", 3, 3, &read())];
    let others: [&[u8]; 9] = [
        b"GET / HTTP/1.1\r\n\r\n",
        b"HELO mail.example.org\r\n",
        b"HELF\x20\0\0\0\0\0\0\0\x01\0\0\0\x01\0\0\0....",
        b"ERRFOR: no such file or directory\r\n",
        b"MSGF\xff\xff\xff\xff................",
        b"MSGFILE: a text of words that goes on",
        b"OPNF\x40\0\0\0\x01\0\0\0\x2f\0\0\0ftp://opc........",
        b"ACKF\x1d\0\0\0\0\0\0\0\0\0\x01\0\0\0\x01\0",
        &[0; 32],
    ];
    let probe = |octets: &[u8]| {
        let ports = [40_000, 40_001];
        let probe = Probe { forward: octets, backward: &[], first: FORWARD, opener: None, ports, cut: false };
        match probe_stream(&probe) {
            Recognition::Yes(_) => "yes",
            Recognition::Undecided => "maybe",
            Recognition::No => "no",
        }
    };
    for octets in mine {
        assert_eq!(probe(&octets), "yes");
        // No start of one is taken for something else.
        for end in 1..octets.len() {
            assert_ne!(probe(&octets[..end]), "no", "{end} of {octets:?}");
        }
        assert_eq!(recognition::find(&[&[0x4d; 5][..], &octets].concat()), Some(5));
    }
    for octets in others {
        assert_eq!(probe(octets), "no", "{octets:?}");
    }
}

/// What is left of a message when nothing but its meaning is compared.
fn meaning(message: &Message) -> (&'static str, Kind, Option<u32>, Vec<Shape>, bool) {
    (message.name, message.kind, message.transaction, shapes(message), message.complete)
}

/// Pieces of a stream through the framing of the engine.
type Streamed = (&'static str, Kind, Option<u32>, Vec<Shape>, bool);

fn streamed(pieces: &[&[u8]]) -> Vec<Streamed> {
    let (mut session, mut assembly, mut out) = (Opcua::new(Some(FORWARD)), Assembly::at_start(), Output::default());
    let mut told = Vec::new();
    for piece in pieces {
        let mut deliver = |out: &mut Output, _: &[u64], _: Stamp| {
            assert_eq!(out.oddities, []);
            told.extend(out.messages.iter().map(|message| meaning(message)));
        };
        assembly.piece(Piece::Data(piece), Stamp::default(), FORWARD, &mut session, &mut out, &mut deliver);
    }
    told
}

/// What the client says, of which the middle messages come in chunks of a size, one of either in turn.
fn said(size: usize) -> Vec<u8> {
    let mut stream = [hello(), open("None", &opening())].concat();
    let bodies = [activate(NULL), read(), write()];
    let mut number = 1;
    for turn in 0.. {
        let mut more = false;
        for (id, body) in bodies.iter().enumerate() {
            if let Some(part) = body.chunks(size).nth(turn) {
                number += 1;
                more = true;
                let is_last = (turn + 1) * size >= body.len();
                stream.extend(chunk(if is_last { b"MSGF" } else { b"MSGC" }, number, id as u32 + 2, part));
            }
        }
        if !more {
            break;
        }
    }
    stream
}

proptest! {
    #[test]
    fn any_portions_say_the_same(cuts in proptest::collection::vec(1usize..90, 1..60)) {
        let stream = said(usize::MAX >> 1);
        let (mut pieces, mut rest) = (Vec::new(), &stream[..]);
        for cut in cuts.iter().cycle() {
            let (piece, left) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(streamed(&pieces), streamed(&[&stream]));
    }

    #[test]
    fn any_chunks_say_the_same_however_messages_are_interleaved(size in 5usize..120) {
        let sorted = |mut told: Vec<_>| {
            told.sort_by_key(|(_, _, transaction, ..): &(&str, Kind, Option<u32>, Vec<Shape>, bool)| *transaction);
            told
        };
        prop_assert_eq!(sorted(streamed(&[&said(size)])), sorted(streamed(&[&said(usize::MAX >> 1)])));
    }

    #[test]
    fn any_octets_are_taken(
        messages in proptest::collection::vec((any::<bool>(), any::<u16>(), proptest::collection::vec(any::<u8>(), 0..80)), 1..12),
        kind in 0usize..7,
    ) {
        let mut session = Opcua::new(None);
        for (back, service, rest) in messages {
            let direction = if back { BACKWARD } else { FORWARD };
            let types: [&[u8; 4]; 7] = [b"MSGF", b"MSGC", b"MSGA", b"CLOF", b"OPNF", b"HELF", b"RHEF"];
            let known = codes::FUNCTIONS[usize::from(service) % codes::FUNCTIONS.len()];
            let body = if known.kind == "request" {
                request(known.code as u16, &[&rest])
            } else {
                response(known.code as u16, 0, &[&rest])
            };
            let octets = chunk(types[kind], service.into(), 1, &body);
            let out = feed(&mut session, direction, &octets);
            for message in &out.messages {
                for object in &message.objects {
                    prop_assert!(message.text.get(object.name.start as usize..object.name.end as usize).is_some());
                }
            }
        }
    }

    #[test]
    fn a_cut_message_is_no_malformed_one(at in 0usize..13, end in 0usize..400) {
        let (direction, bytes) = conversation().swap_remove(at);
        let end = end.min(bytes.len() - 1);
        let mut session = Opcua::new(None);
        let mut out = Output::default();
        session.decode(Chunk { bytes: &bytes[..end], wire_length: bytes.len(), direction }, &mut out);
        prop_assert!(out.oddities.is_empty(), "{:?}", out.oddities);
        prop_assert!(out.messages.iter().all(|message| !message.complete));
        prop_assert!(out.claims.is_empty());
    }
}
