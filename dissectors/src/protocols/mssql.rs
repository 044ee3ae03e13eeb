//! TDS, the protocol of Microsoft SQL Server (MS-TDS): the server's version, whether the login is encrypted, who logs in
//! from which host and program. Once he is in, nothing more is listened to.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::holds::Holds as _;
use crate::model::{Attribute, Operation, Protocol};
use crate::secrets::is_known_password;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, mssql};
use crate::text::say;

/// Octets of a packet's header (2.2.3.1).
const HEADER: usize = 8;
/// Types of packets.
mod packet {
    pub const RESPONSE: u8 = 0x04;
    pub const LOGIN: u8 = 0x10;
    pub const SSPI: u8 = 0x11;
    pub const PRELOGIN: u8 = 0x12;
}
/// Encryption is not supported (2.2.6.5): the only answer after which a login is plain.
const NOT_SUPPORTED: u8 = 2;
/// Tokens of a response (2.2.7) that tell how a login ended.
const ERROR: u8 = 0xaa;
const LOGIN_ACK: u8 = 0xad;
/// Octets of the fixed part of LOGIN7 (2.2.6.4).
const FIXED: usize = 36;

/// Tells from the first octets whether a stream is TDS.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    match bytes {
        [packet::PRELOGIN, 0 | 1, high, low, 0, 0, _, _, options @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            let is_whole = bytes.len() >= length;
            let is_prelogin = matches!(options, [0, 0, first, 0, 6, ..] if *first >= 6) && (26..4096).contains(&length);
            match is_prelogin {
                true => Recognition::Yes(Box::new(Tds::new(probe.first))),
                false if options.len() < 5 && !is_whole => Recognition::Undecided,
                false => Recognition::No,
            }
        }
        [packet::LOGIN, 0 | 1, high, low, _, _, _, _, login @ ..] if login.len() >= FIXED => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            // The version 7.x of TDS behind the login's length.
            let is_login = length > HEADER + FIXED && matches!(login, [_, _, 0 | 1, 0, _, _, _, 0x70..=0x74, ..]);
            if is_login { Recognition::Yes(Box::new(Tds::new(probe.first))) } else { Recognition::No }
        }
        [packet::PRELOGIN | packet::LOGIN] | [packet::PRELOGIN | packet::LOGIN, 0 | 1, ..] if bytes.len() < HEADER => {
            if probe.ports.contains(&1433) {
                Recognition::Undecided
            } else {
                Recognition::No
            }
        }
        _ => Recognition::No,
    }
}

/// A connection.
#[derive(Clone)]
struct Tds {
    client: Direction,
    prelogin: Option<(u64, Activity)>,
    login: Option<(u64, Activity)>,
    version: String,
    is_done: bool,
}

impl Tds {
    fn new(client: Direction) -> Self {
        Tds { client, prelogin: None, login: None, version: String::new(), is_done: false }
    }

    fn packet(&mut self, bytes: &[u8], direction: Direction, out: &mut Output) -> Result<(), Short> {
        let mut cursor = Cursor::new(bytes);
        let kind = cursor.u8("type")?;
        cursor.take(HEADER - 1, "header")?;
        let body = cursor.rest();
        match (kind, direction == self.client) {
            (packet::PRELOGIN, true) => {
                let mut activity = Activity::new(self.client, "prelogin", Operation::Session);
                if let Some(instance) = option(body, 2) {
                    activity.put(Field::DatabaseServer, printable(instance));
                }
                self.prelogin = Some((out.frame, activity));
            }
            (packet::RESPONSE | packet::PRELOGIN, false) if self.prelogin.is_some() => {
                if let Some((frame, activity)) = self.prelogin.take() {
                    self.prelogged(body, Activity { request_frame: Some(frame), ..activity }, out);
                }
            }
            (packet::LOGIN, true) => self.login = Some((out.frame, self.login(body, out)?)),
            (packet::RESPONSE, false) if self.login.is_some() => self.response(body, out)?,
            (packet::SSPI, true) => {}
            _ => self.is_done = true,
        }
        Ok(())
    }

    fn prelogged(&mut self, body: &[u8], activity: Activity, out: &mut Output) {
        if let Some([major, minor, high, low, ..]) = option(body, 0) {
            self.version = format!("{major}.{minor}.{}", u16::from_be_bytes([*high, *low]));
            say(out, Attribute::Software, format!("Microsoft SQL Server {}", self.version).as_bytes());
        }
        let encryption = option(body, 1).and_then(<[u8]>::first).copied();
        let name = encryption.map_or("", |code| tables::name(mssql::ENCRYPTION, u32::from(code)));
        let activity = activity.with(Field::DatabaseVersion, &*self.version).with(Field::DatabaseEncryption, name);
        out.activity(activity.ended(Status::Ok, ""));
        self.is_done = encryption != Some(NOT_SUPPORTED);
    }

