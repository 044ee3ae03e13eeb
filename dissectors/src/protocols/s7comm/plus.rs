//! S7comm-plus, the protocol of newer controllers: named and paired, with the identity out of its session set-up.
//!
//! ```text
//! 0x72 | version | length (2) | data | 0x72 | version | 0 (2)
//! ```
//! Only the last part of a message has the trailer. From version 3 on, a part's data start with a digest. They hold:
//!
//! ```text
//! opcode | reserved (2) | function (2) | reserved (2) | sequence (2) | session (4, requests) | content
//! ```

use super::draft::Draft;
use crate::bytes::{Cursor, Short};
use crate::model::{Attribute, Kind, OddityCode, Operation, Pairing};
use crate::tables::{self, s7comm as codes};

/// Protocol identifier.
pub(super) const IDENTIFIER: u8 = 0x72;
/// Octets of a header, and of a trailer.
const FRAME: usize = 4;
/// The version whose parts have no data that concern anybody.
const KEEP_ALIVE: u8 = 0xFF;
/// From this version on, data start with a digest.
const WITH_DIGEST: u8 = 3;
const MAX_HELD: usize = 64 * 1024;

/// Opcodes.
mod opcode {
    pub(super) const REQUEST: u8 = 0x31;
    pub(super) const RESPONSE: u8 = 0x32;
    pub(super) const NOTIFICATION: u8 = 0x33;
    /// Answers without content, of some controllers.
    pub(super) const SHORT_RESPONSE: u8 = 0x02;
}

/// Functions whose content is looked into.
mod function {
    pub(super) const CREATE_OBJECT: u16 = 0x04CA;
    pub(super) const SET_VARIABLE: u16 = 0x04F2;
    pub(super) const SET_MULTI_VARIABLES: u16 = 0x0542;
}

/// Stands in for the session where there is none yet.
const SERVER_SESSIONS: u32 = 288;

/// True where these octets start a message, as far as they show it; `all` says whether more belong to them.
pub(super) fn starts(bytes: &[u8], all: bool) -> bool {
    let &[IDENTIFIER, version @ 1..=3, high, low, ref data @ ..] = bytes else { return false };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let fits = !all || matches!(data.len().checked_sub(length), Some(0 | FRAME));
    let opcode = if version >= WITH_DIGEST {
        data.get(1 + usize::from(data.first().copied().unwrap_or(0)))
    } else {
        data.first()
    };
    fits && opcode.is_some_and(|opcode| (opcode::REQUEST..=opcode::NOTIFICATION).contains(opcode))
}

/// A message in parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    octets: Vec<u8>,
    wire: usize,
    cut: bool,
}

/// A message, its parts joined.
pub(super) struct Message {
    pub(super) octets: Vec<u8>,
    pub(super) wire: usize,
    pub(super) whole: bool,
    pub(super) keep_alive: bool,
}

impl Parts {
    /// Adds a part; gives the message where that was the last.
    pub(super) fn join(&mut self, bytes: &[u8], wire: usize, whole: bool) -> Option<Message> {
        let (version, part, last) = match split(bytes) {
            Ok(split) => split,
            Err(_) => (0, &[][..], true),
        };
        let room = MAX_HELD.saturating_sub(self.octets.len());
        if !self.cut {
            self.octets.extend_from_slice(&part[..part.len().min(room)]);
        }
        self.cut |= !whole || part.len() > room;
        self.wire = self.wire.saturating_add(wire);
        (last || !whole).then(|| {
            let Parts { octets, wire, cut } = std::mem::take(self);
            Message { octets, wire, whole: !cut, keep_alive: version == KEEP_ALIVE }
        })
    }

    /// Octets held.
    pub(super) fn held(&self) -> usize {
        self.octets.len()
    }

    /// Takes what was begun; its end will not come.
    pub(super) fn give_up(&mut self) -> Option<Message> {
        let Parts { octets, wire, .. } = std::mem::take(self);
        (!octets.is_empty()).then_some(Message { octets, wire, whole: false, keep_alive: false })
    }
}

