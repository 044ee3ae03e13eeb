//! MQTT 3.1, 3.1.1 and 5: who connects, with what outcome, which topics are published and subscribed. Not what is
//! published.

use std::collections::VecDeque;

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::holds::Holds as _;
use crate::model::{Operation, Protocol};
use crate::secrets::is_known_password;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, mqtt};

/// Types of control packets (2.1.2).
mod packet {
    pub const CONNECT: u8 = 1;
    pub const CONNACK: u8 = 2;
    pub const PUBLISH: u8 = 3;
    pub const SUBSCRIBE: u8 = 8;
    pub const SUBACK: u8 = 9;
}

/// Octets of a packet that are read.
const MAX_READ: usize = 16 * 1024;
/// Subscriptions that wait for their acknowledgement.
const MAX_OPEN: usize = 32;
/// Topics told of one subscription.
const MAX_TOPICS: usize = 16;

/// Tells from the first octets whether a stream is MQTT: it starts with CONNECT.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    match bytes {
        [0x10, rest @ ..] if rest.len() < 12 => {
            let is_start = match rest {
                [0x80..=0xff, ..] | [] => true,
                [_, name @ ..] => [&b"\0\x04MQTT"[..], b"\0\x06MQIsdp"]
                    .iter()
                    .any(|known| name.starts_with(known) || known.starts_with(name)),
            };
            match connect(bytes) {
                Ok(Some(_)) => Recognition::Yes(Box::new(Mqtt::new(probe.first))),
                _ if is_start => Recognition::Undecided,
                _ => Recognition::No,
            }
        }
        [0x10, ..] => match connect(bytes) {
            Ok(Some(_)) => Recognition::Yes(Box::new(Mqtt::new(probe.first))),
            _ => Recognition::No,
        },
        _ => Recognition::No,
    }
}

