//! PROFIBUS: any octets as telegrams between two stations, cut ones too, and as records of a bus.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::net::tcp::Stamp;
use zonewatch_dissectors::protocols::profibus::{self, bus::Heard, bus::Ring};
use zonewatch_fuzz::conversation;
use zonewatch_fuzz::input::Input;

fuzz_target!(|data: &[u8]| {
    conversation::check(&[], &[profibus::probe_frame], data);
    let (mut input, mut ring, mut heard) = (Input(data), Ring::default(), Vec::new());
    let mut given = 0;
    while !input.is_empty() {
        let (length, missing) = (usize::from(input.u8()), usize::from(input.u8()));
        let record = input.octets(length);
        given += record.len();
        ring.record(record, missing, Stamp::default(), &mut heard);
    }
    let told: usize =
        heard.iter().map(|heard| if let Heard::Telegram { octets, .. } = heard { octets.len() } else { 0 }).sum();
    assert!(told <= given, "octets told twice");
});
