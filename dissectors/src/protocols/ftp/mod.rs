//! The control connection of FTP: who logs in, with what outcome, which files are read, written, renamed and deleted;
//! and on which connections for their octets both sides agree.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::exchange::Status;
use crate::holds::{Holds, holds};
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::banner;
use crate::secrets::is_known_password;
use crate::session::{Chunk, Direction, Expected, Framing, Output, Probe, Recognition, Session};
use crate::tables::{Code, ftp};
use crate::text::{find, frame_line, line, may_become, say, word};

/// Commands that wait for their reply.
const MAX_OPEN: usize = 64;
/// Octets of a greeting that are read.
const MAX_BANNER: usize = 255;
/// Commands that an FTP client starts with, and no other protocol's client.
const FIRST: [&[u8]; 8] = [b"USER", b"AUTH", b"FEAT", b"SYST", b"HOST", b"OPTS", b"CLNT", b"PASS"];

/// Tells from the first octets whether a stream is a control connection.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    let other = probe.bytes(probe.first.opposite());
    let is_own = probe.ports.contains(&21);
    let yes = |server| Recognition::Yes(Box::new(Ftp::new(server)));
    let commands = |bytes: &[u8]| line(bytes).is_some_and(|(line, _)| is_first(word(line).0));
    match bytes {
        _ if may_become(bytes, b"220 ") => Recognition::Undecided,
        [b'2', b'2', b'0', b' ' | b'-', banner @ ..] | [b'1', b'2', b'0', b' ', banner @ ..] => {
            let banner = &banner[..banner.len().min(512)];
            if is_own || commands(other) || (other.is_empty() && find(banner, b"ftp").is_some()) {
                yes(probe.first)
            } else if other.is_empty() && find(banner, b"smtp").is_none() {
                Recognition::Undecided
            } else {
                Recognition::No
            }
        }
        [b'A'..=b'Z' | b'a'..=b'z', ..] if commands(bytes) => {
            let is_reply = matches!(other, [b'2'..=b'5', b'0'..=b'5', b'0'..=b'9', b' ' | b'-', ..]);
            if is_own || is_reply { yes(probe.first.opposite()) } else { Recognition::No }
        }
        _ => Recognition::No,
    }
}

fn is_first(word: &[u8]) -> bool {
    FIRST.iter().any(|command| word.eq_ignore_ascii_case(command))
}

/// The port behind an address, as `h1,h2,h3,h4,p1,p2` (RFC 959, 5.3.2).
fn port(text: &[u8]) -> Option<u16> {
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse::<u8>().ok();
    let is_end = |octet: &u8| !octet.is_ascii_digit() && *octet != b',';
    let mut numbers = text.split(is_end).next()?.split(|octet| *octet == b',').map(number);
    let [_, _, _, _, high, low] = std::array::from_fn(|_| numbers.next().flatten());
    numbers.next().is_none().then_some(u16::from_be_bytes([high?, low?]))
}

/// The port behind protocol and address, as `|1|address|port|` with any delimiter (RFC 2428, 2 and 3).
fn extended_port(text: &[u8]) -> Option<u16> {
    let delimiter = text.first().filter(|octet| octet.is_ascii_punctuation())?;
    std::str::from_utf8(text.split(|octet| octet == delimiter).nth(3)?).ok()?.parse().ok()
}

#[derive(Clone)]
struct Open {
    frame: u64,
    command: Command,
}

#[derive(Clone)]
enum Command {
    /// Nothing of it is told.
    Other,
    User,
    Password(Option<bool>),
    Secure,
    System,
    /// A file's name, to be renamed.
    From(Vec<u8>),
    Told(&'static Code, Vec<u8>),
}

impl Holds for Command {
    fn holds(&self) -> usize {
        match self {
            Command::From(text) | Command::Told(_, text) => text.holds(),
            _ => 0,
        }
    }
}

holds!(Open { command });

/// A control connection.
#[derive(Clone)]
struct Ftp {
    server: Direction,
    open: VecDeque<Open>,
    user: Vec<u8>,
    from: Vec<u8>,
    banner: Vec<u8>,
    /// The code of a reply over several lines.
    reply: Option<[u8; 3]>,
    greeted: bool,
    is_done: bool,
}

impl Ftp {
    fn new(server: Direction) -> Self {
        Ftp {
            server,
            open: VecDeque::new(),
            user: Vec::new(),
            from: Vec::new(),
            banner: Vec::new(),
            reply: None,
            greeted: false,
            is_done: false,
        }
    }

