//! The rows of every table, and their columns: the engine's side of `schemas.py`.

use std::sync::Arc;

use arrow_array::StructArray;

use super::{Cell, Row, columns, list_of};

/// One PDU.
#[derive(Clone, Debug)]
pub struct Pdu {
    /// Capture point.
    pub source: u32,
    /// Capture file.
    pub capture: u32,
    /// Frame (the last of several).
    pub frame: u64,
    /// Time of that frame.
    pub time: i64,
    /// Protocol.
    pub protocol: u32,
    /// `tcp` or `udp`.
    pub transport: u32,
    /// Sender.
    pub source_address: u32,
    /// Receiver.
    pub destination_address: u32,
    /// Ports of sender and receiver.
    pub ports: [u16; 2],
    /// Innermost VLAN.
    pub vlan: Option<u16>,
    /// Message kind.
    pub kind: u32,
    /// Sub-address of the sender.
    pub source_unit: u32,
    /// Sub-address of the receiver.
    pub destination_unit: u32,
    /// Code of the carrying layer.
    pub link_code: Option<u8>,
    /// PDU type.
    pub message_type: Option<u8>,
    /// Function code.
    pub function: Option<u16>,
    /// Its name.
    pub function_name: u32,
    /// Operation.
    pub operation: u32,
    /// Code of a negative answer.
    pub status_code: Option<u16>,
    /// Its name.
    pub status_name: u32,
    /// Transaction, sequence or invoke id.
    pub transaction: Option<u32>,
    /// DNP3 internal indications.
    pub indications: Option<u16>,
    /// Octets.
    pub length: u32,
    /// Captured to its end.
    pub complete: bool,
    /// Objects in it.
    pub objects: u32,
    /// Kind of the first object.
    pub object_kind: u32,
    /// Start of the first object.
    pub object_start: Option<u32>,
    /// Points of the first object.
    pub object_count: Option<u32>,
}

impl Row for Pdu {
    fn columns() -> Vec<(&'static str, Cell<Self>)> {
        vec![
            ("source", Cell::Name(|r| r.source)),
            ("capture", Cell::Name(|r| r.capture)),
            ("frame", Cell::U64(|r| r.frame)),
            ("time", Cell::Time(|r| r.time)),
            ("protocol", Cell::Name(|r| r.protocol)),
            ("transport", Cell::Name(|r| r.transport)),
            ("source_address", Cell::Address(|r| r.source_address)),
            ("destination_address", Cell::Address(|r| r.destination_address)),
            ("source_port", Cell::U16(|r| r.ports[0])),
            ("destination_port", Cell::U16(|r| r.ports[1])),
            ("vlan", Cell::MaybeU16(|r| r.vlan)),
            ("kind", Cell::Name(|r| r.kind)),
            ("source_unit", Cell::MaybeAddress(|r| r.source_unit)),
            ("destination_unit", Cell::MaybeAddress(|r| r.destination_unit)),
            ("link_code", Cell::MaybeU8(|r| r.link_code)),
            ("message_type", Cell::MaybeU8(|r| r.message_type)),
            ("function", Cell::MaybeU16(|r| r.function)),
            ("function_name", Cell::Name(|r| r.function_name)),
            ("operation", Cell::Name(|r| r.operation)),
            ("status_code", Cell::MaybeU16(|r| r.status_code)),
            ("status_name", Cell::Name(|r| r.status_name)),
            ("transaction", Cell::MaybeU32(|r| r.transaction)),
            ("indications", Cell::MaybeU16(|r| r.indications)),
            ("length", Cell::U32(|r| r.length)),
            ("complete", Cell::Bool(|r| r.complete)),
            ("objects", Cell::U32(|r| r.objects)),
            ("object_kind", Cell::MaybeName(|r| r.object_kind)),
            ("object_start", Cell::MaybeU32(|r| r.object_start)),
            ("object_count", Cell::MaybeU32(|r| r.object_count)),
        ]
    }
}

