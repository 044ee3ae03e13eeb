//! A first guess of the service of a flow: by its first octets, else by the server's port.

use crate::flows::Transport;
use crate::tables::{self, Code, services};

/// What a guess rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Octets that only this service sends.
    Content,
    /// The port alone.
    Port,
}

impl Basis {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Basis::Content => "content",
            Basis::Port => "port",
        }
    }
}

/// First octets and the service they give away.
const SIGNATURES: &[(&str, &[u8], usize)] = &[
    ("ssh", b"SSH-", 0),
    ("http", b"GET /", 0),
    ("http", b"POST /", 0),
    ("http", b"HEAD /", 0),
    ("http", b"PUT /", 0),
    ("http", b"OPTIONS ", 0),
    ("http", b"HTTP/1.", 0),
    ("vnc", b"RFB 00", 0),
    // NetBIOS session message (RFC 1002, 4.3.6) with an SMB1, SMB2 or encrypted SMB3 header.
    ("smb", b"\xffSMB", 4),
    ("smb", b"\xfeSMB", 4),
    ("smb", b"\xfdSMB", 4),
];

/// The service that the first octets of a stream's sender give away.
pub fn by_stream(bytes: &[u8]) -> Option<&'static str> {
    let by_signature = SIGNATURES
        .iter()
        .find(|(_, octets, offset)| bytes.get(*offset..offset + octets.len()) == Some(*octets))
        .map(|(name, ..)| *name);
    by_signature.or_else(|| by_structure(bytes))
}

fn by_structure(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        // TLS record: handshake, version 3.x, ClientHello or ServerHello (RFC 8446, 4 and 5.1).
        [0x16, 0x03, 0..=4, _, _, 1 | 2, ..] => Some("tls"),
        // TPKT (RFC 1006), COTP connection request or confirm (ISO 8073): an RDP negotiation or its cookie behind it.
        [0x03, 0x00, _, _, _, 0xe0 | 0xd0, _, _, _, _, _, rest @ ..] => match rest {
            [1..=3, _, 8, 0, ..] => Some("rdp"),
            _ if rest.starts_with(b"Cookie: mstshash=") => Some("rdp"),
            _ => None,
        },
        // TPKT, COTP data, and the protocol identifier behind it.
        [0x03, 0x00, _, _, 0x02, 0xf0, _, 0x32, 1 | 2 | 3 | 7, ..] => Some("s7comm"),
        [0x03, 0x00, _, _, 0x02, 0xf0, _, 0x72, 1..=3, ..] => Some("s7comm-plus"),
        // A session connect or accept (ISO 8327-1) that names the abstract syntax of MMS; else a data transfer with a
        // presentation value of a context (ISO 8823-1), which MMS alone has in plants.
        [0x03, 0x00, _, _, 0x02, 0xf0, _, 0x0d | 0x0e, rest @ ..] => names_mms(rest).then_some("mms"),
        [0x03, 0x00, _, _, 0x02, 0xf0, _, 0x01, 0x00, 0x01, 0x00, 0x61, ..] => Some("mms"),
        // An unnumbered control frame: the start or stop of data transfer, a test (IEC 60870-5-104, 5.1).
        [0x68, 4, 0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83, 0, 0, 0, ..] => Some("iec104"),
        // Message type, chunk, and a length below 16 MB (OPC 10000-6, 7.1.2.2).
        [b'H', b'E', b'L', b'F', _, _, _, 0, ..]
        | [b'A', b'C', b'K', b'F', _, _, _, 0, ..]
        | [b'O', b'P', b'N', b'F', _, _, _, 0, ..]
        | [b'M', b'S', b'G', b'F', _, _, _, 0, ..] => Some("opcua"),
        // The request for a session, without one yet, in protocol version 1 (CIP volume 2, 2-4.4).
        [0x65, 0, 4, 0, _, _, _, _, 0, 0, 0, 0, .., 1, 0, 0, 0] if bytes.len() == ENIP_HEADER + 4 => Some("enip"),
        _ => None,
    }
}

