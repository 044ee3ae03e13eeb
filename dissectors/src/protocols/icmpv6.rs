//! ICMP for IPv6: neighbours and routers (RFC 4861), multicast listeners (RFC 2710, RFC 3810), errors (RFC 4443).

use std::net::Ipv6Addr;

use super::icmp::{About, port};
use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::model::{Attribute, Operation, Protocol};
use crate::net::link::{Mac, Station};
use crate::protocols::solo;
use crate::session::{Chunk, Output, Recognition};
use crate::tables::{self, icmp};

mod kind {
    pub const UNREACHABLE: u8 = 1;
    pub const TIME_EXCEEDED: u8 = 3;
    pub const LAST_ERROR: u8 = 4;
    pub const GROUP_QUERY: u8 = 130;
    pub const GROUP_DONE: u8 = 132;
    pub const ROUTER_SOLICITATION: u8 = 133;
    pub const ROUTER_ADVERTISEMENT: u8 = 134;
    pub const SOLICITATION: u8 = 135;
    pub const ADVERTISEMENT: u8 = 136;
    pub const REDIRECT: u8 = 137;
    pub const GROUP_REPORTS: u8 = 143;
}

/// Options (RFC 4861, 4.6).
mod option {
    pub const SOURCE_ADDRESS: u8 = 1;
    pub const TARGET_ADDRESS: u8 = 2;
    pub const PREFIX: u8 = 3;
}
/// Groups and prefixes read of one message.
const MAX_ITEMS: usize = 8;

pub(super) fn recognised() -> Recognition {
    solo::recognised_but(Protocol::Icmpv6, read, |earlier, datagram| Message::read(earlier) == Message::read(datagram))
}

/// What a message says. Lists are ranges of the octets that both are read from, so that nothing is collected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Message<'a> {
    kind: u8,
    code: u8,
    flags: u8,
    lifetime: Option<u16>,
    /// Gateway of a redirect, neighbour, or group.
    target: Option<Ipv6Addr>,
    /// Whose way is redirected.
    destination: Option<Ipv6Addr>,
    mac: Option<Mac>,
    prefixes: [Option<(Ipv6Addr, u8)>; MAX_ITEMS],
    groups: &'a [u8],
    about: Option<About<Ipv6Addr>>,
}

impl<'a> Message<'a> {
    /// `type | code | checksum | …`.
    fn read(bytes: &'a [u8]) -> Result<Self, Short> {
        let mut cursor = Cursor::new(bytes);
        let mut message = Message { kind: cursor.u8("type")?, code: cursor.u8("code")?, ..Message::default() };
        cursor.u16_be("checksum")?;
        match message.kind {
            kind::ROUTER_SOLICITATION => {
                cursor.take(4, "reserved")?;
                message.options(&mut cursor);
            }
            kind::ROUTER_ADVERTISEMENT => {
                cursor.u8("hop limit")?;
                message.flags = cursor.u8("flags")?;
                message.lifetime = Some(cursor.u16_be("router lifetime")?);
                cursor.take(8, "reachable time and retransmission timer")?;
                message.options(&mut cursor);
            }
            kind::SOLICITATION | kind::ADVERTISEMENT => {
                message.flags = cursor.u8("flags")?;
                cursor.take(3, "reserved")?;
                message.target = Some(address(&mut cursor, "target address")?);
                message.options(&mut cursor);
            }
            kind::REDIRECT => {
                cursor.take(4, "reserved")?;
                message.target = Some(address(&mut cursor, "target address")?);
                message.destination = Some(address(&mut cursor, "destination address")?);
                message.options(&mut cursor);
            }
            kind::GROUP_QUERY..=kind::GROUP_DONE => {
                cursor.take(4, "maximum response delay")?;
                message.target = Some(address(&mut cursor, "multicast address")?);
            }
            kind::GROUP_REPORTS => {
                cursor.take(4, "reserved and number of records")?;
                message.groups = cursor.rest();
            }
            kind::UNREACHABLE..=kind::LAST_ERROR => {
                cursor.take(4, "unused")?;
                message.about = inside(&mut cursor).ok();
            }
            _ => {}
        }
        Ok(message)
    }

