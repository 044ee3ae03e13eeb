//! TFTP (RFC 1350, RFC 2347): which file is read or written, in which mode, and what is refused. A transfer goes on
//! between other ports; of it only errors and option acknowledgements tell that they are TFTP.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::model::{Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, tftp};

/// The port of requests.
const PORT: u16 = 69;
/// Transfer modes (RFC 1350, 1).
const MODES: [&[u8]; 3] = [b"octet", b"netascii", b"mail"];

/// Tells from a datagram whether it is TFTP.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = if probe.forward.is_empty() { probe.backward } else { probe.forward };
    // Most datagrams are told from it by their first octets.
    if bytes.first() != Some(&0) || bytes.len() < 5 {
        return Recognition::No;
    }
    match message(bytes) {
        Ok(Message::Request { .. }) => Recognition::Yes(Box::new(Tftp)),
        Ok(Message::Error { code, text }) if code < 9 && text.len() > 3 && !probe.ports.contains(&PORT) => {
            Recognition::Yes(Box::new(Tftp))
        }
        _ if bytes[1] <= 6 && probe.ports.contains(&PORT) => Recognition::Yes(Box::new(Tftp)),
        _ => Recognition::No,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Message<'a> {
    Request { opcode: u16, name: &'a [u8], mode: &'a [u8] },
    Error { code: u16, text: &'a [u8] },
    Other,
}

fn message(bytes: &[u8]) -> Result<Message<'_>, Short> {
    let mut cursor = Cursor::new(bytes);
    let opcode = cursor.u16_be("opcode")?;
    Ok(match opcode {
        1 | 2 => {
            let (name, mode) = (text(&mut cursor)?, text(&mut cursor)?);
            let is_request = !name.is_empty() && MODES.iter().any(|known| mode.eq_ignore_ascii_case(known));
            if is_request { Message::Request { opcode, name, mode } } else { Message::Other }
        }
        5 => Message::Error { code: cursor.u16_be("error code")?, text: text(&mut cursor)? },
        _ => Message::Other,
    })
}

/// A printable text and the zero at its end.
fn text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Short> {
    let rest = cursor.rest();
    let length = memchr::memchr(0, rest).unwrap_or(rest.len());
    let text = cursor.take(length + 1, "text")?;
    let text = &text[..length];
    match text.iter().position(u8::is_ascii_control) {
        Some(offset) => Err(Short { field: "text", offset, needed: 1, left: 0 }),
        None => Ok(text),
    }
}

#[derive(Clone)]
struct Tftp;

impl Session for Tftp {
    fn protocol(&self) -> Protocol {
        Protocol::Tftp
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        match message(chunk.bytes) {
            Ok(Message::Request { opcode, name, mode }) => {
                let code = tables::find(tftp::OPCODES, u32::from(opcode));
                let (action, operation) = code.map_or(("", None), |code| (code.name, code.operation));
                out.activity(
                    Activity::new(chunk.direction, action, operation.unwrap_or(Operation::Unknown))
                        .with(Field::FileAction, action)
                        .with(Field::FileName, printable(name))
                        .with(Field::TftpMode, printable(mode).to_ascii_lowercase()),
                );
            }
            Ok(Message::Error { code, .. }) => {
                let name = tables::name(tftp::ERRORS, u32::from(code));
                let name = if name.is_empty() { code.to_string() } else { name.to_string() };
                let activity = Activity::new(chunk.direction.opposite(), "transfer", Operation::File);
                out.activity(activity.ended(Status::Error, name));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::heard::{C, S, datagrams, takes_any, truncated};

    const READ: &[u8] = b"\x00\x01startup-config\x00OCTET\x00tsize\x000\x00";
    const WRITE: &[u8] = b"\x00\x02fw.bin\x00octet\x00";
    const ERROR: &[u8] = b"\x00\x05\x00\x01File not found\x00";

    #[test]
    fn requests_and_errors() {
        let cases: [(&[u8], [u16; 2], &[&str]); 7] = [
            (READ, [40_000, 69], &["read one_way  file.action=read file.name=startup-config tftp.mode=octet"]),
            (WRITE, [40_000, 6969], &["write one_way  file.action=write file.name=fw.bin tftp.mode=octet"]),
            (ERROR, [40_001, 40_000], &["transfer error file_not_found"]),
            (b"\x00\x05\x00\x63no such thing\x00", [40_001, 69], &["transfer error 99"]),
            (b"\x00\x01name\x00mode\x00", [40_000, 40_001], &[]),
            (b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x01", [40_000, 502], &[]),
            (b"\x00\x05\x00\x20\x00\x06\x01", [40_000, 40_001], &[]),
        ];
        for (bytes, ports, lines) in cases {
            assert_eq!(datagrams(probe_datagram, ports, &[(C, bytes)]).lines(), lines, "{bytes:?}");
        }
        truncated(probe_datagram, [40_000, 69], &[(C, READ), (S, ERROR)]);
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..100)) {
            takes_any(probe_datagram, [40_000, 69], &[(C, READ)], &bytes);
        }
    }
}
