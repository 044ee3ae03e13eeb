//! SSH (RFC 4253) and its first version: what both sides run, and what they agree on before all is encrypted.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Attribute, Claim, Operation, Protocol, Unit};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};

/// Octets of an identification at most (RFC 4253, 4.2), with room for those who send more.
const MAX_IDENTIFICATION: usize = 512;
/// Lines that a server may send before its identification.
const MAX_LINES: u16 = 1024;
/// Octets of a packet at most that everybody takes (RFC 4253, 6.1); those of a key exchange are shorter.
const MAX_PACKET: usize = 35_000;
/// Octets of packets of the key exchange that are not read but passed over, at most.
const MAX_PASSED: usize = 256 * 1024;
/// Octets before the contents of a packet: its length, the length of its padding.
const HEADER: usize = 5;
/// The port of SSH.
const PORT: u16 = 22;

/// Messages that are read (RFC 4250, 4.1.2).
mod message {
    pub(super) const DISCONNECT: u8 = 1;
    pub(super) const KEXINIT: u8 = 20;
    pub(super) const NEWKEYS: u8 = 21;
    /// What the client sends first in an exchange: of Diffie-Hellman and its kin, of one with a group to be chosen.
    pub(super) const KEX_INIT: u8 = 30;
    pub(super) const GEX_REQUEST: u8 = 34;
}

/// What an identification says of the system it runs on, or of its maker: a part of its text, and what that stands for.
const MARKS: &[(&str, Attribute, &str)] = &[
    ("Ubuntu", Attribute::OperatingSystem, "Ubuntu Linux"),
    ("Raspbian", Attribute::OperatingSystem, "Raspbian Linux"),
    ("Debian", Attribute::OperatingSystem, "Debian Linux"),
    ("FreeBSD", Attribute::OperatingSystem, "FreeBSD"),
    ("NetBSD", Attribute::OperatingSystem, "NetBSD"),
    ("for_Windows", Attribute::OperatingSystem, "Windows"),
    ("WeOnlyDo", Attribute::OperatingSystem, "Windows"),
    ("Bitvise", Attribute::OperatingSystem, "Windows"),
    ("Sun_SSH", Attribute::OperatingSystem, "Solaris"),
    ("NetScreen", Attribute::OperatingSystem, "ScreenOS"),
    ("ROSSSH", Attribute::OperatingSystem, "RouterOS"),
    ("ROSSSH", Attribute::Vendor, "MikroTik"),
    ("Cisco-", Attribute::Vendor, "Cisco"),
    ("CISCO_WLC", Attribute::Vendor, "Cisco"),
    ("HUAWEI", Attribute::Vendor, "Huawei"),
    ("Comware", Attribute::Vendor, "H3C"),
    ("mod_sftp", Attribute::Software, "ProFTPD"),
    ("MOXA", Attribute::Vendor, "Moxa"),
    ("Zyxel", Attribute::Vendor, "Zyxel"),
    ("FIPS User Mode", Attribute::Software, "FIPS mode"),
];

/// Tells from the first octets whether a stream is SSH.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let is_identification = |bytes: &[u8]| {
        let line = bytes.split(|octet| *octet == b'\n').next().unwrap_or_default();
        Identification::read(line).is_some() && line.len() <= MAX_IDENTIFICATION
    };
    if is_identification(probe.forward) || is_identification(probe.backward) {
        let client = probe.opener.or_else(|| probe.direction_to(PORT));
        return Recognition::Yes(Box::new(Ssh { client, ..Ssh::default() }));
    }
    let may_be = |bytes: &[u8]| !bytes.is_empty() && bytes.len() < 8 && b"SSH-2.0-".starts_with(bytes);
    match may_be(probe.forward) || may_be(probe.backward) {
        true => Recognition::Undecided,
        false => Recognition::No,
    }
}

/// What a side says that it is: `SSH-protoversion-softwareversion comments`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identification {
    version: String,
    software: String,
}

impl Identification {
    fn read(line: &[u8]) -> Option<Self> {
        let rest = line.strip_prefix(b"SSH-")?;
        let end = rest.iter().position(|octet| *octet == b'-')?;
        let version = rest.get(..end).filter(|version| matches!(version, [b'1' | b'2', b'.', b'0'..=b'9', ..]))?;
        let software = rest.get(end + 1..).filter(|_| version.len() <= 4)?;
        Some(Identification { version: printable(version), software: printable(software) })
    }

    fn is_first(&self) -> bool {
        self.version.starts_with('1') && self.version != "1.99"
    }
}

/// The lists of algorithms that a side offers (RFC 4253, 7.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Offer {
    lists: [String; 5],
}

