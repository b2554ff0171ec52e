//! An API server in memory, for tests: objects by path, a record of every call, and failures on demand.

mod watching;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body as Answer;
use http::{Method, Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::watch;

use self::watching::Happened;
pub(crate) use self::watching::{Bookmarks, Fault, Verb};

/// One call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) manager: Option<String>,
}

impl Call {
    pub(crate) fn is_write(&self) -> bool {
        self.method != Method::GET
    }
}

/// What is answered in place of an object.
type Refusal = (StatusCode, &'static str);

/// An API server in memory; clones share it.
#[derive(Clone, Default)]
pub(crate) struct FakeApi {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Value>,
    calls: Vec<Call>,
    clock: u64,
    /// Answered to every call, when set.
    failure: Option<StatusCode>,
    /// The next replacement meets a conflict, when set.
    conflict: bool,
    /// Never answers, when set.
    hangs: bool,
    /// Never answers for this object.
    silent_about: Option<String>,
    /// What happened, for watches.
    history: Vec<Happened>,
    /// How parts of paths fail.
    faults: BTreeMap<(String, Verb), Fault>,
    bookmarks: Bookmarks,
    /// Merged into every object of a kind that is applied or patched.
    insisted: Option<(&'static str, Value)>,
    /// Tells watches to look again.
    changed: watch::Sender<()>,
}

impl FakeApi {
    pub(crate) fn client(&self) -> Client {
        let api = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move {
                let is_silent = api.state().silent_about.as_deref() == Some(request.uri().path());
                if is_silent || api.state().hangs {
                    std::future::pending::<()>().await;
                }
                api.answer(request).await
            }
        });
        Client::new(service, "default")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Puts an object where a client finds it.
    pub(crate) fn put(&self, path: &str, mut object: Value) {
        let mut state = self.state();
        state.stamp(&mut object);
        state.store(path, object);
    }

    pub(crate) fn get(&self, path: &str) -> Option<Value> {
        self.state().objects.get(path).cloned()
    }

    pub(crate) fn remove(&self, path: &str) {
        drop(self.state().delete(path));
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.state().objects.keys().cloned().collect()
    }

    /// The calls since the last look.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.state().calls)
    }

    pub(crate) fn take_writes(&self) -> Vec<Call> {
        self.take_calls().into_iter().filter(Call::is_write).collect()
    }

    pub(crate) fn fail_with(&self, status: Option<StatusCode>) {
        self.state().failure = status;
    }

    pub(crate) fn conflict_once(&self) {
        self.state().conflict = true;
    }

    /// Puts something into every object of a kind from now on, as an admission webhook does.
    pub(crate) fn insist_on(&self, kind: &'static str, insisted: Value) {
        self.state().insisted = Some((kind, insisted));
    }

    pub(crate) fn hang(&self, hangs: bool) {
        self.state().hangs = hangs;
    }

    pub(crate) fn say_nothing_about(&self, path: &str) {
        self.state().silent_about = Some(path.to_owned());
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response<Answer>, std::io::Error> {
        let (head, body) = request.into_parts();
        let bytes = body.collect_bytes().await.unwrap();
        let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let accept = head
            .headers
            .get("accept")
            .and_then(|accept| accept.to_str().ok())
            .unwrap_or_default();
        let metadata_only = accept.contains("PartialObjectMetadata");
        let content = head.headers.get("content-type");
        let is_merge_patch = content.is_some_and(|content| content == "application/merge-patch+json");
        let query = head.uri.query().unwrap_or_default().to_owned();
        let manager = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("fieldManager="))
            .map(ToOwned::to_owned);
        let path = head.uri.path().to_owned();
        if let Some(answer) = self.read_collection(&head, &path, metadata_only).await? {
            return Ok(answer);
        }
        let mut state = self.state();
        state.calls.push(Call {
            method: head.method.clone(),
            path: path.clone(),
            manager,
        });
        if let Some(failure) = state.failure {
            return Ok(status(failure, "made to fail"));
        }
        let answer = match head.method {
            Method::GET => state.read(&path),
            Method::POST => state.create(&path, body),
            Method::PUT => state.replace(&path, body),
            Method::PATCH if is_merge_patch => state.merge_patch(&path, &body),
            Method::PATCH => state.apply(&path, &body),
            Method::DELETE => state.delete(&path),
            _ => Err((StatusCode::METHOD_NOT_ALLOWED, "no such method")),
        };
        Ok(match answer {
            Ok(mut object) if metadata_only => {
                object = json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object["metadata"]});
                response(StatusCode::OK, &object)
            }
            Ok(object) => response(StatusCode::OK, &object),
            Err((code, message)) => status(code, message),
        })
    }
}

