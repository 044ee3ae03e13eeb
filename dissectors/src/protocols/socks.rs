//! SOCKS 4 and 5 (RFC 1928, RFC 1929): whom the proxy is asked to reach, by which user, and what it says.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::holds::Holds as _;
use crate::model::{Operation, Protocol};
use crate::secrets;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};

/// Methods of authentication that a client offers at most.
const MAX_METHODS: u8 = 16;
/// The method with a user's name and a password.
const PASSWORD: u8 = 2;
/// Octets of the answer of version 4.
const ANSWER_4: usize = 8;

/// Commands (RFC 1928, 4), and why one fails (6); those of version 4 are fewer.
const COMMANDS: [&str; 4] = ["", "connect", "bind", "associate"];
const REPLIES: [&str; 9] = [
    "",
    "general_failure",
    "not_allowed",
    "network_unreachable",
    "host_unreachable",
    "refused",
    "ttl_expired",
    "command_not_supported",
    "address_not_supported",
];

/// Tells from the first octets of both sides whether a stream is SOCKS.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let client = probe.first;
    let [asked, answered] = [probe.bytes(client), probe.bytes(client.opposite())];
    let asks_5 = matches!(asked, [5, count @ 1..=MAX_METHODS, methods @ ..] if methods.len() == usize::from(*count));
    let asks_4 = matches!(asked, [4, 1 | 2, _, _, _, _, _, _, .., 0]);
    match (answered, asks_5, asks_4) {
        ([5, method], true, _) if *method == 0xff || asked.get(2..).is_some_and(|methods| methods.contains(method)) => {
        }
        ([0, 90..=93, ..], _, true) if answered.len() == ANSWER_4 => {}
        ([], true, _) | ([], _, true) => return Recognition::Undecided,
        _ => return Recognition::No,
    }
    Recognition::Yes(Box::new(Socks { client, version: *asked.first().unwrap_or(&5), ..Socks::default() }))
}

/// What is due next from the client and from the proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Due {
    #[default]
    Methods,
    Password,
    Request,
    Nothing,
}

/// A conversation.
#[derive(Clone, Debug)]
struct Socks {
    client: Direction,
    version: u8,
    due: [Due; 2],
    activity: Activity,
    is_refused: bool,
    code: Option<u8>,
    told: bool,
}

impl Default for Socks {
    fn default() -> Self {
        Socks {
            client: Direction::Forward,
            version: 5,
            due: [Due::Methods; 2],
            activity: Activity::new(Direction::Forward, "connect", Operation::Session),
            is_refused: false,
            code: None,
            told: false,
        }
    }
}

/// An address and a port (RFC 1928, 5).
fn target(cursor: &mut Cursor<'_>) -> Result<String, Short> {
    let host = match cursor.u8("address type")? {
        1 => Ipv4Addr::from(cursor.u32_be("address")?).to_string(),
        4 => {
            let octets = cursor.take(16, "address")?;
            format!("[{}]", <[u8; 16]>::try_from(octets).map(Ipv6Addr::from).unwrap_or(Ipv6Addr::UNSPECIFIED))
        }
        _ => {
            let length = usize::from(cursor.u8("length")?);
            printable(cursor.take(length, "name")?)
        }
    };
    Ok(format!("{host}:{}", cursor.u16_be("port")?))
}

impl Socks {
    fn client_says(&mut self, bytes: &[u8]) -> Result<(), Short> {
        let mut cursor = Cursor::new(bytes);
        match (self.version, self.due[0]) {
            (4, _) => {
                cursor.u8("version")?;
                self.command(cursor.u8("command")?);
                let port = cursor.u16_be("port")?;
                let address = cursor.take(4, "address")?;
                let mut texts = cursor.rest().split(|octet| *octet == 0);
                self.activity.put(Field::UserName, printable(texts.next().unwrap_or_default()));
                // An address 0.0.0.x stands for a name behind the user's (SOCKS 4A).
                let host = match *address {
                    [0, 0, 0, 1..=255] => printable(texts.next().unwrap_or_default()),
                    [a, b, c, d] => Ipv4Addr::new(a, b, c, d).to_string(),
                    _ => String::new(),
                };
                self.activity.put(Field::SocksTarget, format!("{host}:{port}"));
                self.due[0] = Due::Nothing;
            }
            (_, Due::Password) => {
                cursor.u8("version")?;
                let length = usize::from(cursor.u8("length")?);
                let user = cursor.take(length, "user")?;
                let length = usize::from(cursor.u8("length")?);
                let password = cursor.take(length, "password")?;
                self.activity.put(Field::UserName, printable(user));
                self.activity.put_secret("password", Some(secrets::is_known_password(user, password)));
                self.due[0] = Due::Request;
            }
            (_, Due::Request) => {
                cursor.u8("version")?;
                self.command(cursor.u8("command")?);
                cursor.u8("reserved")?;
                self.activity.put(Field::SocksTarget, target(&mut cursor)?);
                self.due[0] = Due::Nothing;
            }
            _ => self.due[0] = Due::Request,
        }
        Ok(())
    }

