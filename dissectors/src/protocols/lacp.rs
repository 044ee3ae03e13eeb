//! Link aggregation (IEEE 802.1AX): which systems bundle ports, and whether the other end is there. Markers and other
//! slow protocols are passed over.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::model::{Operation, Protocol};
use crate::net::link::{Mac, Station};
use crate::protocols::solo;
use crate::session::{Chunk, Output, Probe, Recognition};

/// Subtypes of slow protocols (IEEE 802.3, 57A.4).
const LACP: u8 = 1;
const MARKER: u8 = 2;
/// Bits of a port's state (IEEE 802.1AX-2014, 6.4.2.3).
const STATES: [&str; 8] =
    ["active", "short timeout", "aggregating", "synchronised", "collecting", "distributing", "defaulted", "expired"];

/// Tells from what a frame carries whether it is LACP or a marker.
pub fn probe_frame(probe: &Probe<'_>) -> Recognition {
    match probe.datagram() {
        [LACP | MARKER, 1..=255, 1, ..] => solo::recognised(Protocol::Lacp, read),
        _ => Recognition::No,
    }
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    message(chunk, out).unwrap_or_default();
}

/// `subtype | version`, then actor and partner: `type | length | system | key | port | state | reserved`.
fn message(chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(chunk.bytes);
    let subtype = cursor.u8("subtype")?;
    cursor.u8("version")?;
    if subtype == MARKER {
        let action = if cursor.u8("TLV type")? == 1 { "marker" } else { "marker_response" };
        out.activity(Activity::new(chunk.direction, action, Operation::Diagnose));
        return Ok(());
    }
    if subtype != LACP {
        return Ok(());
    }
    let (actor, partner) = (End::read(&mut cursor)?, End::read(&mut cursor)?);
    let mut activity = Activity::new(chunk.direction, "announce", Operation::Report);
    activity.put(Field::LacpSystem, actor.system());
    activity.put(Field::LacpKey, actor.key.to_string());
    activity.put(Field::LacpPort, actor.port.to_string());
    let words = (0..8).zip(STATES).filter(|(bit, _)| actor.state >> bit & 1 == 1).map(|(_, word)| word);
    activity.put(Field::LacpState, words.collect::<Vec<_>>().join(", "));
    if partner.mac != [0; 6] {
        activity.put(Field::LacpPartner, partner.system());
    }
    out.activity(activity);
    Ok(())
}

struct End {
    priority: u16,
    mac: Mac,
    key: u16,
    port: u16,
    state: u8,
}

impl End {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Short> {
        cursor.u16_be("TLV type and length")?;
        let priority = cursor.u16_be("system priority")?;
        let mac = cursor.take(6, "system")?.try_into().unwrap_or_default();
        let key = cursor.u16_be("key")?;
        cursor.u16_be("port priority")?;
        let (port, state) = (cursor.u16_be("port")?, cursor.u8("state")?);
        cursor.take(3, "reserved")?;
        Ok(End { priority, mac, key, port, state })
    }

    fn system(&self) -> String {
        format!("{}/{}", self.priority, Station::Mac(self.mac))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{cut_everywhere, hear, told};

    #[test]
    fn systems_and_markers() {
        let actor = [1, 20, 0x80, 0, 0, 0x0e, 0x8c, 0, 0, 1, 0, 13, 0x80, 0, 0, 22, 0x3d, 0, 0, 0];
        let partner = [2, 20, 0x80, 0, 0, 0x0e, 0x8c, 0, 0, 2, 0, 13, 0x80, 0, 0, 25, 0x3d, 0, 0, 0];
        let lacp = [&[1, 1][..], &actor, &partner, &[3, 16], &[0; 14]].concat();
        let alone = [&[1, 1][..], &actor, &[2, 20], &[0; 18]].concat();
        let actor = "announce lacp.system=32768/00:0e:8c:00:00:01 lacp.key=13 lacp.port=22 \
            lacp.state=active, aggregating, synchronised, collecting, distributing";
        let both = format!("{actor} lacp.partner=32768/00:0e:8c:00:00:02");
        for (bytes, expected) in [(&*lacp, &*both), (&*alone, actor), (&[2, 1, 1, 16], "marker")] {
            assert_eq!(told(&hear(read, bytes)), [expected]);
            cut_everywhere(read, bytes);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120)) {
            hear(read, &bytes);
        }
    }
}
