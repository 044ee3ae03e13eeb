//! DNP3 (IEEE 1815-2012) over TCP and UDP.
//!
//! Link frames (`link`) carry segments (`transport`) of application fragments (`application`), which hold
//! objects: headers with points behind them (`objects`, `header`, `layout`, `points`), among them attributes of the
//! device, files and secure authentication (`attributes`, `files`, `security`). A fragment is one message, at its last
//! segment; so is each link frame without user data.

mod application;
mod association;
mod attributes;
mod files;
mod header;
mod layout;
mod link;
mod notes;
mod objects;
mod outcome;
mod points;
mod security;
mod transport;
mod words;

#[cfg(test)]
mod tests;

use application::Fragment;
use association::Association;
use link::{Body, Start};
use notes::Notes;
use transport::{Assembly, Joined, MAX_FRAGMENT, Segment};

use crate::model::{Kind, Message, OddityCode, Operation, Pairing, Protocol, Unit};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, dnp3 as codes};

/// Pairs of addresses that are remembered on one connection; the one unheard for longest makes room.
const MAX_ASSOCIATIONS: usize = 64;

/// Octets of unfinished fragments that are held on one connection, over all pairs.
const MAX_HELD: usize = 4 * MAX_FRAGMENT;

/// Recognises a stream by a frame header at its start: start octets, a possible length and a right CRC, 32 bits and
/// more that ordinary traffic does not have by chance. So the port says nothing more.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let starts = [probe.forward, probe.backward].map(|octets| match octets {
        [] => None,
        octets => Some(link::Header::at_start(octets)),
    });
    recognise(&starts)
}

/// Recognises a datagram, which starts with a frame and holds whole frames (clause 13), in the same way.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let starts = [probe.forward, probe.backward].map(|octets| match link::Header::at_start(octets) {
        Start::NeedMore => None, // More octets of it do not come.
        start => Some(start),
    });
    recognise(&starts)
}

/// Octets of the frame whose header, with its CRC, is at the start of some octets: none where there is no such
/// header, 0 where more octets may make one.
pub fn frame_octets(octets: &[u8]) -> Option<(usize, [u16; 2])> {
    match link::Header::at_start(octets) {
        Start::Frame(header) => Some((header.frame_octets(), [header.source, header.destination])),
        Start::NeedMore => Some((0, [0; 2])),
        Start::Damaged(_) | Start::Nothing => None,
    }
}

fn recognise(starts: &[Option<Start>; 2]) -> Recognition {
    if starts.iter().any(|start| matches!(start, Some(Start::Frame(_)))) {
        Recognition::Yes(Box::new(Dnp3::default()))
    } else if starts.contains(&Some(Start::NeedMore)) {
        Recognition::Undecided
    } else {
        Recognition::No
    }
}

/// One connection, or one flow of datagrams.
#[derive(Clone, Default)]
pub struct Dnp3 {
    /// The pair that was heard last is the first.
    associations: Vec<Association>,
    /// User data of the frame in hand.
    user_data: Vec<u8>,
    /// Key of the last request, where it was to whoever it reaches.
    self_addressed: Option<u64>,
}

impl Session for Dnp3 {
    fn protocol(&self) -> Protocol {
        Protocol::Dnp3
    }

    fn frame(&mut self, _direction: Direction, bytes: &[u8]) -> Framing {
        match link::Header::at_start(bytes) {
            Start::Frame(header) => Framing::Message(header.frame_octets()),
            // Its length may be what is wrong, so what follows it is looked through for the next frame.
            Start::Damaged(_) => Framing::Message(link::HEADER),
            Start::NeedMore => Framing::NeedMore,
            Start::Nothing => Framing::NotMine,
        }
    }

    fn resync(&self, _direction: Direction, bytes: &[u8]) -> Option<usize> {
        link::find(bytes)
    }

    /// A stream's chunk is one frame; a datagram holds any number of them.
    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let mut offset = 0;
        while let Some(octets) = chunk.bytes.get(offset..).filter(|octets| !octets.is_empty()) {
            match link::Header::at_start(octets) {
                Start::Frame(header) => {
                    let place = Place { direction: chunk.direction, offset, wire_end: chunk.wire_length };
                    self.link_frame(header, octets, place, out);
                    offset += header.frame_octets();
                }
                Start::NeedMore if chunk.is_whole() => {
                    let expected = format!("a frame header of {} octets, {} are left", link::HEADER, octets.len());
                    return out.oddity(OddityCode::BadLength, link::LAYER, offset, expected);
                }
                Start::NeedMore => return,
                nothing => {
                    match nothing {
                        Start::Damaged(checksums) => {
                            let place = offset + link::HEADER_CRC;
                            out.oddity(OddityCode::BadChecksum, link::LAYER, place, format!("header {checksums}"));
                        }
                        _ => {
                            let expected = "start octets 05 64 and a header with its CRC";
                            out.oddity(OddityCode::NotTheProtocol, link::LAYER, offset, expected);
                        }
                    }
                    // What starts here is no frame, so the next one is further on.
                    match link::find(&octets[1..]) {
                        Some(skipped) => offset += 1 + skipped,
                        None => return,
                    }
                }
            }
        }
    }

    fn held(&self) -> usize {
        self.associations.iter().map(Association::held).sum()
    }

    fn gap(&mut self, direction: Direction, out: &mut Output) {
        for association in &mut self.associations {
            give_up(association, direction, Notes::default(), out);
        }
    }
}