/// One object of an event.
#[derive(Clone, Debug)]
pub struct EventObject {
    /// Kind.
    pub kind: u32,
    /// Its number where it has no name.
    pub type_number: Option<u32>,
    /// DNP3 variation.
    pub variation: Option<u16>,
    /// First point.
    pub start: Option<u32>,
    /// Points.
    pub count: u32,
    /// Property identifier.
    pub property: Option<u32>,
    /// Its name.
    pub property_name: u32,
    /// Array index.
    pub index: Option<u32>,
    /// Write priority.
    pub priority: Option<u8>,
    /// Numbers carried.
    pub values: Vec<f64>,
    /// Words carried.
    pub text: String,
    /// Numbers known before a state change.
    pub before: Vec<f64>,
    /// Status of this object.
    pub status: Option<u16>,
}

impl Row for EventObject {
    fn columns() -> Vec<(&'static str, Cell<Self>)> {
        vec![
            ("kind", Cell::Name(|r| r.kind)),
            ("type_number", Cell::MaybeU32(|r| r.type_number)),
            ("variation", Cell::MaybeU16(|r| r.variation)),
            ("start", Cell::MaybeU32(|r| r.start)),
            ("count", Cell::U32(|r| r.count)),
            ("property", Cell::MaybeU32(|r| r.property)),
            ("property_name", Cell::Name(|r| r.property_name)),
            ("index", Cell::MaybeU32(|r| r.index)),
            ("priority", Cell::MaybeU8(|r| r.priority)),
            ("values", Cell::Numbers(|r| &r.values)),
            ("text", Cell::Text(|r| &r.text)),
            ("before", Cell::Numbers(|r| &r.before)),
            ("status", Cell::MaybeU16(|r| r.status)),
        ]
    }
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Ordinal in the run.
    pub event: u64,
    /// Capture point.
    pub source: u32,
    /// Capture file.
    pub capture: u32,
    /// Time of its first message.
    pub time: i64,
    /// Protocol.
    pub protocol: u32,
    /// `tcp` or `udp`.
    pub transport: u32,
    /// Client by protocol role.
    pub client: u32,
    /// Server by protocol role.
    pub server: u32,
    /// Their ports.
    pub ports: [u16; 2],
    /// Sub-address of the client.
    pub client_unit: u32,
    /// Sub-address of the server.
    pub server_unit: u32,
    /// Innermost VLAN.
    pub vlan: Option<u16>,
    /// Kind of its first message.
    pub kind: u32,
    /// Function code of the request.
    pub function: Option<u16>,
    /// Its name.
    pub function_name: u32,
    /// Operation.
    pub operation: u32,
    /// Outcome.
    pub status: u32,
    /// Code of a negative answer.
    pub status_code: Option<u16>,
    /// Its name.
    pub status_name: u32,
    /// Nanoseconds from request to the last response.
    pub latency: Option<i64>,
    /// Frames of the request.
    pub request_frames: Vec<u64>,
    /// Frames of the responses.
    pub response_frames: Vec<u64>,
    /// Why it is kept whole.
    pub reason: u32,
    /// What it is about.
    pub objects: Vec<EventObject>,
}

