//! Application layer: the APDU header (20.1), its part in an exchange, and segmented messages.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Write as _;

use super::draft::Draft;
use super::segmentation::{Key, Placed, Reassembly, Segment};
use super::service::{self, Role};
use super::tag::{Malformed, Reader};
use crate::bytes::{Cursor, Short};
use crate::model::{Kind, OddityCode, Operation, Pairing, Unit};
use crate::session::Direction;
use crate::tables::{self, Code};

/// Confirmed notifications whose acknowledgement is awaited, of one flow.
const MAX_NOTIFICATIONS: usize = 64;

/// APDU types (20.1.2 to 20.1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ApduType {
    ConfirmedRequest,
    UnconfirmedRequest,
    SimpleAck,
    ComplexAck,
    SegmentAck,
    Error,
    Reject,
    Abort,
    Reserved,
}

impl ApduType {
    fn from_code(code: u8) -> Self {
        const TYPES: [ApduType; 8] = [
            ApduType::ConfirmedRequest,
            ApduType::UnconfirmedRequest,
            ApduType::SimpleAck,
            ApduType::ComplexAck,
            ApduType::SegmentAck,
            ApduType::Error,
            ApduType::Reject,
            ApduType::Abort,
        ];
        TYPES.get(usize::from(code)).copied().unwrap_or(ApduType::Reserved)
    }

    fn kind(self) -> Kind {
        match self {
            ApduType::ConfirmedRequest => Kind::Request,
            ApduType::UnconfirmedRequest => Kind::Unconfirmed,
            ApduType::SimpleAck | ApduType::ComplexAck => Kind::Response,
            ApduType::SegmentAck => Kind::Confirm,
            ApduType::Error | ApduType::Reject | ApduType::Abort => Kind::Error,
            ApduType::Reserved => Kind::Unknown,
        }
    }
}

/// Flags of the first octet (20.1.2.1, 20.1.6.1, 20.1.9.1).
mod flag {
    pub const SEGMENTED: u8 = 0x08;
    pub const MORE_FOLLOWS: u8 = 0x04;
    pub const NEGATIVE_ACK: u8 = 0x02;
    pub const SERVER: u8 = 0x01;
}

/// Bits of a request's first octet that leave it as it is: a segmented answer is accepted (20.1.2.4).
const REQUEST_OPTIONS: u8 = 0x02;

/// What the header says beyond what goes into the message.
struct Header {
    apdu_type: ApduType,
    flags: u8,
    invoke_id: u8,
    segment: Option<Segment>,
    service: Option<&'static Code>,
}

/// What is remembered of the application layer between two endpoints.
#[derive(Clone, Default)]
pub struct Application {
    reassembly: Reassembly,
    /// Confirmed notifications under way: who sent them, and their key. A reject or abort names no service, and only
    /// this tells that it answers a notification, whose client is the receiver.
    notifications: VecDeque<(Direction, u64)>,
}

impl Application {
    /// Forgets half-built messages of a direction; true where there were some.
    pub fn give_up(&mut self, direction: Direction) -> bool {
        self.reassembly.give_up(direction)
    }

    /// Octets held for messages in segments.
    pub fn held(&self) -> usize {
        self.reassembly.held()
    }

    /// True where no message is half built and no notification awaits its acknowledgement.
    pub fn is_idle(&self) -> bool {
        self.reassembly.is_idle() && self.notifications.is_empty()
    }

    /// Decodes the APDU that starts `base` octets into its message.
    pub fn decode(&mut self, draft: &mut Draft, apdu: &[u8], base: usize, direction: Direction) {
        let mut bytes = Cursor::new(apdu);
        match header(&mut bytes, base, draft) {
            Ok(header) => {
                self.pair(&header, draft, direction);
                let Some((data, base)) = self.service_data(&header, draft, &bytes, base, direction) else { return };
                draft.base = base;
                let name = draft.message.name;
                let result = match header.apdu_type {
                    ApduType::Error => error(&data, draft),
                    ApduType::ComplexAck => service::decode(name, Role::Ack, &data, draft),
                    _ => service::decode(name, Role::Request, &data, draft),
                };
                if let Err(malformed) = result {
                    draft.malformed("apdu", base, malformed);
                }
            }
            Err(short) => draft.malformed("apdu", base, short),
        }
    }

