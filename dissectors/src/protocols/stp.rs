//! The spanning tree (IEEE 802.1D, 802.1w, 802.1s; Cisco's per VLAN): which bridges there are, which is the root, and
//! when the tree changes.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Attribute, Operation, Protocol};
use crate::net::link::{Mac, Station};
use crate::protocols::solo;
use crate::session::{Chunk, Output, Probe, Recognition};

/// 802.2 LLC before a BPDU, and SNAP with Cisco's protocol identifier before one of a VLAN.
const LLC: &[u8] = &[0x42, 0x42, 0x03];
const PER_VLAN: &[u8] = &[0xaa, 0xaa, 0x03, 0x00, 0x00, 0x0c, 0x01, 0x0b];
/// Types of BPDUs (IEEE 802.1D-2004, 9.3).
const CONFIGURATION: u8 = 0x00;
const RAPID: u8 = 0x02;
const TOPOLOGY_CHANGE: u8 = 0x80;
/// Flags (9.3.3).
const FLAGS: [(u8, &str); 5] = [
    (0x01, "topology change"),
    (0x02, "proposal"),
    (0x20, "forwarding"),
    (0x40, "agreement"),
    (0x80, "topology change acknowledged"),
];

/// Tells from what a frame carries whether it is a BPDU.
pub fn probe_frame(probe: &Probe<'_>) -> Recognition {
    match bpdu(probe.datagram()) {
        Some([0, 0, 0 | 2 | 3 | 4, CONFIGURATION | RAPID | TOPOLOGY_CHANGE, ..]) => {
            solo::recognised(Protocol::Stp, read)
        }
        _ => Recognition::No,
    }
}

fn bpdu(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(LLC).or_else(|| bytes.strip_prefix(PER_VLAN))
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    let Some(bytes) = bpdu(chunk.bytes) else { return };
    tree(bytes, chunk.bytes.starts_with(PER_VLAN), chunk, out).unwrap_or_default();
}

/// `protocol | version | type | flags | root | cost | bridge | port | ages …` (9.3.1).
fn tree(bytes: &[u8], per_vlan: bool, chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(bytes);
    cursor.u16_be("protocol identifier")?;
    let (version, kind) = (cursor.u8("version")?, cursor.u8("BPDU type")?);
    out.sender_is(Attribute::RoleHint, "switch");
    let word = match version {
        _ if per_vlan => "per-vlan",
        0 => "stp",
        2 => "rstp",
        3 => "mstp",
        4 => "spb",
        _ => "unknown",
    };
    if kind == TOPOLOGY_CHANGE {
        let activity = Activity::new(chunk.direction, "topology_change", Operation::Report);
        out.activity(activity.with(Field::StpVersion, word));
        return Ok(());
    }
    let flags = cursor.u8("flags")?;
    let root = bridge(&mut cursor, "root identifier")?;
    let cost = cursor.u32_be("root path cost")?;
    let mut sender = bridge(&mut cursor, "bridge identifier")?;
    let port = cursor.u16_be("port identifier")?;
    cursor.take(8, "ages and delays")?;
    let mut activity = Activity::new(chunk.direction, "announce", Operation::Report).with(Field::StpVersion, word);
    let mut region = String::new();
    let mut vlan = None;
    if version == 3 && kind == RAPID {
        // Behind the version 1 length and the version 3 length (IEEE 802.1Q-2018, 14.4).
        cursor.take(4, "version 3 length and format")?;
        region = printable(cursor.take(32, "configuration name")?);
        cursor.take(2 + 16 + 4, "revision, digest and internal cost")?;
        // In the place of the bridge is the root of the region.
        sender = bridge(&mut cursor, "CIST bridge identifier")?;
    } else if per_vlan {
        let rest = cursor.rest();
        vlan = rest.windows(6).find_map(|window| match window {
            [0, 0, 0, 2, high, low] => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        });
    }
    activity.put(Field::StpVlan, vlan.map(|vlan| vlan.to_string()).unwrap_or_default());
    activity.put(Field::StpRoot, identifier(root));
    activity.put(Field::StpCost, cost.to_string());
    activity.put(Field::StpBridge, identifier(sender));
    activity.put(Field::StpPort, format!("{port:04x}"));
    let words = FLAGS.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, word)| *word);
    activity.put(Field::StpFlags, words.collect::<Vec<_>>().join(", "));
    activity.put(Field::StpRegion, region);
    out.activity(activity);
    out.sender_is(Attribute::Mac, Station::Mac(sender.1).to_string());
    if root == sender {
        out.sender_is(Attribute::RoleHint, "root-bridge");
    }
    Ok(())
}

