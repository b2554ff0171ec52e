//! Lists and watches of collections, and the ways in which they fail.
#![expect(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::Body as Answer;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_stream::wrappers::ReceiverStream;

use super::{Call, FakeApi, State, response, status};

/// What is asked of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    List,
    Watch,
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// With a status; watches that stand end.
    Status(StatusCode),
    /// No connection; watches that stand end.
    Refused,
    /// It is never answered; watches that stand say nothing more.
    NoAnswer,
    /// It is answered, and then nothing comes.
    Silent,
    /// Half an event comes, and then nothing.
    HalfALine,
    /// It is answered late.
    Slow(Duration),
    /// Watches are told nothing that is new, and end when they should: the cache that serves them is cut off.
    Stale,
}

/// What bookmarks say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Bookmarks {
    /// How far the API server is.
    #[default]
    Current,
    /// What the watch was told anyway.
    Lagging,
    /// There are none.
    Absent,
}

/// One change.
#[derive(Debug, Clone)]
pub(super) struct Happened {
    revision: u64,
    what: &'static str,
    path: String,
    object: Value,
}

/// Where objects of one kind are: of one namespace, or all.
#[derive(Debug, Clone)]
pub(super) struct Collection {
    prefix: String,
    namespace: Option<String>,
    plural: String,
}

impl Collection {
    /// None for the path of an object.
    pub(super) fn of(path: &str) -> Option<Self> {
        let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
        let group = if parts.first() == Some(&"api") { 2 } else { 3 };
        let (namespace, plural) = match parts.get(group..)? {
            [plural] => (None, *plural),
            ["namespaces", namespace, plural] => (Some((*namespace).to_owned()), *plural),
            _ => return None,
        };
        Some(Self {
            prefix: format!("/{}/", parts[..group].join("/")),
            namespace,
            plural: plural.to_owned(),
        })
    }

    fn holds(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(&self.prefix) else {
            return false;
        };
        match rest.split('/').collect::<Vec<_>>().as_slice() {
            ["namespaces", namespace, plural, _] => {
                *plural == self.plural && self.namespace.as_deref().is_none_or(|own| own == *namespace)
            }
            [plural, _] => *plural == self.plural && self.namespace.is_none(),
            _ => false,
        }
    }
}

impl FakeApi {
    /// Makes requests to paths that contain `part` fail, or not any more.
    pub(crate) fn fault(&self, part: &str, verb: Verb, fault: Option<Fault>) {
        let mut state = self.state();
        let key = (part.to_owned(), verb);
        match fault {
            Some(fault) => drop(state.faults.insert(key, fault)),
            None => drop(state.faults.remove(&key)),
        }
        state.changed.send_replace(());
    }

    pub(crate) fn bookmarks(&self, bookmarks: Bookmarks) {
        self.state().bookmarks = bookmarks;
    }

    /// Answers when `path` is a collection's, which is read.
    pub(super) async fn read_collection(
        &self,
        head: &Parts,
        path: &str,
        metadata_only: bool,
    ) -> Result<Option<Response<Answer>>, io::Error> {
        let Some(collection) = Collection::of(path).filter(|_| head.method == Method::GET) else {
            return Ok(None);
        };
        let query = head.uri.query().unwrap_or_default();
        let verb = if query.contains("watch=true") {
            Verb::Watch
        } else {
            Verb::List
        };
        self.state().calls.push(Call {
            method: Method::GET,
            path: path.to_owned(),
            manager: None,
        });
        let fault = self.state().fault(path, verb);
        match fault {
            Some(Fault::Status(code)) => return Ok(Some(status(code, "made to fail"))),
            Some(Fault::Refused) => return Err(io::Error::from(io::ErrorKind::ConnectionRefused)),
            Some(Fault::NoAnswer) => match never().await {},
            Some(Fault::Slow(wait)) => sleep(wait).await,
            Some(Fault::Silent | Fault::HalfALine | Fault::Stale) | None => {}
        }
        if let Some(failure) = self.state().failure {
            return Ok(Some(status(failure, "made to fail")));
        }
        Ok(Some(match verb {
            Verb::List => response(
                StatusCode::OK,
                &self.state().list(&collection, query, metadata_only),
            ),
            Verb::Watch => self.watch(collection, path.to_owned(), query, metadata_only),
        }))
    }

    fn watch(
        &self,
        collection: Collection,
        path: String,
        query: &str,
        metadata_only: bool,
    ) -> Response<Answer> {
        let number = |name: &str| {
            let pair = query.split('&').find_map(|pair| pair.strip_prefix(name));
            pair.and_then(|value| value.parse::<u64>().ok()).unwrap()
        };
        let (lines, body) = mpsc::channel(64);
        let watch = Watch {
            api: self.clone(),
            collection,
            path,
            fields: url::form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == "fieldSelector")
                .map(|(_, value)| value.into_owned())
                .unwrap_or_default(),
            metadata_only,
            seen: number("resourceVersion="),
            looked: self
                .state()
                .history
                .partition_point(|happened| happened.revision <= number("resourceVersion=")),
            end: Instant::now() + Duration::from_secs(number("timeoutSeconds=")),
            lines,
        };
        tokio::spawn(watch.run());
        Response::new(Answer::from_stream(ReceiverStream::new(body)))
    }
}

