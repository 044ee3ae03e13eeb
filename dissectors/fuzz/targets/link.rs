//! Link layers: two octets of LINKTYPE_, then a packet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_fuzz::layers;

fuzz_target!(|data: &[u8]| layers::link(data));
