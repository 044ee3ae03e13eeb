use proptest::prelude::*;

use super::*;

/// Offsets at which a sample may end: after its header and after each record or block.
fn regular_ends(sample: &[u8]) -> Vec<usize> {
    (0..sample.len()).filter(|end| read(&sample[..*end]).1.is_none()).collect()
}

#[test]
fn every_truncation_is_told() {
    let [pcap, pcapng] = samples();
    assert_eq!(regular_ends(&pcap), [24, 43, 59]);
    assert_eq!(regular_ends(&pcapng), [28, 48, 84, 104, 132, 160, 200]);
    for sample in [pcap, pcapng] {
        let whole = packets(&sample);
        for file in [sample.clone(), gzip(&sample), zstd(&sample), gzip(&zstd(&sample))] {
            for end in 1..file.len() {
                let (before, error) = read(&file[..end]);
                assert!(whole.starts_with(&before));
                match error {
                    Some(CaptureError::Truncated { packets, .. }) => assert_eq!(packets, before.len() as u64),
                    Some(error) => panic!("{end} of {}: {error}", file.len()),
                    None => assert_eq!(file, sample, "only a plain file can end regularly before its end"),
                }
            }
        }
    }
}

#[test]
fn a_promised_length_takes_no_memory() {
    let mut header = pcap_header(ByteOrder::Little, MICROSECONDS, 1);
    header[16..20].copy_from_slice(&[0xff; 4]);
    let record = Fields::new(ByteOrder::Little)
        .u32("timestamp seconds", 0)
        .u32("timestamp microseconds", 0)
        .u32("captured packet length", 64 << 20)
        .u32("original packet length", 64 << 20);
    let (_, error) = read(&[header, record.octets].concat());
    assert!(matches!(error, Some(CaptureError::Truncated { missing: Some(missing), .. }) if missing == 64 << 20));
}

#[test]
fn a_bomb_is_only_time() {
    // 64 MiB of empty records.
    let records = vec![0; 64 << 20];
    let bomb = gzip(&gzip(&[pcap_header(ByteOrder::Little, MICROSECONDS, 1), records].concat()));
    assert!(bomb.len() < 20_000, "{}", bomb.len());
    let mut reader = open(&bomb).unwrap();
    let mut count = 0;
    while reader.next_packet().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, (64 << 20) / 16);
}

/// No panic, an end after no more packets than there can be, and the same error for ever after.
fn survives(file: &[u8]) {
    let Ok(mut reader) = open(file) else { return };
    for _ in 0..=file.len() {
        match reader.next_packet() {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => {
                assert_eq!(reader.next_packet().unwrap_err().to_string(), error.to_string());
                return;
            }
        }
    }
    panic!("more packets than octets");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_octets(magic in 0_usize..6, octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let magics: [&[u8]; 6] = [
            b"",
            b"\xd4\xc3\xb2\xa1\x02\0\x04\0",
            b"\xa1\xb2\x3c\x4d\0\x02\0\x03",
            b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\0\0\0\0\0\0\0\0\x1c\0\0\0",
            b"\x1f\x8b\x08",
            b"\x28\xb5\x2f\xfd",
        ];
        survives(&[magics[magic], &octets].concat());
    }

    #[test]
    fn mutated_files(
        sample in 0_usize..2,
        packing in 0_usize..3,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
    ) {
        let plain = &samples()[sample];
        let mut file = match packing {
            0 => plain.clone(),
            1 => gzip(plain),
            _ => zstd(plain),
        };
        for (place, octet) in changes {
            let place = place.index(file.len());
            file[place] = octet;
        }
        survives(&file);
        survives(&file[..end.index(file.len())]);
    }
}
