//! What hosts did in the protocols of services.

use crate::columns::{Column, Row};

/// One field of an activity.
#[derive(Clone, Debug)]
pub struct ActivityField {
    /// Its name.
    pub name: u32,
    /// Its value.
    pub value: String,
}

/// One thing done, counted within a quarter of an hour.
#[derive(Clone, Debug)]
pub struct Activity {
    /// Capture point.
    pub source: u32,
    /// Capture file where it was first seen.
    pub capture: u32,
    /// Protocol.
    pub protocol: u32,
    /// What carries it.
    pub transport: u32,
    /// Who asked.
    pub client: u32,
    /// Who was asked.
    pub server: u32,
    /// Their ports, the first time.
    pub ports: [u16; 2],
    /// Innermost VLAN, the first time.
    pub vlan: Option<u16>,
    /// What was done.
    pub action: u32,
    /// What that is in the closed list.
    pub operation: u32,
    /// How it ended.
    pub status: u32,
    /// The protocol's word for that.
    pub code: String,
    /// What is known of it.
    pub fields: Vec<ActivityField>,
    /// Stands for many that differ in their fields.
    pub coalesced: bool,
    /// How often.
    pub count: u64,
    /// When first told.
    pub first_time: i64,
    /// When last told.
    pub last_time: i64,
    /// Frame of the first request, where it was told at the answer.
    pub request_frame: Option<u64>,
    /// Frame where it was first told.
    pub first_frame: u64,
    /// Frame where it was last told.
    pub last_frame: u64,
    /// Capture file of that.
    pub last_capture: u32,
}

impl Row for ActivityField {
    fn columns() -> Vec<Column<Self>> {
        vec![Column::name("name", |r: &Self| r.name), Column::text("value", |r: &Self| &r.value)]
    }
}

impl Row for Activity {
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::name("source", |r: &Self| r.source),
            Column::name("capture", |r: &Self| r.capture),
            Column::name("protocol", |r: &Self| r.protocol),
            Column::name("transport", |r: &Self| r.transport),
            Column::address("client", |r: &Self| r.client),
            Column::address("server", |r: &Self| r.server),
            Column::u16("client_port", |r: &Self| r.ports[0]),
            Column::u16("server_port", |r: &Self| r.ports[1]),
            Column::maybe_u16("vlan", |r: &Self| r.vlan),
            Column::name("action", |r: &Self| r.action),
            Column::name("operation", |r: &Self| r.operation),
            Column::name("status", |r: &Self| r.status),
            Column::text("code", |r: &Self| &r.code),
            Column::nested("fields", |r: &Self| &r.fields),
            Column::bool("coalesced", |r: &Self| r.coalesced),
            Column::u64("count", |r: &Self| r.count),
            Column::time("first_time", |r: &Self| r.first_time),
            Column::time("last_time", |r: &Self| r.last_time),
            Column::maybe_u64("request_frame", |r: &Self| r.request_frame),
            Column::u64("first_frame", |r: &Self| r.first_frame),
            Column::u64("last_frame", |r: &Self| r.last_frame),
            Column::name("last_capture", |r: &Self| r.last_capture),
        ]
    }
}
