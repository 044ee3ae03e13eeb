//! DNS over UDP and TCP, multicast DNS and link-local multicast name resolution: which name is asked for, and the names
//! of the hosts that answer.

pub mod message;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::activity::{Activity, Field};
use crate::exchange::Status;
use crate::holds::{Holds as _, holds};
use crate::model::{Attribute, Claim, Operation, Protocol, Unit};
use crate::net::ip::Ip;
use crate::secrets::is_without_secret;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, dns};
use message::{Data, Message, Record, kind};

/// Questions that wait for their answer in one flow.
const MAX_OPEN: usize = 64;
/// Octets of a message's header.
const HEADER: usize = 12;
/// Octets before a message over TCP: its length (RFC 1035, 4.2.2).
const LENGTH: usize = 2;

/// Ports of DNS, mDNS (RFC 6762) and LLMNR (RFC 4795).
const PORTS: [(u16, Protocol); 3] = [(53, Protocol::Dns), (5353, Protocol::Mdns), (5355, Protocol::Llmnr)];

/// Tells from a datagram whether it is a message of DNS or its kin.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = if probe.forward.is_empty() { probe.backward } else { probe.forward };
    match recognised(bytes, probe.ports, probe.cut) {
        Some(protocol) => Recognition::Yes(Box::new(Dns::new(protocol, false))),
        None => Recognition::No,
    }
}

/// Tells from the first octets whether a stream is DNS over TCP.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let bytes = probe.bytes(probe.first);
    let Some((length, message)) = bytes.split_first_chunk::<LENGTH>() else { return Recognition::No };
    let length = usize::from(u16::from_be_bytes(*length));
    if !probe.ports.contains(&53) || length < HEADER || message.len() < HEADER {
        return Recognition::No;
    }
    match recognised(&message[..message.len().min(length)], probe.ports, message.len() < length) {
        Some(protocol) => Recognition::Yes(Box::new(Dns::new(protocol, true))),
        None => Recognition::No,
    }
}

/// The protocol of a message: on its own port where it can be read, elsewhere where every octet of it fits.
fn recognised(bytes: &[u8], ports: [u16; 2], cut: bool) -> Option<Protocol> {
    // Opcode, the bit that must be zero, the counts: they rule nearly everything else out.
    let &[_, _, high, low, ref rest @ ..] = bytes else { return None };
    let opcode = high >> 3 & 0x0f;
    if opcode > 5 || opcode == 3 || low & 0x40 != 0 || rest.len() < 8 {
        return None;
    }
    let own = PORTS.iter().find(|(port, _)| ports.contains(port)).map(|(_, protocol)| *protocol);
    let read = message::read(bytes);
    match (own, read) {
        (Some(protocol), Ok(_)) => Some(protocol),
        (Some(protocol), Err(_)) => cut.then_some(protocol),
        (None, Ok(message)) => {
            let known = message.questions.iter().all(|question| !name(question.kind).is_empty());
            let asked = message.questions.len() == 1 && !message.flags.is_response() && message.answers.is_empty();
            (asked && message.whole && known).then_some(Protocol::Dns)
        }
        (None, Err(_)) => None,
    }
}

fn name(kind: u16) -> &'static str {
    tables::name(dns::TYPES, u32::from(kind))
}

/// Keys of the texts beside a service that say what device it is (RFC 6763, 6; Bonjour Printing 1.2.1; Apple's and
/// Google's services).
const KEYS: &[(&str, Attribute)] = &[
    ("model", Attribute::Model),
    ("md", Attribute::Model),
    ("ty", Attribute::Model),
    ("usb_MDL", Attribute::Product),
    ("usb_MFG", Attribute::Vendor),
    ("manufacturer", Attribute::Vendor),
    ("mfg", Attribute::Vendor),
    ("fn", Attribute::Name),
    ("serialNumber", Attribute::Serial),
    ("fv", Attribute::Firmware),
    ("osxvers", Attribute::OperatingSystem),
];

/// What the name servers say of where a domain's controllers are (MS-ADTS, 6.3.2.3).
const CONTROLLERS: [&str; 2] = ["_ldap._tcp.dc._msdcs.", "_kerberos._tcp.dc._msdcs."];

#[derive(Clone)]
struct Open {
    id: u16,
    direction: Direction,
    frame: u64,
    activity: Activity,
}

holds!(Open { activity });

/// A conversation.
#[derive(Clone)]
struct Dns {
    protocol: Protocol,
    is_stream: bool,
    open: VecDeque<Open>,
}

