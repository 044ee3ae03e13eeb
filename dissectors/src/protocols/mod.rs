//! One file a protocol. `registry.rs` lists them.

pub mod bacnet;
pub mod cotp;
pub mod dce_rpc;
pub mod dnp3;
pub mod dns;
pub mod gss;
pub mod kerberos;
pub mod ldap;
pub mod modbus;
pub mod ntlm;
pub mod s7comm;
pub mod smb;
pub mod snmp;
