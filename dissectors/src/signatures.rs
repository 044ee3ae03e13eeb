//! The service of a flow by first octets that only it sends: what is not decoded here, and what is, where the capture
//! started too late to decode it. Strict: most of an ordinary flow's octets look like anything.

mod control;

/// One service's way to tell its octets; of datagrams all of them, of streams those of a segment.
struct Signature {
    service: &'static str,
    /// Ports of which one must be there, where the octets alone are not enough; none otherwise.
    ports: &'static [u16],
    is: fn(&[u8]) -> bool,
}

const fn of(service: &'static str, is: fn(&[u8]) -> bool) -> Signature {
    Signature { service, ports: &[], is }
}

impl Signature {
    const fn near(self, ports: &'static [u16]) -> Self {
        Signature { ports, ..self }
    }

    fn tells(&self, bytes: &[u8], ports: [u16; 2]) -> bool {
        (self.ports.is_empty() || ports.iter().any(|port| self.ports.contains(port))) && (self.is)(bytes)
    }
}

const STREAMS: &[Signature] = &[
    of("ssh", |bytes| bytes.starts_with(b"SSH-")),
    of("http", is_http),
    of("vnc", |bytes| bytes.starts_with(b"RFB 00")),
    of("smb", is_smb),
    of("tls", is_tls),
    of("rdp", is_rdp),
    of("ldap", is_ldap),
    of("bgp", is_bgp),
    of("s7comm", control::is_s7comm),
    of("s7comm-plus", control::is_s7comm_plus),
    of("mms", control::is_mms),
    of("iec104", control::is_iec104),
    of("opcua", control::is_opcua),
    of("enip", control::is_enip),
    of("fins", control::is_fins_stream),
    of("hart-ip", control::is_hart_ip),
    of("knx", control::is_knx),
    of("ads", control::is_ads_stream),
    of("synchrophasor", control::is_synchrophasor),
    of("melsec", control::is_melsec),
    of("c1222", control::is_c1222),
    of("dlms", control::is_dlms),
    of("niagara-fox", |bytes| bytes.starts_with(b"fox a ")),
    of("atg", control::is_tank_gauge),
];

const DATAGRAMS: &[Signature] = &[
    of("enip-io", control::is_enip_io),
    of("enip", control::is_enip_datagram),
    of("fins", control::is_fins),
    of("hart-ip", control::is_hart_ip),
    of("knx", control::is_knx),
    of("ads", control::is_ads),
    of("synchrophasor", control::is_synchrophasor),
    of("melsec", control::is_melsec),
    of("c1222", control::is_c1222),
    of("rtps", |bytes| matches!(bytes, [b'R', b'T', b'P', b'S' | b'X', 1 | 2, _, _, _, ..])),
    of("codesys", control::is_codesys).near(&[1740, 1741, 1742, 1743]),
    of("coap", is_coap).near(&[5683]),
    of("dtls", is_dtls),
    of("quic", is_quic),
    of("rpcbind", |bytes| is_remote_call(bytes, 100_000)),
    of("nfs", |bytes| is_remote_call(bytes, 100_003)),
    of("slp", is_service_location),
];

/// The service that a segment of a stream gives away.
pub fn by_stream(bytes: &[u8], ports: [u16; 2]) -> Option<&'static str> {
    find(STREAMS, bytes, ports)
}

/// The service that a datagram gives away.
pub fn by_datagram(bytes: &[u8], ports: [u16; 2]) -> Option<&'static str> {
    find(DATAGRAMS, bytes, ports)
}

fn find(signatures: &[Signature], bytes: &[u8], ports: [u16; 2]) -> Option<&'static str> {
    signatures.iter().find(|signature| signature.tells(bytes, ports)).map(|signature| signature.service)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    let octets = bytes.get(at..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_be_bytes(*octets)))
}

fn u16_le_at(bytes: &[u8], at: usize) -> Option<usize> {
    let octets = bytes.get(at..)?.first_chunk::<2>()?;
    Some(usize::from(u16::from_le_bytes(*octets)))
}

