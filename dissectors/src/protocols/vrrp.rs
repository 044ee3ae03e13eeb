//! Addresses that several routers share: VRRP (RFC 3768, RFC 9568) and CARP, which has its protocol number.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::solo;
use crate::secrets;
use crate::session::{Chunk, Output, Probe, Recognition};

/// Version and type of an advertisement; CARP has those of version 2.
const VERSION_2: u8 = 0x21;
const VERSION_3: u8 = 0x31;
/// A CARP message is 36 octets, of which the fourth counts the words of counter and digest.
const CARP: usize = 36;
const CARP_WORDS: u8 = 7;
/// Authentication by a password in the clear (RFC 2338, 5.3.6).
const PASSWORD: u8 = 1;
/// Priority of who owns the address, and of who gives it up (RFC 9568, 5.2.4).
const OWNER: u8 = 255;
const GIVEN_UP: u8 = 0;

/// Tells from what a packet carries whether it is VRRP or CARP.
pub fn probe_packet(probe: &Probe<'_>) -> Recognition {
    match probe.datagram() {
        bytes @ [VERSION_2, ..] if is_carp(bytes) => {
            // Counter and digest differ, and checksum with them.
            let same = |earlier: &[u8], datagram: &[u8]| {
                earlier.len() == datagram.len() && earlier.get(..6) == datagram.get(..6)
            };
            solo::recognised_but(Protocol::Carp, read, same)
        }
        [VERSION_2 | VERSION_3, _, _, _, _, _, _, _, ..] => solo::recognised(Protocol::Vrrp, read),
        _ => Recognition::No,
    }
}

fn is_carp(bytes: &[u8]) -> bool {
    bytes.len() == CARP && bytes.get(3) == Some(&CARP_WORDS)
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    message(chunk, out).unwrap_or_default();
}

/// `version and type | virtual router | priority | count | authentication or interval | … | addresses`.
fn message(chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(chunk.bytes);
    let version = cursor.u8("version and type")?;
    let (group, priority, count) = (cursor.u8("virtual router")?, cursor.u8("priority")?, cursor.u8("count")?);
    let mut activity = Activity::new(chunk.direction, "advertise", Operation::Report);
    activity.put(Field::VirtualGroup, group.to_string());
    activity.put(Field::VirtualPriority, priority.to_string());
    out.sender_is(Attribute::RoleHint, "router");
    if is_carp(chunk.bytes) {
        activity.put(Field::VirtualState, "master");
        out.activity(activity);
        return Ok(());
    }
    let authentication = cursor.u8("authentication or interval")?;
    cursor.take(3, "interval and checksum")?;
    let state = match priority {
        OWNER => "owner",
        GIVEN_UP => "given up",
        _ => "master",
    };
    activity.put(Field::VirtualState, state);
    // Nothing says of which family the addresses are but their number of octets.
    let has_password = version == VERSION_2 && authentication == PASSWORD;
    let octets = cursor.left().saturating_sub(if version == VERSION_2 { 8 } else { 0 });
    let is_version_6 = version == VERSION_3 && octets >= 16 * usize::from(count);
    for _ in 0..count.min(8) {
        let address: IpAddr = if is_version_6 {
            let octets = cursor.take(16, "address")?.first_chunk::<16>().copied().unwrap_or_default();
            Ipv6Addr::from(octets).into()
        } else {
            Ipv4Addr::from(cursor.u32_be("address")?).into()
        };
        activity.put(Field::VirtualAddress, address.to_string());
        out.host_is(address, Attribute::RoleHint, "virtual-router");
    }
    if has_password {
        let password = cursor.take(8, "authentication data")?;
        let password = password.split(|octet| *octet == 0).next().unwrap_or_default();
        activity.put_secret("vrrp password", Some(secrets::is_known_password(b"", password)));
    }
    out.activity(activity);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    #[test]
    fn who_has_the_address() {
        let group = "redundancy.group=7";
        let address = "redundancy.virtual_ip=10.20.1.1";
        let password = [&[0x21, 7, 0, 1, 1, 1, 0, 0, 10, 20, 1, 1][..], b"s3cr3t\0\0"].concat();
        let known = [&[0x21, 7, 0, 1, 1, 1, 0, 0, 10, 20, 1, 1][..], b"cisco\0\0\0"].concat();
        let six = [&[0x31, 7, 255, 1, 0, 100, 0, 0, 0xfe, 0x80][..], &[0; 13], &[1]].concat();
        let carp = [&[0x21, 7, 0, 7, 0, 1, 0, 0][..], &[9; 28]].concat();
        let cases: [(&[u8], &str, &[&str]); 5] = [
            (
                &[0x31, 7, 120, 1, 0, 100, 0, 0, 10, 20, 1, 1],
                &format!("advertise {group} redundancy.priority=120 redundancy.state=master {address}"),
                &["role_hint=router", "10.20.1.1 role_hint=virtual-router"],
            ),
            (
                &password,
                &format!(
                    "advertise {group} redundancy.priority=0 redundancy.state=given up {address} \
                     credential.kind=vrrp password credential.default=false"
                ),
                &["role_hint=router", "10.20.1.1 role_hint=virtual-router"],
            ),
            (
                &known,
                &format!(
                    "advertise {group} redundancy.priority=0 redundancy.state=given up {address} \
                     credential.kind=vrrp password credential.default=true"
                ),
                &["role_hint=router", "10.20.1.1 role_hint=virtual-router"],
            ),
            (
                &six,
                &format!(
                    "advertise {group} redundancy.priority=255 redundancy.state=owner redundancy.virtual_ip=fe80::1"
                ),
                &["role_hint=router", "fe80::1 role_hint=virtual-router"],
            ),
            (&carp, &format!("advertise {group} redundancy.priority=0 redundancy.state=master"), &["role_hint=router"]),
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
            hear(read, &[&[VERSION_3][..], &bytes].concat());
        }
    }
}
