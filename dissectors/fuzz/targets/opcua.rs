//! OPC UA: any octets, in any portions and with any gaps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::protocols::opcua;
use zonewatch_fuzz::conversation;

fuzz_target!(|data: &[u8]| conversation::check(&[opcua::probe_stream], &[], data));
