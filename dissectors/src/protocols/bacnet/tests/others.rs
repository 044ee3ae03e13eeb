//! Subscriptions to several properties, groups, audit, text, vendors' services, and identities handed out.

use super::*;

pub(super) const SUBSCRIBE_COV_PROPERTY: &[u8] = &[
    0x00, 0x02, 0x0F, 0x1C, // Confirmed-Request, invoke id 15, SubscribeCOVProperty
    0x09, 0x12, // [0] subscriber process 18
    0x1C, 0x00, 0x00, 0x00, 0x0A, // [1] analog-input 10
    0x29, 0x00, // [2] unconfirmed
    0x39, 0x3C, // [3] lifetime 60 s
    0x4E, 0x09, 0x55, 0x4F, // [4] { [0] present-value }
    0x5C, 0x3F, 0x80, 0x00, 0x00, // [5] increment 1.0
];

pub(super) const SUBSCRIBE_COV_MULTIPLE: &[u8] = &[
    0x00, 0x05, 0x10, 0x1E, // Confirmed-Request, invoke id 16, SubscribeCOVPropertyMultiple
    0x09, 0x12, // [0] subscriber process 18
    0x19, 0x01, // [1] confirmed
    0x29, 0x3C, // [2] lifetime 60 s
    0x39, 0x05, // [3] at most 5 s late
    0x4E, // [4] {
    0x0C, 0x00, 0x00, 0x00, 0x0A, // [0] analog-input 10
    0x1E, // [1] {
    0x0E, 0x09, 0x55, 0x0F, // [0] { [0] present-value }
    0x1C, 0x3F, 0x80, 0x00, 0x00, // [1] increment 1.0
    0x29, 0x01, // [2] time-stamped
    0x1F, 0x4F, // } }
];

pub(super) const SUBSCRIBE_COV_MULTIPLE_ERROR: &[u8] = &[
    0x50, 0x10, 0x1E, // Error, invoke id 16, SubscribeCOVPropertyMultiple
    0x0E, 0x91, 0x02, 0x91, 0x2C, 0x0F, // [0] { property, not-cov-property }
    0x1E, // [1] {
    0x0C, 0x00, 0x00, 0x00, 0x0A, // [0] analog-input 10
    0x1E, 0x09, 0x55, 0x1F, // [1] { [0] present-value }
    0x2E, 0x91, 0x02, 0x91, 0x2C, 0x2F, // [2] { property, not-cov-property }
    0x1F, // }
];

pub(super) const COV_NOTIFICATION_MULTIPLE: &[u8] = &[
    0x10, 0x0B, // Unconfirmed-Request, UnconfirmedCOVNotificationMultiple
    0x09, 0x12, // [0] subscriber process 18
    0x1C, 0x02, 0x00, 0x00, 0x04, // [1] device 4
    0x29, 0x23, // [2] 35 s remaining
    0x3E, // [3] {
    0xA4, 0x7E, 0x0B, 0x17, 0x01, // date 2026-11-23
    0xB4, 0x08, 0x00, 0x00, 0x00, // time 08:00
    0x3F, // }
    0x4E, // [4] {
    0x0C, 0x00, 0x00, 0x00, 0x0A, // [0] analog-input 10
    0x1E, // [1] {
    0x09, 0x55, // [0] present-value
    0x2E, 0x44, 0x42, 0x82, 0x00, 0x00, 0x2F, // [2] { real 65.0 }
    0x3C, 0x08, 0x00, 0x00, 0x00, // [3] time of change 08:00
    0x1F, 0x4F, // } }
];

pub(super) const WRITE_GROUP: &[u8] = &[
    0x10, 0x0A, // Unconfirmed-Request, WriteGroup
    0x09, 0x17, // [0] group 23
    0x19, 0x08, // [1] priority 8
    0x2E, // [2] {
    0x0A, 0x01, 0x0C, // [0] channel 268
    0x22, 0x04, 0x57, // unsigned 1111
    0x0A, 0x01, 0x0D, // [0] channel 269
    0x19, 0x0A, // [1] overriding priority 10
    0x0E, 0x09, 0x02, 0x0F, // [0] lighting command { [0] 2 }
    0x2F, // }
    0x39, 0x01, // [3] inhibit delay
];

