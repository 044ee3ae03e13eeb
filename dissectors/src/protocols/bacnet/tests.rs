use proptest::prelude::*;

use super::segmentation::{Key, Placed, Reassembly, Segment};
use super::*;
use crate::model::{Attribute, Message, Object, Operation, Pairing, Unit};

// Vectors: APDUs, one field per line, put behind an NPDU and a BVLC by the functions below.

const ORIGINAL_UNICAST_NPDU: u8 = 0x0A;
const ORIGINAL_BROADCAST_NPDU: u8 = 0x0B;
const FORWARDED_NPDU: u8 = 0x04;

const WHO_IS: &[u8] = &[
    0x10, 0x08, // Unconfirmed-Request, Who-Is
    0x09, 0x0A, // [0] low limit 10
    0x19, 0x14, // [1] high limit 20
];

const I_AM: &[u8] = &[
    0x10, 0x00, // Unconfirmed-Request, I-Am
    0xC4, 0x02, 0x0D, 0x7E, 0xE8, // device 884456
    0x22, 0x01, 0xE0, // max APDU length accepted 480
    0x91, 0x03, // no segmentation
    0x21, 0x05, // vendor 5
];

const WHO_HAS: &[u8] = &[
    0x10, 0x07, // Unconfirmed-Request, Who-Has
    0x3D, 0x05, 0x00, b'P', b'U', b'M', b'P', // [3] object name "PUMP"
];

const I_HAVE: &[u8] = &[
    0x10, 0x01, // Unconfirmed-Request, I-Have
    0xC4, 0x02, 0x00, 0x00, 0x3D, // device 61
    0xC4, 0x01, 0x00, 0x00, 0x02, // binary-output 2
    0x75, 0x05, 0x00, b'P', b'U', b'M', b'P', // object name "PUMP"
];

const READ_PROPERTY: &[u8] = &[
    0x02, 0x05, 0x09, 0x0C, // Confirmed-Request, segmented accepted, max APDU 1476, invoke id 9, ReadProperty
    0x0C, 0x00, 0x00, 0x00, 0x01, // [0] analog-input 1
    0x19, 0x57, // [1] priority-array
    0x29, 0x03, // [2] array index 3
];

const READ_PROPERTY_ACK: &[u8] = &[
    0x30, 0x09, 0x0C, // Complex-ACK, invoke id 9, ReadProperty
    0x0C, 0x00, 0x00, 0x00, 0x01, // [0] analog-input 1
    0x19, 0x57, // [1] priority-array
    0x29, 0x03, // [2] array index 3
    0x3E, // [3] {
    0x44, 0x42, 0x90, 0x00, 0x00, // real 72.0
    0x3F, // }
];

const READ_PROPERTY_MULTIPLE: &[u8] = &[
    0x02, 0x05, 0x0A, 0x0E, // Confirmed-Request, invoke id 10, ReadPropertyMultiple
    0x0C, 0x02, 0x00, 0x01, 0xF4, // [0] device 500
    0x1E, // [1] {
    0x09, 0x4D, // [0] object-name
    0x09, 0x79, // [0] vendor-name
    0x1F, // }
    0x0C, 0x20, 0x00, 0x00, 0x02, // [0] object of the proprietary type 128, instance 2
    0x1E, // [1] {
    0x0A, 0x02, 0x58, // [0] proprietary property 600
    0x1F, // }
];

const READ_PROPERTY_MULTIPLE_ACK: &[u8] = &[
    0x30, 0x0A, 0x0E, // Complex-ACK, invoke id 10, ReadPropertyMultiple
    0x0C, 0x02, 0x00, 0x01, 0xF4, // [0] device 500
    0x1E, // [1] {
    0x29, 0x4D, // [2] object-name
    0x4E, // [4] {
    0x75, 0x07, 0x00, b'K', b'B', b'R', b'N', b'A', b'E', // UTF-8 "KBRNAE"
    0x4F, // }
    0x29, 0x79, // [2] vendor-name
    0x4E, // [4] {
    0x75, 0x07, 0x04, 0x00, b'J', 0x00, b'C', 0x00, b'I', // UCS-2 "JCI"
    0x4F, // }
    0x29, 0x70, // [2] system-status
    0x4E, // [4] {
    0x91, 0x00, // enumerated 0, operational
    0x4F, // }
    0x29, 0x1C, // [2] description
    0x5E, // [5] {
    0x91, 0x02, // error class property
    0x91, 0x20, // error code unknown-property
    0x5F, // }
    0x1F, // }
];

const WRITE_PROPERTY: &[u8] = &[
    0x00, 0x05, 0x0B, 0x0F, // Confirmed-Request, invoke id 11, WriteProperty
    0x0C, 0x01, 0x00, 0x00, 0x07, // [0] binary-output 7
    0x19, 0x55, // [1] present-value
    0x3E, // [3] {
    0x91, 0x01, // enumerated 1, active
    0x3F, // }
    0x49, 0x08, // [4] priority 8
];

const WRITE_PROPERTY_MULTIPLE: &[u8] = &[
    0x00, 0x05, 0x0C, 0x10, // Confirmed-Request, invoke id 12, WritePropertyMultiple
    0x0C, 0x00, 0x40, 0x00, 0x01, // [0] analog-output 1
    0x1E, // [1] {
    0x09, 0x55, // [0] present-value
    0x2E, // [2] {
    0x00, // null: relinquishes
    0x2F, // }
    0x39, 0x10, // [3] priority 16
    0x1F, // }
];

