//! The mirror stage: packets, repetitions and routed copies; nothing is a copy that was not there before.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_fuzz::mirror;

fuzz_target!(|data: &[u8]| mirror::check(data));
