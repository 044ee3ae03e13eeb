//! Vectors of each message family, each cut at every octet, and random octets through everything.

use proptest::prelude::*;

use super::rtu::crc;
use super::*;
use crate::model::{Attribute, Claim, Kind, Message, OddityCode, Operation, Pairing, Unit};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};

const TO_SERVER: Direction = Direction::Forward;
const TO_CLIENT: Direction = Direction::Backward;

const READ_THREE_REGISTERS: &[u8] = &[
    0x00, 0x0A, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x11, // unit identifier
    0x03, // function: read holding registers
    0x00, 0x6B, // starting address 107
    0x00, 0x03, // quantity
];

const THREE_REGISTERS: &[u8] = &[
    0x00, 0x0A, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x09, // length
    0x11, // unit identifier
    0x03, // function: read holding registers
    0x06, // byte count
    0x02, 0x2B, // register 107: 555
    0x00, 0x00, // register 108: 0
    0x00, 0x64, // register 109: 100
];

const ILLEGAL_DATA_ADDRESS: &[u8] = &[
    0x00, 0x0A, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x03, // length
    0x11, // unit identifier
    0x83, // function: read holding registers, refused
    0x02, // exception code: illegal data address
];

const READ_TEN_COILS: &[u8] = &[
    0x00, 0x0B, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x01, // function: read coils
    0x00, 0x13, // starting address 19
    0x00, 0x0A, // quantity
];

const TEN_COILS: &[u8] = &[
    0x00, 0x0B, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x05, // length
    0x01, // unit identifier
    0x01, // function: read coils
    0x02, // byte count
    0xCD, // coils 26 to 19: 1100 1101
    0x02, // coils 28 and 27: 10
];

const SWITCH_ON_COIL_172: &[u8] = &[
    0x00, 0x0C, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x05, // function: write single coil
    0x00, 0xAC, // output address
    0xFF, 0x00, // output value: on
];

const WRITE_REGISTER_1: &[u8] = &[
    0x00, 0x0D, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x06, // function: write single register
    0x00, 0x01, // register address
    0x00, 0x03, // register value
];

const WRITE_TEN_COILS: &[u8] = &[
    0x00, 0x0E, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x09, // length
    0x01, // unit identifier
    0x0F, // function: write multiple coils
    0x00, 0x13, // starting address
    0x00, 0x0A, // quantity
    0x02, // byte count
    0xCD, 0x01, // values
];

const WRITE_TWO_REGISTERS: &[u8] = &[
    0x00, 0x0F, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x0B, // length
    0x01, // unit identifier
    0x10, // function: write multiple registers
    0x00, 0x01, // starting address
    0x00, 0x02, // quantity
    0x04, // byte count
    0x00, 0x0A, // register 1
    0x01, 0x02, // register 2
];

const TWO_REGISTERS_WRITTEN: &[u8] = &[
    0x00, 0x0F, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x10, // function: write multiple registers
    0x00, 0x01, // starting address
    0x00, 0x02, // quantity
];

const MASK_REGISTER_4: &[u8] = &[
    0x00, 0x10, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x08, // length
    0x01, // unit identifier
    0x16, // function: mask write register
    0x00, 0x04, // reference address
    0x00, 0xF2, // And_Mask
    0x00, 0x25, // Or_Mask
];

const READ_SIX_WRITE_THREE: &[u8] = &[
    0x00, 0x11, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x11, // length
    0x01, // unit identifier
    0x17, // function: read/write multiple registers
    0x00, 0x03, // read starting address
    0x00, 0x06, // quantity to read
    0x00, 0x0E, // write starting address
    0x00, 0x03, // quantity to write
    0x06, // write byte count
    0x00, 0xFF, 0x00, 0xFE, 0x00, 0xFD, // registers 14 to 16
];

const FORCE_LISTEN_ONLY: &[u8] = &[
    0x00, 0x12, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x08, // function: diagnostics
    0x00, 0x04, // sub-function: force listen only mode
    0x00, 0x00, // data
];

const READ_TWO_FILE_RECORDS: &[u8] = &[
    0x00, 0x13, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x11, // length
    0x01, // unit identifier
    0x14, // function: read file record
    0x0E, // byte count
    0x06, 0x00, 0x04, 0x00, 0x01, 0x00, 0x02, // reference type, file 4, record 1, 2 registers
    0x06, 0x00, 0x03, 0x00, 0x09, 0x00, 0x02, // reference type, file 3, record 9, 2 registers
];

