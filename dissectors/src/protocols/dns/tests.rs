use super::*;
use crate::protocols::heard::Said;

/// `www.plant.example`, type A, class IN.
const QUESTION: &[u8] = b"\x03www\x05plant\x07example\x00\x00\x01\x00\x01";
/// The same name by a pointer, type A, class IN, 60 s, 10.20.1.5.
const ANSWER: &[u8] = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x14\x01\x05";

fn query() -> Vec<u8> {
    [b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", QUESTION].concat()
}

fn response(flags: &[u8; 2], answers: u8) -> Vec<u8> {
    [b"\x12\x34", &flags[..], &[0, 1, 0, answers, 0, 0, 0, 0], QUESTION, &ANSWER[..ANSWER.len() * usize::from(answers)]]
        .concat()
}

fn hear(protocol: Protocol, datagrams: &[(Direction, &[u8])]) -> Output {
    let (mut dns, mut out) = (Dns::new(protocol, false), Output::default());
    for (frame, (direction, bytes)) in (1..).zip(datagrams) {
        out.frame = frame;
        dns.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
    }
    dns.close(&mut out);
    out
}

fn recognition(bytes: &[u8], ports: [u16; 2]) -> Option<Protocol> {
    recognised(bytes, ports, false)
}

#[test]
fn a_question_and_its_answer_are_one_activity_and_name_a_host() {
    let out = hear(Protocol::Dns, &[(Direction::Forward, &query()), (Direction::Backward, &response(b"\x81\x80", 1))]);
    let expected = Activity::new(Direction::Forward, "query", Operation::Discover)
        .with(Field::DnsQuestionName, "www.plant.example")
        .with(Field::DnsQuestionType, "A")
        .with(Field::DnsAnswers, "10.20.1.5")
        .ended(Status::Ok, "NOERROR");
    assert_eq!(out.activities, [Activity { request_frame: Some(1), ..expected }]);
    let (_, server) = &out.claims[0];
    assert_eq!((server.attribute, &*server.value, server.address), (Attribute::RoleHint, "dns-server", None));
    let (_, claim) = &out.claims[1];
    assert_eq!((claim.attribute, &*claim.value), (Attribute::Hostname, "www.plant.example"));
    assert_eq!(claim.address, Some("10.20.1.5:0".parse().unwrap()));
}

#[test]
fn outcomes() {
    let nxdomain = response(b"\x81\x83", 0);
    let cases: [(Said, Status, &str); 3] = [
        (&[(Direction::Forward, &query())], Status::NoResponse, ""),
        (&[(Direction::Forward, &query()), (Direction::Backward, &nxdomain)], Status::Error, "NXDOMAIN"),
        (&[(Direction::Backward, &nxdomain)], Status::Error, "NXDOMAIN"),
    ];
    for (datagrams, status, code) in cases {
        let out = hear(Protocol::Dns, datagrams);
        assert_eq!(out.activities.len(), 1);
        let activity = &out.activities[0];
        assert_eq!((activity.client, activity.status, &*activity.code), (Direction::Forward, status, code));
    }
}

#[test]
fn a_domain_names_its_controllers_and_their_addresses() {
    let response = b"\x12\x34\x81\x80\x00\x01\x00\x01\x00\x00\x00\x01\
        \x05_ldap\x04_tcp\x02dc\x06_msdcs\x05plant\x00\x00\x21\x00\x01\
        \xc0\x0c\x00\x21\x00\x01\x00\x00\x00\x3c\x00\x11\x00\x00\x00\x64\x01\x85\x03dc1\x05plant\x00\
        \x03dc1\x05plant\x00\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x14\x01\x05";
    let out = hear(Protocol::Dns, &[(Direction::Backward, response)]);
    let claims: Vec<_> = out.claims.iter().map(|(_, claim)| (claim.address.is_some(), &*claim.value)).collect();
    assert_eq!(claims, [(false, "dns-server"), (true, "dc1.plant"), (true, "domain-controller")]);
}

#[test]
fn names_that_stand_for_addresses() {
    let six = format!("7.{}8.e.f.ip6.arpa", "0.".repeat(28));
    let cases = [
        ("5.1.20.10.in-addr.arpa", Some("10.20.1.5")),
        ("1.20.10.in-addr.arpa", None),
        ("7.5.1.20.10.in-addr.arpa", None),
        (&*six, Some("fe80::7")),
        ("7.e.f.ip6.arpa", None),
        ("plant.example", None),
    ];
    for (name, address) in cases {
        assert_eq!(reversed(name), address.map(|address| address.parse().unwrap()), "{name}");
    }
}

#[test]
fn types_of_services_give_roles_away() {
    // `_ipp._tcp.local` has the instance `press._ipp._tcp.local`.
    let announced = b"\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\
        \x04_ipp\x04_tcp\x05local\x00\x00\x0c\x00\x01\x00\x00\x00\x78\x00\x08\x05press\xc0\x0c";
    let out = hear(Protocol::Mdns, &[(Direction::Forward, announced)]);
    assert_eq!((out.claims[0].1.attribute, &*out.claims[0].1.value), (Attribute::RoleHint, "printer"));
}

#[test]
fn a_neighbour_announces_what_it_is() {
    // `press._http._tcp.local` is a service on port 80 of `press.local`.
    let announced = b"\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\
        \x05press\x05_http\x04_tcp\x05local\x00\x00\x21\x80\x01\x00\x00\x00\x78\x00\x13\
        \x00\x00\x00\x00\x00\x50\x05press\x05local\x00";
    let out = hear(Protocol::Mdns, &[(Direction::Forward, announced)]);
    assert_eq!(out.activities[0].fields, [(Field::DnsAnswers, "press.local:80".to_string())]);
    assert_eq!(out.claims[0].1.value, "press._http._tcp.local");
}

#[test]
fn it_is_recognised_by_its_port_or_by_every_octet() {
    let modbus = b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x63\x00\x02";
    let cases: [(&[u8], [u16; 2], Option<Protocol>); 6] = [
        (&query(), [40_000, 53], Some(Protocol::Dns)),
        (&query(), [5353, 5353], Some(Protocol::Mdns)),
        (&query(), [40_000, 5355], Some(Protocol::Llmnr)),
        (&query(), [40_000, 10_053], Some(Protocol::Dns)),
        (&[&query()[..], b"more"].concat(), [40_000, 10_053], None),
        (modbus, [40_000, 502], None),
    ];
    for (bytes, ports, protocol) in cases {
        assert_eq!(recognition(bytes, ports), protocol, "{ports:?}");
    }
}

#[test]
fn pointers_that_lead_on_or_in_circles_are_refused() {
    for pointer in [b"\xc0\x0c", b"\xc0\x0e", b"\xff\xff"] {
        let bytes = [b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", &pointer[..], b"\x00\x01\x00\x01"].concat();
        assert!(message::read(&bytes).is_err(), "{pointer:02x?}");
    }
}

#[test]
fn every_truncation_is_taken() {
    let whole = response(b"\x81\x80", 1);
    for length in 0..whole.len() {
        let _ = hear(Protocol::Dns, &[(Direction::Backward, &whole[..length])]);
        let _ = recognition(&whole[..length], [53, 40_000]);
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        let _ = hear(Protocol::Mdns, &[(Direction::Forward, &bytes)]);
        let _ = recognition(&bytes, [53, 1]);
    }
}
