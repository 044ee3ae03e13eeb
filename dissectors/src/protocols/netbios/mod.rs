//! NetBIOS over UDP (RFC 1001, RFC 1002): the names of hosts and what each name stands for.

mod browser;
pub mod datagram;
pub mod name_service;
#[cfg(test)]
mod tests;

use crate::bytes::{Cursor, printable};
use crate::model::Attribute;
use crate::protocols::dns::message;
use crate::tables::{self, netbios};

/// Octets of a name before its suffix.
const NAME: usize = 15;
/// Suffixes that say something of who has the name.
mod suffix {
    pub const WORKSTATION: u8 = 0x00;
    pub const MESSENGER: u8 = 0x03;
    pub const DOMAIN_MASTER: u8 = 0x1b;
    pub const DOMAIN_CONTROLLERS: u8 = 0x1c;
    pub const MASTER_BROWSER: u8 = 0x1d;
    pub const FILE_SERVER: u8 = 0x20;
}

/// A name as it was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Its letters.
    pub text: String,
    /// Its last octet: what it stands for.
    pub suffix: u8,
}

impl Name {
    /// Out of 16 octets.
    fn new(octets: &[u8]) -> Option<Self> {
        let (name, suffix) = octets.split_at_checked(NAME)?;
        // The name of every host (RFC 1002, 4.2.12) is filled with zeros, others with spaces.
        Some(Name { text: printable(name), suffix: *suffix.first()? })
    }

    /// Reads a name in its second-level encoding (RFC 1002, 4.1); its scope is passed over.
    fn read<'a>(bytes: &'a [u8], cursor: &mut Cursor<'a>) -> Option<Self> {
        let encoded = message::name(bytes, cursor).ok()?;
        Name::decode(encoded.as_bytes().get(..2 * (NAME + 1))?)
    }

    /// Each half of an octet is a letter from `A` on (RFC 1001, 14.1).
    fn decode(letters: &[u8]) -> Option<Self> {
        let mut octets = [0; NAME + 1];
        for (octet, pair) in octets.iter_mut().zip(letters.chunks_exact(2)) {
            let &[high, low] = pair else { return None };
            if !(b'A'..=b'P').contains(&high) || !(b'A'..=b'P').contains(&low) {
                return None;
            }
            *octet = (high - b'A') << 4 | (low - b'A');
        }
        Name::new(&octets)
    }

    /// What it stands for; empty where that is not known.
    fn meaning(&self, is_group: bool) -> &'static str {
        match self.suffix {
            suffix::WORKSTATION if is_group => "domain",
            suffix => tables::name(netbios::SUFFIXES, u32::from(suffix)),
        }
    }

    /// `NAME<20>`, as administrators write it.
    fn told(&self) -> String {
        format!("{}<{:02x}>", self.text, self.suffix)
    }

    /// What it says of the host that has it.
    fn statements(&self, is_group: bool) -> &'static [Statement] {
        use Attribute::{Domain, Hostname, RoleHint, User};
        use Statement::{Itself, Word};
        match (self.suffix, is_group) {
            _ if self.text.starts_with(|c: char| !c.is_alphanumeric()) => &[],
            (suffix::WORKSTATION | suffix::FILE_SERVER, false) => &[Itself(Hostname)],
            // Messages reach a host by its own name and by the name of who is logged in there (MS-NBTE, 2.1).
            (suffix::MESSENGER, false) => &[Itself(User)],
            (suffix::WORKSTATION, true) => &[Itself(Domain)],
            (suffix::DOMAIN_MASTER, false) => &[Itself(Domain), Word(RoleHint, "domain-master-browser")],
            (suffix::DOMAIN_CONTROLLERS, true) => &[Itself(Domain), Word(RoleHint, "domain-controller")],
            (suffix::MASTER_BROWSER, false) => &[Itself(Domain), Word(RoleHint, "master-browser")],
            _ => &[],
        }
    }
}

/// What a name says of its host.
#[derive(Clone, Copy, Debug)]
enum Statement {
    /// The name is the attribute's value.
    Itself(Attribute),
    /// A word is.
    Word(Attribute, &'static str),
}

impl Statement {
    fn of(self, name: &Name) -> (Attribute, String) {
        match self {
            Statement::Itself(attribute) => (attribute, name.text.clone()),
            Statement::Word(attribute, word) => (attribute, word.to_string()),
        }
    }
}