/// A bridge by its priority, a VLAN or instance with it, and its MAC address.
fn bridge(cursor: &mut Cursor<'_>, field: &'static str) -> Result<(u16, Mac), Short> {
    let priority = cursor.u16_be(field)?;
    let mac = cursor.take(6, field)?.try_into().unwrap_or_default();
    Ok((priority, mac))
}

fn identifier((priority, mac): (u16, Mac)) -> String {
    format!("{priority}/{}", Station::Mac(mac))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    /// Flags, root, cost 4, bridge, port 0x8001, ages.
    fn body(flags: u8, root: u8, bridge: u8) -> Vec<u8> {
        let id = |number| [0x80, 0, 0, 0x0e, 0x8c, 0, 0, number];
        [&[flags][..], &id(root), &[0, 0, 0, 4], &id(bridge), &[0x80, 1], &[0, 0, 0x14, 0, 2, 0, 0x0f, 0]].concat()
    }

    #[test]
    fn trees_of_each_version() {
        let plain = [LLC, &[0, 0, 0, 0], &body(0x01, 1, 2)].concat();
        let rapid = [LLC, &[0, 0, 2, 2], &body(0x3c, 2, 2), &[0]].concat();
        let region = [&[0, 64, 0][..], b"plant", &[0; 27], &[0; 22], &[0x80, 0, 0, 0x0e, 0x8c, 0, 0, 3, 20]].concat();
        let several = [LLC, &[0, 0, 3, 2], &body(0, 1, 1), &[0], &region].concat();
        let vlan = [PER_VLAN, &[0, 0, 2, 2], &body(0, 1, 2), &[0, 0, 0, 0, 2, 0, 20]].concat();
        let change = [LLC, &[0, 0, 0, 0x80]].concat();
        let cases: [(&[u8], &str, &[&str]); 5] = [
            (
                &plain,
                "announce stp.version=stp stp.root=32768/00:0e:8c:00:00:01 stp.root_path_cost=4 \
                 stp.bridge=32768/00:0e:8c:00:00:02 stp.port=8001 stp.flags=topology change",
                &["role_hint=switch", "mac=00:0e:8c:00:00:02"],
            ),
            (
                &rapid,
                "announce stp.version=rstp stp.root=32768/00:0e:8c:00:00:02 stp.root_path_cost=4 \
                 stp.bridge=32768/00:0e:8c:00:00:02 stp.port=8001 stp.flags=forwarding",
                &["role_hint=switch", "mac=00:0e:8c:00:00:02", "role_hint=root-bridge"],
            ),
            (
                &several,
                "announce stp.version=mstp stp.root=32768/00:0e:8c:00:00:01 stp.root_path_cost=4 \
                 stp.bridge=32768/00:0e:8c:00:00:03 stp.port=8001 stp.region=plant",
                &["role_hint=switch", "mac=00:0e:8c:00:00:03"],
            ),
            (
                &vlan,
                "announce stp.version=per-vlan stp.vlan=20 stp.root=32768/00:0e:8c:00:00:01 stp.root_path_cost=4 \
                 stp.bridge=32768/00:0e:8c:00:00:02 stp.port=8001",
                &["role_hint=switch", "mac=00:0e:8c:00:00:02"],
            ),
            (&change, "topology_change stp.version=stp", &["role_hint=switch"]),
        ];
        for (bytes, expected, claims) in cases {
            let out = hear(read, bytes);
            assert_eq!(told(&out), [expected]);
            assert_eq!(claimed(&out), claims);
            cut_everywhere(read, bytes);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120)) {
            hear(read, &bytes);
            hear(read, &[LLC, &bytes].concat());
            hear(read, &[PER_VLAN, &bytes].concat());
        }
    }
}
