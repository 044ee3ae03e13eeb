use super::*;
use crate::activity::{Activity, Field};
use crate::exchange::Status;
use crate::model::{Attribute, Operation};
use crate::protocols::ntlm;
use crate::protocols::ntlm::tests::wide;

/// 367abb81-9844-35f1-ad32-98f038001003: svcctl.
const SVCCTL: &[u8; 16] = b"\x81\xbb\x7a\x36\x44\x98\xf1\x35\xad\x32\x98\xf0\x38\x00\x10\x03";
/// e1af8308-5d1f-11c9-91a4-08002b14a0fa: the endpoint mapper.
const EPMAPPER: &[u8; 16] = b"\x08\x83\xaf\xe1\x1f\x5d\xc9\x11\x91\xa4\x08\x00\x2b\x14\xa0\xfa";
/// 99fcfec4-5260-101b-bbcb-00aa0021347a: the object exporter.
const EXPORTER: &[u8; 16] = b"\xc4\xfe\xfc\x99\x60\x52\x1b\x10\xbb\xcb\x00\xaa\x00\x21\x34\x7a";
/// dea00001-6c97-11d1-8271-00a02442df7d: a PROFINET device.
const PROFINET: &[u8; 16] = b"\x01\x00\xa0\xde\x97\x6c\xd1\x11\x82\x71\x00\xa0\x24\x42\xdf\x7d";
/// 8a885d04-1ceb-11c9-9fe8-08002b104860, version 2: NDR.
const NDR: &[u8; 20] = b"\x04\x5d\x88\x8a\xeb\x1c\xc9\x11\x9f\xe8\x08\x00\x2b\x10\x48\x60\x02\x00\x00\x00";

fn unit(kind: u8, call: u8, body: &[u8], token: &[u8]) -> Vec<u8> {
    let trailer = if token.is_empty() { vec![] } else { [b"\x0a\x02\x00\x00\x00\x00\x00\x00", token].concat() };
    let length = ((HEADER + body.len() + trailer.len()) as u16).to_le_bytes();
    let head = [5, 0, kind, 3, 0x10, 0, 0, 0, length[0], length[1], token.len() as u8, (token.len() >> 8) as u8];
    [&head[..], &[call, 0, 0, 0], body, &trailer].concat()
}

fn bind(interface: &[u8; 16], token: &[u8]) -> Vec<u8> {
    let body = [&b"\xb8\x10\xb8\x10\0\0\0\0\x01\0\0\0\x00\x00\x01\x00"[..], interface, b"\x02\0\0\0", NDR].concat();
    unit(11, 1, &body, token)
}

/// The answer to a bind: endpoint `135`, one result with its reason.
fn answer(result: u8, reason: u8, token: &[u8]) -> Vec<u8> {
    let head = b"\xb8\x10\xb8\x10\x01\0\0\0\x04\x00135\0\0\0\x01\0\0\0";
    unit(12, 1, &[&head[..], &[result, 0, reason, 0], NDR].concat(), token)
}

fn request(call: u8, operation: u8) -> Vec<u8> {
    unit(0, call, &[0, 0, 0, 0, 0, 0, operation, 0, 1, 2, 3, 4], &[])
}

fn response(call: u8, stub: &[u8]) -> Vec<u8> {
    unit(2, call, &[&[0; 8], stub].concat(), &[])
}

fn fault(call: u8, status: u32) -> Vec<u8> {
    unit(3, call, &[&[0; 8][..], &status.to_le_bytes(), &[0; 4]].concat(), &[])
}

const TO: Direction = Direction::Forward;
const FROM: Direction = Direction::Backward;

fn hear(units: &[(Direction, Vec<u8>)]) -> Output {
    let (mut session, mut out) = (Stream(Connection::default()), Output::default());
    for (frame, (direction, bytes)) in (1..).zip(units) {
        out.frame = frame;
        session.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
    }
    session.close(&mut out);
    out
}

fn call(operation: Operation, interface: &str, name: &str) -> Activity {
    Activity::new(TO, "call", operation).with(Field::DceRpcInterface, interface).with(Field::DceRpcOperation, name)
}

#[test]
fn a_service_is_bound_and_called() {
    let out = hear(&[
        (TO, bind(SVCCTL, &[])),
        (FROM, answer(0, 0, &[])),
        (TO, request(2, 12)),
        (FROM, response(2, &[0; 24])),
        (TO, request(3, 99)),
        (FROM, fault(3, 0x1c01_0002)),
        (TO, request(4, 19)),
    ]);
    let bound = Activity::new(TO, "bind", Operation::Session).with(Field::DceRpcInterface, "svcctl");
    let expected = [
        Activity { request_frame: Some(1), ..bound.ended(Status::Ok, "") },
        Activity {
            request_frame: Some(3),
            ..call(Operation::Configure, "svcctl", "CreateServiceW").ended(Status::Ok, "")
        },
        Activity {
            request_frame: Some(5),
            ..call(Operation::Unknown, "svcctl", "operation 99").ended(Status::Error, "nca_op_rng_error")
        },
        Activity {
            request_frame: Some(7),
            ..call(Operation::Start, "svcctl", "StartServiceW").ended(Status::NoResponse, "")
        },
    ];
    assert_eq!(out.activities, expected);
}

