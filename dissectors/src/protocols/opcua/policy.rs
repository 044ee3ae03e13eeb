//! Security policies by their URIs.

use crate::tables::{Code, opcua as codes};

/// What every URI of a policy starts with (10000-7, 6.6).
const PREFIX: &[u8] = b"http://opcfoundation.org/UA/SecurityPolicy#";

/// The policy of a URI; none of one that the table does not have.
pub(super) fn of(uri: &[u8]) -> Option<&'static Code> {
    let name = uri.strip_prefix(PREFIX)?;
    codes::SECURITY_POLICIES.iter().find(|code| code.name.as_bytes() == name)
}

/// Its name; empty of one that the table does not have.
pub(super) fn name(uri: &[u8]) -> &'static str {
    of(uri).map_or("", |code| code.name)
}

/// True for the policy that protects nothing. A server that leaves the URI out means it.
pub(super) fn is_none(uri: &[u8]) -> bool {
    uri.is_empty() || of(uri).is_some_and(|code| code.code == 0)
}

/// Adds a word that is not there yet.
pub(super) fn distinct(words: &mut Vec<&'static str>, word: &'static str) {
    if !words.contains(&word) {
        words.push(word);
    }
}
