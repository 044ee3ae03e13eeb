//! Every PDU.

use crate::columns::{Column, Row};

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
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::name("source", |r: &Self| r.source),
            Column::name("capture", |r: &Self| r.capture),
            Column::u64("frame", |r: &Self| r.frame),
            Column::time("time", |r: &Self| r.time),
            Column::name("protocol", |r: &Self| r.protocol),
            Column::name("transport", |r: &Self| r.transport),
            Column::address("source_address", |r: &Self| r.source_address),
            Column::address("destination_address", |r: &Self| r.destination_address),
            Column::u16("source_port", |r: &Self| r.ports[0]),
            Column::u16("destination_port", |r: &Self| r.ports[1]),
            Column::maybe_u16("vlan", |r: &Self| r.vlan),
            Column::name("kind", |r: &Self| r.kind),
            Column::maybe_address("source_unit", |r: &Self| r.source_unit),
            Column::maybe_address("destination_unit", |r: &Self| r.destination_unit),
            Column::maybe_u8("link_code", |r: &Self| r.link_code),
            Column::maybe_u8("message_type", |r: &Self| r.message_type),
            Column::maybe_u16("function", |r: &Self| r.function),
            Column::name("function_name", |r: &Self| r.function_name),
            Column::name("operation", |r: &Self| r.operation),
            Column::maybe_u16("status_code", |r: &Self| r.status_code),
            Column::name("status_name", |r: &Self| r.status_name),
            Column::maybe_u32("transaction", |r: &Self| r.transaction),
            Column::maybe_u16("indications", |r: &Self| r.indications),
            Column::u32("length", |r: &Self| r.length),
            Column::bool("complete", |r: &Self| r.complete),
            Column::u32("objects", |r: &Self| r.objects),
            Column::maybe_name("object_kind", |r: &Self| r.object_kind),
            Column::maybe_u32("object_start", |r: &Self| r.object_start),
            Column::maybe_u32("object_count", |r: &Self| r.object_count),
        ]
    }
}
