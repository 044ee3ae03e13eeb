//! IGMP, versions 1 to 3 (RFC 1112, RFC 2236, RFC 3376): which groups hosts listen to, and who asks.

use std::net::Ipv4Addr;

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::solo;
use crate::session::{Chunk, Output, Probe, Recognition};
use crate::tables::{self, icmp};

const QUERY: u8 = 0x11;
const REPORT_1: u8 = 0x12;
const REPORT_3: u8 = 0x22;
/// Octets of a message of versions 1 and 2.
const SHORT: usize = 8;
/// Groups read of one report.
const MAX_GROUPS: usize = 8;

/// Tells from what a packet carries whether it is IGMP.
pub fn probe_packet(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.datagram();
    let is_known = bytes.first().is_some_and(|kind| tables::find(icmp::GROUPS, u32::from(*kind)).is_some());
    if is_known && bytes.len() >= SHORT { solo::recognised(Protocol::Igmp, read) } else { Recognition::No }
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    message(chunk, out).unwrap_or_default();
}

/// `type | maximum response time | checksum | group`, or of version 3 records in the group's place.
fn message(chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(chunk.bytes);
    let (kind, time) = (cursor.u8("type")?, cursor.u8("max resp time")?);
    cursor.u16_be("checksum")?;
    let Some(code) = tables::find(icmp::GROUPS, u32::from(kind)) else { return Ok(()) };
    let mut activity = Activity::new(chunk.direction, code.name, code.operation.unwrap_or(Operation::Unknown));
    let version = match kind {
        QUERY if chunk.wire_length > SHORT => 3,
        QUERY if time == 0 => 1,
        REPORT_1 => 1,
        REPORT_3 => 3,
        _ => 2,
    };
    activity.put(Field::IgmpVersion, version.to_string());
    if kind == REPORT_3 {
        let (groups, sources) = records(&mut cursor)?;
        activity.put(Field::IgmpGroup, groups.join(", "));
        activity.put(Field::IgmpSource, sources.join(", "));
    } else {
        let group = Ipv4Addr::from(cursor.u32_be("group address")?);
        activity.put(Field::IgmpGroup, if group.is_unspecified() { String::new() } else { group.to_string() });
    }
    out.activity(activity);
    if kind == QUERY {
        out.sender_is(Attribute::RoleHint, "multicast-querier");
    }
    Ok(())
}

/// `type | words of data | number of sources | group | sources | data` (RFC 3376, 4.2.4).
fn records(cursor: &mut Cursor<'_>) -> Result<(Vec<String>, Vec<String>), Short> {
    cursor.u16_be("reserved")?;
    let (mut groups, mut sources) = (Vec::new(), Vec::new());
    for _ in 0..usize::from(cursor.u16_be("number of records")?).min(MAX_GROUPS) {
        cursor.u8("record type")?;
        let words = usize::from(cursor.u8("aux data len")?);
        let count = usize::from(cursor.u16_be("number of sources")?);
        groups.push(Ipv4Addr::from(cursor.u32_be("multicast address")?).to_string());
        for octets in cursor.take(4 * count, "source addresses")?.chunks_exact(4).take(MAX_GROUPS) {
            let octets = octets.first_chunk::<4>().copied().unwrap_or_default();
            if sources.len() < MAX_GROUPS {
                sources.push(Ipv4Addr::from(octets).to_string());
            }
        }
        cursor.take(4 * words, "auxiliary data")?;
    }
    Ok((groups, sources))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    #[test]
    fn each_version() {
        let report = [0x22, 0, 0, 0, 0, 0, 0, 2, 4, 0, 0, 0, 239, 1, 1, 1, 1, 0, 0, 1, 239, 1, 1, 2, 10, 20, 1, 9];
        let cases: [(&[u8], &str); 7] = [
            (&[0x11, 0, 0, 0, 0, 0, 0, 0], "group_query igmp.version=1"),
            (&[0x11, 100, 0, 0, 239, 1, 1, 1], "group_query igmp.version=2 igmp.group=239.1.1.1"),
            (&[0x11, 100, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0], "group_query igmp.version=3"),
            (&[0x12, 0, 0, 0, 239, 1, 1, 1], "group_report igmp.version=1 igmp.group=239.1.1.1"),
            (&[0x16, 0, 0, 0, 239, 1, 1, 1], "group_report igmp.version=2 igmp.group=239.1.1.1"),
            (&[0x17, 0, 0, 0, 239, 1, 1, 1], "group_leave igmp.version=2 igmp.group=239.1.1.1"),
            (&report, "group_report igmp.version=3 igmp.group=239.1.1.1, 239.1.1.2 igmp.source=10.20.1.9"),
        ];
        for (bytes, expected) in cases {
            let out = hear(read, bytes);
            assert_eq!(told(&out), [expected]);
            let querier: &[&str] = if bytes[0] == QUERY { &["role_hint=multicast-querier"] } else { &[] };
            assert_eq!(claimed(&out), querier);
            cut_everywhere(read, bytes);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            hear(read, &bytes);
            hear(read, &[&[REPORT_3, 0, 0, 0][..], &bytes].concat());
        }
    }
}
