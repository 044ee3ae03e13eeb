//! DHCP for IPv6 (RFC 8415): `type | transaction | options`, or around it the message of a relay.

use std::net::Ipv6Addr;

use super::{hexadecimal, labels, listed, operating_system, text_or_hexadecimal};
use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::model::{Attribute, Operation, Protocol};
use crate::net::link::{Mac, Station};
use crate::protocols::solo;
use crate::session::{Chunk, Output, Probe, Recognition};
use crate::tables::{self, dhcp};

/// UDP ports of clients, and of servers and relays.
const PORTS: [u16; 2] = [546, 547];
/// Relays one behind the other that are followed (RFC 8415, 7.6 has 8).
const MAX_RELAYS: u8 = 8;
/// Types of the messages of relays.
const RELAYS: [u8; 2] = [12, 13];
/// Types of the messages of servers.
const OF_SERVERS: [u8; 4] = [2, 7, 10, 13];

/// Tells from a datagram whether it is a message of DHCPv6.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.datagram();
    let is_own = PORTS.iter().any(|port| probe.ports.contains(port));
    if !is_own || !bytes.first().is_some_and(|kind| (1..=13).contains(kind)) {
        return Recognition::No;
    }
    // Number and time since it began differ when a message is sent again; whoever asks for long does so seldom.
    match Message::read(bytes) {
        Ok(message) if message.whole || probe.cut => solo::recognised(Protocol::Dhcpv6, read),
        _ => Recognition::No,
    }
}

/// Codes of options (RFC 8415, 21; RFC 3646 for name servers, RFC 4704 for the client's name).
mod option {
    pub const CLIENT: u16 = 1;
    pub const SERVER: u16 = 2;
    pub const ADDRESSES: u16 = 3;
    pub const ADDRESS: u16 = 5;
    pub const RELAYED: u16 = 9;
    pub const STATUS: u16 = 13;
    pub const VENDOR_CLASS: u16 = 16;
    pub const INTERFACE: u16 = 18;
    pub const NAME_SERVERS: u16 = 23;
    pub const DOMAINS: u16 = 24;
    pub const PREFIXES: u16 = 25;
    pub const PREFIX: u16 = 26;
    pub const REMOTE: u16 = 37;
    pub const FQDN: u16 = 39;
}

#[derive(Default)]
struct Message {
    kind: u8,
    client: String,
    mac: Option<Mac>,
    server: String,
    given: Vec<String>,
    first_given: Option<Ipv6Addr>,
    status: Option<u16>,
    message: String,
    enterprise: Option<u32>,
    class: String,
    name: String,
    name_servers: Vec<Ipv6Addr>,
    domain: String,
    relay: Option<Ipv6Addr>,
    peer: Option<Ipv6Addr>,
    circuit: String,
    remote: String,
    /// True where the options end where the message does.
    whole: bool,
}

impl Message {
    fn read(bytes: &[u8]) -> Result<Self, Short> {
        let mut message = Message { whole: true, ..Message::default() };
        message.layer(bytes, 0)?;
        Ok(message)
    }

    fn layer(&mut self, bytes: &[u8], depth: u8) -> Result<(), Short> {
        let mut cursor = Cursor::new(bytes);
        self.kind = cursor.u8("msg-type")?;
        if RELAYS.contains(&self.kind) {
            cursor.u8("hop-count")?;
            // The relay next to the client is the innermost, which is read last.
            self.relay = Some(ipv6(cursor.take(16, "link-address")?)).filter(|address| !address.is_unspecified());
            self.peer = Some(ipv6(cursor.take(16, "peer-address")?));
        } else {
            cursor.take(3, "transaction-id")?;
        }
        self.options(cursor.rest(), depth)
    }

    fn options(&mut self, bytes: &[u8], depth: u8) -> Result<(), Short> {
        let mut cursor = Cursor::new(bytes);
        let mut relayed = None;
        while !cursor.is_empty() {
            let (Ok(code), Ok(length)) = (cursor.u16_be("option-code"), cursor.u16_be("option-len")) else {
                self.whole = false;
                break;
            };
            let Ok(value) = cursor.take(usize::from(length), "option-data") else {
                self.whole = false;
                break;
            };
            match code {
                option::RELAYED => relayed = Some(value),
                // Within an address's own options there may be a status, and nothing deeper.
                _ => self.option(code, value, depth).unwrap_or_default(),
            }
        }
        match relayed {
            Some(inner) if depth < MAX_RELAYS => self.layer(inner, depth + 1),
            _ => Ok(()),
        }
    }

