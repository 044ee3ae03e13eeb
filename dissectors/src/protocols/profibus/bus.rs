//! One bus: whom a short acknowledgement comes from, which stations are there at all, and who passes the token to whom.

use super::telegram::{self, Bad, MOST_STATION, Telegram};
use crate::model::OddityCode;
use crate::net::tcp::Stamp;

/// Request FDL Status with reply: a master asks every address below its successor's whether somebody is there.
const FDL_STATUS: u8 = 9;
/// Telegrams of one record that are looked at; a record holds one.
const MOST_TELEGRAMS: usize = 64;
/// Rounds of the token in which a master has the same successor before another one is worth a word.
const SETTLED: u8 = 3;

/// What a bus gives for a record, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A telegram from one station to another.
    Telegram {
        /// Sender and receiver.
        ends: [u8; 2],
        /// Its octets.
        octets: Vec<u8>,
        /// Octets that the capture cut.
        missing: usize,
        /// Its record.
        stamp: Stamp,
    },
    /// What no station sends, or what changes in the ring.
    Odd {
        /// Sender and receiver, where they are known.
        ends: Option<[u8; 2]>,
        /// Which kind.
        code: OddityCode,
        /// Octets into the record.
        offset: u32,
        /// What was expected, and found.
        expected: String,
        /// Its record.
        stamp: Stamp,
    },
    /// Octets that are of no telegram, or that nobody is known to have sent.
    Nothing(usize),
}

/// A bus.
#[derive(Clone, Debug)]
pub struct Ring {
    /// Who was asked last, and by whom: station asked, asker.
    asked: Option<(u8, u8)>,
    /// A question whether somebody is there.
    offered: Option<(Vec<u8>, Stamp)>,
    /// To whom each master passes the token, and how often it did in a row.
    next: [Option<(u8, u8)>; 128],
}

impl Default for Ring {
    fn default() -> Self {
        Ring { asked: None, offered: None, next: [None; 128] }
    }
}

impl Ring {
    /// Takes a record.
    pub fn record(&mut self, record: &[u8], missing: usize, stamp: Stamp, heard: &mut Vec<Heard>) {
        let mut at = 0;
        for _ in 0..MOST_TELEGRAMS {
            let Some(octets) = record.get(at..).filter(|octets| !octets.is_empty()) else { return };
            match telegram::parse(octets, missing) {
                Ok((telegram, length)) => {
                    let there = &octets[..length.min(octets.len())];
                    self.telegram(telegram, there, length - there.len(), stamp, heard);
                    at += length;
                }
                Err(Bad { code, offset, expected }) => {
                    let offset = u32::try_from(at + offset).unwrap_or(u32::MAX);
                    heard.push(Heard::Odd { ends: None, code, offset, expected, stamp });
                    let skipped = telegram::find(&octets[1..]).map_or(octets.len(), |found| found + 1);
                    heard.push(Heard::Nothing(skipped));
                    at += skipped;
                }
            }
        }
        heard.push(Heard::Nothing(record.len().saturating_sub(at)));
    }

    fn telegram(
        &mut self,
        telegram: Telegram<'_>,
        octets: &[u8],
        missing: usize,
        stamp: Stamp,
        heard: &mut Vec<Heard>,
    ) {
        let mut tell = |ends: [u8; 2], octets: &[u8], stamp: Stamp| {
            heard.push(Heard::Telegram { ends, octets: octets.to_vec(), missing, stamp });
        };
        match telegram {
            Telegram::Token { to, from } => {
                (self.asked, self.offered) = (None, None);
                if to > MOST_STATION || from > MOST_STATION {
                    let expected = format!("addresses of stations (0 to {MOST_STATION}), found {from} and {to}");
                    heard.push(Heard::Odd { ends: None, code: OddityCode::InvalidValue, offset: 1, expected, stamp });
                    return;
                }
                // A master that is alone passes the token to itself.
                if to != from {
                    tell([from, to], octets, stamp);
                }
                if let Some(expected) = self.passed(from, to) {
                    let ends = Some([from, to]);
                    heard.push(Heard::Odd { ends, code: OddityCode::RingChanged, offset: 1, expected, stamp });
                }
            }
            Telegram::Ack => match self.asked.take() {
                Some((asked, asker)) => tell([asked, asker], octets, stamp),
                None => heard.push(Heard::Nothing(octets.len())),
            },
            Telegram::Frame(frame) if frame.is_request() => {
                self.asked = frame.is_answered().then_some((frame.to, frame.from));
                // Mostly nobody is there: nothing is told of an address that never answers.
                let is_offer = frame.code() == FDL_STATUS;
                self.offered = is_offer.then(|| (octets.to_vec(), stamp));
                if !is_offer {
                    tell([frame.from, frame.to], octets, stamp);
                }
            }
            Telegram::Frame(frame) => {
                let asked = self.asked.take();
                if let Some((offer, then)) = self.offered.take()
                    && asked == Some((frame.from, frame.to))
                {
                    tell([frame.to, frame.from], &offer, then);
                }
                tell([frame.from, frame.to], octets, stamp);
            }
        }
    }

    /// A master passes the token on: what is to be said where it is to another one than so far.
    fn passed(&mut self, from: u8, to: u8) -> Option<String> {
        let next = self.next.get_mut(usize::from(from))?;
        match *next {
            Some((before, times)) if before == to => {
                *next = Some((to, times.saturating_add(1)));
                None
            }
            before => {
                *next = Some((to, 1));
                let (before, times) = before?;
                (times >= SETTLED).then(|| {
                    // The ring goes by rising addresses: whoever is passed over has left it, or is silent.
                    let ahead = |station: u8| station.wrapping_sub(from) & 0x7f;
                    let is_gone = to == from || ahead(before) < ahead(to);
                    let what =
                        if is_gone { "which left the ring or is silent" } else { "behind a station that joined" };
                    format!("the token from {from} to {before}, {what}, found it passed to {to}")
                })
            }
        }
    }
}
