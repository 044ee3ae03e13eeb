//! `cargo test --release speed -- --ignored --nocapture`

use std::io::{self, Read};
use std::time::Instant;

use super::*;
use ByteOrder::Little;

/// A header, and then the same records over and over.
struct Repeated {
    header: Cursor<Vec<u8>>,
    records: Cursor<Vec<u8>>,
    times: usize,
}

impl Read for Repeated {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.header.read(into)?;
        if count > 0 {
            return Ok(count);
        }
        if self.records.position() == self.records.get_ref().len() as u64 && self.times > 0 {
            self.times -= 1;
            self.records.set_position(0);
        }
        self.records.read(into)
    }
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    for size in [66, 700] {
        let data = vec![0x5a; size];
        let pcap = (pcap_header(Little, MICROSECONDS, 1), pcap_record(Little, 1, 2, &data));
        let header = [section(Little), interface(Little, 1, 0, &[])].concat();
        let pcapng = (header, enhanced(Little, 0, 1, &data));
        for (name, (header, record)) in [("pcap", pcap), ("pcapng", pcapng)] {
            for hash in [false, true] {
                let records = Cursor::new(record.repeat((1 << 20) / record.len()));
                let header = Cursor::new(header.clone());
                let mut reader = Reader::from_read(Box::new(Repeated { header, records, times: 2_000 }), hash).unwrap();
                let start = Instant::now();
                let (mut count, mut octets) = (0_u64, 0_u64);
                while let Some(packet) = reader.next_packet().unwrap() {
                    count += 1;
                    octets += u64::from(packet.data[0]) + packet.time_ns as u64 % 2;
                }
                let seconds = start.elapsed().as_secs_f64();
                let (millions, gigabytes) = (count as f64 / seconds / 1e6, reader.bytes_read() as f64 / seconds / 1e9);
                println!("{name} of {size}, hash {hash}: {millions:.1} M packets/s, {gigabytes:.2} GB/s ({octets})");
            }
        }
    }
}