    fn proxy_says(&mut self, bytes: &[u8]) {
        match (self.version, self.due[1], bytes) {
            (4, _, &[_, code, ..]) => {
                // 90 is granted; the others are told by their numbers.
                self.code = Some(if code == 90 { 0 } else { code });
                self.due[1] = Due::Nothing;
            }
            (_, Due::Methods, &[_, PASSWORD]) => self.due = [Due::Password; 2],
            (_, Due::Methods, &[_, 0xff]) => (self.is_refused, self.due) = (true, [Due::Nothing; 2]),
            (_, Due::Methods, _) => self.due[1] = Due::Request,
            (_, Due::Password, &[_, 0]) => self.due[1] = Due::Request,
            (_, Due::Password, _) => (self.is_refused, self.due) = (true, [Due::Nothing; 2]),
            (_, Due::Request, &[_, code, ..]) => (self.code, self.due[1]) = (Some(code), Due::Nothing),
            _ => {}
        }
    }

    fn command(&mut self, command: u8) {
        self.activity.action = COMMANDS.get(usize::from(command)).filter(|name| !name.is_empty()).unwrap_or(&"unknown");
    }

    /// Octets of what is due from the client.
    fn due_client_says(&self, bytes: &[u8]) -> Option<usize> {
        let octet = |at: usize| bytes.get(at).map(|octet| usize::from(*octet));
        match (self.version, self.due[0]) {
            (4, _) => {
                let end = |from: usize| bytes.iter().skip(from).position(|octet| *octet == 0).map(|at| from + at + 1);
                let user = end(8)?;
                if matches!(bytes, [_, _, _, _, 0, 0, 0, 1..=255, ..]) { end(user) } else { Some(user) }
            }
            (_, Due::Methods) => Some(2 + octet(1)?),
            (_, Due::Password) => {
                let user = octet(1)?;
                Some(3 + user + octet(2 + user)?)
            }
            _ => reply(bytes),
        }
    }
}

/// Octets of a request or its answer in version 5.
fn reply(bytes: &[u8]) -> Option<usize> {
    match bytes {
        [_, _, _, 1, ..] => Some(10),
        [_, _, _, 4, ..] => Some(22),
        [_, _, _, _, length, ..] => Some(7 + usize::from(*length)),
        _ => None,
    }
}

impl Session for Socks {
    fn protocol(&self) -> Protocol {
        Protocol::Socks
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        let is_client = direction == self.client;
        let due = self.due[usize::from(!is_client)];
        let length = match (self.version, due) {
            (_, Due::Nothing) => return Framing::NotMine,
            _ if is_client => self.due_client_says(bytes),
            (4, _) => Some(ANSWER_4),
            (_, Due::Request) => reply(bytes),
            _ => Some(2),
        };
        match length {
            Some(length) => Framing::Message(length),
            None if bytes.len() > 1024 => Framing::NotMine,
            None => Framing::NeedMore,
        }
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        if chunk.direction == self.client {
            self.activity.request_frame = Some(out.frame);
            // What is missing of a request is not told.
            let _ = self.client_says(chunk.bytes);
        } else {
            self.proxy_says(chunk.bytes);
        }
    }

