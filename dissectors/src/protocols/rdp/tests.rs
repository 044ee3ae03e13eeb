use super::*;
use crate::protocols::heard::Said;
use crate::protocols::x509::tests::certificate;

const UP: Direction = Direction::Forward;
const DOWN: Direction = Direction::Backward;

fn tpkt(unit: &[u8]) -> Vec<u8> {
    [&[3, 0], &((unit.len() as u16 + 4).to_be_bytes())[..], unit].concat()
}

/// A connection request (0xe0) or confirm (0xd0) with what stands behind its fixed part.
fn connect(code: u8, variable: &[u8]) -> Vec<u8> {
    tpkt(&[&[6 + variable.len() as u8, code, 0, 0, 0, 0, 0], variable].concat())
}

fn data(octets: &[u8]) -> Vec<u8> {
    tpkt(&[&[2, 0xf0, 0x80], octets].concat())
}

fn block(kind: u16, contents: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(contents.len() as u16 + 4).to_le_bytes(), contents].concat()
}

fn conference(tag: u8, key: &[u8], blocks: &[u8]) -> Vec<u8> {
    let length = (blocks.len() as u16 | 0x8000).to_be_bytes();
    let inside = [&b"\x04\x01\x01"[..], key, &length, blocks].concat();
    data(&[&[0x7f, tag, 0x82], &(inside.len() as u16).to_be_bytes()[..], &inside].concat())
}

fn initial() -> Vec<u8> {
    let name: Vec<u8> = "ENG-7".encode_utf16().chain([0; 11]).flat_map(u16::to_le_bytes).collect();
    let core = [&[0; 12][..], &1031u32.to_le_bytes(), &9600u32.to_le_bytes(), &name, &[0; 20]].concat();
    conference(0x65, b"Duca", &[block(0xc001, &core), block(0xc002, &[0x1b, 0, 0, 0, 0, 0, 0, 0])].concat())
}

/// A certificate for another name than `gw-7`.
fn renamed(der: &[u8], name: &[u8; 4]) -> Vec<u8> {
    let mut renamed = der.to_vec();
    for at in (0..der.len()).filter(|at| der[*at..].starts_with(b"gw-7")) {
        renamed[at..at + 4].copy_from_slice(name);
    }
    renamed
}

fn response() -> Vec<u8> {
    let der = certificate();
    let issuer = renamed(&der, b"ca-1");
    let length = (der.len() as u32).to_le_bytes();
    let chain = [&2u32.to_le_bytes()[..], &2u32.to_le_bytes(), &length, &issuer, &length, &der].concat();
    let security = [
        &2u32.to_le_bytes()[..],
        &2u32.to_le_bytes(),
        &4u32.to_le_bytes(),
        &(chain.len() as u32).to_le_bytes(),
        b"rand",
        &chain,
    ];
    conference(0x66, b"McDn", &block(0x0c02, &security.concat()))
}

fn hear(pieces: &[(Direction, &[u8])]) -> Output {
    let (mut rdp, mut out) = (Rdp::default(), Output::default());
    for (frame, (direction, mut bytes)) in (1..).zip(pieces.iter().copied()) {
        out.frame = frame;
        while !bytes.is_empty() {
            let (keep, length) = match rdp.frame(direction, bytes) {
                Framing::Message(length) => (length, length),
                Framing::Head { keep, length } => (keep, length),
                Framing::NeedMore | Framing::NotMine => break,
            };
            let Some(message) = bytes.get(..keep) else { break };
            rdp.decode(Chunk { bytes: message, wire_length: length, direction }, &mut out);
            bytes = bytes.get(length..).unwrap_or_default();
        }
    }
    rdp.close(&mut out);
    out
}

fn fields(activity: &Activity) -> Vec<(Field, &str)> {
    activity.fields.iter().map(|(field, value)| (*field, &**value)).collect()
}

