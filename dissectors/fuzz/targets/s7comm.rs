//! S7 communication: any octets, in any portions and with any gaps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::protocols::s7comm;
use zonewatch_fuzz::conversation;

fuzz_target!(|data: &[u8]| conversation::check(&[s7comm::probe_stream], &[], data));
