use super::*;
use crate::protocols::heard::{C, Heard, S, cut_everywhere, stream, takes_any};

const PORTS: [u16; 2] = [50_000, 23];
/// DO TERMINAL-TYPE, WILL ECHO.
const NEGOTIATION: (Direction, &[u8]) = (S, b"\xff\xfd\x18\xff\xfb\x01");
/// SB TERMINAL-TYPE IS xterm SE.
const TERMINAL: (Direction, &[u8]) = (C, b"\xff\xfb\x18\xff\xfa\x18\x00xterm\xff\xf0");

fn hear(segments: &[(Direction, &[u8])]) -> Heard {
    stream(probe_stream, PORTS, segments)
}

#[test]
fn logins_until_one_succeeds() {
    let heard = hear(&[
        NEGOTIATION,
        TERMINAL,
        (S, b"Ubuntu 8.04\r\nhmi-1 login: "),
        (C, b"ev"),
        (S, b"ev"),
        (C, b"\x7fva\r\0"),
        (S, b"a\r\nPassword: "),
        (C, b"s3"),
        (C, b"cret\r\0"),
        (S, b"\r\n\r\nLogin incorrect\r\nhmi-1 login: "),
        (C, b"admin\r\n"),
        (S, b"Password: "),
        (C, b"admin\r\n"),
        (S, b"\r\nLast login: yesterday\r\n$ "),
        (C, b"s3cret command\r\n"),
    ]);
    let told = [
        "login error  user.name=eva telnet.terminal_type=xterm credential.kind=password credential.default=false",
        "login ok  user.name=admin telnet.terminal_type=xterm credential.kind=password credential.default=true",
    ];
    assert_eq!((heard.lines(), heard.is_done), (told.map(String::from).to_vec(), true));
    assert_eq!(heard.activities[0].request_frame, Some(9));
    assert_eq!(heard.claimed(S, Attribute::Hostname), ["hmi-1"]);
    assert_eq!(heard.claimed(S, Attribute::OperatingSystem), ["Ubuntu Linux"]);
    assert!(!heard.tells("s3cret"));
}

#[test]
fn outcomes() {
    let cases: [(&[u8], &str); 4] = [
        (b"Access denied\r\n", "login error  credential.kind=password credential.default=false"),
        (b"\r\nrouter>", "login ok  credential.kind=password credential.default=false"),
        (b"Password:", "login error  credential.kind=password credential.default=false"),
        (b"\r\n", "login no_response  credential.kind=password credential.default=false"),
    ];
    for (answer, told) in cases {
        let segments = [(S, &b"User Access Verification\r\n\r\nPassword: "[..]), (C, b"s3cret\r\n"), (S, answer)];
        let heard = hear(&segments);
        assert_eq!(heard.lines(), [told]);
        assert_eq!(heard.claimed(S, Attribute::Vendor), ["Cisco"]);
        cut_everywhere(probe_stream, PORTS, &segments[..2]);
    }
}

#[test]
fn a_user_may_be_in_an_option() {
    let heard = hear(&[NEGOTIATION, (C, b"\xff\xfa\x27\x00\x00USER\x01eva\x00LANG\x01C\xff\xf0")]);
    assert_eq!(heard.lines(), ["connect one_way  user.name=eva"]);
    let heard = hear(&[NEGOTIATION, (C, b"\xff\xfa\x25\x03adam\xff\xf0")]);
    assert_eq!(heard.lines(), ["connect one_way  user.name=adam"]);
}

#[test]
fn what_is_telnet_and_what_is_not() {
    let cases: [(&[u8], u16, bool); 5] = [
        (b"\xff\xfd\x18", 2323, true),
        (b"\xff\xfd\xff", 2323, false),
        (b"login: ", 23, true),
        (b"login: ", 2323, false),
        (b"\xffSMB", 445, false),
    ];
    for (bytes, port, is_telnet) in cases {
        assert_eq!(stream(probe_stream, [50_000, port], &[(S, bytes)]).service == "telnet", is_telnet, "{bytes:?}");
    }
}

#[test]
fn logins_and_shells_of_bsd() {
    let cases: [(&[u8], u16, &[&str]); 4] = [
        (
            b"\0eva\0root\0xterm/38400\0",
            513,
            &["login one_way  user.name=root telnet.terminal_type=xterm user.client=eva"],
        ),
        (b"1022\0eva\0root\0cat s3cret\0", 514, &["execute one_way  user.name=root service.name=cat user.client=eva"]),
        (b"<34>Oct 11 22:14:15 host su: text\n", 514, &[]),
        (b"1022\0eva\0\0cat\0", 514, &[]),
    ];
    for (bytes, port, lines) in cases {
        let segments: [(Direction, &[u8]); 1] = [(C, bytes)];
        assert_eq!(stream(bsd::probe_stream, [1023, port], &segments).lines(), lines, "{bytes:?}");
        cut_everywhere(bsd::probe_stream, [1023, port], &segments);
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        takes_any(probe_stream, PORTS, &[NEGOTIATION, (S, b"login: ")], &bytes);
        takes_any(bsd::probe_stream, [1023, 514], &[(C, b"1022\0")], &bytes);
    }
}
