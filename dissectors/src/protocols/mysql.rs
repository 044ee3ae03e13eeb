//! MySQL and MariaDB: the server's version, who logs in to which database, with what outcome. Once he is in, nothing more
//! is listened to.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::holds::Holds as _;
use crate::model::{Attribute, Operation, Protocol};
use crate::secrets::is_known_password;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::text::say;

/// The port.
const PORT: u16 = 3306;
/// Octets of a packet's header: length and sequence number.
const HEADER: usize = 4;
/// Octets of a packet that are waited for.
const MAX_PACKET: usize = 64 * 1024;

/// Capabilities of a client.
mod capability {
    pub const CONNECT_WITH_DB: u32 = 0x0000_0008;
    pub const PROTOCOL_41: u32 = 0x0000_0200;
    pub const SSL: u32 = 0x0000_0800;
    pub const SECURE_CONNECTION: u32 = 0x0000_8000;
    pub const PLUGIN_AUTH: u32 = 0x0008_0000;
    pub const CONNECT_ATTRS: u32 = 0x0010_0000;
    pub const LENENC_AUTH: u32 = 0x0020_0000;
}

/// Tells from the server's greeting whether a stream is MySQL.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    match bytes {
        // Protocol version 10, and a version that starts with a digit.
        [_, _, 0, 0, 10, b'0'..=b'9', rest @ ..] => match memchr::memchr(0, rest) {
            Some(end) if rest[..end].iter().all(|octet| octet.is_ascii_graphic()) => {
                Recognition::Yes(Box::new(Mysql::new(probe.first)))
            }
            None if rest.len() < 64 => Recognition::Undecided,
            _ => Recognition::No,
        },
        // A host that is not let in.
        [_, _, 0, 0, 0xff, _, _, ..] if probe.direction_to(PORT) == Some(probe.first.opposite()) => {
            Recognition::Yes(Box::new(Mysql::new(probe.first)))
        }
        [_] | [_, _] | [_, _, 0] | [_, _, 0, 0] | [_, _, 0, 0, 10] if probe.ports.contains(&PORT) => {
            Recognition::Undecided
        }
        _ => Recognition::No,
    }
}

/// A connection.
#[derive(Clone)]
struct Mysql {
    server: Direction,
    version: String,
    greeted: bool,
    login: Option<(u64, Activity)>,
    is_done: bool,
}

impl Mysql {
    fn new(server: Direction) -> Self {
        Mysql { server, version: String::new(), greeted: false, login: None, is_done: false }
    }

    fn server_said(&mut self, body: &[u8], out: &mut Output) -> Result<(), Short> {
        let mut cursor = Cursor::new(body);
        match cursor.u8("first octet")? {
            0xff => {
                let code = cursor.u16_le("error code")?.to_string();
                let activity = Activity::new(self.server.opposite(), "login", Operation::Authenticate);
                let (frame, activity) =
                    self.login.take().map_or((None, activity), |(frame, login)| (Some(frame), login));
                out.activity(Activity { request_frame: frame, ..activity.ended(Status::Error, code) });
                self.is_done = true;
            }
            10 if !self.greeted => {
                let rest = cursor.rest();
                let version = &rest[..memchr::memchr(0, rest).unwrap_or(rest.len())];
                // MariaDB says an old version first, for the sake of old clients.
                let version = version.strip_prefix(b"5.5.5-").unwrap_or(version);
                self.version = printable(version);
                let is_maria = crate::text::find(version, b"mariadb").is_some();
                say(
                    out,
                    Attribute::Software,
                    [if is_maria { &b""[..] } else { b"MySQL " }, version].concat().as_slice(),
                );
                crate::protocols::banner::system(version, out);
                self.greeted = true;
            }
            0 => {
                if let Some((frame, login)) = self.login.take() {
                    out.activity(Activity { request_frame: Some(frame), ..login.ended(Status::Ok, "") });
                }
                self.is_done = true;
            }
            // Another method, or more of the same one.
            _ => {}
        }
        Ok(())
    }

