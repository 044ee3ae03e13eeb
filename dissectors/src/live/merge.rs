//! Packets of several lanes in the order of their times. A packet is held until every other lane has a later one or has
//! ended, and no longer than [`HOLD`].

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::hub::{Batch, Hub};
use crate::capture::Packet;

/// Longest time that a packet waits for earlier ones of other lanes: well above the time after which the kernel hands over
/// a block that is not full.
pub const HOLD: Duration = Duration::from_millis(100);

/// How it goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is more.
    More,
    /// Nothing can be given yet.
    Wait,
    /// All lanes ended.
    End,
}

#[derive(Default)]
struct Lane {
    batch: Option<Batch>,
    next: usize,
    ended: bool,
    /// Change of the hub at which nothing was there.
    looked: Option<u64>,
}

impl Lane {
    fn time(&self) -> Option<i64> {
        self.batch.as_ref()?.time(self.next)
    }

    fn fill(&mut self, number: usize, hub: &Hub) {
        while self.time().is_none() && !self.ended {
            if let Some(batch) = self.batch.take() {
                hub.done(batch);
            }
            let changes = hub.changes();
            if self.looked == Some(changes) {
                return;
            }
            self.next = 0;
            match hub.pop(number) {
                Ok(batch) => self.batch = Some(batch),
                Err(ended) => (self.ended, self.looked) = (ended, Some(changes)),
            }
        }
    }
}

/// The lanes of a hub, merged.
pub struct Merge {
    lanes: Vec<Lane>,
    last: i64,
    /// False where a packet waits as long as it takes.
    is_bounded: bool,
}

impl Merge {
    /// So many lanes.
    pub fn new(lanes: usize, is_bounded: bool) -> Self {
        Merge { lanes: (0..lanes).map(|_| Lane::default()).collect(), last: i64::MIN, is_bounded }
    }

    /// Gives at most so many packets in their order.
    pub fn give(&mut self, hub: &Hub, most: usize, now: Instant, take: &mut dyn FnMut(&Packet<'_>)) -> Next {
        let mut left = most;
        while left > 0 {
            for (number, lane) in self.lanes.iter_mut().enumerate() {
                lane.fill(number, hub);
            }
            let first = (0..).zip(&self.lanes).filter_map(|(number, lane)| Some((lane.time()?, number))).min();
            let Some((_, number)) = first else {
                return if self.lanes.iter().all(|lane| lane.ended) { Next::End } else { Next::Wait };
            };
            let others = |(other, _): &(usize, &Lane)| *other != number;
            let is_missing =
                (0..).zip(&self.lanes).filter(others).any(|(_, lane)| lane.time().is_none() && !lane.ended);
            let bound =
                (0..).zip(&self.lanes).filter(others).filter_map(|(other, lane)| Some((lane.time()?, other))).min();
            let lane = &mut self.lanes[number];
            let Some(batch) = &lane.batch else { continue };
            if is_missing && !(self.is_bounded && now.saturating_duration_since(batch.arrived) >= HOLD) {
                return Next::Wait;
            }
            while let Some(packet) = batch.packet(lane.next) {
                if left == 0 || bound.is_some_and(|bound| (packet.time_ns, number) > bound) {
                    break;
                }
                hub.late.fetch_add(u64::from(packet.time_ns < self.last), Relaxed);
                self.last = packet.time_ns;
                take(&packet);
                lane.next += 1;
                left -= 1;
            }
        }
        Next::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(lanes: &[&[&[i64]]]) -> Hub {
        let hub = Hub::new(Vec::new(), lanes.len(), 1 << 20);
        for (number, batches) in lanes.iter().enumerate() {
            for times in *batches {
                let mut batch = hub.batch();
                for time_ns in *times {
                    let packet = Packet {
                        time_ns: *time_ns,
                        link_type: 1,
                        original_length: 1,
                        data: &[],
                        interface: number as u32,
                        fcs_octets: None,
                    };
                    batch.add(&packet, [&[0], &[], &[]]);
                }
                hub.push(number, batch);
            }
        }
        hub
    }

    fn given(merge: &mut Merge, hub: &Hub, most: usize, now: Instant) -> (Vec<(i64, u32)>, Next) {
        let mut given = Vec::new();
        let next = merge.give(hub, most, now, &mut |packet| given.push((packet.time_ns, packet.interface)));
        (given, next)
    }

    #[test]
    fn packets_come_in_the_order_of_their_times() {
        let hub = hub(&[&[&[1, 4], &[6, 7]], &[&[2, 3, 5]], &[&[4]]]);
        let mut merge = Merge::new(3, true);
        let now = Instant::now();
        assert_eq!(given(&mut merge, &hub, 2, now), (vec![(1, 0), (2, 1)], Next::More));
        // The third lane may get an earlier one than what follows.
        assert_eq!(given(&mut merge, &hub, 9, now), (vec![(3, 1), (4, 0), (4, 2)], Next::Wait));
        hub.end(2);
        assert_eq!(given(&mut merge, &hub, 9, now), (vec![(5, 1)], Next::Wait));
        // Nobody waits for ever.
        assert_eq!(given(&mut merge, &hub, 9, now + 2 * HOLD), (vec![(6, 0), (7, 0)], Next::Wait));
        hub.end(0);
        hub.end(1);
        assert_eq!(given(&mut merge, &hub, 9, now), (vec![], Next::End));
        assert_eq!((hub.octets(), hub.late.load(Relaxed)), (0, 0));
    }

    #[test]
    fn who_may_wait_waits_and_a_clock_that_goes_back_is_followed() {
        let hub = hub(&[&[&[10, 3, 4]], &[]]);
        let mut merge = Merge::new(2, false);
        let later = Instant::now() + 100 * HOLD;
        assert_eq!(given(&mut merge, &hub, 9, later), (vec![], Next::Wait));
        hub.end(1);
        assert_eq!(given(&mut merge, &hub, 9, later), (vec![(10, 0), (3, 0), (4, 0)], Next::Wait));
        assert_eq!(hub.late.load(Relaxed), 1);
    }
}