/// Version, data without digest, and whether the trailer follows.
fn split(bytes: &[u8]) -> Result<(u8, &[u8], bool), Short> {
    let mut cursor = Cursor::new(bytes);
    cursor.take(1, "protocol identifier")?;
    let version = cursor.u8("version")?;
    let length = usize::from(cursor.u16_be("length")?);
    let data = cursor.take(length.min(cursor.left()), "data")?;
    let digest = match (version, data.first()) {
        (WITH_DIGEST.., Some(&digest)) if version != KEEP_ALIVE => 1 + usize::from(digest),
        _ => 0,
    };
    Ok((version, data.get(digest..).unwrap_or(&[]), version == KEEP_ALIVE || cursor.left() >= FRAME))
}

/// Decodes a message.
pub(super) fn decode(message: &Message, keys: u64, draft: &mut Draft) {
    if message.keep_alive {
        draft.message.message_type = Some(KEEP_ALIVE);
        draft.message.name = tables::name(codes::MESSAGE_TYPES, KEEP_ALIVE.into());
        draft.message.kind = Kind::Link;
        draft.message.operation = Operation::Session;
        return;
    }
    let result = read(&mut Cursor::new(&message.octets), keys, draft);
    draft.short(FRAME, result);
}

fn read(cursor: &mut Cursor<'_>, keys: u64, draft: &mut Draft) -> Result<(), Short> {
    let opcode = cursor.u8("opcode")?;
    draft.message.message_type = Some(opcode);
    draft.message.from_client = opcode == opcode::REQUEST;
    match opcode {
        opcode::REQUEST | opcode::RESPONSE | opcode::SHORT_RESPONSE => {}
        opcode::NOTIFICATION => {
            draft.message.kind = Kind::Unsolicited;
            draft.message.pairing = Pairing::Alone;
            draft.message.operation = Operation::Report;
            draft.message.name = tables::name(codes::MESSAGE_TYPES, opcode.into());
            return Ok(());
        }
        _ => {
            draft.odd(OddityCode::InvalidValue, FRAME, format!("opcode 0x02 or 0x31 to 0x33, found 0x{opcode:02x}"));
            return Ok(());
        }
    }
    cursor.take(2, "reserved")?;
    let function = cursor.u16_be("function")?;
    draft.function(function, tables::find(codes::PLUS_FUNCTIONS, function.into()));
    draft.message.kind = if opcode == opcode::REQUEST { Kind::Request } else { Kind::Response };
    cursor.take(2, "reserved")?;
    let sequence = cursor.u16_be("sequence number")?;
    draft.message.transaction = Some(sequence.into());
    let key = keys | u64::from(sequence);
    if opcode != opcode::REQUEST {
        draft.message.pairing = Pairing::Answers { key, last: true };
        if function == function::CREATE_OBJECT {
            identity(cursor.rest(), draft);
        }
        return Ok(());
    }
    draft.message.pairing = Pairing::Opens(key);
    let session = cursor.u32_be("session")?;
    cursor.take(1, "transport flags")?;
    let of_session = match function {
        function::CREATE_OBJECT => session == SERVER_SESSIONS,
        // The client completes its own session by setting a variable of it: that is no write to the process.
        function::SET_MULTI_VARIABLES => cursor.u32_be("object") == Ok(session),
        _ => false,
    };
    if of_session {
        draft.message.operation = Operation::Session;
    } else if function == function::SET_VARIABLE {
        cursor.take(5, "object and number of attributes")?;
        let known = tables::find(codes::PLUS_ATTRIBUTES, variable_length(cursor)?);
        if let Some(operation) = known.and_then(|known| known.operation) {
            draft.message.operation = operation;
        }
    }
    Ok(())
}

/// Seven bits an octet, the highest first; the eighth bit says that more follow.
fn variable_length(cursor: &mut Cursor<'_>) -> Result<u32, Short> {
    let mut value = 0_u32;
    loop {
        let octet = cursor.u8("identifier")?;
        value = value << 7 | u32::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            return Ok(value);
        }
    }
}

/// The server names its device in the answer that creates a session: `1;6ES7 214-1HE30-0XB0 ;V2.2`.
fn identity(content: &[u8], draft: &mut Draft) {
    let words = content.split(|octet| !matches!(octet, b' '..=b'~')).filter_map(|run| std::str::from_utf8(run).ok());
    for word in words {
        let mut fields = word.split(';').skip(1).map(str::trim);
        if let (Some(model), Some(firmware)) = (fields.next(), fields.next())
            && model.starts_with('6')
            && firmware.starts_with('V')
        {
            draft.claim(Attribute::Vendor, "Siemens");
            draft.claim(Attribute::Model, model);
            draft.claim(Attribute::Firmware, firmware);
            return;
        }
    }
}