/// One request to watch.
struct Watch {
    api: FakeApi,
    collection: Collection,
    path: String,
    fields: String,
    metadata_only: bool,
    seen: u64,
    /// How much of the history it has looked at.
    looked: usize,
    end: Instant,
    lines: mpsc::Sender<Result<Bytes, Infallible>>,
}

impl Watch {
    async fn run(mut self) {
        let mut changed = self.api.state().changed.subscribe();
        let (mut marked, mark_at) = (false, self.end - Duration::from_secs(2));
        loop {
            changed.mark_unchanged();
            let fault = self.api.state().fault(&self.path, Verb::Watch);
            match fault {
                Some(Fault::Status(_) | Fault::Refused) => return,
                Some(Fault::NoAnswer | Fault::Silent) => return self.lines.closed().await,
                Some(Fault::HalfALine) => {
                    drop(self.lines.send(Ok(Bytes::from_static(b"{\"type\":"))).await);
                    return self.lines.closed().await;
                }
                Some(Fault::Stale) => {}
                Some(Fault::Slow(_)) | None => self.tell_news().await,
            }
            tokio::select! {
                _ = changed.changed() => {}
                () = sleep_until(mark_at), if !marked => {
                    marked = true;
                    self.bookmark(fault).await;
                }
                () = sleep_until(self.end) => return,
                () = self.lines.closed() => return,
            }
        }
    }

    async fn tell_news(&mut self) {
        let news: Vec<_> = {
            let state = self.api.state();
            let looked = std::mem::replace(&mut self.looked, state.history.len());
            let new = state.history[looked..].iter();
            let new = new.filter(|happened| happened.revision > self.seen);
            new.filter(|happened| {
                self.collection.holds(&happened.path) && is_selected(&happened.path, &self.fields)
            })
            .cloned()
            .collect()
        };
        for happened in news {
            self.seen = happened.revision;
            let object = shown(&happened.object, self.metadata_only);
            self.tell(&json!({"type": happened.what, "object": object})).await;
        }
    }

    async fn bookmark(&mut self, fault: Option<Fault>) {
        let (bookmarks, clock) = {
            let state = self.api.state();
            (state.bookmarks, state.clock)
        };
        match bookmarks {
            Bookmarks::Absent => return,
            Bookmarks::Current if fault.is_none() => self.seen = clock,
            Bookmarks::Current | Bookmarks::Lagging => {}
        }
        let metadata = json!({"resourceVersion": self.seen.to_string()});
        let object = json!({"apiVersion": "v1", "kind": "Any", "metadata": metadata});
        self.tell(&json!({"type": "BOOKMARK", "object": object})).await;
    }

    async fn tell(&self, line: &Value) {
        drop(self.lines.send(Ok(Bytes::from(format!("{line}\n")))).await);
    }
}

impl State {
    pub(super) fn store(&mut self, path: &str, object: Value) {
        let before = self.objects.insert(path.to_owned(), object.clone());
        self.happened(if before.is_some() { "MODIFIED" } else { "ADDED" }, path, object);
    }

    pub(super) fn happened(&mut self, what: &'static str, path: &str, object: Value) {
        self.history.push(Happened {
            revision: self.clock,
            what,
            path: path.to_owned(),
            object,
        });
        self.changed.send_replace(());
    }

    fn fault(&self, path: &str, verb: Verb) -> Option<Fault> {
        let mut faults = self.faults.iter();
        faults
            .find(|((part, of), _)| *of == verb && path.ends_with(part.as_str()))
            .map(|(_, fault)| *fault)
    }

    /// One page of a list; a page goes on after the path that the one before ended with.
    fn list(&self, collection: &Collection, query: &str, metadata_only: bool) -> Value {
        let asked = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let fields = asked("fieldSelector").unwrap_or_default();
        let after = asked("continue").unwrap_or_default();
        let limit = asked("limit").map_or(usize::MAX, |limit| limit.parse().unwrap());
        let mut left = self
            .objects
            .iter()
            .filter(|(path, _)| collection.holds(path) && is_selected(path, &fields) && **path > after);
        let page: Vec<_> = left.by_ref().take(limit).collect();
        let last = page.last().map(|(path, _)| (*path).clone());
        let next = left.next().and(last).unwrap_or_default();
        let items: Vec<_> = page
            .iter()
            .map(|(_, object)| shown(object, metadata_only))
            .collect();
        let metadata = json!({"resourceVersion": self.clock.max(1).to_string(), "continue": next});
        json!({"apiVersion": "v1", "kind": "List", "metadata": metadata, "items": items})
    }
}

/// As far as field selectors are used here: `metadata.namespace!=name`, any number of them.
fn is_selected(path: &str, fields: &str) -> bool {
    let mut excluded = fields
        .split(',')
        .filter_map(|field| field.strip_prefix("metadata.namespace!="));
    !excluded.any(|namespace| path.contains(&format!("/namespaces/{namespace}/")))
}

fn shown(object: &Value, metadata_only: bool) -> Value {
    if metadata_only {
        json!({"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object["metadata"]})
    } else {
        object.clone()
    }
}

async fn never() -> Infallible {
    std::future::pending().await
}
