use super::*;
use ByteOrder::{Big, Little};

const ONE_PACKET: &[u8] = &[
    0x0a, 0x0d, 0x0d, 0x0a, // block type: section header
    0x00, 0x00, 0x00, 0x1c, // block total length
    0x1a, 0x2b, 0x3c, 0x4d, // byte-order magic: big-endian
    0x00, 0x01, // major version
    0x00, 0x00, // minor version
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, // section length: not known
    0x00, 0x00, 0x00, 0x1c, // block total length
    //
    0x00, 0x00, 0x00, 0x01, // block type: interface description
    0x00, 0x00, 0x00, 0x14, // block total length
    0x00, 0x71, // link type: Linux cooked
    0x00, 0x00, // reserved
    0x00, 0x00, 0x00, 0x00, // snapshot length: no limit
    0x00, 0x00, 0x00, 0x14, // block total length
    //
    0x00, 0x00, 0x00, 0x06, // block type: enhanced packet
    0x00, 0x00, 0x00, 0x24, // block total length
    0x00, 0x00, 0x00, 0x00, // interface ID
    0x00, 0x00, 0x00, 0x01, // timestamp (upper)
    0x00, 0x00, 0x00, 0x02, // timestamp (lower)
    0x00, 0x00, 0x00, 0x03, // captured packet length
    0x00, 0x00, 0x00, 0x05, // original packet length
    0xaa, 0xbb, 0xcc, 0x00, // packet data, padded
    0x00, 0x00, 0x00, 0x24, // block total length
];

#[test]
fn an_enhanced_packet() {
    let expected = Owned {
        time_ns: ((1 << 32) + 2) * 1_000,
        link_type: 113,
        original_length: 5,
        data: vec![0xaa, 0xbb, 0xcc],
        interface: 0,
        fcs_octets: None,
    };
    assert_eq!(packets(ONE_PACKET), [expected]);
    assert_eq!(open(ONE_PACKET).unwrap().format().to_string(), "pcapng, big-endian");
}

#[test]
fn times_have_the_resolution_and_offset_of_the_interface() {
    let offset = |seconds: i64| seconds.to_le_bytes();
    let (hour, back, far) = (offset(3_600), offset(-3_600), offset(i64::MAX));
    const SECOND: i64 = 1_000_000_000;
    // options, ticks, nanoseconds
    let cases: [(&[InterfaceOption], u64, i64); 14] = [
        (&[], 1, 1_000),
        (&[(9, &[6])], 1, 1_000),
        (&[(9, &[9])], 1, 1),
        (&[(9, &[0])], 1, SECOND),
        (&[(9, &[3])], 1_700_000_000_123, 1_700_000_000_123_000_000),
        (&[(9, &[12])], 1_999, 1),
        (&[(9, &[127])], u64::MAX, 0),
        (&[(9, &[0x80])], 1, SECOND),
        (&[(9, &[0x80 | 10])], 1 << 9, SECOND / 2),
        (&[(9, &[0xff])], u64::MAX, 0),
        (&[(14, &hour)], 1, 3_600 * SECOND + 1_000),
        (&[(14, &back), (9, &[9])], 1, -3_600 * SECOND + 1),
        (&[(14, &far)], u64::MAX, i64::MAX),
        (&[(2, b"a name"), (9, &[9]), (0, &[]), (9, &[0])], 1, 1),
    ];
    for (options, ticks, time_ns) in cases {
        let file = [section(Little), interface(Little, 1, 0, options), enhanced(Little, 0, ticks, b"x")].concat();
        assert_eq!(packets(&file)[0].time_ns, time_ns, "{options:?}, {ticks} ticks");
    }
}

#[test]
fn simple_packets_have_no_time_and_the_length_that_is_there() {
    // snapshot length, octets in the block, data
    let cases: [(u32, &[u8], &[u8]); 4] =
        [(0, b"12345678", b"123456"), (4, b"1234", b"1234"), (65_535, b"1234", b"1234"), (5, b"12345678", b"12345")];
    for (snap_length, octets, data) in cases {
        let body = Fields::new(Little).u32("original packet length", 6).data("packet data", octets).octets;
        let timed = enhanced(Little, 0, 7, b"before");
        let file = [section(Little), interface(Little, 1, snap_length, &[]), timed, block(Little, 3, &body)].concat();
        let [_, simple] = &packets(&file)[..] else { panic!("two packets") };
        assert_eq!((simple.time_ns, simple.original_length, &simple.data[..]), (7_000, 6, data), "{snap_length}");
        let mut reader = open(&file).unwrap();
        while reader.next_packet().unwrap().is_some() {}
        assert_eq!(reader.untimed_packets(), 1);
    }
}

#[test]
fn an_obsolete_packet_block() {
    let body = Fields::new(Big)
        .u16("interface ID", 1)
        .u16("drops count", 0xffff)
        .u32("timestamp (upper)", 0)
        .u32("timestamp (lower)", 9)
        .u32("captured packet length", 2)
        .u32("original packet length", 3)
        .data("packet data", b"ab")
        .octets;
    let file = [section(Big), interface(Big, 1, 0, &[]), interface(Big, 228, 0, &[]), block(Big, 2, &body)].concat();
    let [packet] = &packets(&file)[..] else { panic!("one packet") };
    assert_eq!((packet.interface, packet.link_type, packet.time_ns), (1, 228, 9_000));
    assert_eq!((packet.original_length, &packet.data[..]), (3, &b"ab"[..]));
}

