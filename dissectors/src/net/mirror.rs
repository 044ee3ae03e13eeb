//! Packets that a mirror delivered twice. A port that is mirrored both ways, a trunk and its access port, or the two
//! sides of a router give the same IP packet again within milliseconds. It is a copy only where something shows the
//! mirror: a router's work (one hop less), another frame around it (tag, MAC addresses), or doubling all over the
//! capture. The same packet in the same frame may be a replay, and stays.
//!
//! Packets are told apart by what no router changes: header, and all octets above it. Of TCP the header is enough,
//! because the stream compares what it is given again.

use std::hash::{BuildHasher, Hasher};

use super::ip::{IpPacket, number};

/// A copy comes this soon; switches take microseconds, a busy mirror some milliseconds.
const WINDOW_NS: u64 = 10_000_000;
/// Pairs of packets remembered: a lookup touches one place in memory.
const BUCKETS: usize = 256;
/// Copies are at most so many routers apart.
const MOST_HOPS: u8 = 4;
/// Doubling is judged over about so many packets …
const SHARE_OF: u32 = 1_024;
/// … and not before there are so many.
const LEAST_PACKETS: u32 = 32;

/// What a packet is to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// Not seen before.
    New,
    /// Seen before, and nothing shows that a mirror gave it twice.
    Again,
    /// A copy that a mirror made.
    Copy,
}

/// What may differ between copies: the frame around the packet, and its time to live.
/// Kept as one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Guise(u64);

impl Guise {
    #[inline]
    fn new(frame: u32, hops: u8) -> Self {
        Guise(u64::from(frame) << 8 | u64::from(hops))
    }

    fn frame(self) -> u64 {
        self.0 >> 8
    }

    fn hops(self) -> u8 {
        self.0 as u8
    }

    /// True where a mirror explains that `self` was seen after `earlier`.
    fn is_copy_of(self, earlier: Guise) -> bool {
        let apart = self.hops().abs_diff(earlier.hops());
        earlier.hops().checked_sub(1) == Some(self.hops()) || self.frame() != earlier.frame() && apart <= MOST_HOPS
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    print: u64,
    time: i64,
    first: Guise,
    latest: Guise,
}

/// Two packets, the later one first: a cache line.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(64))]
struct Bucket([Seen; 2]);

/// How many packets come again in the same frame, counted over the last packets.
#[derive(Clone, Debug, Default)]
struct Share {
    packets: u32,
    again: u32,
}

impl Share {
    #[inline]
    fn packet(&mut self) {
        self.packets += 1;
        if self.packets >= SHARE_OF {
            self.packets /= 2;
            self.again /= 2;
        }
    }

    /// Between a quarter (half of the traffic passes two mirrored ports) and three fifths; a flood of one packet,
    /// which comes again and again, lies above.
    fn is_doubling(&self) -> bool {
        self.packets >= LEAST_PACKETS && self.again * 4 >= self.packets && self.again * 5 <= self.packets * 3
    }
}

/// What tells a packet from others.
#[derive(Clone, Copy)]
struct Traits {
    /// Where it is looked for; by no secret, so that what is forgotten does not differ from run to run.
    place: u64,
    /// Its hash, by a secret, so that nobody makes two packets one.
    print: u64,
    hops: u8,
}

/// The packets of the last milliseconds.
#[derive(Clone)]
pub struct Mirror {
    secret: foldhash::fast::RandomState,
    keys: [u64; 5],
    buckets: Box<[Bucket; BUCKETS]>,
    share: Share,
}

impl Default for Mirror {
    fn default() -> Self {
        let secret = foldhash::fast::RandomState::default();
        let keys = std::array::from_fn(|index| secret.hash_one(index));
        Mirror { secret, keys, buckets: Box::new([Bucket::default(); BUCKETS]), share: Share::default() }
    }
}

#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    product as u64 ^ (product >> 64) as u64
}

/// Eight octets, 0 where they are not there.
#[inline]
fn word(octets: &[u8], at: usize) -> u64 {
    octets.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |part| u64::from_le_bytes(*part))
}

