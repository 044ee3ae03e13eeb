//! What else a device tells: attributes and strings.

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
fn strings_are_read() {
    assert_eq!(
        shapes(&sound(OCTET_STRING)),
        [("octet-string", 110, 3, Some(1), 1, &[][..], "one"), ("octet-string", 110, 3, Some(2), 1, &[], "two")]
    );
    // What is typed at a terminal may be a password.
    let terminal = [&OCTET_STRING[..4], &[0x70], &OCTET_STRING[5..]].concat();
    assert_eq!(shapes(&sound(&terminal)), [("virtual-terminal", 112, 3, Some(1), 2, &[][..], "")]);
}

#[test]
fn each_attribute_that_identifies_becomes_its_claim() {
    let cases = [
        (242, Attribute::Firmware),
        (243, Attribute::Hardware),
        (245, Attribute::Location),
        (246, Attribute::Description),
        (247, Attribute::Name),
        (248, Attribute::Serial),
        (249, Attribute::ProtocolRevision),
        (250, Attribute::Model),
        (252, Attribute::Vendor),
    ];
    for (variation, attribute) in cases {
        let fragment = [&[0xC1, 0x81, 0, 0], &[0x00, variation, 0x00, 0, 0, 0x01, 0x02, b'A', b'1'][..]].concat();
        let out = feed_fragment(&mut Dnp3::default(), &fragment);
        let claims: Vec<_> = out.claims.iter().map(|(_, claim)| (claim.attribute, claim.value.as_str())).collect();
        assert_eq!(claims, [(attribute, "A1")]);
        assert!(!out.messages[0].objects[0].property_name.is_empty());
    }
}

#[test]
fn attributes_of_each_type_are_numbers() {
    let cases: &[(&[u8], &[f64])] = &[
        (&[0x02, 0x01, 0xFF], &[255.0]),                                             // unsigned
        (&[0x03, 0x02, 0xFE, 0xFF], &[-2.0]),                                        // signed
        (&[0x04, 0x04, 0x00, 0x00, 0x48, 0x42], &[50.0]),                            // single precision
        (&[0x04, 0x08, 0, 0, 0, 0, 0, 0, 0x49, 0x40], &[50.0]),                      // double precision
        (&[0x07, 0x06, 0x87, 0xE2, 0xF5, 0x53, 0x4C, 0x01], &[1_427_337_765_511.0]), // time
        (&[0xFE, 0x04, 0xF0, 0x00, 0xF7, 0x01], &[240.0, 247.0]),                    // list of variations
        (&[0x05, 0x02, 0x01, 0x02], &[]),                                            // octet string
        (&[0x63, 0x02, 0x01, 0x02], &[]),                                            // no type of the standard
    ];
    for (value, numbers) in cases {
        let message = sound(&[&[0xC1, 0x81, 0, 0, 0x00, 0xFF, 0x00, 0, 0], *value].concat());
        assert_eq!(message.values_of(&message.objects[0]), *numbers, "{value:x?}");
    }
}