#[test]
fn interfaces_and_sections_keep_their_own_words() {
    let file = [
        section(Little),
        interface(Little, 1, 0, &[(13, &[4])]),
        interface(Little, 113, 0, &[(9, &[9]), (13, &[16])]),
        enhanced(Little, 1, 1, b"a"),
        enhanced(Little, 0, 1, b"b"),
        section(Big),
        block(Big, 0x8000_0bad, &[0; 5_000]),
        interface(Big, 276, 0, &[]),
        enhanced(Big, 0, 1, b"c"),
    ];
    let found: Vec<_> = packets(&file.concat())
        .into_iter()
        .map(|packet| (packet.interface, packet.link_type, packet.time_ns, packet.fcs_octets))
        .collect();
    assert_eq!(found, [(1, 113, 1, Some(2)), (0, 1, 1_000, Some(4)), (2, 276, 1_000, None)]);
}

#[test]
fn the_last_statistics_of_each_interface_count() {
    let statistics = |order, interface, drops: &[(u16, i64)]| {
        let mut body =
            Fields::new(order).u32("interface ID", interface).u32("timestamp (upper)", 0).u32("timestamp (lower)", 0);
        for (code, count) in drops {
            body = body.u16("option type", *code).u16("option length", 8).i64("option value", *count);
        }
        block(order, 5, &body.octets)
    };
    let (received, by_interface, by_system) = (4, 5, 7);
    let blocks = [
        (section(Little), None),
        (interface(Little, 1, 0, &[]), None),
        (interface(Little, 1, 0, &[]), None),
        (statistics(Little, 0, &[(received, 1_000)]), None),
        (statistics(Little, 0, &[(by_interface, 3), (by_system, 4)]), Some(7)),
        (statistics(Little, 1, &[(by_interface, 0)]), Some(7)),
        (statistics(Little, 0, &[(by_interface, 10)]), Some(10)),
        (statistics(Little, 9, &[(by_interface, 10)]), Some(10)),
        (block(Little, 5, b"short"), Some(10)),
        (section(Big), Some(10)),
        (interface(Big, 1, 0, &[]), Some(10)),
        (statistics(Big, 0, &[(by_system, 5)]), Some(15)),
        (statistics(Big, 0, &[(by_system, -1)]), Some(u64::MAX)),
    ];
    let mut file = Vec::new();
    for (block, drops) in blocks {
        file.extend(block);
        let mut reader = open(&file).unwrap();
        while reader.next_packet().unwrap().is_some() {}
        assert_eq!(reader.reported_drops(), drops);
    }
}

#[test]
fn a_skipped_block_may_be_larger_than_the_window() {
    let comment = block(Little, 0xbad, &vec![0; 3 << 20]);
    let file = [section(Little), interface(Little, 1, 0, &[]), comment, enhanced(Little, 0, 1, b"after")].concat();
    assert_eq!(packets(&file)[0].data, b"after");
}

#[test]
fn damage_says_where() {
    let ok = [section(Little), interface(Little, 1, 0, &[]), enhanced(Little, 0, 1, b"ok")].concat();
    let patched = |mut block: Vec<u8>, at: usize, octet: u8| {
        block[at] = octet;
        block
    };
    let packet = || enhanced(Little, 0, 1, b"abcd");
    let unknown = || block(Little, 0xbad, b"abcd");
    let cases = [
        (patched(packet(), 32, 9), "a block of type 0x6 says 36 octets in front and 9 behind"),
        (patched(unknown(), 12, 9), "a block of type 0xbad says 16 octets in front and 9 behind"),
        (patched(packet(), 4, 8), "a block of type 0x6 and impossible length 8"),
        (patched(packet(), 4, 35), "a block of type 0x6 and impossible length 35"),
        (patched(packet(), 7, 5), "a block of 83886116 octets, where 67108864 are the most to expect"),
        (patched(packet(), 20, 5), "a block of type 0x6: packet data needs 5 octets at offset 20, 4 are left"),
        (enhanced(Little, 1, 1, b""), "a packet of interface 1, where the section describes 1"),
        (interface(Little, 1, 0, &[(9, &[6])])[..].to_vec(), ""),
        (patched(section(Little), 8, 0), "a section header with the byte-order magic 1a2b3c00"),
        (patched(section(Little), 12, 2), "a section in pcapng version 2.0"),
    ];
    for (block, reason) in cases {
        let (before, error) = read(&[ok.clone(), block].concat());
        assert_eq!(before.len(), 1);
        let found = error.map(|error| error.to_string()).unwrap_or_default();
        let offset = ok.len();
        let expected = format!("damaged at byte {offset}, after 1 packet: {reason}");
        assert_eq!(found, if reason.is_empty() { "" } else { &expected });
    }
}

#[test]
fn a_first_section_that_is_none_is_no_capture() {
    let mut file = section(Little);
    file[9] = 0;
    assert!(matches!(refused(&file), CaptureError::NotACapture { first } if first.len() == 16));
    let mut file = section(Little);
    file[12] = 2;
    assert_eq!(refused(&file).to_string(), "pcapng version 2.0 is not read: only version 1 is known");
}
