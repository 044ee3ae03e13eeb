//! Mail: who hands in or fetches mail, with what outcome; between which addresses. What a mail holds is passed over.

pub mod imap;
pub mod pop3;
pub mod smtp;
#[cfg(test)]
mod tests;

use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::exchange::Status;
use crate::holds::holds;
use crate::model::Operation;
use crate::secrets::is_known_password;
use crate::session::Direction;
use crate::text::{base64, word};

/// Octets of a name that are kept.
const MAX_NAME: usize = 255;
/// Mechanisms of SASL that are told by their names; what else stands there may be anything.
const MECHANISMS: [&str; 13] = [
    "plain",
    "login",
    "cram-md5",
    "digest-md5",
    "ntlm",
    "gssapi",
    "gss-spnego",
    "external",
    "anonymous",
    "xoauth2",
    "oauthbearer",
    "scram-sha-1",
    "scram-sha-256",
];

fn kept(name: &[u8]) -> Vec<u8> {
    name.get(..MAX_NAME).unwrap_or(name).to_vec()
}

/// A login through SASL (RFC 4422) or with the protocol's own commands.
#[derive(Clone, Debug, Default)]
pub struct Login {
    mechanism: String,
    user: Vec<u8>,
    known: Option<bool>,
    kind: &'static str,
    frame: u64,
    /// Texts of the client so far.
    steps: usize,
}

holds!(Login { mechanism, user });

impl Login {
    /// A login with the protocol's own commands.
    pub fn plain(user: &[u8], password: &[u8], frame: u64) -> Self {
        let known = Some(is_known_password(user, password));
        Login { mechanism: "login".to_string(), user: kept(user), known, kind: "password", frame, steps: 2 }
    }

    /// A login with a digest of the password (RFC 1939, 7).
    pub fn apop(user: &[u8], frame: u64) -> Self {
        Login { mechanism: "apop".to_string(), user: kept(user), kind: "digest", frame, ..Login::default() }
    }

    /// A login that names a mechanism, and perhaps says the first text.
    pub fn sasl(argument: &[u8], frame: u64) -> Self {
        let (mechanism, initial) = word(argument);
        let is_it = |name: &&str| mechanism.eq_ignore_ascii_case(name.as_bytes());
        let mechanism = MECHANISMS.into_iter().find(is_it).unwrap_or("other").to_string();
        let mut login = Login { mechanism, kind: "token", frame, ..Login::default() };
        if !initial.is_empty() {
            login.text(initial);
        }
        login
    }

    /// The client's next text.
    pub fn text(&mut self, text: &[u8]) {
        let octets = base64(text).unwrap_or_default();
        self.steps += 1;
        match (&*self.mechanism, self.steps) {
            // Identity, name and password with a zero between (RFC 4616).
            ("plain", 1) => {
                let mut parts = octets.splitn(3, |octet| *octet == 0).skip(1);
                if let (Some(user), Some(password)) = (parts.next(), parts.next()) {
                    *self =
                        Login { mechanism: "plain".to_string(), steps: 1, ..Login::plain(user, password, self.frame) };
                }
            }
            ("login", 1) => self.user = kept(&octets),
            ("login", 2) => (self.known, self.kind) = (Some(is_known_password(&self.user, &octets)), "password"),
            // Name and digest (RFC 2195).
            ("cram-md5", 1) => (self.user, self.kind) = (kept(word(&octets).0), "digest"),
            // `n,,n=user,r=…` (RFC 5802).
            (mechanism, 1) if mechanism.starts_with("scram") => {
                let name = octets.split(|octet| *octet == b',').find_map(|part| part.strip_prefix(b"n="));
                (self.user, self.kind) = (kept(name.unwrap_or_default()), "digest");
            }
            // `user=name^Aauth=Bearer …^A^A` (RFC 7628; XOAUTH2).
            ("xoauth2" | "oauthbearer", 1) => {
                let name = octets
                    .split(|octet| matches!(octet, 1 | b','))
                    .find_map(|part| part.strip_prefix(b"user=").or_else(|| part.strip_prefix(b"a=")));
                self.user = kept(name.unwrap_or_default());
            }
            _ => {}
        }
    }

    /// The activity, with its outcome.
    pub fn ended(self, client: Direction, is_ok: bool, code: impl Into<String>) -> Activity {
        let status = if is_ok { Status::Ok } else { Status::Error };
        let mut activity = Activity::new(client, "login", Operation::Authenticate)
            .with(Field::MailAuthentication, self.mechanism)
            .with(Field::UserName, printable(&self.user));
        activity.put_secret(if self.kind.is_empty() { "token" } else { self.kind }, self.known);
        activity.request_frame = Some(self.frame);
        activity.ended(status, code)
    }

    /// The activity of a login that nobody answered.
    pub fn unanswered(self, client: Direction) -> Activity {
        let mut activity = self.ended(client, false, "");
        activity.status = Status::NoResponse;
        activity
    }
}
