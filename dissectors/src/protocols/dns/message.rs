//! Messages of the Domain Name System (RFC 1035, 4), which mDNS and LLMNR use too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::bytes::{Cursor, Short, printable};
use crate::secrets::without_secret;

/// Octets of a name in its text form at most (RFC 1035, 2.3.4).
const MAX_NAME: usize = 255;
/// Records read of one message.
const MAX_RECORDS: usize = 64;

/// Types of resource records that are read.
pub mod kind {
    /// An IPv4 address.
    pub const A: u16 = 1;
    /// Another name for the name.
    pub const CNAME: u16 = 5;
    /// The name of an address, or of an instance of a service.
    pub const PTR: u16 = 12;
    /// Hardware and operating system.
    pub const HINFO: u16 = 13;
    /// Texts.
    pub const TXT: u16 = 16;
    /// An IPv6 address.
    pub const AAAA: u16 = 28;
    /// Where a service is.
    pub const SRV: u16 = 33;
}

/// The header's flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u16);

impl Flags {
    /// True for a response.
    pub const fn is_response(self) -> bool {
        self.0 & 0x8000 != 0
    }

    /// OPCODE.
    pub const fn opcode(self) -> u8 {
        (self.0 >> 11) as u8 & 0x0f
    }

    /// RCODE.
    pub const fn code(self) -> u8 {
        self.0 as u8 & 0x0f
    }
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Name asked for.
    pub name: String,
    /// Type asked for.
    pub kind: u16,
}

/// What a resource record holds, as far as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An address.
    Address(IpAddr),
    /// A name.
    Name(String),
    /// A server's port and name.
    Service(u16, String),
    /// Texts.
    Texts(Vec<String>),
    /// Anything else.
    Other,
}

/// A resource record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: u16,
    /// What it holds.
    pub data: Data,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Identifier.
    pub id: u16,
    /// Flags.
    pub flags: Flags,
    /// Questions.
    pub questions: Vec<Question>,
    /// Answers.
    pub answers: Vec<Record>,
    /// Further records of mDNS and updates, and those beside an answer.
    pub additional: Vec<Record>,
    /// True where every record was there and octets neither lack nor are left.
    pub whole: bool,
}

/// Reads a message; what follows a record that cannot be read is left out.
///
/// # Errors
/// [`Short`] where header or questions are not there.
pub fn read(bytes: &[u8]) -> Result<Message, Short> {
    let mut cursor = Cursor::new(bytes);
    let id = cursor.u16_be("id")?;
    let flags = Flags(cursor.u16_be("flags")?);
    let mut counts = [0; 4];
    for count in &mut counts {
        *count = usize::from(cursor.u16_be("count")?);
    }
    let mut questions = Vec::new();
    for _ in 0..counts[0].min(MAX_RECORDS) {
        let name = name(bytes, &mut cursor)?;
        let kind = cursor.u16_be("QTYPE")?;
        cursor.u16_be("QCLASS")?;
        questions.push(Question { name, kind });
    }
    let mut sections: [Vec<Record>; 3] = Default::default();
    let mut whole = counts[0] <= MAX_RECORDS;
    'sections: for (section, count) in sections.iter_mut().zip(&counts[1..]) {
        for _ in 0..*count {
            let (true, Ok(record)) = (section.len() < MAX_RECORDS, record(bytes, &mut cursor)) else {
                whole = false;
                break 'sections;
            };
            section.push(record);
        }
    }
    let [answers, authority, mut additional] = sections;
    additional.extend(authority);
    Ok(Message { id, flags, questions, answers, additional, whole: whole && cursor.is_empty() })
}

