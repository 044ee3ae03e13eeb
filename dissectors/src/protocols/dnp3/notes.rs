//! What decoding a message finds beside the message itself.

use crate::model::{Claim, Oddity, OddityCode};
use crate::session::Output;

/// Oddities and claims of one message, kept until it is pushed: both follow their message.
#[derive(Default)]
pub(super) struct Notes {
    oddities: Vec<Oddity>,
    claims: Vec<Claim>,
}

impl Notes {
    /// Adds an oddity; the offset counts from the start of what the layer carries.
    pub(super) fn oddity(&mut self, code: OddityCode, layer: &'static str, offset: usize, expected: impl Into<String>) {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.oddities.push(Oddity { code, layer, offset, expected: expected.into() });
    }

    /// Adds a claim.
    pub(super) fn claim(&mut self, claim: Claim) {
        self.claims.push(claim);
    }

    /// Hands all over, once the message is pushed.
    pub(super) fn put_into(self, out: &mut Output) {
        for oddity in self.oddities {
            out.oddity(oddity.code, oddity.layer, oddity.offset as usize, oddity.expected);
        }
        for claim in self.claims {
            out.claim(claim);
        }
    }
}
