//! The remote desktop (MS-RDPBCGR): who connects, with which security; then the handshake of TLS, or of standard
//! security.

mod gcc;
#[cfg(test)]
mod tests;
pub mod udp;

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::exchange::Status;
use crate::holds::Holds as _;
use crate::model::{Attribute, Claim, Operation, Protocol, Unit};
use crate::protocols::cotp::{self, Start, Tpdu, code};
use crate::protocols::tls::Handshake;
use crate::protocols::tls::hello::Carrier;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::{self, rdp};
use gcc::Conference;

/// The port of the remote desktop.
const PORT: u16 = 3389;
/// Octets of the fixed part of a connection request or confirm (X.224, 13.3.3).
const FIXED: usize = 6;
/// Octets of a negotiation's message (MS-RDPBCGR, 2.2.1.1.1).
const NEGOTIATION: u16 = 8;
/// What a cookie starts with that names a user (MS-RDPBCGR, 2.2.1.1).
const COOKIE: &[u8] = b"Cookie: mstshash=";
/// Packets after which nothing more is waited for.
const MAX_PACKETS: u8 = 16;

/// Types of a negotiation's messages.
mod kind {
    pub(super) const REQUEST: u8 = 1;
    /// A response is between the two.
    pub(super) const FAILURE: u8 = 3;
}

/// A message of the negotiation: its type, and protocols or the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Negotiation {
    kind: u8,
    value: u32,
}

/// What stands behind the fixed part of a connection request or confirm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Variable {
    cookie: Option<String>,
    has_token: bool,
    negotiation: Option<Negotiation>,
}

impl Variable {
    fn read(header: &[u8]) -> Self {
        let mut rest = header.get(FIXED..).unwrap_or_default();
        let mut found = Variable::default();
        if let Some(end) = memchr::memmem::find(rest, b"\r\n") {
            let line = &rest[..end];
            found.cookie = line.strip_prefix(COOKIE).map(printable);
            // A token leads to a server of a farm.
            found.has_token = line.starts_with(b"Cookie: ") || line.starts_with(b"tsv://");
            if found.has_token {
                rest = &rest[end + 2..];
            }
        }
        if let &[kind, _, low, high, a, b, c, d, ..] = rest {
            if matches!(kind, kind::REQUEST..=kind::FAILURE) && u16::from_le_bytes([low, high]) == NEGOTIATION {
                found.negotiation = Some(Negotiation { kind, value: u32::from_le_bytes([a, b, c, d]) });
            }
        }
        found
    }
}

/// What the first packet of a side says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Nothing,
    Maybe,
    Mine,
}

/// Tells from the first octets whether a stream is the remote desktop. Others have the same transport: it is known by
/// its cookie, its negotiation, or the conference behind a request without either.
pub fn probe_stream(probe: &Probe<'_>) -> Recognition {
    let looks = [probe.forward, probe.backward].map(look);
    match () {
        () if looks.contains(&Look::Mine) => {
            let client = probe.opener.or_else(|| probe.direction_to(PORT));
            Recognition::Yes(Box::new(Rdp { client, ..Rdp::default() }))
        }
        () if looks.contains(&Look::Maybe) => Recognition::Undecided,
        () => Recognition::No,
    }
}

fn look(mut bytes: &[u8]) -> Look {
    let mut seen = Look::Nothing;
    loop {
        let length = match cotp::start(bytes) {
            Start::Packet(length) => length,
            Start::NeedMore if !bytes.is_empty() => return Look::Maybe,
            Start::NeedMore => return seen,
            Start::Nothing => return Look::Nothing,
        };
        let packet = bytes.get(..length).unwrap_or(bytes);
        let Ok(tpdu) = Tpdu::of(packet) else {
            return if packet.len() < length { Look::Maybe } else { Look::Nothing };
        };
        match tpdu.code {
            code::CONNECT | code::CONFIRM => {
                let variable = Variable::read(tpdu.header);
                if variable.has_token || variable.negotiation.is_some() {
                    return Look::Mine;
                }
                if tpdu.header.len() > FIXED {
                    return Look::Nothing;
                }
                seen = Look::Maybe;
            }
            code::DATA if matches!(tpdu.data, [0x7f, 0x65 | 0x66, ..]) => return Look::Mine,
            _ => return Look::Nothing,
        }
        bytes = bytes.get(length..).unwrap_or_default();
    }
}

/// A conversation.
#[derive(Clone, Debug, Default)]
struct Rdp {
    client: Option<Direction>,
    first_frame: Option<u64>,
    cookie: String,
    requested: Option<u32>,
    selected: Option<u32>,
    failure: Option<u32>,
    conference: [Option<Conference>; 2],
    assemblies: [cotp::Assembly; 2],
    handshake: Handshake,
    has_tls: bool,
    packets: u8,
    told: bool,
}

impl Rdp {
    fn packet(&mut self, chunk: &Chunk<'_>, out: &mut Output) {
        self.packets = self.packets.saturating_add(1);
        let Ok(tpdu) = Tpdu::of(chunk.bytes) else { return };
        match tpdu.code {
            code::CONNECT => {
                self.client = Some(chunk.direction);
                self.first_frame = Some(out.frame);
                let variable = Variable::read(tpdu.header);
                self.cookie = variable.cookie.unwrap_or_default();
                self.requested = Some(variable.negotiation.map_or(0, |negotiation| negotiation.value));
            }
            code::CONFIRM => {
                self.client = self.client.or(Some(chunk.direction.opposite()));
                match Variable::read(tpdu.header).negotiation {
                    Some(Negotiation { kind: kind::FAILURE, value }) => self.failure = Some(value),
                    answer => self.selected = Some(answer.map_or(0, |negotiation| negotiation.value)),
                }
            }
            code::DATA => {
                let assembly = &mut self.assemblies[chunk.direction as usize];
                let whole = assembly.join(&tpdu, chunk.wire_length, chunk.is_whole());
                if let Some(conference) = whole.and_then(|whole| gcc::read(&whole.octets)) {
                    self.conference(conference, chunk.direction, out);
                }
            }
            _ => {}
        }
    }

