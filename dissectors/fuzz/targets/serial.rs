//! A serial line: any octets either way, in any portions, with losses between: no octet is lost, none is told twice, and
//! little is held. A frame of Modbus ASCII comes as the RTU frame that it is, so that it has fewer octets than the line had.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::line::{Event, Found, Line, MOST_OCTETS, record};
use zonewatch_dissectors::net::tcp::Stamp;
use zonewatch_fuzz::input::Input;

fuzz_target!(|data: &[u8]| {
    let (mut input, mut line, mut found) = (Input(data), Line::default(), Vec::new());
    let (mut given, mut frame, mut colons) = (0, 0, 0);
    while !input.is_empty() {
        frame += 1;
        let length = usize::from(input.u16() % 1_024);
        let Some((event, octets)) = record(input.octets(length)) else { continue };
        match event {
            Event::Data(way) => {
                given += octets.len();
                colons += octets.iter().filter(|octet| **octet == b':').count();
                line.take(way, octets, Stamp { frame, time: 0, capture: 0 }, &mut found);
            }
            Event::Lost(_) => line.lose(&mut found),
            Event::Damaged(_) | Event::Other => {}
        }
        assert!(line.held() <= 2 * MOST_OCTETS);
    }
    line.finish(&mut found);
    let octets = |found: &Found| match found {
        Found::Frame(frame) => {
            assert!(!frame.octets.is_empty() && frame.octets.len() <= MOST_OCTETS);
            frame.octets.len()
        }
        Found::Noise { octets, .. } => *octets,
    };
    let told = found.iter().map(octets).sum::<usize>();
    // Of n octets with a CRC, ASCII has a colon, two digits for each but the CRC and for the sum, and a line end.
    let mut longer: Vec<usize> = found.iter().filter(|one| matches!(one, Found::Frame(_))).map(octets).collect();
    longer.sort_unstable();
    let most = longer.iter().rev().take(colons).map(|octets| octets + 1).sum::<usize>();
    assert!((told..=told + most).contains(&given), "{given} octets, {told} told");
});
