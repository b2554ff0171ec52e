//! Others who change our objects again and again, and what an API server will not have taken out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::ChildKind;

/// So often an object is put right at once.
const AT_ONCE: u32 = 3;
/// Then after 1 s, 2 s, 4 s … at most this.
const LONGEST: Duration = Duration::from_secs(60);
/// After so long without a change the count begins anew.
const QUIET: Duration = Duration::from_secs(600);

/// A value that an API server insists on, and where in an object.
type Insisted = (ChildKind, String, String);

/// Fields whose value decides what a pod may do: no insistence makes them right.
const NEVER_TOLERATED: [&str; 12] = [
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "hostUsers",
    "shareProcessNamespace",
    "automountServiceAccountToken",
    "serviceAccountName",
    "serviceAccount",
    "runtimeClassName",
    "securityContext",
    "dnsPolicy",
    "immutable",
];

/// What is known of those who change our objects.
#[derive(Debug, Default)]
pub(super) struct Contests {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    objects: BTreeMap<(ChildKind, String, String), Contest>,
    insisted: BTreeSet<Insisted>,
}

#[derive(Debug)]
struct Contest {
    corrections: u32,
    last: Instant,
    free: Instant,
}

impl Contests {
    /// Whether an object that somebody changed may be put right now; counts it when it may.
    pub(super) fn admit(&self, kind: ChildKind, namespace: &str, name: &str) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        state
            .objects
            .retain(|_, contest| now.duration_since(contest.last) < QUIET);
        let key = (kind, namespace.to_owned(), name.to_owned());
        let contest = state.objects.entry(key).or_insert(Contest {
            corrections: 0,
            last: now,
            free: now,
        });
        contest.last = now;
        if now < contest.free {
            return false;
        }
        contest.corrections = contest.corrections.saturating_add(1);
        let wait = wait(contest.corrections);
        contest.free = now.checked_add(wait).unwrap_or(now);
        true
    }

    /// What of a correction of `live` is still to be done: without what its API server is known to insist on.
    pub(super) fn open(&self, kind: ChildKind, correction: Value, live: &Value) -> Option<Value> {
        let state = self.state();
        let insisted = |at: &str, there: &Value| {
            let insisted = (kind, at.to_owned(), there.to_string());
            state.insisted.contains(&insisted)
        };
        without("", correction, live, &insisted)
    }

    /// An API server put back into `live`, in the same answer, what a correction had taken out: simple values are defaults
    /// of its own, unless they are of those that decide what a pod may do.
    pub(super) fn insists(&self, kind: ChildKind, correction: &Value, live: &Value) {
        let mut insisted = Vec::new();
        collect("", correction, live, &mut insisted);
        for (at, value) in insisted {
            if !at.split('.').any(|part| NEVER_TOLERATED.contains(&part)) {
                tracing::warn!(kind = %kind.as_str(), field = %at, %value, "the API server sets a field by itself; it is left alone");
                self.state().insisted.insert((kind, at, value));
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait(corrections: u32) -> Duration {
    let Some(beyond) = corrections.checked_sub(AT_ONCE) else {
        return Duration::ZERO;
    };
    let doubled = 1_u64.checked_shl(beyond).map_or(LONGEST, Duration::from_secs);
    doubled.min(LONGEST)
}

/// A correction without the removals that `insisted` knows.
fn without(
    at: &str,
    correction: Value,
    live: &Value,
    insisted: &dyn Fn(&str, &Value) -> bool,
) -> Option<Value> {
    match correction {
        Value::Object(fields) => {
            let left: Map<_, _> = fields
                .into_iter()
                .filter_map(|(key, value)| {
                    let left = without(&below(at, &key), value, there(live, &key), insisted)?;
                    Some((key, left))
                })
                .collect();
            (!left.is_empty()).then_some(Value::Object(left))
        }
        Value::Null if insisted(at, live) => None,
        value @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            Some(value)
        }
    }
}

/// The simple values that a correction removes, with their places.
fn collect(at: &str, correction: &Value, live: &Value, found: &mut Vec<(String, String)>) {
    match (correction, live) {
        (Value::Object(fields), live) => {
            for (key, value) in fields {
                collect(&below(at, key), value, there(live, key), found);
            }
        }
        (Value::Null, Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            found.push((at.to_owned(), live.to_string()));
        }
        (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_), _) => {}
    }
}

fn below(at: &str, key: &str) -> String {
    if at.is_empty() {
        key.to_owned()
    } else {
        format!("{at}.{key}")
    }
}

fn there<'a>(live: &'a Value, key: &str) -> &'a Value {
    live.get(key).unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn corrections_of_one_object_slow_down_and_recover() {
        let contests = Contests::default();
        let admit = || contests.admit(ChildKind::Deployment, "a", "one");
        let mut corrected = 0;
        for _ in 0..600 {
            corrected += u32::from(admit());
            tokio::time::advance(Duration::from_millis(100)).await;
        }
        assert!((7..=10).contains(&corrected), "{corrected} in a minute");
        assert!(
            contests.admit(ChildKind::Deployment, "a", "two"),
            "others are not affected"
        );
        tokio::time::advance(QUIET).await;
        assert!(admit() && admit());
    }

    #[test]
    fn what_an_api_server_insists_on_is_left_alone_but_for_what_decides() {
        let contests = Contests::default();
        let kind = ChildKind::Deployment;
        let correction = json!({"spec": {"novelty": null, "hostPID": null, "list": null}});
        let live = json!({"spec": {"novelty": "x", "hostPID": true, "list": [1]}});
        contests.insists(kind, &correction, &live);
        let open = contests.open(kind, correction.clone(), &live).unwrap();
        assert_eq!(open, json!({"spec": {"hostPID": null, "list": null}}));
        let other = json!({"spec": {"novelty": "y"}});
        let open = contests.open(kind, json!({"spec": {"novelty": null}}), &other);
        assert!(open.is_some(), "another value is another matter");
        assert_eq!(
            contests.open(ChildKind::Service, correction.clone(), &live),
            Some(correction)
        );
    }
}
