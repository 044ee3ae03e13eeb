//! DHCP for IPv4 (RFC 2131, RFC 2132) and BOOTP (RFC 951): which host asks, what it says of itself, and who gives it
//! which address. DHCP for IPv6 is in `v6`.

#[cfg(test)]
mod tests;
pub mod v6;

use std::net::Ipv4Addr;

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::exchange::Status;
use crate::model::{Attribute, Operation, Protocol};
use crate::net::link::{Mac, Station};
use crate::protocols::solo;
use crate::session::{Chunk, Output, Probe, Recognition};
use crate::tables;

/// UDP ports of servers and clients.
const PORTS: [u16; 2] = [67, 68];
const COOKIE: u32 = 0x6382_5363;
/// Offsets of the fields (RFC 2131, 2).
const SECONDS: std::ops::Range<usize> = 8..10;
const TRANSACTION: std::ops::Range<usize> = 4..8;
/// Options read of one message.
const MAX_OPTIONS: usize = 128;
const ETHERNET: u8 = 1;

/// Tells from a datagram whether it is a message of DHCP or BOOTP.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.datagram();
    let &[1 | 2, _, 0..=16, ..] = bytes else { return Recognition::No };
    let is_own = PORTS.iter().any(|port| probe.ports.contains(port));
    match Message::read(bytes) {
        Ok(message) if is_own || message.has_cookie => {
            // A message that is sent again has another time since it began, maybe another number.
            solo::recognised_but(Protocol::Dhcp, read, |earlier, datagram| {
                earlier.len() == datagram.len()
                    && earlier.get(..TRANSACTION.start) == datagram.get(..TRANSACTION.start)
                    && earlier.get(SECONDS.end..) == datagram.get(SECONDS.end..)
            })
        }
        _ => Recognition::No,
    }
}

/// Codes of options (RFC 2132, and RFC 3046 for 82, RFC 4702 for 81).
mod option {
    pub const PAD: u8 = 0;
    pub const AUTHENTICATION: u8 = 90; // RFC 3118
    pub const ROUTER: u8 = 3;
    pub const NAME_SERVERS: u8 = 6;
    pub const HOST_NAME: u8 = 12;
    pub const DOMAIN_NAME: u8 = 15;
    pub const REQUESTED: u8 = 50;
    pub const LEASE: u8 = 51;
    pub const OVERLOAD: u8 = 52;
    pub const TYPE: u8 = 53;
    pub const SERVER: u8 = 54;
    pub const PARAMETERS: u8 = 55;
    pub const MESSAGE: u8 = 56;
    pub const VENDOR_CLASS: u8 = 60;
    pub const CLIENT: u8 = 61;
    pub const BOOT_SERVER: u8 = 66;
    pub const BOOT_FILE: u8 = 67;
    pub const FQDN: u8 = 81;
    pub const AGENT: u8 = 82;
    pub const END: u8 = 255;
}

struct Message<'a> {
    is_request: bool,
    mac: Option<Mac>,
    /// Addresses: the client's, the one given to it, of the next server, of the relay.
    client: Ipv4Addr,
    given: Ipv4Addr,
    next_server: Ipv4Addr,
    relay: Ipv4Addr,
    names: [&'a [u8]; 2],
    has_cookie: bool,
    options: Vec<(u8, &'a [u8])>,
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, Short> {
        let mut cursor = Cursor::new(bytes);
        let is_request = cursor.u8("op")? == 1;
        let (kind, length) = (cursor.u8("htype")?, cursor.u8("hlen")?);
        cursor.take(9, "hops to flags")?;
        let mut addresses = [Ipv4Addr::UNSPECIFIED; 4];
        for address in &mut addresses {
            *address = Ipv4Addr::from(cursor.u32_be("address")?);
        }
        let [client, given, next_server, relay] = addresses;
        let hardware = cursor.take(16, "chaddr")?;
        let mac = hardware.get(..6).and_then(|mac| mac.try_into().ok());
        let mac = mac.filter(|mac: &Mac| kind == ETHERNET && length == 6 && *mac != [0; 6]);
        let (name, file) = (cursor.take(64, "sname")?, cursor.take(128, "file")?);
        let has_cookie = cursor.u32_be("magic cookie").is_ok_and(|cookie| cookie == COOKIE);
        let mut message = Message {
            is_request,
            mac,
            client,
            given,
            next_server,
            relay,
            names: [name, file],
            has_cookie,
            options: Vec::new(),
        };
        if has_cookie {
            message.read_options(cursor.rest());
            // File name and server name hold options too where this says so (RFC 2132, 9.3).
            let overload = message.one(option::OVERLOAD).and_then(<[u8]>::first).copied().unwrap_or_default();
            for (bit, field) in [(1, file), (2, name)] {
                if overload & bit != 0 {
                    message.read_options(field);
                    message.names[if bit == 1 { 1 } else { 0 }] = &[];
                }
            }
        }
        Ok(message)
    }

    fn read_options(&mut self, mut rest: &'a [u8]) {
        while let [code, more @ ..] = rest {
            match (*code, more) {
                (option::PAD, _) => rest = more,
                (option::END, _) => return,
                (code, [length, data @ ..]) if self.options.len() < MAX_OPTIONS => {
                    let Some((value, more)) = data.split_at_checked(usize::from(*length)) else { return };
                    self.options.push((code, value));
                    rest = more;
                }
                _ => return,
            }
        }
    }

    fn one(&self, code: u8) -> Option<&'a [u8]> {
        self.options.iter().find(|(other, _)| *other == code).map(|(_, value)| *value)
    }

    fn text(&self, code: u8) -> String {
        self.one(code).map(printable).unwrap_or_default()
    }

    fn addresses(&self, code: u8) -> impl Iterator<Item = Ipv4Addr> + 'a {
        let octets = self.one(code).unwrap_or_default().chunks_exact(4);
        octets.filter_map(|octets| Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?)))
    }

    /// The client's whole name: as octets of text, or as labels (RFC 4702, 2.3).
    fn whole_name(&self) -> String {
        const AS_LABELS: u8 = 0x04;
        match self.one(option::FQDN) {
            Some([flags, _, _, name @ ..]) if flags & AS_LABELS != 0 => labels(name),
            Some([_, _, _, name @ ..]) => printable(name),
            _ => String::new(),
        }
    }
}

