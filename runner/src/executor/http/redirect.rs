//! Redirects: followed only where the resource says so, only within the origin, and each judged like a first call.
//!
//! A redirect is a call of the same tool with other arguments, or it is refused: the Guardian is asked about those arguments, and the
//! request is made from what it permits, not from what the server wrote.

mod call;

use monstrum_contract::http as contract;
use monstrum_scrub::Scrubber;
use reqwest::Response;
use reqwest::header::LOCATION;
use url::Url;

use super::request::Request;
use crate::call::{Call, Failure};

/// How many redirects one call follows.
pub(super) const MOST: usize = 5;
/// How much is told of a place that is not followed.
const TOLD_CHARACTERS: usize = 200;

/// Whether `response` points elsewhere.
pub(super) fn is_redirect(response: &Response) -> bool {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where `response`, the answer to `url`, points; refused unless it is within the same origin and holds no secret. Secrets are looked
/// for before the place is read as a URL: that writes a host in lower case, where no scrubber knows it any more.
pub(super) fn next(url: &Url, response: &Response, scrubber: &Scrubber) -> Result<Url, Failure> {
    let host = url.host_str().unwrap_or_default();
    let location = response
        .headers()
        .get(LOCATION)
        .and_then(|location| location.to_str().ok())
        .ok_or_else(|| Failure::upstream(format!("{host} answered with a redirect that names no place")))?;
    let clean = scrubber.text(location);
    if clean != location {
        let told: String = clean.chars().take(TOLD_CHARACTERS).collect();
        return Err(Failure::refused(format!(
            "{host} redirected to {told}, and a place that holds the credential is not followed"
        )));
    }
    let next = url
        .join(location)
        .map_err(|_| Failure::upstream(format!("{host} answered with a redirect that is no URL")))?;
    within_origin(url, &next)?;
    Ok(next)
}

/// The request for `next`, a redirect of `call`; refused unless the Guardian permits the call that it amounts to.
pub(super) async fn permitted(
    call: &Call,
    base: &Url,
    template: &contract::Request,
    next: &Url,
) -> Result<Request, Failure> {
    let refused = |why: &str| {
        let host = next.host_str().unwrap_or_default();
        Failure::refused(format!("{host} redirected to another place, and {why}"))
    };
    let arguments = call::arguments(base, template, &call.arguments, next)
        .ok_or_else(|| refused("that is no call of this tool"))?;
    let arguments = call
        .permitted(arguments)
        .await
        .map_err(|failure| refused(&failure.message))?;
    let mut base = base.clone();
    // Within the origin only the scheme can have changed.
    base.set_scheme(next.scheme())
        .map_err(|()| refused("its scheme can't be followed"))?;
    let request = Request::build(&base, template, &arguments)?;
    Ok(Request {
        body: None,
        ..request
    })
}

fn within_origin(from: &Url, to: &Url) -> Result<(), Failure> {
    let has_user = !to.username().is_empty() || to.password().is_some();
    let same = from.origin() == to.origin() && matches!(to.scheme(), "http" | "https");
    let upgrade = from.scheme() == "http"
        && to.scheme() == "https"
        && from.host() == to.host()
        && from.port().is_none()
        && to.port().is_none();
    if !has_user && (same || upgrade) {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "{} redirected to {}, which is another origin; redirects are followed within the origin only",
        from.host_str().unwrap_or_default(),
        to.origin().ascii_serialization(),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn check(from: &str, to: &str) -> Result<(), Failure> {
        let from = Url::parse(from).unwrap();
        within_origin(&from, &from.join(to).unwrap())
    }

    #[rstest]
    #[case::path("https://a.example/x", "/y")]
    #[case::absolute("https://a.example/x", "https://a.example/y")]
    #[case::default_port("https://a.example/x", "https://a.example:443/y")]
    #[case::upgrade("http://a.example/x", "https://a.example/x")]
    #[case::upper_case("https://a.example/x", "https://A.EXAMPLE/y")]
    fn the_same_origin_is_followed(#[case] from: &str, #[case] to: &str) {
        check(from, to).unwrap();
    }

    #[rstest]
    #[case::host("https://a.example/", "https://b.example/")]
    #[case::protocol_relative("https://a.example/", "//b.example/")]
    #[case::subdomain("https://a.example/", "https://x.a.example/")]
    #[case::suffix("https://a.example/", "https://a.example.evil/")]
    #[case::port("https://a.example/", "https://a.example:8443/")]
    #[case::downgrade("https://a.example/", "http://a.example/")]
    #[case::upgrade_other_port("http://a.example:8080/", "https://a.example/")]
    #[case::userinfo("https://a.example/", "https://user@a.example/")]
    #[case::trailing_dot("https://a.example/", "https://a.example./")]
    #[case::file("https://a.example/", "file:///etc/passwd")]
    #[case::data("https://a.example/", "data:text/plain,x")]
    fn everything_else_is_refused(#[case] from: &str, #[case] to: &str) {
        check(from, to).unwrap_err();
    }
}
