//! What servers and user agents say of themselves: products, operating systems, and devices known by their web pages.

use crate::bytes::printable;
use crate::model::Attribute;
use crate::protocols::banner::{device, part};
use crate::session::Output;
use crate::tables::http;
use crate::text::{element, find, say, starts_with, word};

/// Fields of a device's description in UPnP (UPnP Device Architecture 2.0, 2.3) and ONVIF (Core, 8.3.1), with what each
/// is.
const DESCRIPTION: &[(&str, Attribute)] = &[
    ("friendlyName", Attribute::Name),
    ("manufacturer", Attribute::Vendor),
    ("modelName", Attribute::Model),
    ("modelNumber", Attribute::Product),
    ("serialNumber", Attribute::Serial),
    ("Manufacturer", Attribute::Vendor),
    ("Model", Attribute::Model),
    ("FirmwareVersion", Attribute::Firmware),
    ("SerialNumber", Attribute::Serial),
    ("HardwareId", Attribute::Hardware),
];

/// Systems whose version stands behind their name.
const VERSIONED: [&str; 3] = ["Android", "iPhone OS", "Mac OS X"];
/// Octets of a version at most.
const MAX_VERSION: usize = 16;

/// What a `Server` field says of the sender.
pub fn server(value: &[u8], out: &mut Output) {
    say(out, Attribute::Software, value);
    part(http::SERVERS, value).into_iter().for_each(|code| device(code, out));
    system(value, out);
}

/// What a `User-Agent` field says of the sender.
pub fn agent(value: &[u8], out: &mut Output) {
    let known = http::AGENTS.iter().find_map(|agent| find(value, agent.name.as_bytes()).map(|at| (agent, at)));
    match known {
        Some((agent, at)) => {
            let is_end = |octet: &u8| matches!(octet, b' ' | b';' | b')' | b',');
            // The version stands behind a stroke; of some, as `MSIE 6.0`, behind a blank.
            let is_behind_blank = agent.name == "MSIE" && value.get(at + agent.name.len()) == Some(&b' ');
            let name = agent.name.len() + usize::from(is_behind_blank);
            let version = &value[at + name..];
            let version = &version[..version.iter().position(is_end).unwrap_or(version.len())];
            say(out, Attribute::Software, &value[at..at + name + version.len()]);
            if agent.kind == "scanner" {
                say(out, Attribute::RoleHint, agent.kind.as_bytes());
            }
        }
        None => say(out, Attribute::Software, word(value).0),
    }
    system(value, out);
}

/// The operating system that a product's text names.
pub fn system(value: &[u8], out: &mut Output) {
    let Some(code) = part(http::SYSTEMS, value) else { return };
    let version = match VERSIONED.contains(&code.name) {
        true => version(value, code.name.as_bytes()),
        false => String::new(),
    };
    say(out, Attribute::OperatingSystem, format!("{}{version}", code.kind).as_bytes());
}

/// The version behind a system's name, with a blank before it: `10_9_5` and `4.4.2` have one, others none.
fn version(value: &[u8], name: &[u8]) -> String {
    let behind = find(value, name).and_then(|at| value.get(at + name.len()..)).unwrap_or_default().trim_ascii_start();
    let is_part = |octet: &u8| octet.is_ascii_digit() || matches!(octet, b'.' | b'_');
    let end =
        behind.iter().take(MAX_VERSION).position(|octet| !is_part(octet)).unwrap_or(behind.len().min(MAX_VERSION));
    let version = printable(&behind[..end]).replace('_', ".");
    if version.is_empty() { version } else { format!(" {version}") }
}

/// The device whose address was there.
pub fn path(value: &[u8], out: &mut Output) {
    let code = http::PATHS.iter().find(|code| starts_with(value, code.name.as_bytes()));
    code.into_iter().for_each(|code| device(code, out));
}

/// The device whose realm it is.
pub fn realm(value: &[u8], out: &mut Output) {
    part(http::REALMS, value).into_iter().for_each(|code| device(code, out));
}

/// The device that sets a cookie of this name.
pub fn cookie(value: &[u8], out: &mut Output) {
    let code = http::COOKIES.iter().find(|code| starts_with(value, code.name.as_bytes()));
    code.into_iter().for_each(|code| device(code, out));
}

/// What a page's title, or a device's description, says.
pub fn page(body: &[u8], is_xml: bool, out: &mut Output) {
    if is_xml {
        for (name, attribute) in DESCRIPTION {
            say(out, *attribute, element(body, name).unwrap_or_default());
        }
        return;
    }
    for name in ["title", "TITLE", "Title"] {
        if let Some(title) = element(body, name) {
            return part(http::TITLES, title).into_iter().for_each(|code| device(code, out));
        }
    }
}
