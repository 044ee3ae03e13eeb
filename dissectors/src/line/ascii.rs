//! Modbus ASCII (Serial Line V1.02, 2.5.2): a colon, two hexadecimal digits for each octet, a sum (LRC), carriage return
//! and line feed. What is inside is as in RTU, so that a frame goes on as the RTU frame of the same unit and PDU.

use crate::protocols::modbus::rtu;

const START: u8 = b':';
const END: &[u8] = b"\r\n";
/// Digits of a frame: unit and PDU of 253 octets, and the sum.
const MOST_DIGITS: usize = 2 * (1 + 253 + 1);
/// Unit, function and sum.
const LEAST_DIGITS: usize = 6;

/// What stands at the start of some octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// A frame of so many octets, with the RTU frame that it is.
    Frame(usize, Vec<u8>),
    /// More octets may make a frame of it.
    NeedMore,
    Foreign,
}

/// The frame at the start of these octets.
pub(super) fn start(octets: &[u8]) -> Start {
    let [START, rest @ ..] = octets else { return Start::Foreign };
    let digits = rest.iter().take_while(|octet| octet.is_ascii_hexdigit()).take(MOST_DIGITS + 1).count();
    let (digits, end) = rest.split_at(digits);
    let is_whole = end.starts_with(END);
    if digits.len() > MOST_DIGITS || !(is_whole || END.starts_with(end)) {
        return Start::Foreign;
    }
    if !is_whole {
        return Start::NeedMore;
    }
    if digits.len() < LEAST_DIGITS || digits.len() % 2 == 1 {
        return Start::Foreign;
    }
    let mut found: Vec<u8> = digits.chunks(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect();
    // The sum makes that of all octets 0 (6.2.1).
    if found.iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet)) != 0 {
        return Start::Foreign;
    }
    found.pop();
    found.extend(rtu::crc(&found).to_le_bytes());
    Start::Frame(1 + digits.len() + END.len(), found)
}

/// What a hexadecimal digit stands for; other octets are none.
const fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}
