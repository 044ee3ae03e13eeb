//! Addresses that several of Cisco's routers share: HSRP, versions 1 (RFC 2281) and 2, and GLBP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::model::{Attribute, Operation, Protocol};
use crate::net::link::Station;
use crate::protocols::solo;
use crate::secrets;
use crate::session::{Chunk, Output, Probe, Recognition};
use crate::tables::{self, routing};

/// UDP ports: HSRP, HSRP of IPv6, GLBP.
const HSRP_PORTS: [u16; 2] = [1985, 2029];
const GLBP_PORT: u16 = 3222;
/// Octets of a message of version 1.
const VERSION_1: usize = 20;
/// Types and lengths of version 2's TLVs.
const GROUP_STATE: u8 = 1;
const TEXT: u8 = 3;
/// What is usual where none was configured (RFC 2281, 5).
const DEFAULT: &[u8] = b"cisco";

/// Tells from a datagram whether it is HSRP or GLBP.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.datagram();
    let is_hsrp = HSRP_PORTS.iter().any(|port| probe.ports.contains(port));
    match bytes {
        [0, 0..=3, ..] if is_hsrp && bytes.len() >= VERSION_1 => solo::recognised(Protocol::Hsrp, read),
        [GROUP_STATE, 40, 2, ..] if is_hsrp => solo::recognised(Protocol::Hsrp, read),
        [1, _, _, _, _, _, _, _, _, _, _, _, ..] if probe.ports.contains(&GLBP_PORT) => {
            solo::recognised(Protocol::Glbp, read_glbp)
        }
        _ => Recognition::No,
    }
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    if chunk.bytes.first() == Some(&0) { version_1(chunk, out) } else { version_2(chunk, out) }.unwrap_or_default();
}

fn start(code: u8, chunk: Chunk<'_>) -> Activity {
    let code = tables::find(routing::HSRP_CODES, u32::from(code));
    let (action, operation) =
        code.map_or(("unknown", Operation::Unknown), |code| (code.name, code.operation.unwrap_or(Operation::Unknown)));
    Activity::new(chunk.direction, action, operation)
}

/// `version | op code | state | hello time | hold time | priority | group | reserved | authentication | address`.
fn version_1(chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(chunk.bytes);
    cursor.u8("version")?;
    let mut activity = start(cursor.u8("op code")?, chunk);
    let state = cursor.u8("state")?;
    // An advertisement of interfaces has other fields (RFC 2281 has none of it).
    if activity.action == "advertise" {
        out.activity(activity);
        return Ok(());
    }
    cursor.u16_be("hello and hold time")?;
    let (priority, group) = (cursor.u8("priority")?, cursor.u8("group")?);
    cursor.u8("reserved")?;
    let secret = cursor.take(8, "authentication data")?;
    let address = Ipv4Addr::from(cursor.u32_be("virtual IP address")?);
    activity.put(Field::VirtualGroup, group.to_string());
    activity.put(Field::VirtualPriority, priority.to_string());
    let state = tables::name(routing::HSRP_STATES, u32::from(state));
    shared(&mut activity, state, address.into(), out);
    text(secret, &mut activity);
    out.activity(activity);
    Ok(())
}

/// TLVs: the group's state, then text or digest to prove it.
fn version_2(chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(chunk.bytes);
    let mut activity = None;
    while let (Ok(kind), Ok(length)) = (cursor.u8("type"), cursor.u8("length")) {
        let Ok(value) = cursor.take(usize::from(length), "value") else { break };
        match (kind, &mut activity) {
            (GROUP_STATE, None) => activity = Some(group(value, chunk, out)?),
            (TEXT, Some(activity)) => text(value, activity),
            _ => {}
        }
    }
    activity.into_iter().for_each(|activity| out.activity(activity));
    Ok(())
}

/// `version | op code | state | IP version | group | identifier | priority | hello time | hold time | address`.
fn group(value: &[u8], chunk: Chunk<'_>, out: &mut Output) -> Result<Activity, Short> {
    let mut cursor = Cursor::new(value);
    cursor.u8("version")?;
    let mut activity = start(cursor.u8("op code")?, chunk);
    let (state, family) = (cursor.u8("state")?, cursor.u8("IP version")?);
    activity.put(Field::VirtualGroup, cursor.u16_be("group")?.to_string());
    if let Some(mac) = cursor.take(6, "identifier")?.first_chunk::<6>() {
        out.sender_is(Attribute::Mac, Station::Mac(*mac).to_string());
    }
    activity.put(Field::VirtualPriority, cursor.u32_be("priority")?.to_string());
    cursor.u64_be("hello and hold time")?;
    let octets = cursor.take(16, "virtual IP address")?;
    let four = octets.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets).into());
    let six = octets.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets).into());
    let address = if family == 6 { six } else { four };
    let state = tables::name(routing::HSRP2_STATES, u32::from(state));
    shared(&mut activity, state, address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), out);
    Ok(activity)
}

