//! Certificates (RFC 5280), as far as they say whose they are.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::ber::{Reader, Value, tag};
use crate::bytes::{Short, printable};
use crate::holds::holds;

/// Alternative names told of one certificate.
const MAX_NAMES: usize = 32;
/// Attributes of one name.
const MAX_ATTRIBUTES: usize = 24;

/// Tags of TBSCertificate's optional parts and of GeneralName (RFC 5280, 4.1 and 4.2.1.6).
mod context {
    pub(super) const VERSION: u8 = 0xa0;
    pub(super) const EXTENSIONS: u8 = 0xa3;
    pub(super) const EMAIL: u8 = 0x81;
    pub(super) const DNS: u8 = 0x82;
    pub(super) const URI: u8 = 0x86;
    pub(super) const ADDRESS: u8 = 0x87;
}

/// Types of character strings (X.680, 8.4) that are not octets of UTF-8 or ASCII.
mod string {
    pub(super) const UNIVERSAL: u8 = 0x1c;
    pub(super) const BMP: u8 = 0x1e;
    pub(super) const T61: u8 = 0x14;
}

/// The extension with the alternative names, `id-ce-subjectAltName` (2.5.29.17).
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// `id-at-commonName` (2.5.4.3).
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];

/// Short names of attributes (RFC 4514, 3, and those usual beside them) by object identifier.
const ATTRIBUTES: &[(&[u8], &str)] = &[
    (COMMON_NAME, "CN"),
    (&[0x55, 0x04, 0x04], "SN"),
    (&[0x55, 0x04, 0x05], "serialNumber"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x09], "street"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (&[0x55, 0x04, 0x0c], "title"),
    (&[0x55, 0x04, 0x0d], "description"),
    (&[0x55, 0x04, 0x0f], "businessCategory"),
    (&[0x55, 0x04, 0x11], "postalCode"),
    (&[0x55, 0x04, 0x2a], "GN"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01], "UID"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19], "DC"),
    (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01], "emailAddress"),
];

/// What a certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// Serial number, in hexadecimal digits.
    pub serial: String,
    /// Issuer, as RFC 4514 writes it.
    pub issuer: String,
    /// Start of its validity (RFC 3339).
    pub not_before: String,
    /// End of its validity (RFC 3339).
    pub not_after: String,
    /// Subject, as RFC 4514 writes it.
    pub subject: String,
    /// The subject's common name; empty where it has none.
    pub common_name: String,
    /// Alternative names of the subject.
    pub names: Vec<String>,
    /// True where issuer and subject are the same.
    pub is_self_issued: bool,
}

holds!(Certificate { serial, issuer, not_before, not_after, subject, common_name, names });

impl Certificate {
    /// Reads a certificate; one whose end is missing is read as far as it goes.
    ///
    /// # Errors
    /// [`Short`] where anything up to the subject is not there.
    pub fn read(bytes: &[u8]) -> Result<Self, Short> {
        let certificate = Reader::new(bytes).value_as_far_as_it_goes()?;
        let mut body = certificate.inside().value_as_far_as_it_goes()?.inside();
        body.optional(context::VERSION);
        let serial = body.expect(tag::INTEGER)?;
        body.expect(tag::SEQUENCE)?;
        let issuer = body.expect(tag::SEQUENCE)?;
        let mut validity = body.expect(tag::SEQUENCE)?.inside();
        let (not_before, not_after) = (time(&validity.value()?), time(&validity.value()?));
        let subject = body.expect(tag::SEQUENCE)?;
        let mut names = Vec::new();
        body.optional(tag::SEQUENCE);
        for part in body {
            if part.tag == context::EXTENSIONS {
                names = alternative_names(&part).unwrap_or_default();
            }
        }
        Ok(Certificate {
            serial: hexadecimal(serial.contents),
            issuer: name(&issuer),
            not_before,
            not_after,
            common_name: common_name(&subject),
            is_self_issued: issuer.contents == subject.contents,
            subject: name(&subject),
            names,
        })
    }

    /// The common name where it can be a host's: of letters, digits, hyphens and dots, no address, no wildcard.
    pub fn host_name(&self) -> Option<&str> {
        let name = &*self.common_name;
        let plain = name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_'));
        let is_name = plain && name.len() > 1 && name.bytes().any(|octet| octet.is_ascii_alphabetic());
        is_name.then_some(name)
    }
}

