//! Services over TCP and UDP: any octets, in any portions and with any gaps; whoever recognises them decodes them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::registry;
use zonewatch_fuzz::conversation;

fuzz_target!(|data: &[u8]| conversation::check(registry::SERVICE_STREAMS, registry::DATAGRAMS, data));
