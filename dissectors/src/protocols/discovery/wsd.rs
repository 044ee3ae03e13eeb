//! WS-Discovery (OASIS 1.1): which kinds of devices are looked for, and what those say that answer. ONVIF cameras name
//! themselves in their scopes (ONVIF Core, 7.3.2.2).

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::model::{Attribute, Operation, Protocol};
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::tables::discovery;
use crate::text::{element, is_without_user, percent_decoded, say};

/// The port.
const PORT: u16 = 3702;
/// The namespaces' common part: of the draft that devices use, and of the standard.
const NAMESPACES: [&[u8]; 2] = [b"/ws/2005/04/discovery", b"/ns/ws-dd/"];
/// Where ONVIF's scopes start, what each names.
const ONVIF: &[u8] = b"onvif://www.onvif.org/";
const SCOPES: [(&[u8], Attribute); 5] = [
    (b"name/", Attribute::Name),
    (b"hardware/", Attribute::Model),
    (b"location/", Attribute::Location),
    (b"mfr/", Attribute::Vendor),
    (b"manufacturer/", Attribute::Vendor),
];
/// Scopes that are read.
const MAX_SCOPES: usize = 32;

/// Tells from a datagram whether it is WS-Discovery.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = if probe.forward.is_empty() { probe.backward } else { probe.forward };
    let has = |text: &[u8]| memchr::memmem::find(bytes, text).is_some();
    let is_xml = bytes.trim_ascii_start().first() == Some(&b'<');
    if is_xml && probe.ports.contains(&PORT) && NAMESPACES.iter().any(|namespace| has(namespace)) {
        return Recognition::Yes(Box::new(Wsd));
    }
    Recognition::No
}

#[derive(Clone)]
struct Wsd;

impl Session for Wsd {
    fn protocol(&self) -> Protocol {
        Protocol::WsDiscovery
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let xml = chunk.bytes;
        let action = element(xml, "Action").unwrap_or_default();
        let action = action.rsplit(|octet| *octet == b'/').next().unwrap_or_default();
        let Some(code) = discovery::ACTIONS.iter().find(|code| code.name.as_bytes() == action) else { return };
        let operation = code.operation.unwrap_or(Operation::Unknown);
        let types = element(xml, "Types").unwrap_or_default();
        let address = element(xml, "XAddrs").unwrap_or_default();
        let address = address.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let address = if is_without_user(address) { address } else { &[][..] };
        out.activity(
            Activity::new(chunk.direction, code.kind, operation)
                .with(Field::ServiceName, printable(types))
                .with(Field::ServiceLocation, printable(address)),
        );
        if operation == Operation::Discover {
            return;
        }
        super::role(types, out);
        say(out, Attribute::Url, address);
        let scopes = element(xml, "Scopes").unwrap_or_default();
        for scope in scopes.split(u8::is_ascii_whitespace).take(MAX_SCOPES) {
            let Some(rest) = scope.strip_prefix(ONVIF) else { continue };
            for (start, attribute) in SCOPES {
                if let Some(value) = rest.strip_prefix(start) {
                    say(out, attribute, &percent_decoded(value));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::heard::{C, S, datagrams, takes_any, truncated};

    const PORTS: [u16; 2] = [40_000, 3702];
    const PROBE: &[u8] = b"<?xml version='1.0'?><s:Envelope xmlns:d='http://schemas.xmlsoap.org/ws/2005/04/discovery'>\
        <a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>\
        <d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Envelope>";
    const MATCH: &[u8] = b"<s:Envelope xmlns:d='http://schemas.xmlsoap.org/ws/2005/04/discovery'>\
        <a:Action s:mustUnderstand='1'>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action>\
        <d:ProbeMatch><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/Gate%20camera \
        onvif://www.onvif.org/hardware/M-20 ldap://other</d:Scopes>\
        <d:XAddrs>http://192.168.20.40/onvif/device_service http://x</d:XAddrs></d:ProbeMatch>";

    #[test]
    fn what_is_looked_for_and_what_answers() {
        let heard = datagrams(probe_datagram, PORTS, &[(C, PROBE), (S, MATCH)]);
        let told = [
            "probe one_way  service.name=dn:NetworkVideoTransmitter",
            "probe_matches one_way  service.name=dn:NetworkVideoTransmitter \
             service.location=http://192.168.20.40/onvif/device_service",
        ];
        assert_eq!(heard.lines(), told);
        let claims: Vec<_> = heard.claims.iter().map(|(side, name, value)| (*side, *name, &**value)).collect();
        let expected = [
            (S, Attribute::RoleHint, "camera"),
            (S, Attribute::Url, "http://192.168.20.40/onvif/device_service"),
            (S, Attribute::Name, "Gate camera"),
            (S, Attribute::Model, "M-20"),
        ];
        assert_eq!(claims, expected);
        truncated(probe_datagram, PORTS, &[(C, PROBE), (S, MATCH)]);
        assert_eq!(datagrams(probe_datagram, [1, 2], &[(C, PROBE)]).service, "");
        assert_eq!(datagrams(probe_datagram, PORTS, &[(C, b"<xml>no</xml>")]).service, "");
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            takes_any(probe_datagram, PORTS, &[(C, PROBE), (C, &[&MATCH[..200], &bytes[..]].concat())], &bytes);
        }
    }
}
