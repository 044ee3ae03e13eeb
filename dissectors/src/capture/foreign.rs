//! Files that somebody may take for a capture that is read here: recognised only to say what helps.

const CONVERT: &str = "convert it with editcap -F pcapng IN OUT";
const UNPACK: &str = "unpack it first";

/// How a format begins, its name, and what to do with it.
const FORMATS: &[(&[u8], &str, &str)] = &[
    (b"snoop\0\0\0", "a snoop capture", CONVERT),
    (b"RTSS", "a Microsoft Network Monitor 1 capture", CONVERT),
    (b"GMBU", "a Microsoft Network Monitor 2 capture", CONVERT),
    (b"btsnoop\0", "a Bluetooth snoop capture", CONVERT),
    (b"TRSNIFF data    ", "a Sniffer capture", CONVERT),
    (b"XCP\0", "a NetXRay or Windows Sniffer capture", CONVERT),
    (b"iptrace ", "an AIX iptrace capture", CONVERT),
    (b"ObserverPktBuffe", "a Network Instruments Observer capture", CONVERT),
    (b"\x7fver", "an Omnipeek capture", CONVERT),
    (b"\xfd7zXZ\0", "an xz archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\x04\x22\x4d\x18", "an lz4 archive", UNPACK),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"#separator ", "a Zeek log", "give the folder that holds it"),
];

/// Name of the format and what to do with it.
pub(super) fn recognise(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let known = FORMATS.iter().find(|(magic, ..)| head.starts_with(magic));
    known
        .map(|(_, name, advice)| (*name, *advice))
        .or_else(|| looks_like_erf(head).then_some(("an ERF capture", CONVERT)))
}

/// ERF has no magic number: a little-endian time of this century, a record type, and a length that is a multiple of
/// eight and holds the header.
fn looks_like_erf(head: &[u8]) -> bool {
    const TYPES: std::ops::RangeInclusive<u8> = 1..=27;
    const YEAR_2000: u32 = 946_684_800;
    let &[_, _, _, _, s0, s1, s2, s3, kind, _, r0, r1, _, _, w0, w1] = head else { return false };
    let record_length = u16::from_be_bytes([r0, r1]);
    let wire_length = u16::from_be_bytes([w0, w1]);
    u32::from_le_bytes([s0, s1, s2, s3]) >= YEAR_2000
        && TYPES.contains(&(kind & 0x7f))
        && record_length >= 24
        && record_length % 8 == 0
        && wire_length > 0
}
