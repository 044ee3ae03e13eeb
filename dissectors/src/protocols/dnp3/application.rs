//! The application layer (IEEE 1815-2012, clause 4): a fragment's header, and its part in an exchange.

use super::association::Association;
use super::link;
use super::notes::Notes;
use super::{header, objects, outcome};
use crate::bytes::Cursor;
use crate::model::{Kind, Message, Object, OddityCode, Operation, Pairing, Unit};
use crate::session::{Direction, Output};
use crate::tables::{self, Code, dnp3 as codes};

const FIR: u8 = 0x80;
const FIN: u8 = 0x40;
/// Sequence number, in the application control octet.
pub(super) const SEQUENCE: u8 = 0x0F;

/// Function codes that the pairing turns on; their names are in the table.
mod function {
    pub(super) const CONFIRM: u8 = 0;
    pub(super) const AUTHENTICATE_REQUEST: u8 = 32;
    /// This and all above are an outstation's.
    pub(super) const RESPONSE: u8 = 129;
    pub(super) const UNSOLICITED_RESPONSE: u8 = 130;
    pub(super) const AUTHENTICATE_RESPONSE: u8 = 131;
}

/// Application control and function code: less than that is no fragment.
pub(super) const HEADER: usize = 2;

/// Octets of the internal indications, behind the header of a response.
const INDICATIONS: usize = 2;

/// One fragment, whole or not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'a> {
    /// Its octets, from the application control on.
    pub(super) octets: &'a [u8],
    /// The last of its link frames.
    pub(super) frame: link::Header,
    /// Octets of all its link frames.
    pub(super) wire: usize,
    /// False where its end is not there.
    pub(super) whole: bool,
    /// False where a CRC is wrong, so that the receiver has discarded it.
    pub(super) intact: bool,
}

/// Decodes a fragment and pushes its message; one that is too short to have a header makes none.
pub(super) fn decode(
    fragment: Fragment<'_>,
    direction: Direction,
    association: &mut Association,
    mut notes: Notes,
    out: &mut Output,
) {
    let mut cursor = Cursor::new(fragment.octets);
    let (Ok(control), Ok(function)) = (cursor.u8("application control"), cursor.u8("function code")) else {
        if fragment.whole {
            let expected = format!("application control and function code, found {} octets", fragment.octets.len());
            notes.oddity(OddityCode::BadLength, objects::LAYER, 0, expected);
        }
        return notes.put_into(out);
    };
    let frame = fragment.frame;
    let code = tables::find(codes::FUNCTIONS, function.into());
    let sequence = control & SEQUENCE;

    let mut message = out.message();
    message.from_client = from_master(function, frame, direction, fragment.intact, association, &mut notes);
    message.kind = kind(function, code, frame);
    message.source_unit = Unit::Number(frame.source.into());
    message.destination_unit = Unit::Number(frame.destination.into());
    message.link_code = Some(frame.code());
    message.function = Some(function.into());
    message.name = code.map_or("", |code| code.name);
    message.operation = code.and_then(|code| code.operation).unwrap_or(Operation::Unknown);
    message.transaction = Some(sequence.into());
    message.length = u32::try_from(fragment.wire).unwrap_or(u32::MAX);
    message.complete = fragment.whole && fragment.intact;

    if fragment.intact {
        body(&mut cursor, function, code, fragment.whole, &mut message, &mut notes);
    }
    message.pairing = match (fragment.intact, message.kind) {
        (true, _) => pairing(control, function, &message, frame, association, &mut notes),
        (false, Kind::Response | Kind::Confirm) => Pairing::None,
        (false, _) => Pairing::Alone,
    };
    if fragment.intact {
        conclude(&mut message, fragment.whole, association, &mut notes);
    }
    out.push(message);
    notes.put_into(out);
}

/// Internal indications and objects.
fn body(
    cursor: &mut Cursor<'_>,
    function: u8,
    code: Option<&Code>,
    whole: bool,
    message: &mut Message,
    notes: &mut Notes,
) {
    let response = function >= function::RESPONSE;
    if response {
        match cursor.u16_le("internal indications") {
            Ok(indications) => message.indications = Some(indications),
            Err(short) => {
                if whole {
                    notes.oddity(OddityCode::BadLength, objects::LAYER, short.offset, short.to_string());
                }
                return;
            }
        }
    }
    match code {
        Some(code) => {
            let context = objects::Context {
                data: code.kind.contains("data"),
                time_first: code.kind.contains("time"),
                response,
                cut: !whole,
                common_time: None,
            };
            objects::decode(cursor, context, message, notes);
            message.operation = operation(message);
        }
        None if cursor.is_empty() => {}
        None => {
            let expected = format!("objects of a known function, found function {function}");
            notes.oddity(OddityCode::UndecodedObject, objects::LAYER, cursor.offset(), expected);
        }
    }
}

