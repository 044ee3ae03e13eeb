use super::*;
use ByteOrder::{Big, Little};

const TWO_PACKETS: &[u8] = &[
    0xd4, 0xc3, 0xb2, 0xa1, // magic number: little-endian, microseconds
    0x02, 0x00, // major version
    0x04, 0x00, // minor version
    0x00, 0x00, 0x00, 0x00, // reserved 1
    0x00, 0x00, 0x00, 0x00, // reserved 2
    0xff, 0xff, 0x00, 0x00, // snapshot length
    0x01, 0x00, 0x00, 0x00, // link type: Ethernet
    //
    0x00, 0xf1, 0x53, 0x65, // seconds: 1 700 000 000
    0x07, 0x00, 0x00, 0x00, // microseconds
    0x03, 0x00, 0x00, 0x00, // captured packet length
    0x40, 0x00, 0x00, 0x00, // original packet length: cut by the snapshot length
    0xaa, 0xbb, 0xcc, // packet data
    //
    0xff, 0xff, 0xff, 0xff, // seconds, unsigned: in the year 2106
    0x00, 0x00, 0x00, 0x00, // microseconds
    0x02, 0x00, 0x00, 0x00, // captured packet length
    0x01, 0x00, 0x00, 0x00, // original packet length: some writers have less than captured
    0xdd, 0xee, // packet data
];

#[test]
fn records_are_given_as_they_are() {
    let packet = |time_ns, original_length, data: &[u8]| Owned {
        time_ns,
        link_type: 1,
        original_length,
        data: data.to_vec(),
        interface: 0,
        fcs_octets: None,
    };
    let expected = vec![
        packet(1_700_000_000_000_007_000, 64, &[0xaa, 0xbb, 0xcc]),
        packet(4_294_967_295_000_000_000, 1, &[0xdd, 0xee]),
    ];
    assert_eq!(packets(TWO_PACKETS), expected);
}

#[test]
fn magic_numbers() {
    let cases = [
        (Little, 0xa1b2_c3d4, 5_000, "pcap, little-endian, microseconds"),
        (Big, 0xa1b2_c3d4, 5_000, "pcap, big-endian, microseconds"),
        (Little, 0xa1b2_3c4d, 5, "pcap, little-endian, nanoseconds"),
        (Big, 0xa1b2_3c4d, 5, "pcap, big-endian, nanoseconds"),
    ];
    for (order, magic, time_ns, format) in cases {
        let file = [pcap_header(order, magic, 1), pcap_record(order, 0, 5, b"data")].concat();
        assert_eq!(open(&file).unwrap().format().to_string(), format);
        let [packet] = &packets(&file)[..] else { panic!("{format}: one packet") };
        assert_eq!((packet.time_ns, &packet.data[..]), (time_ns, &b"data"[..]), "{format}");
    }
}

#[test]
fn modified_records_have_longer_headers() {
    let record = Fields::new(Big)
        .u32("timestamp seconds", 1)
        .u32("timestamp microseconds", 2)
        .u32("captured packet length", 3)
        .u32("original packet length", 4)
        .u32("interface index", 5)
        .u16("protocol", 0x0800)
        .data("packet type", &[0])
        .data("padding", &[0])
        .data("packet data", b"abc");
    let file = [pcap_header(Big, 0xa1b2_cd34, 1), record.octets].concat();
    assert_eq!(open(&file).unwrap().format().to_string(), "pcap with long record headers, big-endian, microseconds");
    let [packet] = &packets(&file)[..] else { panic!("one packet") };
    assert_eq!((packet.time_ns, packet.original_length, &packet.data[..]), (1_000_002_000, 4, &b"abc"[..]));
}

#[test]
fn lengths_changed_places_in_version_2_3() {
    let cases: [(u16, [u32; 2]); 4] = [(4, [3, 9]), (3, [3, 9]), (3, [9, 3]), (2, [9, 3])];
    for (minor, lengths) in cases {
        let mut file = pcap_header(Little, MICROSECONDS, 1);
        file[6..8].copy_from_slice(&minor.to_le_bytes());
        let record = Fields::new(Little)
            .u32("timestamp seconds", 0)
            .u32("timestamp microseconds", 0)
            .u32("first length", lengths[0])
            .u32("second length", lengths[1])
            .data("packet data", b"abc");
        file.extend(record.octets);
        let [packet] = &packets(&file)[..] else { panic!("2.{minor} {lengths:?}: one packet") };
        assert_eq!((packet.original_length, &packet.data[..]), (9, &b"abc"[..]), "2.{minor} {lengths:?}");
    }
}

#[test]
fn upper_bits_of_the_link_type_are_not_its_number() {
    // link type field, frame check sequence
    let cases = [(1, None), (0x2400_0001, Some(4)), (0x0400_0001, Some(0)), (0x2000_0001, None), (0x03ff_0001, None)];
    for (field, fcs_octets) in cases {
        let file = [pcap_header(Little, MICROSECONDS, field), pcap_record(Little, 0, 0, b"")].concat();
        let [packet] = &packets(&file)[..] else { panic!("{field:#x}: one packet") };
        assert_eq!((packet.link_type, packet.fcs_octets), (1, fcs_octets), "{field:#x}");
    }
}

#[test]
fn the_snapshot_length_alone_refuses_nothing() {
    for snap_length in [0, 1, u32::MAX] {
        let mut file = pcap_header(Little, MICROSECONDS, 1);
        file[16..20].copy_from_slice(&u32::to_le_bytes(snap_length));
        file.extend(pcap_record(Little, 0, 0, &[7; 200_000]));
        assert_eq!(packets(&file)[0].data.len(), 200_000, "{snap_length}");
    }
}

#[test]
fn an_impossible_record_says_where() {
    let mut file = TWO_PACKETS.to_vec();
    file[43 + 8..43 + 12].copy_from_slice(&[0xff; 4]);
    let (before, error) = read(&file);
    assert_eq!(before.len(), 1);
    assert_eq!(
        error.unwrap().to_string(),
        "damaged at byte 43, after 1 packet: a record of 4294967295 octets, where 262144 are the most to expect"
    );
}

#[test]
fn other_major_versions_are_named() {
    let mut file = pcap_header(Little, MICROSECONDS, 1);
    file[4] = 3;
    assert_eq!(refused(&file).to_string(), "pcap version 3.4 is not read: only version 2 is known");
}

#[test]
fn a_cut_record_says_what_is_missing() {
    let cases = [
        (10, "cut off at byte 10, after 0 packets: 14 octets of the file header are missing"),
        (30, "cut off at byte 30, after 0 packets: 10 octets of the record header are missing"),
        (60, "cut off at byte 60, after 1 packet: 1 octet of the record data is missing"),
    ];
    for (length, message) in cases {
        assert_eq!(refused(&TWO_PACKETS[..length]).to_string(), message);
    }
}
