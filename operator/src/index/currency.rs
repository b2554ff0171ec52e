//! Until when each watch is known to be current.
//!
//! A watch that says nothing may have nothing to say, or may be dead; the two look alike. So each watch is proven again
//! and again (see [`super::feed`]), and whatever is handed out on the strength of the index counts from the last proof,
//! never from the moment of handing out. Time is monotonic.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// What holds when nobody says how long a policy's lease is.
const DEFAULT_VALIDITY: Duration = Duration::from_secs(60);

/// Lists of a new term are complete within this, where the API server is well.
const SETTLING: Duration = Duration::from_secs(10);

/// Until when each watch is known to be current.
#[derive(Debug)]
pub struct Currency {
    validity: Duration,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    marks: Vec<Arc<Mark>>,
    term: Option<Term>,
}

/// A time of leading: what was proven before it counts for nothing in it, since another leader may have known more.
#[derive(Debug, Clone, Copy)]
struct Term {
    epoch: u64,
    began: Instant,
}

/// How far one watch is known to be current.
#[derive(Debug)]
pub struct Mark {
    /// What is watched: a kind of ours, of our objects, or `Secret`.
    kind: &'static str,
    /// The namespace it is of; none for all.
    scope: Option<String>,
    proven: Mutex<Option<Instant>>,
    list_again: Notify,
}

impl Default for Currency {
    fn default() -> Self {
        Self::new(DEFAULT_VALIDITY)
    }
}

impl Currency {
    /// What is known holds for `validity`, which is the lease of a policy.
    pub fn new(validity: Duration) -> Self {
        Self {
            validity,
            state: RwLock::default(),
        }
    }

    /// How long what is known holds.
    pub fn validity(&self) -> Duration {
        self.validity
    }

    /// Another watch that everything in its scope depends on.
    pub fn depend_on(&self, kind: &'static str, scope: Option<&str>) -> Arc<Mark> {
        let mark = Arc::new(Mark {
            kind,
            scope: scope.map(ToOwned::to_owned),
            proven: Mutex::new(None),
            list_again: Notify::new(),
        });
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.marks.push(Arc::clone(&mark));
        mark
    }

    /// Begins a term: every watch lists anew, and only that counts. True the first time for each epoch.
    pub fn begin(&self, epoch: u64) -> bool {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.term.is_some_and(|term| term.epoch == epoch) {
            return false;
        }
        let began = Instant::now();
        state.term = Some(Term { epoch, began });
        drop(state);
        self.list_again();
        true
    }

    /// Whether a term has only begun, so that much of what is not known yet soon will be.
    pub fn is_settling(&self) -> bool {
        self.read()
            .term
            .is_some_and(|term| term.began.elapsed() < SETTLING)
    }

    /// As of when everything that a namespace depends on is known, in the term that runs; none when it is not known,
    /// or no longer.
    pub fn as_of(&self, namespace: &str) -> Option<Instant> {
        let state = self.read();
        let proven = state.proven(namespace)?;
        let of_this_term = state.term.is_none_or(|term| proven >= term.began);
        (of_this_term && self.left(proven).is_some()).then_some(proven)
    }

    /// Whether everything that a namespace depends on was known at some time.
    pub fn was_known(&self, namespace: &str) -> bool {
        self.read().proven(namespace).is_some()
    }

    /// What was never known to be current, for people.
    pub fn unknown(&self) -> Vec<String> {
        let state = self.read();
        let unknown = state.marks.iter().filter(|mark| mark.proven().is_none());
        unknown.map(|mark| mark.fault()).collect()
    }

    /// The namespaces that are watched by themselves.
    pub fn scopes(&self) -> BTreeSet<String> {
        let state = self.read();
        let scopes = state.marks.iter().filter_map(|mark| mark.scope.clone());
        scopes.collect()
    }

    /// Has everything listed anew.
    pub fn list_again(&self) {
        for mark in &self.read().marks {
            mark.list_again.notify_one();
        }
    }

    /// Whether a namespace depends on a watch that has not been proven for the whole validity, whoever led meanwhile.
    pub fn is_stale(&self, namespace: &str) -> bool {
        let proven = self.read().proven(namespace);
        proven.is_none_or(|proven| self.left(proven).is_none())
    }

    /// How long what was known `as_of` an instant still holds; none when it does not.
    pub fn left(&self, as_of: Instant) -> Option<Duration> {
        let left = self.validity.saturating_sub(as_of.elapsed());
        (!left.is_zero()).then_some(left)
    }

    /// Why nothing at all can be said to be current; empty while at least one watched namespace is.
    pub fn faults(&self) -> Vec<String> {
        let state = self.read();
        let lapsed = |mark: &&Arc<Mark>| mark.proven().is_none_or(|proven| self.left(proven).is_none());
        let everywhere: Vec<_> = state.marks.iter().filter(|mark| mark.scope.is_none()).collect();
        let faults: Vec<_> = everywhere
            .into_iter()
            .filter(lapsed)
            .map(|mark| mark.fault())
            .collect();
        let scopes: Vec<_> = state
            .marks
            .iter()
            .filter_map(|mark| mark.scope.as_deref())
            .collect();
        let all_lapsed = !scopes.is_empty()
            && scopes
                .iter()
                .all(|scope| state.of(scope).any(|mark| lapsed(&mark)));
        if !faults.is_empty() || !all_lapsed {
            return faults;
        }
        state
            .marks
            .iter()
            .filter(lapsed)
            .map(|mark| mark.fault())
            .collect()
    }

