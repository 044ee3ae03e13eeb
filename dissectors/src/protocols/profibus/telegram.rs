//! Telegrams of the link layer (FDL).
//!
//! ```text
//! SD1  10 DA SA FC FCS 16                       SD3  a2 DA SA FC 8 octets FCS 16
//! SD2  68 LE LEr 68 DA SA FC 1–246 octets FCS 16    SD4  dc DA SA (token)    SC  e5
//! ```

use crate::model::OddityCode;

pub(super) const SD1: u8 = 0x10;
pub(super) const SD2: u8 = 0x68;
pub(super) const SD3: u8 = 0xa2;
pub(super) const SD4: u8 = 0xdc;
pub(super) const SC: u8 = 0xe5;
const END: u8 = 0x16;
/// LE counts DA, SA, FC and the data.
const LEAST_LE: u8 = 4;
const MOST_LE: u8 = 249;
const SD3_DATA: usize = 8;
/// Set in an address: octets of the data extend it.
const EXTENDED: u8 = 0x80;
/// Set in such an octet: it names a bus, not a service access point.
const OF_BUS: u8 = 0x40;
/// Octets that extend an address at most: a bus and a service access point.
const MOST_EXTENSIONS: usize = 2;

/// Everybody; and the highest address that a station has.
pub const BROADCAST: u8 = 127;
pub(super) const MOST_STATION: u8 = 126;

/// Function code: a request, not an answer.
const REQUEST: u8 = 0x40;

/// A telegram whose form is right; its check sequence need not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telegram<'a> {
    /// The right to ask is passed on.
    Token {
        /// To whom.
        to: u8,
        /// By whom.
        from: u8,
    },
    /// Short acknowledgement, by whoever was asked.
    Ack,
    /// A telegram with a function.
    Frame(Frame<'a>),
}

/// A telegram with a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Receiver.
    pub to: u8,
    /// Sender.
    pub from: u8,
    /// Service access point of the receiver.
    pub to_point: Option<u8>,
    /// That of the sender.
    pub from_point: Option<u8>,
    /// Function code.
    pub function: u8,
    /// What it carries, without extensions of the addresses, as far as it is there.
    pub data: &'a [u8],
    /// Where the data is in the telegram.
    pub data_at: usize,
    /// True where the capture has all of it.
    pub whole: bool,
}

impl Frame<'_> {
    /// True for a request.
    pub const fn is_request(&self) -> bool {
        self.function & REQUEST != 0
    }

    /// The function's number, of requests or of answers.
    pub const fn code(&self) -> u8 {
        self.function & 0x0f
    }

    /// Station type of an answer.
    pub const fn station(&self) -> u8 {
        self.function >> 4 & 3
    }

    /// True for a request that somebody answers: not for data sent to whoever listens, nor the time.
    pub const fn is_answered(&self) -> bool {
        self.is_request() && !matches!(self.code(), 0 | 4 | 6) && self.to != BROADCAST
    }
}

/// Why octets are no telegram: what is wrong, where, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// Which kind.
    pub code: OddityCode,
    /// Octets into the telegram.
    pub offset: usize,
    /// What was expected, and found.
    pub expected: String,
}

fn bad<T>(code: OddityCode, offset: usize, expected: String) -> Result<T, Bad> {
    Err(Bad { code, offset, expected })
}

