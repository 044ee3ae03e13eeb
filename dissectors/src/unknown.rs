//! Traffic that no protocol and no port explains, counted by port. Bounded; what is too much becomes the rest.

use hashbrown::HashMap;

use crate::columns::rows::Unknown;

/// Ports counted apart in one capture file.
const MAX_PORTS: usize = 1_024;
/// Ports named in the end, those with most octets.
const MAX_NAMED: usize = 16;

/// Unknown traffic of one capture file.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    ports: HashMap<(u32, u16), Unknown, foldhash::fast::RandomState>,
    rest: Unknown,
}

impl Tally {
    /// Counts a flow: its transport (a name) and the port of its server, its packets and octets.
    pub fn flow(&mut self, transport: u32, port: u16, packets: u64, bytes: u64) {
        let fresh = Unknown { transport, port: Some(port), ..Unknown::default() };
        let room = self.ports.len() < MAX_PORTS;
        let row = match self.ports.get_mut(&(transport, port)) {
            Some(row) => row,
            None if room => self.ports.entry((transport, port)).or_insert(fresh),
            None => &mut self.rest,
        };
        add(row, &Unknown { flows: 1, packets, bytes, ..Unknown::default() });
    }

    /// The ports with most octets, then the rest, whose transport is the given empty word. Counts anew.
    pub fn take(&mut self, none: u32) -> Vec<Unknown> {
        let mut rows: Vec<Unknown> = self.ports.drain().map(|(_, row)| row).collect();
        rows.sort_unstable_by_key(|row| (std::cmp::Reverse(row.bytes), row.transport, row.port));
        let mut rest = Unknown { transport: none, ..std::mem::take(&mut self.rest) };
        for row in rows.drain(rows.len().min(MAX_NAMED)..) {
            add(&mut rest, &row);
        }
        rows.extend(Some(rest).filter(|rest| rest.flows > 0));
        rows
    }
}

fn add(row: &mut Unknown, more: &Unknown) {
    row.flows += more.flows;
    row.packets += more.packets;
    row.bytes += more.bytes;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(tally: &mut Tally) -> Vec<(Option<u16>, u64, u64)> {
        tally.take(9).into_iter().map(|row| (row.port, row.flows, row.bytes)).collect()
    }

    #[test]
    fn ports_come_by_octets_and_then_by_number() {
        let mut tally = Tally::default();
        for (port, bytes) in [(9, 10), (7, 10), (5, 3), (5, 30)] {
            tally.flow(0, port, 1, bytes);
        }
        assert_eq!(told(&mut tally), [(Some(5), 2, 33), (Some(7), 1, 10), (Some(9), 1, 10)]);
        assert_eq!(told(&mut tally), []);
    }

    #[test]
    fn what_is_too_much_is_counted_together() {
        let mut tally = Tally::default();
        for port in 0..2_000 {
            tally.flow(0, port, 1, 1);
        }
        let rows = told(&mut tally);
        assert_eq!((rows.len(), rows[MAX_NAMED]), (MAX_NAMED + 1, (None, 2_000 - MAX_NAMED as u64, 1_984)));
    }
}
