//! The block format (draft-ietf-opsawg-pcapng).

use std::ops::Range;

use super::error::Fault;
use super::order::{ByteOrder, Fields};
use super::stream::Window;
use super::{NANOSECONDS, Record};
use crate::bytes::Short;

/// Reads the same in both byte orders (4.1).
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
pub(crate) const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

pub(crate) const SECTION_HEADER: u32 = u32::from_le_bytes(MAGIC);
pub(crate) const INTERFACE_DESCRIPTION: u32 = 1;
const OBSOLETE_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const INTERFACE_STATISTICS: u32 = 5;
pub(crate) const ENHANCED_PACKET: u32 = 6;

pub(crate) const OPTION_END: u16 = 0;
pub(crate) const IF_TSRESOL: u16 = 9;
pub(crate) const IF_FCSLEN: u16 = 13;
pub(crate) const IF_TSOFFSET: u16 = 14;
const ISB_IFDROP: u16 = 5;
const ISB_OSDROP: u16 = 7;

/// Type and total length, and the same length again behind the body (3.1).
const BLOCK_HEADER: usize = 8;
const BLOCK_TRAILER: usize = 4;
const LEAST_BLOCK: usize = BLOCK_HEADER + BLOCK_TRAILER;
/// Blocks that are looked into are held as a whole.
const MOST_HELD: u32 = 64 << 20;
const MOST_INTERFACES: usize = 65_536;

/// State of a block capture.
pub(super) struct PcapNg {
    pub(super) order: ByteOrder,
    /// Of the present section.
    interfaces: Vec<Interface>,
    /// Interfaces of the sections before, so that numbers stay unique in an input of many sections.
    interfaces_before: u32,
    last_time_ns: i64,
    pub(super) untimed: u64,
    /// Of the sections before.
    drops_before: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Interface {
    link_type: u16,
    snap_length: u32,
    fcs_octets: Option<u8>,
    clock: Clock,
    drops: Option<u64>,
}

/// How an interface counts time.
#[derive(Clone, Copy, Debug)]
struct Clock {
    unit: Unit,
    offset_seconds: i64,
}

/// Ticks to nanoseconds.
#[derive(Clone, Copy, Debug)]
enum Unit {
    Times(u64),
    DividedBy(u128),
    /// Ticks of 2^-n seconds.
    Binary(u8),
}

impl Unit {
    /// The meaning of `if_tsresol`: the high bit chooses a power of two, else of ten (4.2).
    fn from_resolution(resolution: u8) -> Self {
        match resolution {
            0..=9 => Unit::Times(10_u64.pow(u32::from(9 - resolution))),
            // No 64-bit tick count reaches a nanosecond of the divisors too large for 128 bits.
            10..=0x7f => Unit::DividedBy(10_u128.checked_pow(u32::from(resolution - 9)).unwrap_or(u128::MAX)),
            0x80.. => Unit::Binary(resolution & 0x7f),
        }
    }
}

impl Clock {
    /// Nanoseconds since the epoch, held at the limits of the type (years 1677 and 2262).
    fn time_ns(self, ticks: u64) -> i64 {
        let nanoseconds = match self.unit {
            Unit::Times(factor) => u128::from(ticks) * u128::from(factor),
            Unit::DividedBy(divisor) => u128::from(ticks) / divisor,
            Unit::Binary(bits) => (u128::from(ticks) * NANOSECONDS as u128) >> bits,
        };
        // 2^64 ticks of a second are below 2^94 nanoseconds.
        let time = nanoseconds as i128 + i128::from(self.offset_seconds) * i128::from(NANOSECONDS);
        time.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }
}

/// A block whose length field is plausible.
struct Block {
    kind: u32,
    length: u32,
    /// Offset in the capture.
    offset: u64,
}

/// The fields that packet blocks share.
struct PacketFields {
    interface: u32,
    ticks: Option<u64>,
    original_length: u32,
    /// Within the body.
    data: Range<usize>,
}

impl PcapNg {
    /// Reads the first section header of a capture that was recognised.
    pub(super) fn open(window: &mut Window) -> Result<Self, Fault> {
        let mut capture = PcapNg {
            order: ByteOrder::Little,
            interfaces: Vec::new(),
            interfaces_before: 0,
            last_time_ns: 0,
            untimed: 0,
            drops_before: None,
        };
        if let Some(block) = capture.next_block(window)? {
            let body = capture.body(window, &block)?;
            capture.section(&window.unread()[body], &block)?;
            window.take(block.length as usize);
        }
        Ok(capture)
    }