fn u32_le_at(bytes: &[u8], at: usize) -> Option<usize> {
    let octets = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*octets)).ok()
}

/// True where the octets are messages one after the other, as `length` tells of each from its start, to the very end.
fn is_chain(bytes: &[u8], length: fn(&[u8]) -> Option<usize>) -> bool {
    let mut rest = bytes;
    while let Some(next) = length(rest).filter(|length| *length > 0).and_then(|length| rest.get(length..)) {
        rest = next;
    }
    rest.is_empty() && !bytes.is_empty()
}

fn is_http(bytes: &[u8]) -> bool {
    const STARTS: [&[u8]; 6] = [b"GET /", b"POST /", b"HEAD /", b"PUT /", b"OPTIONS ", b"HTTP/1."];
    STARTS.iter().any(|start| bytes.starts_with(start))
}

/// NetBIOS session message (RFC 1002, 4.3.6) with an SMB1, SMB2 or encrypted SMB3 header.
fn is_smb(bytes: &[u8]) -> bool {
    matches!(bytes.get(4..), Some([0xfd..=0xff, b'S', b'M', b'B', ..]))
}

/// A handshake of version 3.x that starts with a ClientHello or ServerHello (RFC 8446, 4 and 5.1); of a session that
/// started before, whole records, or the first one where it fills a segment of usual size.
fn is_tls(bytes: &[u8]) -> bool {
    const LONG: usize = 512;
    match bytes {
        [0x16, 0x03, 0..=4, _, _, 1 | 2, ..] => true,
        [0x14..=0x17, 0x03, 0..=3, ..] => is_chain(bytes, record) || bytes.len() >= LONG && record(bytes).is_some(),
        _ => false,
    }
}

/// Octets of a TLS record; encryption adds at most 2048 to the 2^14 of its contents (RFC 5246, 6.2.3).
fn record(bytes: &[u8]) -> Option<usize> {
    let length = u16_at(bytes, 3).filter(|length| (1..=(1 << 14) + 2_048).contains(length))?;
    matches!(bytes, [0x14..=0x17, 0x03, 0..=3, ..]).then_some(5 + length)
}

/// Records of a session that started before (RFC 6347, 4.1): type, version 1.0 or 1.2, epoch, number, length.
fn is_dtls(bytes: &[u8]) -> bool {
    is_chain(bytes, |bytes| {
        matches!(bytes, [0x14..=0x17, 0xfe, 0xff | 0xfd, 0, _, 0, 0, ..]).then(|| Some(13 + u16_at(bytes, 11)?))?
    })
}

/// TPKT (RFC 1006), COTP connection request or confirm (ISO 8073): an RDP negotiation or its cookie behind it.
fn is_rdp(bytes: &[u8]) -> bool {
    let [0x03, 0x00, _, _, _, 0xe0 | 0xd0, _, _, _, _, _, rest @ ..] = bytes else { return false };
    matches!(rest, [1..=3, _, 8, 0, ..]) || rest.starts_with(b"Cookie: mstshash=")
}

/// A long header of QUIC, of version 1 or 2 with two connection identifiers of at most 20 (RFC 9000, 17.2; RFC 9369, 3),
/// or from before it was a standard: version Q and three digits.
fn is_quic(bytes: &[u8]) -> bool {
    const LONGEST: u8 = 20;
    match bytes {
        [0xc0..=0xff, b'Q', b'0', b'3'..=b'5', b'0'..=b'9', _, ..] => true,
        [0xc0..=0xff, 0, 0, 0, 1, length @ ..=LONGEST, rest @ ..]
        | [0xc0..=0xff, 0x6b, 0x33, 0x43, 0xcf, length @ ..=LONGEST, rest @ ..] => {
            let own = rest.get(usize::from(*length)).filter(|own| **own <= LONGEST);
            own.is_some_and(|own| rest.len() > usize::from(*length) + usize::from(*own) + 1)
        }
        _ => false,
    }
}

