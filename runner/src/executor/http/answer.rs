//! What is made of a server's answer: bounded text, an extract, a summary, or an error told plainly.

mod body;
mod complaint;
mod image;
mod media;

use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::effect::{facts, header};
use super::extraction::Plan;
use crate::call::{Facts, Failure, Outcome, Success};
use body::Body;
use media::Media;

/// The largest answer that is taken apart. A parsed answer takes some ten times its text's memory.
const LARGEST_JSON: usize = 4 * 1024 * 1024;

/// How much is kept, in bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// Of text.
    pub(super) text: usize,
    /// Of an image; 0 where none is wanted.
    pub(super) image: usize,
}

/// Reads `response`, keeping at most as much as `most` says.
pub(super) async fn read(
    response: Response,
    plan: Option<&Plan>,
    most: Most,
    parsing: &Semaphore,
) -> Outcome {
    let limit = most.text;
    let facts = facts(&response);
    if response.status().is_client_error() || response.status().is_server_error() {
        return Err(complaint::tell(response).await.with_facts(facts));
    }
    let status = response.status();
    let media = Media::of(header(response.headers(), CONTENT_TYPE.as_str()));
    let told = |failure: Failure| failure.with_facts(facts.clone());
    if let Media::Other(name) = &media {
        if plan.is_none() && most.image > 0 && image::is_shown(name) {
            return image::read(response, name, most.image, facts).await;
        }
        let size = response
            .content_length()
            .map_or("of unknown size".to_owned(), |size| format!("{size} bytes"));
        return Ok(success(
            format!("(an answer of type {name}, {size}; only text is shown)"),
            false,
            facts,
        ));
    }
    let read_limit = if plan.is_some() { LARGEST_JSON } else { limit };
    let body = body::read(response, read_limit).await.map_err(told)?;
    let facts = with_bytes(facts.clone(), body.bytes.len());
    if body.bytes.is_empty() {
        return Ok(success(format!("(HTTP {status}, no content)"), false, facts));
    }
    match plan {
        Some(plan) => extract(&body, plan, limit, parsing, facts).await,
        None => Ok(text(&media, &body, limit, facts)),
    }
}

fn text(media: &Media, body: &Body, limit: usize, facts: Facts) -> Success {
    if *media == Media::Unknown && !body.looks_like_text() {
        let size = body.bytes.len();
        return success(
            format!("(an answer that is no text, at least {size} bytes)"),
            body.cut,
            facts,
        );
    }
    let mut text = String::from_utf8_lossy(body.whole_characters()).into_owned();
    let end = text.floor_char_boundary(limit);
    let cut = body.cut || end < text.len();
    text.truncate(end);
    success(text, cut, facts)
}

async fn extract(body: &Body, plan: &Plan, limit: usize, parsing: &Semaphore, facts: Facts) -> Outcome {
    if body.cut {
        let message =
            format!("the answer is larger than {LARGEST_JSON} bytes; ask for less, for example for a page");
        return Err(Failure::upstream(message).with_facts(facts));
    }
    let _turn = parsing
        .acquire()
        .await
        .map_err(|_| Failure::internal("the runner is stopping"))?;
    let parsed: Value = match serde_json::from_slice(&body.bytes) {
        Ok(parsed) => parsed,
        Err(error) => {
            let message = format!("the answer is not the JSON that the tool expects: {error}");
            return Err(Failure::upstream(message).with_facts(facts));
        }
    };
    match plan.apply(&parsed, limit) {
        Ok(extracted) => Ok(success(extracted.json, extracted.truncated, facts)),
        Err(failure) => Err(failure.with_facts(facts)),
    }
}

fn success(content: String, truncated: bool, facts: Facts) -> Success {
    Success {
        content: content.into_bytes(),
        truncated,
        facts,
        media_type: String::new(),
    }
}

fn with_bytes(mut facts: Facts, bytes: usize) -> Facts {
    facts.insert("bytes".to_owned(), Value::from(bytes));
    facts
}