    fn command(&mut self, text: &[u8], out: &mut Output) {
        let (name, argument) = word(text);
        let argument = argument.trim_ascii();
        let command = match name.to_ascii_uppercase().as_slice() {
            b"USER" => {
                self.user = argument.get(..255).unwrap_or(argument).to_vec();
                Command::User
            }
            // Anonymous users send an address instead (RFC 1635).
            b"PASS" if self.is_anonymous() => Command::Password(None),
            b"PASS" => Command::Password(Some(is_known_password(&self.user, argument))),
            b"AUTH" => Command::Secure,
            b"SYST" => Command::System,
            b"PORT" => self.expect(self.server.opposite(), port(argument), out),
            b"EPRT" => self.expect(self.server.opposite(), extended_port(argument), out),
            b"RNFR" => Command::From(argument.get(..255).unwrap_or(argument).to_vec()),
            name => match ftp::COMMANDS.iter().find(|code| code.name.as_bytes() == name) {
                Some(code) => Command::Told(code, argument.get(..255).unwrap_or(argument).to_vec()),
                None => Command::Other,
            },
        };
        if self.open.len() >= MAX_OPEN {
            self.give_up(out);
        }
        self.open.push_back(Open { frame: out.frame, command });
    }

    /// Files' octets are to go over a connection of their own. Its address may be told wrong by whoever is behind a
    /// translator, or be another host's: only one between the same two is waited for.
    fn expect(&self, listener: Direction, port: Option<u16>, out: &mut Output) -> Command {
        let expected = port.filter(|port| *port > 0).map(|port| Expected { listener, port, service: "ftp-data" });
        out.expected.extend(expected);
        Command::Other
    }

    fn is_anonymous(&self) -> bool {
        self.user.eq_ignore_ascii_case(b"anonymous") || self.user.eq_ignore_ascii_case(b"ftp")
    }

    fn reply(&mut self, text: &[u8], out: &mut Output) {
        let (code, rest) = match text {
            [a @ b'1'..=b'5', b, c, rest @ ..] if b.is_ascii_digit() && c.is_ascii_digit() => ([*a, *b, *c], rest),
            _ => return,
        };
        let goes_on = rest.first() == Some(&b'-');
        // Lines between the first and the last of a reply start with anything (RFC 959, 4.2).
        if self.reply.is_some_and(|first| first != code) {
            return;
        }
        let text = rest.get(1..).unwrap_or_default().trim_ascii();
        if !self.greeted && code == *b"220" {
            if self.banner.len() < MAX_BANNER {
                let blank: &[u8] = if self.banner.is_empty() { b"" } else { b" " };
                self.banner.extend([blank, text.get(..MAX_BANNER).unwrap_or(text)].concat());
            }
            if !goes_on {
                if names_product(&self.banner) {
                    say(out, Attribute::Software, &self.banner);
                }
                banner::greeting(&self.banner, out);
            }
        }
        self.reply = goes_on.then_some(code);
        let is_greeting = !self.greeted && self.open.is_empty();
        if goes_on || code[0] == b'1' {
            return;
        }
        match &code {
            b"227" => _ = self.expect(self.server, text.split(|octet| *octet == b'(').find_map(port), out),
            b"229" => _ = self.expect(self.server, text.split(|octet| *octet == b'(').find_map(extended_port), out),
            _ => {}
        }
        self.greeted = true;
        if is_greeting && code == *b"220" {
            return;
        }
        if let Some(open) = self.open.pop_front() {
            self.ended(open, Some(code), text, out);
        }
    }

