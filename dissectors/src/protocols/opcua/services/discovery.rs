//! Discovery (10000-4, 5.4): which servers there are, and how each may be spoken to.

use super::super::policy::{self, distinct};
use super::super::reader::{Read, Reader};
use super::{Context, certificate};
use crate::bytes::printable;
use crate::model::{Attribute, Object};
use crate::tables::{self, opcua as codes};

/// What an application says of itself (7.2).
pub(super) struct Application<'a> {
    uri: &'a [u8],
    product: &'a [u8],
    name: &'a [u8],
    kind: u32,
}

/// Reads it.
pub(super) fn application<'a>(reader: &mut Reader<'a>) -> Read<Application<'a>> {
    let uri = reader.string("application URI")?;
    let product = reader.string("product URI")?;
    let name = reader.localized_text("application name")?;
    let kind = reader.u32("application type")?;
    reader.octets("gateway server URI")?;
    reader.octets("discovery profile URI")?;
    reader.strings("discovery URLs")?;
    Ok(Application { uri, product, name, kind })
}

impl Application<'_> {
    /// The sender is this application.
    pub(super) fn claim(&self, context: &mut Context<'_>) {
        context.draft.claim_text(Attribute::Application, self.uri);
        context.draft.claim_text(Attribute::Software, self.product);
        context.draft.claim_text(Attribute::Name, self.name);
    }

    fn object(&self, context: &mut Context<'_>) {
        let object = Object {
            kind: "application",
            type_number: Some(self.kind),
            property_name: tables::name(codes::APPLICATION_TYPES, self.kind),
            ..Object::default()
        };
        context.draft.object(object, &printable(self.uri));
    }
}

pub(super) fn find_servers(reader: &mut Reader<'_>, _: &mut Context<'_>) -> Read<()> {
    reader.octets("endpoint URL")?;
    reader.strings("locales")?;
    reader.strings("server URIs")
}

pub(super) fn servers(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    for _ in 0..reader.elements("servers")? {
        application(reader)?.object(context);
    }
    Ok(())
}

pub(super) fn find_on_network(reader: &mut Reader<'_>, _: &mut Context<'_>) -> Read<()> {
    reader.take(8, "first record and number of records")?;
    reader.strings("capabilities")
}

pub(super) fn on_network(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    reader.take(8, "time of the last reset")?;
    for _ in 0..reader.elements("servers")? {
        reader.u32("record id")?;
        let name = printable(reader.string("server name")?);
        let url = printable(reader.string("discovery URL")?);
        reader.strings("capabilities")?;
        context.draft.object(Object { kind: "application", ..Object::default() }, format!("{name} {url}").trim());
    }
    Ok(())
}

pub(super) fn get_endpoints(reader: &mut Reader<'_>, _: &mut Context<'_>) -> Read<()> {
    reader.octets("endpoint URL")?;
    reader.strings("locales")?;
    reader.strings("profile URIs")
}

/// Endpoints (7.14), each with its mode, policy and the kinds of user tokens; what they offer once for all of them.
pub(super) fn endpoints(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let (mut policies, mut users) = (Vec::new(), Vec::new());
    for index in 0..reader.elements("endpoints")? {
        let url = printable(reader.string("endpoint URL")?);
        let server = application(reader)?;
        if index == 0 {
            server.claim(context);
            context.draft.claim(Attribute::Url, url.clone());
        }
        let shown = reader.string("server certificate")?;
        if index == 0 {
            certificate(shown, context.draft);
        }
        let mode = tables::name(codes::SECURITY_MODES, reader.u32("security mode")?);
        let policy = policy::name(reader.string("security policy URI")?);
        let tokens = user_tokens(reader)?;
        reader.octets("transport profile URI")?;
        reader.u8("security level")?;
        distinct(&mut policies, policy);
        tokens.iter().for_each(|token| distinct(&mut users, token));
        let object = Object { kind: "endpoint", property_name: mode, ..Object::default() };
        context.draft.object(object, format!("{url} {policy}: {}", tokens.join(", ")).trim());
    }
    for (kind, names) in [("security-policy", policies), ("user-token", users)] {
        for property_name in names {
            context.draft.object(Object { kind, property_name, ..Object::default() }, "");
        }
    }
    Ok(())
}

/// Kinds of user tokens that are taken (7.42).
fn user_tokens(reader: &mut Reader<'_>) -> Read<Vec<&'static str>> {
    let mut kinds = Vec::new();
    for _ in 0..reader.elements("user identity tokens")? {
        reader.octets("policy id")?;
        distinct(&mut kinds, tables::name(codes::USER_TOKENS, reader.u32("token type")?));
        reader.octets("issued token type")?;
        reader.octets("issuer endpoint URL")?;
        reader.octets("security policy URI")?;
    }
    Ok(kinds)
}

pub(super) fn register(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let uri = reader.string("server URI")?;
    let product = reader.string("product URI")?;
    let mut names = Vec::new();
    for _ in 0..reader.elements("server names")? {
        names.push(reader.localized_text("server name")?);
    }
    let name = names.first().copied().unwrap_or_default();
    let server = Application { uri, product, name, kind: reader.u32("server type")? };
    reader.octets("gateway server URI")?;
    reader.strings("discovery URLs")?;
    reader.octets("semaphore file")?;
    reader.boolean("is online")?;
    server.claim(context);
    server.object(context);
    Ok(())
}

pub(super) fn register_2(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    register(reader, context)?;
    for _ in 0..reader.elements("discovery configuration")? {
        reader.extension("discovery configuration")?;
    }
    Ok(())
}
