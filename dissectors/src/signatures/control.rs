//! First octets of control systems' protocols, most of which are not decoded here.

use super::{header, is_chain, u16_at, u16_le_at, u32_le_at};

/// Octets of the header of EtherNet/IP's encapsulation (CIP volume 2, 2-3.1).
const ENIP_HEADER: usize = 24;

/// TPKT (RFC 1006), COTP data, and the protocol identifier behind it.
pub(super) fn is_s7comm(bytes: &[u8]) -> bool {
    matches!(bytes, [0x03, 0x00, _, _, 0x02, 0xf0, _, 0x32, 1 | 2 | 3 | 7, ..])
}

/// The same of the newer controllers.
pub(super) fn is_s7comm_plus(bytes: &[u8]) -> bool {
    matches!(bytes, [0x03, 0x00, _, _, 0x02, 0xf0, _, 0x72, 1..=3, ..])
}

/// A session connect or accept (ISO 8327-1) that names the abstract syntax of MMS; a data transfer with a presentation
/// value of a context (ISO 8823-1), which MMS alone has in plants; or, with no session below it, the request to
/// initiate MMS, or its answer, whose first element is how long a message may be (ISO 9506-2, 8.2).
pub(super) fn is_mms(bytes: &[u8]) -> bool {
    match bytes {
        [0x03, 0x00, _, _, 0x02, 0xf0, _, 0x0d | 0x0e, rest @ ..] => names_mms(rest),
        [0x03, 0x00, _, _, 0x02, 0xf0, _, 0x01, 0x00, 0x01, 0x00, 0x61, ..] => true,
        [0x03, 0x00, _, _, 0x02, 0xf0, _, 0xa8 | 0xa9, _, 0x80, 1..=4, ..] => true,
        _ => false,
    }
}

/// The object identifier 1.0.9506.2.1 or 1.0.9506.2.3, in BER (ISO 9506-2).
fn names_mms(bytes: &[u8]) -> bool {
    bytes.windows(5).any(|window| matches!(window, [0x28, 0xca, 0x22, 0x02, 1 | 3]))
}

/// IEC 60870-5-104, 5: frames of the three formats to the segment's end. Of the numbered ones the lowest bit of each
/// number is 0; one with data has a type, at least one object, and a cause of transmission in use (101, 7.2.3).
pub(super) fn is_iec104(bytes: &[u8]) -> bool {
    is_chain(bytes, |bytes| match *bytes {
        [0x68, 4, 0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83, 0, 0, 0, ..] => Some(6),
        [0x68, 4, 0x01, 0, low, _, ..] if low & 1 == 0 => Some(6),
        [0x68, length @ 14..=253, sent, _, received, _, 1..=127, objects, cause, ..]
            if (sent | received) & 1 == 0 && objects & 0x7f != 0 && matches!(cause & 0x3f, 1..=47) =>
        {
            Some(2 + usize::from(length))
        }
        _ => None,
    })
}

/// OPC 10000-6, 7.1.2.2: message type, chunk, and a length below 16 MB.
pub(super) fn is_opcua(bytes: &[u8]) -> bool {
    const KINDS: [&[u8]; 4] = [b"HELF", b"ACKF", b"OPNF", b"MSGF"];
    bytes.get(7) == Some(&0) && KINDS.iter().any(|kind| bytes.starts_with(kind))
}

/// EtherNet/IP's encapsulation (CIP volume 2, 2-3): header and data are all there is. A session is asked for in protocol
/// version 1; data are sent in a session, to the interface of CIP, with at least two items; what is listed has items of
/// identities, services or interfaces.
pub(super) fn is_enip(bytes: &[u8]) -> bool {
    is_chain(bytes, |bytes| {
        let (header, data) = bytes.split_first_chunk::<ENIP_HEADER>()?;
        let (command, length) = (u16_le_at(header, 0)?, u16_le_at(header, 2)?);
        let has_session = header[4..8] != [0; 4];
        let is_plain = header[20..] == [0; 4] && header[9..12] == [0; 3];
        let fits = match command {
            0x04 | 0x63 | 0x64 => matches!(data, [1..=8, 0, 0x0c | 0x86, 0, ..] | [1..=8, 0, 0, 1, ..]),
            0x65 => data.starts_with(&[1, 0, 0, 0]) && length == 4,
            0x66 => has_session && length == 0,
            0x6f | 0x70 => has_session && matches!(data, [0, 0, 0, 0, _, _, 2..=4, 0, ..]),
            _ => false,
        };
        (is_plain && fits).then_some(ENIP_HEADER + length)
    })
}

