//! Which datagrams are BACnet.

use super::*;

#[test]
fn every_vector_is_recognised_on_any_port() {
    for datagram in datagrams() {
        assert!(is_yes(probe(&datagram, ON_PORT, false)), "{datagram:02x?}");
        // An address resolution that nothing answers is too little to go by.
        let is_weak = matches!(datagram[..], [0x82, 3..=7, ..]);
        assert_eq!(is_yes(probe(&datagram, OFF_PORT, false)), !is_weak, "{datagram:02x?}");
    }
}

#[test]
fn a_cut_datagram_waits_for_a_whole_one_off_the_port() {
    let datagram = unicast(READ_PROPERTY_MULTIPLE_ACK);
    let cut = &datagram[..40];
    assert!(is_yes(probe(cut, ON_PORT, true)));
    assert!(matches!(probe(cut, OFF_PORT, true), Recognition::Undecided));
}

#[test]
fn other_datagrams_are_refused() {
    let rtp: Vec<u8> = [
        0x81, 0x08, 0x00,
        0x1C, // RTP version 2, one source, PCMA, sequence number 28 (the length of the datagram)
        0x01, 0x00, 0x10, 0x20, // timestamp that looks like an NPDU
    ]
    .into_iter()
    .chain([0x5A; 20])
    .collect();
    let dns =
        [&[0x81, 0x0A, 0x00, 0x19, 0x01, 0x00, 0x00, 0x01, 0, 0, 0, 0, 0, 0][..], b"\x05plant\x00\x00\x01\x00\x01"]
            .concat();
    let vxlan = [&[0x08, 0, 0, 0, 0, 0, 1, 0][..], &[0xFF; 60]].concat();
    let quic = [&[0xC3, 0, 0, 0, 1, 8][..], &[0x81; 60]].concat();
    let rtp_as_link = [
        &[0x82, 0x03, 0x00, 0x24][..], // RTP version 2, two sources, GSM, sequence number 36 (the length)
        &[0x5A; 32],
    ]
    .concat();
    for datagram in [rtp, rtp_as_link, dns, vxlan, quic, vec![], vec![0x81], vec![0x81, 0x0A, 0x00, 0x04]] {
        assert!(matches!(probe(&datagram, OFF_PORT, false), Recognition::No), "{datagram:02x?}");
    }
}
