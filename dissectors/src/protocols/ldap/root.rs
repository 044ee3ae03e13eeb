//! What a directory server says of itself: the entry at the root (RFC 4512, 5.1; MS-ADTS, 3.1.1.3.2), and the answer to a
//! client that looks for a domain controller (MS-ADTS, 6.3.1.9).

use crate::activity::{Activity, Field};
use crate::ber::{Reader, tag};
use crate::bytes::{Cursor, printable};
use crate::exchange::Status;
use crate::model::{Attribute, Operation};
use crate::protocols::dns::message::name;
use crate::session::{Direction, Output};

/// Attributes read of one entry.
const MAX_ATTRIBUTES: usize = 64;
/// LOGON_SAM_LOGON_RESPONSE_EX and LOGON_SAM_USER_UNKNOWN_EX.
const LOGON_RESPONSES: [u16; 2] = [23, 25];
/// What a domain controller is called among the roles of a host.
const CONTROLLER: &str = "domain-controller";

/// Reads the attributes of the entry at the root.
pub fn entry(attributes: Reader<'_>, direction: Direction, out: &mut Output) {
    for attribute in attributes.take(MAX_ATTRIBUTES) {
        let mut inside = attribute.inside();
        let (Ok(kind), Ok(values)) = (inside.expect(tag::OCTET_STRING), inside.expect(tag::SET)) else { continue };
        let Some(value) = values.inside().next() else { continue };
        match &*kind.contents.to_ascii_lowercase() {
            b"dnshostname" => out.sender_is(Attribute::Hostname, printable(value.contents)),
            b"defaultnamingcontext" => {
                out.sender_is(Attribute::Domain, domain(&printable(value.contents)));
                out.sender_is(Attribute::RoleHint, CONTROLLER);
            }
            b"vendorname" => out.sender_is(Attribute::Vendor, printable(value.contents)),
            b"vendorversion" => out.sender_is(Attribute::Version, printable(value.contents)),
            b"netlogon" => {
                controller(value.contents, direction, out);
            }
            _ => {}
        }
    }
}

/// `DC=plant,DC=example` as a name of DNS (RFC 2247, 2).
fn domain(context: &str) -> String {
    let parts = context.split(',').filter_map(|part| part.trim().split_once('='));
    let labels = parts.filter(|(kind, _)| kind.eq_ignore_ascii_case("DC")).map(|(_, label)| label);
    labels.collect::<Vec<_>>().join(".")
}

/// NETLOGON_SAM_LOGON_RESPONSE_EX: names of forest, domain and host; of domain and computer in NetBIOS; of the user.
fn controller(bytes: &[u8], direction: Direction, out: &mut Output) -> Option<()> {
    let mut cursor = Cursor::new(bytes);
    let opcode = cursor.u16_le("Opcode").ok()?;
    cursor.take(22, "Sbz, Flags, DomainGuid").ok().filter(|_| LOGON_RESPONSES.contains(&opcode))?;
    let mut names: [String; 6] = Default::default();
    for text in &mut names {
        *text = name(bytes, &mut cursor).ok().filter(|text| text != ".").unwrap_or_default();
    }
    let [_, domain, host, _, computer, user] = names;
    out.sender_is(Attribute::RoleHint, CONTROLLER);
    out.sender_is(Attribute::Domain, &*domain);
    out.sender_is(Attribute::Hostname, if host.is_empty() { &*computer } else { &*host });
    let activity = Activity::new(direction.opposite(), "find_domain_controller", Operation::Discover)
        .with(Field::HostName, host)
        .with(Field::UserDomain, domain)
        .with(Field::UserName, user);
    out.activity(activity.ended(Status::Ok, ""));
    Some(())
}
