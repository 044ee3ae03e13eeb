//! The conference that opens a session with standard security: what client and server tell of themselves in the data
//! blocks of its first messages (MS-RDPBCGR, 2.2.1.3 and 2.2.1.4; T.125; T.124).

use memchr::memmem;

use crate::ber::Reader;
use crate::bytes::{Cursor, Short, printable};
use crate::holds::holds;

/// Certificates of a chain (MS-RDPBCGR, 2.2.1.4.3.1.2): their number and the longest.
const MAX_CERTIFICATES: u32 = 8;
/// A chain of certificates of X.509, in the version of a server's certificate.
const X509_CHAIN: u32 = 2;

/// Types of data blocks (MS-RDPBCGR, 2.2.1.3.1).
mod block {
    pub(super) const CLIENT_CORE: u16 = 0xc001;
    pub(super) const CLIENT_SECURITY: u16 = 0xc002;
    pub(super) const SERVER_SECURITY: u16 = 0x0c02;
}

/// What a message tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conference {
    /// The client's name of itself.
    pub client: Option<String>,
    /// Its build.
    pub build: Option<u32>,
    /// Its keyboard's layout.
    pub keyboard: Option<u32>,
    /// Methods of encryption that it offers, as bits.
    pub offered: Option<u32>,
    /// The method that the server takes.
    pub method: Option<u32>,
    /// The server's certificates, in DER.
    pub certificates: Vec<Vec<u8>>,
    /// True for the server's message.
    pub is_response: bool,
}

holds!(Conference { client, certificates });

/// Reads Connect-Initial or Connect-Response of MCS; none where it is neither.
pub fn read(bytes: &[u8]) -> Option<Conference> {
    let (is_response, key) = match bytes {
        [0x7f, 0x65, ..] => (false, &b"Duca"[..]),
        [0x7f, 0x66, ..] => (true, &b"McDn"[..]),
        _ => return None,
    };
    let mut conference = Conference { is_response, ..Conference::default() };
    let message = Reader::new(bytes).value_as_far_as_it_goes().ok()?.contents;
    // The conference's user data follow the key of whoever defined them (T.124, 8.7), with their length.
    if let Some(at) = memmem::find(message, key) {
        let data = message.get(at + key.len()..).unwrap_or_default();
        // What a block lacks is not told.
        let _ = blocks(data, &mut conference);
    }
    Some(conference)
}

fn blocks(data: &[u8], conference: &mut Conference) -> Result<(), Short> {
    let mut cursor = Cursor::new(data);
    if cursor.u8("length")? & 0x80 != 0 {
        cursor.u8("length")?;
    }
    while cursor.left() >= 4 {
        let kind = cursor.u16_le("block")?;
        let length = usize::from(cursor.u16_le("length")?).saturating_sub(4);
        let mut block = Cursor::new(cursor.take(length.min(cursor.left()), "block")?);
        match kind {
            block::CLIENT_CORE => {
                block.take(12, "version, desktop, colours")?;
                conference.keyboard = Some(block.u32_le("keyboardLayout")?);
                conference.build = Some(block.u32_le("clientBuild")?);
                let name =
                    block.take(32, "clientName")?.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                let name: Vec<u16> = name.take_while(|unit| *unit != 0).collect();
                conference.client = Some(printable(String::from_utf16_lossy(&name).as_bytes()));
            }
            block::CLIENT_SECURITY => conference.offered = Some(block.u32_le("encryptionMethods")?),
            block::SERVER_SECURITY => {
                conference.method = Some(block.u32_le("encryptionMethod")?);
                block.take(4, "encryptionLevel")?;
                let random = block.u32_le("serverRandomLen")? as usize;
                block.take(4, "serverCertLen")?;
                block.take(random, "serverRandom")?;
                // Either a certificate of its own form, with a key and no name, or a chain.
                if block.u32_le("dwVersion")? & 0x7fff_ffff == X509_CHAIN {
                    let count = block.u32_le("NumCertBlobs")?;
                    for _ in 0..count.min(MAX_CERTIFICATES) {
                        let length = block.u32_le("cbCert")? as usize;
                        conference.certificates.push(block.take(length, "abCert")?.to_vec());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}
