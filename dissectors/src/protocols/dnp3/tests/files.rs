//! File transfer (clause 5.3.4; annex A, group 70): opened, written in blocks, closed, deleted, refused.

use super::*;

pub(super) const OPEN_FILE: &[u8] = &[
    0xC9, // application control
    0x19, // function: open file
    0x46, 0x03, 0x5B, // file command, free format
    0x01, // count
    0x1F, 0x00, // size
    0x1A, 0x00, // name offset
    0x05, 0x00, // name size
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // time of creation
    0xFF, 0x01, // permissions: all
    b'!', b'!', b'!', b'!', // authentication key
    0x0C, 0x00, 0x00, 0x00, // file size
    0x02, 0x00, // mode: write
    0x00, 0x04, // maximum block size
    0x01, 0x00, // request identifier
    b'/', b'c', b'o', b'n', b'f', // name
];

pub(super) const FILE_OPENED: &[u8] = &[
    0xC9, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x46, 0x04, 0x5B, // file command status, free format
    0x01, // count
    0x0D, 0x00, // size
    0x15, 0xCD, 0x5B, 0x07, // file handle: 123456789
    0x0C, 0x00, 0x00, 0x00, // file size
    0x00, 0x04, // maximum block size
    0x01, 0x00, // request identifier
    0x00, // status: success
];

pub(super) const WRITE_BLOCK: &[u8] = &[
    0xCA, // application control
    0x02, // function: write
    0x46, 0x05, 0x5B, // file transport, free format
    0x01, // count
    0x0B, 0x00, // size
    0x15, 0xCD, 0x5B, 0x07, // file handle
    0x02, 0x00, 0x00, 0x80, // block 2, the last
    b'!', b'!', b'!', // data
];

pub(super) const BLOCK_REFUSED: &[u8] = &[
    0xCA, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x46, 0x06, 0x5B, // file transport status, free format
    0x01, // count
    0x09, 0x00, // size
    0x15, 0xCD, 0x5B, 0x07, // file handle
    0x02, 0x00, 0x00, 0x80, // block 2, the last
    0x14, // status: block sequence
];

pub(super) const AUTHENTICATE_FILE: &[u8] = &[
    0xCB, // application control
    0x1D, // function: authenticate file
    0x46, 0x02, 0x5B, // file authentication, free format
    0x01, // count
    0x13, 0x00, // size
    0x0C, 0x00, // user name offset
    0x03, 0x00, // user name size
    0x0F, 0x00, // password offset
    0x04, 0x00, // password size
    0x00, 0x00, 0x00, 0x00, // authentication key
    b'b', b'o', b'b', // user name
    b'!', b'!', b'!', b'!', // password
];

pub(super) const FILE_INFORMATION: &[u8] = &[
    0xCC, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x46, 0x07, 0x5B, // file descriptor, free format
    0x01, // count
    0x18, 0x00, // size
    0x14, 0x00, // name offset
    0x04, 0x00, // name size
    0x00, 0x00, // type: directory
    0x02, 0x00, 0x00, 0x00, // file size: entries
    0x87, 0xE2, 0xF5, 0x53, 0x4C, 0x01, // time of creation
    0x24, 0x01, // permissions
    0x01, 0x00, // request identifier
    b'l', b'o', b'g', b's', // name
];

pub(super) const ACTIVATE: &[u8] = &[
    0xCD, // application control
    0x1F, // function: activate configuration
    0x46, 0x08, 0x5B, // file specification string, free format
    0x01, // count
    0x07, 0x00, // size
    b'/', b'c', b'o', b'n', b'f', b' ', b'2', // name
];

pub(super) const ACTIVATED: &[u8] = &[
    0xCD, // application control
    0x81, // function: response
    0x00, 0x00, // IIN
    0x5B, 0x01, 0x5B, // active configuration, free format
    0x01, // count
    0x07, 0x00, // size
    0xE8, 0x03, 0x00, 0x00, // time delay
    0x00, // status code
    b'o', b'k', // text
];

