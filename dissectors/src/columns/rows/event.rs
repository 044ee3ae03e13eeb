//! Events and their objects.

use crate::columns::{Column, Row};

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
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::name("kind", |r: &Self| r.kind),
            Column::maybe_u32("type_number", |r: &Self| r.type_number),
            Column::maybe_u16("variation", |r: &Self| r.variation),
            Column::maybe_u32("start", |r: &Self| r.start),
            Column::u32("count", |r: &Self| r.count),
            Column::maybe_u32("property", |r: &Self| r.property),
            Column::name("property_name", |r: &Self| r.property_name),
            Column::maybe_u32("index", |r: &Self| r.index),
            Column::maybe_u8("priority", |r: &Self| r.priority),
            Column::list_of_f64("values", |r: &Self| &r.values),
            Column::text("text", |r: &Self| &r.text),
            Column::list_of_f64("before", |r: &Self| &r.before),
            Column::maybe_u16("status", |r: &Self| r.status),
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
    /// Capture file of those.
    pub response_capture: u32,
    /// Why it is kept whole.
    pub reason: u32,
    /// What it is about.
    pub objects: Vec<EventObject>,
}

impl Row for Event {
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::u64("event", |r: &Self| r.event),
            Column::name("source", |r: &Self| r.source),
            Column::name("capture", |r: &Self| r.capture),
            Column::time("time", |r: &Self| r.time),
            Column::name("protocol", |r: &Self| r.protocol),
            Column::name("transport", |r: &Self| r.transport),
            Column::address("client", |r: &Self| r.client),
            Column::address("server", |r: &Self| r.server),
            Column::u16("client_port", |r: &Self| r.ports[0]),
            Column::u16("server_port", |r: &Self| r.ports[1]),
            Column::maybe_address("client_unit", |r: &Self| r.client_unit),
            Column::maybe_address("server_unit", |r: &Self| r.server_unit),
            Column::maybe_u16("vlan", |r: &Self| r.vlan),
            Column::name("kind", |r: &Self| r.kind),
            Column::maybe_u16("function", |r: &Self| r.function),
            Column::name("function_name", |r: &Self| r.function_name),
            Column::name("operation", |r: &Self| r.operation),
            Column::name("status", |r: &Self| r.status),
            Column::maybe_u16("status_code", |r: &Self| r.status_code),
            Column::name("status_name", |r: &Self| r.status_name),
            Column::maybe_i64("latency", |r: &Self| r.latency),
            Column::frames("request_frames", |r: &Self| &r.request_frames),
            Column::frames("response_frames", |r: &Self| &r.response_frames),
            Column::maybe_name("response_capture", |r: &Self| r.response_capture),
            Column::name("reason", |r: &Self| r.reason),
            Column::nested("objects", |r: &Self| &r.objects),
        ]
    }
}
