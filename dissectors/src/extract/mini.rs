//! One mini capture. Clauses are those of draft-ietf-opsawg-pcapng.

use crate::capture::Packet;
use crate::capture::pcapng::{
    BYTE_ORDER_MAGIC, ENHANCED_PACKET, IF_FCSLEN, IF_TSOFFSET, IF_TSRESOL, INTERFACE_DESCRIPTION, OPTION_END,
    SECTION_HEADER,
};

/// What wrote the file. No version and no machine: the same packets are the same octets.
const APPLICATION: &str = "zonewatch";
const OPT_COMMENT: u16 = 1;
const IF_NAME: u16 = 2;
const SHB_USERAPPL: u16 = 4;
const NANOSECONDS: u8 = 9;
/// Ticks are unsigned (4.3): times before the epoch count from the second of the type's least value.
const BEFORE_EPOCH: i64 = i64::MIN.div_euclid(1_000_000_000);
/// Characters of a name that are written: an option's length has 16 bits (3.5).
const MOST_NAME: usize = 16_000;

/// Where packets come from, in words.
pub(super) struct Place {
    pub(super) source: String,
    pub(super) name: String,
}

/// Packets as pcapng: one section, little-endian, nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct MiniCapture {
    /// The file; empty where it would hold no packet.
    pub octets: Vec<u8>,
    /// Packets in it.
    pub packets: u64,
    /// Packets that were found and are not in it, because all mini captures would be too large.
    pub left_out: u64,
    interfaces: Vec<Interface>,
}

/// What the packets of one interface description block have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Interface {
    input: usize,
    number: u32,
    link_type: u16,
    fcs_octets: Option<u8>,
    offset_seconds: i64,
}

impl MiniCapture {
    /// Appends a packet; says by how many octets the file grew.
    pub(super) fn add(&mut self, input: usize, place: &Place, frame: u64, packet: &Packet<'_>) -> usize {
        let before = self.octets.len();
        if self.octets.is_empty() {
            section_header(&mut self.octets);
        }
        let interface = Interface {
            input,
            number: packet.interface,
            link_type: packet.link_type,
            fcs_octets: packet.fcs_octets,
            offset_seconds: if packet.time_ns < 0 { BEFORE_EPOCH } else { 0 },
        };
        let number = self.interfaces.iter().position(|known| *known == interface).unwrap_or_else(|| {
            interface.describe(&place.source, &mut self.octets);
            self.interfaces.push(interface);
            self.interfaces.len() - 1
        });
        let comment = format!("frame {frame} of {}", shortened(&place.name));
        enhanced_packet(&mut self.octets, number as u32, interface.ticks(packet.time_ns), packet, &comment);
        self.packets += 1;
        self.octets.len() - before
    }

    /// Lets all packets go; says how many octets that were.
    pub(super) fn give_up(&mut self) -> usize {
        let octets = self.octets.len();
        *self = MiniCapture { left_out: self.left_out + self.packets, ..MiniCapture::default() };
        octets
    }
}

impl Interface {
    /// Interface description block (4.2).
    fn describe(&self, source: &str, file: &mut Vec<u8>) {
        block(file, INTERFACE_DESCRIPTION, |body| {
            body.extend(self.link_type.to_le_bytes());
            body.extend([0; 2]); // reserved
            body.extend([0; 4]); // snapshot length: no limit
            option(body, IF_NAME, shortened(source).as_bytes());
            option(body, IF_TSRESOL, &[NANOSECONDS]);
            if let Some(octets) = self.fcs_octets {
                // Read back as bits where it is above 8, because writers follow either meaning.
                option(body, IF_FCSLEN, &[if octets > 8 { octets.saturating_mul(8) } else { octets }]);
            }
            if self.offset_seconds != 0 {
                option(body, IF_TSOFFSET, &self.offset_seconds.to_le_bytes());
            }
            option(body, OPTION_END, &[]);
        });
    }

