//! Frames: Ethernet, VLAN tags, ARP, IPv4, IPv6, ICMPv6, UDP and TCP, with right lengths and checksums.

/// Where a packet's payload comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who asks.
    Client = 0,
    /// Who answers.
    Server = 1,
}

/// One station.
#[derive(Clone, Copy)]
pub struct Host {
    mac: [u8; 6],
    ip: [u8; 16],
    is_v6: bool,
}

/// Every station, at the link and in IPv4 and IPv6.
const EVERYBODY: [u8; 6] = [0xff; 6];
/// Numbers of the internet layer's protocols.
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP6: u8 = 58;
/// Flags of TCP.
pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;

impl Host {
    /// The station with this IPv4 address.
    pub fn v4(address: u32) -> Self {
        let [a, b, c, d] = address.to_be_bytes();
        let mut ip = [0; 16];
        ip[..4].copy_from_slice(&[a, b, c, d]);
        Host { mac: [0x02, 0, a, b, c, d], ip, is_v6: false }
    }

    /// The station with this number in fd00:20::/32 (RFC 4193).
    pub fn v6(number: u32) -> Self {
        let [a, b, c, d] = number.to_be_bytes();
        Host { mac: [0x02, 6, a, b, c, d], ip: [0xfd, 0, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d], is_v6: true }
    }

    /// The address that everybody in the station's network of 256 listens to.
    pub fn broadcast(self) -> Self {
        let mut ip = self.ip;
        ip[3] = 255;
        Host { mac: EVERYBODY, ip, ..self }
    }

    fn ip(&self) -> &[u8] {
        if self.is_v6 { &self.ip } else { &self.ip[..4] }
    }
}

/// Sums up octets as big-endian words (RFC 1071).
fn sum(octets: &[u8]) -> u64 {
    let words = octets.chunks_exact(4);
    let rest = words.remainder();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    let whole: u64 = words.map(|word| u64::from(u32::from_be_bytes([word[0], word[1], word[2], word[3]]))).sum();
    whole + u64::from(u32::from_be_bytes(last))
}

fn folded(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// Appends the headers of link and internet layer.
fn head(out: &mut Vec<u8>, from: &Host, to: &Host, vlan: Option<u16>, protocol: u8, length: usize, id: u16) {
    link(out, from.mac, to.mac, vlan, if from.is_v6 { 0x86dd } else { 0x0800 });
    if from.is_v6 {
        out.extend([0x60, 0, 0, 0]);
        out.extend((length as u16).to_be_bytes());
        out.extend([protocol, 64]);
        out.extend(from.ip);
        out.extend(to.ip);
        return;
    }
    let mut header = [0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    header[2..4].copy_from_slice(&(20 + length as u16).to_be_bytes());
    header[4..6].copy_from_slice(&id.to_be_bytes());
    header[12..16].copy_from_slice(&from.ip[..4]);
    header[16..20].copy_from_slice(&to.ip[..4]);
    let checksum = folded(sum(&header));
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
    out.extend(header);
}

fn link(out: &mut Vec<u8>, from: [u8; 6], to: [u8; 6], vlan: Option<u16>, ethertype: u16) {
    out.extend(to);
    out.extend(from);
    if let Some(vlan) = vlan {
        out.extend([0x81, 0]);
        out.extend(vlan.to_be_bytes());
    }
    out.extend(ethertype.to_be_bytes());
}

/// The checksum over what stands from here on and the pseudo header (RFC 9293, 3.1; RFC 8200, 8.1).
fn checksum(octets: &[u8], from: &Host, to: &Host, protocol: u8) -> [u8; 2] {
    let pseudo = sum(from.ip()) + sum(to.ip()) + u64::from(protocol) + octets.len() as u64;
    folded(pseudo + sum(octets)).to_be_bytes()
}

/// What a segment says besides its payload.
pub struct Segment {
    pub ports: [u16; 2],
    pub sequence: u32,
    pub acknowledgement: u32,
    pub flags: u8,
    pub id: u16,
}

/// Appends a TCP segment.
pub fn tcp(out: &mut Vec<u8>, from: &Host, to: &Host, vlan: Option<u16>, segment: &Segment, payload: &[u8]) {
    head(out, from, to, vlan, TCP, 20 + payload.len(), segment.id);
    let at = out.len();
    let mut header = [0; 20];
    header[..2].copy_from_slice(&segment.ports[0].to_be_bytes());
    header[2..4].copy_from_slice(&segment.ports[1].to_be_bytes());
    header[4..8].copy_from_slice(&segment.sequence.to_be_bytes());
    header[8..12].copy_from_slice(&segment.acknowledgement.to_be_bytes());
    header[12..16].copy_from_slice(&[0x50, segment.flags, 0x20, 0]);
    out.extend(header);
    out.extend_from_slice(payload);
    let sum = checksum(&out[at..], from, to, TCP);
    out[at + 16..at + 18].copy_from_slice(&sum);
}

/// Appends a UDP datagram.
pub fn udp(out: &mut Vec<u8>, from: &Host, to: &Host, vlan: Option<u16>, ports: [u16; 2], id: u16, payload: &[u8]) {
    let length = 8 + payload.len();
    head(out, from, to, vlan, UDP, length, id);
    let at = out.len();
    out.extend(ports[0].to_be_bytes());
    out.extend(ports[1].to_be_bytes());
    out.extend((length as u16).to_be_bytes());
    out.extend([0, 0]);
    out.extend_from_slice(payload);
    let sum = checksum(&out[at..], from, to, UDP);
    out[at + 6..at + 8].copy_from_slice(&sum);
}

/// Appends an ARP request or answer (RFC 826), or a neighbour solicitation or advertisement (RFC 4861).
pub fn neighbour(out: &mut Vec<u8>, from: &Host, to: &Host, vlan: Option<u16>, is_answer: bool) {
    if from.is_v6 {
        let target = if is_answer { from } else { to };
        head(out, from, to, vlan, ICMP6, 32, 0);
        let at = out.len();
        out.extend([135 + u8::from(is_answer), 0, 0, 0, 0x60 * u8::from(is_answer), 0, 0, 0]);
        out.extend(target.ip);
        // The link-layer address of the sender, or of the target.
        out.extend([1 + u8::from(is_answer), 1]);
        out.extend(from.mac);
        let sum = checksum(&out[at..], from, to, ICMP6);
        out[at + 2..at + 4].copy_from_slice(&sum);
        return;
    }
    link(out, from.mac, if is_answer { to.mac } else { EVERYBODY }, vlan, 0x0806);
    out.extend([0, 1, 8, 0, 6, 4, 0, 1 + u8::from(is_answer)]);
    out.extend(from.mac);
    out.extend(&from.ip[..4]);
    out.extend(if is_answer { to.mac } else { [0; 6] });
    out.extend(&to.ip[..4]);
    out.resize(out.len() + 18, 0);
}
