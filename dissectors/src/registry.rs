//! The protocols, listed once.

use crate::net::ip::number;
use crate::net::link::ethertype;
use crate::protocols::{
    arp, bacnet, bgp, cdp, dce_rpc, dcp, dhcp, discovery, dnp3, dns, dtls, eapol, ftp, hsrp, http, icmp, igmp, ipsec,
    kerberos, lacp, ldap, lldp, mail, modbus, mqtt, mrp, mssql, mysql, netbios, ntp, opcua, openvpn, postgresql,
    profibus, prp, ptp, quic, radius, rdp, remote_desktop, routing, s7comm, signalling, smb, snmp, socks, ssh, stp,
    syslog, telnet, tftp, tls, tunnels, vnc, vrrp, wireguard,
};
use crate::session::{Probe, Recognition};

/// One protocol's way to recognise its traffic.
pub type Recognise = fn(&Probe<'_>) -> Recognition;

/// Control systems' protocols, asked for streams, in this order.
pub const STREAMS: &[Recognise] =
    &[dnp3::probe_stream, modbus::probe_stream, s7comm::probe_stream, opcua::probe_stream];

/// Services, asked for the first segments of streams that none of those takes, in this order.
pub const SERVICE_STREAMS: &[Recognise] = &[
    tls::probe_stream,
    smb::probe_stream,
    http::probe_stream,
    ssh::probe_stream,
    rdp::probe_stream,
    dce_rpc::probe_stream,
    kerberos::probe_stream,
    ldap::probe_stream,
    dns::probe_stream,
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
    remote_desktop::probe_stream,
    tunnels::probe_stream,
    bgp::probe_stream,
    socks::probe_stream,
    openvpn::probe_stream,
    snmp::probe_stream,
    syslog::probe_stream,
];

/// Asked for datagrams, in this order.
pub const DATAGRAMS: &[Recognise] = &[
    bacnet::probe_datagram,
    dnp3::probe_datagram,
    modbus::probe_datagram,
    netbios::name_service::probe_datagram,
    netbios::datagram::probe_datagram,
    dns::probe_datagram,
    snmp::probe_datagram,
    ntp::probe_datagram,
    dhcp::probe_datagram,
    dhcp::v6::probe_datagram,
    ptp::probe_datagram,
    quic::probe_datagram,
    dtls::probe_datagram,
    discovery::ssdp::probe_datagram,
    discovery::wsd::probe_datagram,
    syslog::probe_datagram,
    signalling::probe_datagram,
    radius::probe_datagram,
    tftp::probe_datagram,
    dce_rpc::probe_datagram,
    kerberos::probe_datagram,
    ldap::probe_datagram,
    hsrp::probe_datagram,
    routing::probe_rip,
    wireguard::probe_datagram,
    ipsec::probe_datagram,
    openvpn::probe_datagram,
    tunnels::probe_datagram,
    rdp::udp::probe_datagram,
    remote_desktop::probe_datagram,
];

/// Asked for frames of serial lines.
pub const LINES: &[Recognise] = &[dnp3::probe_datagram, modbus::probe_line];

/// Asked for telegrams of PROFIBUS.
pub const PROFIBUS: &[Recognise] = &[profibus::probe_frame];

/// Asked for ICMP of either version.
pub const CONTROL_MESSAGES: &[Recognise] = &[icmp::probe_message];

/// Asked for what an internet protocol other than TCP, UDP and ICMP carries.
pub const fn packets(number: u8) -> &'static [Recognise] {
    match number {
        number::IGMP => &[igmp::probe_packet],
        number::EIGRP => &[routing::probe_eigrp],
        number::OSPF => &[routing::probe_ospf],
        number::VRRP => &[vrrp::probe_packet],
        50 => &[ipsec::probe_esp],
        51 => &[ipsec::probe_ah],
        _ => &[],
    }
}

/// Asked for what frames of the link layer carry, by EtherType or service access point.
pub const fn frames(ethertype: u16) -> &'static [Recognise] {
    match ethertype {
        ethertype::BACNET => &[bacnet::probe_frame],
        ethertype::SPANNING_TREE | ethertype::SNAP => &[stp::probe_frame],
        ethertype::ARP => &[arp::probe_frame],
        ethertype::CDP => &[cdp::probe_frame],
        ethertype::VTP => &[cdp::probe_vtp],
        ethertype::DTP => &[cdp::probe_dtp],
        ethertype::SLOW => &[lacp::probe_frame],
        ethertype::EAPOL => &[eapol::probe_frame],
        ethertype::PROFINET => &[dcp::probe_frame],
        ethertype::LLDP => &[lldp::probe_frame],
        ethertype::MRP => &[mrp::probe_frame],
        ethertype::PTP => &[ptp::probe_frame],
        ethertype::PRP => &[prp::probe_frame],
        _ => &[],
    }
}
