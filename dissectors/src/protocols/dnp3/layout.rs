//! How the points of each variation are carried, and where in them what stands (IEEE 1815-2012, annex A).

use crate::bytes::Cursor;
use crate::tables::Code;

/// Octets of a time.
const TIME: usize = 6;

/// How the points of a variation are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// So many bits each, without padding between them.
    Packed(u32),
    /// So many octets each.
    Octets(usize),
    /// Type, length, value (device attributes).
    TypeLengthValue,
    /// Vendor code, object identifier, length, data (private registration).
    Registration,
    /// Told by a size prefix only, or not known.
    Unknown,
}

/// How a point's number is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// Bit 7 of the flags.
    State,
    /// Bits 6 and 7 of the flags.
    DoubleBit,
    U8,
    U16,
    U32,
    I16,
    I32,
    F32,
    F64,
    /// Milliseconds since 1970, 48 bits.
    Time,
    /// 16 bits of seconds; the number is of milliseconds, as that of the fine delay.
    Seconds,
    /// Binary-coded decimal of so many octets.
    Decimal(usize),
}

impl Coding {
    /// Octets that hold the number.
    const fn octets(self) -> usize {
        match self {
            Coding::State | Coding::DoubleBit | Coding::U8 => 1,
            Coding::U16 | Coding::I16 | Coding::Seconds => 2,
            Coding::U32 | Coding::I32 | Coding::F32 => 4,
            Coding::Time => TIME,
            Coding::F64 => 8,
            Coding::Decimal(octets) => octets,
        }
    }

    /// The number at the start of the octets.
    #[inline]
    fn read(self, octets: &[u8]) -> Option<f64> {
        let mut cursor = Cursor::new(octets);
        match self {
            Coding::State => cursor.u8("flags").map(|flags| f64::from(flags >> 7)),
            Coding::DoubleBit => cursor.u8("flags").map(|flags| f64::from(flags >> 6)),
            Coding::U8 => cursor.u8("value").map(f64::from),
            Coding::U16 => cursor.u16_le("value").map(f64::from),
            Coding::U32 => cursor.u32_le("value").map(f64::from),
            Coding::I16 => cursor.i16_le("value").map(f64::from),
            Coding::I32 => cursor.i32_le("value").map(f64::from),
            Coding::F32 => cursor.f32_le("value").map(f64::from),
            Coding::F64 => cursor.f64_le("value"),
            Coding::Time => cursor.uint_le(TIME, "time").map(|time| time as f64),
            Coding::Seconds => cursor.u16_le("delay").map(|seconds| f64::from(seconds) * 1000.0),
            Coding::Decimal(size) => return decimal(cursor.take(size, "value").ok()?),
        }
        .ok()
    }
}

/// Two digits an octet, the lowest first; none where a digit is above 9.
fn decimal(octets: &[u8]) -> Option<f64> {
    octets.iter().rev().try_fold(0.0, |number, octet| {
        let (high, low) = (octet >> 4, octet & 0x0F);
        (high < 10 && low < 10).then(|| number * 100.0 + f64::from(high * 10 + low))
    })
}

/// What the first octet of a point says of it, beside its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quality {
    /// Flags, of which these bits are no state.
    Flags(u8),
    /// The status of a command (groups 13 and 43); bit 7 is the state that was commanded.
    Command,
}

/// When a point had its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    /// Milliseconds since 1970.
    Absolute,
    /// Milliseconds since the common time of occurrence (group 51).
    Relative,
}

/// Where what stands in the points of a variation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub(super) form: Form,
    number: Option<(usize, Coding)>,
    quality: Option<Quality>,
    clock: Option<(usize, Clock)>,
}

/// What one point says beside its index.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    pub(super) number: Option<f64>,
    /// Flags that say other than plainly online, or the status of a command.
    pub(super) status: Option<u16>,
    /// Milliseconds since 1970.
    pub(super) time: Option<u64>,
}

impl Layout {
    /// That of a variation, with its entry in the table.
    pub(super) fn of(group: u8, variation: u8, entry: Option<&Code>) -> Self {
        let form = form(group, variation, entry);
        let number = coding(group, variation);
        let clock = match (number, form) {
            (Some((offset, coding)), Form::Octets(size)) => {
                let end = offset + coding.octets();
                match (group, variation) {
                    (50 | 52, _) => None,
                    (2 | 4, 3) => Some((end, Clock::Relative)),
                    _ => (size == end + TIME).then_some((end, Clock::Absolute)),
                }
            }
            _ => None,
        };
        Layout { form, number, quality: quality(group, number), clock }
    }

    /// The number of a point, out of its octets.
    #[inline]
    pub(super) fn number(&self, octets: &[u8]) -> Option<f64> {
        let (offset, coding) = self.number?;
        coding.read(octets.get(offset..)?)
    }

    /// All that a point says; relative times count from `common_time`.
    #[inline]
    pub(super) fn read(&self, octets: &[u8], common_time: Option<u64>) -> Reading {
        let status = self.quality.zip(octets.first()).and_then(|(quality, octet)| match quality {
            Quality::Flags(bits) => Some(octet & bits).filter(|flags| *flags != ONLINE),
            Quality::Command => Some(octet & 0x7F),
        });
        let time = self.clock.and_then(|(offset, clock)| {
            let mut cursor = Cursor::new(octets.get(offset..)?);
            match clock {
                Clock::Absolute => cursor.uint_le(TIME, "time").ok(),
                Clock::Relative => Some(common_time? + u64::from(cursor.u16_le("relative time").ok()?)),
            }
        });
        Reading { number: self.number(octets), status: status.map(u16::from), time }
    }
}

