//! One file a protocol. `registry.rs` lists them.

pub mod bacnet;
pub mod cotp;
pub mod dnp3;
pub mod dns;
pub mod modbus;
pub mod s7comm;
