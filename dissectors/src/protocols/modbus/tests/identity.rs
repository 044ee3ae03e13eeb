//! What a device says of itself.

use super::*;

pub(super) const READ_IDENTIFICATION: &[u8] = &[
    0x00, 0x16, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x05, // length
    0x01, // unit identifier
    0x2B, // function: encapsulated interface transport
    0x0E, // MEI type: read device identification
    0x01, // Read Device ID code: basic
    0x00, // object id
];

pub(super) const IDENTIFICATION: &[u8] = &[
    0x00, 0x16, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x1A, // length
    0x01, // unit identifier
    0x2B, // function: encapsulated interface transport
    0x0E, // MEI type: read device identification
    0x01, // Read Device ID code: basic
    0x01, // conformity level
    0x00, // more follows: no
    0x00, // next object id
    0x03, // number of objects
    0x00, 0x04, b'A', b'c', b'm', b'e', // VendorName
    0x01, 0x03, b'P', b'-', b'7', // ProductCode
    0x02, 0x05, b'V', b'2', b'.', b'1', b'1', // MajorMinorRevision
];

pub(super) const SERVER_ID: &[u8] = &[
    0x00, 0x17, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x0A, // length
    0x01, // unit identifier
    0x11, // function: report server id
    0x07, // byte count
    0x42, // server id
    0xFF, // run indicator: on
    b'P', b'L', b'C', b'-', b'3', // additional data
];

#[test]
fn a_device_tells_who_it_is() {
    let out = last_of(&mut session(), &[(READ_IDENTIFICATION, TO_SERVER), (IDENTIFICATION, TO_CLIENT)]);
    let claim = |attribute, value: &str| {
        (1, Claim { about_sender: true, unit: Unit::Number(1), address: None, attribute, value: value.into() })
    };
    let expected =
        [claim(Attribute::Vendor, "Acme"), claim(Attribute::Product, "P-7"), claim(Attribute::Firmware, "V2.11")];
    assert_eq!(out.claims, expected);
    assert_eq!(out.messages[0].operation, Operation::Discover);
    let out = decoded(SERVER_ID, TO_CLIENT);
    assert_eq!(out.claims, [claim(Attribute::Description, "PLC-3"), claim(Attribute::State, "run indicator on")]);
}
