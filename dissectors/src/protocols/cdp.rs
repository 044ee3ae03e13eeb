//! What Cisco's devices say to their neighbours: CDP (name, platform, version, addresses), and that they speak VTP and
//! DTP, which hand on VLANs and make trunks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::lldp::told_capabilities;
use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Attribute, Operation, Protocol};
use crate::net::link::Station;
use crate::protocols::{banner, solo};
use crate::session::{Chunk, Output, Probe, Recognition};
use crate::tables::{self, neighbours};

/// Addresses read of one list.
const MAX_ADDRESSES: u32 = 8;

/// Types of CDP's TLVs.
mod kind {
    pub const DEVICE: u16 = 0x0001;
    pub const ADDRESSES: u16 = 0x0002;
    pub const PORT: u16 = 0x0003;
    pub const CAPABILITIES: u16 = 0x0004;
    pub const VERSION: u16 = 0x0005;
    pub const PLATFORM: u16 = 0x0006;
    pub const VTP_DOMAIN: u16 = 0x0009;
    pub const NATIVE_VLAN: u16 = 0x000a;
    pub const DUPLEX: u16 = 0x000b;
    pub const SYSTEM_NAME: u16 = 0x0014;
    pub const MANAGEMENT: u16 = 0x0016;
    pub const LOCATION: u16 = 0x0017;
}

/// Tells from what a frame carries whether it is CDP: version, time to live, checksum, and a TLV that fits.
pub fn probe_frame(probe: &Probe<'_>) -> Recognition {
    match probe.datagram() {
        [1 | 2, _, _, _, 0, 1..=0x20, ..] => solo::recognised(Protocol::Cdp, read),
        _ => Recognition::No,
    }
}

/// Tells from what a frame carries whether it is VTP.
pub fn probe_vtp(probe: &Probe<'_>) -> Recognition {
    match probe.datagram() {
        [1..=3, 1..=4, ..] => solo::recognised(Protocol::Vtp, read_vtp),
        _ => Recognition::No,
    }
}

/// Tells from what a frame carries whether it is DTP.
pub fn probe_dtp(probe: &Probe<'_>) -> Recognition {
    match probe.datagram() {
        [1, 0, 1..=4, ..] => solo::recognised(Protocol::Dtp, read_dtp),
        _ => Recognition::No,
    }
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    let mut activity = Activity::new(chunk.direction, "announce", Operation::Report);
    let mut cursor = Cursor::new(chunk.bytes);
    let mut addresses = Vec::new();
    let (mut device, mut name) = (String::new(), String::new());
    if cursor.take(4, "version to checksum").is_err() {
        return;
    }
    while let Some((kind, value)) = tlv(&mut cursor) {
        match kind {
            kind::DEVICE => device = printable(value),
            kind::SYSTEM_NAME => name = printable(value),
            kind::PORT => activity.put(Field::NeighbourPort, printable(value)),
            kind::CAPABILITIES => {
                let bits = value.first_chunk().map_or(0, |octets| u32::from_be_bytes(*octets));
                told_capabilities(neighbours::CDP_CAPABILITIES, bits, &mut activity, out);
            }
            kind::VERSION => {
                activity.put(Field::NeighbourVersion, printable(value));
                out.sender_is(Attribute::Software, printable(value));
                out.sender_is(Attribute::Version, version(&printable(value)));
                banner::system(value, out);
            }
            kind::PLATFORM => {
                let text = printable(value);
                let (vendor, model) = text.split_once(' ').filter(|_| text.starts_with("cisco")).unwrap_or(("", &text));
                out.sender_is(Attribute::Vendor, if vendor.is_empty() { "" } else { "Cisco" });
                out.sender_is(Attribute::Model, model);
                activity.put(Field::NeighbourPlatform, &*text);
            }
            kind::VTP_DOMAIN => activity.put(Field::VtpDomain, printable(value)),
            kind::NATIVE_VLAN => {
                let vlan = value.first_chunk().map(|octets| u16::from_be_bytes(*octets).to_string());
                activity.put(Field::NeighbourVlan, vlan.unwrap_or_default());
            }
            kind::DUPLEX => activity.put(Field::NeighbourDuplex, if value == [0] { "half" } else { "full" }),
            kind::ADDRESSES | kind::MANAGEMENT => list(value, &mut addresses).unwrap_or_default(),
            kind::LOCATION => out.sender_is(Attribute::Location, printable(value.get(1..).unwrap_or_default())),
            _ => {}
        }
    }
    activity.put(Field::NeighbourChassis, &*device);
    activity.put(Field::NeighbourSystem, &*name);
    // Host name and domain; some put a serial number in brackets behind it, or a MAC address in its place.
    let (host, serial) = device.split_once('(').unwrap_or((&device, ""));
    let host = if name.is_empty() { host } else { &name };
    out.sender_is(Attribute::Hostname, host);
    out.sender_is(Attribute::Serial, serial.trim_end_matches(')'));
    addresses.dedup();
    for address in addresses {
        activity.put(Field::NeighbourAddress, address.to_string());
        out.sender_is(Attribute::Address, address.to_string());
        out.host_is(address, Attribute::Hostname, host);
    }
    out.activity(activity);
}

