//! What is done with packets that came again.

use super::{Context, Engine};
use crate::flows::{Key, Transport};
use crate::net::ip::{self, IpPacket, Segment, flag, number};
use crate::net::mirror::Sighting;

impl Engine {
    /// A packet came again; true where that was a mirror's doing, and nothing is left to be done.
    #[cold]
    pub(super) fn seen_before(&mut self, context: &Context, packet: &IpPacket<'_>, sighting: Sighting) -> bool {
        let coverage = &mut self.sinks.coverage;
        if sighting == Sighting::Again {
            coverage.repeats += 1;
            return false;
        }
        coverage.duplicates += 1;
        coverage.duplicate_bytes += u64::from(context.wire_length);
        // The octets of a segment are compared with those before: who makes a copy that differs is to be seen.
        let segment = Some(packet).filter(|packet| packet.fragment.is_none() && packet.protocol == number::TCP);
        if let Some(segment) = segment.and_then(|packet| ip::tcp(packet).ok()) {
            let addresses = [packet.source, packet.destination];
            let key = Key::new(addresses, segment.ports, Transport::Tcp);
            let in_lan = self.flows.find_in(&key, (packet.source, segment.ports[0]), context.lan, segment.sequence);
            // A router gives the copy another network.
            let slot = in_lan.or_else(|| self.flows.find(&key));
            if let Some((slot, flow)) = slot.and_then(|slot| Some((slot, self.flows.get(slot)?))) {
                let direction = flow.direction(packet.source, segment.ports[0]);
                // The beginning is not told again.
                let segment = Segment {
                    flags: segment.flags & !flag::SYN,
                    sequence: segment.sequence.wrapping_add(u32::from(segment.flags & flag::SYN != 0)),
                    ..segment
                };
                self.segment(slot, direction, context.stamp, &segment);
            }
        }
        true
    }
}
