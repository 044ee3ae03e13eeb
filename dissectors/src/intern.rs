//! Words are kept once and named by number: Arrow dictionaries are made of them.

use std::fmt::Write as _;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use arrow_array::StringArray;
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashTable};

use crate::crowd::{Network, STATIONS};
use crate::model::Unit;
use crate::net::ip::Ip;
use crate::net::link::{Mac, Station};

/// Stands for "none" in optional word columns.
pub const NONE: u32 = u32::MAX;

type Map<K> = HashMap<K, u32, foldhash::fast::RandomState>;

/// IP addresses, and stations, told one by one in a run; further ones are told by their network.
const MAX_ADDRESSES: usize = 100_000;
/// Networks told one by one for them; further ones are told by their block.
const MAX_NETWORKS: usize = 20_000;
/// Units told one by one; further ones are told together.
const MAX_UNITS: usize = 100_000;
/// Points with names that are told one by one in a run; further ones are told together.
const MAX_POINTS: usize = 65_536;
/// What stands for further points.
const POINTS: &str = "further points";
/// What stands for further units.
const UNITS: &str = "units/0";

/// Places of words that are remembered; words that collide are looked up by their text.
const PLACES: usize = 1_024;

/// The number of a word by its place in memory and its length.
#[derive(Clone, Debug)]
struct Places(Box<[Option<Placed>; PLACES]>);

/// Place in memory and length of a word; its number.
type Placed = ((usize, usize), u32);

impl Default for Places {
    fn default() -> Self {
        Places(Box::new([None; PLACES]))
    }
}

/// A growing list of distinct words, laid out as Arrow has them: one text, and where each word ends.
#[derive(Clone, Debug, Default)]
pub struct Words {
    text: String,
    /// Ends of the words in the text.
    ends: Vec<i32>,
    index: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
    by_place: Places,
    array: Option<Arc<StringArray>>,
    /// How many are names of points.
    points: usize,
}

impl Words {
    /// Number of a word.
    pub fn id(&mut self, word: &str) -> u32 {
        let (text, ends, hasher) = (&self.text, &self.ends, &self.hasher);
        let hash = |word: &str| hasher.hash_one(word);
        let entry =
            self.index.entry(hash(word), |id| slice(text, ends, *id) == word, |id| hash(slice(text, ends, *id)));
        let place = match entry {
            Entry::Occupied(found) => return *found.get(),
            Entry::Vacant(place) => place,
        };
        let id = self.ends.len() as u32;
        place.insert(id);
        self.text.push_str(word);
        // Words of a run are bounded, far below what an end can tell.
        self.ends.push(i32::try_from(self.text.len()).unwrap_or(i32::MAX));
        self.array = None;
        id
    }

    /// Number of a word that lives as long as the program: mostly found by its place, without reading it.
    #[inline]
    pub fn fixed(&mut self, word: &'static str) -> u32 {
        let place = (word.as_ptr() as usize, word.len());
        // Tables are laid out in strides of a few octets to some dozens: the middle bits tell words apart best.
        let at = (place.0 >> 3 ^ place.0 >> 12) % PLACES;
        match self.by_place.0[at] {
            Some((known, id)) if known == place => id,
            _ => {
                let id = self.id(word);
                self.by_place.0[at] = Some((place, id));
                id
            }
        }
    }

    /// Number of a point's name, which a sender may choose: beyond a bound one that stands for many.
    pub fn point(&mut self, name: &str) -> u32 {
        let (text, ends, words) = (&self.text, &self.ends, self.ends.len());
        if self.points >= MAX_POINTS {
            let known = self.index.find(self.hasher.hash_one(name), |id| slice(text, ends, *id) == name).copied();
            return known.unwrap_or_else(|| self.fixed(POINTS));
        }
        let id = self.id(name);
        self.points += self.ends.len() - words;
        id
    }

    /// The word of a number.
    pub fn word(&self, id: u32) -> &str {
        slice(&self.text, &self.ends, id)
    }

    /// All words, as the values of an Arrow dictionary.
    pub fn array(&mut self) -> Arc<StringArray> {
        let (text, ends) = (&self.text, &self.ends);
        let make = || {
            let offsets: Vec<i32> = std::iter::once(0).chain(ends.iter().copied()).collect();
            let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
            Arc::new(StringArray::new(offsets, Buffer::from_slice_ref(text.as_bytes()), None))
        };
        self.array.get_or_insert_with(make).clone()
    }
}

fn slice<'a>(text: &'a str, ends: &[i32], id: u32) -> &'a str {
    let end_of = |id: usize| ends.get(id).map(|end| *end as usize);
    let id = id as usize;
    let start = id.checked_sub(1).map_or(Some(0), end_of);
    start.zip(end_of(id)).and_then(|(start, end)| text.get(start..end)).unwrap_or_default()
}

