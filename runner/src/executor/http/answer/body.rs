//! A body, read as it comes and no further than needed. What is compressed is counted decompressed.

use futures::StreamExt as _;
use monstrum_scrub::{Scrubber, Tainted};
use reqwest::Response;

use crate::call::Failure;

/// Reads at most `limit` bytes; the rest of the answer is dropped unread.
pub(super) async fn read(response: Response, limit: usize, scrubber: &Scrubber) -> Result<Tainted, Failure> {
    let mut stream = response.bytes_stream();
    let mut body = Tainted::default();
    while let Some(next) = stream.next().await {
        let chunk = next.map_err(|error| {
            let why = Tainted::error(&error.without_url()).text(scrubber);
            Failure::upstream(format!("the answer broke off after {} bytes: {why}", body.len()))
        })?;
        if !body.take_up_to(limit, &chunk) {
            break;
        }
    }
    Ok(body)
}
