//! IPsec: the key exchange of both versions over UDP (RFC 2408, RFC 7296), and its packets, of which nothing can be read
//! (RFC 4303, RFC 4302, RFC 3948).

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Operation, Protocol};
use crate::protocols::presence::{Presence, either};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, isakmp};

/// The port of the key exchange behind a translator of addresses, and of packets in datagrams.
const NAT_PORT: u16 = 4500;
/// What tells the key exchange from packets there (RFC 3948, 2.2).
const MARKER: &[u8] = &[0; 4];
/// Octets of a header.
const HEADER: usize = 28;
/// Payloads read of a message; algorithms and vendors told.
const MAX_PAYLOADS: usize = 64;
const MAX_TOLD: usize = 12;
/// Messages after which nothing more is waited for.
const MAX_MESSAGES: u8 = 24;
/// The lowest parameter index that a packet can have (RFC 4303, 2.1).
const MIN_SPI: u32 = 256;

/// Flags of version 1 and 2 (RFC 2408, 3.1; RFC 7296, 3.1).
mod flag {
    pub(super) const ENCRYPTED: u8 = 0x01;
    pub(super) const INITIATOR: u8 = 0x08;
}

/// Types of payloads.
mod payload {
    pub(super) const SA_V1: u8 = 1;
    pub(super) const IDENTIFICATION_V1: u8 = 5;
    pub(super) const NOTIFICATION_V1: u8 = 11;
    pub(super) const VENDOR_V1: u8 = 13;
    pub(super) const SA_V2: u8 = 33;
    pub(super) const NOTIFY_V2: u8 = 41;
    pub(super) const VENDOR_V2: u8 = 43;
    pub(super) const ENCRYPTED_V2: u8 = 46;
}

/// Exchange types that matter here.
mod exchange {
    pub(super) const QUICK: u8 = 32;
    pub(super) const FIRST_OF_V2: u8 = 34;
    pub(super) const AUTH: u8 = 35;
}

/// First octets of vendors' identifications, and what they stand for.
const VENDORS: &[(&[u8], &str)] = &[
    (&[0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45], "NAT traversal (RFC 3947)"),
    (&[0x90, 0xcb, 0x80, 0x91, 0x3e, 0xbb, 0x69, 0x6e], "NAT traversal (draft 2)"),
    (&[0x7d, 0x94, 0x19, 0xa6, 0x53, 0x10, 0xca, 0x6f], "NAT traversal (draft 3)"),
    (&[0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9], "dead peer detection"),
    (&[0x12, 0xf5, 0xf2, 0x8c, 0x45, 0x71, 0x68, 0xa9], "Cisco Unity"),
    (&[0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12], "XAUTH"),
    (&[0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc], "strongSwan"),
    (&[0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85], "fragmentation"),
    (&[0x1e, 0x2b, 0x51, 0x69, 0x05, 0x99, 0x1c, 0x7d], "Microsoft Windows"),
    (&[0xf4, 0xed, 0x19, 0xe0, 0xc1, 0x14, 0xeb, 0x51], "Check Point"),
    (&[0x82, 0x99, 0x03, 0x17, 0x57, 0xa3, 0x60, 0x82], "Fortinet"),
    (&[0x5b, 0x36, 0x2b, 0xc8, 0x20, 0xf6, 0x00], "SonicWall"),
];

/// A header (RFC 7296, 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    is_first: bool,
    next: u8,
    major: u8,
    exchange: u8,
    flags: u8,
}