    /// Sets who is client and server, and which exchange the message opens or answers.
    fn pair(&mut self, header: &Header, draft: &mut Draft, direction: Direction) {
        let message = &mut draft.message;
        let (source, destination) = (message.source_unit, message.destination_unit);
        let is_notification = header.service.is_some_and(|service| service.kind == "notification");
        match header.apdu_type {
            ApduType::ConfirmedRequest => {
                let key = key(source, destination, header.invoke_id, is_notification);
                message.from_client = !is_notification;
                message.pairing = Pairing::Opens(key);
                if is_notification {
                    self.remember((direction, key));
                }
            }
            ApduType::UnconfirmedRequest if is_notification => {
                message.kind = Kind::Unsolicited;
                message.from_client = false;
            }
            ApduType::UnconfirmedRequest | ApduType::Reserved => {}
            ApduType::SimpleAck | ApduType::ComplexAck | ApduType::Error => {
                let key = key(destination, source, header.invoke_id, is_notification);
                message.from_client = is_notification;
                message.pairing = Pairing::Answers { key, last: true };
                self.forget((direction.opposite(), key));
            }
            ApduType::SegmentAck => {
                message.from_client = header.flags & flag::SERVER == 0;
                message.pairing = Pairing::None;
            }
            ApduType::Reject | ApduType::Abort => {
                // A reject comes from the responder; an abort says which side sends it (20.1.9.2).
                let by_requester = header.apdu_type == ApduType::Abort && header.flags & flag::SERVER == 0;
                let (opener, requester, responder) = match by_requester {
                    true => (direction, source, destination),
                    false => (direction.opposite(), destination, source),
                };
                let of_notification = self.forget((opener, key(requester, responder, header.invoke_id, true)));
                message.from_client = by_requester != of_notification;
                let key = key(requester, responder, header.invoke_id, of_notification);
                message.pairing = Pairing::Answers { key, last: true };
            }
        }
    }

    fn remember(&mut self, notification: (Direction, u64)) {
        if self.notifications.contains(&notification) {
            return;
        }
        if self.notifications.len() == MAX_NOTIFICATIONS {
            self.notifications.pop_front();
        }
        self.notifications.push_back(notification);
    }

    /// True where it was remembered.
    fn forget(&mut self, notification: (Direction, u64)) -> bool {
        let found = self.notifications.iter().position(|known| *known == notification);
        found.map(|index| self.notifications.remove(index)).is_some()
    }

    /// The service's data that can be decoded now, with its offset; none while segments are due, or where there is
    /// no data. Data put together from segments counts its offsets from its own start.
    fn service_data<'a>(
        &mut self,
        header: &Header,
        draft: &mut Draft,
        bytes: &Cursor<'a>,
        base: usize,
        direction: Direction,
    ) -> Option<(Cow<'a, [u8]>, usize)> {
        match header.apdu_type {
            ApduType::ConfirmedRequest | ApduType::UnconfirmedRequest | ApduType::ComplexAck | ApduType::Error => {}
            ApduType::Reserved => return None,
            ApduType::SimpleAck | ApduType::SegmentAck | ApduType::Reject | ApduType::Abort => {
                if !bytes.is_empty() {
                    let expected = format!("the end of the APDU, found {} octets more", bytes.left());
                    draft.oddity(OddityCode::TrailingOctets, "apdu", base + bytes.offset(), expected);
                }
                return None;
            }
        }
        let Some(segment) = header.segment else {
            return Some((bytes.rest().into(), base + bytes.offset()));
        };
        // A segment that the capture cut would leave a hole in the middle of the message.
        if !draft.whole {
            segment_pairing(draft, segment.sequence == 0, !segment.more_follows);
            return None;
        }
        let message = &draft.message;
        let key = Key {
            direction,
            message_type: message.message_type.unwrap_or_default(),
            source: message.source_unit,
            destination: message.destination_unit,
            invoke_id: header.invoke_id,
        };
        let at_segment = |draft: &mut Draft, code, expected: &str| {
            draft.oddity(code, "apdu", base + 2, format!("{expected}, found segment {}", segment.sequence));
        };
        let placed = self.reassembly.add(key, segment, bytes.rest());
        let (first, last) = match &placed {
            Placed::First => (true, false),
            Placed::Whole { first, .. } => (*first, true),
            // Whether its answer is the last can still be told, whatever came before it.
            Placed::Orphan | Placed::TooLong => (false, !segment.more_follows),
            Placed::Next | Placed::Duplicate | Placed::Conflict => (false, false),
        };
        segment_pairing(draft, first, last);
        match placed {
            Placed::Whole { octets, .. } => return Some((octets.into(), 0)),
            Placed::Orphan => at_segment(draft, OddityCode::BadSequence, "the segments before it"),
            Placed::TooLong => at_segment(draft, OddityCode::UndecodedObject, "a message within the bounds"),
            Placed::Conflict => at_segment(draft, OddityCode::ConflictingOverlap, "the octets sent before"),
            Placed::First | Placed::Next | Placed::Duplicate => {}
        }
        None
    }
}

