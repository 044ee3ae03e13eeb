//! Telnet, and the remote logins of BSD: who logs in, on what terminal, with what outcome. A session is listened to until
//! the login ends; what is typed then is not.

pub mod bsd;
#[cfg(test)]
mod tests;

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::banner;
use crate::secrets::is_known_password;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::text::{find, say};

/// The port.
const PORT: u16 = 23;
/// Interpret as command (RFC 854), and what may follow.
const IAC: u8 = 255;
const SB: u8 = 250;
const SE: u8 = 240;
/// Options that say something of the client.
mod option {
    /// Terminal type (RFC 1091).
    pub const TERMINAL_TYPE: u8 = 24;
    /// Authentication (RFC 2941).
    pub const AUTHENTICATION: u8 = 37;
    /// Environment (RFC 1572), and its older number (RFC 1408).
    pub const ENVIRONMENT: [u8; 2] = [39, 36];
}
/// Options known (IANA), the highest that is used.
const MAX_OPTION: u8 = 49;
/// Octets of a line or of an option's text that are read.
const MAX_TEXT: usize = 256;
/// Octets that a server says until its greeting is over, whatever it says.
const MAX_GREETING: usize = 16 * 1024;

/// Ends of a text that ask for a user's name, and for a password.
const USER: [&[u8]; 6] = [b"login:", b"username:", b"user name:", b"user:", b"login :", b"benutzername:"];
const PASSWORD: [&[u8]; 5] = [b"password:", b"passwd:", b"passwort:", b"password :", b"passcode:"];
/// What a server says where a login fails.
const FAILED: [&[u8]; 8] =
    [b"incorrect", b"failed", b"failure", b"invalid", b"denied", b"bad password", b"not allowed", b"wrong"];
/// What it says where it succeeds.
const WELCOME: [&[u8]; 3] = [b"last login", b"welcome", b"logged in"];

/// Tells from the first octets whether a stream is Telnet: it starts with a negotiation, or on its port with a prompt.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    let server = probe.opener.map(Direction::opposite).or(probe.direction_to(PORT));
    let yes = |server| Recognition::Yes(Box::new(Telnet::new(server)));
    match bytes {
        [IAC, 0xfb..=0xfe, 0..=MAX_OPTION, rest @ ..] if rest.is_empty() || rest[0] == IAC || rest[0] < 0x80 => {
            yes(server.unwrap_or(probe.first))
        }
        [IAC] | [IAC, 0xfb..=0xfe] => Recognition::Undecided,
        [] => Recognition::No,
        _ if probe.ports.contains(&PORT) && server == Some(probe.first) && bytes.iter().all(is_text) => {
            if ends(bytes, &USER) || ends(bytes, &PASSWORD) { yes(probe.first) } else { Recognition::Undecided }
        }
        _ => Recognition::No,
    }
}

fn is_text(octet: &u8) -> bool {
    !octet.is_ascii_control() || octet.is_ascii_whitespace() || matches!(octet, 0 | 7 | 8 | 0x1b)
}

fn ends(text: &[u8], words: &[&[u8]]) -> bool {
    let text = text.trim_ascii_end();
    words
        .iter()
        .any(|word| text.len().checked_sub(word.len()).is_some_and(|start| text[start..].eq_ignore_ascii_case(word)))
}

fn has(text: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|word| find(text, word).is_some())
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Command,
    Option,
    Sub,
    SubCommand,
}

/// One direction's octets, with commands taken out.
#[derive(Clone, Default)]
struct Side {
    state: State,
    sub: Vec<u8>,
    text: Vec<u8>,
}

holds!(Side { sub, text });

