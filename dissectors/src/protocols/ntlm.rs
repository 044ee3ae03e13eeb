//! Messages of the NTLM security support provider (MS-NLMP), whatever carries them: who logs in from where, and what the
//! server says of itself. Challenges, responses and keys are not read.

use crate::bytes::{Cursor, Short, printable, utf16_le};

/// What every message starts with.
pub const SIGNATURE: &[u8] = b"NTLMSSP\0";

/// NEGOTIATE_UNICODE (MS-NLMP, 2.2.2.5).
const UNICODE: u32 = 0x0000_0001;
/// NEGOTIATE_ANONYMOUS.
const ANONYMOUS: u32 = 0x0000_0800;
/// NEGOTIATE_VERSION.
const VERSION: u32 = 0x0200_0000;
/// Octets of a response of NTLM version 1 (MS-NLMP, 2.2.2.6).
const V1_RESPONSE: usize = 24;
/// Attributes read of a target's description.
const MAX_PAIRS: usize = 16;

/// What the server says of itself, each empty where it does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The name that the client is to log in to: of a domain or of the server.
    pub name: String,
    /// NetBIOS name of the computer.
    pub computer: String,
    /// NetBIOS name of its domain.
    pub domain: String,
    /// DNS name of the computer.
    pub dns_computer: String,
    /// DNS name of its domain.
    pub dns_domain: String,
    /// Its operating system.
    pub system: String,
}

/// Who logs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// User.
    pub user: String,
    /// Domain of the user.
    pub domain: String,
    /// Computer that the user sits at.
    pub workstation: String,
    /// Version of NTLM that the proof of the password is of, or `anonymous`.
    pub version: &'static str,
    /// Operating system of the computer.
    pub system: String,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The client offers what it can.
    Negotiate,
    /// The server describes itself.
    Challenge(Target),
    /// The client says who it is.
    Authenticate(Client),
}

/// Reads a message; what points outside of it is taken as empty.
///
/// # Errors
/// [`Short`] where it is none, or not there as far as its fixed part goes.
pub fn read(bytes: &[u8]) -> Result<Message, Short> {
    let mut cursor = Cursor::new(bytes);
    let none = Short { field: "Signature", offset: 0, needed: SIGNATURE.len(), left: bytes.len() };
    if cursor.take(SIGNATURE.len(), "Signature")? != SIGNATURE {
        return Err(none);
    }
    match cursor.u32_le("MessageType")? {
        1 => Ok(Message::Negotiate),
        2 => Ok(Message::Challenge(challenge(bytes, &mut cursor)?)),
        3 => Ok(Message::Authenticate(authenticate(bytes, &mut cursor)?)),
        _ => Err(none),
    }
}

/// CHALLENGE_MESSAGE (MS-NLMP, 2.2.1.2).
fn challenge<'a>(bytes: &'a [u8], cursor: &mut Cursor<'a>) -> Result<Target, Short> {
    let name = field(bytes, cursor, "TargetNameFields")?;
    let flags = cursor.u32_le("NegotiateFlags")?;
    cursor.take(16, "ServerChallenge and Reserved")?;
    let mut target = Target { name: text(name, flags), ..Target::default() };
    // Both are missing in the oldest form.
    let Ok(pairs) = field(bytes, cursor, "TargetInfoFields") else { return Ok(target) };
    target.system = system(flags, cursor);
    let mut pairs = Cursor::new(pairs);
    for _ in 0..MAX_PAIRS {
        let (Ok(id), Ok(length)) = (pairs.u16_le("AvId"), pairs.u16_le("AvLen")) else { break };
        let Ok(value) = pairs.take(usize::from(length), "Value") else { break };
        let place = match id {
            0 => break,
            1 => &mut target.computer,
            2 => &mut target.domain,
            3 => &mut target.dns_computer,
            4 => &mut target.dns_domain,
            _ => continue,
        };
        *place = utf16_le(value);
    }
    Ok(target)
}

/// AUTHENTICATE_MESSAGE (MS-NLMP, 2.2.1.3).
fn authenticate<'a>(bytes: &'a [u8], cursor: &mut Cursor<'a>) -> Result<Client, Short> {
    let lan_manager = length(cursor, "LmChallengeResponseFields")?;
    let nt = length(cursor, "NtChallengeResponseFields")?;
    let domain = field(bytes, cursor, "DomainNameFields")?;
    let user = field(bytes, cursor, "UserNameFields")?;
    let workstation = field(bytes, cursor, "WorkstationFields")?;
    // The oldest form ends here, and speaks Unicode.
    length(cursor, "EncryptedRandomSessionKeyFields").ok();
    let flags = cursor.u32_le("NegotiateFlags").unwrap_or(UNICODE);
    let is_anonymous = flags & ANONYMOUS != 0 || (nt == 0 && lan_manager <= 1 && user.is_empty());
    let version = match nt {
        _ if is_anonymous => "anonymous",
        ..=V1_RESPONSE => "NTLMv1",
        _ => "NTLMv2",
    };
    Ok(Client {
        user: text(user, flags),
        domain: text(domain, flags),
        workstation: text(workstation, flags),
        version,
        system: system(flags, cursor),
    })
}

