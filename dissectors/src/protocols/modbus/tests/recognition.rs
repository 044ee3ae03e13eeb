//! Which octets are Modbus, and which are not.

use super::*;

pub(super) fn probe<'a>(forward: &'a [u8], backward: &'a [u8], ports: [u16; 2]) -> Probe<'a> {
    Probe { forward, backward, first: TO_SERVER, opener: None, ports, cut: false }
}

pub(super) fn answer(recognition: &Recognition) -> &'static str {
    match recognition {
        Recognition::No => "no",
        Recognition::Undecided => "undecided",
        Recognition::Yes(_) => "yes",
    }
}

#[test]
fn one_message_on_the_standard_port_and_an_exchange_elsewhere() {
    let standard = [50001, 502];
    let other = [50001, 5020];
    for (forward, backward, ports, expected) in [
        (READ_THREE_REGISTERS, &[][..], standard, "yes"),
        (&[][..], THREE_REGISTERS, standard, "yes"),
        (FUNCTION_0, &[][..], standard, "yes"),
        (READ_THREE_REGISTERS, &[][..], other, "undecided"),
        (READ_THREE_REGISTERS, THREE_REGISTERS, other, "yes"),
        (READ_THREE_REGISTERS, ILLEGAL_DATA_ADDRESS, other, "yes"),
        (READ_THREE_REGISTERS, TEN_COILS, other, "undecided"),
        (FUNCTION_0, FUNCTION_0, other, "undecided"),
    ] {
        assert_eq!(answer(&probe_stream(&probe(forward, backward, ports))), expected, "{forward:02x?} {backward:02x?}");
        if !forward.is_empty() && forward != FUNCTION_0 {
            assert_eq!(answer(&probe_datagram(&probe(forward, backward, ports))), expected);
        }
    }
    let polls = READ_THREE_REGISTERS.repeat(3);
    assert_eq!(answer(&probe_stream(&probe(&polls, &[], other))), "yes");
    let (request, response) = (as_rtu(READ_THREE_REGISTERS), as_rtu(THREE_REGISTERS));
    assert_eq!(answer(&probe_stream(&probe(&request, &[], other))), "undecided");
    assert_eq!(answer(&probe_stream(&probe(&request, &response, other))), "yes");
    assert_eq!(answer(&probe_datagram(&probe(&request, &response, other))), "yes");
    assert_eq!(answer(&probe_stream(&probe(&request, &[], standard))), "yes");
}

#[test]
fn other_protocols_are_refused_on_any_port() {
    let others: &[(&str, &[u8])] = &[
        ("TLS client hello", &[0x16, 0x03, 0x01, 0x00, 0x85, 0x01, 0x00, 0x00, 0x81, 0x03, 0x03, 0x73]),
        ("TPKT connection request", &[0x03, 0x00, 0x00, 0x16, 0x11, 0xE0, 0x00, 0x00, 0x00, 0x01, 0x00, 0xC1]),
        ("DCE/RPC bind", &[0x05, 0x00, 0x0B, 0x03, 0x10, 0x00, 0x00, 0x00, 0x48, 0x00, 0x00, 0x00]),
        ("SMB over 445", &[0x00, 0x00, 0x00, 0x55, 0xFF, b'S', b'M', b'B', 0x72, 0x00, 0x00, 0x00]),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: plc\r\n\r\n"),
        ("DNP3", &[0x05, 0x64, 0x0B, 0xC4, 0x0A, 0x00, 0x01, 0x00, 0xFC, 0x42, 0xC0, 0xC1]),
        ("PostgreSQL SSLRequest", &[0x00, 0x00, 0x00, 0x08, 0x04, 0xD2, 0x16, 0x2F]),
        ("DNS over TCP", &[0x00, 0x1D, 0xAB, 0xCD, 0x01, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00]),
        ("EtherNet/IP ListIdentity", &[0x63, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00]),
        ("zeros", &[0; 64]),
    ];
    for (name, bytes) in others {
        for ports in [[50001, 502], [50001, 8080]] {
            assert_eq!(answer(&probe_stream(&probe(bytes, &[], ports))), "no", "{name}");
            assert_eq!(answer(&probe_datagram(&probe(bytes, &[], ports))), "no", "{name}");
        }
    }
}

#[test]
fn a_malformed_first_message_waits_for_company_on_the_standard_port() {
    let mut malformed = READ_THREE_REGISTERS.to_vec();
    malformed.push(0x00);
    malformed[5] += 1;
    let exception: &[u8] = ILLEGAL_DATA_ADDRESS;
    let two = [&malformed[..], READ_THREE_REGISTERS].concat();
    for (forward, backward, expected) in
        [(&malformed, &[][..], "undecided"), (&malformed, exception, "yes"), (&two, &[][..], "yes")]
    {
        assert_eq!(answer(&probe_stream(&probe(forward, backward, [50001, 502]))), expected);
    }
}

#[test]
fn telemetry_with_the_same_crc_is_refused() {
    let request = with_crc(&[
        0x01, 0x02, // ROC Plus destination unit and group
        0x03, 0x01, // source unit and group
        0x06, // opcode
        0x00, // data octets
    ]);
    let other = with_crc(&[0x01, 0x02, 0x03, 0x04, 0x07, 0x00]);
    let polls = [request.clone(), other.clone(), request.clone()].concat();
    for (forward, backward) in [(&polls[..], &[][..]), (&[][..], &polls[..]), (&request, &other), (&polls, &polls)] {
        assert_ne!(answer(&probe_stream(&probe(forward, backward, [50001, 4000]))), "yes");
        assert_ne!(answer(&probe_datagram(&probe(forward, backward, [50001, 4000]))), "yes");
    }
    let several = [as_rtu(READ_THREE_REGISTERS), as_rtu(READ_TEN_COILS), as_rtu(WRITE_TWO_REGISTERS)].concat();
    assert_eq!(answer(&probe_stream(&probe(&several, &[], [50001, 4001]))), "yes");
}
