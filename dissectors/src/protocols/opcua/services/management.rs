//! Nodes added and deleted (10000-4, 5.7), and methods called (5.11).

use super::super::draft::Point;
use super::super::memory::Question;
use super::super::node::NodeId;
use super::super::reader::{Read, Reader};
use super::Context;
use crate::bytes::printable;
use crate::model::Object;

pub(super) fn add_nodes(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut points = Vec::new();
    for _ in 0..reader.elements("nodes to add")? {
        let parent = reader.expanded_node_id("parent")?;
        reader.node_id("reference type")?;
        let node = reader.expanded_node_id("requested node id")?;
        let name = printable(reader.qualified_name("browse name")?);
        reader.u32("node class")?;
        reader.extension("node attributes")?;
        reader.expanded_node_id("type definition")?;
        // A server chooses the id where none is asked for.
        let named = if node.is_null() { &parent } else { &node };
        context.draft.node(named, &format!("{name} below {parent}"));
        points.push(Point::of(named, 0));
    }
    context.asks(Question { points, ..Question::default() });
    Ok(())
}

pub(super) fn added(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut failed = Vec::new();
    for index in 0..reader.elements("results")? {
        let status = reader.u32("status")?;
        failed.push(status);
        let node = reader.node_id("added node")?;
        context.answered(index, status, [], &node.to_string());
    }
    context.draft.all_failed(&failed);
    reader.diagnostic_infos("diagnostics")
}

pub(super) fn add_references(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    references(reader, context, |reader| {
        reader.octets("target server URI")?;
        let target = reader.expanded_node_id("target")?;
        reader.u32("target class")?;
        Ok(target)
    })
}

pub(super) fn delete_references(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    references(reader, context, |reader| {
        let target = reader.expanded_node_id("target")?;
        reader.boolean("delete both ways")?;
        Ok(target)
    })
}

fn references<'a>(
    reader: &mut Reader<'a>,
    context: &mut Context<'_>,
    target: impl Fn(&mut Reader<'a>) -> Read<NodeId<'a>>,
) -> Read<()> {
    let mut points = Vec::new();
    for _ in 0..reader.elements("references")? {
        let node = reader.node_id("source")?;
        let kind = reader.node_id("reference type")?;
        reader.boolean("is forward")?;
        let target = target(reader)?;
        context.draft.node(&node, &format!("{kind} to {target}"));
        points.push(Point::of(&node, 0));
    }
    context.asks(Question { points, ..Question::default() });
    Ok(())
}

pub(super) fn delete_nodes(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut points = Vec::new();
    for _ in 0..reader.elements("nodes to delete")? {
        let node = reader.node_id("node")?;
        reader.boolean("delete target references")?;
        context.draft.node(&node, "");
        points.push(Point::of(&node, 0));
    }
    context.asks(Question { points, ..Question::default() });
    Ok(())
}

/// A method, with the object that it is called of and the number of arguments. Those may be passwords, and are told nowhere.
fn method(name: &str, text: &str, status: Option<u16>, context: &mut Context<'_>) {
    context.draft.named(Object { kind: "method", status, ..Object::default() }, name, [], text);
}

pub(super) fn call(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut points = Vec::new();
    for _ in 0..reader.elements("methods to call")? {
        let object = reader.node_id("object")?;
        let called = reader.node_id("method")?;
        let count = reader.elements("arguments")?;
        let plural = if count == 1 { "" } else { "s" };
        // Told before its arguments are read: whatever is in those, it is this method that is called.
        method(&called.to_string(), &format!("of {object}, {count} argument{plural}"), None, context);
        for _ in 0..count {
            reader.variant("argument")?;
        }
        points.push(Point::of(&called, 0));
    }
    context.asks(Question { points, ..Question::default() });
    Ok(())
}

pub(super) fn called(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut failed = Vec::new();
    for index in 0..reader.elements("results")? {
        let status = reader.u32("status")?;
        failed.push(status);
        for _ in 0..reader.elements("results of arguments")? {
            reader.u32("result of an argument")?;
        }
        reader.diagnostic_infos("diagnostics of arguments")?;
        for _ in 0..reader.elements("output arguments")? {
            reader.variant("output argument")?;
        }
        let name = context.asked.points.get(index).map(|point| point.name.clone()).unwrap_or_default();
        method(&name, "", super::super::draft::status_of(status), context);
    }
    context.draft.all_failed(&failed);
    reader.diagnostic_infos("diagnostics")
}
