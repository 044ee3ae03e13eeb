//! Modbus: the application protocol (V1.1b3) behind an MBAP header over TCP and UDP (Messaging V1.0b), and as RTU
//! frames (Serial Line V1.02) that a serial gateway carries over either.
//!
//! `shape` knows how long a PDU is by itself, `pdu` and `services` what its fields mean, `sides` who asks whom;
//! `mbap` and `rtu` are the two framings, `recognition` tells whether octets are Modbus at all.
//! Addresses are zero-based, as on the wire.

mod codes;
mod mbap;
mod pdu;
mod recognition;
mod rtu;
mod services;
mod shape;
mod sides;
#[cfg(test)]
mod tests;

pub use mbap::MbapSession;
pub use recognition::{probe_datagram, probe_stream};
pub use rtu::RtuSession;
pub use sides::Sides;

use crate::model::{Claim, Kind, Message, Unit};
use crate::session::Output;
use pdu::Found;
use shape::Role;

/// The unit identifier addresses the server's side, whoever sends.
fn place_unit(message: &mut Message, role: Role, unit: u8) {
    let unit = Unit::Number(unit.into());
    message.from_client = role == Role::Request;
    match role {
        Role::Request => {
            message.kind = Kind::Request;
            message.destination_unit = unit;
        }
        Role::Response => {
            message.kind = Kind::Response;
            message.source_unit = unit;
        }
    }
}

/// Pushes a message, then what was found in it and what it states.
fn publish(message: Box<Message>, found: &mut Vec<Found>, claims: &mut Vec<Claim>, out: &mut Output) {
    out.push(message);
    for (code, layer, offset, expected) in found.drain(..) {
        out.oddity(code, layer, offset, expected);
    }
    for claim in claims.drain(..) {
        out.claim(claim);
    }
}