/// The header of a message and its payloads; in datagrams of the port behind translators a marker is before it.
fn read(bytes: &[u8], is_cut: bool) -> Option<(Header, &[u8])> {
    let bytes = bytes.strip_prefix(MARKER).unwrap_or(bytes);
    let mut cursor = Cursor::new(bytes);
    let initiator = cursor.u64_be("initiator").ok()?;
    let responder = cursor.u64_be("responder").ok()?;
    let (next, version) = (cursor.u8("next payload").ok()?, cursor.u8("version").ok()?);
    let (exchange, flags) = (cursor.u8("exchange").ok()?, cursor.u8("flags").ok()?);
    cursor.take(4, "message").ok()?;
    let length = cursor.u32_be("length").ok()? as usize;
    let fits = length >= HEADER && (length == bytes.len() || is_cut && length > bytes.len());
    let known = tables::find(isakmp::EXCHANGES, u32::from(exchange)).is_some();
    let major = version >> 4;
    let belongs = matches!(major, 1 | 2) && (major == 2) == (exchange >= exchange::FIRST_OF_V2) && version & 0x0f == 0;
    let header = Header { is_first: responder == 0, next, major, exchange, flags };
    (fits && known && belongs && initiator != 0).then(|| (header, cursor.rest()))
}

/// Tells from a datagram whether it is a key exchange, or a packet in a datagram.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    for direction in [probe.first, probe.first.opposite()] {
        if let Some((header, _)) = read(probe.bytes(direction), probe.cut) {
            return Recognition::Yes(Box::new(Exchange::new(&header, direction)));
        }
    }
    if !probe.ports.contains(&NAT_PORT) {
        return Recognition::No;
    }
    either(probe, |bytes, direction| packet(bytes, Protocol::Esp, direction))
}

/// Packets with encapsulated contents, over IP.
pub fn probe_esp(probe: &Probe<'_>) -> Recognition {
    either(probe, |bytes, direction| packet(bytes, Protocol::Esp, direction))
}

/// Packets with an authentication header: next header, length, two reserved octets.
pub fn probe_ah(probe: &Probe<'_>) -> Recognition {
    either(probe, |bytes, direction| match bytes {
        [_, 1..=255, 0, 0, rest @ ..] => packet(rest, Protocol::Ah, direction),
        _ => None,
    })
}

/// A parameter index and a sequence number before what is protected.
fn packet(bytes: &[u8], protocol: Protocol, direction: Direction) -> Option<Presence> {
    let mut cursor = Cursor::new(bytes);
    let index = cursor.u32_be("parameter index").ok()?;
    let sequence = cursor.u32_be("sequence number").ok()?;
    let is_likely = index >= MIN_SPI && sequence > 0 && cursor.left() >= 12;
    is_likely.then(|| Presence::new(protocol, "tunnel", Operation::Session, direction))
}

/// What a side offers or takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Offer {
    ciphers: Vec<String>,
    groups: Vec<&'static str>,
    vendors: Vec<String>,
}

holds!(Offer { ciphers, groups, vendors });

fn tell<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if list.len() < MAX_TOLD && !list.contains(&item) {
        list.push(item);
    }
}

/// A key exchange.
#[derive(Clone, Debug)]
struct Exchange {
    client: Direction,
    major: u8,
    exchange: u8,
    first_frame: Option<u64>,
    sides: [Offer; 2],
    heard: [bool; 2],
    encrypted: [bool; 2],
    has_keys: bool,
    identity: Option<(u8, String)>,
    error: Option<String>,
    messages: u8,
    told: bool,
}

impl Exchange {
    fn new(header: &Header, direction: Direction) -> Self {
        let from_initiator = match header.major {
            2 => header.flags & flag::INITIATOR != 0,
            _ => header.is_first,
        };
        Exchange {
            client: if from_initiator { direction } else { direction.opposite() },
            major: header.major,
            exchange: header.exchange,
            first_frame: None,
            sides: Default::default(),
            heard: [false; 2],
            encrypted: [false; 2],
            has_keys: false,
            identity: None,
            error: None,
            messages: 0,
            told: false,
        }
    }

