//! Whether a stream is S7 communication. RDP, MMS and others have the same transport, so the user data decide.

use super::header::{Header, IDENTIFIER, rosctr};
use super::{S7comm, plus};
use crate::bytes::Cursor;
use crate::protocols::cotp::{self, Start, Tpdu, code};
use crate::session::{Probe, Recognition};

/// What the octets of one direction say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Nothing,
    Maybe,
    Mine,
    Other,
}

/// Recognises a stream by the first user data in it.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let looks = [probe.forward, probe.backward].map(look);
    if looks.contains(&Look::Mine) {
        Recognition::Yes(Box::new(S7comm::new(probe.opener.or(probe.direction_to(S7comm::PORT)))))
    } else if looks.contains(&Look::Other) || !looks.contains(&Look::Maybe) {
        Recognition::No
    } else {
        Recognition::Undecided
    }
}

fn look(mut bytes: &[u8]) -> Look {
    let mut seen = Look::Nothing;
    while !bytes.is_empty() {
        let length = match cotp::start(bytes) {
            Start::Packet(length) => length,
            Start::NeedMore => return Look::Maybe,
            Start::Nothing => return Look::Other,
        };
        let packet = bytes.get(..length).unwrap_or(bytes);
        let whole = packet.len() == length;
        let Ok(tpdu) = Tpdu::of(packet) else {
            return if whole { Look::Other } else { Look::Maybe };
        };
        match unit(&tpdu, whole) {
            Look::Maybe => seen = Look::Maybe,
            found => return found,
        }
        bytes = bytes.get(length..).unwrap_or(&[]);
    }
    seen
}

fn unit(tpdu: &Tpdu<'_>, whole: bool) -> Look {
    match tpdu.code {
        // The remote desktop's requests have no selectors.
        code::CONNECT | code::CONFIRM if tpdu.selectors() == [None; 2] => Look::Other,
        code::CONNECT | code::CONFIRM | code::DISCONNECT => Look::Maybe,
        code::DATA if tpdu.header.len() != 2 => Look::Other,
        // Controllers send empty data units between messages.
        code::DATA if tpdu.data.is_empty() => Look::Maybe,
        code::DATA => user_data(tpdu.data, whole && tpdu.is_last(), whole),
        _ => Look::Other,
    }
}

/// `all`: these are all octets of the message; `whole`: all of this data unit.
fn user_data(data: &[u8], all: bool, whole: bool) -> Look {
    let known = [rosctr::JOB, rosctr::ACK, rosctr::ACK_DATA, rosctr::USERDATA];
    match *data {
        [IDENTIFIER] | [plus::IDENTIFIER] if !all => Look::Maybe,
        [IDENTIFIER, rosctr, ..] if known.contains(&rosctr) => match Header::read(&mut Cursor::new(data)) {
            Ok(header) if !all || header.pdu() == data.len() => Look::Mine,
            Err(_) if !all => Look::Maybe,
            _ => Look::Other,
        },
        [plus::IDENTIFIER, ..] if plus::starts(data, all) => Look::Mine,
        [plus::IDENTIFIER, 1..=3, ..] if !whole => Look::Maybe,
        _ => Look::Other,
    }
}

/// The first place where a packet with a message surely starts.
pub(super) fn find(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find(|at| surely_starts(&bytes[*at..]))
}

fn surely_starts(bytes: &[u8]) -> bool {
    let Start::Packet(length) = cotp::start(bytes) else { return false };
    let packet = bytes.get(..length).unwrap_or(bytes);
    let whole = packet.len() == length;
    Tpdu::of(packet).is_ok_and(|tpdu| {
        tpdu.code == code::DATA
            && tpdu.header.len() == 2
            && user_data(tpdu.data, whole && tpdu.is_last(), whole) == Look::Mine
    })
}