/// Addresses and units by number; their texts are made once.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    words: Words,
    ips: Map<Ip>,
    networks: Map<Network>,
    stations: Map<Station>,
    units: Map<Unit>,
    /// How often a unit was told together with others.
    pub units_folded: u64,
    scratch: String,
}

impl Addresses {
    /// Number of an IP address.
    pub fn ip(&mut self, ip: Ip) -> u32 {
        if let Some(&id) = self.ips.get(&ip) {
            return id;
        }
        if self.ips.len() >= MAX_ADDRESSES {
            return self.crowded(ip);
        }
        let id = self.text(ip);
        self.ips.insert(ip, id);
        id
    }

    #[cold]
    fn crowded(&mut self, ip: Ip) -> u32 {
        let near = Network::near(ip);
        let room = self.networks.len() < MAX_NETWORKS;
        self.network(if room || self.networks.contains_key(&near) { near } else { Network::far(ip) })
    }

    /// Number of a network.
    pub fn network(&mut self, network: Network) -> u32 {
        if let Some(&id) = self.networks.get(&network) {
            return id;
        }
        let id = self.text(network);
        self.networks.insert(network, id);
        id
    }

    /// Number of a word that lives as long as the program.
    pub fn fixed(&mut self, word: &'static str) -> u32 {
        self.words.fixed(word)
    }

    /// Number of a sender or receiver of the link layer.
    pub fn station(&mut self, station: Station) -> u32 {
        if let Some(&id) = self.stations.get(&station) {
            return id;
        }
        if self.stations.len() >= MAX_ADDRESSES {
            return self.words.fixed(STATIONS);
        }
        let id = self.text(station);
        self.stations.insert(station, id);
        id
    }

    /// Number of a MAC address.
    pub fn mac(&mut self, mac: Mac) -> u32 {
        self.station(Station::Mac(mac))
    }

    /// Number of a MAC address that may be unknown (the empty word).
    pub fn optional_mac(&mut self, mac: Option<Mac>) -> u32 {
        match mac {
            Some(mac) => self.mac(mac),
            None => self.words.fixed(""),
        }
    }

    /// Number of a unit; [`NONE`] where there is none.
    #[inline]
    pub fn unit(&mut self, unit: Unit) -> u32 {
        if unit == Unit::None {
            return NONE;
        }
        if let Some(&id) = self.units.get(&unit) {
            return id;
        }
        if self.units.len() >= MAX_UNITS {
            self.units_folded += 1;
            return self.words.fixed(UNITS);
        }
        let id = self.text(unit);
        self.units.insert(unit, id);
        id
    }

    /// The words themselves.
    pub fn words(&mut self) -> &mut Words {
        &mut self.words
    }

    fn text(&mut self, value: impl std::fmt::Display) -> u32 {
        self.scratch.clear();
        // Writing into a String cannot fail.
        let _ = write!(self.scratch, "{value}");
        self.words.id(&self.scratch)
    }
}

/// Both dictionaries of a run.
#[derive(Clone, Debug, Default)]
pub struct Dictionaries {
    /// Names: sources, captures, protocols, functions, kinds.
    pub names: Words,
    /// Addresses and units.
    pub addresses: Addresses,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_one_number() {
        let mut words = Words::default();
        let first = words.fixed("read");
        assert_eq!((words.fixed("read"), words.id("read"), words.word(first)), (first, first, "read"));
        assert_ne!(words.id("write"), first);
        assert_eq!(words.array().iter().flatten().collect::<Vec<_>>(), ["read", "write"]);
        assert_eq!(words.word(2), "");
    }

    #[test]
    fn addresses_are_written_as_people_write_them() {
        let mut addresses = Addresses::default();
        let ids = [
            addresses.ip(Ip::v4([10, 0, 0, 1])),
            addresses.mac([0, 0x80, 0xf4, 0, 0, 0x20]),
            addresses.unit(Unit::Number(7)),
            addresses.optional_mac(None),
        ];
        let texts: Vec<_> = ids.iter().map(|&id| addresses.words().word(id).to_string()).collect();
        assert_eq!(texts, ["10.0.0.1", "00:80:f4:00:00:20", "7", ""]);
        assert_eq!(addresses.unit(Unit::None), NONE);
    }

    #[test]
    fn who_varies_units_makes_so_many_words() {
        let mut addresses = Addresses::default();
        for number in 0..MAX_UNITS as u32 {
            addresses.unit(Unit::Number(number));
        }
        let words = addresses.words().ends.len();
        let further = [1, 2].map(|more| addresses.unit(Unit::Number(MAX_UNITS as u32 + more)));
        assert_eq!(further.map(|id| addresses.words().word(id).to_string()), [UNITS; 2]);
        assert_eq!((addresses.words().ends.len(), addresses.units_folded), (words + 1, 2));
    }
}
