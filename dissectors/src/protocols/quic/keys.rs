//! Protection of Initial packets (RFC 9001, 5; RFC 9369, 3.3): its keys follow from what stands in the packet, so that
//! everybody can read it.

use ring::aead::quic::{AES_128, HeaderProtectionKey};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};

/// Octets of a sample of protected octets, and where it starts after the packet number's start (RFC 9001, 5.4.2).
const SAMPLE: usize = 16;
const SAMPLE_AT: usize = 4;

/// What differs between versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    salt: [u8; 20],
    prefix: &'static str,
    /// Type of an Initial packet.
    pub initial: u8,
}

const DRAFT_23: Dialect = Dialect {
    salt: [
        0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9,
        0xf5, 0x02,
    ],
    prefix: "quic",
    initial: 0,
};
const DRAFT_29: Dialect = Dialect {
    salt: [
        0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90,
        0xa8, 0x99,
    ],
    ..DRAFT_23
};
const V1: Dialect = Dialect {
    salt: [
        0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb,
        0x7f, 0x0a,
    ],
    ..DRAFT_23
};
const V2: Dialect = Dialect {
    salt: [
        0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd,
        0x2e, 0xd9,
    ],
    prefix: "quicv2",
    initial: 1,
};

/// The version 2 of RFC 9369.
pub const VERSION_2: u32 = 0x6b33_43cf;

impl Dialect {
    /// That of a version, where it is known.
    pub const fn of(version: u32) -> Option<Self> {
        match version {
            1 | 0xff00_0021..=0xff00_0022 => Some(V1),
            VERSION_2 => Some(V2),
            0xff00_001d..=0xff00_0020 => Some(DRAFT_29),
            0xff00_0017..=0xff00_001c => Some(DRAFT_23),
            _ => None,
        }
    }
}

struct Octets(usize);

impl KeyType for Octets {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446, 7.1).
fn expand<const N: usize>(secret: &Prk, label: &str) -> Option<[u8; N]> {
    let length = u16::try_from(N).ok()?.to_be_bytes();
    let label_length = [u8::try_from(6 + label.len()).ok()?];
    let info = [&length[..], &label_length, b"tls13 ", label.as_bytes(), &[0]];
    let mut octets = [0; N];
    secret.expand(&info, Octets(N)).ok()?.fill(&mut octets).ok()?;
    Some(octets)
}

/// Keys of one direction.
pub struct Keys {
    packet: LessSafeKey,
    iv: [u8; 12],
    header: HeaderProtectionKey,
}

/// Keys of client and server.
pub fn derive(dialect: Dialect, connection: &[u8]) -> Option<[Keys; 2]> {
    let initial = Salt::new(HKDF_SHA256, &dialect.salt).extract(connection);
    let keys = |side: &str| {
        let secret = Prk::new_less_safe(HKDF_SHA256, &expand::<32>(&initial, side)?);
        let [key, header] = ["key", "hp"].map(|name| expand::<16>(&secret, &format!("{} {name}", dialect.prefix)));
        Some(Keys {
            packet: LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key?).ok()?),
            iv: expand(&secret, &format!("{} iv", dialect.prefix))?,
            header: HeaderProtectionKey::new(&AES_128, &header?).ok()?,
        })
    };
    Some([keys("client in")?, keys("server in")?])
}

impl Keys {
    /// The frames of a protected packet, of which the packet number starts at `number_at`.
    pub fn open(&self, packet: &[u8], number_at: usize) -> Option<Vec<u8>> {
        let sample = packet.get(number_at + SAMPLE_AT..number_at + SAMPLE_AT + SAMPLE)?;
        let [first, masks @ ..] = self.header.new_mask(sample).ok()?;
        let mut header = packet.get(..number_at + 4)?.to_vec();
        *header.first_mut()? ^= first & 0x0f;
        let size = usize::from(header.first()? & 0x03) + 1;
        header.truncate(number_at + size);
        let mut number = 0;
        for (octet, mask) in header.get_mut(number_at..)?.iter_mut().zip(masks) {
            *octet ^= mask;
            number = number << 8 | u64::from(*octet);
        }
        let mut frames = packet.get(number_at + size..)?.to_vec();
        let length = self.packet.open_in_place(self.nonce(number), Aad::from(&header), &mut frames).ok()?.len();
        frames.truncate(length);
        Some(frames)
    }

    fn nonce(&self, number: u64) -> Nonce {
        let mut nonce = self.iv;
        nonce.iter_mut().skip(4).zip(number.to_be_bytes()).for_each(|(octet, part)| *octet ^= part);
        Nonce::assume_unique_for_key(nonce)
    }

    /// Protects frames, as the sender does: header up to the packet number of two octets.
    #[cfg(test)]
    pub fn seal(&self, header: &[u8], number: u16, frames: &[u8]) -> Vec<u8> {
        let mut packet = [header, &number.to_be_bytes()].concat();
        let mut sealed = frames.to_vec();
        let nonce = self.nonce(u64::from(number));
        self.packet.seal_in_place_append_tag(nonce, Aad::from(&packet), &mut sealed).unwrap();
        packet.extend_from_slice(&sealed);
        let at = header.len();
        let mask = self.header.new_mask(&packet[at + SAMPLE_AT..at + SAMPLE_AT + SAMPLE]).unwrap();
        packet[0] ^= mask[0] & 0x0f;
        packet[at] ^= mask[1];
        packet[at + 1] ^= mask[2];
        packet
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9001, A.1 and RFC 9369, A.1: client's and server's first octets of initialization vectors.
    #[test]
    fn keys_follow_from_the_connection_identifier() {
        let connection = [0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08];
        for (version, client, server) in [
            (1, [0xfa, 0x04, 0x4b, 0x2f], [0x0a, 0xc1, 0x49, 0x3c]),
            (VERSION_2, [0x91, 0xf7, 0x3e, 0x23], [0xdd, 0x13, 0xc2, 0x76]),
        ] {
            let keys = derive(Dialect::of(version).unwrap(), &connection).unwrap();
            assert_eq!([&keys[0].iv[..4], &keys[1].iv[..4]], [&client[..], &server[..]], "{version:x}");
        }
    }
}
