//! Userdata: what programming devices and panels ask beside variables.
//!
//! ```text
//! 00 01 12 | length | method | type, group | subfunction | sequence | data unit | last | error (2)      parameters
//! return code | transport size | length (2) | octets                                                    data
//! ```
//! The last three parameters are there where the method is that of an answer.

use super::asked::Asked;
use super::blocks;
use super::draft::Draft;
use super::job::{Sections, error_name};
use super::szl;
use super::variables;
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Attribute, Kind, Object, OddityCode, Operation, Pairing};
use crate::session::Direction;
use crate::tables::{self, s7comm as codes};

/// Set in the function, so that userdata are told from jobs: the type and group octet of a request.
const REQUEST: u8 = 0x40;
/// The method of an answer, and of a request that follows up on one.
const ANSWERS: u8 = 0x12;
/// Return codes of an answer that says yes: done, or done without data.
const SUCCESS: u8 = 0xFF;
const NO_DATA: u8 = 0x0A;
/// Answers in several data units that are put together at a time, and octets of one.
const MAX_PARTIAL: usize = 4;
const MAX_HELD: usize = 64 * 1024;

mod group {
    pub(super) const MODE_TRANSITION: u8 = 0;
    pub(super) const CYCLIC: u8 = 2;
    pub(super) const BLOCK: u8 = 3;
    pub(super) const CPU: u8 = 4;
    pub(super) const SECURITY: u8 = 5;
    pub(super) const TIME: u8 = 7;
}

/// How a PDU takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Push,
    Request,
    Response,
}

/// The parameters.
struct Parameters {
    role: Option<Role>,
    group: u8,
    subfunction: u8,
    data_unit: u8,
    last: bool,
    error: u16,
}

impl Parameters {
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Short> {
        cursor.take(3, "parameter head")?;
        cursor.take(1, "parameter length")?;
        let method = cursor.u8("method")?;
        let kind = cursor.u8("type and group")?;
        let subfunction = cursor.u8("subfunction")?;
        cursor.take(1, "sequence number")?;
        let long = method == ANSWERS;
        let data_unit = if long { cursor.u8("data unit reference")? } else { 0 };
        let last = !long || cursor.u8("last data unit")? == 0;
        let error = if long { cursor.u16_be("error code")? } else { 0 };
        // Numerical controls set bits beside those of the type.
        let role = match kind >> 4 {
            0 | 3 => Some(Role::Push),
            4 | 7 => Some(Role::Request),
            8 | 11 => Some(Role::Response),
            _ => None,
        };
        Ok(Parameters { role, group: kind & 0x0F, subfunction, data_unit, last, error })
    }

    fn function(&self) -> u16 {
        u16::from_be_bytes([REQUEST | self.group, self.subfunction])
    }
}

/// An answer whose later data units are awaited.
#[derive(Clone, Debug)]
struct Partial {
    direction: Direction,
    function: u16,
    data_unit: u8,
    octets: Vec<u8>,
}

/// Answers under construction.
#[derive(Clone, Debug, Default)]
pub(super) struct Partials(Vec<Partial>);

impl Partials {
    /// Adds the octets of a data unit; gives those of the whole answer with the last one.
    fn join(&mut self, direction: Direction, parameters: &Parameters, octets: &[u8]) -> Option<Vec<u8>> {
        let function = parameters.function();
        let known = self.0.iter().position(|part| {
            (part.direction, part.function, part.data_unit) == (direction, function, parameters.data_unit)
        });
        if known.is_none() && self.0.len() >= MAX_PARTIAL {
            self.0.remove(0);
        }
        let begun = Partial { direction, function, data_unit: parameters.data_unit, octets: Vec::new() };
        let mut partial = known.map_or(begun, |place| self.0.remove(place));
        let room = MAX_HELD.saturating_sub(partial.octets.len());
        partial.octets.extend_from_slice(&octets[..octets.len().min(room)]);
        if parameters.last {
            return Some(partial.octets);
        }
        self.0.push(partial);
        None
    }

    /// Octets held.
    pub(super) fn held(&self) -> usize {
        self.0.iter().map(|partial| partial.octets.len()).sum()
    }

    /// Forgets the answers of one direction.
    pub(super) fn forget(&mut self, direction: Direction) {
        self.0.retain(|partial| partial.direction != direction);
    }
}