const WRITE_PROPERTY_MULTIPLE_ERROR: &[u8] = &[
    0x50, 0x0C, 0x10, // Error, invoke id 12, WritePropertyMultiple
    0x0E, // [0] {
    0x91, 0x02, // error class property
    0x91, 0x28, // error code write-access-denied
    0x0F, // }
    0x1E, // [1] {
    0x0C, 0x00, 0x40, 0x00, 0x01, // [0] analog-output 1
    0x19, 0x55, // [1] present-value
    0x1F, // }
];

const SIMPLE_ACK: &[u8] = &[
    0x20, 0x0B, 0x0F, // Simple-ACK, invoke id 11, WriteProperty
];

const ERROR: &[u8] = &[
    0x50, 0x34, 0x14, // Error, invoke id 52, ReinitializeDevice
    0x91, 0x05, // error class services
    0x91, 0x1A, // error code password-failure
];

const REJECT: &[u8] = &[
    0x60, 0x3A, 0x09, // Reject, invoke id 58, unrecognized-service
];

const ABORT_BY_SERVER: &[u8] = &[
    0x71, 0x09, 0x04, // Abort, SRV, invoke id 9, segmentation-not-supported
];

const SEGMENT_ACK: &[u8] = &[
    0x42, 0x09, 0x05, 0x04, // Segment-ACK, NAK, by the client, invoke id 9, sequence 5, window 4
];

const SUBSCRIBE_COV: &[u8] = &[
    0x00, 0x05, 0x0F, 0x05, // Confirmed-Request, invoke id 15, SubscribeCOV
    0x09, 0x12, // [0] subscriber process 18
    0x1C, 0x00, 0x00, 0x00, 0x0A, // [1] analog-input 10
    0x29, 0x01, // [2] confirmed
    0x39, 0x3C, // [3] lifetime 60 s
];

const COV_NOTIFICATION: &[u8] = &[
    0x00, 0x05, 0x01, 0x01, // Confirmed-Request, invoke id 1, ConfirmedCOVNotification
    0x09, 0x12, // [0] subscriber process 18
    0x1C, 0x02, 0x00, 0x00, 0x04, // [1] device 4
    0x2C, 0x00, 0x00, 0x00, 0x0A, // [2] analog-input 10
    0x39, 0x00, // [3] time remaining 0
    0x4E, // [4] {
    0x09, 0x55, // [0] present-value
    0x2E, // [2] {
    0x44, 0x42, 0x82, 0x00, 0x00, // real 65.0
    0x2F, // }
    0x09, 0x6F, // [0] status-flags
    0x2E, // [2] {
    0x82, 0x04, 0x40, // bit string of 4: fault
    0x2F, // }
    0x4F, // }
];

const COV_NOTIFICATION_ACK: &[u8] = &[
    0x20, 0x01, 0x01, // Simple-ACK, invoke id 1, ConfirmedCOVNotification
];

const EVENT_NOTIFICATION: &[u8] = &[
    0x10, 0x03, // Unconfirmed-Request, UnconfirmedEventNotification
    0x09, 0x01, // [0] process 1
    0x1C, 0x02, 0x00, 0x00, 0x04, // [1] device 4
    0x2C, 0x00, 0x00, 0x00, 0x02, // [2] analog-input 2
    0x3E, 0x19, 0x10, 0x3F, // [3] { [1] sequence number 16 }
    0x49, 0x04, // [4] notification class 4
    0x59, 0x64, // [5] priority 100
    0x69, 0x05, // [6] out-of-range
    0x7C, 0x00, b'h', b'o', b't', // [7] message text "hot"
    0x89, 0x00, // [8] alarm
    0x99, 0x01, // [9] ack required
    0xA9, 0x00, // [10] from normal
    0xB9, 0x03, // [11] to high-limit
    0xCE, 0x5E, 0x0C, 0x42, 0xA0, 0x33, 0x33, 0x5F, 0xCF, // [12] { [5] { [0] exceeding value } }
];

const DEVICE_COMMUNICATION_CONTROL: &[u8] = &[
    0x00, 0x05, 0x05, 0x11, // Confirmed-Request, invoke id 5, DeviceCommunicationControl
    0x09, 0x05, // [0] 5 minutes
    0x19, 0x01, // [1] disable
    0x2D, 0x08, 0x00, b'#', b'e', b'g', b'b', b'd', b'f', b'!', // [2] password
];

const REINITIALIZE_DEVICE: &[u8] = &[
    0x00, 0x05, 0x34, 0x14, // Confirmed-Request, invoke id 52, ReinitializeDevice
    0x09, 0x01, // [0] warmstart
    0x1D, 0x09, 0x00, b'A', b'b', b'C', b'd', b'E', b'f', b'G', b'h', // [1] password
];

const ATOMIC_READ_FILE: &[u8] = &[
    0x00, 0x05, 0x06, 0x06, // Confirmed-Request, invoke id 6, AtomicReadFile
    0xC4, 0x02, 0x80, 0x00, 0x01, // file 1
    0x0E, // [0] stream access {
    0x31, 0x00, // start position 0
    0x22, 0x01, 0xB8, // 440 octets
    0x0F, // }
];