#[test]
fn standard_security_names_client_and_server() {
    let request = connect(0xe0, b"Cookie: mstshash=PLANT\\eva\r\n\x01\x00\x08\x00\x00\x00\x00\x00");
    let confirm = connect(0xd0, b"\x02\x00\x08\x00\x00\x00\x00\x00");
    let out = hear(&[(UP, &request), (DOWN, &confirm), (UP, &initial()), (DOWN, &response())]);
    let expected = [
        (Field::RdpCookie, r"PLANT\eva"),
        (Field::UserName, "eva"),
        (Field::UserDomain, "PLANT"),
        (Field::RdpRequested, "standard"),
        (Field::RdpSecurity, "standard"),
        (Field::RdpClientName, "ENG-7"),
        (Field::RdpClientBuild, "RDP 8.1 (9600)"),
        (Field::RdpKeyboard, "German"),
        (Field::RdpEncryption, "128bit"),
        (Field::TlsSubject, r"CN=gw-7,O=Plant\, Inc"),
    ];
    let activity = &out.activities[0];
    assert_eq!((activity.client, activity.status, activity.request_frame), (UP, Status::Ok, Some(1)));
    assert_eq!(fields(activity)[..10], expected);
    let names: Vec<_> = out.claims.iter().map(|(_, claim)| (claim.attribute, &*claim.value)).collect();
    assert_eq!(names, [(Attribute::Hostname, "ENG-7"), (Attribute::Hostname, "gw-7")]);
}

#[test]
fn a_keyboard_has_the_name_of_its_layout_or_its_language() {
    let cases = [(0x0407, "German"), (0x0001_0407, "German (0x00010407)"), (0x0407_fff0, "0x0407fff0")];
    for (layout, name) in cases {
        assert_eq!(keyboard(layout), name);
    }
}

