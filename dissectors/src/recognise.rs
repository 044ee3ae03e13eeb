//! Finds the protocol of a conversation from its first octets, on any port, and hands over what was seen meanwhile.

use crate::net::tcp::Stamp;
use crate::registry::Recognise;
use crate::session::{Direction, Probe, Recognition, Session};

/// Octets of one direction shown to the protocols.
const MAX_OCTETS: usize = 8 * 1024;
/// Segments kept for replay.
const MAX_SEGMENTS: usize = 32;
/// Segments of a conversation after which only what looks undecided is kept.
const PATIENCE: u32 = 64;
/// Segments kept for replay though no protocol claims them: they may be late parts of a message.
const MAX_STRAY: usize = 8;

/// Segments of a conversation after which no service is looked for.
const SERVICE_SEGMENTS: u32 = 12;

/// A segment seen before its protocol was known.
#[derive(Debug)]
pub struct Kept {
    /// Its way.
    pub direction: Direction,
    /// Sequence number.
    pub sequence: u32,
    /// Octets.
    pub payload: Vec<u8>,
    /// Octets on the wire beyond those.
    pub missing: usize,
    /// Where it was.
    pub stamp: Stamp,
}

impl Kept {
    /// The same, as it was seen.
    pub fn seen(&self) -> Seen<'_> {
        let &Kept { direction, sequence, ref payload, missing, stamp } = self;
        Seen { direction, sequence, payload, missing, stamp }
    }
}

/// A segment to be recognised.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its way.
    pub direction: Direction,
    /// Sequence number.
    pub sequence: u32,
    /// Octets.
    pub payload: &'a [u8],
    /// Octets on the wire beyond those.
    pub missing: usize,
    /// Where it was.
    pub stamp: Stamp,
}

#[derive(Debug, Default)]
struct Side {
    octets: Vec<u8>,
    next: Option<u32>,
}

/// A stream whose protocol is not known yet.
#[derive(Debug, Default)]
pub struct Probation {
    sides: [Side; 2],
    kept: Vec<Kept>,
    segments: u32,
    undecided: bool,
}

/// The octets around a segment that follow one another, out of those kept: some come late, again or overlapping.
fn gathered(kept: &[Kept], seen: &Seen<'_>) -> Side {
    let distance = |sequence: u32| i64::from(sequence.wrapping_sub(seen.sequence) as i32);
    let of_side = kept.iter().filter(|kept| kept.direction == seen.direction).map(Kept::seen);
    let mut segments: Vec<Seen<'_>> = of_side.chain([*seen]).collect();
    segments.sort_by_key(|segment| distance(segment.sequence));
    let (mut octets, mut end, mut found): (Vec<u8>, i64, bool) = (Vec::new(), i64::MIN, false);
    for Seen { sequence, payload, missing, .. } in segments {
        let start = distance(sequence);
        if start > end {
            if found {
                break;
            }
            octets.clear();
            end = start;
        }
        found |= sequence == seen.sequence;
        if let Some(more) = usize::try_from(end - start).ok().and_then(|old| payload.get(old..)) {
            octets.extend_from_slice(more);
            end += more.len() as i64;
        }
        if missing > 0 {
            end += missing as i64;
            if found {
                break;
            }
            octets.clear();
        }
    }
    octets.truncate(MAX_OCTETS);
    Side { octets, next: Some(seen.sequence.wrapping_add(end as u32)) }
}

/// A segment with nothing before it.
fn alone<'a>(seen: &Seen<'a>, opener: Option<Direction>, ports: [u16; 2]) -> Probe<'a> {
    let octets = &seen.payload[..seen.payload.len().min(MAX_OCTETS)];
    let (forward, backward): (&[u8], &[u8]) = match seen.direction {
        Direction::Forward => (octets, &[]),
        Direction::Backward => (&[], octets),
    };
    Probe { forward, backward, first: seen.direction, opener, ports, cut: seen.missing > 0 }
}

enum Answer {
    Nobody,
    Somebody,
    Found(Box<dyn Session>),
}

fn ask(protocols: &[&[Recognise]], probe: &Probe<'_>) -> Answer {
    let mut answer = Answer::Nobody;
    for recognise in protocols.iter().copied().flatten() {
        match recognise(probe) {
            Recognition::Yes(session) => return Answer::Found(session),
            Recognition::Undecided => answer = Answer::Somebody,
            Recognition::No => {}
        }
    }
    answer
}

