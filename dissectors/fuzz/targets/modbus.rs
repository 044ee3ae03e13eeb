//! Modbus: any octets, in any portions and with any gaps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::protocols::modbus;
use zonewatch_fuzz::conversation;

fuzz_target!(|data: &[u8]| conversation::check(&[modbus::probe_stream], &[modbus::probe_datagram], data));
