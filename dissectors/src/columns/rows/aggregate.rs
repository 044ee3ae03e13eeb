//! Events counted.

use crate::columns::{Column, Row};

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
    /// True where values that are no finite number were among them, which these three leave out.
    pub value_not_finite: bool,
    /// Times that the values differed from those before.
    pub changes: u64,
}

impl Row for Aggregate {
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::name("source", |r: &Self| r.source),
            Column::name("capture", |r: &Self| r.capture),
            Column::time("bucket", |r: &Self| r.bucket),
            Column::name("protocol", |r: &Self| r.protocol),
            Column::name("transport", |r: &Self| r.transport),
            Column::address("client", |r: &Self| r.client),
            Column::address("server", |r: &Self| r.server),
            Column::u16("server_port", |r: &Self| r.server_port),
            Column::maybe_address("client_unit", |r: &Self| r.client_unit),
            Column::maybe_address("server_unit", |r: &Self| r.server_unit),
            Column::maybe_u16("vlan", |r: &Self| r.vlan),
            Column::name("kind", |r: &Self| r.kind),
            Column::maybe_u16("function", |r: &Self| r.function),
            Column::name("function_name", |r: &Self| r.function_name),
            Column::name("operation", |r: &Self| r.operation),
            Column::name("status", |r: &Self| r.status),
            Column::maybe_name("object_kind", |r: &Self| r.object_kind),
            Column::maybe_u32("object_start", |r: &Self| r.object_start),
            Column::u32("object_count", |r: &Self| r.object_count),
            Column::maybe_u32("property", |r: &Self| r.property),
            Column::name("property_name", |r: &Self| r.property_name),
            Column::bool("coalesced", |r: &Self| r.coalesced),
            Column::u64("count", |r: &Self| r.count),
            Column::u64("events", |r: &Self| r.events),
            Column::time("first_time", |r: &Self| r.first_time),
            Column::time("last_time", |r: &Self| r.last_time),
            Column::u64("first_frame", |r: &Self| r.first_frame),
            Column::u64("last_frame", |r: &Self| r.last_frame),
            Column::name("last_capture", |r: &Self| r.last_capture),
            Column::frames("sample_frames", |r: &Self| &r.sample_frames),
            Column::maybe_f64("value_min", |r: &Self| r.value_min),
            Column::maybe_f64("value_max", |r: &Self| r.value_max),
            Column::maybe_f64("value_last", |r: &Self| r.value_last),
            Column::bool("value_not_finite", |r: &Self| r.value_not_finite),
            Column::u64("changes", |r: &Self| r.changes),
        ]
    }
}