/// `type | length | value`; the length counts all of it.
fn tlv<'a>(cursor: &mut Cursor<'a>) -> Option<(u16, &'a [u8])> {
    let kind = cursor.u16_be("type").ok()?;
    let length = usize::from(cursor.u16_be("length").ok()?).checked_sub(4)?;
    Some((kind, cursor.take(length, "value").ok()?))
}

/// The version in a text such as `Cisco IOS Software, C2960 Software (…), Version 12.2(55)SE, RELEASE …`.
fn version(text: &str) -> &str {
    let Some((_, rest)) = text.split_once("Version ") else { return "" };
    rest.split(|c: char| c == ',' || c.is_whitespace() || c == '\u{fffd}').next().unwrap_or_default()
}

/// `count`, then each `protocol type | length | protocol | length | address`.
fn list(value: &[u8], addresses: &mut Vec<IpAddr>) -> Result<(), Short> {
    const IPV4: &[u8] = &[0xcc];
    const IPV6: &[u8] = &[0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd];
    let mut cursor = Cursor::new(value);
    for _ in 0..cursor.u32_be("number of addresses")?.min(MAX_ADDRESSES) {
        cursor.u8("protocol type")?;
        let length = usize::from(cursor.u8("protocol length")?);
        let protocol = cursor.take(length, "protocol")?;
        let length = usize::from(cursor.u16_be("address length")?);
        let octets = cursor.take(length, "address")?;
        let address: Option<IpAddr> = match protocol {
            IPV4 => octets.first_chunk::<4>().map(|octets| Ipv4Addr::from(*octets).into()),
            IPV6 => octets.first_chunk::<16>().map(|octets| Ipv6Addr::from(*octets).into()),
            _ => None,
        };
        addresses.extend(address);
    }
    Ok(())
}

/// `version | code | … | domain length | domain`; of a summary then `revision | updater | …`.
fn read_vtp(chunk: Chunk<'_>, out: &mut Output) {
    const SUMMARY: u8 = 1;
    let mut read = || -> Result<(), Short> {
        let mut cursor = Cursor::new(chunk.bytes);
        let (_, code) = (cursor.u8("version")?, cursor.u8("code")?);
        cursor.u8("followers or sequence")?;
        let length = usize::from(cursor.u8("domain length")?);
        let domain = cursor.take(32, "domain")?;
        let entry = tables::find(neighbours::VTP_MESSAGES, u32::from(code));
        let (action, operation) = entry.map_or(("unknown", Operation::Unknown), |entry| {
            (entry.name, entry.operation.unwrap_or(Operation::Unknown))
        });
        let mut activity = Activity::new(chunk.direction, action, operation);
        activity.put(Field::VtpDomain, printable(domain.get(..length).unwrap_or(domain)));
        if code == SUMMARY {
            activity.put(Field::VtpRevision, cursor.u32_be("configuration revision")?.to_string());
            activity.put(Field::NeighbourAddress, Ipv4Addr::from(cursor.u32_be("updater")?).to_string());
        }
        out.activity(activity);
        Ok(())
    };
    read().unwrap_or_default();
}

