//! Modbus: the application protocol (V1.1b3) behind an MBAP header over TCP and UDP (Messaging V1.0b), and as RTU
//! frames (Serial Line V1.02) that a serial gateway carries over either.
//!
//! `shape` knows how long a PDU is by itself, `pdu`, `services`, `identification` and `umas` what its fields mean,
//! `sides` who asks whom; `mbap` and `rtu` are the two framings, `conversation` is what they share, `recognition` tells
//! whether octets are Modbus at all.
//! Addresses are zero-based, as on the wire.

pub(crate) mod codes;
mod conversation;
mod identification;
mod mbap;
mod pdu;
mod recognition;
pub mod rtu;
mod services;
pub mod shape;
mod sides;
#[cfg(test)]
mod tests;
mod umas;

pub use mbap::MbapSession;
pub use recognition::{probe_datagram, probe_line, probe_stream};
pub use rtu::RtuSession;
#[cfg(test)]
pub use rtu::crc;
pub use sides::Sides;
