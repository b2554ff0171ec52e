//! How long to wait before asking a provider again.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

/// How often one request is made at most.
pub(super) const MAX_ATTEMPTS: u32 = 4;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(20);
/// A longer wait is one for ever: no turn lasts as long.
const FOREVER: f64 = 1e9;

/// The pause after the `attempt`-th failure (from 1): what the provider asked for, else doubling with up to half of it at random.
/// A provider that asks for none is not asked four times in a moment for that.
pub(super) fn pause(attempt: u32, asked: Option<Duration>, random: f64) -> Duration {
    if let Some(asked) = asked.filter(|asked| !asked.is_zero()) {
        return asked;
    }
    let doubled = FIRST
        .saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)))
        .min(LONGEST);
    doubled.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0)
}

/// `Retry-After` in seconds, whole or not, or as a date (RFC 9110, section 10.2.3), or the finer `retry-after-ms`.
pub(super) fn asked(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(wait) = text("retry-after-ms").and_then(|value| wait(&format!("{value}ms"))) {
        return Some(wait);
    }
    let value = text("retry-after")?.trim();
    wait(value).or_else(|| {
        let at = httpdate::parse_http_date(value).ok()?;
        Some(at.duration_since(now).unwrap_or(Duration::ZERO))
    })
}

/// A number of seconds, `s` and `ms` being understood.
pub(super) fn wait(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (digits, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => (digits, 0.001),
        (None, Some(digits)) => (digits, 1.0),
        (None, None) => (text, 1.0),
    };
    let number: f64 = digits.trim().parse().ok()?;
    let seconds = number * unit;
    // Neither what lies in the past nor what is no number.
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(FOREVER)))
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
    #[case::asked_for_none(2, Some(Duration::ZERO), 1.0, Duration::from_secs(1))]
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
    #[case::part_of_a_second("retry-after", "2.5", Some(2_500))]
    #[case::unit("retry-after", "30s", Some(30_000))]
    #[case::millis("retry-after-ms", "250", Some(250))]
    #[case::part_of_a_milli("retry-after-ms", " 250.5 ", Some(250))]
    #[case::date("retry-after", "Thu, 01 Jan 1970 00:01:40 GMT", Some(90_000))]
    #[case::older_date("retry-after", "Thursday, 01-Jan-70 00:01:40 GMT", Some(90_000))]
    #[case::oldest_date("retry-after", "Thu Jan  1 00:01:40 1970", Some(90_000))]
    #[case::past("retry-after", "Thu, 01 Jan 1970 00:00:05 GMT", Some(0))]
    #[case::nonsense("retry-after", "soon", None)]
    #[case::negative("retry-after", "-3", None)]
    #[case::not_a_number("retry-after", "NaN", None)]
    #[case::absurd("retry-after", "99999999999999999999999", Some(1_000_000_000_000))]
    #[case::beyond_all("retry-after", "1e999", Some(1_000_000_000_000))]
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
        let wait = asked(&headers, now).map(|wait| u64::try_from(wait.as_millis()).unwrap());
        assert_eq!(wait, millis);
    }
}
