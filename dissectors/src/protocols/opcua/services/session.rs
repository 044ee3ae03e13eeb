//! Secure channels and sessions (10000-4, 5.5 and 5.6): how a channel is protected, who opens a session and as whom.

use super::super::draft::Draft;
use super::super::policy;
use super::super::reader::{Extension, Read, Reader};
use super::Context;
use super::discovery::{application, endpoints};
use crate::bytes::printable;
use crate::model::{Attribute, Object};
use crate::protocols::x509::Certificate;
use crate::tables::{self, opcua as codes};

/// An object that is a word.
fn word(kind: &'static str, property_name: &'static str) -> Object {
    Object { kind, property_name, ..Object::default() }
}

pub(super) fn open(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    reader.u32("client protocol version")?;
    let renews = reader.u32("request type")? == 1;
    let mode = tables::name(codes::SECURITY_MODES, reader.u32("security mode")?);
    reader.octets("client nonce")?;
    reader.u32("requested lifetime")?;
    context.draft.object(word("security-mode", mode), if renews { "renew" } else { "issue" });
    Ok(())
}

pub(super) fn opened(reader: &mut Reader<'_>, _: &mut Context<'_>) -> Read<()> {
    reader.u32("server protocol version")?;
    reader.take(20, "security token")?;
    reader.octets("server nonce").map(drop)
}

pub(super) fn create(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    application(reader)?.claim(context);
    reader.octets("server URI")?;
    reader.octets("endpoint URL")?;
    reader.octets("session name")?;
    reader.octets("client nonce")?;
    certificate(reader.string("client certificate")?, context.draft);
    reader.take(12, "session timeout and size of a response").map(drop)
}

pub(super) fn created(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    reader.node_id("session id")?;
    // Who has it speaks for the session: it is told nowhere.
    reader.node_id("authentication token")?;
    reader.take(8, "revised session timeout")?;
    reader.octets("server nonce")?;
    certificate(reader.string("server certificate")?, context.draft);
    endpoints(reader, context)?;
    signed_software(reader)?;
    signature(reader)?;
    reader.u32("size of a request").map(drop)
}

/// Certificates of software (7.38).
fn signed_software(reader: &mut Reader<'_>) -> Read<()> {
    for _ in 0..reader.elements("software certificates")? {
        reader.octets("certificate data")?;
        reader.octets("signature")?;
    }
    Ok(())
}

fn signature(reader: &mut Reader<'_>) -> Read<()> {
    reader.octets("signature algorithm")?;
    reader.octets("signature").map(drop)
}

pub(super) fn activate(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    if let Some(mode) = context.protection.mode() {
        context.draft.object(word("security-mode", mode), "");
    }
    signature(reader)?;
    signed_software(reader)?;
    reader.strings("locales")?;
    let token = reader.extension("user identity token")?;
    let result = identity(token, context);
    context.draft.faulty(result);
    signature(reader)
}

/// As whom the session is used (7.41): the user's name is told, no password and no token.
fn identity(token: Extension<'_>, context: &mut Context<'_>) -> Read<()> {
    let known = token.number().and_then(|number| tables::find(codes::IDENTITY_TOKENS, number));
    let kind = known.map_or("", |known| known.name);
    // No token at all is anonymous, too (5.6.3.2).
    let kind = if token.kind.is_null() { "anonymous" } else { kind };
    let mut reader = Reader::new(token.body.unwrap_or(&[]));
    let mut who = String::new();
    let mut secret = None;
    if known.is_some() && token.body.is_some() {
        reader.octets("policy id")?;
        match kind {
            "user_name" => {
                who = printable(reader.string("user name")?);
                let password = reader.octets("password")?;
                let algorithm = reader.string("encryption algorithm")?;
                secret = password.map(|_| if algorithm.is_empty() { "clear" } else { "encrypted" });
                context.draft.claim(Attribute::User, who.clone());
            }
            "certificate" => {
                let shown = reader.string("certificate")?;
                who = Certificate::read(shown).map(|certificate| certificate.subject).unwrap_or_default();
            }
            "issued_token" => {
                reader.octets("token")?;
                let algorithm = reader.string("encryption algorithm")?;
                secret = Some(if algorithm.is_empty() { "clear" } else { "encrypted" });
            }
            _ => {}
        }
    }
    context.draft.object(word("user-token", kind), &who);
    if let Some(how) = secret {
        // What a channel encrypts is not in the clear, and cannot be read here.
        context.draft.object(word("password", how), "");
    }
    Ok(())
}

pub(super) fn activated(reader: &mut Reader<'_>, _: &mut Context<'_>) -> Read<()> {
    reader.octets("server nonce")?;
    for _ in 0..reader.elements("results")? {
        reader.u32("result")?;
    }
    reader.diagnostic_infos("diagnostics")
}

pub(super) fn close(reader: &mut Reader<'_>, _: &mut Context<'_>) -> Read<()> {
    reader.boolean("delete subscriptions").map(drop)
}

pub(super) fn cancel(reader: &mut Reader<'_>, _: &mut Context<'_>) -> Read<()> {
    reader.u32("request handle or number of requests").map(drop)
}

/// The sender shows a certificate: whose it is. Those of its issuers may follow.
pub(in super::super) fn certificate(shown: &[u8], draft: &mut Draft) {
    let Ok(certificate) = Certificate::read(shown) else { return };
    let host =
        certificate.names.iter().find(|name| !name.contains([':', '/', ' ']) && name.contains(char::is_alphabetic));
    if let Some(host) = host {
        draft.claim(Attribute::Hostname, host.clone());
    }
    draft.claim(Attribute::Certificate, certificate.subject);
}

/// The policy that a channel is opened with.
pub(in super::super) fn security_policy(uri: &[u8], draft: &mut Draft) {
    let name = policy::name(uri);
    let told = if name.is_empty() { printable(uri) } else { String::new() };
    draft.object(word("security-policy", name), &told);
}