const CREATE_OBJECT: &[u8] = &[
    0x00, 0x05, 0x07, 0x0A, // Confirmed-Request, invoke id 7, CreateObject
    0x0E, 0x09, 0x0A, 0x0F, // [0] { [0] file }
    0x1E, // [1] {
    0x09, 0x4D, // [0] object-name
    0x2E, 0x75, 0x02, 0x00, b'T', 0x2F, // [2] { "T" }
    0x1F, // }
];

const ADD_LIST_ELEMENT: &[u8] = &[
    0x00, 0x05, 0x08, 0x08, // Confirmed-Request, invoke id 8, AddListElement
    0x0C, 0x03, 0xC0, 0x00, 0x01, // [0] notification-class 1
    0x19, 0x66, // [1] recipient-list
    0x3E, // [3] {
    0x0C, 0x02, 0x00, 0x00, 0x04, // [0] of the recipient: its type is not known here
    0x21, 0x64, // unsigned 100
    0x3F, // }
];

const PRIVATE_TRANSFER: &[u8] = &[
    0x10, 0x04, // Unconfirmed-Request, UnconfirmedPrivateTransfer
    0x09, 0x07, // [0] vendor 7
    0x19, 0x08, // [1] service 8
    0x2E, 0x00, 0x7F, // [2] { octets without tags
];

const TIME_SYNCHRONIZATION: &[u8] = &[
    0x10, 0x06, // Unconfirmed-Request, TimeSynchronization
    0xA4, 0x7E, 0x0B, 0x17, 0x01, // date 2026-11-23, Monday
    0xB4, 0x09, 0x05, 0xFF, 0x00, // time 09:05:*.00
];

const READ_RANGE_ACK: &[u8] = &[
    0x30, 0x01, 0x1A, // Complex-ACK, invoke id 1, ReadRange
    0x0C, 0x05, 0x00, 0x00, 0x01, // [0] trend-log 1
    0x19, 0x83, // [1] log-buffer
    0x3A, 0x05, 0xC0, // [3] result flags 110
    0x49, 0x02, // [4] 2 items
    0x5E, 0x5F, // [5] { }
    0x6B, 0x01, 0x35, 0x61, // [6] first sequence number 79201
];

const WHO_IS_ROUTER: &[u8] = &[
    0x01, 0x80, // NPDU: message of the network layer
    0x00, // Who-Is-Router-To-Network
    0x00, 0x04, // DNET 4
];

const INITIALIZE_ROUTING_TABLE: &[u8] = &[
    0x01, 0x80, // NPDU: message of the network layer
    0x06, // Initialize-Routing-Table
    0x01, // 1 port
    0x00, 0x0B, 0x02, 0x00, // DNET 11, port id 2, no port info
];

const REJECT_MESSAGE: &[u8] = &[
    0x01, 0x80, // NPDU: message of the network layer
    0x03, // Reject-Message-To-Network
    0x01, // unreachable network
    0x00, 0x04, // DNET 4
];

const REGISTER_FOREIGN_DEVICE: &[u8] = &[
    0x81, 0x05, 0x00, 0x06, // BVLC: Register-Foreign-Device, 6 octets
    0x00, 0x3C, // time-to-live 60 s
];

const BVLC_RESULT: &[u8] = &[
    0x81, 0x00, 0x00, 0x06, // BVLC: BVLC-Result, 6 octets
    0x00, 0x30, // Register-Foreign-Device NAK
];

const WRITE_BDT: &[u8] = &[
    0x81, 0x01, 0x00, 0x0E, // BVLC: Write-Broadcast-Distribution-Table, 14 octets
    0x0A, 0x01, 0x02, 0x03, 0xBA, 0xC0, // 10.1.2.3:47808
    0xFF, 0xFF, 0xFF, 0xFF, // broadcast distribution mask
];

const READ_FDT_ACK: &[u8] = &[
    0x81, 0x07, 0x00, 0x0E, // BVLC: Read-Foreign-Device-Table-Ack, 14 octets
    0x0A, 0x01, 0x02, 0x04, 0xBA, 0xC0, // 10.1.2.4:47808
    0x00, 0x3C, 0x00, 0x20, // time-to-live 60 s, 32 s left
];

const IPV6_WHO_IS: &[u8] = &[
    0x82, 0x02, 0x00, 0x0B, // BVLC of BACnet/IPv6: Original-Broadcast-NPDU, 11 octets
    0x00, 0x00, 0x07, // source virtual address 7
    0x01, 0x00, // NPDU
    0x10, 0x08, // Unconfirmed-Request, Who-Is
];

const APDUS: &[&[u8]] = &[
    WHO_IS,
    I_AM,
    WHO_HAS,
    I_HAVE,
    READ_PROPERTY,
    READ_PROPERTY_ACK,
    READ_PROPERTY_MULTIPLE,
    READ_PROPERTY_MULTIPLE_ACK,
    WRITE_PROPERTY,
    WRITE_PROPERTY_MULTIPLE,
    WRITE_PROPERTY_MULTIPLE_ERROR,
    SIMPLE_ACK,
    ERROR,
    REJECT,
    ABORT_BY_SERVER,
    SEGMENT_ACK,
    SUBSCRIBE_COV,
    COV_NOTIFICATION,
    COV_NOTIFICATION_ACK,
    EVENT_NOTIFICATION,
    DEVICE_COMMUNICATION_CONTROL,
    REINITIALIZE_DEVICE,
    ATOMIC_READ_FILE,
    CREATE_OBJECT,
    ADD_LIST_ELEMENT,
    PRIVATE_TRANSFER,
    TIME_SYNCHRONIZATION,
    READ_RANGE_ACK,
];