/// The same in a datagram, which may ask for a list too: with a context, and nothing else.
pub(super) fn is_enip_datagram(bytes: &[u8]) -> bool {
    let asks = |header: &[u8; ENIP_HEADER]| {
        matches!(header[..4], [0x04 | 0x63 | 0x64, 0, 0, 0]) && header[4..12] == [0; 8] && header[20..] == [0; 4]
    };
    bytes.try_into().is_ok_and(asks) || is_enip(bytes)
}

/// Cyclic data of CIP (CIP volume 2, 2-6): two items, the address with a sequence number, and the data.
pub(super) fn is_enip_io(bytes: &[u8]) -> bool {
    const BEFORE_DATA: usize = 18;
    matches!(bytes, [2, 0, 2, 0x80, 8, 0, _, _, _, _, _, _, _, _, 0xb1, 0, ..])
        && u16_le_at(bytes, BEFORE_DATA - 2).is_some_and(|length| BEFORE_DATA + length == bytes.len())
}

/// Omron FINS (W342, 3): whether it is a command or a response, reserved, gateways left, addresses, identifier, command.
pub(super) fn is_fins(bytes: &[u8]) -> bool {
    let &[0x80 | 0x81 | 0xc0 | 0xc1, 0, 0..=7, to, _, _, from, _, _, _, area, command, ..] = bytes else {
        return false;
    };
    let known = match area {
        0x01 | 0x02 => matches!(command, 1..=5),
        0x03 => matches!(command, 4..=7),
        0x04 => matches!(command, 1 | 2),
        0x05 => matches!(command, 1 | 2),
        0x06 => matches!(command, 1 | 0x20),
        0x07 => matches!(command, 1 | 2),
        0x09 => command == 0x20,
        0x0c => matches!(command, 1..=3),
        0x21 => matches!(command, 1..=3 | 0x40),
        0x22 => matches!(command, 1..=0x20),
        0x23 => matches!(command, 1 | 2 | 0x0a),
        _ => false,
    };
    known && to < 0x80 && from < 0x80
}

/// The same over TCP, with a header of its own.
pub(super) fn is_fins_stream(bytes: &[u8]) -> bool {
    matches!(bytes, [b'F', b'I', b'N', b'S', 0, 0, _, _, 0, 0, 0, 0..=3 | 6, ..])
}

/// HART-IP (HCF SPEC-85, 5): version, kind and identifier of a message, status, number, length to the very end.
pub(super) fn is_hart_ip(bytes: &[u8]) -> bool {
    is_chain(bytes, |bytes| {
        matches!(bytes, [1 | 2, 0..=2 | 15, 0..=5, _, _, _, _, _, ..])
            .then(|| u16_at(bytes, 6).filter(|length| *length >= 8))?
    })
}

/// KNXnet/IP (ISO 22510): header of six octets, version 1.0, a service, and the length.
pub(super) fn is_knx(bytes: &[u8]) -> bool {
    is_chain(bytes, |bytes| {
        matches!(
            bytes,
            [6, 0x10, 2, 1..=0x0f, ..]
                | [6, 0x10, 3, 0x10 | 0x11, ..]
                | [6, 0x10, 4, 0x20..=0x25, ..]
                | [6, 0x10, 5, 0x30..=0x33, ..]
                | [6, 0x10, 9, 0x50..=0x5f, ..]
        )
        .then(|| u16_at(bytes, 4).filter(|length| *length >= 6))?
    })
}

