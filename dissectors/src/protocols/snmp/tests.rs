use super::*;
use crate::model::Attribute;
use crate::protocols::gss::tests::der;

const TO: Direction = Direction::Forward;
const FROM: Direction = Direction::Backward;

/// An engine of Hirschmann (248) with its MAC address.
const ENGINE: &[u8] = b"\x80\x00\x00\xf8\x03\x00\x0e\x8c\x20\x20\x02";

fn number(value: u8) -> Vec<u8> {
    der(0x02, &[value])
}

/// An object identifier below 1.3.
fn name(arcs: &[u32]) -> Vec<u8> {
    let mut octets = vec![0x2b];
    for arc in arcs {
        let groups: Vec<u8> = (0..5).map(|place| (arc >> (7 * place)) as u8 & 0x7f).collect();
        let most = groups.iter().rposition(|group| *group != 0).unwrap_or(0);
        octets.extend((0..=most).rev().map(|place| groups[place] | if place > 0 { 0x80 } else { 0 }));
    }
    der(0x06, &octets)
}

fn binding(arcs: &[u32], value: &[u8]) -> Vec<u8> {
    der(0x30, &[&name(arcs), value].concat())
}

fn pdu(kind: u8, request: u8, error: u8, bindings: &[Vec<u8>]) -> Vec<u8> {
    der(kind, &[number(request), number(error), number(0), der(0x30, &bindings.concat())].concat())
}

fn message(version: u8, community: &[u8], pdu: &[u8]) -> Vec<u8> {
    der(0x30, &[number(version), der(0x04, community), pdu.to_vec()].concat())
}

fn message_3(id: u8, flags: u8, engine: &[u8], user: &[u8], data: &[u8]) -> Vec<u8> {
    let global = der(0x30, &[number(id), number(100), der(0x04, &[flags]), number(3)].concat());
    let fields = [der(0x04, engine), number(0), number(0), der(0x04, user), der(0x04, b"digest"), der(0x04, b"salt")];
    let parameters = der(0x04, &der(0x30, &fields.concat()));
    der(0x30, &[number(3), global, parameters, data.to_vec()].concat())
}

fn scoped(pdu: &[u8]) -> Vec<u8> {
    der(0x30, &[der(0x04, ENGINE), der(0x04, b""), pdu.to_vec()].concat())
}

const DESCRIPTION: &[u32] = &[6, 1, 2, 1, 1, 1, 0];
const CONTACT: &[u32] = &[6, 1, 2, 1, 1, 4, 0];
const NULL: &[u8] = b"\x05\x00";

fn hear(datagrams: &[(Direction, Vec<u8>)]) -> Output {
    let (mut session, mut out) = (Snmp::default(), Output::default());
    for (frame, (direction, bytes)) in (1..).zip(datagrams) {
        out.frame = frame;
        session.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
    }
    session.close(&mut out);
    out
}

fn claims(out: &Output) -> Vec<(Attribute, &str)> {
    out.claims.iter().map(|(_, claim)| (claim.attribute, &*claim.value)).collect()
}

#[test]
fn a_manager_asks_and_the_agent_describes_itself() {
    let text = |text: &[u8]| der(0x04, text);
    let answers = [
        binding(DESCRIPTION, &text(b"Hirschmann MACH")),
        binding(&[6, 1, 2, 1, 1, 2, 0], &name(&[6, 1, 4, 1, 248, 14, 10])),
        binding(&[6, 1, 2, 1, 1, 5, 0], &text(b"switch-2")),
        binding(&[6, 1, 2, 1, 1, 6, 0], &text(b"Hall 3")),
        binding(&[6, 1, 2, 1, 1, 7, 0], &der(0x02, &[2])),
        binding(&[6, 1, 2, 1, 47, 1, 1, 1, 1, 11, 1], &text(b"SN-4711")),
        binding(&[6, 1, 2, 1, 47, 1, 1, 1, 1, 13, 1], &text(b"MACH102")),
        binding(&[6, 1, 2, 1, 2, 2, 1, 6, 1], &text(b"\x00\x0e\x8c\x20\x20\x02")),
        binding(&[6, 1, 2, 1, 4, 20, 1, 1, 192, 168, 20, 2], &der(0x40, &[192, 168, 20, 2])),
        binding(CONTACT, &text(b"eva")),
    ];
    let out = hear(&[
        (TO, message(1, b"public", &pdu(0xa0, 7, 0, &[binding(DESCRIPTION, NULL), binding(CONTACT, NULL)]))),
        (FROM, message(1, b"public", &pdu(0xa2, 7, 0, &answers))),
    ]);
    let expected = Activity::new(TO, "get", Operation::Read)
        .with(Field::SnmpVersion, "2c")
        .with(Field::SnmpCommunity, "public")
        .with(Field::CredentialKind, "community")
        .with(Field::CredentialDefault, "true")
        .with(Field::SnmpObject, "1.3.6.1.2.1.1.1.0")
        .with(Field::SnmpObject, "1.3.6.1.2.1.1.4.0")
        .ended(Status::Ok, "");
    assert_eq!(out.activities, [Activity { request_frame: Some(1), ..expected }]);
    let expected = [
        (Attribute::Vendor, "Hirschmann"),
        (Attribute::RoleHint, "network-device"),
        (Attribute::Description, "Hirschmann MACH"),
        (Attribute::VendorId, "248"),
        (Attribute::Vendor, "Hirschmann"),
        (Attribute::Name, "switch-2"),
        (Attribute::Location, "Hall 3"),
        (Attribute::RoleHint, "switch"),
        (Attribute::Serial, "SN-4711"),
        (Attribute::Model, "MACH102"),
        (Attribute::Mac, "00:0e:8c:20:20:02"),
        (Attribute::Address, "192.168.20.2"),
    ];
    assert_eq!(claims(&out), expected);
}

