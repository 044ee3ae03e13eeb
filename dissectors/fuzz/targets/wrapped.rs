//! A known frame wrapped in any stack of tags, labels and tunnels comes out as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_fuzz::wrapped;

fuzz_target!(|data: &[u8]| wrapped::check(data));
