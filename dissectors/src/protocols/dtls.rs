//! DTLS (RFC 6347, RFC 9147): the same handshake as TLS, in datagrams that may come in fragments.

use crate::activity::Field;
use crate::bytes::{Cursor, Short};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::Protocol;
use crate::protocols::tls::facts::Facts;
use crate::protocols::tls::hello::Carrier;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, tls};

/// Octets of a handshake message that are held.
const MAX_MESSAGE: usize = 64 * 1024;
/// Datagrams after which nothing more is waited for.
const MAX_DATAGRAMS: u16 = 64;

/// Types of records; from 32 the first octet is that of an encrypted record of 1.3 (RFC 9147, 4).
mod record {
    pub(super) const ALERT: u8 = 21;
    pub(super) const HANDSHAKE: u8 = 22;
    pub(super) const DATA: u8 = 23;
    pub(super) const UNIFIED: std::ops::RangeInclusive<u8> = 0x20..=0x3f;
}

/// Tells from a datagram whether it is DTLS: it starts with a hello.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    if [probe.forward, probe.backward].into_iter().any(is_hello) {
        Recognition::Yes(Box::new(Dtls::default()))
    } else {
        Recognition::No
    }
}

fn is_hello(bytes: &[u8]) -> bool {
    let &[record::HANDSHAKE, 0xfe, 0xff | 0xfd, 0, 0, _, _, _, _, _, _, high, low, ref body @ ..] = bytes else {
        return false;
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    // ClientHello, ServerHello or HelloVerifyRequest; its fragment is as long as the record says.
    let &[1..=3, 0, up, down, _, _, 0, 0, 0, 0, part_up, part_down, ..] = body else { return false };
    let [whole, part] = [[up, down], [part_up, part_down]].map(|pair| usize::from(u16::from_be_bytes(pair)));
    part <= whole && part + 12 <= length
}

/// A handshake message of one direction that is not whole yet.
#[derive(Clone, Debug, Default)]
struct Begun {
    sequence: u16,
    octets: Vec<u8>,
}

/// A conversation.
#[derive(Clone, Debug, Default)]
struct Dtls {
    facts: Facts,
    begun: [Begun; 2],
    datagrams: u16,
    is_established: bool,
    alert: Option<String>,
    told: bool,
}

holds!(Begun { octets });

impl Dtls {
    fn record(&mut self, kind: u8, epoch: u16, body: &[u8], direction: Direction, out: &mut Output) {
        match (kind, epoch) {
            (record::HANDSHAKE, 0) => {
                let mut cursor = Cursor::new(body);
                while self.fragment(&mut cursor, direction, out).is_ok() {}
            }
            (record::ALERT, 0) => {
                if let &[2, description] = body {
                    let name = tables::name(tls::ALERTS, u32::from(description));
                    self.alert = Some(if name.is_empty() { format!("alert {description}") } else { name.to_string() });
                }
            }
            (record::DATA, 1..) => self.is_established = self.facts.taken.is_some(),
            _ => {}
        }
    }

    /// A fragment of a handshake message (RFC 6347, 4.2.2).
    fn fragment(&mut self, cursor: &mut Cursor<'_>, direction: Direction, out: &mut Output) -> Result<(), Short> {
        let message = cursor.u8("type")?;
        let length = cursor.uint_be(3, "length")? as usize;
        let sequence = cursor.u16_be("message sequence")?;
        let offset = cursor.uint_be(3, "fragment offset")? as usize;
        let part = cursor.uint_be(3, "fragment length")? as usize;
        let octets = cursor.take(part, "fragment")?;
        if !Facts::reads(message) || length > MAX_MESSAGE {
            return Ok(());
        }
        let begun = &mut self.begun[direction as usize];
        if begun.sequence != sequence || offset == 0 {
            *begun = Begun { sequence, octets: Vec::new() };
        }
        if offset == begun.octets.len() && offset + part <= length {
            begun.octets.extend_from_slice(octets);
        }
        if begun.octets.len() == length {
            let body = std::mem::take(&mut begun.octets);
            // A hello that is asked for again has a cookie; it says the same.
            self.facts.message(direction, message, &body, Carrier::Datagrams, out);
        }
        Ok(())
    }

    fn records(&mut self, chunk: &Chunk<'_>, out: &mut Output) -> Result<(), Short> {
        let mut cursor = Cursor::new(chunk.bytes);
        while let Some(kind) = cursor.peek() {
            if record::UNIFIED.contains(&kind) {
                let from_client = self.facts.client == Some(chunk.direction);
                self.is_established |= self.facts.taken.is_some() && from_client && chunk.wire_length > 40;
                break;
            }
            cursor.take(3, "type and version")?;
            let epoch = cursor.u16_be("epoch")?;
            cursor.take(6, "sequence number")?;
            let length = usize::from(cursor.u16_be("length")?);
            let body = cursor.take(length.min(cursor.left()), "record")?;
            self.record(kind, epoch, body, chunk.direction, out);
        }
        Ok(())
    }
}

impl Session for Dtls {
    fn protocol(&self) -> Protocol {
        Protocol::Dtls
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        self.datagrams = self.datagrams.saturating_add(1);
        // A record that is not whole ends the reading of its datagram.
        let _ = self.records(&chunk, out);
    }

    fn close(&mut self, out: &mut Output) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let mut activity = self.facts.activity(Carrier::Datagrams);
        activity.put(Field::TlsEstablished, if self.is_established { "true" } else { "false" });
        let (status, code) = match (&self.alert, &self.facts.offered, &self.facts.taken) {
            (Some(alert), ..) => (Status::Error, &**alert),
            _ if self.is_established => (Status::Ok, ""),
            (_, Some(_), None) => (Status::NoResponse, ""),
            (_, None, _) => (Status::ResponseOnly, ""),
            _ => (Status::Cut, ""),
        };
        out.activity(activity.ended(status, code));
    }

    fn service(&self) -> &'static str {
        self.facts.product().unwrap_or(self.protocol().name())
    }

    fn is_done(&self) -> bool {
        self.is_established || self.alert.is_some() || self.datagrams >= MAX_DATAGRAMS
    }

    fn held(&self) -> usize {
        self.facts.holds() + self.begun.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of a sequence number.
    fn record(kind: u8, epoch: u8, contents: &[u8]) -> Vec<u8> {
        [&[kind, 0xfe, 0xfd, 0, epoch, 0, 0, 0, 0, 0, 1, 0, contents.len() as u8][..], contents].concat()
    }

    fn fragment(kind: u8, length: usize, offset: usize, octets: &[u8]) -> Vec<u8> {
        [&[kind, 0, 0, length as u8, 0, 0, 0, 0, offset as u8, 0, 0, octets.len() as u8][..], octets].concat()
    }

    fn client_hello() -> Vec<u8> {
        let name = b"\x00\x00\x00\x10\x00\x0e\x00\x00\x0bgw7.example";
        [&b"\xfe\xfd"[..], &[7; 32], &[0, 0], &[0, 2, 0xc0, 0x2b], &[1, 0], &[0, name.len() as u8], name].concat()
    }

    fn server_hello() -> Vec<u8> {
        [&b"\xfe\xfd"[..], &[9; 32], &[0], &[0xc0, 0x2b], &[0]].concat()
    }

    fn hear(datagrams: &[(Direction, Vec<u8>)]) -> Output {
        let (mut dtls, mut out) = (Dtls::default(), Output::default());
        for (direction, bytes) in datagrams {
            dtls.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
        }
        dtls.close(&mut out);
        out
    }

    #[test]
    fn a_handshake_in_fragments() {
        let (hello, server) = (client_hello(), server_hello());
        let (first, last) = hello.split_at(30);
        let up =
            [record(22, 0, &fragment(1, hello.len(), 0, first)), record(22, 0, &fragment(1, hello.len(), 30, last))];
        let out = hear(&[
            (Direction::Forward, up[0].clone()),
            (Direction::Forward, up[1].clone()),
            (Direction::Backward, record(22, 0, &fragment(2, server.len(), 0, &server))),
            (Direction::Forward, record(23, 1, &[0; 30])),
        ]);
        let activity = &out.activities[0];
        let expected = [
            (Field::TlsVersion, "1.2"),
            (Field::TlsCipher, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
            (Field::TlsOffered, "1.2"),
            (Field::TlsServerName, "gw7.example"),
        ];
        let found: Vec<_> = activity.fields.iter().take(4).map(|(field, value)| (*field, &**value)).collect();
        assert_eq!((activity.status, &found[..]), (Status::Ok, &expected[..]));
        assert!(
            activity.fields.iter().any(|(field, value)| *field == Field::TlsJa4 && value.starts_with("dd2d010100_"))
        );
    }

    #[test]
    fn only_hellos_are_recognised() {
        let hello = client_hello();
        let whole = record(22, 0, &fragment(1, hello.len(), 0, &hello));
        assert!(is_hello(&whole));
        assert!(!is_hello(&record(22, 1, &fragment(1, hello.len(), 0, &hello))));
        assert!(!is_hello(&record(23, 0, &[0; 40])));
        assert!(!is_hello(&whole[..20]));
    }

    #[test]
    fn every_truncation_is_taken() {
        let hello = client_hello();
        let whole = record(22, 0, &fragment(1, hello.len(), 0, &hello));
        for length in 0..whole.len() {
            let _ = is_hello(&whole[..length]);
            let _ = hear(&[(Direction::Forward, whole[..length].to_vec())]);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = is_hello(&bytes);
            let _ = hear(&[(Direction::Forward, bytes.clone()), (Direction::Backward, record(22, 0, &bytes))]);
        }
    }
}