#[test]
fn outcomes() {
    let ask = (TO, message(0, b"plant7", &pdu(0xa3, 7, 0, &[binding(&[6, 1, 2, 1, 2, 2, 1, 7, 3], &number(2))])));
    let cases = [(0, Status::Ok, ""), (4, Status::Error, "readOnly"), (99, Status::Error, "99")];
    for (error, status, code) in cases {
        let out = hear(&[ask.clone(), (FROM, message(0, b"plant7", &pdu(0xa2, 7, error, &[])))]);
        let expected = Activity::new(TO, "set", Operation::Configure)
            .with(Field::SnmpVersion, "1")
            .with(Field::SnmpCommunity, "custom")
            .with(Field::CredentialKind, "community")
            .with(Field::CredentialDefault, "false")
            .with(Field::SnmpObject, "1.3.6.1.2.1.2.2.1.7.3")
            .ended(status, code);
        assert_eq!(out.activities, [Activity { request_frame: Some(1), ..expected }]);
        assert!(!format!("{:?}", out.activities).contains("plant7"));
    }
    assert_eq!(hear(&[ask]).activities[0].status, Status::NoResponse);
}

#[test]
fn what_is_read_is_told_by_its_table() {
    let names: [&[u32]; 3] =
        [&[6, 1, 2, 1, 2, 2, 1, 10, 1], &[6, 1, 2, 1, 2, 2, 1, 16, 1], &[6, 1, 4, 1, 248, 14, 1, 2, 3]];
    let bindings = names.map(|name| binding(name, NULL));
    let out = hear(&[(TO, message(1, b"private", &pdu(0xa5, 1, 0, &bindings)))]);
    let objects = out.activities[0].fields.iter().filter(|(field, _)| *field == Field::SnmpObject);
    let objects: Vec<_> = objects.map(|(_, name)| &**name).collect();
    assert_eq!(objects, ["1.3.6.1.2.1.2.2.1", "1.3.6.1.4.1.248.14.1"]);
}

#[test]
fn notifications() {
    let v1 = |generic: u8| {
        let head = [name(&[6, 1, 4, 1, 248]), der(0x40, &[10, 0, 0, 1]), number(generic), number(5), der(0x43, &[1])];
        message(0, b"public", &der(0xa4, &[head.concat(), der(0x30, &[])].concat()))
    };
    let v2 = |kind, value: &[u32]| {
        message(1, b"public", &pdu(kind, 1, 0, &[binding(&[6, 1, 6, 3, 1, 1, 4, 1, 0], &name(value))]))
    };
    let cases = [
        (v1(4), "trap", "authenticationFailure"),
        (v1(6), "trap", "1.3.6.1.4.1.248.0.5"),
        (v2(0xa7, &[6, 1, 6, 3, 1, 1, 5, 3]), "trap", "linkDown"),
        (v2(0xa6, &[6, 1, 4, 1, 248, 1]), "inform", "1.3.6.1.4.1.248.1"),
    ];
    for (bytes, action, object) in cases {
        let out = hear(&[(TO, bytes)]);
        let activity = &out.activities[0];
        assert_eq!((activity.action, activity.operation), (action, Operation::Report));
        assert_eq!(activity.fields.last(), Some(&(Field::SnmpObject, object.to_string())));
    }
}

