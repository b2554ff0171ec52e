//! One review.

use axum::Json;
use axum::extract::State;
use kube::api::DynamicObject;
use kube::core::admission::{AdmissionRequest, AdmissionResponse, AdmissionReview, Operation};
use monstrum_crds::kinds::GROUP;
use monstrum_crds::object::Object;
use monstrum_crds::validate::refusals;

use super::server::Admission;

/// Answers a review of the API server.
pub(super) async fn review(
    State(admission): State<Admission>,
    Json(review): Json<AdmissionReview<DynamicObject>>,
) -> Json<AdmissionReview<DynamicObject>> {
    let request: Result<AdmissionRequest<DynamicObject>, _> = review.try_into();
    let Ok(request) = request else {
        return Json(AdmissionResponse::invalid("the review holds no request").into_review());
    };
    // Before everything is listed it is not known what a Workspace permits.
    admission.index.listed.opened().await;
    let response = AdmissionResponse::from(&request);
    let response = match refusal(&admission, &request) {
        None => response,
        Some(message) => response.deny(message),
    };
    admission.metrics.admitted(response.allowed);
    Json(response.into_review())
}

/// Why the object of a request is refused, if it is.
fn refusal(admission: &Admission, request: &AdmissionRequest<DynamicObject>) -> Option<String> {
    if request.kind.group != GROUP || request.sub_resource.is_some() {
        return None;
    }
    match request.operation {
        Operation::Create | Operation::Update => {}
        Operation::Delete | Operation::Connect => return None,
    }
    let value = match serde_json::to_value(request.object.as_ref()?) {
        Ok(value) => value,
        Err(error) => return Some(format!("the object is not JSON: {error}")),
    };
    // An object that is going away must not be held up by what is wrong with it.
    if value.pointer("/metadata/deletionTimestamp").is_some() {
        return None;
    }
    match Object::read(value) {
        Ok(object) => {
            let world = admission
                .index
                .world(request.namespace.as_deref().unwrap_or_default());
            let faults: Vec<_> = refusals(&object, &world)
                .iter()
                .map(ToString::to_string)
                .collect();
            (!faults.is_empty()).then(|| faults.join("; "))
        }
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            Some(format!("{error}{}", cause.unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests;