impl Probation {
    /// Shows a segment to the protocols; where one takes it, gives its session and all segments kept, in order.
    pub fn segment(
        &mut self,
        protocols: &[Recognise],
        services: &[Recognise],
        seen: Seen<'_>,
        opener: Option<Direction>,
        ports: [u16; 2],
    ) -> Option<(Box<dyn Session>, Vec<Kept>)> {
        self.segments = self.segments.saturating_add(1);
        // Services say what they are at once; nobody asks later what they are.
        let protocols = &[protocols, if self.segments <= SERVICE_SEGMENTS { services } else { &[] }][..];
        let next = Some(seen.sequence.wrapping_add((seen.payload.len() + seen.missing) as u32));
        // Most conversations are of no protocol known here: to find that out, nothing is collected.
        let is_foreign = self.kept.is_empty()
            && self.sides.iter().all(|side| side.octets.is_empty())
            && matches!(ask(protocols, &alone(&seen, opener, ports)), Answer::Nobody);
        let side = &mut self.sides[seen.direction as usize];
        let follows = side.next == Some(seen.sequence) && side.octets.len() + seen.payload.len() <= MAX_OCTETS;
        if is_foreign {
            side.next = next;
        } else if follows {
            side.octets.extend_from_slice(seen.payload);
            side.next = next;
        } else {
            *side = gathered(&self.kept, &seen);
        }

        let answer = if is_foreign { Answer::Nobody } else { self.attempts(protocols, &seen, opener, ports) };
        match answer {
            Answer::Found(session) => {
                self.keep(&seen);
                return Some((session, std::mem::take(&mut self.kept)));
            }
            Answer::Somebody => {
                self.undecided = true;
                self.keep(&seen);
                if self.kept.len() > MAX_SEGMENTS {
                    self.kept.remove(0);
                }
            }
            Answer::Nobody => {
                self.sides[seen.direction as usize] =
                    Side { next: self.sides[seen.direction as usize].next, octets: Vec::new() };
                self.undecided = self.sides.iter().any(|side| !side.octets.is_empty());
                if self.segments > PATIENCE || seen.payload.len() > 512 {
                    if !self.undecided {
                        self.kept = Vec::new();
                    }
                } else {
                    self.keep(&seen);
                    if self.kept.len() > MAX_STRAY && !self.undecided {
                        self.kept.remove(0);
                    }
                }
            }
        }
        self.kept.truncate(MAX_SEGMENTS);
        None
    }

    /// Shows a datagram to the protocols, with the last one of the other side; as [`Probation::segment`].
    pub fn datagram(
        &mut self,
        protocols: &[Recognise],
        seen: Seen<'_>,
        ports: [u16; 2],
    ) -> Option<(Box<dyn Session>, Vec<Kept>)> {
        self.segments = self.segments.saturating_add(1);
        let side = &mut self.sides[seen.direction as usize].octets;
        side.clear();
        side.extend_from_slice(&seen.payload[..seen.payload.len().min(MAX_OCTETS)]);
        let [forward, backward] = &self.sides;
        let first = self.kept.first().map_or(seen.direction, |kept| kept.direction);
        let probe = Probe {
            forward: &forward.octets,
            backward: &backward.octets,
            first,
            opener: None,
            ports,
            cut: seen.missing > 0,
        };
        match ask(&[protocols], &probe) {
            Answer::Found(session) => {
                self.keep(&seen);
                Some((session, std::mem::take(&mut self.kept)))
            }
            Answer::Somebody => {
                self.keep(&seen);
                if self.kept.len() > MAX_STRAY {
                    self.kept.remove(0);
                }
                None
            }
            Answer::Nobody => {
                *self = Probation { segments: self.segments, ..Probation::default() };
                None
            }
        }
    }

    /// True where nothing is held.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Octets held.
    pub fn octets(&self) -> usize {
        self.kept.iter().map(|kept| kept.payload.len()).sum::<usize>()
            + self.sides.iter().map(|side| side.octets.len()).sum::<usize>()
    }

    /// With all that was collected; then from this segment's start; then this segment alone.
    fn attempts(
        &mut self,
        protocols: &[&[Recognise]],
        seen: &Seen<'_>,
        opener: Option<Direction>,
        ports: [u16; 2],
    ) -> Answer {
        fn probe<'a>(base: Probe<'_>, sides: [&'a [u8]; 2], first: Direction) -> Probe<'a> {
            let Probe { opener, ports, cut, .. } = base;
            Probe { forward: sides[0], backward: sides[1], first, opener, ports, cut }
        }
        let base = Probe { forward: &[], backward: &[], first: seen.direction, opener, ports, cut: seen.missing > 0 };
        let first = self.kept.first().map_or(seen.direction, |kept| kept.direction);
        let [forward, backward] = &self.sides;
        match ask(protocols, &probe(base, [&forward.octets, &backward.octets], first)) {
            Answer::Nobody => {}
            answer => return answer,
        }
        let from_here = seen.payload.len() < self.sides[seen.direction as usize].octets.len();
        if from_here {
            self.sides[seen.direction as usize]
                .octets
                .drain(..self.sides[seen.direction as usize].octets.len() - seen.payload.len());
        }
        let other = &self.sides[seen.direction.opposite() as usize].octets;
        if !other.is_empty() {
            if from_here {
                let [forward, backward] = &self.sides;
                match ask(protocols, &probe(base, [&forward.octets, &backward.octets], seen.direction)) {
                    Answer::Nobody => {}
                    answer => return answer,
                }
            }
            let alone = match seen.direction {
                Direction::Forward => [seen.payload, &[][..]],
                Direction::Backward => [&[][..], seen.payload],
            };
            let answer = ask(protocols, &probe(base, alone, seen.direction));
            if !matches!(answer, Answer::Nobody) {
                self.sides[seen.direction.opposite() as usize].octets.clear();
            }
            return answer;
        }
        Answer::Nobody
    }

    fn keep(&mut self, seen: &Seen<'_>) {
        self.kept.push(Kept {
            direction: seen.direction,
            sequence: seen.sequence,
            payload: seen.payload.to_vec(),
            missing: seen.missing,
            stamp: seen.stamp,
        });
    }
}