/// Where a frame was found.
#[derive(Clone, Copy)]
struct Place {
    direction: Direction,
    /// Offset of the frame in its chunk.
    offset: usize,
    /// Octets of the chunk on the wire.
    wire_end: usize,
}

impl Dnp3 {
    fn link_frame(&mut self, header: link::Header, octets: &[u8], place: Place, out: &mut Output) {
        let mut user_data = std::mem::take(&mut self.user_data);
        let body = link::user_data(header, octets, &mut user_data);
        let mut notes = Notes::default();
        if let Body::Damaged(offset, checksums) = body {
            let expected = format!("data block {checksums}");
            notes.oddity(OddityCode::BadChecksum, link::LAYER, place.offset + offset, expected);
        }
        if let Some((offset, address)) = header.reserved() {
            let expected = format!("an address that a device may have, found {address}");
            notes.oddity(OddityCode::InvalidValue, link::LAYER, place.offset + offset, expected);
        }
        let wire = header.frame_octets();
        if place.offset + wire > place.wire_end {
            let expected = format!("a frame of {wire} octets, {} are left", place.wire_end - place.offset);
            notes.oddity(OddityCode::BadLength, link::LAYER, place.offset + 2, expected);
        }
        let association = self.association(place.direction, header, out);
        let before = out.messages.len();
        match user_data.split_first() {
            Some((transport, application)) if carries_user_data(header) => {
                let segment = Segment {
                    header: transport::Header(*transport),
                    octets: application,
                    wire,
                    whole: body != Body::Cut,
                    intact: !matches!(body, Body::Damaged(..)),
                };
                if header.is_primary() {
                    association.primary(place.direction, header.function());
                }
                transport_segment(association, header, segment, place, notes, out);
            }
            _ => link_message(association, header, body, place, notes, out),
        }
        self.user_data = user_data;
        for message in out.messages.iter_mut().skip(before) {
            self.readdress(message);
        }
    }

    /// An answer to a request to whoever is reached comes from the address that this one has.
    fn readdress(&mut self, message: &mut Message) {
        match (message.pairing, self.self_addressed) {
            (Pairing::Opens(key), _) => {
                let to_whoever = message.destination_unit == Unit::Number(link::SELF_ADDRESS.into());
                self.self_addressed = to_whoever.then_some(key);
            }
            (Pairing::Answers { key, last }, Some(asked)) if without_outstation(key) == without_outstation(asked) => {
                message.pairing = Pairing::Answers { key: asked, last };
            }
            _ => {}
        }
    }

    /// The association of a frame, first in the list from now on.
    fn association(&mut self, direction: Direction, frame: link::Header, out: &mut Output) -> &mut Association {
        match self.associations.iter().position(|association| association.is_of(direction, frame)) {
            Some(0) => {}
            Some(place) => self.associations[..=place].rotate_right(1),
            None => {
                if self.associations.len() >= MAX_ASSOCIATIONS
                    && let Some(mut oldest) = self.associations.pop()
                {
                    for direction in [Direction::Forward, Direction::Backward] {
                        give_up(&mut oldest, direction, Notes::default(), out);
                    }
                }
                self.associations.insert(0, Association::new(direction, frame));
            }
        }
        self.make_room(out);
        &mut self.associations[0]
    }

    /// Gives up the fragments of those unheard for longest while too many octets are held.
    fn make_room(&mut self, out: &mut Output) {
        let mut held: usize = self.associations.iter().map(Association::held).sum();
        for association in self.associations.iter_mut().skip(1).rev() {
            if held <= MAX_HELD {
                return;
            }
            held -= association.held();
            for direction in [Direction::Forward, Direction::Backward] {
                give_up(association, direction, Notes::default(), out);
            }
        }
    }
}

fn carries_user_data(frame: link::Header) -> bool {
    frame.is_primary()
        && tables::find(codes::LINK_PRIMARY, frame.function().into()).is_some_and(|code| code.kind == "user_data")
}

