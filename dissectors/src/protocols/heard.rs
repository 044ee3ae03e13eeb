//! For tests: conversations as the engine hears them, through recognition, framing and decoding.

use crate::activity::{Activity, Field};
use crate::model::{Attribute, Claim};
use crate::net::tcp::{Piece, Stamp};
use crate::recognise::{Opening, Probation, Recognised, Seen};
use crate::registry::Recognise;
use crate::session::{Chunk, Direction, Expected, Output, Session};
use crate::stream::Assembly;

/// From the one who opened the connection.
pub const C: Direction = Direction::Forward;
/// The other way.
pub const S: Direction = Direction::Backward;

/// What was told of a conversation.
#[derive(Debug, Default, PartialEq)]
pub struct Heard {
    /// Activities in order.
    pub activities: Vec<Activity>,
    /// Claims, with the side that they are about.
    pub claims: Vec<(Direction, Attribute, String)>,
    /// Connections that were agreed on.
    pub expected: Vec<Expected>,
    /// The flow's service; empty where nobody recognised it.
    pub service: &'static str,
    /// True where it was not listened to till its end.
    pub is_done: bool,
}

impl Heard {
    fn take(&mut self, direction: Direction, out: &mut Output) {
        self.activities.append(&mut out.activities);
        self.expected.append(&mut out.expected);
        for (_, Claim { about_sender, attribute, value, .. }) in out.claims.drain(..) {
            let about = if about_sender { direction } else { direction.opposite() };
            self.claims.push((about, attribute, value));
        }
        out.clear();
    }

    /// Each activity as one line: action, status, code, fields.
    pub fn lines(&self) -> Vec<String> {
        let line = |activity: &Activity| {
            let fields = activity.fields.iter().map(|(field, value)| format!(" {}={value}", field.name()));
            format!("{} {} {}{}", activity.action, activity.status, activity.code, fields.collect::<String>())
        };
        self.activities.iter().map(line).collect()
    }

    /// The values of a field, in order.
    pub fn values(&self, field: Field) -> Vec<&str> {
        let fields = self.activities.iter().flat_map(|activity| &activity.fields);
        fields.filter(|(name, _)| *name == field).map(|(_, value)| &**value).collect()
    }

    /// What was claimed of a side.
    pub fn claimed(&self, about: Direction, attribute: Attribute) -> Vec<&str> {
        let of = self.claims.iter().filter(|(side, name, _)| (*side, *name) == (about, attribute));
        of.map(|(.., value)| &**value).collect()
    }

    /// True where a text is in anything that was told.
    pub fn tells(&self, text: &str) -> bool {
        format!("{self:?}").contains(text)
    }
}

struct Listener {
    session: Box<dyn Session>,
    assemblies: [Assembly; 2],
    out: Output,
}

impl Listener {
    fn hear(&mut self, seen: &Seen<'_>, heard: &mut Heard) {
        let mut deliver = |out: &mut Output, _: &[u64], _: Stamp| heard.take(seen.direction, out);
        let assembly = &mut self.assemblies[seen.direction as usize];
        let piece = Piece::Data(seen.payload);
        assembly.piece(piece, seen.stamp, seen.direction, &mut *self.session, &mut self.out, &mut deliver);
    }
}

/// Hears the segments of a stream.
pub fn stream(recognise: Recognise, ports: [u16; 2], segments: &[(Direction, &[u8])]) -> Heard {
    let (mut heard, mut probation, mut listener) = (Heard::default(), Probation::default(), None::<Listener>);
    let mut sequences = [0u32; 2];
    let opening = Opening { opener: Some(C), starts: [Some(0); 2], ports };
    for (frame, (direction, payload)) in (1..).zip(segments) {
        let stamp = Stamp { frame, ..Stamp::default() };
        let sequence = sequences[*direction as usize];
        sequences[*direction as usize] += payload.len() as u32;
        let seen = Seen { direction: *direction, sequence, payload, missing: 0, stamp };
        if let Some(listener) = &mut listener {
            listener.hear(&seen, &mut heard);
        } else if let Some(found) = probation.segment(&[], &[recognise], seen, opening) {
            let Recognised { session, kept, .. } = found;
            let listener =
                listener.insert(Listener { session, assemblies: Default::default(), out: Output::default() });
            kept.iter().for_each(|kept| listener.hear(&kept.seen(), &mut heard));
        }
        if listener.as_ref().is_some_and(|listener| listener.session.is_done()) {
            heard.is_done = true;
            break;
        }
    }
    if let Some(Listener { mut session, mut assemblies, mut out }) = listener {
        for direction in [C, S] {
            let mut deliver = |out: &mut Output, _: &[u64], _: Stamp| heard.take(direction, out);
            let assembly = &mut assemblies[direction as usize];
            assembly.finish(Stamp::default(), direction, &mut *session, &mut out, &mut deliver);
        }
        session.close(&mut out);
        heard.take(C, &mut out);
        heard.service = session.service();
    }
    heard
}

