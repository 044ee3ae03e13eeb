//! Secure authentication (clause 7): vectors of each object, and nothing of their secrets in what is decoded.

use super::*;

pub(super) const CHALLENGE: &[u8] = &[
    0xC4, // application control: the sequence of SELECT
    0x83, // function: authenticate response
    0x00, 0x00, // IIN
    0x78, 0x01, 0x5B, // challenge, free format
    0x01, // count
    0x0C, 0x00, // size
    0x01, 0x00, 0x00, 0x00, // challenge sequence
    0x01, 0x00, // user number
    0x04, // MAC algorithm: HMAC SHA-256 of 16 octets
    0x01, // reason: critical
    b'!', b'!', b'!', b'!', // challenge data
];

pub(super) const REPLY: &[u8] = &[
    0xC4, // application control
    0x20, // function: authenticate request
    0x78, 0x02, 0x5B, // reply, free format
    0x01, // count
    0x0A, 0x00, // size
    0x01, 0x00, 0x00, 0x00, // challenge sequence
    0x01, 0x00, // user number
    b'!', b'!', b'!', b'!', // MAC
];

pub(super) const AGGRESSIVE_OPERATE: &[u8] = &[
    0xC5, // application control
    0x05, // function: direct operate
    0x78, 0x03, 0x07, // aggressive mode request
    0x01, // count
    0x09, 0x00, 0x00, 0x00, // challenge sequence
    0x02, 0x00, // user number
    0x29, 0x02, 0x17, // 16-bit analog output, 8-bit indices
    0x01, // count
    0x05, // index
    0x2A, 0x00, // 42
    0x00, // status
    0x78, 0x09, 0x5B, // message authentication code, free format
    0x01, // count
    0x08, 0x00, // size
    b'!', b'!', b'!', b'!', b'!', b'!', b'!', b'!', // MAC
];

pub(super) const SESSION_KEY_STATUS_REQUEST: &[u8] = &[
    0xC6, // application control
    0x20, // function: authenticate request
    0x78, 0x04, 0x07, // session key status request
    0x01, // count
    0x01, 0x00, // user number
];

pub(super) const SESSION_KEY_STATUS: &[u8] = &[
    0xC6, // application control
    0x83, // function: authenticate response
    0x00, 0x00, // IIN
    0x78, 0x05, 0x5B, // session key status, free format
    0x01, // count
    0x13, 0x00, // size
    0x07, 0x00, 0x00, 0x00, // key change sequence
    0x01, 0x00, // user number
    0x02, // key wrap algorithm: AES-256
    0x02, // key status: not initialized
    0x06, // MAC algorithm: AES-GMAC
    0x04, 0x00, // challenge data length
    b'!', b'!', b'!', b'!', // challenge data
    b'!', b'!', b'!', b'!', // MAC
];

pub(super) const SESSION_KEY_CHANGE: &[u8] = &[
    0xC7, // application control
    0x20, // function: authenticate request
    0x78, 0x06, 0x5B, // session key change, free format
    0x01, // count
    0x0B, 0x00, // size
    0x07, 0x00, 0x00, 0x00, // key change sequence
    0x01, 0x00, // user number
    b'!', b'!', b'!', b'!', b'!', // wrapped key data
];

pub(super) const AUTHENTICATION_ERROR: &[u8] = &[
    0xC7, // application control
    0x83, // function: authenticate response
    0x00, 0x00, // IIN
    0x78, 0x07, 0x5B, // error, free format
    0x01, // count
    0x11, 0x00, // size
    0x07, 0x00, 0x00, 0x00, // sequence
    0x01, 0x00, // user number
    0x00, 0x00, // association
    0x01, // error: authentication failed
    0x87, 0xE2, 0xF5, 0x53, 0x4C, 0x01, // time of the error
    b'n', b'o', // error text
];

pub(super) const MASTERS_ERROR: &[u8] = &[
    0xC8, // application control
    0x21, // function: authenticate request without acknowledgement
    0x78, 0x07, 0x5B, // error, free format
    0x01, // count
    0x0F, 0x00, // size
    0x07, 0x00, 0x00, 0x00, // sequence
    0x01, 0x00, // user number
    0x02, 0x00, // association
    0x63, // error: no code of the standard
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // time of the error
];

pub(super) const USER_CERTIFICATE: &[u8] = &[
    0xC9, // application control
    0x20, // function: authenticate request
    0x78, 0x08, 0x5B, // user certificate, free format
    0x01, // count
    0x05, 0x00, // size
    0x44, // key change method: RSA-2048, DSA, SHA-256
    0x01, // certificate type: identity
    b'!', b'!', b'!', // certificate
];

pub(super) const USER_STATUS_CHANGE: &[u8] = &[
    0xCA, // application control
    0x20, // function: authenticate request
    0x78, 0x0A, 0x5B, // user status change, free format
    0x01, // count
    0x18, 0x00, // size
    0x04, // key change method: AES-256, HMAC SHA-256
    0x01, // operation: add
    0x03, 0x00, 0x00, 0x00, // status change sequence
    0x02, 0x00, // user role: engineer
    0x1E, 0x00, // user role expiry interval: 30 days
    0x03, 0x00, // user name length
    0x02, 0x00, // user public key length
    0x03, 0x00, // certification data length
    b'a', b'n', b'n', // user name
    b'!', b'!', // user public key
    b'!', b'!', b'!', // certification data
];

pub(super) const UPDATE_KEY_CHANGE_REQUEST: &[u8] = &[
    0xCB, // application control
    0x20, // function: authenticate request
    0x78, 0x0B, 0x5B, // update key change request, free format
    0x01, // count
    0x0C, 0x00, // size
    0x04, // key change method
    0x03, 0x00, // user name length
    0x04, 0x00, // master challenge data length
    b'a', b'n', b'n', // user name
    b'!', b'!', b'!', b'!', // master challenge data
];

