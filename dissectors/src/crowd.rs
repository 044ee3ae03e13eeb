//! Networks that stand for addresses, and rows that stand for flows, where there are too many to tell each.

use std::fmt;

use hashbrown::{HashMap, HashSet};

use crate::columns::{Table, rows};
use crate::flows::{Flow, Transport};
use crate::intern::Addresses;
use crate::net::ip::Ip;

/// Flows of a source told one by one.
const MAX_ROWS: usize = 50_000;
/// Rows beyond them: of the same two addresses, then of the same two networks. Blocks are few by themselves.
const MAX_FOLDED: [usize; 2] = [20_000, 5_000];
/// Addresses that keep their name in all rows, and the flows beyond the cap that make one of them.
const MAX_BUSY: usize = 256;
const BUSY: u32 = 1_000;
/// What stands for senders and receivers of the link layer.
pub const STATIONS: &str = "stations/0";
/// What stands for anyone at all.
pub const EVERYONE: &str = "any/0";

/// Networks that differ in what they are for, the narrowest first (IANA's special-purpose registries).
const BLOCKS: [Network; 9] = [
    v4([10, 0, 0, 0], 8),
    v4([172, 16, 0, 0], 12),
    v4([192, 168, 0, 0], 16),
    v4([169, 254, 0, 0], 16),
    v4([224, 0, 0, 0], 4),
    v4([0, 0, 0, 0], 0),
    Network { address: 0xfc00 << 112, bits: 7 },
    Network { address: 0xfe80 << 112, bits: 10 },
    Network { address: 0xff00 << 112, bits: 8 },
];
/// Where no block has an address.
const REST: Network = Network { address: 0, bits: 0 };
/// IPv4 addresses are kept as mapped ones (RFC 4291, 2.5.5.2): their prefixes are longer by so much.
const MAPPED: u32 = 96;

const fn v4(octets: [u8; 4], bits: u32) -> Network {
    Network { address: 0xffff_0000_0000 | u32::from_be_bytes(octets) as u128, bits: MAPPED + bits }
}

/// A network of either version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    address: u128,
    bits: u32,
}

impl Network {
    fn of(ip: Ip, bits: u32) -> Self {
        Network { address: ip.0 & mask(bits), bits }
    }

    /// The /24 or /64 of an address.
    pub fn near(ip: Ip) -> Self {
        Network::of(ip, if v4([0; 4], 0).has(ip) { MAPPED + 24 } else { 64 })
    }

    /// The block that an address is in.
    pub fn far(ip: Ip) -> Self {
        BLOCKS.into_iter().find(|block| block.has(ip)).unwrap_or(REST)
    }

    fn has(self, ip: Ip) -> bool {
        ip.0 & mask(self.bits) == self.address
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_v4 = v4([0; 4], 0).has(Ip(self.address));
        write!(f, "{}/{}", Ip(self.address), if is_v4 { self.bits - MAPPED } else { self.bits })
    }
}

const fn mask(bits: u32) -> u128 {
    if bits == 0 { 0 } else { u128::MAX << (128 - bits) }
}

/// What flows of one row have in common: how coarsely they are told, and the words and the port of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Common {
    level: usize,
    words: [u32; 6],
    port: u16,
}

/// Flows of a source that are counted together.
#[derive(Clone, Debug, Default)]
pub struct Crowd {
    told: usize,
    at_level: [usize; 3],
    /// Flows beyond the cap by address (a word, so they are bounded).
    counts: HashMap<u32, u32, foldhash::fast::RandomState>,
    busy: HashSet<u32, foldhash::fast::RandomState>,
    index: HashMap<Common, usize, foldhash::fast::RandomState>,
    rows: Vec<rows::Flow>,
}