    fn conference(&mut self, conference: Conference, direction: Direction, out: &mut Output) {
        if conference.is_response {
            self.client = self.client.or(Some(direction.opposite()));
            self.handshake.facts.client = self.client;
            // Issuers come first, the server's own is the last (MS-RDPELE, 2.2.1.4.2).
            if let Some(certificate) = conference.certificates.last() {
                self.handshake.facts.certificate(direction, certificate, out);
            }
        } else {
            self.client = Some(direction);
            self.first_frame = self.first_frame.or(Some(out.frame));
            if let Some(name) = conference.client.as_ref().filter(|name| !name.is_empty()) {
                out.claim(Claim {
                    about_sender: true,
                    address: None,
                    unit: Unit::None,
                    attribute: Attribute::Hostname,
                    value: name.clone(),
                });
            }
        }
        let side = usize::from(conference.is_response);
        self.conference[side] = Some(conference);
    }

    fn activity(&self) -> Activity {
        let mut activity = Activity::new(self.client.unwrap_or(Direction::Forward), "connect", Operation::Session);
        activity.request_frame = self.first_frame;
        activity.put(Field::RdpCookie, &*self.cookie);
        // Domain and user, or a user alone; often cut to nine characters.
        let (domain, user) = self.cookie.split_once('\\').unwrap_or(("", &self.cookie));
        activity.put(Field::UserName, user);
        activity.put(Field::UserDomain, domain);
        activity.put(Field::RdpRequested, self.requested.map(protocols).unwrap_or_default());
        activity.put(Field::RdpSecurity, self.selected.map(protocols).unwrap_or_default());
        let [client, server] = &self.conference;
        if let Some(client) = client {
            activity.put(Field::RdpClientName, client.client.as_deref().unwrap_or_default());
            activity.put(Field::RdpClientBuild, client.build.map(build).unwrap_or_default());
            activity.put(Field::RdpKeyboard, client.keyboard.map(keyboard).unwrap_or_default());
        }
        let method = server.as_ref().and_then(|server| server.method);
        activity.put(Field::RdpEncryption, method.map_or("", |method| tables::name(rdp::METHODS, method)));
        match self.has_tls {
            true => self.handshake.put(&mut activity),
            false => self.handshake.facts.put(&mut activity, Carrier::Stream),
        }
        let (status, code) = match self.failure {
            Some(reason) => {
                let name = tables::name(rdp::FAILURES, reason);
                (Status::Error, if name.is_empty() { format!("failure {reason}") } else { name.to_string() })
            }
            None if self.has_tls => self.handshake.outcome(),
            None if server.is_some() => (Status::Ok, String::new()),
            None if self.selected.is_some() && self.requested.is_some() => (Status::Cut, String::new()),
            None if self.selected.is_some() => (Status::ResponseOnly, String::new()),
            None => (Status::NoResponse, String::new()),
        };
        activity.ended(status, code)
    }
}

/// The names of security protocols.
fn protocols(bits: u32) -> String {
    if bits == 0 {
        return tables::name(rdp::SECURITY, 0).to_string();
    }
    let names = rdp::SECURITY.iter().filter(|protocol| bits & protocol.code != 0).map(|protocol| protocol.name);
    names.collect::<Vec<_>>().join(", ")
}

/// A build of the client with the version that it belongs to.
fn build(number: u32) -> String {
    match tables::name(rdp::BUILDS, number) {
        "" => number.to_string(),
        version => format!("{version} ({number})"),
    }
}

/// A layout; the lower half of a variant's number is the language that it is for.
fn keyboard(layout: u32) -> String {
    match (tables::name(rdp::KEYBOARDS, layout), tables::name(rdp::KEYBOARDS, layout & 0xffff)) {
        ("", "") => format!("0x{layout:08x}"),
        ("", language) => format!("{language} (0x{layout:08x})"),
        (name, _) => name.to_string(),
    }
}

impl Session for Rdp {
    fn protocol(&self) -> Protocol {
        Protocol::Rdp
    }

    fn frame(&mut self, direction: Direction, bytes: &[u8]) -> Framing {
        if self.has_tls || matches!(bytes, [20..=24, ..]) {
            return self.handshake.frame(direction, bytes);
        }
        match cotp::start(bytes) {
            Start::NeedMore => Framing::NeedMore,
            Start::Packet(length) => Framing::Message(length),
            Start::Nothing => Framing::NotMine,
        }
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        if matches!(chunk.bytes, [20..=24, ..]) {
            self.has_tls = true;
            self.handshake.decode(&chunk, out);
        } else {
            self.packet(&chunk, out);
        }
    }

    fn gap(&mut self, direction: Direction, out: &mut Output) {
        self.handshake.gap(direction, out);
        self.assemblies[direction as usize].give_up();
    }

    fn close(&mut self, out: &mut Output) {
        if !std::mem::replace(&mut self.told, true) {
            out.activity(self.activity());
        }
    }

    fn is_done(&self) -> bool {
        let [_, server] = &self.conference;
        self.failure.is_some() || server.is_some() || self.handshake.is_done() || self.packets >= MAX_PACKETS
    }

    fn held(&self) -> usize {
        self.cookie.holds() + self.conference.holds() + self.assemblies.holds() + self.handshake.holds()
    }
}
