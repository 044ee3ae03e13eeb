//! IP fragments of a few packets in any order, cut, repeated and overlapping: a packet made whole is the packet, and
//! honest repetitions are never a conflict.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::lan::Lan;
use zonewatch_dissectors::net::fragments::{Added, Fragments};
use zonewatch_dissectors::net::ip::{Fragment, Ip, IpPacket};
use zonewatch_fuzz::input::Input;
use zonewatch_fuzz::octet_at;

const MAX_STEPS: u64 = 2048;

fuzz_target!(|data: &[u8]| {
    let mut input = Input(data);
    let mut fragments = Fragments::default();
    let (mut frame, mut time) = (0, 0);
    while !input.is_empty() && frame < MAX_STEPS {
        frame += 1;
        time += i64::from(input.u8()) * 100_000_000;
        let (id, control) = (u32::from(input.u16()), input.u8());
        let (offset, length) = (usize::from(input.u16() >> 3) * 8, usize::from(input.u16() >> (control & 0x0f)));
        // A packet has one end.
        let total = octets_of(id);
        let length = length.min(total.saturating_sub(offset));
        let payload: Vec<u8> = (0..length).map(|at| octet_of(id, offset + at)).collect();
        let packet = IpPacket {
            source: Ip::v4([10, 0, 0, 1]),
            destination: Ip::v4([10, 0, 0, 2]),
            protocol: 17,
            fragment: None,
            payload: &payload,
            wire_length: length + usize::from(control == 0xff),
        };
        let fragment = Fragment { id, offset, more: offset + length < total };
        match fragments.add(&packet, fragment, Lan::default(), frame, time) {
            Added::Whole(whole) => {
                assert!(!whole.conflict, "a conflict within one packet");
                assert_eq!(whole.payload.len(), total);
                assert!(whole.payload.iter().enumerate().all(|(at, octet)| *octet == octet_of(id, at)));
                assert!(whole.frames.contains(&frame) || whole.frames.len() == 64);
            }
            Added::Conflict => panic!("a conflict within one packet"),
            Added::Waiting | Added::Impossible => {}
        }
    }
    fragments.finish();
    assert!(fragments.given_up() <= frame);
});

fn octets_of(id: u32) -> usize {
    1 + usize::from((id as u16).rotate_left(3)) % 65_535
}

fn octet_of(id: u32, at: usize) -> u8 {
    octet_at(id << 16 ^ at as u32)
}