const TWO_FILE_RECORDS: &[u8] = &[
    0x00, 0x13, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x0F, // length
    0x01, // unit identifier
    0x14, // function: read file record
    0x0C, // response data length
    0x05, 0x06, 0x0D, 0xFE, 0x00, 0x20, // length, reference type, 2 registers
    0x05, 0x06, 0x33, 0xCD, 0x00, 0x40, // length, reference type, 2 registers
];

const WRITE_FILE_RECORD: &[u8] = &[
    0x00, 0x14, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x0E, // length
    0x01, // unit identifier
    0x15, // function: write file record
    0x0B, // request data length
    0x06, 0x00, 0x04, 0x00, 0x07, 0x00, 0x02, // reference type, file 4, record 7, 2 registers
    0x06, 0xAF, 0x04, 0xBE, // record data
];

const FIFO_QUEUE: &[u8] = &[
    0x00, 0x15, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x0A, // length
    0x01, // unit identifier
    0x18, // function: read FIFO queue
    0x00, 0x06, // byte count
    0x00, 0x02, // FIFO count
    0x01, 0xB8, 0x12, 0x84, // FIFO values
];

const READ_IDENTIFICATION: &[u8] = &[
    0x00, 0x16, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x05, // length
    0x01, // unit identifier
    0x2B, // function: encapsulated interface transport
    0x0E, // MEI type: read device identification
    0x01, // Read Device ID code: basic
    0x00, // object id
];

const IDENTIFICATION: &[u8] = &[
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

const SERVER_ID: &[u8] = &[
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

const EVENT_LOG: &[u8] = &[
    0x00, 0x18, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x0B, // length
    0x01, // unit identifier
    0x0C, // function: get comm event log
    0x08, // byte count
    0x00, 0x00, // status
    0x01, 0x08, // event count
    0x01, 0x21, // message count
    0x20, 0x00, // events
];

const UMAS_STOP: &[u8] = &[
    0x00, 0x19, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x00, // unit identifier
    0x5A, // function: UMAS
    0x3C, // session key
    0x41, // stop PLC
    0xFF, 0x00, // data
];

const UMAS_READ_ID: &[u8] = &[
    0x00, 0x1B, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x04, // length
    0x00, // unit identifier
    0x5A, // function: UMAS
    0x00, // session key
    0x02, // read id
];

const UMAS_ID: &[u8] = &[
    0x00, 0x1B, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x22, // length
    0x00, // unit identifier
    0x5A, // function: UMAS
    0x00, // session key
    0xFE, // granted
    0x10, 0xFF, 0x5A, 0x01, 0x01, 0x00, 0x00, 0x00, 0x70, 0x02, 0x00, // identity, versions
    0x00, 0x27, 0x00, 0x09, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, // and codes
    0x07, b'1', b'4', b'0', b' ', b'C', b'P', b'U', // model
];

const UMAS_REFUSED: &[u8] = &[
    0x00, 0x19, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x05, // length
    0x00, // unit identifier
    0x5A, // function: UMAS
    0x3C, // session key
    0xFD, // error
    0x81, // data
];

const FUNCTION_0: &[u8] = &[
    0x00, 0x1A, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x00, // function
    0x00, 0x00, 0x00, 0x00, // data
];

/// Messages of a client.
const REQUESTS: &[&[u8]] = &[
    READ_THREE_REGISTERS,
    READ_TEN_COILS,
    SWITCH_ON_COIL_172,
    WRITE_REGISTER_1,
    WRITE_TEN_COILS,
    WRITE_TWO_REGISTERS,
    MASK_REGISTER_4,
    READ_SIX_WRITE_THREE,
    FORCE_LISTEN_ONLY,
    READ_TWO_FILE_RECORDS,
    WRITE_FILE_RECORD,
    READ_IDENTIFICATION,
    UMAS_STOP,
    UMAS_READ_ID,
    FUNCTION_0,
];

/// Messages of a server.
const RESPONSES: &[&[u8]] = &[
    THREE_REGISTERS,
    ILLEGAL_DATA_ADDRESS,
    TEN_COILS,
    TWO_REGISTERS_WRITTEN,
    TWO_FILE_RECORDS,
    FIFO_QUEUE,
    IDENTIFICATION,
    SERVER_ID,
    EVENT_LOG,
    UMAS_REFUSED,
    UMAS_ID,
];

fn session() -> MbapSession {
    MbapSession::new(Sides::new(TO_SERVER))
}

fn whole(bytes: &[u8], direction: Direction) -> Chunk<'_> {
    Chunk { bytes, wire_length: bytes.len(), direction }
}

/// Decodes messages in their order, and keeps what the last one gave.
fn last_of(session: &mut dyn Session, chunks: &[(&[u8], Direction)]) -> Output {
    let mut out = Output::default();
    for (bytes, direction) in chunks {
        out.clear();
        session.decode(whole(bytes, *direction), &mut out);
    }
    out
}

fn decoded(bytes: &[u8], direction: Direction) -> Output {
    last_of(&mut session(), &[(bytes, direction)])
}

fn oddities(out: &Output) -> Vec<OddityCode> {
    out.oddities.iter().map(|(_, oddity)| oddity.code).collect()
}

/// Kind, start, count and values of each object.
fn objects(message: &Message) -> Vec<(&'static str, Option<u32>, u32, &[f64])> {
    message.objects.iter().map(|o| (o.kind, o.start, o.count, message.values_of(o))).collect()
}

fn with_crc(frame: &[u8]) -> Vec<u8> {
    [frame, &crc(frame).to_le_bytes()].concat()
}

/// The unit and PDU of a vector as an RTU frame.
fn as_rtu(vector: &[u8]) -> Vec<u8> {
    with_crc(&vector[6..])
}

fn probe<'a>(forward: &'a [u8], backward: &'a [u8], ports: [u16; 2]) -> Probe<'a> {
    Probe { forward, backward, first: TO_SERVER, opener: None, ports, cut: false }
}

fn answer(recognition: &Recognition) -> &'static str {
    match recognition {
        Recognition::No => "no",
        Recognition::Undecided => "undecided",
        Recognition::Yes(_) => "yes",
    }
}

