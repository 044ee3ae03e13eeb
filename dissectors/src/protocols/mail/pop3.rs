//! POP3 (RFC 1939): who fetches mail. Once he is in, nothing more is listened to.

use super::Login;
use crate::activity::Activity;
use crate::exchange::Status;
use crate::holds::Holds;
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::banner;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::text::{find, frame_line, line, may_become, say, starts_with, word};

/// The port.
const PORT: u16 = 110;
/// Commands that a client starts with.
const FIRST: [&[u8]; 5] = [b"USER", b"CAPA", b"APOP", b"AUTH", b"STLS"];

/// Tells from the first octets whether a stream is POP3.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let (bytes, other) = (probe.bytes(probe.first), probe.bytes(probe.first.opposite()));
    if may_become(bytes, b"+OK") {
        return Recognition::Undecided;
    }
    if !bytes.starts_with(b"+OK") {
        return Recognition::No;
    }
    let is_first = FIRST.iter().any(|command| starts_with(other, command));
    let says = find(&bytes[..bytes.len().min(256)], b"pop3").is_some();
    match other {
        _ if probe.ports.contains(&PORT) || is_first || says => Recognition::Yes(Box::new(Pop3::new(probe.first))),
        [] => Recognition::Undecided,
        _ => Recognition::No,
    }
}

#[derive(Clone)]
enum Asked {
    Nothing,
    User,
    Secure(u64),
    Login(Login),
}

impl Holds for Asked {
    fn holds(&self) -> usize {
        match self {
            Asked::Login(login) => login.holds(),
            Asked::Nothing | Asked::User | Asked::Secure(_) => 0,
        }
    }
}

/// A connection.
#[derive(Clone)]
struct Pop3 {
    server: Direction,
    greeted: bool,
    user: Vec<u8>,
    asked: Asked,
    is_done: bool,
}

impl Pop3 {
    fn new(server: Direction) -> Self {
        Pop3 { server, greeted: false, user: Vec::new(), asked: Asked::Nothing, is_done: false }
    }

    fn command(&mut self, text: &[u8], out: &Output) {
        if let Asked::Login(login) = &mut self.asked {
            login.text(text);
            return;
        }
        let (name, argument) = word(text);
        self.asked = match name.to_ascii_uppercase().as_slice() {
            b"USER" => {
                self.user = super::kept(argument.trim_ascii());
                Asked::User
            }
            b"PASS" => Asked::Login(Login::plain(&self.user, argument, out.frame)),
            b"APOP" => Asked::Login(Login::apop(word(argument).0, out.frame)),
            b"AUTH" if !argument.is_empty() => Asked::Login(Login::sasl(argument, out.frame)),
            b"STLS" => Asked::Secure(out.frame),
            _ => Asked::Nothing,
        };
    }

    fn reply(&mut self, text: &[u8], out: &mut Output) {
        let is_ok = text.starts_with(b"+OK");
        if !(is_ok || text.starts_with(b"-ERR")) {
            return;
        }
        if !std::mem::replace(&mut self.greeted, true) {
            // What stands in angle brackets is a challenge (RFC 1939, 7).
            let text = text[3..].split(|octet| *octet == b'<').next().unwrap_or_default();
            say(out, Attribute::Software, text);
            banner::greeting(text, out);
            return;
        }
        let client = self.server.opposite();
        match std::mem::replace(&mut self.asked, Asked::Nothing) {
            Asked::Nothing | Asked::User => {}
            Asked::Secure(frame) => {
                let status = if is_ok { Status::Ok } else { Status::Error };
                let secure = Activity::new(client, "start_tls", Operation::Session).ended(status, "");
                out.activity(Activity { request_frame: Some(frame), ..secure });
                self.is_done = is_ok;
            }
            Asked::Login(login) => {
                out.activity(login.ended(client, is_ok, ""));
                self.is_done = is_ok;
            }
        }
    }
}

impl Session for Pop3 {
    fn protocol(&self) -> Protocol {
        Protocol::Pop3
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        frame_line(bytes)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Some((text, _)) = line(chunk.bytes) else { return };
        if chunk.direction == self.server { self.reply(text, out) } else { self.command(text, out) }
    }

    fn gap(&mut self, _: Direction, out: &mut Output) {
        self.greeted = true;
        // Of a login's texts the next one may be the password where a name was due.
        self.close(out);
    }

    fn close(&mut self, out: &mut Output) {
        if let Asked::Login(login) = std::mem::replace(&mut self.asked, Asked::Nothing) {
            out.activity(login.unanswered(self.server.opposite()));
        }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn held(&self) -> usize {
        self.user.holds() + self.asked.holds()
    }
}
