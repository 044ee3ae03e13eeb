//! What hosts announce of themselves to the browsers of a network (MS-BRWS), in mailslots of SMB (MS-MAIL, MS-CIFS).

use crate::activity::{Activity, Field};
use crate::bytes::{Cursor, Short, printable};
use crate::model::{Attribute, Operation};
use crate::session::{Direction, Output};
use crate::tables::{self, netbios};

/// Octets of an SMB header (MS-CIFS 2.2.3.1), and of a transaction's words up to the setup words (2.2.4.33.1).
const HEADER: usize = 32;
const BROWSE: &[u8] = b"\\MAILSLOT\\BROWSE\0";
const LANMAN: &[u8] = b"\\MAILSLOT\\LANMAN\0";
const NETLOGON: &[u8] = b"\\MAILSLOT\\NET\\NETLOGON\0";
/// Bits of a server's type that say which system it runs.
const UNIX: u32 = 1 << 11;
const WINDOWS_9X: u32 = 1 << 22;
/// Types that say what a host is for.
const ROLES: u32 = 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 10 | 1 << 18 | 1 << 19 | 1 << 24 | 1 << 25;

/// What the data of a datagram says; none where it is no message to browsers.
pub fn message(data: &[u8], client: Direction, out: &mut Output) -> Option<Activity> {
    let (mailslot, message) = mailslot(data).ok()??;
    if mailslot == Mailslot::Netlogon {
        return Some(Activity::new(client, "netlogon", Operation::Discover));
    }
    let code = tables::find(netbios::BROWSER_COMMANDS, u32::from(*message.first()?));
    let (action, operation) =
        code.map_or(("unknown", Operation::Unknown), |code| (code.name, code.operation.unwrap_or(Operation::Unknown)));
    let mut activity = Activity::new(client, action, operation);
    let said = match action {
        "host_announcement" | "local_master_announcement" => announcement(message, false, &mut activity, out),
        "domain_announcement" => announcement(message, true, &mut activity, out),
        _ => Ok(()),
    };
    said.is_ok().then_some(activity)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mailslot {
    Browser,
    Netlogon,
}

/// A mailslot's name and what is written to it.
fn mailslot(data: &[u8]) -> Result<Option<(Mailslot, &[u8])>, Short> {
    let mut cursor = Cursor::new(data);
    if cursor.take(5, "protocol and command")? != b"\xffSMB\x25" {
        return Ok(None);
    }
    cursor.take(HEADER - 5, "header")?;
    let words = usize::from(cursor.u8("WordCount")?);
    let parameters = cursor.take(2 * words, "Words")?;
    cursor.u16_le("ByteCount")?;
    let name = cursor.rest();
    let mailslot = match () {
        () if name.starts_with(BROWSE) || name.starts_with(LANMAN) => Mailslot::Browser,
        () if name.starts_with(NETLOGON) => Mailslot::Netlogon,
        () => return Ok(None),
    };
    let mut place = Cursor::new(parameters);
    place.take(22, "counts")?;
    let (count, offset) = (usize::from(place.u16_le("DataCount")?), usize::from(place.u16_le("DataOffset")?));
    let mut message = Cursor::new(data);
    message.take(offset, "octets before Data")?;
    Ok(Some((mailslot, message.take(count.min(message.left()), "Data")?)))
}

/// `command | update count | periodicity | name | version of the system | type | version of the browser | signature |
/// comment` (MS-BRWS 2.2.1, 2.2.10); of a domain the comment is the name of its master browser.
fn announcement(message: &[u8], of_domain: bool, activity: &mut Activity, out: &mut Output) -> Result<(), Short> {
    let mut cursor = Cursor::new(message);
    cursor.take(6, "command to periodicity")?;
    let name = text(cursor.take(16, "name")?);
    let (major, minor) = (cursor.u8("OSVersionMajor")?, cursor.u8("OSVersionMinor")?);
    let types = cursor.u32_le("ServerType")?;
    cursor.take(4, "browser version and signature")?;
    let comment = text(cursor.rest());
    if of_domain {
        activity.put(Field::UserDomain, &*name);
        activity.put(Field::Workstation, &*comment);
        out.sender_is(Attribute::Domain, name);
        return Ok(());
    }
    activity.put(Field::Workstation, &*name);
    let bits = (0..32).filter(|bit| types >> bit & 1 == 1);
    let words: Vec<_> =
        bits.map(|bit| tables::name(netbios::SERVER_TYPES, bit)).filter(|word| !word.is_empty()).collect();
    activity.put(Field::NetbiosServerType, words.join(", "));
    let system = match () {
        () if types & UNIX != 0 => format!("Unix (announces {major}.{minor})"),
        () if types & WINDOWS_9X != 0 => format!("Windows 9x {major}.{minor}"),
        () => format!("Windows NT {major}.{minor}"),
    };
    activity.put(Field::SmbOs, &*system);
    out.sender_is(Attribute::Hostname, name);
    out.sender_is(Attribute::OperatingSystem, system);
    out.sender_is(Attribute::Description, comment);
    for bit in (0..32).filter(|bit| (types & ROLES) >> bit & 1 == 1) {
        out.sender_is(Attribute::RoleHint, tables::name(netbios::SERVER_TYPES, bit));
    }
    Ok(())
}

/// Text up to its zero.
fn text(octets: &[u8]) -> String {
    printable(octets.split(|octet| *octet == 0).next().unwrap_or_default())
}
