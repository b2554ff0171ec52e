//! The places of those who have not shown who they are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use monstrum_wire::identity::Identity;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Limits;
use super::metrics::GaveWay;
use super::source::Source;

/// The connections of one listener.
#[derive(Debug)]
pub(super) struct Lobby {
    limits: Limits,
    gave_way: GaveWay,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    arrived: u64,
    strangers: BTreeMap<u64, CancellationToken>,
    by_source: HashMap<Source, BTreeSet<u64>>,
    known: HashMap<Holder, BTreeMap<u64, CancellationToken>>,
    known_in_all: usize,
}

/// Who holds connections that are known: by its certificate, or, where requests show who the peer is, by its address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Holder {
    Peer(Identity),
    Source(Source),
}

/// A connection, as the listener knows it. Its place is free again when the last copy is gone.
#[derive(Debug, Clone)]
pub struct Guest(Arc<Place>);

#[derive(Debug)]
struct Place {
    lobby: Arc<Lobby>,
    number: u64,
    source: Source,
    since: Instant,
    standing: AtomicU8,
    holder: OnceLock<Holder>,
    closed: CancellationToken,
}

const SILENT: u8 = 0;
const HEARD: u8 = 1;
const KNOWN: u8 = 2;

impl Lobby {
    pub(super) fn new(limits: Limits, gave_way: GaveWay) -> Arc<Self> {
        Arc::new(Self {
            limits,
            gave_way,
            state: Mutex::default(),
        })
    }

    /// A place for a newcomer, at the cost of whoever waits longest where there is none.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Guest {
        let source = Source::from(address);
        let closed = CancellationToken::new();
        let mut state = self.state();
        if let Some((source, number)) = state.in_the_way(source, &self.limits)
            && let Some(closed) = state.remove(source, number)
        {
            self.gave_way.strangers.inc();
            closed.cancel();
        }
        state.arrived = state.arrived.saturating_add(1);
        let number = state.arrived;
        state.strangers.insert(number, closed.clone());
        state.by_source.entry(source).or_default().insert(number);
        drop(state);
        Guest(Arc::new(Place {
            lobby: Arc::clone(self),
            number,
            source,
            since: Instant::now(),
            standing: AtomicU8::new(SILENT),
            holder: OnceLock::new(),
            closed,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Who has to go before another one of this source comes in: its own longest, or the longest of those who take most.
    fn in_the_way(&self, source: Source, limits: &Limits) -> Option<(Source, u64)> {
        let longest = |source: Source, numbers: &BTreeSet<u64>| Some((source, *numbers.first()?));
        let own = self.by_source.get(&source);
        if let Some(own) = own.filter(|own| own.len() >= limits.per_source) {
            return longest(source, own);
        }
        if self.strangers.len() < limits.strangers {
            return None;
        }
        let (source, most) = self.by_source.iter().max_by_key(|(_, numbers)| {
            // Of equals, whoever was first.
            (
                numbers.len(),
                numbers.first().map(|number| u64::MAX.saturating_sub(*number)),
            )
        })?;
        longest(*source, most)
    }

    /// Takes a stranger's place away; answers with what ends its connection.
    fn remove(&mut self, source: Source, number: u64) -> Option<CancellationToken> {
        let closed = self.strangers.remove(&number)?;
        if let Some(numbers) = self.by_source.get_mut(&source) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.by_source.remove(&source);
            }
        }
        Some(closed)
    }

    fn add_known(&mut self, holder: Holder, number: u64, closed: CancellationToken) {
        self.known.entry(holder).or_default().insert(number, closed);
        self.known_in_all = self.known_in_all.saturating_add(1);
    }

    fn remove_known(&mut self, holder: &Holder, number: u64) -> Option<CancellationToken> {
        let held = self.known.get_mut(holder)?;
        let closed = held.remove(&number)?;
        if held.is_empty() {
            self.known.remove(holder);
        }
        self.known_in_all = self.known_in_all.saturating_sub(1);
        Some(closed)
    }

    /// The newest connection of whoever holds most of them; of equals, the newest. So nobody keeps others out.
    fn too_many(&self) -> Option<(Holder, u64)> {
        let newest = |held: &BTreeMap<u64, _>| held.last_key_value().map(|(number, _)| *number);
        let held = self.known.iter();
        let (holder, most) = held.max_by_key(|(_, held)| (held.len(), newest(held)))?;
        Some((holder.clone(), newest(most)?))
    }
}

impl Guest {
    /// It has sent the head of a request.
    pub(super) fn heard(&self) {
        self.0.standing.fetch_max(HEARD, Ordering::Relaxed);
    }

    /// It has shown who it is: from here on it is not in anybody's way. Where there are too many already, a connection of whoever
    /// has most of them ends.
    pub fn make_known(&self) {
        self.known_as(Holder::Source(self.0.source));
    }

    /// The same by a certificate.
    pub(super) fn make_known_as(&self, identity: &Identity) {
        self.known_as(Holder::Peer(identity.clone()));
    }

    fn known_as(&self, holder: Holder) {
        let mut state = self.0.lobby.state();
        let Some(closed) = state.remove(self.0.source, self.0.number) else {
            return;
        };
        self.0.standing.store(KNOWN, Ordering::Relaxed);
        let holder = self.0.holder.get_or_init(|| holder).clone();
        state.add_known(holder, self.0.number, closed);
        if state.known_in_all <= self.0.lobby.limits.known {
            return;
        }
        if let Some((holder, number)) = state.too_many()
            && let Some(closed) = state.remove_known(&holder, number)
        {
            tracing::warn!(
                known = state.known_in_all,
                ?holder,
                "too many connections; one ends"
            );
            self.0.lobby.gave_way.known.inc();
            closed.cancel();
        }
    }

