//! The Community ID of a flow, version 1: the same in every tool that sees the flow (github.com/corelight/community-id-spec).

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use smallvec::SmallVec;

use crate::flows::Transport;
use crate::net::ip::{Ip, number};

/// Type of an ICMP message, and of the one that answers it.
const ANSWERED: [(u16, u16); 5] = [(8, 0), (13, 14), (15, 16), (17, 18), (10, 9)];
/// The same of ICMPv6.
const ANSWERED_V6: [(u16, u16); 6] = [(128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145)];

/// What stands for the ports of an ICMP message: its type, and the type that answers it or else its code.
pub fn icmp_ports(is_v6: bool, kind: u8, code: u8) -> [u16; 2] {
    let kind = u16::from(kind);
    [kind, answer(is_v6, kind).unwrap_or(u16::from(code))]
}

fn answer(is_v6: bool, kind: u16) -> Option<u16> {
    let pairs: &[(u16, u16)] = if is_v6 { &ANSWERED_V6 } else { &ANSWERED };
    pairs.iter().find_map(|&(asks, answers)| match kind {
        _ if kind == asks => Some(answers),
        _ if kind == answers => Some(asks),
        _ => None,
    })
}

/// The Community ID of a flow between such ends, seed 0; empty where it has no internet layer.
pub fn id(transport: Transport, ends: [Ip; 2], ports: [u16; 2]) -> String {
    let addresses = ends.map(IpAddr::from);
    let is_v6 = addresses.iter().any(IpAddr::is_ipv6);
    let protocol = match transport {
        Transport::Tcp => number::TCP,
        Transport::Udp => number::UDP,
        Transport::Icmp if is_v6 => number::ICMPV6,
        Transport::Icmp => number::ICMP,
        Transport::Ip(protocol) => protocol,
        Transport::Ethernet | Transport::Arcnet | Transport::Mstp | Transport::Serial | Transport::Profibus => {
            return String::new();
        }
    };
    // What nobody answers has a direction.
    let one_way = transport == Transport::Icmp && answer(is_v6, ports[0]).is_none();
    let turned = !one_way && (ends[1], ports[1]) < (ends[0], ports[0]);
    let order = if turned { [1, 0] } else { [0, 1] };
    let mut hashed = SmallVec::<[u8; 64]>::new();
    hashed.extend([0, 0]);
    for side in order {
        match addresses[side] {
            IpAddr::V4(address) => hashed.extend(address.octets()),
            IpAddr::V6(address) => hashed.extend(address.octets()),
        }
    }
    hashed.extend([protocol, 0]);
    if !matches!(transport, Transport::Ip(_)) || protocol == number::SCTP {
        order.into_iter().for_each(|side| hashed.extend(ports[side].to_be_bytes()));
    }
    let mut id = String::with_capacity(30);
    id.push_str("1:");
    STANDARD.encode_string(digest(&SHA1_FOR_LEGACY_USE_ONLY, &hashed), &mut id);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE_V6: &str = "fe80::200:86ff:fe05:80da";
    const OTHER_V6: &str = "fe80::260:97ff:fe07:69ea";

    #[test]
    fn both_ways_have_the_published_identifier() {
        let cases = [
            (Transport::Tcp, "128.232.110.120", 34_855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
            (Transport::Udp, "192.168.1.52", 54_585, "8.8.8.8", 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
            (Transport::Icmp, "192.168.0.89", 8, "192.168.0.1", 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
            (Transport::Icmp, ONE_V6, 135, OTHER_V6, 136, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
            (Transport::Icmp, OTHER_V6, 134, "ff02::1", 133, "1:pkvHqCL88/tg1k4cPigmZXUtL00="),
            (Transport::Ip(number::SCTP), "192.168.170.8", 7, "192.168.170.56", 80, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="),
            (Transport::Ip(46), "10.1.24.4", 0, "10.1.12.1", 0, "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4="),
        ];
        for (transport, client, client_port, server, server_port, expected) in cases {
            let ends = [client, server].map(|text| Ip::from(text.parse::<IpAddr>().unwrap()));
            let ports = [client_port, server_port];
            assert_eq!(id(transport, ends, ports), expected);
            assert_eq!(id(transport, [ends[1], ends[0]], [ports[1], ports[0]]), expected);
        }
    }

    #[test]
    fn icmp_has_its_type_and_the_answer_to_it_or_its_code() {
        let cases = [(false, 8, 0, [8, 0]), (false, 0, 0, [0, 8]), (false, 3, 1, [3, 1]), (true, 135, 0, [135, 136])];
        for (is_v6, kind, code, ports) in cases {
            assert_eq!(icmp_ports(is_v6, kind, code), ports);
        }
        assert_eq!(id(Transport::Ethernet, [Ip(1), Ip(2)], [0; 2]), "");
    }
}