    fn close(&mut self, out: &mut Output) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let mut activity = self.activity.clone().with(Field::SocksVersion, self.version.to_string());
        activity.client = self.client;
        let (status, code) = match self.code {
            _ if self.is_refused => (Status::Error, "not_authenticated".to_string()),
            Some(0) => (Status::Ok, String::new()),
            Some(code) => {
                let name = REPLIES.get(usize::from(code)).map(|name| (*name).to_string());
                (Status::Error, name.unwrap_or_else(|| code.to_string()))
            }
            None => (Status::NoResponse, String::new()),
        };
        out.activity(activity.ended(status, code));
    }

    fn is_done(&self) -> bool {
        self.is_refused || self.code.is_some() || self.due == [Due::Nothing; 2]
    }

    fn held(&self) -> usize {
        self.activity.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: Direction = Direction::Forward;
    const DOWN: Direction = Direction::Backward;

    fn hear(pieces: &[(Direction, &[u8])]) -> Option<Activity> {
        let of = |direction| pieces.iter().find(|(d, _)| *d == direction).map_or(&[][..], |(_, bytes)| bytes);
        let probe =
            Probe { forward: of(UP), backward: of(DOWN), first: UP, opener: None, ports: [1, 1080], cut: false };
        let Recognition::Yes(mut session) = probe_stream(&probe) else { return None };
        let mut out = Output::default();
        for (direction, bytes) in pieces {
            let mut bytes = *bytes;
            while let Framing::Message(length) = session.frame(*direction, bytes) {
                let Some((message, rest)) = bytes.split_at_checked(length) else { break };
                session.decode(Chunk { bytes: message, wire_length: length, direction: *direction }, &mut out);
                bytes = rest;
            }
        }
        session.close(&mut out);
        out.activities.pop()
    }

    #[test]
    fn whom_the_proxy_is_asked_to_reach() {
        let named = b"\x05\x01\x00\x03\x0bplc.example\x00\x66";
        let granted = b"\x05\x00\x00\x01\x0a\x00\x00\x07\x00\x66";
        let refused = b"\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00";
        let password = b"\x01\x03eva\x05admin";
        type Case<'a> = (&'a [(Direction, &'a [u8])], Status, &'a str, &'a [(Field, &'a str)]);
        let cases: &[Case<'_>] = &[
            (
                &[(UP, b"\x05\x01\x00"), (DOWN, b"\x05\x00"), (UP, named), (DOWN, granted)],
                Status::Ok,
                "",
                &[(Field::SocksTarget, "plc.example:102"), (Field::SocksVersion, "5")],
            ),
            (
                &[
                    (UP, b"\x05\x02\x00\x02"),
                    (DOWN, b"\x05\x02"),
                    (UP, password),
                    (DOWN, b"\x01\x00"),
                    (UP, named),
                    (DOWN, refused),
                ],
                Status::Error,
                "refused",
                &[
                    (Field::UserName, "eva"),
                    (Field::CredentialKind, "password"),
                    (Field::CredentialDefault, "true"),
                    (Field::SocksTarget, "plc.example:102"),
                    (Field::SocksVersion, "5"),
                ],
            ),
            (
                &[(UP, b"\x05\x01\x00"), (DOWN, b"\x05\xff")],
                Status::Error,
                "not_authenticated",
                &[(Field::SocksVersion, "5")],
            ),
            (
                &[(UP, b"\x04\x01\x01\xf6\x0a\x00\x00\x07eva\x00"), (DOWN, b"\x00\x5a\x00\x00\x00\x00\x00\x00")],
                Status::Ok,
                "",
                &[(Field::UserName, "eva"), (Field::SocksTarget, "10.0.0.7:502"), (Field::SocksVersion, "4")],
            ),
            (
                &[(UP, b"\x04\x01\x01\xf6\x00\x00\x00\x01\x00plc\x00"), (DOWN, b"\x00\x5b\x00\x00\x00\x00\x00\x00")],
                Status::Error,
                "91",
                &[(Field::SocksTarget, "plc:502"), (Field::SocksVersion, "4")],
            ),
        ];
        for (pieces, status, code, fields) in cases {
            let activity = hear(pieces).unwrap();
            let found: Vec<_> = activity.fields.iter().map(|(field, value)| (*field, &**value)).collect();
            assert_eq!((activity.client, activity.status, &*activity.code), (UP, *status, *code));
            assert_eq!(found, *fields);
        }
    }

    #[test]
    fn both_sides_have_to_fit() {
        for (asked, answered) in [
            (&b"\x05\x01\x00"[..], &b"\x05\x02"[..]),
            (b"\x05\x02\x00", b"\x05\x00"),
            (b"\x05\x01\x00\x00", b"\x05\x00"),
            (b"\x04\x03\x01\xf6\x0a\x00\x00\x07\x00", b"\x00\x5a\x00\x00\x00\x00\x00\x00"),
            (b"\x04\x01\x01\xf6\x0a\x00\x00\x07\x00", b"\x00\x5a\x00\x00\x00\x00\x00"),
            (b"", b"\x05\x00"),
        ] {
            assert_eq!(hear(&[(UP, asked), (DOWN, answered)]), None, "{asked:02x?} {answered:02x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60), cut in 0usize..40) {
            let whole = b"\x01\x03eva\x05admin\x05\x01\x00\x03\x0bplc.example\x00\x66";
            let start: [(Direction, &[u8]); 2] = [(UP, b"\x05\x02\x00\x02"), (DOWN, b"\x05\x02")];
            let _ = hear(&[start[0], start[1], (UP, &whole[..cut.min(whole.len())]), (UP, &bytes), (DOWN, &bytes)]);
            let _ = hear(&[(UP, &bytes), (DOWN, &bytes)]);
        }
    }
}
