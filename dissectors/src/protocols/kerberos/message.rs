//! Messages of Kerberos (RFC 4120, 5), as far as they are open: names, realms, encryption types, errors. Nothing is read of
//! what tickets and authenticators hold.

use crate::ber::{Reader, Value, tag};
use crate::bytes::printable;
use crate::holds::holds;
use crate::tables::{self, kerberos};

/// Fields read of one sequence.
const MAX_FIELDS: usize = 16;
/// Parts of a principal's name, and addresses.
const MAX_PARTS: usize = 8;
/// A NetBIOS name as a host's address (RFC 4120, 7.5.3).
const NETBIOS_ADDRESS: i64 = 20;

/// Tags of the messages: APPLICATION, by their type (RFC 4120, 5.10).
pub mod kind {
    /// AS-REQ.
    pub const AS_REQUEST: u8 = 0x6a;
    /// AS-REP.
    pub const AS_REPLY: u8 = 0x6b;
    /// TGS-REQ.
    pub const TGS_REQUEST: u8 = 0x6c;
    /// TGS-REP.
    pub const TGS_REPLY: u8 = 0x6d;
    /// AP-REQ.
    pub const AP_REQUEST: u8 = 0x6e;
    /// KRB-ERROR.
    pub const ERROR: u8 = 0x7e;
}

/// What a message says, each part empty where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Tag of the message.
    pub kind: u8,
    /// Name of the client.
    pub client: String,
    /// Realm of the client, or that a request is for.
    pub realm: String,
    /// Name of the service.
    pub service: String,
    /// Name of the host that asks.
    pub workstation: String,
    /// Encryption of the ticket.
    pub cipher: &'static str,
    /// Code of an error.
    pub error: Option<u32>,
}

holds!(Message { client, realm, service, workstation });

/// A ticket, as far as it is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticket {
    /// Realm of the service.
    pub realm: String,
    /// Name of the service.
    pub service: String,
    /// Its encryption.
    pub cipher: &'static str,
}

/// Reads a message of the exchange with a key distribution centre; none where it is no such thing.
pub fn read(bytes: &[u8]) -> Option<Message> {
    let outer = Reader::new(bytes).value_as_far_as_it_goes().ok()?;
    let field = inside(&outer)?;
    let mut message = Message { kind: outer.tag, ..Message::default() };
    match outer.tag {
        kind::AS_REQUEST | kind::TGS_REQUEST => {
            is_version(field[1])?;
            let body = sequence(field[4]);
            message.client = principal(body[1]);
            message.realm = text(body[2]);
            message.service = principal(body[3]);
            message.workstation = workstation(body[9]);
        }
        kind::AS_REPLY | kind::TGS_REPLY => {
            is_version(field[0])?;
            message.realm = text(field[3]);
            message.client = principal(field[4]);
            if let Some(ticket) = field[5].and_then(|ticket| ticket_in(&ticket)) {
                (message.service, message.cipher) = (ticket.service, ticket.cipher);
            }
        }
        kind::ERROR => {
            is_version(field[0])?;
            message.error = Some(u32::try_from(field[6]?.integer()?).ok()?);
            message.client = principal(field[8]);
            message.realm = text(field[9]);
            message.service = principal(field[10]);
        }
        _ => return None,
    }
    Some(message)
}

/// The ticket of an AP-REQ.
pub fn ticket_of(bytes: &[u8]) -> Option<Ticket> {
    let outer = Reader::new(bytes).value_as_far_as_it_goes().ok()?;
    let field = inside(&outer).filter(|_| outer.tag == kind::AP_REQUEST)?;
    is_version(field[0])?;
    ticket_in(&field[3]?)
}

fn ticket_in(ticket: &Value<'_>) -> Option<Ticket> {
    let field = inside(ticket)?;
    let cipher = sequence(field[3])[0].and_then(|cipher| cipher.integer());
    Some(Ticket {
        realm: text(field[1]),
        service: principal(field[2]),
        cipher: cipher.and_then(|cipher| u32::try_from(cipher).ok()).map_or("", |c| tables::name(kerberos::CIPHERS, c)),
    })
}

type Fields<'a> = [Option<Value<'a>>; MAX_FIELDS];

/// The sequence that a message is.
fn inside<'a>(message: &Value<'a>) -> Option<Fields<'a>> {
    let value = message.inside().value_as_far_as_it_goes().ok()?;
    (value.tag == tag::SEQUENCE).then(|| sequence(Some(value)))
}

/// The values of a sequence by their context tags.
fn sequence(value: Option<Value<'_>>) -> Fields<'_> {
    let mut fields = Fields::default();
    let Some(value) = value else { return fields };
    let mut reader = value.inside();
    while let Ok(field) = reader.value_as_far_as_it_goes() {
        let number = usize::from(field.tag & 0x1f);
        if field.tag & 0xe0 == 0xa0 && number < MAX_FIELDS {
            fields[number] = field.inside().value_as_far_as_it_goes().ok();
        }
    }
    fields
}

fn is_version(value: Option<Value<'_>>) -> Option<()> {
    (value?.integer()? == 5).then_some(())
}

fn text(value: Option<Value<'_>>) -> String {
    value.map_or_else(String::new, |value| printable(value.contents))
}

/// The parts of a PrincipalName with the slash that they are written with (RFC 4120, 5.2.2).
fn principal(value: Option<Value<'_>>) -> String {
    let parts = sequence(value)[1].map(|parts| parts.inside()).into_iter().flatten().take(MAX_PARTS);
    parts.map(|part| printable(part.contents)).collect::<Vec<_>>().join("/")
}

/// The host's own name among its addresses, which Windows tells.
fn workstation(value: Option<Value<'_>>) -> String {
    let addresses = value.map(|addresses| addresses.inside()).into_iter().flatten().take(MAX_PARTS);
    let mut names = addresses.filter_map(|address| {
        let field = sequence(Some(address));
        (field[0]?.integer()? == NETBIOS_ADDRESS).then(|| text(field[1]))
    });
    names.next().unwrap_or_default()
}
