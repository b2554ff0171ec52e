//! The one place that writes a status.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use k8s_openapi::jiff::Timestamp;
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::core::ApiResource;
use kube::runtime::events::Recorder;
use kube::runtime::watcher::Event;
use monstrum_crds::conditions::{ConditionType, Progress, State, merged};
use serde_json::{Map, Value, json};

use super::governed::Governed;
use super::message::changes;
use crate::events::reporter;
use crate::index::{Index, strip};
use crate::leadership::Leadership;
use crate::metrics::{Metrics, Written};

/// Writes status and events, while this process leads.
#[derive(Clone)]
pub struct StatusWriter {
    client: Client,
    recorder: Recorder,
    leadership: Leadership,
    metrics: Metrics,
}

/// Why a status is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// Another process may lead by now.
    #[error("this operator does not lead any more")]
    NotLeading,
    /// The API server did not take it.
    #[error("the status of {kind} {name} can't be written")]
    Write {
        /// The object's kind.
        kind: &'static str,
        /// The object's name.
        name: String,
        /// Why.
        source: kube::Error,
    },
}

impl StatusWriter {
    /// A writer that speaks for the operator `instance`.
    pub fn new(client: Client, instance: &str, leadership: Leadership, metrics: Metrics) -> Self {
        Self {
            recorder: Recorder::new(client.clone(), reporter(instance)),
            client,
            leadership,
            metrics,
        }
    }

    /// Makes the status of `object` say `states` and `fields`, if it does not already. Says when to look again without a change.
    pub async fn write<K: Governed>(
        &self,
        index: &Index,
        object: &K,
        states: &[State],
        fields: Map<String, Value>,
    ) -> Result<Option<Duration>, StatusError> {
        let (wanted, again) = wanted(
            object.conditions(),
            states,
            object.meta().generation,
            fields,
            Timestamp::now(),
        );
        self.write_wanted(index, object, wanted).await?;
        Ok(again)
    }

    /// Makes the status of `object` say `state`, and all else that it says already. An object that was never seen stays so.
    pub async fn write_one<K: Governed>(
        &self,
        index: &Index,
        object: &K,
        state: &State,
    ) -> Result<(), StatusError> {
        let Value::Object(mut wanted) = object.status_value() else {
            return Ok(());
        };
        if wanted.get("observedGeneration").and_then(Value::as_i64) < Some(0) {
            return Ok(());
        }
        let (generation, now) = (object.meta().generation, Timestamp::now());
        let kept = merged(object.conditions(), std::slice::from_ref(state), generation, now);
        let kept: Vec<_> = kept.into_iter().filter(is_step).collect();
        let (conditions, _) = with_progress(object.conditions(), kept, generation, now);
        wanted.insert("conditions".to_owned(), json!(conditions));
        wanted.retain(|_, value| !value.is_null());
        self.write_wanted(index, object, Value::Object(wanted)).await
    }

    async fn write_wanted<K: Governed>(
        &self,
        index: &Index,
        object: &K,
        wanted: Value,
    ) -> Result<(), StatusError> {
        let before = object.status_value();
        if says(&before, &wanted) {
            return Ok(());
        }
        if self.leadership.epoch().is_none() {
            return Err(StatusError::NotLeading);
        }
        let after = conditions(&wanted);
        let written = self
            .patch(
                K::KIND.as_str(),
                &K::plural(&()),
                object.meta(),
                K::STATUS_MANAGER,
                wanted,
            )
            .await?;
        let Some(written) = written else { return Ok(()) };
        if let Ok(mut updated) = written.try_parse::<K>() {
            strip(&mut updated);
            K::objects(index).take_up(None, Event::Apply(updated));
        }
        let reference = object.object_ref(&());
        for event in changes(object.conditions(), &after) {
            match self.recorder.publish(&event, &reference).await {
                Ok(()) => self.metrics.wrote(Written::Event),
                // An event is a courtesy; the status has been written.
                Err(error) => tracing::warn!(error = %error, "an event can't be published"),
            }
        }
        Ok(())
    }

