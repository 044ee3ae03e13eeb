//! Monitored items (10000-4, 5.12): what a client asks to be told of.

use super::super::draft::status_of;
use super::super::memory::Question;
use super::super::reader::{Read, Reader};
use super::variables::{asked, attribute_name, value_id};
use super::{Context, results};
use crate::model::Object;

/// How an item is monitored (7.21): gives the client's handle, and the sampling interval in milliseconds.
fn parameters(reader: &mut Reader<'_>) -> Read<(u32, f64)> {
    let handle = reader.u32("client handle")?;
    let interval = reader.f64("sampling interval")?;
    reader.extension("filter")?;
    reader.u32("queue size")?;
    reader.boolean("discard oldest")?;
    Ok((handle, interval))
}

pub(super) fn create(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut question = Question { subscription: reader.u32("subscription id")?, ..Question::default() };
    reader.u32("timestamps")?;
    for _ in 0..reader.elements("items to create")? {
        let point = value_id(reader)?;
        reader.u32("monitoring mode")?;
        let (handle, interval) = parameters(reader)?;
        let text = format!("{} every {interval} ms", attribute_name(point.attribute));
        asked(&point, context.draft, text.trim());
        question.points.push(point);
        question.handles.push(handle);
    }
    context.asks(question);
    Ok(())
}

pub(super) fn created(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut failed = Vec::new();
    for index in 0..reader.elements("results")? {
        let status = reader.u32("status")?;
        failed.push(status);
        let id = reader.u32("monitored item id")?;
        reader.take(12, "revised sampling interval and queue size")?;
        reader.extension("filter result")?;
        context.answered(index, status, [], "");
        let Question { points, handles, subscription, .. } = &context.asked;
        if let (0, Some(point), Some(handle)) = (status, points.get(index), handles.get(index)) {
            context.memory.monitor(*subscription, *handle, id, point.clone());
        }
    }
    context.draft.all_failed(&failed);
    reader.diagnostic_infos("diagnostics")
}

pub(super) fn modify(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let subscription = reader.u32("subscription id")?;
    reader.u32("timestamps")?;
    for _ in 0..reader.elements("items to modify")? {
        let id = reader.u32("monitored item id")?;
        let (handle, interval) = parameters(reader)?;
        context.memory.rename(subscription, id, handle);
        let point = context.memory.item(subscription, handle).cloned();
        match point {
            Some(point) => asked(&point, context.draft, &format!("every {interval} ms")),
            None => items(1, "", context),
        }
    }
    Ok(())
}

pub(super) fn modified(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut failed = Vec::new();
    for _ in 0..reader.elements("results")? {
        failed.push(reader.u32("status")?);
        reader.take(12, "revised sampling interval and queue size")?;
        reader.extension("filter result")?;
    }
    context.draft.all_failed(&failed);
    reader.diagnostic_infos("diagnostics")
}

/// Items of which only the ids are told.
fn items(count: usize, text: &str, context: &mut Context<'_>) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    context.draft.object(Object { kind: "monitored-item", count, ..Object::default() }, text);
}

/// Ids of items, one after the other.
fn ids(reader: &mut Reader<'_>) -> Read<Vec<u32>> {
    let count = reader.elements("monitored items")?;
    (0..count).map(|_| reader.u32("monitored item id")).collect()
}

pub(super) fn set_mode(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    reader.u32("subscription id")?;
    let mode = match reader.u32("monitoring mode")? {
        0 => "disabled",
        1 => "sampling",
        2 => "reporting",
        _ => "",
    };
    let count = ids(reader)?.len();
    items(count, mode, context);
    Ok(())
}

pub(super) fn trigger(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    reader.take(8, "subscription id and triggering item")?;
    let count = ids(reader)?.len() + ids(reader)?.len();
    items(count, "", context);
    Ok(())
}

pub(super) fn triggered(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    results(reader, context)?;
    results(reader, context)
}

pub(super) fn delete(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let subscription = reader.u32("subscription id")?;
    let ids = ids(reader)?;
    items(ids.len(), "", context);
    context.memory.release(subscription, &ids);
    Ok(())
}

/// A notification's object: the node where it is known what the handle stands for.
pub(super) fn notified(
    context: &mut Context<'_>,
    (subscription, handle): (u32, u32),
    status: u32,
    numbers: Vec<f64>,
    text: &str,
) {
    let status = status_of(status);
    match context.memory.item(subscription, handle) {
        Some(point) => {
            context.draft.named(Object { status, ..point.object() }, &point.name, numbers, text);
        }
        None => {
            let object = Object { kind: "monitored-item", start: Some(handle), status, ..Object::default() };
            context.draft.named(object, "", numbers, text);
        }
    }
}