    pub(super) fn next_record(&mut self, window: &mut Window) -> Result<Option<Record>, Fault> {
        while let Some(block) = self.next_block(window)? {
            let held = matches!(
                block.kind,
                SECTION_HEADER
                    | INTERFACE_DESCRIPTION
                    | OBSOLETE_PACKET
                    | SIMPLE_PACKET
                    | INTERFACE_STATISTICS
                    | ENHANCED_PACKET
            );
            if !held {
                self.skip(window, &block)?;
                continue;
            }
            let body = self.body(window, &block)?;
            let octets = &window.unread()[body];
            let record = match block.kind {
                SECTION_HEADER => {
                    self.section(octets, &block)?;
                    None
                }
                INTERFACE_DESCRIPTION => {
                    self.interface(octets, &block)?;
                    None
                }
                INTERFACE_STATISTICS => {
                    self.statistics(octets);
                    None
                }
                _ => Some(self.packet(octets, &block)?),
            };
            let start = window.take(block.length as usize).start + BLOCK_HEADER;
            if let Some(mut record) = record {
                record.data = start + record.data.start..start + record.data.end;
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn next_block(&mut self, window: &mut Window) -> Result<Option<Block>, Fault> {
        let available = window.fill(LEAST_BLOCK)?;
        if available == 0 {
            return Ok(None);
        }
        let cut = |_| Fault::cut("block header", LEAST_BLOCK, available);
        let offset = window.offset();
        let damaged = |reason: String| Fault::Damaged { offset, reason };
        if available < LEAST_BLOCK {
            return Err(Fault::cut("block header", LEAST_BLOCK, available));
        }
        if window.unread().starts_with(&MAGIC) {
            // A section's byte order holds from the length in front of it on (4.1).
            let mut fields = Fields::new(ByteOrder::Little, &window.unread()[BLOCK_HEADER..]);
            self.order = match fields.u32("byte-order magic").map_err(cut)? {
                BYTE_ORDER_MAGIC => ByteOrder::Little,
                magic if magic == BYTE_ORDER_MAGIC.swap_bytes() => ByteOrder::Big,
                _ if offset == 0 => return Err(Fault::NotACapture),
                magic => return Err(damaged(format!("a section header with the byte-order magic {magic:08x}"))),
            };
        }
        let mut fields = Fields::new(self.order, window.unread());
        let kind = fields.u32("block type").map_err(cut)?;
        let length = fields.u32("block total length").map_err(cut)?;
        if (length as usize) < LEAST_BLOCK || length % 4 != 0 {
            return Err(damaged(format!("a block of type {kind:#x} and impossible length {length}")));
        }
        Ok(Some(Block { kind, length, offset }))
    }

    /// Gets the whole block into the window; where its body is among the unread octets.
    fn body(&self, window: &mut Window, block: &Block) -> Result<Range<usize>, Fault> {
        if block.length > MOST_HELD {
            let reason = format!("a block of {} octets, where {MOST_HELD} are the most to expect", block.length);
            return Err(Fault::Damaged { offset: block.offset, reason });
        }
        let length = block.length as usize;
        let available = window.fill(length)?;
        if available < length {
            return Err(Fault::cut("block", length, available));
        }
        let body = BLOCK_HEADER..length - BLOCK_TRAILER;
        self.check_trailer(&window.unread()[body.end..], block)?;
        Ok(body)
    }

    /// Passes over a block of a type that carries no packets, however long it is.
    fn skip(&self, window: &mut Window, block: &Block) -> Result<(), Fault> {
        let missing = window.skip(u64::from(block.length) - BLOCK_TRAILER as u64)?;
        let available = window.fill(BLOCK_TRAILER)?;
        if available < BLOCK_TRAILER {
            let missing = missing + (BLOCK_TRAILER - available) as u64;
            return Err(Fault::Cut { part: "block", missing: Some(missing) });
        }
        self.check_trailer(window.unread(), block)?;
        window.take(BLOCK_TRAILER);
        Ok(())
    }

    fn check_trailer(&self, trailer: &[u8], block: &Block) -> Result<(), Fault> {
        let length =
            Fields::new(self.order, trailer).u32("block total length").map_err(|short| block.damaged(short))?;
        if length == block.length {
            return Ok(());
        }
        let reason =
            format!("a block of type {:#x} says {} octets in front and {length} behind", block.kind, block.length);
        Err(Fault::Damaged { offset: block.offset, reason })
    }

    fn section(&mut self, body: &[u8], block: &Block) -> Result<(), Fault> {
        let mut fields = Fields::new(self.order, body);
        let version = (|| {
            fields.u32("byte-order magic")?;
            Ok((fields.u16("major version")?, fields.u16("minor version")?))
        })();
        let (major, minor) = version.map_err(|short: Short| block.damaged(short))?;
        if major != 1 {
            let format = format!("pcapng version {major}.{minor}");
            return Err(match block.offset {
                0 => Fault::Unsupported { format, advice: "only version 1 is known" },
                offset => Fault::Damaged { offset, reason: format!("a section in {format}") },
            });
        }
        self.drops_before = self.drops();
        self.interfaces_before = self.interfaces_before.saturating_add(self.interfaces.len() as u32);
        self.interfaces.clear();
        Ok(())
    }

    fn interface(&mut self, body: &[u8], block: &Block) -> Result<(), Fault> {
        if self.interfaces.len() == MOST_INTERFACES {
            let reason = format!("a section with more than {MOST_INTERFACES} interfaces");
            return Err(Fault::Damaged { offset: block.offset, reason });
        }
        let interface = Interface::read(Fields::new(self.order, body)).map_err(|short| block.damaged(short))?;
        self.interfaces.push(interface);
        Ok(())
    }

    /// Statistics that cannot be read are passed over: the packets do not depend on them.
    fn statistics(&mut self, body: &[u8]) {
        let Ok((interface, Some(drops))) = dropped(Fields::new(self.order, body)) else { return };
        if let Some(interface) = self.interfaces.get_mut(interface as usize) {
            interface.drops = Some(drops);
        }
    }

    /// Packets that the writer says were dropped, on all interfaces so far.
    pub(super) fn drops(&self) -> Option<u64> {
        let present = self.interfaces.iter().filter_map(|interface| interface.drops);
        present.chain(self.drops_before).reduce(u64::saturating_add)
    }

    /// The record of a packet block; its data's place is counted from the body.
    fn packet(&mut self, body: &[u8], block: &Block) -> Result<Record, Fault> {
        let fields = Fields::new(self.order, body);
        let packet = match block.kind {
            ENHANCED_PACKET => PacketFields::enhanced(fields),
            SIMPLE_PACKET => PacketFields::simple(fields, self.interfaces.first()),
            _ => PacketFields::obsolete(fields),
        }
        .map_err(|short| block.damaged(short))?;
        let Some(interface) = self.interfaces.get(packet.interface as usize) else {
            let described = self.interfaces.len();
            let reason = format!("a packet of interface {}, where the section describes {described}", packet.interface);
            return Err(Fault::Damaged { offset: block.offset, reason });
        };
        match packet.ticks {
            Some(ticks) => self.last_time_ns = interface.clock.time_ns(ticks),
            None => self.untimed += 1,
        }
        Ok(Record {
            time_ns: self.last_time_ns,
            link_type: interface.link_type,
            fcs_octets: interface.fcs_octets,
            original_length: packet.original_length,
            interface: self.interfaces_before.saturating_add(packet.interface),
            data: packet.data,
        })
    }
}

impl Block {
    fn damaged(&self, short: Short) -> Fault {
        Fault::Damaged { offset: self.offset, reason: format!("a block of type {:#x}: {short}", self.kind) }
    }
}

impl Interface {
    /// Interface description block (4.2).
    fn read(mut fields: Fields) -> Result<Self, Short> {
        let link_type = fields.u16("link type")?;
        fields.u16("reserved")?;
        let snap_length = fields.u32("snapshot length")?;
        let mut interface = Interface {
            link_type,
            snap_length,
            fcs_octets: None,
            clock: Clock { unit: Unit::from_resolution(6), offset_seconds: 0 },
            drops: None,
        };
        while let Some((code, value)) = next_option(&mut fields)? {
            match (code, value) {
                (IF_TSRESOL, &[resolution]) => interface.clock.unit = Unit::from_resolution(resolution),
                // The draft says bits, its example is 4, and writers follow either.
                (IF_FCSLEN, &[length]) => interface.fcs_octets = Some(if length > 8 { length / 8 } else { length }),
                (IF_TSOFFSET, offset) => interface.clock.offset_seconds = fields.inner(offset).i64("if_tsoffset")?,
                _ => {}
            }
        }
        Ok(interface)
    }
}

/// Code and value of an option; `None` at the end-of-options mark, which may be absent (3.5).
fn next_option<'a>(fields: &mut Fields<'a>) -> Result<Option<(u16, &'a [u8])>, Short> {
    if fields.left() == 0 {
        return Ok(None);
    }
    let code = fields.u16("option type")?;
    let length = usize::from(fields.u16("option length")?);
    let value = fields.take(length, "option value")?;
    fields.take(length.next_multiple_of(4) - length, "option padding")?;
    Ok((code != OPTION_END).then_some((code, value)))
}

/// Interface statistics block (4.6): the interface, and the packets that it or the system dropped since the start.
fn dropped(mut fields: Fields) -> Result<(u32, Option<u64>), Short> {
    let interface = fields.u32("interface ID")?;
    fields.u32("timestamp (upper)")?;
    fields.u32("timestamp (lower)")?;
    let mut drops: Option<u64> = None;
    while let Some((code, value)) = next_option(&mut fields)? {
        if let ISB_IFDROP | ISB_OSDROP = code {
            drops = Some(drops.unwrap_or(0).saturating_add(fields.inner(value).u64("dropped packets")?));
        }
    }
    Ok((interface, drops))
}

impl PacketFields {
    /// Enhanced packet block (4.3).
    fn enhanced(mut fields: Fields) -> Result<Self, Short> {
        let interface = fields.u32("interface ID")?;
        PacketFields::timed(interface, fields)
    }

    /// Packet block, obsolete (appendix A).
    fn obsolete(mut fields: Fields) -> Result<Self, Short> {
        let interface = fields.u16("interface ID")?.into();
        fields.u16("drops count")?;
        PacketFields::timed(interface, fields)
    }

    fn timed(interface: u32, mut fields: Fields) -> Result<Self, Short> {
        let high = fields.u32("timestamp (upper)")?;
        let low = fields.u32("timestamp (lower)")?;
        let captured = fields.u32("captured packet length")? as usize;
        let original_length = fields.u32("original packet length")?;
        let start = fields.offset();
        fields.take(captured, "packet data")?;
        let ticks = Some(u64::from(high) << 32 | u64::from(low));
        Ok(PacketFields { interface, ticks, original_length, data: start..start + captured })
    }

    /// Simple packet block (4.4): no time, no captured length, always the first interface.
    fn simple(mut fields: Fields, interface: Option<&Interface>) -> Result<Self, Short> {
        let original_length = fields.u32("original packet length")?;
        // A snapshot length of 0 is no limit.
        let limit = interface.map(|interface| interface.snap_length).filter(|length| *length > 0);
        let captured = limit.map_or(original_length, |limit| limit.min(original_length)) as usize;
        let start = fields.offset();
        let data = start..start + captured.min(fields.left());
        Ok(PacketFields { interface: 0, ticks: None, original_length, data })
    }
}
