//! Walks the record headers of a little-endian pcap file and does nothing else: the least that reading a capture takes.
//!
//! `walk CAPTURE`

use std::fs::File;
use std::io::{self, Read};
use std::process::ExitCode;

/// As large as the engine's own window.
const WINDOW: usize = 128 << 10;
const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// Packets of a capture and their octets.
fn walk(mut input: impl Read) -> io::Result<(u64, u64)> {
    let mut window = vec![0; WINDOW];
    let (mut packets, mut octets) = (0, 0);
    // Where the next header is, and the end of what was read.
    let (mut at, mut end) = (FILE_HEADER, 0);
    loop {
        while let Some(header) = window[..end].get(at..).and_then(|rest| rest.first_chunk::<RECORD_HEADER>()) {
            let length = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
            packets += 1;
            octets += u64::from(length);
            at += RECORD_HEADER + length as usize;
        }
        // What is left of a header moves to the front; of a packet nothing is kept.
        let kept = end.saturating_sub(at);
        window.copy_within(end - kept..end, 0);
        at -= end - kept;
        end = kept + input.read(&mut window[kept..])?;
        if end == kept {
            return Ok((packets, octets));
        }
    }
}

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: walk CAPTURE");
        return ExitCode::from(2);
    };
    match File::open(path).and_then(walk) {
        Ok((packets, octets)) => println!("{packets} packets, {octets} octets"),
        Err(error) => {
            eprintln!("walk: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