/// A frame without user data.
fn link_message(
    association: &mut Association,
    frame: link::Header,
    body: Body,
    place: Place,
    mut notes: Notes,
    out: &mut Output,
) {
    let table = if frame.is_primary() { codes::LINK_PRIMARY } else { codes::LINK_SECONDARY };
    let code = tables::find(table, frame.function().into());
    if carries_user_data(frame) && body == Body::Whole {
        let expected = "a transport header and a fragment in a frame for user data";
        notes.oddity(OddityCode::BadLength, link::LAYER, place.offset + 2, expected);
    } else if !carries_user_data(frame) && frame.user_octets() > 0 {
        let expected = format!("length 5 without user data, found {} octets of it", frame.user_octets());
        notes.oddity(OddityCode::TrailingOctets, link::LAYER, place.offset + 2, expected);
    }
    let mut message = out.message();
    message.kind = Kind::Link;
    message.from_client = association.is_from_master(place.direction, frame);
    message.source_unit = Unit::Number(frame.source.into());
    message.destination_unit = Unit::Number(frame.destination.into());
    message.link_code = Some(frame.code());
    message.function = Some(frame.function().into());
    message.name = code.map_or("", |code| code.name);
    message.operation = code.and_then(|code| code.operation).unwrap_or(Operation::Unknown);
    message.length = u32::try_from(frame.frame_octets()).unwrap_or(u32::MAX);
    message.complete = body == Body::Whole;
    message.pairing = link_pairing(association, frame, place.direction);
    out.push(message);
    notes.put_into(out);
}

/// Set in the keys of link exchanges.
const OF_LINK: u64 = 1 << 63;

/// A key whatever the address of the outstation.
const fn without_outstation(key: u64) -> u64 {
    let outstation = if key & OF_LINK == 0 { 0xFFFF << 8 } else { 0xFFFF };
    key & !outstation
}

/// A primary station has one frame under way at a time, so the addresses alone make the key.
fn link_pairing(association: &mut Association, frame: link::Header, direction: Direction) -> Pairing {
    let key = |primary: u16, secondary: u16| OF_LINK | u64::from(primary) << 16 | u64::from(secondary);
    let is_answered =
        |function: u8| tables::find(codes::LINK_PRIMARY, function.into()).is_some_and(|code| code.kind == "answered");
    if frame.is_primary() {
        association.primary(direction, frame.function());
        return match is_answered(frame.function()) && !frame.is_broadcast() {
            true => Pairing::Opens(key(frame.source, frame.destination)),
            false => Pairing::Alone,
        };
    }
    match association.answered_primary(direction) {
        // An acknowledgement of user data; the application layer has the exchange.
        Some(function) if !is_answered(function) => Pairing::None,
        _ => Pairing::Answers { key: key(frame.destination, frame.source), last: true },
    }
}

/// Adds a segment to its fragment, and decodes the fragment where it is the last.
fn transport_segment(
    association: &mut Association,
    frame: link::Header,
    segment: Segment<'_>,
    place: Place,
    mut notes: Notes,
    out: &mut Output,
) {
    let direction = place.direction;
    let transport_header = place.offset + link::HEADER;
    if segment.header.is_first() {
        if association.assembly(direction).is_some() {
            let mut unfinished = Notes::default();
            let expected = "the last segment (FIN) of the fragment before, found a first one";
            unfinished.oddity(OddityCode::BadSequence, transport::LAYER, transport_header, expected);
            give_up(association, direction, unfinished, out);
        }
        if !segment.header.is_final() {
            *association.assembly(direction) = Some(Assembly::new(frame, segment));
            return notes.put_into(out);
        }
        if segment.octets.len() < application::HEADER {
            let body = if segment.whole { Body::Whole } else { Body::Cut };
            return link_message(association, frame, body, place, notes, out);
        }
        let fragment = Fragment {
            octets: segment.octets,
            frame,
            wire: segment.wire,
            whole: segment.whole,
            intact: segment.intact,
        };
        application::decode(fragment, direction, association, notes, out);
        return;
    }
    let Some(mut assembly) = association.assembly(direction).take() else {
        let expected = format!("a first segment (FIR), found segment {}", segment.header.sequence());
        notes.oddity(OddityCode::BadSequence, transport::LAYER, transport_header, expected);
        return notes.put_into(out);
    };
    match assembly.join(frame, segment) {
        Joined::Yes if segment.header.is_final() => {
            application::decode(assembly.fragment(), direction, association, notes, out);
        }
        Joined::Yes => {
            *association.assembly(direction) = Some(assembly);
            notes.put_into(out);
        }
        Joined::OutOfSequence(expected) => {
            let expected = format!("segment {expected}, found segment {}", segment.header.sequence());
            notes.oddity(OddityCode::BadSequence, transport::LAYER, transport_header, expected);
            assembly.whole = false;
            application::decode(assembly.fragment(), direction, association, notes, out);
        }
        Joined::TooLong => {
            let expected = format!("a fragment of at most {MAX_FRAGMENT} octets");
            notes.oddity(OddityCode::BadLength, transport::LAYER, transport_header, expected);
            assembly.whole = false;
            application::decode(assembly.fragment(), direction, association, notes, out);
        }
    }
}

/// Pushes the fragment under construction as it is; its end will not come.
fn give_up(association: &mut Association, direction: Direction, notes: Notes, out: &mut Output) {
    if let Some(mut assembly) = association.assembly(direction).take() {
        assembly.whole = false;
        application::decode(assembly.fragment(), direction, association, notes, out);
    } else {
        notes.put_into(out);
    }
}
