//! Views (10000-4, 5.8): which nodes there are, and how one leads to another.

use super::super::draft::{Point, is_bad};
use super::super::memory::Question;
use super::super::reader::{Read, Reader};
use super::Context;
use crate::bytes::printable;
use crate::model::Object;

/// Names of references of one node that are told.
const MAX_NAMES: usize = 4;

pub(super) fn browse(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    reader.node_id("view id")?;
    reader.take(12, "time and version of the view")?;
    reader.u32("references at most")?;
    let mut points = Vec::new();
    for _ in 0..reader.elements("nodes to browse")? {
        let node = reader.node_id("node to browse")?;
        reader.u32("browse direction")?;
        reader.node_id("reference type")?;
        reader.boolean("include subtypes")?;
        reader.take(8, "masks of classes and of results")?;
        context.draft.node(&node, "");
        points.push(Point::of(&node, 0));
    }
    context.asks(Question { points, ..Question::default() });
    Ok(())
}

pub(super) fn browse_next(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let releases = reader.boolean("release continuation points")?;
    let count = reader.elements("continuation points")?;
    for _ in 0..count {
        reader.octets("continuation point")?;
    }
    let object = Object { kind: "continuation-point", count: u32::try_from(count).unwrap_or(0), ..Object::default() };
    context.draft.object(object, if releases { "release" } else { "" });
    Ok(())
}

/// References of each node: how many, and the first names.
pub(super) fn browsed(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut failed = Vec::new();
    for index in 0..reader.elements("results")? {
        let status = reader.u32("status")?;
        failed.push(status);
        reader.octets("continuation point")?;
        let count = reader.elements("references")?;
        let mut names = Vec::new();
        for _ in 0..count {
            reader.node_id("reference type")?;
            reader.boolean("is forward")?;
            reader.expanded_node_id("node")?;
            let name = reader.qualified_name("browse name")?;
            reader.localized_text("display name")?;
            reader.u32("node class")?;
            reader.expanded_node_id("type definition")?;
            if names.len() < MAX_NAMES {
                names.push(printable(name));
            }
        }
        let more = if count > names.len() { ", …" } else { "" };
        let text =
            if is_bad(status) { String::new() } else { format!("{count} references: {}{more}", names.join(", ")) };
        context.answered(index, status, [], text.trim_end_matches([':', ' ']));
    }
    context.draft.all_failed(&failed);
    reader.diagnostic_infos("diagnostics")
}

pub(super) fn translate(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut points = Vec::new();
    for _ in 0..reader.elements("browse paths")? {
        let node = reader.node_id("starting node")?;
        let mut path = String::new();
        for _ in 0..reader.elements("elements of a path")? {
            reader.node_id("reference type")?;
            reader.take(2, "is inverse, include subtypes")?;
            let name = reader.qualified_name("target name")?;
            if path.len() < 256 {
                path.push('/');
                path.push_str(&printable(name));
            }
        }
        context.draft.node(&node, &path);
        points.push(Point::of(&node, 0));
    }
    context.asks(Question { points, ..Question::default() });
    Ok(())
}

pub(super) fn translated(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut failed = Vec::new();
    for index in 0..reader.elements("results")? {
        let status = reader.u32("status")?;
        failed.push(status);
        let mut text = String::new();
        for target in 0..reader.elements("targets")? {
            let node = reader.expanded_node_id("target")?;
            reader.u32("remaining path")?;
            if target == 0 {
                text = node.to_string();
            }
        }
        context.answered(index, status, [], &text);
    }
    context.draft.all_failed(&failed);
    reader.diagnostic_infos("diagnostics")
}

pub(super) fn register(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    let mut points = Vec::new();
    for _ in 0..reader.elements("nodes")? {
        let node = reader.node_id("node")?;
        context.draft.node(&node, "");
        points.push(Point::of(&node, 0));
    }
    context.asks(Question { points, ..Question::default() });
    Ok(())
}

pub(super) fn registered(reader: &mut Reader<'_>, context: &mut Context<'_>) -> Read<()> {
    for index in 0..reader.elements("registered nodes")? {
        let node = reader.node_id("registered node")?;
        context.answered(index, 0, [], &node.to_string());
    }
    Ok(())
}