/// Reads the telegram at the start of some octets, of which the capture may have cut `missing`: with its octets on the
/// wire.
///
/// # Errors
/// [`Bad`] where no telegram starts here, or one that its receiver throws away.
pub fn parse(octets: &[u8], missing: usize) -> Result<(Telegram<'_>, usize), Bad> {
    let Some(&start) = octets.first() else { return bad(OddityCode::Truncated, 0, "a telegram".into()) };
    let (header, body) = match start {
        SC => return Ok((Telegram::Ack, 1)),
        SD4 => {
            let &[_, to, from, ..] = octets else { return short(octets, 3) };
            return Ok((Telegram::Token { to: to & 0x7f, from: from & 0x7f }, 3));
        }
        SD1 => (1, 3),
        SD3 => (1, 3 + SD3_DATA),
        SD2 => {
            let &[_, length, again, start, ..] = octets else { return short(octets, 4) };
            if length != again {
                let text = format!("the length {length} again, found {again}");
                return bad(OddityCode::BadLength, 2, text);
            }
            if start != SD2 {
                return bad(OddityCode::InvalidValue, 3, format!("start delimiter 0x68 again, found 0x{start:02x}"));
            }
            if !(LEAST_LE..=MOST_LE).contains(&length) {
                let text = format!("a length of {LEAST_LE} to {MOST_LE}, found {length}");
                return bad(OddityCode::BadLength, 1, text);
            }
            (4, usize::from(length))
        }
        other => {
            let text = format!("a start delimiter (10, 68, a2, dc, e5), found 0x{other:02x}");
            return bad(OddityCode::NotTheProtocol, 0, text);
        }
    };
    let length = header + body + 2;
    let fields = octets.get(header..header + body).unwrap_or(octets.get(header..).unwrap_or(&[]));
    let whole = octets.len() >= length;
    if !whole && octets.len() + missing < length {
        return short(octets, length);
    }
    if whole {
        let sum = fields.iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet));
        let found = octets[header + body];
        if sum != found {
            let text = format!("a check sequence of 0x{sum:02x}, found 0x{found:02x}");
            return bad(OddityCode::BadChecksum, header + body, text);
        }
        if octets[length - 1] != END {
            let text = format!("end delimiter 0x16, found 0x{:02x}", octets[length - 1]);
            return bad(OddityCode::InvalidValue, length - 1, text);
        }
    }
    let &[to, from, function, ref data @ ..] = fields else { return short(octets, length) };
    let mut data_at = header + 3;
    let mut rest = data;
    let (to_point, from_point) = (point(to, &mut rest), point(from, &mut rest));
    data_at += data.len() - rest.len();
    let frame = Frame { to: to & 0x7f, from: from & 0x7f, to_point, from_point, function, data: rest, data_at, whole };
    Ok((Telegram::Frame(frame), length))
}

fn short<T>(octets: &[u8], due: usize) -> Result<T, Bad> {
    bad(OddityCode::Truncated, octets.len(), format!("{due} octets, found {}", octets.len()))
}

/// The service access point of an address, off the start of the data.
fn point(address: u8, data: &mut &[u8]) -> Option<u8> {
    let mut more = address & EXTENDED != 0;
    let mut found = None;
    for _ in 0..MOST_EXTENSIONS {
        let Some((&octet, rest)) = data.split_first().filter(|_| more) else { break };
        *data = rest;
        more = octet & EXTENDED != 0;
        if octet & OF_BUS == 0 {
            found = Some(octet & 0x3f);
        }
    }
    found
}

/// Offset of the first place at which a telegram surely starts: one with a right check sequence, or a token or short
/// acknowledgement that ends the octets.
pub fn find(octets: &[u8]) -> Option<usize> {
    (0..octets.len()).find(|at| match parse(&octets[*at..], 0) {
        Ok((Telegram::Frame(_), _)) => true,
        Ok((_, length)) => at + length == octets.len(),
        Err(_) => false,
    })
}

#[cfg(test)]
pub(super) fn sd2(to: u8, from: u8, function: u8, data: &[u8]) -> Vec<u8> {
    let length = data.len() as u8 + 3;
    let body = [&[to, from, function][..], data].concat();
    let sum = body.iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet));
    [&[SD2, length, length, SD2][..], &body, &[sum, END]].concat()
}

#[cfg(test)]
pub(super) fn sd1(to: u8, from: u8, function: u8) -> Vec<u8> {
    vec![SD1, to, from, function, to.wrapping_add(from).wrapping_add(function), END]
}
