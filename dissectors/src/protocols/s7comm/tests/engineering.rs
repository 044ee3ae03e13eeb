//! Download, upload, program invocation, stop.

use super::*;

pub(super) const REQUEST_DOWNLOAD: &[u8] = &[
    0x32, 0x01, 0x00, 0x00, 0x00, 0x0E, 0x00, 0x20, 0x00, 0x00, // job 14
    0x1A, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, // request download
    0x09, b'_', b'0', b'A', b'0', b'0', b'0', b'0', b'1', b'P', // data block 1, passive
    0x0D, b'1', b'0', b'0', b'0', b'5', b'0', b'0', b'0', b'0', b'0', b'4', b'0', b'0', // 500 octets, 400 of code
];

/// The server fetches.
pub(super) const DOWNLOAD_BLOCK: &[u8] = &[
    0x32, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x12, 0x00, 0x00, // job 1 of the server
    0x1B, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, // download block
    0x09, b'_', b'0', b'A', b'0', b'0', b'0', b'0', b'1', b'P', // data block 1
];

pub(super) const DOWNLOAD_PIECE: &[u8] = &[
    0x32, 0x03, 0x00, 0x00, 0x00, 0x01, 0x00, 0x02, 0x00, 0x07, 0x00, 0x00, // answer to the server
    0x1B, 0x01, // download block, more follows
    0x00, 0x03, 0x00, 0xFB, 0x70, 0x70, 0x01, // three octets of the block
];

pub(super) const UPLOAD_STARTED: &[u8] = &[
    0x32, 0x03, 0x00, 0x00, 0x00, 0x08, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, // answer 8
    0x1D, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x07, // start upload: its number is 7
    0x07, b'0', b'0', b'0', b'0', b'2', b'1', b'6', // 216 octets
];

pub(super) const INSERT: &[u8] = &[
    0x32, 0x01, 0x00, 0x00, 0x00, 0x1E, 0x00, 0x1A, 0x00, 0x00, // job 30
    0x28, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xFD, // program invocation
    0x00, 0x0A, 0x01, 0x00, b'0', b'A', b'0', b'0', b'0', b'0', b'1', b'P', // one block
    0x05, b'_', b'I', b'N', b'S', b'E',
];

pub(super) const STOP: &[u8] = &[
    0x32, 0x01, 0x00, 0x00, 0x00, 0x35, 0x00, 0x10, 0x00, 0x00, // job 53
    0x29, 0x00, 0x00, 0x00, 0x00, 0x00, // stop
    0x09, b'P', b'_', b'P', b'R', b'O', b'G', b'R', b'A', b'M',
];

fn invocation(service: &[u8], arguments: &[u8]) -> Vec<u8> {
    let length = (11 + arguments.len() + service.len()) as u8;
    let header = [0x32, 0x01, 0, 0, 0, 1, 0, length, 0, 0, 0x28, 0, 0, 0, 0, 0, 0, 0xFD];
    [&header[..], &[0, arguments.len() as u8], arguments, &[service.len() as u8], service].concat()
}

#[test]
fn a_download_names_its_block_and_its_octets() {
    let request = asked(REQUEST_DOWNLOAD);
    assert_eq!((request.name, request.operation), ("request_download", Operation::ProgramDownload));
    assert_eq!(shapes(&request), [("block", "db", Some(1), 1, None, &[500.0, 400.0][..], "_0A00001P")]);
}

#[test]
fn the_server_of_a_download_asks_and_stays_the_server() {
    let mut session = session();
    let request = sound(&mut session, Direction::Backward, DOWNLOAD_BLOCK);
    assert_eq!((request.kind, request.from_client), (Kind::Request, false));
    let answer = sound(&mut session, Direction::Forward, DOWNLOAD_PIECE);
    assert_eq!((answer.kind, answer.from_client), (Kind::Response, true));
    assert_eq!(shapes(&answer), [("block-content", "", None, 3, None, &[][..], "")]);
}

#[test]
fn an_upload_gets_a_number() {
    let answer = sound(&mut session(), Direction::Backward, UPLOAD_STARTED);
    assert_eq!(shapes(&answer), [("upload", "", Some(7), 1, None, &[216.0][..], "")]);
}

/// Service and arguments; name, operation and words of the message.
type Invocation<'a> = (&'a [u8], &'a [u8], &'a str, Operation, &'a str);

#[test]
fn an_invocation_does_what_its_service_says() {
    let one = b"\x01\x000800001P";
    let cases: &[Invocation<'_>] = &[
        (b"_INSE", one, "activate_block", Operation::ProgramDownload, "_INSE 0800001P"),
        (b"_DELE", one, "delete_block", Operation::ProgramDownload, "_DELE 0800001P"),
        (b"P_PROGRAM", b"", "start_program", Operation::Start, "P_PROGRAM"),
        (b"P_PROGRAM", b"C ", "start_program", Operation::Start, "P_PROGRAM C"),
        (b"_MODU", b"EP", "copy_ram_to_rom", Operation::Configure, "_MODU EP"),
        (b"_N_LOGIN_", b"SUNRISE", "nc_login", Operation::Authenticate, "_N_LOGIN_"),
        (b"_OTHER", b"", "pi_service", Operation::Unknown, "_OTHER"),
    ];
    for (service, arguments, name, operation, text) in cases {
        let request = asked(&invocation(service, arguments));
        assert_eq!((request.name, request.operation), (*name, *operation));
        assert_eq!(request.text_of(&request.objects[0]), *text);
    }
}

#[test]
fn a_stop_names_the_program() {
    let request = asked(STOP);
    assert_eq!((request.name, request.operation), ("plc_stop", Operation::Stop));
    assert_eq!(shapes(&request), [("program", "", None, 1, None, &[][..], "P_PROGRAM")]);
}
