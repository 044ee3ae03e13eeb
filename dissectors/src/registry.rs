//! The protocols, listed once.

use crate::net::link::ethertype;
use crate::protocols::{
    bacnet, dnp3, dns, dtls, ipsec, modbus, openvpn, quic, rdp, remote_desktop, s7comm, socks, ssh, tls, tunnels,
    wireguard,
};
use crate::session::{Probe, Recognition};

/// One protocol's way to recognise its traffic.
pub type Recognise = fn(&Probe<'_>) -> Recognition;

/// Control systems' protocols, asked for streams, in this order.
pub const STREAMS: &[Recognise] = &[dnp3::probe_stream, modbus::probe_stream, s7comm::probe_stream];

/// Services, asked for the first segments of streams that none of those takes, in this order.
pub const SERVICE_STREAMS: &[Recognise] = &[
    tls::probe_stream,
    ssh::probe_stream,
    rdp::probe_stream,
    remote_desktop::probe_stream,
    tunnels::probe_stream,
    socks::probe_stream,
    openvpn::probe_stream,
    dns::probe_stream,
];

/// Asked for datagrams, in this order.
pub const DATAGRAMS: &[Recognise] = &[
    bacnet::probe_datagram,
    dnp3::probe_datagram,
    modbus::probe_datagram,
    dns::probe_datagram,
    quic::probe_datagram,
    dtls::probe_datagram,
    wireguard::probe_datagram,
    ipsec::probe_datagram,
    openvpn::probe_datagram,
    tunnels::probe_datagram,
    rdp::udp::probe_datagram,
    remote_desktop::probe_datagram,
];

/// Asked for ICMP of either version.
pub const CONTROL_MESSAGES: &[Recognise] = &[];

/// Asked for what an internet protocol other than TCP, UDP and ICMP carries.
pub const fn packets(number: u8) -> &'static [Recognise] {
    match number {
        50 => &[ipsec::probe_esp],
        51 => &[ipsec::probe_ah],
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