/// The state and the address that is shared.
fn shared(activity: &mut Activity, state: &'static str, address: IpAddr, out: &mut Output) {
    activity.put(Field::VirtualState, state);
    out.sender_is(Attribute::RoleHint, "router");
    if !address.is_unspecified() {
        activity.put(Field::VirtualAddress, address.to_string());
        out.host_is(address, Attribute::RoleHint, "virtual-router");
    }
}

/// A text in the clear that proves membership.
fn text(secret: &[u8], activity: &mut Activity) {
    let secret = secret.split(|octet| *octet == 0).next().unwrap_or_default();
    let is_known = secret == DEFAULT || secrets::is_known_password(b"", secret);
    activity.put_secret("hsrp text", Some(is_known));
}

/// `version | … | group | … | owner`, then TLVs, of which the first is a hello.
fn read_glbp(chunk: Chunk<'_>, out: &mut Output) {
    const HELLO: u8 = 1;
    const AUTHENTICATION: u8 = 3;
    let mut message = || -> Result<(), Short> {
        let mut cursor = Cursor::new(chunk.bytes);
        cursor.u16_be("version")?;
        let mut activity = Activity::new(chunk.direction, "announce", Operation::Report);
        activity.put(Field::VirtualGroup, cursor.u16_be("group")?.to_string());
        cursor.u16_be("reserved")?;
        let owner = cursor.take(6, "owner")?.first_chunk::<6>().copied().unwrap_or_default();
        out.sender_is(Attribute::Mac, Station::Mac(owner).to_string());
        while let (Ok(kind), Ok(length)) = (cursor.u8("type"), cursor.u8("length")) {
            let length = usize::from(length).saturating_sub(2);
            let Ok(value) = cursor.take(length, "value") else { break };
            match (kind, value) {
                (HELLO, value) => hello(value, &mut activity, out)?,
                // Kind, octets, text.
                (AUTHENTICATION, [1, _, secret @ ..]) => text(secret, &mut activity),
                _ => {}
            }
        }
        out.activity(activity);
        Ok(())
    };
    message().unwrap_or_default();
}

/// `… | state | … | priority | … | times | family | length | address`.
fn hello(value: &[u8], activity: &mut Activity, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(value);
    cursor.u8("reserved")?;
    let state = tables::name(routing::GLBP_STATES, u32::from(cursor.u8("state")?));
    cursor.u8("reserved")?;
    activity.put(Field::VirtualPriority, cursor.u8("priority")?.to_string());
    cursor.take(16, "times")?;
    let (family, length) = (cursor.u8("address type")?, cursor.u8("address length")?);
    let octets = cursor.take(usize::from(length), "virtual IP address")?;
    let four = octets.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets).into());
    let six = octets.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets).into());
    let address = if family == 2 { six } else { four };
    shared(activity, state, address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()), out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    #[test]
    fn who_has_the_address() {
        let one = [&[0, 0, 16, 3, 10, 110, 7, 0][..], b"cisco\0\0\0", &[10, 20, 1, 1]].concat();
        let mac = [0, 0x0e, 0x8c, 1, 2, 3];
        let times = [0, 0, 0x0b, 0xb8, 0, 0, 0x27, 0x10];
        let state = [&[1, 40, 2, 0, 5, 4, 0, 7][..], &mac, &[0, 0, 0, 110], &times, &[10, 20, 1, 1], &[0; 12]].concat();
        let two = [&state[..], &[3, 8], b"s3cr3t\0\0"].concat();
        let hello = [&[1, 28, 0, 32, 0, 110][..], &[0; 16], &[1, 4, 10, 20, 1, 1]].concat();
        let glbp = [&[1, 0, 0, 7, 0, 0][..], &mac, &hello, &[9, 2]].concat();
        let shared = "redundancy.virtual_ip=10.20.1.1";
        let role = ["role_hint=router", "10.20.1.1 role_hint=virtual-router"];
        type Case<'a> = (solo::Read, &'a [u8], String, Vec<&'a str>);
        let cases: [Case<'_>; 3] = [
            (
                read,
                &one,
                format!(
                    "hello redundancy.group=7 redundancy.priority=110 redundancy.state=active {shared} \
                     credential.kind=hsrp text credential.default=true"
                ),
                role.to_vec(),
            ),
            (
                read,
                &two,
                format!(
                    "hello redundancy.group=7 redundancy.priority=110 redundancy.state=standby {shared} \
                     credential.kind=hsrp text credential.default=false"
                ),
                [&["mac=00:0e:8c:01:02:03"][..], &role].concat(),
            ),
            (
                read_glbp,
                &glbp,
                format!("announce redundancy.group=7 redundancy.priority=110 redundancy.state=active {shared}"),
                [&["mac=00:0e:8c:01:02:03"][..], &role].concat(),
            ),
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
            hear(read, &bytes);
            hear(read, &[&[0][..], &bytes].concat());
            hear(read_glbp, &bytes);
        }
    }
}