impl Row for Event {
    fn columns() -> Vec<(&'static str, Cell<Self>)> {
        vec![
            ("event", Cell::U64(|r| r.event)),
            ("source", Cell::Name(|r| r.source)),
            ("capture", Cell::Name(|r| r.capture)),
            ("time", Cell::Time(|r| r.time)),
            ("protocol", Cell::Name(|r| r.protocol)),
            ("transport", Cell::Name(|r| r.transport)),
            ("client", Cell::Address(|r| r.client)),
            ("server", Cell::Address(|r| r.server)),
            ("client_port", Cell::U16(|r| r.ports[0])),
            ("server_port", Cell::U16(|r| r.ports[1])),
            ("client_unit", Cell::MaybeAddress(|r| r.client_unit)),
            ("server_unit", Cell::MaybeAddress(|r| r.server_unit)),
            ("vlan", Cell::MaybeU16(|r| r.vlan)),
            ("kind", Cell::Name(|r| r.kind)),
            ("function", Cell::MaybeU16(|r| r.function)),
            ("function_name", Cell::Name(|r| r.function_name)),
            ("operation", Cell::Name(|r| r.operation)),
            ("status", Cell::Name(|r| r.status)),
            ("status_code", Cell::MaybeU16(|r| r.status_code)),
            ("status_name", Cell::Name(|r| r.status_name)),
            ("latency", Cell::MaybeI64(|r| r.latency)),
            ("request_frames", Cell::Frames(|r| &r.request_frames)),
            ("response_frames", Cell::Frames(|r| &r.response_frames)),
            ("reason", Cell::Name(|r| r.reason)),
            (
                "objects",
                Cell::Nested(|rows, dictionaries| {
                    list_of(
                        rows,
                        |row| &row.objects,
                        |items| {
                            let items: Vec<EventObject> = items.into_iter().cloned().collect();
                            let (fields, arrays) = columns(&items, dictionaries)?;
                            Ok(Arc::new(StructArray::try_new(fields.into(), arrays, None)?))
                        },
                    )
                }),
            ),
        ]
    }
}

/// Events that differ only in time and value, within one time bucket.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// Capture point.
    pub source: u32,
    /// Capture file of the first event.
    pub capture: u32,
    /// Start of the time bucket.
    pub bucket: i64,
    /// Protocol.
    pub protocol: u32,
    /// `tcp` or `udp`.
    pub transport: u32,
    /// Client by protocol role.
    pub client: u32,
    /// Server by protocol role.
    pub server: u32,
    /// Port of the server.
    pub server_port: u16,
    /// Sub-address of the client.
    pub client_unit: u32,
    /// Sub-address of the server.
    pub server_unit: u32,
    /// Innermost VLAN.
    pub vlan: Option<u16>,
    /// Kind of the first message.
    pub kind: u32,
    /// Function code.
    pub function: Option<u16>,
    /// Its name.
    pub function_name: u32,
    /// Operation.
    pub operation: u32,
    /// Outcome.
    pub status: u32,
    /// Kind of object.
    pub object_kind: u32,
    /// First point.
    pub object_start: Option<u32>,
    /// Points.
    pub object_count: u32,
    /// Property identifier.
    pub property: Option<u32>,
    /// Its name.
    pub property_name: u32,
    /// Stands for many combinations beyond the cap.
    pub coalesced: bool,
    /// Times that the object was addressed.
    pub count: u64,
    /// Events counted here.
    pub events: u64,
    /// Time of the first.
    pub first_time: i64,
    /// Time of the last.
    pub last_time: i64,
    /// Frame of the first.
    pub first_frame: u64,
    /// Frame of the last.
    pub last_frame: u64,
    /// Capture file of the last.
    pub last_capture: u32,
    /// Some frames.
    pub sample_frames: Vec<u64>,
    /// Least value.
    pub value_min: Option<f64>,
    /// Greatest value.
    pub value_max: Option<f64>,
    /// Last value.
    pub value_last: Option<f64>,
    /// Times that the values differed from those before.
    pub changes: u64,
}

