//! The last values known of every point, so that a change can be told with the value before it.

use hashbrown::HashMap;

use crate::model::Unit;

/// Blocks of points kept; beyond it new ones are not learnt.
const MAX_BLOCKS: usize = 100_000;
/// Points of one block that are kept.
const MAX_POINTS: usize = 2_048;
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
}

#[derive(Debug)]
struct Block {
    start: u32,
    values: Vec<f64>,
    updated: u64,
}

/// All values known.
#[derive(Debug, Default)]
pub struct Known {
    places: HashMap<Place, Vec<Block>, foldhash::fast::RandomState>,
    blocks: usize,
    clock: u64,
}

impl Known {
    /// Learns the values of a range that was read or reported; true where they differ from those known of the same
    /// range.
    pub fn learn(&mut self, place: Place, start: u32, values: &[f64]) -> bool {
        let values = &values[..values.len().min(MAX_POINTS)];
        self.clock += 1;
        let updated = self.clock;
        let blocks = self.places.entry(place).or_default();
        if let Some(block) = blocks.iter_mut().find(|block| block.start == start && block.values.len() == values.len())
        {
            let differs = block.values != values;
            if differs {
                block.values.copy_from_slice(values);
            }
            block.updated = updated;
            return differs;
        }
        if self.blocks < MAX_BLOCKS {
            self.blocks += 1;
            blocks.push(Block { start, values: values.to_vec(), updated });
        }
        false
    }

    /// Values that a write put into points which are known already.
    pub fn overwrite(&mut self, place: Place, start: u32, values: &[f64]) {
        let Some(blocks) = self.places.get_mut(&place) else { return };
        for (offset, value) in values.iter().enumerate() {
            let Some(point) = start.checked_add(offset as u32) else { return };
            for block in blocks.iter_mut() {
                if let Some(known) = point.checked_sub(block.start).and_then(|at| block.values.get_mut(at as usize)) {
                    *known = *value;
                }
            }
        }
    }

    /// Values of a range as last known; empty unless all of them are.
    pub fn values(&self, place: Place, start: u32, count: u32) -> Vec<f64> {
        let Some(blocks) = self.places.get(&place).filter(|_| count <= MAX_ASKED) else { return Vec::new() };
        let latest = |point: u32| {
            let holding = blocks.iter().filter_map(|block| {
                Some((block.updated, *block.values.get(point.checked_sub(block.start)? as usize)?))
            });
            holding.max_by_key(|(updated, _)| *updated).map(|(_, value)| value)
        };
        let end = start.saturating_add(count);
        (start..end).map(latest).collect::<Option<Vec<f64>>>().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { server: 1, unit: Unit::Number(1), kind: 2, property: None };

    #[test]
    fn the_value_before_comes_from_the_latest_block_that_holds_the_point() {
        let mut known = Known::default();
        assert!(!known.learn(PLACE, 100, &[120.0, 7.0]));
        assert!(!known.learn(PLACE, 101, &[8.0]));
        assert_eq!(known.values(PLACE, 100, 2), [120.0, 8.0]);
        assert!(known.learn(PLACE, 100, &[950.0, 7.0]));
        assert_eq!(known.values(PLACE, 100, 1), [950.0]);
        assert_eq!(known.values(PLACE, 100, 3), [0.0; 0], "one of the points was never seen");
        assert_eq!(known.values(Place { server: 2, ..PLACE }, 100, 1), [0.0; 0]);
    }

    #[test]
    fn a_write_is_known_afterwards() {
        let mut known = Known::default();
        known.learn(PLACE, 100, &[120.0, 7.0]);
        known.overwrite(PLACE, 101, &[9.0, 10.0]);
        assert_eq!(known.values(PLACE, 100, 2), [120.0, 9.0]);
    }
}
