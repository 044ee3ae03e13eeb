//! The hellos of both sides (RFC 8446, 4.1; RFC 9147, 5.3), and the fingerprint of the client's.

use ring::digest::{SHA256, digest};

use crate::bytes::{Cursor, Short, printable};
use crate::holds::holds;
use crate::tables::{self, tls};

/// Extensions that are read (IANA).
mod extension {
    pub(super) const SERVER_NAME: u16 = 0;
    pub(super) const SIGNATURES: u16 = 13;
    pub(super) const PROTOCOLS: u16 = 16;
    pub(super) const VERSIONS: u16 = 43;
}

/// Protocols of the application layer that are kept of an offer.
const MAX_PROTOCOLS: usize = 8;
/// Numbers kept of any list; an honest hello has fewer than a hundred.
const MAX_NUMBERS: usize = 1024;
/// The random octets of a server that asks for another hello (RFC 8446, 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What carries a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// TLS over a stream.
    Stream,
    /// DTLS.
    Datagrams,
    /// QUIC.
    Quic,
}

/// What a client offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The version in the hello itself.
    pub version: u16,
    /// Cipher suites.
    pub ciphers: Vec<u16>,
    /// Extensions.
    pub extensions: Vec<u16>,
    /// The server's name.
    pub server_name: String,
    /// Protocols of the application layer (RFC 7301).
    pub protocols: Vec<Vec<u8>>,
    /// Signature algorithms.
    pub signatures: Vec<u16>,
    /// Versions of the extension that lists them.
    pub versions: Vec<u16>,
}

holds!(ClientHello { ciphers, extensions, server_name, protocols, signatures, versions });

/// What a server takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// Version.
    pub version: u16,
    /// Cipher suite; none of TLS in SSL 2.0.
    pub cipher: Option<u16>,
    /// Protocol of the application layer.
    pub protocol: String,
    /// True where it asks for another hello.
    pub is_retry: bool,
}

holds!(ServerHello { protocol });

/// True for values that mean nothing (RFC 8701).
const fn is_grease(number: u16) -> bool {
    number & 0x0f0f == 0x0a0a && number >> 8 == number & 0xff
}

/// The version's name: a number of TLS or DTLS, or the name of what was before; drafts of 1.3 are 1.3.
pub fn version_name(version: u16) -> &'static str {
    match version {
        0x7f00..=0x7fff => "1.3",
        _ => tables::name(tls::VERSIONS, u32::from(version)),
    }
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).take(MAX_NUMBERS).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

/// Extensions with their contents; what follows one that is not whole is left out.
fn extensions<'a>(cursor: &mut Cursor<'a>) -> Vec<(u16, &'a [u8])> {
    let mut found = Vec::new();
    let Ok(_) = cursor.u16_be("extensions' length") else { return found };
    while found.len() < MAX_NUMBERS {
        let (Ok(kind), Ok(length)) = (cursor.u16_be("extension"), cursor.u16_be("length")) else { break };
        let Ok(contents) = cursor.take(usize::from(length), "extension") else { break };
        found.push((kind, contents));
    }
    found
}

/// The names of a list of protocols (RFC 7301, 3.1).
fn protocols(contents: &[u8]) -> Result<Vec<&[u8]>, Short> {
    let mut cursor = Cursor::new(contents);
    cursor.u16_be("list's length")?;
    let mut names = Vec::new();
    while !cursor.is_empty() && names.len() < MAX_PROTOCOLS {
        let length = usize::from(cursor.u8("length")?);
        names.push(cursor.take(length, "protocol")?);
    }
    Ok(names)
}

/// The host name of a list of server names (RFC 6066, 3).
fn server_name(contents: &[u8]) -> Result<String, Short> {
    let mut cursor = Cursor::new(contents);
    cursor.take(3, "list's length and type")?;
    let length = usize::from(cursor.u16_be("length")?);
    Ok(printable(cursor.take(length, "host name")?))
}

impl ClientHello {
    /// Reads the body of a ClientHello.
    ///
    /// # Errors
    /// [`Short`] where its cipher suites are not there.
    pub fn read(body: &[u8], carrier: Carrier) -> Result<Self, Short> {
        let mut cursor = Cursor::new(body);
        let version = cursor.u16_be("version")?;
        cursor.take(32, "random")?;
        let length = usize::from(cursor.u8("length")?);
        cursor.take(length, "session id")?;
        if carrier == Carrier::Datagrams {
            let length = usize::from(cursor.u8("length")?);
            cursor.take(length, "cookie")?;
        }
        let length = usize::from(cursor.u16_be("length")?);
        let ciphers = numbers(cursor.take(length, "cipher suites")?);
        let mut hello = ClientHello { version, ciphers, ..ClientHello::default() };
        let length = usize::from(cursor.u8("length")?);
        cursor.take(length, "compression methods")?;
        for (kind, contents) in extensions(&mut cursor) {
            hello.extensions.push(kind);
            match kind {
                extension::SERVER_NAME => hello.server_name = server_name(contents).unwrap_or_default(),
                extension::PROTOCOLS => {
                    let names = protocols(contents).unwrap_or_default();
                    hello.protocols = names.into_iter().map(<[u8]>::to_vec).collect();
                }
                extension::SIGNATURES => hello.signatures = numbers(contents.get(2..).unwrap_or_default()),
                extension::VERSIONS => hello.versions = numbers(contents.get(1..).unwrap_or_default()),
                _ => {}
            }
        }
        Ok(hello)
    }