const NETWORK_MESSAGES: &[&[u8]] = &[WHO_IS_ROUTER, INITIALIZE_ROUTING_TABLE, REJECT_MESSAGE];

const LINK_MESSAGES: &[&[u8]] = &[REGISTER_FOREIGN_DEVICE, BVLC_RESULT, WRITE_BDT, READ_FDT_ACK, IPV6_WHO_IS];

fn bvlc(function: u8, rest: &[&[u8]]) -> Vec<u8> {
    let rest = rest.concat();
    let [high, low] = (4 + rest.len() as u16).to_be_bytes();
    [&[0x81, function, high, low], &rest[..]].concat()
}

/// A datagram with an APDU for the local network.
fn unicast(apdu: &[u8]) -> Vec<u8> {
    bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x00], apdu])
}

/// Every vector as a datagram.
fn datagrams() -> Vec<Vec<u8>> {
    let apdus = APDUS.iter().map(|apdu| unicast(apdu));
    let network = NETWORK_MESSAGES.iter().map(|npdu| bvlc(ORIGINAL_BROADCAST_NPDU, &[npdu]));
    apdus
        .chain(network)
        .chain(segments(20).into_iter().take(1))
        .chain(LINK_MESSAGES.iter().map(|datagram| datagram.to_vec()))
        .collect()
}

// Helpers

fn decode_with(session: &mut BacnetIp, direction: Direction, datagram: &[u8]) -> Output {
    let mut out = Output::default();
    session.decode(Chunk { bytes: datagram, wire_length: datagram.len(), direction }, &mut out);
    out
}

fn decode(datagram: &[u8]) -> Output {
    decode_with(&mut BacnetIp::default(), Direction::Forward, datagram)
}

/// The one message of a datagram that has nothing odd.
fn message(datagram: &[u8]) -> Box<Message> {
    let mut out = decode(datagram);
    assert_eq!(out.oddities, [], "{datagram:02x?}");
    assert_eq!(out.messages.len(), 1);
    out.messages.pop().unwrap()
}

fn claims(datagram: &[u8]) -> Vec<(Attribute, String)> {
    decode(datagram).claims.into_iter().map(|(_, claim)| (claim.attribute, claim.value)).collect()
}

fn probe(datagram: &[u8], ports: [u16; 2], cut: bool) -> Recognition {
    probe_datagram(&Probe { forward: datagram, backward: &[], first: Direction::Forward, opener: None, ports, cut })
}

fn is_yes(recognition: Recognition) -> bool {
    matches!(recognition, Recognition::Yes(_))
}

const ON_PORT: [u16; 2] = [47808, 47808];
const OFF_PORT: [u16; 2] = [50000, 47809];

fn point(kind: &'static str, start: u32) -> Object {
    Object { kind, start: Some(start), count: 1, ..Object::default() }
}

// Application layer

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

#[test]
fn read_property_and_its_answer_share_a_key() {
    // The client reaches the device 5 on network 2 through a router.
    let request = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x24, 0, 2, 1, 5, 0xFF], READ_PROPERTY]));
    let answer = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x08, 0, 2, 1, 5], READ_PROPERTY_ACK]));
    let Pairing::Opens(key) = request.pairing else { panic!("{:?}", request.pairing) };
    assert_eq!(answer.pairing, Pairing::Answers { key, last: true });
    assert_eq!((request.from_client, answer.from_client), (true, false));
    assert_eq!((request.transaction, answer.transaction), (Some(9), Some(9)));
    assert_eq!((request.kind, answer.kind), (Kind::Request, Kind::Response));

    let read =
        Object { property: Some(87), property_name: "priority-array", index: Some(3), ..point("analog-input", 1) };
    assert_eq!(request.objects[0], read);
    assert_eq!(answer.objects, [Object { values: 0..1, ..read }]);
    assert_eq!(answer.values, [72.0]);

    // The same invoke id to another device of that network is another exchange.
    let other = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x24, 0, 2, 1, 6, 0xFF], READ_PROPERTY]));
    assert_ne!(other.pairing, request.pairing);
}

#[test]
fn read_property_multiple_lists_every_property() {
    let request = message(&unicast(READ_PROPERTY_MULTIPLE));
    let names: Vec<_> = request.objects.iter().map(|object| (object.kind, object.property_name)).collect();
    assert_eq!(names, [("device", "object-name"), ("device", "vendor-name"), ("object", "")]);
    let unknown = &request.objects[2];
    assert_eq!((unknown.type_number, unknown.start, unknown.property), (Some(128), Some(2), Some(600)));

    let answer = message(&unicast(READ_PROPERTY_MULTIPLE_ACK));
    let words: Vec<_> = answer.objects.iter().map(|object| (answer.text_of(object), object.status)).collect();
    assert_eq!(words, [("KBRNAE", None), ("JCI", None), ("", None), ("error property unknown-property", Some(32))]);
    assert_eq!(
        claims(&unicast(READ_PROPERTY_MULTIPLE_ACK)),
        [
            (Attribute::Instance, "500".to_string()),
            (Attribute::Name, "KBRNAE".to_string()),
            (Attribute::Vendor, "JCI".to_string()),
            (Attribute::State, "operational".to_string()),
        ]
    );
}