    /// Says of an object that can't be read that it can't.
    pub async fn write_unreadable(
        &self,
        kind: &'static str,
        plural: &str,
        manager: &str,
        metadata: &kube::core::ObjectMeta,
        states: &[State],
    ) -> Result<(), StatusError> {
        if self.leadership.epoch().is_none() {
            return Err(StatusError::NotLeading);
        }
        let (wanted, _) = wanted(&[], states, metadata.generation, Map::new(), Timestamp::now());
        self.patch(kind, plural, metadata, manager, wanted)
            .await
            .map(drop)
    }

    async fn patch(
        &self,
        kind: &'static str,
        plural: &str,
        metadata: &kube::core::ObjectMeta,
        manager: &str,
        status: Value,
    ) -> Result<Option<DynamicObject>, StatusError> {
        let resource = ApiResource {
            group: monstrum_crds::kinds::GROUP.to_owned(),
            version: monstrum_crds::kinds::VERSION.to_owned(),
            api_version: format!(
                "{}/{}",
                monstrum_crds::kinds::GROUP,
                monstrum_crds::kinds::VERSION
            ),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
        };
        let api: Api<DynamicObject> = match &metadata.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        };
        let name = metadata.name.clone().unwrap_or_default();
        // With its uid, so that an object of the same name that came later is not meant.
        let body = json!({
            "apiVersion": resource.api_version,
            "kind": kind,
            "metadata": { "name": name, "uid": metadata.uid },
            "status": status,
        });
        match api
            .patch_status(&name, &PatchParams::apply(manager).force(), &Patch::Apply(body))
            .await
        {
            Ok(written) => {
                self.metrics.wrote(Written::Status);
                Ok(Some(written))
            }
            // Gone, or another one by now: there is nobody to tell.
            Err(kube::Error::Api(status)) if status.code == 404 || status.code == 409 => Ok(None),
            Err(source) => Err(StatusError::Write { kind, name, source }),
        }
    }
}

/// Our part of a status, and when it will be another one by itself.
fn wanted(
    existing: &[Condition],
    states: &[State],
    generation: Option<i64>,
    mut fields: Map<String, Value>,
    now: Timestamp,
) -> (Value, Option<Duration>) {
    let ours = |condition: &Condition| states.iter().any(|state| state.about.as_str() == condition.type_);
    let told = merged(existing, states, generation, now)
        .into_iter()
        .filter(ours)
        .collect();
    let (conditions, again) = with_progress(existing, told, generation, now);
    fields.insert("observedGeneration".to_owned(), json!(generation));
    fields.insert("conditions".to_owned(), json!(conditions));
    fields.retain(|_, value| !value.is_null());
    (Value::Object(fields), again)
}

/// With `Reconciling` or `Stalled`, as the other conditions amount to.
fn with_progress(
    existing: &[Condition],
    mut conditions: Vec<Condition>,
    generation: Option<i64>,
    now: Timestamp,
) -> (Vec<Condition>, Option<Duration>) {
    let Progress { state, look_again } = Progress::of(&conditions, now);
    if let Some(state) = state {
        let before: Vec<_> = existing
            .iter()
            .filter(|old| old.type_ == state.about.as_str())
            .cloned()
            .collect();
        conditions.extend(merged(&before, std::slice::from_ref(&state), generation, now));
    }
    (conditions, look_again)
}

/// Whether a condition is one of the steps to `Ready`, or that.
fn is_step(condition: &Condition) -> bool {
    let progress = [ConditionType::Reconciling, ConditionType::Stalled];
    is_ours(condition) && !progress.iter().any(|about| about.as_str() == condition.type_)
}

fn is_ours(condition: &Condition) -> bool {
    ConditionType::ALL
        .iter()
        .any(|about| about.as_str() == condition.type_)
}

