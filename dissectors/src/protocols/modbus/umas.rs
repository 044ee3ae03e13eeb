//! Schneider Electric's UMAS (90), as published by those who analysed it (see the table):
//!
//! ```text
//! request   90 | session key | function | data
//! response  90 | session key | status   | data
//! signed    90 | session key | 56 | 1 | signature (32 octets) | the message itself, from its 90 on
//! ```

use super::codes::*;
use super::pdu::Decoding;
use super::sides::Asked;
use crate::bytes::{Short, printable};
use crate::model::{Attribute, Kind, Object, OddityCode};
use crate::tables::{self, modbus};

/// A code, and whether a signature precedes it.
struct Signed {
    code: u8,
    signed: bool,
}

impl Decoding<'_, '_> {
    pub(super) fn umas_request(&mut self, kind: &'static str, asked: &mut Asked) -> Result<(), Short> {
        let Signed { code, signed } = self.umas_code("UMAS function")?;
        asked.sub_function = Some(code.into());
        self.name_operation(UMAS, code.into());
        self.umas_object(kind, Some(code.into()), None, signed);
        self.cursor.take(self.cursor.left(), "UMAS data").map(drop)
    }

    /// The function is known by the request alone.
    pub(super) fn umas_response(&mut self, kind: &'static str) -> Result<(), Short> {
        let Signed { code: status, signed } = self.umas_code("UMAS status")?;
        match status {
            // The rest of a signed message is not there.
            UMAS_OK | UMAS_SIGNED => {}
            UMAS_ERROR => {
                self.message.kind = Kind::Error;
                self.message.status_name = tables::name(modbus::UMAS_STATUS, status.into());
            }
            other => {
                let at = self.cursor.offset() - 1;
                self.odd(OddityCode::InvalidValue, at, format!("UMAS status 0xfd or 0xfe, found 0x{other:02x}"));
            }
        }
        let function = self.asked.as_ref().and_then(|asked| asked.sub_function);
        if let Some(function) = function {
            self.name_operation(UMAS, function);
        }
        self.umas_object(kind, function, Some(status.into()), signed);
        let data = self.cursor.take(self.cursor.left(), "UMAS data")?;
        if function == Some(UMAS_READ_ID.into()) && status == UMAS_OK {
            if let Some(model) = umas_model(data) {
                self.claim(Attribute::Model, model);
            }
        }
        Ok(())
    }

    /// Session key and code; of a signed message those behind the signature, as far as it is there.
    fn umas_code(&mut self, field: &'static str) -> Result<Signed, Short> {
        self.cursor.u8("session key")?;
        let code = self.cursor.u8(field)?;
        let behind = UMAS_SIGNATURE - 3;
        if code != UMAS_SIGNED || self.cursor.rest().get(behind) != Some(&UMAS) {
            return Ok(Signed { code, signed: false });
        }
        self.cursor.take(behind + 1, "signature")?;
        self.cursor.u8("session key")?;
        Ok(Signed { code: self.cursor.u8(field)?, signed: true })
    }

    fn umas_object(&mut self, kind: &'static str, function: Option<u16>, status: Option<u16>, signed: bool) {
        let name = function.map_or("", |function| tables::name(modbus::UMAS_FUNCTIONS, function.into()));
        let text = self.message.push_text(name);
        self.object(Object {
            kind,
            type_number: function.map(u32::from),
            property_name: if signed { "signed" } else { "" },
            count: 1,
            text,
            status,
            ..Object::default()
        });
    }
}

/// Identity, versions and codes in 22 octets, then the model's name behind its length: seen on a real Quantum; so only
/// what is wholly printable is believed.
fn umas_model(data: &[u8]) -> Option<String> {
    let (&length, rest) = data.get(22..)?.split_first()?;
    let name = rest.get(..usize::from(length))?;
    let is_name = (4..=32).contains(&length) && name.iter().all(|octet| matches!(octet, b' '..=b'~'));
    is_name.then(|| printable(name))
}