/// Which list of an offer is which.
mod list {
    pub(super) const KEY_EXCHANGE: usize = 0;
    pub(super) const HOST_KEY: usize = 1;
    pub(super) const CIPHER: usize = 2;
    pub(super) const MAC: usize = 4;
}

impl Offer {
    fn read(body: &[u8]) -> Result<Self, Short> {
        let mut cursor = Cursor::new(body);
        cursor.take(16, "cookie")?;
        let mut offer = Offer::default();
        for list in &mut offer.lists {
            let length = usize::try_from(cursor.u32_be("length")?).unwrap_or(usize::MAX);
            *list = String::from_utf8_lossy(cursor.take(length, "name-list")?).into_owned();
        }
        Ok(offer)
    }

    /// The first of this side's algorithms that the other has too; extensions among them are no algorithms.
    fn agreed<'a>(&'a self, other: &Offer, list: usize) -> Option<&'a str> {
        let names = self.lists[list].split(',').filter(|name| !name.is_empty() && !name.starts_with("kex-strict"));
        names.filter(|name| !name.starts_with("ext-info")).find(|name| other.lists[list].split(',').any(|o| o == *name))
    }
}

#[derive(Clone, Debug, Default)]
struct Side {
    identification: Option<Identification>,
    offer: Option<Offer>,
    has_keys: bool,
    lines: u16,
    passed: usize,
    stopped: bool,
}

holds! {
    Identification { version, software }
    Offer { lists }
    Side { identification, offer }
}

/// A conversation.
#[derive(Clone, Debug, Default)]
struct Ssh {
    client: Option<Direction>,
    sides: [Side; 2],
    first_frame: Option<u64>,
    refused: Option<u32>,
    told: bool,
}

impl Ssh {
    fn line(&mut self, bytes: &[u8], direction: Direction, out: &mut Output) {
        let side = &mut self.sides[direction as usize];
        side.lines = side.lines.saturating_add(1);
        let Some(identification) = Identification::read(bytes) else { return };
        self.first_frame = self.first_frame.or(Some(out.frame));
        let mut claim = |attribute, value: &str| {
            let value = value.to_string();
            out.claim(Claim { about_sender: true, address: None, unit: Unit::None, attribute, value });
        };
        claim(Attribute::Software, &identification.software);
        let marks = MARKS.iter().filter(|(mark, ..)| identification.software.contains(mark));
        marks.for_each(|(_, attribute, value)| claim(*attribute, value));
        side.identification = Some(identification);
    }

    fn packet(&mut self, bytes: &[u8], direction: Direction) {
        let Some(&kind) = bytes.get(HEADER) else { return };
        let side = &mut self.sides[direction as usize];
        side.passed += bytes.len();
        match kind {
            message::KEXINIT if side.offer.is_none() => {
                side.offer = Offer::read(bytes.get(HEADER + 1..).unwrap_or_default()).ok();
            }
            message::NEWKEYS => side.has_keys = true,
            // Whoever opened the connection: the client of SSH is who starts the exchange of keys.
            message::KEX_INIT | message::GEX_REQUEST => self.client = Some(direction),
            message::DISCONNECT => {
                let reason = bytes.get(HEADER + 1..HEADER + 5).and_then(|reason| <[u8; 4]>::try_from(reason).ok());
                self.refused = Some(reason.map_or(0, u32::from_be_bytes));
            }
            _ => {}
        }
    }

    fn activity(&self) -> Activity {
        let client = self.client.unwrap_or(Direction::Forward);
        let mut activity = Activity::new(client, "connect", Operation::Session);
        activity.request_frame = self.first_frame;
        let [from_client, from_server] = [client, client.opposite()].map(|direction| &self.sides[direction as usize]);
        let identifications = [&from_client.identification, &from_server.identification];
        for (field, identification) in [Field::SshClient, Field::SshServer].into_iter().zip(identifications) {
            activity.put(field, identification.as_ref().map_or("", |identification| &*identification.software));
        }
        // 1.99 speaks both; the lower one is spoken (RFC 4253, 5.1).
        let versions = identifications.into_iter().flatten();
        let first = versions.clone().any(Identification::is_first);
        let lowest = versions.map(|identification| &*identification.version).filter(|version| *version != "1.99").min();
        activity.put(Field::SshVersion, lowest.filter(|_| first).unwrap_or("2.0"));
        if let (Some(mine), Some(theirs)) = (&from_client.offer, &from_server.offer) {
            for (field, list) in [
                (Field::SshKeyExchange, list::KEY_EXCHANGE),
                (Field::SshHostKey, list::HOST_KEY),
                (Field::SshCipher, list::CIPHER),
                (Field::SshMac, list::MAC),
            ] {
                activity.put(field, mine.agreed(theirs, list).unwrap_or_default());
            }
        }
        let both = self.sides.iter().all(|side| side.has_keys);
        match (self.refused, identifications) {
            _ if both => activity.ended(Status::Ok, ""),
            (Some(reason), _) => activity.ended(Status::Error, format!("disconnect {reason}")),
            (None, [Some(_), Some(_)]) if first => activity.ended(Status::Ok, ""),
            (None, [Some(_), Some(_)]) => activity.ended(Status::Cut, ""),
            (None, [Some(_), None]) => activity.ended(Status::NoResponse, ""),
            (None, [None, _]) => activity.ended(Status::ResponseOnly, ""),
        }
    }
}

