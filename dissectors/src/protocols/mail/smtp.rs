//! SMTP (RFC 5321): names of both hosts, logins, from whom to whom.

use super::Login;
use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::exchange::Status;
use crate::holds::Holds;
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::banner;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::text::{find, frame_line, line, may_become, say, starts_with, word};

/// Ports of relay and submission.
const PORTS: [u16; 3] = [25, 587, 2525];
/// Recipients told of one mail.
const MAX_RECIPIENTS: usize = 16;
/// Commands that wait for their reply.
const MAX_OPEN: usize = 64;

/// Tells from the first octets whether a stream is SMTP.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let (bytes, other) = (probe.bytes(probe.first), probe.bytes(probe.first.opposite()));
    let is_own = probe.ports.iter().any(|port| PORTS.contains(port));
    let yes = |server| Recognition::Yes(Box::new(Smtp::new(server)));
    let says_hello = |bytes| starts_with(bytes, b"EHLO ") || starts_with(bytes, b"HELO ");
    match bytes {
        _ if may_become(bytes, b"220 ") => Recognition::Undecided,
        [b'2', b'2', b'0', b' ' | b'-', banner @ ..] => {
            let says = find(&banner[..banner.len().min(512)], b"smtp").is_some();
            match other {
                _ if is_own || says_hello(other) || says => yes(probe.first),
                [] => Recognition::Undecided,
                _ => Recognition::No,
            }
        }
        _ if is_own && says_hello(bytes) => yes(probe.first.opposite()),
        _ => Recognition::No,
    }
}

#[derive(Clone)]
enum Command {
    Other,
    Hello(Vec<u8>),
    Secure,
    From,
    To,
    Data,
    /// What ends a mail.
    Content,
}

impl Holds for Command {
    fn holds(&self) -> usize {
        if let Command::Hello(name) = self { name.holds() } else { 0 }
    }
}

/// A connection.
#[derive(Clone)]
struct Smtp {
    server: Direction,
    open: std::collections::VecDeque<(u64, Command)>,
    greeted: bool,
    banner: Vec<u8>,
    login: Option<Login>,
    mail: Option<Activity>,
    recipients: usize,
    /// The client sends a mail until a line with a dot alone.
    is_content: bool,
    is_done: bool,
}

impl Smtp {
    fn new(server: Direction) -> Self {
        Smtp {
            server,
            open: Default::default(),
            greeted: false,
            banner: Vec::new(),
            login: None,
            mail: None,
            recipients: 0,
            is_content: false,
            is_done: false,
        }
    }

    fn command(&mut self, text: &[u8], out: &mut Output) {
        if self.is_content {
            if text == b"." {
                self.is_content = false;
                self.push(Command::Content, out);
            }
            return;
        }
        // While a login goes on, the client's lines are its texts.
        if let Some(login) = &mut self.login {
            login.text(text);
            return;
        }
        let (name, argument) = word(text);
        let command = match name.to_ascii_uppercase().as_slice() {
            b"EHLO" | b"HELO" | b"LHLO" => {
                let name = word(argument).0;
                if name.first().is_some_and(|octet| *octet != b'[') {
                    say(out, Attribute::Hostname, name);
                }
                Command::Hello(name.get(..255).unwrap_or(name).to_vec())
            }
            b"STARTTLS" => Command::Secure,
            b"AUTH" => {
                self.login = Some(Login::sasl(argument, out.frame));
                return;
            }
            b"MAIL" => {
                self.tell(Status::NoResponse, "", out);
                let mail = Activity::new(self.server.opposite(), "mail", Operation::Write);
                let mail = Activity { request_frame: Some(out.frame), ..mail };
                (self.mail, self.recipients) = (Some(mail.with(Field::MailFrom, address(argument))), 0);
                Command::From
            }
            b"RCPT" => {
                self.recipients += 1;
                if let Some(mail) = self.mail.as_mut().filter(|_| self.recipients <= MAX_RECIPIENTS) {
                    mail.put(Field::MailTo, address(argument));
                }
                Command::To
            }
            b"DATA" => Command::Data,
            _ => Command::Other,
        };
        self.push(command, out);
    }

