//! One file a protocol. `registry.rs` lists them.

pub mod bacnet;
pub mod banner;
pub mod cotp;
pub mod discovery;
pub mod dnp3;
pub mod dns;
pub mod ftp;
#[cfg(test)]
mod heard;
pub mod http;
pub mod mail;
pub mod modbus;
pub mod mqtt;
pub mod mssql;
pub mod mysql;
pub mod postgresql;
pub mod radius;
pub mod s7comm;
pub mod signalling;
pub mod syslog;
pub mod telnet;
pub mod tftp;
pub mod vnc;
