//! Finds the protocol of a conversation from its first octets, on any port, and hands over what was seen meanwhile.

use crate::net::tcp::Stamp;
use crate::registry::Recognise;
use crate::session::{Direction, Probe, Recognition, Session};

/// Octets of one direction shown to the protocols.
const MAX_OCTETS: usize = 8 * 1024;
/// What it may take to keep the segments of one conversation for replay.
const MAX_KEPT: usize = 64 * 1024;
/// Segments of a conversation after which only what looks undecided is kept.
const PATIENCE: u32 = 64;
/// Segments kept for replay though no protocol claims them: they may be late parts of a message.
const MAX_STRAY: usize = 8;
/// Octets of a segment that is kept so; more are seldom part of a message.
const MAX_STRAY_OCTETS: usize = 512;

/// Segments of a conversation after which no service is looked for.
const SERVICE_SEGMENTS: u32 = 12;

/// A segment seen before its protocol was known.
#[derive(Clone, Debug)]
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

    fn size(&self) -> usize {
        size_of::<Kept>() + self.payload.len()
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

/// What was captured of the opening of a connection, and its ports.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    /// Who opened it.
    pub opener: Option<Direction>,
    /// Sequence numbers of the first octets of either direction.
    pub starts: [Option<u32>; 2],
    /// Ports: of the forward sender, and of the backward sender.
    pub ports: [u16; 2],
}

/// A stream whose protocol was found.
#[derive(Clone)]
pub struct Recognised {
    /// The protocol's session.
    pub session: Box<dyn Session>,
    /// The segments that were kept, as they came.
    pub kept: Vec<Kept>,
    /// Where either direction starts, as far as its opening was captured and nothing of it is gone since.
    pub starts: [Option<Start>; 2],
}

/// The start of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Sequence number of its first octet.
    pub sequence: u32,
    /// True where that starts a message: no octets of something else came first.
    pub is_message: bool,
}

/// Octets that follow one another.
#[derive(Clone, Debug, Default)]
struct Run {
    octets: Vec<u8>,
    /// Sequence number of the first of them.
    begin: u32,
    /// Sequence number after the last; there may be more of them than are shown.
    next: u32,
}

#[derive(Clone, Debug, Default)]
struct Side {
    /// Octets that may start a message.
    octets: Vec<u8>,
    /// Sequence number of the first of them.
    begin: u32,
    /// Sequence number that comes next, once there was one.
    next: Option<u32>,
    /// True where segments came out of order, or not whole.
    disordered: bool,
    /// True where not all segments were kept.
    dropped: bool,
    /// True where the first octets of the connection are of no protocol.
    foreign: bool,
}

impl Side {
    fn take(&mut self, run: Run) {
        (self.octets, self.begin, self.next) = (run.octets, run.begin, Some(run.next));
    }

    /// True where octets before these are still to come, as far as is known.
    fn is_late(&self, begin: u32, start: Option<u32>) -> bool {
        start.is_some_and(|start| start != begin) && !self.foreign && !self.dropped
    }
}

/// A stream whose protocol is not known yet.
#[derive(Clone, Debug, Default)]
pub struct Probation {
    sides: [Side; 2],
    kept: Vec<Kept>,
    /// What it takes to keep those.
    size: usize,
    segments: u32,
}

/// Signed distance between sequence numbers (RFC 9293, 3.4).
fn distance(from: u32, to: u32) -> i64 {
    i64::from(to.wrapping_sub(from) as i32)
}

/// The octets around a segment that follow one another, out of those kept: some come late, again or overlapping.
/// Octets before `floor` do not count.
fn gathered(kept: &[Kept], seen: &Seen<'_>, floor: Option<u32>) -> Run {
    let at = |sequence: u32| distance(seen.sequence, sequence);
    let floor = floor.map_or(i64::MIN, at);
    let of_side = kept.iter().filter(|kept| kept.direction == seen.direction).map(Kept::seen);
    let mut segments: Vec<Seen<'_>> = of_side.chain([*seen]).collect();
    segments.sort_by_key(|segment| at(segment.sequence));
    let (mut octets, mut begin, mut end, mut found) = (Vec::new(), 0, i64::MIN, false);
    for Seen { sequence, payload, missing, .. } in segments {
        let start = at(sequence);
        if start.max(floor) > end {
            if found {
                break;
            }
            octets.clear();
            (begin, end) = (start.max(floor), start.max(floor));
        }
        found |= sequence == seen.sequence;
        if let Some(more) = usize::try_from(end - start).ok().and_then(|old| payload.get(old..)) {
            octets.extend_from_slice(more);
            end += more.len() as i64;
        }
        if missing > 0 {
            end = end.max(start + (payload.len() + missing) as i64);
            if found {
                break;
            }
            octets.clear();
            begin = end;
        }
    }
    octets.truncate(MAX_OCTETS);
    let sequence = |at: i64| seen.sequence.wrapping_add(at as u32);
    Run { octets, begin: sequence(begin), next: sequence(end) }
}

