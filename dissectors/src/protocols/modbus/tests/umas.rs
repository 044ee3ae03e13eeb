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