/// The operation, once it is known what is read or written: the clock is set, the restart indication cleared, and
/// files are read and written, with the same two functions as points are; users and their keys are changed with that
/// of authentication.
fn operation(message: &Message) -> Operation {
    let of_object = |object: &Object| {
        let (group, variation) = (object.type_number?, object.variation?);
        header::entry(u8::try_from(group).ok()?, u8::try_from(variation).ok()?)?.operation
    };
    let of_objects = || {
        let is_authentication = |object: &&Object| object.kind == "authentication";
        let mut operations = message.objects.iter().filter(|object| !is_authentication(object)).map(of_object);
        let first = operations.next().flatten();
        first.filter(|_| operations.all(|operation| operation.is_some()))
    };
    match message.operation {
        Operation::Write => of_objects().unwrap_or(Operation::Write),
        Operation::Read => of_objects().filter(|of| *of == Operation::File).unwrap_or(Operation::Read),
        Operation::Authenticate => message.objects.iter().find_map(of_object).unwrap_or(Operation::Authenticate),
        operation => operation,
    }
}

/// What became of the request: refused, or answered with other controls than it asked for.
fn conclude(message: &mut Message, whole: bool, association: &mut Association, notes: &mut Notes) {
    let is_of = |function: u8| message.function == Some(function.into());
    // The reply to a challenge comes between controls and their answer.
    if message.kind == Kind::Request && !is_of(function::AUTHENTICATE_REQUEST) {
        let controls = (message.operation == Operation::Operate).then(|| outcome::controls(message)).flatten();
        association.controls = message.transaction.zip(controls);
    } else if is_of(function::RESPONSE)
        && whole
        && let Some((sequence, asked)) = association.controls.take()
        && message.transaction == Some(sequence)
        && outcome::controls(message).is_some_and(|answered| answered != asked)
    {
        let expected = "the controls of the request with their statuses, found others";
        notes.oddity(OddityCode::Mismatch, objects::LAYER, HEADER + INDICATIONS, expected);
    }
    if let Some((status, name)) = outcome::refusal(message) {
        message.status = status;
        message.status_name = name;
        if message.kind == Kind::Response {
            message.kind = Kind::Error;
        }
    }
}

fn kind(function: u8, code: Option<&Code>, frame: link::Header) -> Kind {
    match function {
        function::CONFIRM => Kind::Confirm,
        function::UNSOLICITED_RESPONSE => Kind::Unsolicited,
        function::RESPONSE.. => Kind::Response,
        _ if frame.is_broadcast() || code.is_some_and(|code| code.kind.contains("no_ack")) => Kind::Unconfirmed,
        _ => Kind::Request,
    }
}

/// Who sent it. The function tells, and is remembered for frames without one; the DIR bit is wrong in some devices.
fn from_master(
    function: u8,
    frame: link::Header,
    direction: Direction,
    intact: bool,
    association: &mut Association,
    notes: &mut Notes,
) -> bool {
    if function == function::CONFIRM {
        return association.is_from_master(direction, frame);
    }
    let from_master = function < function::RESPONSE;
    if intact {
        association.learn_master(direction, from_master);
        if from_master != frame.is_from_master() && !association.reported_dir {
            association.reported_dir = true;
            let expected = format!("DIR {} with function {function}, found the opposite", u8::from(from_master));
            notes.oddity(OddityCode::InvalidValue, link::LAYER, 3, expected);
        }
    }
    from_master
}

/// Later fragments of a response count on from the sequence number of the request, so the association
/// remembers which request they answer.
fn pairing(
    control: u8,
    function: u8,
    message: &Message,
    frame: link::Header,
    association: &mut Association,
    notes: &mut Notes,
) -> Pairing {
    let sequence = control & SEQUENCE;
    let key = |sequence: u8| match message.from_client {
        true => key(frame.source, frame.destination, sequence),
        false => key(frame.destination, frame.source, sequence),
    };
    let authenticates = |variation: u16| {
        message.objects.iter().any(|object| object.type_number == Some(120) && object.variation == Some(variation))
    };
    match message.kind {
        Kind::Confirm => Pairing::None,
        Kind::Unsolicited | Kind::Unconfirmed => Pairing::Alone,
        Kind::Response => {
            let (request, expected) = association.answered(sequence, control & FIR != 0, control & FIN != 0);
            if expected.is_some_and(|expected| expected != sequence) {
                let expected = format!("application sequence {}, found {sequence}", expected.unwrap_or(0));
                notes.oddity(OddityCode::BadSequence, objects::LAYER, 0, expected);
            }
            // A challenge (g120v1) holds the answer back until the reply to it has come (clause 7).
            let challenge = function == function::AUTHENTICATE_RESPONSE && authenticates(1);
            association.challenged = challenge.then_some(request);
            Pairing::Answers { key: key(request), last: control & FIN != 0 && !challenge }
        }
        // The reply to a challenge has the sequence number of the request that waits for its answer.
        _ if function == function::AUTHENTICATE_REQUEST && association.challenged.take() == Some(sequence) => {
            Pairing::Alone
        }
        _ => {
            association.asked(sequence);
            Pairing::Opens(key(sequence))
        }
    }
}

fn key(master: u16, outstation: u16, sequence: u8) -> u64 {
    u64::from(master) << 24 | u64::from(outstation) << 8 | u64::from(sequence)
}
