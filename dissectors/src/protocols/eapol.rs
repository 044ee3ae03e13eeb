//! 802.1X: who asks to be let in (a user's or a machine's name), by which method, and whether it was. What is
//! exchanged to prove it is not told.

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::solo;
use crate::session::{Chunk, Direction, Output, Probe, Recognition};
use crate::tables::{self, eapol};

/// Types of packets (IEEE 802.1X-2020, table 11-3).
mod kind {
    pub const EAP: u8 = 0;
    pub const START: u8 = 1;
    pub const LOGOFF: u8 = 2;
    pub const KEY: u8 = 3;
    pub const MKA: u8 = 5;
}

/// Codes of EAP (RFC 3748, 4).
mod code {
    pub const REQUEST: u8 = 1;
    pub const RESPONSE: u8 = 2;
    pub const SUCCESS: u8 = 3;
    pub const FAILURE: u8 = 4;
}
const IDENTITY: u8 = 1;

/// Tells from what a frame carries whether it is EAPOL.
pub fn probe_frame(probe: &Probe<'_>) -> Recognition {
    match probe.datagram() {
        [1..=3, 0..=8, ..] => solo::recognised(Protocol::Eapol, read),
        _ => Recognition::No,
    }
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    packet(chunk, out).unwrap_or_default();
}

/// `version | type | length | body`.
fn packet(chunk: Chunk<'_>, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(chunk.bytes);
    let (version, kind) = (cursor.u8("version")?, cursor.u8("type")?);
    let length = usize::from(cursor.u16_be("length")?);
    let body = cursor.take(length.min(cursor.left()), "body")?;
    let way = chunk.direction;
    let mut activity = match kind {
        kind::EAP => eap(body, way, out)?,
        kind::START => Activity::new(way, "start", Operation::Authenticate),
        kind::LOGOFF => Activity::new(way, "logoff", Operation::Session),
        kind::KEY => Activity::new(way, "key", Operation::Session),
        kind::MKA => Activity::new(way, "key_agreement", Operation::Session),
        _ => Activity::new(way, "unknown", Operation::Unknown),
    };
    activity.put(Field::EapolVersion, version.to_string());
    out.activity(activity);
    Ok(())
}

/// `code | identifier | length | type | data`. Only who wants to be let in responds.
fn eap(body: &[u8], way: Direction, out: &mut Output) -> Result<Activity, Short> {
    let mut cursor = Cursor::new(body);
    let code = cursor.u8("code")?;
    cursor.u8("identifier")?;
    let length = usize::from(cursor.u16_be("length")?);
    let client = if code == code::RESPONSE { way } else { way.opposite() };
    let end = |status, word| Activity::new(client, "authenticate", Operation::Authenticate).ended(status, word);
    match code {
        code::SUCCESS => return Ok(end(Status::Ok, "success")),
        code::FAILURE => return Ok(end(Status::Error, "failure")),
        code::REQUEST | code::RESPONSE => {}
        _ => return Ok(Activity::new(client, "unknown", Operation::Unknown)),
    }
    let method = cursor.u8("type")?;
    let data = cursor.take(length.saturating_sub(5).min(cursor.left()), "data")?;
    let action = match (method, code) {
        (IDENTITY, _) => "identify",
        _ => "method",
    };
    let mut activity = Activity::new(client, action, Operation::Authenticate);
    if method != IDENTITY {
        let name = tables::name(eapol::METHODS, u32::from(method));
        activity.put(Field::EapMethod, if name.is_empty() { method.to_string() } else { name.to_string() });
    } else if code == code::RESPONSE {
        // Behind a zero there are options of the authenticator (RFC 3748, 5.1).
        let name = printable(data.split(|octet| *octet == 0).next().unwrap_or_default());
        out.sender_is(Attribute::User, &*name);
        activity.put(Field::UserName, name);
    }
    Ok(activity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::solo::tests::{claimed, cut_everywhere, hear, told};

    #[test]
    fn who_is_let_in() {
        let identity = [&[1, 0, 0, 19, 2, 1, 0, 19, 1][..], b"host/hmi-2.pla", &[0; 20]].concat();
        type Case<'a> = (&'a [u8], &'a str, Direction, Status, &'a str);
        let cases: &[Case<'_>] = &[
            (&identity, "identify user.name=host/hmi-2.pla", Direction::Forward, Status::OneWay, ""),
            (&[1, 0, 0, 5, 1, 1, 0, 5, 1], "identify", Direction::Backward, Status::OneWay, ""),
            (&[1, 0, 0, 6, 1, 2, 0, 6, 25, 0x20], "method eap.method=PEAP", Direction::Backward, Status::OneWay, ""),
            (&[1, 0, 0, 5, 2, 2, 0, 5, 99], "method eap.method=99", Direction::Forward, Status::OneWay, ""),
            (&[1, 0, 0, 4, 3, 3, 0, 4], "authenticate", Direction::Backward, Status::Ok, "success"),
            (&[1, 0, 0, 4, 4, 3, 0, 4], "authenticate", Direction::Backward, Status::Error, "failure"),
            (&[1, 1, 0, 0], "start", Direction::Forward, Status::OneWay, ""),
            (&[3, 5, 0, 0], "key_agreement", Direction::Forward, Status::OneWay, ""),
            (&[3, 8, 0, 0], "unknown", Direction::Forward, Status::OneWay, ""),
        ];
        for (bytes, expected, client, status, code) in cases {
            let out = hear(read, bytes);
            assert_eq!(told(&out), [format!("{expected} eapol.version={}", bytes[0])]);
            let activity = &out.activities[0];
            assert_eq!((activity.client, activity.status, &*activity.code), (*client, *status, *code), "{expected}");
            cut_everywhere(read, bytes);
        }
        assert_eq!(claimed(&hear(read, &identity)), ["user=host/hmi-2.pla"]);
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
            hear(read, &bytes);
        }
    }
}