impl Row for Aggregate {
    fn columns() -> Vec<(&'static str, Cell<Self>)> {
        vec![
            ("source", Cell::Name(|r| r.source)),
            ("capture", Cell::Name(|r| r.capture)),
            ("bucket", Cell::Time(|r| r.bucket)),
            ("protocol", Cell::Name(|r| r.protocol)),
            ("transport", Cell::Name(|r| r.transport)),
            ("client", Cell::Address(|r| r.client)),
            ("server", Cell::Address(|r| r.server)),
            ("server_port", Cell::U16(|r| r.server_port)),
            ("client_unit", Cell::MaybeAddress(|r| r.client_unit)),
            ("server_unit", Cell::MaybeAddress(|r| r.server_unit)),
            ("vlan", Cell::MaybeU16(|r| r.vlan)),
            ("kind", Cell::Name(|r| r.kind)),
            ("function", Cell::MaybeU16(|r| r.function)),
            ("function_name", Cell::Name(|r| r.function_name)),
            ("operation", Cell::Name(|r| r.operation)),
            ("status", Cell::Name(|r| r.status)),
            ("object_kind", Cell::MaybeName(|r| r.object_kind)),
            ("object_start", Cell::MaybeU32(|r| r.object_start)),
            ("object_count", Cell::U32(|r| r.object_count)),
            ("property", Cell::MaybeU32(|r| r.property)),
            ("property_name", Cell::Name(|r| r.property_name)),
            ("coalesced", Cell::Bool(|r| r.coalesced)),
            ("count", Cell::U64(|r| r.count)),
            ("events", Cell::U64(|r| r.events)),
            ("first_time", Cell::Time(|r| r.first_time)),
            ("last_time", Cell::Time(|r| r.last_time)),
            ("first_frame", Cell::U64(|r| r.first_frame)),
            ("last_frame", Cell::U64(|r| r.last_frame)),
            ("last_capture", Cell::Name(|r| r.last_capture)),
            ("sample_frames", Cell::Frames(|r| &r.sample_frames)),
            ("value_min", Cell::MaybeF64(|r| r.value_min)),
            ("value_max", Cell::MaybeF64(|r| r.value_max)),
            ("value_last", Cell::MaybeF64(|r| r.value_last)),
            ("changes", Cell::U64(|r| r.changes)),
        ]
    }
}

/// One conversation of two endpoints, whatever it says.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Capture point.
    pub source: u32,
    /// Capture file of its first packet.
    pub capture: u32,
    /// `tcp`, `udp`, `icmp`, `ip-<number>`, `ethernet`.
    pub transport: u32,
    /// Who opened it.
    pub client: u32,
    /// The other side.
    pub server: u32,
    /// Their ports.
    pub ports: [u16; 2],
    /// Innermost VLAN.
    pub vlan: Option<u16>,
    /// MACs of both sides as seen.
    pub macs: [u32; 2],
    /// Service.
    pub service: u32,
    /// What that guess rests on.
    pub basis: u32,
    /// State.
    pub state: u32,
    /// Packets from client to server, and back.
    pub packets: [u64; 2],
    /// Octets from client to server, and back.
    pub bytes: [u64; 2],
    /// Time of the first packet.
    pub first_time: i64,
    /// Time of the last packet.
    pub last_time: i64,
    /// Frame of the first packet.
    pub first_frame: u64,
    /// Frame of the last packet.
    pub last_frame: u64,
}

impl Row for Flow {
    fn columns() -> Vec<(&'static str, Cell<Self>)> {
        vec![
            ("source", Cell::Name(|r| r.source)),
            ("capture", Cell::Name(|r| r.capture)),
            ("transport", Cell::Name(|r| r.transport)),
            ("client", Cell::Address(|r| r.client)),
            ("server", Cell::Address(|r| r.server)),
            ("client_port", Cell::U16(|r| r.ports[0])),
            ("server_port", Cell::U16(|r| r.ports[1])),
            ("vlan", Cell::MaybeU16(|r| r.vlan)),
            ("client_mac", Cell::Address(|r| r.macs[0])),
            ("server_mac", Cell::Address(|r| r.macs[1])),
            ("service", Cell::Name(|r| r.service)),
            ("basis", Cell::Name(|r| r.basis)),
            ("state", Cell::Name(|r| r.state)),
            ("packets_out", Cell::U64(|r| r.packets[0])),
            ("packets_in", Cell::U64(|r| r.packets[1])),
            ("bytes_out", Cell::U64(|r| r.bytes[0])),
            ("bytes_in", Cell::U64(|r| r.bytes[1])),
            ("first_time", Cell::Time(|r| r.first_time)),
            ("last_time", Cell::Time(|r| r.last_time)),
            ("first_frame", Cell::U64(|r| r.first_frame)),
            ("last_frame", Cell::U64(|r| r.last_frame)),
        ]
    }
}

