//! Coils and registers: what is read, written and refused.

use super::*;

pub(super) const READ_THREE_REGISTERS: &[u8] = &[
    0x00, 0x0A, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x11, // unit identifier
    0x03, // function: read holding registers
    0x00, 0x6B, // starting address 107
    0x00, 0x03, // quantity
];

pub(super) const THREE_REGISTERS: &[u8] = &[
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

pub(super) const ILLEGAL_DATA_ADDRESS: &[u8] = &[
    0x00, 0x0A, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x03, // length
    0x11, // unit identifier
    0x83, // function: read holding registers, refused
    0x02, // exception code: illegal data address
];

pub(super) const READ_TEN_COILS: &[u8] = &[
    0x00, 0x0B, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x01, // function: read coils
    0x00, 0x13, // starting address 19
    0x00, 0x0A, // quantity
];

pub(super) const TEN_COILS: &[u8] = &[
    0x00, 0x0B, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x05, // length
    0x01, // unit identifier
    0x01, // function: read coils
    0x02, // byte count
    0xCD, // coils 26 to 19: 1100 1101
    0x02, // coils 28 and 27: 10
];

pub(super) const SWITCH_ON_COIL_172: &[u8] = &[
    0x00, 0x0C, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x05, // function: write single coil
    0x00, 0xAC, // output address
    0xFF, 0x00, // output value: on
];

pub(super) const WRITE_REGISTER_1: &[u8] = &[
    0x00, 0x0D, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x06, // function: write single register
    0x00, 0x01, // register address
    0x00, 0x03, // register value
];

pub(super) const WRITE_TEN_COILS: &[u8] = &[
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

pub(super) const WRITE_TWO_REGISTERS: &[u8] = &[
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

pub(super) const TWO_REGISTERS_WRITTEN: &[u8] = &[
    0x00, 0x0F, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x10, // function: write multiple registers
    0x00, 0x01, // starting address
    0x00, 0x02, // quantity
];

pub(super) const MASK_REGISTER_4: &[u8] = &[
    0x00, 0x10, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x08, // length
    0x01, // unit identifier
    0x16, // function: mask write register
    0x00, 0x04, // reference address
    0x00, 0xF2, // And_Mask
    0x00, 0x25, // Or_Mask
];

pub(super) const READ_SIX_WRITE_THREE: &[u8] = &[
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
fn every_exception_has_a_name() {
    for (code, name) in [
        (1, "illegal_function"),
        (2, "illegal_data_address"),
        (3, "illegal_data_value"),
        (4, "server_device_failure"),
        (5, "acknowledge"),
        (6, "server_device_busy"),
        (8, "memory_parity_error"),
        (10, "gateway_path_unavailable"),
        (11, "gateway_target_device_failed_to_respond"),
        (99, ""),
    ] {
        let mut vector = ILLEGAL_DATA_ADDRESS.to_vec();
        vector[8] = code;
        let out = decoded(&vector, TO_CLIENT);
        let error = &out.messages[0];
        assert_eq!((error.kind, error.status, error.status_name), (Kind::Error, Some(code.into()), name));
    }
}
