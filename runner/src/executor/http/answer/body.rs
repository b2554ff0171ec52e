//! A body, read as it comes and no further than needed. What is compressed is counted decompressed.

use futures::StreamExt as _;
use reqwest::Response;

use crate::call::{Failure, chain};

/// As much of a body as was wanted.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    /// More existed.
    pub(super) cut: bool,
}

/// Reads at most `limit` bytes; the rest of the answer is dropped unread.
pub(super) async fn read(response: Response, limit: usize) -> Result<Body, Failure> {
    let mut stream = response.bytes_stream();
    let mut bytes = Vec::new();
    while let Some(next) = stream.next().await {
        let chunk = next.map_err(|error| {
            let why = chain(&error.without_url());
            Failure::upstream(format!("the answer broke off after {} bytes: {why}", bytes.len()))
        })?;
        let room = limit.saturating_sub(bytes.len());
        bytes.extend(chunk.iter().take(room));
        if chunk.len() > room {
            return Ok(Body { bytes, cut: true });
        }
    }
    Ok(Body { bytes, cut: false })
}

impl Body {
    /// Without the bytes of a character that the limit cut apart.
    pub(super) fn whole_characters(&self) -> &[u8] {
        let Err(error) = std::str::from_utf8(&self.bytes) else {
            return &self.bytes;
        };
        let cut_apart = self.cut && error.error_len().is_none();
        let end = if cut_apart {
            error.valid_up_to()
        } else {
            self.bytes.len()
        };
        self.bytes.get(..end).unwrap_or_default()
    }

    /// Whether these bytes are text, for want of a content type that says so.
    pub(super) fn looks_like_text(&self) -> bool {
        std::str::from_utf8(self.whole_characters()).is_ok_and(|text| !text.contains('\0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_was_cut_apart_is_left_out() {
        let cut = Body {
            bytes: b"a\xc3".to_vec(),
            cut: true,
        };
        assert_eq!(cut.whole_characters(), b"a");
        assert!(cut.looks_like_text());
        let wrong = Body {
            bytes: b"a\xc3".to_vec(),
            cut: false,
        };
        assert_eq!(wrong.whole_characters(), b"a\xc3");
        assert!(!wrong.looks_like_text());
        assert!(
            !Body {
                bytes: b"a\0b".to_vec(),
                cut: false
            }
            .looks_like_text()
        );
    }
}