/// A segment with nothing before it.
fn alone<'a>(seen: &Seen<'a>, opening: Opening) -> Probe<'a> {
    let octets = &seen.payload[..seen.payload.len().min(MAX_OCTETS)];
    let (forward, backward): (&[u8], &[u8]) = match seen.direction {
        Direction::Forward => (octets, &[]),
        Direction::Backward => (&[], octets),
    };
    let Opening { opener, ports, .. } = opening;
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

/// What somebody claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claimed {
    /// All that was collected.
    All,
    /// What starts with the segment.
    Here,
    /// The segment, whatever the other side said.
    Alone,
}

impl Probation {
    /// Shows a segment to the protocols; where one takes it, gives its session and all segments kept, in order.
    pub fn segment(
        &mut self,
        protocols: &[Recognise],
        services: &[Recognise],
        seen: Seen<'_>,
        opening: Opening,
    ) -> Option<Recognised> {
        self.segments = self.segments.saturating_add(1);
        // Services say what they are at once; nobody asks later what they are.
        let protocols = &[protocols, if self.segments <= SERVICE_SEGMENTS { services } else { &[] }][..];
        let way = seen.direction as usize;
        let next = seen.sequence.wrapping_add((seen.payload.len() + seen.missing) as u32);
        // Most conversations are of no protocol known here: to find that out, nothing is collected.
        let is_foreign = self.kept.is_empty()
            && !self.is_undecided()
            && matches!(ask(protocols, &alone(&seen, opening)), Answer::Nobody);
        if is_foreign {
            let run = Run { octets: Vec::new(), begin: seen.sequence, next };
            self.nobody(&seen, run, opening);
            return None;
        }
        let run = self.run(&seen, next);
        let (answer, claimed) = self.attempts(protocols, &seen, &run, opening);
        let side = &mut self.sides[way];
        // Behind a hole nothing is decided, but that a message is there: what is before may still come.
        let is_apart = !side.octets.is_empty() && distance(side.begin, run.begin) > 0;
        match answer {
            Answer::Found(session) => {
                side.foreign |= claimed != Claimed::All && opening.starts[way] == Some(run.begin);
                self.keep(&seen);
                let starts = [Direction::Forward, Direction::Backward].map(|direction| self.start(direction, opening));
                return Some(Recognised { session, kept: std::mem::take(&mut self.kept), starts });
            }
            _ if is_apart => self.keep(&seen),
            // Nor is what the other side said given up for octets before which others are late.
            Answer::Somebody if claimed == Claimed::Alone && side.is_late(run.begin, opening.starts[way]) => {
                self.nobody(&seen, run, opening);
            }
            Answer::Somebody => {
                side.foreign |= claimed != Claimed::All && opening.starts[way] == Some(run.begin);
                side.take(run);
                if claimed != Claimed::All {
                    let before = distance(side.begin, seen.sequence).max(0) as usize;
                    side.octets.drain(..before.min(side.octets.len()));
                    side.begin = seen.sequence;
                }
                if claimed == Claimed::Alone {
                    self.sides[1 - way].octets.clear();
                }
                self.keep(&seen);
            }
            Answer::Nobody => self.nobody(&seen, run, opening),
        }
        while self.size > MAX_KEPT {
            self.drop_first();
        }
        None
    }

    /// The octets of a segment's direction that follow one another, with its own.
    fn run(&mut self, seen: &Seen<'_>, next: u32) -> Run {
        let side = &mut self.sides[seen.direction as usize];
        let is_next = side.next.is_none_or(|next| next == seen.sequence);
        side.disordered |= !is_next;
        let follows = !side.disordered && side.octets.len() + seen.payload.len() <= MAX_OCTETS;
        side.disordered |= seen.missing > 0;
        if follows {
            let begin = if side.octets.is_empty() { seen.sequence } else { side.begin };
            let octets = [&side.octets, seen.payload].concat();
            return Run { octets, begin, next };
        }
        let is_behind = !side.octets.is_empty() && distance(side.begin, seen.sequence) >= 0;
        gathered(&self.kept, seen, is_behind.then_some(side.begin))
    }

