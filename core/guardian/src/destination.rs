//! Where something may be sent: a list of hosts, each with the scheme and port that go with it.
//!
//! An entry is `[scheme://]host[:port]`. The host is one of a [`Match::Host`] dimension: a name, a glob over labels, an address or a
//! network (`10.0.0.0/8`; with a port in brackets, as IPv6 always is: `[10.0.0.0/8]:8080`). The scheme is `https` unless `http` is
//! written, the port is the scheme's own unless one is written, and `:*` stands for every port. A wildcard never reaches a name that only
//! means something locally, nor an address.
//!
//! Each entry becomes a [`Match::Url`] pattern over every path, so that a URL is judged, and lists are compared, by the engine's own
//! matchers.

mod excess;
mod memory;

use ipnet::IpNet;
use serde_json::Value;
use url::Url;

use crate::fault::FieldFault;
use crate::matching::{Canonical, Pattern};
use crate::source::Match;

pub use excess::excess;

/// The most entries of a list.
pub const MAX_ENTRIES: usize = 64;
/// The longest entry: the longest name with the longest scheme and port.
pub const MAX_ENTRY: usize = 300;

/// A list of destinations, ready to be asked. The empty one permits nothing.
#[derive(Debug, Default)]
pub struct Destinations {
    patterns: Vec<Pattern>,
}

impl Destinations {
    /// Compiles a list; one entry that can't be used makes the whole list unusable. The fault's field is `[0]` and so on.
    pub fn read(entries: &[String]) -> Result<Self, FieldFault> {
        if entries.len() > MAX_ENTRIES {
            let message = format!("holds more than {MAX_ENTRIES} hosts: keep those that are needed");
            return Err(FieldFault::new("", message));
        }
        let compiled = entries.iter().enumerate().map(|(place, entry)| {
            let pattern = pattern(entry).and_then(|pattern| Pattern::compile(&Match::Url {}, &pattern));
            pattern.map_err(|message| FieldFault::new(format!("[{place}]"), message))
        });
        Ok(Self {
            patterns: compiled.collect::<Result<_, _>>()?,
        })
    }

    /// Whether a request may go to `url`. Its path does not matter; one with a user name is never permitted.
    pub fn permit(&self, url: &Url) -> bool {
        canonical(url).is_some_and(|target| self.permit_canonical(&target))
    }

    fn permit_canonical(&self, target: &Canonical) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(target))
    }
}

/// What of a URL is judged: its origin alone, since what is odd in a path is for others to judge.
fn canonical(url: &Url) -> Option<Canonical> {
    let value = Value::String(format!("{}/", origin(url)?));
    Canonical::read(&Match::Url {}, &value).ok()
}

/// A URL's scheme, host and port, as an entry that permits exactly it.
pub fn origin(url: &Url) -> Option<String> {
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let origin = url.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
}

/// The URL pattern of an entry.
fn pattern(entry: &str) -> Result<Value, String> {
    if entry.len() > MAX_ENTRY {
        return Err(format!("is longer than {MAX_ENTRY} characters"));
    }
    let (scheme, rest) = entry.split_once("://").unwrap_or(("https", entry));
    if !matches!(scheme, "http" | "https") {
        return Err(format!(
            "{entry} has scheme {scheme}: only https and http are possible"
        ));
    }
    let authority = authority(rest)
        .ok_or_else(|| format!("{entry} is not a host with an optional port, such as api.example.com or http://api.tools.svc:8080"))?;
    Ok(Value::String(format!("{scheme}://{authority}/**")))
}

