use super::super::server::router;
use super::*;
use crate::metrics::Metrics;
use crate::scenario::{NAMESPACE, Scenario, binding};
use axum::body::Body;
use http::{Request, StatusCode};
use rstest::rstest;
use serde_json::{Value, json};
use std::sync::Arc;
use tower::ServiceExt as _;

fn request(operation: &str, object: Value) -> Value {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u-1", "operation": operation, "namespace": NAMESPACE, "name": object["metadata"]["name"],
            "kind": {"group": "monstrum.dev", "version": "v1alpha1", "kind": kind},
            "resource": {"group": "monstrum.dev", "version": "v1alpha1", "resource": format!("{}s", kind.to_lowercase())},
            "userInfo": {}, "object": object,
        },
    })
}

async fn answered(scenario: &Scenario, review: &Value) -> Value {
    let admission = Admission {
        index: Arc::clone(&scenario.index),
        metrics: Metrics::default(),
    };
    let request = Request::post("/validate")
        .header("content-type", "application/json")
        .body(Body::from(review.to_string()))
        .unwrap();
    let response = router(admission).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice::<Value>(&bytes).unwrap()["response"].clone()
}

fn in_namespace(mut object: Value) -> Value {
    object["metadata"]["namespace"] = json!(NAMESPACE);
    object
}

fn grant(dimension: &str) -> Value {
    in_namespace(binding(
        "new",
        "github",
        json!([{"operations": ["issue.read"], "scope": {dimension: ["acme/web"]}}]),
    ))
}

#[tokio::test]
async fn a_right_object_is_let_in() {
    let response = answered(&Scenario::full(), &request("CREATE", grant("repository"))).await;
    assert_eq!(
        (&response["allowed"], &response["uid"]),
        (&json!(true), &json!("u-1"))
    );
}

#[tokio::test]
async fn a_wrong_object_is_refused_with_field_and_remedy() {
    let scenario = Scenario::full();
    // Resources count as right only when their Secrets are known.
    scenario.compile().await;
    let response = answered(&scenario, &request("CREATE", grant("repo"))).await;
    assert_eq!(response["allowed"], json!(false));
    let message = response["status"]["message"].as_str().unwrap();
    assert!(
        message.contains("spec.grants[0].scope.repo") && message.contains("repository"),
        "{message}"
    );
}

#[tokio::test]
async fn an_unknown_field_is_refused() {
    let mut object = grant("repository");
    object["spec"]["grant"] = json!([]);
    let response = answered(&Scenario::full(), &request("UPDATE", object)).await;
    assert_eq!(response["allowed"], json!(false));
    assert!(response["status"]["message"].as_str().unwrap().contains("grant"));
}

#[rstest]
#[case::missing_reference(|object: &mut Value| object["spec"]["resource"] = json!("later"), "CREATE")]
#[case::deleted(|object: &mut Value| object["spec"]["bot"] = json!(7), "DELETE")]
#[case::going(|object: &mut Value| { object["spec"]["bot"] = json!(7); object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z"); }, "UPDATE")]
#[tokio::test]
async fn what_need_not_be_right_is_not_held_up(#[case] change: fn(&mut Value), #[case] operation: &str) {
    let mut object = grant("repository");
    change(&mut object);
    let response = answered(&Scenario::full(), &request(operation, object)).await;
    assert_eq!(response["allowed"], json!(true), "{response}");
}

#[tokio::test]
async fn other_groups_and_status_are_nothing_to_us() {
    let mut review = request(
        "CREATE",
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}),
    );
    review["request"]["kind"]["group"] = json!("");
    assert_eq!(answered(&Scenario::full(), &review).await["allowed"], json!(true));
    let mut review = request("UPDATE", grant("repo"));
    review["request"]["subResource"] = json!("status");
    assert_eq!(answered(&Scenario::full(), &review).await["allowed"], json!(true));
}

fn bounded(scenario: &Scenario, repository: &str) {
    scenario.put(json!({
        "apiVersion": "monstrum.dev/v1alpha1", "kind": "Workspace", "metadata": {"name": "workspace"},
        "spec": {"model": {"provider": "main", "name": "m-1"}, "boundary": [
            {"resourceTypes": ["github"], "operations": ["issue.read"], "scope": {"repository": [repository]}}
        ]},
    }));
}

#[tokio::test]
async fn a_binding_beyond_the_boundary_is_refused_with_the_smallest_example() {
    let scenario = Scenario::full();
    bounded(&scenario, "acme/docs*");
    let response = answered(&scenario, &request("CREATE", grant("repository"))).await;
    assert_eq!(response["allowed"], json!(false));
    let message = response["status"]["message"].as_str().unwrap();
    assert!(
        message.contains("spec.grants[0].scope.repository")
            && message.contains("repository acme/web is beyond it"),
        "{message}"
    );
    bounded(&scenario, "acme/w*");
    assert_eq!(
        answered(&scenario, &request("CREATE", grant("repository"))).await["allowed"],
        json!(true)
    );
}

/// A Workspace that can't be read must not open what it closed.
#[tokio::test]
async fn nothing_is_granted_under_a_workspace_that_cannot_be_read() {
    let scenario = Scenario::full();
    scenario.take(monstrum_crds::object::Kind::Workspace, "workspace");
    let key = crate::index::Key {
        kind: monstrum_crds::object::Kind::Workspace,
        namespace: NAMESPACE.to_owned(),
        name: "workspace".to_owned(),
    };
    scenario.index.broken.put(
        key.clone(),
        kube::api::ObjectMeta::default(),
        "unknown field".to_owned(),
    );
    let response = answered(&scenario, &request("CREATE", grant("repository"))).await;
    assert_eq!(response["allowed"], json!(false));
    assert!(scenario.index.broken.remove(&key));
    assert_eq!(
        answered(&scenario, &request("CREATE", grant("repository"))).await["allowed"],
        json!(true)
    );
}

#[tokio::test]
async fn no_review_is_answered_before_everything_is_listed() {
    let scenario = Scenario::full();
    let hold = scenario.index.listed.hold();
    let review = request("CREATE", grant("repository"));
    let waiting =
        tokio::time::timeout(std::time::Duration::from_millis(50), answered(&scenario, &review)).await;
    assert!(waiting.is_err());
    drop(hold);
    assert_eq!(answered(&scenario, &review).await["allowed"], json!(true));
}
