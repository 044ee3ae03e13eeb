//! Answers that tell where a service is, and what a host is called: of the endpoint mapper and of DCOM's object exporter.

use std::net::IpAddr;

use super::pdu::Interface;
use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, utf16_le};
use crate::model::Attribute;
use crate::session::Output;

/// ept_map (C706, appendix O).
const MAP: u16 = 3;
/// ServerAlive2 (MS-DCOM, 3.1.2.5.1.6).
const SERVER_ALIVE: u16 = 5;
/// Towers read of one answer.
const MAX_TOWERS: usize = 4;
/// Bindings read of one answer.
const MAX_BINDINGS: usize = 16;
/// Octets of the floor that names the interface: protocol, UUID, major version (C706, appendix L).
const INTERFACE_FLOOR: usize = 19;

/// Adds what an answer tells. Only answers in little-endian order are read: no other is written today.
pub fn tell(interface: &Interface, operation: u16, stub: &[u8], activity: &mut Activity, out: &mut Output) {
    if interface.is("epmapper") && operation == MAP {
        for endpoint in towers(stub).unwrap_or_default() {
            activity.put(Field::DceRpcEndpoint, endpoint);
        }
    } else if interface.is("IObjectExporter") && operation == SERVER_ALIVE {
        for name in bindings(stub).unwrap_or_default() {
            match name.parse::<IpAddr>() {
                Ok(address) if address.is_loopback() => {}
                Ok(_) => out.sender_is(Attribute::Address, name),
                Err(_) => out.sender_is(Attribute::Hostname, name),
            }
        }
    }
}

/// Where the services are that were asked for: `svcctl ncacn_ip_tcp:49664`.
fn towers(stub: &[u8]) -> Result<Vec<String>, Short> {
    let mut cursor = Cursor::new(stub);
    cursor.take(20, "entry_handle")?;
    let count = cursor.u32_le("num_towers")? as usize;
    cursor.take(12, "bounds of the towers")?;
    let count = count.min(MAX_TOWERS);
    cursor.take(4 * count, "pointers")?;
    let mut found = Vec::new();
    for _ in 0..count {
        cursor.take(4, "bound of the tower")?;
        let length = cursor.u32_le("tower_length")? as usize;
        found.extend(tower(cursor.take(length, "tower_octet_string")?)?);
        let padding = cursor.offset().next_multiple_of(4) - cursor.offset();
        if cursor.take(padding, "padding").is_err() {
            break;
        }
    }
    Ok(found)
}

/// A tower (C706, appendix L): the interface is its first floor, the protocols with their addresses the last ones.
fn tower(octets: &[u8]) -> Result<Option<String>, Short> {
    let mut cursor = Cursor::new(octets);
    let floors = cursor.u16_le("floor count")?;
    let mut service = None;
    for floor in 0..floors.min(8) {
        let length = usize::from(cursor.u16_le("LHS byte count")?);
        let left = cursor.take(length, "protocol identifier")?;
        let length = usize::from(cursor.u16_le("RHS byte count")?);
        let right = cursor.take(length, "address data")?;
        if floor == 0 && left.len() == INTERFACE_FLOOR {
            service = Interface::new(&left[1..17], true);
        }
        let endpoint = match (left, right) {
            ([0x07], [high, low]) => format!("ncacn_ip_tcp:{}", u16::from_be_bytes([*high, *low])),
            ([0x08], [high, low]) => format!("ncadg_ip_udp:{}", u16::from_be_bytes([*high, *low])),
            ([0x1f], [high, low]) => format!("ncacn_http:{}", u16::from_be_bytes([*high, *low])),
            ([0x0f], name) => format!("ncacn_np:{}", crate::bytes::printable(name)),
            _ => continue,
        };
        return Ok(service.map(|service| format!("{} {endpoint}", service.name())));
    }
    Ok(None)
}

/// The names and addresses that a host is reached by (DUALSTRINGARRAY; MS-DCOM, 2.2.19), without their ports.
fn bindings(stub: &[u8]) -> Result<Vec<String>, Short> {
    let mut cursor = Cursor::new(stub);
    cursor.take(4, "COMVERSION")?;
    if cursor.u32_le("pointer")? == 0 {
        return Ok(Vec::new());
    }
    cursor.take(4, "bound")?;
    cursor.u16_le("wNumEntries")?;
    let texts = 2 * usize::from(cursor.u16_le("wSecurityOffset")?);
    let mut texts = Cursor::new(cursor.take(texts, "StringBindings")?);
    let mut found: Vec<String> = Vec::new();
    for _ in 0..MAX_BINDINGS {
        if texts.u16_le("wTowerId").unwrap_or(0) == 0 {
            break;
        }
        let rest = texts.rest();
        let Some(end) = rest.chunks_exact(2).position(|unit| unit == [0, 0]) else { break };
        let text = utf16_le(texts.take(2 * end, "aNetworkAddr")?);
        texts.u16_le("end")?;
        let name = text.split('[').next().unwrap_or_default().to_string();
        if !name.is_empty() && !found.contains(&name) {
            found.push(name);
        }
    }
    Ok(found)
}
