//! Device management, files, objects, time, and services that no standard names.

use super::*;

pub(super) const DEVICE_COMMUNICATION_CONTROL: &[u8] = &[
    0x00, 0x05, 0x05, 0x11, // Confirmed-Request, invoke id 5, DeviceCommunicationControl
    0x09, 0x05, // [0] 5 minutes
    0x19, 0x01, // [1] disable
    0x2D, 0x08, 0x00, b'#', b'e', b'g', b'b', b'd', b'f', b'!', // [2] password
];

pub(super) const REINITIALIZE_DEVICE: &[u8] = &[
    0x00, 0x05, 0x34, 0x14, // Confirmed-Request, invoke id 52, ReinitializeDevice
    0x09, 0x01, // [0] warmstart
    0x1D, 0x09, 0x00, b'A', b'b', b'C', b'd', b'E', b'f', b'G', b'h', // [1] password
];

pub(super) const CREATE_OBJECT: &[u8] = &[
    0x00, 0x05, 0x07, 0x0A, // Confirmed-Request, invoke id 7, CreateObject
    0x0E, 0x09, 0x0A, 0x0F, // [0] { [0] file }
    0x1E, // [1] {
    0x09, 0x4D, // [0] object-name
    0x2E, 0x75, 0x02, 0x00, b'T', 0x2F, // [2] { "T" }
    0x1F, // }
];

pub(super) const ADD_LIST_ELEMENT: &[u8] = &[
    0x00, 0x05, 0x08, 0x08, // Confirmed-Request, invoke id 8, AddListElement
    0x0C, 0x03, 0xC0, 0x00, 0x01, // [0] notification-class 1
    0x19, 0x66, // [1] recipient-list
    0x3E, // [3] {
    0x0C, 0x02, 0x00, 0x00, 0x04, // [0] recipient: device 4
    0x21, 0x64, // unsigned 100
    0x3F, // }
];

pub(super) const PRIVATE_TRANSFER: &[u8] = &[
    0x10, 0x04, // Unconfirmed-Request, UnconfirmedPrivateTransfer
    0x09, 0x07, // [0] vendor 7
    0x19, 0x08, // [1] service 8
    0x2E, 0x00, 0x7F, // [2] { octets without tags
];

pub(super) const TIME_SYNCHRONIZATION: &[u8] = &[
    0x10, 0x06, // Unconfirmed-Request, TimeSynchronization
    0xA4, 0x7E, 0x0B, 0x17, 0x01, // date 2026-11-23, Monday
    0xB4, 0x09, 0x05, 0xFF, 0x00, // time 09:05:*.00
];

#[test]
fn device_management_keeps_the_state_and_no_password() {
    for (apdu, operation, state) in [
        (DEVICE_COMMUNICATION_CONTROL, Operation::Configure, "disable"),
        (REINITIALIZE_DEVICE, Operation::Restart, "warmstart"),
    ] {
        let message = message(&unicast(apdu));
        assert_eq!((message.operation, message.text_of(&message.objects[0])), (operation, state));
        assert_eq!(message.text, format!("{state}, password given"));
        let cut = decode(&unicast(&apdu[..apdu.len() - 2]));
        assert_eq!(cut.messages[0].text, message.text);
        assert!(!format!("{:?} {:?}", cut.messages, cut.oddities).contains("Cd"), "{:?}", cut.oddities);
    }
}

#[test]
fn reinitializing_does_what_the_state_says() {
    for (state, operation, name) in [
        (0, Operation::Restart, "coldstart"),
        (2, Operation::Mode, "start-backup"),
        (4, Operation::ProgramDownload, "start-restore"),
        (7, Operation::Configure, "activate-changes"),
        (99, Operation::Restart, "99"),
    ] {
        let message = message(&unicast(&[0x00, 0x05, 0x34, 0x14, 0x09, state]));
        assert_eq!((message.operation, message.text.as_str()), (operation, name));
    }
}

#[test]
fn lists_and_objects() {
    let created = message(&unicast(CREATE_OBJECT));
    assert_eq!((created.objects[0].kind, created.objects[0].start), ("file", None));
    assert_eq!(created.text_of(&created.objects[1]), "T");

    let added = message(&unicast(ADD_LIST_ELEMENT));
    assert_eq!((added.objects[0].property_name, added.text.as_str()), ("recipient-list", "device 4, 100"));
    assert_eq!(added.values, [100.0]);
}

#[test]
fn private_transfer_and_time() {
    let private = message(&unicast(PRIVATE_TRANSFER));
    let object = &private.objects[0];
    assert_eq!((object.kind, object.type_number, object.start), ("vendor-service", Some(7), Some(8)));
    let time = message(&unicast(TIME_SYNCHRONIZATION));
    assert_eq!((time.operation, time.text.as_str()), (Operation::Time, "2026-11-23 09:05:*.00"));
}

#[test]
fn unknown_services_and_types_keep_their_codes() {
    let out = decode(&unicast(&[0x00, 0x05, 0x01, 0xC8, 0xDE, 0xAD]));
    assert_eq!((out.messages[0].function, out.messages[0].name), (Some(200), ""));
    assert_eq!(out.messages[0].operation, Operation::Unknown);
    let out = decode(&unicast(&[0x90, 0x05]));
    assert_eq!((out.messages[0].message_type, out.messages[0].kind), (Some(9), Kind::Unknown));
    assert_eq!(out.oddities[0].1.code, OddityCode::InvalidValue);
    let out = decode(&[0x81, 0x7F, 0x00, 0x04]);
    assert_eq!((out.messages[0].function, out.messages[0].name), (Some(127), ""));
}