impl Side {
    /// Takes an octet; gives true at the end of an option's text.
    fn octet(&mut self, octet: u8) -> bool {
        let mut is_sub = false;
        self.state = match (self.state, octet) {
            (State::Text, IAC) => State::Command,
            (State::Command, SB) => {
                self.sub.clear();
                State::Sub
            }
            (State::Command, 0xfb..=0xfe) => State::Option,
            (State::Command | State::Option, _) => State::Text,
            (State::Sub, IAC) => State::SubCommand,
            (State::SubCommand, SE) => {
                is_sub = true;
                State::Text
            }
            (State::Sub | State::SubCommand, _) => {
                if self.sub.len() < MAX_TEXT {
                    self.sub.push(octet);
                }
                State::Sub
            }
            (State::Text, _) => {
                if self.text.len() >= MAX_TEXT {
                    self.text.drain(..MAX_TEXT / 2);
                }
                self.text.push(octet);
                State::Text
            }
        };
        is_sub
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Asked {
    #[default]
    Nothing,
    User,
    Password,
    /// The password was typed.
    Outcome,
}

/// A connection.
#[derive(Clone)]
struct Telnet {
    server: Direction,
    sides: [Side; 2],
    asked: Asked,
    user: Vec<u8>,
    terminal: Vec<u8>,
    known: bool,
    frame: u64,
    heard: usize,
    /// A login was told, or somebody spoke at all.
    told: bool,
    is_done: bool,
}

impl Telnet {
    fn new(server: Direction) -> Self {
        Telnet {
            server,
            sides: Default::default(),
            asked: Asked::Nothing,
            user: Vec::new(),
            terminal: Vec::new(),
            known: false,
            frame: 0,
            heard: 0,
            told: false,
            is_done: false,
        }
    }

    /// What the server said so far ends with what it asks for.
    fn server_said(&mut self, out: &mut Output) {
        let text = std::mem::take(&mut self.sides[self.server as usize].text);
        let is_user = ends(&text, &USER);
        let is_password = ends(&text, &PASSWORD);
        if self.asked == Asked::Outcome {
            let is_failed = has(&text, &FAILED) || is_user || is_password;
            let prompt = text.trim_ascii_end().last();
            let is_welcome = has(&text, &WELCOME) || prompt.is_some_and(|octet| b"$#>%".contains(octet));
            if is_failed || is_welcome {
                self.login(if is_failed { Status::Error } else { Status::Ok }, out);
                self.is_done = !is_failed;
            }
        } else if is_user || is_password {
            self.greeting(&text, is_user, out);
        }
        if is_user || is_password {
            if is_user {
                self.user.clear();
            }
            self.asked = if is_user { Asked::User } else { Asked::Password };
            // What was typed ahead of the question is no answer to it.
            self.sides[self.server.opposite() as usize].text.clear();
        } else {
            self.sides[self.server as usize].text = text;
        }
        self.is_done |= self.heard > MAX_GREETING;
    }

    /// What a server says before it asks: its own name before `login:`, and what it is.
    fn greeting(&self, text: &[u8], is_user: bool, out: &mut Output) {
        banner::greeting(text, out);
        let line = text.trim_ascii_end().rsplit(|octet| matches!(octet, b'\n' | b'\r')).next().unwrap_or_default();
        if let (true, Some(at)) = (is_user, find(line, b" login:")) {
            let name = line[..at].trim_ascii();
            if !name.is_empty() && name.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-._".contains(octet)) {
                say(out, Attribute::Hostname, name);
            }
        }
    }

    fn client_typed(&mut self, frame: u64) {
        let side = &mut self.sides[self.server.opposite() as usize];
        let Some(end) = side.text.iter().position(|octet| matches!(octet, b'\r' | b'\n')) else { return };
        let mut typed = Vec::new();
        for octet in &side.text[..end] {
            match octet {
                8 | 127 => drop(typed.pop()),
                octet if octet.is_ascii_control() => {}
                octet => typed.push(*octet),
            }
        }
        side.text.clear();
        match self.asked {
            Asked::User => (self.user, self.asked) = (typed, Asked::Nothing),
            Asked::Password => {
                self.known = is_known_password(&self.user, &typed);
                (self.asked, self.frame) = (Asked::Outcome, frame);
            }
            Asked::Nothing | Asked::Outcome => {}
        }
    }

    /// The text of an option that the client sends.
    fn option(&mut self) {
        let sub = std::mem::take(&mut self.sides[self.server.opposite() as usize].sub);
        match sub.as_slice() {
            [option::TERMINAL_TYPE, 0, name @ ..] => self.terminal = name.to_vec(),
            // The name that is authenticated (RFC 2941, 2).
            [option::AUTHENTICATION, 3, name @ ..] => self.user = name.to_vec(),
            [number, 0 | 2, variables @ ..] if option::ENVIRONMENT.contains(number) => {
                for variable in variables.split(|octet| matches!(octet, 0 | 3)) {
                    if let Some(value) = variable.strip_prefix(b"USER\x01") {
                        self.user = value.to_vec();
                    }
                }
            }
            _ => {}
        }
    }

    fn login(&mut self, status: Status, out: &mut Output) {
        let mut activity = self.activity("login", Operation::Authenticate);
        activity.put_secret("password", Some(self.known));
        activity.request_frame = Some(self.frame);
        out.activity(activity.ended(status, ""));
        (self.asked, self.told) = (Asked::Nothing, true);
    }

    fn activity(&self, action: &'static str, operation: Operation) -> Activity {
        Activity::new(self.server.opposite(), action, operation)
            .with(Field::UserName, printable(&self.user))
            .with(Field::TerminalType, printable(&self.terminal))
    }
}

impl Session for Telnet {
    fn protocol(&self) -> Protocol {
        Protocol::Telnet
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        Framing::Message(bytes.len().max(1))
    }

    fn resync(&self, _: Direction, _: &[u8]) -> Option<usize> {
        Some(0)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let is_server = chunk.direction == self.server;
        for octet in chunk.bytes {
            let is_sub = self.sides[chunk.direction as usize].octet(*octet);
            if is_server {
                self.heard += 1;
            } else if is_sub {
                self.option();
            } else if matches!(octet, b'\r' | b'\n') {
                self.client_typed(out.frame);
            }
        }
        if is_server {
            self.server_said(out);
        }
    }

    fn gap(&mut self, direction: Direction, _: &mut Output) {
        self.sides[direction as usize] = Side::default();
        self.asked = Asked::Nothing;
    }

    fn close(&mut self, out: &mut Output) {
        if self.asked == Asked::Outcome {
            self.login(Status::NoResponse, out);
        } else if !self.told {
            out.activity(self.activity("connect", Operation::Session));
        }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn held(&self) -> usize {
        self.sides.holds() + self.user.holds() + self.terminal.holds()
    }
}