#[test]
fn a_read_names_its_range_and_the_response_carries_the_values() {
    let mut session = session();
    let out = last_of(&mut session, &[(READ_THREE_REGISTERS, TO_SERVER)]);
    let request = &out.messages[0];
    assert_eq!(
        (request.kind, request.operation, request.name),
        (Kind::Request, Operation::Read, "read_holding_registers")
    );
    assert_eq!((request.source_unit, request.destination_unit), (Unit::None, Unit::Number(0x11)));
    assert_eq!((request.transaction, request.length), (Some(10), 12));
    assert_eq!(objects(request), [("holding-register", Some(107), 3, &[][..])]);

    let out = last_of(&mut session, &[(THREE_REGISTERS, TO_CLIENT)]);
    let response = &out.messages[0];
    assert_eq!(
        (response.kind, response.from_client, response.source_unit),
        (Kind::Response, false, Unit::Number(0x11))
    );
    assert_eq!(objects(response), [("holding-register", Some(107), 3, &[555.0, 0.0, 100.0][..])]);
    assert_eq!(request_key(request.pairing), response_key(response.pairing));
    assert!(out.oddities.is_empty());
}

fn request_key(pairing: Pairing) -> u64 {
    let Pairing::Opens(key) = pairing else { panic!("{pairing:?}") };
    key
}

fn response_key(pairing: Pairing) -> u64 {
    let Pairing::Answers { key, last: true } = pairing else { panic!("{pairing:?}") };
    key
}

#[test]
fn a_response_without_its_request_has_no_address() {
    let out = decoded(THREE_REGISTERS, TO_CLIENT);
    assert_eq!(objects(&out.messages[0]), [("holding-register", None, 3, &[555.0, 0.0, 100.0][..])]);
    // 16 bits are on the wire; how many were asked for is not known.
    assert_eq!(decoded(TEN_COILS, TO_CLIENT).messages[0].objects[0].count, 16);
}

#[test]
fn coils_are_limited_to_those_asked_for() {
    let out = last_of(&mut session(), &[(READ_TEN_COILS, TO_SERVER), (TEN_COILS, TO_CLIENT)]);
    let values = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0];
    assert_eq!(objects(&out.messages[0]), [("coil", Some(19), 10, &values[..])]);
}

#[test]
fn an_exception_answers_the_function_it_names() {
    let out = last_of(&mut session(), &[(READ_THREE_REGISTERS, TO_SERVER), (ILLEGAL_DATA_ADDRESS, TO_CLIENT)]);
    let error = &out.messages[0];
    assert_eq!((error.kind, error.function, error.status), (Kind::Error, Some(3), Some(2)));
    assert_eq!((error.status_name, error.operation), ("illegal_data_address", Operation::Read));
    assert_eq!(response_key(error.pairing), 10 << 16 | 0x11 << 8 | 3);
}

