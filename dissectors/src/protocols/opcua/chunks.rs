//! Puts messages together that come in several chunks (OPC 10000-6, 6.7.2).

/// Messages that are half there in one direction; more give up the oldest.
const MAX_MESSAGES: usize = 8;
/// Octets of one message that are kept; what is beyond is passed over, and the message counts as cut.
const MAX_OCTETS: usize = 1 << 20;
/// Chunks of one message; beyond it the message is given up.
const MAX_CHUNKS: u32 = 4_096;

/// A message as far as it is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Joined {
    /// Its request id.
    pub(super) request: u32,
    /// Its body.
    pub(super) octets: Vec<u8>,
    /// Octets of its chunks on the wire.
    pub(super) wire: usize,
    /// True where octets of it are missing.
    pub(super) is_cut: bool,
    chunks: u32,
}

/// The messages of one direction that are not whole yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts(Vec<Joined>);

impl Parts {
    /// True where a message with this request id is half there.
    pub(super) fn has(&self, request: u32) -> bool {
        self.0.iter().any(|part| part.request == request)
    }

    /// Adds a chunk; gives the messages that are given up for it.
    pub(super) fn add(&mut self, request: u32, body: &[u8], wire: usize, whole: bool) -> Option<Joined> {
        let mut given_up = None;
        if !self.has(request) {
            if self.0.len() >= MAX_MESSAGES {
                given_up = Some(Joined { is_cut: true, ..self.0.remove(0) });
            }
            self.0.push(Joined { request, ..Joined::default() });
        }
        let part = self.0.iter_mut().find(|part| part.request == request)?;
        let room = MAX_OCTETS.saturating_sub(part.octets.len());
        // Behind octets that are missing nothing is known of where fields start.
        if !part.is_cut {
            part.octets.extend_from_slice(&body[..body.len().min(room)]);
        }
        part.is_cut |= !whole || body.len() > room;
        part.wire = part.wire.saturating_add(wire);
        part.chunks += 1;
        if part.chunks >= MAX_CHUNKS {
            return self.take(request).map(|part| Joined { is_cut: true, ..part });
        }
        given_up
    }

    /// The message with this request id, as far as it is there.
    pub(super) fn take(&mut self, request: u32) -> Option<Joined> {
        let place = self.0.iter().position(|part| part.request == request)?;
        Some(self.0.remove(place))
    }

    /// All that is half there, as cut messages.
    pub(super) fn give_up(&mut self) -> Vec<Joined> {
        std::mem::take(&mut self.0).into_iter().map(|part| Joined { is_cut: true, ..part }).collect()
    }

    /// Octets held.
    pub(super) fn held(&self) -> usize {
        self.0.iter().map(|part| size_of::<Joined>() + part.octets.capacity()).sum()
    }
}
