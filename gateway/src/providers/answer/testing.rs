//! Answers read from text, for the tests of the dialects.

use super::Reader;
use crate::providers::conversation::Answer;
use crate::providers::{ModelError, ModelProvider};
use monstrum_scrub::Scrubber;

/// Reads a body in one piece, and makes sure that every other cut gives the same.
pub(in crate::providers) fn body(
    provider: &'static dyn ModelProvider,
    body: &[u8],
) -> Result<Answer, ModelError> {
    let whole = chunks(provider, &[body]);
    let single: Vec<&[u8]> = body.chunks(1).collect();
    let (one, other) = (without_ids(whole.clone()), without_ids(chunks(provider, &single)));
    assert_eq!(one, other, "byte by byte");
    whole
}

/// Reads events, each given as its data.
pub(in crate::providers) fn events(
    provider: &'static dyn ModelProvider,
    events: &[&str],
) -> Result<Answer, ModelError> {
    let stream: Vec<_> = events.iter().map(|data| format!("data: {data}\n\n")).collect();
    body(provider, stream.concat().as_bytes())
}

fn chunks(provider: &'static dyn ModelProvider, chunks: &[&[u8]]) -> Result<Answer, ModelError> {
    let mut reader = Reader::new(provider);
    let mut said = String::new();
    let read = |said: &mut String| {
        for chunk in chunks {
            said.push_str(&reader.push(chunk)?);
        }
        let (rest, outcome) = reader.finish();
        said.push_str(&rest);
        outcome
    };
    let answer = read(&mut said).map_err(|error| error.clean(&Scrubber::default()))?;
    assert_eq!(answer.text, said, "what is said is what is kept");
    Ok(answer)
}

/// Ids of ours are random.
fn without_ids(answer: Result<Answer, ModelError>) -> Result<Answer, ModelError> {
    answer.map(|mut answer| {
        for call in answer.calls.iter_mut().chain(&mut answer.unmade) {
            if call.id.len() == 9 {
                call.id.clear();
            }
        }
        answer
    })
}
