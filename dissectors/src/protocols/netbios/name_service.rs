//! The name service (RFC 1002, 4.2): `header | question | records`, as in DNS, with types of its own.

use std::collections::VecDeque;
use std::net::Ipv4Addr;

use super::Name;
use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Attribute, Operation, Protocol};
use crate::net::link::{Mac, Station};
use crate::protocols::dns::message;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, netbios};

/// UDP port.
const PORT: u16 = 137;
/// Requests that wait for their answer in one flow.
const MAX_OPEN: usize = 32;
/// Records, addresses or names read of one message.
const MAX_ITEMS: usize = 32;
/// Types of records (RFC 1002, 4.2.1.3).
const NB: u16 = 0x0020;
const NBSTAT: u16 = 0x0021;
/// Opcode of a query.
const QUERY: u8 = 0;

/// Tells from a datagram whether it is a message of the name service.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let is_own = probe.ports.contains(&PORT);
    match Message::read(probe.datagram()) {
        Ok(message) if message.names() > 0 && (is_own || message.whole) => {
            Recognition::Yes(Box::<NameService>::default())
        }
        _ => Recognition::No,
    }
}

/// A name's addresses: what each is, and whether several hosts have the name.
#[derive(Debug, Default)]
struct Record {
    name: Option<Name>,
    kind: u16,
    addresses: Vec<(bool, Ipv4Addr)>,
    names: Vec<(bool, Name)>,
    mac: Option<Mac>,
}

#[derive(Debug)]
struct Message {
    id: u16,
    flags: u16,
    question: Option<(Name, u16)>,
    records: Vec<Record>,
    whole: bool,
}

impl Message {
    fn read(bytes: &[u8]) -> Result<Self, Short> {
        let mut cursor = Cursor::new(bytes);
        let (id, flags) = (cursor.u16_be("NAME_TRN_ID")?, cursor.u16_be("flags")?);
        let questions = cursor.u16_be("QDCOUNT")?;
        let mut records = 0;
        for _ in 0..3 {
            records += usize::from(cursor.u16_be("count")?);
        }
        let mut message = Message { id, flags, question: None, records: Vec::new(), whole: questions <= 1 };
        if questions > 0 {
            if let Some(name) = Name::read(bytes, &mut cursor) {
                message.question = Some((name, cursor.u16_be("QUESTION_TYPE")?));
                cursor.u16_be("QUESTION_CLASS")?;
            }
        }
        for _ in 0..records.min(MAX_ITEMS) {
            let Ok(record) = Record::read(bytes, &mut cursor) else {
                message.whole = false;
                break;
            };
            message.records.push(record);
        }
        message.whole &= cursor.is_empty() && records <= MAX_ITEMS;
        Ok(message)
    }

    /// Names that it holds.
    fn names(&self) -> usize {
        let of_records = self.records.iter().filter(|record| record.name.is_some()).count();
        of_records + usize::from(self.question.is_some())
    }

    const fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }

    const fn is_broadcast(&self) -> bool {
        self.flags & 0x0010 != 0
    }

    const fn opcode(&self) -> u8 {
        (self.flags >> 11) as u8 & 0x0f
    }
}

impl Record {
    fn read<'a>(bytes: &'a [u8], cursor: &mut Cursor<'a>) -> Result<Self, Short> {
        let short = Short { field: "RR_NAME", offset: cursor.offset(), needed: 1, left: cursor.left() };
        let name = message::name(bytes, cursor).map_err(|_| short)?;
        let mut record = Record { kind: cursor.u16_be("RR_TYPE")?, ..Record::default() };
        record.name = name.as_bytes().get(..32).and_then(Name::decode);
        cursor.take(6, "RR_CLASS and TTL")?;
        let length = usize::from(cursor.u16_be("RDLENGTH")?);
        let mut data = Cursor::new(cursor.take(length, "RDATA")?);
        // What of it cannot be read is left out.
        let _ = match record.kind {
            NB => record.addresses(&mut data),
            NBSTAT => record.status(&mut data),
            _ => Ok(()),
        };
        Ok(record)
    }

    fn addresses(&mut self, data: &mut Cursor<'_>) -> Result<(), Short> {
        while !data.is_empty() && self.addresses.len() < MAX_ITEMS {
            let flags = data.u16_be("NB_FLAGS")?;
            self.addresses.push((is_group(flags), Ipv4Addr::from(data.u32_be("NB_ADDRESS")?)));
        }
        Ok(())
    }

    /// The names of a node and its hardware address (RFC 1002, 4.2.18).
    fn status(&mut self, data: &mut Cursor<'_>) -> Result<(), Short> {
        for _ in 0..data.u8("NUM_NAMES")? {
            let name = Name::new(data.take(16, "NODE_NAME")?);
            let flags = data.u16_be("NAME_FLAGS")?;
            if let Some(name) = name.filter(|_| self.names.len() < MAX_ITEMS) {
                self.names.push((is_group(flags), name));
            }
        }
        self.mac = data.take(6, "UNIT_ID")?.try_into().ok().filter(|mac: &Mac| *mac != [0; 6]);
        Ok(())
    }
}

