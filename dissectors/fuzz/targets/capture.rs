//! Capture files: any octets are read to an end or to an error that is told, the same in any portions.
#![no_main]

use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::capture::Reader;
use zonewatch_fuzz::Portions;

/// Few octets can unpack to many packets.
const MAX_PACKETS: usize = 4096;

const UNDECODABLE: &str = "the compressed data does not decode";

type Row = (i64, u16, u32, u32, Option<u8>, Vec<u8>);

fuzz_target!(|data: &[u8]| {
    let whole = read(Cursor::new(data.to_vec()));
    let portions = read(Portions { octets: Cursor::new(data.to_vec()), size: 1 + data.len() % 61 });
    if [&whole, &portions].iter().any(|(_, error)| error.as_ref().is_some_and(|error| error.contains(UNDECODABLE))) {
        // A decoder drops what it decoded in the very call that fails, so how much comes before differs.
        let common = whole.0.len().min(portions.0.len());
        assert_eq!(whole.0[..common], portions.0[..common]);
        assert!(portions.1.is_some() && whole.1.is_some());
    } else {
        assert_eq!(whole, portions);
    }
});

fn read(input: impl Read + Send + 'static) -> (Vec<Row>, Option<String>) {
    let mut packets = Vec::new();
    let mut reader = match Reader::from_read(Box::new(input), true) {
        Ok(reader) => reader,
        Err(error) => return (packets, Some(error.to_string())),
    };
    while packets.len() < MAX_PACKETS {
        match reader.next_packet() {
            Ok(Some(packet)) => packets.push((
                packet.time_ns,
                packet.link_type,
                packet.original_length,
                packet.interface,
                packet.fcs_octets,
                packet.data.to_vec(),
            )),
            Ok(None) => return (packets, None),
            Err(error) => return (packets, Some(error.to_string())),
        }
    }
    (packets, None)
}
