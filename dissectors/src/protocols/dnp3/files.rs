//! File control (IEEE 1815-2012, annex A, group 70): names, sizes, handles, blocks. The octets of files and the
//! passwords of users stay out.

use std::ops::Range;

use super::words::Words;
use crate::bytes::{Cursor, Short};
use crate::tables::dnp3 as codes;

/// Set in the number of the last block.
const LAST_BLOCK: u32 = 0x8000_0000;

/// Octets before what names are located in: of authentication (variation 2), of a command (variation 3).
const BEFORE_USER: usize = 12;
const BEFORE_NAME: usize = 26;

/// What is wrong with where a name lies that would be told: among the fields before it, one of which is the
/// authentication key, or in the password.
pub(super) fn misplaced(variation: u8, octets: &[u8]) -> Option<String> {
    let before = match variation {
        2 => BEFORE_USER,
        3 => BEFORE_NAME,
        _ => return None,
    };
    let mut cursor = Cursor::new(octets);
    let name = range(&mut cursor, "name").ok().filter(|name| !name.is_empty())?;
    let password = range(&mut cursor, "password").ok().filter(|_| variation == 2).unwrap_or(0..0);
    // Where a password without octets starts, one may be.
    let in_password = name.start < password.end.max(password.start + 1) && password.start < name.end;
    (name.start < before || in_password).then(|| {
        format!("a name behind octet {before} and apart from the password, found one from octet {}", name.start)
    })
}

/// Says in words what the object holds, as far as it goes; gives its status, where it has one.
pub(super) fn describe(variation: u8, octets: &[u8], text: &mut String) -> Option<u8> {
    let mut cursor = Cursor::new(octets);
    let mut words = Words::new(text);
    match variation {
        2 => authentication(&mut cursor, octets, &mut words),
        3 => command(&mut cursor, octets, &mut words),
        4 => command_status(&mut cursor, &mut words),
        5 => transport(&mut cursor, &mut words),
        6 => transport_status(&mut cursor, &mut words),
        7 => descriptor(&mut cursor, octets, &mut words),
        8 => {
            words.typed("name", octets);
            Ok(None)
        }
        _ => Ok(None),
    }
    .unwrap_or(None)
}

/// Octets that the next two fields of the object tell by their offset in it and their size.
fn located<'a>(cursor: &mut Cursor<'_>, octets: &'a [u8], field: &'static str) -> Result<&'a [u8], Short> {
    Ok(octets.get(range(cursor, field)?).unwrap_or(&[]))
}

fn range(cursor: &mut Cursor<'_>, field: &'static str) -> Result<Range<usize>, Short> {
    let start = usize::from(cursor.u16_le(field)?);
    let size = usize::from(cursor.u16_le(field)?);
    Ok(start..start + size)
}

fn authentication(cursor: &mut Cursor<'_>, octets: &[u8], words: &mut Words<'_>) -> Result<Option<u8>, Short> {
    let user = located(cursor, octets, "user name")?;
    let user = if misplaced(2, octets).is_none() { user } else { &[] };
    let password = located(cursor, octets, "password")?;
    if !password.is_empty() {
        words.word("password given");
    }
    words.typed("user", user);
    Ok(None)
}

fn command(cursor: &mut Cursor<'_>, octets: &[u8], words: &mut Words<'_>) -> Result<Option<u8>, Short> {
    let name = located(cursor, octets, "file name")?;
    let name = if misplaced(3, octets).is_none() { name } else { &[] };
    cursor.take(6, "time of creation")?;
    let permissions = cursor.u16_le("permissions")?;
    cursor.u32_le("authentication key")?;
    let size = cursor.u32_le("file size")?;
    let mode = cursor.u16_le("mode")?;
    words.code("mode", codes::FILE_MODES, mode);
    words.pair("size", size);
    words.pair("permissions", format_args!("{permissions:03o}"));
    words.typed("name", name);
    Ok(None)
}

fn command_status(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<Option<u8>, Short> {
    words.pair("handle", cursor.u32_le("file handle")?);
    words.pair("size", cursor.u32_le("file size")?);
    words.pair("block_size", cursor.u16_le("maximum block size")?);
    cursor.u16_le("request identifier")?;
    cursor.u8("status").map(Some)
}

fn block(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<(), Short> {
    words.pair("handle", cursor.u32_le("file handle")?);
    let number = cursor.u32_le("block number")?;
    words.pair("block", number & !LAST_BLOCK);
    if number & LAST_BLOCK != 0 {
        words.word("last");
    }
    Ok(())
}

fn transport(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<Option<u8>, Short> {
    block(cursor, words)?;
    words.pair("octets", cursor.left());
    Ok(None)
}

fn transport_status(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<Option<u8>, Short> {
    block(cursor, words)?;
    cursor.u8("status").map(Some)
}

fn descriptor(cursor: &mut Cursor<'_>, octets: &[u8], words: &mut Words<'_>) -> Result<Option<u8>, Short> {
    let name = located(cursor, octets, "file name")?;
    words.code("type", codes::FILE_TYPES, cursor.u16_le("type")?);
    words.pair("size", cursor.u32_le("file size")?);
    cursor.take(6, "time of creation")?;
    words.pair("permissions", format_args!("{:03o}", cursor.u16_le("permissions")?));
    words.typed("name", name);
    Ok(None)
}
