use super::*;
use crate::protocols::heard::Said;
use crate::protocols::heard::{C, Heard, S, cut_everywhere, stream, takes_any};

const PORTS: [u16; 2] = [50_000, 21];
const HELLO: (Direction, &[u8]) = (S, b"220-Welcome\r\n220 (vsFTPd 3.0.3)\r\n");

fn hear(segments: &[(Direction, &[u8])]) -> Heard {
    stream(probe_stream, PORTS, segments)
}

#[test]
fn a_login_and_files() {
    let segments: &[(Direction, &[u8])] = &[
        HELLO,
        (C, b"USER eva\r\n"),
        (S, b"331 Please specify the password.\r\n"),
        (C, b"PASS s3cret\r\n"),
        (S, b"530 Login incorrect.\r\n"),
        (C, b"USER admin\r\n"),
        (S, b"331 Password?\r\n"),
        (C, b"PASS admin\r\n"),
        (S, b"230-Hello\r\n 331 not a reply\r\n230 Logged in\r\n"),
        (C, b"SYST\r\n"),
        (S, b"215 UNIX Type: L8 VxWorks\r\n"),
        (C, b"STOR prog.bin\r\n"),
        (S, b"150 Here it comes\r\n"),
        (S, b"226 Done\r\n"),
        (C, b"RNFR a\r\nRNTO b\r\n"),
        (S, b"350 Ready\r\n250 Renamed\r\n"),
        (C, b"SITE PSWD s3cret s3cret\r\n"),
        (S, b"200 OK\r\n"),
        (C, b"DELE c\r\n"),
    ];
    let heard = hear(segments);
    let told = [
        "login error 530 user.name=eva service.banner=Welcome (vsFTPd 3.0.3) credential.kind=password credential.default=false",
        "login ok 230 user.name=admin service.banner=Welcome (vsFTPd 3.0.3) credential.kind=password credential.default=true",
        "store ok 226 file.action=store file.name=prog.bin",
        "rename ok 250 file.action=rename file.name=a file.new_name=b",
        "site ok 200 file.action=site file.name=PSWD",
        "delete no_response  file.action=delete file.name=c",
    ];
    assert_eq!(heard.lines(), told);
    assert_eq!(heard.claimed(S, Attribute::OperatingSystem), ["VxWorks"]);
    assert!(!heard.tells("s3cret"));
    cut_everywhere(probe_stream, PORTS, segments);
}

#[test]
fn where_the_octets_of_a_file_go_is_expected() {
    let cases: &[(Said, Option<(Direction, u16)>)] = &[
        (&[(C, b"PORT 10,0,0,1,195,80\r\n")], Some((C, 50_000))),
        (&[(C, b"PORT 10,0,0,1,195\r\n")], None),
        (&[(C, b"PORT 10,0,0,1,195,80,1\r\n")], None),
        (&[(C, b"PORT 10,0,0,1,195,256\r\n")], None),
        (&[(C, b"PORT 10,0,0,1,0,0\r\n")], None),
        (&[(C, b"EPRT |1|10.0.0.1|50000|\r\n")], Some((C, 50_000))),
        (&[(C, b"EPRT !2!fd00::1!50000!\r\n")], Some((C, 50_000))),
        (&[(C, b"EPRT |1|10.0.0.1|70000|\r\n")], None),
        (&[(C, b"PASV\r\n"), (S, b"227 Entering Passive Mode (10,0,0,2,195,80).\r\n")], Some((S, 50_000))),
        (&[(C, b"PASV\r\n"), (S, b"227 10,0,0,2,195,80\r\n")], Some((S, 50_000))),
        (&[(C, b"PASV\r\n"), (S, b"227 Some day\r\n")], None),
        (&[(C, b"EPSV\r\n"), (S, b"229 Extended Passive Mode (|||50000|)\r\n")], Some((S, 50_000))),
        (&[(C, b"EPSV\r\n"), (S, b"229 (|||)\r\n")], None),
        (&[(C, b"EPSV\r\n"), (S, b"500 (|||50000|)\r\n")], None),
    ];
    for (segments, expected) in cases {
        let segments = [&[HELLO], *segments].concat();
        let expected = expected.map(|(listener, port)| Expected { listener, port, service: "ftp-data" });
        assert_eq!(hear(&segments).expected, Vec::from_iter(expected), "{segments:?}");
        cut_everywhere(probe_stream, PORTS, &segments);
    }
}

#[test]
fn what_follows_the_start_of_tls_is_not_listened_to() {
    let heard = hear(&[HELLO, (C, b"AUTH TLS\r\n"), (S, b"234 Go\r\n"), (C, b"USER eva\r\n")]);
    assert_eq!((heard.lines(), heard.is_done), (vec!["start_tls ok 234".to_string()], true));
}

#[test]
fn it_is_recognised_on_any_port() {
    let cases: [(Said, [u16; 2], bool); 7] = [
        (&[HELLO, (C, b"USER eva\r\n")], PORTS, true),
        (&[HELLO], [50_000, 2121], true),
        (&[(S, b"220 hello\r\n"), (C, b"USER eva\r\n")], [50_000, 2121], true),
        (&[(S, b"220 hello\r\n"), (C, b"EHLO eva\r\n")], [50_000, 2121], false),
        (&[(S, b"220 mail ESMTP\r\n"), (C, b"EHLO eva\r\n")], [50_000, 2121], false),
        (&[(C, b"USER eva\r\n")], [50_000, 110], false),
        (&[(C, b"USER eva\r\n"), (S, b"331 who\r\n")], PORTS, true),
    ];
    for (segments, ports, is_ftp) in cases {
        assert_eq!(stream(probe_stream, ports, segments).service == "ftp", is_ftp, "{segments:?}");
    }
}

#[test]
fn anonymous_users_have_no_password() {
    let heard = hear(&[HELLO, (C, b"USER anonymous\r\nPASS s3cret@x\r\n"), (S, b"331 \r\n230 \r\n")]);
    assert_eq!(
        heard.lines(),
        ["login ok 230 user.name=anonymous service.banner=Welcome (vsFTPd 3.0.3) credential.kind=password"]
    );
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        takes_any(probe_stream, PORTS, &[HELLO], &bytes);
    }
}

#[test]
fn a_greeting_that_every_server_says_names_no_product() {
    for (greeting, products) in [("FTP server ready.", &[][..]), ("(vsFTPd 3.0.3)", &["(vsFTPd 3.0.3)"])] {
        let hello = format!("220 {greeting}\r\n");
        let heard = hear(&[(S, hello.as_bytes()), (C, b"USER eva\r\n"), (S, b"331 Password?\r\n")]);
        assert_eq!(heard.claimed(S, Attribute::Software), products);
    }
}