#[test]
fn writes_carry_their_values() {
    for (vector, expected) in [
        (SWITCH_ON_COIL_172, ("coil", Some(172), 1, &[1.0][..])),
        (WRITE_REGISTER_1, ("holding-register", Some(1), 1, &[3.0][..])),
        (WRITE_TEN_COILS, ("coil", Some(19), 10, &[1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0][..])),
        (WRITE_TWO_REGISTERS, ("holding-register", Some(1), 2, &[10.0, 258.0][..])),
        (MASK_REGISTER_4, ("holding-register", Some(4), 1, &[242.0, 37.0][..])),
    ] {
        let out = decoded(vector, TO_SERVER);
        assert_eq!(objects(&out.messages[0]), [expected]);
        assert_eq!(out.messages[0].operation, Operation::Write);
        assert!(out.oddities.is_empty(), "{:?}", out.oddities);
    }
}

#[test]
fn read_and_write_in_one_has_two_objects() {
    let out = decoded(READ_SIX_WRITE_THREE, TO_SERVER);
    let written = ("holding-register", Some(14), 3, &[255.0, 254.0, 253.0][..]);
    assert_eq!(objects(&out.messages[0]), [("holding-register", Some(3), 6, &[][..]), written]);
}

#[test]
fn a_coil_value_that_is_neither_on_nor_off_is_kept() {
    let mut vector = SWITCH_ON_COIL_172.to_vec();
    vector[10] = 0x01;
    let out = decoded(&vector, TO_SERVER);
    let message = &out.messages[0];
    assert_eq!(message.text_of(&message.objects[0]), "0x0100");
    assert_eq!(oddities(&out), [OddityCode::InvalidValue]);
    assert_eq!((out.oddities[0].0, out.oddities[0].1.offset), (1, 10));
}

#[test]
fn the_diagnostics_sub_function_decides_the_operation() {
    let out = decoded(FORCE_LISTEN_ONLY, TO_SERVER);
    let message = &out.messages[0];
    assert_eq!((message.operation, message.objects[0].type_number), (Operation::Mode, Some(4)));
    let mut restart = FORCE_LISTEN_ONLY.to_vec();
    restart[9] = 1;
    assert_eq!(decoded(&restart, TO_SERVER).messages[0].operation, Operation::Restart);
}

#[test]
fn file_records_keep_their_file_and_record() {
    let mut session = session();
    let out = last_of(&mut session, &[(READ_TWO_FILE_RECORDS, TO_SERVER), (TWO_FILE_RECORDS, TO_CLIENT)]);
    let response = &out.messages[0];
    let of_file = |index: usize| (response.objects[index].index, response.objects[index].start);
    assert_eq!((of_file(0), of_file(1)), ((Some(4), Some(1)), (Some(3), Some(9))));
    assert_eq!(response.values, [3582.0, 32.0, 13261.0, 64.0]);
    let out = decoded(WRITE_FILE_RECORD, TO_SERVER);
    assert_eq!(objects(&out.messages[0]), [("file-record", Some(7), 2, &[1711.0, 1214.0][..])]);
    assert_eq!(out.messages[0].operation, Operation::File);
}

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
fn umas_takes_its_operation_from_its_own_function() {
    let mut session = session();
    assert_eq!(last_of(&mut session, &[(UMAS_STOP, TO_SERVER)]).messages[0].operation, Operation::Stop);
    let refused = &last_of(&mut session, &[(UMAS_REFUSED, TO_CLIENT)]).messages[0];
    assert_eq!((refused.kind, refused.operation, refused.status), (Kind::Error, Operation::Stop, None));
    let out = last_of(&mut session, &[(UMAS_READ_ID, TO_SERVER), (UMAS_ID, TO_CLIENT)]);
    let model = Claim {
        about_sender: true,
        unit: Unit::Number(0),
        address: None,
        attribute: Attribute::Model,
        value: "140 CPU".into(),
    };
    assert_eq!(out.claims, [(1, model)]);
}

#[test]
fn umas_may_be_longer_than_the_standard_allows() {
    let mut long = vec![0x00, 0x01, 0x00, 0x00, 0x04, 0x00, 0x00, 0x5A, 0x00, 0x31];
    long.resize(6 + 0x400, 0);
    assert_eq!(session().frame(TO_SERVER, &long), Framing::Message(6 + 0x400));
    assert!(decoded(&long, TO_SERVER).oddities.is_empty());
    long[7] = 3;
    assert_eq!(session().frame(TO_SERVER, &long), Framing::NotMine);
    let mut in_sync = session();
    last_of(&mut in_sync, &[(READ_THREE_REGISTERS, TO_SERVER)]);
    assert_eq!(in_sync.frame(TO_SERVER, &long), Framing::Message(6 + 0x400));
    assert!(oddities(&last_of(&mut in_sync, &[(&long, TO_SERVER)])).contains(&OddityCode::BadLength));
}

