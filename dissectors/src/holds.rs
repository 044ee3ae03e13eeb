//! What a conversation holds beyond its own size: counted, because all of them together have a bound.

use std::collections::{BTreeMap, VecDeque};

use crate::activity::{Activity, Field};

/// What holds memory of its own.
pub trait Holds {
    /// Octets of it.
    fn holds(&self) -> usize;
}

/// Says which parts of a type hold memory.
macro_rules! holds {
    ($($name:ty { $($part:tt),+ $(,)? })+) => {
        $(impl $crate::holds::Holds for $name {
            fn holds(&self) -> usize {
                0 $(+ $crate::holds::Holds::holds(&self.$part))+
            }
        })+
    };
}

/// Says that types hold no memory.
macro_rules! holds_nothing {
    ($($name:ty),+ $(,)?) => {
        $(impl $crate::holds::Holds for $name {
            fn holds(&self) -> usize {
                0
            }
        })+
    };
}

pub(crate) use {holds, holds_nothing};

holds_nothing!(u8, u16, u32, u64, bool, &'static str, Field);
holds!(Activity { code, fields });

impl Holds for String {
    fn holds(&self) -> usize {
        self.capacity()
    }
}

impl<T: Holds> Holds for Vec<T> {
    fn holds(&self) -> usize {
        self.capacity() * size_of::<T>() + self.iter().map(Holds::holds).sum::<usize>()
    }
}

impl<T: Holds> Holds for VecDeque<T> {
    fn holds(&self) -> usize {
        self.capacity() * size_of::<T>() + self.iter().map(Holds::holds).sum::<usize>()
    }
}

impl<K, V: Holds> Holds for BTreeMap<K, V> {
    fn holds(&self) -> usize {
        self.len() * size_of::<(K, V)>() + self.values().map(Holds::holds).sum::<usize>()
    }
}

impl<T: Holds> Holds for Box<T> {
    fn holds(&self) -> usize {
        size_of::<T>() + (**self).holds()
    }
}

impl<T: Holds> Holds for Option<T> {
    fn holds(&self) -> usize {
        self.as_ref().map_or(0, Holds::holds)
    }
}

impl<T: Holds, const N: usize> Holds for [T; N] {
    fn holds(&self) -> usize {
        self.iter().map(Holds::holds).sum()
    }
}

impl<A: Holds, B: Holds> Holds for (A, B) {
    fn holds(&self) -> usize {
        self.0.holds() + self.1.holds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Operation;
    use crate::session::Direction;

    #[test]
    fn everything_within_is_counted() {
        let empty = Activity::new(Direction::Forward, "query", Operation::Read);
        let named = empty.clone().with(Field::DnsQuestionName, "a".repeat(200)).holds();
        assert_eq!(empty.holds(), 0);
        assert!((200..800).contains(&named), "{named}");
        let mut queue = VecDeque::from([(1_u64, "b".repeat(100))]);
        let one = queue.holds();
        queue.push_back((2, "c".repeat(50)));
        assert!(one >= 100 && queue.holds() >= one + 50);
        let map = BTreeMap::from([(1_u8, Some(Box::new([String::from("dddd"), String::new()])))]);
        assert!(map.holds() >= 4 + 2 * size_of::<String>());
    }
}
