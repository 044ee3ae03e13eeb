use super::*;
use crate::protocols::gss::tests::{der, spnego_init, spnego_response};
use crate::protocols::ntlm::tests::{authenticate, challenge};

const TO: Direction = Direction::Forward;
const FROM: Direction = Direction::Backward;

fn ldap(id: u8, operation: u8, contents: &[u8]) -> Vec<u8> {
    der(0x30, &[&der(0x02, &[id])[..], &der(operation, contents)].concat())
}

fn octets(text: &[u8]) -> Vec<u8> {
    der(0x04, text)
}

fn bind(id: u8, name: &str, choice: &[u8]) -> Vec<u8> {
    ldap(id, 0x60, &[&[2, 1, 3][..], &octets(name.as_bytes()), choice].concat())
}

fn sasl(mechanism: &[u8], token: &[u8]) -> Vec<u8> {
    der(0xa3, &[octets(mechanism), octets(token)].concat())
}

fn result(id: u8, operation: u8, code: u8, more: &[u8]) -> Vec<u8> {
    ldap(id, operation, &[&[0x0a, 1, code, 4, 0, 4, 0][..], more].concat())
}

fn search(id: u8, base: &str) -> Vec<u8> {
    let fields =
        [&octets(base.as_bytes())[..], b"\x0a\x01\x02\x0a\x01\x00\x02\x01\x00\x02\x01\x00\x01\x01\x00"].concat();
    ldap(id, 0x63, &[&fields[..], &der(0x87, b"objectClass"), &der(0x30, &[])].concat())
}

fn entry(id: u8, name: &str, attributes: &[(&str, &[u8])]) -> Vec<u8> {
    let list = attributes
        .iter()
        .map(|(kind, value)| der(0x30, &[octets(kind.as_bytes()), der(0x31, &octets(value))].concat()));
    ldap(id, 0x64, &[octets(name.as_bytes()), der(0x30, &list.collect::<Vec<_>>().concat())].concat())
}