    /// `type | length in units of 8 octets | value`.
    fn options(&mut self, cursor: &mut Cursor<'_>) {
        let mut prefixes = self.prefixes.iter_mut();
        while let (Ok(kind), Ok(length @ 1..)) = (cursor.u8("option type"), cursor.u8("option length")) {
            let Ok(value) = cursor.take(usize::from(length) * 8 - 2, "option") else { return };
            match (kind, value) {
                (option::SOURCE_ADDRESS | option::TARGET_ADDRESS, [a, b, c, d, e, f, ..]) => {
                    self.mac = Some([*a, *b, *c, *d, *e, *f]);
                }
                // Prefix length, flags, lifetimes, reserved, prefix.
                (option::PREFIX, [length, _, rest @ ..]) => {
                    let prefix = rest.get(12..).and_then(|rest| rest.first_chunk::<16>());
                    if let (Some(place), Some(prefix)) = (prefixes.next(), prefix) {
                        *place = Some((Ipv6Addr::from(*prefix), *length));
                    }
                }
                _ => {}
            }
        }
    }

    /// Groups of records: `type | words of data | number of sources | group | sources | data` (RFC 3810, 5.2).
    fn groups(&self) -> Vec<String> {
        let (mut cursor, mut groups) = (Cursor::new(self.groups), Vec::new());
        while groups.len() < MAX_ITEMS {
            let mut record = || -> Result<Ipv6Addr, Short> {
                cursor.u8("record type")?;
                let words = usize::from(cursor.u8("auxiliary data length")?);
                let sources = usize::from(cursor.u16_be("number of sources")?);
                let group = address(&mut cursor, "multicast address")?;
                cursor.take(16 * sources + 4 * words, "sources")?;
                Ok(group)
            };
            let Ok(group) = record() else { break };
            groups.push(group.to_string());
        }
        groups
    }
}

fn address(cursor: &mut Cursor<'_>, field: &'static str) -> Result<Ipv6Addr, Short> {
    let octets = cursor.take(16, field)?;
    Ok(octets.first_chunk::<16>().map_or(Ipv6Addr::UNSPECIFIED, |octets| Ipv6Addr::from(*octets)))
}

fn inside(cursor: &mut Cursor<'_>) -> Result<About<Ipv6Addr>, Short> {
    cursor.take(6, "version to payload length")?;
    let protocol = cursor.u8("next header")?;
    cursor.take(17, "hop limit and source")?;
    let destination = address(cursor, "destination")?;
    Ok(About { destination, protocol, port: port(protocol, cursor) })
}

/// The neighbour whose address a message tells with its MAC address: who advertises, or asks with a source.
pub fn neighbour(bytes: &[u8]) -> Option<(Option<Ipv6Addr>, Mac)> {
    let message = Message::read(bytes).ok()?;
    let target = match message.kind {
        kind::ADVERTISEMENT => Some(message.target?),
        kind::SOLICITATION | kind::ROUTER_ADVERTISEMENT | kind::ROUTER_SOLICITATION => None,
        _ => return None,
    };
    Some((target, message.mac?))
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    let Ok(message) = Message::read(chunk.bytes) else { return };
    let Some(kind) = tables::find(icmp::V6_TYPES, u32::from(message.kind)) else { return };
    let mut activity = Activity::new(chunk.direction, kind.name, kind.operation.unwrap_or(Operation::Unknown));
    activity.put(Field::IcmpType, message.kind.to_string());
    let reason = tables::name(icmp::V6_UNREACHABLE, u32::from(message.code));
    let is_named = message.kind == kind::UNREACHABLE && !reason.is_empty();
    activity.put(Field::IcmpCode, if is_named { reason.to_string() } else { message.code.to_string() });
    let text = |address: Option<Ipv6Addr>| address.map(|address| address.to_string()).unwrap_or_default();
    match message.kind {
        kind::REDIRECT => {
            activity.put(Field::IcmpGateway, text(message.target));
            activity.put(Field::IcmpTarget, text(message.destination));
        }
        kind::GROUP_QUERY..=kind::GROUP_DONE => activity.put(Field::IgmpGroup, text(message.target)),
        kind::GROUP_REPORTS => activity.put(Field::IgmpGroup, message.groups().join(", ")),
        _ => activity.put(Field::IcmpTarget, text(message.target)),
    }
    activity.put(Field::Icmpv6Mac, message.mac.map(|mac| Station::Mac(mac).to_string()).unwrap_or_default());
    let prefixes = message.prefixes.iter().flatten().map(|(prefix, length)| format!("{prefix}/{length}"));
    activity.put(Field::Icmpv6Prefix, prefixes.collect::<Vec<_>>().join(", "));
    activity.put(Field::Icmpv6Lifetime, message.lifetime.map(|lifetime| lifetime.to_string()).unwrap_or_default());
    activity.put(Field::Icmpv6Flags, flags(&message));
    if let Some(about) = &message.about {
        about.put(&mut activity);
    }
    out.activity(activity);
    // A lifetime of 0 ends it (RFC 4861, 6.2.5).
    let is_hop = message.kind == kind::TIME_EXCEEDED && message.code == 0;
    if message.lifetime.is_some_and(|lifetime| lifetime > 0) || message.kind == kind::REDIRECT || is_hop {
        out.sender_is(Attribute::RoleHint, "router");
    }
    if let (kind::ADVERTISEMENT, Some(target), Some(mac)) = (message.kind, message.target, message.mac) {
        out.host_is(target.into(), Attribute::Mac, Station::Mac(mac).to_string());
    }
}