#[test]
fn every_function_code_is_listed_both_ways() {
    for code in 0..=255u8 {
        let mut vector = FUNCTION_0.to_vec();
        vector[7] = code;
        for direction in [TO_SERVER, TO_CLIENT] {
            let out = decoded(&vector, direction);
            assert_eq!(out.messages.len(), 1);
            assert_eq!(out.messages[0].function.map(|function| function & 0x7F), Some(u16::from(code & 0x7F)));
        }
    }
    let out = decoded(FUNCTION_0, TO_SERVER);
    assert_eq!((out.messages[0].name, out.messages[0].operation), ("", Operation::Unknown));
}

#[test]
fn a_cut_message_keeps_its_header() {
    for (vectors, direction) in [(REQUESTS, TO_SERVER), (RESPONSES, TO_CLIENT)] {
        for vector in vectors {
            for end in 0..vector.len() {
                let mut out = Output::default();
                let cut = Chunk { bytes: &vector[..end], wire_length: vector.len(), direction };
                session().decode(cut, &mut out);
                assert!(out.oddities.is_empty(), "the capture's fault is no oddity: {:?}", out.oddities);
                assert!(out.claims.iter().all(|(_, claim)| !claim.value.is_empty()));
                if end < 7 {
                    assert!(out.messages.is_empty());
                    continue;
                }
                let message = &out.messages[0];
                assert!(!message.complete && message.length as usize == vector.len());
                assert_eq!(message.function.is_some(), end > 7);
                if direction == TO_SERVER && end >= 10 && (1..=6).contains(&vector[7]) {
                    let address = u32::from(vector[8]) << 8 | u32::from(vector[9]);
                    assert_eq!(message.objects[0].start, Some(address));
                }
            }
        }
    }
}

#[test]
fn a_message_shorter_than_its_fields_is_listed_with_an_oddity() {
    for (vectors, direction) in [(REQUESTS, TO_SERVER), (RESPONSES, TO_CLIENT)] {
        for vector in vectors.iter().filter(|vector| !matches!(vector[7], 0x00 | 0x5A)) {
            for end in 8..vector.len() {
                let mut short = vector[..end].to_vec();
                short[5] = (end - 6) as u8;
                let out = decoded(&short, direction);
                assert_eq!(out.messages.len(), 1);
                assert!(oddities(&out).contains(&OddityCode::Truncated), "{short:02x?}");
            }
        }
    }
}

#[test]
fn a_response_that_contradicts_its_request_is_a_mismatch() {
    let mut other_quantity = READ_THREE_REGISTERS.to_vec();
    other_quantity[11] = 4;
    let out = last_of(&mut session(), &[(&other_quantity, TO_SERVER), (THREE_REGISTERS, TO_CLIENT)]);
    assert_eq!(oddities(&out), [OddityCode::Mismatch]);
    let mut other_address = TWO_REGISTERS_WRITTEN.to_vec();
    other_address[9] = 9;
    let out = last_of(&mut session(), &[(WRITE_TWO_REGISTERS, TO_SERVER), (&other_address, TO_CLIENT)]);
    assert_eq!(oddities(&out), [OddityCode::Mismatch]);
    let out = last_of(&mut session(), &[(WRITE_TWO_REGISTERS, TO_SERVER), (TWO_REGISTERS_WRITTEN, TO_CLIENT)]);
    assert!(out.oddities.is_empty());
}

#[test]
fn one_transaction_identifier_for_all_does_not_mix_up_addresses() {
    let mut elsewhere = READ_THREE_REGISTERS.to_vec();
    elsewhere[9] = 0x70;
    let pipelined = [(READ_THREE_REGISTERS, TO_SERVER), (&elsewhere[..], TO_SERVER), (THREE_REGISTERS, TO_CLIENT)];
    let mut session = session();
    assert_eq!(last_of(&mut session, &pipelined).messages[0].objects[0].start, None);
    let again = [(READ_THREE_REGISTERS, TO_SERVER), (THREE_REGISTERS, TO_CLIENT)];
    assert_eq!(last_of(&mut session, &again).messages[0].objects[0].start, Some(107));
}

