//! What devices say of themselves, and what is malformed.

use crate::columns::{Column, Row};

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
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::name("source", |r: &Self| r.source),
            Column::name("capture", |r: &Self| r.capture),
            Column::u64("frame", |r: &Self| r.frame),
            Column::time("time", |r: &Self| r.time),
            Column::name("protocol", |r: &Self| r.protocol),
            Column::address("address", |r: &Self| r.address),
            Column::maybe_address("unit", |r: &Self| r.unit),
            Column::name("attribute", |r: &Self| r.attribute),
            Column::text("value", |r: &Self| &r.value),
            Column::u64("count", |r: &Self| r.count),
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
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::name("source", |r: &Self| r.source),
            Column::name("capture", |r: &Self| r.capture),
            Column::u64("frame", |r: &Self| r.frame),
            Column::time("time", |r: &Self| r.time),
            Column::name("protocol", |r: &Self| r.protocol),
            Column::address("source_address", |r: &Self| r.source_address),
            Column::address("destination_address", |r: &Self| r.destination_address),
            Column::name("layer", |r: &Self| r.layer),
            Column::u32("offset", |r: &Self| r.offset),
            Column::name("code", |r: &Self| r.code),
            Column::text("expected", |r: &Self| &r.expected),
        ]
    }
}
