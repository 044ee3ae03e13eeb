//! A serial line: any octets either way, in any portions, with losses between: no octet is lost, none is told twice, and
//! little is held.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zonewatch_dissectors::line::{Event, Found, Line, MOST_OCTETS, record};
use zonewatch_dissectors::net::tcp::Stamp;
use zonewatch_fuzz::input::Input;

fuzz_target!(|data: &[u8]| {
    let (mut input, mut line, mut found) = (Input(data), Line::default(), Vec::new());
    let (mut given, mut frame) = (0, 0);
    while !input.is_empty() {
        frame += 1;
        let length = usize::from(input.u16() % 1_024);
        let Some((event, octets)) = record(input.octets(length)) else { continue };
        match event {
            Event::Data(way) => {
                given += octets.len();
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
    assert_eq!(found.iter().map(octets).sum::<usize>(), given);
});