const fn is_group(flags: u16) -> bool {
    flags & 0x8000 != 0
}

#[derive(Clone)]
struct Open {
    id: u16,
    client: Direction,
    frame: u64,
    activity: Activity,
}

holds!(Open { activity });

/// A conversation.
#[derive(Clone, Default)]
struct NameService {
    open: VecDeque<Open>,
}

impl NameService {
    fn request(&mut self, message: &Message, client: Direction, out: &mut Output) {
        let activity = asked(message, client);
        if message.opcode() != QUERY {
            message.records.iter().for_each(|record| claims(record, out));
        }
        // Whoever has the name answers what all are asked, in a flow of his own; a demand awaits no answer.
        if message.is_broadcast() {
            return out.activity(activity);
        }
        if self.open.len() >= MAX_OPEN {
            self.give_up(out);
        }
        self.open.push_back(Open { id: message.id, client, frame: out.frame, activity });
    }

    fn response(&mut self, message: &Message, direction: Direction, out: &mut Output) {
        let client = direction.opposite();
        let place = self.open.iter().position(|open| open.id == message.id && open.client == client);
        let activity = match place.and_then(|place| self.open.remove(place)) {
            Some(open) => Activity { request_frame: Some(open.frame), ..open.activity },
            None => asked(message, client),
        };
        let code = message.flags as u8 & 0x0f;
        let status = if code == 0 { Status::Ok } else { Status::Error };
        let mut activity = activity.ended(status, tables::name(netbios::RESPONSE_CODES, u32::from(code)));
        let answers = message.records.iter().flat_map(|record| {
            let addresses = record.addresses.iter().map(|(_, address)| address.to_string());
            let names = record.names.iter().map(|(_, name)| name.told());
            addresses.chain(names).chain(record.mac.map(|mac| Station::Mac(mac).to_string()))
        });
        activity.put(Field::NetbiosAnswers, answers.collect::<Vec<_>>().join(", "));
        out.activity(activity);
        if code == 0 {
            message.records.iter().for_each(|record| claims(record, out));
        }
    }

    fn give_up(&mut self, out: &mut Output) {
        if let Some(open) = self.open.pop_front() {
            out.activity(Activity { request_frame: Some(open.frame), ..open.activity.ended(Status::NoResponse, "") });
        }
    }
}

/// What is asked for, or registered.
fn asked(message: &Message, client: Direction) -> Activity {
    let record = message.records.first();
    let name = message.question.as_ref().map(|(name, _)| name).or(record.and_then(|record| record.name.as_ref()));
    let kind = message.question.as_ref().map(|(_, kind)| *kind).or(record.map(|record| record.kind));
    let is_group = record.and_then(|record| record.addresses.first()).is_some_and(|(is_group, _)| *is_group);
    let opcode = tables::find(netbios::OPCODES, u32::from(message.opcode()));
    let (action, operation) = match opcode {
        _ if kind == Some(NBSTAT) => ("node_status", Operation::Discover),
        Some(opcode) => (opcode.name, opcode.operation.unwrap_or(Operation::Unknown)),
        None => ("unknown", Operation::Unknown),
    };
    let mut activity = Activity::new(client, action, operation);
    if let Some(name) = name {
        activity.put(Field::NetbiosName, name.told());
        activity.put(Field::NetbiosNameType, name.meaning(is_group));
    }
    if message.opcode() != QUERY && !message.is_response() {
        let addresses = record.into_iter().flat_map(|record| &record.addresses);
        let addresses: Vec<_> = addresses.map(|(_, address)| address.to_string()).collect();
        activity.put(Field::NetbiosAnswers, addresses.join(", "));
    }
    activity
}

/// What a record says: whose name it is; of a node, all names that it has.
fn claims(record: &Record, out: &mut Output) {
    for (is_group, address) in &record.addresses {
        for (name, statement) in
            record.name.iter().flat_map(|name| name.statements(*is_group).iter().map(move |s| (name, s)))
        {
            let (attribute, value) = statement.of(name);
            out.host_is((*address).into(), attribute, value);
        }
    }
    for (is_group, name) in &record.names {
        for statement in name.statements(*is_group) {
            let (attribute, value) = statement.of(name);
            out.sender_is(attribute, value);
        }
    }
    if let Some(mac) = record.mac {
        out.sender_is(Attribute::Mac, Station::Mac(mac).to_string());
    }
}

impl Session for NameService {
    fn protocol(&self) -> Protocol {
        Protocol::NetbiosNs
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        match Message::read(chunk.bytes) {
            Ok(message) if message.is_response() => self.response(&message, chunk.direction, out),
            Ok(message) => self.request(&message, chunk.direction, out),
            Err(_) => {}
        }
    }

    fn close(&mut self, out: &mut Output) {
        while !self.open.is_empty() {
            self.give_up(out);
        }
    }

    fn held(&self) -> usize {
        self.open.holds()
    }
}