#[test]
fn users_and_engines_of_version_3() {
    let report = pdu(0xa8, 0, 0, &[binding(&[6, 1, 6, 3, 15, 1, 1, 3, 0], &der(0x41, &[1]))]);
    let get = pdu(0xa0, 9, 0, &[binding(DESCRIPTION, NULL)]);
    let answer = pdu(0xa2, 9, 0, &[binding(DESCRIPTION, &der(0x04, b"MACH"))]);
    let sealed = der(0x04, b"sealed");
    let cases = [
        (0, scoped(&get), scoped(&answer), "get", "noAuthNoPriv", Status::Ok, ""),
        (1, scoped(&get), scoped(&report), "get", "authNoPriv", Status::Error, "usmStatsUnknownUserNames"),
        (3, sealed.clone(), sealed, "encrypted", "authPriv", Status::Ok, ""),
    ];
    for (flags, ask, answer, action, level, status, code) in cases {
        let out = hear(&[
            (TO, message_3(1, flags | 4, ENGINE, b"eva", &ask)),
            (FROM, message_3(1, flags, ENGINE, b"eva", &answer)),
        ]);
        assert_eq!(out.activities.len(), 1);
        let activity = &out.activities[0];
        assert_eq!((activity.action, activity.status, &*activity.code), (action, status, code));
        let expected = [
            (Field::SnmpVersion, "3"),
            (Field::UserName, "eva"),
            (Field::SnmpSecurity, level),
            (Field::SnmpEngine, "800000f803000e8c202002"),
        ];
        assert_eq!(activity.fields[..4], expected.map(|(field, value)| (field, value.to_string())));
        assert!(claims(&out).starts_with(&[
            (Attribute::VendorId, "248"),
            (Attribute::Vendor, "Hirschmann"),
            (Attribute::Mac, "00:0e:8c:20:20:02"),
        ]));
        assert!(!format!("{:?}", out.activities).contains("digest"));
    }
}

fn recognised(bytes: &[u8], is_stream: bool) -> bool {
    let probe = Probe { forward: bytes, backward: &[], first: TO, opener: None, ports: [40_000, 9_999], cut: false };
    matches!(if is_stream { probe_stream(&probe) } else { probe_datagram(&probe) }, Recognition::Yes(_))
}

#[test]
fn it_is_recognised_by_content() {
    let get = pdu(0xa0, 9, 0, &[binding(DESCRIPTION, NULL)]);
    for bytes in [message(0, b"public", &get), message(1, b"x", &get), message_3(1, 4, b"", b"", &scoped(&get))] {
        assert!(recognised(&bytes, false) && recognised(&bytes, true));
        assert!(!recognised(&[&bytes[..], b"more"].concat(), false));
        assert!(!recognised(&bytes[..bytes.len() - 1], false));
    }
    let ldap = der(0x30, &[number(1), der(0x60, &[2, 1, 3, 4, 0, 0x80, 0])].concat());
    assert!(!recognised(&message(2, b"public", &get), false) && !recognised(&ldap, false));
}

#[test]
fn every_truncation_is_taken() {
    let get = pdu(0xa0, 9, 0, &[binding(DESCRIPTION, NULL)]);
    for whole in [message(1, b"public", &get), message_3(1, 4, ENGINE, b"eva", &scoped(&get))] {
        for length in 0..whole.len() {
            let _ = hear(&[(TO, whole[..length].to_vec())]);
            let _ = recognised(&whole[..length], true);
            let _ = Snmp::default().frame(TO, &whole[..length]);
            objects::engine(&ENGINE[..length.min(ENGINE.len())], &mut Output::default());
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(
        kind in 0xa0..0xaa_u8,
        rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
    ) {
        let bytes = message(1, b"x", &der(kind, &rest));
        let listed = message(1, b"x", &pdu(kind, 1, 0, std::slice::from_ref(&rest)));
        let _ = hear(&[(TO, bytes.clone()), (FROM, bytes.clone()), (FROM, listed), (TO, rest)]);
        let _ = recognised(&bytes, true);
    }
}

#[test]
fn layers_served_tell_switches_and_routers_from_hosts() {
    for (layers, role) in [(2, &["switch"][..]), (6, &["router"]), (72, &[]), (76, &[])] {
        let answer = pdu(0xa2, 7, 0, &[binding(&[6, 1, 2, 1, 1, 7, 0], &der(0x02, &[layers]))]);
        let told = hear(&[(FROM, message(1, b"public", &answer))]);
        assert_eq!(claims(&told).iter().map(|(_, value)| *value).collect::<Vec<_>>(), role, "{layers}");
    }
}