    fn ended(&mut self, open: Open, code: Option<[u8; 3]>, text: &[u8], out: &mut Output) {
        let client = self.server.opposite();
        let status = match code {
            None => Status::NoResponse,
            Some([b'4' | b'5', ..]) => Status::Error,
            Some(_) => Status::Ok,
        };
        let is_ok = status == Status::Ok;
        let login = || {
            Activity::new(client, "login", Operation::Authenticate)
                .with(Field::UserName, printable(&self.user))
                .with(Field::Banner, printable(&self.banner))
        };
        let activity = match open.command {
            // Whoever is asked for a password is not logged in yet.
            Command::User if code == Some(*b"331") || code == Some(*b"332") => return,
            Command::User => login(),
            Command::Password(known) => {
                let mut login = login();
                login.put_secret("password", known);
                login
            }
            Command::Secure => {
                self.is_done = is_ok;
                Activity::new(client, "start_tls", Operation::Session)
            }
            Command::System => {
                if is_ok {
                    banner::system(text, out);
                }
                return;
            }
            Command::From(name) => {
                self.from = name;
                return;
            }
            Command::Other => return,
            Command::Told(told, argument) => {
                let operation = told.operation.unwrap_or(Operation::Unknown);
                let activity = Activity::new(client, told.kind, operation).with(Field::FileAction, told.kind);
                match told.name {
                    "RNTO" => activity
                        .with(Field::FileName, printable(&std::mem::take(&mut self.from)))
                        .with(Field::FileNewName, printable(&argument)),
                    // What follows the command's word may be anything.
                    "SITE" => activity.with(Field::FileName, printable(word(&argument).0)),
                    "SIZE" if is_ok => activity
                        .with(Field::FileName, printable(&argument))
                        .with(Field::FileSize, printable(word(text).0)),
                    _ => activity.with(Field::FileName, printable(&argument)),
                }
            }
        };
        let code = code.map(|code| String::from_utf8_lossy(&code).into_owned()).unwrap_or_default();
        out.activity(Activity { request_frame: Some(open.frame), ..activity.ended(status, code) });
    }

    fn give_up(&mut self, out: &mut Output) {
        while let Some(open) = self.open.pop_front() {
            self.ended(open, None, b"", out);
        }
    }
}

/// True where a greeting has any word that not every server says.
fn names_product(greeting: &[u8]) -> bool {
    const USUAL: [&str; 9] = ["ftp", "server", "service", "ready", "welcome", "to", "the", "for", "user"];
    let words = greeting.split(|octet| !octet.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.into_iter().any(|word| !USUAL.iter().any(|usual| word.eq_ignore_ascii_case(usual.as_bytes())))
}

impl Session for Ftp {
    fn protocol(&self) -> Protocol {
        Protocol::Ftp
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        frame_line(bytes)
    }

    fn resync(&self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        let (text, _) = line(bytes)?;
        let is_start = if direction == self.server {
            matches!(text, [b'1'..=b'5', b'0'..=b'5', b'0'..=b'9', b' ' | b'-', ..])
        } else {
            let (name, _) = word(text);
            is_first(name) || ftp::COMMANDS.iter().any(|code| code.name.as_bytes() == name)
        };
        is_start.then_some(0)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Some((text, _)) = line(chunk.bytes) else { return };
        if chunk.direction == self.server {
            self.reply(text, out);
        } else {
            // Telnet's signals may stand before a command (RFC 959, 4.1.3).
            let start = text.iter().position(u8::is_ascii).unwrap_or(text.len());
            self.command(&text[start..], out);
        }
    }

    fn gap(&mut self, _: Direction, out: &mut Output) {
        self.reply = None;
        self.give_up(out);
    }

    fn close(&mut self, out: &mut Output) {
        self.give_up(out);
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn held(&self) -> usize {
        self.open.holds() + self.user.holds() + self.from.holds() + self.banner.holds()
    }
}
