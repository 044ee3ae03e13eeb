//! Tokens of logins (RFC 2743, 3.1), bare or in SPNEGO (RFC 4178): NTLM and Kerberos are told apart, and who logs in is
//! told, whatever protocol carries them.

use crate::activity::{Activity, Field};
use crate::ber::{Reader, tag};
use crate::holds::holds;
use crate::model::Attribute;
use crate::protocols::{kerberos, ntlm};
use crate::session::Output;

/// InitialContextToken (RFC 2743, 3.1).
const INITIAL: u8 = 0x60;
/// NegTokenInit (RFC 4178, 4.2).
const NEGOTIATION_INIT: u8 = 0xa0;
/// NegTokenResp.
const NEGOTIATION_RESPONSE: u8 = 0xa1;
/// mechToken and responseToken in them.
const INNER_TOKEN: u8 = 0xa2;
/// SPNEGO, by its object identifier.
const SPNEGO: &[u8] = b"\x2b\x06\x01\x05\x05\x02";
/// Kerberos: of RFC 4121, and as Windows once wrote it (MS-SPNG, 3.1.5.2).
const KERBEROS: [&[u8]; 2] = [b"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", b"\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"];
/// A Kerberos token that holds an AP-REQ (RFC 4121, 4.1).
const AP_REQUEST: &[u8] = b"\x01\x00";

/// The token of a mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Ntlm(&'a [u8]),
    /// With the AP-REQ, where it is one.
    Kerberos(Option<&'a [u8]>),
}

/// The mechanism's token in what a protocol carries, or in a negotiation. One negotiation in another is not followed.
fn token(bytes: &[u8], is_negotiated: bool) -> Option<Token<'_>> {
    if bytes.starts_with(ntlm::SIGNATURE) {
        return Some(Token::Ntlm(bytes));
    }
    let outer = Reader::new(bytes).value_as_far_as_it_goes().ok()?;
    match outer.tag {
        kerberos::AP_REQUEST => Some(Token::Kerberos(Some(bytes))),
        INITIAL => {
            let mut inside = outer.inside();
            let mechanism = inside.expect(tag::OBJECT_IDENTIFIER).ok()?.contents;
            if mechanism == SPNEGO && !is_negotiated {
                return negotiation(inside);
            }
            let rest = outer.contents.get(2 + mechanism.len()..)?;
            KERBEROS.contains(&mechanism).then(|| Token::Kerberos(rest.strip_prefix(AP_REQUEST)))
        }
        NEGOTIATION_RESPONSE if !is_negotiated => negotiation(Reader::new(bytes)),
        _ => None,
    }
}

/// The token inside a negotiation.
fn negotiation(mut reader: Reader<'_>) -> Option<Token<'_>> {
    let choice = reader.value_as_far_as_it_goes().ok()?;
    if choice.tag != NEGOTIATION_INIT && choice.tag != NEGOTIATION_RESPONSE {
        return None;
    }
    let mut fields = choice.inside().value_as_far_as_it_goes().ok()?.inside();
    while let Ok(field) = fields.value_as_far_as_it_goes() {
        if field.tag == INNER_TOKEN {
            return token(field.inside().value_as_far_as_it_goes().ok()?.contents, true);
        }
    }
    None
}

/// A login under way, of any mechanism.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// `ntlm` or `kerberos`; empty while nobody said who he is.
    pub mechanism: &'static str,
    /// User.
    pub user: String,
    /// Domain of the user, or realm of the service.
    pub domain: String,
    /// The host that the user sits at.
    pub workstation: String,
    /// Version of NTLM.
    pub version: &'static str,
    /// Name of the domain or server that NTLM asks for.
    pub target: String,
    /// Service that a ticket is for.
    pub service: String,
    /// The ticket's encryption.
    pub cipher: &'static str,
}

holds!(Login { user, domain, workstation, target, service });

impl Login {
    /// Takes a token of either side, and tells what its sender says of itself.
    pub fn token(&mut self, bytes: &[u8], out: &mut Output) {
        match token(bytes, false) {
            Some(Token::Ntlm(message)) => {
                if let Ok(message) = ntlm::read(message) {
                    self.ntlm(message, out);
                }
            }
            Some(Token::Kerberos(request)) => {
                if self.mechanism != "kerberos" {
                    *self = Login { mechanism: "kerberos", ..Login::default() };
                }
                if let Some(ticket) = request.and_then(kerberos::ticket_of) {
                    (self.service, self.domain, self.cipher) = (ticket.service, ticket.realm, ticket.cipher);
                }
            }
            None => {}
        }
    }

