//! Below the protocols: link layers, tunnels, internet layer, fragments, transport headers, TCP streams.

pub mod fragments;
pub mod ip;
pub mod link;
pub mod medium;
pub mod mirror;
pub mod tcp;
pub mod tunnel;
pub mod wireless;

/// A header that could not be read: which layer, where, and what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadHeader {
    /// Layer: `ethernet`, `ipv4`, `tcp` …
    pub layer: &'static str,
    /// Octets from the start of the packet (link layer) or of the header.
    pub offset: u32,
    /// What should have been there.
    pub expected: &'static str,
}

/// Big-endian 16 bits at an offset, where they are.
#[inline]
pub(crate) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(offset..offset + 2)?.try_into().ok()?))
}

/// Big-endian 32 bits at an offset, where they are.
#[inline]
pub(crate) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}