/// Where the invoke id of a whole request to read properties, or of a whole answer to one, stands in its APDU.
pub fn invoke_id_at(apdu: &[u8]) -> Option<usize> {
    let (at, service) = match *apdu {
        [first, _, _, service, ..] if first & !REQUEST_OPTIONS == 0x00 => (2, service),
        [0x30, _, service, ..] => (1, service),
        _ => return None,
    };
    let name = tables::name(tables::bacnet::CONFIRMED_SERVICES, u32::from(service));
    matches!(name, "read_property" | "read_property_multiple").then_some(at)
}

/// Only the first segment of a request opens an exchange, and only the last one of an answer closes it.
fn segment_pairing(draft: &mut Draft, first: bool, last: bool) {
    draft.message.pairing = match draft.message.pairing {
        Pairing::Opens(_) if !first => Pairing::None,
        Pairing::Answers { key, .. } => Pairing::Answers { key, last },
        other => other,
    };
}

/// Reads the header (20.1.2 to 20.1.9); what was read before a missing octet stays in the message.
fn header(bytes: &mut Cursor<'_>, base: usize, draft: &mut Draft) -> Result<Header, Short> {
    let first = bytes.u8("APDU type")?;
    let (code, flags) = (first >> 4, first & 0x0F);
    let apdu_type = ApduType::from_code(code);
    let message = &mut draft.message;
    message.kind = apdu_type.kind();
    message.message_type = Some(code);
    message.function = None;
    message.name = "";
    message.operation = Operation::Unknown;
    message.from_client = matches!(apdu_type, ApduType::ConfirmedRequest | ApduType::UnconfirmedRequest);

    let mut header = Header { apdu_type, flags, invoke_id: 0, segment: None, service: None };
    match apdu_type {
        ApduType::Reserved => {
            let expected = format!("APDU type 0 to 7, found {code}");
            draft.malformed("apdu", base, Malformed::new(OddityCode::InvalidValue, 0, expected));
            return Ok(header);
        }
        ApduType::UnconfirmedRequest => {
            header.service = service(bytes, tables::bacnet::UNCONFIRMED_SERVICES, draft)?;
            return Ok(header);
        }
        ApduType::ConfirmedRequest => {
            bytes.u8("max segments and max APDU length accepted")?;
        }
        _ => {}
    }
    header.invoke_id = bytes.u8("invoke id")?;
    draft.message.transaction = Some(u32::from(header.invoke_id));
    match apdu_type {
        ApduType::ConfirmedRequest | ApduType::ComplexAck if flags & flag::SEGMENTED != 0 => {
            let sequence = bytes.u8("sequence number")?;
            window(bytes, "proposed window size", base, draft)?;
            header.segment = Some(Segment { sequence, more_follows: flags & flag::MORE_FOLLOWS != 0 });
        }
        ApduType::SegmentAck => {
            let sequence = bytes.u8("sequence number")?;
            let window = window(bytes, "actual window size", base, draft)?;
            let negative = if flags & flag::NEGATIVE_ACK != 0 { "negative, " } else { "" };
            let _ = write!(draft.message.text, "{negative}sequence {sequence}, window {window}");
            return Ok(header);
        }
        ApduType::Reject | ApduType::Abort => {
            let table = match apdu_type {
                ApduType::Reject => tables::bacnet::REJECT_REASONS,
                _ => tables::bacnet::ABORT_REASONS,
            };
            let reason = bytes.u8("reason")?;
            draft.message.status = Some(u16::from(reason));
            draft.message.status_name = tables::name(table, u32::from(reason));
            return Ok(header);
        }
        _ => {}
    }
    header.service = service(bytes, tables::bacnet::CONFIRMED_SERVICES, draft)?;
    Ok(header)
}

