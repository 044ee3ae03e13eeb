//! Makes captures to measure with, the same octets each time.
//!
//! `generate polling|mix|endless octets|packets SIZE FILE...`
//!
//! `polling` is Modbus/TCP alone; `mix` is a plant with its office; in `endless` ends, registers, objects and names are
//! replaced by new ones all the time. Each file has at least this size; a later one continues the one before it, as
//! rotated captures do. Standard output tells what the files hold by kind of conversation.

mod scene;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use scene::Scene;

/// How large each file becomes.
#[derive(Clone, Copy)]
enum Size {
    Octets(u64),
    Packets(u64),
}

fn generate(scene: &mut Scene, size: Size, files: &[String]) -> io::Result<()> {
    for file in files {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(file)?);
        let header = scene::header();
        out.write_all(&header)?;
        let (mut octets, mut packets) = (header.len() as u64, 0);
        while match size {
            Size::Octets(size) => octets < size,
            Size::Packets(size) => packets < size,
        } {
            octets += scene.write(&mut out)?;
            packets += 1;
        }
        out.flush()?;
        println!("{file}: {packets} packets, {octets} octets");
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((mut scene, size, files)) = understood(&arguments) else {
        eprintln!("usage: generate polling|mix|endless octets|packets SIZE FILE...");
        return ExitCode::from(2);
    };
    if let Err(error) = generate(&mut scene, size, files) {
        eprintln!("generate: {error}");
        return ExitCode::FAILURE;
    }
    let (packets, octets) = scene.written.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    for (kind, written) in scene.kinds.iter().zip(&scene.written) {
        let share = |part: u64, whole: u64| 100.0 * part as f64 / whole.max(1) as f64;
        let (of_packets, of_octets) = (share(written.0, packets), share(written.1, octets));
        println!("{}: {of_packets:.1} % of packets, {of_octets:.1} % of octets", kind.name);
    }
    ExitCode::SUCCESS
}

fn understood(arguments: &[String]) -> Option<(Scene, Size, &[String])> {
    let [scene, unit, size, files @ ..] = arguments else { return None };
    let scene = Scene::named(scene)?;
    let size = match (unit.as_str(), size.parse().ok()?) {
        ("octets", size) => Size::Octets(size),
        ("packets", size) => Size::Packets(size),
        _ => return None,
    };
    Some((scene, size, files))
}
