//! Recognises Modbus by content. The standard port lowers the proof that is needed: one plausible message there; a
//! request with its response, or several consistent messages, anywhere else.

use super::codes::UMAS;
use super::mbap::{self, HEADER, Header, MbapSession};
use super::rtu::{self, RtuSession, Start};
use super::shape::{Fit, Role, answers, fit};
use super::sides::{Sides, client_shown};
use crate::session::{Direction, Probe, Recognition};

/// Registered for Modbus (mbap); a hint.
const PORT: u16 = 502;
/// Messages of a direction that a probe looks at.
const MOST_LOOKED_AT: usize = 16;
/// Consecutive messages of one direction that prove the protocol on any port.
const PROOF_BY_MBAP: usize = 3;
/// RTU frames of one direction, the other silent, that prove the protocol. They must not all name one function: other
/// telemetry (ROC Plus) has the same CRC behind a group number where Modbus has its function.
const PROOF_BY_CRC: usize = 3;

const BOTH: [Direction; 2] = [Direction::Forward, Direction::Backward];

/// Judges the first octets of a TCP connection.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    decide([mbap_stream(probe), rtu_stream(probe)], probe)
}

/// Judges the last datagrams of a UDP conversation.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    decide([mbap_datagram(probe), rtu_datagram(probe)], probe)
}

/// Judges a frame of a serial line: one frame with its CRC, found by whoever puts lines together.
pub fn probe_line(probe: &Probe<'_>) -> Recognition {
    if !rtu::crc_holds(probe.datagram()) {
        return Recognition::No;
    }
    let client = probe.opener.unwrap_or(probe.first);
    Recognition::Yes(Box::new(RtuSession::new(Sides::new(client))))
}

/// What one framing says of the octets.
enum Verdict {
    No,
    Undecided,
    /// Its own, with the client directions that its messages show.
    Mbap(Vec<Direction>),
    Rtu(Vec<Direction>),
}

fn decide(verdicts: [Verdict; 2], probe: &Probe<'_>) -> Recognition {
    let mut undecided = false;
    for verdict in verdicts {
        match verdict {
            Verdict::Mbap(shown) => {
                return Recognition::Yes(Box::new(MbapSession::new(Sides::of(probe, PORT, &shown))));
            }
            Verdict::Rtu(shown) => return Recognition::Yes(Box::new(RtuSession::new(Sides::of(probe, PORT, &shown)))),
            Verdict::Undecided => undecided = true,
            Verdict::No => {}
        }
    }
    if undecided { Recognition::Undecided } else { Recognition::No }
}

fn on_standard_port(probe: &Probe<'_>) -> bool {
    probe.ports.contains(&PORT)
}

/// A message with an MBAP header.
struct Seen<'a> {
    header: Header,
    /// What is there of its PDU.
    pdu: &'a [u8],
    whole: bool,
}

impl Seen<'_> {
    fn fit(&self, role: Role) -> Fit {
        fit(role, self.pdu, self.header.pdu_length())
    }

    fn fits(&self, least: Fit) -> bool {
        Role::BOTH.into_iter().any(|role| self.fit(role) >= least)
    }
}

/// The messages of one direction, as long as each follows the one before.
struct Walk<'a> {
    seen: Vec<Seen<'a>>,
    /// Octets follow that start no message.
    foreign: bool,
}

fn walk(mut bytes: &[u8]) -> Walk<'_> {
    let mut seen = Vec::new();
    while !bytes.is_empty() && seen.len() < MOST_LOOKED_AT {
        if !mbap::may_start(bytes) {
            return Walk { seen, foreign: true };
        }
        let Some(header) = Header::of(bytes) else { break };
        let pdu = bytes.get(HEADER..header.octets()).or(bytes.get(HEADER..)).unwrap_or(&[]);
        let whole = bytes.len() >= header.octets();
        seen.push(Seen { header, pdu, whole });
        bytes = bytes.get(header.octets()..).unwrap_or(&[]);
    }
    Walk { seen, foreign: false }
}

