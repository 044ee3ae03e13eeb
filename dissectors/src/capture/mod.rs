//! Capture files and streams as one sequence of packets.
//!
//! Formats: pcap and pcapng, plain or in gzip or zstd (or one in the other), recognised by content. Nothing is mapped or
//! copied: a packet is a slice of one reused window. Whatever the input claims, memory stays bounded: the window holds
//! one record (64 MiB at the most), a decoder 128 MiB; a decompression bomb costs time alone.
//!
//! ```no_run
//! use zonewatch_dissectors::capture::{CaptureError, Reader};
//!
//! # fn main() -> Result<(), CaptureError> {
//! let mut reader = Reader::open("plant.pcapng.gz".as_ref(), false)?;
//! while let Some(packet) = reader.next_packet()? {
//!     println!("{} ns: {} octets", packet.time_ns, packet.data.len());
//! }
//! # Ok(())
//! # }
//! ```

mod ahead;
mod error;
mod foreign;
mod order;
mod pcap;
pub(crate) mod pcapng;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub use error::CaptureError;
pub use order::ByteOrder;
pub use stream::Compression;

use error::Fault;
use pcap::Pcap;
use pcapng::PcapNg;
use stream::{Layer, Window};

const NANOSECONDS: i64 = 1_000_000_000;

/// One record as the file holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Nanoseconds since the epoch, UTC. A simple packet block has no time: it gets that of the packet before it
    /// (0 for the first), and is counted in [`Reader::untimed_packets`].
    pub time_ns: i64,
    /// LINKTYPE_ number (draft-ietf-opsawg-pcaplinktype).
    pub link_type: u16,
    /// Octets that the packet had on the wire. May be less than those captured in files of some writers.
    pub original_length: u32,
    /// The octets captured.
    pub data: &'a [u8],
    /// Zero-based number of the capture interface, counted through all sections of the input.
    pub interface: u32,
    /// Octets of frame check sequence at the end of every packet on the wire, where the file says so.
    pub fcs_octets: Option<u8>,
}

/// A packet whose data is still in the window.
struct Record {
    time_ns: i64,
    link_type: u16,
    fcs_octets: Option<u8>,
    original_length: u32,
    interface: u32,
    data: Range<usize>,
}

/// The file format around the packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// draft-ietf-opsawg-pcap.
    Pcap,
    /// The same with record headers of 24 octets, of a patched libpcap.
    PcapModified,
    /// draft-ietf-opsawg-pcapng.
    PcapNg,
}

/// The unit of the file's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// 10^-6 s.
    Microseconds,
    /// 10^-9 s.
    Nanoseconds,
    /// In pcapng each interface has its own.
    PerInterface,
}

/// What an input is, for display: "pcap, little-endian, microseconds, gzip".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The file format.
    pub container: Container,
    /// That of the file, or of the present section.
    pub byte_order: ByteOrder,
    /// The unit of its times.
    pub resolution: Resolution,
    /// The compressions around it, outermost first.
    pub compression: Vec<Compression>,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.container {
            Container::Pcap => "pcap",
            Container::PcapModified => "pcap with long record headers",
            Container::PcapNg => "pcapng",
        })?;
        write!(f, ", {}", self.byte_order)?;
        match self.resolution {
            Resolution::Microseconds => f.write_str(", microseconds")?,
            Resolution::Nanoseconds => f.write_str(", nanoseconds")?,
            Resolution::PerInterface => {}
        }
        self.compression.iter().rev().try_for_each(|compression| write!(f, ", {compression}"))
    }
}

/// Reads the packets of one input in file order.
pub struct Reader {
    window: Window,
    capture: Capture,
    compression: Vec<Compression>,
    packets: u64,
    failure: Option<CaptureError>,
}

enum Capture {
    Pcap(Pcap),
    PcapNg(PcapNg),
}

impl Reader {
    /// Opens a file. With `hash`, [`Reader::finish_hash`] gives the SHA-256 of the file as stored.
    ///
    /// # Errors
    /// Any [`CaptureError`]: an input that is no readable capture is known here, before the first packet.
    pub fn open(path: &Path, hash: bool) -> Result<Self, CaptureError> {
        let file = File::open(path).map_err(|error| located(Fault::Io(error), 0, 0))?;
        Reader::from_read(Box::new(file), hash)
    }