#[test]
fn an_evident_mistake_about_the_sides_is_mended() {
    let mut session = MbapSession::new(Sides::new(TO_CLIENT));
    let polls = [(READ_THREE_REGISTERS, TO_SERVER), (THREE_REGISTERS, TO_CLIENT)].repeat(2);
    let out = last_of(&mut session, &polls);
    assert!(!out.messages[0].from_client);
}

#[test]
fn a_stream_is_framed_and_finds_its_way_back() {
    let mut session = session();
    assert_eq!(session.frame(TO_SERVER, &READ_THREE_REGISTERS[..2]), Framing::NeedMore);
    assert_eq!(session.frame(TO_SERVER, &READ_THREE_REGISTERS[..6]), Framing::Message(12));
    assert_eq!(session.frame(TO_SERVER, b"GET / HTTP/1.1\r\n"), Framing::NotMine);
    let dirty = [&[0x07, 0xD0, 0x00, 0x11, 0x01][..], READ_THREE_REGISTERS, WRITE_REGISTER_1].concat();
    assert_eq!(session.resync(TO_SERVER, &dirty), Some(5));
    assert_eq!(session.resync(TO_SERVER, b"no message of this protocol is in here"), None);
}

#[test]
fn a_datagram_may_hold_two_messages_and_a_rest() {
    let datagram = [READ_THREE_REGISTERS, WRITE_REGISTER_1, &[0xAA]].concat();
    let out = decoded(&datagram, TO_SERVER);
    assert_eq!(out.messages.len(), 2);
    assert_eq!(oddities(&out), [OddityCode::TrailingOctets]);
    let wrong_length = [&READ_THREE_REGISTERS[..4], &[0x00, 0x30], &READ_THREE_REGISTERS[6..]].concat();
    let out = decoded(&wrong_length, TO_SERVER);
    assert_eq!(objects(&out.messages[0]), [("holding-register", Some(107), 3, &[][..])]);
    assert_eq!(oddities(&out), [OddityCode::BadLength]);
}

#[test]
fn the_crc_is_that_of_the_serial_line_standard() {
    // Serial Line V1.02, 6.2.2: unit 2, function 7 gives 0x1241, low octet first.
    assert_eq!(with_crc(&[0x02, 0x07]), [0x02, 0x07, 0x41, 0x12]);
}

#[test]
fn rtu_frames_follow_each_other_without_a_length() {
    let mut session = RtuSession::new(Sides::new(TO_SERVER));
    let requests = [as_rtu(READ_THREE_REGISTERS), as_rtu(WRITE_TWO_REGISTERS)].concat();
    assert_eq!(session.frame(TO_SERVER, &requests), Framing::Message(8));
    assert_eq!(session.frame(TO_SERVER, &requests[8..]), Framing::Message(13));
    let mut out = Output::default();
    session.decode(whole(&requests, TO_SERVER), &mut out);
    assert_eq!(out.messages.len(), 2);
    assert_eq!((out.messages[0].transaction, request_key(out.messages[0].pairing)), (None, 0x11 << 8 | 3));
    let response = as_rtu(THREE_REGISTERS);
    let exchange = [(&requests[..8], TO_SERVER), (&response, TO_CLIENT)];
    let out = last_of(&mut session, &exchange);
    assert_eq!(objects(&out.messages[0]), [("holding-register", Some(107), 3, &[555.0, 0.0, 100.0][..])]);
    assert!(out.oddities.is_empty());
}

#[test]
fn every_vector_is_an_rtu_frame_as_well() {
    for (vectors, direction) in [(REQUESTS, TO_SERVER), (RESPONSES, TO_CLIENT)] {
        for vector in vectors {
            let frame = as_rtu(vector);
            let mut session = RtuSession::new(Sides::new(TO_SERVER));
            let out = last_of(&mut session, &[(&frame, direction)]);
            assert_eq!(out.messages.len(), 1, "{vector:02x?}");
            assert!(!oddities(&out).contains(&OddityCode::BadChecksum));
            assert_eq!(session.frame(direction, &frame), Framing::Message(frame.len()));
            for end in 0..frame.len() {
                let mut out = Output::default();
                let cut = Chunk { bytes: &frame[..end], wire_length: frame.len(), direction };
                session.decode(cut, &mut out);
                assert_eq!(out.messages.len(), usize::from(end > 0));
                assert!(out.messages.iter().all(|message| !message.complete));
                assert_eq!(out.messages.iter().any(|message| message.function.is_some()), end > 1);
            }
        }
    }
}