#[test]
fn files_are_told_but_neither_their_octets_nor_passwords() {
    let cases: &[(&[u8], &str, Operation, &str)] = &[
        (OPEN_FILE, "open_file", Operation::File, "mode=write size=12 permissions=777 name=/conf"),
        (FILE_OPENED, "response", Operation::Report, "handle=123456789 size=12 block_size=1024"),
        (WRITE_BLOCK, "write", Operation::File, "handle=123456789 block=2 last octets=3"),
        (BLOCK_REFUSED, "response", Operation::Report, "handle=123456789 block=2 last"),
        (AUTHENTICATE_FILE, "authenticate_file", Operation::File, "password given user=bob"),
        (FILE_INFORMATION, "response", Operation::Report, "type=directory size=2 permissions=444 name=logs"),
        (ACTIVATE, "activate_configuration", Operation::Configure, "name=/conf 2"),
        (ACTIVATED, "response", Operation::Report, "delay=1000ms text=ok"),
    ];
    for (fragment, name, operation, words) in cases {
        let message = sound(fragment);
        assert_eq!((message.name, message.operation), (*name, *operation));
        assert_eq!((message.text_of(&message.objects[0]), message.values.len()), (*words, 0));
    }
}

#[test]
fn a_status_answers_and_refuses() {
    let opened = sound(FILE_OPENED);
    assert_eq!((opened.kind, opened.objects[0].status, opened.status), (Kind::Response, Some(0), None));
    let refused = sound(BLOCK_REFUSED);
    assert_eq!((refused.kind, refused.status, refused.status_name), (Kind::Error, Some(20), "block_sequence"));
    // A master closes a file with the same object; its status asks nothing.
    let close = [&[0xC1, 0x1A], &FILE_OPENED[4..FILE_OPENED.len() - 1], &[0x03]].concat();
    assert_eq!((sound(&close).operation, sound(&close).objects[0].status), (Operation::File, None));
}

#[test]
fn the_other_file_functions_are_operations_on_files() {
    for (function, name) in [(0x1B, "delete_file"), (0x1C, "get_file_information"), (0x1E, "abort_file")] {
        let message = sound(&[&[0xC1, function], &OPEN_FILE[2..]].concat());
        assert_eq!((message.name, message.operation), (name, Operation::File));
        assert!(message.text.ends_with("name=/conf"));
    }
}

#[test]
fn a_name_that_lies_in_a_secret_is_odd_and_is_not_told() {
    const ODD: &[OddityCode] = &[OddityCode::InvalidValue];
    let user = |fields: [u8; 8]| [&AUTHENTICATE_FILE[..8], &fields, &AUTHENTICATE_FILE[16..]].concat();
    let file = |fields: [u8; 4]| [&OPEN_FILE[..8], &fields, &OPEN_FILE[12..]].concat();
    let given = "password given user=";
    let name = "mode=write size=12 permissions=777 name=";
    // Offsets and sizes: of the user name and the password, or of the file's name.
    let cases: [(&str, Vec<u8>, &[OddityCode], &str); 11] = [
        ("as it should be", user([12, 0, 3, 0, 15, 0, 4, 0]), &[], "password given user=bob"),
        ("password first", user([16, 0, 3, 0, 12, 0, 4, 0]), &[], "password given user=!!!"),
        ("the user's name goes on", user([12, 0, 7, 0, 15, 0, 4, 0]), ODD, given),
        ("it starts in the password", user([18, 0, 1, 0, 15, 0, 4, 0]), ODD, given),
        ("the password goes on beyond the object", user([12, 0, 5, 0, 15, 0, 99, 0]), ODD, "user="),
        ("the password has no octets", user([12, 0, 7, 0, 15, 0, 0, 0]), ODD, "user="),
        ("no password", user([12, 0, 3, 0, 0, 0, 0, 0]), &[], "user=bob"),
        ("it starts in the key", user([8, 0, 7, 0, 15, 0, 4, 0]), ODD, given),
        ("no user", user([0, 0, 0, 0, 15, 0, 4, 0]), &[], given),
        ("the file's name", file([26, 0, 5, 0]), &[], "mode=write size=12 permissions=777 name=/conf"),
        ("the file's name is the key", file([12, 0, 4, 0]), ODD, name),
    ];
    for (what, fragment, odd, words) in cases {
        let out = feed_fragment(&mut Dnp3::default(), &fragment);
        assert_eq!((codes_of(&out).as_slice(), out.messages[0].text.as_str()), (odd, words), "{what}");
        for (_, oddity) in &out.oddities {
            assert_eq!((oddity.layer, oddity.offset), ("dnp3-application", 8), "{what}");
        }
    }
}

#[test]
fn a_name_beyond_its_object_is_empty() {
    let mut beyond = OPEN_FILE.to_vec();
    beyond[8] = 0xFF; // name offset
    assert_eq!(sound(&beyond).text, "mode=write size=12 permissions=777 name=");
}