pub(super) const UPDATE_KEY_CHANGE_REPLY: &[u8] = &[
    0xCB, // application control
    0x83, // function: authenticate response
    0x00, 0x00, // IIN
    0x78, 0x0C, 0x5B, // update key change reply, free format
    0x01, // count
    0x0C, 0x00, // size
    0x08, 0x00, 0x00, 0x00, // key change sequence
    0x03, 0x00, // user number
    0x04, 0x00, // outstation challenge data length
    b'!', b'!', b'!', b'!', // outstation challenge data
];

/// The key, its signature, and its confirmation, in one fragment.
pub(super) const UPDATE_KEY_CHANGE: &[u8] = &[
    0xCC, // application control
    0x20, // function: authenticate request
    0x78, 0x0D, 0x5B, // update key change, free format
    0x01, // count
    0x0A, 0x00, // size
    0x08, 0x00, 0x00, 0x00, // key change sequence
    0x03, 0x00, // user number
    0x02, 0x00, // encrypted update key length
    b'!', b'!', // encrypted update key data
    0x78, 0x0E, 0x5B, // update key change signature, free format
    0x01, // count
    0x03, 0x00, // size
    b'!', b'!', b'!', // signature
    0x78, 0x0F, 0x5B, // update key change confirmation, free format
    0x01, // count
    0x02, 0x00, // size
    b'!', b'!', // MAC
];

/// Each fragment with its operation and the words of its objects. No vector's secret, a run of `!`, is among them.
const DECODED: &[(&[u8], Operation, &[&str])] = &[
    (CHALLENGE, Operation::Authenticate, &["sequence=1 user=1 algorithm=hmac_sha256_16 reason=critical"]),
    (REPLY, Operation::Authenticate, &["sequence=1 user=1"]),
    (AGGRESSIVE_OPERATE, Operation::Operate, &["sequence=9 user=2", "", ""]),
    (SESSION_KEY_STATUS_REQUEST, Operation::Authenticate, &["user=1"]),
    (
        SESSION_KEY_STATUS,
        Operation::Authenticate,
        &["sequence=7 user=1 key_wrap=aes_256 key_status=not_initialized algorithm=aes_gmac"],
    ),
    (SESSION_KEY_CHANGE, Operation::Authenticate, &["sequence=7 user=1"]),
    (
        AUTHENTICATION_ERROR,
        Operation::Authenticate,
        &["sequence=7 user=1 association=0 error=authentication_failed text=no"],
    ),
    (MASTERS_ERROR, Operation::Authenticate, &["sequence=7 user=1 association=2 error=99"]),
    (
        USER_CERTIFICATE,
        Operation::Configure,
        &["method=rsa_2048_dsa_sha256_hmac_sha256 type=identity certificate_octets=3"],
    ),
    (
        USER_STATUS_CHANGE,
        Operation::Configure,
        &["method=aes_256_hmac_sha256 operation=add sequence=3 role=engineer expires=30d public_key_octets=2 name=ann"],
    ),
    (UPDATE_KEY_CHANGE_REQUEST, Operation::Authenticate, &["method=aes_256_hmac_sha256 name=ann"]),
    (UPDATE_KEY_CHANGE_REPLY, Operation::Authenticate, &["sequence=8 user=3"]),
    (UPDATE_KEY_CHANGE, Operation::Configure, &["sequence=8 user=3", "", ""]),
];

#[test]
fn objects_tell_who_and_how_but_no_secret() {
    for (fragment, operation, words) in DECODED {
        let message = sound(fragment);
        let found: Vec<_> = message.objects.iter().map(|object| message.text_of(object)).collect();
        assert_eq!((message.operation, found.as_slice()), (*operation, *words));
        assert!(!message.text.contains('!'), "{}", message.text);
        let numbers: &[f64] = if *operation == Operation::Operate { &[42.0] } else { &[] };
        assert_eq!(message.values, numbers);
    }
}

#[test]
fn a_short_object_says_what_it_has() {
    for length in 0..12 {
        let mut fragment = CHALLENGE[..10 + length].to_vec();
        fragment[8] = length as u8; // size
        let message = sound(&fragment);
        let words = message.text_of(&message.objects[0]);
        assert!(words.starts_with("sequence=1") == (length >= 4) && words.contains("user=1") == (length >= 6));
    }
}

#[test]
fn an_error_refuses() {
    let mut session = Dnp3::default();
    feed_fragment(&mut session, SESSION_KEY_CHANGE);
    let refused = feed_fragment(&mut session, AUTHENTICATION_ERROR).messages.remove(0);
    assert_eq!((refused.kind, refused.status, refused.status_name), (Kind::Error, Some(1), "authentication_failed"));
    assert!(matches!(refused.pairing, Pairing::Answers { last: true, .. }));
    let told = sound(MASTERS_ERROR);
    assert_eq!((told.kind, told.status, told.status_name), (Kind::Unconfirmed, Some(99), ""));
}

#[test]
fn a_challenge_holds_the_answer_back() {
    let mut session = Dnp3::default();
    let answer = control::answer_to(control::SELECT);
    let pairings = [control::SELECT, CHALLENGE, REPLY, &answer]
        .map(|fragment| feed_fragment(&mut session, fragment))
        .map(|out| (codes_of(&out), out.messages[0].pairing));
    let (_, Pairing::Opens(key)) = pairings[0] else { panic!("{:?}", pairings[0]) };
    let expected = [Pairing::Answers { key, last: false }, Pairing::Alone, Pairing::Answers { key, last: true }];
    assert_eq!(pairings[1..], expected.map(|pairing| (Vec::new(), pairing)));
}