impl Session for Ssh {
    fn protocol(&self) -> Protocol {
        Protocol::Ssh
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        let side = &mut self.sides[direction as usize];
        let Some(identification) = &side.identification else {
            let end = bytes.iter().take(MAX_IDENTIFICATION).position(|octet| *octet == b'\n');
            return match end {
                Some(end) if side.lines < MAX_LINES => Framing::Message(end + 1),
                None if bytes.len() < MAX_IDENTIFICATION => Framing::NeedMore,
                _ => {
                    side.stopped = true;
                    Framing::NotMine
                }
            };
        };
        let length = match *bytes {
            _ if side.has_keys || identification.is_first() || side.passed > MAX_PASSED => None,
            [a, b, c, d, ..] => {
                Some(u32::from_be_bytes([a, b, c, d]) as usize).filter(|l| (2..=MAX_PACKET).contains(l))
            }
            _ => return Framing::NeedMore,
        };
        side.stopped |= length.is_none();
        length.map_or(Framing::NotMine, |length| Framing::Message(4 + length))
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        if self.sides[chunk.direction as usize].identification.is_none() {
            self.line(chunk.bytes, chunk.direction, out);
        } else {
            self.packet(chunk.bytes, chunk.direction);
        }
    }

    fn close(&mut self, out: &mut Output) {
        let known = self.sides.iter().any(|side| side.identification.is_some());
        if known && !std::mem::replace(&mut self.told, true) {
            out.activity(self.activity());
        }
    }

    fn is_done(&self) -> bool {
        let is_first = |side: &Side| side.identification.as_ref().is_some_and(Identification::is_first);
        let known = self.sides.iter().all(|side| side.identification.is_some());
        self.sides.iter().all(|side| side.has_keys || side.stopped)
            || self.refused.is_some()
            || known && self.sides.iter().any(is_first)
    }

