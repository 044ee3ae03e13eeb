//! BGP (RFC 4271): who opens a session as which autonomous system, and why it ends. Routes are passed over.

use std::net::Ipv4Addr;

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::exchange::Status;
use crate::model::{Attribute, Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};

/// Octets of a message's header: marker, length, type (4.1).
const HEADER: usize = 19;
const MARKER: [u8; 16] = [0xff; 16];
const LONGEST: usize = 4096;
const OPEN: u8 = 1;
const NOTIFICATION: u8 = 3;
const KEEPALIVE: u8 = 4;
/// Octets of an open message and of a notification that are read.
const READ: usize = HEADER + 10;

/// Tells from the first octets whether a stream is BGP: it begins with an open message.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    match probe.bytes(probe.first).split_first_chunk::<16>() {
        Some((&MARKER, [_, _, OPEN, 4, ..])) => Recognition::Yes(Box::new(Bgp { opened: [false; 2], done: false })),
        _ => Recognition::No,
    }
}

/// A session between two routers.
#[derive(Clone)]
struct Bgp {
    opened: [bool; 2],
    done: bool,
}

impl Bgp {
    fn message(&mut self, chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
        let mut cursor = Cursor::new(chunk.bytes);
        cursor.take(18, "marker and length")?;
        let kind = cursor.u8("type")?;
        match kind {
            OPEN => {
                cursor.u8("version")?;
                let system = cursor.u16_be("my autonomous system")?;
                cursor.u16_be("hold time")?;
                let router = Ipv4Addr::from(cursor.u32_be("BGP identifier")?);
                let mut activity = Activity::new(chunk.direction, "open", Operation::Session);
                activity.put(Field::RoutingSystem, system.to_string());
                activity.put(Field::RouterId, router.to_string());
                out.activity(activity);
                out.sender_is(Attribute::RoleHint, "router");
                self.opened[chunk.direction as usize] = true;
            }
            NOTIFICATION => {
                let (code, subcode) = (cursor.u8("error code")?, cursor.u8("error subcode")?);
                let activity = Activity::new(chunk.direction, "notification", Operation::Session);
                out.activity(activity.ended(Status::Error, format!("{code}.{subcode}")));
                self.done = true;
            }
            // Both agreed: what follows are routes.
            _ => self.done |= self.opened == [true; 2] && kind != KEEPALIVE,
        }
        Ok(())
    }
}

impl Session for Bgp {
    fn protocol(&self) -> Protocol {
        Protocol::Bgp
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        let Some(header) = bytes.first_chunk::<HEADER>() else { return Framing::NeedMore };
        let length = usize::from(u16::from_be_bytes([header[16], header[17]]));
        if header[..16] != MARKER || !(HEADER..=LONGEST).contains(&length) {
            self.done = true;
            return Framing::NotMine;
        }
        Framing::Head { keep: length.min(READ), length }
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        self.message(chunk, out).unwrap_or_default();
    }

    fn is_done(&self) -> bool {
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, told};

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&MARKER[..], &[0, (HEADER + body.len()) as u8, kind], body].concat()
    }

    fn hear(messages: &[(Direction, &[u8])]) -> (Output, bool) {
        let (mut bgp, mut out) = (Bgp { opened: [false; 2], done: false }, Output::default());
        for (direction, bytes) in messages {
            if let Framing::Head { keep, .. } = bgp.frame(*direction, bytes) {
                let bytes = bytes.get(..keep).unwrap_or(bytes);
                bgp.decode(Chunk { bytes, wire_length: bytes.len(), direction: *direction }, &mut out);
            }
        }
        (out, bgp.is_done())
    }

    #[test]
    fn who_opens_and_why_it_ends() {
        use Direction::{Backward, Forward};
        let open = message(OPEN, &[4, 0xfd, 0xe8, 0, 180, 10, 0, 0, 1, 0]);
        let (out, done) = hear(&[(Forward, &open), (Backward, &open), (Backward, &message(KEEPALIVE, &[]))]);
        let opened = "open routing.autonomous_system=65000 routing.router_id=10.0.0.1";
        assert_eq!((told(&out), done), (vec![opened.to_string(); 2], false));
        assert_eq!(claimed(&out), ["role_hint=router"; 2]);
        let (out, done) = hear(&[(Forward, &open), (Backward, &message(NOTIFICATION, &[2, 2]))]);
        assert_eq!((&*out.activities[1].code, done), ("2.2", true));
        let (_, done) = hear(&[(Forward, &open), (Backward, &open), (Forward, &message(2, &[0; 4]))]);
        assert!(done);
        for length in 0..open.len() {
            hear(&[(Forward, &open[..length])]);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60), kind in 0..6_u8) {
            hear(&[(Direction::Forward, &bytes), (Direction::Forward, &message(kind, &bytes))]);
        }
    }
}