    fn ntlm(&mut self, message: ntlm::Message, out: &mut Output) {
        match message {
            ntlm::Message::Negotiate => {}
            ntlm::Message::Challenge(target) => {
                for name in [target.dns_computer, target.computer] {
                    out.sender_is(Attribute::Hostname, name);
                }
                for name in [target.dns_domain, target.domain] {
                    out.sender_is(Attribute::Domain, name);
                }
                out.sender_is(Attribute::OperatingSystem, target.system);
                self.target = target.name;
            }
            ntlm::Message::Authenticate(client) => {
                out.sender_is(Attribute::Hostname, &*client.workstation);
                out.sender_is(Attribute::OperatingSystem, client.system);
                if client.version != "anonymous" {
                    out.sender_is(Attribute::User, qualified(&client.domain, &client.user));
                }
                *self = Login {
                    mechanism: "ntlm",
                    user: client.user,
                    domain: client.domain,
                    workstation: client.workstation,
                    version: client.version,
                    target: std::mem::take(&mut self.target),
                    ..Login::default()
                };
            }
        }
    }

    /// Adds what is known to an activity.
    pub fn put(&self, activity: &mut Activity) {
        activity.put(Field::Authentication, self.mechanism);
        activity.put(Field::UserName, &*self.user);
        activity
            .put(if self.mechanism == "kerberos" { Field::KerberosRealm } else { Field::UserDomain }, &*self.domain);
        activity.put(Field::Workstation, &*self.workstation);
        activity.put(Field::NtlmVersion, self.version);
        activity.put(Field::NtlmTarget, &*self.target);
        activity.put(Field::KerberosService, &*self.service);
        activity.put(Field::KerberosCipher, self.cipher);
    }
}

/// A user with the domain, as Windows writes them.
pub fn qualified(domain: &str, user: &str) -> String {
    if domain.is_empty() || user.is_empty() { user.to_string() } else { format!("{domain}\\{user}") }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A BER value.
    pub fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
        let length = contents.len();
        match length {
            ..0x80 => [&[tag, length as u8], contents].concat(),
            0x80..0x100 => [&[tag, 0x81, length as u8], contents].concat(),
            _ => [&[tag, 0x82, (length >> 8) as u8, length as u8], contents].concat(),
        }
    }

    /// A token in the first message of SPNEGO.
    pub fn spnego_init(token: &[u8]) -> Vec<u8> {
        let mechanisms = der(0xa0, &der(0x30, &der(0x06, b"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a")));
        let inner = der(0x30, &[mechanisms, der(0xa2, &der(0x04, token))].concat());
        der(0x60, &[der(0x06, SPNEGO), der(0xa0, &inner)].concat())
    }

    /// A token in a later message.
    pub fn spnego_response(token: &[u8]) -> Vec<u8> {
        der(0xa1, &der(0x30, &[der(0xa0, b"\x0a\x01\x01"), der(0xa2, &der(0x04, token))].concat()))
    }

    /// An AP-REQ in a Kerberos token.
    pub fn kerberos_token() -> Vec<u8> {
        let request = kerberos::tests::ap_request();
        der(0x60, &[&der(0x06, KERBEROS[0]), AP_REQUEST, &request].concat())
    }

    #[test]
    fn ntlm_is_told_in_every_wrapping() {
        for wrap in [<[u8]>::to_vec, spnego_init, spnego_response] {
            let (mut login, mut out) = (Login::default(), Output::default());
            login.token(&wrap(&ntlm::tests::challenge()), &mut out);
            login.token(&wrap(&ntlm::tests::authenticate("eva", 24, 220)), &mut out);
            assert_eq!((&*login.user, login.version, &*login.target), ("eva", "NTLMv2", "PLANT"));
            let told: Vec<_> = out.claims.iter().map(|(_, claim)| (claim.attribute, &*claim.value)).collect();
            let expected = [
                (Attribute::Hostname, "hmi1.plant.example"),
                (Attribute::Hostname, "HMI1"),
                (Attribute::Domain, "plant.example"),
                (Attribute::Domain, "PLANT"),
                (Attribute::OperatingSystem, "Windows 10.0.17763"),
                (Attribute::Hostname, "ENG1"),
                (Attribute::OperatingSystem, "Windows 10.0.19041"),
                (Attribute::User, "PLANT\\eva"),
            ];
            assert_eq!(told, expected);
        }
    }

    #[test]
    fn kerberos_names_the_service() {
        for wrap in [<[u8]>::to_vec, spnego_init] {
            let mut login = Login::default();
            login.token(&wrap(&kerberos_token()), &mut Output::default());
            assert_eq!((login.mechanism, &*login.service), ("kerberos", "cifs/hmi1.plant.example"));
        }
    }

    #[test]
    fn every_truncation_is_taken() {
        let authenticate = ntlm::tests::authenticate("eva", 24, 24);
        for whole in [spnego_init(&authenticate), spnego_response(&authenticate), spnego_init(&kerberos_token())] {
            for length in 0..whole.len() {
                Login::default().token(&whole[..length], &mut Output::default());
            }
        }
    }
}
