//! Tunnels: a link type and a packet, opened as deep as there is something inside.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_fuzz::layers;

fuzz_target!(|data: &[u8]| layers::tunnels(data));