/// Octets of a serial number without those that only give it a sign.
fn hexadecimal(octets: &[u8]) -> String {
    let start = octets.iter().position(|octet| *octet != 0).unwrap_or(octets.len().saturating_sub(1));
    octets.iter().skip(start).take(32).map(|octet| format!("{octet:02X}")).collect()
}

/// A time as RFC 3339 writes it; of UTCTime the years from 50 are of the last century (RFC 5280, 4.1.2.5.1).
fn time(value: &Value<'_>) -> String {
    let digits = value.contents;
    let (century, rest) = match value.tag {
        tag::UTC_TIME => (if digits < &b"50"[..] { "20" } else { "19" }, digits),
        tag::GENERALIZED_TIME if digits.len() > 2 => match std::str::from_utf8(&digits[..2]) {
            Ok(century) => (century, &digits[2..]),
            Err(_) => return String::new(),
        },
        _ => return String::new(),
    };
    let part = |at: usize| rest.get(at..at + 2).and_then(|part| std::str::from_utf8(part).ok()).unwrap_or("00");
    if rest.len() < 10 || !rest.iter().take(10).all(u8::is_ascii_digit) || !century.bytes().all(|c| c.is_ascii_digit())
    {
        return String::new();
    }
    let seconds = if part(10).bytes().all(|digit| digit.is_ascii_digit()) { part(10) } else { "00" };
    format!("{century}{}-{}-{}T{}:{}:{seconds}Z", part(0), part(2), part(4), part(6), part(8))
}

/// Attributes of a name: object identifier and value, in the order of the certificate.
fn attributes<'a>(name: &Value<'a>) -> Vec<(usize, &'a [u8], Value<'a>)> {
    let mut found = Vec::new();
    for (number, set) in name.inside().enumerate() {
        for attribute in set.inside() {
            let mut parts = attribute.inside();
            if let (Ok(kind), Ok(value)) = (parts.expect(tag::OBJECT_IDENTIFIER), parts.value()) {
                if found.len() < MAX_ATTRIBUTES {
                    found.push((number, kind.contents, value));
                }
            }
        }
    }
    found
}

fn common_name(name: &Value<'_>) -> String {
    let named = attributes(name).into_iter().rev().find(|(_, kind, _)| *kind == COMMON_NAME);
    named.map(|(_, _, value)| text(&value)).unwrap_or_default()
}

/// A name as RFC 4514 writes it: the last attribute first.
fn name(value: &Value<'_>) -> String {
    let mut written = String::new();
    let mut before = None;
    for (number, kind, value) in attributes(value).into_iter().rev() {
        if let Some(before) = before.replace(number) {
            written.push(if before == number { '+' } else { ',' });
        }
        match ATTRIBUTES.iter().find(|(identifier, _)| *identifier == kind) {
            Some((_, name)) => written.push_str(name),
            None => {
                let identifier = Value { tag: tag::OBJECT_IDENTIFIER, contents: kind };
                written.push_str(&identifier.object_identifier().unwrap_or_default());
            }
        }
        written.push('=');
        escape(&text(&value), &mut written);
    }
    written
}

/// Characters that have a meaning in a name get a backslash (RFC 4514, 2.4).
fn escape(text: &str, written: &mut String) {
    for (at, character) in text.chars().enumerate() {
        if matches!(character, ',' | '+' | '"' | '\\' | '<' | '>' | ';') || at == 0 && character == '#' {
            written.push('\\');
        }
        written.push(character);
    }
}

fn text(value: &Value<'_>) -> String {
    let characters = |size: usize| -> String {
        let numbers =
            value.contents.chunks_exact(size).map(|chunk| chunk.iter().fold(0, |n, o| n << 8 | u32::from(*o)));
        numbers.take(128).map(|number| char::from_u32(number).unwrap_or('\u{fffd}')).collect()
    };
    match value.tag {
        string::BMP => printable(characters(2).as_bytes()),
        string::UNIVERSAL => printable(characters(4).as_bytes()),
        string::T61 if std::str::from_utf8(value.contents).is_err() => printable(characters(1).as_bytes()),
        _ => printable(value.contents),
    }
}