/// A message of LDAP (RFC 4511, 4.1.1): a sequence, its number, an operation of its own, which is not longer than it.
fn is_ldap(bytes: &[u8]) -> bool {
    let Some((0x30, start, length)) = header(bytes) else { return false };
    let Some((2, number, octets @ 1..=4)) = bytes.get(start..).and_then(header) else { return false };
    let operation = start + number + octets;
    let Some((tag, head, inner)) = bytes.get(operation..).and_then(header) else { return false };
    let end = start.saturating_add(length);
    matches!(tag, 0x60..=0x61 | 0x63..=0x69 | 0x6b..=0x6f | 0x73 | 0x77..=0x79)
        && operation.saturating_add(head).saturating_add(inner) <= end
        && length >= 7
}

/// Tag of the first element in BER (X.690, 8.1), where its contents start, and how long they are.
fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    match *bytes {
        [tag, length @ 0..=0x7f, ..] => Some((tag, 2, usize::from(length))),
        [tag, 0x81, length, ..] => Some((tag, 3, usize::from(length))),
        [tag, 0x82, high, low, ..] => Some((tag, 4, usize::from(u16::from_be_bytes([high, low])))),
        [tag, 0x84, 0, 0, high, low, ..] => Some((tag, 6, usize::from(u16::from_be_bytes([high, low])))),
        _ => None,
    }
}

/// A message of BGP (RFC 4271, 4.1): a marker of ones, a length, one of five types.
fn is_bgp(bytes: &[u8]) -> bool {
    let Some((marker, [high, low, 1..=5, ..])) = bytes.split_first_chunk::<16>() else { return false };
    marker == &[0xff; 16] && matches!(u16::from_be_bytes([*high, *low]), 19..=4096)
}

/// A message of CoAP (RFC 7252, 3): version 1, a token of at most 8, a code of a request, an answer or none.
fn is_coap(bytes: &[u8]) -> bool {
    let &[first, code, _, _, ..] = bytes else { return false };
    let has_code = matches!((code >> 5, code & 0x1f), (0, 0..=4) | (2, 1..=5 | 31) | (4, 0..=15) | (5, 0..=5));
    first >> 6 == 1 && first & 0x0f <= 8 && has_code && bytes.len() >= 4 + usize::from(first & 0x0f)
}

/// A call of version 2 to a program (RFC 5531, 9).
fn is_remote_call(bytes: &[u8], program: u32) -> bool {
    let call = [[0, 0, 0, 0], [0, 0, 0, 2], program.to_be_bytes()].concat();
    bytes.get(4..4 + call.len()) == Some(&call[..])
}

