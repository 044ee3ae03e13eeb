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

pub(super) const READ_EXCEPTION_STATUS: &[u8] = &[
    0x00, 0x1E, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x02, // length
    0x01, // unit identifier
    0x07, // function: read exception status
];

pub(super) const EXCEPTION_STATUS: &[u8] = &[
    0x00, 0x1E, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x03, // length
    0x01, // unit identifier
    0x07, // function: read exception status
    0x6D, // output data
];

pub(super) const GET_EVENT_COUNTER: &[u8] = &[
    0x00, 0x1F, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x02, // length
    0x01, // unit identifier
    0x0B, // function: get comm event counter
];

pub(super) const EVENT_COUNTER: &[u8] = &[
    0x00, 0x1F, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x06, // length
    0x01, // unit identifier
    0x0B, // function: get comm event counter
    0xFF, 0xFF, // status: still busy
    0x01, 0x08, // event count
];

pub(super) const READ_FIFO_QUEUE: &[u8] = &[
    0x00, 0x15, // transaction identifier
    0x00, 0x00, // protocol identifier
    0x00, 0x04, // length
    0x01, // unit identifier
    0x18, // function: read FIFO queue
    0x04, 0xDE, // FIFO pointer address 1246
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

#[test]
fn every_diagnostic_has_a_name_and_an_operation() {
    for (sub_function, name, operation) in [
        (0, "return_query_data", Operation::Diagnose),
        (1, "restart_communications_option", Operation::Restart),
        (2, "return_diagnostic_register", Operation::Diagnose),
        (3, "change_ascii_input_delimiter", Operation::Configure),
        (4, "force_listen_only_mode", Operation::Mode),
        (10, "clear_counters_and_diagnostic_register", Operation::Configure),
        (11, "return_bus_message_count", Operation::Diagnose),
        (12, "return_bus_communication_error_count", Operation::Diagnose),
        (13, "return_bus_exception_error_count", Operation::Diagnose),
        (14, "return_server_message_count", Operation::Diagnose),
        (15, "return_server_no_response_count", Operation::Diagnose),
        (16, "return_server_nak_count", Operation::Diagnose),
        (17, "return_server_busy_count", Operation::Diagnose),
        (18, "return_bus_character_overrun_count", Operation::Diagnose),
        (20, "clear_overrun_counter_and_flag", Operation::Configure),
        (99, "", Operation::Diagnose),
    ] {
        let mut vector = FORCE_LISTEN_ONLY.to_vec();
        vector[9] = sub_function;
        for direction in [TO_SERVER, TO_CLIENT] {
            let out = decoded(&vector, direction);
            let message = &out.messages[0];
            assert_eq!((message.text_of(&message.objects[0]), message.operation), (name, operation));
        }
    }
}

#[test]
fn a_restart_has_one_of_two_values() {
    for (value, expected) in [(0x0000u16, vec![]), (0xFF00, vec![]), (0x0001, vec![OddityCode::InvalidValue])] {
        let mut vector = FORCE_LISTEN_ONLY.to_vec();
        vector[9] = 1;
        vector[10..12].copy_from_slice(&value.to_be_bytes());
        assert_eq!(oddities(&decoded(&vector, TO_SERVER)), expected, "{value:#06x}");
    }
}

#[test]
fn states_counters_and_queues_carry_their_words() {
    for (request, response, expected) in [
        (READ_EXCEPTION_STATUS, EXCEPTION_STATUS, ("exception-status", None, 1, &[109.0][..])),
        (GET_EVENT_COUNTER, EVENT_COUNTER, ("comm-event-counter", None, 1, &[65535.0, 264.0][..])),
        (READ_FIFO_QUEUE, FIFO_QUEUE, ("fifo-queue", Some(1246), 1, &[440.0, 4740.0][..])),
    ] {
        let out = last_of(&mut session(), &[(request, TO_SERVER), (response, TO_CLIENT)]);
        assert_eq!((objects(&out.messages[0]), oddities(&out)), (vec![expected], vec![]));
    }
    let out = decoded(EVENT_LOG, TO_CLIENT);
    let log = ("comm-event-log", None, 1, &[0.0, 264.0, 289.0, 32.0, 0.0][..]);
    assert_eq!((objects(&out.messages[0]), oddities(&out)), (vec![log], vec![]));
}

#[test]
fn records_and_queues_have_bounds() {
    let mut file_0 = WRITE_FILE_RECORD.to_vec();
    file_0[11] = 0;
    let mut record_10_000 = WRITE_FILE_RECORD.to_vec();
    record_10_000[12..14].copy_from_slice(&10_000u16.to_be_bytes());
    let queue = [
        &[0x00, 0x15, 0x00, 0x00, 0x00, 0x46, 0x01, 0x18][..], // as FIFO_QUEUE
        &[0x00, 0x42],                                         // byte count
        &[0x00, 0x20],                                         // FIFO count: 32
        &[0; 64],
    ]
    .concat();
    for (vector, direction) in [(&file_0, TO_SERVER), (&record_10_000, TO_SERVER), (&queue, TO_CLIENT)] {
        assert_eq!(oddities(&decoded(vector, direction)), [OddityCode::InvalidValue], "{vector:02x?}");
    }
}

#[test]
fn a_written_record_is_repeated() {
    let mut other = WRITE_FILE_RECORD.to_vec();
    other[13] = 8;
    for (response, expected) in [(WRITE_FILE_RECORD, vec![]), (&other, vec![OddityCode::Mismatch])] {
        let out = last_of(&mut session(), &[(WRITE_FILE_RECORD, TO_SERVER), (response, TO_CLIENT)]);
        assert_eq!(oddities(&out), expected);
    }
}
