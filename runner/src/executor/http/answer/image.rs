//! An answer that is an image, for a model that takes them.

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

/// All of it, or a sentence where it is too large.
pub(super) async fn read(response: Response, media_type: &str, most: usize, facts: Facts) -> Outcome {
    let told = |failure: Failure| failure.with_facts(facts.clone());
    let body = body::read(response, most).await.map_err(told)?;
    let facts = with_bytes(facts.clone(), body.bytes.len());
    if body.cut {
        let sentence = format!(
            "(an answer of type {media_type}, larger than the {most} bytes that an image may have to be shown)"
        );
        return Ok(success(sentence, false, facts));
    }
    Ok(Success {
        content: body.bytes,
        truncated: false,
        facts,
        media_type: media_type.to_owned(),
    })
}