    /// Resolves when the connection has to end.
    pub(super) fn closed(&self) -> CancellationToken {
        self.0.closed.clone()
    }

    /// Until when the connection may go on as it stands.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let limits = &self.0.lobby.limits;
        let after = |span| self.0.since.checked_add(span);
        match self.0.standing.load(Ordering::Relaxed) {
            SILENT => after(limits.first_request.min(limits.stranger)),
            HEARD => after(limits.stranger),
            _ => None,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.lobby.limits
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.lobby.state();
        match self.holder.get() {
            Some(holder) => drop(state.remove_known(holder, self.number)),
            None => drop(state.remove(self.source, self.number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn lobby(strangers: usize, per_source: usize, known: usize) -> Arc<Lobby> {
        let limits = Limits {
            strangers,
            per_source,
            known,
            ..Limits::default()
        };
        Lobby::new(limits, GaveWay::default())
    }

    fn enter(lobby: &Arc<Lobby>, address: &str) -> Guest {
        lobby.enter(address.parse().unwrap())
    }

    fn is_closed(guest: &Guest) -> bool {
        guest.closed().is_cancelled()
    }

    #[tokio::test]
    async fn the_longest_of_its_own_source_gives_way_to_a_newcomer() {
        let lobby = lobby(100, 2, 100);
        let other = enter(&lobby, "192.0.2.9");
        let guests: Vec<_> = (0..4).map(|_| enter(&lobby, "192.0.2.1")).collect();
        let closed: Vec<_> = guests.iter().map(is_closed).collect();
        assert_eq!(closed, [true, true, false, false]);
        assert!(!is_closed(&other));
        assert_eq!(
            (lobby.gave_way.strangers.get(), lobby.gave_way.known.get()),
            (2, 0)
        );
    }

    #[tokio::test]
    async fn where_all_is_taken_the_largest_source_gives_way() {
        let lobby = lobby(5, 4, 100);
        let genuine = enter(&lobby, "192.0.2.9");
        let many: Vec<_> = (0..4).map(|_| enter(&lobby, "192.0.2.1")).collect();
        let newcomer = enter(&lobby, "192.0.2.8");
        assert!(is_closed(&many[0]) && !is_closed(&many[1]));
        assert!(!is_closed(&genuine) && !is_closed(&newcomer));
    }

    #[tokio::test]
    async fn many_networks_with_one_connection_each_give_way_in_their_order() {
        let lobby = lobby(3, 2, 100);
        let guests: Vec<_> = (1..=5)
            .map(|number| enter(&lobby, &format!("2001:db8:0:{number}::1")))
            .collect();
        let closed: Vec<_> = guests.iter().map(is_closed).collect();
        assert_eq!(closed, [true, true, false, false, false]);
    }

    #[tokio::test]
    async fn who_is_known_gives_way_to_nobody() {
        let lobby = lobby(2, 2, 100);
        let known = enter(&lobby, "192.0.2.1");
        known.make_known();
        let _more: Vec<_> = (0..8).map(|_| enter(&lobby, "192.0.2.1")).collect();
        assert!(!is_closed(&known));
        assert_eq!(known.deadline(), None);
    }

    #[tokio::test]
    async fn those_who_are_known_have_a_bound_too() {
        let lobby = lobby(10, 10, 1);
        let (first, second) = (enter(&lobby, "192.0.2.1"), enter(&lobby, "192.0.2.2"));
        first.make_known();
        second.make_known();
        assert!(!is_closed(&first) && is_closed(&second));
        drop((first, second));
        let third = enter(&lobby, "192.0.2.3");
        third.make_known();
        assert!(!is_closed(&third));
    }

    #[tokio::test]
    async fn whoever_has_most_of_the_known_ones_keeps_nobody_out() {
        let lobby = lobby(10, 10, 4);
        let many: Vec<_> = (0..4).map(|_| enter(&lobby, "192.0.2.1")).collect();
        many.iter().for_each(Guest::make_known);
        // Of the same address, behind which another peer may be.
        let bot = "ns/a/bot/b/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11/gateway";
        let others = [enter(&lobby, "192.0.2.1"), enter(&lobby, "192.0.2.2")];
        others[0].make_known_as(&Identity::from_path(bot).unwrap());
        others[1].make_known();
        assert!(others.iter().all(|other| !is_closed(other)));
        let closed: Vec<_> = many.iter().map(is_closed).collect();
        assert_eq!(closed, [false, false, true, true]);
        assert_eq!(
            (lobby.gave_way.strangers.get(), lobby.gave_way.known.get()),
            (0, 2)
        );
        drop((many, others));
        let state = lobby.state();
        assert!(state.known.is_empty() && state.known_in_all == 0);
    }

    #[tokio::test]
    async fn a_place_that_was_left_is_free() {
        let lobby = lobby(2, 2, 2);
        let stays = enter(&lobby, "192.0.2.1");
        for _ in 0..10 {
            drop(enter(&lobby, "192.0.2.1"));
        }
        assert!(!is_closed(&stays));
        drop(stays);
        let state = lobby.state();
        assert!(state.strangers.is_empty() && state.by_source.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_request_gives_more_time() {
        let lobby = lobby(2, 2, 2);
        let guest = enter(&lobby, "192.0.2.1");
        let began = Instant::now();
        let after = |seconds| began.checked_add(Duration::from_secs(seconds));
        assert_eq!(guest.deadline(), after(10));
        guest.heard();
        assert_eq!(guest.deadline(), after(30));
    }
}
