//! BACnet virtual link layer: BVLL of BACnet/IP (Annex J) and of BACnet/IPv6 (Annex U).

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::draft::Draft;
use super::network::Conversation;
use super::tag::Malformed;
use crate::bytes::{Cursor, Short};
use crate::model::{Kind, Object, OddityCode, Operation, Pairing};
use crate::session::{Chunk, Output, Variable};
use crate::tables::{self, Code};

/// BVLC type of BACnet/IP (J.2).
pub const BVLC_IP: u8 = 0x81;

/// BVLC type of BACnet/IPv6 (U.2).
pub const BVLC_IPV6: u8 = 0x82;

/// Type, function and length (J.2).
const HEADER_LENGTH: usize = 4;

/// The function of a message from one station to another (J.2.11, U.2.2).
const UNICAST: &str = "original_unicast_npdu";

/// Source and destination of it in BACnet/IPv6 (U.2.2).
const VIRTUAL_ADDRESSES: usize = 6;

/// A BVLC-Result names no request, so all requests of the link layer share a key; a flow has one at a time.
const KEY: u64 = 0;

/// The functions of a BVLC type.
pub fn functions(bvlc_type: u8) -> &'static [Code] {
    if bvlc_type == BVLC_IPV6 { tables::bacnet::BVLC6_FUNCTIONS } else { tables::bacnet::BVLC_FUNCTIONS }
}

/// True where an NPDU follows the fields of the function.
pub fn carries_npdu(name: &str) -> bool {
    let has = |table: &[Code]| table.iter().any(|code| code.name == name && code.kind == "npdu");
    has(tables::bacnet::BVLC_FUNCTIONS) || has(tables::bacnet::BVLC6_FUNCTIONS)
}

/// Decodes one datagram.
pub fn decode(conversation: &mut Conversation, chunk: Chunk<'_>, out: &mut Output) {
    let [bvlc_type @ (BVLC_IP | BVLC_IPV6), ..] = *chunk.bytes else {
        let found = chunk.bytes.first().map_or("nothing".to_string(), |octet| format!("0x{octet:02x}"));
        return out.oddity(OddityCode::NotTheProtocol, "bvlc", 0, format!("BVLC type 0x81 or 0x82, found {found}"));
    };
    let mut draft = Draft::new(out, chunk.bytes.len(), chunk.wire_length);
    draft.message.kind = Kind::Link;

    let mut bytes = Cursor::new(chunk.bytes);
    match header(&mut bytes, bvlc_type, chunk.wire_length, &mut draft) {
        Err(short) => draft.malformed("bvlc", 0, short),
        Ok(function) if function.is_some_and(|function| function.kind == "npdu") => {
            match before_npdu(&mut bytes, bvlc_type, draft.message.name, &mut draft) {
                Ok(()) => return conversation.decode_npdu(draft, bytes.rest(), bytes.offset(), chunk.direction, out),
                Err(short) => draft.malformed("bvlc", 0, short),
            }
        }
        Ok(_) => {
            if let Err(malformed) = body(&mut bytes, bvlc_type, &mut draft) {
                draft.malformed("bvlc", 0, malformed);
            }
        }
    }
    draft.push(out);
}

/// What may differ when a datagram comes again; none but those from one station to another.
pub fn variable(datagram: &[u8]) -> Option<Variable> {
    let name = |bvlc_type: u8, function: u8| tables::name(functions(bvlc_type), u32::from(function));
    let between = match *datagram {
        [bvlc_type @ BVLC_IP, function, ..] if name(bvlc_type, function) == UNICAST => 0,
        [bvlc_type @ BVLC_IPV6, function, ..] if name(bvlc_type, function) == UNICAST => VIRTUAL_ADDRESSES,
        _ => return None,
    };
    Conversation::variable(datagram, HEADER_LENGTH + between)
}

