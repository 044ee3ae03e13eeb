//! Network layer: NPDU (clause 6), whatever data link carries it.

use std::fmt::Write as _;

use super::application::{Application, invoke_id_at};
use super::draft::Draft;
use super::tag::Malformed;
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Kind, Object, OddityCode, Operation, Pairing, Unit};
use crate::session::{Direction, Output, Variable};
use crate::tables;

/// BACnet protocol version (6.2.1).
pub const VERSION: u8 = 1;

/// Bits of the control octet (6.2.2).
mod control {
    /// The NSDU is a message of the network layer.
    pub const NETWORK_MESSAGE: u8 = 0x80;
    /// DNET, DLEN, DADR and hop count are there.
    pub const DESTINATION: u8 = 0x20;
    /// SNET, SLEN and SADR are there.
    pub const SOURCE: u8 = 0x08;
    /// Shall be zero.
    pub const RESERVED: u8 = 0x50;
    /// Priority of the message.
    pub const PRIORITY: u8 = 0x03;
}

/// DNET of a broadcast on all networks (6.2.2).
const GLOBAL_BROADCAST: u16 = 0xFFFF;

/// Message types from here on are proprietary, and a vendor id follows (6.2.4).
const FIRST_PROPRIETARY: u8 = 0x80;

/// Key of Initialize-Routing-Table and its acknowledgement, which carry nothing to tell them apart (6.4.7).
const ROUTING_TABLE_KEY: u64 = 1;

/// What is remembered of the BACnet traffic between two endpoints.
#[derive(Clone, Default)]
pub struct Conversation {
    application: Application,
}

impl Conversation {
    /// Decodes the NPDU that starts `offset` octets into its message, and pushes the one message it makes.
    ///
    /// `draft` holds what the data link knows; it is pushed as it is where the NPDU cannot be read.
    pub fn decode_npdu(
        &mut self,
        mut draft: Draft,
        npdu: &[u8],
        offset: usize,
        direction: Direction,
        out: &mut Output,
    ) {
        let mut bytes = Cursor::new(npdu);
        draft.base = offset;
        match header(&mut bytes, &mut draft) {
            Err(malformed) => draft.malformed("npdu", offset, malformed),
            Ok(control) if control & control::NETWORK_MESSAGE != 0 => {
                if let Err(malformed) = network_message(&mut bytes, &mut draft) {
                    draft.malformed("npdu", offset, malformed);
                }
            }
            Ok(_) => self.application.decode(&mut draft, bytes.rest(), offset + bytes.offset(), direction),
        }
        draft.push(out);
    }

    /// What may differ when a message comes again whose NPDU starts `offset` octets into it. Its values are not told
    /// apart from the rest: tags give their lengths.
    pub fn variable(message: &[u8], offset: usize) -> Option<Variable> {
        let apdu_at = offset + apdu_at(message.get(offset..)?)?;
        let at = apdu_at + invoke_id_at(message.get(apdu_at..)?)?;
        Some(Variable { number: at..at + 1, values: message.len()..message.len(), read: None })
    }

    /// True where no message so far has a bearing on the next.
    pub fn is_idle(&self) -> bool {
        self.application.is_idle()
    }

    /// Octets held for messages in segments.
    pub fn held(&self) -> usize {
        self.application.held()
    }

    /// Octets of a direction are lost: its half-built messages are given up.
    pub fn gap(&mut self, direction: Direction, out: &mut Output) {
        if self.application.give_up(direction) {
            let expected = "the remaining segments, found octets missing in the capture";
            out.oddity(OddityCode::BadSequence, "apdu", 0, expected);
        }
    }
}

/// NPCI (6.2): `version | control | DNET DLEN DADR | SNET SLEN SADR | hop count`, addresses as the control says.
fn header(bytes: &mut Cursor<'_>, draft: &mut Draft) -> Result<u8, Malformed> {
    let version = bytes.u8("version")?;
    if version != VERSION {
        return Err(forbidden(0, format!("version {VERSION}, found {version}")));
    }
    let control = bytes.u8("control")?;
    if control & control::RESERVED != 0 {
        draft.malformed(
            "npdu",
            draft.base,
            forbidden(1, format!("control with bits 6 and 4 clear, found 0x{control:02x}")),
        );
    }
    if control & control::DESTINATION != 0 {
        let offset = bytes.offset();
        let (network, _, unit) = unit(bytes, "DNET", "DLEN", "DADR")?;
        draft.message.destination_unit = unit;
        if network == 0 {
            draft.malformed("npdu", draft.base, forbidden(offset, "DNET 1 to 65535, found 0"));
        }
    }
    if control & control::SOURCE != 0 {
        let offset = bytes.offset();
        let (network, length, unit) = unit(bytes, "SNET", "SLEN", "SADR")?;
        draft.message.source_unit = unit;
        // A broadcast is no sender.
        if matches!(network, 0 | GLOBAL_BROADCAST) || length == 0 {
            let found = format!("SNET 1 to 65534 and an SADR, found SNET {network} and SLEN {length}");
            draft.malformed("npdu", draft.base, forbidden(offset, found));
        }
    }
    if control & control::DESTINATION != 0 {
        let offset = bytes.offset();
        // The router that counts it down to zero discards the message (6.5.4).
        if bytes.u8("hop count")? == 0 {
            draft.malformed("npdu", draft.base, forbidden(offset, "hop count 1 to 255, found 0"));
        }
    }
    let priority = u32::from(control & control::PRIORITY);
    if let Some(priority) = tables::find(tables::bacnet::NETWORK_PRIORITIES, priority) {
        // Words of the message, of no object.
        let _ = write!(draft.message.text, "{} message, ", priority.name);
    }
    Ok(control)
}

