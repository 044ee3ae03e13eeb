//! The protocols, listed once.

use crate::net::link::ethertype;
use crate::protocols::{
    bacnet, discovery, dnp3, dns, ftp, http, mail, modbus, mqtt, mssql, mysql, postgresql, radius, s7comm, signalling,
    syslog, telnet, tftp, vnc,
};
use crate::session::{Probe, Recognition};

/// One protocol's way to recognise its traffic.
pub type Recognise = fn(&Probe<'_>) -> Recognition;

/// Control systems' protocols, asked for streams, in this order.
pub const STREAMS: &[Recognise] = &[dnp3::probe_stream, modbus::probe_stream, s7comm::probe_stream];

/// Services, asked for the first segments of streams that none of those takes, in this order.
pub const SERVICE_STREAMS: &[Recognise] = &[
    dns::probe_stream,
    http::probe_stream,
    signalling::probe_stream,
    ftp::probe_stream,
    mail::smtp::probe_stream,
    mail::pop3::probe_stream,
    mail::imap::probe_stream,
    vnc::probe_stream,
    mqtt::probe_stream,
    mssql::probe_stream,
    mysql::probe_stream,
    postgresql::probe_stream,
    telnet::probe_stream,
    telnet::bsd::probe_stream,
    syslog::probe_stream,
];

/// Asked for datagrams, in this order.
pub const DATAGRAMS: &[Recognise] = &[
    bacnet::probe_datagram,
    dnp3::probe_datagram,
    modbus::probe_datagram,
    dns::probe_datagram,
    discovery::ssdp::probe_datagram,
    discovery::wsd::probe_datagram,
    syslog::probe_datagram,
    signalling::probe_datagram,
    radius::probe_datagram,
    tftp::probe_datagram,
];

/// Asked for ICMP of either version.
pub const CONTROL_MESSAGES: &[Recognise] = &[];

/// Asked for what an internet protocol other than TCP, UDP and ICMP carries.
pub const fn packets(number: u8) -> &'static [Recognise] {
    match number {
        _ => &[],
    }
}

/// Asked for what frames of the link layer carry, by EtherType or service access point.
pub const fn frames(ethertype: u16) -> &'static [Recognise] {
    match ethertype {
        ethertype::BACNET => &[bacnet::probe_frame],
        _ => &[],
    }
}
