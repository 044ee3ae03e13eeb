//! What is announced again and again, the same for years: by bridges, clocks, neighbours. A datagram that says what an
//! earlier one of its flow said is counted where that was counted, without being read once more. What comes out is the
//! same either way, and tests hold it to that.

use smallvec::SmallVec;

use crate::activity;
use crate::net::tcp::Stamp;
use crate::session::{Direction, Session};
use crate::sinks::Sinks;

/// Datagrams remembered for one flow.
const MAX_VERSES: usize = 8;
/// Longest datagram that is remembered.
pub const MAX_OCTETS: usize = 512;

/// Where the rows are that were made of one datagram.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Its activities.
    pub activities: SmallVec<[activity::Place; 1]>,
    /// Its claims, by their number.
    pub claims: SmallVec<[usize; 4]>,
    /// True where something of it was not kept, so that it cannot be counted again.
    pub lacks: bool,
}

#[derive(Clone, Debug)]
struct Verse {
    direction: Direction,
    octets: Box<[u8]>,
    told: Told,
}

impl Verse {
    /// What it takes in memory.
    fn octets(&self) -> usize {
        let Told { activities, claims, .. } = &self.told;
        let activities = if activities.spilled() { activities.capacity() * size_of::<activity::Place>() } else { 0 };
        let claims = if claims.spilled() { claims.capacity() * size_of::<usize>() } else { 0 };
        size_of::<Verse>() + self.octets.len() + activities + claims
    }
}

/// What one flow says again and again.
#[derive(Clone, Debug, Default)]
pub struct Refrain {
    verses: Vec<Verse>,
    /// Whose place the next one takes where there is no more room.
    next: usize,
}

impl Refrain {
    /// Counts a whole datagram that says what an earlier one said; false where it has to be decoded.
    #[inline]
    pub fn again(
        &self,
        session: &dyn Session,
        direction: Direction,
        octets: &[u8],
        stamp: Stamp,
        sinks: &mut Sinks,
    ) -> bool {
        let is_same = |verse: &&Verse| verse.direction == direction && session.says_the_same(&verse.octets, octets);
        self.verses.iter().find(is_same).is_some_and(|verse| sinks.tell_again(&verse.told, stamp))
    }

    /// Remembers a datagram that was decoded, and what was made of it.
    pub fn remember(
        &mut self,
        session: &dyn Session,
        direction: Direction,
        octets: &[u8],
        told: Told,
        sinks: &mut Sinks,
    ) {
        let is_same = |verse: &Verse| verse.direction == direction && session.says_the_same(&verse.octets, octets);
        let verse = Verse { direction, octets: octets.into(), told };
        match self.verses.iter().position(is_same) {
            Some(at) => self.put(at, verse, sinks),
            None if self.verses.len() < MAX_VERSES && sinks.remembers(verse.octets(), 0) => self.verses.push(verse),
            None => {
                self.put(self.next, verse, sinks);
                self.next = (self.next + 1) % self.verses.len().max(1);
            }
        }
    }

    fn put(&mut self, at: usize, verse: Verse, sinks: &mut Sinks) {
        if let Some(old) = self.verses.get_mut(at)
            && sinks.remembers(verse.octets(), old.octets())
        {
            *old = verse;
        }
    }

    /// Forgets all: the flow ends.
    pub fn forget(&mut self, sinks: &mut Sinks) {
        sinks.memory_left += std::mem::take(&mut self.verses).iter().map(Verse::octets).sum::<usize>();
    }
}
