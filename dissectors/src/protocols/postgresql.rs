//! PostgreSQL, protocol version 3: who logs in to which database, how, with what outcome; the server's version. Once he is
//! in, nothing more is listened to.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::holds::Holds as _;
use crate::model::{Attribute, Operation, Protocol};
use crate::secrets::is_known_password;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, postgresql};
use crate::text::say;

/// Codes in the place of a protocol version (55.7).
const VERSION_3: u32 = 3 << 16;
const CANCEL: u32 = 80_877_102;
const SSL: u32 = 80_877_103;
const GSS: u32 = 80_877_104;
/// Octets of a message that are read.
const READ: usize = 8 * 1024;

/// Tells from the first octets whether a stream is PostgreSQL.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    match start(bytes) {
        Ok((8, SSL | GSS)) => Recognition::Yes(Box::new(Postgresql::new(probe.first))),
        Ok((16, CANCEL)) => Recognition::Yes(Box::new(Postgresql::new(probe.first))),
        Ok((length, VERSION_3)) if (9..READ).contains(&length) => {
            let parameters = &bytes[8..bytes.len().min(length)];
            if memchr::memmem::find(parameters, b"user\0").is_some() {
                Recognition::Yes(Box::new(Postgresql::new(probe.first)))
            } else if bytes.len() < length {
                Recognition::Undecided
            } else {
                Recognition::No
            }
        }
        Err(_) if matches!(bytes, [0] | [0, 0] | [0, 0, _, ..]) && probe.ports.contains(&5432) => {
            Recognition::Undecided
        }
        _ => Recognition::No,
    }
}

/// Length and code of a client's first message.
fn start(bytes: &[u8]) -> Result<(usize, u32), Short> {
    let mut cursor = Cursor::new(bytes);
    Ok((cursor.u32_be("length")? as usize, cursor.u32_be("code")?))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The client's first message.
    Start,
    /// The server's octet that grants encryption or not.
    Granted,
    /// Messages with a type.
    Messages,
}

/// A connection.
#[derive(Clone)]
struct Postgresql {
    client: Direction,
    step: Step,
    user: Vec<u8>,
    login: Option<(u64, Activity)>,
    version: String,
    /// What the server asks for (55.7, Authentication…).
    method: u32,
    known: Option<bool>,
    frame: u64,
    is_done: bool,
}

impl Postgresql {
    fn new(client: Direction) -> Self {
        Postgresql {
            client,
            step: Step::Start,
            user: Vec::new(),
            login: None,
            version: String::new(),
            method: 0,
            known: None,
            frame: 0,
            is_done: false,
        }
    }