/// Beckhoff ADS: length of what follows, addresses of both ends, a command, whether it is asked or answered, length.
pub(super) fn is_ads_stream(bytes: &[u8]) -> bool {
    const BEFORE: usize = 6;
    const HEADER: usize = 32;
    is_chain(bytes, |bytes| {
        let rest = bytes.get(BEFORE..)?;
        let (length, data) = (u32_le_at(bytes, 2)?, u32_le_at(rest, 20)?);
        let is_ads = bytes.starts_with(&[0, 0])
            && matches!(rest.get(16..20), Some([1..=9, 0, 4 | 5, 0]))
            && data.checked_add(HEADER) == Some(length);
        is_ads.then(|| BEFORE + length)
    })
}

/// Beckhoff's discovery and routes: a fixed number before each message.
pub(super) fn is_ads(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x03, 0x66, 0x14, 0x71, 0, 0, 0, 0])
}

/// IEEE C37.118.2, 6.2: the mark, the frame's type with a version, and its size; the check at its end is that of CCITT.
pub(super) fn is_synchrophasor(bytes: &[u8]) -> bool {
    is_chain(bytes, |bytes| {
        let length = u16_at(bytes, 2).filter(|length| *length >= 16)?;
        let is_whole =
            matches!(bytes, [0xaa, 0x01 | 0x02 | 0x11 | 0x12 | 0x21 | 0x22 | 0x31 | 0x32 | 0x41 | 0x42 | 0x52, ..])
                && bytes.get(..length).is_some_and(check_holds);
        is_whole.then_some(length)
    })
}

/// x^16 + x^12 + x^5 + 1, started with ones.
fn check_holds(frame: &[u8]) -> bool {
    let Some((octets, check)) = frame.split_last_chunk::<2>() else { return false };
    let crc = octets.iter().fold(0xffff_u16, |crc, octet| {
        (0..8).fold(crc ^ u16::from(*octet) << 8, |crc, _| if crc >> 15 == 1 { crc << 1 ^ 0x1021 } else { crc << 1 })
    });
    crc == u16::from_be_bytes(*check)
}

/// Mitsubishi's MELSEC protocols (SH-080008): binary frames 3E and 4E, asked of a CPU (0x03ff) or answered, with the
/// length of the rest; what programming tools say (5001, 5560 and up), and how they look for controllers.
pub(super) fn is_melsec(bytes: &[u8]) -> bool {
    let frame = |header: usize| {
        bytes.get(header + 2..header + 4) == Some(&[0xff, 0x03])
            && u16_le_at(bytes, header + 5).is_some_and(|length| header + 7 + length == bytes.len() && length >= 2)
    };
    match bytes {
        [0x50 | 0xd0, 0, _, ..] => frame(2),
        [0x54 | 0xd4, 0, _, _, 0, 0, ..] => frame(6),
        [0x57 | 0xd7, 0 | 1, 0, 0, 0, 0x11, 0x11, ..] => bytes.len() > 20,
        [0x5a, 0, 0, 1 | 0xff] => true,
        [0xda, 0, 0, 1 | 0xff, ..] => matches!(bytes.len(), 14 | 28),
        _ => false,
    }
}

/// ANSI C12.22, 5.3: a unit of the association control service in BER, whose elements are those of meters: the called
/// title, the calling invocation, and the message at the end, each there.
pub(super) fn is_c1222(bytes: &[u8]) -> bool {
    let Some((0x60, mut rest)) = element(bytes).filter(|(_, rest)| rest.is_empty()).and(inside(bytes)) else {
        return false;
    };
    let mut tags = [false; 3];
    while let Some((tag, after)) = element(rest) {
        match tag {
            0xa2 => tags[0] = true,
            0xa8 => tags[1] = true,
            0xbe => tags[2] = true,
            0xa0..=0xb4 => {}
            _ => return false,
        }
        rest = after;
    }
    rest.is_empty() && tags == [true; 3]
}

/// Tag of the first element, and what is behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, start, length) = header(bytes)?;
    Some((tag, bytes.get(start + length..)?))
}

/// Tag of the first element, and what is in it.
fn inside(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let (tag, start, length) = header(bytes)?;
    Some((tag, bytes.get(start..start + length)?))
}

