//! scratch
use std::time::Instant;
use zonewatch_dissectors::capture::Reader;
use zonewatch_dissectors::decoder::Decoder;
use zonewatch_dissectors::sinks::Detail;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let begin = Instant::now();
    let mut packets = 0u64;
    match args[1].as_str() {
        "read" => {
            let mut reader = Reader::open(args[2].as_ref(), false).unwrap();
            let mut sum = 0u64;
            while let Some(packet) = reader.next_packet().unwrap() {
                packets += 1;
                sum += u64::from(packet.data[20]);
            }
            println!("{sum}");
        }
        mode => {
            let detail = match mode {
                "pdus" => Detail::Pdus,
                "events" => Detail::Events,
                _ => Detail::Aggregates,
            };
            let mut decoder = Decoder::new(vec![("s".into(), vec![("f".into(), args[2].clone())])], detail, false);
            while decoder.advance(50_000) {
                let (rows, _, _, words) = decoder.tables();
                std::hint::black_box(rows.pdus.take(words).unwrap());
            }
            packets = decoder.packets();
        }
    }
    let t = begin.elapsed().as_secs_f64();
    println!("{} {packets} {:.3} s {:.0} ns/packet", args[1], t, t * 1e9 / packets as f64);
}