/// The object identifier 1.0.9506.2.1 or 1.0.9506.2.3, in BER (ISO 9506-2).
fn names_mms(bytes: &[u8]) -> bool {
    bytes.windows(5).any(|window| matches!(window, [0x28, 0xca, 0x22, 0x02, 1 | 3]))
}

/// Octets of the header of EtherNet/IP's encapsulation (CIP volume 2, 2-3.1).
const ENIP_HEADER: usize = 24;

/// The control protocol that an EtherType is registered for.
pub fn by_ethertype(ethertype: u16) -> Option<&'static str> {
    tables::find(services::ETHERNET, u32::from(ethertype)).map(|code| code.name)
}

/// The service usual on a server's port.
pub fn by_port(is_tcp: bool, port: u16) -> Option<&'static str> {
    let table = if is_tcp { services::TCP } else { services::UDP };
    tables::find(table, u32::from(port)).map(|code| code.name)
}

/// True where a service is at a port that is not its own, though it has one.
pub fn is_odd(transport: Transport, port: u16, service: &str) -> bool {
    let table = match transport {
        Transport::Tcp => services::TCP,
        Transport::Udp => services::UDP,
        _ => return false,
    };
    if by_port(transport == Transport::Tcp, port) == Some(service) {
        return false;
    }
    let speaks = |code: &&Code| code.name == service || code.kind.split(' ').any(|kind| kind == service);
    let mut own = table.iter().filter(speaks).peekable();
    own.peek().is_some() && own.all(|code| code.code != u32::from(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_octets_give_services_away() {
        let rdp = b"\x03\x00\x00\x2b\x26\xe0\x00\x00\x00\x00\x00Cookie: mstshash=vendor\r\n";
        let register_session =
            b"\x65\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00 context\x00\x00\x00\x00\x01\x00\x00\x00";
        let cases: &[(&[u8], Option<&str>)] = &[
            (b"SSH-2.0-OpenSSH_9.2\r\n", Some("ssh")),
            (b"\x16\x03\x01\x02\x00\x01\x00", Some("tls")),
            (b"\x00\x00\x00\x54\xfeSMB@", Some("smb")),
            (rdp, Some("rdp")),
            (b"\x03\x00\x00\x19\x02\xf0\x80\x32\x01\x00\x00", Some("s7comm")),
            (b"\x03\x00\x00\xdd\x02\xf0\x80\x72\x01\x00\xce\x31", Some("s7comm-plus")),
            (b"\x03\x00\x00\xc9\x02\xf0\x80\x0d\xc0\x06\x05\x28\xca\x22\x02\x01", Some("mms")),
            (b"\x03\x00\x00\x20\x02\xf0\x80\x01\x00\x01\x00\x61\x15", Some("mms")),
            (b"\x03\x00\x00\x20\x02\xf0\x80\x0d\xc0\x06\x05\x28\xca\x22\x03\x01", None),
            (b"\x68\x04\x07\x00\x00\x00", Some("iec104")),
            (b"\x68\x04\x01\x00\x06\x00", None),
            (b"HELF\x39\x00\x00\x00\x00\x00\x00\x00", Some("opcua")),
            (b"HELO mail\r\n", None),
            (register_session, Some("enip")),
            (&register_session[..24], None),
            (b"\x00\x01\x00\x00\x00\x06\x01\x03", None),
            (b"", None),
        ];
        for (bytes, service) in cases {
            assert_eq!(by_stream(bytes), *service);
        }
        assert_eq!((by_port(true, 443), by_port(false, 443), by_port(true, 4)), (Some("https"), Some("quic"), None));
        let odd = [
            (Transport::Tcp, 503, "modbus", true),
            (Transport::Tcp, 502, "modbus", false),
            (Transport::Tcp, 8080, "http", false),
            (Transport::Tcp, 443, "tls", false),
            (Transport::Tcp, 4444, "tls", true),
            (Transport::Tcp, 49_154, "dce-rpc", false),
            (Transport::Ip(47), 0, "gre", false),
        ];
        for (transport, port, service, is) in odd {
            assert_eq!(is_odd(transport, port, service), is, "{service} at {port}");
        }
        assert_eq!((by_ethertype(0x8892), by_ethertype(0x0800)), (Some("profinet"), None));
    }
}
