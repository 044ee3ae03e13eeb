use super::*;
use crate::protocols::gss::tests::der;
use crate::protocols::heard::Said;

fn number(value: u8) -> Vec<u8> {
    der(0x02, &[value])
}

fn field(number: u8, value: &[u8]) -> Vec<u8> {
    der(0xa0 | number, value)
}

fn text(text: &str) -> Vec<u8> {
    der(0x1b, text.as_bytes())
}

fn principal(parts: &[&str]) -> Vec<u8> {
    let names = parts.iter().map(|part| text(part)).collect::<Vec<_>>().concat();
    der(0x30, &[field(0, &number(1)), field(1, &der(0x30, &names))].concat())
}

/// A ticket to `cifs/hmi1.plant.example` of this encryption.
fn ticket(cipher: u8) -> Vec<u8> {
    let sealed = der(0x30, &[field(0, &number(cipher)), field(2, &der(0x04, b"sealed"))].concat());
    let service = principal(&["cifs", "hmi1.plant.example"]);
    let fields = [field(0, &number(5)), field(1, &text("PLANT.EXAMPLE")), field(2, &service), field(3, &sealed)];
    der(0x61, &der(0x30, &fields.concat()))
}

/// An AP-REQ with that ticket.
pub fn ap_request() -> Vec<u8> {
    let fields = [field(0, &number(5)), field(1, &number(14)), field(2, &der(0x03, &[0; 5])), field(3, &ticket(18))];
    der(0x6e, &der(0x30, &fields.concat()))
}

fn request(kind: u8) -> Vec<u8> {
    let address = der(0x30, &[field(0, &number(20)), field(1, &der(0x04, b"ENG1            "))].concat());
    let body = [
        field(0, &der(0x03, &[0; 5])),
        field(1, &principal(&["eva"])),
        field(2, &text("PLANT.EXAMPLE")),
        field(3, &principal(&["krbtgt", "PLANT.EXAMPLE"])),
        field(7, &number(9)),
        field(8, &der(0x30, &[number(18), number(23)].concat())),
        field(9, &der(0x30, &address)),
    ];
    let fields = [field(1, &number(5)), field(2, &number(kind & 0x1f)), field(4, &der(0x30, &body.concat()))];
    der(kind, &der(0x30, &fields.concat()))
}

fn reply(kind: u8, client: &str) -> Vec<u8> {
    let fields = [
        field(0, &number(5)),
        field(1, &number(kind & 0x1f)),
        field(3, &text("PLANT.EXAMPLE")),
        field(4, &principal(&[client])),
        field(5, &ticket(23)),
    ];
    der(kind, &der(0x30, &fields.concat()))
}

fn error(code: u8) -> Vec<u8> {
    let fields = [
        field(0, &number(5)),
        field(1, &number(30)),
        field(6, &number(code)),
        field(9, &text("PLANT.EXAMPLE")),
        field(10, &principal(&["krbtgt", "PLANT.EXAMPLE"])),
    ];
    der(0x7e, &der(0x30, &fields.concat()))
}

fn hear(datagrams: &[(Direction, &[u8])]) -> Output {
    let (mut session, mut out) = (Kerberos::new(false), Output::default());
    for (frame, (direction, bytes)) in (1..).zip(datagrams) {
        out.frame = frame;
        session.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
    }
    session.close(&mut out);
    out
}

