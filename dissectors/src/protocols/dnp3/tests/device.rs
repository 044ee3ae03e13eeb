//! What else a device tells: attributes, files, strings, and challenges (clause 7).

use super::*;

pub(super) const DEVICE_ATTRIBUTES: &[u8] = &[
    0xC8, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x00, 0xFC, 0x00, // manufacturer's name
    0x00, // start: the standard set
    0x00, // stop
    0x01, 0x04, b'A', b'c', b'm', b'e', // visible string
    0x00, 0xFA, 0x00, // product name and model
    0x00, 0x00, // start, stop
    0x01, 0x05, b'R', b'T', b'U', b'-', b'7', // visible string
    0x00, 0xF2, 0x17, // software version, 8-bit indices
    0x01, 0x00, // count, index
    0x01, 0x03, b'1', b'.', b'2', // visible string
    0x00, 0xF0, 0x00, // maximum transmit fragment
    0x00, 0x00, // start, stop
    0x02, 0x02, 0x00, 0x08, // unsigned integer: 2048
    0x00, 0xFC, 0x00, // manufacturer's name again
    0x01, // start: a set of the vendor's own
    0x01, // stop
    0x01, 0x01, b'x', // visible string
];

pub(super) const OPEN_FILE: &[u8] = &[
    0xC9, // application control
    0x19, // function: open file
    0x46, 0x03, 0x5B, // file command, free format
    0x01, // count
    0x1F, 0x00, // size
    0x1A, 0x00, // name offset
    0x05, 0x00, // name size
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // time of creation
    0xFF, 0x01, // permissions
    0x00, 0x00, 0x00, 0x00, // authentication key
    0x00, 0x00, 0x00, 0x00, // file size
    0x01, 0x00, // mode: read
    0x00, 0x04, // maximum block size
    0x01, 0x00, // request identifier
    b'/', b'c', b'o', b'n', b'f', // name
];

pub(super) const CHALLENGE: &[u8] = &[
    0xC4, // application control: the sequence of SELECT
    0x83, // function: authenticate response
    0x00, 0x00, // IIN
    0x78, 0x01, 0x5B, // challenge, free format
    0x01, // count
    0x0C, 0x00, // size
    0x01, 0x00, 0x00, 0x00, // challenge sequence
    0x01, 0x00, // user number
    0x04, // HMAC algorithm
    0x01, // reason
    0x51, 0x52, 0x53, 0x54, // challenge data
];

pub(super) const REPLY: &[u8] = &[
    0xC4, // application control
    0x20, // function: authenticate request
    0x78, 0x02, 0x5B, // reply, free format
    0x01, // count
    0x0A, 0x00, // size
    0x01, 0x00, 0x00, 0x00, // challenge sequence
    0x01, 0x00, // user number
    0xA1, 0xA2, 0xA3, 0xA4, // HMAC
];

pub(super) const OCTET_STRING: &[u8] = &[
    0xCA, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x6E, 0x03, 0x00, // octet string of 3 octets
    0x01, // start
    0x02, // stop
    b'o', b'n', b'e', // string 1
    b't', b'w', b'o', // string 2
];

#[test]
fn device_attributes_become_claims() {
    let out = feed_fragment(&mut Dnp3::default(), DEVICE_ATTRIBUTES);
    assert_eq!(out.oddities, []);
    let claim = |attribute, value: &str| {
        (1, Claim { about_sender: true, unit: Unit::Number(10), address: None, attribute, value: value.into() })
    };
    assert_eq!(
        out.claims,
        [claim(Attribute::Vendor, "Acme"), claim(Attribute::Model, "RTU-7"), claim(Attribute::Firmware, "1.2")]
    );
    let message = &out.messages[0];
    assert_eq!(shapes(message)[3], ("device-attribute", 0, 240, Some(0), 1, &[2048.0][..], ""));
    assert_eq!((message.objects[0].index, message.objects[0].property_name), (Some(252), "manufacturer_name"));
}

#[test]
fn files_are_named_and_strings_read() {
    let message = sound(OPEN_FILE);
    assert_eq!(message.operation, Operation::File);
    assert_eq!(shapes(&message), [("file", 70, 3, None, 1, &[][..], "mode=read size=0 permissions=777 name=/conf")]);
    assert_eq!(
        shapes(&sound(OCTET_STRING)),
        [("octet-string", 110, 3, Some(1), 1, &[][..], "one"), ("octet-string", 110, 3, Some(2), 1, &[], "two")]
    );
}

#[test]
fn a_challenge_holds_the_answer_back() {
    let mut session = Dnp3::default();
    let pairings = [SELECT, CHALLENGE, REPLY, &[0xC4, 0x81, 0x00, 0x00]]
        .map(|fragment| feed_fragment(&mut session, fragment).messages[0].pairing);
    let Pairing::Opens(key) = pairings[0] else { panic!("{:?}", pairings[0]) };
    assert_eq!(
        pairings[1..],
        [Pairing::Answers { key, last: false }, Pairing::Alone, Pairing::Answers { key, last: true }]
    );
}
