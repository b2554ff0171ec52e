use super::super::Pass;
use super::super::desk::Desk;
use super::super::server::{Admission, router};
use crate::metrics::Metrics;
use crate::scenario::{NAMESPACE, Scenario, binding};
use crate::trust::Trust;
use axum::body::Body;
use axum::response::Response;
use http::{Method, Request, StatusCode};
use monstrum_service::authority::Authority;
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

fn admission(scenario: &Scenario) -> Admission {
    monstrum_service::install_crypto();
    let trust = Trust::new(Authority::generate("monstrum.local").unwrap());
    Admission {
        pass: Pass::new(&trust),
        desk: Desk::new(Arc::clone(&scenario.index), Metrics::default()),
    }
}

async fn asked(admission: Admission, method: Method, path: &str, body: impl Into<Body>) -> Response {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(body.into())
        .unwrap();
    router(admission).oneshot(request).await.unwrap()
}

async fn answered(scenario: &Scenario, review: &Value) -> Value {
    let admission = admission(scenario);
    let path = admission.pass.path();
    let response = asked(admission, Method::POST, &path, review.to_string()).await;
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

/// Whoever does not know the path hears the same, whatever is asked, and its body is not even read.
#[rstest]
#[case::the_path_without_its_secret(Method::POST, "/validate")]
#[case::another_secret(
    Method::POST,
    "/validate/0000000000000000000000000000000000000000000000000000000000000000"
)]
#[case::root(Method::POST, "/")]
#[case::other_method(Method::GET, "/validate")]
#[case::other_path(Method::GET, "/healthz")]
#[tokio::test]
async fn a_stranger_learns_nothing(#[case] method: Method, #[case] path: &str) {
    let scenario = Scenario::full();
    let endless = futures::stream::poll_fn(|_| -> std::task::Poll<Option<Result<String, std::io::Error>>> {
        panic!("the body was read")
    });
    let response = asked(admission(&scenario), method, path, Body::from_stream(endless)).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
    assert!(body.is_empty(), "{body:?}");
}

#[tokio::test]
async fn the_right_path_is_for_posts_only() {
    let scenario = Scenario::full();
    let admission = admission(&scenario);
    let path = admission.pass.path();
    let response = asked(admission, Method::GET, &path, Body::empty()).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_no_review_is_told_so() {
    let scenario = Scenario::full();
    for body in ["", "{}", "[]", "{\"request\": null}", "nonsense"] {
        let admission = admission(&scenario);
        let path = admission.pass.path();
        let response = asked(admission, Method::POST, &path, body).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body:?}");
    }
}

/// The object of the namespace that the API server names, and no other's: a grant beyond one namespace's boundary is within another's.
#[tokio::test]
async fn a_review_is_judged_by_its_own_namespace_only() {
    let scenario = Scenario::full();
    bounded(&scenario, "acme/docs*");
    let mut review = request("CREATE", grant("repository"));
    assert_eq!(answered(&scenario, &review).await["allowed"], json!(false));
    review["request"]["namespace"] = json!("elsewhere");
    review["request"]["object"]["metadata"]["namespace"] = json!(NAMESPACE);
    assert_eq!(answered(&scenario, &review).await["allowed"], json!(true));
}

fn resource_type(pattern: &str) -> Value {
    let properties: serde_json::Map<_, _> = (0..20)
        .map(|number| {
            (
                format!("p{number}"),
                json!({"type": "string", "pattern": pattern.replace('N', &number.to_string())}),
            )
        })
        .collect();
    json!({
        "apiVersion": "monstrum.dev/v1alpha1", "kind": "ResourceType", "metadata": {"name": "large"},
        "spec": {
            "executor": "http", "dimensions": [], "tools": [],
            "config": {"schema": {"type": "object", "properties": properties}},
        },
    })
}

/// A few hundred characters once took hundreds of megabytes, and a handful of reviews at once the process.
#[tokio::test]
async fn expressions_that_would_grow_are_refused_without_growing() {
    let scenario = Scenario::full();
    let review = request("CREATE", resource_type("^\\p{L}{200}N$"));
    let before = resident();
    let reviews = (0..50).map(|_| answered(&scenario, &review));
    for response in futures::future::join_all(reviews).await {
        assert_eq!(response["allowed"], json!(false));
        let message = response["status"]["message"].as_str().unwrap();
        assert!(
            message.contains("spec.config.schema") && message.contains("too large"),
            "{message}"
        );
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
}

/// The most that this process ever held.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kibibytes: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes.saturating_mul(1024)
}

#[tokio::test]
async fn a_large_review_waits_for_its_turn_and_is_answered() {
    let scenario = Scenario::full();
    let admission = admission(&scenario);
    let path = admission.pass.path();
    let mut review = request("UPDATE", grant("repository"));
    review["request"]["oldObject"] = json!({"spec": vec![json!([]); 1 << 20]});
    let body = review.to_string();
    assert!((3 << 20..4 << 20).contains(&body.len()), "{}", body.len());
    let before = resident();
    let reviews = (0..8).map(|_| asked(admission.clone(), Method::POST, &path, body.clone()));
    for response in futures::future::join_all(reviews).await {
        assert!(matches!(
            response.status(),
            StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE
        ));
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 96 << 20, "{grown} bytes more");
    let too_large = " ".repeat(5 << 20);
    let response = asked(admission, Method::POST, &path, too_large).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}
