//! What the octets at some place of a line may be, and how far what is known bears each reading out.
//!
//! A CRC of 16 bits fits by chance once in 65,536: the beginning of an answer may be a request by its CRC, and noise with
//! the start of a frame another one. So a frame is not taken while a better reading of the same octets is possible.

use super::ascii;
use crate::protocols::dnp3;
use crate::protocols::modbus::codes::EXCEPTION;
use crate::protocols::modbus::rtu::{self, Start};
use crate::protocols::modbus::shape::{self, Fit, Role};

/// Unit and CRC.
const AROUND_PDU: usize = 3;

/// How far a reading is borne out, from worst to best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Worth {
    /// A record that is a frame by its CRC alone, of a function whose structure is not known.
    Unknown,
    /// Length and CRC agree; a quantity or value is one that the standard forbids.
    Forbidden,
    /// A response within its bounds, to no question that is open.
    Unasked,
    /// A request within its bounds.
    Request,
    /// What the open question asks for.
    Answer,
    /// A header of DNP3, whose start octets and CRC prove it; a frame of Modbus ASCII from its colon to its line end.
    Proven,
}

/// One reading of the octets at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub worth: Worth,
    /// Octets of the frame, or how many are needed at least to tell.
    pub length: usize,
    /// All octets are there and prove it.
    pub is_whole: bool,
    pub form: Form,
}

/// Which frame it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Sender and receiver are in its header.
    Dnp3([u16; 2]),
    Rtu,
    Ascii,
}

/// What stands at the start of some octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Here {
    Frame(Reading),
    /// More octets may make a frame of it, or a better one; true where its header proves it.
    Wait(bool),
    Nothing,
}

/// The best reading at the start of some octets. `asked` is the open question, unit and PDU; `more` tells that octets may
/// follow.
pub(super) fn here(octets: &[u8], asked: Option<&[u8]>, more: bool) -> Here {
    let best = |is_whole: bool| {
        let all = readings(octets, asked).into_iter().flatten();
        all.filter(|reading| reading.is_whole == is_whole).reduce(|a, b| if b.worth > a.worth { b } else { a })
    };
    let open = best(false).filter(|reading| more || reading.worth == Worth::Proven);
    match (best(true), open) {
        (Some(whole), Some(open)) if open.worth > whole.worth => Here::Wait(open.worth == Worth::Proven),
        (Some(whole), _) => Here::Frame(whole),
        (None, Some(open)) => Here::Wait(open.worth == Worth::Proven),
        (None, None) => Here::Nothing,
    }
}

/// The first better reading that begins within a frame at the start of some octets: where, and whether it is whole.
pub(super) fn rival(
    octets: &[u8],
    length: usize,
    worth: Worth,
    asked: Option<&[u8]>,
    more: bool,
) -> Option<(usize, bool)> {
    if worth >= Worth::Answer || (worth == Worth::Request && asked.is_none()) {
        return None;
    }
    (1..length.min(octets.len())).find_map(|at| {
        let mut better = readings(&octets[at..], asked).into_iter().flatten().filter(|other| other.worth > worth);
        better.find(|other| other.is_whole || more).map(|other| (at, other.is_whole))
    })
}

fn readings(octets: &[u8], asked: Option<&[u8]>) -> [Option<Reading>; 4] {
    let dnp3 = dnp3::frame_octets(octets).map(|(length, ends)| Reading {
        // Its start octets alone prove nothing.
        worth: if length > 0 { Worth::Proven } else { Worth::Unknown },
        length,
        is_whole: (1..=octets.len()).contains(&length),
        form: Form::Dnp3(ends),
    });
    let ascii = match ascii::start(octets) {
        ascii::Start::Frame(length, _) => Some((Worth::Proven, length)),
        ascii::Start::NeedMore => Some((Worth::Unknown, octets.len() + 1)),
        ascii::Start::Foreign => None,
    };
    let ascii =
        ascii.map(|(worth, length)| Reading { worth, length, is_whole: worth == Worth::Proven, form: Form::Ascii });
    let [request, response] = Role::BOTH.map(|role| modbus(role, octets, asked));
    [dnp3, ascii, request, response]
}

fn modbus(role: Role, octets: &[u8], asked: Option<&[u8]>) -> Option<Reading> {
    let (length, is_whole) = match rtu::start(role, octets) {
        Start::Frame(length) => (length, true),
        Start::Needs(length) => (length, false),
        Start::Foreign => return None,
    };
    let wanted = length.saturating_sub(AROUND_PDU);
    let pdu = octets.get(1..).unwrap_or(&[]);
    let pdu = pdu.get(..wanted).unwrap_or(pdu);
    // Of the few octets from which the length cannot be told yet, all may be as it should.
    let is_forbidden =
        shape::extent(role, pdu) == shape::Extent::Octets(wanted) && shape::fit(role, pdu, wanted) == Fit::Length;
    let is_answer =
        |asked: &[u8]| octets.first() == asked.first() && answers(asked.get(1..).unwrap_or(&[]), pdu, is_whole);
    let worth = match role {
        _ if is_forbidden => Worth::Forbidden,
        Role::Request => Worth::Request,
        Role::Response if asked.is_some_and(is_answer) => Worth::Answer,
        Role::Response => Worth::Unasked,
    };
    Some(Reading { worth, length, is_whole, form: Form::Rtu })
}

/// True where a response, or the beginning of one, can answer a request.
fn answers(request: &[u8], response: &[u8], is_whole: bool) -> bool {
    let asked = request.first().copied().unwrap_or(0);
    match response {
        [] => true,
        [function] => *function & !EXCEPTION == asked,
        _ => shape::answers(request, response) || (!is_whole && request.starts_with(response)),
    }
}
