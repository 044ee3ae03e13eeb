//! Schneider Electric's function 90.

use super::*;

pub(super) const UMAS_STOP: &[u8] = &[
    0x00, 0x19, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x00, // unit identifier
    0x5A, // function: UMAS
    0x3C, // session key
    0x41, // stop PLC
    0xFF, 0x00, // data
];

pub(super) const UMAS_READ_ID: &[u8] = &[
    0x00, 0x1B, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x04, // length
    0x00, // unit identifier
    0x5A, // function: UMAS
    0x00, // session key
    0x02, // read id
];

pub(super) const UMAS_ID: &[u8] = &[
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

pub(super) const UMAS_REFUSED: &[u8] = &[
    0x00, 0x19, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x05, // length
    0x00, // unit identifier
    0x5A, // function: UMAS
    0x3C, // session key
    0xFD, // error
    0x81, // data
];

pub(super) const UMAS_SIGNED_STOP: &[u8] = &[
    0x00, 0x1C, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x2A, // length
    0x00, // unit identifier
    0x5A, // function: UMAS
    0x3C, // session key
    0x38, 0x01, // signed
    0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, // signature
    0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, //
    0x5A, // function: UMAS
    0x3C, // session key
    0x41, // stop PLC
    0xFF, 0x00, // data
];

pub(super) const UMAS_SIGNED_REFUSAL: &[u8] = &[
    0x00, 0x1C, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x29, // length
    0x00, // unit identifier
    0x5A, // function: UMAS
    0x3C, // session key
    0x38, 0x01, // signed
    0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33, // signature
    0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, //
    0x5A, // function: UMAS
    0x3C, // session key
    0xFD, // error
    0x81, // data
];

#[test]
fn a_signed_message_is_the_one_behind_its_signature() {
    let mut session = session();
    let out = last_of(&mut session, &[(UMAS_SIGNED_STOP, TO_SERVER)]);
    let stop = &out.messages[0];
    assert_eq!((stop.operation, stop.objects[0].type_number), (Operation::Stop, Some(0x41)));
    assert_eq!((stop.objects[0].property_name, stop.text_of(&stop.objects[0])), ("signed", "stop_plc"));
    let out = last_of(&mut session, &[(UMAS_SIGNED_REFUSAL, TO_CLIENT)]);
    let refused = &out.messages[0];
    assert_eq!((refused.kind, refused.operation, refused.from_client), (Kind::Error, Operation::Stop, false));
    assert_eq!(refused.objects[0].status, Some(0xFD));
    assert!(out.oddities.is_empty());
}

#[test]
fn umas_functions_are_operations() {
    for (function, name, operation) in [
        (0x10, "take_plc_reservation", Operation::Session),
        (0x11, "release_plc_reservation", Operation::Session),
        (0x20, "read_memory_block", Operation::Read),
        (0x21, "write_memory_block", Operation::Write),
        (0x22, "read_variables", Operation::Read),
        (0x23, "write_variables", Operation::Write),
        (0x25, "write_coils_registers", Operation::Write),
        (0x29, "write_physical_address", Operation::Write),
        // What UMAS calls an upload goes into the controller.
        (0x30, "initialize_upload", Operation::ProgramDownload),
        (0x31, "upload_block", Operation::ProgramDownload),
        (0x34, "download_block", Operation::ProgramUpload),
        (0x40, "start_plc", Operation::Start),
        (0x41, "stop_plc", Operation::Stop),
        (0x6E, "reservation_nonces", Operation::Authenticate),
        (0x71, "write_io_object", Operation::Write),
        (0xAA, "", Operation::Unknown),
    ] {
        let mut vector = UMAS_STOP.to_vec();
        vector[9] = function;
        let out = decoded(&vector, TO_SERVER);
        let message = &out.messages[0];
        assert_eq!((message.operation, message.text_of(&message.objects[0])), (operation, name), "{function:#04x}");
        assert_eq!(message.objects[0].type_number, Some(function.into()));
    }
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
