//! Acknowledgements and refusals.

use super::*;

pub(super) const SIMPLE_ACK: &[u8] = &[
    0x20, 0x0B, 0x0F, // Simple-ACK, invoke id 11, WriteProperty
];

pub(super) const ERROR: &[u8] = &[
    0x50, 0x34, 0x14, // Error, invoke id 52, ReinitializeDevice
    0x91, 0x05, // error class services
    0x91, 0x1A, // error code password-failure
];

pub(super) const REJECT: &[u8] = &[
    0x60, 0x3A, 0x09, // Reject, invoke id 58, unrecognized-service
];

pub(super) const ABORT_BY_SERVER: &[u8] = &[
    0x71, 0x09, 0x04, // Abort, SRV, invoke id 9, segmentation-not-supported
];

pub(super) const SEGMENT_ACK: &[u8] = &[
    0x42, 0x09, 0x05, 0x04, // Segment-ACK, NAK, by the client, invoke id 9, sequence 5, window 4
];

#[test]
fn negative_answers_say_why() {
    let error = message(&unicast(ERROR));
    assert_eq!((error.kind, error.name), (Kind::Error, "reinitialize_device"));
    assert_eq!(
        (error.status, error.status_name, error.text.as_str()),
        (Some(26), "password-failure", "error class services")
    );
    let reject = message(&unicast(REJECT));
    assert_eq!((reject.function, reject.status_name), (None, "unrecognized-service"));
    let abort = message(&unicast(ABORT_BY_SERVER));
    assert_eq!((abort.status_name, abort.from_client), ("segmentation-not-supported", false));
    let request = message(&unicast(READ_PROPERTY));
    let Pairing::Opens(key) = request.pairing else { panic!() };
    assert_eq!(abort.pairing, Pairing::Answers { key, last: true });
}

#[test]
fn an_abort_by_the_client_ends_its_own_request() {
    let Pairing::Opens(key) = message(&unicast(READ_PROPERTY)).pairing else { panic!() };
    let abort = message(&unicast(&[
        0x70, 0x09, 0x00, // Abort, by the client, invoke id 9, other
    ]));
    assert_eq!((abort.from_client, abort.pairing), (true, Pairing::Answers { key, last: true }));
}

#[test]
fn a_segment_ack_makes_no_event() {
    let ack = message(&unicast(SEGMENT_ACK));
    assert_eq!((ack.kind, ack.pairing, ack.from_client), (Kind::Confirm, Pairing::None, true));
    assert_eq!((ack.function, ack.text.as_str()), (None, "negative, sequence 5, window 4"));
}
