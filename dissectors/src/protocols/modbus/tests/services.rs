//! Diagnostics, files, queues, and functions that no standard names.

use super::*;

pub(super) const FORCE_LISTEN_ONLY: &[u8] = &[
    0x00, 0x12, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x08, // function: diagnostics
    0x00, 0x04, // sub-function: force listen only mode
    0x00, 0x00, // data
];

pub(super) const READ_TWO_FILE_RECORDS: &[u8] = &[
    0x00, 0x13, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x11, // length
    0x01, // unit identifier
    0x14, // function: read file record
    0x0E, // byte count
    0x06, 0x00, 0x04, 0x00, 0x01, 0x00, 0x02, // reference type, file 4, record 1, 2 registers
    0x06, 0x00, 0x03, 0x00, 0x09, 0x00, 0x02, // reference type, file 3, record 9, 2 registers
];

pub(super) const TWO_FILE_RECORDS: &[u8] = &[
    0x00, 0x13, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x0F, // length
    0x01, // unit identifier
    0x14, // function: read file record
    0x0C, // response data length
    0x05, 0x06, 0x0D, 0xFE, 0x00, 0x20, // length, reference type, 2 registers
    0x05, 0x06, 0x33, 0xCD, 0x00, 0x40, // length, reference type, 2 registers
];

pub(super) const WRITE_FILE_RECORD: &[u8] = &[
    0x00, 0x14, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x0E, // length
    0x01, // unit identifier
    0x15, // function: write file record
    0x0B, // request data length
    0x06, 0x00, 0x04, 0x00, 0x07, 0x00, 0x02, // reference type, file 4, record 7, 2 registers
    0x06, 0xAF, 0x04, 0xBE, // record data
];

pub(super) const FIFO_QUEUE: &[u8] = &[
    0x00, 0x15, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x0A, // length
    0x01, // unit identifier
    0x18, // function: read FIFO queue
    0x00, 0x06, // byte count
    0x00, 0x02, // FIFO count
    0x01, 0xB8, 0x12, 0x84, // FIFO values
];

pub(super) const EVENT_LOG: &[u8] = &[
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

pub(super) const FUNCTION_0: &[u8] = &[
    0x00, 0x1A, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x00, // function
    0x00, 0x00, 0x00, 0x00, // data
];

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