/// Whether a status says exactly what we want, apart from conditions that others wrote.
fn says(status: &Value, wanted: &Value) -> bool {
    let (Some(status), Some(wanted)) = (status.as_object(), wanted.as_object()) else {
        return false;
    };
    let fields = |of: &Map<String, Value>| {
        let mut fields = of.clone();
        fields.remove("conditions");
        fields
    };
    let ours = conditions(&Value::Object(wanted.clone()));
    let there = conditions(&Value::Object(status.clone()));
    fields(status) == fields(wanted)
        && ours.iter().all(|condition| there.contains(condition))
        && there
            .iter()
            .filter(|condition| is_ours(condition))
            .all(|condition| ours.contains(condition))
}

fn conditions(status: &Value) -> Vec<Condition> {
    // What was a list of conditions a moment ago can be read as one.
    status
        .get("conditions")
        .cloned()
        .and_then(|list| serde_json::from_value(list).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use monstrum_crds::conditions::{ConditionType, Reason};

    fn ready(message: &str) -> Vec<State> {
        vec![State::new(ConditionType::Ready, true, Reason::Ready, message)]
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn told(
        existing: &[Condition],
        states: &[State],
        generation: Option<i64>,
        fields: Map<String, Value>,
        now: Timestamp,
    ) -> Value {
        wanted(existing, states, generation, fields, now).0
    }

    #[test]
    fn what_is_not_ready_is_on_its_way_or_stalled_and_what_is_ready_is_neither() {
        let types = |status: &Value| -> Vec<String> {
            conditions(status)
                .iter()
                .map(|condition| condition.type_.clone())
                .collect()
        };
        let missing = [State::new(
            ConditionType::Ready,
            false,
            Reason::NotFound,
            "no such thing",
        )];
        let (first, again) = wanted(&[], &missing, Some(1), Map::new(), at(10));
        assert_eq!(types(&first), ["Ready", "Reconciling"]);
        assert_eq!(again.unwrap().as_secs(), 30);
        let second = told(&conditions(&first), &missing, Some(1), Map::new(), at(40));
        assert_eq!(types(&second), ["Ready", "Stalled"]);
        assert!(!says(&first, &second) && !says(&second, &first));
        let third = told(&conditions(&second), &missing, Some(1), Map::new(), at(99));
        assert_eq!(second, third);
        let fourth = told(&conditions(&third), &ready(""), Some(1), Map::new(), at(100));
        assert_eq!(types(&fourth), ["Ready"]);
        assert!(!says(&third, &fourth));
    }

    #[test]
    fn the_same_status_is_not_written_again() {
        let first = told(&[], &ready(""), Some(3), Map::new(), at(10));
        let second = told(&conditions(&first), &ready(""), Some(3), Map::new(), at(99));
        assert!(says(&first, &second));
    }

    #[test]
    fn a_field_that_goes_away_is_a_change() {
        let fields = Map::from_iter([("enforcedDigest".to_owned(), json!("sha256:1"))]);
        let first = told(&[], &ready(""), Some(3), fields, at(10));
        let second = told(&conditions(&first), &ready(""), Some(3), Map::new(), at(10));
        assert!(!says(&first, &second));
    }

    #[test]
    fn conditions_of_others_are_no_change_and_are_not_taken_over() {
        let mut status = told(&[], &ready(""), Some(3), Map::new(), at(10));
        let mut other = conditions(&status)[0].clone();
        other.type_ = "Audited".to_owned();
        status["conditions"].as_array_mut().unwrap().push(json!(other));
        let again = told(&conditions(&status), &ready(""), Some(3), Map::new(), at(20));
        assert!(says(&status, &again));
        assert_eq!(conditions(&again).len(), 1);
    }

    #[test]
    fn another_message_or_generation_is_a_change() {
        let first = told(&[], &ready(""), Some(3), Map::new(), at(10));
        assert!(!says(
            &first,
            &told(&conditions(&first), &ready("news"), Some(3), Map::new(), at(10))
        ));
        assert!(!says(
            &first,
            &told(&conditions(&first), &ready(""), Some(4), Map::new(), at(10))
        ));
        assert!(!says(&Value::Null, &first));
    }
}
