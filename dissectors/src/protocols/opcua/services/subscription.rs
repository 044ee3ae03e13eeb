//! Subscriptions (10000-4, 5.13): how often a client is told, and what it is told.

use super::super::draft::{status_name, words};
use super::super::memory::Question;
use super::super::reader::{DataValue, Extension, Read, Reader};
use super::monitoring::notified;
use super::{Context, results};
use crate::model::{Kind, Object, Pairing};

/// Structures of notifications.
mod structure {
    pub(super) const DATA_CHANGE: u32 = 811;
    pub(super) const STATUS_CHANGE: u32 = 820;
    pub(super) const EVENTS: u32 = 916;
}

fn object(count: usize, text: &str, context: &mut Context<'_>) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    context.draft.object(Object { kind: "subscription", count, ..Object::default() }, text);
}

pub(super) fn create(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let interval = reader.f64("publishing interval")?;
    reader.take(12, "lifetime, keep-alive, notifications at most")?;
    let enabled = reader.boolean("publishing enabled")?;
    reader.u8("priority")?;
    object(1, &format!("every {interval} ms{}", if enabled { "" } else { ", disabled" }), context);
    Ok(())
}

pub(super) fn created(reader: &mut Reader<'_>, _: &mut Context<'_>) -> Read<()> {
    reader.take(20, "subscription id and revised parameters").map(drop)
}

pub(super) fn modify(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    reader.u32("subscription id")?;
    let interval = reader.f64("publishing interval")?;
    reader.take(12, "lifetime, keep-alive, notifications at most")?;
    reader.u8("priority")?;
    object(1, &format!("every {interval} ms"), context);
    Ok(())
}

pub(super) fn modified(reader: &mut Reader<'_>, _: &mut Context<'_>) -> Read<()> {
    reader.take(16, "revised parameters").map(drop)
}

fn ids(reader: &mut Reader<'_>) -> Read<Vec<u32>> {
    let count = reader.elements("subscriptions")?;
    (0..count).map(|_| reader.u32("subscription id")).collect()
}

pub(super) fn set_mode(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let text = if reader.boolean("publishing enabled")? { "enabled" } else { "disabled" };
    let count = ids(reader)?.len();
    object(count, text, context);
    Ok(())
}

pub(super) fn delete(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let ids = ids(reader)?;
    object(ids.len(), "", context);
    ids.into_iter().for_each(|id| context.memory.end(id));
    Ok(())
}

pub(super) fn transfer(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let count = ids(reader)?.len();
    reader.boolean("send initial values")?;
    object(count, "", context);
    Ok(())
}

pub(super) fn transferred(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut failed = Vec::new();
    for _ in 0..reader.elements("results")? {
        failed.push(reader.u32("status")?);
        let numbers = reader.elements("available sequence numbers")?;
        reader.take(numbers.saturating_mul(4), "available sequence numbers")?;
    }
    context.draft.all_failed(&failed);
    reader.diagnostic_infos("diagnostics")
}

/// The request waits at the server until there is something to tell: it makes no event, its answer is the server's report.
pub(super) fn publish(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    context.draft.message.pairing = Pairing::None;
    context.asks(Question { waits: true, ..Question::default() });
    let count = reader.elements("acknowledgements")?;
    reader.take(count.saturating_mul(8), "acknowledgements").map(drop)
}

pub(super) fn published(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    (context.draft.message.kind, context.draft.message.pairing) = (Kind::Unsolicited, Pairing::Alone);
    let subscription = reader.u32("subscription id")?;
    let count = reader.elements("available sequence numbers")?;
    reader.take(count.saturating_mul(4), "available sequence numbers")?;
    reader.boolean("more notifications")?;
    notifications(reader, subscription, context)?;
    // What became of the acknowledgements.
    results(reader, context)
}

pub(super) fn republish(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let subscription = reader.u32("subscription id")?;
    reader.u32("sequence number")?;
    context.asks(Question { subscription, ..Question::default() });
    Ok(())
}

pub(super) fn republished(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    notifications(reader, context.asked.subscription, context)
}

/// A notification message (7.26).
fn notifications(reader: &mut Reader<'_>, subscription: u32, context: &mut Context<'_>) -> Read<()> {
    reader.take(12, "sequence number and publish time")?;
    for _ in 0..reader.elements("notification data")? {
        let data = reader.extension("notification data")?;
        let result = notification(data, subscription, context);
        context.draft.faulty(result);
    }
    Ok(())
}

fn notification(data: Extension<'_>, subscription: u32, context: &mut Context<'_>) -> Read<()> {
    let mut reader = Reader::new(data.body.unwrap_or(&[]));
    match data.number() {
        Some(structure::DATA_CHANGE) => {
            for _ in 0..reader.elements("monitored items")? {
                let handle = reader.u32("client handle")?;
                let DataValue { value, status } = reader.data_value("value")?;
                let value = value.unwrap_or_default();
                let text = words(&value);
                notified(context, (subscription, handle), status, value.numbers, &text);
            }
            reader.diagnostic_infos("diagnostics")
        }
        Some(structure::EVENTS) => {
            for _ in 0..reader.elements("events")? {
                let handle = reader.u32("client handle")?;
                let mut texts = Vec::new();
                for _ in 0..reader.elements("event fields")? {
                    let field = reader.variant("event field")?;
                    texts.extend(Some(words(&field)).filter(|text| !text.is_empty() && texts.len() < 8));
                }
                notified(context, (subscription, handle), 0, Vec::new(), &texts.join(", "));
            }
            Ok(())
        }
        Some(structure::STATUS_CHANGE) => {
            let status = reader.u32("status")?;
            object(1, status_name(status), context);
            reader.diagnostic_info("diagnostics")
        }
        _ => Ok(()),
    }
}