#[test]
fn a_negotiation_ends_in_tls_or_is_refused() {
    let request = connect(0xe0, b"\x01\x00\x08\x00\x0b\x00\x00\x00");
    let confirm = connect(0xd0, b"\x02\x1f\x08\x00\x08\x00\x00\x00");
    let refusal = connect(0xd0, b"\x03\x00\x08\x00\x05\x00\x00\x00");
    let alert = b"\x15\x03\x03\x00\x02\x02\x30";
    let finished = b"\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x04\xaa\xaa\xaa\xaa";
    let server = [&b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03"[..], &[9; 32], b"\x00\xc0\x2f\x00"].concat();
    let cases: &[(Said, Status, &str, &str)] = &[
        (&[(UP, &request)], Status::NoResponse, "", ""),
        (&[(UP, &request), (DOWN, &refusal)], Status::Error, "HYBRID_REQUIRED_BY_SERVER", ""),
        (&[(UP, &request), (DOWN, &confirm)], Status::Cut, "", "credssp-early"),
        (&[(DOWN, &confirm)], Status::ResponseOnly, "", "credssp-early"),
        (&[(UP, &request), (DOWN, &confirm), (UP, alert)], Status::Error, "unknown_ca", "credssp-early"),
        (
            &[(UP, &request), (DOWN, &confirm), (DOWN, &server), (UP, finished), (DOWN, finished)],
            Status::Ok,
            "",
            "credssp-early",
        ),
    ];
    for (pieces, status, code, selected) in cases {
        let out = hear(pieces);
        let activity = &out.activities[0];
        assert_eq!((activity.client, activity.status, &*activity.code), (UP, *status, *code), "{pieces:02x?}");
        let found = fields(activity).into_iter().find(|(field, _)| *field == Field::RdpSecurity);
        assert_eq!(found.map_or("", |(_, value)| value), *selected);
    }
}

#[test]
fn others_with_the_same_transport_are_left_alone() {
    let s7 = connect(0xe0, b"\xc1\x02\x01\x00\xc2\x02\x01\x02\xc0\x01\x0a");
    let plain = connect(0xe0, b"");
    let cases: &[(&[u8], Look)] = &[
        (&connect(0xe0, b"Cookie: mstshash=a\r\n"), Look::Mine),
        (&connect(0xe0, b"Cookie: msts=3640205228.15629.0000\r\n"), Look::Mine),
        (&connect(0xd0, b"\x02\x00\x08\x00\x01\x00\x00\x00"), Look::Mine),
        (&plain, Look::Maybe),
        (&[plain.clone(), initial()].concat(), Look::Mine),
        (&plain[..3], Look::Maybe),
        (&s7, Look::Nothing),
        (&[plain.clone(), data(b"\x32\x01\x00\x00")].concat(), Look::Nothing),
        (b"\x00\x01\x00\x00\x00\x06\x01\x03", Look::Nothing),
        (b"", Look::Nothing),
    ];
    for (bytes, expected) in cases {
        assert_eq!(look(bytes), *expected, "{bytes:02x?}");
    }
}

#[test]
fn datagrams_are_known_by_their_first_one() {
    use crate::protocols::presence::tests::heard;
    let syn = [&b"\xff\xff\xff\xff\x00\x40\x18\x01"[..], &[7; 40], &[0; 1184]].concat();
    let answer = [&b"\x0b\x12\x7f\x15\x00\x40\x10\x05"[..], &[0; 1224]].concat();
    let activity = heard(udp::probe_datagram, &syn, &answer, [60_000, 3389]).unwrap();
    assert_eq!((activity.client, activity.status), (UP, Status::Ok));
    assert_eq!(heard(udp::probe_datagram, &syn[..900], b"", [60_000, 3389]), None);
    assert_eq!(heard(udp::probe_datagram, &answer, b"", [60_000, 3389]), None);
}

#[test]
fn datagrams_of_a_connection_that_is_open_are_known_by_their_number_and_record() {
    use crate::protocols::presence::tests::heard;
    // Acknowledged number, window, flags; one element of a vector, filled up; the number twice; a record.
    let data = |flags: &[u8], acknowledged: &[u8], numbers: &[u8], record: &[u8]| {
        [b"\x10\x97\x60\x33\x04\x00", flags, acknowledged, numbers, record].concat()
    };
    let (one, number, record) = (b"\x00\x01\x01\x00", b"\xe6\x5f\x84\x6d\xe6\x5f\x84\x6d", b"\x17\x03\x03\x00\x01a");
    let cases = [
        (data(b"\x00\x0c", one, number, record), true),
        (data(b"\x01\x0c", &[&one[..], b"\x00\x01\x05\x00"].concat(), number, record), true),
        (data(b"\x00\x0c", b"\x00\x03\x01\x02\x03\x00\x00\x00", number, b"\x17\xfe\xfd\x00"), true),
        (data(b"\x00\x04", one, number, record), false),
        (data(b"\x00\x1c", one, number, record), false),
        (data(b"\x00\x0c", one, b"\xe6\x5f\x84\x6d\xe6\x5f\x84\x6e", record), false),
        (data(b"\x00\x0c", one, number, b"GET / HTTP/1.1"), false),
        (data(b"\x00\x0c", b"\xff\xff\x01\x00", number, record), false),
    ];
    for (datagram, is_known) in cases {
        for length in 0..20 {
            assert_eq!(heard(udp::probe_datagram, b"", &datagram[..length], [60_000, 3389]), None);
        }
        let activity = heard(udp::probe_datagram, b"", &datagram, [60_000, 3389]);
        assert_eq!(activity.map(|activity| activity.client), is_known.then_some(UP), "{datagram:02x?}");
    }
}

#[test]
fn every_truncation_is_taken() {
    let request = connect(0xe0, b"Cookie: mstshash=eva\r\n\x01\x00\x08\x00\x00\x00\x00\x00");
    for whole in [[request.clone(), initial()].concat(), [connect(0xd0, b""), response()].concat()] {
        for length in 0..whole.len() {
            let _ = look(&whole[..length]);
            let _ = hear(&[(UP, &whole[..length])]);
            let _ = gcc::read(whole.get(length..).unwrap_or_default());
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300), tag in 0x65u8..0x67) {
        let _ = look(&bytes);
        let _ = hear(&[(UP, &bytes), (DOWN, &data(&bytes)), (UP, &connect(0xe0, &bytes[..bytes.len().min(200)]))]);
        for key in [&b"Duca"[..], b"McDn"] {
            let _ = hear(&[(DOWN, &conference(tag, key, &bytes))]);
        }
        let _ = hear(&[(DOWN, &conference(0x66, b"McDn", &block(0x0c02, &bytes)))]);
    }
}
