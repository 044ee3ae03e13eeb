//! A conversation for one protocol's session: octets of both directions, holes, and messages given without framing.
//!
//! On the wire of the fuzzer: one octet (1 = datagrams), two ports, then steps of control octet, length and octets.

use zonewatch_dissectors::net::tcp::{Piece, Stamp};
use zonewatch_dissectors::recognise::{Opening, Probation, Seen};
use zonewatch_dissectors::registry::Recognise;
use zonewatch_dissectors::session::{Chunk, Direction, Framing, Output, Session};
use zonewatch_dissectors::stream::Assembly;

use crate::input::Input;

const MAX_STEPS: usize = 256;

const BACKWARD: u8 = 0b0001;
const KIND: u8 = 0b0110;
const HOLE: u8 = 0b0010;
const BREAK: u8 = 0b0100;
const BARE: u8 = 0b0110;
/// Octets that the capture cut off a message.
const MISSING_SHIFT: u8 = 4;

enum What<'a> {
    Octets(&'a [u8]),
    Hole(usize),
    Break,
    /// A message as `decode` gets it, whatever the framing would say.
    Bare(&'a [u8], usize),
}

struct Step<'a> {
    direction: Direction,
    what: What<'a>,
}

fn steps(mut input: Input<'_>) -> impl Iterator<Item = Step<'_>> {
    std::iter::from_fn(move || {
        (!input.is_empty()).then(|| {
            let (control, length) = (input.u8(), usize::from(input.u16()));
            let direction = if control & BACKWARD == 0 { Direction::Forward } else { Direction::Backward };
            let what = match control & KIND {
                HOLE => What::Hole(length),
                BREAK => What::Break,
                BARE => What::Bare(input.octets(length), usize::from(control >> MISSING_SHIFT)),
                _ => What::Octets(input.octets(length)),
            };
            Step { direction, what }
        })
    })
    .take(MAX_STEPS)
}

/// A seed for [`check`]: what a flow carried.
pub fn seed<'a>(datagrams: bool, ports: [u16; 2], payloads: impl Iterator<Item = (Direction, &'a [u8])>) -> Vec<u8> {
    let mut seed = vec![u8::from(datagrams)];
    seed.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    for (direction, payload) in payloads {
        seed.push(if direction == Direction::Forward { 0 } else { BACKWARD });
        seed.extend(u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
        seed.extend(payload.iter().take(usize::from(u16::MAX)));
    }
    seed
}

/// Holds a conversation as the engine does, and the session to its contract.
pub fn check(streams: &[Recognise], datagrams: &[Recognise], data: &[u8]) {
    let mut input = Input(data);
    let is_datagrams = input.u8() & 1 == 1;
    let ports = [input.u16(), input.u16()];
    let protocols = if is_datagrams { datagrams } else { streams };
    let mut probation = Probation::default();
    let mut talk: Option<Talk> = None;
    let mut sequences = [0u32; 2];
    for (frame, step) in steps(input).enumerate() {
        let stamp = Stamp { frame: frame as u64 + 1, time: frame as i64, capture: 0 };
        if let Some(talk) = &mut talk {
            talk.step(&step, stamp);
            continue;
        }
        let What::Octets(payload) = step.what else { continue };
        let Step { direction, .. } = step;
        let sequence = sequences[direction as usize];
        sequences[direction as usize] = sequence.wrapping_add(payload.len() as u32);
        let seen = Seen { direction, sequence, payload, missing: 0, stamp };
        let found = if is_datagrams {
            probation.datagram(protocols, seen, ports, None)
        } else {
            let opening = Opening { ports, ..Opening::default() };
            probation.segment(protocols, &[], seen, opening).map(|found| (found.session, found.kept))
        };
        if let Some((session, kept)) = found {
            let talk = talk.insert(Talk::new(session, is_datagrams));
            for kept in kept {
                let what = What::Octets(&kept.payload);
                talk.step(&Step { direction: kept.direction, what }, kept.stamp);
            }
        }
    }
    if let Some(talk) = &mut talk {
        talk.finish();
    }
}

struct Talk {
    session: Box<dyn Session>,
    is_datagrams: bool,
    assemblies: [Assembly; 2],
    output: Output,
}

impl Talk {
    fn new(session: Box<dyn Session>, is_datagrams: bool) -> Self {
        Talk { session, is_datagrams, assemblies: Default::default(), output: Output::default() }
    }

    fn step(&mut self, step: &Step<'_>, stamp: Stamp) {
        match step.what {
            What::Octets(octets) if self.is_datagrams => self.decode(octets, 0, step.direction),
            What::Bare(octets, missing) => {
                if !self.is_datagrams {
                    self.framing(octets, step.direction);
                }
                self.decode(octets, missing, step.direction);
            }
            What::Octets(octets) => self.piece(Piece::Data(octets), step.direction, stamp),
            What::Hole(length) => self.piece(Piece::Hole(length), step.direction, stamp),
            What::Break => self.piece(Piece::Break, step.direction, stamp),
        }
    }

    fn piece(&mut self, piece: Piece<'_>, direction: Direction, stamp: Stamp) {
        if self.is_datagrams {
            self.session.gap(direction, &mut self.output);
            self.output.clear();
            return;
        }
        let mut deliver = |output: &mut Output, frames: &[u64], _: Stamp| {
            assert!(!frames.is_empty() && frames.iter().all(|frame| *frame > 0));
            held(output);
        };
        let Talk { session, assemblies, output, .. } = self;
        assemblies[direction as usize].piece(piece, stamp, direction, session.as_mut(), output, &mut deliver);
    }

    fn decode(&mut self, octets: &[u8], missing: usize, direction: Direction) {
        let chunk = Chunk { bytes: octets, wire_length: octets.len() + missing, direction };
        self.session.decode(chunk, &mut self.output);
        held(&self.output);
        self.output.clear();
    }

    /// What the framing says must be of use to the one who asked.
    fn framing(&mut self, octets: &[u8], direction: Direction) {
        assert_ne!(self.session.frame(direction, octets), Framing::Message(0));
        if let Some(start) = self.session.resync(direction, octets) {
            assert!(start <= octets.len(), "a start outside the octets");
            assert_ne!(self.session.frame(direction, &octets[start..]), Framing::NotMine, "a start that is none");
        }
    }

    fn finish(&mut self) {
        for direction in [Direction::Forward, Direction::Backward] {
            let Talk { session, assemblies, output, .. } = self;
            let stamp = Stamp { frame: u64::MAX, ..Stamp::default() };
            let mut deliver = |output: &mut Output, _: &[u64], _: Stamp| held(output);
            assemblies[direction as usize].finish(stamp, direction, session.as_mut(), output, &mut deliver);
        }
    }
}

/// Oddities and claims name a place among the messages.
fn held(output: &Output) {
    let places = output.oddities.iter().map(|(place, _)| place).chain(output.claims.iter().map(|(place, _)| place));
    for place in places {
        assert!(*place <= output.messages.len());
    }
}