    fn ticks(&self, time_ns: i64) -> u64 {
        // The offset's second is at most one second below the type's least value, so the difference fits.
        (i128::from(time_ns) - i128::from(self.offset_seconds) * 1_000_000_000) as u64
    }
}

/// Section header block (4.1).
fn section_header(file: &mut Vec<u8>) {
    block(file, SECTION_HEADER, |body| {
        body.extend(BYTE_ORDER_MAGIC.to_le_bytes());
        body.extend(1_u16.to_le_bytes()); // major version
        body.extend(0_u16.to_le_bytes()); // minor version
        body.extend((-1_i64).to_le_bytes()); // section length: not said
        option(body, SHB_USERAPPL, APPLICATION.as_bytes());
        option(body, OPTION_END, &[]);
    });
}

/// Enhanced packet block (4.3).
fn enhanced_packet(file: &mut Vec<u8>, interface: u32, ticks: u64, packet: &Packet<'_>, comment: &str) {
    block(file, ENHANCED_PACKET, |body| {
        body.extend(interface.to_le_bytes());
        body.extend(((ticks >> 32) as u32).to_le_bytes());
        body.extend((ticks as u32).to_le_bytes());
        body.extend((packet.data.len() as u32).to_le_bytes()); // captured: the reader holds at most 64 MiB
        body.extend(packet.original_length.to_le_bytes());
        padded(body, packet.data);
        option(body, OPT_COMMENT, comment.as_bytes());
        option(body, OPTION_END, &[]);
    });
}

/// A block (3.1); what `body` appends is a multiple of four octets.
fn block(file: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let mut content = Vec::new();
    body(&mut content);
    let length = (content.len() as u32 + 12).to_le_bytes();
    file.extend(kind.to_le_bytes());
    file.extend(length);
    file.append(&mut content);
    file.extend(length);
}

/// An option (3.5).
fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    padded(body, value);
}

/// Octets, and zeros to the next multiple of four.
fn padded(body: &mut Vec<u8>, octets: &[u8]) {
    body.extend(octets);
    body.resize(body.len() + octets.len().next_multiple_of(4) - octets.len(), 0);
}

