//! The last values known of every point, so that a change can be told with the value before it.

use std::ops::Range;

use hashbrown::HashMap;

use crate::model::Unit;

/// Blocks of points kept; beyond it new ones are not learnt.
const MAX_BLOCKS: usize = 100_000;
/// Blocks of one place that are kept, so that who varies ranges cannot make each search long.
const MAX_BLOCKS_OF_PLACE: usize = 4_096;
/// Points of one block that are kept.
const MAX_POINTS: usize = 2_048;
/// Values kept in all: 32 MB.
const MAX_VALUES: usize = 4 << 20;
/// Points for which a value before is looked up.
const MAX_ASKED: u32 = 256;

/// Points of one kind at one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Server (an interned address).
    pub server: u32,
    /// Its sub-address.
    pub unit: Unit,
    /// Kind of point (an interned name).
    pub kind: u32,
    /// Property, where the protocol has properties.
    pub property: Option<u32>,
    /// Where values take several points each: how many, the first one modulo that, and the bit. Of a point with a name: 0,
    /// and the name.
    pub lane: (u32, u32, Option<u32>),
}

#[derive(Clone, Debug)]
struct Block {
    /// Number of its place.
    place: u32,
    start: u32,
    values: Vec<f64>,
    /// Clock at which the block was last read or reported.
    updated: u64,
    /// Clock at which a value of it last changed.
    changed: u64,
}

/// The points of one place.
#[derive(Clone, Debug)]
struct Points {
    place: Place,
    /// Its blocks by their first point and length.
    order: Vec<Ordered>,
    /// Length of the longest.
    longest: u32,
}

/// First point, length and number of a block.
type Ordered = (u32, u32, u32);

impl Points {
    /// Blocks that may hold points of a range: those that start before its end, and not long before it.
    fn near(&self, start: u32, count: usize) -> &[Ordered] {
        let end = u64::from(start) + count as u64;
        let first = self.order.partition_point(|(at, ..)| u64::from(*at) + u64::from(self.longest) <= u64::from(start));
        let behind = self.order.partition_point(|(at, ..)| u64::from(*at) < end);
        self.order.get(first..behind).unwrap_or(&[])
    }

    /// Where the block of a range is in the order, or where it would be.
    fn find(&self, start: u32, count: u32) -> Result<usize, usize> {
        self.order.binary_search_by_key(&(start, count), |(at, length, _)| (*at, *length))
    }
}

/// Where a reader's values were last found: spares the search when the same is read again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seat {
    block: u32,
    /// Clock of the values that the reader has seen; 0 for none.
    seen: u64,
}

impl Seat {
    /// Clock of the values that the reader has seen; 0 for none.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// The next values count as not seen before.
    pub fn forget_values(&mut self) {
        self.seen = 0;
    }
}

/// What reading values showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// They differ from those known of the same range.
    pub changed: bool,
    /// This reader has seen these very values last time.
    pub seen: bool,
}

/// All values known.
#[derive(Clone, Debug, Default)]
pub struct Known {
    index: HashMap<Place, u32, foldhash::fast::RandomState>,
    places: Vec<Points>,
    blocks: Vec<Block>,
    /// Values in all of them.
    values: usize,
    clock: u64,
}

impl Known {
    /// Learns the values of a range that was read or reported.
    pub fn learn(&mut self, place: Place, start: u32, values: &[f64], seat: &mut Seat) -> Learnt {
        let values = &values[..values.len().min(MAX_POINTS)];
        if !self.sits(seat, place, start, values.len()) {
            match self.seated(place, start, values.len()) {
                Some(found) => *seat = found,
                None => {
                    self.keep(place, start, values);
                    return Learnt::default();
                }
            }
        }
        self.learn_again(values, seat).unwrap_or_default()
    }

    /// Learns the values of the range that a reader sits at; none where it sits at no range of so many.
    pub fn learn_again(&mut self, values: &[f64], seat: &mut Seat) -> Option<Learnt> {
        let block = self.blocks.get_mut(seat.block as usize).filter(|block| block.values.len() == values.len())?;
        self.clock += 1;
        let changed = differ(&block.values, values);
        if changed {
            block.values.copy_from_slice(values);
            block.changed = self.clock;
        }
        block.updated = self.clock;
        let seen = seat.seen == block.changed;
        seat.seen = block.changed;
        Some(Learnt { changed, seen })
    }

    /// The values of a seat are read once more; gives the clock at which they last changed, none where the reader has
    /// not seen them.
    #[inline]
    pub fn again(&mut self, seat: &Seat) -> Option<u64> {
        let block = self.blocks.get_mut(seat.block as usize).filter(|block| block.changed == seat.seen)?;
        self.clock += 1;
        block.updated = self.clock;
        Some(block.changed)
    }

    /// True where the seat is that of this range.
    fn sits(&self, seat: &Seat, place: Place, start: u32, count: usize) -> bool {
        let block = self.blocks.get(seat.block as usize);
        block.is_some_and(|block| block.is_of(start, count) && self.places[block.place as usize].place == place)
    }

