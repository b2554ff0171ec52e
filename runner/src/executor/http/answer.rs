//! What is made of a server's answer: bounded text, an extract, a summary, or an error told plainly.

mod body;
mod complaint;
mod image;
mod media;

use monstrum_scrub::{Scrubber, Tainted};
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::effect::{facts, header};
use super::extraction::Plan;
use crate::call::{Facts, Failure, Outcome, Success};
use media::Media;

/// The largest answer that is taken apart. A parsed answer takes some ten times its text's memory.
const LARGEST_JSON: usize = 4 * 1024 * 1024;

/// How an answer is read.
pub(super) struct Reading<'a> {
    /// What is taken out of it; without, all is told.
    pub(super) plan: Option<&'a Plan>,
    /// How many bytes of what is told are kept.
    pub(super) limit: usize,
    /// How large an image may be; 0 where none is wanted.
    pub(super) image: usize,
    pub(super) parsing: &'a Semaphore,
    pub(super) scrubber: &'a Scrubber,
}

impl Reading<'_> {
    /// Reads `response`. What comes of it is scrubbed before it is cut.
    pub(super) async fn read(&self, response: Response) -> Outcome {
        let facts = facts(&response);
        let status = response.status();
        if status.is_client_error() || status.is_server_error() {
            return Err(complaint::tell(response, self.scrubber).await.with_facts(facts));
        }
        let content_type = header(response.headers(), CONTENT_TYPE.as_str()).map(str::to_owned);
        let media = Media::of(content_type.as_deref());
        if let Media::Other(name) = &media {
            if self.plan.is_none() && self.image > 0 && image::is_shown(name) {
                return image::read(response, name, self.image, self.scrubber, facts).await;
            }
            let size = response
                .content_length()
                .map_or("of unknown size".to_owned(), |size| format!("{size} bytes"));
            let told = format!("(an answer of type {name}, {size}; only text is shown)");
            return Ok(success(told, false, facts));
        }
        let read_limit = if self.plan.is_some() {
            LARGEST_JSON
        } else {
            self.limit
        };
        let told = |failure: Failure| failure.with_facts(facts.clone());
        let body = body::read(response, read_limit, self.scrubber)
            .await
            .map_err(told)?;
        let facts = with_bytes(facts.clone(), body.len());
        if body.is_empty() {
            return Ok(success(format!("(HTTP {status}, no content)"), false, facts));
        }
        let charset = content_type.as_deref().and_then(media::charset);
        match self.plan {
            Some(plan) => self.extract(&body, charset.as_deref(), plan, facts).await,
            None if media == Media::Unknown && !body.looks_like_text() => Ok(no_text(&body, facts)),
            None => Ok(self.text(&body, charset.as_deref(), facts)),
        }
    }

    fn text(&self, body: &Tainted, charset: Option<&str>, facts: Facts) -> Success {
        let mut text = body.decoded(charset, self.scrubber);
        let end = text.floor_char_boundary(self.limit);
        let cut = body.is_cut() || end < text.len();
        text.truncate(end);
        success(text, cut, facts)
    }

    async fn extract(&self, body: &Tainted, charset: Option<&str>, plan: &Plan, facts: Facts) -> Outcome {
        if body.is_cut() {
            let message = format!(
                "the answer is larger than {LARGEST_JSON} bytes; ask for less, for example for a page"
            );
            return Err(Failure::upstream(message).with_facts(facts));
        }
        let _turn = self
            .parsing
            .acquire()
            .await
            .map_err(|_| Failure::internal("the runner is stopping"))?;
        let parsed: Value = match body.json(charset, self.scrubber) {
            Ok(parsed) => parsed,
            Err(error) => {
                let message = format!("the answer is not the JSON that the tool expects: {error}");
                return Err(Failure::upstream(message).with_facts(facts));
            }
        };
        match plan.apply(&parsed, self.limit) {
            Ok(extracted) => Ok(success(extracted.json, extracted.truncated, facts)),
            Err(failure) => Err(failure.with_facts(facts)),
        }
    }
}

fn no_text(body: &Tainted, facts: Facts) -> Success {
    let size = body.len();
    let told = format!("(an answer that is no text, at least {size} bytes)");
    success(told, body.is_cut(), facts)
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