/// BVLC (J.2): `type | function | length, of the whole datagram`.
///
/// A wrong length is noted and otherwise ignored: stacks exist that fill it in wrongly before a good NPDU.
fn header(
    bytes: &mut Cursor<'_>,
    bvlc_type: u8,
    wire_length: usize,
    draft: &mut Draft,
) -> Result<Option<&'static Code>, Short> {
    bytes.u8("BVLC type")?;
    let code = bytes.u8("BVLC function")?;
    let function = tables::find(functions(bvlc_type), u32::from(code));
    draft.message.link_code = Some(code);
    draft.message.function = Some(u16::from(code));
    draft.message.name = function.map_or("", |function| function.name);
    draft.message.operation = function.and_then(|function| function.operation).unwrap_or(Operation::Unknown);
    let length = usize::from(bytes.u16_be("BVLC length")?);
    if length != wire_length {
        let expected = format!("BVLC length {wire_length} as the datagram has octets, found {length}");
        draft.oddity(OddityCode::BadLength, "bvlc", 2, expected);
    }
    debug_assert_eq!(bytes.offset(), HEADER_LENGTH);
    Ok(function)
}

/// What is between the BVLC and the NPDU: virtual MAC addresses (U.2) and the originating address (J.2.5, U.2.9).
fn before_npdu(bytes: &mut Cursor<'_>, bvlc_type: u8, name: &str, draft: &mut Draft) -> Result<(), Short> {
    if bvlc_type == BVLC_IPV6 {
        bytes.take(3, "source virtual address")?;
        if name == UNICAST {
            bytes.take(3, "destination virtual address")?;
        }
    }
    if name == "forwarded_npdu" {
        let origin = address(bytes, bvlc_type)?;
        draft.origin = Some(origin);
        // Words of the message, of no object: policy judges objects, and this is who spoke.
        let _ = write!(draft.message.text, "originating address {origin}");
    }
    Ok(())
}

/// A B/IP address (J.1.2) or B/IPv6 address (U.1.2): address and port.
fn address(bytes: &mut Cursor<'_>, bvlc_type: u8) -> Result<SocketAddr, Short> {
    if bvlc_type == BVLC_IPV6 {
        let high = u128::from(bytes.u64_be("IPv6 address")?);
        let low = u128::from(bytes.u64_be("IPv6 address")?);
        return Ok((Ipv6Addr::from_bits(high << 64 | low), bytes.u16_be("UDP port")?).into());
    }
    Ok((Ipv4Addr::from_bits(bytes.u32_be("IPv4 address")?), bytes.u16_be("UDP port")?).into())
}

/// The functions that carry no NPDU (J.2.1 to J.2.9, U.2.1 to U.2.11).
fn body(bytes: &mut Cursor<'_>, bvlc_type: u8, draft: &mut Draft) -> Result<(), Malformed> {
    draft.message.pairing = pairing(draft.message.name);
    draft.message.from_client = !matches!(draft.message.pairing, Pairing::Answers { .. });
    match draft.message.name {
        // Encrypted (clause 24) or unknown: the header is all that is read.
        "" | "secure_bvll" => return Ok(()),
        // A resolution is about it; elsewhere it only says who sends.
        "virtual_address_resolution" | "virtual_address_resolution_ack" => {
            virtual_address(bytes, "virtual-address", draft)?;
        }
        _ if bvlc_type == BVLC_IPV6 => drop(bytes.take(3, "source virtual address")?),
        _ => {}
    }
    match draft.message.name {
        "bvlc_result" => result(bytes, bvlc_type, draft)?,
        "write_broadcast_distribution_table" | "read_broadcast_distribution_table_ack" => {
            while !bytes.is_empty() {
                distribution_entry(bytes, bvlc_type, draft)?;
            }
        }
        "register_foreign_device" => {
            let offset = bytes.offset();
            let lifetime = bytes.u16_be("time-to-live")?;
            let values = draft.message.push_values([f64::from(lifetime)]);
            draft.object(Object { kind: "foreign-device", count: 1, values, ..Object::default() }, offset)?;
        }
        "read_foreign_device_table_ack" => {
            while !bytes.is_empty() {
                foreign_device(bytes, bvlc_type, draft)?;
            }
        }
        "delete_foreign_device_table_entry" => {
            let offset = bytes.offset();
            let device = address(bytes, bvlc_type)?;
            let text = draft.message.push_text(&device.to_string());
            draft.object(Object { kind: "foreign-device", count: 1, text, ..Object::default() }, offset)?;
        }
        // The answer to a resolution goes to who asked (U.2.5, U.2.7).
        "virtual_address_resolution_ack" | "address_resolution_ack" => {
            bytes.take(3, "destination virtual address")?;
        }
        "address_resolution" => drop(virtual_address(bytes, "virtual-address", draft)?),
        "forwarded_address_resolution" => {
            let at = virtual_address(bytes, "virtual-address", draft)?;
            let origin = address(bytes, bvlc_type)?;
            draft.message.objects[at].text = draft.message.push_text(&format!("originating address {origin}"));
        }
        _ => {}
    }
    trailing(bytes, draft);
    Ok(())
}

