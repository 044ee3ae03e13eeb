//! Attributes of nodes (10000-4, 5.10): read, written, and their history.

use super::super::draft::{Draft, Point, VALUE, is_bad, words};
use super::super::memory::Question;
use super::super::node::NodeId;
use super::super::reader::{DataValue, Extension, Plain, Read, Reader, built_in};
use super::Context;
use crate::bytes::printable;
use crate::model::{Attribute, Object};
use crate::tables::{self, opcua as codes};

/// Structures of extension objects.
mod structure {
    pub(super) const BUILD_INFO: u32 = 340;
    pub(super) const SERVER_STATUS: u32 = 864;
}

/// A node and an attribute of it (7.29).
pub(super) fn value_id(reader: &mut Reader<'_>) -> Read<Point> {
    let node = reader.node_id("node")?;
    let attribute = reader.u32("attribute")?;
    reader.octets("index range")?;
    reader.qualified_name("data encoding")?;
    Ok(Point::of(&node, attribute))
}

/// Tells that a point is asked about.
pub(super) fn asked(point: &Point, draft: &mut Draft, text: &str) {
    draft.named(point.object(), &point.name, [], text);
}

/// Name of an attribute other than the value.
pub(super) fn attribute_name(attribute: u32) -> &'static str {
    if attribute == VALUE { "" } else { tables::name(codes::ATTRIBUTES, attribute) }
}

pub(super) fn read(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    reader.take(12, "maximum age and timestamps")?;
    let mut points = Vec::new();
    for _ in 0..reader.elements("nodes to read")? {
        let point = value_id(reader)?;
        asked(&point, context.draft, "");
        points.push(point);
    }
    context.asks(Question { points, ..Question::default() });
    Ok(())
}

pub(super) fn values(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut failed = Vec::new();
    for index in 0..reader.elements("results")? {
        let DataValue { value, status } = reader.data_value("value")?;
        failed.push(status);
        let value = value.unwrap_or_default();
        match context.asked.points.get(index) {
            Some(point) => {
                identity(point, &value, context.draft);
                context.answered(index, status, numbers(&value), &told(&value, point.attribute));
            }
            None => {
                let status = super::super::draft::status_of(status);
                let object = Object { kind: "node", status, ..Object::default() };
                context.draft.named(object, "", numbers(&value), &words(&value));
            }
        }
    }
    context.draft.all_failed(&failed);
    reader.diagnostic_infos("diagnostics")
}

/// Words of a value; of another attribute than the value with its name.
fn told(value: &Plain<'_>, attribute: u32) -> String {
    let words = words(value);
    format!("{} {words}", attribute_name(attribute)).trim().to_string()
}

/// Numbers of a value, where it has numbers.
fn numbers(value: &Plain<'_>) -> Vec<f64> {
    // A status code is a word, and a variant in another is told with its own numbers.
    if value.kind == built_in::STATUS_CODE { Vec::new() } else { value.numbers.clone() }
}

/// What a server says of itself in its nodes.
fn identity(point: &Point, value: &Plain<'_>, draft: &mut Draft) {
    if point.attribute != VALUE {
        return;
    }
    let standard = point.name.strip_prefix("i=").and_then(|number| number.parse().ok());
    if let Some(known) = standard.and_then(|number| tables::find(codes::IDENTITY_NODES, number)) {
        if let (Some(attribute), Some(text)) = (attribute(known.kind), value.texts.first()) {
            draft.claim_text(attribute, text);
        }
    }
    if let Some(extension) = value.extension {
        let _unreadable_says_nothing = structure(extension, draft);
    }
}

fn attribute(name: &str) -> Option<Attribute> {
    Attribute::ALL.iter().copied().find(|attribute| attribute.name() == name)
}