/// One statement about a device, counted.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Capture point.
    pub source: u32,
    /// Capture file where it was first stated.
    pub capture: u32,
    /// Frame where it was first stated.
    pub frame: u64,
    /// Time of that frame.
    pub time: i64,
    /// Protocol.
    pub protocol: u32,
    /// Address of the device.
    pub address: u32,
    /// Its sub-address.
    pub unit: u32,
    /// Attribute.
    pub attribute: u32,
    /// Value.
    pub value: String,
    /// Times stated.
    pub count: u64,
}

impl Row for Claim {
    fn columns() -> Vec<(&'static str, Cell<Self>)> {
        vec![
            ("source", Cell::Name(|r| r.source)),
            ("capture", Cell::Name(|r| r.capture)),
            ("frame", Cell::U64(|r| r.frame)),
            ("time", Cell::Time(|r| r.time)),
            ("protocol", Cell::Name(|r| r.protocol)),
            ("address", Cell::Address(|r| r.address)),
            ("unit", Cell::MaybeAddress(|r| r.unit)),
            ("attribute", Cell::Name(|r| r.attribute)),
            ("value", Cell::Text(|r| &r.value)),
            ("count", Cell::U64(|r| r.count)),
        ]
    }
}

/// A MAC address that was seen with an IP address.
#[derive(Clone, Debug)]
pub struct Address {
    /// Capture point.
    pub source: u32,
    /// Capture file where it was first seen.
    pub capture: u32,
    /// IP address.
    pub address: u32,
    /// MAC address.
    pub mac: u32,
    /// Innermost VLAN.
    pub vlan: Option<u16>,
    /// `ip` or `arp`.
    pub via: u32,
    /// Packets.
    pub packets: u64,
    /// Time of the first.
    pub first_time: i64,
    /// Time of the last.
    pub last_time: i64,
    /// Frame of the first.
    pub first_frame: u64,
    /// Frame of the last.
    pub last_frame: u64,
}

impl Row for Address {
    fn columns() -> Vec<(&'static str, Cell<Self>)> {
        vec![
            ("source", Cell::Name(|r| r.source)),
            ("capture", Cell::Name(|r| r.capture)),
            ("address", Cell::Address(|r| r.address)),
            ("mac", Cell::Address(|r| r.mac)),
            ("vlan", Cell::MaybeU16(|r| r.vlan)),
            ("via", Cell::Name(|r| r.via)),
            ("packets", Cell::U64(|r| r.packets)),
            ("first_time", Cell::Time(|r| r.first_time)),
            ("last_time", Cell::Time(|r| r.last_time)),
            ("first_frame", Cell::U64(|r| r.first_frame)),
            ("last_frame", Cell::U64(|r| r.last_frame)),
        ]
    }
}

/// Something malformed, with its place.
#[derive(Clone, Debug)]
pub struct Oddity {
    /// Capture point.
    pub source: u32,
    /// Capture file.
    pub capture: u32,
    /// Frame.
    pub frame: u64,
    /// Time of that frame.
    pub time: i64,
    /// Protocol; the empty word below the protocols.
    pub protocol: u32,
    /// Sender.
    pub source_address: u32,
    /// Receiver.
    pub destination_address: u32,
    /// Layer.
    pub layer: u32,
    /// Octets into the message.
    pub offset: u32,
    /// Which kind.
    pub code: u32,
    /// What was expected and found.
    pub expected: String,
}

