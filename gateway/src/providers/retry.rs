//! How long to wait before asking a provider again.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// How often one request is made at most.
pub(super) const MAX_ATTEMPTS: u32 = 4;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);

/// The pause after the `attempt`-th failure (from 1): what the provider asked for, else doubling with up to half of it at random.
pub(super) fn pause(attempt: u32, asked: Option<Duration>, random: f64) -> Duration {
    if let Some(asked) = asked {
        return asked;
    }
    let doubled = FIRST
        .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)))
        .min(LONGEST);
    doubled.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), or the finer `retry-after-ms`.
pub(super) fn asked(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::trim)
    };
    if let Some(millis) = text("retry-after-ms").and_then(|value| value.parse().ok()) {
        return Some(Duration::from_millis(millis));
    }
    let value = text("retry-after")?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    let now = jiff::Timestamp::try_from(now).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// A number in 0..1, good enough to spread retries.
pub(super) fn random() -> f64 {
    let [a, b, ..] = *uuid::Uuid::new_v4().as_bytes();
    f64::from(u16::from_be_bytes([a, b])) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::first(1, None, 1.0, Duration::from_millis(500))]
    #[case::third(3, None, 1.0, Duration::from_secs(2))]
    #[case::jitter(3, None, 0.0, Duration::from_secs(1))]
    #[case::bounded(30, None, 1.0, LONGEST)]
    #[case::asked(1, Some(Duration::from_secs(7)), 0.3, Duration::from_secs(7))]
    fn a_pause_doubles_unless_the_provider_says(
        #[case] attempt: u32,
        #[case] asked: Option<Duration>,
        #[case] random: f64,
        #[case] expected: Duration,
    ) {
        assert_eq!(pause(attempt, asked, random), expected);
    }

    #[rstest]
    #[case::seconds("retry-after", "7", Some(7_000))]
    #[case::millis("retry-after-ms", "250", Some(250))]
    #[case::date("retry-after", "Thu, 01 Jan 1970 00:01:40 GMT", Some(90_000))]
    #[case::past("retry-after", "Thu, 01 Jan 1970 00:00:05 GMT", Some(0))]
    #[case::nonsense("retry-after", "soon", None)]
    #[case::negative("retry-after", "-3", None)]
    fn the_providers_wish_is_read(
        #[case] name: &'static str,
        #[case] value: &str,
        #[case] millis: Option<u64>,
    ) {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        let now = SystemTime::UNIX_EPOCH
            .checked_add(Duration::from_secs(10))
            .unwrap();
        assert_eq!(asked(&headers, now), millis.map(Duration::from_millis));
    }
}