pub(super) const AUDIT_NOTIFICATION: &[u8] = &[
    0x10, 0x0C, // Unconfirmed-Request, UnconfirmedAuditNotification
    0x0E, // [0] {
    0x1E, 0x19, 0x07, 0x1F, // [1] { [1] sequence number 7 }
    0x2E, 0x0C, 0x02, 0x00, 0x00, 0x09, 0x2F, // [2] { [0] device 9 }
    0x49, 0x01, // [4] write
    0x5C, 0x00, b'd', b'a', b'y', // [5] source comment "day"
    0x79, 0x07, // [7] invoke id 7
    0xAE, 0x0C, 0x02, 0x00, 0x00, 0x04, 0xAF, // [10] { [0] device 4 }
    0xBC, 0x00, 0x40, 0x00, 0x01, // [11] analog-output 1
    0xCE, 0x09, 0x55, 0xCF, // [12] { [0] present-value }
    0xD9, 0x08, // [13] priority 8
    0xEE, 0x44, 0x42, 0x82, 0x00, 0x00, 0xEF, // [14] { real 65.0 }
    0xFE, 0x0F, 0x44, 0x00, 0x00, 0x00, 0x00, 0xFF, 0x0F, // [15] { real 0.0 }
    0xFE, 0x10, 0x91, 0x02, 0x91, 0x28, 0xFF, 0x10, // [16] { property, write-access-denied }
    0x0F, // }
];

pub(super) const AUDIT_LOG_QUERY: &[u8] = &[
    0x00, 0x05, 0x11, 0x21, // Confirmed-Request, invoke id 17, AuditLogQuery
    0x0C, 0x0F, 0x40, 0x00, 0x01, // [0] audit-log 1
    0x1E, 0x0C, 0x02, 0x00, 0x00, 0x04, 0x79, 0x00, 0x1F, // [1] by target { [0] device 4, [7] all }
    0x39, 0x0A, // [3] from sequence number 10
    0x49, 0x32, // [4] 50 records
];

pub(super) const AUDIT_LOG_QUERY_ACK: &[u8] = &[
    0x30, 0x11, 0x21, // Complex-ACK, invoke id 17, AuditLogQuery
    0x0C, 0x0F, 0x40, 0x00, 0x01, // [0] audit-log 1
    0x1E, 0x1F, // [1] { }
    0x29, 0x01, // [2] no more items
];

pub(super) const TEXT_MESSAGE: &[u8] = &[
    0x00, 0x02, 0x10, 0x13, // Confirmed-Request, invoke id 16, ConfirmedTextMessage
    0x0C, 0x02, 0x00, 0x00, 0x05, // [0] device 5
    0x1E, 0x09, 0x02, 0x1F, // [1] { [0] class 2 }
    0x29, 0x00, // [2] normal
    0x3C, 0x00, b'P', b'M', b'1', // [3] "PM1"
];

pub(super) const PRIVATE_TRANSFER_ERROR: &[u8] = &[
    0x50, 0x55, 0x12, // Error, invoke id 85, ConfirmedPrivateTransfer
    0x0E, 0x91, 0x05, 0x91, 0x1D, 0x0F, // [0] { services, service-request-denied }
    0x19, 0x19, // [1] vendor 25
    0x29, 0x08, // [2] service 8
];

pub(super) const CREATE_OBJECT_ERROR: &[u8] = &[
    0x50, 0x56, 0x0A, // Error, invoke id 86, CreateObject
    0x0E, 0x91, 0x02, 0x91, 0x25, 0x0F, // [0] { property, value-out-of-range }
    0x19, 0x02, // [1] element 2
];

pub(super) const DELETE_OBJECT: &[u8] = &[
    0x00, 0x04, 0x57, 0x0B, // Confirmed-Request, invoke id 87, DeleteObject
    0xC4, 0x02, 0xC0, 0x00, 0x06, // group 6
];

pub(super) const WHO_AM_I: &[u8] = &[
    0x10, 0x0D, // Unconfirmed-Request, Who-Am-I
    0x21, 0x07, // vendor 7
    0x74, 0x00, b'P', b'X', b'C', // model name "PXC"
    0x73, 0x00, b'4', b'2', // serial number "42"
];

pub(super) const YOU_ARE: &[u8] = &[
    0x10, 0x0E, // Unconfirmed-Request, You-Are
    0x21, 0x07, // vendor 7
    0x74, 0x00, b'P', b'X', b'C', // model name "PXC"
    0x73, 0x00, b'4', b'2', // serial number "42"
    0xC4, 0x02, 0x00, 0x00, 0x63, // device 99
    0x61, 0x0A, // MAC address 10
];

/// Kind, first, property, index and priority of an object, its numbers and its words.
type Row<'a> = (&'a str, Option<u32>, &'a str, Option<u32>, Option<u8>, &'a [f64], &'a str);