/// DLMS/COSEM in frames of HDLC (IEC 62056-46, 6.4.2): flags around, format 3 with the length of what is between.
pub(super) fn is_dlms(bytes: &[u8]) -> bool {
    match *bytes {
        [0x7e, high @ 0xa0..=0xa7, low, _, .., 0x7e] => {
            let length = usize::from(u16::from_be_bytes([high & 0x07, low]));
            length + 2 == bytes.len() && length >= 7
        }
        _ => false,
    }
}

/// Tank gauges (Veeder-Root 576013-635): start of header, display or computer format, asked or set, five digits.
pub(super) fn is_tank_gauge(bytes: &[u8]) -> bool {
    matches!(bytes, [1, b'I' | b'S' | b'i' | b's', code @ ..]
        if code.first_chunk::<5>().is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit)))
}

/// CODESYS 3: the mark of a datagram, octets of the header, a service; looked at near its ports only.
pub(super) fn is_codesys(bytes: &[u8]) -> bool {
    matches!(bytes, [0xc5, hop, _, 1..=4 | 0x40..=0x43, ..] if matches!(hop & 7, 2..=5) && bytes.len() >= 8)
}

#[cfg(test)]
mod tests {
    use super::super::{by_datagram, by_stream};

    const PORTS: [u16; 2] = [40_000, 41_000];

