//! What a packet is worth where not all can be decoded: a cheap look at its headers, before it is queued.

use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::flows::{Key, Transport};
use crate::net::ip::{self, number};
use crate::net::link::{self, ethertype};
use crate::services;
use crate::tables::services as table;

/// Services of control systems in `tables/services.toml`; a test looks for those of `vocabulary.OT_SERVICES`.
const CONTROL: &str = " ads atg bacnet c1222 codesys dlms dnp3 dnp3-tls egd enip enip-io ethercat ff-annunciation fins \
     ge-srtp goose hart-ip iec104 iso-tsap knx melsec mms modbus niagara-fox niagara-foxs opcua pcom pcworx powerlink \
     profinet profinet-cm profinet-rt profinet-rtm proconos red-lion s7comm s7comm-plus sercos sv synchrophasor ";
/// UDP ports of tunnels: what is inside may be anything.
const TUNNELS: [u16; 7] = [1701, 4754, 4789, 4790, 6081, 6635, 8472];
/// Conversations that are remembered as a control system's; a newer one may take the place of an older.
const SEATS: usize = 1 << 14;

/// Packets by how much is lost with them, the least first: in this order they are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// TCP or UDP of no control system, with a payload. Given up, it is cut to its headers.
    Payload,
    /// The same as a whole.
    Session,
    /// Whatever is neither TCP nor UDP, tunnels, and what cannot be read.
    Other,
    /// Control systems' protocols by port, EtherType, or because the engine recognised the conversation.
    Control,
}

impl Class {
    /// All of them, in the order in which they are given up.
    pub const ALL: [Class; 4] = [Class::Payload, Class::Session, Class::Other, Class::Control];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Class::Payload => "it_payload",
            Class::Session => "it",
            Class::Other => "other",
            Class::Control => "control",
        }
    }

    /// How full the queue is, in hundredths, when packets of the class begin to be given up. The last two fifths are
    /// control systems' alone: at the rates measured they last about two seconds.
    pub const fn given_up_at(self) -> usize {
        match self {
            Class::Payload => 25,
            Class::Session => 40,
            Class::Other => 60,
            Class::Control => 100,
        }
    }
}

/// What a look shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Never [`Class::Payload`] where the packet has none.
    pub class: Class,
    /// Octets up to the payload of TCP or UDP.
    pub headers: usize,
}

/// Conversations that the engine knows as control systems', told to those who look at packets.
pub struct Conversations {
    seats: Box<[AtomicU64]>,
    hasher: foldhash::fast::RandomState,
}

impl Default for Conversations {
    fn default() -> Self {
        let seats = (0..SEATS).map(|_| AtomicU64::new(0)).collect();
        Conversations { seats, hasher: foldhash::fast::RandomState::default() }
    }
}

impl Conversations {
    /// Remembers a conversation.
    pub fn add(&self, key: &Key) {
        let hash = self.hasher.hash_one(key);
        self.seats[hash as usize % SEATS].store(hash, Relaxed);
    }

    fn has(&self, key: &Key) -> bool {
        let hash = self.hasher.hash_one(key);
        self.seats[hash as usize % SEATS].load(Relaxed) == hash
    }
}

/// Ports of control systems, of TCP and UDP.
static PORTS: LazyLock<[Box<[bool]>; 2]> = LazyLock::new(|| {
    [table::TCP, table::UDP].map(|codes| {
        let mut ports = vec![false; 1 << 16];
        let control = codes.iter().filter(|code| is_control(code.name));
        control.for_each(|code| ports[code.code as usize & 0xffff] = true);
        ports.into()
    })
});

fn is_control(service: &str) -> bool {
    CONTROL.contains(&format!(" {service} "))
}

/// Looks at a packet.
pub fn look(link_type: u16, data: &[u8], conversations: &Conversations) -> Look {
    let (class, headers) = class(link_type, data, conversations).unwrap_or((Class::Other, data.len()));
    Look { class: if class == Class::Payload && headers >= data.len() { Class::Session } else { class }, headers }
}

