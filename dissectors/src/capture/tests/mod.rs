//! Builders that name every field, and the tests by subject.

mod corpus;
mod hostile;
mod pcap;
mod pcapng;
mod speed;
mod stream;

use std::io::{Cursor, Write};

use super::{ByteOrder, CaptureError, Packet, Reader};

/// A packet that outlives its reader.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    time_ns: i64,
    link_type: u16,
    original_length: u32,
    data: Vec<u8>,
    interface: u32,
    fcs_octets: Option<u8>,
}

impl From<Packet<'_>> for Owned {
    fn from(packet: Packet<'_>) -> Self {
        Owned {
            time_ns: packet.time_ns,
            link_type: packet.link_type,
            original_length: packet.original_length,
            data: packet.data.to_vec(),
            interface: packet.interface,
            fcs_octets: packet.fcs_octets,
        }
    }
}

fn open(file: &[u8]) -> Result<Reader, CaptureError> {
    Reader::from_read(Box::new(Cursor::new(file.to_vec())), false)
}

/// All packets, and the error that ended them.
fn read(file: &[u8]) -> (Vec<Owned>, Option<CaptureError>) {
    let mut packets = Vec::new();
    let mut reader = match open(file) {
        Ok(reader) => reader,
        Err(error) => return (packets, Some(error)),
    };
    loop {
        match reader.next_packet() {
            Ok(Some(packet)) => packets.push(packet.into()),
            Ok(None) => return (packets, None),
            Err(error) => return (packets, Some(error)),
        }
    }
}

fn packets(file: &[u8]) -> Vec<Owned> {
    let (packets, error) = read(file);
    assert!(error.is_none(), "{}", error.unwrap());
    packets
}

/// The error of a file that must have one.
fn refused(file: &[u8]) -> CaptureError {
    read(file).1.expect("an error")
}

/// Writes fields one after the other, each with its name.
struct Fields {
    order: ByteOrder,
    octets: Vec<u8>,
}

impl Fields {
    fn new(order: ByteOrder) -> Self {
        Fields { order, octets: Vec::new() }
    }

    fn put(mut self, little: &[u8]) -> Self {
        match self.order {
            ByteOrder::Little => self.octets.extend(little),
            ByteOrder::Big => self.octets.extend(little.iter().rev()),
        }
        self
    }

    fn u16(self, _name: &str, value: u16) -> Self {
        self.put(&value.to_le_bytes())
    }

    fn u32(self, _name: &str, value: u32) -> Self {
        self.put(&value.to_le_bytes())
    }

    fn i64(self, _name: &str, value: i64) -> Self {
        self.put(&value.to_le_bytes())
    }

    fn data(mut self, _name: &str, value: &[u8]) -> Self {
        self.octets.extend(value);
        self
    }

    fn padded(mut self, name: &str, value: &[u8]) -> Self {
        self = self.data(name, value);
        self.octets.resize(self.octets.len().next_multiple_of(4), 0);
        self
    }
}

const MICROSECONDS: u32 = 0xa1b2_c3d4;

/// A pcap file header of version 2.4 with snapshot length 65535.
fn pcap_header(order: ByteOrder, magic: u32, link_type: u32) -> Vec<u8> {
    Fields::new(order)
        .u32("magic number", magic)
        .u16("major version", 2)
        .u16("minor version", 4)
        .u32("reserved 1", 0)
        .u32("reserved 2", 0)
        .u32("snapshot length", 65_535)
        .u32("link type and additional information", link_type)
        .octets
}

fn pcap_record(order: ByteOrder, seconds: u32, fraction: u32, data: &[u8]) -> Vec<u8> {
    Fields::new(order)
        .u32("timestamp seconds", seconds)
        .u32("timestamp fraction", fraction)
        .u32("captured packet length", data.len() as u32)
        .u32("original packet length", data.len() as u32)
        .data("packet data", data)
        .octets
}

fn block(order: ByteOrder, kind: u32, body: &[u8]) -> Vec<u8> {
    let length = body.len().next_multiple_of(4) as u32 + 12;
    Fields::new(order)
        .u32("block type", kind)
        .u32("block total length", length)
        .padded("body", body)
        .u32("block total length", length)
        .octets
}

fn section(order: ByteOrder) -> Vec<u8> {
    let body = Fields::new(order)
        .u32("byte-order magic", 0x1a2b_3c4d)
        .u16("major version", 1)
        .u16("minor version", 0)
        .i64("section length", -1)
        .octets;
    block(order, 0x0a0d_0d0a, &body)
}

/// Code and value.
type InterfaceOption<'a> = (u16, &'a [u8]);

fn interface(order: ByteOrder, link_type: u16, snap_length: u32, options: &[InterfaceOption]) -> Vec<u8> {
    let mut body =
        Fields::new(order).u16("link type", link_type).u16("reserved", 0).u32("snapshot length", snap_length);
    for (code, value) in options {
        body = body.u16("option type", *code).u16("option length", value.len() as u16).padded("option value", value);
    }
    block(order, 1, &body.octets)
}

fn enhanced(order: ByteOrder, interface: u32, ticks: u64, data: &[u8]) -> Vec<u8> {
    let body = Fields::new(order)
        .u32("interface ID", interface)
        .u32("timestamp (upper)", (ticks >> 32) as u32)
        .u32("timestamp (lower)", ticks as u32)
        .u32("captured packet length", data.len() as u32)
        .u32("original packet length", data.len() as u32)
        .data("packet data", data)
        .octets;
    block(order, 6, &body)
}

/// One pcap and one pcapng file of three packets each.
fn samples() -> [Vec<u8>; 2] {
    use ByteOrder::{Big, Little};
    let pcap = [
        pcap_header(Little, MICROSECONDS, 1),
        pcap_record(Little, 1, 0, b"one"),
        pcap_record(Little, 2, 0, b""),
        pcap_record(Little, 3, 0, b"three"),
    ];
    let pcapng = [
        section(Big),
        interface(Big, 1, 0, &[]),
        enhanced(Big, 0, 1_000_000, b"one"),
        block(Big, 3, &[0, 0, 0, 3, b't', b'w', b'o']),
        section(Little),
        interface(Little, 113, 0, &[(9, &[9])]),
        block(Little, 0xbad, b"a block that nobody knows"),
        enhanced(Little, 0, 3_000_000_000, b"three"),
    ];
    [pcap.concat(), pcapng.concat()]
}

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(octets).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

fn zstd(octets: &[u8]) -> Vec<u8> {
    zstd::encode_all(octets, 1).expect("memory takes all")
}
