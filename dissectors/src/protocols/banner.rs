//! What the greetings of servers say of devices and operating systems.

use crate::model::Attribute;
use crate::session::Output;
use crate::tables::{Code, banners};
use crate::text::{find, say};

/// What a greeting says of its sender.
pub fn greeting(text: &[u8], out: &mut Output) {
    if let Some(code) = part(banners::DEVICES, text) {
        device(code, out);
    }
    system(text, out);
}

/// The operating system that a text names.
pub fn system(text: &[u8], out: &mut Output) {
    if let Some(code) = part(banners::SYSTEMS, text) {
        say(out, Attribute::OperatingSystem, code.kind.as_bytes());
    }
}

/// The first code whose name is a part of the text.
pub fn part(table: &'static [Code], text: &[u8]) -> Option<&'static Code> {
    table.iter().find(|code| find(text, code.name.as_bytes()).is_some())
}

/// The device that a code's `kind` tells: vendor; model; role.
pub fn device(code: &Code, out: &mut Output) {
    let attributes = [Attribute::Vendor, Attribute::Model, Attribute::RoleHint];
    for (attribute, value) in attributes.into_iter().zip(code.kind.split(';')) {
        say(out, attribute, value.trim().as_bytes());
    }
}
