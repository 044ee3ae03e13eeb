//! Secure authentication, versions 2 and 5 (IEEE 1815-2012, clause 7; annex A, group 120): who, by which algorithm,
//! with what outcome. No octet of a key, a MAC, a challenge, a signature or a certificate is kept, and of what is secret
//! not even how many there are.

use super::words::Words;
use crate::bytes::{Cursor, Short};
use crate::tables::dnp3 as codes;

/// Says in words what the object holds, as far as it goes; gives its error code, where it has one.
pub(super) fn describe(variation: u8, octets: &[u8], text: &mut String) -> Option<u8> {
    let mut cursor = Cursor::new(octets);
    let mut words = Words::new(text);
    let described = match variation {
        1 => challenge(&mut cursor, &mut words),
        2 | 3 | 6 | 12 | 13 => sequence_and_user(&mut cursor, &mut words),
        4 => user(&mut cursor, &mut words),
        5 => session_key_status(&mut cursor, &mut words),
        7 => return error(&mut cursor, &mut words).ok(),
        8 => user_certificate(&mut cursor, &mut words),
        10 => user_status_change(&mut cursor, &mut words),
        11 => update_key_change_request(&mut cursor, &mut words),
        _ => Ok(()),
    };
    described.ok(); // What is short has said what it had.
    None
}

fn user(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<(), Short> {
    words.pair("user", cursor.u16_le("user number")?);
    Ok(())
}

fn sequence_and_user(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<(), Short> {
    words.pair("sequence", cursor.u32_le("sequence number")?);
    user(cursor, words)
}

fn challenge(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<(), Short> {
    sequence_and_user(cursor, words)?;
    words.code("algorithm", codes::MAC_ALGORITHMS, cursor.u8("MAC algorithm")?);
    words.code("reason", codes::CHALLENGE_REASONS, cursor.u8("reason")?);
    Ok(())
}

fn session_key_status(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<(), Short> {
    sequence_and_user(cursor, words)?;
    words.code("key_wrap", codes::KEY_WRAP_ALGORITHMS, cursor.u8("key wrap algorithm")?);
    words.code("key_status", codes::KEY_STATUS, cursor.u8("key status")?);
    words.code("algorithm", codes::MAC_ALGORITHMS, cursor.u8("MAC algorithm")?);
    Ok(())
}

fn error(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<u8, Short> {
    sequence_and_user(cursor, words)?;
    words.pair("association", cursor.u16_le("association")?);
    let code = cursor.u8("error code")?;
    words.code("error", codes::AUTHENTICATION_ERRORS, code);
    if cursor.take(6, "time of the error").is_ok() && !cursor.is_empty() {
        words.typed("text", cursor.rest());
    }
    Ok(code)
}

fn user_certificate(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<(), Short> {
    words.code("method", codes::KEY_CHANGE_METHODS, cursor.u8("key change method")?);
    words.code("type", codes::CERTIFICATE_TYPES, cursor.u8("certificate type")?);
    words.pair("certificate_octets", cursor.left());
    Ok(())
}

fn user_status_change(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<(), Short> {
    words.code("method", codes::KEY_CHANGE_METHODS, cursor.u8("key change method")?);
    words.code("operation", codes::USER_OPERATIONS, cursor.u8("operation")?);
    words.pair("sequence", cursor.u32_le("status change sequence")?);
    words.code("role", codes::USER_ROLES, cursor.u16_le("user role")?);
    words.pair("expires", format_args!("{}d", cursor.u16_le("user role expiry interval")?));
    let name = cursor.u16_le("user name length")?;
    words.pair("public_key_octets", cursor.u16_le("user public key length")?);
    cursor.u16_le("certification data length")?;
    words.typed("name", cursor.take(name.into(), "user name")?);
    Ok(())
}

fn update_key_change_request(cursor: &mut Cursor<'_>, words: &mut Words<'_>) -> Result<(), Short> {
    words.code("method", codes::KEY_CHANGE_METHODS, cursor.u8("key change method")?);
    let name = cursor.u16_le("user name length")?;
    cursor.u16_le("master challenge data length")?;
    words.typed("name", cursor.take(name.into(), "user name")?);
    Ok(())
}