/// Build info (10000-5, 12.4), alone or in a server's status (12.10).
fn structure(extension: Extension<'_>, draft: &mut Draft) -> Read<()> {
    let mut reader = Reader::new(extension.body.unwrap_or(&[]));
    match extension.number() {
        Some(structure::BUILD_INFO) => {}
        Some(structure::SERVER_STATUS) => drop(reader.take(20, "start time, current time, state")?),
        _ => return Ok(()),
    }
    let uri = reader.string("product URI")?;
    let manufacturer = reader.string("manufacturer name")?;
    let product = reader.string("product name")?;
    let version = reader.string("software version")?;
    draft.claim_text(Attribute::Software, uri);
    draft.claim_text(Attribute::Vendor, manufacturer);
    draft.claim_text(Attribute::Product, product);
    draft.claim_text(Attribute::Version, version);
    Ok(())
}

pub(super) fn write(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut points = Vec::new();
    for _ in 0..reader.elements("nodes to write")? {
        let node = reader.node_id("node")?;
        let attribute = reader.u32("attribute")?;
        let range = printable(reader.string("index range")?);
        let written = reader.data_value("value");
        // Whatever is wrong with the value, it is this node that it is written to.
        let value = written.as_ref().ok().and_then(|written| written.value.clone()).unwrap_or_default();
        let point = Point::of(&node, attribute);
        let text = told(&value, attribute);
        let text = if range.is_empty() { text } else { format!("[{range}] {text}") };
        context.draft.named(point.object(), &point.name, numbers(&value), text.trim());
        points.push(point);
        written?;
    }
    context.asks(Question { points, ..Question::default() });
    Ok(())
}

/// What is asked of history (5.10.3): its kind, then the nodes.
pub(super) fn read_history(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let details = reader.extension("history read details")?;
    let what = details.number().map_or("", |number| tables::name(codes::STRUCTURES, number));
    reader.u32("timestamps")?;
    reader.boolean("release continuation points")?;
    let mut points = Vec::new();
    for _ in 0..reader.elements("nodes to read")? {
        let node = reader.node_id("node")?;
        reader.octets("index range")?;
        reader.qualified_name("data encoding")?;
        reader.octets("continuation point")?;
        context.draft.node(&node, what);
        points.push(Point::of(&node, 0));
    }
    context.asks(Question { points, ..Question::default() });
    Ok(())
}

pub(super) fn history(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut failed = Vec::new();
    for index in 0..reader.elements("results")? {
        let status = reader.u32("status")?;
        failed.push(status);
        reader.octets("continuation point")?;
        reader.extension("history data")?;
        context.answered(index, status, [], "");
    }
    context.draft.all_failed(&failed);
    reader.diagnostic_infos("diagnostics")
}

/// What is changed in history (5.10.5): each kind starts with the node.
pub(super) fn update_history(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut points = Vec::new();
    for _ in 0..reader.elements("history update details")? {
        let details = reader.extension("history update details")?;
        let known = details.number().and_then(|number| tables::find(codes::STRUCTURES, number));
        let node = details.body.and_then(|body| Reader::new(body).node_id("node").ok());
        if let (Some(known), Some(node)) = (known, node) {
            context.draft.node(&node, known.name);
            points.push(Point::of(&node, 0));
        } else {
            context.draft.object(Object { kind: "node", ..Object::default() }, &type_of(&details.kind));
            points.push(Point::default());
        }
    }
    context.asks(Question { points, ..Question::default() });
    Ok(())
}

fn type_of(kind: &NodeId<'_>) -> String {
    format!("details of type {kind}")
}

pub(super) fn updated(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut failed = Vec::new();
    for index in 0..reader.elements("results")? {
        let status = reader.u32("status")?;
        let mut worst = status;
        for _ in 0..reader.elements("operation results")? {
            let one = reader.u32("operation result")?;
            worst = if is_bad(worst) { worst } else { one };
        }
        reader.diagnostic_infos("diagnostics")?;
        failed.push(worst);
        context.answered(index, worst, [], "");
    }
    context.draft.all_failed(&failed);
    reader.diagnostic_infos("diagnostics")
}
