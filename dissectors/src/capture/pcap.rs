//! The classic format of libpcap (draft-ietf-opsawg-pcap).

use std::ops::Range;

use super::error::Fault;
use super::order::{ByteOrder, Fields};
use super::stream::Window;
use super::{Container, NANOSECONDS, Record, Resolution};
use crate::bytes::Short;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
/// Alexey Kuznetsov's patch added interface index, protocol and packet type.
const MODIFIED_RECORD_HEADER: usize = 24;

/// No snapshot length asks for less room than libpcap's default, because headers with 0 or a wrong one exist.
const LEAST_BOUND: u32 = 262_144;
const MOST_BOUND: u32 = 64 << 20;

/// Bit "P" and the four bits above it, which count 16-bit words of frame check sequence (section 4).
const FCS_PRESENT: u32 = 1 << 26;
const FCS_WORDS_SHIFT: u32 = 28;

/// How the two lengths of a record are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    CapturedFirst,
    /// Format versions before 2.3.
    OriginalFirst,
    /// In 2.3 writers differ: the smaller one is the captured length, as libpcap has it.
    SmallerIsCaptured,
}

/// State of a classic capture.
pub(super) struct Pcap {
    pub(super) container: Container,
    pub(super) order: ByteOrder,
    pub(super) resolution: Resolution,
    link_type: u16,
    fcs_octets: Option<u8>,
    lengths: Lengths,
    record_header: usize,
    bound: u32,
    /// Little-endian, lengths and header as nearly every writer has them.
    is_usual: bool,
}

/// Magic numbers (section 4, and the patch).
const MAGICS: [(u32, Container, Resolution); 3] = [
    (0xa1b2_c3d4, Container::Pcap, Resolution::Microseconds),
    (0xa1b2_3c4d, Container::Pcap, Resolution::Nanoseconds),
    (0xa1b2_cd34, Container::PcapModified, Resolution::Microseconds),
];

/// What the magic number says.
pub(super) fn recognise(head: &[u8]) -> Option<(ByteOrder, Container, Resolution)> {
    MAGICS.into_iter().find_map(|(magic, container, resolution)| {
        let little = head.starts_with(&magic.to_le_bytes()).then_some(ByteOrder::Little);
        let big = head.starts_with(&magic.to_be_bytes()).then_some(ByteOrder::Big);
        Some((little.or(big)?, container, resolution))
    })
}

/// True for the beginning of a magic number.
pub(super) fn may_become(head: &[u8]) -> bool {
    MAGICS.iter().any(|(magic, ..)| magic.to_le_bytes().starts_with(head) || magic.to_be_bytes().starts_with(head))
}

impl Pcap {
    /// Reads the file header of a capture that was recognised.
    pub(super) fn open(window: &mut Window) -> Result<Self, Fault> {
        let available = window.fill(FILE_HEADER)?;
        let (order, container, resolution) = recognise(window.unread()).ok_or(Fault::NotACapture)?;
        let header = FileHeader::read(Fields::new(order, window.unread()))
            .map_err(|_| Fault::cut("file header", FILE_HEADER, available))?;
        if header.version_major != 2 {
            let format = format!("pcap version {}.{}", header.version_major, header.version_minor);
            return Err(Fault::Unsupported { format, advice: "only version 2 is known" });
        }
        window.take(FILE_HEADER);
        let usual = container == Container::Pcap && order == ByteOrder::Little && header.version_minor > 3;
        Ok(Pcap {
            is_usual: usual,
            container,
            order,
            resolution,
            link_type: (header.link_type & 0xffff) as u16,
            fcs_octets: (header.link_type & FCS_PRESENT != 0)
                .then_some((header.link_type >> FCS_WORDS_SHIFT) as u8 * 2),
            lengths: match header.version_minor {
                0..3 => Lengths::OriginalFirst,
                3 => Lengths::SmallerIsCaptured,
                _ => Lengths::CapturedFirst,
            },
            record_header: match container {
                Container::PcapModified => MODIFIED_RECORD_HEADER,
                _ => RECORD_HEADER,
            },
            bound: header.snap_length.clamp(LEAST_BOUND, MOST_BOUND),
        })
    }

