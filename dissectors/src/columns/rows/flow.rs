//! Who speaks with whom, and under which hardware address.

use crate::columns::{Column, Row};
use crate::profile::Shape;

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
    /// Community ID; empty where it has none.
    pub community_id: String,
    /// Service.
    pub service: u32,
    /// What that guess rests on.
    pub basis: u32,
    /// True for a service told by its content at a port that is another's, or nobody's.
    pub odd_port: bool,
    /// State.
    pub state: u32,
    /// What it looks like, where it has no service and its packets have payloads.
    pub shape: Option<Shape>,
    /// Flows that the row stands for.
    pub flows: u64,
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
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::name("source", |r: &Self| r.source),
            Column::name("capture", |r: &Self| r.capture),
            Column::name("transport", |r: &Self| r.transport),
            Column::address("client", |r: &Self| r.client),
            Column::address("server", |r: &Self| r.server),
            Column::u16("client_port", |r: &Self| r.ports[0]),
            Column::u16("server_port", |r: &Self| r.ports[1]),
            Column::maybe_u16("vlan", |r: &Self| r.vlan),
            Column::address("client_mac", |r: &Self| r.macs[0]),
            Column::address("server_mac", |r: &Self| r.macs[1]),
            Column::text("community_id", |r: &Self| &r.community_id),
            Column::name("service", |r: &Self| r.service),
            Column::name("basis", |r: &Self| r.basis),
            Column::bool("odd_port", |r: &Self| r.odd_port),
            Column::name("state", |r: &Self| r.state),
            Column::u64("packets_out", |r: &Self| r.packets[0]),
            Column::u64("packets_in", |r: &Self| r.packets[1]),
            Column::u64("bytes_out", |r: &Self| r.bytes[0]),
            Column::u64("bytes_in", |r: &Self| r.bytes[1]),
            Column::time("first_time", |r: &Self| r.first_time),
            Column::time("last_time", |r: &Self| r.last_time),
            Column::u64("first_frame", |r: &Self| r.first_frame),
            Column::u64("last_frame", |r: &Self| r.last_frame),
            Column::u64("flows", |r: &Self| r.flows),
            Column::maybe_u16("size_low", |r: &Self| r.shape.map(|shape| shape.sizes[0])),
            Column::maybe_u16("size_middle", |r: &Self| r.shape.map(|shape| shape.sizes[1])),
            Column::maybe_u16("size_high", |r: &Self| r.shape.map(|shape| shape.sizes[2])),
            Column::maybe_u64("period", |r: &Self| r.shape.and_then(|shape| shape.period)),
            Column::maybe_f64("entropy", |r: &Self| r.shape.map(|shape| shape.entropy)),
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
    fn columns() -> Vec<Column<Self>> {
        vec![
            Column::name("source", |r: &Self| r.source),
            Column::name("capture", |r: &Self| r.capture),
            Column::address("address", |r: &Self| r.address),
            Column::address("mac", |r: &Self| r.mac),
            Column::maybe_u16("vlan", |r: &Self| r.vlan),
            Column::name("via", |r: &Self| r.via),
            Column::u64("packets", |r: &Self| r.packets),
            Column::time("first_time", |r: &Self| r.first_time),
            Column::time("last_time", |r: &Self| r.last_time),
            Column::u64("first_frame", |r: &Self| r.first_frame),
            Column::u64("last_frame", |r: &Self| r.last_frame),
        ]
    }
}