    /// What it is, its octets, and the services that a segment and a datagram with them give away.
    type Vector = (&'static str, Vec<u8>, [Option<&'static str>; 2]);

    fn vectors() -> Vec<Vector> {
        let register = [&b"\x65\0\x04\0\0\0\0\0\0\0\0\0 context\0\0\0\0"[..], b"\x01\0\0\0"].concat();
        let unit_data = [
            &b"\x70\0\x0e\0\x2a\x1f\x2b\x09\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"[..],
            b"\0\0\0\0\0\0\x02\0\xa1\0\0\0\xb1\0",
        ]
        .concat();
        let list_identity = b"\x63\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let fins = b"\x80\0\x02\0\0\0\0\0\0\x7a\x01\x01\x82\0\0\0\0\x01";
        let hart = b"\x01\0\0\0\0\x02\0\x0d\x01\0\0\x75\x30";
        let ads = [
            &b"\0\0\x20\0\0\0\x05\x0d\x75\x60\x01\x01\x10\x27\xc0\xa8\x01\xc7\x01\x01\x03\x80"[..],
            b"\x04\0\x04\0\0\0\0\0\0\0\0\0\x03\0\0\0",
        ]
        .concat();
        let meter = [
            &b"\x60\x22\xa2\x04\x06\x02\x2a\x03\xa6\x04\x06\x02\x2a\x04\xa8\x03\x02\x01\x07"[..],
            b"\xbe\x0f\x28\x0d\x81\x0b\x80\x09\x50\0\x02ab\0\x01\x05\x09",
        ]
        .concat();
        let stream = |service| [Some(service), None];
        let both = |service| [Some(service); 2];
        let neither = [None; 2];
        vec![
            ("job", b"\x03\0\0\x19\x02\xf0\x80\x32\x01\0\0".to_vec(), stream("s7comm")),
            ("plus", b"\x03\0\0\xdd\x02\xf0\x80\x72\x01\0\xce\x31".to_vec(), stream("s7comm-plus")),
            (
                "session connect",
                b"\x03\0\0\xc9\x02\xf0\x80\x0d\xc0\x06\x05\x28\xca\x22\x02\x01".to_vec(),
                stream("mms"),
            ),
            ("another syntax", b"\x03\0\0\x20\x02\xf0\x80\x0d\xc0\x06\x05\x28\xca\x22\x03\x01".to_vec(), neither),
            ("presentation", b"\x03\0\0\x20\x02\xf0\x80\x01\0\x01\0\x61\x15".to_vec(), stream("mms")),
            ("initiate", b"\x03\0\0\x2f\x02\xf0\x80\xa8\x26\x80\x02\0\x1f".to_vec(), stream("mms")),
            ("start of data transfer", b"\x68\x04\x07\0\0\0".to_vec(), stream("iec104")),
            ("acknowledged", b"\x68\x04\x01\0\x06\0".to_vec(), stream("iec104")),
            ("an odd number", b"\x68\x04\x01\0\x07\0".to_vec(), neither),
            ("a measured value", b"\x68\x0e\x04\0\x02\0\x01\x01\x03\0\x01\0\x05\0\0\x01".to_vec(), stream("iec104")),
            ("no object", b"\x68\x0e\x04\0\x02\0\x01\x00\x03\0\x01\0\x05\0\0\x01".to_vec(), neither),
            ("hello", b"HELF\x39\0\0\0\0\0\0\0".to_vec(), stream("opcua")),
            ("register session", register.clone(), both("enip")),
            ("version 2", [&register[..24], b"\x02\0\0\0"].concat(), neither),
            ("connected data", unit_data, both("enip")),
            ("list identity", list_identity.to_vec(), [None, Some("enip")]),
            ("an identity", [&b"\x63\0\x06\0"[..], &list_identity[4..], b"\x01\0\x0c\0\0\0"].concat(), both("enip")),
            (
                "cyclic data",
                b"\x02\0\x02\x80\x08\0\x78\x7b\x3a\0\xe8\xcb\x5e\x04\xb1\0\x02\0\x03\0".to_vec(),
                [None, Some("enip-io")],
            ),
            ("memory area read", fins.to_vec(), [None, Some("fins")]),
            ("no such command", [&fins[..10], b"\x01\x09\x82"].concat(), neither),
            ("framed", b"FINS\0\0\0\x0c\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(), stream("fins")),
            ("initiate session", hart.to_vec(), both("hart-ip")),
            ("two of them", hart.repeat(2), both("hart-ip")),
            ("search", b"\x06\x10\x02\x01\0\x0e\x08\x01\xc0\xa8\x58\xe7\xa1\x7f".to_vec(), both("knx")),
            ("read state", ads, stream("ads")),
            ("find controllers", b"\x03\x66\x14\x71\0\0\0\0\x01\0\0\0".to_vec(), [None, Some("ads")]),
            ("command frame", b"\xaa\x41\0\x12\0\xf1\0\0\0\0\0\0\0\0\0\x05\xd7\xd0".to_vec(), both("synchrophasor")),
            ("its check is wrong", b"\xaa\x41\0\x12\0\xf1\0\0\0\0\0\0\0\0\0\x05\xd7\xd1".to_vec(), neither),
            ("3E", b"\x50\0\0\xff\xff\x03\0\x02\0\x10\0".to_vec(), both("melsec")),
            ("4E", b"\x54\0\x12\x34\0\0\0\xff\xff\x03\0\x02\0\x10\0".to_vec(), both("melsec")),
            ("who is there", b"\x5a\0\0\x01".to_vec(), both("melsec")),
            ("meter", meter, both("c1222")),
            ("set normal response mode", b"\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e".to_vec(), stream("dlms")),
            ("inventory", b"\x01I20100\r\n".to_vec(), stream("atg")),
            ("a word", b"\x01Inside".to_vec(), neither),
            ("Modbus", b"\0\x01\0\0\0\x06\x01\x03".to_vec(), neither),
        ]
    }

    #[test]
    fn first_octets_give_services_away() {
        for (what, bytes, services) in vectors() {
            assert_eq!([by_stream(&bytes, PORTS), by_datagram(&bytes, PORTS)], services, "{what}");
        }
        assert_eq!(by_datagram(b"\xc5\x0b\x40\x01\0\x10\0\x96", [1740, 1741]), Some("codesys"));
        assert_eq!(by_datagram(b"\xc5\x0b\x40\x01\0\x10\0\x96", PORTS), None);
    }

    #[test]
    fn a_part_of_them_gives_no_other_service_away() {
        for (what, bytes, services) in vectors() {
            for length in 0..bytes.len() {
                let part = &bytes[..length];
                for (found, whole) in [by_stream(part, PORTS), by_datagram(part, PORTS)].into_iter().zip(services) {
                    assert!(found.is_none() || found == whole, "{length} octets of {what}: {found:?}");
                }
            }
        }
    }
}