fn record<'a>(bytes: &'a [u8], cursor: &mut Cursor<'a>) -> Result<Record, Short> {
    let name = name(bytes, cursor)?;
    let kind = cursor.u16_be("TYPE")?;
    cursor.take(6, "CLASS and TTL")?;
    let length = usize::from(cursor.u16_be("RDLENGTH")?);
    let start = cursor.offset();
    let octets = cursor.take(length, "RDATA")?;
    Ok(Record { name, kind, data: data(bytes, kind, octets, start).unwrap_or(Data::Other) })
}

fn data(bytes: &[u8], kind: u16, octets: &[u8], start: usize) -> Result<Data, Short> {
    let mut cursor = Cursor::new(&bytes[..start + octets.len()]);
    cursor.take(start, "message")?;
    Ok(match kind {
        kind::A => match <[u8; 4]>::try_from(octets) {
            Ok(octets) => Data::Address(Ipv4Addr::from(octets).into()),
            Err(_) => Data::Other,
        },
        kind::AAAA => match <[u8; 16]>::try_from(octets) {
            Ok(octets) => Data::Address(Ipv6Addr::from(octets).into()),
            Err(_) => Data::Other,
        },
        kind::CNAME | kind::PTR => Data::Name(name(bytes, &mut cursor)?),
        kind::SRV => {
            cursor.take(4, "priority and weight")?;
            Data::Service(cursor.u16_be("port")?, name(bytes, &mut cursor)?)
        }
        kind::TXT | kind::HINFO => {
            let mut texts = Vec::new();
            while !cursor.is_empty() {
                let length = usize::from(cursor.u8("length")?);
                texts.push(without_secret(&printable(cursor.take(length, "character-string")?)));
            }
            Data::Texts(texts)
        }
        _ => Data::Other,
    })
}

/// Reads a name and follows its pointers, which only lead back (RFC 1035, 4.1.4). The root is a single dot.
///
/// # Errors
/// [`Short`] where it is not there, too long, or its pointers lead nowhere.
pub fn name<'a>(bytes: &'a [u8], cursor: &mut Cursor<'a>) -> Result<String, Short> {
    let mut text = String::with_capacity(64);
    let mut elsewhere: Option<Cursor<'a>> = None;
    // Each round takes a label or follows a pointer.
    for _ in 0..=MAX_NAME {
        let at = elsewhere.as_mut().unwrap_or(cursor);
        let bad = Short { field: "name", offset: at.offset(), needed: 1, left: at.left() };
        let length = at.u8("label")?;
        match length {
            0 if text.is_empty() => return Ok(".".to_string()),
            0 => return Ok(text),
            0xc0.. => {
                let before = at.offset() - 1;
                let target = usize::from(length & 0x3f) << 8 | usize::from(at.u8("pointer")?);
                let mut next = Cursor::new(bytes);
                if target >= before || text.len() > MAX_NAME || next.take(target, "pointer").is_err() {
                    return Err(bad);
                }
                elsewhere = Some(next);
            }
            0x40.. => return Err(bad),
            _ => {
                let label = at.take(usize::from(length), "label")?;
                if text.len() + label.len() > MAX_NAME {
                    return Err(bad);
                }
                if !text.is_empty() {
                    text.push('.');
                }
                push_label(&mut text, label);
            }
        }
    }
    Err(Short { field: "name", offset: cursor.offset(), needed: 0, left: cursor.left() })
}

/// A label as text: what is not plain is written as RFC 4343, 2.1 has it.
fn push_label(text: &mut String, label: &[u8]) {
    let is_plain = |octet: &u8| matches!(octet, 0x20..=0x7e) && *octet != b'.';
    match std::str::from_utf8(label) {
        Ok(plain) if label.iter().all(is_plain) => return text.push_str(plain),
        Ok(plain) if plain.chars().all(|c| !c.is_control() && c != '.') => return text.push_str(plain),
        _ => {}
    }
    for octet in label {
        match octet {
            b'.' => text.push_str("\\."),
            0x20..=0x7e => text.push(char::from(*octet)),
            _ => text.push_str(&format!("\\{octet:03}")),
        }
    }
}
