//! The transport connection under S7 communication: who may connect to which slot, and how it ends.

use super::draft::Draft;
use crate::bytes::printable;
use crate::model::{Attribute, Kind, Object, Operation, Pairing};
use crate::protocols::cotp::{Tpdu, code};
use crate::session::Direction;
use crate::tables::{self, cotp, s7comm as codes};

/// The request that awaits its confirm: its way, its reference.
pub(super) type Connecting = Option<(Direction, u16)>;

/// Decodes a data unit without user data.
pub(super) fn decode(tpdu: &Tpdu<'_>, direction: Direction, keys: u64, connecting: &mut Connecting, draft: &mut Draft) {
    let [receiver, sender] = tpdu.references();
    let message = &mut draft.message;
    message.name = tables::name(cotp::TPDUS, tpdu.code.into());
    message.operation = Operation::Session;
    message.kind = Kind::Link;
    match tpdu.code {
        code::CONNECT => {
            (message.kind, message.pairing) = (Kind::Request, Pairing::Opens(keys | u64::from(sender)));
            message.from_client = true;
            *connecting = Some((direction, sender));
            selectors(tpdu, draft);
        }
        code::CONFIRM => {
            let key = keys | u64::from(receiver);
            (message.kind, message.pairing) = (Kind::Response, Pairing::Answers { key, last: true });
            message.from_client = false;
            *connecting = None;
            selectors(tpdu, draft);
        }
        code::DISCONNECT => {
            let refuses = *connecting == Some((direction.opposite(), receiver));
            message.kind = Kind::Unconfirmed;
            message.pairing = Pairing::Alone;
            if refuses {
                message.pairing = Pairing::Answers { key: keys | u64::from(receiver), last: true };
                *connecting = None;
            }
            if let Some(reason) = tpdu.reason() {
                message.status = Some(reason.into());
                message.status_name = tables::name(cotp::DISCONNECT_REASONS, reason.into());
            }
            message.kind = if refuses { Kind::Error } else { message.kind };
        }
        _ => {}
    }
}

/// Objects of both selectors; where a confirm names the called slot, the device has it.
fn selectors(tpdu: &Tpdu<'_>, draft: &mut Draft) {
    let [calling, called] = tpdu.selectors();
    for (name, selector) in [("calling", calling), ("called", called)] {
        let Some(octets) = selector else { continue };
        let slot = Slot::of(octets);
        let object = Object {
            kind: "transport-selector",
            type_number: slot.map(|slot| slot.connection_type.into()),
            start: slot.map(|slot| slot.slot.into()),
            count: 1,
            property_name: name,
            index: slot.map(|slot| slot.rack.into()),
            ..Object::default()
        };
        draft.object(object, [], &slot.map_or_else(|| text(octets), |slot| slot.text()));
    }
    if tpdu.code == code::CONFIRM
        && let Some(slot) = called.and_then(Slot::of)
    {
        draft.claim(Attribute::Slot, format!("rack {} slot {}", slot.rack, slot.slot));
    }
}

/// A selector of two octets: type of the connection, rack and slot.
#[derive(Clone, Copy)]
struct Slot {
    connection_type: u8,
    rack: u8,
    slot: u8,
}

impl Slot {
    fn of(selector: &[u8]) -> Option<Self> {
        match *selector {
            [connection_type, place] if tables::find(codes::CONNECTION_TYPES, connection_type.into()).is_some() => {
                Some(Slot { connection_type, rack: place >> 5, slot: place & 0x1F })
            }
            _ => None,
        }
    }

    fn text(self) -> String {
        let kind = tables::name(codes::CONNECTION_TYPES, self.connection_type.into());
        format!("{kind} rack {} slot {}", self.rack, self.slot)
    }
}

fn text(selector: &[u8]) -> String {
    if !selector.is_empty() && selector.iter().all(|octet| matches!(octet, b' '..=b'~')) {
        printable(selector)
    } else {
        selector.iter().take(32).map(|octet| format!("{octet:02x}")).collect()
    }
}