fn hear(messages: &[(Direction, Vec<u8>)]) -> Output {
    let (mut session, mut out) = (Ldap::new(Protocol::Ldap), Output::default());
    for (frame, (direction, bytes)) in (1..).zip(messages) {
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
fn who_binds_and_how() {
    type Bind<'a> = (Vec<u8>, u8, Status, &'a [(Field, &'a str)]);
    let known = bind(1, "admin", &der(0x80, b"admin"));
    let secret = bind(1, "cn=eva,dc=plant", &der(0x80, b"correct horse"));
    let cases: [Bind<'_>; 4] = [
        (
            known,
            49,
            Status::Error,
            &[
                (Field::LdapName, "admin"),
                (Field::LdapAuthentication, "simple"),
                (Field::UserName, "admin"),
                (Field::CredentialKind, "password"),
                (Field::CredentialDefault, "true"),
            ],
        ),
        (
            secret,
            0,
            Status::Ok,
            &[
                (Field::LdapName, "cn=eva,dc=plant"),
                (Field::LdapAuthentication, "simple"),
                (Field::UserName, "cn=eva,dc=plant"),
                (Field::CredentialKind, "password"),
                (Field::CredentialDefault, "false"),
            ],
        ),
        (bind(1, "", &der(0x80, b"")), 0, Status::Ok, &[(Field::LdapAuthentication, "anonymous")]),
        (
            bind(1, "", &sasl(b"PLAIN", b"\0eva\0correct horse")),
            0,
            Status::Ok,
            &[
                (Field::LdapAuthentication, "sasl PLAIN"),
                (Field::CredentialKind, "password"),
                (Field::CredentialDefault, "false"),
                (Field::UserName, "eva"),
            ],
        ),
    ];
    for (ask, code, status, fields) in cases {
        let out = hear(&[(TO, ask), (FROM, result(1, 0x61, code, &[]))]);
        let expected: Vec<_> = fields.iter().map(|(field, value)| (*field, (*value).to_string())).collect();
        assert_eq!((out.activities.len(), &out.activities[0].fields), (1, &expected));
        assert_eq!((out.activities[0].status, out.activities[0].request_frame), (status, Some(1)));
        assert!(!format!("{:?}{:?}", out.activities, out.claims).contains("horse"));
    }
}

#[test]
fn ntlm_in_two_wrappings_is_one_login() {
    let sicily = |tag, token: &[u8]| der(tag, token);
    let wrapped = [
        (sasl(b"GSS-SPNEGO", &spnego_init(b"NTLMSSP\0\x01\0\0\0")), der(0x87, &spnego_response(&challenge())), 14),
        (sicily(0x8a, b"NTLMSSP\0\x01\0\0\0"), der(0x04, &challenge()), 0),
    ];
    for (place, (first, answer, code)) in wrapped.into_iter().enumerate() {
        let second = match place {
            0 => sasl(b"GSS-SPNEGO", &spnego_response(&authenticate("eva", 24, 220))),
            _ => sicily(0x8b, &authenticate("eva", 24, 220)),
        };
        let out = hear(&[
            (TO, bind(1, "", &first)),
            (FROM, result(1, 0x61, code, &answer)),
            (TO, bind(2, "", &second)),
            (FROM, result(2, 0x61, 0, &[])),
            (TO, search(3, "DC=plant,DC=example")),
            (FROM, result(3, 0x65, 32, &[])),
        ]);
        let [.., logon, asked] = &out.activities[..] else { panic!("two") };
        assert!(logon.fields.contains(&(Field::UserName, "eva".to_string())));
        assert!(logon.fields.contains(&(Field::NtlmVersion, "NTLMv2".to_string())));
        assert!(claims(&out).contains(&(Attribute::Domain, "plant.example")));
        let expected = Activity::new(TO, "search", Operation::Read)
            .with(Field::LdapName, "DC=plant,DC=example")
            .with(Field::LdapScope, "subtree")
            .with(Field::UserName, "eva")
            .ended(Status::Error, "noSuchObject");
        assert_eq!(*asked, Activity { request_frame: Some(5), ..expected });
    }
}

#[test]
fn the_server_describes_itself() {
    let attributes: [(&str, &[u8]); 3] =
        [("dnsHostName", b"dc1.plant.example"), ("defaultNamingContext", b"DC=plant,DC=example"), ("other", b"x")];
    let out = hear(&[(TO, search(1, "")), (FROM, entry(1, "", &attributes)), (FROM, result(1, 0x65, 0, &[]))]);
    let expected = [
        (Attribute::Hostname, "dc1.plant.example"),
        (Attribute::Domain, "plant.example"),
        (Attribute::RoleHint, "domain-controller"),
    ];
    assert_eq!(claims(&out), expected);
    assert_eq!(claims(&hear(&[(FROM, entry(1, "CN=x", &attributes))])), []);
}

#[test]
fn a_domain_controller_is_found() {
    let names = b"\x05plant\x07example\0\xc0\x18\x03dc1\xc0\x18\x05PLANT\0\x03DC1\0\x03eva\0";
    let netlogon = [&b"\x17\0\0\0\xfd\x31\0\0"[..], &[0; 16], names].concat();
    let answer = [entry(1, "", &[("netlogon", &netlogon)]), result(1, 0x65, 0, &[])].concat();
    let out = hear(&[(TO, search(1, "")), (FROM, answer)]);
    let expected = [
        (Attribute::RoleHint, "domain-controller"),
        (Attribute::Domain, "plant.example"),
        (Attribute::Hostname, "dc1.plant.example"),
    ];
    assert_eq!(claims(&out), expected);
    assert_eq!(out.activities[0].action, "find_domain_controller");
    assert_eq!((out.activities[1].action, out.activities[1].status), ("search", Status::Ok));
}

#[test]
fn changes_are_told_with_their_outcome() {
    let name = octets(b"CN=hmi1,DC=plant");
    let cases = [
        (ldap(1, 0x66, &[name.clone(), der(0x30, &[])].concat()), 0x67, "modify"),
        (ldap(1, 0x68, &[name.clone(), der(0x30, &[])].concat()), 0x69, "add"),
        (ldap(1, 0x4a, b"CN=hmi1,DC=plant"), 0x6b, "delete"),
        (ldap(1, 0x6c, &[name.clone(), octets(b"CN=x"), der(1, &[0xff])].concat()), 0x6d, "rename"),
        (ldap(1, 0x6e, &[name, der(0x30, &[])].concat()), 0x6f, "compare"),
    ];
    for (ask, answer, action) in cases {
        let out = hear(&[(TO, ask), (FROM, result(1, answer, 50, &[]))]);
        let activity = &out.activities[0];
        assert_eq!((activity.action, &*activity.code), (action, "insufficientAccessRights"));
        assert_eq!(activity.fields, [(Field::LdapName, "CN=hmi1,DC=plant".to_string())]);
    }
    assert_eq!(hear(&[(TO, search(1, "x"))]).activities[0].status, Status::NoResponse);
}

#[test]
fn nothing_is_read_behind_the_start_of_encryption() {
    let (mut session, mut out) = (Ldap::new(Protocol::Ldap), Output::default());
    for (direction, bytes) in [(TO, ldap(1, 0x77, &der(0x80, START_TLS))), (FROM, result(1, 0x78, 0, &[]))] {
        assert!(!session.is_done());
        session.decode(Chunk { bytes: &bytes, wire_length: bytes.len(), direction }, &mut out);
    }
    assert_eq!((out.activities[0].action, out.activities[0].status), ("start_tls", Status::Ok));
    assert!(session.is_done());
}

/// What a login protects: its length, then a token.
fn protected(token: &[&[u8]]) -> Vec<u8> {
    let token = token.concat();
    [&(token.len() as u32).to_be_bytes()[..], &token].concat()
}

#[test]
fn what_is_signed_is_read_until_something_is_encrypted() {
    let asked = [search(3, "CN=hmi1,DC=plant"), ldap(4, 0x4a, b"CN=hmi2,DC=plant")].concat();
    let answered = [entry(3, "CN=hmi1", &[]), result(3, 0x65, 0, &[]), result(4, 0x6b, 0, &[])].concat();
    let kerberos = |flags: u8, turned: u8| [&[5, 4, flags, 0xff, 0, 12, 0, turned][..], &[0; 8]].concat();
    let ntlm = [&[1, 0, 0, 0][..], &[7; 12]].concat();
    let checksum = [9; 12];
    type Wrap<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;
    let wrappings: [Wrap<'_>; 3] = [
        &|messages| protected(&[&kerberos(4, 12), &checksum, messages]),
        &|messages| protected(&[&kerberos(5, 0), messages, &checksum]),
        &|messages| protected(&[&ntlm, messages]),
    ];
    for wrap in wrappings {
        let (mut session, mut out) = (Ldap::new(Protocol::Ldap), Output::default());
        for (direction, bytes) in [(TO, wrap(&asked)), (FROM, wrap(&answered)), (FROM, wrap(&answered))] {
            assert_eq!(session.frame(direction, &bytes[..3]), Framing::NeedMore);
            assert_eq!(session.frame(direction, &bytes[..60]), Framing::NeedMore);
            assert_eq!(session.resync(direction, &bytes), Some(0));
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (keep, length) = match session.frame(direction, rest) {
                    Framing::Message(length) => (length, length),
                    Framing::Head { keep, length } => (keep, length),
                    other => panic!("{other:?}"),
                };
                session.decode(Chunk { bytes: &rest[..keep], wire_length: length, direction }, &mut out);
                rest = &rest[length..];
            }
        }
        let told: Vec<_> = out.activities.iter().map(|activity| (activity.action, &*activity.fields[0].1)).collect();
        assert_eq!(told, [("search", "CN=hmi1,DC=plant"), ("delete", "CN=hmi2,DC=plant")]);
    }
    let sealed = [
        protected(&[&kerberos(6, 12), &checksum, &[0x5a; 100]]),
        protected(&[&kerberos(4, 13), &asked]),
        protected(&[&ntlm, &[0x5a; 100]]),
        protected(&[b"else"]),
        b"GET / HTTP/1.1".to_vec(),
    ];
    for bytes in sealed {
        let mut session = Ldap::new(Protocol::Ldap);
        assert_eq!((session.frame(TO, &bytes), session.is_done()), (Framing::NotMine, true));
    }
}

#[test]
fn a_login_that_is_not_gone_on_with_is_told() {
    let first = bind(1, "", &sasl(b"GSS-SPNEGO", &spnego_init(b"NTLMSSP\0\x01\0\0\0")));
    let out = hear(&[(TO, first), (FROM, result(1, 0x61, 14, &der(0x87, &challenge()))), (TO, ldap(2, 0x42, &[]))]);
    let [logon] = &out.activities[..] else { panic!("one") };
    let expected = ("bind", Status::NoResponse, "saslBindInProgress", Some(1));
    assert_eq!((logon.action, logon.status, &*logon.code, logon.request_frame), expected);
}

fn recognised(bytes: &[u8], is_stream: bool) -> bool {
    let probe = Probe { forward: bytes, backward: &[], first: TO, opener: None, ports: [40_000, 9_999], cut: false };
    matches!(if is_stream { probe_stream(&probe) } else { probe_datagram(&probe) }, Recognition::Yes(_))
}

#[test]
fn it_is_recognised_by_content() {
    let snmp = b"\x30\x29\x02\x01\x01\x04\x06public\xa0\x1c\x02\x04\x00\x00\x00\x01\x02\x01\x00\x02\x01\x00";
    let messages =
        [bind(1, "", &der(0x80, b"")), search(2, ""), result(1, 0x61, 0, &[]), entry(1, "x", &[("a", b"b")])];
    for message in messages {
        assert!(recognised(&message, true) && recognised(&message, false), "{message:02x?}");
        assert!(!recognised(&[&message[..], b"more"].concat(), false));
    }
    assert!(!recognised(snmp, true) && !recognised(snmp, false) && !recognised(b"GET / HTTP/1.1", true));
}

#[test]
fn every_truncation_is_taken() {
    let netlogon = [&b"\x17\0"[..], &[0; 22], b"\x05plant\0"].concat();
    let messages = [
        bind(1, "eva", &der(0x80, b"x")),
        bind(1, "", &sasl(b"GSS-SPNEGO", &spnego_init(&authenticate("eva", 24, 24)))),
        result(1, 0x61, 14, &der(0x87, &challenge())),
        search(1, "x"),
        entry(1, "", &[("netlogon", &netlogon)]),
        protected(&[&[5, 4, 4, 0xff, 0, 12, 0, 12][..], &[0; 20], &search(1, "x")]),
    ];
    for whole in messages {
        for length in 0..whole.len() {
            let _ = hear(&[(TO, whole[..length].to_vec()), (FROM, whole[..length].to_vec())]);
            let _ = recognised(&whole[..length], true);
            let _ = Ldap::new(Protocol::Ldap).frame(TO, &whole[..length]);
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(
        operation in 0x40..0x80_u8,
        rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200),
    ) {
        let bytes = ldap(1, operation, &rest);
        let _ = hear(&[(TO, bytes.clone()), (FROM, bytes.clone()), (TO, rest)]);
        let _ = recognised(&bytes, true);
    }
}