#[test]
fn a_damaged_rtu_frame_is_listed_and_a_broadcast_awaits_nothing() {
    let mut session = RtuSession::new(Sides::new(TO_SERVER));
    let mut damaged = as_rtu(WRITE_REGISTER_1);
    assert!(last_of(&mut session, &[(&damaged, TO_SERVER)]).oddities.is_empty());
    damaged[5] ^= 0x40;
    assert_eq!(session.frame(TO_SERVER, &damaged), Framing::Message(8));
    let out = last_of(&mut session, &[(&damaged, TO_SERVER)]);
    assert_eq!((out.messages.len(), oddities(&out)), (1, vec![OddityCode::BadChecksum]));
    let broadcast = with_crc(&[0x00, 0x06, 0x00, 0x01, 0x00, 0x03]);
    let out = last_of(&mut session, &[(&broadcast, TO_SERVER)]);
    assert_eq!((out.messages[0].kind, out.messages[0].pairing), (Kind::Unconfirmed, Pairing::Alone));
    let dirty = [&[0x03, 0x00, 0x2B][..], &broadcast].concat();
    assert_eq!(session.resync(TO_SERVER, &dirty), Some(3));
}

#[test]
fn one_message_on_the_standard_port_and_an_exchange_elsewhere() {
    let standard = [50001, 502];
    let other = [50001, 5020];
    for (forward, backward, ports, expected) in [
        (READ_THREE_REGISTERS, &[][..], standard, "yes"),
        (&[][..], THREE_REGISTERS, standard, "yes"),
        (FUNCTION_0, &[][..], standard, "yes"),
        (READ_THREE_REGISTERS, &[][..], other, "undecided"),
        (READ_THREE_REGISTERS, THREE_REGISTERS, other, "yes"),
        (READ_THREE_REGISTERS, ILLEGAL_DATA_ADDRESS, other, "yes"),
        (READ_THREE_REGISTERS, TEN_COILS, other, "undecided"),
        (FUNCTION_0, FUNCTION_0, other, "undecided"),
    ] {
        assert_eq!(answer(&probe_stream(&probe(forward, backward, ports))), expected, "{forward:02x?} {backward:02x?}");
        if !forward.is_empty() && forward != FUNCTION_0 {
            assert_eq!(answer(&probe_datagram(&probe(forward, backward, ports))), expected);
        }
    }
    let polls = READ_THREE_REGISTERS.repeat(3);
    assert_eq!(answer(&probe_stream(&probe(&polls, &[], other))), "yes");
    let (request, response) = (as_rtu(READ_THREE_REGISTERS), as_rtu(THREE_REGISTERS));
    assert_eq!(answer(&probe_stream(&probe(&request, &[], other))), "undecided");
    assert_eq!(answer(&probe_stream(&probe(&request, &response, other))), "yes");
    assert_eq!(answer(&probe_datagram(&probe(&request, &response, other))), "yes");
    assert_eq!(answer(&probe_stream(&probe(&request, &[], standard))), "yes");
}

#[test]
fn other_protocols_are_refused_on_any_port() {
    let others: &[(&str, &[u8])] = &[
        ("TLS client hello", &[0x16, 0x03, 0x01, 0x00, 0x85, 0x01, 0x00, 0x00, 0x81, 0x03, 0x03, 0x73]),
        ("TPKT connection request", &[0x03, 0x00, 0x00, 0x16, 0x11, 0xE0, 0x00, 0x00, 0x00, 0x01, 0x00, 0xC1]),
        ("DCE/RPC bind", &[0x05, 0x00, 0x0B, 0x03, 0x10, 0x00, 0x00, 0x00, 0x48, 0x00, 0x00, 0x00]),
        ("SMB over 445", &[0x00, 0x00, 0x00, 0x55, 0xFF, b'S', b'M', b'B', 0x72, 0x00, 0x00, 0x00]),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n"),
        ("DNP3", &[0x05, 0x64, 0x0B, 0xC4, 0x0A, 0x00, 0x01, 0x00, 0xFC, 0x42, 0xC0, 0xC1]),
        ("PostgreSQL SSLRequest", &[0x00, 0x00, 0x00, 0x08, 0x04, 0xD2, 0x16, 0x2F]),
        ("DNS over TCP", &[0x00, 0x1D, 0xAB, 0xCD, 0x01, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00]),
        ("EtherNet/IP ListIdentity", &[0x63, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]),
        ("zeros", &[0; 64]),
    ];
    for (name, bytes) in others {
        for ports in [[50001, 502], [50001, 8080]] {
            assert_eq!(answer(&probe_stream(&probe(bytes, &[], ports))), "no", "{name}");
            assert_eq!(answer(&probe_datagram(&probe(bytes, &[], ports))), "no", "{name}");
        }
    }
}

