//! The datagram service (RFC 1002, 4.4): `type | flags | id | source | port | length | offset | names | data`.

use super::{Name, browser};
use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::solo;
use crate::session::{Chunk, Output, Probe, Recognition};

/// UDP port.
const PORT: u16 = 138;
/// Types of datagrams with data: to one, to a group, to all (RFC 1002, 4.4.1).
const DATA: std::ops::RangeInclusive<u8> = 0x10..=0x12;

/// Tells from a datagram whether it is one of the datagram service.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    match probe.datagram() {
        [0x10..=0x16, flags, ..] if flags & 0xf0 == 0 && probe.ports.contains(&PORT) => {
            // Number, and nothing else, differs when the same is said again.
            let same = |earlier: &[u8], datagram: &[u8]| {
                earlier.len() > 4 && earlier.get(..2) == datagram.get(..2) && earlier.get(4..) == datagram.get(4..)
            };
            solo::recognised_but(Protocol::NetbiosDgm, read, same)
        }
        _ => Recognition::No,
    }
}

pub(super) fn read(chunk: Chunk<'_>, out: &mut Output) {
    let Ok(Some((source, destination, data))) = parts(chunk.bytes) else { return };
    // The first part of a split message says all; the others are counted with it.
    let mut activity = browser::message(data, chunk.direction, out)
        .unwrap_or_else(|| Activity::new(chunk.direction, "datagram", Operation::Unknown));
    activity.put(Field::NetbiosName, source.told());
    activity.put(Field::NetbiosNameType, source.meaning(false));
    activity.put(Field::HostName, destination.told());
    out.activity(activity);
    for statement in source.statements(false) {
        let (attribute, value) = statement.of(&source);
        // Only members of a group send with its name; a host has its own.
        if attribute != Attribute::RoleHint {
            out.sender_is(attribute, value);
        }
    }
}

/// Who sends to whom what.
type Parts<'a> = (Name, Name, &'a [u8]);

fn parts(bytes: &[u8]) -> Result<Option<Parts<'_>>, Short> {
    let mut cursor = Cursor::new(bytes);
    if !DATA.contains(&cursor.u8("MSG_TYPE")?) {
        return Ok(None);
    }
    cursor.take(13, "FLAGS to PACKET_OFFSET")?;
    // Each name stands by itself: there are no pointers (RFC 1002, 4.4.2).
    let source = Name::read(bytes, &mut cursor);
    let destination = Name::read(bytes, &mut cursor);
    Ok(source.zip(destination).map(|(source, destination)| (source, destination, cursor.rest())))
}