/// Host and port, with networks and IPv6 addresses in brackets.
fn authority(text: &str) -> Option<String> {
    let port_of = |text: &str| {
        text.rsplit_once(']')
            .map_or_else(|| text.to_owned(), |(_, port)| port.to_owned())
    };
    if text.is_empty() || port_of(text).contains(['?', '#', '@', '\\']) {
        return None;
    }
    if text.starts_with('[') {
        return (!port_of(text).contains('/')).then(|| text.to_owned());
    }
    let is_network = text.parse::<IpNet>().is_ok() || text.parse::<std::net::Ipv6Addr>().is_ok();
    if is_network {
        return Some(format!("[{text}]"));
    }
    (!text.contains(['/', '[', ']'])).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn list(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|entry| (*entry).to_owned()).collect()
    }

    #[rstest]
    #[case::name("api.example.com", "https://api.example.com/v1?x", true)]
    #[case::case_and_dot("API.Example.com", "https://api.example.COM./", true)]
    #[case::written_port("api.example.com", "https://api.example.com:443/", true)]
    #[case::other_scheme("api.example.com", "http://api.example.com/", false)]
    #[case::other_scheme_same_port("api.example.com", "http://api.example.com:443/", false)]
    #[case::other_port("api.example.com", "https://api.example.com:8443/", false)]
    #[case::suffix("api.example.com", "https://api.example.com.evil.test/", false)]
    #[case::prefix("api.example.com", "https://evil-api.example.com/", false)]
    #[case::user("api.example.com", "https://api.example.com@evil.test/", false)]
    #[case::user_at_home("api.example.com", "https://x@api.example.com/", false)]
    #[case::glob("*.example.com", "https://a.example.com/", true)]
    #[case::glob_depth("*.example.com", "https://a.b.example.com/", false)]
    #[case::glob_apex("*.example.com", "https://example.com/", false)]
    #[case::plain("http://github.tools.svc:8080", "http://github.tools.svc:8080/x", true)]
    #[case::plain_port("http://github.tools.svc:8080", "http://github.tools.svc/x", false)]
    #[case::any_port("http://github.tools.svc:*", "http://github.tools.svc:1/x", true)]
    #[case::network("[10.0.0.0/8]:8080", "https://10.1.2.3:8080/", true)]
    #[case::bare_network("10.0.0.0/8", "https://10.1.2.3/", true)]
    #[case::outside_the_network("10.0.0.0/8", "https://11.1.2.3/", false)]
    #[case::address("http://127.0.0.1:*", "http://127.0.0.1:3000/", true)]
    #[case::decimal_address("http://127.0.0.1", "http://2130706433/", true)]
    #[case::v6("2001:db8::1", "https://[2001:db8::1]/", true)]
    #[case::v6_port("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/", true)]
    #[case::everything_public("**", "https://a.example.com/", true)]
    #[case::not_the_cluster("**", "https://ledger.monstrum.svc/", false)]
    #[case::not_an_address("**", "https://93.184.216.34/", false)]
    #[case::odd_path("api.example.com", "https://api.example.com/a//b/%2e%2e%2f", true)]
    fn a_url_is_judged_by_scheme_host_and_port(
        #[case] entry: &str,
        #[case] url: &str,
        #[case] expected: bool,
    ) {
        let destinations = Destinations::read(&list(&["other.example.net", entry])).unwrap();
        assert_eq!(destinations.permit(&Url::parse(url).unwrap()), expected);
    }

    #[test]
    fn an_empty_list_permits_nothing() {
        let url = Url::parse("https://api.example.com/").unwrap();
        assert!(!Destinations::default().permit(&url));
        assert!(!Destinations::read(&[]).unwrap().permit(&url));
    }

    #[rstest]
    #[case::empty("")]
    #[case::path("api.example.com/v1")]
    #[case::path_after_brackets("[::1]/x")]
    #[case::url_with_slash("https://api.example.com/")]
    #[case::scheme("ftp://api.example.com")]
    #[case::upper_scheme("HTTPS://api.example.com")]
    #[case::user("me@api.example.com")]
    #[case::query("api.example.com?x")]
    #[case::port("api.example.com:99999")]
    #[case::no_port("api.example.com:")]
    #[case::several("a.example.com,b.example.com")]
    #[case::space("a.example.com b.example.com")]
    #[case::v6_with_bare_port("2001:db8::1:8443:x")]
    #[case::loose_network("10.0.0.1/8")]
    #[case::backslash("a.example.com\\@evil.test")]
    fn other_entries_spoil_the_whole_list(#[case] entry: &str) {
        let fault = Destinations::read(&list(&["api.example.com", entry])).unwrap_err();
        assert_eq!(fault.field, "[1]", "{fault:?}");
    }

    #[test]
    fn lists_are_bounded() {
        assert!(Destinations::read(&vec!["a.example.com".to_owned(); MAX_ENTRIES + 1]).is_err());
        assert!(Destinations::read(&["a".repeat(MAX_ENTRY + 1)]).is_err());
    }

    #[rstest]
    #[case::same(&["a.example.com"], &["a.example.com"], None)]
    #[case::within(&["a.example.com", "b.example.com:443"], &["*.example.com"], None)]
    #[case::nothing(&[], &[], None)]
    #[case::nothing_allowed(&["a.example.com"], &[], Some("https://a.example.com"))]
    #[case::port(&["a.example.com:8443"], &["a.example.com"], Some("https://a.example.com:8443"))]
    #[case::scheme(&["http://a.example.com"], &["a.example.com"], Some("http://a.example.com"))]
    #[case::wider(&["*.example.com"], &["a.example.com"], Some("https://b.example.com"))]
    #[case::network(&["10.0.0.0/8"], &["10.0.0.0/9", "10.128.0.0/9"], None)]
    #[case::network_beyond(&["10.0.0.0/7"], &["10.0.0.0/8"], Some(""))]
    fn lists_are_compared_exactly(
        #[case] granted: &[&str],
        #[case] ceiling: &[&str],
        #[case] beyond: Option<&str>,
    ) {
        let found = excess(&list(granted), &list(ceiling));
        assert_eq!(found.is_some(), beyond.is_some(), "{found:?}");
        if let Some(example) =
            beyond.filter(|example| !example.is_empty() && !granted.iter().any(|entry| entry.contains('*')))
        {
            assert_eq!(found.as_deref(), Some(example));
        }
    }

    #[test]
    fn an_unusable_list_contains_nothing_and_is_contained_in_nothing() {
        let (bad, good) = (list(&["a/b"]), list(&["a.example.com"]));
        assert!(excess(&bad, &good).is_some());
        assert!(excess(&good, &bad).is_some());
    }

    #[test]
    fn an_origin_permits_exactly_its_url() {
        for text in [
            "https://a.example.com/x",
            "http://a.svc:8080/",
            "https://[2001:db8::1]:8443/",
            "http://10.0.0.1/",
        ] {
            let url = Url::parse(text).unwrap();
            let entries = vec![origin(&url).unwrap()];
            assert!(Destinations::read(&entries).unwrap().permit(&url), "{entries:?}");
        }
        assert_eq!(origin(&Url::parse("https://me@a.example.com/").unwrap()), None);
    }
}
