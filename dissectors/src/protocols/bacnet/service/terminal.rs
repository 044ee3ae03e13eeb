//! Virtual terminal services (clause 17). What is typed and shown may be a password, and is not kept.

use super::{Decoded, Role};
use crate::model::Object;
use crate::protocols::bacnet::draft::Draft;
use crate::protocols::bacnet::tag::Reader;
use crate::protocols::bacnet::value::Type;

fn session(r: &mut Reader<'_>, field: &'static str, draft: &mut Draft) -> Decoded {
    let offset = r.offset();
    let start = Some(r.application_number(field)?);
    draft.object(Object { kind: "vt-session", start, count: 1, ..Object::default() }, offset)
}

/// VT-Open (17.2.1): `class, local session`; the acknowledgement has the remote session.
pub fn open(role: Role, r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    if role == Role::Ack {
        return session(r, "remote VT session identifier", draft);
    }
    let class = r.application_number("VT class")?;
    session(r, "local VT session identifier", draft)?;
    let values = draft.message.push_values([f64::from(class)]);
    if let Some(object) = draft.message.objects.last_mut() {
        object.values = values;
    }
    Ok(())
}

/// VT-Close (17.3.1): `session*`.
pub fn close(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    while !r.is_empty() {
        session(r, "remote VT session identifier", draft)?;
    }
    Ok(())
}

/// VT-Data (17.4.1): `session, new data, data flag`.
pub fn data(r: &mut Reader<'_>, draft: &mut Draft) -> Decoded {
    session(r, "VT session identifier", draft)?;
    r.application(Type::OctetString, "VT new data")?;
    r.application_number("VT data flag").map(drop)
}

/// VT-Data-ACK (17.4.1.2): `[0] all data accepted, [1] accepted octets`.
pub fn data_ack(r: &mut Reader<'_>) -> Decoded {
    r.typed(0, Type::Boolean, "all new data accepted")?;
    r.optional_unsigned(1, "accepted octet count").map(drop)
}
