//! Which octets are DNP3, and where a message starts.

use super::*;

#[test]
fn a_frame_header_is_recognised_wherever_it_is_sent() {
    assert!(matches!(recognised(READ_CLASSES, &[]), Recognition::Yes(_)));
    assert!(matches!(recognised(&[0x16, 0x03], LINK_STATUS), Recognition::Yes(_)));
    for length in 1..link::HEADER {
        assert!(matches!(recognised(&READ_CLASSES[..length], &[]), Recognition::Undecided));
    }
    let mut wrong_crc = READ_CLASSES.to_vec();
    wrong_crc[8] ^= 1;
    let others: &[&[u8]] = &[
        &[],
        &wrong_crc,
        &READ_CLASSES[2..],
        &[0x05, 0x64, 0x04], // length below 5
        b"GET / HTTP/1.1\r\n",
        &[0x16, 0x03, 0x01, 0x00, 0xF4], // TLS
        &[0x05, 0x00, 0x0B, 0x03],       // DCE/RPC bind
        &[0x05, 0x01, 0x00],             // SOCKS 5
        &[0x00, 0x00, 0x00, 0x54, 0xFE, b'S', b'M', b'B'],
    ];
    for octets in others {
        assert!(matches!(recognised(octets, &[]), Recognition::No), "{octets:x?}");
    }
}

#[test]
fn a_datagram_is_recognised_at_once_or_not() {
    let probe = |forward| {
        let ports = [20000, 20000];
        probe_datagram(&Probe { forward, backward: &[], first: Direction::Forward, opener: None, ports, cut: false })
    };
    assert!(matches!(probe(READ_CLASSES), Recognition::Yes(_)));
    assert!(matches!(probe(&READ_CLASSES[..9]), Recognition::No));
}

#[test]
fn resync_finds_the_next_header() {
    let session = Dnp3::default();
    let find = |octets: &[u8]| session.resync(Direction::Forward, octets);
    let stray = [0x05, 0x64, 0x0B, 0xC4, 0x0A, 0x05];
    assert_eq!(find(&[&stray, READ_CLASSES].concat()), Some(stray.len()));
    assert_eq!(find(&[&[0xAA, 0xBB], &READ_CLASSES[..6]].concat()), Some(2));
    assert_eq!(find(&[0xAA, 0xBB, 0x05]), Some(2));
    assert_eq!(find(&stray[3..5]), None);
}