/// Where the APDU starts in an NPDU that has one.
fn apdu_at(npdu: &[u8]) -> Option<usize> {
    let mut bytes = Cursor::new(npdu);
    let (version, control) = (bytes.u8("version").ok()?, bytes.u8("control").ok()?);
    if version != VERSION || control & control::NETWORK_MESSAGE != 0 {
        return None;
    }
    for present in [control::DESTINATION, control::SOURCE].map(|bit| control & bit != 0) {
        if present {
            unit(&mut bytes, "network", "length", "address").ok()?;
        }
    }
    if control & control::DESTINATION != 0 {
        bytes.u8("hop count").ok()?;
    }
    Some(bytes.offset())
}

fn forbidden(offset: usize, expected: impl Into<String>) -> Malformed {
    Malformed::new(OddityCode::InvalidValue, offset, expected)
}

fn unit(
    bytes: &mut Cursor<'_>,
    network: &'static str,
    length: &'static str,
    address: &'static str,
) -> Result<(u16, u8, Unit), Short> {
    let network = bytes.u16_be(network)?;
    let length = bytes.u8(length)?;
    let octets = bytes.take(usize::from(length), address)?;
    let mut mac = [0; 8];
    let kept = octets.len().min(mac.len());
    mac[..kept].copy_from_slice(&octets[..kept]);
    Ok((network, length, Unit::Bacnet { network, length: kept as u8, mac }))
}

/// A message of the network layer (6.4).
fn network_message(bytes: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Malformed> {
    draft.message.kind = Kind::Network;
    draft.message.function = None;
    draft.message.name = "";
    draft.message.operation = Operation::Unknown;

    let code = bytes.u8("message type")?;
    let entry = tables::find(tables::bacnet::NETWORK_MESSAGES, u32::from(code));
    draft.message.function = Some(u16::from(code));
    draft.message.name = entry.map_or("", |entry| entry.name);
    draft.message.operation = entry.and_then(|entry| entry.operation).unwrap_or(Operation::Unknown);
    if code >= FIRST_PROPRIETARY {
        let offset = bytes.offset();
        let vendor = bytes.u16_be("vendor id")?;
        let text = draft.message.push_text(tables::name(tables::bacnet::VENDORS, u32::from(vendor)));
        let type_number = Some(u32::from(vendor));
        return draft.object(Object { kind: "vendor", type_number, count: 1, text, ..Object::default() }, offset);
    }
    match draft.message.name {
        "who_is_router_to_network" if bytes.is_empty() => {}
        "who_is_router_to_network" | "disconnect_connection_to_network" => network(bytes, draft)?,
        "i_am_router_to_network" | "router_busy_to_network" | "router_available_to_network" => {
            while !bytes.is_empty() {
                network(bytes, draft)?;
            }
        }
        "i_could_be_router_to_network" => {
            network(bytes, draft)?;
            number(bytes, "performance index", draft)?;
        }
        "reject_message_to_network" => {
            draft.message.from_client = false;
            let reason = bytes.u8("rejection reason")?;
            draft.message.status = Some(u16::from(reason));
            draft.message.status_name = tables::name(tables::bacnet::NETWORK_REJECT_REASONS, u32::from(reason));
            network(bytes, draft)?;
        }
        "initialize_routing_table" => {
            draft.message.pairing = Pairing::Opens(ROUTING_TABLE_KEY);
            ports(bytes, draft)?;
        }
        "initialize_routing_table_ack" => {
            draft.message.from_client = false;
            draft.message.pairing = Pairing::Answers { key: ROUTING_TABLE_KEY, last: true };
            ports(bytes, draft)?;
        }
        "establish_connection_to_network" => {
            network(bytes, draft)?;
            number(bytes, "termination time value", draft)?;
        }
        "network_number_is" => {
            network(bytes, draft)?;
            number(bytes, "configured or learned", draft)?;
        }
        "what_is_network_number" => {}
        // Security (clause 24) and unknown: what follows is not read.
        _ => return Ok(()),
    }
    if !bytes.is_empty() {
        let expected = format!("the end of {}, found {} octets more", draft.message.name, bytes.left());
        return Err(Malformed::new(OddityCode::TrailingOctets, bytes.offset(), expected));
    }
    Ok(())
}

/// One network number.
fn network(bytes: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Malformed> {
    let offset = bytes.offset();
    let start = Some(u32::from(bytes.u16_be("DNET")?));
    draft.object(Object { kind: "network", start, count: 1, ..Object::default() }, offset)
}

/// One octet that belongs to the network named before it.
fn number(bytes: &mut Cursor<'_>, field: &'static str, draft: &mut Draft) -> Result<(), Malformed> {
    let number = bytes.u8(field)?;
    let values = draft.message.push_values([f64::from(number)]);
    if let Some(object) = draft.message.objects.last_mut() {
        object.values = values;
    }
    Ok(())
}

/// Routing table (6.4.7): `number of ports | DNET, port id, port info length, port info, each`.
fn ports(bytes: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Malformed> {
    // The acknowledgement of an update has nothing at all (6.4.8).
    if bytes.is_empty() {
        return Ok(());
    }
    for _ in 0..bytes.u8("number of ports")? {
        network(bytes, draft)?;
        number(bytes, "port id", draft)?;
        let length = bytes.u8("port info length")?;
        let info = printable(bytes.take(usize::from(length), "port info")?);
        // How to get there: of the router's making, often the telephone number of a half-router (6.4.7).
        let text = draft.message.push_text(&info);
        if let Some(object) = draft.message.objects.last_mut() {
            object.text = text;
        }
    }
    Ok(())
}