    fn message(&mut self, header: Header, body: &[u8], direction: Direction) {
        let side = direction as usize;
        self.heard[side] = true;
        let is_encrypted = header.major == 1 && header.flags & flag::ENCRYPTED != 0;
        self.encrypted[side] |= is_encrypted || header.next == payload::ENCRYPTED_V2;
        let quick = is_encrypted && header.exchange == exchange::QUICK;
        self.has_keys |= quick || header.exchange == exchange::AUTH && self.encrypted == [true; 2];
        if !is_encrypted {
            // What follows a payload that is not whole is left out.
            let _ = self.payloads(header, body, direction);
        }
    }

    fn payloads(&mut self, header: Header, body: &[u8], direction: Direction) -> Result<(), Short> {
        let mut cursor = Cursor::new(body);
        let mut next = header.next;
        for _ in 0..MAX_PAYLOADS {
            if next == 0 {
                break;
            }
            let kind = next;
            next = cursor.u8("next payload")?;
            cursor.u8("flags")?;
            let length = usize::from(cursor.u16_be("length")?).saturating_sub(4);
            let contents = cursor.take(length, "payload")?;
            let side = &mut self.sides[direction as usize];
            match (header.major, kind) {
                // Domain of interpretation and situation are before the proposals.
                (1, payload::SA_V1) => proposals(contents.get(8..).unwrap_or_default(), 1, side)?,
                (2, payload::SA_V2) => proposals(contents, 2, side)?,
                (1, payload::VENDOR_V1) | (2, payload::VENDOR_V2) => {
                    if let Some(vendor) = vendor(contents) {
                        tell(&mut side.vendors, vendor);
                    }
                }
                (1, payload::IDENTIFICATION_V1) if direction == self.client => {
                    if let Some((&[kind, _, _, _], data)) = contents.split_first_chunk::<4>() {
                        self.identity = Some((kind, printable(data)));
                    }
                }
                (1, payload::NOTIFICATION_V1) => self.notification(contents.get(4..).unwrap_or_default()),
                (2, payload::NOTIFY_V2) => self.notification(contents),
                (2, payload::ENCRYPTED_V2) => break,
                _ => {}
            }
        }
        Ok(())
    }

    /// Protocol, size of the index, type; those below 16384 are errors (RFC 7296, 3.10.1).
    fn notification(&mut self, contents: &[u8]) {
        if let &[_, _, high, low, ..] = contents {
            let kind = u32::from(u16::from_be_bytes([high, low]));
            if (1..16_384).contains(&kind) {
                let name = tables::name(isakmp::ERRORS, kind);
                self.error = Some(if name.is_empty() { kind.to_string() } else { name.to_string() });
            }
        }
    }
}

/// The algorithms of the proposals of a security association (RFC 2408, 3.5 and 3.6; RFC 7296, 3.3).
fn proposals(bytes: &[u8], major: u8, side: &mut Offer) -> Result<(), Short> {
    let mut cursor = Cursor::new(bytes);
    while !cursor.is_empty() {
        cursor.take(2, "last")?;
        let length = usize::from(cursor.u16_be("length")?).saturating_sub(4);
        let mut proposal = Cursor::new(cursor.take(length, "proposal")?);
        proposal.take(2, "number and protocol")?;
        let size = usize::from(proposal.u8("size")?);
        proposal.take(1 + size, "transforms and index")?;
        while !proposal.is_empty() {
            proposal.take(2, "last")?;
            let length = usize::from(proposal.u16_be("length")?).saturating_sub(4);
            let transform = Cursor::new(proposal.take(length, "transform")?);
            match major {
                1 => transform_v1(transform, side)?,
                _ => transform_v2(transform, side)?,
            }
        }
    }
    Ok(())
}

/// An attribute: its type, and its value where that has two octets (RFC 2408, 3.3).
fn attribute(cursor: &mut Cursor<'_>) -> Result<(u16, u16), Short> {
    let kind = cursor.u16_be("attribute")?;
    let value = cursor.u16_be("value")?;
    if kind & 0x8000 == 0 {
        cursor.take(usize::from(value), "value")?;
        return Ok((0, 0));
    }
    Ok((kind & 0x7fff, value))
}

