//! An input read, hashed and unpacked in a thread of its own, ahead of who decodes it. The octets are the same.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};

use super::error::Fault;
use super::stream::Layer;

/// Octets handed over together, and how many such pieces may wait: fast readers do not run away.
const PIECE: usize = 256 << 10;
const PIECES: usize = 4;

/// SHA-256 of an input, where it was wanted.
pub(super) type Hash = io::Result<Option<[u8; 32]>>;

/// The receiving end.
pub(super) struct Ahead {
    pieces: Option<Receiver<Result<Vec<u8>, Fault>>>,
    piece: Vec<u8>,
    taken: usize,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Hash>>,
}

struct Shared {
    /// Octets read of the input as stored.
    octets: AtomicU64,
    /// Nobody wants the hash any more.
    abandoned: AtomicBool,
}

impl Ahead {
    /// Goes on with a layer, of which so many octets were taken, in a thread; where there is none to be had, gives the layer back.
    pub(super) fn start(layer: Layer, offset: u64) -> Result<Self, Layer> {
        let (sender, receiver) = mpsc::sync_channel(PIECES);
        let (hand_over, take_over) = mpsc::channel::<Layer>();
        let shared = Arc::new(Shared { octets: layer.octets_stored().into(), abandoned: false.into() });
        let of_thread = Arc::clone(&shared);
        let work = move || match take_over.recv() {
            Ok(layer) => read(layer, offset, &sender, &of_thread),
            Err(_) => Ok(None),
        };
        let Ok(thread) = thread::Builder::new().name("capture".to_string()).spawn(work) else { return Err(layer) };
        match hand_over.send(layer) {
            Ok(()) => Ok(Ahead { pieces: Some(receiver), piece: Vec::new(), taken: 0, shared, thread: Some(thread) }),
            Err(mpsc::SendError(layer)) => Err(layer),
        }
    }

    /// Some octets; 0 at the end. Waits for the input.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Fault> {
        if self.taken == self.piece.len() {
            match self.pieces.as_ref().and_then(|pieces| pieces.recv().ok()) {
                Some(piece) => (self.piece, self.taken) = (piece?, 0),
                None => return Ok(0),
            }
        }
        let rest = &self.piece[self.taken..];
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }

    /// Octets read of the input as stored.
    pub(super) fn octets_stored(&self) -> u64 {
        self.shared.octets.load(Ordering::Relaxed)
    }

    /// Waits until the stored input is read to its end; its SHA-256 if it was wanted.
    pub(super) fn finish_hash(mut self) -> Hash {
        self.pieces = None;
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(hash)) => hash,
            _ => Err(io::Error::other("the thread that reads the input ended early")),
        }
    }
}

impl Drop for Ahead {
    /// The thread is not waited for: a pipe may stay silent. It ends with its next read.
    fn drop(&mut self) {
        self.shared.abandoned.store(true, Ordering::Relaxed);
    }
}

fn read(mut layer: Layer, mut offset: u64, sender: &SyncSender<Result<Vec<u8>, Fault>>, shared: &Shared) -> Hash {
    loop {
        let mut piece = vec![0; PIECE];
        let got = layer.take(&mut piece, offset);
        shared.octets.store(layer.octets_stored(), Ordering::Relaxed);
        let message = match got {
            Ok(0) => break,
            Ok(count) => {
                piece.truncate(count);
                offset += count as u64;
                Ok(piece)
            }
            Err(fault) => Err(fault),
        };
        let is_last = message.is_err();
        if sender.send(message).is_err() || is_last {
            break;
        }
    }
    layer.finish_hash(|| shared.abandoned.load(Ordering::Relaxed))
}
