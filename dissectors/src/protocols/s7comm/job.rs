//! Jobs and what answers them: Ack, Ack_Data.

use super::blocks;
use super::draft::Draft;
use super::variables::{self, Item};
use crate::bytes::{Cursor, Short};
use crate::model::Object;
use crate::tables::{self, s7comm as codes};

/// Functions whose fields are read here.
pub(super) mod function {
    pub(super) const READ: u8 = 0x04;
    pub(super) const WRITE: u8 = 0x05;
    pub(super) const REQUEST_DOWNLOAD: u8 = 0x1A;
    pub(super) const DOWNLOAD_BLOCK: u8 = 0x1B;
    pub(super) const DOWNLOAD_ENDED: u8 = 0x1C;
    pub(super) const START_UPLOAD: u8 = 0x1D;
    pub(super) const UPLOAD: u8 = 0x1E;
    pub(super) const END_UPLOAD: u8 = 0x1F;
    pub(super) const PI_SERVICE: u8 = 0x28;
    pub(super) const PLC_STOP: u8 = 0x29;
    pub(super) const SETUP: u8 = 0xF0;
}

/// The sections of a PDU, as far as they are there, and where they start in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sections<'a> {
    /// Parameters.
    pub(super) parameters: &'a [u8],
    /// Data.
    pub(super) data: &'a [u8],
    /// Offset of the parameters.
    pub(super) parameters_at: usize,
    /// Offset of the data.
    pub(super) data_at: usize,
}

/// True where the server asks: it fetches a download piece by piece.
pub(super) fn is_servers(function: u8) -> bool {
    tables::find(codes::FUNCTIONS, function.into()).is_some_and(|code| code.kind == "server")
}

/// Decodes a Job; gives the addresses it asks for.
pub(super) fn request(sections: Sections<'_>, draft: &mut Draft) -> Vec<Item> {
    let mut items = Vec::new();
    let mut cursor = Cursor::new(sections.parameters);
    let result = parameters(&mut cursor, sections, &mut items, draft);
    draft.short(sections.parameters_at, result);
    items
}

fn parameters(
    cursor: &mut Cursor<'_>,
    sections: Sections<'_>,
    items: &mut Vec<Item>,
    draft: &mut Draft,
) -> Result<(), Short> {
    let function = name(cursor, draft)?;
    match function {
        function::READ | function::WRITE => {
            let count = usize::from(cursor.u8("number of items")?);
            *items = variables::addresses(cursor, count, sections.parameters_at, draft)?;
            if function == function::READ {
                variables::put(items, draft);
            } else {
                let (_, result) = variables::data(&mut Cursor::new(sections.data), count, items, false, draft);
                draft.short(sections.data_at, result);
            }
            Ok(())
        }
        function::SETUP => setup(cursor, draft),
        function::REQUEST_DOWNLOAD => blocks::request_download(cursor, draft),
        function::DOWNLOAD_BLOCK | function::DOWNLOAD_ENDED | function::START_UPLOAD => blocks::named(cursor, draft),
        function::UPLOAD | function::END_UPLOAD => blocks::running(cursor, draft),
        function::PI_SERVICE => blocks::invocation(cursor, draft),
        function::PLC_STOP => blocks::stop(cursor, draft),
        _ => Ok(()),
    }
}

/// Decodes an Ack or Ack_Data. One that refuses names no items.
pub(super) fn answer(sections: Sections<'_>, error: u16, asked: &[Item], draft: &mut Draft) {
    let mut cursor = Cursor::new(sections.parameters);
    if !cursor.is_empty() {
        let result = results(&mut cursor, sections, asked, draft);
        draft.short(sections.parameters_at, result);
    }
    if error != 0 {
        draft.failed(error, error_name(error));
    }
}

fn results(cursor: &mut Cursor<'_>, sections: Sections<'_>, asked: &[Item], draft: &mut Draft) -> Result<(), Short> {
    let function = name(cursor, draft)?;
    let mut data = Cursor::new(sections.data);
    match function {
        function::READ | function::WRITE if !sections.data.is_empty() => {
            let count = usize::from(cursor.u8("number of items")?);
            let (results, result) = if function == function::READ {
                variables::data(&mut data, count, asked, true, draft)
            } else {
                variables::written(&mut data, count, asked, draft)
            };
            draft.short(sections.data_at, result);
            variables::judge(&results, draft);
            Ok(())
        }
        function::SETUP if !cursor.is_empty() => setup(cursor, draft),
        function::START_UPLOAD if !cursor.is_empty() => blocks::upload_started(cursor, draft),
        function::DOWNLOAD_BLOCK | function::UPLOAD if !sections.data.is_empty() => {
            let result = blocks::transfer(&mut data, draft);
            draft.short(sections.data_at, result);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn name(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<u8, Short> {
    let function = cursor.u8("function")?;
    draft.function(function.into(), tables::find(codes::FUNCTIONS, function.into()));
    Ok(function)
}

/// Jobs under way at most that each side allows, and the longest PDU.
fn setup(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    cursor.take(1, "reserved")?;
    let calling = cursor.u16_be("jobs of the calling side")?;
    let called = cursor.u16_be("jobs of the called side")?;
    let length = cursor.u16_be("PDU length")?;
    let object = Object { kind: "connection", count: 1, ..Object::default() };
    draft.object(object, [calling, called, length].map(f64::from), "");
    Ok(())
}

/// Name of an error class and code.
pub(super) fn error_name(error: u16) -> &'static str {
    match tables::name(codes::ERRORS, error.into()) {
        "" => tables::name(codes::ERROR_CLASSES, (error >> 8).into()),
        name => name,
    }
}