#[test]
fn writes_have_value_and_priority() {
    let one = message(&unicast(WRITE_PROPERTY));
    assert_eq!(
        (one.operation, one.objects[0].kind, one.objects[0].start),
        (Operation::Write, "binary-output", Some(7))
    );
    assert_eq!((one.values_of(&one.objects[0]), one.objects[0].priority), (&[1.0][..], Some(8)));

    let many = message(&unicast(WRITE_PROPERTY_MULTIPLE));
    assert_eq!((many.text_of(&many.objects[0]), many.objects[0].priority), ("null", Some(16)));

    let refused = message(&unicast(WRITE_PROPERTY_MULTIPLE_ERROR));
    assert_eq!((refused.status, refused.status_name), (Some(40), "write-access-denied"));
    assert_eq!((refused.objects[0].kind, refused.objects[0].status), ("analog-output", Some(40)));
}

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

#[test]
fn notifications_come_from_the_server() {
    let mut session = BacnetIp::default();
    let out = decode_with(&mut session, Direction::Forward, &unicast(COV_NOTIFICATION));
    let notification = &out.messages[0];
    assert_eq!((notification.kind, notification.operation), (Kind::Request, Operation::Report));
    assert!(!notification.from_client);
    assert_eq!(notification.values_of(&notification.objects[0]), [65.0]);
    assert_eq!(notification.text_of(&notification.objects[1]), "0100");
    assert_eq!(out.claims[0].1.value, "4");

    // The other side may use the same invoke id for a request of its own: that is another exchange.
    let Pairing::Opens(key) = notification.pairing else { panic!() };
    let read = unicast(&[0x02, 0x05, 0x01, 0x0C, 0x0C, 0, 0, 0, 1, 0x19, 0x55]);
    let out = decode_with(&mut session, Direction::Backward, &read);
    assert_ne!(out.messages[0].pairing, Pairing::Opens(key));

    let ack = message(&unicast(COV_NOTIFICATION_ACK));
    assert_eq!((ack.from_client, ack.pairing), (true, Pairing::Answers { key, last: true }));
}

#[test]
fn a_reject_of_a_notification_answers_the_notification() {
    let mut session = BacnetIp::default();
    let out = decode_with(&mut session, Direction::Forward, &unicast(COV_NOTIFICATION));
    let Pairing::Opens(key) = out.messages[0].pairing else { panic!() };
    let reject = unicast(&[0x60, 0x01, 0x09]);
    let out = decode_with(&mut session, Direction::Backward, &reject);
    assert_eq!(out.messages[0].pairing, Pairing::Answers { key, last: true });
    assert!(out.messages[0].from_client);
    // A second one answers a request of that invoke id, if anything.
    let out = decode_with(&mut session, Direction::Backward, &reject);
    assert!(!out.messages[0].from_client);
}

#[test]
fn an_unconfirmed_notification_is_unsolicited() {
    let event = message(&unicast(EVENT_NOTIFICATION));
    assert_eq!((event.kind, event.from_client, event.pairing), (Kind::Unsolicited, false, Pairing::Alone));
    assert_eq!(event.text_of(&event.objects[0]), "alarm out-of-range, from normal, to high-limit: hot");
    assert_eq!(event.values_of(&event.objects[0]), [4.0, 100.0]);
}

#[test]
fn subscriptions_say_how() {
    let subscribed = message(&unicast(SUBSCRIBE_COV));
    assert_eq!(subscribed.operation, Operation::Subscribe);
    assert_eq!(subscribed.text_of(&subscribed.objects[0]), "confirmed");
    assert_eq!(subscribed.values_of(&subscribed.objects[0]), [18.0, 60.0]);
    let cancelled = message(&unicast(&SUBSCRIBE_COV[..SUBSCRIBE_COV.len() - 4]));
    assert_eq!(cancelled.text_of(&cancelled.objects[0]), "cancel");
}

#[test]
fn device_management_keeps_the_state_and_no_password() {
    for (apdu, operation, state) in [
        (DEVICE_COMMUNICATION_CONTROL, Operation::Configure, "disable"),
        (REINITIALIZE_DEVICE, Operation::Restart, "warmstart"),
    ] {
        let message = message(&unicast(apdu));
        assert_eq!((message.operation, message.text.as_str()), (operation, state));
        let cut = decode(&unicast(&apdu[..apdu.len() - 2]));
        assert_eq!(cut.messages[0].text, state);
        assert!(!format!("{:?} {:?}", cut.messages, cut.oddities).contains("Cd"), "{:?}", cut.oddities);
    }
}

