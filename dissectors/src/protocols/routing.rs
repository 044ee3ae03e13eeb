//! Routers that tell one another their ways: OSPF, EIGRP and RIP. Who they are is told, and their ways only as far as
//! RIP has them; BGP is in `bgp`.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::solo;
use crate::secrets;
use crate::session::{Chunk, Output, Probe, Recognition};
use crate::tables::{self, Code, routing};

/// UDP ports of RIP, and of RIPng (RFC 2080).
const RIP: u16 = 520;
const RIPNG: u16 = 521;
/// Octets of an entry of RIP.
const ENTRY: usize = 20;
/// Networks told of one message.
const MAX_NETWORKS: usize = 12;

/// Tells from what a packet carries whether it is OSPF.
pub fn probe_ospf(probe: &Probe<'_>) -> Recognition {
    match probe.datagram() {
        [2 | 3, 1..=5, _, _, _, _, _, _, _, _, _, _, ..] => solo::recognised_but(Protocol::Ospf, ospf, same_head::<12>),
        _ => Recognition::No,
    }
}

/// Tells from what a packet carries whether it is EIGRP.
pub fn probe_eigrp(probe: &Probe<'_>) -> Recognition {
    match probe.datagram() {
        bytes @ [2, 1..=11, ..] if bytes.len() >= 20 => solo::recognised(Protocol::Eigrp, eigrp),
        _ => Recognition::No,
    }
}

/// Tells from a datagram whether it is RIP, version 1 or 2, or RIPng.
pub fn probe_rip(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.datagram();
    let fits = bytes.len() >= 4 && (bytes.len() - 4) % ENTRY == 0;
    match bytes {
        [1 | 2, 1 | 2, 0, 0, ..] if probe.ports.contains(&RIP) && fits => solo::recognised(Protocol::Rip, rip),
        [1 | 2, 1, 0, 0, ..] if probe.ports.contains(&RIPNG) && fits => solo::recognised(Protocol::Rip, ripng),
        _ => Recognition::No,
    }
}

/// What is told stands in the first octets, but for the length in the second pair.
fn same_head<const N: usize>(earlier: &[u8], datagram: &[u8]) -> bool {
    earlier.get(..2) == datagram.get(..2)
        && earlier.get(4..N) == datagram.get(4..N)
        && earlier.get(14..24) == datagram.get(14..24)
}

fn start(table: &'static [Code], code: u8, chunk: Chunk<'_>) -> Activity {
    let code = tables::find(table, u32::from(code));
    let (action, operation) =
        code.map_or(("unknown", Operation::Unknown), |code| (code.name, code.operation.unwrap_or(Operation::Unknown)));
    Activity::new(chunk.direction, action, operation)
}

fn password(octets: &[u8], activity: &mut Activity) {
    let password = octets.split(|octet| *octet == 0).next().unwrap_or_default();
    activity.put_secret("routing password", Some(secrets::is_known_password(b"", password)));
}

fn ospf(chunk: Chunk<'_>, out: &mut Output) {
    ospf_packet(chunk, out).unwrap_or_default();
}

/// `version | type | length | router | area | checksum | authentication` (RFC 2328, A.3.1; RFC 5340, A.3.1).
fn ospf_packet(chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    const PASSWORD: u16 = 1;
    let mut cursor = Cursor::new(chunk.bytes);
    let (version, kind) = (cursor.u8("version")?, cursor.u8("type")?);
    cursor.u16_be("length")?;
    let (router, area) = (cursor.u32_be("router ID")?, cursor.u32_be("area ID")?);
    let mut activity = start(routing::OSPF_TYPES, kind, chunk);
    activity.put(Field::RoutingVersion, version.to_string());
    activity.put(Field::RouterId, Ipv4Addr::from(router).to_string());
    activity.put(Field::RoutingArea, Ipv4Addr::from(area).to_string());
    if version == 2 {
        cursor.u16_be("checksum")?;
        if cursor.u16_be("AuType")? == PASSWORD {
            password(cursor.take(8, "authentication")?, &mut activity);
        }
    }
    out.activity(activity);
    out.sender_is(Attribute::RoleHint, "router");
    Ok(())
}

fn eigrp(chunk: Chunk<'_>, out: &mut Output) {
    eigrp_packet(chunk, out).unwrap_or_default();
}

/// `version | opcode | checksum | flags | sequence | acknowledgement | virtual router | autonomous system` (RFC 7868,
/// 6.3).
fn eigrp_packet(chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(chunk.bytes);
    let (version, code) = (cursor.u8("version")?, cursor.u8("opcode")?);
    cursor.take(16, "checksum to virtual router")?;
    let mut activity = start(routing::EIGRP_CODES, code, chunk);
    activity.put(Field::RoutingVersion, version.to_string());
    activity.put(Field::RoutingSystem, cursor.u16_be("autonomous system")?.to_string());
    out.activity(activity);
    out.sender_is(Attribute::RoleHint, "router");
    Ok(())
}

