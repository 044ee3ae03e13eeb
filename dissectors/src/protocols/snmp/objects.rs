//! What an agent's variables say of the device: who made it, what it is called, where it is, which parts it has.

use std::net::Ipv4Addr;

use super::message::Binding;
use crate::ber::tag;
use crate::bytes::printable;
use crate::model::Attribute;
use crate::protocols::banner;
use crate::session::Output;
use crate::tables::{self, snmp};

/// sysObjectID (RFC 3418).
const SYS_OBJECT_ID: &str = "1.3.6.1.2.1.1.2.0";
/// Enterprises (RFC 1155, 3.1.4).
const ENTERPRISES: &str = "1.3.6.1.4.1.";
/// Arcs that are told of a variable that is read: a table, or a group.
const GROUP: usize = 9;
/// IpAddress (RFC 2578, 7.1.5).
const IP_ADDRESS: u8 = 0x40;

/// Texts, by the start of their names, and what each says.
const TEXTS: &[(&str, Attribute)] = &[
    // SNMPv2-MIB (RFC 3418): sysDescr, sysName, sysLocation.
    ("1.3.6.1.2.1.1.1.0", Attribute::Description),
    ("1.3.6.1.2.1.1.5.0", Attribute::Name),
    ("1.3.6.1.2.1.1.6.0", Attribute::Location),
    // ENTITY-MIB (RFC 6933): hardware, firmware and software revision, serial number, maker and model of a part.
    ("1.3.6.1.2.1.47.1.1.1.1.8.", Attribute::Hardware),
    ("1.3.6.1.2.1.47.1.1.1.1.9.", Attribute::Firmware),
    ("1.3.6.1.2.1.47.1.1.1.1.10.", Attribute::Version),
    ("1.3.6.1.2.1.47.1.1.1.1.11.", Attribute::Serial),
    ("1.3.6.1.2.1.47.1.1.1.1.12.", Attribute::Vendor),
    ("1.3.6.1.2.1.47.1.1.1.1.13.", Attribute::Model),
    // Printer-MIB (RFC 3805): prtGeneralSerialNumber.
    ("1.3.6.1.2.1.43.5.1.1.17.", Attribute::Serial),
];

/// MAC addresses: ifPhysAddress (RFC 2863), dot1dBaseBridgeAddress (RFC 4188).
const STATIONS: &[&str] = &["1.3.6.1.2.1.2.2.1.6.", "1.3.6.1.2.1.17.1.1.0"];
/// sysDescr and sysServices (RFC 3418).
const DESCRIPTION: &str = "1.3.6.1.2.1.1.1.0";
const SERVICES: &str = "1.3.6.1.2.1.1.7.0";
/// ipAdEntAddr (RFC 4293).
const ADDRESS: &str = "1.3.6.1.2.1.4.20.1.1.";

/// Tells what an answer says of the agent.
pub fn tell(bindings: &[Binding<'_>], out: &mut Output) {
    for Binding { name, value } in bindings {
        let is_named = |start: &&str| if start.ends_with('.') { name.starts_with(*start) } else { name == start };
        match value.tag {
            tag::OBJECT_IDENTIFIER if name == SYS_OBJECT_ID => {
                if let Some(number) = value.object_identifier().as_deref().and_then(enterprise) {
                    vendor(number, out);
                }
            }
            tag::OCTET_STRING if STATIONS.iter().any(&is_named) => {
                if let Some(mac) = mac(value.contents) {
                    out.sender_is(Attribute::Mac, mac);
                }
            }
            tag::OCTET_STRING => {
                if name == DESCRIPTION {
                    banner::greeting(value.contents, out);
                }
                if let Some((_, attribute)) = TEXTS.iter().find(|(start, _)| is_named(start)) {
                    out.sender_is(*attribute, printable(value.contents));
                }
            }
            tag::INTEGER if name == SERVICES => services(value.contents, out),
            IP_ADDRESS if name.starts_with(ADDRESS) => {
                if let Ok(octets) = <[u8; 4]>::try_from(value.contents) {
                    let address = Ipv4Addr::from(octets);
                    if !address.is_loopback() && !address.is_unspecified() {
                        out.sender_is(Attribute::Address, address.to_string());
                    }
                }
            }
            _ => {}
        }
    }
}

/// What an engine's identifier says: who made it, and of one form a MAC address (RFC 3411, 5, SnmpEngineID).
pub fn engine(identifier: &[u8], out: &mut Output) {
    let Some((&[first, rest @ ..], form)) = identifier.split_first_chunk::<4>() else { return };
    if first & 0x80 == 0 {
        return;
    }
    vendor(u32::from_be_bytes([first & 0x7f, rest[0], rest[1], rest[2]]), out);
    if let Some(mac) = form.strip_prefix(&[3]).and_then(mac) {
        out.sender_is(Attribute::Mac, mac);
    }
}

/// A sum of 2 to the power of each layer below its own that a device serves; hosts serve applications, the seventh
/// layer, too, and whether they forward is not told by the third alone.
fn services(octets: &[u8], out: &mut Output) {
    const BRIDGES: u8 = 0x02;
    const ROUTES: u8 = 0x04;
    const APPLICATIONS: u8 = 0x40;
    match octets {
        [layers] if layers & APPLICATIONS != 0 => {}
        [layers] if layers & ROUTES != 0 => out.sender_is(Attribute::RoleHint, "router"),
        [layers] if layers & BRIDGES != 0 => out.sender_is(Attribute::RoleHint, "switch"),
        _ => {}
    }
}

fn vendor(number: u32, out: &mut Output) {
    out.sender_is(Attribute::VendorId, number.to_string());
    out.sender_is(Attribute::Vendor, tables::name(snmp::ENTERPRISES, number));
}

/// The enterprise below which a name is.
pub fn enterprise(name: &str) -> Option<u32> {
    name.strip_prefix(ENTERPRISES)?.split('.').next()?.parse().ok()
}

fn mac(octets: &[u8]) -> Option<String> {
    let octets = <[u8; 6]>::try_from(octets).ok().filter(|octets| *octets != [0; 6])?;
    Some(octets.map(|octet| format!("{octet:02x}")).join(":"))
}

/// The table or group that a name is of.
pub fn group(name: &str) -> &str {
    let end = name.match_indices('.').nth(GROUP - 1).map_or(name.len(), |(at, _)| at);
    name.get(..end).unwrap_or(name)
}
