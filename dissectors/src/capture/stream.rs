//! From a file or pipe to a window of decompressed octets.

use std::fmt;
use std::io::{self, BufReader, Read};
use std::ops::Range;

use flate2::bufread::MultiGzDecoder;
use ring::digest;
use zstd::stream::read::Decoder as ZstdDecoder;

use super::ahead::{Ahead, Hash};
use super::error::Fault;

/// How many octets of each layer are looked at to recognise it.
const HEAD: usize = 16;
/// A capture may be compressed, and be compressed once more.
const MOST_LAYERS: usize = 2;
/// Identification and the only compression method there is (RFC 1952, 2.3.1).
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];
/// RFC 8878, 3.1.1.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const COMPRESSED_CHUNK: usize = 64 << 10;
/// The window's size unless a larger record comes.
const WINDOW: usize = 128 << 10;

/// A compression around a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames; windows up to 128 MiB.
    Zstd,
}

impl Compression {
    fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&GZIP_MAGIC) {
            return Some(Compression::Gzip);
        }
        // Parallel compressors put a skippable frame first (RFC 8878, 3.1.2).
        let skippable = matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
        (skippable || head.starts_with(&ZSTD_MAGIC)).then_some(Compression::Zstd)
    }

    /// True for the beginning of a magic number.
    pub(super) fn may_become(head: &[u8]) -> bool {
        GZIP_MAGIC.starts_with(head) || ZSTD_MAGIC.starts_with(head)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        })
    }
}

/// The input as stored: counted, and hashed if wanted.
struct Source {
    input: Box<dyn Read + Send>,
    octets: u64,
    hash: Option<Box<digest::Context>>,
    /// The input itself failed, so an error that comes out of a decoder is not the decoder's.
    failed: bool,
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.read(into) {
                Ok(count) => {
                    self.octets += count as u64;
                    if let Some(hash) = &mut self.hash {
                        hash.update(&into[..count]);
                    }
                    return Ok(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            }
        }
    }
}

enum Codec {
    Stored(Source),
    Gzip(Box<MultiGzDecoder<BufReader<Layer>>>),
    Zstd(Box<ZstdDecoder<'static, BufReader<Layer>>>),
}

/// Octets at one level of compression, the first of them looked at in advance.
pub(super) struct Layer {
    head: Vec<u8>,
    head_read: usize,
    codec: Codec,
}

impl Layer {
    /// Removes the compressions around a capture, outermost first.
    pub(super) fn unpack(input: Box<dyn Read + Send>, hash: bool) -> Result<(Self, Vec<Compression>), Fault> {
        let source = Source {
            input,
            octets: 0,
            hash: hash.then(|| Box::new(digest::Context::new(&digest::SHA256))),
            failed: false,
        };
        let mut layer = Layer::around(Codec::Stored(source))?;
        let mut compressions = Vec::new();
        while let Some(compression) = Compression::of(&layer.head) {
            if compressions.len() == MOST_LAYERS {
                let format = format!("a capture compressed {MOST_LAYERS} times and again");
                return Err(Fault::Unsupported { format, advice: "unpack it first" });
            }
            let compressed = BufReader::with_capacity(COMPRESSED_CHUNK, layer);
            layer = Layer::around(match compression {
                Compression::Gzip => Codec::Gzip(Box::new(MultiGzDecoder::new(compressed))),
                Compression::Zstd => Codec::Zstd(Box::new(ZstdDecoder::with_buffer(compressed).map_err(Fault::Io)?)),
            })?;
            compressions.push(compression);
        }
        Ok((layer, compressions))
    }

    fn around(codec: Codec) -> Result<Self, Fault> {
        let mut layer = Layer { head: Vec::new(), head_read: 0, codec };
        let mut head = [0; HEAD];
        let mut filled = 0;
        while filled < HEAD {
            match layer.read(&mut head[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) => return Err(layer.fault(error, 0)),
            }
        }
        layer.head = head[..filled].to_vec();
        Ok(layer)
    }

    /// The first octets of the innermost layer, 16 unless it is shorter.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    fn source(&mut self) -> &mut Source {
        match &mut self.codec {
            Codec::Stored(source) => source,
            Codec::Gzip(decoder) => decoder.get_mut().get_mut().source(),
            Codec::Zstd(decoder) => decoder.get_mut().get_mut().source(),
        }
    }

    pub(super) fn octets_stored(&self) -> u64 {
        match &self.codec {
            Codec::Stored(source) => source.octets,
            Codec::Gzip(decoder) => decoder.get_ref().get_ref().octets_stored(),
            Codec::Zstd(decoder) => decoder.get_ref().get_ref().octets_stored(),
        }
    }

    /// Some octets; 0 at the end. `offset` is where the octets taken so far end.
    pub(super) fn take(&mut self, into: &mut [u8], offset: u64) -> Result<usize, Fault> {
        self.read(into).map_err(|error| self.fault(error, offset))
    }

    /// Reads the stored input to its end, unless it is given up meanwhile; its SHA-256 if it was wanted.
    pub(super) fn finish_hash(mut self, given_up: impl Fn() -> bool) -> Hash {
        let source = self.source();
        if source.hash.is_some() {
            let mut octets = vec![0; COMPRESSED_CHUNK];
            while !given_up() && source.read(&mut octets)? > 0 {}
        }
        let hash = source.hash.take().map(|hash| hash.finish());
        Ok(hash.and_then(|hash| hash.as_ref().try_into().ok()))
    }