/// Where a PDU was, and what is known of its conversation.
pub(super) struct Context<'a> {
    pub(super) direction: Direction,
    pub(super) key: u64,
    pub(super) asked: &'a mut Asked,
    pub(super) partials: &'a mut Partials,
}

/// Decodes the userdata of a PDU.
pub(super) fn decode(sections: Sections<'_>, context: Context<'_>, draft: &mut Draft) {
    match Parameters::read(&mut Cursor::new(sections.parameters)) {
        Ok(parameters) => with(&parameters, sections, context, draft),
        Err(short) => draft.short(sections.parameters_at, Err(short)),
    }
}

fn with(parameters: &Parameters, sections: Sections<'_>, mut context: Context<'_>, draft: &mut Draft) {
    name(parameters, draft);
    let key = context.key;
    (draft.message.kind, draft.message.pairing) = match parameters.role {
        Some(Role::Push) => (Kind::Unsolicited, Pairing::Alone),
        Some(Role::Request) => (Kind::Request, Pairing::Opens(key)),
        Some(Role::Response) => (Kind::Response, Pairing::Answers { key, last: true }),
        None => {
            draft.odd(OddityCode::InvalidValue, sections.parameters_at + 5, "a push, a request or a response");
            (Kind::Unknown, Pairing::None)
        }
    };
    draft.message.from_client = parameters.role == Some(Role::Request);
    if draft.message.kind == Kind::Unsolicited {
        draft.message.operation = Operation::Report;
    }
    if parameters.group == group::MODE_TRANSITION {
        mode_transition(parameters.subfunction, draft);
    }
    let mut refused = (parameters.error != 0).then(|| (parameters.error, error_name(parameters.error)));
    if !sections.data.is_empty() {
        match data(sections.data) {
            Ok((result, octets)) => {
                if parameters.role == Some(Role::Response) && !matches!(result, 0 | SUCCESS | NO_DATA) {
                    refused =
                        refused.or_else(|| Some((result.into(), tables::name(codes::RETURN_CODES, result.into()))));
                }
                let at = sections.data_at + 4;
                let result = content(parameters, octets, at, &mut context, draft);
                draft.short(at, result);
            }
            Err(short) => draft.short(sections.data_at, Err(short)),
        }
    }
    if let Some((status, name)) = refused.filter(|_| parameters.role == Some(Role::Response)) {
        draft.failed(status, name);
    }
}

fn name(parameters: &Parameters, draft: &mut Draft) {
    let code = u32::from(parameters.group) << 8 | u32::from(parameters.subfunction);
    let known =
        tables::find(codes::USERDATA, code).or_else(|| tables::find(codes::USERDATA_GROUPS, parameters.group.into()));
    draft.function(parameters.function(), known);
}

/// Return code and the octets of the data section, as many as are there.
fn data(octets: &[u8]) -> Result<(u8, &[u8]), Short> {
    let mut cursor = Cursor::new(octets);
    let result = cursor.u8("return code")?;
    cursor.take(1, "transport size")?;
    let length = usize::from(cursor.u16_be("length")?);
    let rest = cursor.rest();
    Ok((result, rest.get(..length).unwrap_or(rest)))
}

fn content(
    parameters: &Parameters,
    octets: &[u8],
    at: usize,
    context: &mut Context<'_>,
    draft: &mut Draft,
) -> Result<(), Short> {
    let mut cursor = Cursor::new(octets);
    let asks = parameters.role == Some(Role::Request);
    let answers = parameters.role == Some(Role::Response);
    match (parameters.group, parameters.subfunction) {
        (group::CYCLIC, 1 | 5 | 7) if asks => cyclic_request(&mut cursor, at, context, draft),
        (group::CYCLIC, _) if !asks => cyclic_data(&mut cursor, context, draft),
        (group::BLOCK, 1) if answers => block_counts(octets, draft),
        (group::BLOCK, 2) if asks => block_type(octets, draft),
        (group::BLOCK, 3) if asks => block_info(octets, draft),
        (group::CPU, 1) if asks => szl::request(&mut cursor, draft),
        (group::CPU, 1) if answers => {
            // A list in several data units is read once the last is there; a request names it in each.
            let in_parts = parameters.data_unit != 0 || !parameters.last;
            let joined = in_parts.then(|| context.partials.join(context.direction, parameters, octets));
            match joined {
                None => szl::list(octets, draft),
                Some(Some(whole)) => szl::list(&whole, draft),
                Some(None) => Ok(()),
            }
        }
        (group::CPU, 2) if asks => message_service(&mut cursor, draft),
        (group::CPU, 3) => diagnostic_message(&mut cursor, draft),
        (group::SECURITY, 1) if asks => {
            // That there is one; nothing of its octets.
            draft.object(Object { kind: "password", count: 1, ..Object::default() }, [], "");
            Ok(())
        }
        (group::TIME, _) => clock(octets, draft),
        _ => Ok(()),
    }
}