/// A message of RIP: `command | version | zero`, then entries.
fn entries<'a>(chunk: Chunk<'a>) -> Option<(u8, Activity, impl Iterator<Item = &'a [u8; ENTRY]>)> {
    let &[command, version, _, _, ref rest @ ..] = chunk.bytes else { return None };
    let mut activity = start(routing::RIP_COMMANDS, command, chunk);
    activity.put(Field::RoutingVersion, version.to_string());
    Some((command, activity, rest.chunks_exact(ENTRY).filter_map(|entry| entry.first_chunk())))
}

const RESPONSE: u8 = 2;

/// An entry: `family | tag | address | mask | next hop | metric` (RFC 2453, 4), or what proves the sender (4.1).
fn rip(chunk: Chunk<'_>, out: &mut Output) {
    let Some((command, mut activity, entries)) = entries(chunk) else { return };
    let mut networks = Vec::new();
    for entry in entries {
        match *entry {
            [0xff, 0xff, 0, 2, ref secret @ ..] => password(secret, &mut activity),
            [0, 2, _, _, a, b, c, d, e, f, g, h, ..] if networks.len() < MAX_NETWORKS => {
                let bits = u32::from_be_bytes([e, f, g, h]).leading_ones();
                let mask = if bits > 0 { format!("/{bits}") } else { String::new() };
                networks.push(format!("{}{mask}", Ipv4Addr::new(a, b, c, d)));
            }
            _ => {}
        }
    }
    finish(command, activity, &networks, out);
}

/// An entry: `prefix | tag | length | metric` (RFC 2080, 2.1).
fn ripng(chunk: Chunk<'_>, out: &mut Output) {
    let Some((command, activity, entries)) = entries(chunk) else { return };
    let network = |entry: &[u8; ENTRY]| {
        let prefix = entry.first_chunk::<16>().copied().unwrap_or_default();
        format!("{}/{}", Ipv6Addr::from(prefix), entry[18])
    };
    let networks: Vec<_> = entries.take(MAX_NETWORKS).map(network).collect();
    finish(command, activity, &networks, out);
}

fn finish(command: u8, mut activity: Activity, networks: &[String], out: &mut Output) {
    if command == RESPONSE {
        activity.put(Field::RoutingNetwork, networks.join(", "));
        out.sender_is(Attribute::RoleHint, "router");
    }
    out.activity(activity);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    #[test]
    fn who_tells_ways() {
        let hello = [&[2, 1, 0, 44, 10, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1][..], b"s3cr3t\0\0", &[0; 20]].concat();
        let eigrp_hello = [&[2, 5, 0, 0][..], &[0; 14], &[0, 100], &[0; 12]].concat();
        let response = [&[2, 2, 0, 0, 0, 2, 0, 0, 10, 20, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1][..]].concat();
        let secret = [&[2, 2, 0, 0, 0xff, 0xff, 0, 2][..], b"cisco", &[0; 11]].concat();
        let asked = [&[1, 1, 0, 0][..], &[0; 19], &[16]].concat();
        let six = [&[2, 1, 0, 0, 0x20, 1, 0xd, 0xb8][..], &[0; 12], &[0, 0, 32, 1]].concat();
        let router: &[&str] = &["role_hint=router"];
        type Case<'a> = (solo::Read, &'a [u8], &'a str, &'a [&'a str]);
        let cases: [Case<'_>; 7] = [
            (
                ospf,
                &hello,
                "hello routing.version=2 routing.router_id=10.0.0.1 routing.area=0.0.0.2 \
                 credential.kind=routing password credential.default=false",
                router,
            ),
            (
                ospf,
                &[3, 4, 0, 44, 10, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0],
                "link_state_update routing.version=3 routing.router_id=10.0.0.1 routing.area=0.0.0.2",
                router,
            ),
            (eigrp, &eigrp_hello, "hello routing.version=2 routing.autonomous_system=100", router),
            (rip, &response, "response routing.version=2 routing.network=10.20.0.0/16", router),
            (
                rip,
                &secret,
                "response routing.version=2 credential.kind=routing password credential.default=true",
                router,
            ),
            (rip, &asked, "request routing.version=1", &[]),
            (ripng, &six, "response routing.version=1 routing.network=2001:db8::/32", router),
        ];
        for (read, bytes, expected, claims) in cases {
            let out = hear(read, bytes);
            assert_eq!(told(&out), [expected]);
            assert_eq!(claimed(&out), claims);
            cut_everywhere(read, bytes);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..100)) {
            [ospf, eigrp, rip, ripng].iter().for_each(|read| drop(hear(*read, &bytes)));
        }
    }
}