fn transform_v1(mut transform: Cursor<'_>, side: &mut Offer) -> Result<(), Short> {
    transform.take(4, "number and identifier")?;
    let (mut cipher, mut bits) = ("", 0);
    while !transform.is_empty() {
        match attribute(&mut transform)? {
            (1, number) => cipher = tables::name(isakmp::CIPHERS_V1, u32::from(number)),
            (4, number) => tell(&mut side.groups, tables::name(isakmp::GROUPS, u32::from(number))),
            (14, length) => bits = length,
            _ => {}
        }
    }
    tell_cipher(cipher, bits, side);
    Ok(())
}

fn transform_v2(mut transform: Cursor<'_>, side: &mut Offer) -> Result<(), Short> {
    let kind = transform.u8("type")?;
    transform.u8("reserved")?;
    let number = u32::from(transform.u16_be("identifier")?);
    match kind {
        1 => {
            let bits = match transform.is_empty() {
                true => 0,
                false => attribute(&mut transform)?.1,
            };
            tell_cipher(tables::name(isakmp::CIPHERS_V2, number), bits, side);
        }
        4 => tell(&mut side.groups, tables::name(isakmp::GROUPS, number)),
        _ => {}
    }
    Ok(())
}

fn tell_cipher(name: &str, bits: u16, side: &mut Offer) {
    match (name, bits) {
        ("", _) => {}
        (name, 0) => tell(&mut side.ciphers, name.to_string()),
        (name, bits) => tell(&mut side.ciphers, format!("{name}-{bits}")),
    }
}

/// What a vendor's identification stands for: one that is known, or a text.
fn vendor(contents: &[u8]) -> Option<String> {
    let known = VENDORS.iter().find(|(octets, _)| contents.starts_with(octets)).map(|(_, name)| (*name).to_string());
    let is_text = contents.len() >= 4 && contents.iter().all(|octet| matches!(octet, 0x20..=0x7e));
    known.or_else(|| is_text.then(|| printable(contents)))
}

impl Session for Exchange {
    fn protocol(&self) -> Protocol {
        Protocol::Isakmp
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        self.messages = self.messages.saturating_add(1);
        self.first_frame = self.first_frame.or(Some(out.frame));
        match read(chunk.bytes, !chunk.is_whole()) {
            Some((header, body)) => self.message(header, body, chunk.direction),
            // A packet in a datagram: there are keys.
            None => self.has_keys |= packet(chunk.bytes, Protocol::Esp, chunk.direction).is_some(),
        }
    }