    fn option(&mut self, code: u16, value: &[u8], depth: u8) -> Result<(), Short> {
        let mut cursor = Cursor::new(value);
        match code {
            option::CLIENT => (self.client, self.mac) = (hexadecimal(value), hardware(value)),
            option::SERVER => self.server = hexadecimal(value),
            option::ADDRESSES | option::PREFIXES if depth <= MAX_RELAYS => {
                cursor.take(12, "IAID, T1 and T2")?;
                self.options(cursor.rest(), MAX_RELAYS + 1)?;
            }
            option::ADDRESS if self.given.len() < 8 => {
                let address = ipv6(cursor.take(16, "IPv6-address")?);
                self.first_given = self.first_given.or(Some(address));
                self.given.push(address.to_string());
            }
            option::PREFIX if self.given.len() < 8 => {
                cursor.take(8, "lifetimes")?;
                let length = cursor.u8("prefix-length")?;
                self.given.push(format!("{}/{length}", ipv6(cursor.take(16, "IPv6-prefix")?)));
            }
            option::STATUS => {
                self.status = Some(cursor.u16_be("status-code")?);
                self.message = printable(cursor.rest());
            }
            option::VENDOR_CLASS => {
                self.enterprise = Some(cursor.u32_be("enterprise-number")?);
                let length = cursor.u16_be("vendor-class-len")?;
                self.class = text_or_hexadecimal(cursor.take(usize::from(length), "opaque-data")?);
            }
            option::FQDN => {
                cursor.u8("flags")?;
                self.name = labels(cursor.rest());
            }
            option::NAME_SERVERS => self.name_servers = value.chunks_exact(16).take(8).map(ipv6).collect(),
            option::DOMAINS => self.domain = labels(value),
            option::INTERFACE => self.circuit = text_or_hexadecimal(value),
            option::REMOTE => self.remote = text_or_hexadecimal(value.get(4..).unwrap_or_default()),
            _ => {}
        }
        Ok(())
    }
}

fn ipv6(octets: &[u8]) -> Ipv6Addr {
    octets.first_chunk::<16>().map_or(Ipv6Addr::UNSPECIFIED, |octets| Ipv6Addr::from(*octets))
}

/// The MAC address in a DUID with a link-layer address, with or without a time (RFC 8415, 11.2 and 11.4).
fn hardware(duid: &[u8]) -> Option<Mac> {
    match *duid {
        [0, 1, 0, 1, _, _, _, _, ref mac @ ..] | [0, 3, 0, 1, ref mac @ ..] => mac.try_into().ok(),
        _ => None,
    }
}

pub(super) fn read(chunk: Chunk<'_>, out: &mut Output) {
    let Ok(message) = Message::read(chunk.bytes) else { return };
    let code = tables::find(dhcp::V6_MESSAGES, u32::from(message.kind));
    let (action, operation) =
        code.map_or(("unknown", Operation::Unknown), |code| (code.name, code.operation.unwrap_or(Operation::Unknown)));
    let is_of_server = OF_SERVERS.contains(&message.kind);
    let client = if is_of_server { chunk.direction.opposite() } else { chunk.direction };
    let mut activity = Activity::new(client, action, operation);
    if let Some(status) = message.status.or(is_of_server.then_some(0)) {
        let name = tables::name(dhcp::V6_STATUS, u32::from(status));
        activity = activity.ended(if status == 0 { Status::Ok } else { Status::Error }, name);
    }
    let mac = message.mac.map(|mac| Station::Mac(mac).to_string()).unwrap_or_default();
    activity.put(Field::DhcpMessageType, message.kind.to_string());
    activity.put(Field::DhcpClientMac, mac);
    activity.put(Field::DhcpClientId, &*message.client);
    activity.put(Field::DhcpFqdn, &*message.name);
    activity.put(Field::DhcpVendorClass, &*message.class);
    activity.put(Field::DhcpEnterprise, message.enterprise.map(|number| number.to_string()).unwrap_or_default());
    activity.put(Field::DhcpAssigned, message.given.join(", "));
    activity.put(Field::DhcpServer, &*message.server);
    activity.put(Field::DhcpRelay, message.relay.map(|address| address.to_string()).unwrap_or_default());
    activity.put(Field::DhcpDns, listed(message.name_servers.iter()));
    activity.put(Field::DhcpDomain, &*message.domain);
    activity.put(Field::DhcpMessage, &*message.message);
    activity.put(Field::DhcpCircuit, &*message.circuit);
    activity.put(Field::DhcpRemote, &*message.remote);
    out.activity(activity);
    claims(&message, is_of_server, out);
}

fn claims(message: &Message, is_of_server: bool, out: &mut Output) {
    use Attribute::{Hostname, OperatingSystem, RoleHint, Software};
    let system = operating_system(&message.class);
    let class = if system.is_empty() { &*message.class } else { "" };
    let said = [(Hostname, &*message.name), (Software, class), (OperatingSystem, &*system)];
    for (attribute, value) in said.into_iter().filter(|_| !is_of_server) {
        if let Some(mac) = message.mac {
            out.station_is(mac, attribute, value);
        }
        match message.peer {
            Some(peer) => out.host_is(peer.into(), attribute, value),
            None => out.sender_is(attribute, value),
        }
    }
    if !is_of_server {
        return;
    }
    if message.peer.is_none() {
        out.sender_is(RoleHint, "dhcp-server");
    }
    if let Some((address, mac)) = message.first_given.zip(message.mac) {
        out.host_is(address.into(), Attribute::Mac, Station::Mac(mac).to_string());
        out.host_is(address.into(), Hostname, &*message.name);
    }
    message.name_servers.iter().for_each(|server| out.host_is((*server).into(), RoleHint, "dns-server"));
}