/// Hears datagrams.
pub fn datagrams(recognise: Recognise, ports: [u16; 2], datagrams: &[(Direction, &[u8])]) -> Heard {
    let (mut heard, mut probation, mut out) = (Heard::default(), Probation::default(), Output::default());
    let mut found: Option<Box<dyn Session>> = None;
    let decode = |session: &mut dyn Session, seen: Seen<'_>, out: &mut Output, heard: &mut Heard| {
        out.frame = seen.stamp.frame;
        let Seen { direction, payload: bytes, .. } = seen;
        session.decode(Chunk { bytes, wire_length: bytes.len(), direction }, out);
        heard.take(direction, out);
    };
    for (frame, (direction, payload)) in (1..).zip(datagrams) {
        let stamp = Stamp { frame, ..Stamp::default() };
        let seen = Seen { direction: *direction, sequence: 0, payload, missing: 0, stamp };
        if let Some(session) = &mut found {
            decode(&mut **session, seen, &mut out, &mut heard);
        } else if let Some((session, kept)) = probation.datagram(&[recognise], seen, ports, None) {
            let session = found.insert(session);
            kept.iter().for_each(|kept| decode(&mut **session, kept.seen(), &mut out, &mut heard));
        }
    }
    if let Some(mut session) = found {
        session.close(&mut out);
        heard.take(C, &mut out);
        heard.service = session.service();
    }
    heard
}

/// Hears a stream in segments cut at every place: what is told is the same as for the whole ones. Then each cut short:
/// it is taken.
pub fn cut_everywhere(recognise: Recognise, ports: [u16; 2], segments: &[(Direction, &[u8])]) {
    let whole = stream(recognise, ports, segments);
    let told = |heard: &Heard| {
        let mut activities = heard.activities.clone();
        activities.iter_mut().for_each(|activity| activity.request_frame = None);
        (activities, heard.claims.clone(), heard.service)
    };
    for (place, (direction, bytes)) in segments.iter().enumerate() {
        for at in 1..bytes.len() {
            let (before, after) = bytes.split_at(at);
            let with = |middle: &[(Direction, &[u8])], rest: bool| {
                let rest = if rest { &segments[place + 1..] } else { &[] };
                stream(recognise, ports, &[&segments[..place], middle, rest].concat())
            };
            let cut = with(&[(*direction, before), (*direction, after)], true);
            assert_eq!(told(&cut), told(&whole), "segment {place} cut at {at}");
            with(&[(*direction, before)], false);
            with(&[(*direction, before)], true);
        }
    }
}

/// The same for datagrams that are cut short: they are taken.
pub fn truncated(recognise: Recognise, ports: [u16; 2], sent: &[(Direction, &[u8])]) {
    for (place, (direction, bytes)) in sent.iter().enumerate() {
        for at in 0..bytes.len() {
            datagrams(recognise, ports, &[&sent[..place], &[(*direction, &bytes[..at])], &sent[place + 1..]].concat());
        }
    }
}

/// Any octets behind a start that is recognised, in two pieces each way: they are taken.
pub fn takes_any(recognise: Recognise, ports: [u16; 2], start: &[(Direction, &[u8])], any: &[u8]) {
    let (one, other) = any.split_at(any.len() / 2);
    stream(recognise, ports, &[start, &[(C, one), (S, one), (C, other), (S, other)]].concat());
    stream(recognise, ports, &[(C, any)]);
    stream(recognise, ports, &[(S, any)]);
    datagrams(recognise, ports, &[(C, any), (S, any)]);
    datagrams(recognise, ports, &[start, &[(C, any), (S, any)]].concat());
}

/// What was said, by whom, in order.
pub type Said<'a> = &'a [(Direction, &'a [u8])];