/// `version`, then TLVs: domain, status, type, neighbour.
fn read_dtp(chunk: Chunk<'_>, out: &mut Output) {
    const IS_TRUNK: u8 = 0x80;
    let mut activity = Activity::new(chunk.direction, "negotiate", Operation::Configure);
    let mut cursor = Cursor::new(chunk.bytes.get(1..).unwrap_or_default());
    while let Some((kind, value)) = tlv(&mut cursor) {
        match (kind, value) {
            (1, domain) => activity.put(Field::VtpDomain, printable(domain)),
            (2, [status, ..]) => {
                let mode = tables::name(neighbours::DTP_MODES, u32::from(status & 0x07));
                activity.put(Field::DtpMode, format!("{mode}{}", if status & IS_TRUNK != 0 { ", trunk" } else { "" }));
            }
            (4, mac) => {
                let mac = mac.try_into().map(|mac| Station::Mac(mac).to_string());
                activity.put(Field::NeighbourChassis, mac.unwrap_or_default());
            }
            _ => {}
        }
    }
    out.activity(activity);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    fn tlvs(head: &[u8], tlvs: &[(u16, &[u8])]) -> Vec<u8> {
        let tlv = |(kind, value): &(u16, &[u8])| {
            [&kind.to_be_bytes()[..], &(value.len() as u16 + 4).to_be_bytes(), value].concat()
        };
        [head, &tlvs.iter().flat_map(tlv).collect::<Vec<_>>()].concat()
    }

    #[test]
    fn what_is_announced() {
        let announcement = tlvs(
            &[2, 180, 0, 0],
            &[
                (1, b"sw-core.plant.example"),
                (2, b"\0\0\0\x01\x01\x01\xcc\0\x04\x0a\x14\x01\x02"),
                (3, b"FastEthernet0/1"),
                (4, &[0, 0, 0, 0x28]),
                (5, b"Cisco IOS Software, C2960 Software, Version 12.2(55)SE, RELEASE SOFTWARE"),
                (6, b"cisco WS-C2960-24TT-L"),
                (9, b"plant"),
                (0x0a, &[0, 20]),
                (0x0b, &[1]),
                (0x63, b"?"),
            ],
        );
        let out = hear(read, &announcement);
        let expected = "announce neighbour.port=FastEthernet0/1 neighbour.capabilities=switch, igmp \
            neighbour.version=Cisco IOS Software, C2960 Software, Version 12.2(55)SE, RELEASE SOFTWARE \
            neighbour.platform=cisco WS-C2960-24TT-L vtp.domain=plant neighbour.vlan=20 neighbour.duplex=full \
            neighbour.chassis=sw-core.plant.example neighbour.management_address=10.20.1.2";
        assert_eq!(told(&out), [expected]);
        let claims = [
            "role_hint=switch",
            "software=Cisco IOS Software, C2960 Software, Version 12.2(55)SE, RELEASE SOFTWARE",
            "version=12.2(55)SE",
            "operating_system=Cisco IOS",
            "vendor=Cisco",
            "model=WS-C2960-24TT-L",
            "hostname=sw-core.plant.example",
            "address=10.20.1.2",
            "10.20.1.2 hostname=sw-core.plant.example",
        ];
        assert_eq!(claimed(&out), claims);
        cut_everywhere(read, &announcement);
    }

    #[test]
    fn vlans_handed_on_and_trunks_negotiated() {
        let mut summary = [&[2, 1, 0, 5][..], b"plant", &[0; 27], &[0, 0, 0, 9, 10, 20, 1, 2], &[0; 28]].concat();
        assert_eq!(
            told(&hear(read_vtp, &summary)),
            ["summary vtp.domain=plant vtp.revision=9 neighbour.management_address=10.20.1.2"]
        );
        cut_everywhere(read_vtp, &summary);
        summary[1] = 9;
        assert_eq!(told(&hear(read_vtp, &summary)), ["unknown vtp.domain=plant"]);
        let dtp = tlvs(&[1], &[(1, b"plant\0"), (2, &[0x83]), (3, &[0xa5]), (4, &[0, 0x0e, 0x8c, 1, 2, 3])]);
        let expected = "negotiate vtp.domain=plant dtp.mode=desirable, trunk neighbour.chassis=00:0e:8c:01:02:03";
        assert_eq!(told(&hear(read_dtp, &dtp)), [expected]);
        cut_everywhere(read_dtp, &dtp);
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            [read, read_vtp, read_dtp].iter().for_each(|read| drop(hear(*read, &bytes)));
        }
    }
}