/// Type and flags, octets of the fixed header, octets behind it (2.1).
fn header(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>, Short> {
    let mut cursor = Cursor::new(bytes);
    let first = cursor.u8("packet type")?;
    Ok(variable(&mut cursor)?.map(|length| (first, cursor.offset(), length)))
}

/// A variable byte integer of at most four octets (1.5.5).
fn variable(cursor: &mut Cursor<'_>) -> Result<Option<usize>, Short> {
    let mut value = 0;
    for shift in [0, 7, 14, 21] {
        let octet = cursor.u8("remaining length")?;
        value |= usize::from(octet & 0x7f) << shift;
        if octet < 0x80 {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

/// The level of the protocol that a CONNECT names; none where it is none.
fn connect(bytes: &[u8]) -> Result<Option<u8>, Short> {
    let Some((first, start, length)) = header(bytes)? else { return Ok(None) };
    let mut cursor = Cursor::new(bytes.get(start..).unwrap_or_default());
    let name = text(&mut cursor)?;
    let level = cursor.u8("protocol level")?;
    let is_known = match name {
        b"MQTT" => matches!(level & 0x7f, 4 | 5),
        b"MQIsdp" => level & 0x7f == 3,
        _ => false,
    };
    Ok((first == packet::CONNECT << 4 && length >= 10 && is_known).then_some(level & 0x7f))
}

/// Octets with their length before them.
fn text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Short> {
    let length = cursor.u16_be("length")?;
    cursor.take(usize::from(length), "text")
}

/// A connection.
#[derive(Clone)]
struct Mqtt {
    client: Direction,
    level: u8,
    connecting: Option<Activity>,
    subscribing: VecDeque<(u16, Activity)>,
}

impl Mqtt {
    fn new(client: Direction) -> Self {
        Mqtt { client, level: 0, connecting: None, subscribing: VecDeque::new() }
    }

    fn packet(&mut self, bytes: &[u8], direction: Direction, out: &mut Output) -> Result<(), Short> {
        let Some((first, start, _)) = header(bytes)? else { return Ok(()) };
        let mut cursor = Cursor::new(bytes.get(start..).unwrap_or_default());
        match first >> 4 {
            packet::CONNECT => {
                self.level = connect(bytes)?.unwrap_or_default();
                let activity = self.connect(&mut cursor)?;
                self.give_up(out);
                self.connecting = Some(Activity { request_frame: Some(out.frame), ..activity });
            }
            packet::CONNACK => {
                cursor.u8("acknowledge flags")?;
                let code = u32::from(cursor.u8("reason code")?);
                let table = if self.level == 5 { mqtt::REASON_CODES } else { mqtt::RETURN_CODES };
                let status = if code == 0 { Status::Ok } else { Status::Error };
                if let Some(activity) = self.connecting.take() {
                    out.activity(activity.ended(status, named(table, code)));
                }
            }
            packet::PUBLISH => {
                let topic = text(&mut cursor)?;
                let is_client = direction == self.client;
                let (action, operation) =
                    if is_client { ("publish", Operation::Write) } else { ("receive", Operation::Report) };
                // An empty topic stands for one that was named before (version 5, 3.3.2.3.4).
                out.activity(Activity::new(self.client, action, operation).with(Field::MqttTopic, printable(topic)));
            }
            packet::SUBSCRIBE => {
                let id = cursor.u16_be("packet identifier")?;
                self.properties(&mut cursor)?;
                let mut activity = Activity::new(direction, "subscribe", Operation::Subscribe);
                activity.request_frame = Some(out.frame);
                for _ in 0..MAX_TOPICS {
                    let Ok(topic) = text(&mut cursor) else { break };
                    activity.put(Field::MqttTopic, printable(topic));
                    cursor.u8("subscription options")?;
                }
                if self.subscribing.len() >= MAX_OPEN {
                    self.subscribing.pop_front();
                }
                self.subscribing.push_back((id, activity));
            }
            packet::SUBACK => {
                let id = cursor.u16_be("packet identifier")?;
                self.properties(&mut cursor)?;
                let failed = cursor.rest().iter().find(|code| **code >= 0x80);
                let open = self.subscribing.iter().position(|(open, _)| *open == id);
                if let Some((_, activity)) = open.and_then(|place| self.subscribing.remove(place)) {
                    out.activity(match failed {
                        Some(code) => activity.ended(Status::Error, named(mqtt::REASON_CODES, u32::from(*code))),
                        None => activity.ended(Status::Ok, ""),
                    });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn connect(&self, cursor: &mut Cursor<'_>) -> Result<Activity, Short> {
        text(cursor)?;
        cursor.u8("protocol level")?;
        let flags = cursor.u8("connect flags")?;
        cursor.u16_be("keep alive")?;
        self.properties(cursor)?;
        let version = match self.level {
            3 => "3.1",
            4 => "3.1.1",
            _ => "5",
        };
        let mut activity = Activity::new(self.client, "connect", Operation::Authenticate)
            .with(Field::MqttVersion, version)
            .with(Field::MqttClient, printable(text(cursor)?));
        if flags & 0x04 != 0 {
            self.properties(cursor)?;
            activity.put(Field::MqttWill, printable(text(cursor)?));
            text(cursor)?;
        }
        let user = if flags & 0x80 != 0 { text(cursor)? } else { &[] };
        activity.put(Field::UserName, printable(user));
        if flags & 0x40 != 0 {
            activity.put_secret("password", Some(is_known_password(user, text(cursor)?)));
        } else {
            activity.put_secret("none", None);
        }
        Ok(activity)
    }

    /// Properties, which version 5 has.
    fn properties(&self, cursor: &mut Cursor<'_>) -> Result<(), Short> {
        if self.level == 5 {
            let length = variable(cursor)?.unwrap_or(usize::MAX);
            cursor.take(length, "properties")?;
        }
        Ok(())
    }

    fn give_up(&mut self, out: &mut Output) {
        let connecting = self.connecting.take();
        for activity in connecting.into_iter().chain(self.subscribing.drain(..).map(|(_, activity)| activity)) {
            out.activity(activity.ended(Status::NoResponse, ""));
        }
    }
}

fn named(table: &'static [tables::Code], code: u32) -> String {
    match tables::name(table, code) {
        "" => code.to_string(),
        name => name.to_string(),
    }
}

impl Session for Mqtt {
    fn protocol(&self) -> Protocol {
        Protocol::Mqtt
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        match header(bytes) {
            Err(_) => Framing::NeedMore,
            Ok(None) => Framing::NotMine,
            Ok(Some((first, start, length))) => {
                let all = start + length;
                let keep = match first >> 4 {
                    0 => return Framing::NotMine,
                    // The topic, which stands first.
                    packet::PUBLISH => match bytes.get(start..start + 2) {
                        Some(topic) => start + 2 + topic.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)),
                        None if length < 2 => all,
                        None => return Framing::NeedMore,
                    },
                    _ => all,
                };
                Framing::Head { keep: keep.min(all).min(MAX_READ), length: all }
            }
        }
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        // What is cut is not told.
        let _ = self.packet(chunk.bytes, chunk.direction, out);
    }

    fn gap(&mut self, _: Direction, out: &mut Output) {
        self.give_up(out);
    }

    fn close(&mut self, out: &mut Output) {
        self.give_up(out);
    }

    fn held(&self) -> usize {
        self.connecting.holds() + self.subscribing.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::heard::{C, S, cut_everywhere, stream, takes_any};

    const PORTS: [u16; 2] = [50_000, 1883];
    /// Version 3.1.1, with a will, a user's name and a password; keep alive 60 s.
    const CONNECT: (Direction, &[u8]) =
        (C, b"\x10\x27\x00\x04MQTT\x04\xc6\x00\x3c\x00\x04hmi1\x00\x04gone\x00\x02ok\x00\x03eva\x00\x06s3cret");
    const CONNACK: (Direction, &[u8]) = (S, b"\x20\x02\x00\x00");

    #[test]
    fn who_connects_and_which_topics() {
        let segments: &[(Direction, &[u8])] = &[
            CONNECT,
            CONNACK,
            (C, b"\x82\x0e\x00\x01\x00\x03a/#\x00\x00\x03b/+\x01"),
            (S, b"\x90\x04\x00\x01\x00\x80"),
            (C, b"\x30\x0b\x00\x03a/bs3cret"),
            (S, b"\x32\x07\x00\x03a/b\x00\x07"),
            (C, b"\xe0\x00"),
        ];
        let told = [
            "connect ok accepted mqtt.version=3.1.1 mqtt.client_id=hmi1 mqtt.will_topic=gone user.name=eva \
             credential.kind=password credential.default=false",
            "subscribe error unspecified_error mqtt.topic=a/# mqtt.topic=b/+",
            "publish one_way  mqtt.topic=a/b",
            "receive one_way  mqtt.topic=a/b",
        ];
        let heard = stream(probe_stream, PORTS, segments);
        assert_eq!(heard.lines(), told);
        assert!(!heard.tells("s3cret"));
        cut_everywhere(probe_stream, PORTS, segments);
    }

    #[test]
    fn versions_and_outcomes() {
        // Version 5: property session expiry interval 1 s, no user.
        let five: &[u8] = b"\x10\x16\x00\x04MQTT\x05\x02\x00\x3c\x05\x11\x00\x00\x00\x01\x00\x04hmi1";
        let three: &[u8] = b"\x10\x12\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x04hmi1";
        let cases: [(&[u8], &[u8], &str); 4] = [
            (five, b"\x20\x03\x00\x87\x00", "connect error not_authorized mqtt.version=5"),
            (three, b"\x20\x02\x00\x05", "connect error not_authorized mqtt.version=3.1"),
            (three, b"\x20\x02\x00\x63", "connect error 99 mqtt.version=3.1"),
            (three, b"", "connect no_response  mqtt.version=3.1"),
        ];
        for (connect, answer, told) in cases {
            let segments: [(Direction, &[u8]); 2] = [(C, connect), (S, answer)];
            let heard = stream(probe_stream, PORTS, &segments[..1 + usize::from(!answer.is_empty())]);
            assert_eq!(heard.lines(), [format!("{told} mqtt.client_id=hmi1 credential.kind=none")]);
        }
    }

    #[test]
    fn nothing_else_is_mqtt() {
        let others: [&[u8]; 3] = [
            b"\x10\x0c\x00\x04HTTP\x04\x02\x00\x3c\x00\x00",
            b"\x10\x02\x00\x00",
            b"\x10\xff\xff\xff\xff\x01\0\0\0\0\0\0\0",
        ];
        for bytes in others {
            assert_eq!(stream(probe_stream, PORTS, &[(C, bytes)]).service, "", "{bytes:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            takes_any(probe_stream, PORTS, &[CONNECT], &bytes);
        }
    }
}
