//! DNP3: any octets, in any portions and with any gaps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::protocols::dnp3;
use zonewatch_fuzz::conversation;

fuzz_target!(|data: &[u8]| conversation::check(&[dnp3::probe_stream], &[dnp3::probe_datagram], data));
