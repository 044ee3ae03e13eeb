//! Compiles `tables/*.toml` into constants: `tables::modbus::FUNCTIONS` and so on.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=tables");
    let mut files: Vec<_> = fs::read_dir("tables")
        .expect("folder tables")
        .map(|entry| entry.expect("entry of tables").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();

    let mut generated = String::new();
    let mut all = Vec::new();
    for path in &files {
        let protocol = path.file_stem().and_then(|stem| stem.to_str()).expect("file name");
        let text = fs::read_to_string(path).expect("readable table");
        let document: toml::Table = text.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        writeln!(generated, "/// Codes of `tables/{protocol}.toml`.\npub mod {protocol} {{\n    use super::Code;\n    use crate::model::Operation;").unwrap();
        for (section, codes) in document.iter().filter(|(section, _)| *section != "protocol") {
            let place = format!("{}: [{section}]", path.display());
            let constant = section.to_uppercase();
            writeln!(generated, "    /// Section `{section}`.\n    pub const {constant}: &[Code] = &[").unwrap();
            for (code, entry) in sorted(codes, &place) {
                writeln!(generated, "        {},", code_literal(code, entry, &place)).unwrap();
            }
            writeln!(generated, "    ];").unwrap();
            all.push(format!("(\"{protocol}.{section}\", {protocol}::{constant})"));
        }
        writeln!(generated, "    const _: Option<Operation> = None;\n}}").unwrap();
    }
    writeln!(generated, "/// Every table by name.\npub const ALL: &[(&str, &[Code])] = &[{}];", all.join(", "))
        .unwrap();
    fs::write(Path::new(&env::var("OUT_DIR").expect("OUT_DIR")).join("tables.rs"), generated).expect("write tables.rs");
}

fn sorted<'a>(codes: &'a toml::Value, place: &str) -> BTreeMap<u32, &'a toml::Table> {
    let codes = codes.as_table().unwrap_or_else(|| panic!("{place} is no table"));
    codes
        .iter()
        .map(|(key, entry)| {
            let entry = entry.as_table().unwrap_or_else(|| panic!("{place} {key} is no table"));
            (key_of(key).unwrap_or_else(|| panic!("{place} {key} is no code")), entry)
        })
        .collect()
}

fn key_of(key: &str) -> Option<u32> {
    match key.split_once('.') {
        Some((first, second)) => Some(first.parse::<u32>().ok()? << 8 | second.parse::<u8>().ok().map(u32::from)?),
        None => key.parse().ok(),
    }
}

fn code_literal(code: u32, entry: &toml::Table, place: &str) -> String {
    let word = |field: &str| entry.get(field).and_then(toml::Value::as_str);
    let name = word("name").unwrap_or_else(|| panic!("{place} {code} has no name"));
    let operation = word("operation").map_or("None".to_string(), |operation| {
        let variant: String = operation.split('_').map(|part| part[..1].to_uppercase() + &part[1..]).collect();
        format!("Some(Operation::{variant})")
    });
    let size = entry.get("size").and_then(toml::Value::as_integer);
    format!(
        "Code {{ code: {code}, name: {name:?}, operation: {operation}, kind: {:?}, size: {size:?} }}",
        word("kind").unwrap_or("")
    )
}
