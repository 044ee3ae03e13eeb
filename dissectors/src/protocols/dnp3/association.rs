//! What is remembered of a master and an outstation that talk over a connection.

use super::application::SEQUENCE;
use super::link;
use super::transport::Assembly;
use crate::session::Direction;

/// Two link addresses, one at each end of the flow. Several pairs may share a connection.
#[derive(Clone, Debug)]
pub(super) struct Association {
    /// Address of the endpoint that sends forward.
    forward: u16,
    /// Address of the endpoint that sends backward.
    backward: u16,
    /// The way that the master sends, once a function has told.
    master: Option<Direction>,
    /// A wrong DIR bit is told once: devices that have it have it always.
    pub(super) reported_dir: bool,
    /// Fragments under construction, forward and backward.
    assemblies: [Option<Assembly>; 2],
    /// Last primary link function of either end.
    primaries: [Option<u8>; 2],
    /// Application sequence of the last request.
    request: Option<u8>,
    /// The response that goes on.
    response: Option<Response>,
    /// Sequence of the request that a challenge holds back.
    pub(super) challenged: Option<u8>,
    /// The controls that the request under way asks for, with its sequence.
    pub(super) controls: Option<(u32, u64)>,
}

/// A response of several fragments, of which some have come.
#[derive(Clone, Copy, Debug)]
struct Response {
    request: u8,
    last: u8,
}

impl Association {
    /// The one of a frame.
    pub(super) fn new(direction: Direction, frame: link::Header) -> Self {
        let (forward, backward) = addresses(direction, frame);
        Association {
            forward,
            backward,
            master: None,
            reported_dir: false,
            assemblies: [None, None],
            primaries: [None, None],
            request: None,
            response: None,
            challenged: None,
            controls: None,
        }
    }

    /// True where the frame is between its ends.
    pub(super) fn is_of(&self, direction: Direction, frame: link::Header) -> bool {
        (self.forward, self.backward) == addresses(direction, frame)
    }

    /// The fragment under construction that way.
    pub(super) fn assembly(&mut self, direction: Direction) -> &mut Option<Assembly> {
        &mut self.assemblies[direction as usize]
    }

    /// Octets held for fragments under construction.
    pub(super) fn held(&self) -> usize {
        self.assemblies.iter().flatten().map(|assembly| assembly.octets.len()).sum()
    }

    /// A request or response told which end the master is.
    pub(super) fn learn_master(&mut self, direction: Direction, from_master: bool) {
        self.master = Some(if from_master { direction } else { direction.opposite() });
    }

    /// Whether the frame is the master's: as requests and responses have told, and else as its DIR bit says.
    pub(super) fn is_from_master(&self, direction: Direction, frame: link::Header) -> bool {
        self.master.map_or(frame.is_from_master(), |master| master == direction)
    }

    /// Remembers a primary frame.
    pub(super) fn primary(&mut self, direction: Direction, function: u8) {
        self.primaries[direction as usize] = Some(function);
    }

    /// The primary frame that a secondary frame of this way answers; each is answered once.
    pub(super) fn answered_primary(&mut self, direction: Direction) -> Option<u8> {
        self.primaries[direction.opposite() as usize].take()
    }

    /// A request was sent.
    pub(super) fn asked(&mut self, sequence: u8) {
        self.request = Some(sequence);
        self.response = None;
    }

    /// A fragment of a response was sent: sequence of the request that it answers, and the sequence that the
    /// fragment should have (none where anything will do).
    pub(super) fn answered(&mut self, sequence: u8, first: bool, last: bool) -> (u8, Option<u8>) {
        let before = self.response.filter(|_| !first);
        // Without the first fragment, the last request is what can be meant.
        let request = before.map(|response| response.request).or(self.request.filter(|_| !first)).unwrap_or(sequence);
        self.response = (!last).then_some(Response { request, last: sequence });
        // A fragment that is not confirmed is sent again with its number.
        let expected = before.filter(|response| response.last != sequence);
        (request, expected.map(|response| (response.last + 1) & SEQUENCE))
    }
}

fn addresses(direction: Direction, frame: link::Header) -> (u16, u16) {
    match direction {
        Direction::Forward => (frame.source, frame.destination),
        Direction::Backward => (frame.destination, frame.source),
    }
}
