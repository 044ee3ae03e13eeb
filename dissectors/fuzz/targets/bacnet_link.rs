//! BACnet on data links without IP (802.2 LLC, ARCnet, MS/TP): any octets as NPDUs, cut ones too.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::protocols::bacnet;
use zonewatch_fuzz::conversation;

fuzz_target!(|data: &[u8]| conversation::check(&[], &[bacnet::probe_frame], data));