impl State {
    fn stamp(&mut self, object: &mut Value) {
        self.clock = self.clock.wrapping_add(1);
        let clock = self.clock;
        let metadata = &mut object["metadata"];
        metadata["resourceVersion"] = json!(clock.to_string());
        if metadata["uid"].is_null() {
            metadata["uid"] = json!(format!("00000000-0000-4000-8000-{clock:012x}"));
        }
        if metadata["generation"].is_null() {
            metadata["generation"] = json!(1);
        }
    }

    fn read(&self, path: &str) -> Result<Value, Refusal> {
        self.objects
            .get(path)
            .cloned()
            .ok_or((StatusCode::NOT_FOUND, "not found"))
    }

    fn create(&mut self, collection: &str, mut object: Value) -> Result<Value, Refusal> {
        let path = format!(
            "{collection}/{}",
            object["metadata"]["name"].as_str().unwrap_or_default()
        );
        if self.objects.contains_key(&path) {
            return Err((StatusCode::CONFLICT, "exists"));
        }
        self.stamp(&mut object);
        self.store(&path, object.clone());
        Ok(object)
    }

    fn replace(&mut self, path: &str, mut object: Value) -> Result<Value, Refusal> {
        let current = self.read(path)?;
        let conflict = std::mem::take(&mut self.conflict);
        if conflict || current["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
            return Err((StatusCode::CONFLICT, "changed meanwhile"));
        }
        self.stamp(&mut object);
        self.store(path, object.clone());
        Ok(object)
    }

    /// A JSON merge patch, of the version that it names if it names one.
    fn merge_patch(&mut self, path: &str, change: &Value) -> Result<Value, Refusal> {
        let mut object = self.read(path)?;
        let version = &change["metadata"]["resourceVersion"];
        if !version.is_null() && *version != object["metadata"]["resourceVersion"] {
            return Err((StatusCode::CONFLICT, "changed meanwhile"));
        }
        merge_patch(&mut object, change);
        self.insist(&mut object);
        self.stamp(&mut object);
        self.store(path, object.clone());
        Ok(object)
    }

    /// What an admission webhook puts into an object.
    fn insist(&self, object: &mut Value) {
        if let Some((kind, insisted)) = &self.insisted
            && object["kind"] == *kind
        {
            merge(object, insisted);
        }
    }

    /// Server-side apply by one manager: maps are merged, lists of named things too, other lists replaced. A status goes
    /// to its object.
    fn apply(&mut self, path: &str, wanted: &Value) -> Result<Value, Refusal> {
        let path = path.strip_suffix("/status").unwrap_or(path);
        let is_status = !wanted["status"].is_null();
        let mut object = match self.objects.get(path) {
            Some(object) => object.clone(),
            None if is_status => return Err((StatusCode::NOT_FOUND, "not found")),
            None => json!({}),
        };
        if is_status {
            object["status"] = wanted["status"].clone();
        } else {
            merge(&mut object, wanted);
            self.insist(&mut object);
        }
        let owners = object["metadata"]["ownerReferences"].as_array();
        let controllers = owners
            .into_iter()
            .flatten()
            .filter(|owner| owner["controller"] == true);
        if controllers.count() > 1 {
            return Err((
                StatusCode::UNPROCESSABLE_ENTITY,
                "only one reference can have controller set to true",
            ));
        }
        if object["kind"] == "Service" && object["spec"]["clusterIP"].is_null() {
            object["spec"]["clusterIP"] = json!("10.96.0.7");
        }
        self.stamp(&mut object);
        self.store(path, object.clone());
        Ok(object)
    }

    fn delete(&mut self, path: &str) -> Result<Value, Refusal> {
        let mut object = self
            .objects
            .remove(path)
            .ok_or((StatusCode::NOT_FOUND, "not found"))?;
        self.stamp(&mut object);
        self.happened("DELETED", path, object.clone());
        Ok(object)
    }
}

fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (key, value) in patch {
                merge(target.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (Value::Array(target), Value::Array(patch)) if patch.iter().all(|item| item["name"].is_string()) => {
            // Owners are told apart by their uid.
            let owners = patch.iter().all(|item| item["uid"].is_string());
            let key = if owners { "uid" } else { "name" };
            for item in patch {
                match target.iter_mut().find(|there| there[key] == item[key]) {
                    Some(there) => merge(there, item),
                    None => target.push(item.clone()),
                }
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

/// RFC 7386.
pub(crate) fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge_patch(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

fn status(code: StatusCode, message: &str) -> Response<Answer> {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code.as_u16(), "message": message,
        "reason": code.canonical_reason().unwrap_or_default().replace(' ', ""),
    });
    response(code, &status)
}

fn response(code: StatusCode, body: &Value) -> Response<Answer> {
    Response::builder()
        .status(code)
        .body(Answer::from(body.to_string()))
        .unwrap()
}