/// Flags of advertisements (RFC 4861, 4.2 and 4.4).
fn flags(message: &Message<'_>) -> String {
    let words: &[(u8, &str)] = match message.kind {
        kind::ROUTER_ADVERTISEMENT => &[(0x80, "managed"), (0x40, "other")],
        kind::ADVERTISEMENT => &[(0x80, "router"), (0x40, "solicited"), (0x20, "override")],
        _ => &[],
    };
    let set = words.iter().filter(|(bit, _)| message.flags & bit != 0).map(|(_, word)| *word);
    set.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    const ROUTER: [u8; 16] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    const HOST: [u8; 16] = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    const MAC: [u8; 6] = [0, 0x0e, 0x8c, 1, 2, 3];

    #[test]
    fn each_kind_that_is_told() {
        let prefix = [&[3, 4, 64, 0xc0][..], &[0; 12], &HOST].concat();
        let advertisement = [&[134, 0, 0, 0, 64, 0xc0, 7, 8][..], &[0; 8], &[1, 1], &MAC, &prefix].concat();
        let solicited = [&[136, 0, 0, 0, 0x60, 0, 0, 0][..], &HOST, &[2, 1], &MAC].concat();
        let asked = [&[135, 0, 0, 0, 0, 0, 0, 0][..], &HOST, &[1, 1], &MAC].concat();
        let redirect = [&[137, 0, 0, 0, 0, 0, 0, 0][..], &ROUTER, &HOST, &[2, 1], &MAC].concat();
        let group = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfb];
        let reports = [&[143, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0][..], &group].concat();
        let packet = [&[0x60, 0, 0, 0, 0, 8, 17, 64][..], &ROUTER, &HOST, &[0xc0, 1, 0, 53]].concat();
        let error = [&[1, 4, 0, 0, 0, 0, 0, 0][..], &packet].concat();
        let mac = "icmpv6.link_address=00:0e:8c:01:02:03";
        let cases: [(&[u8], &[&str], &[&str]); 7] = [
            (
                &advertisement,
                &[&format!(
                    "router_advertisement icmp.type=134 icmp.code=0 {mac} icmpv6.prefix=2001:db8::9/64 \
                     icmpv6.router_lifetime=1800 icmpv6.flags=managed, other"
                )],
                &["role_hint=router"],
            ),
            (
                &solicited,
                &[&format!(
                    "neighbour_advertisement icmp.type=136 icmp.code=0 icmp.target=2001:db8::9 {mac} \
                     icmpv6.flags=solicited, override"
                )],
                &["2001:db8::9 mac=00:0e:8c:01:02:03"],
            ),
            (
                &asked,
                &[&format!("neighbour_solicitation icmp.type=135 icmp.code=0 icmp.target=2001:db8::9 {mac}")],
                &[],
            ),
            (
                &redirect,
                &[&format!("redirect icmp.type=137 icmp.code=0 icmp.gateway=fe80::1 icmp.target=2001:db8::9 {mac}")],
                &["role_hint=router"],
            ),
            (&reports, &["group_report icmp.type=143 icmp.code=0 igmp.group=ff02::fb"], &[]),
            (
                &error,
                &["unreachable icmp.type=1 icmp.code=port icmp.original_destination=2001:db8::9 \
                   icmp.original_port=udp/53"],
                &[],
            ),
            (&[128, 0, 0, 0, 0, 1, 0, 1], &[], &[]),
        ];
        for (bytes, expected, claims) in cases {
            let out = hear(read, bytes);
            assert_eq!(told(&out), expected);
            assert_eq!(claimed(&out), claims);
            cut_everywhere(read, bytes);
        }
        assert_eq!(neighbour(&solicited), Some((Some(HOST.into()), MAC)));
        assert_eq!(neighbour(&asked), Some((None, MAC)));
        assert_eq!(neighbour(&reports), None);
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(kind in 128..=143_u8, bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..120)) {
            hear(read, &bytes);
            hear(read, &[&[kind][..], &bytes].concat());
            neighbour(&bytes);
        }
    }
}