#[test]
fn outcomes_of_a_bind() {
    let refused = unit(13, 1, &[4, 0, 0], &[]);
    let cases = [
        (answer(0, 0, &[]), Status::Ok, ""),
        (answer(2, 1, &[]), Status::Error, "abstract_syntax_not_supported"),
        (refused, Status::Error, "protocol_version_not_supported"),
    ];
    for (bytes, status, code) in cases {
        let out = hear(&[(TO, bind(SVCCTL, &[])), (FROM, bytes)]);
        assert_eq!((out.activities.len(), out.activities[0].status, &*out.activities[0].code), (1, status, code));
    }
    assert_eq!(hear(&[(TO, bind(SVCCTL, &[]))]).activities[0].status, Status::NoResponse);
}

#[test]
fn a_login_ends_with_the_first_answer() {
    let cases = [
        (response(2, &[0; 4]), Status::Ok, ""),
        (fault(2, 5), Status::Error, "ERROR_ACCESS_DENIED"),
        (fault(2, 0x1c01_0003), Status::Ok, ""),
    ];
    for (bytes, status, code) in cases {
        let out = hear(&[
            (TO, bind(SVCCTL, b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2")),
            (FROM, answer(0, 0, &ntlm::tests::challenge())),
            (TO, unit(16, 1, &[0; 4], &ntlm::tests::authenticate("eva", 24, 24))),
            (TO, request(2, 15)),
            (FROM, bytes),
        ]);
        let logon = &out.activities[1];
        assert_eq!((logon.action, logon.status, &*logon.code, logon.request_frame), ("logon", status, code, Some(3)));
        assert!(logon.fields.contains(&(Field::NtlmVersion, "NTLMv1".to_string())));
        assert!(out.activities[2].fields.contains(&(Field::UserName, "eva".to_string())));
    }
}

#[test]
fn each_login_of_a_connection_is_told() {
    let ticket = crate::protocols::gss::tests::kerberos_token();
    let out = hear(&[
        (TO, bind(SVCCTL, &ticket)),
        (FROM, answer(0, 0, &[])),
        (TO, request(2, 15)),
        (FROM, response(2, &[0; 4])),
        (TO, bind(SVCCTL, b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2")),
        (FROM, answer(0, 0, &ntlm::tests::challenge())),
        (TO, unit(16, 1, &[0; 4], &ntlm::tests::authenticate("eva", 24, 24))),
        (TO, unit(16, 1, &[0; 4], &ntlm::tests::authenticate("ann", 24, 24))),
        (TO, request(3, 15)),
        (FROM, response(3, &[0; 4])),
    ]);
    let logons = out.activities.iter().filter(|activity| activity.action == "logon");
    let told: Vec<_> = logons.map(|logon| (logon.status, logon.request_frame, logon.fields[..2].to_vec())).collect();
    let user = |mechanism: &str, user: &str| {
        vec![(Field::Authentication, mechanism.to_string()), (Field::UserName, user.to_string())]
    };
    let [(first, frame, fields), others @ ..] = &told[..] else { panic!("three") };
    assert_eq!((first, frame, &*fields[0].1), (&Status::Ok, &Some(1), "kerberos"));
    let expected = [(Status::OneWay, Some(7), user("ntlm", "eva")), (Status::Ok, Some(8), user("ntlm", "ann"))];
    assert_eq!(others, expected);
    assert!(!format!("{:?}", out.activities.last()).contains("Kerberos"));
}

#[test]
fn the_endpoint_mapper_tells_where_a_service_is() {
    // Five floors: the interface, NDR, calls over TCP, port 49664, address.
    let tower = [
        &b"\x05\x00\x13\x00\x0d"[..],
        SVCCTL,
        b"\x02\x00\x02\x00\x00\x00\x13\x00\x0d",
        &NDR[..16],
        b"\x02\x00\x02\x00\x00\x00\x01\x00\x0b\x02\x00\x00\x00\x01\x00\x07\x02\x00\xc2\x00\
          \x01\x00\x09\x04\x00\xc0\xa8\x14\x05",
    ]
    .concat();
    let length = (tower.len() as u32).to_le_bytes();
    let stub =
        [&[0; 20][..], b"\x01\0\0\0\x04\0\0\0\0\0\0\0\x01\0\0\0\x03\0\0\0", &length, &length, &tower, &[0; 5]].concat();
    let out =
        hear(&[(TO, bind(EPMAPPER, &[])), (FROM, answer(0, 0, &[])), (TO, request(2, 3)), (FROM, response(2, &stub))]);
    let found = (Field::DceRpcEndpoint, "svcctl ncacn_ip_tcp:49664".to_string());
    assert_eq!(out.activities[1].fields.last(), Some(&found));
}

#[test]
fn a_host_tells_its_names_and_addresses() {
    let texts = [b"\x07\0".to_vec(), wide("HMI1\0"), b"\x07\0".to_vec(), wide("192.168.20.5\0"), vec![0; 2]].concat();
    let entries = (texts.len() / 2) as u8;
    let stub = [&b"\x05\0\x07\0\0\0\x02\0"[..], &[entries, 0, 0, 0], &[entries, 0, entries, 0], &texts].concat();
    let out =
        hear(&[(TO, bind(EXPORTER, &[])), (FROM, answer(0, 0, &[])), (TO, request(2, 5)), (FROM, response(2, &stub))]);
    let told: Vec<_> = out.claims.iter().map(|(_, claim)| (claim.attribute, &*claim.value)).collect();
    assert_eq!(told, [(Attribute::Hostname, "HMI1"), (Attribute::Address, "192.168.20.5")]);
}

#[test]
fn a_pipe_carries_units_however_they_are_written() {
    let (mut pipe, mut out) = (Pipe::new("svcctl"), Output::default());
    let there = [bind(SVCCTL, &[]), request(2, 12)].concat();
    pipe.octets(&there, there.len(), TO, &mut out);
    let back = [answer(0, 0, &[]), response(2, &[0; 100])].concat();
    // The end of the answer is read in a second step, and not copied.
    pipe.octets(&back[..back.len() - 50], back.len() - 20, FROM, &mut out);
    pipe.octets(&back[back.len() - 20..], 20, FROM, &mut out);
    pipe.close(&mut out);
    let told: Vec<_> = out.activities.iter().map(|activity| (activity.action, activity.status)).collect();
    assert_eq!(told, [("bind", Status::Ok), ("call", Status::Ok)]);
    assert!(out.activities[1].fields.contains(&(Field::DceRpcEndpoint, "svcctl".to_string())));
}

/// A datagram of a call of operation 1 of an interface.
fn datagram(kind: u8, interface: &[u8; 16], body: &[u8]) -> Vec<u8> {
    let head = [4, kind, 0x20, 0, 0x10, 0, 0, 0];
    let length = (body.len() as u16).to_le_bytes();
    let end = [7, 0, 0, 0, 1, 0, 0xff, 0xff, 0xff, 0xff, length[0], length[1], 0, 0, 0, 0];
    [&head[..], &[0; 16], interface, &[9; 16], &[0; 4], &[1, 0, 0, 0], &end, body].concat()
}

fn recognised(bytes: &[u8]) -> Option<Box<dyn Session>> {
    let probe = Probe { forward: bytes, backward: &[], first: TO, opener: None, ports: [40_000, 34_964], cut: false };
    match probe_datagram(&probe) {
        Recognition::Yes(session) => Some(session),
        _ => None,
    }
}

#[test]
fn calls_over_datagrams() {
    let (ask, mut out) = (datagram(0, EPMAPPER, &[0; 4]), Output::default());
    out.frame = 1;
    let mut session = recognised(&ask).unwrap();
    for (direction, bytes) in [(TO, ask), (FROM, datagram(6, EPMAPPER, b"\x03\0\x01\x1c"))] {
        session.decode(Chunk { bytes: &bytes, wire_length: bytes.len(), direction }, &mut out);
    }
    let expected = call(Operation::Configure, "epmapper", "ept_delete").ended(Status::Error, "nca_unk_if");
    assert_eq!(out.activities, [Activity { request_frame: Some(1), ..expected }]);
}

#[test]
fn profinet_is_named_and_not_read() {
    let ask = datagram(0, PROFINET, &[0; 4]);
    let (mut session, mut out) = (recognised(&ask).unwrap(), Output::default());
    session.decode(Chunk { bytes: &ask, wire_length: ask.len(), direction: TO }, &mut out);
    session.close(&mut out);
    assert_eq!((session.service(), session.is_done(), out.activities.len()), ("profinet-cm", true, 0));
    assert!(recognised(&ask[..79]).is_none());
    assert!(recognised(b"\x04\x00 anything").is_none());
}

#[test]
fn every_truncation_is_taken() {
    for whole in [bind(SVCCTL, &ntlm::tests::challenge()), answer(0, 0, &[]), request(2, 3), fault(2, 5)] {
        for length in 0..whole.len() {
            let _ = hear(&[(TO, bind(EPMAPPER, &[])), (FROM, whole[..length].to_vec())]);
            let _ = recognised(&whole[..length]);
            Pipe::default().octets(&whole[..length], whole.len(), TO, &mut Output::default());
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(
        kind in 0..20_u8,
        call in 0..4_u8,
        body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
    ) {
        let bytes = unit(kind, call, &body, &[]);
        let opening = [(TO, bind(EPMAPPER, &[])), (FROM, answer(0, 0, &[])), (TO, request(call, 3)), (TO, request(2, 5))];
        let _ = hear(&[&opening[..], &[(TO, bytes.clone()), (FROM, bytes.clone())]].concat());
        Pipe::default().octets(&[bytes, body].concat(), 1_000, TO, &mut Output::default());
        let _ = recognised(&unit(4, kind, &[0; 90], &[]));
    }
}
