//! How messages of SMB 1 are laid out: header, chained commands, texts (MS-CIFS, 2.2).

use super::super::conversation::dos_status;
use crate::bytes::{Cursor, Short, printable, utf16_le};

/// Octets of the header (MS-CIFS, 2.2.3.1).
pub const HEADER: usize = 32;
/// Commands of one message.
const MAX_CHAIN: usize = 8;

/// Commands (MS-CIFS, 2.2.2.1).
pub mod command {
    pub const CREATE_DIRECTORY: u8 = 0x00;
    pub const DELETE_DIRECTORY: u8 = 0x01;
    pub const OPEN: u8 = 0x02;
    pub const CREATE: u8 = 0x03;
    pub const CLOSE: u8 = 0x04;
    pub const DELETE: u8 = 0x06;
    pub const RENAME: u8 = 0x07;
    pub const TRANSACTION: u8 = 0x25;
    pub const LOCKING_ANDX: u8 = 0x24;
    pub const OPEN_ANDX: u8 = 0x2d;
    pub const READ_ANDX: u8 = 0x2e;
    pub const WRITE_ANDX: u8 = 0x2f;
    pub const TRANSACTION2: u8 = 0x32;
    pub const TREE_CONNECT: u8 = 0x70;
    pub const TREE_DISCONNECT: u8 = 0x71;
    pub const NEGOTIATE: u8 = 0x72;
    pub const SESSION_SETUP_ANDX: u8 = 0x73;
    pub const LOGOFF_ANDX: u8 = 0x74;
    pub const TREE_CONNECT_ANDX: u8 = 0x75;
    pub const NT_CREATE_ANDX: u8 = 0xa2;
    pub const NONE: u8 = 0xff;
}

/// Commands that another may follow in the same message (MS-CIFS, 2.2.3.4).
const CHAINED: [u8; 8] = [
    command::LOCKING_ANDX,
    command::OPEN_ANDX,
    command::READ_ANDX,
    command::WRITE_ANDX,
    command::SESSION_SETUP_ANDX,
    command::LOGOFF_ANDX,
    command::TREE_CONNECT_ANDX,
    command::NT_CREATE_ANDX,
];

/// SMB_FLAGS_REPLY.
const REPLY: u8 = 0x80;
/// SMB_FLAGS2_NT_STATUS and SMB_FLAGS2_UNICODE.
const NT_STATUS: u16 = 0x4000;
const UNICODE: u16 = 0x8000;
/// A header.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub command: u8,
    pub status: u32,
    pub is_reply: bool,
    pub is_unicode: bool,
    pub tree: u32,
    pub user: u64,
    pub message: u32,
}

/// Reads a header.
pub fn header(bytes: &[u8]) -> Result<Header, Short> {
    let mut cursor = Cursor::new(bytes);
    cursor.take(4, "Protocol")?;
    let command = cursor.u8("Command")?;
    let status = cursor.take(4, "Status")?;
    let flags = cursor.u8("Flags")?;
    let flags2 = cursor.u16_le("Flags2")?;
    cursor.take(12, "PIDHigh, SecurityFeatures, Reserved")?;
    let tree = u32::from(cursor.u16_le("TID")?);
    let process = u32::from(cursor.u16_le("PIDLow")?);
    let user = u64::from(cursor.u16_le("UID")?);
    let message = u32::from(cursor.u16_le("MID")?) | process << 16;
    let mut status = Cursor::new(status);
    let status = match flags2 & NT_STATUS {
        0 => {
            let class = status.u8("ErrorClass")?;
            status.u8("Reserved")?;
            dos_status(class, status.u16_le("ErrorCode")?)
        }
        _ => status.u32_le("Status")?,
    };
    Ok(Header { command, status, is_reply: flags & REPLY != 0, is_unicode: flags2 & UNICODE != 0, tree, user, message })
}

/// True where octets start with a header.
pub fn is_header(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xffSMB") && bytes.len() > HEADER
}

/// One command of a message.
pub struct Block<'a> {
    pub command: u8,
    /// Parameters.
    pub words: &'a [u8],
    /// Where the data start, from the header.
    pub data: usize,
    /// Where they end.
    pub end: usize,
}

impl Block<'_> {
    pub fn u16(&self, at: usize) -> Result<u16, Short> {
        let mut cursor = Cursor::new(self.words);
        cursor.take(at, "Words")?;
        cursor.u16_le("Words")
    }

    pub fn u32(&self, at: usize) -> Result<u32, Short> {
        let mut cursor = Cursor::new(self.words);
        cursor.take(at, "Words")?;
        cursor.u32_le("Words")
    }
}

/// The commands of a message: each names where the next one starts, and only further on.
pub fn blocks<'a>(first: u8, bytes: &'a [u8]) -> Vec<Block<'a>> {
    let (mut found, mut command, mut at) = (Vec::new(), first, HEADER);
    while found.len() < MAX_CHAIN && command != command::NONE {
        let Some((count, rest)) = bytes.get(at..).and_then(<[u8]>::split_first) else { break };
        let Some(words) = rest.get(..2 * usize::from(*count)) else { break };
        let data = at + 1 + words.len() + 2;
        let length =
            bytes.get(data - 2..data).map_or(0, |octets| usize::from(u16::from_le_bytes([octets[0], octets[1]])));
        let block = Block { command, words, data, end: (data + length).min(bytes.len()) };
        let next =
            if CHAINED.contains(&command) && !words.is_empty() { block.u16(2).map_or(0, usize::from) } else { 0 };
        command = if next > at { words[0] } else { command::NONE };
        found.push(block);
        at = next;
    }
    found
}

/// Texts of a message, one after the other.
pub struct Texts<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    pub is_unicode: bool,
}

impl Texts<'_> {
    /// The next text, up to its end; of two octets a character it starts at an even place (MS-CIFS, 2.2.1.1.4).
    pub fn next(&mut self) -> String {
        if self.is_unicode {
            self.at += self.at % 2;
        }
        self.unaligned()
    }

    pub fn unaligned(&mut self) -> String {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if self.is_unicode {
            let end = rest.chunks_exact(2).position(|unit| unit == [0, 0]).map_or(rest.len(), |end| 2 * end);
            self.at += end + 2;
            return utf16_le(&rest[..end]);
        }
        let end = rest.iter().position(|octet| *octet == 0).unwrap_or(rest.len());
        self.at += end + 1;
        printable(&rest[..end])
    }

    /// The next text behind its format (MS-CIFS, 2.2.2.5).
    pub fn formatted(&mut self) -> String {
        self.at += 1;
        self.next()
    }
}