#[test]
fn a_user_logs_in_and_gets_a_ticket() {
    let out = hear(&[(Direction::Forward, &request(0x6a)), (Direction::Backward, &reply(0x6b, "eva"))]);
    let expected = Activity::new(Direction::Forward, "logon", Operation::Authenticate)
        .with(Field::UserName, "eva")
        .with(Field::KerberosRealm, "PLANT.EXAMPLE")
        .with(Field::KerberosService, "cifs/hmi1.plant.example")
        .with(Field::KerberosCipher, "rc4-hmac")
        .with(Field::Workstation, "ENG1")
        .ended(Status::Ok, "");
    assert_eq!(out.activities, [Activity { request_frame: Some(1), ..expected }]);
    let told: Vec<_> =
        out.claims.iter().map(|(_, claim)| (claim.about_sender, claim.attribute, &*claim.value)).collect();
    let expected = [
        (true, Attribute::Hostname, "ENG1"),
        (true, Attribute::RoleHint, "key distribution centre"),
        (true, Attribute::Domain, "PLANT.EXAMPLE"),
        (false, Attribute::User, "eva@PLANT.EXAMPLE"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_computer_that_logs_in_has_its_name() {
    let out = hear(&[(Direction::Backward, &reply(0x6d, "HMI1$"))]);
    assert_eq!((out.activities[0].action, out.activities[0].request_frame), ("service_ticket", None));
    let claim = &out.claims[2].1;
    assert_eq!((claim.about_sender, claim.attribute, &*claim.value), (false, Attribute::Hostname, "HMI1"));
}

#[test]
fn outcomes() {
    let (ask, refusal, unknown) = (request(0x6a), error(24), error(127));
    let cases: [(Said, Status, &str); 4] = [
        (&[(Direction::Forward, &ask)], Status::NoResponse, ""),
        (&[(Direction::Forward, &ask), (Direction::Backward, &refusal)], Status::Error, "KDC_ERR_PREAUTH_FAILED"),
        (&[(Direction::Backward, &refusal)], Status::Error, "KDC_ERR_PREAUTH_FAILED"),
        (&[(Direction::Forward, &ask), (Direction::Backward, &unknown)], Status::Error, "127"),
    ];
    for (datagrams, status, code) in cases {
        let out = hear(datagrams);
        assert_eq!(out.activities.len(), 1);
        assert_eq!((out.activities[0].status, &*out.activities[0].code), (status, code));
    }
}

fn recognition(forward: &[u8], ports: [u16; 2], is_stream: bool) -> &'static str {
    let probe = Probe { forward, backward: &[], first: Direction::Forward, opener: None, ports, cut: false };
    match if is_stream { probe_stream(&probe) } else { probe_datagram(&probe) } {
        Recognition::Yes(_) => "yes",
        Recognition::Undecided => "undecided",
        Recognition::No => "no",
    }
}

#[test]
fn it_is_recognised_by_content() {
    let ask = request(0x6a);
    let framed = [&(ask.len() as u32).to_be_bytes()[..], &ask].concat();
    let cases: [(&[u8], [u16; 2], bool, &str); 7] = [
        (&ask, [40_000, 88], false, "yes"),
        (&ask, [40_000, 10_088], false, "yes"),
        (&[&ask[..], b"more"].concat(), [40_000, 88], false, "no"),
        (&framed, [40_000, 10_088], true, "yes"),
        (&framed[..4], [40_000, 88], true, "undecided"),
        (&framed[..4], [40_000, 10_088], true, "no"),
        (&ap_request(), [40_000, 88], false, "no"),
    ];
    for (bytes, ports, is_stream, expected) in cases {
        assert_eq!(recognition(bytes, ports, is_stream), expected, "{ports:?}");
    }
}

#[test]
fn every_truncation_is_taken() {
    for whole in [request(0x6a), reply(0x6b, "eva"), error(6), ap_request()] {
        for length in 0..whole.len() {
            let _ = hear(&[(Direction::Forward, &whole[..length])]);
            let _ = ticket_of(&whole[..length]);
            let _ = recognition(&whole[..length], [40_000, 88], false);
            let _ = recognition(&whole[..length], [40_000, 88], true);
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(
        kind in 0x6a..0x80_u8,
        rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300),
    ) {
        let bytes = der(kind, &der(0x30, &rest));
        let _ = hear(&[(Direction::Forward, &bytes), (Direction::Backward, &rest)]);
        let _ = recognition(&bytes, [88, 1], true);
    }
}
