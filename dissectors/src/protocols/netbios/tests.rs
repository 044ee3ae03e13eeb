use super::*;
use crate::exchange::Status;
use crate::protocols::solo::tests::{claimed, cut_everywhere, hear as hear_one, told};
use crate::session::{Chunk, Direction, Output, Probe, Recognition};

/// A name in its second-level encoding, without scope.
fn encoded(name: &str, suffix: u8) -> Vec<u8> {
    let padded = format!("{name:15}");
    let octets = padded.bytes().chain([suffix]).flat_map(|octet| [b'A' + (octet >> 4), b'A' + (octet & 15)]);
    [32].into_iter().chain(octets).chain([0]).collect()
}

/// Identifier 7, flags, counts of questions and records, then what they count.
fn message(flags: u16, counts: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let counts: Vec<u8> = counts.iter().flat_map(|count| [0, *count]).collect();
    [&[0, 7][..], &flags.to_be_bytes(), &counts, &parts.concat()].concat()
}

const NB_IN: &[u8] = &[0, 0x20, 0, 1];
const NBSTAT_IN: &[u8] = &[0, 0x21, 0, 1];
/// Time to live, length, flags of a unique name, its address.
const UNIQUE: &[u8] = &[0, 0, 0, 0, 0, 6, 0x60, 0, 10, 20, 1, 7];
const GROUP: &[u8] = &[0, 0, 0, 0, 0, 6, 0xe0, 0, 10, 20, 1, 7];
/// The question's name.
const POINTER: &[u8] = &[0xc0, 0x0c];

fn hear(datagrams: &[(Direction, &[u8])]) -> Output {
    let probe = Probe {
        forward: datagrams[0].1,
        backward: &[],
        first: Direction::Forward,
        opener: None,
        ports: [137, 137],
        cut: false,
    };
    let Recognition::Yes(mut session) = name_service::probe_datagram(&probe) else { return Output::default() };
    let mut out = Output::default();
    for (direction, bytes) in datagrams {
        session.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
    }
    session.close(&mut out);
    out
}

