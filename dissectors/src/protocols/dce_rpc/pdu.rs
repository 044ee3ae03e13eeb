//! Protocol data units of connection-oriented calls (C706, 12.6; MS-RPCE, 2.2.2), and the interfaces that they name.

use crate::bytes::{Cursor, Short};
use crate::tables::{self, dce_rpc};

/// Octets of the common header (C706, 12.6.3.1).
pub const HEADER: usize = 16;
/// Octets of a security trailer (MS-RPCE, 2.2.2.11).
const TRAILER: usize = 8;
/// Contexts read of one bind.
const MAX_CONTEXTS: usize = 32;
/// What a UUID takes.
const UUID: usize = 16;

/// Types of units.
pub mod kind {
    /// A call.
    pub const REQUEST: u8 = 0;
    /// Its answer.
    pub const RESPONSE: u8 = 2;
    /// Its failure.
    pub const FAULT: u8 = 3;
    /// The client asks for interfaces.
    pub const BIND: u8 = 11;
    /// The server has them.
    pub const BIND_ACK: u8 = 12;
    /// The server has none.
    pub const BIND_NAK: u8 = 13;
    /// The client asks for more interfaces.
    pub const ALTER: u8 = 14;
    /// The answer.
    pub const ALTER_RESPONSE: u8 = 15;
    /// The third message of a login.
    pub const AUTH3: u8 = 16;
    /// The last one there is.
    pub const LAST: u8 = 19;
}

/// The common header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Type.
    pub kind: u8,
    /// Flags.
    pub flags: u8,
    /// True where integers have their low octet first.
    pub is_little: bool,
    /// Octets of the unit.
    pub length: usize,
    /// Octets of the login's token at its end.
    pub token: usize,
    /// Number of the call.
    pub call: u32,
}

impl Header {
    /// True for the first part of a call.
    pub const fn is_first(&self) -> bool {
        self.flags & 1 != 0
    }

    /// True where the unit takes part in opening a connection: such units are read whole.
    pub const fn is_opening(&self) -> bool {
        self.kind >= kind::BIND && self.kind <= kind::AUTH3
    }

    fn u16(&self, cursor: &mut Cursor<'_>, field: &'static str) -> Result<u16, Short> {
        if self.is_little { cursor.u16_le(field) } else { cursor.u16_be(field) }
    }

    fn u32(&self, cursor: &mut Cursor<'_>, field: &'static str) -> Result<u32, Short> {
        if self.is_little { cursor.u32_le(field) } else { cursor.u32_be(field) }
    }
}

/// Reads a common header; none where it is no such thing.
pub fn header(bytes: &[u8]) -> Option<Header> {
    let &[5, 0 | 1, kind, flags, order @ (0x00 | 0x10), 0..=3, 0, 0, ref rest @ ..] = bytes else { return None };
    let is_little = order == 0x10;
    let header = Header { kind, flags, is_little, length: 0, token: 0, call: 0 };
    let mut cursor = Cursor::new(rest);
    let length = usize::from(header.u16(&mut cursor, "frag_length").ok()?);
    let token = usize::from(header.u16(&mut cursor, "auth_length").ok()?);
    let call = header.u32(&mut cursor, "call_id").ok()?;
    let trailer = if token == 0 { 0 } else { TRAILER + token };
    let fits = kind <= kind::LAST && length >= HEADER + trailer;
    fits.then_some(Header { length, token, call, ..header })
}

/// An interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    uuid: [u8; UUID],
    number: Option<u32>,
}

impl Interface {
    /// The interface of a UUID as it is on the wire.
    pub fn new(octets: &[u8], is_little: bool) -> Option<Self> {
        let mut uuid = <[u8; UUID]>::try_from(octets).ok()?;
        if is_little {
            uuid[0..4].reverse();
            uuid[4..6].reverse();
            uuid[6..8].reverse();
        }
        let text = text(&uuid);
        let number = dce_rpc::INTERFACES.iter().find(|code| code.kind == text).map(|code| code.code);
        Some(Interface { uuid, number })
    }

    /// Its name, or its UUID.
    pub fn name(&self) -> String {
        match self.number.map(|number| tables::name(dce_rpc::INTERFACES, number)) {
            Some(name) => name.to_string(),
            None => text(&self.uuid),
        }
    }

    /// True where its name is this.
    pub fn is(&self, name: &str) -> bool {
        self.number.is_some_and(|number| tables::name(dce_rpc::INTERFACES, number) == name)
    }

    /// One of its operations.
    pub fn operation(&self, number: u16) -> Option<&'static tables::Code> {
        let number = u8::try_from(number).ok()?;
        tables::find(dce_rpc::OPERATIONS, self.number? << 8 | u32::from(number))
    }
}

fn text(uuid: &[u8; UUID]) -> String {
    let mut text = String::with_capacity(36);
    for (place, octet) in uuid.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{octet:02x}"));
    }
    text
}

