//! Captures that others made, where they are at hand beside the repository.

use std::path::Path;
use std::{fs, mem};

use super::*;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/pcaps");

/// The values of a CSV line with quoted values (RFC 4180), none of which spans lines.
fn values(line: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut value = String::new();
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => values.push(mem::take(&mut value)),
            _ => value.push(character),
        }
    }
    values.push(value);
    values
}

#[test]
fn files_of_others_have_the_packets_that_others_count() {
    let Ok(manifest) = fs::read_to_string(Path::new(FOLDER).join("MANIFEST.csv")) else {
        println!("skipped: no MANIFEST.csv in {FOLDER}");
        return;
    };
    let mut lines = manifest.lines();
    let columns = values(lines.next().unwrap_or_default());
    let column = |name: &str| columns.iter().position(|column| column == name).expect("a column of the manifest");
    let [file, sha256, packets, link_types, note] = ["file", "sha256", "packets", "linktype", "note"].map(column);

    let (mut files, mut total, mut cut) = (0, 0, Vec::new());
    let mut differences = Vec::new();
    for line in lines {
        let row = values(line);
        let mut reader = match Reader::open(&Path::new(FOLDER).join(&row[file]), true) {
            Ok(reader) => reader,
            Err(error) => {
                differences.push(format!("{}: {error}", row[file]));
                continue;
            }
        };
        let mut count = 0_u64;
        let mut found = std::collections::BTreeSet::new();
        let end = loop {
            match reader.next_packet() {
                Ok(Some(packet)) => {
                    count += 1;
                    found.insert(packet.link_type);
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let hash = reader.finish_hash().unwrap().expect("was asked for");
        let hash: String = hash.iter().map(|octet| format!("{octet:02x}")).collect();
        files += 1;
        total += count;
        if hash != row[sha256] {
            differences.push(format!("{}: SHA-256 {hash}", row[file]));
        }
        match end {
            Some(error) if row[note].contains("TRUNCATED") && error.is_partial() => {
                cut.push(format!("{} ({} in the manifest): {error}", row[file], row[packets]));
            }
            Some(error) => differences.push(format!("{}: {error}", row[file])),
            None if row[packets] != count.to_string() => {
                differences.push(format!("{}: {count} packets, {} in the manifest", row[file], row[packets]));
            }
            // The manifest has the link types of all interfaces described, with packets or without.
            None => {
                let described: Vec<&str> = row[link_types].split('|').collect();
                for link_type in found.iter().filter(|found| !described.contains(&found.to_string().as_str())) {
                    differences.push(format!("{}: link type {link_type}", row[file]));
                }
            }
        }
    }
    println!("{files} files, {total} packets; cut as the manifest says: {cut:#?}");
    assert!(differences.is_empty(), "{differences:#?}");
}
