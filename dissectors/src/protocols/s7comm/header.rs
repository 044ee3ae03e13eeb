//! The header of a PDU.
//!
//! ```text
//! 0x32 | ROSCTR | redundancy (2) | reference (2) | parameter length (2) | data length (2) | error class, code
//! ```
//! The error is there in Ack and Ack_Data only.

use crate::bytes::{Cursor, Short};

/// Protocol identifier of S7 communication.
pub(super) const IDENTIFIER: u8 = 0x32;

/// ROSCTR: what a PDU is.
pub(super) mod rosctr {
    pub(in crate::protocols::s7comm) const JOB: u8 = 1;
    pub(in crate::protocols::s7comm) const ACK: u8 = 2;
    pub(in crate::protocols::s7comm) const ACK_DATA: u8 = 3;
    pub(in crate::protocols::s7comm) const USERDATA: u8 = 7;
}

/// The fields of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// What the PDU is.
    pub(super) rosctr: u8,
    /// PDU reference: an answer has its request's.
    pub(super) reference: u16,
    /// Octets of parameters.
    pub(super) parameters: usize,
    /// Octets of data.
    pub(super) data: usize,
    /// Error class and code.
    pub(super) error: Option<u16>,
    /// Octets of the header itself.
    pub(super) octets: usize,
}

impl Header {
    /// Reads a header.
    pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Self, Short> {
        cursor.take(1, "protocol identifier")?;
        let rosctr = cursor.u8("ROSCTR")?;
        cursor.take(2, "redundancy identification")?;
        let reference = cursor.u16_be("PDU reference")?;
        let parameters = cursor.u16_be("parameter length")?.into();
        let data = cursor.u16_be("data length")?.into();
        let error = match rosctr {
            rosctr::ACK | rosctr::ACK_DATA => Some(cursor.u16_be("error class and code")?),
            _ => None,
        };
        Ok(Header { rosctr, reference, parameters, data, error, octets: cursor.offset() })
    }

    /// Octets of the whole PDU.
    pub(super) const fn pdu(&self) -> usize {
        self.octets + self.parameters + self.data
    }
}