fn rows(message: &Message) -> Vec<Row<'_>> {
    let row = |object: &Object| {
        let Object { kind, start, property_name, index, priority, .. } = *object;
        (kind, start, property_name, index, priority)
    };
    let all = message.objects.iter().map(|object| (row(object), message.values_of(object), message.text_of(object)));
    all.map(|((kind, start, name, index, priority), values, text)| (kind, start, name, index, priority, values, text))
        .collect()
}

#[test]
fn subscriptions_to_properties() {
    let one = message(&unicast(SUBSCRIBE_COV_PROPERTY));
    let expected = ("analog-input", Some(10), "present-value", None, None, &[18.0, 60.0][..], "unconfirmed");
    assert_eq!((one.operation, rows(&one)), (Operation::Subscribe, vec![expected]));
    let many = message(&unicast(SUBSCRIBE_COV_MULTIPLE));
    let expected = ("analog-input", Some(10), "present-value", None, None, &[18.0, 60.0][..], "confirmed");
    assert_eq!((many.operation, rows(&many)), (Operation::Subscribe, vec![expected]));
    let refused = message(&unicast(SUBSCRIBE_COV_MULTIPLE_ERROR));
    assert_eq!(refused.status_name, "not-cov-property");
    let told = message(&unicast(COV_NOTIFICATION_MULTIPLE));
    assert_eq!(rows(&told), [("analog-input", Some(10), "present-value", None, None, &[65.0][..], "")]);
    assert_eq!((told.kind, told.operation), (Kind::Unsolicited, Operation::Report));
}

#[test]
fn a_group_write_is_an_object_for_each_channel() {
    let group = message(&unicast(WRITE_GROUP));
    assert_eq!(
        (group.operation, rows(&group)),
        (
            Operation::Write,
            vec![
                ("control-group", Some(23), "", Some(268), Some(8), &[1111.0][..], ""),
                ("control-group", Some(23), "", Some(269), Some(10), &[][..], "[0] 02"),
            ]
        )
    );
}

#[test]
fn audit_tells_what_was_done_to_whom() {
    let audit = message(&unicast(AUDIT_NOTIFICATION));
    let written = ("analog-output", Some(1), "present-value", None, Some(8), &[65.0][..], "write: day");
    assert_eq!((audit.operation, rows(&audit)), (Operation::Report, vec![written]));
    assert_eq!(audit.objects[0].status, Some(40));
    for apdu in [AUDIT_LOG_QUERY, AUDIT_LOG_QUERY_ACK] {
        assert_eq!(message(&unicast(apdu)).objects, [point("audit-log", 1)]);
    }
}

#[test]
fn words_and_vendors() {
    assert_eq!(rows(&message(&unicast(TEXT_MESSAGE))), [("device", Some(5), "", None, None, &[][..], "PM1")]);
    let refused = message(&unicast(PRIVATE_TRANSFER_ERROR));
    assert_eq!((refused.objects[0].type_number, refused.objects[0].start), (Some(25), Some(8)));
    let refused = message(&unicast(CREATE_OBJECT_ERROR));
    assert_eq!((refused.status_name, &refused.values[..]), ("value-out-of-range", &[2.0][..]));
    let deleted = message(&unicast(DELETE_OBJECT));
    assert_eq!((deleted.operation, &deleted.objects[..]), (Operation::Configure, &[point("group", 6)][..]));
}

#[test]
fn identities_asked_for_and_given() {
    let said = |attribute, value: &str| (attribute, value.to_string());
    let expected = [said(Attribute::VendorId, "7"), said(Attribute::Vendor, "Siemens")];
    let expected = [&expected[..], &[said(Attribute::Model, "PXC"), said(Attribute::Serial, "42")]].concat();
    assert_eq!(claims(&unicast(WHO_AM_I)), expected);
    let given = message(&unicast(YOU_ARE));
    assert_eq!(rows(&given), [("device", Some(99), "", None, None, &[7.0][..], "PXC, serial number 42")]);
    assert_eq!((given.operation, claims(&unicast(YOU_ARE))), (Operation::Configure, vec![]));
    // The name of a device object is the device's.
    let have = [&I_HAVE[..7], &I_HAVE[2..7], &I_HAVE[12..]].concat();
    assert!(claims(&unicast(&have)).contains(&said(Attribute::Name, "PUMP")));
    assert!(!claims(&unicast(I_HAVE)).contains(&said(Attribute::Name, "PUMP")));
}