#[test]
fn files_lists_and_objects() {
    let read = message(&unicast(ATOMIC_READ_FILE));
    assert_eq!((read.operation, read.objects[0].kind, read.objects[0].start), (Operation::File, "file", Some(1)));
    assert_eq!((read.text.as_str(), &read.values[..]), ("stream", &[0.0, 440.0][..]));

    let created = message(&unicast(CREATE_OBJECT));
    assert_eq!((created.objects[0].kind, created.objects[0].start), ("file", None));
    assert_eq!(created.text_of(&created.objects[1]), "T");

    let added = message(&unicast(ADD_LIST_ELEMENT));
    assert_eq!((added.objects[0].property_name, added.text.as_str()), ("recipient-list", "(constructed)"));
    assert_eq!(added.values, [100.0]);

    let range = message(&unicast(READ_RANGE_ACK));
    assert_eq!((range.text.as_str(), &range.values[..]), ("110", &[2.0, 79201.0][..]));
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

#[test]
fn every_character_set_becomes_text() {
    for (set, expected) in [
        (&[0x00, 0xC3, 0xBC][..], "ü"),
        (&[0x01, 0x03, 0x52, b'a', 0x81], "a\u{fffd}"),
        (&[0x02, b'j'], "j"),
        (&[0x03, 0x00, 0x01, 0xF6, 0x00], "😀"),
        (&[0x04, 0x00, 0xFC, 0x20, 0xAC], "ü€"),
        (&[0x05, 0xFC, 0x0A], "ü\u{fffd}"),
        (&[0x63, b'x'], "x"),
        (&[0x04, 0x00], ""),
        (&[], ""),
    ] {
        let mut text = String::new();
        tag::Value::CharacterString(set).write_text(&mut text);
        assert_eq!(text, expected, "{set:02x?}");
    }
}

#[test]
fn primitive_values_of_every_type() {
    let values: &[(&[u8], &[f64], &str)] = &[
        (&[0x00], &[], "null"),
        (&[0x11], &[1.0], ""),
        (&[0x25, 0x08, 0, 0, 0, 1, 0, 0, 0, 0], &[4294967296.0], ""),
        (&[0x32, 0xFF, 0x7F], &[-129.0], ""),
        (&[0x55, 0x08, 0xC0, 0x52, 0, 0, 0, 0, 0, 0], &[-72.0], ""),
        (&[0x63, 0x01, 0x02, 0xFF], &[], "0102ff"),
        (&[0x82, 0x03, 0xA8], &[], "10101"),
        (&[0x91, 0x07], &[7.0], ""),
        (&[0xA4, 0xFF, 0x0D, 0xFF, 0xFF], &[], "*-13-*"),
        (&[0xC4, 0x00, 0xC0, 0x00, 0x03], &[], "binary-input 3"),
        (&[0xC4, 0x20, 0x00, 0x00, 0x03], &[], "object-128 3"),
    ];
    for (octets, numbers, words) in values {
        let ack = [&[0x30, 0x01, 0x0C, 0x0C, 0, 0, 0, 1, 0x19, 0x55, 0x3E][..], octets, &[0x3F]].concat();
        let message = message(&unicast(&ack));
        assert_eq!((&message.values[..], message.text.as_str()), (*numbers, *words), "{octets:02x?}");
    }
}

#[test]
fn deep_nesting_ends_with_an_oddity_and_keeps_the_object() {
    let nested = [&[0x30, 0x01, 0x0C, 0x0C, 0, 0, 0, 1, 0x19, 0x55, 0x3E][..], &[0x0E; 500]].concat();
    let out = decode(&unicast(&nested));
    assert_eq!(out.oddities[0].1.code, OddityCode::UndecodedObject);
    assert_eq!(out.messages[0].objects[0].property_name, "present-value");
}

#[test]
fn objects_are_bounded() {
    let head = [0x02, 0x05, 0x0A, 0x0E, 0x0C, 0x02, 0x00, 0x01, 0xF4, 0x1E];
    let out = decode(&unicast(&[&head[..], &[0x09, 0x4D].repeat(20_000)].concat()));
    assert_eq!(out.messages[0].objects.len(), Message::MAX_OBJECTS);
    assert_eq!(out.oddities[0].1.code, OddityCode::UndecodedObject);
}

// Network and link layers

#[test]
fn messages_of_the_network_layer() {
    let who = message(&bvlc(ORIGINAL_BROADCAST_NPDU, &[WHO_IS_ROUTER]));
    assert_eq!((who.kind, who.function, who.message_type), (Kind::Network, Some(0), None));
    assert_eq!(who.objects, [point("network", 4)]);
    let table = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[INITIALIZE_ROUTING_TABLE]));
    assert_eq!((table.operation, table.values_of(&table.objects[0])), (Operation::Configure, &[2.0][..]));
    let reject = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[REJECT_MESSAGE]));
    assert_eq!((reject.status, reject.status_name), (Some(1), "unreachable_network"));
    let proprietary = message(&bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x01, 0x80, 0x81, 0x00, 0x07, 0xAA]]));
    assert_eq!((proprietary.function, proprietary.objects[0].type_number), (Some(0x81), Some(7)));
}

#[test]
fn link_messages() {
    let register = message(REGISTER_FOREIGN_DEVICE);
    assert_eq!((register.kind, register.operation), (Kind::Link, Operation::Configure));
    let Pairing::Opens(key) = register.pairing else { panic!() };
    let result = message(BVLC_RESULT);
    assert_eq!((result.pairing, result.from_client), (Pairing::Answers { key, last: true }, false));
    assert_eq!((result.status, result.status_name), (Some(0x30), "register_foreign_device_nak"));
    assert_eq!(message(WRITE_BDT).text, "10.1.2.3:47808 mask 255.255.255.255");
    let table = message(READ_FDT_ACK);
    assert_eq!((table.text.as_str(), &table.values[..]), ("10.1.2.4:47808", &[60.0, 32.0][..]));
    let ipv6 = message(IPV6_WHO_IS);
    assert_eq!((ipv6.name, ipv6.link_code), ("who_is", Some(2)));
}