fn alternative_names(extensions: &Value<'_>) -> Result<Vec<String>, Short> {
    let mut found = Vec::new();
    for extension in extensions.inside().value()?.inside() {
        let mut parts = extension.inside();
        if parts.expect(tag::OBJECT_IDENTIFIER)?.contents != ALTERNATIVE_NAMES {
            continue;
        }
        parts.optional(tag::BOOLEAN);
        let names = parts.expect(tag::OCTET_STRING)?.inside().value()?;
        for name in names.inside().take(MAX_NAMES) {
            match (name.tag, name.contents) {
                (context::EMAIL | context::DNS | context::URI, text) => found.push(printable(text)),
                (context::ADDRESS, &[a, b, c, d]) => found.push(Ipv4Addr::from([a, b, c, d]).to_string()),
                (context::ADDRESS, octets) => {
                    if let Ok(octets) = <[u8; 16]>::try_from(octets) {
                        found.push(Ipv6Addr::from(octets).to_string());
                    }
                }
                _ => {}
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A value of a tag.
    pub fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
        let length = contents.len();
        let header = match length {
            0..=127 => vec![tag, length as u8],
            128..=255 => vec![tag, 0x81, length as u8],
            _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
        };
        [&header[..], contents].concat()
    }

    fn named(kind: &[u8], tag: u8, text: &[u8]) -> Vec<u8> {
        der(0x30, &[der(0x06, kind), der(tag, text)].concat())
    }

    /// A certificate that a gateway made for itself.
    pub fn certificate() -> Vec<u8> {
        let organisation = named(&[0x55, 4, 10], 0x0c, b"Plant, Inc");
        let common = named(COMMON_NAME, 0x1e, b"\0g\0w\0-\x007");
        let name = der(0x30, &[der(0x31, &organisation), der(0x31, &common)].concat());
        let validity = der(0x30, &[der(0x17, b"991231235959Z"), der(0x18, b"20500102030405Z")].concat());
        let names = der(0x30, &[der(0x82, b"gw-7.plant.example"), der(0x87, &[10, 0, 0, 7])].concat());
        let extension = der(0x30, &[der(0x06, ALTERNATIVE_NAMES), der(0x04, &names)].concat());
        let body = [
            der(0xa0, &der(0x02, &[2])),
            der(0x02, &[0x00, 0xb1, 0x0c]),
            der(0x30, &der(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11])),
            name.clone(),
            validity,
            name,
            der(0x30, b""),
            der(0xa3, &der(0x30, &extension)),
        ];
        der(0x30, &der(0x30, &body.concat()))
    }

    #[test]
    fn a_certificate_says_whose_it_is() {
        let certificate = Certificate::read(&certificate()).unwrap();
        let expected = Certificate {
            serial: "B10C".into(),
            issuer: r"CN=gw-7,O=Plant\, Inc".into(),
            not_before: "1999-12-31T23:59:59Z".into(),
            not_after: "2050-01-02T03:04:05Z".into(),
            subject: r"CN=gw-7,O=Plant\, Inc".into(),
            common_name: "gw-7".into(),
            names: vec!["gw-7.plant.example".into(), "10.0.0.7".into()],
            is_self_issued: true,
        };
        assert_eq!(certificate, expected);
        assert_eq!(certificate.host_name(), Some("gw-7"));
    }

    #[test]
    fn a_host_name_is_neither_address_nor_wildcard_nor_sentence() {
        for (name, is_host) in [
            ("gw-7.plant.example", true),
            ("10.0.0.7", false),
            ("*.plant.example", false),
            ("My Device", false),
            ("", false),
        ] {
            let certificate = Certificate { common_name: name.into(), ..Certificate::default() };
            assert_eq!(certificate.host_name().is_some(), is_host, "{name}");
        }
    }

    #[test]
    fn every_truncation_is_taken_and_says_nothing_false() {
        let bytes = certificate();
        let whole = Certificate::read(&bytes).unwrap();
        for length in 0..bytes.len() {
            if let Ok(cut) = Certificate::read(&bytes[..length]) {
                assert_eq!((cut.subject, cut.serial), (whole.subject.clone(), whole.serial.clone()), "{length}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_octets_are_taken(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let _ = Certificate::read(&bytes);
        }
    }
}