    fn push(&mut self, command: Command, out: &Output) {
        if self.open.len() >= MAX_OPEN {
            self.open.clear();
        }
        self.open.push_back((out.frame, command));
    }

    fn reply(&mut self, text: &[u8], out: &mut Output) {
        let Some((code, rest)) = text.split_first_chunk::<3>().filter(|(code, _)| code.iter().all(u8::is_ascii_digit))
        else {
            return;
        };
        if rest.first() == Some(&b'-') {
            return;
        }
        let text = rest.trim_ascii();
        let number = String::from_utf8_lossy(code).into_owned();
        let is_ok = matches!(code[0], b'2' | b'3');
        if !std::mem::replace(&mut self.greeted, true) {
            self.banner = text.get(..255).unwrap_or(text).to_vec();
            let (name, product) = word(text);
            if name.contains(&b'.') {
                say(out, Attribute::Hostname, name);
            }
            say(out, Attribute::Software, product);
            banner::greeting(text, out);
            return;
        }
        if self.login.is_some() {
            // The mechanism asks for more.
            if code != b"334" {
                let login = self.login.take().unwrap_or_default();
                out.activity(login.ended(self.server.opposite(), is_ok, number));
            }
            return;
        }
        let Some((frame, command)) = self.open.pop_front() else { return };
        let status = if is_ok { Status::Ok } else { Status::Error };
        match command {
            Command::Hello(name) => {
                let hello = Activity::new(self.server.opposite(), "hello", Operation::Session)
                    .with(Field::MailHello, printable(&name))
                    .with(Field::Banner, printable(&self.banner));
                out.activity(Activity { request_frame: Some(frame), ..hello.ended(status, number) });
            }
            Command::Secure => {
                let secure = Activity::new(self.server.opposite(), "start_tls", Operation::Session);
                out.activity(Activity { request_frame: Some(frame), ..secure.ended(status, number) });
                self.is_done = is_ok;
            }
            Command::From if !is_ok => self.tell(Status::Error, &number, out),
            Command::Data if is_ok => self.is_content = true,
            Command::Data => self.tell(Status::Error, &number, out),
            Command::Content => self.tell(status, &number, out),
            Command::From | Command::To | Command::Other => {}
        }
    }

    fn tell(&mut self, status: Status, code: &str, out: &mut Output) {
        if let Some(mail) = self.mail.take() {
            out.activity(mail.ended(status, code));
        }
    }
}

/// The address in `FROM:<eva@example> SIZE=7`.
fn address(argument: &[u8]) -> String {
    let start = argument.iter().position(|octet| *octet == b'<').map_or(0, |at| at + 1);
    let rest = &argument[start..];
    printable(&rest[..rest.iter().position(|octet| *octet == b'>').unwrap_or(rest.len())])
}

impl Session for Smtp {
    fn protocol(&self) -> Protocol {
        Protocol::Smtp
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        match frame_line(bytes) {
            // Lines of a mail may be of any length.
            Framing::NotMine if self.is_content && direction != self.server => {
                Framing::Head { keep: 0, length: bytes.len() }
            }
            framing => framing,
        }
    }

    fn resync(&self, direction: Direction, bytes: &[u8]) -> Option<usize> {
        let (text, _) = line(bytes)?;
        let is_reply = matches!(text, [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', b' ' | b'-', ..]);
        (direction == self.server && is_reply).then_some(0)
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Some((text, _)) = line(chunk.bytes) else { return };
        if chunk.direction == self.server { self.reply(text, out) } else { self.command(text, out) }
    }

    fn gap(&mut self, _: Direction, out: &mut Output) {
        self.open.clear();
        (self.is_content, self.greeted) = (false, true);
        // Of a login's texts the next one may be the password where a name was due.
        if let Some(login) = self.login.take() {
            out.activity(login.unanswered(self.server.opposite()));
        }
    }

    fn close(&mut self, out: &mut Output) {
        if let Some(login) = self.login.take() {
            out.activity(login.unanswered(self.server.opposite()));
        }
        self.tell(Status::NoResponse, "", out);
    }

    fn is_done(&self) -> bool {
        self.is_done
    }

    fn held(&self) -> usize {
        self.open.holds() + self.banner.holds() + self.login.holds() + self.mail.holds()
    }
}
