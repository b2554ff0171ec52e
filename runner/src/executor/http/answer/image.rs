//! An answer that is an image, for a model that takes them.

use monstrum_scrub::Scrubber;
use reqwest::Response;

use super::{body, success, with_bytes};
use crate::call::{Facts, Failure, Outcome, Success};

/// The types that models take. What the bytes really are, the gateway looks at.
pub(super) fn is_shown(media_type: &str) -> bool {
    matches!(
        media_type,
        "image/png" | "image/jpeg" | "image/gif" | "image/webp"
    )
}

/// All of it, or a sentence where it is too large or holds a secret.
pub(super) async fn read(
    response: Response,
    media_type: &str,
    most: usize,
    scrubber: &Scrubber,
    facts: Facts,
) -> Outcome {
    let told = |failure: Failure| failure.with_facts(facts.clone());
    let body = body::read(response, most, scrubber).await.map_err(told)?;
    let facts = with_bytes(facts.clone(), body.len());
    let sentence = if body.is_cut() {
        format!(
            "(an answer of type {media_type}, larger than the {most} bytes that an image may have to be shown)"
        )
    } else if let Some(content) = body.bytes_if_clean(scrubber) {
        return Ok(Success {
            content,
            truncated: false,
            facts,
            media_type: media_type.to_owned(),
        });
    } else {
        format!("(an answer of type {media_type} that holds a secret, so it is not shown)")
    };
    Ok(success(sentence, false, facts))
}
