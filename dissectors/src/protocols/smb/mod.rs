//! Server message blocks, of versions 1 to 3, over TCP and NetBIOS sessions: who logs in, which shares are connected to,
//! which files are opened, read, written, renamed and deleted, and what is called over named pipes. What files hold is
//! passed over; what is encrypted is only named.

mod conversation;
mod one;
#[cfg(test)]
mod tests;
mod two;

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::exchange::Status;
use crate::holds::Holds as _;
use crate::model::{Attribute, Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, smb};
use conversation::Conversation;

/// Octets of a NetBIOS session header (RFC 1002, 4.3.1), which direct transport has as well (MS-SMB2, 2.1).
const SESSION_HEADER: usize = 4;
/// Octets read of what a pipe carries in one message.
const PIPE: usize = 8 * 1024;
/// Octets read of any other message.
const WHOLE: usize = 64 * 1024;
/// Octets of a NetBIOS name in its coded form, with its length and end (RFC 1001, 14.1).
const CODED_NAME: usize = 34;

/// Types of NetBIOS session packets (RFC 1002, 4.3.1).
mod packet {
    pub const MESSAGE: u8 = 0x00;
    pub const REQUEST: u8 = 0x81;
    pub const POSITIVE: u8 = 0x82;
    pub const NEGATIVE: u8 = 0x83;
    pub const RETARGET: u8 = 0x84;
    pub const KEEP_ALIVE: u8 = 0x85;
}

/// What of a message is to be read.
enum Keep {
    /// So many octets say more.
    More(usize),
    /// All of it.
    All,
    /// The start of what a pipe carries.
    Pipe,
    /// So many octets.
    Head(usize),
}

/// Which protocol a message is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    One,
    Two,
    Encrypted,
    Compressed,
}

fn kind(message: &[u8]) -> Option<Kind> {
    match message.first_chunk()? {
        b"\xffSMB" => Some(Kind::One),
        b"\xfeSMB" => Some(Kind::Two),
        b"\xfdSMB" => Some(Kind::Encrypted),
        b"\xfcSMB" => Some(Kind::Compressed),
        _ => None,
    }
}

/// What an offset and a length point to, as far as it is there.
fn section(bytes: &[u8], offset: usize, length: usize) -> &[u8] {
    let rest = bytes.get(offset..).unwrap_or_default();
    &rest[..rest.len().min(length)]
}

/// Tells from the first octets whether a stream is of server message blocks.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    if is_start(bytes) || session_request(bytes).is_some() {
        return Recognition::Yes(Box::<Smb>::default());
    }
    Recognition::No
}

/// True where octets start with a message.
fn is_start(bytes: &[u8]) -> bool {
    let &[packet::MESSAGE, high, middle, low, ref message @ ..] = bytes else { return false };
    let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
    match kind(message) {
        Some(Kind::One) => length >= one::HEADER && one::is_header(message),
        Some(Kind::Two) => length >= two::HEADER && two::is_header(message),
        Some(Kind::Encrypted) => length >= two::HEADER,
        Some(Kind::Compressed) | None => false,
    }
}

/// The names called and calling (RFC 1002, 4.3.2).
fn session_request(bytes: &[u8]) -> Option<[String; 2]> {
    let (&[packet::REQUEST, 0, 0, 68], names) = bytes.split_first_chunk()? else { return None };
    let (called, rest) = names.split_first_chunk::<CODED_NAME>()?;
    Some([uncoded(called)?, uncoded(rest.first_chunk::<CODED_NAME>()?)?])
}

/// A NetBIOS name (RFC 1001, 14.1), without the octet that says of what it is the name.
fn uncoded(name: &[u8; CODED_NAME]) -> Option<String> {
    let &[32, ref coded @ .., 0] = name else { return None };
    let half = |octet: u8| octet.checked_sub(b'A').filter(|half| *half < 16);
    let octets = coded.chunks_exact(2).map(|pair| Some(half(pair[0])? << 4 | half(pair[1])?));
    let octets = octets.collect::<Option<Vec<u8>>>()?;
    Some(printable(octets.get(..15)?))
}