fn mbap_stream(probe: &Probe<'_>) -> Verdict {
    // Two compares turn most traffic away.
    if BOTH.into_iter().all(|direction| probe.bytes(direction).is_empty() || !mbap::may_start(probe.bytes(direction))) {
        return Verdict::No;
    }
    let walks = BOTH.map(|direction| walk(probe.bytes(direction)));
    let shown = || {
        let of = |direction: Direction| walks[direction as usize].seen.iter().map(move |seen| (direction, seen));
        let all = BOTH.into_iter().flat_map(of);
        all.filter_map(|(direction, seen)| client_shown(direction, seen.pdu, seen.header.pdu_length())).collect()
    };
    if on_standard_port(probe) {
        if walks.iter().any(plausible) {
            return Verdict::Mbap(shown());
        }
    } else if !walks.iter().any(|walk| walk.foreign)
        && (walks.iter().any(consistent) || matched(&walks[0].seen, &walks[1].seen))
    {
        return Verdict::Mbap(shown());
    }
    let hopeless = |walk: &Walk<'_>| walk.foreign;
    let given_up = if on_standard_port(probe) {
        walks.iter().zip(BOTH).all(|(walk, direction)| probe.bytes(direction).is_empty() || hopeless(walk))
    } else {
        walks.iter().any(hopeless)
    };
    if given_up { Verdict::No } else { Verdict::Undecided }
}

/// One message is proof enough on the standard port: by its structure or, where its function has none that is known, by
/// ending where the octets end. One that contradicts itself needs another after it: DICOM has lengths in the same place.
fn plausible(walk: &Walk<'_>) -> bool {
    let Some(first) = walk.seen.first() else { return false };
    walk.seen.iter().any(|seen| seen.fits(Fit::Length))
        || (first.whole && !walk.foreign && walk.seen.iter().all(|seen| seen.fits(Fit::Open)))
}

/// Consecutive whole messages that one role explains, with the fields that the standard allows.
fn consistent(walk: &Walk<'_>) -> bool {
    Role::BOTH.into_iter().any(|role| {
        let explained = walk.seen.iter().take_while(|seen| seen.whole && seen.fit(role) == Fit::Exact);
        explained.count() >= PROOF_BY_MBAP
    })
}

/// A request one way and its response the other way.
fn matched(forward: &[Seen<'_>], backward: &[Seen<'_>]) -> bool {
    let answers = |request: &Seen<'_>, response: &Seen<'_>| {
        let (asked, answered) = (&request.header, &response.header);
        let same = asked.transaction == answered.transaction
            && asked.unit == answered.unit
            && asked.function == answered.function & 0x7F;
        same && request.whole
            && request.fit(Role::Request) >= Fit::Length
            && response.fit(Role::Response) >= Fit::Length
            // A UMAS PDU shows too little of itself when it is short.
            && (asked.function != UMAS || response.whole)
    };
    forward.iter().any(|one| backward.iter().any(|other| answers(one, other) || answers(other, one)))
}

fn mbap_datagram(probe: &Probe<'_>) -> Verdict {
    // A datagram ends with its last message.
    let tiled = |direction: Direction| {
        let bytes = probe.bytes(direction);
        let walk = walk(bytes);
        let octets: usize = walk.seen.iter().map(|seen| seen.header.octets()).sum();
        let ends = octets == bytes.len() || (probe.cut && octets > bytes.len());
        (ends && !walk.foreign && !walk.seen.is_empty()).then_some(walk)
    };
    let (forward, backward) = (tiled(Direction::Forward), tiled(Direction::Backward));
    let walks = [forward, backward];
    let shown = || {
        let of = |direction: Direction| {
            walks[direction as usize].iter().flat_map(|walk| walk.seen.iter()).map(move |seen| (direction, seen))
        };
        let all = BOTH.into_iter().flat_map(of);
        all.filter_map(|(direction, seen)| client_shown(direction, seen.pdu, seen.header.pdu_length())).collect()
    };
    match &walks {
        [None, None] => Verdict::No,
        [Some(forward), Some(backward)] if matched(&forward.seen, &backward.seen) => Verdict::Mbap(shown()),
        _ if walks.iter().flatten().any(consistent) => Verdict::Mbap(shown()),
        _ if on_standard_port(probe) && walks.iter().flatten().any(plausible) => Verdict::Mbap(shown()),
        _ if walks.iter().flatten().any(|walk| walk.seen.iter().all(|seen| seen.fits(Fit::Length))) => {
            Verdict::Undecided
        }
        _ => Verdict::No,
    }
}

