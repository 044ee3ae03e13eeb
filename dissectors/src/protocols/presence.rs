//! Conversations of which nothing can be read but that they are there: who started them, whether somebody answered.

use crate::activity::{Activity, Field};
use crate::exchange::Status;
use crate::holds::Holds as _;
use crate::model::{Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};

/// Messages after which an answer is no longer waited for.
const MAX_MESSAGES: u8 = 32;

/// One of them.
#[derive(Clone, Debug)]
pub struct Presence {
    protocol: Protocol,
    activity: Activity,
    first_frame: Option<u64>,
    heard: [bool; 2],
    messages: u8,
    told: bool,
}

impl Presence {
    /// A conversation that this direction started.
    pub fn new(protocol: Protocol, action: &'static str, operation: Operation, client: Direction) -> Self {
        Presence {
            protocol,
            activity: Activity::new(client, action, operation),
            first_frame: None,
            heard: [false; 2],
            messages: 0,
            told: false,
        }
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, field: Field, value: impl Into<String>) -> Self {
        self.activity.put(field, value);
        self
    }
}

/// Recognises a flow by a datagram, or by the start of a stream, of either direction.
pub fn either(probe: &Probe<'_>, read: impl Fn(&[u8], Direction) -> Option<Presence>) -> Recognition {
    for direction in [probe.first, probe.first.opposite()] {
        let bytes = probe.bytes(direction);
        if let Some(presence) = (!bytes.is_empty()).then(|| read(bytes, direction)).flatten() {
            return Recognition::Yes(Box::new(presence));
        }
    }
    Recognition::No
}

impl Session for Presence {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        Framing::Message(bytes.len().max(1))
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        self.messages = self.messages.saturating_add(1);
        self.heard[chunk.direction as usize] = true;
        self.first_frame = self.first_frame.or(Some(out.frame));
    }

    fn close(&mut self, out: &mut Output) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let client = self.activity.client;
        let [asked, answered] = [client, client.opposite()].map(|direction| self.heard[direction as usize]);
        let status = match (asked, answered) {
            (true, true) => Status::Ok,
            (false, true) => Status::ResponseOnly,
            _ => Status::NoResponse,
        };
        let activity = Activity { request_frame: self.first_frame, ..self.activity.clone() };
        out.activity(activity.ended(status, ""));
    }

    fn is_done(&self) -> bool {
        self.heard == [true; 2] || self.messages >= MAX_MESSAGES
    }

    fn held(&self) -> usize {
        self.activity.holds()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The activity of a flow whose first octets forward are these, if it is recognised.
    pub(crate) fn heard(
        recognise: impl Fn(&Probe<'_>) -> Recognition,
        forward: &[u8],
        backward: &[u8],
        ports: [u16; 2],
    ) -> Option<Activity> {
        let probe = Probe { forward, backward, first: Direction::Forward, opener: None, ports, cut: false };
        let Recognition::Yes(mut session) = recognise(&probe) else { return None };
        let mut out = Output::default();
        for (direction, bytes) in [(Direction::Forward, forward), (Direction::Backward, backward)] {
            if !bytes.is_empty() {
                session.decode(Chunk { bytes, wire_length: bytes.len(), direction }, &mut out);
            }
        }
        session.close(&mut out);
        out.activities.pop()
    }

    #[test]
    fn who_started_and_whether_somebody_answered() {
        let recognise = |probe: &Probe<'_>| {
            either(probe, |bytes, direction| {
                (bytes == b"hello").then(|| Presence::new(Protocol::Radmin, "connect", Operation::Session, direction))
            })
        };
        for (forward, backward, client, status) in [
            (&b"hello"[..], &b"you"[..], Direction::Forward, Status::Ok),
            (b"hello", b"", Direction::Forward, Status::NoResponse),
            (b"", b"hello", Direction::Backward, Status::NoResponse),
        ] {
            let activity = heard(recognise, forward, backward, [1, 2]).unwrap();
            assert_eq!((activity.client, activity.status), (client, status));
        }
        assert_eq!(heard(recognise, b"", b"", [1, 2]), None);
    }
}
