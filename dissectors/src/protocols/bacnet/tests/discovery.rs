//! Who is there: Who-Is, I-Am, Who-Has, I-Have.

use super::*;

pub(super) const WHO_IS: &[u8] = &[
    0x10, 0x08, // Unconfirmed-Request, Who-Is
    0x09, 0x0A, // [0] low limit 10
    0x19, 0x14, // [1] high limit 20
];

pub(super) const I_AM: &[u8] = &[
    0x10, 0x00, // Unconfirmed-Request, I-Am
    0xC4, 0x02, 0x0D, 0x7E, 0xE8, // device 884456
    0x22, 0x01, 0xE0, // max APDU length accepted 480
    0x91, 0x03, // no segmentation
    0x21, 0x05, // vendor 5
];

pub(super) const WHO_HAS: &[u8] = &[
    0x10, 0x07, // Unconfirmed-Request, Who-Has
    0x3D, 0x05, 0x00, b'P', b'U', b'M', b'P', // [3] object name "PUMP"
];

pub(super) const I_HAVE: &[u8] = &[
    0x10, 0x01, // Unconfirmed-Request, I-Have
    0xC4, 0x02, 0x00, 0x00, 0x3D, // device 61
    0xC4, 0x01, 0x00, 0x00, 0x02, // binary-output 2
    0x75, 0x05, 0x00, b'P', b'U', b'M', b'P', // object name "PUMP"
];

#[test]
fn who_is_asks_a_range_of_devices() {
    let message = message(&bvlc(ORIGINAL_BROADCAST_NPDU, &[&[0x01, 0x20, 0xFF, 0xFF, 0x00, 0xFF], WHO_IS]));
    assert_eq!((message.kind, message.operation), (Kind::Unconfirmed, Operation::Discover));
    assert_eq!((message.link_code, message.message_type, message.function), (Some(11), Some(1), Some(8)));
    assert_eq!((message.name, message.pairing, message.from_client), ("who_is", Pairing::Alone, true));
    assert_eq!(message.destination_unit, Unit::Bacnet { network: 65535, length: 0, mac: [0; 8] });
    assert_eq!(message.objects, [Object { count: 11, ..point("device", 10) }]);
}

#[test]
fn i_am_behind_a_router_is_of_its_unit() {
    let out = decode(&bvlc(ORIGINAL_BROADCAST_NPDU, &[&[0x01, 0x08, 0x00, 0x04, 0x01, 0x56], I_AM]));
    assert_eq!(out.messages[0].source_unit.to_string(), "4:86");
    assert_eq!(out.messages[0].objects[0], point("device", 884456));
    assert_eq!(out.messages[0].objects[3].property_name, "vendor-identifier");
    assert_eq!(out.messages[0].values_of(&out.messages[0].objects[3]), [5.0]);
    assert!(out.claims.iter().all(|(index, claim)| {
        (*index, claim.about_sender, claim.address, claim.unit.to_string()) == (1, true, None, "4:86".to_string())
    }));
    let said: Vec<_> = out.claims.iter().map(|(_, claim)| (claim.attribute, claim.value.as_str())).collect();
    assert_eq!(
        said,
        [(Attribute::Instance, "884456"), (Attribute::VendorId, "5"), (Attribute::Vendor, "Johnson Controls"),]
    );
}

#[test]
fn a_forwarded_i_am_is_of_its_origin() {
    let origin = &[0x0A, 0x09, 0x09, 0x09, 0xBA, 0xC0];
    let out = decode(&bvlc(FORWARDED_NPDU, &[origin, &[0x01, 0x00], I_AM]));
    assert_eq!(out.messages[0].link_code, Some(4));
    assert!(out.messages[0].text.starts_with("originating address 10.9.9.9:47808"));
    let (_, claim) = &out.claims[0];
    assert_eq!((claim.about_sender, claim.address), (false, Some("10.9.9.9:47808".parse().unwrap())));
}

#[test]
fn who_has_and_i_have_name_an_object() {
    let asked = message(&unicast(WHO_HAS));
    assert_eq!((asked.objects[0].kind, asked.text_of(&asked.objects[0])), ("object", "PUMP"));
    let had = message(&unicast(I_HAVE));
    assert_eq!(had.objects[0], point("device", 61));
    assert_eq!((had.objects[1].kind, had.objects[1].start), ("binary-output", Some(2)));
    assert_eq!(had.text_of(&had.objects[1]), "PUMP");
}