#[test]
fn a_wrong_length_still_yields_its_npdu() {
    for length in [0, 13, 19, 600_u16] {
        let mut datagram = unicast(WRITE_PROPERTY);
        datagram[2..4].copy_from_slice(&length.to_be_bytes());
        let out = decode(&datagram);
        assert_eq!((out.messages[0].name, &out.messages[0].values[..]), ("write_property", &[1.0][..]));
        let (index, oddity) = &out.oddities[0];
        assert_eq!((*index, oddity.code, oddity.layer, oddity.offset), (1, OddityCode::BadLength, "bvlc", 2));
        assert!(is_yes(probe(&datagram, ON_PORT, false)));
        assert!(!is_yes(probe(&datagram, OFF_PORT, false)));
    }
}

#[test]
fn an_npdu_of_another_data_link_needs_no_bvlc() {
    let npdu = [&[0x01, 0x00], I_AM].concat();
    let mut out = Output::default();
    let draft = Draft::new(&mut out, npdu.len(), npdu.len());
    Conversation::default().decode_npdu(draft, &npdu, 0, Direction::Forward, &mut out);
    assert_eq!((out.messages[0].name, out.messages[0].link_code), ("i_am", None));
    assert_eq!(out.messages[0].pairing, Pairing::Alone);
    assert_eq!(out.claims.len(), 3);
}

#[test]
fn an_unreadable_npdu_is_a_link_message() {
    let out = decode(&bvlc(ORIGINAL_UNICAST_NPDU, &[&[0x02, 0x00], READ_PROPERTY]));
    assert_eq!((out.messages[0].kind, out.messages[0].function), (Kind::Link, Some(10)));
    assert_eq!((out.oddities[0].1.code, out.oddities[0].1.offset), (OddityCode::InvalidValue, 4));
    let other = decode(&[0x16, 0x03, 0x01]);
    assert!(other.messages.is_empty());
    assert_eq!(other.oddities[0].1.code, OddityCode::NotTheProtocol);
}

// Segmentation

/// The acknowledgement of a ReadPropertyMultiple in segments of `size` octets.
fn segments(size: usize) -> Vec<Vec<u8>> {
    let data = &READ_PROPERTY_MULTIPLE_ACK[3..];
    let count = data.len().div_ceil(size);
    data.chunks(size)
        .enumerate()
        .map(|(sequence, part)| {
            let flags = if sequence + 1 < count { 0x0C } else { 0x08 };
            unicast(&[&[0x30 | flags, 0x0A, sequence as u8, 0x04, 0x0E], part].concat())
        })
        .collect()
}

#[test]
fn segments_are_messages_and_the_last_has_the_objects() {
    let mut session = BacnetIp::default();
    let parts = segments(20);
    for (index, part) in parts.iter().enumerate() {
        let out = decode_with(&mut session, Direction::Backward, part);
        let is_last = index + 1 == parts.len();
        assert_eq!((out.messages.len(), out.oddities.len()), (1, 0));
        assert!(matches!(out.messages[0].pairing, Pairing::Answers { last, .. } if last == is_last));
        assert_eq!(
            (out.messages[0].name, out.messages[0].objects.len()),
            ("read_property_multiple", if is_last { 4 } else { 0 })
        );
        assert_eq!(out.claims.is_empty(), !is_last);
    }
    // A retransmission of the last segment says nothing new.
    let again = decode_with(&mut session, Direction::Backward, parts.last().unwrap());
    assert_eq!((again.messages[0].objects.len(), again.oddities.len()), (0, 0));
}

#[test]
fn segments_out_of_order_and_twice() {
    let mut session = BacnetIp::default();
    let parts = segments(10);
    let mut order: Vec<usize> = (0..parts.len()).rev().collect();
    order.insert(2, order[1]);
    let outs: Vec<_> = order.iter().map(|i| decode_with(&mut session, Direction::Backward, &parts[*i])).collect();
    assert!(outs.iter().all(|out| out.oddities.is_empty()));
    assert_eq!(outs.last().unwrap().messages[0].objects.len(), 4);
}

#[test]
fn a_late_start_is_an_oddity_and_the_next_message_is_whole() {
    let mut session = BacnetIp::default();
    let late = unicast(&[0x3C, 0x0A, 0x64, 0x04, 0x0E, 0x00]);
    let out = decode_with(&mut session, Direction::Backward, &late);
    assert_eq!((out.messages.len(), out.oddities[0].1.code), (1, OddityCode::BadSequence));
    let objects: Vec<_> = segments(30)
        .iter()
        .map(|part| decode_with(&mut session, Direction::Backward, part).messages[0].objects.len())
        .collect();
    assert_eq!(objects.last(), Some(&4));
}

#[test]
fn only_the_first_segment_of_a_request_opens() {
    let mut session = BacnetIp::default();
    let first = unicast(&[0x0C, 0x05, 0x0A, 0x00, 0x04, 0x0F, 0x0C, 0x01, 0x00, 0x00, 0x07, 0x19]);
    let last = unicast(&[0x08, 0x05, 0x0A, 0x01, 0x04, 0x0F, 0x55, 0x3E, 0x91, 0x01, 0x3F]);
    let out = decode_with(&mut session, Direction::Forward, &first);
    assert!(matches!(out.messages[0].pairing, Pairing::Opens(_)));
    let out = decode_with(&mut session, Direction::Forward, &last);
    assert_eq!((out.messages[0].pairing, &out.messages[0].values[..]), (Pairing::None, &[1.0][..]));
}

