//! SSDP (UPnP Device Architecture 2.0, 1): what is searched for, what announces itself, and where its description is.

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::exchange::Status;
use crate::model::{Attribute, Operation, Protocol};
use crate::protocols::http::said;
use crate::session::{Chunk, Direction, Framing, Output, Probe, Recognition, Session};
use crate::text::{Head, is_without_user, say, word};

/// The port.
const PORT: u16 = 1900;

/// Tells from a datagram whether it is SSDP.
pub fn probe_datagram(probe: &Probe<'_>) -> Recognition {
    let bytes = if probe.forward.is_empty() { probe.backward } else { probe.forward };
    let is_answer =
        bytes.starts_with(b"HTTP/1.1 200") && (probe.ports.contains(&PORT) || Head::new(bytes).get("USN").is_some());
    let is_own = bytes.starts_with(b"M-SEARCH * HTTP/1.") || bytes.starts_with(b"NOTIFY * HTTP/1.");
    if is_own || is_answer { Recognition::Yes(Box::new(Ssdp)) } else { Recognition::No }
}

#[derive(Clone)]
struct Ssdp;

impl Session for Ssdp {
    fn protocol(&self) -> Protocol {
        Protocol::Ssdp
    }

    fn frame(&mut self, _: Direction, _: &[u8]) -> Framing {
        Framing::NotMine
    }

    fn decode(&mut self, chunk: Chunk<'_>, out: &mut Output) {
        let head = Head::new(chunk.bytes);
        let value = |name: &str| head.get(name).unwrap_or_default();
        let activity = match head.start {
            start if start.starts_with(b"M-SEARCH") => {
                let activity = Activity::new(chunk.direction, "search", Operation::Discover);
                out.activity(activity.with(Field::ServiceName, printable(value("ST"))));
                if let Some(agent) = head.get("User-Agent") {
                    said::agent(agent, out);
                }
                return;
            }
            start if start.starts_with(b"NOTIFY") => {
                let is_bye = value("NTS").ends_with(b"byebye");
                let activity =
                    Activity::new(chunk.direction, if is_bye { "leave" } else { "announce" }, Operation::Report);
                activity.with(Field::ServiceName, printable(value("NT")))
            }
            start if start.starts_with(b"HTTP/") => {
                let activity = Activity::new(chunk.direction.opposite(), "search", Operation::Discover);
                activity.with(Field::ServiceName, printable(value("ST"))).ended(Status::Ok, "200")
            }
            _ => return,
        };
        let name = [value("NT"), value("ST")].concat();
        if let Some(server) = head.get("Server") {
            say(out, Attribute::Software, product(server));
            said::system(server, out);
        }
        super::role(&name, out);
        let location = value("Location");
        let location = &location[..location.iter().position(|octet| *octet == b'?').unwrap_or(location.len())];
        // A user's name and a password may stand before the host.
        let location = if is_without_user(location) { location } else { &[][..] };
        say(out, Attribute::Url, location);
        out.activity(
            activity
                .with(Field::ServiceLocation, printable(location))
                .with(Field::HttpServer, printable(value("Server"))),
        );
    }
}

/// The product behind the version of UPnP (UPnP Device Architecture 2.0, 1.2.2: `OS/version UPnP/2.0 product/version`);
/// all of it where that is not there.
fn product(server: &[u8]) -> &[u8] {
    let behind = memchr::memmem::find(server, b"UPnP/").and_then(|at| server.get(at..)).unwrap_or_default();
    match word(behind).1 {
        [] => server,
        product => product,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::heard::{C, S, datagrams, takes_any, truncated};

    const PORTS: [u16; 2] = [40_000, 1900];
    const SEARCH: &[u8] = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nST: ssdp:all\r\n\r\n";
    const ANSWER: &[u8] =
        b"HTTP/1.1 200 OK\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nUSN: uuid:7\r\n\
        LOCATION: http://192.168.20.1:5000/root.xml?key=s3cret\r\nSERVER: Linux/3.4 UPnP/1.0 Box/2\r\n\r\n";

    #[test]
    fn what_is_searched_and_announced() {
        let device = "urn:schemas-upnp-org:device:InternetGatewayDevice:1";
        let heard = datagrams(probe_datagram, PORTS, &[(C, SEARCH), (S, ANSWER)]);
        let found = format!(
            "search ok 200 service.name={device} service.location=http://192.168.20.1:5000/root.xml \
             http.server=Linux/3.4 UPnP/1.0 Box/2"
        );
        assert_eq!(heard.lines(), ["search one_way  service.name=ssdp:all".to_string(), found]);
        assert_eq!(heard.claimed(S, Attribute::RoleHint), ["router"]);
        assert_eq!(heard.claimed(S, Attribute::OperatingSystem), ["Linux"]);
        assert_eq!(heard.claimed(S, Attribute::Software), ["Box/2"]);
        assert!(!heard.tells("s3cret"));
        truncated(probe_datagram, PORTS, &[(C, SEARCH), (S, ANSWER)]);
        for (kind, action) in [("alive", "announce"), ("byebye", "leave")] {
            let notify = format!("NOTIFY * HTTP/1.1\r\nNT: upnp:rootdevice\r\nNTS: ssdp:{kind}\r\n\r\n");
            let heard = datagrams(probe_datagram, [1, 2], &[(C, notify.as_bytes())]);
            assert_eq!(heard.lines(), [format!("{action} one_way  service.name=upnp:rootdevice")]);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            takes_any(probe_datagram, PORTS, &[(C, SEARCH)], &bytes);
            takes_any(probe_datagram, PORTS, &[(C, &[b"HTTP/1.1 200 ", &bytes[..]].concat())], &bytes);
        }
    }
}
