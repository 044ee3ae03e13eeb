//! Files read and written, as octets and as records; virtual terminals.

use super::*;

pub(super) const ATOMIC_READ_FILE: &[u8] = &[
    0x00, 0x05, 0x06, 0x06, // Confirmed-Request, invoke id 6, AtomicReadFile
    0xC4, 0x02, 0x80, 0x00, 0x01, // file 1
    0x0E, // [0] stream access {
    0x31, 0x00, // start position 0
    0x22, 0x01, 0xB8, // 440 octets
    0x0F, // }
];

pub(super) const ATOMIC_READ_FILE_ACK: &[u8] = &[
    0x30, 0x06, 0x06, // Complex-ACK, invoke id 6, AtomicReadFile
    0x11, // end of file
    0x1E, // [1] record access {
    0x31, 0x0E, // start record 14
    0x21, 0x02, // 2 records
    0x62, 0xAA, 0xBB, // first record
    0x61, 0xCC, // second record
    0x1F, // }
];

pub(super) const ATOMIC_WRITE_FILE: &[u8] = &[
    0x00, 0x02, 0x55, 0x07, // Confirmed-Request, invoke id 85, AtomicWriteFile
    0xC4, 0x02, 0x80, 0x00, 0x01, // file 1
    0x0E, // [0] stream access {
    0x31, 0xFF, // start position -1: append
    0x63, 0xAA, 0xBB, 0xCC, // 3 octets
    0x0F, // }
];

pub(super) const ATOMIC_WRITE_FILE_ACK: &[u8] = &[
    0x30, 0x55, 0x07, // Complex-ACK, invoke id 85, AtomicWriteFile
    0x09, 0x1E, // [0] start position 30
];

pub(super) const VT_OPEN: &[u8] = &[
    0x00, 0x02, 0x50, 0x15, // Confirmed-Request, invoke id 80, VT-Open
    0x91, 0x01, // ANSI X3.64
    0x21, 0x05, // local session 5
];

pub(super) const VT_OPEN_ACK: &[u8] = &[
    0x30, 0x50, 0x15, // Complex-ACK, invoke id 80, VT-Open
    0x21, 0x1D, // remote session 29
];

pub(super) const VT_DATA: &[u8] = &[
    0x00, 0x02, 0x51, 0x17, // Confirmed-Request, invoke id 81, VT-Data
    0x21, 0x05, // session 5
    0x65, 0x07, b'h', b'u', b'n', b't', b'e', b'r', b'2', // new data
    0x21, 0x00, // data flag 0
];

pub(super) const VT_DATA_ACK: &[u8] = &[
    0x30, 0x51, 0x17, // Complex-ACK, invoke id 81, VT-Data
    0x09, 0x00, // [0] not all accepted
    0x19, 0x03, // [1] 3 octets accepted
];

pub(super) const VT_CLOSE: &[u8] = &[
    0x00, 0x02, 0x52, 0x16, // Confirmed-Request, invoke id 82, VT-Close
    0x21, 0x1D, // session 29
    0x21, 0x1E, // session 30
];

/// APDU, instance of the file, access method and numbers.
type Case = (&'static [u8], Option<u32>, &'static str, &'static [f64]);

#[test]
fn files_are_named_and_measured_but_not_kept() {
    let vectors: &[Case] = &[
        (ATOMIC_READ_FILE, Some(1), "stream", &[0.0, 440.0]),
        (ATOMIC_READ_FILE_ACK, None, "record", &[14.0, 2.0]),
        (ATOMIC_WRITE_FILE, Some(1), "stream", &[-1.0, 3.0]),
        (ATOMIC_WRITE_FILE_ACK, None, "stream", &[30.0]),
    ];
    for (apdu, instance, access, numbers) in vectors {
        let message = message(&unicast(apdu));
        assert_eq!((message.operation, message.objects[0].kind), (Operation::File, "file"));
        assert_eq!(
            (message.objects[0].start, message.text.as_str(), &message.values[..]),
            (*instance, *access, *numbers)
        );
    }
}

#[test]
fn a_terminal_is_a_session_and_what_is_typed_is_not_kept() {
    for (apdu, sessions) in [(VT_OPEN, &[5][..]), (VT_OPEN_ACK, &[29]), (VT_DATA, &[5]), (VT_CLOSE, &[29, 30])] {
        let message = message(&unicast(apdu));
        assert_eq!(message.operation, Operation::Session);
        assert_eq!(message.objects.iter().filter_map(|object| object.start).collect::<Vec<_>>(), sessions);
        assert_eq!(message.text, "");
    }
    assert_eq!(message(&unicast(VT_DATA_ACK)).objects.len(), 0);
}