fn shortened(name: &str) -> &str {
    name.char_indices().nth(MOST_NAME).map_or(name, |(end, _)| &name[..end])
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::capture::Reader;

    /// Time, link type, octets on the wire, octets captured, interface, frame check sequence.
    pub(in crate::extract) type Row = (i64, u16, u32, Vec<u8>, u32, Option<u8>);

    fn row(packet: &Packet<'_>) -> Row {
        let Packet { time_ns, link_type, original_length, data, interface, fcs_octets } = *packet;
        (time_ns, link_type, original_length, data.to_vec(), interface, fcs_octets)
    }

    fn packet(row: &Row) -> Packet<'_> {
        let (time_ns, link_type, original_length, data, interface, fcs_octets) = row;
        Packet {
            time_ns: *time_ns,
            link_type: *link_type,
            original_length: *original_length,
            data,
            interface: *interface,
            fcs_octets: *fcs_octets,
        }
    }

    pub(in crate::extract) fn rows(mut reader: Reader) -> Vec<Row> {
        let mut rows = Vec::new();
        while let Some(packet) = reader.next_packet().expect("a whole capture") {
            rows.push(row(&packet));
        }
        rows
    }

    pub(in crate::extract) fn read(file: &[u8]) -> Vec<Row> {
        rows(Reader::from_read(Box::new(Cursor::new(file.to_vec())), false).expect("a capture"))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let packets: [Row; 8] = [
            (0, 1, 0, vec![], 0, None),
            (1, 1, 4, vec![1, 2, 3, 4], 0, None),
            (1_772_438_400_123_456_789, 1, 1_500, vec![5], 0, None),
            (i64::MAX, 113, 2, vec![6, 7], 1, None),
            (-1, 1, 3, vec![8, 9, 10], 2, None),
            (i64::MIN, 1, 1, vec![11; 70_000], 2, None),
            (5, 1, 5, vec![12; 5], 3, Some(4)),
            (5, 1, 6, vec![13; 6], 4, Some(14)),
        ];
        let place = Place { source: "span".repeat(20_000), name: "ü".repeat(40_000) };
        let mut capture = MiniCapture::default();
        let grown: usize = packets.iter().map(|row| capture.add(0, &place, 7, &packet(row))).sum();
        assert_eq!(grown, capture.octets.len());
        assert_eq!(capture.packets, 8);
        assert_eq!(read(&capture.octets), packets);
    }

    #[test]
    fn one_interface_is_described_once() {
        let mut capture = MiniCapture::default();
        let place = Place { source: "span".to_owned(), name: "a.pcap".to_owned() };
        let rows: Vec<Row> = [0, 1, 0, 1].into_iter().map(|interface| (0, 1, 1, vec![0], interface, None)).collect();
        let grown = rows.iter().map(|row| capture.add(0, &place, 1, &packet(row))).collect::<Vec<_>>();
        assert!(grown[0] > grown[1] && grown[1] > grown[2] && grown[2] == grown[3], "{grown:?}");
        assert_eq!(capture.interfaces.len(), 2);
    }

    const ONE_PACKET: &[u8] = &[
        0x0a, 0x0d, 0x0d, 0x0a, // block type: section header
        0x30, 0x00, 0x00, 0x00, // block total length
        0x4d, 0x3c, 0x2b, 0x1a, // byte-order magic
        0x01, 0x00, 0x00, 0x00, // version 1.0
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // section length: not said
        0x04, 0x00, 0x09, 0x00, // shb_userappl, 9 octets
        b'z', b'o', b'n', b'e', b'w', b'a', b't', b'c', b'h', 0, 0, 0, //
        0x00, 0x00, 0x00, 0x00, // end of options
        0x30, 0x00, 0x00, 0x00, // block total length
        //
        0x01, 0x00, 0x00, 0x00, // block type: interface description
        0x28, 0x00, 0x00, 0x00, // block total length
        0x01, 0x00, 0x00, 0x00, // link type: Ethernet, reserved
        0x00, 0x00, 0x00, 0x00, // snapshot length: no limit
        0x02, 0x00, 0x04, 0x00, b's', b'p', b'a', b'n', // if_name
        0x09, 0x00, 0x01, 0x00, 0x09, 0, 0, 0, // if_tsresol: nanoseconds
        0x00, 0x00, 0x00, 0x00, // end of options
        0x28, 0x00, 0x00, 0x00, // block total length
        //
        0x06, 0x00, 0x00, 0x00, // block type: enhanced packet
        0x40, 0x00, 0x00, 0x00, // block total length
        0x00, 0x00, 0x00, 0x00, // interface ID
        0x01, 0x00, 0x00, 0x00, // timestamp (upper)
        0x02, 0x00, 0x00, 0x00, // timestamp (lower)
        0x03, 0x00, 0x00, 0x00, // captured packet length
        0x05, 0x00, 0x00, 0x00, // original packet length
        0xaa, 0xbb, 0xcc, 0x00, // packet data, padded
        0x01, 0x00, 0x11, 0x00, // opt_comment, 17 octets
        b'f', b'r', b'a', b'm', b'e', b' ', b'1', b'2', b' ', b'o', b'f', b' ', b'a', b'.', b'c', b'a', //
        b'p', 0, 0, 0, //
        0x00, 0x00, 0x00, 0x00, // end of options
        0x40, 0x00, 0x00, 0x00, // block total length
    ];

    #[test]
    fn every_field_has_its_place() {
        let mut capture = MiniCapture::default();
        let place = Place { source: "span".to_owned(), name: "a.cap".to_owned() };
        capture.add(0, &place, 12, &packet(&((1 << 32) + 2, 1, 5, vec![0xaa, 0xbb, 0xcc], 0, None)));
        assert_eq!(capture.octets, ONE_PACKET);
    }
}