/// What a unit says behind its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// Interfaces asked for, by the number of their context.
    Bind(Vec<(u16, Interface)>),
    /// Whether each is there (0), and why not, in the order of asking.
    Answer(Vec<(u16, u16)>),
    /// Nothing is there, for this reason.
    Refusal(u16),
    /// A call of a context's operation.
    Request(u16, u16),
    /// What the call gives.
    Response(u16, &'a [u8]),
    /// Why it fails.
    Fault(u32),
    /// Anything else.
    Other,
}

/// Reads what is behind the header.
///
/// # Errors
/// [`Short`] where it is not there.
pub fn body<'a>(header: &Header, bytes: &'a [u8]) -> Result<Body<'a>, Short> {
    let mut cursor = Cursor::new(bytes);
    cursor.take(HEADER, "header")?;
    Ok(match header.kind {
        kind::BIND | kind::ALTER => Body::Bind(contexts(header, &mut cursor)?),
        kind::BIND_ACK | kind::ALTER_RESPONSE => Body::Answer(results(header, &mut cursor)?),
        kind::BIND_NAK => Body::Refusal(header.u16(&mut cursor, "provider_reject_reason")?),
        kind::REQUEST => {
            cursor.take(4, "alloc_hint")?;
            Body::Request(header.u16(&mut cursor, "p_cont_id")?, header.u16(&mut cursor, "opnum")?)
        }
        kind::RESPONSE => {
            cursor.take(4, "alloc_hint")?;
            let context = header.u16(&mut cursor, "p_cont_id")?;
            cursor.take(2, "cancel_count")?;
            Body::Response(context, cursor.rest())
        }
        kind::FAULT => {
            cursor.take(8, "alloc_hint, p_cont_id, cancel_count")?;
            Body::Fault(header.u32(&mut cursor, "status")?)
        }
        _ => Body::Other,
    })
}

/// A list of presentation contexts (C706, 12.6.3.1, p_cont_list_t).
fn contexts(header: &Header, cursor: &mut Cursor<'_>) -> Result<Vec<(u16, Interface)>, Short> {
    cursor.take(8, "max_xmit_frag, max_recv_frag, assoc_group_id")?;
    let count = usize::from(cursor.u8("n_context_elem")?);
    cursor.take(3, "reserved")?;
    let mut contexts = Vec::new();
    for _ in 0..count.min(MAX_CONTEXTS) {
        let id = header.u16(cursor, "p_cont_id")?;
        let syntaxes = usize::from(cursor.u8("n_transfer_syn")?);
        cursor.take(1, "reserved")?;
        let uuid = cursor.take(UUID, "if_uuid")?;
        cursor.take(4, "if_version")?;
        contexts.extend(Interface::new(uuid, header.is_little).map(|interface| (id, interface)));
        cursor.take(syntaxes * (UUID + 4), "transfer_syntaxes")?;
    }
    Ok(contexts)
}

/// A list of results with their reasons, behind the endpoint's name (C706, 12.6.3.1, p_result_list_t).
fn results(header: &Header, cursor: &mut Cursor<'_>) -> Result<Vec<(u16, u16)>, Short> {
    cursor.take(8, "max_xmit_frag, max_recv_frag, assoc_group_id")?;
    let address = usize::from(header.u16(cursor, "sec_addr length")?);
    cursor.take(address, "sec_addr")?;
    cursor.take(cursor.offset().next_multiple_of(4) - cursor.offset(), "padding")?;
    let count = usize::from(cursor.u8("n_results")?);
    cursor.take(3, "reserved")?;
    let mut results = Vec::new();
    for _ in 0..count.min(MAX_CONTEXTS) {
        results.push((header.u16(cursor, "result")?, header.u16(cursor, "reason")?));
        cursor.take(UUID + 4, "transfer_syntax")?;
    }
    Ok(results)
}

/// What the security trailer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verifier<'a> {
    /// True where what is called is encrypted (RPC_C_AUTHN_LEVEL_PKT_PRIVACY; MS-RPCE, 2.2.1.1.8).
    pub is_sealed: bool,
    /// The login's token.
    pub token: &'a [u8],
}

/// The security trailer; none where there is none, or the unit is cut.
pub fn verifier<'a>(header: &Header, bytes: &'a [u8]) -> Option<Verifier<'a>> {
    let start = header.length.checked_sub(header.token + TRAILER).filter(|_| header.token > 0)?;
    let mut cursor = Cursor::new(bytes.get(start..header.length)?);
    cursor.u8("auth_type").ok()?;
    let is_sealed = cursor.u8("auth_level").ok()? == 6;
    cursor.take(TRAILER - 2, "auth_pad_length, auth_context_id").ok()?;
    Some(Verifier { is_sealed, token: cursor.rest() })
}