/// A conversation.
#[derive(Clone, Default)]
struct Smb {
    conversation: Conversation,
    one: one::One,
    two: two::Two,
    /// A NetBIOS session that is asked for, and the frame.
    requested: Option<(Activity, u64)>,
    is_encrypted: bool,
}

impl Smb {
    fn session_packet(&mut self, bytes: &[u8], direction: Direction, out: &mut Output) {
        if let Some([called, calling]) = session_request(bytes) {
            out.sender_is(Attribute::Hostname, &*calling);
            let activity = Activity::new(direction, "session_request", Operation::Session)
                .with(Field::HostName, called)
                .with(Field::Workstation, calling);
            self.requested = Some((activity, out.frame));
            return;
        }
        let ended = match bytes {
            [packet::POSITIVE, ..] => (Status::Ok, ""),
            [packet::NEGATIVE, _, _, _, code, ..] => (Status::Error, tables::name(smb::REFUSALS, u32::from(*code))),
            [packet::RETARGET, ..] => (Status::Error, "retarget"),
            _ => return,
        };
        self.session_requested(ended, out);
    }

    fn session_requested(&mut self, (status, code): (Status, &str), out: &mut Output) {
        if let Some((activity, frame)) = self.requested.take() {
            out.activity(Activity { request_frame: Some(frame), ..activity.ended(status, code) });
        }
    }

    /// That it is encrypted is told once; what it is for nobody but the two knows.
    fn encrypted(&mut self, direction: Direction, out: &mut Output) {
        if !std::mem::replace(&mut self.is_encrypted, true) {
            let activity = Activity::new(direction, "encrypt", Operation::Session);
            out.activity(activity.with(Field::SmbDialect, &*self.conversation.dialect));
        }
    }
}

impl Session for Smb {
    fn protocol(&self) -> Protocol {
        Protocol::Smb
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        let Some((&[packet, high, middle, low], message)) = bytes.split_first_chunk::<SESSION_HEADER>() else {
            return Framing::NeedMore;
        };
        let length = SESSION_HEADER + (usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low));
        match packet {
            packet::MESSAGE => {}
            packet::REQUEST..=packet::KEEP_ALIVE if length <= SESSION_HEADER + 2 * CODED_NAME => {
                return Framing::Message(length);
            }
            _ => return Framing::NotMine,
        }
        let keep = match kind(message) {
            Some(Kind::One) => self.one.keeps(message, &self.conversation),
            Some(Kind::Two) => self.two.keeps(message, &self.conversation),
            Some(Kind::Encrypted | Kind::Compressed) => Keep::Head(4),
            None if message.len() < 4 && length >= SESSION_HEADER + 4 => return Framing::NeedMore,
            None => return Framing::NotMine,
        };
        let keep = match keep {
            Keep::More(needed) if bytes.len() < length && message.len() < needed => return Framing::NeedMore,
            Keep::More(_) | Keep::All => WHOLE,
            Keep::Pipe => PIPE,
            Keep::Head(octets) => SESSION_HEADER + octets,
        };
        Framing::Head { keep: keep.min(length), length }
    }

    fn resync(&self, _: Direction, bytes: &[u8]) -> Option<usize> {
        (0..bytes.len()).find(|at| is_start(&bytes[*at..]))
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Some((packet, message)) = chunk.bytes.split_first_chunk::<SESSION_HEADER>() else { return };
        if packet[0] != packet::MESSAGE {
            return self.session_packet(chunk.bytes, chunk.direction, out);
        }
        match kind(message) {
            Some(Kind::One) => self.one.message(message, chunk.direction, &mut self.conversation, out),
            Some(Kind::Two) => self.two.messages(message, chunk.direction, &mut self.conversation, out),
            Some(Kind::Encrypted) => self.encrypted(chunk.direction, out),
            Some(Kind::Compressed) | None => {}
        }
    }

    fn held(&self) -> usize {
        self.conversation.holds() + self.one.holds() + self.two.holds()
    }

    fn close(&mut self, out: &mut Output) {
        self.session_requested((Status::NoResponse, ""), out);
        self.one.close(out);
        self.two.close(&self.conversation, out);
        self.conversation.close(out);
    }
}