    fn close(&mut self, out: &mut Output) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let action = tables::name(isakmp::EXCHANGES, u32::from(self.exchange));
        let mut activity = Activity::new(self.client, action, Operation::Session);
        activity.request_frame = self.first_frame;
        activity.put(Field::IkeVersion, self.major.to_string());
        let [initiator, responder] =
            [self.client, self.client.opposite()].map(|direction| &self.sides[direction as usize]);
        // What the responder takes, else what is offered.
        let agreed = if responder.ciphers.is_empty() { initiator } else { responder };
        activity.put(Field::IkeEncryption, agreed.ciphers.join(", "));
        activity.put(Field::IkeGroup, agreed.groups.join(", "));
        let mut vendors = initiator.vendors.clone();
        responder.vendors.iter().for_each(|vendor| tell(&mut vendors, vendor.clone()));
        activity.put(Field::IkeVendor, vendors.join(", "));
        // Types of identities (RFC 2407, 4.6.2): a name of a host, of a user, of a group.
        match &self.identity {
            Some((2, name)) => activity.put(Field::HostName, &**name),
            Some((3 | 11, name)) => activity.put(Field::UserName, &**name),
            _ => {}
        }
        let heard = [self.client, self.client.opposite()].map(|direction| self.heard[direction as usize]);
        let (status, code) = match (&self.error, heard) {
            _ if self.has_keys => (Status::Ok, ""),
            (Some(error), _) => (Status::Error, &**error),
            (None, [true, true]) => (Status::Cut, ""),
            (None, [_, true]) => (Status::ResponseOnly, ""),
            (None, _) => (Status::NoResponse, ""),
        };
        out.activity(activity.ended(status, code));
    }

    fn is_done(&self) -> bool {
        self.has_keys || self.messages >= MAX_MESSAGES
    }

    fn held(&self) -> usize {
        self.sides.holds() + self.identity.holds() + self.error.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::heard::Said;
    use crate::protocols::presence::tests::heard;

    const UP: Direction = Direction::Forward;
    const DOWN: Direction = Direction::Backward;

    fn message(first: bool, next: u8, version: u8, exchange: u8, flags: u8, payloads: &[u8]) -> Vec<u8> {
        let length = (HEADER + payloads.len()) as u32;
        let responder = if first { [0; 8] } else { [9; 8] };
        let rest = [next, version, exchange, flags, 0, 0, 0, 0];
        [&[7; 8][..], &responder, &rest, &length.to_be_bytes(), payloads].concat()
    }

    fn payload(next: u8, contents: &[u8]) -> Vec<u8> {
        [&[next, 0], &((contents.len() + 4) as u16).to_be_bytes()[..], contents].concat()
    }

    /// One proposal with these transforms.
    fn association(major: u8, transforms: &[&[u8]]) -> Vec<u8> {
        let transforms: Vec<u8> = transforms.iter().flat_map(|transform| payload(0, transform)).collect();
        let proposal = payload(0, &[&[1, 1, 0, 1], &transforms[..]].concat());
        if major == 1 { [&[0, 0, 0, 1, 0, 0, 0, 1], &proposal[..]].concat() } else { proposal }
    }

    fn hear(datagrams: &[(Direction, &[u8])]) -> Activity {
        let (direction, first) = datagrams[0];
        let (header, _) = read(first, false).unwrap();
        let (mut exchange, mut out) = (Exchange::new(&header, direction), Output::default());
        for (direction, bytes) in datagrams {
            exchange.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
        }
        exchange.close(&mut out);
        out.activities.remove(0)
    }

    fn aggressive(first: bool) -> Vec<u8> {
        let transform = [1, 1, 0, 0, 0x80, 1, 0, 7, 0x80, 14, 0, 128, 0x80, 4, 0, 2, 0, 12, 0, 4, 0, 0, 0x70, 0x80];
        let payloads = [
            payload(payload::IDENTIFICATION_V1, &association(1, &[&transform])),
            payload(payload::VENDOR_V1, b"\x0b\x11\x01\xf4vendors"),
            payload(payload::VENDOR_V1, &[0x12, 0xf5, 0xf2, 0x8c, 0x45, 0x71, 0x68, 0xa9, 0x70, 0x2d]),
            payload(0, b"Remote box 4.2"),
        ];
        message(first, payload::SA_V1, 0x10, 4, 0, &payloads.concat())
    }

    #[test]
    fn version_1_in_the_clear() {
        let quick = message(false, 8, 0x10, 32, 1, &[0xaa; 60]);
        let activity = hear(&[(UP, &aggressive(true)), (DOWN, &aggressive(false)), (UP, &quick)]);
        let expected = [
            (Field::IkeVersion, "1"),
            (Field::IkeEncryption, "AES-CBC-128"),
            (Field::IkeGroup, "modp1024"),
            (Field::IkeVendor, "Cisco Unity, Remote box 4.2"),
            (Field::UserName, "vendors"),
        ];
        let found: Vec<_> = activity.fields.iter().map(|(field, value)| (*field, &**value)).collect();
        assert_eq!((activity.client, activity.action, activity.status), (UP, "aggressive_mode", Status::Ok));
        assert_eq!(found, expected);
    }

    #[test]
    fn version_2_up_to_what_is_encrypted() {
        let offered = association(2, &[&[1, 0, 0, 20, 0x80, 14, 1, 0], &[4, 0, 0, 31], &[4, 0, 0, 14]]);
        let taken = association(2, &[&[1, 0, 0, 20, 0x80, 14, 1, 0], &[4, 0, 0, 31]]);
        let request = message(true, payload::SA_V2, 0x20, 34, 0x08, &payload(0, &offered));
        let answer = message(false, payload::SA_V2, 0x20, 34, 0x20, &payload(0, &taken));
        let refusal = message(false, payload::NOTIFY_V2, 0x20, 34, 0x20, &payload(0, &[0, 0, 0, 14]));
        let auth = [MARKER, &message(false, payload::ENCRYPTED_V2, 0x20, 35, 0x08, &payload(35, &[7; 40]))].concat();
        let told = |datagrams: &[(Direction, &[u8])]| {
            let activity = hear(datagrams);
            let group = activity.fields.iter().find(|(field, _)| *field == Field::IkeGroup);
            (activity.client, activity.status, activity.code.clone(), group.map_or("", |(_, group)| group).to_string())
        };
        let cases: &[(Said, Status, &str, &str)] = &[
            (&[(UP, &request)], Status::NoResponse, "", "curve25519, modp2048"),
            (&[(UP, &request), (DOWN, &answer)], Status::Cut, "", "curve25519"),
            (&[(UP, &request), (DOWN, &refusal)], Status::Error, "NO_PROPOSAL_CHOSEN", "curve25519, modp2048"),
            (&[(UP, &request), (DOWN, &answer), (UP, &auth), (DOWN, &auth)], Status::Ok, "", "curve25519"),
            (&[(DOWN, &answer)], Status::ResponseOnly, "", "curve25519"),
        ];
        for (datagrams, status, code, group) in cases {
            assert_eq!(told(datagrams), (UP, *status, code.to_string(), group.to_string()));
        }
    }

    #[test]
    fn packets_and_exchanges_are_told_apart() {
        let packet = [&[0xc0, 0, 0, 1, 0, 0, 0, 5][..], &[0xaa; 40]].concat();
        let header = [&[4, 4, 0, 0][..], &packet].concat();
        let service = |recognise: fn(&Probe<'_>) -> Recognition, bytes: &[u8], port: u16| {
            let probe =
                Probe { forward: bytes, backward: &[], first: UP, opener: None, ports: [port, port], cut: false };
            match recognise(&probe) {
                Recognition::Yes(session) => session.service(),
                _ => "",
            }
        };
        assert_eq!(service(probe_datagram, &aggressive(true), 500), "isakmp");
        assert_eq!(service(probe_datagram, &aggressive(true), 12_345), "isakmp");
        assert_eq!(service(probe_datagram, &packet, NAT_PORT), "esp");
        assert_eq!(service(probe_datagram, &packet, 500), "");
        assert_eq!(service(probe_datagram, b"\xff", NAT_PORT), "");
        assert_eq!((service(probe_esp, &packet, 0), service(probe_ah, &header, 0)), ("esp", "ah"));
        assert_eq!((service(probe_esp, &[0; 40], 0), service(probe_ah, &packet, 0)), ("", ""));
        assert!(heard(probe_esp, &packet, &packet, [0, 0]).is_some_and(|activity| activity.status == Status::Ok));
    }

    #[test]
    fn every_truncation_is_taken() {
        let whole = aggressive(true);
        let (header, body) = read(&whole, false).unwrap();
        for length in 0..body.len() {
            Exchange::new(&header, UP).message(header, &body[..length], UP);
            assert_eq!(read(&whole[..length], false), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200), next in 0u8..60) {
            for version in [0x10, 0x20] {
                let _ = hear(&[(UP, &message(true, next, version, if version == 0x10 { 2 } else { 34 }, 0, &bytes))]);
            }
            let _ = heard(probe_datagram, &bytes, &bytes, [500, NAT_PORT]);
            for major in [1, 2] {
                let _ = proposals(&bytes, major, &mut Offer::default());
            }
        }
    }
}