fn class(link_type: u16, data: &[u8], conversations: &Conversations) -> Option<(Class, usize)> {
    let link = link::parse(link_type, data)?.ok()?;
    let packet = match link.ethertype {
        ethertype::IPV4 => ip::ipv4(link.payload).ok()?,
        ethertype::IPV6 => ip::ipv6(link.payload).ok()?,
        ethertype::BACNET => return Some((Class::Control, data.len())),
        other => return services::by_ethertype(other).map(|_| (Class::Control, data.len())),
    };
    if packet.fragment.is_some() {
        return None;
    }
    let (ports, payload, transport) = match packet.protocol {
        number::TCP => ip::tcp(&packet).ok().map(|segment| (segment.ports, segment.payload, Transport::Tcp))?,
        number::UDP => ip::udp(&packet).ok().map(|datagram| (datagram.ports, datagram.payload, Transport::Udp))?,
        _ => return None,
    };
    let known = &PORTS[usize::from(transport == Transport::Udp)];
    let key = Key::new([packet.source, packet.destination], ports, transport);
    if ports.iter().any(|port| known[usize::from(*port)]) || conversations.has(&key) {
        return Some((Class::Control, data.len()));
    }
    if transport == Transport::Udp && ports.iter().any(|port| TUNNELS.contains(port)) {
        return None;
    }
    let headers = match payload.is_empty() {
        true => data.len(),
        false => (payload.as_ptr() as usize).saturating_sub(data.as_ptr() as usize).min(data.len()),
    };
    Some((Class::Payload, headers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ip::Ip;

    const ETHERNET: u16 = 1;

    fn frame(ethertype: u16, payload: &[u8]) -> Vec<u8> {
        [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2], &ethertype.to_be_bytes()[..], payload].concat()
    }

    fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
        let total = (20 + payload.len() as u16).to_be_bytes();
        let header = [0x45, 0, total[0], total[1], 0, 1, 0x40, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        frame(0x0800, &[&header, payload].concat())
    }

    fn ports(from: u16, to: u16) -> Vec<u8> {
        [from.to_be_bytes(), to.to_be_bytes()].concat()
    }

    fn tcp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
        let header = [&ports(from, to)[..], &[0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0x20, 0, 0, 0, 0, 0]].concat();
        ipv4(6, &[&header, payload].concat())
    }

    fn udp(from: u16, to: u16, payload: &[u8]) -> Vec<u8> {
        let length = (8 + payload.len() as u16).to_be_bytes();
        ipv4(17, &[&ports(from, to)[..], &length, &[0, 0], payload].concat())
    }

    #[test]
    fn every_class_is_told_by_headers() {
        let whole = 14 + 20 + 20 + 2;
        let cases = [
            ("modbus", tcp(49_152, 502, b"ab"), Class::Control, whole),
            ("its answer", tcp(502, 49_152, b"ab"), Class::Control, whole),
            ("bacnet", udp(47_808, 47_808, b"ab"), Class::Control, whole - 12),
            ("profinet", frame(0x8892, b"ab"), Class::Control, 16),
            ("bacnet in LLC", frame(5, &[0x82, 0x82, 3, 1, 0]), Class::Control, 19),
            ("web", tcp(49_152, 443, b"ab"), Class::Payload, whole - 2),
            ("web, no payload", tcp(49_152, 443, b""), Class::Session, whole - 2),
            ("dns", udp(49_152, 53, b"ab"), Class::Payload, whole - 14),
            ("vxlan", udp(49_152, 4789, b"ab"), Class::Other, whole - 12),
            ("arp", frame(0x0806, b"ab"), Class::Other, 16),
            ("gre", ipv4(47, b"ab"), Class::Other, 36),
            ("cut", vec![1, 2, 3], Class::Other, 3),
        ];
        for (name, data, class, headers) in cases {
            assert_eq!(look(ETHERNET, &data, &Conversations::default()), Look { class, headers }, "{name}");
        }
    }

    #[test]
    fn a_conversation_that_the_engine_knows_is_control_whatever_its_port() {
        let conversations = Conversations::default();
        let key = Key::new([Ip::v4([10, 0, 0, 2]), Ip::v4([10, 0, 0, 1])], [5020, 49_152], Transport::Tcp);
        let packets = [tcp(49_152, 5020, b"ab"), tcp(49_153, 5020, b"ab")];
        let classes = || packets.each_ref().map(|data| look(ETHERNET, data, &conversations).class);
        assert_eq!(classes(), [Class::Payload; 2]);
        conversations.add(&key);
        assert_eq!(classes(), [Class::Control, Class::Payload]);
    }

    #[test]
    fn control_services_of_the_vocabulary_are_control() {
        let text = include_str!("../../vocabulary.py");
        let list = text.split("OT_SERVICES: Final = frozenset(").nth(1).and_then(|rest| rest.split(')').next());
        let words: Vec<&str> = list.unwrap().split('"').skip(1).step_by(2).collect();
        for code in [table::TCP, table::UDP, table::ETHERNET].into_iter().flatten() {
            assert!(is_control(code.name) || !words.contains(&code.name), "{}", code.name);
        }
    }
}
