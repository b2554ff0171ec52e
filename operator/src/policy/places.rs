//! How many streams may be open: in all, and of one bot, whatever its gateways do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use monstrum_wire::identity::BotId;

/// Streams in all.
const MOST: usize = 16_384;
/// Streams of one bot: twice what its gateways can need, since one that was superseded takes a moment to end.
const MOST_OF_A_BOT: usize = 64;

/// The places for streams. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    bots: HashMap<BotId, usize>,
}

/// A stream's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Places,
    bot: BotId,
}

impl Places {
    /// A place for a stream of `bot`; none when too many are taken.
    pub(super) fn take(&self, bot: &BotId) -> Option<Place> {
        let mut taken = self.lock();
        let of_bot = taken.bots.get(bot).copied().unwrap_or(0);
        if taken.all >= MOST || of_bot >= MOST_OF_A_BOT {
            return None;
        }
        taken.all = taken.all.saturating_add(1);
        taken.bots.insert(bot.clone(), of_bot.saturating_add(1));
        Some(Place {
            places: self.clone(),
            bot: bot.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all = taken.all.saturating_sub(1);
        let left = taken
            .bots
            .get(&self.bot)
            .map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            taken.bots.remove(&self.bot);
        } else {
            taken.bots.insert(self.bot.clone(), left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bot(name: &str) -> BotId {
        BotId {
            namespace: "team-a".to_owned(),
            name: name.to_owned(),
            uid: "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11".parse().unwrap(),
        }
    }

    #[test]
    fn a_bot_takes_no_more_than_its_share_and_gives_it_back() {
        let places = Places::default();
        let mut held: Vec<_> = (0..MOST_OF_A_BOT)
            .map(|_| places.take(&bot("flood")).unwrap())
            .collect();
        assert!(places.take(&bot("flood")).is_none());
        assert!(places.take(&bot("calm")).is_some());
        held.pop();
        assert!(places.take(&bot("flood")).is_some());
        held.clear();
        let left = places.lock();
        assert_eq!((left.all, left.bots.len()), (0, 0));
    }

    #[test]
    fn there_is_an_end_to_all_of_them() {
        let places = Places::default();
        let held: Vec<_> = (0..MOST)
            .map(|n| places.take(&bot(&format!("bot-{}", n / MOST_OF_A_BOT))).unwrap())
            .collect();
        assert!(places.take(&bot("one-more")).is_none());
        drop(held);
        assert!(places.take(&bot("one-more")).is_some());
    }
}
