//! What the fuzz targets share: reading a fuzzer's octets as steps, and the rules that must hold on every step.

pub mod conversation;
pub mod input;
pub mod layers;
pub mod mirror;
pub mod wrapped;

use std::io::{self, Read};

/// An octet of a stream that is the same wherever and whenever it is asked for, so that reassembly can be checked.
pub fn octet_at(position: u32) -> u8 {
    (position.wrapping_mul(0x9e37_79b1) >> 24) as u8
}

/// An input that gives its octets in portions, as a slow pipe does.
pub struct Portions<R> {
    /// Where they come from.
    pub octets: R,
    /// At most so many at a time.
    pub size: usize,
}

impl<R: Read> Read for Portions<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.size.min(into.len());
        self.octets.read(&mut into[..count])
    }
}
