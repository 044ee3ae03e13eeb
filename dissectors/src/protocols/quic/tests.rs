use super::*;

const CONNECTION: &[u8] = &[0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
const UP: Direction = Direction::Forward;
const DOWN: Direction = Direction::Backward;

fn client_hello() -> Vec<u8> {
    let name = b"\x00\x00\x00\x10\x00\x0e\x00\x00\x0bgw7.example";
    let protocol = b"\x00\x10\x00\x05\x00\x03\x02h3";
    let versions = b"\x00\x2b\x00\x03\x02\x03\x04";
    let extensions = [&name[..], protocol, versions].concat();
    let body =
        [&b"\x03\x03"[..], &[7; 32], &[0, 0, 2, 0x13, 0x01, 1, 0, 0, extensions.len() as u8], &extensions].concat();
    [&[1, 0, 0, body.len() as u8], &body[..]].concat()
}

fn server_hello() -> Vec<u8> {
    let body = [&b"\x03\x03"[..], &[9; 32], &[0, 0x13, 0x01, 0, 0, 6, 0, 43, 0, 2, 3, 4]].concat();
    [&[2, 0, 0, body.len() as u8], &body[..]].concat()
}

fn crypto(offset: u8, octets: &[u8]) -> Vec<u8> {
    [&[frame::CRYPTO as u8, offset, 0x40 | (octets.len() >> 8) as u8, octets.len() as u8], octets].concat()
}

/// An Initial packet of a version with these frames and padding.
fn initial(version: u32, side: usize, number: u16, frames: &[u8]) -> Vec<u8> {
    let dialect = Dialect::of(version).unwrap();
    let keys = keys::derive(dialect, CONNECTION).unwrap();
    let frames = [frames, &[0; 40]].concat();
    let length = (2 + frames.len() + 16) as u16 | 0x4000;
    let (destination, source): (&[u8], &[u8]) = if side == 0 { (CONNECTION, b"me") } else { (b"me", b"server") };
    let header = [
        &[0xc1 | dialect.initial << 4][..],
        &version.to_be_bytes(),
        &[destination.len() as u8],
        destination,
        &[source.len() as u8],
        source,
        &[0],
        &length.to_be_bytes(),
    ];
    keys[side].seal(&header.concat(), number, &frames)
}

fn hear(datagrams: &[(Direction, Vec<u8>)]) -> Output {
    let (mut quic, mut out) = (Quic::default(), Output::default());
    for (direction, bytes) in datagrams {
        quic.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
    }
    quic.close(&mut out);
    out
}

fn recognised(bytes: &[u8]) -> bool {
    let probe = Probe { forward: bytes, backward: &[], first: UP, opener: None, ports: [1, 2], cut: false };
    matches!(probe_datagram(&probe), Recognition::Yes(_))
}

#[test]
fn a_handshake_is_read_in_every_version() {
    let hello = client_hello();
    let (first, last) = hello.split_at(50);
    for (version, name) in [(1, "1"), (VERSION_2, "2"), (0xff00_001d, "draft-29"), (0xff00_0017, "draft-23")] {
        // The last octets come first.
        let datagrams = [
            (UP, initial(version, 0, 0, &crypto(50, last))),
            (UP, initial(version, 0, 1, &[&crypto(0, first)[..], &[frame::PING as u8]].concat())),
            (
                DOWN,
                initial(version, 1, 0, &[&[frame::ACK as u8, 0, 0, 0, 0][..], &crypto(0, &server_hello())].concat()),
            ),
            (UP, [0x40; 40].to_vec()),
        ];
        let out = hear(&datagrams);
        let activity = &out.activities[0];
        let expected = [
            (Field::TlsVersion, "1.3"),
            (Field::TlsCipher, "TLS_AES_128_GCM_SHA256"),
            (Field::TlsOffered, "1.3"),
            (Field::TlsServerName, "gw7.example"),
            (Field::TlsOfferedProtocols, "h3"),
            (Field::TlsJa4, "q13d0103h3_0f2cb44170f4_b9a491fefe05"),
            (Field::QuicVersion, name),
            (Field::TlsEstablished, "true"),
        ];
        let found: Vec<_> = activity.fields.iter().map(|(field, value)| (*field, &**value)).collect();
        assert_eq!((activity.client, activity.status), (UP, Status::Ok));
        assert_eq!(found, expected);
    }
}

#[test]
fn who_refuses_says_why() {
    let refused = [frame::CLOSE as u8, 0x41, 0x78, 0, 0];
    let out = hear(&[(UP, initial(1, 0, 0, &crypto(0, &client_hello()))), (DOWN, initial(1, 1, 0, &refused))]);
    assert_eq!((out.activities[0].status, &*out.activities[0].code), (Status::Error, "no_application_protocol"));
}

#[test]
fn it_is_recognised_by_what_can_be_read() {
    let packet = initial(1, 0, 0, &crypto(0, &client_hello()));
    assert!(recognised(&packet));
    for at in [1, 8, 30, packet.len() - 1] {
        let mut other = packet.clone();
        other[at] ^= 1;
        assert!(!recognised(&other), "{at}");
    }
}

#[test]
fn every_truncation_is_taken() {
    let packet = initial(1, 0, 0, &crypto(0, &client_hello()));
    for length in 0..packet.len() {
        assert!(!recognised(&packet[..length]));
        let _ = hear(&[(UP, packet[..length].to_vec())]);
    }
}

#[test]
fn what_is_held_is_bounded() {
    let mut crypto = Crypto::default();
    for offset in (1..20_000).step_by(10) {
        crypto.add(offset, &[0; 1200]);
        let held: usize = crypto.pieces.values().map(Vec::len).sum();
        assert!(held + crypto.whole.len() <= MAX_HELD && crypto.pieces.len() <= MAX_PIECES);
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = recognised(&bytes);
        let frames = initial(1, 0, 0, &bytes);
        let _ = hear(&[(UP, frames), (DOWN, bytes.clone()), (DOWN, initial(1, 1, 0, &bytes)), (UP, bytes.clone())]);
        let long = [&[0xc0, 0, 0, 0, 1], &bytes[..]].concat();
        let _ = hear(&[(UP, long)]);
    }
}
