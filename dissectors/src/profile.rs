//! What traffic that nobody recognises looks like: sizes, pace and evenness of its first packets. Nothing of what it says
//! is kept. Bounded: so many packets of a flow, so many flows at once.

use crate::flows::{Content, Flow};
use crate::session::Direction;

/// Flows that are looked at, at once.
pub const MAX_FLOWS: usize = 4_096;
/// Packets of a flow that are looked at.
const MAX_PACKETS: usize = 128;
/// Octets of a packet that are counted for the evenness.
const MAX_OCTETS: usize = 256;
/// Packets of one way without which no period is told.
const LEAST_INTERVALS: usize = 8;
/// What half of the intervals differ by at most, in parts of the middle one, for a period: one in so many.
const STEADY: i64 = 5;

/// A flow's profile under construction.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Payload octets of the packets, in the order they came.
    sizes: Vec<u16>,
    /// Times of those that the first sender sent.
    times: Vec<i64>,
    /// How often each octet came.
    octets: Box<[u32; 256]>,
}

/// A flow's profile.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shape {
    /// Payload octets that a tenth, half, and nine tenths of the packets have at most.
    pub sizes: [u16; 3],
    /// Nanoseconds from one packet of the first sender to the next, where they are alike.
    pub period: Option<u64>,
    /// Bits of information an octet has, 0 to 8.
    pub entropy: f64,
}

/// Looks at what a packet of a flow looks like that nobody recognised so far.
pub fn look_at(flow: &mut Flow, direction: Direction, payload: &[u8], time: i64, profiles: &mut usize) {
    if flow.service.is_some() || !matches!(flow.content, Content::Unknown(_)) {
        *profiles -= usize::from(flow.profile.take().is_some());
        return;
    }
    if payload.is_empty() {
        return;
    }
    if flow.profile.is_none() {
        if *profiles >= MAX_FLOWS {
            return;
        }
        *profiles += 1;
    }
    flow.profile.get_or_insert_default().take(payload, direction == Direction::Forward, time);
}

impl Default for Profile {
    fn default() -> Self {
        Profile { sizes: Vec::new(), times: Vec::new(), octets: Box::new([0; 256]) }
    }
}

impl Profile {
    /// Takes a packet with payload; `is_first`: it is of the flow's first sender.
    pub fn take(&mut self, payload: &[u8], is_first: bool, time: i64) {
        if self.sizes.len() >= MAX_PACKETS {
            return;
        }
        self.sizes.push(u16::try_from(payload.len()).unwrap_or(u16::MAX));
        if is_first {
            self.times.push(time);
        }
        for octet in payload.iter().take(MAX_OCTETS) {
            self.octets[usize::from(*octet)] += 1;
        }
    }

    /// What there is; none where no packet had a payload.
    pub fn shape(&self) -> Option<Shape> {
        let mut sizes = self.sizes.clone();
        sizes.sort_unstable();
        let at = |tenths: usize| sizes.get((sizes.len() * tenths).div_ceil(10).saturating_sub(1)).copied();
        Some(Shape { sizes: [at(1)?, at(5)?, at(9)?], period: self.period(), entropy: self.entropy() })
    }

    fn period(&self) -> Option<u64> {
        let mut intervals: Vec<i64> = self.times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        intervals.sort_unstable();
        let count = intervals.len();
        let (low, middle, high) =
            (*intervals.get(count / 4)?, *intervals.get(count / 2)?, *intervals.get(count * 3 / 4)?);
        let is_steady = count >= LEAST_INTERVALS && low > 0 && high.saturating_sub(low) <= middle / STEADY;
        is_steady.then_some(middle as u64)
    }

    fn entropy(&self) -> f64 {
        let all: u32 = self.octets.iter().sum();
        let share = |count: &u32| f64::from(*count) / f64::from(all);
        let bits: f64 =
            self.octets.iter().filter(|count| **count > 0).map(|count| -share(count) * share(count).log2()).sum();
        // A hundredth is more than the sample tells.
        (bits.max(0.0) * 100.0).round() / 100.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(packets: &[(usize, bool, i64)]) -> Option<Shape> {
        let mut profile = Profile::default();
        for (size, is_first, time) in packets {
            profile.take(&vec![7; *size], *is_first, *time);
        }
        profile.shape()
    }

    #[test]
    fn sizes_are_quantiles_and_a_period_needs_steady_packets() {
        assert_eq!(shape(&[]), None);
        let one = shape(&[(10, true, 5)]).unwrap();
        assert_eq!((one.sizes, one.period, one.entropy), ([10; 3], None, 0.0));
        let sizes: Vec<_> = (1..=10).map(|size| (size, false, 0)).collect();
        assert_eq!(shape(&sizes).unwrap().sizes, [1, 5, 9]);
        let paced = |times: &[i64]| {
            let packets: Vec<_> = times.iter().flat_map(|time| [(4, true, *time), (4, false, time + 1)]).collect();
            shape(&packets).unwrap().period
        };
        let steady: Vec<i64> = (0..10).map(|turn| turn * 1_000 + turn % 3 * 20).collect();
        assert_eq!(paced(&steady), Some(1_020));
        assert_eq!(paced(&steady[..8]), None, "too few");
        assert_eq!(paced(&[0, 1, 900, 901, 3_000, 9_000, 9_001, 20_000, 20_001, 50_000]), None);
        assert_eq!(paced(&[5; 12]), None, "all at once");
    }

    #[test]
    fn evenness_is_in_bits_an_octet() {
        let of = |octets: &[u8]| {
            let mut profile = Profile::default();
            profile.take(octets, true, 0);
            profile.shape().unwrap().entropy
        };
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!((of(&[1; 9]), of(&[1, 2]), of(&[1, 2, 3, 4]), of(&all)), (0.0, 1.0, 2.0, 8.0));
    }

    proptest! {
        #[test]
        fn any_packets_give_a_shape_in_bounds(
            packets in prop::collection::vec((prop::collection::vec(any::<u8>(), 1..400), any::<bool>(), any::<i64>()), 1..300)
        ) {
            let mut profile = Profile::default();
            for (payload, is_first, time) in &packets {
                profile.take(payload, *is_first, *time);
            }
            prop_assert!(profile.sizes.len() <= MAX_PACKETS && profile.times.len() <= MAX_PACKETS);
            let shape = profile.shape().unwrap();
            prop_assert!(shape.sizes.is_sorted() && (0.0..=8.0).contains(&shape.entropy));
        }
    }
}