#[test]
fn names_are_registered_asked_for_and_listed() {
    use Direction::{Backward, Forward};
    let registered = |name, suffix, data: &[u8]| {
        message(0x2910, [1, 0, 0, 1], &[&encoded(name, suffix), NB_IN, POINTER, NB_IN, data])
    };
    let workstation = registered("HISTORIAN", 0, UNIQUE);
    let domain = registered("PLANT", 0, GROUP);
    let controllers = registered("PLANT", 0x1c, GROUP);
    let messenger = registered("EVA", 0x03, UNIQUE);
    let query = message(0x0100, [1, 0, 0, 0], &[&encoded("HISTORIAN", 0x20), NB_IN]);
    let answer = message(0x8580, [0, 1, 0, 0], &[&encoded("HISTORIAN", 0x20), NB_IN, UNIQUE]);
    let refusal = message(0x8583, [0, 0, 0, 0], &[]);
    let names =
        [&b"HISTORIAN      \x00\x04\x00"[..], b"PLANT          \x00\x84\x00", &[0, 0x0e, 0x8c, 1, 2, 3]].concat();
    let data = [&[0, 0, 0, 0, 0, names.len() as u8 + 1, 2][..], &names].concat();
    let asked = message(0, [1, 0, 0, 0], &[&encoded("*\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0), NBSTAT_IN]);
    let listed = message(0x8400, [0, 1, 0, 0], &[&encoded("*\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 0), NBSTAT_IN, &data]);
    type Case<'a> = (&'a [(Direction, &'a [u8])], &'a str, Status, &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (
            &[(Forward, &workstation)],
            "registration netbios.name=HISTORIAN<00> netbios.name_type=workstation netbios.answers=10.20.1.7",
            Status::OneWay,
            &["10.20.1.7 hostname=HISTORIAN"],
        ),
        (
            &[(Forward, &domain)],
            "registration netbios.name=PLANT<00> netbios.name_type=domain netbios.answers=10.20.1.7",
            Status::OneWay,
            &["10.20.1.7 domain=PLANT"],
        ),
        (
            &[(Forward, &controllers)],
            "registration netbios.name=PLANT<1c> netbios.name_type=domain controllers netbios.answers=10.20.1.7",
            Status::OneWay,
            &["10.20.1.7 domain=PLANT", "10.20.1.7 role_hint=domain-controller"],
        ),
        (
            &[(Forward, &messenger)],
            "registration netbios.name=EVA<03> netbios.name_type=messenger netbios.answers=10.20.1.7",
            Status::OneWay,
            &["10.20.1.7 user=EVA"],
        ),
        (
            &[(Forward, &query), (Backward, &answer)],
            "query netbios.name=HISTORIAN<20> netbios.name_type=file server netbios.answers=10.20.1.7",
            Status::Ok,
            &["10.20.1.7 hostname=HISTORIAN"],
        ),
        (
            &[(Forward, &query), (Backward, &refusal)],
            "query netbios.name=HISTORIAN<20> netbios.name_type=file server",
            Status::Error,
            &[],
        ),
        (
            &[(Forward, &query)],
            "query netbios.name=HISTORIAN<20> netbios.name_type=file server",
            Status::NoResponse,
            &[],
        ),
        (
            &[(Forward, &asked), (Backward, &listed)],
            "node_status netbios.name=*<00> netbios.name_type=workstation \
             netbios.answers=HISTORIAN<00>, PLANT<00>, 00:0e:8c:01:02:03",
            Status::Ok,
            &["hostname=HISTORIAN", "domain=PLANT", "mac=00:0e:8c:01:02:03"],
        ),
    ];
    for (datagrams, expected, status, claims) in cases {
        let out = hear(datagrams);
        assert_eq!(told(&out), [*expected]);
        assert_eq!(out.activities[0].status, *status, "{expected}");
        assert_eq!(claimed(&out), *claims);
        for (_, bytes) in *datagrams {
            for length in 0..bytes.len() {
                hear(&[(Forward, &bytes[..length]), (Backward, &bytes[..length])]);
            }
        }
    }
}

/// A datagram to the browsers of a domain with a message to a mailslot.
fn datagram(mailslot: &[u8], message: &[u8]) -> Vec<u8> {
    let head = [0x11, 0x02, 0, 9, 10, 20, 1, 7, 0, 138, 0, 200, 0, 0];
    let name = [b"\\MAILSLOT\\", mailslot, b"\0"].concat();
    let at = 32 + 1 + 34 + 2 + name.len();
    let count = (message.len() as u16).to_le_bytes();
    let mut words = [0; 34];
    words[22..24].copy_from_slice(&count);
    words[24..26].copy_from_slice(&(at as u16).to_le_bytes());
    let smb = [b"\xffSMB\x25", &[0; 27][..], &[17], &words, &[0, 0], &name, message].concat();
    [&head[..], &encoded("HISTORIAN", 0x20), &encoded("PLANT", 0x1d), &smb].concat()
}

#[test]
fn hosts_announce_themselves() {
    let announcement =
        b"\x01\x00\x80\xfc\x0a\x00HISTORIAN\0\0\0\0\0\0\0\x06\x01\x03\x10\x84\x00\x0f\x01\x55\xaaPlant data\0";
    let domain = b"\x0c\x00\x80\xfc\x0a\x00PLANT\0\0\0\0\0\0\0\0\0\0\0\x06\x01\x00\x10\x00\x80\x0f\x01\x55\xaaDC-1\0";
    /// Mailslot, what is written to it, what is told, what is claimed.
    type Case<'a> = (&'a [u8], &'a [u8], &'a str, &'a [&'a str]);
    let cases: [Case<'_>; 4] = [
        (
            b"BROWSE",
            announcement,
            "host_announcement source.host.name=HISTORIAN netbios.server_type=workstation, server, nt-workstation, \
             master-browser, dfs-root smb.os=Windows NT 6.1 netbios.name=HISTORIAN<20> \
             netbios.name_type=file server host.name=PLANT<1d>",
            &[
                "hostname=HISTORIAN",
                "operating_system=Windows NT 6.1",
                "description=Plant data",
                "role_hint=master-browser",
                "hostname=HISTORIAN",
            ],
        ),
        (
            b"BROWSE",
            domain,
            "domain_announcement user.domain=PLANT source.host.name=DC-1 netbios.name=HISTORIAN<20> \
             netbios.name_type=file server host.name=PLANT<1d>",
            &["domain=PLANT", "hostname=HISTORIAN"],
        ),
        (
            b"NET\\NETLOGON",
            b"\x07\0",
            "netlogon netbios.name=HISTORIAN<20> netbios.name_type=file server host.name=PLANT<1d>",
            &["hostname=HISTORIAN"],
        ),
        (
            b"OTHER",
            b"\x07\0",
            "datagram netbios.name=HISTORIAN<20> netbios.name_type=file server host.name=PLANT<1d>",
            &["hostname=HISTORIAN"],
        ),
    ];
    for (mailslot, message, expected, claims) in cases {
        let bytes = datagram(mailslot, message);
        let out = hear_one(datagram::read, &bytes);
        assert_eq!(told(&out), [expected]);
        assert_eq!(claimed(&out), claims);
        cut_everywhere(datagram::read, &bytes);
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..300)) {
        hear(&[(Direction::Forward, &bytes)]);
        hear_one(datagram::read, &bytes);
        hear_one(datagram::read, &datagram(b"BROWSE", &bytes));
    }
}
