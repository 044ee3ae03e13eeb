//! The last packets by frame, in a bound of octets: what findings are proven with.

use std::collections::VecDeque;

use crate::capture::Packet;

/// Parts into which the bound is divided: the oldest is given up as a whole.
const PARTS: usize = 16;
const LEAST_PART: usize = 4_096;

#[derive(Clone, Copy)]
struct Place {
    time_ns: i64,
    start: usize,
    length: usize,
    original_length: u32,
    interface: u32,
    link_type: u16,
    fcs_octets: Option<u8>,
}

/// Packets that follow one another.
#[derive(Default)]
struct Part {
    first: u64,
    octets: Vec<u8>,
    places: Vec<Place>,
}

impl Part {
    fn size(&self) -> usize {
        self.octets.len() + self.places.len() * size_of::<Place>()
    }
}

/// The last packets.
pub struct Recent {
    most: usize,
    parts: VecDeque<Part>,
    /// Octets of all parts but the last.
    full: usize,
}

impl Recent {
    /// So many octets at most, what is needed to find them included; none are kept at 0.
    pub fn new(most: usize) -> Self {
        Recent { most, parts: VecDeque::new(), full: 0 }
    }

    /// Adds the packet of the next frame.
    pub fn add(&mut self, frame: u64, packet: &Packet<'_>) {
        let part = (self.most / PARTS).max(LEAST_PART).min(self.most);
        let needed = packet.data.len() + size_of::<Place>();
        if needed > self.most {
            return self.clear();
        }
        let last = self.parts.back().map_or(0, Part::size);
        if self.parts.is_empty() || last + needed > part {
            self.full += last;
            // Memory that was used before costs least.
            let mut again = None;
            while self.full + part.max(needed) > self.most {
                let Some(oldest) = self.parts.pop_front() else { break };
                self.full = self.full.saturating_sub(oldest.size());
                again = Some(oldest);
            }
            let mut new = again.unwrap_or_else(|| Part { octets: Vec::with_capacity(part), ..Part::default() });
            new.first = frame;
            new.octets.clear();
            new.places.clear();
            self.parts.push_back(new);
        }
        let Some(part) = self.parts.back_mut() else { return };
        let &Packet { time_ns, original_length, interface, link_type, fcs_octets, data } = packet;
        let (start, length) = (part.octets.len(), data.len());
        part.octets.extend_from_slice(data);
        part.places.push(Place { time_ns, start, length, original_length, interface, link_type, fcs_octets });
    }

    /// The packet of a frame, where it is still there.
    pub fn get(&self, frame: u64) -> Option<Packet<'_>> {
        let part = self.parts.partition_point(|part| part.first <= frame).checked_sub(1)?;
        let part = self.parts.get(part)?;
        let place = part.places.get(usize::try_from(frame - part.first).ok()?)?;
        let &Place { time_ns, start, length, original_length, interface, link_type, fcs_octets } = place;
        let data = part.octets.get(start..start + length)?;
        Some(Packet { time_ns, link_type, original_length, data, interface, fcs_octets })
    }

    /// Octets that it takes.
    pub fn octets(&self) -> usize {
        self.full + self.parts.back().map_or(0, Part::size)
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.parts.clear();
        self.full = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(data: &[u8], time_ns: i64) -> Packet<'_> {
        Packet { time_ns, link_type: 1, original_length: data.len() as u32, data, interface: 3, fcs_octets: Some(4) }
    }

    #[test]
    fn the_last_packets_are_there_and_no_more_than_fit() {
        for most in [0, 100, 10_000, 1 << 20] {
            let mut recent = Recent::new(most);
            let data: Vec<Vec<u8>> = (0..3_000_usize).map(|frame| vec![frame as u8; frame * 7 % 1_500]).collect();
            for (frame, data) in (1..).zip(&data) {
                recent.add(frame, &packet(data, frame as i64));
                assert!(recent.octets() <= most, "{} of {most}", recent.octets());
            }
            let there: Vec<u64> = (0..=3_001).filter(|frame| recent.get(*frame).is_some()).collect();
            for frame in &there {
                assert_eq!(recent.get(*frame), Some(packet(&data[*frame as usize - 1], *frame as i64)));
            }
            // Of what is large enough, at least three quarters are used; and those there are the last.
            assert_eq!(there, (3_001 - there.len() as u64..=3_000).collect::<Vec<_>>());
            let used: usize = there.iter().map(|frame| data[*frame as usize - 1].len() + size_of::<Place>()).sum();
            assert_eq!(used, recent.octets());
            assert!(most < 1 << 20 || used > most * 3 / 4, "{used} of {most}");
            recent.clear();
            assert_eq!((recent.octets(), recent.get(3_000)), (0, None));
        }
    }
}