impl Dns {
    fn new(protocol: Protocol, is_stream: bool) -> Self {
        Dns { protocol, is_stream, open: VecDeque::new() }
    }

    fn message(&mut self, message: &Message, direction: Direction, out: &mut Output) {
        if message.flags.is_response() {
            return self.response(message, direction, out);
        }
        let asked = asked(message, direction);
        if self.open.len() >= MAX_OPEN {
            self.give_up(out);
        }
        // A question to all neighbours is answered by whoever has the name, in a flow of his own.
        if self.protocol != Protocol::Dns {
            if !asked.fields.is_empty() {
                out.activity(asked);
            }
            return;
        }
        self.open.push_back(Open { id: message.id, direction, frame: out.frame, activity: asked });
    }

    fn response(&mut self, message: &Message, direction: Direction, out: &mut Output) {
        let client = direction.opposite();
        let place = self.open.iter().position(|open| open.id == message.id && open.direction == client);
        let mut activity = match place.and_then(|place| self.open.remove(place)) {
            Some(open) => Activity { request_frame: Some(open.frame), ..open.activity },
            None if self.protocol == Protocol::Mdns => Activity::new(direction, "announce", Operation::Discover)
                .with(Field::DnsAnswers, told(&message.answers)),
            None => asked(message, client),
        };
        if self.protocol != Protocol::Mdns {
            let code = tables::name(dns::RESPONSE_CODES, u32::from(message.flags.code()));
            let status = if message.flags.code() == 0 { Status::Ok } else { Status::Error };
            activity = activity.ended(status, code).with(Field::DnsAnswers, told(&message.answers));
        }
        if message.answers.iter().any(has_secret) {
            activity.put_secret("password", None);
        }
        out.activity(activity);
        if self.protocol == Protocol::Dns && !message.questions.is_empty() && answers(message) {
            out.sender_is(Attribute::RoleHint, "dns-server");
        }
        for record in message.answers.iter().chain(&message.additional) {
            self.claims(record, out);
        }
        controllers(message, out);
    }

    /// What a record says of a host: that an address has a name; of mDNS, what runs there.
    fn claims(&self, record: &Record, out: &mut Output) {
        let mut claim = |address: Option<IpAddr>, attribute: Attribute, value: &str| {
            let address = address.map(|address| SocketAddr::new(address, 0));
            out.claim(Claim { about_sender: true, address, unit: Unit::None, attribute, value: value.to_string() });
        };
        match (&record.data, record.kind) {
            (Data::Address(address), _) if is_host(*address) => {
                claim(Some(*address), Attribute::Hostname, &record.name)
            }
            (Data::Name(name), kind::PTR) if self.protocol != Protocol::Mdns => {
                if let Some(address) = reversed(&record.name) {
                    claim(Some(address), Attribute::Hostname, name);
                }
            }
            (Data::Name(_), kind::PTR) => service_role(&record.name, out),
            // An instance of a service and its type, which the host that answers has (RFC 6763, 4.1).
            (Data::Service(..), _) if self.protocol == Protocol::Mdns => claim(None, Attribute::Software, &record.name),
            (Data::Texts(texts), kind::HINFO) if self.protocol == Protocol::Mdns => {
                texts.get(1).into_iter().for_each(|text| claim(None, Attribute::OperatingSystem, text));
            }
            (Data::Texts(texts), kind::TXT) if self.protocol == Protocol::Mdns => {
                for (key, value) in texts.iter().filter_map(|text| text.split_once('=')) {
                    if let Some((_, attribute)) = KEYS.iter().find(|(known, _)| *known == key) {
                        claim(None, *attribute, value);
                    }
                }
            }
            _ => {}
        }
    }

    /// The question open longest was not answered.
    fn give_up(&mut self, out: &mut Output) {
        if let Some(open) = self.open.pop_front() {
            out.activity(Activity { request_frame: Some(open.frame), ..open.activity.ended(Status::NoResponse, "") });
        }
    }
}

impl Session for Dns {
    fn protocol(&self) -> Protocol {
        self.protocol
    }

    fn frame(&mut self, _: Direction, bytes: &[u8]) -> Framing {
        let Some(length) = bytes.first_chunk::<LENGTH>() else { return Framing::NeedMore };
        Framing::Message(LENGTH + usize::from(u16::from_be_bytes(*length)))
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let bytes = chunk.bytes.get(if self.is_stream { LENGTH } else { 0 }..).unwrap_or_default();
        if let Ok(message) = message::read(bytes) {
            self.message(&message, chunk.direction, out);
        }
    }