/// A message of the service location protocol (RFC 2608, 8): version 2, a function, its length, no extension.
fn is_service_location(bytes: &[u8]) -> bool {
    let &[2, 1..=11, 0, high, low, ..] = bytes else { return false };
    usize::from(u16::from_be_bytes([high, low])) == bytes.len() && bytes.len() >= 14
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CLIENT: [u16; 2] = [40_000, 41_000];

    #[test]
    fn segments_give_services_away() {
        let rdp = b"\x03\x00\x00\x2b\x26\xe0\x00\x00\x00\x00\x00Cookie: mstshash=vendor\r\n";
        let alert = b"\x15\x03\x01\x00\x02\x01\x00";
        let long = [&b"\x17\x03\x03\x10\x00"[..], &[0xa5; 600]].concat();
        let cases: &[(&[u8], Option<&str>)] = &[
            (b"SSH-2.0-OpenSSH_9.2\r\n", Some("ssh")),
            (b"\x16\x03\x01\x02\x00\x01\x00", Some("tls")),
            (alert, Some("tls")),
            (&alert.repeat(2), Some("tls")),
            (&alert[..6], None),
            (&[&alert[..], &alert[..4]].concat(), None),
            (&long, Some("tls")),
            (&long[..500], None),
            (b"\x17\x03\x03\x00\x00", None),
            (b"\x00\x00\x00\x54\xfeSMB@", Some("smb")),
            (rdp, Some("rdp")),
            (b"\x30\x0c\x02\x01\x03\x61\x07\x0a\x01\0\x04\0\x04\0", Some("ldap")),
            (b"\x30\x84\0\0\0\x10\x02\x01\x03\x61\x84\0\0\0\x07\x0a\x01\0", Some("ldap")),
            (b"\x30\x0c\x02\x01\x03\x61\x08\x0a\x01\0\x04\0\x04\0", None),
            (b"\x30\x0c\x02\x01\0\x04\x07public", None),
            (&[&[0xff; 16][..], &[0, 19, 4]].concat(), Some("bgp")),
            (&[&[0xff; 16][..], &[0, 18, 4]].concat(), None),
            (&[0xff; 40], None),
            (b"HELO mail\r\n", None),
            (b"", None),
        ];
        for (bytes, service) in cases {
            assert_eq!(by_stream(bytes, CLIENT), *service, "{bytes:02x?}");
        }
    }

    #[test]
    fn datagrams_give_services_away() {
        let record = b"\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x05\x00\x03abc";
        let portmap = b"\x5f\xb5\x52\x58\0\0\0\0\0\0\0\x02\0\x01\x86\xa0\0\0\0\x02\0\0\0\x03";
        let location = b"\x02\x01\x00\x00\x11\x20\0\0\0\0\x50\xf3\x00\x02en\x00";
        let near = |port| [40_000, port];
        let cases: &[(&[u8], [u16; 2], Option<&str>)] = &[
            (record, CLIENT, Some("dtls")),
            (&record.repeat(2), CLIENT, Some("dtls")),
            (&record[..15], CLIENT, None),
            (portmap, CLIENT, Some("rpcbind")),
            (&portmap[..15], CLIENT, None),
            (location, CLIENT, Some("slp")),
            (&location[..16], CLIENT, None),
            (b"\xc3Q046\x50\xc3\x80\x46", CLIENT, Some("quic")),
            (b"\xe4\0\0\0\x01\x02ab\x01c\x41\0", CLIENT, Some("quic")),
            (b"\xe4\0\0\0\x01\x02ab\x01c", CLIENT, None),
            (b"\xe4\0\0\0\x01\x15ab\x01c\x41\0", CLIENT, None),
            (b"\xe4\0\0\0\x02\x02ab\x01c\x41\0", CLIENT, None),
            (b"\x40\x01\x12\x34", near(5683), Some("coap")),
            (b"\x40\x01\x12\x34", CLIENT, None),
            (b"\x40\x20\x12\x34", near(5683), None),
            (b"\x44\x01\x12\x34", near(5683), None),
            (b"RTPS\x02\x01\x01\x01\xc0\xa8", CLIENT, Some("rtps")),
            (b"RTPS\x09\x01\x01\x01\xc0\xa8", CLIENT, None),
            (b"", near(5683), None),
        ];
        for (bytes, ports, service) in cases {
            assert_eq!(by_datagram(bytes, *ports), *service, "{bytes:02x?}");
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..64), which in 0usize..40) {
            // Each signature's own start, so that what is behind it is any octets too.
            const STARTS: [&[u8]; 12] = [
                b"\x03\x00\x00\x16\x02\xf0\x80\xa8", b"\x68", b"\x65\x00\x04\x00", b"\x80\x00\x02\x00", b"\x01\x00\x03\x00",
                b"\x06\x10", b"\x00\x00", b"\xaa\x41", b"\x50\x00\x00\xff\xff\x03", b"\x60", b"\x7e\xa0", b"\x02\x00\x02\x80",
            ];
            let bytes = [STARTS.get(which).copied().unwrap_or_default(), &bytes].concat();
            for length in 0..=bytes.len() {
                let _ = (by_stream(&bytes[..length], [1740, 5683]), by_datagram(&bytes[..length], [1740, 5683]));
            }
        }
    }
}
