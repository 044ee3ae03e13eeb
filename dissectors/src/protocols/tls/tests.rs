use super::*;
use crate::model::Attribute;
use crate::protocols::heard::Said;
use crate::protocols::x509::tests::certificate;

/// A list with its length before it.
fn counted(size: usize, contents: &[u8]) -> Vec<u8> {
    [&(contents.len() as u32).to_be_bytes()[4 - size..], contents].concat()
}

fn record(kind: u8, contents: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3], &counted(2, contents)[..]].concat()
}

fn message(kind: u8, contents: &[u8]) -> Vec<u8> {
    [&[kind][..], &counted(3, contents)].concat()
}

fn pairs(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

fn extension(kind: u16, contents: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &counted(2, contents)].concat()
}

/// What the description of JA4 has as its example, with values among it that mean nothing.
fn client_hello(name: &str) -> Vec<u8> {
    let ciphers = [
        0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
        0x002f, 0x0035,
    ];
    let signatures = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
    let server = counted(2, &[&[0][..], &counted(2, name.as_bytes())].concat());
    let protocols = counted(2, b"\x02h2\x08http/1.1");
    let empty = [0x001b, 0x0033, 0x4469, 0x0017, 0x002d, 0x0005, 0x0023, 0x0012, 0x000b, 0x000a, 0xff01, 0x0015];
    let extensions = [
        extension(0x1a1a, b""),
        extension(0, &server),
        extension(13, &counted(2, &pairs(&signatures))),
        extension(16, &protocols),
        extension(43, &counted(1, &pairs(&[0x2a2a, 0x0304, 0x0303]))),
        empty.iter().flat_map(|kind| extension(*kind, b"")).collect(),
    ];
    let parts =
        [&b"\x03\x03"[..], &[7; 32], &[0], &counted(2, &pairs(&ciphers)), &[1, 0], &counted(2, &extensions.concat())];
    message(1, &parts.concat())
}

fn server_hello(version: u16, extensions: &[u8]) -> Vec<u8> {
    let parts = [&version.to_be_bytes()[..], &[9; 32], &[0], &[0xc0, 0x2f], &[0], &counted(2, extensions)];
    message(2, &parts.concat())
}

fn server_flight() -> Vec<u8> {
    let chain = counted(3, &counted(3, &certificate()));
    [server_hello(0x0303, &extension(16, b"\0\x03\x02h2")), message(11, &chain), message(14, b"")].concat()
}

/// Hears what both sides send, each piece of it framed as a stream is.
fn hear(pieces: &[(Direction, &[u8])]) -> (Tls, Output) {
    let (mut tls, mut out) = (Tls::default(), Output::default());
    for (frame, (direction, mut bytes)) in (1..).zip(pieces.iter().copied()) {
        out.frame = frame;
        while !bytes.is_empty() {
            let (keep, length) = match tls.frame(direction, bytes) {
                Framing::Message(length) => (length, length),
                Framing::Head { keep, length } => (keep, length),
                Framing::NeedMore | Framing::NotMine => break,
            };
            if keep > bytes.len() {
                break;
            }
            tls.decode(Chunk { bytes: &bytes[..keep], wire_length: length, direction }, &mut out);
            bytes = bytes.get(length..).unwrap_or_default();
        }
    }
    tls.close(&mut out);
    (tls, out)
}

fn value(activity: &Activity, field: Field) -> &str {
    activity.fields.iter().find(|(name, _)| *name == field).map_or("", |(_, value)| value)
}

const UP: Direction = Direction::Forward;
const DOWN: Direction = Direction::Backward;
const CHANGE: &[u8] = b"\x14\x03\x03\x00\x01\x01";

