//! ICMP (RFC 792, RFC 1256): redirects, what cannot be reached and by whom that was tried, routers. ICMP of version 6
//! is in `icmpv6`; nothing but the message itself tells them apart here.

use std::net::Ipv4Addr;

use super::icmpv6;
use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::model::{Attribute, Operation, Protocol};
use crate::net::ip::number;
use crate::protocols::solo;
use crate::session::{Chunk, Output, Probe, Recognition};
use crate::tables::{self, icmp};

mod kind {
    pub const UNREACHABLE: u8 = 3;
    pub const REDIRECT: u8 = 5;
    pub const ROUTER_ADVERTISEMENT: u8 = 9;
    pub const TIME_EXCEEDED: u8 = 11;
    pub const LAST: u8 = 18;
}
/// Types that hold the head of the packet that they are about.
const ERRORS: [u8; 5] = [3, 4, 5, 11, 12];

/// Tells whether a message is of version 4 or 6: their types are apart, but for errors, which hold a packet.
pub fn probe_message(probe: &Probe<'_>) -> Recognition {
    let &[kind, _, _, _, ref rest @ ..] = probe.datagram() else { return Recognition::No };
    let inside = rest.get(4).map(|first| first >> 4);
    let is_version_6 = match kind {
        1 | 2 | 128.. => true,
        3 | 4 => inside == Some(6),
        _ => false,
    };
    match () {
        () if is_version_6 => icmpv6::recognised(),
        () if kind <= kind::LAST => solo::recognised_but(Protocol::Icmp, read, |earlier, datagram| {
            Message::read(earlier) == Message::read(datagram)
        }),
        () => Recognition::No,
    }
}

/// What a message says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Message {
    kind: u8,
    code: u8,
    gateway: Option<Ipv4Addr>,
    lifetime: Option<u16>,
    about: Option<About>,
}

/// Where the packet went that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About<A = Ipv4Addr> {
    /// Its receiver.
    pub destination: A,
    /// Its protocol.
    pub protocol: u8,
    /// The receiver's port, where its protocol has ports.
    pub port: Option<u16>,
}

impl<A: ToString> About<A> {
    /// Puts it into an activity.
    pub fn put(&self, activity: &mut Activity) {
        let port = self.port.map(|port| format!("/{port}")).unwrap_or_default();
        let protocol = match self.protocol {
            number::ICMP | number::ICMPV6 => "icmp",
            number::TCP => "tcp",
            number::UDP => "udp",
            _ => "ip",
        };
        let other = if protocol == "ip" { format!("-{}", self.protocol) } else { String::new() };
        activity.put(Field::IcmpDestination, self.destination.to_string());
        activity.put(Field::IcmpPort, format!("{protocol}{other}{port}"));
    }
}

/// The receiver's port, where the protocol has one.
pub(super) fn port(protocol: u8, cursor: &mut Cursor<'_>) -> Option<u16> {
    if protocol != number::TCP && protocol != number::UDP {
        return None;
    }
    cursor.u16_be("source port").ok()?;
    cursor.u16_be("destination port").ok()
}

impl Message {
    /// `type | code | checksum | …`.
    fn read(bytes: &[u8]) -> Result<Self, Short> {
        let mut cursor = Cursor::new(bytes);
        let mut message = Message { kind: cursor.u8("type")?, code: cursor.u8("code")?, ..Message::default() };
        cursor.u16_be("checksum")?;
        match message.kind {
            kind::ROUTER_ADVERTISEMENT => {
                // Count, size of an entry in words, lifetime, first address (RFC 1256, 3).
                cursor.u16_be("number and size")?;
                message.lifetime = Some(cursor.u16_be("lifetime")?);
                message.gateway = Some(Ipv4Addr::from(cursor.u32_be("router address")?));
            }
            kind if ERRORS.contains(&kind) => {
                let gateway = cursor.u32_be("gateway or unused")?;
                message.gateway = (kind == kind::REDIRECT).then(|| Ipv4Addr::from(gateway));
                message.about = inside(&mut cursor).ok();
            }
            _ => {}
        }
        Ok(message)
    }
}