    fn client_said(&mut self, body: &[u8], out: &mut Output) -> Result<(), Short> {
        if self.login.is_some() {
            return Ok(());
        }
        let mut cursor = Cursor::new(body);
        let capabilities = cursor.u32_le("capabilities")?;
        let client = self.server.opposite();
        if capabilities & capability::PROTOCOL_41 == 0 {
            self.is_done = true;
            return Ok(());
        }
        cursor.take(28, "packet size, character set, reserved")?;
        if capabilities & capability::SSL != 0 && cursor.is_empty() {
            let version = Field::DatabaseVersion;
            out.activity(Activity::new(client, "start_tls", Operation::Session).with(version, &*self.version));
            self.is_done = true;
            return Ok(());
        }
        let user = until_zero(&mut cursor);
        let answer = if capabilities & (capability::LENENC_AUTH | capability::SECURE_CONNECTION) != 0 {
            let length = length_encoded(&mut cursor)?;
            cursor.take(length, "authentication")?
        } else {
            until_zero(&mut cursor)
        };
        let database = if capabilities & capability::CONNECT_WITH_DB != 0 { until_zero(&mut cursor) } else { &[] };
        let plugin = if capabilities & capability::PLUGIN_AUTH != 0 { until_zero(&mut cursor) } else { &[] };
        let mut activity = Activity::new(client, "login", Operation::Authenticate)
            .with(Field::UserName, printable(user))
            .with(Field::DatabaseName, printable(database))
            .with(Field::DatabaseVersion, &*self.version)
            .with(Field::DatabaseAuthentication, printable(plugin));
        if capabilities & capability::CONNECT_ATTRS != 0 && !cursor.is_empty() {
            attributes(&mut cursor, &mut activity, out)?;
        }
        if plugin == b"mysql_clear_password" {
            let password = answer.strip_suffix(b"\0").unwrap_or(answer);
            activity.put_secret("password", Some(is_known_password(user, password)));
        } else if answer.is_empty() {
            activity.put_secret("password", Some(true));
        } else {
            activity.put_secret("digest", None);
        }
        self.login = Some((out.frame, activity));
        Ok(())
    }
}

/// What a client says of its program and host.
fn attributes(cursor: &mut Cursor<'_>, activity: &mut Activity, out: &mut Output) -> Result<(), Short> {
    let length = length_encoded(cursor)?;
    let mut pairs = Cursor::new(cursor.take(length.min(cursor.left()), "attributes")?);
    while !pairs.is_empty() {
        let length = length_encoded(&mut pairs)?;
        let name = pairs.take(length, "name")?;
        let length = length_encoded(&mut pairs)?;
        let value = pairs.take(length, "value")?;
        match name {
            b"_os" => say(out, Attribute::OperatingSystem, value),
            b"program_name" => {
                activity.put(Field::DatabaseApplication, printable(value));
                say(out, Attribute::Software, value);
            }
            b"_server_host" => activity.put(Field::DatabaseServer, printable(value)),
            _ => {}
        }
    }
    Ok(())
}

fn until_zero<'a>(cursor: &mut Cursor<'a>) -> &'a [u8] {
    let rest = cursor.rest();
    let end = memchr::memchr(0, rest).unwrap_or(rest.len());
    let _ = cursor.take((end + 1).min(rest.len()), "text");
    &rest[..end]
}

/// An integer whose first octet says how long it is.
fn length_encoded(cursor: &mut Cursor<'_>) -> Result<usize, Short> {
    Ok(match cursor.u8("length")? {
        0xfc => usize::from(cursor.u16_le("length")?),
        0xfd => cursor.uint_le(3, "length")? as usize,
        0xfe => usize::try_from(cursor.u64_le("length")?).unwrap_or(usize::MAX),
        length => usize::from(length),
    })
}

impl Session for Mysql {
    fn protocol(&self) -> Protocol {
        Protocol::Mysql
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        let Some([a, b, c, _]) = bytes.first_chunk::<HEADER>() else { return Framing::NeedMore };
        match HEADER + usize::from(*a) + (usize::from(*b) << 8) + (usize::from(*c) << 16) {
            length if length <= MAX_PACKET => Framing::Message(length),
            _ => Framing::NotMine,
        }
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let body = chunk.bytes.get(HEADER..).unwrap_or_default();
        let is_server = chunk.direction == self.server;
        let read = if is_server { self.server_said(body, out) } else { self.client_said(body, out) };
        // A packet that cannot be read ends the listening.
        self.is_done |= read.is_err();
    }

