//! What servers and user agents say of themselves: products, operating systems, and devices known by their web pages.

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
            let name = agent.name.len();
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
    if let Some(code) = part(http::SYSTEMS, value) {
        say(out, Attribute::OperatingSystem, code.kind.as_bytes());
    }
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