#[test]
fn reassembly_is_bounded_and_wraps() {
    let key = |invoke_id| Key {
        direction: Direction::Forward,
        message_type: 3,
        source: Unit::None,
        destination: Unit::None,
        invoke_id,
    };
    let segment = |sequence: usize| Segment { sequence: sequence as u8, more_follows: true };
    let mut reassembly = Reassembly::default();
    for sequence in 0..600 {
        let expected = if sequence == 0 { Placed::First } else { Placed::Next };
        assert_eq!(reassembly.add(key(1), segment(sequence), &[sequence as u8]), expected, "{sequence}");
    }
    let octets = [0; 1400];
    assert!((0..200).any(|sequence| reassembly.add(key(2), segment(sequence), &octets) == Placed::TooLong));
    // Other messages push the oldest out.
    (3..20).for_each(|invoke_id| drop(reassembly.add(key(invoke_id), segment(0), &[1])));
    assert_eq!(reassembly.add(key(1), segment(600), &[1]), Placed::Orphan);
    assert!(reassembly.give_up(Direction::Forward));
    assert!(!reassembly.give_up(Direction::Forward));
}

#[test]
fn conflicting_segments_are_told() {
    let mut session = BacnetIp::default();
    let ahead = |octet| unicast(&[0x3C, 0x0A, 0x02, 0x04, 0x0E, octet]);
    assert!(decode_with(&mut session, Direction::Backward, &ahead(1)).oddities.is_empty());
    let out = decode_with(&mut session, Direction::Backward, &ahead(2));
    assert_eq!(out.oddities[0].1.code, OddityCode::ConflictingOverlap);
}

// Recognition

#[test]
fn every_vector_is_recognised_on_any_port() {
    for datagram in datagrams() {
        assert!(is_yes(probe(&datagram, ON_PORT, false)), "{datagram:02x?}");
        assert!(is_yes(probe(&datagram, OFF_PORT, false)), "{datagram:02x?}");
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

// Hostile input

#[test]
fn every_truncation_keeps_the_header() {
    for datagram in datagrams() {
        let whole = decode(&datagram);
        for length in 1..datagram.len() {
            // Cut by the capture: nobody's fault, and the message is not complete.
            let mut out = Output::default();
            let chunk =
                Chunk { bytes: &datagram[..length], wire_length: datagram.len(), direction: Direction::Forward };
            BacnetIp::default().decode(chunk, &mut out);
            assert_eq!((out.messages.len(), out.oddities.len()), (1, 0), "{length} of {datagram:02x?}");
            assert!(!out.messages[0].complete);
            if length > 1 {
                assert_eq!(out.messages[0].link_code, whole.messages[0].link_code);
            }
            // Short on the wire: the length contradicts, and often a field is missing too.
            let out = decode(&datagram[..length]);
            assert_eq!(out.messages.len(), 1);
            assert!(!out.oddities.is_empty(), "{length} of {datagram:02x?}");
        }
    }
}

proptest! {
    #[test]
    fn random_octets_do_no_harm(octets in prop::collection::vec(any::<u8>(), 0..200), on_port: bool) {
        probe(&octets, if on_port { ON_PORT } else { OFF_PORT }, false);
        let mut session = BacnetIp::default();
        prop_assert_eq!(session.frame(Direction::Forward, &octets), Framing::NotMine);
        prop_assert_eq!(session.resync(Direction::Forward, &octets), None);
        for head in [&[][..], &[0x81, 0x0A, 0, 0, 1, 0], &[0x81, 0x0A, 0, 0, 1, 0, 0x30, 1, 14], &[0x81, 0x04], &[0x82, 8]] {
            decode_with(&mut session, Direction::Forward, &[head, &octets].concat());
        }
        session.gap(Direction::Forward, &mut Output::default());
    }

    #[test]
    fn random_octets_are_refused_off_the_port(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let datagram = bvlc(ORIGINAL_UNICAST_NPDU, &[&octets]);
        // Even with the right BVLC, the APDU must decode to its end.
        let refused = !is_yes(probe(&datagram, OFF_PORT, false));
        prop_assert!(refused || decode(&datagram).oddities.is_empty());
    }

    #[test]
    fn every_service_takes_any_octets(choice in 0..40u8, octets in prop::collection::vec(any::<u8>(), 0..100), which in 0..4usize) {
        let head: &[u8] = match which {
            0 => &[0x00, 0x05, 0x01, choice],
            1 => &[0x10, choice],
            2 => &[0x30, 0x01, choice],
            _ => &[0x50, 0x01, choice],
        };
        let out = decode(&unicast(&[head, &octets].concat()));
        prop_assert_eq!(out.messages.len(), 1);
        prop_assert_eq!(out.messages[0].function, Some(u16::from(choice)));
    }

    #[test]
    fn mutated_vectors_do_no_harm(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut datagram = which.get(&datagrams()).clone();
        for (at, octet) in changes {
            let at = at.index(datagram.len());
            datagram[at] = octet;
        }
        probe(&datagram, ON_PORT, false);
        probe(&datagram, OFF_PORT, true);
        let out = decode(&datagram);
        prop_assert_eq!(out.messages.len(), usize::from(matches!(datagram[0], 0x81 | 0x82)));
        for message in &out.messages {
            for object in &message.objects {
                prop_assert!(object.values.end as usize <= message.values.len());
                prop_assert!(message.text.get(object.text.start as usize..object.text.end as usize).is_some());
            }
        }
    }
}
