//! What a flow's service rests on, and the service by port or EtherType alone.

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

/// The kind of a service whose ports are agreed on.
const ANY_PORT: &str = "*";

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
    own.peek().is_some() && own.all(|code| code.kind != ANY_PORT && code.code != u32::from(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_ethertypes_have_services_of_their_own() {
        assert_eq!((by_port(true, 443), by_port(false, 443), by_port(true, 4)), (Some("https"), Some("quic"), None));
        let odd = [
            (Transport::Tcp, 503, "modbus", true),
            (Transport::Tcp, 502, "modbus", false),
            (Transport::Tcp, 8080, "http", false),
            (Transport::Tcp, 443, "tls", false),
            (Transport::Tcp, 4444, "tls", true),
            (Transport::Tcp, 49_154, "dce-rpc", false),
            (Transport::Tcp, 51_201, "ftp-data", false),
            (Transport::Udp, 49_153, "profinet-cm", false),
            (Transport::Ip(47), 0, "gre", false),
        ];
        for (transport, port, service, is) in odd {
            assert_eq!(is_odd(transport, port, service), is, "{service} at {port}");
        }
        assert_eq!((by_ethertype(0x8892), by_ethertype(0x0800)), (Some("profinet"), None));
    }
}
