//! When a server wants to be asked again: `Retry-After` (RFC 9110) and GitHub's `X-RateLimit-*`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, StatusCode};
use jiff::fmt::rfc2822::DateTimeParser;

use super::effect::header;

/// A server that asks for more than a day is told as a day.
const LONGEST: u64 = 24 * 3600;

/// Whether the answer says that there were too many requests.
pub(super) fn is_limited(status: StatusCode, headers: &HeaderMap) -> bool {
    let exhausted = header(headers, "x-ratelimit-remaining").is_some_and(|left| left.trim() == "0");
    status == StatusCode::TOO_MANY_REQUESTS
        || (status == StatusCode::FORBIDDEN && (exhausted || headers.contains_key("retry-after")))
}

/// In how many seconds the server wants to be asked again.
pub(super) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<u32> {
    let stated = header(headers, "retry-after").and_then(|value| delay(value.trim(), now));
    let reset = || {
        let at = seconds(header(headers, "x-ratelimit-reset")?.trim())?;
        Some(until(UNIX_EPOCH.checked_add(at)?, now))
    };
    let seconds = stated.or_else(reset)?;
    u32::try_from(seconds.min(LONGEST)).ok()
}

fn delay(value: &str, now: SystemTime) -> Option<u64> {
    seconds(value).map(whole).or_else(|| {
        // What HTTP prescribes, or the date of a mail, whose zone may be a number.
        let http = httpdate::parse_http_date(value).ok();
        let at = http.or_else(|| Some(DateTimeParser::new().parse_timestamp(value).ok()?.into()));
        Some(until(at?, now))
    })
}

/// A number of seconds; servers also send parts of one.
fn seconds(value: &str) -> Option<Duration> {
    let (whole, part) = value.split_once('.').unwrap_or((value, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || (whole.is_empty() && part.is_empty()) {
        return None;
    }
    // A number that does not fit is longer than any wait.
    let seconds = if whole.is_empty() {
        0
    } else {
        whole.parse().unwrap_or(u64::MAX)
    };
    let part = part.bytes().any(|byte| byte != b'0');
    Some(Duration::new(seconds, u32::from(part)))
}

fn until(at: SystemTime, now: SystemTime) -> u64 {
    at.duration_since(now).map_or(0, whole)
}

/// Rounded up, so that asking again then is not too early.
fn whole(left: Duration) -> u64 {
    left.as_secs().saturating_add(u64::from(left.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn noon() -> SystemTime {
        // Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
        UNIX_EPOCH.checked_add(Duration::from_secs(784_111_777)).unwrap()
    }

    #[rstest]
    #[case::seconds(&[("retry-after", "7")], Some(7))]
    #[case::part(&[("retry-after", "2.5")], Some(3))]
    #[case::small_part(&[("retry-after", "0.001")], Some(1))]
    #[case::no_part(&[("retry-after", "2.0")], Some(2))]
    #[case::only_a_part(&[("retry-after", ".5")], Some(1))]
    #[case::open_part(&[("retry-after", "2.")], Some(2))]
    #[case::spaces(&[("retry-after", " 7 ")], Some(7))]
    #[case::too_long(&[("retry-after", "99999999999999999999999")], Some(86_400))]
    #[case::old_date(&[("retry-after", "Sunday, 06-Nov-94 08:50:37 GMT")], Some(60))]
    #[case::c_date(&[("retry-after", "Sun Nov  6 08:50:37 1994")], Some(60))]
    #[case::mail_date(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 +0000")], Some(60))]
    #[case::reset_with_a_part(&[("x-ratelimit-reset", "784111807.25")], Some(31))]
    #[case::not_a_number(&[("retry-after", "NaN")], None)]
    #[case::exponent(&[("retry-after", "1e3")], None)]
    #[case::dot(&[("retry-after", ".")], None)]
    #[case::two_dots(&[("retry-after", "1.2.3")], None)]
    #[case::date(&[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")], Some(60))]
    #[case::past(&[("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT")], Some(0))]
    #[case::reset(&[("x-ratelimit-reset", "784111807")], Some(30))]
    #[case::stated_first(&[("retry-after", "5"), ("x-ratelimit-reset", "784111807")], Some(5))]
    #[case::absurd(&[("retry-after", "99999999999")], Some(86_400))]
    #[case::garbage(&[("retry-after", "soon")], None)]
    #[case::negative(&[("retry-after", "-3")], None)]
    #[case::none(&[], None)]
    fn delays(#[case] pairs: &[(&'static str, &'static str)], #[case] seconds: Option<u32>) {
        assert_eq!(retry_after(&headers(pairs), noon()), seconds);
    }

    #[rstest]
    #[case::too_many(429, &[], true)]
    #[case::github(403, &[("x-ratelimit-remaining", "0")], true)]
    #[case::secondary(403, &[("retry-after", "60")], true)]
    #[case::forbidden(403, &[("x-ratelimit-remaining", "57")], false)]
    #[case::unavailable(503, &[("retry-after", "60")], false)]
    fn limits(#[case] status: u16, #[case] pairs: &[(&'static str, &'static str)], #[case] limited: bool) {
        assert_eq!(
            is_limited(StatusCode::from_u16(status).unwrap(), &headers(pairs)),
            limited
        );
    }
}
