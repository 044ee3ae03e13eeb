//! The protocols, listed once.

use crate::net::ip::number;
use crate::net::link::ethertype;
use crate::protocols::{
    arp, bacnet, bgp, cdp, dcp, dhcp, dnp3, dns, eapol, hsrp, icmp, igmp, lacp, lldp, modbus, mrp, netbios, ntp, prp,
    ptp, routing, s7comm, stp, vrrp,
};
use crate::session::{Probe, Recognition};

/// One protocol's way to recognise its traffic.
pub type Recognise = fn(&Probe<'_>) -> Recognition;

/// Control systems' protocols, asked for streams, in this order.
pub const STREAMS: &[Recognise] = &[dnp3::probe_stream, modbus::probe_stream, s7comm::probe_stream];

/// Services, asked for the first segments of streams that none of those takes, in this order.
pub const SERVICE_STREAMS: &[Recognise] = &[dns::probe_stream, bgp::probe_stream];

/// Asked for datagrams, in this order.
pub const DATAGRAMS: &[Recognise] = &[
    bacnet::probe_datagram,
    dnp3::probe_datagram,
    modbus::probe_datagram,
    netbios::name_service::probe_datagram,
    netbios::datagram::probe_datagram,
    dns::probe_datagram,
    dhcp::probe_datagram,
    dhcp::v6::probe_datagram,
    ntp::probe_datagram,
    ptp::probe_datagram,
    hsrp::probe_datagram,
    routing::probe_rip,
];

/// Asked for ICMP of either version.
pub const CONTROL_MESSAGES: &[Recognise] = &[icmp::probe_message];

/// Asked for what an internet protocol other than TCP, UDP and ICMP carries.
pub const fn packets(number: u8) -> &'static [Recognise] {
    match number {
        number::IGMP => &[igmp::probe_packet],
        number::EIGRP => &[routing::probe_eigrp],
        number::OSPF => &[routing::probe_ospf],
        number::VRRP => &[vrrp::probe_packet],
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
