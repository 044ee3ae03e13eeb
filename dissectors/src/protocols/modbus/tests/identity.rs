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

pub(super) const FIRST_OF_TWO_IDENTIFICATIONS: &[u8] = &[
    0x00, 0x16, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x0E, // length
    0x01, // unit identifier
    0x2B, // function: encapsulated interface transport
    0x0E, // MEI type: read device identification
    0x01, // Read Device ID code: basic
    0x82, // conformity level: regular, stream and individual access
    0xFF, // more follows
    0x01, // next object id: 1
    0x01, // number of objects
    0x00, 0x04, b'A', b'c', b'm', b'e', // VendorName
];

pub(super) const CANOPEN: &[u8] = &[
    0x00, 0x1D, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x07, // length
    0x01, // unit identifier
    0x2B, // function: encapsulated interface transport
    0x0D, // MEI type: CANopen general reference
    0x40, 0x10, 0x18, 0x01, // data, as CiA 309-2 has it
];

pub(super) const REPORT_SERVER_ID: &[u8] = &[
    0x00, 0x17, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x02, // length
    0x01, // unit identifier
    0x11, // function: report server id
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

#[test]
fn an_identification_says_how_much_of_it_there_is() {
    let out = last_of(&mut session(), &[(READ_IDENTIFICATION, TO_SERVER), (FIRST_OF_TWO_IDENTIFICATIONS, TO_CLIENT)]);
    let message = &out.messages[0];
    let objects: Vec<_> = message
        .objects
        .iter()
        .map(|o| (o.property_name, o.variation, o.index, message.values_of(o), message.text_of(o)))
        .collect();
    assert_eq!(
        objects,
        [
            ("conformity_level", Some(1), None, &[130.0][..], "regular_stream_and_individual"),
            ("more_follows", Some(1), Some(1), &[][..], ""),
            ("vendor_name", Some(1), Some(0), &[][..], "Acme"),
        ]
    );
    assert!(out.oddities.is_empty());
    let out = decoded(READ_IDENTIFICATION, TO_SERVER);
    assert_eq!(out.messages[0].text_of(&out.messages[0].objects[0]), "basic");
}

#[test]
fn an_identification_that_the_standard_forbids_is_told() {
    for (place, octet, expected) in [
        (9, 5, OddityCode::InvalidValue),
        (10, 4, OddityCode::InvalidValue),
        (11, 1, OddityCode::InvalidValue),
        (8, 0x0D, OddityCode::Mismatch),
    ] {
        let mut vector = IDENTIFICATION.to_vec();
        vector[place] = octet;
        let out = last_of(&mut session(), &[(READ_IDENTIFICATION, TO_SERVER), (&vector, TO_CLIENT)]);
        assert_eq!(oddities(&out), [expected], "octet {place}");
    }
}

#[test]
fn other_interfaces_are_carried_as_data() {
    for direction in [TO_SERVER, TO_CLIENT] {
        let out = decoded(CANOPEN, direction);
        let message = &out.messages[0];
        assert_eq!((message.objects[0].kind, message.objects[0].type_number), ("encapsulated-interface", Some(13)));
        assert_eq!((message.operation, oddities(&out)), (Operation::Unknown, vec![]));
    }
}

#[test]
fn who_is_asked_who_it_is() {
    let out = last_of(&mut session(), &[(REPORT_SERVER_ID, TO_SERVER), (SERVER_ID, TO_CLIENT)]);
    assert_eq!((out.messages[0].operation, oddities(&out)), (Operation::Discover, vec![]));
}
