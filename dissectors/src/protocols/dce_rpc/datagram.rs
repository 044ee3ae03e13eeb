//! Calls over datagrams (C706, 12.5). PROFINET's context management is made of them, and is not read further.

use std::collections::VecDeque;

use super::pdu::Interface;
use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds_nothing};
use crate::model::{Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, dce_rpc};

/// Octets of the header (C706, 12.5.2.1).
const HEADER: usize = 80;
/// Calls that wait for their answer.
const MAX_CALLS: usize = 64;
/// Interfaces of PROFINET's context management (IEC 61158-6-10) end with this.
const PROFINET: &str = "pn-io-";

const REQUEST: u8 = 0;
const RESPONSE: u8 = 2;
const FAULT: u8 = 3;
const REJECT: u8 = 6;
const LAST: u8 = 10;

struct Header {
    kind: u8,
    interface: Option<Interface>,
    call: (u64, u32),
    operation: u16,
    fragment: u16,
    status: u32,
}

fn header(bytes: &[u8]) -> Result<Header, Short> {
    let mut cursor = Cursor::new(bytes);
    let none = Short { field: "rpc_vers", offset: 0, needed: HEADER, left: bytes.len() };
    let &[4, kind @ 0..=LAST, _, _, order @ (0x00 | 0x10), 0..=3, 0, _, ..] = bytes else { return Err(none) };
    cursor.take(24, "rpc_vers … object")?;
    let is_little = order == 0x10;
    let u16 = |cursor: &mut Cursor<'_>, field| if is_little { cursor.u16_le(field) } else { cursor.u16_be(field) };
    let u32 = |cursor: &mut Cursor<'_>, field| if is_little { cursor.u32_le(field) } else { cursor.u32_be(field) };
    let interface = Interface::new(cursor.take(16, "if_id")?, is_little);
    let (high, low) = (cursor.u64_be("act_id")?, cursor.u64_be("act_id")?);
    cursor.take(8, "server_boot and if_vers")?;
    let sequence = u32(&mut cursor, "seqnum")?;
    let operation = u16(&mut cursor, "opnum")?;
    cursor.take(4, "ihint and ahint")?;
    let length = usize::from(u16(&mut cursor, "len")?);
    let fragment = u16(&mut cursor, "fragnum")?;
    cursor.take(2, "auth_proto and serial_lo")?;
    // What is behind the body is a login's verifier, without which the length is the datagram's.
    if length > cursor.left() {
        return Err(Short { field: "body", offset: HEADER, needed: length, left: cursor.left() });
    }
    let status = u32(&mut cursor, "status").unwrap_or(0);
    Ok(Header { kind, interface, call: (high ^ low.rotate_left(1), sequence), operation, fragment, status })
}

/// Tells from a datagram whether it is a call.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = if probe.forward.is_empty() { probe.backward } else { probe.forward };
    match header(bytes) {
        Ok(header) => Recognition::Yes(Box::new(Datagrams::new(header.interface))),
        Err(_) => Recognition::No,
    }
}

#[derive(Clone)]
struct Call {
    key: (u64, u32),
    client: Direction,
    frame: u64,
    interface: Option<Interface>,
    operation: u16,
}

holds_nothing!(Call);

/// A conversation.
#[derive(Clone)]
struct Datagrams {
    is_profinet: bool,
    calls: VecDeque<Call>,
}

impl Datagrams {
    fn new(interface: Option<Interface>) -> Self {
        let is_profinet = interface.is_some_and(|interface| interface.name().starts_with(PROFINET));
        Datagrams { is_profinet, calls: VecDeque::new() }
    }

    fn tell(call: &Call, status: Status, code: &str, out: &mut Output) {
        let known = call.interface.and_then(|interface| interface.operation(call.operation));
        let operation = known.and_then(|code| code.operation).unwrap_or(Operation::Unknown);
        let name = known.map_or_else(|| format!("operation {}", call.operation), |code| code.name.to_string());
        let activity = Activity::new(call.client, "call", operation)
            .with(Field::DceRpcInterface, call.interface.map_or_else(String::new, |interface| interface.name()))
            .with(Field::DceRpcOperation, name)
            .ended(status, code);
        out.activity(Activity { request_frame: Some(call.frame), ..activity });
    }

    fn give_up(&mut self, out: &mut Output) {
        if let Some(call) = self.calls.pop_front() {
            Self::tell(&call, Status::NoResponse, "", out);
        }
    }
}

impl Session for Datagrams {
    fn protocol(&self) -> Protocol {
        Protocol::DceRpc
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn service(&self) -> &'static str {
        if self.is_profinet { "profinet-cm" } else { Protocol::DceRpc.name() }
    }

    fn is_done(&self) -> bool {
        self.is_profinet
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let Ok(header) = header(chunk.bytes) else { return };
        if self.is_profinet {
            return;
        }
        let is_it = |call: &Call| call.key == header.call && call.client == chunk.direction.opposite();
        match header.kind {
            // Repetitions and further parts say nothing new.
            REQUEST if header.fragment == 0 && !self.calls.iter().any(|call| call.key == header.call) => {
                if self.calls.len() >= MAX_CALLS {
                    self.give_up(out);
                }
                let Header { call: key, interface, operation, .. } = header;
                self.calls.push_back(Call { key, client: chunk.direction, frame: out.frame, interface, operation });
            }
            RESPONSE | FAULT | REJECT => {
                let place = self.calls.iter().position(is_it);
                let Some(call) = place.and_then(|place| self.calls.remove(place)) else { return };
                if header.kind == RESPONSE {
                    return Self::tell(&call, Status::Ok, "", out);
                }
                let name = match tables::name(dce_rpc::FAULTS, header.status) {
                    "" => format!("{:#010x}", header.status),
                    name => name.to_string(),
                };
                Self::tell(&call, Status::Error, &name, out);
            }
            _ => {}
        }
    }

    fn close(&mut self, out: &mut Output) {
        while !self.calls.is_empty() {
            self.give_up(out);
        }
    }

    fn held(&self) -> usize {
        self.calls.holds()
    }
}
