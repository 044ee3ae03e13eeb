//! One file a protocol. `registry.rs` lists them.

pub mod bacnet;
pub mod cotp;
pub mod dnp3;
pub mod dns;
pub mod dtls;
pub mod modbus;
pub mod quic;
pub mod remote_support;
pub mod s7comm;
pub mod tls;
pub mod x509;
