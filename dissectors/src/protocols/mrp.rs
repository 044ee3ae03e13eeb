//! MRP (IEC 62439-2): the manager of a ring, whether the ring is closed, and what its clients report of their links.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::model::{Attribute, Operation, Protocol};
use crate::net::link::{Mac, Station};
use crate::protocols::solo;
use crate::session::{Chunk, Output, Probe, Recognition};

/// Types of TLVs (IEC 62439-2, 8.1.5).
mod kind {
    pub const END: u8 = 0;
    pub const COMMON: u8 = 1;
    pub const TEST: u8 = 2;
    pub const CHANGE: u8 = 3;
    pub const DOWN: u8 = 4;
    pub const UP: u8 = 5;
    pub const INTERCONNECTION: std::ops::RangeInclusive<u8> = 6..=10;
}

/// Tells from what a frame carries whether it is MRP.
pub fn probe_frame(probe: &Probe<'_>) -> Recognition {
    match Message::read(probe.datagram()) {
        Ok(Some(_)) => solo::recognised_but(Protocol::Mrp, read, |earlier, datagram| {
            // Number and time differ, many times a second.
            matches!(
                (Message::read(earlier), Message::read(datagram)),
                (Ok(Some(earlier)), Ok(Some(datagram))) if earlier == datagram
            )
        }),
        _ => Recognition::No,
    }
}

/// What a message says, but for its number and time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Message {
    kind: u8,
    priority: Option<u16>,
    mac: Mac,
    port: Option<u16>,
    state: Option<u16>,
    domain: u128,
}

impl Message {
    /// `version`, then TLVs of type, length and value.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Short> {
        let mut cursor = Cursor::new(bytes);
        if cursor.u16_be("version")? != 1 {
            return Ok(None);
        }
        let mut message = Message::default();
        while let (Ok(kind), Ok(length)) = (cursor.u8("type"), cursor.u8("length")) {
            let Ok(value) = cursor.take(usize::from(length), "value") else { break };
            if kind == kind::END {
                break;
            }
            message.tlv(kind, value)?;
        }
        Ok(Some(message).filter(|message| message.kind != 0))
    }

    fn tlv(&mut self, kind: u8, value: &[u8]) -> Result<(), Short> {
        let mut value = Cursor::new(value);
        if kind == kind::COMMON {
            value.u16_be("sequence")?;
            self.domain = value.u64_be("domain")?.into();
            self.domain = self.domain << 64 | u128::from(value.u64_be("domain")?);
            return Ok(());
        }
        if self.kind != 0 {
            return Ok(());
        }
        match kind {
            kind::TEST | kind::CHANGE => {
                self.priority = Some(value.u16_be("priority")?);
                self.mac = mac(&mut value)?;
                if kind == kind::TEST {
                    self.port = Some(value.u16_be("port role")?);
                    self.state = Some(value.u16_be("ring state")?);
                }
            }
            kind::DOWN | kind::UP => {
                self.mac = mac(&mut value)?;
                self.port = Some(value.u16_be("port role")?);
            }
            _ if kind::INTERCONNECTION.contains(&kind) => {}
            _ => return Ok(()),
        }
        self.kind = kind;
        Ok(())
    }
}

fn mac(value: &mut Cursor<'_>) -> Result<Mac, Short> {
    Ok(value.take(6, "address")?.try_into().unwrap_or_default())
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    let Ok(Some(message)) = Message::read(chunk.bytes) else { return };
    let (action, operation, role) = match message.kind {
        kind::TEST => ("test", Operation::Diagnose, "manager"),
        kind::CHANGE => ("topology_change", Operation::Report, "manager"),
        kind::DOWN => ("link_down", Operation::Report, "client"),
        kind::UP => ("link_up", Operation::Report, "client"),
        _ => ("interconnection", Operation::Report, "interconnection"),
    };
    let mut activity = Activity::new(chunk.direction, action, operation);
    let [a, b, c, d, e] = [96, 80, 64, 48, 0].map(|shift| message.domain >> shift);
    let (c, d) = (c & 0xffff, d & 0xffff);
    activity
        .put(Field::RingDomain, format!("{a:08x}-{:04x}-{c:04x}-{d:04x}-{:012x}", b & 0xffff, e & 0xffff_ffff_ffff));
    activity.put(Field::RingRole, role);
    activity.put(Field::RingState, message.state.map_or("", |state| if state == 0 { "open" } else { "closed" }));
    activity.put(Field::StpPort, message.port.map_or("", |port| if port == 0 { "primary" } else { "secondary" }));
    activity
        .put(Field::VirtualPriority, message.priority.map(|priority| format!("{priority:04x}")).unwrap_or_default());
    out.activity(activity);
    out.sender_is(Attribute::RoleHint, format!("ring-{role}"));
    if message.mac != [0; 6] {
        out.sender_is(Attribute::Mac, Station::Mac(message.mac).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    /// A message with the given number in the domain that is usual.
    fn message(tlv: &[u8], number: u8) -> Vec<u8> {
        [&[0, 1][..], tlv, &[1, 18, 0, number], &[0xff; 16], &[0, 0], &[0; 8]].concat()
    }

    fn test(state: u8, number: u8) -> Vec<u8> {
        let time = [0, 0, 1, number];
        message(&[&[2, 18, 0x80, 0, 0, 0x0e, 0x8c, 1, 2, 3, 0, 1, 0, state, 0, 1][..], &time].concat(), number)
    }

    #[test]
    fn the_ring_and_its_links() {
        let domain = "ring.domain=ffffffff-ffff-ffff-ffff-ffffffffffff";
        let down = message(&[4, 12, 0, 0x0e, 0x8c, 1, 2, 4, 0, 0, 0, 20, 0, 1], 9);
        let cases = [
            (
                test(1, 7),
                format!(
                    "test {domain} ring.role=manager ring.state=closed stp.port=secondary redundancy.priority=8000"
                ),
                ["role_hint=ring-manager", "mac=00:0e:8c:01:02:03"],
            ),
            (
                down,
                format!("link_down {domain} ring.role=client stp.port=primary"),
                ["role_hint=ring-client", "mac=00:0e:8c:01:02:04"],
            ),
        ];
        for (bytes, expected, claims) in cases {
            let out = hear(read, &bytes);
            assert_eq!(told(&out), [expected]);
            assert_eq!(claimed(&out), claims);
            cut_everywhere(read, &bytes);
        }
        assert_eq!(Message::read(&test(1, 7)), Message::read(&test(1, 8)));
        assert_ne!(Message::read(&test(1, 7)), Message::read(&test(0, 7)));
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120)) {
            hear(read, &bytes);
            hear(read, &[&[0, 1][..], &bytes].concat());
        }
    }
}