    fn login(&self, body: &[u8], out: &mut Output) -> Result<Activity, Short> {
        let mut cursor = Cursor::new(body);
        cursor.take(FIXED, "LOGIN7")?;
        let mut field = || -> Result<&[u8], Short> {
            let (offset, letters) = (usize::from(cursor.u16_le("offset")?), usize::from(cursor.u16_le("length")?));
            Ok(body.get(offset..).and_then(|rest| rest.get(..letters * 2)).unwrap_or_default())
        };
        let [host, user, password, application, server] = [field()?, field()?, field()?, field()?, field()?];
        let (_, library, _, database) = (field()?, field()?, field()?, field()?);
        cursor.take(6, "client identifier")?;
        let (offset, length) = (usize::from(cursor.u16_le("SSPI offset")?), usize::from(cursor.u16_le("SSPI length")?));
        let token = body.get(offset..).and_then(|rest| rest.get(..length)).unwrap_or_default();
        let (host, user, application) = (wide(host), wide(user), wide(application));
        say(out, Attribute::Hostname, host.as_bytes());
        say(out, Attribute::Software, application.as_bytes());
        let mut activity = Activity::new(self.client, "login", Operation::Authenticate)
            .with(Field::Workstation, printable(host.as_bytes()))
            .with(Field::UserName, printable(user.as_bytes()))
            .with(Field::DatabaseApplication, printable(application.as_bytes()))
            .with(Field::DatabaseServer, printable(wide(server).as_bytes()))
            .with(Field::DatabaseName, printable(wide(database).as_bytes()))
            .with(Field::UserAgent, printable(wide(library).as_bytes()));
        if token.is_empty() {
            // Each octet's halves are swapped, then inverted by 0xa5 (2.2.6.4).
            let plain: Vec<u8> = password.iter().map(|octet| (octet ^ 0xa5).rotate_left(4)).collect();
            activity.put_secret("password", Some(is_known_password(user.as_bytes(), wide(&plain).as_bytes())));
        } else {
            let is_ntlm = token.windows(8).any(|window| window == b"NTLMSSP\0");
            activity.put_secret(if is_ntlm { "ntlm" } else { "kerberos" }, None);
        }
        Ok(activity)
    }

