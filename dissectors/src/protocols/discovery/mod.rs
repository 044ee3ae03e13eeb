//! How devices and services announce themselves: SSDP of UPnP, and WS-Discovery, which ONVIF cameras, printers and Windows
//! use.

pub mod ssdp;
pub mod wsd;

use crate::model::Attribute;
use crate::protocols::banner::part;
use crate::session::Output;
use crate::tables::discovery;
use crate::text::say;

/// The role that the type of a device gives away.
fn role(name: &[u8], out: &mut Output) {
    if let Some(code) = part(discovery::TYPES, name) {
        say(out, Attribute::RoleHint, code.kind.as_bytes());
    }
}
