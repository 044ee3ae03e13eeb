//! Capture files in the place of interfaces: the same way, and nothing is given up.

use std::path::Path;
use std::sync::Arc;

use super::hub::{BATCH, Hub, State, locked};
use crate::capture::{CaptureError, Packet, Reader};

/// Reads a file into a lane, which has the number of its interface.
pub fn run(path: &str, lane: usize, hub: &Arc<Hub>) {
    let read = Reader::open(Path::new(path), false).and_then(|mut reader| into(&mut reader, lane, hub));
    if let Some(interface) = hub.interfaces.get(lane) {
        if let Err(error) = read {
            *locked(&interface.problem) = error.to_string();
        }
        *locked(&interface.now) = (State::Gone, String::new());
    }
    hub.end(lane);
}

fn into(reader: &mut Reader, lane: usize, hub: &Hub) -> Result<(), CaptureError> {
    let mut batch = hub.batch();
    let result = loop {
        match reader.next_packet() {
            Ok(Some(packet)) => {
                let numbered = Packet { interface: lane as u32, ..packet };
                hub.admit(&mut batch, &numbered, [packet.data, &[], &[]], 0);
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
        if batch.size() >= BATCH {
            hub.push(lane, std::mem::replace(&mut batch, hub.batch()));
            while hub.fill() >= 100 {
                if hub.is_over() {
                    return Ok(());
                }
                hub.wait_for_room();
            }
        }
    };
    hub.push(lane, batch);
    result
}
