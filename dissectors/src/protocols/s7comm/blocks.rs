//! Blocks of the program: download, upload, and the program invocation services that make them run.
//!
//! A file name is `_` or `$`, the block's type in two hexadecimal digits, its number in five decimal ones, and the file
//! system: `P` passive (loaded), `A` active (running), `B` both.

use super::draft::Draft;
use crate::bytes::{Cursor, Short, printable};
use crate::model::Object;
use crate::tables::{self, s7comm as codes};

/// Octets of a block's name without the file identifier.
const BLOCK_NAME: usize = 8;
/// Blocks of one message that are named.
const MAX_BLOCKS: usize = 64;

/// The block of a name of eight octets: type, number, file system.
pub(super) fn block(name: &[u8]) -> Object {
    let kind = name.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
    let kind = kind.and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(u32::from);
    let number =
        name.get(2..7).and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
    Object {
        kind: "block",
        start: number,
        count: 1,
        property: kind,
        property_name: kind.map_or("", |kind| tables::name(codes::BLOCK_TYPES, kind)),
        ..Object::default()
    }
}

/// A file name with its length before it.
fn file_name(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    let length = cursor.u8("length of the file name")?.into();
    let octets = cursor.take(length, "file name")?;
    let name = octets.strip_prefix(b"_").or(octets.strip_prefix(b"$")).filter(|name| name.len() == BLOCK_NAME);
    let object = name.map_or_else(|| Object { kind: "file", count: 1, ..Object::default() }, block);
    draft.object(object, [], &printable(octets));
    Ok(())
}

/// Status, error or reserved, and the number of the transfer.
fn transfer_number(cursor: &mut Cursor<'_>) -> Result<u32, Short> {
    cursor.take(3, "status")?;
    cursor.u32_be("transfer number")
}

/// A job that names its block.
pub(super) fn named(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    transfer_number(cursor)?;
    file_name(cursor, draft)
}

/// The block, then octets of load memory and of its code, in six digits each.
pub(super) fn request_download(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    named(cursor, draft)?;
    let length = cursor.u8("length of the second part")?.into();
    let lengths = cursor.take(length, "lengths of the block")?;
    let digits = |part: Option<&[u8]>| part.and_then(|part| std::str::from_utf8(part).ok()?.parse::<f64>().ok());
    let sizes = [digits(lengths.get(1..7)), digits(lengths.get(7..13))];
    if let Some(object) = draft.message.objects.pop() {
        let values = draft.message.push_values(sizes.into_iter().flatten());
        draft.message.objects.push(Object { values, ..object });
    }
    Ok(())
}

/// A job of an upload under way: its number alone.
pub(super) fn running(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    let number = transfer_number(cursor)?;
    draft.object(upload(number), [], "");
    Ok(())
}

/// The number that an upload gets, and the octets to come.
pub(super) fn upload_started(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    let number = transfer_number(cursor)?;
    let length = cursor.u8("length of the block's length")?.into();
    let octets =
        std::str::from_utf8(cursor.take(length, "block's length")?).ok().and_then(|digits| digits.parse().ok());
    draft.object(upload(number), octets.into_iter().filter(|octets: &f64| octets.is_finite()), "");
    Ok(())
}

fn upload(number: u32) -> Object {
    Object { kind: "upload", start: Some(number), count: 1, ..Object::default() }
}

/// A piece of a block: its length, a constant, its octets. Those stay content.
pub(super) fn transfer(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    let length = cursor.u16_be("length of the piece")?;
    cursor.take(2, "constant 0x00fb")?;
    draft.object(Object { kind: "block-content", count: length.into(), ..Object::default() }, [], "");
    cursor.take(length.into(), "piece of the block").map(drop)
}

/// A program invocation service: its arguments, then its name, which says what it does.
pub(super) fn invocation(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    cursor.take(7, "reserved")?;
    let length = cursor.u16_be("length of the arguments")?.into();
    let arguments = cursor.take(length, "arguments")?;
    let length = cursor.u8("length of the service's name")?.into();
    let service = cursor.take(length, "service's name")?;
    let known = codes::PROGRAM_INVOCATIONS.iter().find(|code| code.name.as_bytes() == service);
    if let Some(known) = known {
        draft.message.name = known.kind;
        draft.message.operation = known.operation.unwrap_or(draft.message.operation);
    }
    let service = printable(service);
    match arguments.split_first() {
        // Number of blocks, a fill octet, their names.
        Some((&count, [_, names @ ..]))
            if known.is_some_and(|known| matches!(known.kind, "activate_block" | "delete_block"))
                && names.len() == usize::from(count) * BLOCK_NAME =>
        {
            for name in names.chunks_exact(BLOCK_NAME).take(MAX_BLOCKS) {
                draft.object(block(name), [], &format!("{service} {}", printable(name)));
            }
        }
        _ if known.is_some_and(|known| known.kind == "nc_login") => program(draft, &service),
        _ => program(draft, format!("{service} {}", printable(arguments)).trim_end()),
    }
    Ok(())
}

/// Stops the program named.
pub(super) fn stop(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    cursor.take(5, "reserved")?;
    let length = cursor.u8("length of the program's name")?.into();
    let name = printable(cursor.take(length, "program's name")?);
    program(draft, &name);
    Ok(())
}

fn program(draft: &mut Draft, text: &str) {
    draft.object(Object { kind: "program", count: 1, ..Object::default() }, [], text);
}
