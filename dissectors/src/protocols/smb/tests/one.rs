//! Messages of version 1.

use super::*;

/// A message of version 1: blocks of a command, parameters and data, chained.
pub fn one(is_reply: bool, status: u32, blocks: &[(u8, Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let reply = u8::from(is_reply) << 7;
    let head = [b"\xffSMB", &[blocks[0].0][..], &status.to_le_bytes(), &[reply, 1, 0xc0], &[0; 12]].concat();
    let mut message = [&head[..], &[5, 0, 1, 0, 9, 0, 3, 0]].concat();
    for (place, (_, words, data)) in blocks.iter().enumerate() {
        let mut words = words.clone();
        let size = 1 + words.len() + 2 + data.len();
        if let (Some((next, ..)), Some(start)) = (blocks.get(place + 1), words.get_mut(..4)) {
            let at = le16(message.len() + size);
            start.copy_from_slice(&[*next, 0, at[0], at[1]]);
        }
        message.push((words.len() / 2) as u8);
        message.extend_from_slice(&words);
        message.extend_from_slice(&le16(data.len()));
        message.extend_from_slice(data);
    }
    message
}

const NO_MORE: [u8; 4] = [0xff, 0, 0, 0];

pub fn one_negotiated(mode: u8) -> [(Direction, Vec<u8>); 2] {
    let offered = b"\x02PC NETWORK PROGRAM 1.0\0\x02NT LM 0.12\0".to_vec();
    let words = [&[1, 0, mode][..], &[0; 30], &[8]].concat();
    let names = [b"CHALLENG".to_vec(), wide("PLANT\0"), wide("HMI1\0")].concat();
    [(TO, one(false, 0, &[(0x72, vec![], offered)])), (FROM, one(true, 0, &[(0x72, words, names)]))]
}

/// A login with responses or passwords of these lengths, and the connection to a share in the same message.
pub fn one_setup(oem: &[u8], unicode: &[u8]) -> Vec<u8> {
    let words = [&NO_MORE[..], &[0; 10], &le16(oem.len()), &le16(unicode.len()), &[0; 8]].concat();
    let texts = ["eva\0", "PLANT\0", "Windows 5.1\0", "Windows 2000 LAN Manager\0"].map(wide).concat();
    // Texts start at an even place: 61 octets are before the data.
    let padding = vec![0; (61 + oem.len() + unicode.len()) % 2];
    let setup = [oem, unicode, &padding, &texts].concat();
    let at = 32 + 1 + words.len() + 2 + setup.len() + 1 + 8 + 2 + 1;
    let share = [&vec![0; 1 + at % 2][..], &wide("\\\\HMI1\\IPC$\0"), b"?????\0"].concat();
    one(false, 0, &[(0x73, words, setup), (0x75, [&NO_MORE[..], &[0, 0, 1, 0]].concat(), share)])
}

pub fn one_setup_response(status: u32) -> Vec<u8> {
    // 41 octets are before the data, then one of padding.
    let texts = ["Windows Server 2003 3790\0", "Windows Server 2003 5.2\0", "PLANT\0"].map(wide).concat();
    let texts = [&[0][..], &texts].concat();
    let words = [&NO_MORE[..], &[0, 0]].concat();
    let mut blocks = vec![(0x73, words, texts)];
    if status == 0 {
        blocks.push((0x75, [&NO_MORE[..], &[1, 0]].concat(), b"IPC\0\0".to_vec()));
    } else {
        blocks[0] = (0x73, vec![], vec![]);
    }
    one(true, status, &blocks)
}

#[test]
fn version_1_logs_in_and_connects_in_one_message() {
    let [ask, answer] = one_negotiated(3);
    let setup = (TO, one_setup(&[1; 24], &[2; 24]));
    let out = conversation(&[ask, answer, setup, (FROM, one_setup_response(0))]);
    assert_eq!(
        told(&out),
        [("negotiate", Status::Ok, ""), ("logon", Status::Ok, ""), ("tree_connect", Status::Ok, "")]
    );
    let [negotiate, logon, share] = &out.activities[..] else { panic!("three") };
    assert_eq!((field(negotiate, Field::SmbDialect), field(negotiate, Field::SmbSigning)), ("NT LM 0.12", "disabled"));
    assert_eq!((field(logon, Field::UserName), field(logon, Field::NtlmVersion)), ("eva", "NTLMv1"));
    assert_eq!(field(logon, Field::CredentialKind), "");
    assert_eq!((field(share, Field::SmbShare), field(share, Field::SmbShareKind)), (r"\\HMI1\IPC$", "pipe"));
    let claims: Vec<_> = out.claims.iter().map(|(_, claim)| (claim.attribute, &*claim.value)).collect();
    let expected = [
        (Attribute::Domain, "PLANT"),
        (Attribute::Hostname, "HMI1"),
        (Attribute::User, "PLANT\\eva"),
        (Attribute::OperatingSystem, "Windows 5.1"),
        (Attribute::Software, "Windows 2000 LAN Manager"),
        (Attribute::OperatingSystem, "Windows Server 2003 3790"),
        (Attribute::Software, "Windows Server 2003 5.2"),
        (Attribute::Domain, "PLANT"),
    ];
    assert_eq!(claims, expected);
}

#[test]
fn version_1_with_a_password_as_it_is() {
    for (password, is_known) in [(&b"siemens\0"[..], "true"), (b"correct horse\0", "false")] {
        let [ask, answer] = one_negotiated(1);
        let setup = (TO, one_setup(password, &[]));
        let out = conversation(&[ask, answer, setup, (FROM, one_setup_response(0xc000_006d))]);
        let logon = &out.activities[1];
        assert_eq!(
            (field(logon, Field::CredentialKind), field(logon, Field::CredentialDefault)),
            ("password", is_known)
        );
        assert_eq!((logon.status, &*logon.code), (Status::Error, "STATUS_LOGON_FAILURE"));
        assert!(!format!("{:?}", out.activities).contains("horse"));
    }
}

#[test]
fn version_1_opens_reads_and_calls() {
    let ([bind, _], [bound, _]) = (calls(), answers());
    let [ask, answer] = one_negotiated(3);
    let name = [&[0][..], &wide("\\svcctl\0")].concat();
    let create = [&NO_MORE[..], &[0; 44]].concat();
    let created = [&NO_MORE[..], &[0, 7, 0, 1, 0, 0, 0], &[0; 57]].concat();
    let transact = |data: &[u8]| {
        // Sixteen words, two octets of data length, then the data.
        let at = le16(32 + 1 + 32 + 2);
        let counts = [&[0; 18][..], &[0; 4], &le16(data.len()), &at, &[2, 0], &[0x26, 0, 7, 0]].concat();
        one(false, 0, &[(0x25, counts, data.to_vec())])
    };
    let transacted = |data: &[u8]| {
        let words = [&[0; 12][..], &le16(data.len()), &le16(32 + 1 + 20 + 2), &[0; 4]].concat();
        one(true, 0, &[(0x25, words, data.to_vec())])
    };
    let out = conversation(&[
        ask,
        answer,
        (TO, one_setup(&[1; 24], &[2; 24])),
        (FROM, one_setup_response(0)),
        (TO, one(false, 0, &[(0xa2, create, name)])),
        (FROM, one(true, 0, &[(0xa2, created, vec![])])),
        (TO, transact(&bind)),
        (FROM, transacted(&bound)),
        (TO, one(false, 0, &[(0x06, vec![0; 2], [&[4][..], &wide("\\old.txt\0")].concat())])),
        (FROM, one(true, 0xc000_0022, &[(0x06, vec![], vec![])])),
        (TO, one(false, 0, &[(0x04, vec![7, 0, 0, 0, 0, 0], vec![])])),
        (FROM, one(true, 0, &[(0x04, vec![], vec![])])),
    ]);
    let expected =
        [("open_pipe", Status::Ok, ""), ("bind", Status::Ok, ""), ("delete", Status::Error, "STATUS_ACCESS_DENIED")];
    assert_eq!(told(&out)[3..], expected);
    assert_eq!(field(&out.activities[5], Field::FileName), "\\old.txt");
}

#[test]
fn a_pipe_is_known_though_its_share_was_connected_to_before() {
    let ([bind, _], [bound, _]) = (calls(), answers());
    let of_two = [
        (TO, create(4, "svcctl")),
        (FROM, created(4, 1)),
        (TO, write(5, &bind)),
        (FROM, written(5)),
        (TO, read(6)),
        (FROM, read_response(6, &bound)),
    ];
    // Version 2 does not say what was opened: only what is written does.
    let out = conversation(&of_two);
    assert_eq!(told(&out), [("open", Status::Ok, ""), ("bind", Status::Ok, "")]);
    let name = [&[0][..], &wide("\\svcctl\0")].concat();
    for (resource_type, action) in [(0, "open"), (1, "open_pipe"), (2, "open_pipe"), (3, "open")] {
        let created = [&NO_MORE[..], &[0, 7, 0, 1, 0, 0, 0], &[0; 52], &[resource_type, 0, 0, 0, 0]].concat();
        let out = conversation(&[
            (TO, one(false, 0, &[(0xa2, [&NO_MORE[..], &[0; 44]].concat(), name.clone())])),
            (FROM, one(true, 0, &[(0xa2, created, vec![])])),
        ]);
        assert_eq!(told(&out), [(action, Status::Ok, "")]);
    }
}