impl Crowd {
    /// Tells a flow by a row of its own, or counts it in one of many. Gives how many of the latter it was.
    pub fn put(
        &mut self,
        flow: &Flow,
        row: rows::Flow,
        ends: [Ip; 2],
        addresses: &mut Addresses,
        table: &mut Table<rows::Flow>,
    ) -> u64 {
        if self.told < MAX_ROWS {
            self.told += 1;
            table.push(row);
            return 0;
        }
        let kept = [row.client, row.server].map(|address| self.is_busy(address).then_some(address));
        let mut row = row;
        for level in 0..=2 {
            row = coarse(row, level, flow.key.transport(), ends, kept, addresses);
            let words = [row.transport, row.client, row.server, row.service, row.basis, row.state];
            let common = Common { level, words, port: row.ports[1] };
            if let Some(known) = self.index.get(&common).and_then(|&at| self.rows.get_mut(at)) {
                add(known, &row);
                break;
            }
            if MAX_FOLDED.get(level).is_none_or(|&most| self.at_level[level] < most) {
                self.at_level[level] += 1;
                self.index.insert(common, self.rows.len());
                self.rows.push(row);
                break;
            }
        }
        1
    }

    /// Counts a flow of an address; true where the address has so many that it keeps its name.
    fn is_busy(&mut self, address: u32) -> bool {
        let count = self.counts.entry(address).or_default();
        *count = count.saturating_add(1);
        if *count == BUSY && self.busy.len() < MAX_BUSY {
            self.busy.insert(address);
        }
        self.busy.contains(&address)
    }

    /// A source ends: the rows that stand for many.
    pub fn finish(&mut self) -> Vec<rows::Flow> {
        std::mem::take(self).rows
    }
}

/// The row as its level tells it: without the client's port; with networks for addresses that are not busy; with
/// blocks for them and no port.
fn coarse(
    row: rows::Flow,
    level: usize,
    transport: Transport,
    ends: [Ip; 2],
    kept: [Option<u32>; 2],
    words: &mut Addresses,
) -> rows::Flow {
    let [_, port] = row.ports;
    let row = rows::Flow { ports: [0, port], community_id: String::new(), ..row };
    if level == 0 {
        return row;
    }
    let network = if level == 1 { Network::near } else { Network::far };
    let [client, server] = [0, 1].map(|side| match kept[side] {
        Some(address) => address,
        None if transport.is_link() => words.fixed(STATIONS),
        None => words.network(network(ends[side])),
    });
    let macs = [words.optional_mac(None); 2];
    rows::Flow { client, server, macs, vlan: None, ports: [0, if level == 1 { port } else { 0 }], ..row }
}

fn add(row: &mut rows::Flow, more: &rows::Flow) {
    row.flows += more.flows;
    for side in [0, 1] {
        row.packets[side] += more.packets[side];
        row.bytes[side] += more.bytes[side];
    }
    if (more.first_time, more.first_frame) < (row.first_time, row.first_frame) {
        (row.first_time, row.first_frame, row.capture) = (more.first_time, more.first_frame, more.capture);
    }
    (row.last_time, row.last_frame) = (row.last_time, row.last_frame).max((more.last_time, more.last_frame));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_by_networks_and_blocks() {
        for (address, near, far) in [
            ("10.1.2.3", "10.1.2.0/24", "10.0.0.0/8"),
            ("172.31.0.9", "172.31.0.0/24", "172.16.0.0/12"),
            ("192.168.7.1", "192.168.7.0/24", "192.168.0.0/16"),
            ("239.1.2.3", "239.1.2.0/24", "224.0.0.0/4"),
            ("8.8.8.8", "8.8.8.0/24", "0.0.0.0/0"),
            ("fd00:1:2:3:4::5", "fd00:1:2:3::/64", "fc00::/7"),
            ("fe80::1", "fe80::/64", "fe80::/10"),
            ("ff02::1", "ff02::/64", "ff00::/8"),
            ("2a00:1::5", "2a00:1::/64", "::/0"),
        ] {
            let ip = Ip::from(address.parse::<std::net::IpAddr>().expect("an address"));
            assert_eq!((Network::near(ip).to_string(), Network::far(ip).to_string()), (near.into(), far.into()));
        }
    }
}