fn inside(cursor: &mut Cursor<'_>) -> Result<About, Short> {
    let words = cursor.u8("version and header length")? & 0x0f;
    cursor.take(8, "octets up to the protocol")?;
    let protocol = cursor.u8("protocol")?;
    cursor.take(6, "checksum and source")?;
    let destination = Ipv4Addr::from(cursor.u32_be("destination")?);
    let options = usize::from(words).saturating_sub(5) * 4;
    let port = cursor.take(options, "options").ok().and_then(|_| port(protocol, cursor));
    Ok(About { destination, protocol, port })
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    let Ok(message) = Message::read(chunk.bytes) else { return };
    let Some(kind) = tables::find(icmp::TYPES, u32::from(message.kind)) else { return };
    let operation = kind.operation.unwrap_or(Operation::Unknown);
    let mut activity = Activity::new(chunk.direction, kind.name, operation);
    activity.put(Field::IcmpType, message.kind.to_string());
    let reason = tables::name(icmp::UNREACHABLE, u32::from(message.code));
    let is_named = message.kind == kind::UNREACHABLE && !reason.is_empty();
    activity.put(Field::IcmpCode, if is_named { reason.to_string() } else { message.code.to_string() });
    activity.put(Field::IcmpGateway, message.gateway.map(|address| address.to_string()).unwrap_or_default());
    activity.put(Field::Icmpv6Lifetime, message.lifetime.map(|lifetime| lifetime.to_string()).unwrap_or_default());
    match (&message.about, message.kind) {
        (Some(about), kind::REDIRECT) => activity.put(Field::IcmpTarget, about.destination.to_string()),
        (Some(about), _) => about.put(&mut activity),
        (None, _) => {}
    }
    out.activity(activity);
    match message.kind {
        kind::REDIRECT => {
            out.sender_is(Attribute::RoleHint, "router");
            if let Some(gateway) = message.gateway {
                out.host_is(gateway.into(), Attribute::RoleHint, "router");
            }
        }
        kind::ROUTER_ADVERTISEMENT => out.sender_is(Attribute::RoleHint, "router"),
        // Who counts the time to live down forwards (RFC 792); who gives up reassembly has code 1.
        kind::TIME_EXCEEDED if message.code == 0 => out.sender_is(Attribute::RoleHint, "router"),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    /// The head of a packet to 10.20.1.9, of UDP to port 161.
    const PACKET: &[u8] =
        &[0x45, 0, 0, 60, 0, 7, 0, 0, 64, 17, 0, 0, 10, 20, 1, 7, 10, 20, 1, 9, 0xc0, 1, 0, 161, 0, 40, 0, 0];

    fn message(kind: u8, code: u8, rest: &[u8], packet: &[u8]) -> Vec<u8> {
        [&[kind, code, 0x12, 0x34], rest, packet].concat()
    }

    #[test]
    fn each_kind_that_is_told() {
        let cases: [(Vec<u8>, &[&str], &[&str]); 6] = [
            (
                message(5, 1, &[10, 20, 1, 2], PACKET),
                &["redirect icmp.type=5 icmp.code=1 icmp.gateway=10.20.1.2 icmp.target=10.20.1.9"],
                &["role_hint=router", "10.20.1.2 role_hint=router"],
            ),
            (
                message(3, 3, &[0; 4], PACKET),
                &["unreachable icmp.type=3 icmp.code=port icmp.original_destination=10.20.1.9 \
                   icmp.original_port=udp/161"],
                &[],
            ),
            (message(11, 0, &[0; 4], &[]), &["time_exceeded icmp.type=11 icmp.code=0"], &["role_hint=router"]),
            (
                message(9, 0, &[1, 2, 7, 8], &[10, 20, 1, 1, 0, 0, 0, 0]),
                &["router_advertisement icmp.type=9 icmp.code=0 icmp.gateway=10.20.1.1 icmpv6.router_lifetime=1800"],
                &["role_hint=router"],
            ),
            (message(13, 0, &[0; 16], &[]), &["timestamp_request icmp.type=13 icmp.code=0"], &[]),
            (message(8, 0, &[0; 4], b"abcdefgh"), &[], &[]),
        ];
        for (bytes, expected, claims) in cases {
            let out = hear(read, &bytes);
            assert_eq!(told(&out), expected);
            assert_eq!(claimed(&out), claims);
            cut_everywhere(read, &bytes);
        }
    }

    #[test]
    fn versions_are_told_apart() {
        let six = [&[0x60][..], &[0; 39]].concat();
        let cases: [(&[u8], Option<Protocol>); 8] = [
            (&message(3, 1, &[0; 4], PACKET), Some(Protocol::Icmp)),
            (&message(3, 0, &[0; 4], &six), Some(Protocol::Icmpv6)),
            (&message(1, 0, &[0; 4], &six), Some(Protocol::Icmpv6)),
            (&message(8, 0, &[0; 4], &[]), Some(Protocol::Icmp)),
            (&message(128, 0, &[0; 4], &[]), Some(Protocol::Icmpv6)),
            (&message(135, 0, &[0; 20], &[]), Some(Protocol::Icmpv6)),
            (&message(90, 0, &[0; 20], &[]), None),
            (&[8, 0, 0], None),
        ];
        for (bytes, expected) in cases {
            let probe = Probe {
                forward: bytes,
                backward: &[],
                first: crate::session::Direction::Forward,
                opener: None,
                ports: [0, 0],
                cut: false,
            };
            let found = match probe_message(&probe) {
                Recognition::Yes(session) => Some(session.protocol()),
                _ => None,
            };
            assert_eq!(found, expected, "{bytes:02x?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            hear(read, &bytes);
        }
    }
}