    /// Nobody claims a segment.
    fn nobody(&mut self, seen: &Seen<'_>, run: Run, opening: Opening) {
        let start = opening.starts[seen.direction as usize];
        let side = &mut self.sides[seen.direction as usize];
        let is_late = side.is_late(run.begin, start);
        let is_short = seen.payload.len() <= MAX_STRAY_OCTETS || is_late;
        if is_late {
            side.next.get_or_insert(run.next);
        } else {
            side.foreign |= start == Some(run.begin);
            side.take(Run { octets: Vec::new(), ..run });
        }
        if self.is_undecided() {
            return self.keep(seen);
        }
        if self.segments > PATIENCE || !is_short {
            self.sides[seen.direction as usize].dropped = true;
            while !self.kept.is_empty() {
                self.drop_first();
            }
            self.kept = Vec::new();
            self.sides.iter_mut().for_each(|side| side.disordered = false);
            return;
        }
        self.keep(seen);
        while self.kept.len() > MAX_STRAY {
            self.drop_first();
        }
    }

    fn is_undecided(&self) -> bool {
        self.sides.iter().any(|side| !side.octets.is_empty())
    }

    /// Where a direction starts, if that is known.
    fn start(&self, direction: Direction, opening: Opening) -> Option<Start> {
        let side = &self.sides[direction as usize];
        let sequence = opening.starts[direction as usize].filter(|_| !side.dropped)?;
        let mut of_side = self.kept.iter().filter(|kept| kept.direction == direction);
        let holds = of_side.all(|kept| distance(sequence, kept.sequence) >= 0);
        holds.then_some(Start { sequence, is_message: !side.foreign })
    }

    /// Shows a datagram to the protocols, with the last one of the other side; as [`Probation::segment`].
    pub fn datagram(
        &mut self,
        protocols: &[Recognise],
        seen: Seen<'_>,
        ports: [u16; 2],
        opener: Option<Direction>,
    ) -> Option<(Box<dyn Session>, Vec<Kept>)> {
        self.segments = self.segments.saturating_add(1);
        let side = &mut self.sides[seen.direction as usize].octets;
        side.clear();
        side.extend_from_slice(&seen.payload[..seen.payload.len().min(MAX_OCTETS)]);
        let [forward, backward] = &self.sides;
        let first = self.kept.first().map_or(seen.direction, |kept| kept.direction);
        let probe =
            Probe { forward: &forward.octets, backward: &backward.octets, first, opener, ports, cut: seen.missing > 0 };
        match ask(&[protocols], &probe) {
            Answer::Found(session) => {
                self.keep(&seen);
                Some((session, std::mem::take(&mut self.kept)))
            }
            Answer::Somebody => {
                self.keep(&seen);
                if self.kept.len() > MAX_STRAY {
                    self.drop_first();
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

    /// What it takes to hold all this.
    pub fn octets(&self) -> usize {
        self.size + self.sides.iter().map(|side| side.octets.len()).sum::<usize>()
    }

    /// With all that was collected; then from this segment's start; then this segment alone.
    fn attempts(&self, protocols: &[&[Recognise]], seen: &Seen<'_>, run: &Run, opening: Opening) -> (Answer, Claimed) {
        let Opening { opener, ports, .. } = opening;
        let ask_for = |own: &[u8], other: &[u8], first: Direction| {
            let (forward, backward) = match seen.direction {
                Direction::Forward => (own, other),
                Direction::Backward => (other, own),
            };
            ask(protocols, &Probe { forward, backward, first, opener, ports, cut: seen.missing > 0 })
        };
        let first = self.kept.first().map_or(seen.direction, |kept| kept.direction);
        let other = &self.sides[seen.direction.opposite() as usize].octets;
        let answer = ask_for(&run.octets, other, first);
        if !matches!(answer, Answer::Nobody) || other.is_empty() {
            return (answer, Claimed::All);
        }
        let before = distance(run.begin, seen.sequence).max(0) as usize;
        if let Some(here) = run.octets.get(before..).filter(|_| before > 0) {
            let answer = ask_for(here, other, seen.direction);
            if !matches!(answer, Answer::Nobody) {
                return (answer, Claimed::Here);
            }
        }
        (ask_for(seen.payload, &[], seen.direction), Claimed::Alone)
    }

    fn keep(&mut self, seen: &Seen<'_>) {
        let &Seen { direction, sequence, payload, missing, stamp } = seen;
        let kept = Kept { direction, sequence, payload: payload.to_vec(), missing, stamp };
        self.size += kept.size();
        self.kept.push(kept);
    }

    fn drop_first(&mut self) {
        let kept = self.kept.remove(0);
        self.size -= kept.size();
        self.sides[kept.direction as usize].dropped = true;
    }
}