    fn held(&self) -> usize {
        self.sides.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::heard::Said;

    const UP: Direction = Direction::Forward;
    const DOWN: Direction = Direction::Backward;
    const CLIENT: &[u8] = b"SSH-2.0-PuTTY_Release_0.78\r\n";
    const SERVER: &[u8] = b"Plant 7. Keep out.\r\nSSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u5\r\n";

    fn packet(kind: u8, contents: &[u8]) -> Vec<u8> {
        let length = (contents.len() as u32 + 2 + 4).to_be_bytes();
        [&length[..], &[4, kind], contents, &[0; 4]].concat()
    }

    fn offer(lists: [&str; 5]) -> Vec<u8> {
        let lists = lists.iter().flat_map(|list| [&(list.len() as u32).to_be_bytes()[..], list.as_bytes()].concat());
        packet(20, &[7; 16].into_iter().chain(lists).chain([0; 30]).collect::<Vec<u8>>())
    }

    fn hear(pieces: &[(Direction, &[u8])]) -> (Ssh, Output) {
        let (mut ssh, mut out) = (Ssh { client: Some(UP), ..Ssh::default() }, Output::default());
        for (frame, (direction, mut bytes)) in (1..).zip(pieces.iter().copied()) {
            out.frame = frame;
            while let Framing::Message(length) = ssh.frame(direction, bytes) {
                let Some((message, rest)) = bytes.split_at_checked(length) else { break };
                ssh.decode(Chunk { bytes: message, wire_length: length, direction }, &mut out);
                bytes = rest;
            }
        }
        ssh.close(&mut out);
        (ssh, out)
    }

    #[test]
    fn both_sides_say_what_they_are_and_agree() {
        let mine =
            offer(["ext-info-c,curve25519-sha256,dh14", "ssh-ed25519", "aes256-ctr,aes128-ctr", "x", "hmac-sha2-256"]);
        let theirs =
            offer(["dh14,curve25519-sha256", "rsa,ssh-ed25519", "aes128-ctr,aes256-ctr", "x", "hmac-sha2-256"]);
        let (init, keys) = (packet(30, b"key"), packet(21, b""));
        let (ssh, out) = hear(&[
            (DOWN, SERVER),
            (UP, CLIENT),
            (UP, &mine),
            (DOWN, &theirs),
            (UP, &init),
            (DOWN, &keys),
            (UP, &[&keys[..], &[0xaa; 64]].concat()),
        ]);
        let expected = [
            (Field::SshClient, "PuTTY_Release_0.78"),
            (Field::SshServer, "OpenSSH_9.2p1 Debian-2+deb12u5"),
            (Field::SshVersion, "2.0"),
            (Field::SshKeyExchange, "curve25519-sha256"),
            (Field::SshHostKey, "ssh-ed25519"),
            (Field::SshCipher, "aes256-ctr"),
            (Field::SshMac, "hmac-sha2-256"),
        ];
        let activity = &out.activities[0];
        let found: Vec<_> = activity.fields.iter().map(|(field, value)| (*field, &**value)).collect();
        assert_eq!((activity.client, activity.status, activity.request_frame), (UP, Status::Ok, Some(1)));
        assert_eq!(found, expected);
        let claims: Vec<_> = out.claims.iter().map(|(_, claim)| (claim.attribute, &*claim.value)).collect();
        let expected = [
            (Attribute::Software, "OpenSSH_9.2p1 Debian-2+deb12u5"),
            (Attribute::OperatingSystem, "Debian Linux"),
            (Attribute::Software, "PuTTY_Release_0.78"),
        ];
        assert_eq!(claims, expected);
        assert!(ssh.is_done());
    }

    #[test]
    fn outcomes() {
        let old = &b"SSH-1.5-OpenSSH_3.1\n"[..];
        let both = &b"SSH-1.99-Cisco-1.25\n"[..];
        let (init, bye) = (packet(30, b"key"), packet(1, &[0, 0, 0, 11]));
        let cases: &[(Said, Direction, Status, &str, &str)] = &[
            (&[(UP, CLIENT)], UP, Status::NoResponse, "", "2.0"),
            (&[(DOWN, SERVER)], UP, Status::ResponseOnly, "", "2.0"),
            (&[(UP, CLIENT), (DOWN, both)], UP, Status::Cut, "", "2.0"),
            (&[(UP, old), (DOWN, both)], UP, Status::Ok, "", "1.5"),
            (&[(UP, CLIENT), (DOWN, SERVER), (DOWN, &bye)], UP, Status::Error, "disconnect 11", "2.0"),
            // A connection opened by the server: who starts the exchange of keys is the client.
            (&[(UP, SERVER), (DOWN, CLIENT), (DOWN, &init)], DOWN, Status::Cut, "", "2.0"),
        ];
        for (pieces, client, status, code, version) in cases {
            let (_, out) = hear(pieces);
            let activity = &out.activities[0];
            assert_eq!((activity.client, activity.status, &*activity.code), (*client, *status, *code));
            assert!(activity.fields.contains(&(Field::SshVersion, version.to_string())), "{activity:?}");
        }
    }

    #[test]
    fn it_is_recognised_by_an_identification() {
        let cases: &[(&[u8], &str)] = &[
            (CLIENT, "yes"),
            (b"SSH-1.99-OpenSSH_3.9p1\n", "yes"),
            (b"SSH-2.0-", "yes"),
            (b"SSH-", "maybe"),
            (b"SSH-x", "no"),
            (b"SSH-3.0-y\r\n", "no"),
            (b"HTTP/1.1 200 OK\r\n", "no"),
            (b"", "no"),
        ];
        for (forward, expected) in cases {
            let probe = Probe { forward, backward: &[], first: UP, opener: None, ports: [5, 22], cut: false };
            let found = match probe_stream(&probe) {
                Recognition::Yes(_) => "yes",
                Recognition::Undecided => "maybe",
                Recognition::No => "no",
            };
            assert_eq!(found, *expected, "{}", printable(forward));
        }
    }

    #[test]
    fn every_truncation_is_taken() {
        let whole = [SERVER, &offer(["a", "b", "c", "d", "e"]), &packet(21, b"")].concat();
        for length in 0..whole.len() {
            let _ = hear(&[(DOWN, &whole[..length]), (UP, CLIENT)]);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = hear(&[(UP, &bytes)]);
            let _ = hear(&[(UP, CLIENT), (UP, &bytes), (DOWN, SERVER), (DOWN, &packet(20, &bytes))]);
        }
    }
}
