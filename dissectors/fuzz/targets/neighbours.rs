//! What frames, ICMP and other internet protocols carry. First octets: which of them, and its EtherType or number.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::registry;
use zonewatch_fuzz::conversation;

fuzz_target!(|data: &[u8]| {
    let Some((&[kind, high, low], data)) = data.split_first_chunk() else { return };
    let protocols = match kind % 3 {
        0 => registry::frames(u16::from_be_bytes([high, low])),
        1 => registry::packets(low),
        _ => registry::CONTROL_MESSAGES,
    };
    conversation::check(&[], protocols, data);
});