/// RTU frames of one direction, and what follows them.
struct Frames<'a> {
    frames: Vec<(Role, &'a [u8])>,
    /// Octets of a further frame may still come.
    open: bool,
    /// Octets that start no frame.
    foreign: bool,
}

fn frames(mut bytes: &[u8]) -> Frames<'_> {
    let mut frames = Vec::new();
    let mut open = true;
    while !bytes.is_empty() && frames.len() < MOST_LOOKED_AT {
        let starts = Role::BOTH.map(|role| (role, rtu::start(role, bytes)));
        let frame = starts.into_iter().find_map(|(role, start)| match start {
            Start::Frame(octets) => Some((role, octets)),
            _ => None,
        });
        let Some((role, octets)) = frame else {
            open = starts.into_iter().any(|(_, start)| matches!(start, Start::Needs(_)));
            break;
        };
        frames.push((role, &bytes[..octets]));
        bytes = &bytes[octets..];
    }
    Frames { frames, open, foreign: !open }
}

/// Frames of one direction that one role explains, while the other direction is silent.
fn several(both: &[Frames<'_>; 2]) -> bool {
    let [one, other] = both;
    let (talking, silent) = if one.frames.is_empty() { (other, one) } else { (one, other) };
    let explained = |role: Role| {
        talking.frames.iter().all(|(_, frame)| fit(role, &frame[1..frame.len() - 2], frame.len() - 3) == Fit::Exact)
    };
    let same_function = talking.frames.windows(2).all(|pair| pair[0].1[1] == pair[1].1[1]);
    talking.frames.len() >= PROOF_BY_CRC
        && !same_function
        && !talking.foreign
        && silent.frames.is_empty()
        && !silent.foreign
        && Role::BOTH.into_iter().any(explained)
}

/// A request one way and the response the other way, each with its CRC.
fn frames_match(forward: &Frames<'_>, backward: &Frames<'_>) -> bool {
    let answered = |request: &[u8], response: &[u8]| {
        request[0] == response[0]
            && rtu::start(Role::Request, request) == Start::Frame(request.len())
            && rtu::start(Role::Response, response) == Start::Frame(response.len())
            && answers(&request[1..request.len() - 2], &response[1..response.len() - 2])
    };
    let matches = |one: &[u8]| backward.frames.iter().any(|(_, other)| answered(one, other) || answered(other, one));
    forward.frames.iter().any(|(_, frame)| matches(frame))
}

fn frames_shown(both: &[Frames<'_>; 2]) -> Vec<Direction> {
    let of = |direction: Direction| both[direction as usize].frames.iter().map(move |(_, frame)| (direction, *frame));
    let all = BOTH.into_iter().flat_map(of);
    all.filter_map(|(direction, frame)| client_shown(direction, &frame[1..frame.len() - 2], frame.len() - 3)).collect()
}

fn rtu_stream(probe: &Probe<'_>) -> Verdict {
    let both = BOTH.map(|direction| frames(probe.bytes(direction)));
    let one_is_enough = on_standard_port(probe) && both.iter().any(|side| !side.frames.is_empty() && !side.foreign);
    if one_is_enough || several(&both) || frames_match(&both[0], &both[1]) {
        return Verdict::Rtu(frames_shown(&both));
    }
    let hopeless = both.iter().zip(BOTH).any(|(side, direction)| !probe.bytes(direction).is_empty() && !side.open);
    if hopeless { Verdict::No } else { Verdict::Undecided }
}

fn rtu_datagram(probe: &Probe<'_>) -> Verdict {
    let both = BOTH.map(|direction| {
        let bytes = probe.bytes(direction);
        let side = frames(bytes);
        let octets: usize = side.frames.iter().map(|(_, frame)| frame.len()).sum();
        // A datagram ends with its last frame.
        if octets == bytes.len() { side } else { Frames { frames: Vec::new(), open: false, foreign: true } }
    });
    let frames = both[0].frames.len() + both[1].frames.len();
    if frames == 0 {
        return Verdict::No;
    }
    if on_standard_port(probe) || several(&both) || frames_match(&both[0], &both[1]) {
        return Verdict::Rtu(frames_shown(&both));
    }
    Verdict::Undecided
}
