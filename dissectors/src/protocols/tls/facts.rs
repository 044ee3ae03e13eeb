//! What the messages of a handshake tell, whatever carries them.

use super::hello::{Carrier, ClientHello, ServerHello, version_name};
use crate::activity::{Activity, Field};
use crate::bytes::printable;
use crate::holds::holds;
use crate::model::{Attribute, Claim, Operation, Unit};
use crate::protocols::remote_support;
use crate::protocols::x509::Certificate;
use crate::session::{Direction, Output};
use crate::tables::{self, tls};

/// Types of handshake messages that are read (RFC 8446, 4; RFC 5246, 7.4).
pub mod kind {
    /// ClientHello.
    pub const CLIENT_HELLO: u8 = 1;
    /// ServerHello.
    pub const SERVER_HELLO: u8 = 2;
    /// Certificate.
    pub const CERTIFICATE: u8 = 11;
}

/// What is known of a handshake.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The way of the client's messages.
    pub client: Option<Direction>,
    /// Its first hello.
    pub offered: Option<ClientHello>,
    /// The server's hello.
    pub taken: Option<ServerHello>,
    /// The server's certificate.
    pub certificate: Option<Certificate>,
    client_certificate: Option<Certificate>,
    request_frame: Option<u64>,
}

holds!(Facts { offered, taken, certificate, client_certificate });

impl Facts {
    /// True for messages that are read.
    pub const fn reads(message: u8) -> bool {
        matches!(message, kind::CLIENT_HELLO | kind::SERVER_HELLO | kind::CERTIFICATE)
    }

    /// Takes the body of a handshake message.
    pub fn message(&mut self, direction: Direction, message: u8, body: &[u8], carrier: Carrier, out: &mut Output) {
        match message {
            kind::CLIENT_HELLO if self.offered.is_none() => {
                if let Ok(hello) = ClientHello::read(body, carrier) {
                    self.offer(direction, hello, out);
                }
            }
            kind::SERVER_HELLO if self.taken.is_none() => {
                self.client = self.client.or(Some(direction.opposite()));
                self.taken = ServerHello::read(body).ok().filter(|hello| !hello.is_retry);
            }
            kind::CERTIFICATE => self.certificates(direction, body, out),
            _ => {}
        }
    }

    /// Takes a client's hello.
    pub fn offer(&mut self, direction: Direction, hello: ClientHello, out: &mut Output) {
        self.client = Some(direction);
        self.request_frame = Some(out.frame);
        self.offered = Some(hello);
    }

    /// The first certificate of a chain (RFC 5246, 7.4.2).
    fn certificates(&mut self, direction: Direction, body: &[u8], out: &mut Output) {
        let Some(&[_, _, _, high, middle, low]) = body.first_chunk::<6>() else { return };
        let length = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        let rest = body.get(6..).unwrap_or_default();
        self.certificate(direction, rest.get(..length).unwrap_or(rest), out);
    }

    /// Takes a certificate in DER.
    pub fn certificate(&mut self, direction: Direction, der: &[u8], out: &mut Output) {
        let Ok(certificate) = Certificate::read(der) else { return };
        if self.client == Some(direction) {
            self.client_certificate = self.client_certificate.take().or(Some(certificate));
            return;
        }
        if self.certificate.is_none() {
            claim_host(&certificate, out);
            self.certificate = Some(certificate);
        }
    }

    /// The remote-support product that this leads to, by the server's name and certificate.
    pub fn product(&self) -> Option<&'static str> {
        let asked = self.offered.as_ref().and_then(|hello| remote_support::by_domain(&hello.server_name));
        let named = || {
            let certificates = [&self.certificate, &self.client_certificate].into_iter().flatten();
            certificates
                .flat_map(|certificate| std::iter::once(&certificate.common_name).chain(&certificate.names))
                .find_map(|name| remote_support::by_name(name))
        };
        asked.or_else(named)
    }

    /// Adds what is known to an activity.
    pub fn put(&self, activity: &mut Activity, carrier: Carrier) {
        if let Some(hello) = &self.taken {
            activity.put(Field::TlsVersion, version_name(hello.version));
            activity.put(Field::TlsCipher, hello.cipher.map(cipher_name).unwrap_or_default());
            activity.put(Field::TlsNextProtocol, &*hello.protocol);
        }
        if let Some(hello) = &self.offered {
            activity.put(Field::TlsOffered, version_name(hello.highest_version()));
            activity.put(Field::TlsServerName, &*hello.server_name);
            activity.put(
                Field::TlsOfferedProtocols,
                hello.protocols.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", "),
            );
            activity.put(Field::TlsJa4, hello.ja4(carrier));
        }
        if let Some(certificate) = &self.certificate {
            activity.put(Field::TlsSubject, &*certificate.subject);
            activity.put(Field::TlsIssuer, &*certificate.issuer);
            activity.put(Field::TlsSerial, &*certificate.serial);
            activity.put(Field::TlsNotBefore, &*certificate.not_before);
            activity.put(Field::TlsNotAfter, &*certificate.not_after);
            activity.put(Field::TlsNames, certificate.names.join(", "));
            activity.put(Field::TlsSelfSigned, if certificate.is_self_issued { "true" } else { "false" });
        }
        if let Some(certificate) = &self.client_certificate {
            activity.put(Field::TlsClientSubject, &*certificate.subject);
        }
    }

    /// An activity with what is known.
    pub fn activity(&self, carrier: Carrier) -> Activity {
        let mut activity = Activity::new(self.client.unwrap_or(Direction::Forward), "handshake", Operation::Session);
        activity.request_frame = self.request_frame;
        self.put(&mut activity, carrier);
        activity
    }
}

/// A certificate that a host made for itself has its name; one that others issued has the name of a service.
pub fn claim_host(certificate: &Certificate, out: &mut Output) {
    if let Some(name) = certificate.host_name().filter(|_| certificate.is_self_issued) {
        out.claim(Claim {
            about_sender: true,
            address: None,
            unit: Unit::None,
            attribute: Attribute::Hostname,
            value: name.to_string(),
        });
    }
}

/// The name of a cipher suite, or its number.
fn cipher_name(cipher: u16) -> String {
    match tables::name(tls::CIPHERS, u32::from(cipher)) {
        "" => format!("0x{cipher:04x}"),
        name => name.to_string(),
    }
}