    /// Reads a stream, such as standard input. Packets come as soon as their octets are there.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn from_read(input: Box<dyn Read + Send>, hash: bool) -> Result<Self, CaptureError> {
        let (layer, compression) = Layer::unpack(input, hash).map_err(|fault| located(fault, 0, 0))?;
        let head = layer.head().to_vec();
        let mut window = Window::new(layer);
        let capture = if pcap::recognise(&head).is_some() {
            Pcap::open(&mut window).map(Capture::Pcap)
        } else if head.starts_with(&pcapng::MAGIC) {
            PcapNg::open(&mut window).map(Capture::PcapNg)
        } else {
            return Err(refusal(head));
        };
        match capture {
            Ok(capture) => Ok(Reader { window, capture, compression, packets: 0, failure: None }),
            Err(Fault::NotACapture) => Err(CaptureError::NotACapture { first: head }),
            Err(fault) => Err(located(fault, window.end_offset(), 0)),
        }
    }

    /// The same, with its input read, hashed and unpacked in a thread of its own from here on.
    #[must_use]
    pub fn ahead(self) -> Self {
        Reader { window: self.window.ahead(), ..self }
    }

    /// The next packet; `None` at the regular end.
    ///
    /// # Errors
    /// An error is final for this input and is given again on every further call; the packets before it stay valid.
    #[inline]
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, CaptureError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        let record = match &mut self.capture {
            Capture::Pcap(pcap) => pcap.next_record(&mut self.window),
            Capture::PcapNg(pcapng) => pcapng.next_record(&mut self.window),
        };
        match record {
            Ok(None) => Ok(None),
            Ok(Some(record)) => {
                self.packets += 1;
                Ok(Some(Packet {
                    time_ns: record.time_ns,
                    link_type: record.link_type,
                    original_length: record.original_length,
                    data: self.window.taken(record.data),
                    interface: record.interface,
                    fcs_octets: record.fcs_octets,
                }))
            }
            Err(fault) => Err(self.failed(fault)),
        }
    }

    #[cold]
    fn failed(&mut self, fault: Fault) -> CaptureError {
        let failure = located(fault, self.window.end_offset(), self.packets);
        self.failure.insert(failure).clone()
    }

    /// What the input is.
    pub fn format(&self) -> Format {
        let (container, byte_order, resolution) = match &self.capture {
            Capture::Pcap(pcap) => (pcap.container, pcap.order, pcap.resolution),
            Capture::PcapNg(pcapng) => (Container::PcapNg, pcapng.order, Resolution::PerInterface),
        };
        Format { container, byte_order, resolution, compression: self.compression.clone() }
    }

    /// Octets read of the input as stored (compressed), for progress.
    pub fn bytes_read(&self) -> u64 {
        self.window.octets_stored()
    }

    /// Packets so far whose time the file does not hold.
    pub fn untimed_packets(&self) -> u64 {
        match &self.capture {
            Capture::Pcap(_) => 0,
            Capture::PcapNg(pcapng) => pcapng.untimed,
        }
    }

    /// Packets that the capturing machine dropped, as far as the file says so up to here: the last interface
    /// statistics block of each interface counts. `None` where it says nothing.
    pub fn reported_drops(&self) -> Option<u64> {
        match &self.capture {
            Capture::Pcap(_) => None,
            Capture::PcapNg(pcapng) => pcapng.drops(),
        }
    }

    /// SHA-256 of the whole input as stored (compressed), if it was asked for at opening. Reads to the end where
    /// decoding stopped before it; on a live stream this waits for the writer to close.
    ///
    /// # Errors
    /// [`CaptureError::Io`] where the rest cannot be read.
    pub fn finish_hash(self) -> Result<Option<[u8; 32]>, CaptureError> {
        self.window.finish_hash().map_err(|error| located(Fault::Io(error), 0, self.packets))
    }
}

/// Adds the place to a fault; `end` is where the octets at hand end.
fn located(fault: Fault, end: u64, packets: u64) -> CaptureError {
    match fault {
        Fault::Cut { part, missing } => CaptureError::Truncated { offset: end, packets, part, missing },
        Fault::Damaged { offset, reason } => CaptureError::Damaged { offset, packets, reason },
        Fault::Unsupported { format, advice } => CaptureError::Unsupported { format, advice },
        Fault::NotACapture => CaptureError::NotACapture { first: Vec::new() },
        Fault::Io(error) => CaptureError::Io { packets, error: Arc::new(error) },
    }
}

/// Why an input that is neither pcap nor pcapng is refused.
fn refusal(head: Vec<u8>) -> CaptureError {
    if head.is_empty() {
        CaptureError::Empty
    } else if pcap::may_become(&head) || pcapng::MAGIC.starts_with(&head) || Compression::may_become(&head) {
        CaptureError::Truncated { offset: head.len() as u64, packets: 0, part: "file header", missing: None }
    } else if let Some((format, advice)) = foreign::recognise(&head) {
        CaptureError::Unsupported { format: format.to_owned(), advice }
    } else {
        CaptureError::NotACapture { first: head }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("format", &self.format()).field("packets", &self.packets).finish_non_exhaustive()
    }
}
