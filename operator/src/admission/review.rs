//! One review.

use monstrum_crds::kinds::GROUP;
use monstrum_crds::object::Object;
use monstrum_crds::validate::refusals;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::index::Index;

/// How many faults are told; the first ones are what a person works on.
const MAX_FAULTS: usize = 32;

/// A review, as far as it is looked at. What else is in it, such as the object as it was, is passed over without being built.
#[derive(Debug, Deserialize)]
struct Review {
    request: Asked,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    uid: String,
    kind: Kind,
    operation: String,
    #[serde(default)]
    sub_resource: Option<String>,
    #[serde(default)]
    namespace: Option<String>,
    #[serde(default)]
    object: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Kind {
    #[serde(default)]
    group: String,
}

/// The answer to a review.
#[derive(Debug)]
pub(super) struct Answer {
    uid: String,
    refusal: Option<String>,
}

impl Answer {
    pub(super) fn allowed(&self) -> bool {
        self.refusal.is_none()
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        let mut response = json!({ "uid": self.uid, "allowed": self.allowed() });
        if let (Some(message), Value::Object(fields)) = (&self.refusal, &mut response) {
            fields.insert("status".to_owned(), json!({ "code": 403, "message": message }));
        }
        json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response })
            .to_string()
            .into_bytes()
    }
}

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// It is no review.
    NoReview,
    /// What stands in the namespace is not known.
    NotKnown,
}

/// Judges what is reviewed.
pub(super) fn answer(index: &Index, body: &[u8]) -> Result<Answer, Unanswered> {
    let review: Review = serde_json::from_slice(body).map_err(|_| Unanswered::NoReview)?;
    let namespace = review.request.namespace.as_deref().unwrap_or_default();
    // What its Workspace permits is not known there; a namespace that lapsed later is judged by what was seen last.
    if !index.currency.was_known(namespace) || index.budget.overrun(namespace).is_some() {
        return Err(Unanswered::NotKnown);
    }
    Ok(Answer {
        uid: review.request.uid.clone(),
        refusal: refusal(index, review.request),
    })
}

/// Why the object of a request is refused, if it is. The message speaks of the object and of what stands in its own namespace, whose
/// objects its author names: of no other namespace is anything looked at.
fn refusal(index: &Index, request: Asked) -> Option<String> {
    let judged = matches!(request.operation.as_str(), "CREATE" | "UPDATE");
    if request.kind.group != GROUP || request.sub_resource.is_some_and(|name| !name.is_empty()) || !judged {
        return None;
    }
    let object = request.object?;
    // An object that is going away must not be held up by what is wrong with it.
    if object.pointer("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    match Object::read(object) {
        Ok(object) => {
            let world = index.world(request.namespace.as_deref().unwrap_or_default());
            let faults = refusals(&object, &world);
            let mut told: Vec<_> = faults.iter().take(MAX_FAULTS).map(ToString::to_string).collect();
            let more = faults.len().saturating_sub(MAX_FAULTS);
            if more > 0 {
                told.push(format!("and {more} more"));
            }
            (!told.is_empty()).then(|| told.join("; "))
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            Some(format!("{error}{}", cause.unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests;
