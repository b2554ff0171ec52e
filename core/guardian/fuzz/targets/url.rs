//! URLs: another reader finds the same scheme, host and port in what is permitted, and they are the pattern's.
#![no_main]

use libfuzzer_sys::fuzz_target;
use monstrum_guardian_fuzz::{Question, assert_public, literal_host};
use serde_json::json;
use url::Url;

fuzz_target!(|data: &[u8]| {
    let Some(question) = Question::read(data) else {
        return;
    };
    let matching = json!({"url": {}});
    for pattern in [
        "http://**:*/**",
        "https://**:*/**",
        "https://[0.0.0.0/0]:*/**",
        "http://[::/0]:*/**",
    ] {
        if let Some(text) = question.widely(&matching, pattern) {
            let url = read(&text);
            assert_public(url.host_str().unwrap_or_default().trim_matches(['[', ']']));
            assert_eq!(pattern.split(':').next(), Some(url.scheme()));
        }
    }
    let Some(text) = question.permitted(&matching) else {
        return;
    };
    let url = read(&text);
    let Some((scheme, rest)) = question.pattern.split_once("://") else {
        return;
    };
    assert_eq!(url.scheme(), scheme);
    let authority = rest.split('/').next().unwrap_or_default();
    if let Some(name) = literal_host(authority) {
        assert_eq!(url.host_str(), Some(name.as_str()));
        assert_eq!(url.port(), None, "a pattern without a port is the scheme's port");
    }
});

/// What is executed is read alike by others, carries no user, and does not climb.
fn read(text: &str) -> Url {
    let url = Url::parse(text).unwrap_or_else(|error| panic!("{text} is not a URL: {error}"));
    assert!(
        url.username().is_empty() && url.password().is_none() && url.fragment().is_none(),
        "{text}"
    );
    assert_eq!(url.as_str(), text, "another reader would write it otherwise");
    assert!(
        url.path().split('/').skip(1).all(|segment| segment != ".."),
        "{text}"
    );
    url
}
