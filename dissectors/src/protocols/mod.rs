//! One file a protocol. `registry.rs` lists them.

pub mod bacnet;
pub mod cotp;
pub mod dnp3;
pub mod dns;
pub mod dtls;
pub mod ipsec;
pub mod modbus;
pub mod openvpn;
pub mod presence;
pub mod quic;
pub mod rdp;
pub mod remote_desktop;
pub mod remote_support;
pub mod s7comm;
pub mod socks;
pub mod ssh;
pub mod tls;
pub mod tunnels;
pub mod wireguard;
pub mod x509;