    fn seated(&self, place: Place, start: u32, count: usize) -> Option<Seat> {
        let points = &self.places[*self.index.get(&place)? as usize];
        let (.., block) = points.order[points.find(start, count as u32).ok()?];
        Some(Seat { block, seen: 0 })
    }

    fn keep(&mut self, place: Place, start: u32, values: &[f64]) {
        if self.blocks.len() >= MAX_BLOCKS || self.values + values.len() > MAX_VALUES {
            return;
        }
        let at = *self.index.entry(place).or_insert_with(|| {
            self.places.push(Points { place, order: Vec::new(), longest: 0 });
            self.places.len() as u32 - 1
        });
        let (points, count) = (&mut self.places[at as usize], values.len() as u32);
        if points.order.len() < MAX_BLOCKS_OF_PLACE
            && let Err(before) = points.find(start, count)
        {
            self.clock += 1;
            self.values += values.len();
            let (updated, changed) = (self.clock, self.clock);
            points.order.insert(before, (start, count, self.blocks.len() as u32));
            points.longest = points.longest.max(count);
            self.blocks.push(Block { place: at, start, values: values.to_vec(), updated, changed });
        }
    }

    /// Values that a write put into points which are known already.
    pub fn overwrite(&mut self, place: Place, start: u32, values: &[f64]) {
        let Some(&at) = self.index.get(&place) else { return };
        self.clock += 1;
        for (.., number) in self.places[at as usize].near(start, values.len()) {
            let block = &mut self.blocks[*number as usize];
            if let Some((held, written)) = block.shared(start, values.len()) {
                block.values[held].copy_from_slice(&values[written]);
                block.changed = self.clock;
            }
        }
    }

    /// Values of a range as last known; empty unless all of them are.
    pub fn values(&self, place: Place, start: u32, count: u32) -> Vec<f64> {
        let Some(&at) = self.index.get(&place).filter(|_| count <= MAX_ASKED) else { return Vec::new() };
        let mut latest: Vec<Option<(u64, f64)>> = vec![None; count as usize];
        for (.., number) in self.places[at as usize].near(start, count as usize) {
            let block = &self.blocks[*number as usize];
            let Some((held, asked)) = block.shared(start, count as usize) else { continue };
            for (latest, value) in latest[asked].iter_mut().zip(&block.values[held]) {
                if latest.is_none_or(|(updated, _)| updated <= block.updated) {
                    *latest = Some((block.updated, *value));
                }
            }
        }
        let values: Option<Vec<f64>> = latest.into_iter().map(|found| found.map(|(_, value)| value)).collect();
        values.unwrap_or_default()
    }
}

/// Compares without leaving the loop early, which is faster for the few values of a reading. A value that is no number
/// equals itself here.
fn differ(known: &[f64], read: &[f64]) -> bool {
    let pairs = known.iter().zip(read);
    pairs.fold(0, |differing, (known, read)| differing | (known.to_bits() ^ read.to_bits())) != 0
}

impl Block {
    fn is_of(&self, start: u32, count: usize) -> bool {
        self.start == start && self.values.len() == count
    }