    /// What keeps a namespace from being current, for people.
    pub fn faults_of(&self, namespace: &str) -> Vec<String> {
        let state = self.read();
        let lapsed = state
            .of(namespace)
            .filter(|mark| mark.proven().is_none_or(|proven| self.left(proven).is_none()));
        lapsed.map(|mark| mark.fault()).collect()
    }

    /// How long ago each kind was last known to be current: its worst watch. None for one that never was.
    pub fn ages(&self) -> BTreeMap<&'static str, Option<Duration>> {
        let mut ages = BTreeMap::new();
        for mark in &self.read().marks {
            let age = mark.proven().map(|proven| proven.elapsed());
            ages.entry(mark.kind)
                .and_modify(|worst: &mut Option<Duration>| *worst = worst.zip(age).map(|(a, b)| a.max(b)))
                .or_insert(age);
        }
        ages
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The watches that a namespace depends on.
    fn of(&self, namespace: &str) -> impl Iterator<Item = &Arc<Mark>> {
        self.marks
            .iter()
            .filter(move |mark| mark.scope.as_deref().is_none_or(|scope| scope == namespace))
    }

    /// The oldest of the proofs that a namespace depends on; none when one is missing, or when nothing is watched.
    fn proven(&self, namespace: &str) -> Option<Instant> {
        let proofs: Option<Vec<_>> = self.of(namespace).map(|mark| mark.proven()).collect();
        proofs?.into_iter().min()
    }
}

impl Mark {
    /// Everything up to `as_of` has been taken into the index.
    pub(crate) fn prove(&self, as_of: Instant) {
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        *proven = Some(proven.map_or(as_of, |before| before.max(as_of)));
    }

    /// Resolves when it should be listed anew: somebody asks, or no proof came for `patience` since `listed`.
    pub(super) async fn list_due(&self, listed: Instant, patience: Duration) {
        loop {
            let known = self.proven().map_or(listed, |proven| proven.max(listed));
            let left = patience.saturating_sub(known.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = self.list_again.notified() => return,
                () = tokio::time::sleep(left) => {}
            }
        }
    }

    /// The namespace that it is of; none for all.
    pub(super) fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// What is watched.
    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    fn proven(&self) -> Option<Instant> {
        *self.proven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fault(&self) -> String {
        let place = self
            .scope
            .as_deref()
            .map(|scope| format!(" of {scope}"))
            .unwrap_or_default();
        format!("{} objects{place} are not known to be current", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(60);

    fn later(seconds: u64) -> impl Future<Output = ()> {
        tokio::time::advance(Duration::from_secs(seconds))
    }

    #[test]
    fn what_is_not_watched_is_not_current() {
        let currency = Currency::new(LEASE);
        assert_eq!(currency.as_of("a"), None);
        assert!(currency.is_stale("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_proof_counts_and_ends() {
        let currency = Currency::new(LEASE);
        let (bots, roles) = (
            currency.depend_on("Bot", None),
            currency.depend_on("BotRole", None),
        );
        bots.prove(Instant::now());
        assert_eq!(currency.as_of("a"), None);
        let first = Instant::now();
        roles.prove(first);
        later(30).await;
        bots.prove(Instant::now());
        assert_eq!(currency.as_of("a"), Some(first));
        assert_eq!(currency.left(first), Some(Duration::from_secs(30)));
        later(30).await;
        assert_eq!(currency.as_of("a"), None);
        assert!(currency.is_stale("a"));
        assert_eq!(currency.faults(), ["BotRole objects are not known to be current"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stale_namespace_is_its_own_affair() {
        let currency = Currency::new(LEASE);
        currency
            .depend_on("ResourceType", None)
            .prove(Instant::now() + LEASE);
        let (a, b) = (
            currency.depend_on("Bot", Some("a")),
            currency.depend_on("Bot", Some("b")),
        );
        a.prove(Instant::now());
        b.prove(Instant::now());
        later(59).await;
        b.prove(Instant::now());
        later(1).await;
        assert!(currency.is_stale("a") && !currency.is_stale("b"));
        assert!(currency.faults().is_empty());
        assert_eq!(
            currency.faults_of("a"),
            ["Bot objects of a are not known to be current"]
        );
        later(60).await;
        assert!(!currency.faults().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_term_trusts_nothing_from_before_it() {
        let currency = Currency::new(LEASE);
        let bots = currency.depend_on("Bot", None);
        bots.prove(Instant::now());
        later(1).await;
        assert!(currency.begin(7));
        assert_eq!(currency.as_of("a"), None);
        assert!(
            !currency.is_stale("a"),
            "which does not mean that a bot is in trouble"
        );
        let listed = Instant::now();
        bots.list_due(listed, LEASE).await;
        assert_eq!(listed.elapsed(), Duration::ZERO, "every watch lists anew at once");
        bots.prove(listed);
        assert!(currency.as_of("a").is_some());
        assert!(!currency.begin(7));
        assert!(currency.as_of("a").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_proof_never_goes_back() {
        let currency = Currency::new(LEASE);
        let bots = currency.depend_on("Bot", None);
        let first = Instant::now();
        later(5).await;
        let second = Instant::now();
        bots.prove(second);
        bots.prove(first);
        assert_eq!(currency.as_of("a"), Some(second));
    }
}