    /// Walks the tokens up to the one that tells how the login ended.
    fn response(&mut self, body: &[u8], out: &mut Output) -> Result<(), Short> {
        let mut cursor = Cursor::new(body);
        while let Ok(token) = cursor.u8("token") {
            // Those of other layouts do not stand before the end of a login.
            if !matches!(token, 0xa9..=0xad | 0xe3 | 0xe5 | 0xed) {
                break;
            }
            let length = usize::from(cursor.u16_le("length")?);
            let mut token_body = Cursor::new(cursor.take(length, "token")?);
            match token {
                ERROR => {
                    let number = token_body.u32_le("number")?;
                    self.tell(Status::Error, number.to_string(), out);
                    self.is_done = true;
                    break;
                }
                LOGIN_ACK => {
                    token_body.take(5, "interface and version")?;
                    let letters = usize::from(token_body.u8("length")?);
                    let name = wide(token_body.take(letters * 2, "program's name")?);
                    say(out, Attribute::Product, name.trim_matches('\0').as_bytes());
                    self.tell(Status::Ok, String::new(), out);
                    self.is_done = true;
                    break;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn tell(&mut self, status: Status, code: String, out: &mut Output) {
        if let Some((frame, activity)) = self.login.take() {
            out.activity(Activity { request_frame: Some(frame), ..activity.ended(status, code) });
        }
    }
}

/// The value of an option of PRELOGIN.
fn option(body: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut cursor = Cursor::new(body);
    loop {
        let kind = cursor.u8("option").ok()?;
        if kind == 0xff {
            return None;
        }
        let (offset, length) = (cursor.u16_be("offset").ok()?, cursor.u16_be("length").ok()?);
        if kind == wanted {
            return body.get(usize::from(offset)..)?.get(..usize::from(length));
        }
    }
}

/// Text of 16-bit letters, the lower octet first.
fn wide(octets: &[u8]) -> String {
    let letters = octets.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(letters).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

impl Session for Tds {
    fn protocol(&self) -> Protocol {
        Protocol::Mssql
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        match bytes {
            [1..=4 | 7 | 0x0e..=0x12, _, high, low, ..] => match usize::from(u16::from_be_bytes([*high, *low])) {
                length if length >= HEADER => Framing::Message(length),
                _ => Framing::NotMine,
            },
            [_, _, _, _, ..] => Framing::NotMine,
            _ => Framing::NeedMore,
        }
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        // A packet that cannot be read ends the listening.
        self.is_done |= self.packet(chunk.bytes, chunk.direction, out).is_err();
    }

    fn close(&mut self, out: &mut Output) {
        if let Some((frame, activity)) = self.prelogin.take() {
            out.activity(Activity { request_frame: Some(frame), ..activity.ended(Status::NoResponse, "") });
        }
        self.tell(Status::NoResponse, String::new(), out);
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn held(&self) -> usize {
        self.prelogin.holds() + self.login.holds() + self.version.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::heard::{C, S, cut_everywhere, stream, takes_any};

    const PORTS: [u16; 2] = [50_000, 1433];

    fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind, 1], &((HEADER + body.len()) as u16).to_be_bytes()[..], &[0, 0, 1, 0], body].concat()
    }

    /// Version 15.0.2000 and an encryption.
    fn prelogin(kind: u8, encryption: u8) -> Vec<u8> {
        packet(
            kind,
            &[&b"\x00\x00\x0b\x00\x06\x01\x00\x11\x00\x01\xff\x0f\x00\x07\xd0\x00\x00"[..], &[encryption]].concat(),
        )
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn login(password: &str) -> Vec<u8> {
        let hidden: Vec<u8> = utf16(password).iter().map(|octet| octet.rotate_left(4) ^ 0xa5).collect();
        let texts = ["hmi-1", "sa", "", "Historian", "SQL1", "", "ODBC", "", "plant"].map(utf16);
        let (mut table, mut data) = (Vec::new(), Vec::new());
        for (place, text) in texts.iter().enumerate() {
            let text = if place == 2 { &hidden } else { text };
            table.extend((94 + data.len() as u16).to_le_bytes());
            table.extend((text.len() as u16 / 2).to_le_bytes());
            data.extend(text);
        }
        let fixed = [&b"\x00\x01\x00\x00\x04\x00\x00\x74"[..], &[0; 28]].concat();
        // The client's identifier, then SSPI, a file to attach, a new password and the long length: none of them.
        let body = [&fixed[..], &table, &[0; 22], &data].concat();
        packet(0x10, &body)
    }

    #[test]
    fn logins() {
        // Number 18456, state, class and no texts.
        let refused = packet(4, b"\xaa\x06\x00\x18\x48\x00\x00\x01\x0e\xfd\x00");
        let accepted = packet(4, b"\xe3\x01\x00\x00\xad\x0e\x00\x01\x74\x00\x00\x04\x02S\x00Q\x00\x0f\x00\x07\xd0");
        for (password, answer, told, known) in
            [("s3cret", refused, "login error 18456", "false"), ("sa", accepted, "login ok ", "true")]
        {
            let (asked, plain, login) = (prelogin(0x12, 2), prelogin(4, 2), login(password));
            let segments: [(Direction, &[u8]); 4] = [(C, &asked), (S, &plain), (C, &login), (S, &answer)];
            let heard = stream(probe_stream, PORTS, &segments);
            let lines = [
                "prelogin ok  db.version=15.0.2000 db.encryption=not_supported".to_string(),
                format!(
                    "{told} source.host.name=hmi-1 user.name=sa db.application=Historian db.server=SQL1 db.name=plant \
                     user_agent.original=ODBC credential.kind=password credential.default={known}"
                ),
            ];
            assert_eq!((heard.lines(), heard.is_done), (lines.to_vec(), true));
            assert_eq!(heard.claimed(C, Attribute::Hostname), ["hmi-1"]);
            assert_eq!(heard.claimed(S, Attribute::Software), ["Microsoft SQL Server 15.0.2000"]);
            assert!(!heard.tells("s3cret"));
            cut_everywhere(probe_stream, PORTS, &segments);
        }
    }

    #[test]
    fn what_is_encrypted_is_not_listened_to() {
        let (asked, on) = (prelogin(0x12, 0), prelogin(4, 1));
        let heard = stream(probe_stream, PORTS, &[(C, &asked), (S, &on)]);
        assert_eq!(heard.lines(), ["prelogin ok  db.version=15.0.2000 db.encryption=on"]);
        assert!(heard.is_done);
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let (asked, answer) = (prelogin(0x12, 2), prelogin(4, 2));
            takes_any(probe_stream, PORTS, &[(C, &asked), (S, &answer)], &bytes);
            takes_any(probe_stream, PORTS, &[(C, &asked), (S, &answer), (C, &packet(0x10, &bytes))], &bytes);
        }
    }
}
