//! Vectors of every service beside their tests, each cut everywhere, and hostile octets.

mod alarms;
mod answers;
mod constructed;
mod discovery;
mod files;
mod hostile;
mod management;
mod network;
mod notifications;
mod others;
mod properties;
mod recognition;
mod segmentation;

use self::alarms::*;
use self::answers::*;
use self::discovery::*;
use self::files::*;
use self::management::*;
use self::network::*;
use self::notifications::*;
use self::others::*;
use self::properties::*;
use self::segmentation::segments;
use super::*;
use crate::model::{Attribute, Message, Object, OddityCode, Operation, Pairing, Unit};

const ORIGINAL_UNICAST_NPDU: u8 = 0x0A;

const ORIGINAL_BROADCAST_NPDU: u8 = 0x0B;

const FORWARDED_NPDU: u8 = 0x04;

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
    ACKNOWLEDGE_ALARM,
    GET_ALARM_SUMMARY_ACK,
    GET_ENROLLMENT_SUMMARY,
    GET_ENROLLMENT_SUMMARY_ACK,
    GET_EVENT_INFORMATION,
    GET_EVENT_INFORMATION_ACK,
    LIFE_SAFETY_OPERATION,
    ATOMIC_READ_FILE_ACK,
    ATOMIC_WRITE_FILE,
    ATOMIC_WRITE_FILE_ACK,
    VT_OPEN,
    VT_OPEN_ACK,
    VT_DATA,
    VT_DATA_ACK,
    VT_CLOSE,
    SUBSCRIBE_COV_PROPERTY,
    SUBSCRIBE_COV_MULTIPLE,
    SUBSCRIBE_COV_MULTIPLE_ERROR,
    COV_NOTIFICATION_MULTIPLE,
    WRITE_GROUP,
    AUDIT_NOTIFICATION,
    AUDIT_LOG_QUERY,
    AUDIT_LOG_QUERY_ACK,
    TEXT_MESSAGE,
    PRIVATE_TRANSFER_ERROR,
    CREATE_OBJECT_ERROR,
    DELETE_OBJECT,
    WHO_AM_I,
    YOU_ARE,
    READ_RANGE,
    LOG_RECORDS,
    WRITE_PROGRAM_CHANGE,
];

const NETWORK_MESSAGES: &[&[u8]] = &[
    WHO_IS_ROUTER,
    I_AM_ROUTER,
    I_COULD_BE_ROUTER,
    REJECT_MESSAGE,
    ROUTER_BUSY,
    INITIALIZE_ROUTING_TABLE,
    ESTABLISH_CONNECTION,
    NETWORK_NUMBER_IS,
];

const LINK_MESSAGES: &[&[u8]] = &[
    REGISTER_FOREIGN_DEVICE,
    BVLC_RESULT,
    WRITE_BDT,
    READ_FDT_ACK,
    DELETE_FDT_ENTRY,
    IPV6_WHO_IS,
    IPV6_ADDRESS_RESOLUTION_ACK,
    IPV6_VIRTUAL_ADDRESS_RESOLUTION,
    IPV6_REGISTER_FOREIGN_DEVICE,
    IPV6_RESULT,
];

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
