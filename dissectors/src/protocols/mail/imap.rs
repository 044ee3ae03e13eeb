//! IMAP (RFC 9051): who reads mail, with which program. Once he is in, nothing more is listened to.

use super::Login;
use crate::activity::Activity;
use crate::exchange::Status;
use crate::holds::Holds;
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::banner;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::text::{find, frame_line, line, may_become, say, word};

/// The port.
const PORT: u16 = 143;
/// Octets of a command that goes on over several lines.
const MAX_COMMAND: usize = 2048;

/// Tells from the first octets whether a stream is IMAP.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let (bytes, other) = (probe.bytes(probe.first), probe.bytes(probe.first.opposite()));
    if may_become(bytes, b"* OK") {
        return Recognition::Undecided;
    }
    if !(bytes.starts_with(b"* OK") || bytes.starts_with(b"* PREAUTH")) {
        return Recognition::No;
    }
    let says = find(&bytes[..bytes.len().min(512)], b"imap").is_some();
    let is_command = line(other).is_some_and(|(text, _)| {
        let (name, _) = word(word(text).1);
        [&b"CAPABILITY"[..], b"LOGIN", b"AUTHENTICATE", b"STARTTLS", b"ID", b"NOOP"]
            .iter()
            .any(|command| name.eq_ignore_ascii_case(command))
    });
    match other {
        _ if probe.ports.contains(&PORT) || says || is_command => Recognition::Yes(Box::new(Imap::new(probe.first))),
        [] => Recognition::Undecided,
        _ => Recognition::No,
    }
}

#[derive(Clone)]
enum Asked {
    Secure(u64),
    Login(Login, bool),
}

impl Holds for Asked {
    fn holds(&self) -> usize {
        match self {
            Asked::Login(login, _) => login.holds(),
            Asked::Secure(_) => 0,
        }
    }
}

/// A connection.
#[derive(Clone)]
struct Imap {
    server: Direction,
    greeted: bool,
    /// A command whose rest is still to come, as a literal (RFC 9051, 4.3).
    command: Vec<u8>,
    /// The tag whose answer is awaited.
    tag: Vec<u8>,
    asked: Option<Asked>,
    is_done: bool,
}

impl Imap {
    fn new(server: Direction) -> Self {
        Imap { server, greeted: false, command: Vec::new(), tag: Vec::new(), asked: None, is_done: false }
    }

    fn client_said(&mut self, text: &[u8], out: &mut Output) {
        if let Some(Asked::Login(login, true)) = &mut self.asked {
            login.text(text);
            return;
        }
        // A literal's length at the end: the next line goes on with it.
        let literal = text.last() == Some(&b'}');
        let length = text.iter().rposition(|octet| *octet == b'{').filter(|_| literal);
        self.command.extend_from_slice(&text[..length.unwrap_or(text.len())]);
        if length.is_some() && self.command.len() < MAX_COMMAND {
            return;
        }
        let command = std::mem::take(&mut self.command);
        let (tag, rest) = word(&command);
        let (name, arguments) = word(rest);
        let asked = match name.to_ascii_uppercase().as_slice() {
            b"LOGIN" => {
                let (user, rest) = string(arguments);
                Asked::Login(Login::plain(user, string(rest).0, out.frame), false)
            }
            b"AUTHENTICATE" => Asked::Login(Login::sasl(arguments, out.frame), true),
            b"STARTTLS" => Asked::Secure(out.frame),
            b"ID" => {
                let mut words = arguments.split(|octet| *octet == b'"').skip(1).step_by(2);
                while let (Some(key), Some(value)) = (words.next(), words.next()) {
                    match key.to_ascii_lowercase().as_slice() {
                        b"name" => say(out, Attribute::Software, value),
                        b"os" => say(out, Attribute::OperatingSystem, value),
                        _ => {}
                    }
                }
                return;
            }
            _ => return,
        };
        (self.asked, self.tag) = (Some(asked), tag.to_vec());
    }

    fn server_said(&mut self, text: &[u8], out: &mut Output) {
        let (tag, rest) = word(text);
        if !std::mem::replace(&mut self.greeted, true) {
            let text = word(rest).1;
            // What stands in brackets is a list of capabilities.
            let text =
                text.strip_prefix(b"[").and_then(|text| text.split(|octet| *octet == b']').nth(1)).unwrap_or(text);
            say(out, Attribute::Software, text);
            banner::greeting(text, out);
            return;
        }
        if tag != self.tag || self.tag.is_empty() {
            return;
        }
        let (outcome, client) = (word(rest).0, self.server.opposite());
        let is_ok = outcome.eq_ignore_ascii_case(b"OK");
        let code = crate::bytes::printable(outcome).to_ascii_uppercase();
        match self.asked.take() {
            Some(Asked::Login(login, _)) => out.activity(login.ended(client, is_ok, code)),
            Some(Asked::Secure(frame)) => {
                let status = if is_ok { Status::Ok } else { Status::Error };
                let secure = Activity::new(client, "start_tls", Operation::Session).ended(status, code);
                out.activity(Activity { request_frame: Some(frame), ..secure });
            }
            None => return,
        }
        self.is_done = is_ok;
    }
}

/// A string, quoted or not, and what follows.
fn string(arguments: &[u8]) -> (&[u8], &[u8]) {
    match arguments.strip_prefix(b"\"") {
        Some(quoted) => {
            let end = quoted.iter().position(|octet| *octet == b'"').unwrap_or(quoted.len());
            (&quoted[..end], quoted.get(end + 1..).unwrap_or_default().trim_ascii_start())
        }
        None => word(arguments),
    }
}

impl Session for Imap {
    fn protocol(&self) -> Protocol {
        Protocol::Imap
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        frame_line(bytes)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Some((text, _)) = line(chunk.bytes) else { return };
        if chunk.direction == self.server { self.server_said(text, out) } else { self.client_said(text, out) }
    }

    fn gap(&mut self, _: Direction, out: &mut Output) {
        self.greeted = true;
        // Of a login's texts the next one may be the password where a name was due.
        self.command.clear();
        self.close(out);
    }

    fn close(&mut self, out: &mut Output) {
        if let Some(Asked::Login(login, _)) = self.asked.take() {
            out.activity(login.unanswered(self.server.opposite()));
        }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn held(&self) -> usize {
        self.command.holds() + self.tag.holds() + self.asked.holds()
    }
}