    /// The highest version that is offered; versions of DTLS count down.
    pub fn highest_version(&self) -> u16 {
        let offered = || self.versions.iter().copied().filter(|version| !is_grease(*version));
        let highest = if self.version >= 0xfe00 { offered().min() } else { offered().max() };
        highest.unwrap_or(self.version)
    }

    /// The fingerprint JA4 (FoxIO): what is offered, not in which order; values that mean nothing are left out.
    pub fn ja4(&self, carrier: Carrier) -> String {
        let letter = match carrier {
            Carrier::Stream => 't',
            Carrier::Datagrams => 'd',
            Carrier::Quic => 'q',
        };
        let version = match self.highest_version() {
            0x0304 => "13",
            0x0303 => "12",
            0x0302 => "11",
            0x0301 => "10",
            0x0300 => "s3",
            0x0002 => "s2",
            0xfeff => "d1",
            0xfefd => "d2",
            0xfefc => "d3",
            _ => "00",
        };
        let meant = |numbers: &[u16]| -> Vec<u16> { numbers.iter().copied().filter(|n| !is_grease(*n)).collect() };
        let (mut ciphers, mut extensions) = (meant(&self.ciphers), meant(&self.extensions));
        let has_name = if extensions.contains(&extension::SERVER_NAME) { 'd' } else { 'i' };
        let counts = [ciphers.len().min(99), extensions.len().min(99)];
        ciphers.sort_unstable();
        extensions.retain(|kind| !matches!(*kind, extension::SERVER_NAME | extension::PROTOCOLS));
        extensions.sort_unstable();
        let mut last = listed(&extensions);
        let signatures = meant(&self.signatures);
        if !last.is_empty() && !signatures.is_empty() {
            last = format!("{last}_{}", listed(&signatures));
        }
        let protocol = ends(self.protocols.first().map_or(&[], |name| name));
        let [some, more] = counts;
        format!("{letter}{version}{has_name}{some:02}{more:02}{protocol}_{}_{}", short(&listed(&ciphers)), short(&last))
    }
}

/// First and last character of a protocol's name; where one of them is no letter or digit, the digits of both octets.
fn ends(name: &[u8]) -> String {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else { return "00".to_string() };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        [first, last].map(char::from).iter().collect()
    } else {
        format!("{:x}{:x}", first >> 4, last & 0x0f)
    }
}

fn listed(numbers: &[u16]) -> String {
    numbers.iter().map(|number| format!("{number:04x}")).collect::<Vec<_>>().join(",")
}

/// The first twelve digits of SHA-256; zeros where nothing is listed.
fn short(list: &str) -> String {
    if list.is_empty() {
        return "0".repeat(12);
    }
    digest(&SHA256, list.as_bytes()).as_ref().iter().take(6).map(|octet| format!("{octet:02x}")).collect()
}

impl ServerHello {
    /// Reads the body of a ServerHello.
    ///
    /// # Errors
    /// [`Short`] where its cipher suite is not there.
    pub fn read(body: &[u8]) -> Result<Self, Short> {
        let mut cursor = Cursor::new(body);
        let version = cursor.u16_be("version")?;
        let is_retry = cursor.take(32, "random")? == RETRY;
        // Drafts of 1.3 had no session id here.
        if !matches!(version, 0x7f00..=0x7fff) {
            let length = usize::from(cursor.u8("length")?);
            cursor.take(length, "session id")?;
        }
        let cipher = Some(cursor.u16_be("cipher suite")?);
        let mut hello = ServerHello { version, cipher, is_retry, ..ServerHello::default() };
        if !matches!(version, 0x7f00..=0x7fff) && cursor.u8("compression method").is_err() {
            return Ok(hello);
        }
        for (kind, contents) in extensions(&mut cursor) {
            match (kind, contents) {
                (extension::VERSIONS, &[high, low]) => hello.version = u16::from_be_bytes([high, low]),
                (extension::PROTOCOLS, contents) => {
                    hello.protocol = protocols(contents)
                        .unwrap_or_default()
                        .first()
                        .map_or_else(String::new, |name| printable(name));
                }
                _ => {}
            }
        }
        Ok(hello)
    }
}