/// A window size is 1 to 127 (20.1.2.8, 20.1.6.5).
fn window(bytes: &mut Cursor<'_>, field: &'static str, base: usize, draft: &mut Draft) -> Result<u8, Short> {
    let offset = bytes.offset();
    let window = bytes.u8(field)?;
    if !(1..=127).contains(&window) {
        let expected = format!("{field} 1 to 127, found {window}");
        draft.malformed("apdu", base, Malformed::new(OddityCode::InvalidValue, offset, expected));
    }
    Ok(window)
}

fn service(bytes: &mut Cursor<'_>, table: &'static [Code], draft: &mut Draft) -> Result<Option<&'static Code>, Short> {
    let choice = bytes.u8("service choice")?;
    let service = tables::find(table, u32::from(choice));
    draft.message.function = Some(u16::from(choice));
    draft.message.name = service.map_or("", |service| service.name);
    draft.message.operation = service.and_then(|service| service.operation).unwrap_or(Operation::Unknown);
    Ok(service)
}

/// Error (clause 21, BACnet-Error): class and code, alone or first in the error type of the service.
fn error(data: &[u8], draft: &mut Draft) -> Result<(), Malformed> {
    /// `errorType [0]` of ChangeList-Error, CreateObject-Error, WritePropertyMultiple-Error and others.
    const ERROR_TYPE: u8 = 0;
    let mut reader = Reader::new(data);
    let is_special = reader.opens(ERROR_TYPE);
    if is_special {
        reader.open(ERROR_TYPE, "error type")?;
    }
    let class = reader.application_number("error class")?;
    // Words of the message, of no object: codes are unique without it, but 0 (other) says little.
    match tables::name(tables::bacnet::ERROR_CLASSES, class) {
        "" => drop(write!(draft.message.text, "error class {class}")),
        name => drop(write!(draft.message.text, "error class {name}")),
    }
    let code = reader.application_number("error code")?;
    draft.message.status = Some(u16::try_from(code).unwrap_or(u16::MAX));
    draft.message.status_name = tables::name(tables::bacnet::ERROR_CODES, code);
    if is_special {
        reader.close(ERROR_TYPE, "error type")?;
        return service::failed_element(draft.message.name, &mut reader, draft);
    }
    service::no_more(&reader)
}

/// Key of an exchange: the units of who asked and of who answers, the invoke id, and whether it is a notification,
/// because both sides may use the same invoke id at the same time (5.4). FNV-1a, so that every run gives the same.
fn key(requester: Unit, responder: Unit, invoke_id: u8, is_notification: bool) -> u64 {
    let octets = |unit: Unit| match unit {
        // Messages have no station of this kind.
        Unit::None | Unit::Station(_) => [0; 12],
        Unit::Number(number) => {
            let [a, b, c, d] = number.to_be_bytes();
            [1, a, b, c, d, 0, 0, 0, 0, 0, 0, 0]
        }
        Unit::Bacnet { network, length, mac: [a, b, c, d, e, f, g, h] } => {
            let [high, low] = network.to_be_bytes();
            [2, high, low, length, a, b, c, d, e, f, g, h]
        }
    };
    [octets(requester), octets(responder), [invoke_id, u8::from(is_notification), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
        .as_flattened()
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |hash, octet| (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01B3))
}
