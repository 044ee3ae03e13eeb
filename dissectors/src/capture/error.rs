//! What can be wrong with a capture, and where.

use std::io;
use std::sync::Arc;

use thiserror::Error;

/// Why an input gives no packets, or no more of them.
///
/// Errors carry no path: the caller knows it and puts it in front. Offsets count octets of the capture itself, after
/// decompression.
#[derive(Clone, Debug, Error)]
pub enum CaptureError {
    /// Nothing is in it, or nothing is in what it decompresses to.
    #[error("the input is empty")]
    Empty,
    /// None of the formats known here begins like this.
    #[error("not a packet capture: it begins with {}", shown(.first))]
    NotACapture {
        /// The first octets, 16 at the most.
        first: Vec<u8>,
    },
    /// The format is recognised and not read here.
    #[error("{format} is not read: {advice}")]
    Unsupported {
        /// Name of the format.
        format: String,
        /// What to do with such a file.
        advice: &'static str,
    },
    /// The operating system could not read it.
    #[error("cannot be read after {}: {error}", counted(*packets, "packet"))]
    Io {
        /// Whole packets before it.
        packets: u64,
        /// The system's error.
        #[source]
        error: Arc<io::Error>,
    },
    /// The input ends within a record or a compressed stream.
    #[error("cut off at byte {offset}, after {}: {}", counted(*packets, "packet"), lacking(part, *missing))]
    Truncated {
        /// Where the octets end.
        offset: u64,
        /// Whole packets before it.
        packets: u64,
        /// What is not whole, e.g. `record header`.
        part: &'static str,
        /// Octets that this part lacks; unknown for a compressed stream.
        missing: Option<u64>,
    },
    /// What the input says of itself cannot be true.
    #[error("damaged at byte {offset}, after {}: {reason}", counted(*packets, "packet"))]
    Damaged {
        /// Where the record or block starts; for compressed data that does not decode, where the decoded octets end.
        offset: u64,
        /// Whole packets before it.
        packets: u64,
        /// What was found.
        reason: String,
    },
}

impl CaptureError {
    /// True where the input is a capture that ends too early or is damaged: what came before (perhaps nothing) stays
    /// valid. False where it is no readable capture at all, or the system failed to read it.
    pub const fn is_partial(&self) -> bool {
        matches!(self, CaptureError::Truncated { .. } | CaptureError::Damaged { .. })
    }
}

/// The octets in hexadecimal and, between quotes, as text.
fn shown(first: &[u8]) -> String {
    let hexadecimal: Vec<String> = first.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("{} \"{}\"", hexadecimal.join(" "), first.escape_ascii())
}

fn counted(count: u64, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}

fn lacking(part: &str, missing: Option<u64>) -> String {
    match missing {
        Some(1) => format!("1 octet of the {part} is missing"),
        Some(octets) => format!("{octets} octets of the {part} are missing"),
        None => format!("the {part} is not complete"),
    }
}

/// A failure below the reader, which adds how many packets came before.
#[derive(Debug)]
pub(super) enum Fault {
    Cut { part: &'static str, missing: Option<u64> },
    Damaged { offset: u64, reason: String },
    Unsupported { format: String, advice: &'static str },
    NotACapture,
    Io(io::Error),
}

impl Fault {
    /// `part` needs `needed` octets and the input has `available`.
    pub(super) fn cut(part: &'static str, needed: usize, available: usize) -> Self {
        Fault::Cut { part, missing: Some(needed.saturating_sub(available) as u64) }
    }
}