#[test]
fn a_malformed_first_message_waits_for_company_on_the_standard_port() {
    let mut malformed = READ_THREE_REGISTERS.to_vec();
    malformed.push(0x00);
    malformed[5] += 1;
    let exception: &[u8] = ILLEGAL_DATA_ADDRESS;
    let two = [&malformed[..], READ_THREE_REGISTERS].concat();
    for (forward, backward, expected) in
        [(&malformed, &[][..], "undecided"), (&malformed, exception, "yes"), (&two, &[][..], "yes")]
    {
        assert_eq!(answer(&probe_stream(&probe(forward, backward, [50001, 502]))), expected);
    }
}

#[test]
fn telemetry_with_the_same_crc_is_refused() {
    let request = with_crc(&[
        0x01, 0x02, // ROC Plus destination unit and group
        0x03, 0x01, // source unit and group
        0x06, // opcode
        0x00, // data octets
    ]);
    let other = with_crc(&[0x01, 0x02, 0x03, 0x04, 0x07, 0x00]);
    let polls = [request.clone(), other.clone(), request.clone()].concat();
    for (forward, backward) in [(&polls[..], &[][..]), (&[][..], &polls[..]), (&request, &other), (&polls, &polls)] {
        assert_ne!(answer(&probe_stream(&probe(forward, backward, [50001, 4000]))), "yes");
        assert_ne!(answer(&probe_datagram(&probe(forward, backward, [50001, 4000]))), "yes");
    }
    let several = [as_rtu(READ_THREE_REGISTERS), as_rtu(READ_TEN_COILS), as_rtu(WRITE_TWO_REGISTERS)].concat();
    assert_eq!(answer(&probe_stream(&probe(&several, &[], [50001, 4001]))), "yes");
}

/// A vector, some of whose octets are others, or octets of any kind.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let vectors: Vec<Vec<u8>> =
        REQUESTS.iter().chain(RESPONSES).flat_map(|vector| [vector.to_vec(), as_rtu(vector)]).collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4);
    let changed = (prop::sample::select(vectors), changes, 1usize..4).prop_map(|(vector, changes, times)| {
        let mut octets = vector.repeat(times);
        for (at, octet) in changes {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        octets
    });
    prop_oneof![changed, prop::collection::vec(any::<u8>(), 0..600)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_octets_break_anything(
        first in hostile(), second in hostile(), cut in 0usize..300, forward: bool, standard: bool, rtu: bool
    ) {
        let ports = [50001, if standard { 502 } else { 9999 }];
        let _ = (probe_stream(&probe(&first, &second, ports)), probe_datagram(&probe(&first, &second, ports)));
        let direction = if forward { TO_SERVER } else { TO_CLIENT };
        let sides = Sides::new(TO_SERVER);
        let mut session: Box<dyn Session> =
            if rtu { Box::new(RtuSession::new(sides)) } else { Box::new(MbapSession::new(sides)) };
        let mut out = Output::default();
        for octets in [&first, &second, &first] {
            let mut rest = octets.as_slice();
            while let Framing::Message(octets) = session.frame(direction, rest) {
                prop_assert!(octets > 0);
                let taken = octets.min(rest.len());
                session.decode(Chunk { bytes: &rest[..taken], wire_length: octets, direction }, &mut out);
                rest = &rest[taken..];
                if rest.is_empty() { break }
            }
            if let Some(start) = session.resync(direction, rest) {
                prop_assert!(start < rest.len());
            }
            let wire_length = octets.len() + cut;
            session.decode(Chunk { bytes: octets, wire_length, direction: direction.opposite() }, &mut out);
            session.gap(direction, &mut out);
        }
        for message in &out.messages {
            prop_assert!(message.values.len() <= 2048 && message.text.len() <= 16384);
            for object in &message.objects {
                prop_assert!(object.values.end as usize <= message.values.len());
                prop_assert!(message.text.get(object.text.start as usize..object.text.end as usize).is_some());
            }
        }
        prop_assert!(out.oddities.iter().all(|(before, _)| *before <= out.messages.len()));
    }
}