/// Of the first eight octets, what does not change on the way: not DSCP and flow label, not IPv6's hop limit.
const FIXED_V4: u64 = 0xffff_ffff_ffff_00ff;
const FIXED_V6: u64 = 0x00ff_ffff_0000_00f0;
/// An odd number without pattern (2^64 by the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Mirror {
    /// Looks at a packet: its octets from the IP header on, what was read of them, a number for the frame around
    /// it ([`frame`]) and its time.
    #[inline]
    pub fn look(&mut self, octets: &[u8], packet: &IpPacket<'_>, frame: u32, time_ns: i64) -> Sighting {
        let traits = match octets.first_chunk() {
            // IPv4 without options, and TCP: nearly all of them.
            Some(head) if head[0] == 0x45 && head[9] == number::TCP && packet.fragment.is_none() => self.segment(head),
            _ => self.other(octets, packet),
        };
        self.judge(traits, frame, time_ns)
    }

    /// The same for a TCP segment in IPv4 without options and fragments, by its first octets.
    #[inline]
    pub fn look_at_segment(&mut self, head: &[u8; 40], frame: u32, time_ns: i64) -> Sighting {
        self.judge(self.segment(head), frame, time_ns)
    }

    #[inline]
    fn judge(&mut self, traits: Traits, frame: u32, time_ns: i64) -> Sighting {
        self.share.packet();
        let guise = Guise::new(frame, traits.hops);
        let index = (traits.place.wrapping_mul(SPREAD) >> 32) as usize % BUCKETS;
        let bucket = &mut self.buckets[index].0;
        let way = usize::from(bucket[0].print != traits.print);
        if bucket[way].print == traits.print && time_ns.abs_diff(bucket[way].time) <= WINDOW_NS {
            return self.again((index, way), guise, time_ns);
        }
        bucket[1] = bucket[0];
        bucket[0] = Seen { print: traits.print, time: time_ns, first: guise, latest: guise };
        Sighting::New
    }

    #[inline]
    fn segment(&self, head: &[u8; 40]) -> Traits {
        let [a, b, c, d, e] = self.keys;
        let lead = word(head, 0) & FIXED_V4;
        let (ends, start, middle, end) = (word(head, 12), word(head, 20), word(head, 28), word(head, 32));
        let print = fold(fold(lead ^ a, ends ^ b) ^ fold(start ^ c, middle ^ d), end ^ e);
        Traits { place: lead ^ start, print, hops: head[8] }
    }

    #[inline(never)]
    fn other(&self, octets: &[u8], packet: &IpPacket<'_>) -> Traits {
        let lead = word(octets, 0);
        let (fixed, hops) = if lead & 0xf0 == 0x40 { (FIXED_V4, 8) } else { (FIXED_V6, 7) };
        let is_segment = packet.protocol == number::TCP && packet.fragment.is_none();
        let above = packet.payload.get(..20).filter(|_| is_segment).unwrap_or(packet.payload);
        let mut hasher = self.secret.build_hasher();
        hasher.write_u64(lead & fixed);
        hasher.write_u128(packet.source.0);
        hasher.write_u128(packet.destination.0);
        hasher.write_usize(packet.wire_length);
        hasher.write_u8(packet.protocol);
        if let Some(fragment) = packet.fragment {
            hasher.write_u32(fragment.id);
            hasher.write_usize(fragment.offset);
        }
        hasher.write(above);
        let place = lead & fixed ^ word(above, 0) ^ word(above, 8).rotate_left(32);
        Traits { place, print: hasher.finish(), hops: octets.get(hops).copied().unwrap_or_default() }
    }

    #[cold]
    fn again(&mut self, (index, way): (usize, usize), guise: Guise, time: i64) -> Sighting {
        let seen = &mut self.buckets[index].0[way];
        let same = guise == seen.first || guise == seen.latest;
        if !same && guise.is_copy_of(seen.latest) {
            seen.latest = guise;
            return Sighting::Copy;
        }
        if same {
            self.share.again += 1;
            if self.share.is_doubling() {
                // A third one is no doubling.
                *seen = Seen::default();
                return Sighting::Copy;
            }
        }
        *seen = Seen { time, first: guise, latest: guise, ..*seen };
        Sighting::Again
    }
}

/// A number for a frame's octets before the IP packet: addresses and tags. Who makes two of them one makes a copy a
/// repetition, which is told.
#[inline]
pub fn frame(header: &[u8]) -> u32 {
    let number = match <&[u8; 14]>::try_from(header) {
        Ok(plain) => word(plain, 0) ^ word(plain, 6).rotate_left(11),
        Err(_) => tagged(header),
    };
    (number.wrapping_mul(SPREAD) >> 32) as u32
}

