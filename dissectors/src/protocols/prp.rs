//! PRP and HSR (IEC 62439-3): the nodes that send every frame twice say so in supervision frames. The tag of HSR before
//! other frames is in `net/tunnel.rs`.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::model::{Attribute, Operation, Protocol};
use crate::net::link::{Mac, Station};
use crate::protocols::solo;
use crate::session::{Chunk, Output, Probe, Recognition};

/// Types of the first TLV: a node of PRP that discards duplicates or takes them, a node of HSR (IEC 62439-3, 4.3 and
/// 5.6); and that of a box which speaks for others.
const PRP: [u8; 2] = [20, 21];
const HSR: u8 = 23;
const BOX: u8 = 30;

/// Tells from what a frame carries whether it is a supervision frame.
pub fn probe_frame(probe: &Probe<'_>) -> Recognition {
    // Another number says nothing.
    let same = |earlier: &[u8], datagram: &[u8]| {
        earlier.get(..2) == datagram.get(..2) && earlier.get(4..) == datagram.get(4..)
    };
    match probe.datagram() {
        [_, 0..=2, _, _, kind, 6..=255, ..] if PRP.contains(kind) => solo::recognised_but(Protocol::Prp, read, same),
        [_, 0..=2, _, _, HSR, 6..=255, ..] => solo::recognised_but(Protocol::Hsr, read, same),
        _ => Recognition::No,
    }
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    message(chunk, out).unwrap_or_default();
}

/// `path and version | number`, then the node's TLV, then that of the box that speaks for it.
fn message(chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(chunk.bytes);
    cursor.take(4, "path, version and number")?;
    let kind = cursor.u8("TLV type")?;
    let length = usize::from(cursor.u8("TLV length")?);
    let node = cursor.take(length, "node")?.first_chunk::<6>().copied();
    let mut speaker = None;
    if let (Ok(BOX), Ok(6)) = (cursor.u8("TLV type"), cursor.u8("TLV length")) {
        speaker = cursor.take(6, "box").ok().and_then(|mac| mac.first_chunk::<6>().copied());
    }
    let role = match kind {
        HSR => "hsr-node",
        _ if PRP.contains(&kind) => "prp-node",
        _ => return Ok(()),
    };
    let text = |mac: Option<Mac>| mac.map(|mac| Station::Mac(mac).to_string()).unwrap_or_default();
    let mut activity = Activity::new(chunk.direction, "supervise", Operation::Report);
    activity.put(Field::RingRole, if kind == 21 { "prp-node, duplicates accepted" } else { role });
    activity.put(Field::NeighbourChassis, text(node));
    activity.put(Field::NeighbourSystem, text(speaker));
    out.activity(activity);
    if let Some(node) = node {
        out.station_is(node, Attribute::RoleHint, role);
    }
    if let Some(speaker) = speaker.filter(|speaker| Some(*speaker) != node) {
        out.station_is(speaker, Attribute::RoleHint, "redundancy-box");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    #[test]
    fn nodes_and_those_who_speak_for_them() {
        let node = [0, 0x0e, 0x8c, 1, 2, 3];
        let alone = [&[0, 1, 0, 7, 20, 6][..], &node, &[0, 0], &[0; 30]].concat();
        let boxed = [&[0x10, 1, 0, 7, 23, 6][..], &node, &[30, 6, 0, 0x0e, 0x8c, 9, 9, 9, 0, 0]].concat();
        let cases: [(&[u8], &str, &[&str]); 2] = [
            (
                &alone,
                "supervise ring.role=prp-node neighbour.chassis=00:0e:8c:01:02:03",
                &["00:0e:8c:01:02:03 role_hint=prp-node"],
            ),
            (
                &boxed,
                "supervise ring.role=hsr-node neighbour.chassis=00:0e:8c:01:02:03 neighbour.system=00:0e:8c:09:09:09",
                &["00:0e:8c:01:02:03 role_hint=hsr-node", "00:0e:8c:09:09:09 role_hint=redundancy-box"],
            ),
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
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60)) {
            hear(read, &bytes);
        }
    }
}