    #[inline]
    pub(super) fn next_record(&mut self, window: &mut Window) -> Result<Option<Record>, Fault> {
        match self.record_at_hand(window) {
            Some(record) => Ok(Some(record)),
            None => self.record_to_read(window),
        }
    }

    /// The next record, where it is of the usual kind and whole in the window.
    #[inline]
    fn record_at_hand(&self, window: &mut Window) -> Option<Record> {
        let unread = window.unread();
        let header: &[u8; RECORD_HEADER] = unread.first_chunk().filter(|_| self.is_usual)?;
        let field = |at: usize| u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        let length = RECORD_HEADER + field(8) as usize;
        if field(8) > self.bound || unread.len() < length {
            return None;
        }
        let (seconds, fraction, original_length) = (field(0), field(4), field(12));
        let record = window.take(length);
        Some(self.record(seconds, fraction, original_length, record.start + RECORD_HEADER..record.end))
    }

    #[inline(never)]
    fn record_to_read(&mut self, window: &mut Window) -> Result<Option<Record>, Fault> {
        let available = window.fill(self.record_header)?;
        if available == 0 {
            return Ok(None);
        }
        if available < self.record_header {
            return Err(Fault::cut("record header", self.record_header, available));
        }
        let header = RecordHeader::read(Fields::new(self.order, window.unread()))
            .map_err(|_| Fault::cut("record header", self.record_header, available))?;
        let (captured, original) = match self.lengths {
            Lengths::CapturedFirst => header.lengths,
            Lengths::OriginalFirst => (header.lengths.1, header.lengths.0),
            Lengths::SmallerIsCaptured => {
                (header.lengths.0.min(header.lengths.1), header.lengths.0.max(header.lengths.1))
            }
        };
        if captured > self.bound {
            let reason = format!("a record of {captured} octets, where {} are the most to expect", self.bound);
            return Err(Fault::Damaged { offset: window.offset(), reason });
        }
        let length = self.record_header + captured as usize;
        let available = window.fill(length)?;
        if available < length {
            return Err(Fault::cut("record data", length, available));
        }
        let record = window.take(length);
        let data = record.start + self.record_header..record.end;
        Ok(Some(self.record(header.seconds, header.fraction, original, data)))
    }

    #[inline]
    fn record(&self, seconds: u32, fraction: u32, original_length: u32, data: Range<usize>) -> Record {
        let unit = match self.resolution {
            Resolution::Nanoseconds => 1,
            _ => 1_000,
        };
        Record {
            // Two unsigned 32-bit fields (section 5): the sum stays below 2^63.
            time_ns: i64::from(seconds) * NANOSECONDS + i64::from(fraction) * unit,
            link_type: self.link_type,
            fcs_octets: self.fcs_octets,
            original_length,
            interface: 0,
            data,
        }
    }
}

struct FileHeader {
    version_major: u16,
    version_minor: u16,
    snap_length: u32,
    link_type: u32,
}

impl FileHeader {
    fn read(mut fields: Fields) -> Result<Self, Short> {
        fields.u32("magic number")?;
        let version_major = fields.u16("major version")?;
        let version_minor = fields.u16("minor version")?;
        // Once time zone and accuracy; to be ignored (section 4).
        fields.u32("reserved 1")?;
        fields.u32("reserved 2")?;
        let snap_length = fields.u32("snapshot length")?;
        let link_type = fields.u32("link type and additional information")?;
        Ok(FileHeader { version_major, version_minor, snap_length, link_type })
    }
}

struct RecordHeader {
    seconds: u32,
    fraction: u32,
    /// In the order of the file.
    lengths: (u32, u32),
}

impl RecordHeader {
    #[inline]
    fn read(mut fields: Fields) -> Result<Self, Short> {
        Ok(RecordHeader {
            seconds: fields.u32("timestamp seconds")?,
            fraction: fields.u32("timestamp fraction")?,
            lengths: (fields.u32("captured packet length")?, fields.u32("original packet length")?),
        })
    }
}