impl Row for Oddity {
    fn columns() -> Vec<(&'static str, Cell<Self>)> {
        vec![
            ("source", Cell::Name(|r| r.source)),
            ("capture", Cell::Name(|r| r.capture)),
            ("frame", Cell::U64(|r| r.frame)),
            ("time", Cell::Time(|r| r.time)),
            ("protocol", Cell::Name(|r| r.protocol)),
            ("source_address", Cell::Address(|r| r.source_address)),
            ("destination_address", Cell::Address(|r| r.destination_address)),
            ("layer", Cell::Name(|r| r.layer)),
            ("offset", Cell::U32(|r| r.offset)),
            ("code", Cell::Name(|r| r.code)),
            ("expected", Cell::Text(|r| &r.expected)),
        ]
    }
}

/// What one capture file let us see and what not.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Capture point.
    pub source: u32,
    /// Capture file.
    pub capture: u32,
    /// Format in words.
    pub format: String,
    /// SHA-256 of the input, hexadecimal.
    pub sha256: String,
    /// `whole` or `partial`.
    pub status: u32,
    /// Why partial.
    pub problem: String,
    /// Packets.
    pub packets: u64,
    /// Octets on the wire.
    pub bytes: u64,
    /// Time of the first packet.
    pub first_time: Option<i64>,
    /// Time of the last packet.
    pub last_time: Option<i64>,
    /// Packets cut by a snap length.
    pub cut_packets: u64,
    /// Packets with a link type or header that could not be read.
    pub undecoded_packets: u64,
    /// Holes in TCP streams.
    pub gaps: u64,
    /// Octets missing there.
    pub gap_bytes: u64,
    /// Flows of which only one direction was seen though the protocol has two.
    pub one_sided_flows: u64,
    /// Fragmented packets that never became whole.
    pub incomplete_fragments: u64,
    /// Steps of the packet clock.
    pub clock_jumps: u64,
    /// Flows.
    pub flows: u64,
    /// Flows given up to bound memory.
    pub flows_evicted: u64,
    /// Combinations beyond the cap of their edge.
    pub combinations_coalesced: u64,
    /// Events.
    pub events: u64,
    /// Events not kept whole because of the cap per combination.
    pub events_thinned: u64,
    /// Oddities.
    pub oddities: u64,
    /// Oddities not kept because of the cap.
    pub oddities_dropped: u64,
}

impl Row for Coverage {
    fn columns() -> Vec<(&'static str, Cell<Self>)> {
        vec![
            ("source", Cell::Name(|r| r.source)),
            ("capture", Cell::Name(|r| r.capture)),
            ("format", Cell::Text(|r| &r.format)),
            ("sha256", Cell::Text(|r| &r.sha256)),
            ("status", Cell::Name(|r| r.status)),
            ("problem", Cell::Text(|r| &r.problem)),
            ("packets", Cell::U64(|r| r.packets)),
            ("bytes", Cell::U64(|r| r.bytes)),
            ("first_time", Cell::MaybeTime(|r| r.first_time)),
            ("last_time", Cell::MaybeTime(|r| r.last_time)),
            ("cut_packets", Cell::U64(|r| r.cut_packets)),
            ("undecoded_packets", Cell::U64(|r| r.undecoded_packets)),
            ("gaps", Cell::U64(|r| r.gaps)),
            ("gap_bytes", Cell::U64(|r| r.gap_bytes)),
            ("one_sided_flows", Cell::U64(|r| r.one_sided_flows)),
            ("incomplete_fragments", Cell::U64(|r| r.incomplete_fragments)),
            ("clock_jumps", Cell::U64(|r| r.clock_jumps)),
            ("flows", Cell::U64(|r| r.flows)),
            ("flows_evicted", Cell::U64(|r| r.flows_evicted)),
            ("combinations_coalesced", Cell::U64(|r| r.combinations_coalesced)),
            ("events", Cell::U64(|r| r.events)),
            ("events_thinned", Cell::U64(|r| r.events_thinned)),
            ("oddities", Cell::U64(|r| r.oddities)),
            ("oddities_dropped", Cell::U64(|r| r.oddities_dropped)),
        ]
    }
}