/// The mode that the device goes into, which is the subfunction.
fn mode_transition(mode: u8, draft: &mut Draft) {
    let known = tables::find(codes::USERDATA, mode.into());
    let mode_name = known.map_or("", |known| known.kind);
    draft.object(Object { kind: "operating-mode", count: 1, ..Object::default() }, [mode.into()], mode_name);
    draft.claim(Attribute::State, mode_name);
}

/// Number of items, interval (unit and factor), addresses.
fn cyclic_request(
    cursor: &mut Cursor<'_>,
    at: usize,
    context: &mut Context<'_>,
    draft: &mut Draft,
) -> Result<(), Short> {
    let count = cursor.u16_be("number of items")?;
    cursor.take(2, "interval")?;
    let items = variables::addresses(cursor, count.into(), at, draft)?;
    variables::put(&items, draft);
    context.asked.ask(context.direction, context.key, items);
    Ok(())
}

fn cyclic_data(cursor: &mut Cursor<'_>, context: &mut Context<'_>, draft: &mut Draft) -> Result<(), Short> {
    if cursor.left() < 2 {
        return Ok(());
    }
    let count = cursor.u16_be("number of items")?;
    let asked = context.asked.answer(context.direction, context.key);
    let (_, result) = variables::data(cursor, count.into(), &asked, true, draft);
    result
}

/// Of each type: its two digits, and how many blocks there are.
fn block_counts(octets: &[u8], draft: &mut Draft) -> Result<(), Short> {
    for record in octets.chunks_exact(4) {
        let object = Object { start: None, ..blocks::block(&record[..2]) };
        draft.object(object, [f64::from(u16::from_be_bytes([record[2], record[3]]))], "");
    }
    Ok(())
}

fn block_type(octets: &[u8], draft: &mut Draft) -> Result<(), Short> {
    if let Some(digits) = octets.get(..2) {
        draft.object(Object { start: None, ..blocks::block(digits) }, [], "");
    }
    Ok(())
}

fn block_info(octets: &[u8], draft: &mut Draft) -> Result<(), Short> {
    draft.object(blocks::block(octets), [], &printable(octets));
    Ok(())
}

/// Which events are subscribed to, as bits, and by whom.
fn message_service(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    let events = cursor.u8("subscribed events")?;
    cursor.take(1, "reserved")?;
    let user = printable(cursor.rest().get(..8).unwrap_or(&[]));
    draft.object(Object { kind: "message-service", count: 1, ..Object::default() }, [events.into()], &user);
    Ok(())
}

fn diagnostic_message(cursor: &mut Cursor<'_>, draft: &mut Draft) -> Result<(), Short> {
    let event = cursor.u16_be("event")?;
    draft.object(Object { kind: "diagnostic-event", start: Some(event.into()), count: 1, ..Object::default() }, [], "");
    Ok(())
}

/// Reserved, century and year, month, day, hour, minute, second, milliseconds with the weekday; all of them BCD.
fn clock(octets: &[u8], draft: &mut Draft) -> Result<(), Short> {
    let &[_, century, year, month, day, hour, minute, second, milliseconds, rest] = octets else { return Ok(()) };
    // Devices leave 19 for the century after 1999 too.
    let century = if century == 0x19 && year < 0x90 { 0x20 } else { century };
    let text = format!(
        "{century:02x}{year:02x}-{month:02x}-{day:02x} {hour:02x}:{minute:02x}:{second:02x}.{milliseconds:02x}{:x}",
        rest >> 4
    );
    draft.object(Object { kind: "clock", count: 1, ..Object::default() }, [], &text);
    Ok(())
}
