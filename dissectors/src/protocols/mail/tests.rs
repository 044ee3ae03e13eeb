use super::*;
use crate::model::Attribute;
use crate::protocols::heard::{C, Heard, S, cut_everywhere, stream, takes_any};
use crate::registry::Recognise;
use crate::session::Direction;

type Segments<'a> = &'a [(Direction, &'a [u8])];

fn hear(recognise: Recognise, port: u16, segments: Segments<'_>) -> Heard {
    let heard = stream(recognise, [50_000, port], segments);
    assert!(!heard.tells("s3cret"), "{heard:?}");
    cut_everywhere(recognise, [50_000, port], segments);
    heard
}

#[test]
fn a_mail_is_handed_in() {
    let segments: Segments<'_> = &[
        (S, b"220 mail.plant.example ESMTP Postfix (Ubuntu)\r\n"),
        (C, b"EHLO historian\r\n"),
        (S, b"250-mail.plant.example\r\n250 AUTH PLAIN LOGIN\r\n"),
        // \0eva\0s3cret, then with another password
        (C, b"AUTH PLAIN AGV2YQBzM2NyZXQ=\r\n"),
        (S, b"535 No\r\n"),
        (C, b"AUTH LOGIN\r\n"),
        (S, b"334 VXNlcm5hbWU6\r\n"),
        (C, b"ZXZh\r\n"),
        (S, b"334 UGFzc3dvcmQ6\r\n"),
        (C, b"ZXZh\r\n"),
        (S, b"235 OK\r\n"),
        (C, b"MAIL FROM:<eva@plant.example> SIZE=9\r\nRCPT TO:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n"),
        (S, b"250 OK\r\n250 OK\r\n250 OK\r\n354 Go on\r\n"),
        (C, b"Subject: s3cret\r\n\r\nMAIL FROM:<s3cret>\r\n..\r\n.\r\n"),
        (S, b"250 Queued\r\n"),
        (C, b"MAIL FROM:<>\r\n"),
        (S, b"451 Later\r\n"),
        (C, b"STARTTLS\r\n"),
        (S, b"220 Go\r\n"),
        (C, b"MAIL FROM:<x>\r\n"),
    ];
    let heard = hear(smtp::probe_stream, 25, segments);
    let told = [
        "hello ok 250 smtp.helo=historian service.banner=mail.plant.example ESMTP Postfix (Ubuntu)",
        "login error 535 email.authentication=plain user.name=eva credential.kind=password credential.default=false",
        "login ok 235 email.authentication=login user.name=eva credential.kind=password credential.default=true",
        "mail ok 250 email.from=eva@plant.example email.to=a@x.example email.to=b@x.example",
        "mail error 451",
        "start_tls ok 220",
    ];
    assert_eq!((heard.lines(), heard.is_done), (told.map(String::from).to_vec(), true));
    assert_eq!(heard.claimed(S, Attribute::Hostname), ["mail.plant.example"]);
    assert_eq!(heard.claimed(S, Attribute::OperatingSystem), ["Ubuntu Linux"]);
    assert_eq!(heard.claimed(C, Attribute::Hostname), ["historian"]);
}

#[test]
fn mail_is_fetched() {
    let hello: (Direction, &[u8]) = (S, b"+OK POP3 Dovecot ready <7@x>\r\n");
    let cases: [(Segments<'_>, &str); 4] = [
        (
            &[
                (C, b"USER eva\r\n"),
                (S, b"+OK\r\n"),
                (C, b"PASS s3cret\r\n"),
                (S, b"+OK 2 messages\r\n"),
                (C, b"RETR 1\r\n"),
            ],
            "login ok  email.authentication=login user.name=eva credential.kind=password credential.default=false",
        ),
        (
            &[(C, b"APOP eva 0123s3cret\r\n"), (S, b"-ERR\r\n")],
            "login error  email.authentication=apop user.name=eva credential.kind=digest",
        ),
        (
            &[(C, b"AUTH PLAIN\r\n"), (S, b"+ \r\n"), (C, b"AGV2YQBzM2NyZXQ=\r\n"), (S, b"+OK\r\n")],
            "login ok  email.authentication=plain user.name=eva credential.kind=password credential.default=false",
        ),
        (&[(C, b"STLS\r\n"), (S, b"+OK\r\n")], "start_tls ok "),
    ];
    for (segments, told) in cases {
        let heard = hear(pop3::probe_stream, 1110, &[&[hello], segments].concat());
        assert_eq!(heard.lines(), [told]);
        assert_eq!(heard.claimed(S, Attribute::Software), ["POP3 Dovecot ready"]);
    }
}

#[test]
fn mail_is_read() {
    let hello: (Direction, &[u8]) = (S, b"* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n");
    let cases: [(Segments<'_>, &str); 5] = [
        (
            &[(C, b"a1 LOGIN \"eva\" \"s3cret\"\r\n"), (S, b"* CAPABILITY IMAP4rev1\r\na1 OK Logged in\r\n")],
            "login ok OK email.authentication=login user.name=eva credential.kind=password credential.default=false",
        ),
        (
            &[
                (C, b"a1 LOGIN {3}\r\n"),
                (S, b"+ \r\n"),
                (C, b"eva {6}\r\n"),
                (S, b"+ \r\n"),
                (C, b"s3cret\r\n"),
                (S, b"a1 NO\r\n"),
            ],
            "login error NO email.authentication=login user.name=eva credential.kind=password credential.default=false",
        ),
        (
            &[(C, b"7 authenticate PLAIN\r\n"), (S, b"+\r\n"), (C, b"AGV2YQBldmE=\r\n"), (S, b"7 OK\r\n")],
            "login ok OK email.authentication=plain user.name=eva credential.kind=password credential.default=true",
        ),
        (&[(C, b"7 STARTTLS\r\n"), (S, b"7 BAD\r\n")], "start_tls error BAD"),
        (
            // n,,n=eva,r=s3cret
            &[(C, b"7 AUTHENTICATE SCRAM-SHA-1 biwsbj1ldmEscj1zM2NyZXQ=\r\n"), (S, b"7 NO\r\n")],
            "login error NO email.authentication=scram-sha-1 user.name=eva credential.kind=digest",
        ),
    ];
    for (segments, told) in cases {
        let heard = hear(imap::probe_stream, 1143, &[&[hello], segments].concat());
        assert_eq!(heard.lines(), [told]);
        assert_eq!(heard.claimed(S, Attribute::Software), ["Dovecot ready."]);
    }
    let heard = hear(imap::probe_stream, 143, &[hello, (C, b"1 ID (\"name\" \"Mailer\" \"version\" \"3\")\r\n")]);
    assert_eq!(heard.claimed(C, Attribute::Software), ["Mailer"]);
}

#[test]
fn unanswered_logins_are_told_at_the_end() {
    let cases: [(Recognise, u16, Segments<'_>); 3] = [
        (smtp::probe_stream, 25, &[(S, b"220 x\r\n"), (C, b"AUTH PLAIN AGV2YQBldmE=\r\n")]),
        (pop3::probe_stream, 110, &[(S, b"+OK\r\n"), (C, b"USER eva\r\n"), (S, b"+OK\r\n"), (C, b"PASS s3cret\r\n")]),
        (imap::probe_stream, 143, &[(S, b"* OK\r\n"), (C, b"1 LOGIN eva s3cret\r\n")]),
    ];
    for (recognise, port, segments) in cases {
        let heard = hear(recognise, port, segments);
        assert_eq!((heard.values(Field::UserName), heard.activities[0].status), (vec!["eva"], Status::NoResponse));
    }
}

proptest::proptest! {
    #[test]
    fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        takes_any(smtp::probe_stream, [1, 25], &[(S, b"220 x\r\n"), (C, b"EHLO x\r\nAUTH ")], &bytes);
        takes_any(pop3::probe_stream, [1, 110], &[(S, b"+OK\r\n"), (C, b"AUTH ")], &bytes);
        takes_any(imap::probe_stream, [1, 143], &[(S, b"* OK\r\n"), (C, b"1 LOGIN ")], &bytes);
    }
}