/// The flag of every kind of point that says that its number is good, where no other is set.
const ONLINE: u8 = 0x01;

fn form(group: u8, variation: u8, entry: Option<&Code>) -> Form {
    match (group, variation) {
        (0, _) => Form::TypeLengthValue,
        (83, 1..) => Form::Registration,
        // The variation is the length of the string (annex A, groups 110 to 113); 0 stands in requests only.
        (110..=113, 1..) => Form::Octets(usize::from(variation)),
        _ => match entry.and_then(|entry| entry.size) {
            Some(bits @ 1..8) => Form::Packed(bits),
            Some(bits) => Form::Octets(bits as usize / 8),
            None => Form::Unknown,
        },
    }
}

/// Where the number of a point is, and how it is coded. Flags precede a number; the time follows it.
const fn coding(group: u8, variation: u8) -> Option<(usize, Coding)> {
    use Coding::*;
    Some(match (group, variation) {
        (1 | 10, 2) | (2, 1..=3) | (11 | 13, 1..=2) => (0, State),
        (3, 2) | (4, 1..=3) => (0, DoubleBit),
        (20, 1 | 3) | (21..=23, 1 | 3 | 5 | 7) => (1, U32),
        (20, 2 | 4) | (21..=23, 2 | 4 | 6 | 8) => (1, U16),
        (20, 5 | 7) | (21, 9 | 11) => (0, U32),
        (20, 6 | 8) | (21, 10 | 12) => (0, U16),
        (30 | 40, 1) | (31..=33 | 42 | 43, 1 | 3) => (1, I32),
        (30 | 40, 2) | (31..=33 | 42 | 43, 2 | 4) => (1, I16),
        (30, 3) | (31, 5) | (41, 1) => (0, I32),
        (30, 4) | (31, 6) | (41, 2) => (0, I16),
        (30, 5) | (31, 7) | (32 | 33 | 42 | 43, 5 | 7) | (40, 3) => (1, F32),
        (30, 6) | (31, 8) | (32 | 33 | 42 | 43, 6 | 8) | (40, 4) => (1, F64),
        (41, 3) | (34, 3) => (0, F32),
        (41, 4) => (0, F64),
        (34, 1) | (52, 2) => (0, U16),
        (34, 2) => (0, U32),
        (50, 1..=4) | (51, 1..=2) => (0, Time),
        (52, 1) => (0, Seconds),
        // The part of the buffer that is full, before the group and the variation that it is of.
        (81, 1) | (102, 1) => (0, U8),
        (101, 1) => (0, Decimal(2)),
        (101, 2) => (0, Decimal(4)),
        (101, 3) => (0, Decimal(8)),
        // Flags, then the association that is counted.
        (121, 1) | (122, 1..=2) => (3, U32),
        _ => return None,
    })
}

const fn quality(group: u8, number: Option<(usize, Coding)>) -> Option<Quality> {
    match (group, number) {
        (13 | 43, Some(_)) => Some(Quality::Command),
        (_, Some((_, Coding::State | Coding::DoubleBit))) => Some(Quality::Flags(0x3F)),
        (_, Some((1 | 3, _))) => Some(Quality::Flags(0x7F)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tables::dnp3::OBJECTS;

    fn layouts() -> impl Iterator<Item = (u8, u8, &'static Code, Layout)> {
        OBJECTS.iter().map(|entry| {
            let (group, variation) = ((entry.code >> 8) as u8, entry.code as u8);
            (group, variation, entry, Layout::of(group, variation, Some(entry)))
        })
    }

    /// The table has the sizes, `coding` the places: neither may be changed alone.
    #[test]
    fn every_number_and_time_lies_within_its_point() {
        for (group, variation, entry, layout) in layouts() {
            assert!(!entry.kind.is_empty(), "g{group}v{variation}");
            match (entry.size, layout.number) {
                (Some(bits @ 1..8), number) => assert!(8 % bits == 0 && number.is_none(), "g{group}v{variation}"),
                (Some(bits), number) => {
                    let octets = vec![0; bits as usize / 8];
                    assert_eq!(bits % 8, 0, "g{group}v{variation}");
                    let reading = layout.read(&octets, Some(0));
                    assert_eq!(reading.number.is_some(), number.is_some(), "g{group}v{variation}");
                    assert_eq!(reading.time.is_some(), layout.clock.is_some(), "g{group}v{variation}");
                }
                (None, number) => assert!(number.is_none(), "g{group}v{variation}"),
            }
        }
    }

    #[test]
    fn all_measurements_and_times_have_a_number() {
        for (group, variation, _, layout) in
            layouts().filter(|(_, _, entry, _)| entry.size.is_some_and(|bits| bits >= 8))
        {
            assert_eq!(layout.number.is_none(), matches!(group, 12 | 120), "g{group}v{variation}");
        }
    }

    /// The names in the table say which variations have flags, a status or a time.
    #[test]
    fn what_the_name_promises_is_there() {
        for (group, variation, entry, layout) in layouts().filter(|(_, _, entry, _)| entry.size.is_some()) {
            let has = |word: &str| entry.name.contains(word);
            let timed = has("with absolute time") || has("with time") || has("and time") || has("with relative time");
            let of_time = matches!(group, 50 | 51);
            assert_eq!(layout.clock.is_some(), timed && !of_time, "g{group}v{variation}: {}", entry.name);
            if has("with flag") || has("with status") || has("event") {
                assert!(layout.quality.is_some(), "g{group}v{variation}: {}", entry.name);
            }
        }
    }

    #[test]
    fn decimals_are_read_digit_by_digit() {
        assert_eq!(decimal(&[0x34, 0x12]), Some(1234.0));
        assert_eq!(decimal(&[0x0A]), None);
    }
}