    /// The points of a range that the block holds: their places in the block, and in the range.
    fn shared(&self, start: u32, count: usize) -> Option<(Range<usize>, Range<usize>)> {
        let (skipped, before) = (start.saturating_sub(self.start) as usize, self.start.saturating_sub(start) as usize);
        let shared = self.values.len().saturating_sub(skipped).min(count.saturating_sub(before));
        (shared > 0).then(|| (skipped..skipped + shared, before..before + shared))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: Place = Place { server: 1, unit: Unit::Number(1), kind: 2, property: None, lane: (0, 0, None) };

    /// Learns for a reader that has no seat yet.
    fn learn(known: &mut Known, start: u32, values: &[f64]) -> bool {
        known.learn(PLACE, start, values, &mut Seat::default()).changed
    }

    #[test]
    fn the_value_before_comes_from_the_latest_block_that_holds_the_point() {
        let mut known = Known::default();
        assert!(!learn(&mut known, 100, &[120.0, 7.0]));
        assert!(!learn(&mut known, 101, &[8.0]));
        assert_eq!(known.values(PLACE, 100, 2), [120.0, 8.0]);
        assert!(learn(&mut known, 100, &[950.0, 7.0]));
        assert_eq!(known.values(PLACE, 100, 1), [950.0]);
        assert_eq!(known.values(PLACE, 100, 3), [0.0; 0], "one of the points was never seen");
        assert_eq!(known.values(Place { server: 2, ..PLACE }, 100, 1), [0.0; 0]);
    }

    #[test]
    fn a_write_is_known_afterwards() {
        let mut known = Known::default();
        learn(&mut known, 100, &[120.0, 7.0]);
        known.overwrite(PLACE, 101, &[9.0, 10.0]);
        assert_eq!(known.values(PLACE, 100, 2), [120.0, 9.0]);
    }

    #[test]
    fn who_varies_ranges_fills_one_place_only() {
        let (mut known, more) = (Known::default(), MAX_BLOCKS_OF_PLACE as u32 + 9);
        for start in 0..more {
            learn(&mut known, start, &[7.0]);
        }
        assert_eq!(known.blocks.len(), MAX_BLOCKS_OF_PLACE);
        assert_eq!(known.values(PLACE, more - 1, 1), [0.0; 0]);
        let other = Place { server: 2, ..PLACE };
        known.learn(other, 5, &[8.0], &mut Seat::default());
        assert_eq!(known.values(other, 5, 1), [8.0]);
    }

    #[test]
    fn few_blocks_of_a_full_place_are_looked_at() {
        let mut known = Known::default();
        for start in 0..MAX_BLOCKS_OF_PLACE as u32 {
            learn(&mut known, start * 2, &[7.0, 8.0]);
        }
        for (start, count, looked_at) in [(0, 1, 1), (1, 2, 2), (4_000, 2, 1), (9_000, 5, 0), (u32::MAX, 9, 0)] {
            assert_eq!(known.places[0].near(start, count).len(), looked_at, "{count} from {start}");
        }
    }

    proptest! {
        #[test]
        fn what_is_known_is_what_a_look_at_every_block_finds(
            steps in proptest::collection::vec((any::<bool>(), 0u32..40, 1usize..9, 0u32..4), 1..60),
            asked in proptest::collection::vec((0u32..48, 1u32..9), 8),
        ) {
            // Every block that was learnt, in order: first point, values, when it was learnt last.
            let (mut known, mut blocks) = (Known::default(), Vec::<(u32, Vec<f64>, usize)>::new());
            for (clock, (is_write, start, count, value)) in steps.into_iter().enumerate() {
                let values = vec![f64::from(value); count];
                if is_write {
                    known.overwrite(PLACE, start, &values);
                    for (first, held, _) in &mut blocks {
                        for (point, held) in (*first..).zip(held) {
                            if (start..start + count as u32).contains(&point) {
                                *held = f64::from(value);
                            }
                        }
                    }
                    continue;
                }
                learn(&mut known, start, &values);
                match blocks.iter_mut().find(|(first, held, _)| (*first, held.len()) == (start, count)) {
                    Some(block) => *block = (start, values, clock),
                    None => blocks.push((start, values, clock)),
                }
            }
            for (start, count) in asked {
                let latest = |point: u32| {
                    let holds = |(first, held, _): &&(u32, Vec<f64>, usize)| (*first..*first + held.len() as u32).contains(&point);
                    let block = blocks.iter().filter(holds).max_by_key(|(.., clock)| *clock);
                    block.map(|(first, held, _)| held[(point - first) as usize])
                };
                let expected: Option<Vec<f64>> = (start..start + count).map(latest).collect();
                prop_assert_eq!(known.values(PLACE, start, count), expected.unwrap_or_default());
            }
        }
    }

    #[test]
    fn who_reads_long_ranges_of_many_devices_fills_so_much() {
        let (mut known, values) = (Known::default(), [1.0; MAX_POINTS]);
        let most = (MAX_VALUES / MAX_POINTS) as u32;
        for server in 0..most + 9 {
            known.learn(Place { server, ..PLACE }, 0, &values, &mut Seat::default());
        }
        assert_eq!(known.values, MAX_VALUES);
        assert_eq!(known.values(Place { server: most - 1, ..PLACE }, 0, 1), [1.0]);
        assert_eq!(known.values(Place { server: most, ..PLACE }, 0, 1), [0.0; 0]);
    }

    #[test]
    fn a_write_reaches_only_the_points_it_shares_with_a_block() {
        let mut known = Known::default();
        learn(&mut known, 10, &[1.0, 2.0, 3.0]);
        known.overwrite(PLACE, 8, &[80.0, 90.0, 100.0]);
        known.overwrite(PLACE, 12, &[120.0, 130.0]);
        known.overwrite(PLACE, 13, &[0.0]);
        known.overwrite(PLACE, 9, &[0.0]);
        assert_eq!(known.values(PLACE, 10, 3), [100.0, 2.0, 120.0]);
        assert_eq!(known.values(PLACE, u32::MAX, 2), [0.0; 0]);
    }

    #[test]
    fn a_reader_knows_which_values_it_has_seen() {
        let (mut known, mut one, mut other) = (Known::default(), Seat::default(), Seat::default());
        let read = |known: &mut Known, seat: &mut Seat, value: f64| {
            let Learnt { changed, seen } = known.learn(PLACE, 100, &[value], seat);
            (changed, seen)
        };
        assert_eq!(read(&mut known, &mut one, 1.0), (false, false), "the first time");
        assert_eq!(read(&mut known, &mut one, 1.0), (false, false), "seated now");
        assert_eq!(read(&mut known, &mut one, 1.0), (false, true));
        assert_eq!(read(&mut known, &mut other, 2.0), (true, false));
        assert_eq!(read(&mut known, &mut one, 2.0), (false, false), "another reader saw the change");
        known.overwrite(PLACE, 100, &[3.0]);
        assert_eq!(read(&mut known, &mut one, 3.0), (false, false), "written, not yet seen");
        one.forget_values();
        assert_eq!(read(&mut known, &mut one, 3.0), (false, false));
    }
}
