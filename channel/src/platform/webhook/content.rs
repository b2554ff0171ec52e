//! What a request says of its body: JSON, plain or compressed.

use std::io::Read as _;

use axum::body::Bytes;
use flate2::read::MultiGzDecoder;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

/// Why a body is not taken for what it says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsupported {
    #[error("the content type must be application/json or a single event of application/cloudevents+json")]
    Type,
    #[error("the content encoding must be gzip, or none")]
    Encoding,
}

/// How a body is to be read, once its signature fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Plain,
    Gzip,
}

/// Why a body can't be unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packed {
    Damaged,
    TooLarge,
}

impl Content {
    /// What the headers say.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Unsupported> {
        let text = |value: &http::HeaderValue| value.to_str().unwrap_or("?").to_ascii_lowercase();
        let kind = headers.get(CONTENT_TYPE).map(text).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !is_json(kind) {
            return Err(Unsupported::Type);
        }
        let mut encodings = headers.get_all(CONTENT_ENCODING).iter().map(text);
        match (encodings.next().as_deref().map(str::trim), encodings.next()) {
            (None | Some("identity"), None) => Ok(Self::Plain),
            (Some("gzip" | "x-gzip"), None) => Ok(Self::Gzip),
            _ => Err(Unsupported::Encoding),
        }
    }

    /// The body without its packing, of at most `most` bytes.
    pub(super) fn unpack(self, body: &Bytes, most: usize) -> Result<Bytes, Packed> {
        match self {
            Self::Plain => Ok(body.clone()),
            Self::Gzip => {
                let bound = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
                let mut unpacked = Vec::new();
                MultiGzDecoder::new(body.as_ref())
                    .take(bound)
                    .read_to_end(&mut unpacked)
                    .map_err(|_| Packed::Damaged)?;
                if unpacked.len() > most {
                    return Err(Packed::TooLarge);
                }
                Ok(unpacked.into())
            }
        }
    }
}

/// Any JSON that is one value with one meaning; a batch holds several messages, of which a route could take only one.
fn is_json(kind: &str) -> bool {
    let suffixed = kind
        .strip_prefix("application/")
        .and_then(|kind| kind.strip_suffix("+json"));
    kind == "application/json" || suffixed.is_some_and(|name| !name.is_empty() && !name.ends_with("-batch"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use rstest::rstest;
    use std::io::Write as _;

    #[rstest]
    #[case::json("application/json", "", Ok(Content::Plain))]
    #[case::charset("Application/JSON; charset=utf-8", "", Ok(Content::Plain))]
    #[case::event("application/cloudevents+json; charset=UTF-8", "", Ok(Content::Plain))]
    #[case::vendor("application/vnd.example.v3+json", "identity", Ok(Content::Plain))]
    #[case::packed("application/json", "gzip", Ok(Content::Gzip))]
    #[case::packed_in_capitals("application/json", "GZIP", Ok(Content::Gzip))]
    #[case::batch("application/cloudevents-batch+json", "", Err(Unsupported::Type))]
    #[case::lines("application/x-ndjson", "", Err(Unsupported::Type))]
    #[case::text("text/plain", "", Err(Unsupported::Type))]
    #[case::suffix_only("application/+json", "", Err(Unsupported::Type))]
    #[case::other_packing("application/json", "br", Err(Unsupported::Encoding))]
    #[case::twice("application/json", "gzip, gzip", Err(Unsupported::Encoding))]
    fn reads_headers(
        #[case] kind: &str,
        #[case] encoding: &str,
        #[case] expected: Result<Content, Unsupported>,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        if !encoding.is_empty() {
            headers.insert(CONTENT_ENCODING, encoding.parse().unwrap());
        }
        assert_eq!(Content::of(&headers), expected);
    }

    #[test]
    fn two_packings_are_refused() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "application/json".parse().unwrap());
        headers.append(CONTENT_ENCODING, "gzip".parse().unwrap());
        headers.append(CONTENT_ENCODING, "gzip".parse().unwrap());
        assert_eq!(Content::of(&headers), Err(Unsupported::Encoding));
        assert_eq!(Content::of(&HeaderMap::new()), Err(Unsupported::Type));
    }

    fn packed(bytes: &[u8]) -> Bytes {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn a_packed_body_is_unpacked_within_its_bound() {
        assert_eq!(
            Content::Gzip.unpack(&packed(b"{}"), 2),
            Ok(Bytes::from_static(b"{}"))
        );
        assert_eq!(
            Content::Gzip.unpack(&packed(&vec![b' '; 64 << 20]), 65536),
            Err(Packed::TooLarge)
        );
        let whole = packed(b"{\"a\": 1}");
        let damaged = whole.slice(..whole.len().saturating_sub(4));
        for wrong in [damaged, Bytes::from_static(b"{}"), Bytes::new()] {
            assert_eq!(Content::Gzip.unpack(&wrong, 100), Err(Packed::Damaged));
        }
    }
}