    fn may_forget(&self) -> bool {
        !self.is_stream && self.open.is_empty()
    }

    fn close(&mut self, out: &mut Output) {
        while !self.open.is_empty() {
            self.give_up(out);
        }
    }

    fn held(&self) -> usize {
        self.open.holds()
    }
}

/// A question as an activity.
fn asked(message: &Message, client: Direction) -> Activity {
    let opcode = tables::find(dns::OPCODES, u32::from(message.flags.opcode()));
    let (action, operation) = opcode
        .map_or(("unknown", Operation::Unknown), |code| (code.name, code.operation.unwrap_or(Operation::Unknown)));
    let mut activity = Activity::new(client, action, operation);
    for question in message.questions.iter().take(4) {
        activity.put(Field::DnsQuestionName, &*question.name);
        let name = name(question.kind);
        let number = || format!("TYPE{}", question.kind); // RFC 3597, 5
        activity.put(Field::DnsQuestionType, if name.is_empty() { number() } else { name.to_string() });
    }
    activity
}

/// True where a server knows an answer, or that there is none.
fn answers(message: &Message) -> bool {
    const NO_SUCH_NAME: u8 = 3;
    matches!(message.flags.code(), 0 | NO_SUCH_NAME)
}

/// The role of a host that has a service of this type.
fn service_role(kind: &str, out: &mut Output) {
    if let Some(code) = dns::SERVICE_TYPES.iter().find(|code| kind.starts_with(code.name)) {
        out.sender_is(Attribute::RoleHint, code.kind);
    }
}

/// The hosts that an answer names as controllers of a domain, where it has their addresses too.
fn controllers(message: &Message, out: &mut Output) {
    let is_asked = |record: &&Record| CONTROLLERS.iter().any(|start| record.name.starts_with(start));
    for named in message.answers.iter().filter(is_asked) {
        let Data::Service(_, host) = &named.data else { continue };
        for record in message.additional.iter().filter(|record| record.name.eq_ignore_ascii_case(host)) {
            if let Data::Address(address) = record.data {
                out.host_is(address, Attribute::RoleHint, "domain-controller");
            }
        }
    }
}

/// True where one of the texts is a secret's name, whose value was left out.
fn has_secret(record: &Record) -> bool {
    matches!(&record.data, Data::Texts(texts) if texts.iter().any(|text| is_without_secret(text)))
}

/// Answers as text.
fn told(records: &[Record]) -> String {
    let mut told = String::new();
    for record in records.iter().filter(|record| !matches!(record.data, Data::Other)) {
        if !told.is_empty() {
            told.push_str(", ");
        }
        // Writing into a String cannot fail.
        let _ = match &record.data {
            Data::Address(address) => write!(told, "{}", Ip::from(*address)),
            Data::Name(name) => told.write_str(name),
            Data::Service(port, name) => write!(told, "{name}:{port}"),
            Data::Texts(texts) => told.write_str(&texts.join(" ")),
            Data::Other => Ok(()),
        };
    }
    told
}

/// True where an address can be a host's.
fn is_host(address: IpAddr) -> bool {
    !(address.is_unspecified() || address.is_loopback() || address.is_multicast())
}

/// The same of `ip6.arpa`: a label for each half of an octet (RFC 3596, 2.5).
fn reversed_six(labels: &str) -> Option<Ipv6Addr> {
    let mut bits = 0u128;
    let mut parts = labels.split('.').rev();
    for _ in 0..32 {
        let label = parts.next().filter(|label| label.len() == 1)?;
        bits = bits << 4 | u128::from(u8::from_str_radix(label, 16).ok()?);
    }
    parts.next().is_none().then(|| Ipv6Addr::from(bits))
}

/// The address that a name in `in-addr.arpa` stands for (RFC 1035, 3.5).
fn reversed(name: &str) -> Option<IpAddr> {
    if let Some(labels) = name.strip_suffix(".ip6.arpa") {
        return reversed_six(labels).map(IpAddr::from);
    }
    let labels = name.strip_suffix(".in-addr.arpa")?;
    let mut octets = [0; 4];
    let mut parts = labels.split('.').rev();
    for octet in &mut octets {
        *octet = parts.next()?.parse().ok()?;
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets).into())
}
