use std::io::{self, Read};

use ring::digest::{SHA256, digest};

use super::*;

/// Gives one octet a call, interrupts now and then, and fails at the end.
struct Trickle {
    octets: Vec<u8>,
    given: usize,
    interrupted: bool,
}

impl Read for Trickle {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let octet = self.octets.get(self.given).ok_or(io::ErrorKind::ConnectionReset)?;
        into[0] = *octet;
        self.given += 1;
        Ok(1)
    }
}

#[test]
fn compressions_are_recognised_by_content() {
    let skippable = |frame: Vec<u8>| [&[0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 0xab, 0xcd][..], &frame].concat();
    for sample in samples() {
        let plain = open(&sample).unwrap().format().to_string();
        let (first, second) = sample.split_at(sample.len() / 2);
        let cases = [
            (gzip(&sample), "gzip"),
            ([gzip(first), gzip(b""), gzip(second)].concat(), "gzip"),
            (zstd(&sample), "zstd"),
            ([zstd(first), zstd(b""), zstd(second)].concat(), "zstd"),
            (skippable(zstd(&sample)), "zstd"),
            (gzip(&zstd(&sample)), "zstd, gzip"),
            (gzip(&gzip(&sample)), "gzip, gzip"),
        ];
        for (file, compression) in cases {
            assert_eq!(open(&file).unwrap().format().to_string(), format!("{plain}, {compression}"));
            assert_eq!(packets(&file), packets(&sample), "{compression}");
        }
        assert!(matches!(refused(&gzip(&gzip(&zstd(&sample)))), CaptureError::Unsupported { .. }));
    }
}

#[test]
fn damaged_compressed_data_is_a_partial_capture() {
    let [sample, _] = samples();
    for (name, mut file) in [("gzip", gzip(&sample)), ("zstd", zstd(&sample))] {
        // Within gzip's checksum; within zstd's first block.
        let place = file.len() - 6;
        file[place] ^= 0xff;
        let error = refused(&file);
        assert!(matches!(error, CaptureError::Damaged { .. }), "{name}: {error}");
    }
    let trailing = [gzip(&sample), b"trailing".to_vec()].concat();
    let (before, error) = read(&trailing);
    assert!(before.len() == 3 && error.is_some_and(|error| error.is_partial()));
}

#[test]
fn every_packet_before_a_failing_input_is_given() {
    for sample in samples() {
        for file in [sample.clone(), gzip(&sample), zstd(&sample)] {
            let trickle = Trickle { octets: file, given: 0, interrupted: false };
            let mut reader = Reader::from_read(Box::new(trickle), false).unwrap();
            for _ in 0..3 {
                assert!(reader.next_packet().unwrap().is_some());
            }
            for _ in 0..2 {
                let error = reader.next_packet().unwrap_err();
                assert!(matches!(error, CaptureError::Io { packets: 3, .. }), "{error}");
            }
        }
    }
}

#[test]
fn the_hash_is_of_the_input_as_stored() {
    let [sample, _] = samples();
    let damaged = [&sample[..], &[0xff; 100_000]].concat();
    for file in [sample.clone(), gzip(&sample), gzip(&damaged), damaged] {
        let expected: [u8; 32] = digest(&SHA256, &file).as_ref().try_into().unwrap();
        for (wanted, ahead) in [(false, false), (true, false), (false, true), (true, true)] {
            let mut reader = Reader::from_read(Box::new(Cursor::new(file.clone())), wanted).unwrap();
            reader = if ahead { reader.ahead() } else { reader };
            while let Ok(Some(_)) = reader.next_packet() {}
            assert!(reader.bytes_read() <= file.len() as u64);
            assert_eq!(reader.finish_hash().unwrap(), wanted.then_some(expected));
        }
    }
}

#[test]
fn what_is_no_capture_is_named() {
    let cases: [(&[u8], &str); 9] = [
        (b"", "the input is empty"),
        (b"Hello\n", r#"not a packet capture: it begins with 48 65 6c 6c 6f 0a "Hello\n""#),
        (b"snoop\0\0\0\0\0\0\x02", "a snoop capture is not read: convert it with editcap -F pcapng IN OUT"),
        (b"GMBU\0\x02", "a Microsoft Network Monitor 2 capture is not read: convert it with editcap -F pcapng IN OUT"),
        (
            // time, type Ethernet, flags, record length 88, lost, wire length 64
            b"\0\0\0\0\0\xf1\x53\x65\x02\x04\0\x58\0\0\0\x40",
            "an ERF capture is not read: convert it with editcap -F pcapng IN OUT",
        ),
        (
            // magic number, frame header descriptor, window descriptor (2 GiB), a last empty block
            b"\x28\xb5\x2f\xfd\x00\xa8\x01\0\0",
            "a zstd stream with a window over 128 MiB is not read: unpack it first with zstd -d --long=31",
        ),
        (b"\xfd7zXZ\0\0\x04", "an xz archive is not read: unpack it first"),
        (b"\xd4\xc3", "cut off at byte 2, after 0 packets: the file header is not complete"),
        (b"\x1f\x8b\x08\0\0", "cut off at byte 0, after 0 packets: the compressed stream is not complete"),
    ];
    for (file, message) in cases {
        assert_eq!(refused(file).to_string(), message);
    }
    assert!(matches!(refused(&gzip(b"")), CaptureError::Empty));
    assert!(matches!(refused(&zstd(b"text")), CaptureError::NotACapture { first } if first == b"text"));
    assert!(matches!(Reader::open("/".as_ref(), false).unwrap_err(), CaptureError::Io { packets: 0, .. }));
}

#[test]
fn a_thread_that_reads_ahead_changes_nothing() {
    fn told(mut reader: Reader) -> (Vec<(i64, Vec<u8>)>, String) {
        let mut packets = Vec::new();
        let end = loop {
            match reader.next_packet() {
                Ok(Some(packet)) => packets.push((packet.time_ns, packet.data.to_vec())),
                Ok(None) => break String::new(),
                Err(error) => break error.to_string(),
            }
        };
        (packets, end)
    }
    let [sample, other] = samples();
    let cut = sample[..sample.len() - 5].to_vec();
    let damaged = [&sample[..], &[0xff; 600_000]].concat();
    let cut_gzip = gzip(&sample)[..60].to_vec();
    for file in [sample.clone(), other, gzip(&sample), cut, gzip(&damaged), damaged, cut_gzip] {
        let open = || Reader::from_read(Box::new(Cursor::new(file.clone())), false).unwrap();
        assert_eq!(told(open().ahead()), told(open()));
    }
}

#[test]
fn a_reader_may_be_dropped_while_its_thread_reads() {
    let [sample, _] = samples();
    let long = [&sample[..], &[0; 4_000_000]].concat();
    let mut reader = Reader::from_read(Box::new(Cursor::new(long)), true).unwrap().ahead();
    assert!(reader.next_packet().unwrap().is_some());
    drop(reader);
}