fn tagged(header: &[u8]) -> u64 {
    let end = word(header, header.len().saturating_sub(8));
    word(header, 0) ^ word(header, 8).rotate_left(24) ^ end.rotate_left(11)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ip;

    const MILLISECOND: i64 = 1_000_000;

    /// A UDP datagram in IPv4.
    fn datagram(id: u8, ttl: u8, payload: &[u8]) -> Vec<u8> {
        let mut octets = vec![0x45, 0, 0, 28 + payload.len() as u8, 0, id, 0x40, 0, ttl, 17, 0, 0];
        octets.extend([10, 0, 0, 1, 10, 0, 0, 2, 0xba, 0xc0, 0xba, 0xc0, 0, 8 + payload.len() as u8, 0, 0]);
        octets.extend(payload);
        octets
    }

    /// A TCP segment without payload in IPv6.
    fn segment(hop_limit: u8, sequence: u8) -> Vec<u8> {
        let mut octets = vec![0x60, 0, 0, 0, 0, 20, 6, hop_limit];
        octets.extend([0xfd; 32]);
        octets.extend([0xc0, 0, 1, 0xf6, 0, 0, 0, sequence, 0, 0, 0, 0, 0x50, 0x10, 0, 0, 0, 0, 0, 0]);
        octets
    }

    fn look(mirror: &mut Mirror, octets: &[u8], frame: u32, time: i64) -> Sighting {
        let packet = if octets[0] >> 4 == 4 { ip::ipv4(octets) } else { ip::ipv6(octets) };
        mirror.look(octets, &packet.unwrap(), frame, time)
    }

    #[test]
    fn the_same_packet_is_a_copy_only_on_evidence() {
        let earlier = datagram(1, 64, b"stop");
        let cases: &[(&str, Vec<u8>, u32, i64, Sighting)] = &[
            ("one hop less", datagram(1, 63, b"stop"), 1, MILLISECOND, Sighting::Copy),
            ("one hop less, routed", datagram(1, 63, b"stop"), 2, MILLISECOND, Sighting::Copy),
            ("another frame", datagram(1, 64, b"stop"), 2, MILLISECOND, Sighting::Copy),
            ("a replay", datagram(1, 64, b"stop"), 1, MILLISECOND, Sighting::Again),
            ("a replay from far", datagram(1, 128, b"stop"), 2, MILLISECOND, Sighting::Again),
            ("two hops less in the same frame", datagram(1, 62, b"stop"), 1, MILLISECOND, Sighting::Again),
            ("later", datagram(1, 63, b"stop"), 2, 11 * MILLISECOND, Sighting::New),
            ("another identification", datagram(2, 63, b"stop"), 2, MILLISECOND, Sighting::New),
            ("other octets", datagram(1, 63, b"shop"), 2, MILLISECOND, Sighting::New),
            ("more octets", datagram(1, 63, b"stops"), 2, MILLISECOND, Sighting::New),
        ];
        for (name, octets, frame, time, expected) in cases {
            let mut mirror = Mirror::default();
            assert_eq!(look(&mut mirror, &earlier, 1, 0), Sighting::New);
            assert_eq!(look(&mut mirror, octets, *frame, *time), *expected, "{name}");
        }
    }

    #[test]
    fn a_replay_at_a_doubling_mirror_is_told_once_more() {
        let mut mirror = Mirror::default();
        let (inside, outside) = (datagram(1, 64, b"stop"), datagram(1, 63, b"stop"));
        let told = [(&inside, 1), (&outside, 2), (&inside, 1), (&outside, 2)]
            .map(|(octets, frame)| look(&mut mirror, octets, frame, 0));
        assert_eq!(told, [Sighting::New, Sighting::Copy, Sighting::Again, Sighting::Copy]);
    }

    #[test]
    fn of_ipv6_and_tcp_the_headers_count() {
        let mut mirror = Mirror::default();
        let told = [segment(64, 1), segment(63, 1), segment(63, 2)].map(|octets| look(&mut mirror, &octets, 1, 0));
        assert_eq!(told, [Sighting::New, Sighting::Copy, Sighting::New]);
    }

    #[test]
    fn a_frame_is_its_addresses_and_tags() {
        let header: Vec<u8> = (0..22).collect();
        for length in [14, 18, 22] {
            for octet in 0..length {
                let mut other = header[..length].to_vec();
                other[octet] ^= 0x80;
                assert_ne!(frame(&header[..length]), frame(&other), "{length} {octet}");
            }
        }
    }

    #[test]
    fn doubling_all_over_is_a_mirror_and_a_flood_is_none() {
        let (mut doubled, mut flooded) = (Mirror::default(), Mirror::default());
        let (mut copies, mut floods) = (0, 0);
        for packet in 0..400_i64 {
            let octets = datagram((packet / 2) as u8, 64, b"poll");
            copies += u32::from(look(&mut doubled, &octets, 1, packet * MILLISECOND) == Sighting::Copy);
            let octets = datagram(1, 64, b"poll");
            floods += u32::from(look(&mut flooded, &octets, 1, packet * MILLISECOND) == Sighting::Copy);
        }
        assert_eq!((copies, floods), (200 - LEAST_PACKETS / 2 + 1, 0));
    }

    #[test]
    fn one_replay_among_others_packets_stays() {
        let mut mirror = Mirror::default();
        for packet in 0..200_u8 {
            assert_eq!(look(&mut mirror, &datagram(packet, 64, b"poll"), 1, i64::from(packet)), Sighting::New);
        }
        assert_eq!(look(&mut mirror, &datagram(199, 64, b"poll"), 1, 300), Sighting::Again);
    }
}