    fn close(&mut self, out: &mut Output) {
        if let Some((frame, login)) = self.login.take() {
            out.activity(Activity { request_frame: Some(frame), ..login.ended(Status::NoResponse, "") });
        }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn held(&self) -> usize {
        self.version.holds() + self.login.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::heard::{C, S, cut_everywhere, stream, takes_any};

    const PORTS: [u16; 2] = [50_000, 3306];
    const GREETING: (Direction, &[u8]) = (S, b"\x1a\x00\x00\x00\x0a5.7.33-0ubuntu\x00\x07\x00\x00\x00salt\x00\x00");

    fn packet(number: u8, body: &[u8]) -> Vec<u8> {
        let [a, b, c, _] = (body.len() as u32).to_le_bytes();
        [&[a, b, c, number], body].concat()
    }

    fn login(answer: &[u8], plugin: &[u8]) -> Vec<u8> {
        let attributes = b"\x23\x03_os\x05Linux\x0cprogram_name\x0bmysqlclient";
        let head = [&[0x08, 0x82, 0x18, 0][..], &[0; 28], b"eva\0", &[answer.len() as u8], answer].concat();
        packet(1, &[&head, &b"plant\0"[..], plugin, b"\0", attributes].concat())
    }

    /// Password, method, the server's answer; the activity, its fields.
    type Login<'a> = (&'a [u8], &'a str, &'a [u8], &'a str, &'a str);

    #[test]
    fn logins() {
        let ok = packet(2, b"\x00\x00\x00\x02\x00");
        let denied = packet(2, b"\xff\x15\x04#28000Access denied");
        let more = [packet(2, b"\x01\x04"), packet(3, b"\x00\x00\x00\x02\x00")].concat();
        let cases: [Login<'_>; 4] = [
            (b"s3cret", "mysql_native_password", &denied, "login error 1045", "credential.kind=digest"),
            (b"s3cret", "caching_sha2_password", &more, "login ok ", "credential.kind=digest"),
            (b"", "mysql_native_password", &ok, "login ok ", "credential.kind=password credential.default=true"),
            (
                b"s3cret\0",
                "mysql_clear_password",
                &ok,
                "login ok ",
                "credential.kind=password credential.default=false",
            ),
        ];
        for (answer, plugin, reply, told, secret) in cases {
            let login = login(answer, plugin.as_bytes());
            let segments: [(Direction, &[u8]); 3] = [GREETING, (C, &login), (S, reply)];
            let heard = stream(probe_stream, PORTS, &segments);
            let line = format!(
                "{told} user.name=eva db.name=plant db.version=5.7.33-0ubuntu db.authentication={plugin} \
                 db.application=mysqlclient {secret}"
            );
            assert_eq!((heard.lines(), heard.is_done), (vec![line], true));
            assert_eq!(heard.claimed(S, Attribute::OperatingSystem), ["Ubuntu Linux"]);
            assert_eq!(heard.claimed(C, Attribute::OperatingSystem), ["Linux"]);
            assert!(!heard.tells("s3cret"));
            cut_everywhere(probe_stream, PORTS, &segments);
        }
    }

    #[test]
    fn hosts_that_are_not_let_in_and_tls() {
        let refused = packet(0, b"\xff\x6a\x04Host is not allowed");
        assert_eq!(stream(probe_stream, PORTS, &[(S, &refused)]).lines(), ["login error 1130"]);
        let tls = packet(1, &[&[0, 0x0a, 0, 0][..], &[0; 28]].concat());
        let heard = stream(probe_stream, PORTS, &[GREETING, (C, &tls)]);
        assert_eq!(
            (heard.lines(), heard.is_done),
            (vec!["start_tls one_way  db.version=5.7.33-0ubuntu".to_string()], true)
        );
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            takes_any(probe_stream, PORTS, &[GREETING], &bytes);
            takes_any(probe_stream, PORTS, &[GREETING, (C, &packet(1, &[&[0xff; 32], &bytes[..]].concat()))], &bytes);
        }
    }
}