#[test]
fn a_handshake_of_tls_1_2_tells_both_sides() {
    let hello = record(22, &client_hello("gw-7.plant.example"));
    let flight = server_flight();
    // The certificate goes over three records.
    let cut = [record(22, &flight[..60]), record(22, &flight[60..200]), record(22, &flight[200..])].concat();
    let finished = [CHANGE, &record(22, &[0x55; 40])].concat();
    let (tls, out) = hear(&[(UP, &hello), (DOWN, &cut), (UP, &finished), (DOWN, &finished)]);
    assert!(tls.is_done());
    let activity = &out.activities[0];
    assert_eq!((activity.client, activity.status, activity.request_frame), (UP, Status::Ok, Some(1)));
    for (field, expected) in [
        (Field::TlsVersion, "1.2"),
        (Field::TlsCipher, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (Field::TlsNextProtocol, "h2"),
        (Field::TlsOffered, "1.3"),
        (Field::TlsServerName, "gw-7.plant.example"),
        (Field::TlsOfferedProtocols, "h2, http/1.1"),
        (Field::TlsJa4, "t13d1516h2_8daaf6152771_e5627efa2ab1"),
        (Field::TlsSubject, r"CN=gw-7,O=Plant\, Inc"),
        (Field::TlsNames, "gw-7.plant.example, 10.0.0.7"),
        (Field::TlsSelfSigned, "true"),
        (Field::TlsEstablished, "true"),
    ] {
        assert_eq!(value(activity, field), expected, "{field}");
    }
    let (_, claim) = &out.claims[0];
    assert_eq!((claim.attribute, &*claim.value), (Attribute::Hostname, "gw-7"));
}

#[test]
fn outcomes() {
    let hello = record(22, &client_hello("x.example"));
    let server = record(22, &server_hello(0x0303, b""));
    let newer = record(22, &server_hello(0x0303, &extension(43, &[3, 4])));
    let (data, encrypted_alert) = (record(23, &[0; 69]), record(23, &[0; 19]));
    let fatal = record(21, &[2, 40]);
    let unknown = record(21, &[2, 200]);
    let warning = record(21, &[1, 112]);
    let cases: &[(Said, Status, &str, &str)] = &[
        (&[(UP, &hello)], Status::NoResponse, "", ""),
        (&[(UP, &hello), (DOWN, &fatal)], Status::Error, "handshake_failure", ""),
        (&[(UP, &hello), (DOWN, &unknown)], Status::Error, "alert 200", ""),
        (&[(UP, &hello), (DOWN, &warning), (DOWN, &server)], Status::Cut, "", "1.2"),
        (&[(DOWN, &server)], Status::ResponseOnly, "", "1.2"),
        (&[(UP, &hello), (DOWN, &newer), (DOWN, &data)], Status::Cut, "", "1.3"),
        (&[(UP, &hello), (DOWN, &newer), (DOWN, &data), (UP, &encrypted_alert)], Status::Cut, "", "1.3"),
        (&[(UP, &hello), (DOWN, &newer), (DOWN, &data), (UP, CHANGE), (UP, &data)], Status::Ok, "", "1.3"),
    ];
    for (pieces, status, code, version) in cases {
        let (_, out) = hear(pieces);
        let activity = &out.activities[0];
        assert_eq!((out.activities.len(), activity.client), (1, UP));
        assert_eq!((activity.status, &*activity.code, value(activity, Field::TlsVersion)), (*status, *code, *version));
    }
}

#[test]
fn hellos_of_old_ask_for_what_they_are_able_to() {
    let old =
        [&b"\x80\x22\x01\x03\x01\x00\x09\x00\x00\x00\x10\x00\x00\x2f\x07\x00\xc0\x00\x00\x05"[..], &[1; 16]].concat();
    let (_, out) = hear(&[(UP, &old), (DOWN, &record(22, &server_flight()))]);
    let activity = &out.activities[0];
    assert_eq!((value(activity, Field::TlsOffered), value(activity, Field::TlsVersion)), ("1.0", "1.2"));
    let der = certificate();
    let body =
        [&b"\x04\x00\x01\x00\x02"[..], &(der.len() as u16).to_be_bytes(), &[0, 3, 0, 16], &der, &[7; 19]].concat();
    let length = (body.len() as u16 | 0x8000).to_be_bytes();
    let (tls, out) = hear(&[(UP, &old), (DOWN, &[&length[..], &body].concat())]);
    let activity = &out.activities[0];
    assert_eq!((value(activity, Field::TlsVersion), value(activity, Field::TlsSerial)), ("SSL 2.0", "B10C"));
    assert!(tls.is_done());
}

#[test]
fn remote_support_is_told_by_the_name_asked_for() {
    let (tls, _) = hear(&[(UP, &record(22, &client_hello("router12.teamviewer.com")))]);
    assert_eq!(tls.service(), "teamviewer");
    let (tls, _) = hear(&[(UP, &record(22, &client_hello("www.plant.example")))]);
    assert_eq!(tls.service(), "tls");
}

#[test]
fn only_hellos_are_recognised() {
    let hello = record(22, &client_hello("x.example"));
    let old = [&b"\x80\x1f\x01\x03\x01\x00\x06\x00\x00\x00\x10\x00\x00\x2f\x00\x00\x05"[..], &[1; 16]].concat();
    let cases: &[(&[u8], Look)] = &[
        (&hello, Look::Hello),
        (&hello[..11], Look::Hello),
        (&hello[..10], Look::Maybe),
        (&hello[..1], Look::Maybe),
        (&old, Look::Hello),
        (&record(21, &[2, 40]), Look::Hello),
        (&record(21, &[2, 200]), Look::Nothing),
        (&record(23, &[0; 60]), Look::Nothing),
        (b"\x16\x03\x01\x02\x00\x0b\x00\x01\x00\x03\x03", Look::Nothing),
        (b"\x80\x1f\x01\x03\x01\x00\x07\x00\x00\x00\x10\x00", Look::Nothing),
        (b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x63\x00\x02", Look::Nothing),
        (b"", Look::Nothing),
    ];
    for (bytes, expected) in cases {
        assert_eq!(look(bytes), *expected, "{bytes:02x?}");
    }
}

#[test]
fn every_truncation_is_taken() {
    let whole = [record(22, &client_hello("x.example")), record(22, &server_flight())].concat();
    for length in 0..whole.len() {
        let _ = look(&whole[..length]);
        let _ = hear(&[(UP, &whole[..length])]);
    }
    let flight = server_flight();
    for length in 0..flight.len() {
        let _ = hear(&[(UP, &record(22, &client_hello(""))), (DOWN, &record(22, &flight[..length]))]);
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400),
        kind in 20u8..25,
        first in proptest::prelude::any::<bool>(),
    ) {
        let _ = look(&bytes);
        let hello = record(22, &client_hello("x.example"));
        let _ = hear(&[(UP, if first { &bytes } else { &hello }), (DOWN, &record(kind, &bytes)), (DOWN, &bytes)]);
        for kind in [1, 2, 11] {
            let _ = hear(&[(DOWN, &record(22, &message(kind, &bytes)))]);
        }
    }
}
