//! Names that a number is part of. The data has names as static text, so they are made once and kept.

use std::sync::OnceLock;

static DATA_BLOCKS: [OnceLock<Box<str>>; 1 << 16] = [const { OnceLock::new() }; 1 << 16];

/// `db7`: aggregates and edges tell data blocks apart by it.
pub(super) fn data_block(number: u16) -> &'static str {
    DATA_BLOCKS[usize::from(number)].get_or_init(|| format!("db{number}").into())
}
