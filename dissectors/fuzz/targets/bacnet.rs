//! BACnet/IP: any octets, in any portions and with any gaps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::protocols::bacnet;
use zonewatch_fuzz::conversation;

fuzz_target!(|data: &[u8]| conversation::check(&[], &[bacnet::probe_datagram], data));