/// A name as labels without pointers.
fn labels(mut octets: &[u8]) -> String {
    let mut text = String::new();
    while let [length @ 1..=63, rest @ ..] = octets {
        let Some((label, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
        if !text.is_empty() {
            text.push('.');
        }
        text.push_str(&printable(label));
        octets = rest;
    }
    text
}

fn listed<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.take(16).map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn address(address: Ipv4Addr) -> String {
    if address.is_unspecified() { String::new() } else { address.to_string() }
}

/// An identifier of a client: kind and octets, of which those of Ethernet are a MAC address (RFC 2132, 9.14).
fn client_id(octets: &[u8]) -> String {
    match octets {
        [ETHERNET, mac @ ..] if mac.len() == 6 => Station::Mac(mac.try_into().unwrap_or_default()).to_string(),
        [0, text @ ..] if !text.is_empty() && text.iter().all(u8::is_ascii_graphic) => printable(text),
        _ => hexadecimal(octets),
    }
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().take(64).map(|octet| format!("{octet:02x}")).collect()
}

fn text_or_hexadecimal(octets: &[u8]) -> String {
    let is_text = !octets.is_empty() && octets.iter().all(|octet| (0x20..0x7f).contains(octet));
    if is_text { printable(octets) } else { hexadecimal(octets) }
}

fn read(chunk: Chunk<'_>, out: &mut Output) {
    let Ok(message) = Message::read(chunk.bytes) else { return };
    let kind = message.one(option::TYPE).and_then(<[u8]>::first).copied();
    let code = kind.and_then(|kind| tables::find(tables::dhcp::MESSAGES, u32::from(kind)));
    let (action, operation) = match (code, kind, message.is_request) {
        (Some(code), ..) => (code.name, code.operation.unwrap_or(Operation::Unknown)),
        (None, Some(_), _) => ("unknown", Operation::Unknown),
        (None, None, true) => ("bootrequest", Operation::Discover),
        (None, None, false) => ("bootreply", Operation::Report),
    };
    let client = if message.is_request { chunk.direction } else { chunk.direction.opposite() };
    let mut activity = Activity::new(client, action, operation);
    match action {
        "offer" | "ack" | "bootreply" => activity.status = Status::Ok,
        "nak" | "decline" => activity.status = Status::Error,
        _ => {}
    }
    fields(&message, kind, &mut activity);
    out.activity(activity);
    claims(&message, action, out);
}

fn fields(message: &Message<'_>, kind: Option<u8>, activity: &mut Activity) {
    activity.put(Field::DhcpMessageType, kind.map(|kind| kind.to_string()).unwrap_or_default());
    activity.put(Field::DhcpClientMac, message.mac.map(|mac| Station::Mac(mac).to_string()).unwrap_or_default());
    activity.put(Field::DhcpHostname, message.text(option::HOST_NAME));
    activity.put(Field::DhcpFqdn, message.whole_name());
    activity.put(Field::DhcpVendorClass, message.text(option::VENDOR_CLASS));
    activity.put(Field::DhcpClientId, message.one(option::CLIENT).map(client_id).unwrap_or_default());
    let given = if message.given.is_unspecified() { message.client } else { message.given };
    activity.put(Field::DhcpAssigned, address(given));
    activity.put(Field::DhcpRequested, listed(message.addresses(option::REQUESTED)));
    activity.put(Field::DhcpServer, listed(message.addresses(option::SERVER)));
    activity.put(Field::DhcpRelay, address(message.relay));
    activity.put(Field::DhcpRouter, listed(message.addresses(option::ROUTER)));
    activity.put(Field::DhcpDns, listed(message.addresses(option::NAME_SERVERS)));
    activity.put(Field::DhcpDomain, message.text(option::DOMAIN_NAME));
    let lease = message.one(option::LEASE).and_then(|lease| Some(u32::from_be_bytes(lease.try_into().ok()?)));
    activity.put(Field::DhcpLease, lease.map(|lease| lease.to_string()).unwrap_or_default());
    activity.put(Field::DhcpBootServer, address(message.next_server));
    for (code, name) in [(option::BOOT_SERVER, message.names[0]), (option::BOOT_FILE, message.names[1])] {
        let field = if code == option::BOOT_FILE { Field::DhcpBootFile } else { Field::DhcpBootServer };
        let name = name.split(|octet| *octet == 0).next().unwrap_or_default();
        activity.put(field, printable(message.one(code).unwrap_or(name)));
    }
    activity.put(Field::DhcpMessage, message.text(option::MESSAGE));
    // A token that is sent as it is, or what proves a key.
    if message.one(option::AUTHENTICATION).is_some() {
        activity.put_secret("dhcp authentication", None);
    }
    let parameters = message.one(option::PARAMETERS).unwrap_or_default();
    activity.put(Field::DhcpParameters, parameters.iter().map(u8::to_string).collect::<Vec<_>>().join(","));
    // Sub-options: the circuit that the client is on, and its remote end (RFC 3046, 2.0).
    let mut agent = message.one(option::AGENT).unwrap_or_default();
    while let [code, length, rest @ ..] = agent {
        let Some((value, rest)) = rest.split_at_checked(usize::from(*length)) else { break };
        match code {
            1 => activity.put(Field::DhcpCircuit, text_or_hexadecimal(value)),
            2 => activity.put(Field::DhcpRemote, text_or_hexadecimal(value)),
            _ => {}
        }
        agent = rest;
    }
}

/// What a client says of itself, known by its hardware address and by the network address that it has; of servers and
/// routers, that they are such.
fn claims(message: &Message<'_>, action: &str, out: &mut Output) {
    use Attribute::{Domain, Hostname, Mac, OperatingSystem, RoleHint, Software};
    let name = Some(message.whole_name()).filter(|name| !name.is_empty()).unwrap_or(message.text(option::HOST_NAME));
    let class = message.text(option::VENDOR_CLASS);
    let system = operating_system(&class);
    // A class that stands for a system is no product besides.
    let class = if system.is_empty() { class } else { String::new() };
    if message.is_request {
        let own = message.client;
        let said = [(Hostname, &*name), (Software, &*class), (OperatingSystem, &*system)];
        for (attribute, value) in said {
            if let Some(mac) = message.mac {
                out.station_is(mac, attribute, value);
            }
            out.host_is(own.into(), attribute, value);
        }
        if let Some(mac) = message.mac {
            out.host_is(own.into(), Mac, Station::Mac(mac).to_string());
        }
        return;
    }
    if matches!(action, "ack" | "bootreply") {
        let given = if message.given.is_unspecified() { message.client } else { message.given };
        if let Some(mac) = message.mac {
            out.host_is(given.into(), Mac, Station::Mac(mac).to_string());
        }
        out.host_is(given.into(), Hostname, name);
        out.host_is(given.into(), Domain, message.text(option::DOMAIN_NAME));
    }
    if matches!(action, "offer" | "ack" | "nak" | "bootreply") {
        let server = message.addresses(option::SERVER).next();
        match server {
            Some(server) => out.host_is(server.into(), RoleHint, "dhcp-server"),
            None => out.sender_is(RoleHint, "dhcp-server"),
        }
        for (code, role) in [(option::ROUTER, "router"), (option::NAME_SERVERS, "dns-server")] {
            message.addresses(code).take(4).for_each(|address| out.host_is(address.into(), RoleHint, role));
        }
        out.host_is(message.relay.into(), RoleHint, "dhcp-relay");
    }
}

/// The system that a vendor class is usual with; the class itself is kept beside it.
pub(super) fn operating_system(class: &str) -> String {
    match class.split_once(|c: char| !c.is_ascii_alphanumeric()) {
        Some(("MSFT", "98")) => "Windows 98".to_string(),
        Some(("MSFT", _)) => "Windows".to_string(),
        Some(("android", _)) => "Android".to_string(),
        // Name and version of the client, then system, version and machine.
        Some(("dhcpcd", rest)) => rest.split(':').nth(1).unwrap_or_default().replace('-', " "),
        _ => String::new(),
    }
}