fn text(octets: &[u8], flags: u32) -> String {
    if flags & UNICODE != 0 { utf16_le(octets) } else { printable(octets) }
}

/// The VERSION structure (MS-NLMP, 2.2.2.10). Those that imitate Windows leave the build out.
fn system(flags: u32, cursor: &mut Cursor<'_>) -> String {
    let (true, Ok(&[major, minor, low, high, ..])) = (flags & VERSION != 0, cursor.take(8, "Version")) else {
        return String::new();
    };
    match u16::from_le_bytes([low, high]) {
        0 => String::new(),
        build => format!("Windows {major}.{minor}.{build}"),
    }
}

fn length(cursor: &mut Cursor<'_>, name: &'static str) -> Result<usize, Short> {
    let length = cursor.u16_le(name)?;
    cursor.take(6, name)?;
    Ok(usize::from(length))
}

fn field<'a>(bytes: &'a [u8], cursor: &mut Cursor<'_>, name: &'static str) -> Result<&'a [u8], Short> {
    let length = usize::from(cursor.u16_le(name)?);
    cursor.u16_le(name)?;
    let offset = cursor.u32_le(name)? as usize;
    Ok(bytes.get(offset..).and_then(|rest| rest.get(..length)).unwrap_or_default())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Text in UTF-16, little-endian.
    pub fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn fields(at: &mut usize, octets: &[u8]) -> Vec<u8> {
        let length = (octets.len() as u16).to_le_bytes();
        let offset = (*at as u32).to_le_bytes();
        *at += octets.len();
        [&length[..], &length, &offset].concat()
    }

    /// A challenge of `HMI1` in the domain `PLANT`, Windows 10.0.17763.
    pub fn challenge() -> Vec<u8> {
        let pair =
            |id: u16, text: &str| [&id.to_le_bytes()[..], &(2 * text.len() as u16).to_le_bytes(), &wide(text)].concat();
        let info =
            [pair(1, "HMI1"), pair(2, "PLANT"), pair(3, "hmi1.plant.example"), pair(4, "plant.example"), vec![0; 4]]
                .concat();
        let name = wide("PLANT");
        let mut at = 56;
        [
            b"NTLMSSP\0\x02\0\0\0".to_vec(),
            fields(&mut at, &name),
            (UNICODE | VERSION).to_le_bytes().to_vec(),
            b"CHALLENG\0\0\0\0\0\0\0\0".to_vec(),
            fields(&mut at, &info),
            b"\x0a\x00\x63\x45\x00\x00\x00\x0f".to_vec(),
            name,
            info,
        ]
        .concat()
    }

    /// A login of `eva` of `PLANT` at `ENG1`, with responses of these lengths.
    pub fn authenticate(user: &str, lan_manager: usize, nt: usize) -> Vec<u8> {
        let (domain, user, host) = (wide("PLANT"), wide(user), wide("ENG1"));
        let mut at = 72;
        let heads = [&domain, &user, &host].map(|octets| fields(&mut at, octets)).concat();
        let responses = [vec![b'L'; lan_manager], vec![b'N'; nt]].map(|octets| fields(&mut at, &octets)).concat();
        let key = fields(&mut at, &[]);
        let flags = (UNICODE | VERSION).to_le_bytes();
        [
            &b"NTLMSSP\0\x03\0\0\0"[..],
            &responses,
            &heads,
            &key,
            &flags,
            b"\x0a\x00\x61\x4a\x00\x00\x00\x0f",
            &domain,
            &user,
            &host,
            &vec![b'R'; lan_manager + nt],
        ]
        .concat()
    }

    #[test]
    fn a_server_describes_itself() {
        let expected = Target {
            name: "PLANT".into(),
            computer: "HMI1".into(),
            domain: "PLANT".into(),
            dns_computer: "hmi1.plant.example".into(),
            dns_domain: "plant.example".into(),
            system: "Windows 10.0.17763".into(),
        };
        assert_eq!(read(&challenge()), Ok(Message::Challenge(expected)));
        assert_eq!(read(b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2"), Ok(Message::Negotiate));
    }

    #[test]
    fn a_user_logs_in_with_one_of_the_versions() {
        for (user, lan_manager, nt, version) in
            [("eva", 24, 24, "NTLMv1"), ("eva", 24, 0, "NTLMv1"), ("eva", 24, 220, "NTLMv2"), ("", 1, 0, "anonymous")]
        {
            let Ok(Message::Authenticate(client)) = read(&authenticate(user, lan_manager, nt)) else { panic!("none") };
            assert_eq!((&*client.user, client.version), (user, version));
            assert_eq!((&*client.domain, &*client.workstation), ("PLANT", "ENG1"));
            assert_eq!(client.system, "Windows 10.0.19041");
        }
    }

    #[test]
    fn every_truncation_is_taken() {
        for whole in [challenge(), authenticate("eva", 24, 24)] {
            for length in 0..whole.len() {
                let _ = read(&whole[..length]);
            }
        }
        assert!(read(b"NTLMSSP\0\x04\0\0\0").is_err());
        assert!(read(b"NTLMSSQ\0\x01\0\0\0").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(kind in 0..4_u8, rest in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = read(&[SIGNATURE, &[kind, 0, 0, 0], &rest].concat());
        }
    }
}
