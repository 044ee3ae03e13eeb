//! Messages of all versions (RFC 1157, 4; RFC 3412, 6; RFC 3416, 3), as far as they are open.

use crate::ber::{Reader, Value, tag};
use crate::tables::{self, snmp};

/// Bindings read of one message.
const MAX_BINDINGS: usize = 128;
/// The user-based security model (RFC 3411, 5).
const USER_BASED: i64 = 3;
/// Octets of an engine's identifier at most (RFC 3411, 5).
const MAX_ENGINE: usize = 32;

/// Tags of protocol data units.
pub mod kind {
    /// Answer.
    pub const RESPONSE: u8 = 0xa2;
    /// Change.
    pub const SET: u8 = 0xa3;
    /// Notification of version 1.
    pub const TRAP_V1: u8 = 0xa4;
    /// Notification that an answer is due to.
    pub const INFORM: u8 = 0xa6;
    /// Notification.
    pub const TRAP: u8 = 0xa7;
    /// What is wrong with a message.
    pub const REPORT: u8 = 0xa8;
}

/// Who speaks, and how that is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security<'a> {
    /// A community.
    Community(&'a [u8]),
    /// A user of an engine.
    User {
        /// The engine that decides.
        engine: &'a [u8],
        /// The user.
        user: &'a [u8],
        /// `noAuthNoPriv`, `authNoPriv` or `authPriv`.
        level: &'static str,
    },
}

/// A protocol data unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdu<'a> {
    /// Its tag.
    pub kind: u8,
    /// Number of the request.
    pub request: i64,
    /// error-status.
    pub error: i64,
    /// What a notification of version 1 is of: enterprise, generic and specific trap.
    pub trap: Option<(String, i64, i64)>,
    /// Variables.
    pub bindings: Vec<Binding<'a>>,
}

/// A variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Its name.
    pub name: String,
    /// What it is.
    pub value: Value<'a>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Version, in its usual form.
    pub version: &'static str,
    /// Number of the message in version 3.
    pub id: Option<i64>,
    /// Who speaks.
    pub security: Security<'a>,
    /// What is said; none where it is encrypted.
    pub pdu: Option<Pdu<'a>>,
}

/// Reads a message; none where it is no such thing.
pub fn read(bytes: &[u8]) -> Option<Message<'_>> {
    let outer = Reader::new(bytes).value_as_far_as_it_goes().ok().filter(|outer| outer.tag == tag::SEQUENCE)?;
    let mut inside = outer.inside();
    let number = u32::try_from(inside.expect(tag::INTEGER).ok()?.integer()?).ok()?;
    let version = tables::find(snmp::VERSIONS, number)?.name;
    if version == "3" {
        return version_3(version, inside);
    }
    let security = Security::Community(inside.expect(tag::OCTET_STRING).ok()?.contents);
    let pdu = pdu(inside.value_as_far_as_it_goes().ok()?)?;
    Some(Message { version, id: None, security, pdu: Some(pdu) })
}

/// SNMPv3Message (RFC 3412, 6), of which the security parameters are those of users (RFC 3414, 2.4).
fn version_3<'a>(version: &'static str, mut inside: Reader<'a>) -> Option<Message<'a>> {
    let mut global = inside.expect(tag::SEQUENCE).ok()?.inside();
    let id = global.expect(tag::INTEGER).ok()?.integer()?;
    global.expect(tag::INTEGER).ok()?;
    let &[flags] = global.expect(tag::OCTET_STRING).ok()?.contents else { return None };
    let model = global.expect(tag::INTEGER).ok()?.integer()?;
    let parameters = inside.expect(tag::OCTET_STRING).ok()?;
    let level = match flags & 3 {
        0 => "noAuthNoPriv",
        1 => "authNoPriv",
        3 => "authPriv",
        _ => return None,
    };
    let (mut engine, mut user) = (&[][..], &[][..]);
    if model == USER_BASED {
        let mut fields = parameters.inside().expect(tag::SEQUENCE).ok()?.inside();
        engine = fields.expect(tag::OCTET_STRING).ok()?.contents;
        fields.expect(tag::INTEGER).ok()?;
        fields.expect(tag::INTEGER).ok()?;
        user = fields.expect(tag::OCTET_STRING).ok()?.contents;
    }
    let data = inside.value_as_far_as_it_goes().ok()?;
    let pdu = match data.tag {
        tag::OCTET_STRING => None,
        tag::SEQUENCE => {
            let mut scoped = data.inside();
            scoped.expect(tag::OCTET_STRING).ok()?;
            scoped.expect(tag::OCTET_STRING).ok()?;
            Some(pdu(scoped.value_as_far_as_it_goes().ok()?)?)
        }
        _ => return None,
    };
    let engine = engine.get(..MAX_ENGINE).unwrap_or(engine);
    Some(Message { version, id: Some(id), security: Security::User { engine, user, level }, pdu })
}

fn pdu(value: Value<'_>) -> Option<Pdu<'_>> {
    tables::find(snmp::PDUS, u32::from(value.tag))?;
    let mut inside = value.inside();
    let mut pdu = Pdu { kind: value.tag, request: 0, error: 0, trap: None, bindings: Vec::new() };
    if value.tag == kind::TRAP_V1 {
        let enterprise = inside.expect(tag::OBJECT_IDENTIFIER).ok()?.object_identifier()?;
        inside.value().ok()?;
        let generic = inside.expect(tag::INTEGER).ok()?.integer()?;
        let specific = inside.expect(tag::INTEGER).ok()?.integer()?;
        inside.value().ok()?;
        pdu.trap = Some((enterprise, generic, specific));
    } else {
        pdu.request = inside.expect(tag::INTEGER).ok()?.integer()?;
        pdu.error = inside.expect(tag::INTEGER).ok()?.integer()?;
        inside.expect(tag::INTEGER).ok()?;
    }
    // In a cut datagram the list ends before its end.
    if let Ok(list) = inside.value_as_far_as_it_goes() {
        pdu.bindings.extend(list.inside().take(MAX_BINDINGS).filter_map(|binding| {
            let mut inside = binding.inside();
            let name = inside.expect(tag::OBJECT_IDENTIFIER).ok()?.object_identifier()?;
            Some(Binding { name, value: inside.value().ok()? })
        }));
    }
    Some(pdu)
}