    fn first(&mut self, bytes: &[u8], out: &mut Output) -> Result<(), Short> {
        self.frame = out.frame;
        match start(bytes)?.1 {
            SSL | GSS => self.step = Step::Granted,
            CANCEL => {
                out.activity(Activity::new(self.client, "cancel", Operation::Session));
                self.is_done = true;
            }
            _ => {
                let mut activity = Activity::new(self.client, "login", Operation::Authenticate);
                let mut texts = bytes.get(8..).unwrap_or_default().split(|octet| *octet == 0);
                while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
                    match name {
                        b"" => break,
                        b"user" => {
                            self.user = value.get(..255).unwrap_or(value).to_vec();
                            activity.put(Field::UserName, printable(value));
                        }
                        b"database" => activity.put(Field::DatabaseName, printable(value)),
                        b"application_name" => {
                            activity.put(Field::DatabaseApplication, printable(value));
                            say(out, Attribute::Software, value);
                        }
                        _ => {}
                    }
                }
                (self.login, self.step) = (Some((out.frame, activity)), Step::Messages);
            }
        }
        Ok(())
    }

    fn granted(&mut self, bytes: &[u8], out: &mut Output) {
        let is_granted = matches!(bytes, [b'S' | b'G', ..]);
        if is_granted {
            let activity = Activity::new(self.client, "start_tls", Operation::Session).ended(Status::Ok, "");
            out.activity(Activity { request_frame: Some(self.frame), ..activity });
        }
        // Refused, the client starts anew, or leaves.
        (self.step, self.is_done) = (Step::Start, is_granted || bytes.first() == Some(&b'E'));
    }

    fn server_said(&mut self, bytes: &[u8], out: &mut Output) -> Result<(), Short> {
        let mut cursor = Cursor::new(bytes);
        let kind = cursor.u8("type")?;
        cursor.u32_be("length")?;
        match kind {
            b'R' => {
                // What follows the end of SASL, and the final permission, are no methods.
                let method = cursor.u32_be("authentication")?;
                if !matches!(method, 0 | 8 | 11 | 12) {
                    self.method = method;
                }
            }
            b'S' => {
                let mut texts = cursor.rest().split(|octet| *octet == 0);
                if let (Some(b"server_version"), Some(value)) = (texts.next(), texts.next()) {
                    self.version = printable(value);
                    say(out, Attribute::Software, [b"PostgreSQL ", value].concat().as_slice());
                    crate::protocols::banner::system(value, out);
                }
            }
            b'E' => {
                let code = cursor.rest().split(|octet| *octet == 0).find_map(|field| field.strip_prefix(b"C"));
                self.tell(Status::Error, printable(code.unwrap_or_default()), out);
                self.is_done = true;
            }
            b'Z' => {
                self.tell(Status::Ok, String::new(), out);
                self.is_done = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn client_said(&mut self, bytes: &[u8]) {
        // A password in the clear.
        if let ([b'p', _, _, _, _, password @ ..], 3) = (bytes, self.method) {
            self.known = Some(is_known_password(&self.user, password.strip_suffix(b"\0").unwrap_or(password)));
        }
    }

    fn tell(&mut self, status: Status, code: String, out: &mut Output) {
        if let Some((frame, activity)) = self.login.take() {
            let method = tables::find(postgresql::METHODS, self.method);
            let mut activity = activity.with(Field::DatabaseVersion, &*self.version).with(
                Field::DatabaseAuthentication,
                method.map_or_else(|| self.method.to_string(), |code| code.name.to_string()),
            );
            activity.put_secret(method.map_or("other", |code| code.kind), self.known);
            out.activity(Activity { request_frame: Some(frame), ..activity.ended(status, code) });
        }
    }
}

impl Session for Postgresql {
    fn protocol(&self) -> Protocol {
        Protocol::Postgresql
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        let is_client = direction == self.client;
        let mut cursor = Cursor::new(bytes);
        match (self.step, is_client) {
            (Step::Granted, false) => return Framing::Message(1),
            (Step::Start, true) => {}
            (Step::Messages, _) => drop(cursor.u8("type")),
            _ => return Framing::NotMine,
        }
        match cursor.u32_be("length") {
            Ok(length @ 4..) => {
                let length = (length as usize).saturating_add(cursor.offset() - 4);
                Framing::Head { keep: length.min(READ), length }
            }
            Ok(_) => Framing::NotMine,
            Err(_) => Framing::NeedMore,
        }
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let read = match (self.step, chunk.direction == self.client) {
            (Step::Granted, false) => {
                self.granted(chunk.bytes, out);
                Ok(())
            }
            (Step::Start, true) => self.first(chunk.bytes, out),
            (Step::Messages, true) => {
                self.client_said(chunk.bytes);
                Ok(())
            }
            (Step::Messages, false) => self.server_said(chunk.bytes, out),
            _ => Ok(()),
        };
        self.is_done |= read.is_err();
    }

    fn close(&mut self, out: &mut Output) {
        self.tell(Status::NoResponse, String::new(), out);
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn held(&self) -> usize {
        self.user.holds() + self.login.holds() + self.version.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::heard::Said;
    use crate::protocols::heard::{C, S, cut_everywhere, stream, takes_any};

    const PORTS: [u16; 2] = [50_000, 5432];
    const SSL_REQUEST: (Direction, &[u8]) = (C, b"\x00\x00\x00\x08\x04\xd2\x16\x2f");
    const START: (Direction, &[u8]) =
        (C, b"\x00\x00\x00\x37\x00\x03\x00\x00user\0eva\0database\0plant\0application_name\0psql\0\0");
    const READY: (Direction, &[u8]) =
        (S, b"R\x00\x00\x00\x08\x00\x00\x00\x00S\x00\x00\x00\x18server_version\x0014.5\0Z\x00\x00\x00\x05I");

    #[test]
    fn logins() {
        let no: (Direction, &[u8]) = (S, b"E\x00\x00\x00\x14SFATAL\x00C28P01\x00\x00\x00");
        let cases: [(Said, &str); 5] = [
            (
                &[START, (S, b"R\x00\x00\x00\x08\x00\x00\x00\x03"), (C, b"p\x00\x00\x00\x0bs3cret\0"), no],
                "login error 28P01 @ db.authentication=password credential.kind=password credential.default=false",
            ),
            (
                &[START, (S, b"R\x00\x00\x00\x0c\x00\x00\x00\x05salt"), (C, b"p\x00\x00\x00\x0cmd5s3cr\0"), READY],
                "login ok  @ db.version=14.5 db.authentication=md5 credential.kind=digest",
            ),
            (&[START, READY], "login ok  @ db.version=14.5 db.authentication=none credential.kind=none"),
            (
                &[SSL_REQUEST, (S, b"N"), START, READY],
                "login ok  @ db.version=14.5 db.authentication=none credential.kind=none",
            ),
            (&[SSL_REQUEST, (S, b"S")], "start_tls ok "),
        ];
        for (segments, told) in cases {
            let heard = stream(probe_stream, PORTS, segments);
            let names = "user.name=eva db.name=plant db.application=psql";
            assert_eq!((heard.lines(), heard.is_done), (vec![told.replace('@', names)], true));
            assert!(!heard.tells("s3cr"));
            cut_everywhere(probe_stream, PORTS, segments);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            takes_any(probe_stream, PORTS, &[START], &bytes);
            takes_any(probe_stream, PORTS, &[SSL_REQUEST], &bytes);
        }
    }
}