    /// What a failed read means; `offset` is where the octets read so far end.
    fn fault(&mut self, error: io::Error, offset: u64) -> Fault {
        if self.source().failed {
            return Fault::Io(error);
        }
        let reason = error.to_string();
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Fault::Cut { part: "compressed stream", missing: None }
        } else if reason.contains("too much memory") {
            // libzstd's words for a window over 128 MiB, which only `zstd --long` and `--ultra` make.
            let format = "a zstd stream with a window over 128 MiB".to_owned();
            Fault::Unsupported { format, advice: "unpack it first with zstd -d --long=31" }
        } else {
            Fault::Damaged { offset, reason: format!("the compressed data does not decode ({reason})") }
        }
    }
}

impl Read for Layer {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut head = self.head.get(self.head_read..).unwrap_or_default();
        if !head.is_empty() {
            let count = head.read(into)?;
            self.head_read += count;
            return Ok(count);
        }
        match &mut self.codec {
            Codec::Stored(source) => source.read(into),
            Codec::Gzip(decoder) => decoder.read(into),
            Codec::Zstd(decoder) => decoder.read(into),
        }
    }
}

/// Where a window's octets come from.
enum Input {
    Here(Layer),
    Ahead(Ahead),
}

/// A window that moves over the octets of the capture; parts of it are handed out without a copy.
pub(super) struct Window {
    input: Input,
    octets: Vec<u8>,
    /// The unread octets among them.
    start: usize,
    end: usize,
    /// Offset in the capture of the first unread octet.
    offset: u64,
    ended: bool,
}

impl Window {
    pub(super) fn new(layer: Layer) -> Self {
        Window { input: Input::Here(layer), octets: vec![0; WINDOW], start: 0, end: 0, offset: 0, ended: false }
    }

    /// The same, with its input read in a thread of its own where one is to be had. What the input gave so far is in
    /// the window, and counts as read at once.
    pub(super) fn ahead(self) -> Self {
        let offset = self.end_offset();
        let input = match self.input {
            Input::Here(layer) => match Ahead::start(layer, offset) {
                Ok(ahead) => Input::Ahead(ahead),
                Err(layer) => Input::Here(layer),
            },
            ahead => ahead,
        };
        Window { input, ..self }
    }

    /// Sees to it that `wanted` octets are unread; says how many there are, fewer only where the input ends.
    #[inline]
    pub(super) fn fill(&mut self, wanted: usize) -> Result<usize, Fault> {
        if self.end - self.start < wanted {
            self.refill(wanted)?;
        }
        Ok(self.end - self.start)
    }

    #[cold]
    fn refill(&mut self, wanted: usize) -> Result<(), Fault> {
        self.octets.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        while self.end < wanted && !self.ended {
            if self.end == self.octets.len() {
                // Grows with what is there, not with what a length field promises.
                self.octets.resize(wanted.min(2 * self.octets.len()), 0);
            }
            let offset = self.end_offset();
            let into = &mut self.octets[self.end..];
            let count = match &mut self.input {
                Input::Here(layer) => layer.take(into, offset),
                Input::Ahead(ahead) => ahead.read(into),
            }?;
            self.ended = count == 0;
            self.end += count;
        }
        Ok(())
    }

    /// The unread octets at hand.
    #[inline]
    pub(super) fn unread(&self) -> &[u8] {
        &self.octets[self.start..self.end]
    }

    /// Marks octets, at most those unread, as read; they stay in place until the next `fill`.
    #[inline]
    pub(super) fn take(&mut self, length: usize) -> Range<usize> {
        let from = self.start;
        self.start = self.end.min(from + length);
        self.offset += (self.start - from) as u64;
        from..self.start
    }

    /// Octets that `take` gave.
    #[inline]
    pub(super) fn taken(&self, range: Range<usize>) -> &[u8] {
        self.octets.get(range).unwrap_or_default()
    }

    /// Passes over octets without holding them; says how many were missing.
    pub(super) fn skip(&mut self, mut length: u64) -> Result<u64, Fault> {
        while length > 0 && self.fill(1)? > 0 {
            let at_hand = self.end - self.start;
            length -= self.take(usize::try_from(length).unwrap_or(at_hand).min(at_hand)).len() as u64;
        }
        Ok(length)
    }

    /// Offset in the capture of the first unread octet.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Offset in the capture where the octets at hand end.
    pub(super) fn end_offset(&self) -> u64 {
        self.offset + (self.end - self.start) as u64
    }

    pub(super) fn octets_stored(&self) -> u64 {
        match &self.input {
            Input::Here(layer) => layer.octets_stored(),
            Input::Ahead(ahead) => ahead.octets_stored(),
        }
    }

    /// Reads the stored input to its end; its SHA-256 if it was wanted.
    pub(super) fn finish_hash(self) -> Hash {
        match self.input {
            Input::Here(layer) => layer.finish_hash(|| false),
            Input::Ahead(ahead) => ahead.finish_hash(),
        }
    }
}
