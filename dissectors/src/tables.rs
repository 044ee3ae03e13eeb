//! The protocols' code tables, compiled in from `tables/*.toml`: each code is named once, there.

use crate::model::Operation;

/// One code of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code on the wire. Two-part codes (`"30.1"`) are `first << 8 | second`.
    pub code: u32,
    /// Its name.
    pub name: &'static str,
    /// What it does, for functions and services.
    pub operation: Option<Operation>,
    /// The table's `kind`: a further word, such as the kind of object that a function addresses.
    pub kind: &'static str,
    /// The table's `size`: octets or bits of one element, as the table says.
    pub size: Option<u32>,
}

/// Finds a code in a table sorted by code.
#[inline]
pub fn find(table: &'static [Code], code: u32) -> Option<&'static Code> {
    // Most tables start without a gap: a code is then where it counts to.
    let counted = code.wrapping_sub(table.first()?.code) as usize;
    if let Some(entry) = table.get(counted).filter(|entry| entry.code == code) {
        return Some(entry);
    }
    table.binary_search_by_key(&code, |entry| entry.code).ok().map(|index| &table[index])
}

/// Name of a code; empty where the table has none.
pub fn name(table: &'static [Code], code: u32) -> &'static str {
    find(table, code).map_or("", |entry| entry.name)
}

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

#[cfg(test)]
mod tests {
    #[test]
    fn every_table_is_sorted_and_has_no_code_twice() {
        for (name, table) in super::ALL {
            assert!(table.windows(2).all(|pair| pair[0].code < pair[1].code), "{name}");
        }
    }
}