/// Which functions ask, and which answer. A resolution that is not answered is nobody's failure, and its
/// acknowledgement comes from another address than it was sent to: each is an event of its own.
fn pairing(name: &str) -> Pairing {
    match name {
        "bvlc_result" | "read_broadcast_distribution_table_ack" | "read_foreign_device_table_ack" => {
            Pairing::Answers { key: KEY, last: true }
        }
        "write_broadcast_distribution_table"
        | "read_broadcast_distribution_table"
        | "read_foreign_device_table"
        | "register_foreign_device"
        | "delete_foreign_device_table_entry" => Pairing::Opens(KEY),
        _ => Pairing::Alone,
    }
}

/// BVLC-Result (J.2.1, U.2.1).
fn result(bytes: &mut Cursor<'_>, bvlc_type: u8, draft: &mut Draft) -> Result<(), Short> {
    let code = bytes.u16_be("result code")?;
    let table = match bvlc_type {
        BVLC_IPV6 => tables::bacnet::BVLC6_RESULTS,
        _ => tables::bacnet::BVLC_RESULTS,
    };
    draft.message.status = Some(code);
    draft.message.status_name = tables::name(table, u32::from(code));
    Ok(())
}

/// One entry of a broadcast distribution table (J.2.2): a BBMD, and the mask of its directed broadcasts.
fn distribution_entry(bytes: &mut Cursor<'_>, bvlc_type: u8, draft: &mut Draft) -> Result<(), Malformed> {
    let offset = bytes.offset();
    let peer = address(bytes, bvlc_type)?;
    let mask = Ipv4Addr::from_bits(bytes.u32_be("broadcast distribution mask")?);
    let text = draft.message.push_text(&format!("{peer} mask {mask}"));
    draft.object(Object { kind: "broadcast-distribution-entry", count: 1, text, ..Object::default() }, offset)
}

/// One entry of a foreign device table (J.2.8).
fn foreign_device(bytes: &mut Cursor<'_>, bvlc_type: u8, draft: &mut Draft) -> Result<(), Malformed> {
    let offset = bytes.offset();
    let device = address(bytes, bvlc_type)?;
    let lifetime = bytes.u16_be("time-to-live")?;
    let remaining = bytes.u16_be("time remaining")?;
    let text = draft.message.push_text(&device.to_string());
    let values = draft.message.push_values([lifetime, remaining].map(f64::from));
    draft.object(Object { kind: "foreign-device", count: 1, values, text, ..Object::default() }, offset)
}

/// A virtual MAC address of BACnet/IPv6, by default the device instance (U.5, H.7.2).
fn virtual_address(bytes: &mut Cursor<'_>, kind: &'static str, draft: &mut Draft) -> Result<usize, Malformed> {
    let offset = bytes.offset();
    let start = Some(bytes.uint_be(3, kind)? as u32);
    draft.object(Object { kind, start, count: 1, ..Object::default() }, offset)?;
    Ok(draft.message.objects.len() - 1)
}

fn trailing(bytes: &Cursor<'_>, draft: &mut Draft) {
    if !bytes.is_empty() {
        let expected = format!("the end of {}, found {} octets more", draft.message.name, bytes.left());
        draft.oddity(OddityCode::TrailingOctets, "bvlc", bytes.offset(), expected);
    }
}
