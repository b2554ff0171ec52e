use rstest::rstest;
use serde_json::json;

use super::*;
use crate::call::FailureKind;

fn build(template: Value, arguments: Value) -> Result<Request, Failure> {
    build_below("https://api.example/v3/", template, arguments)
}

fn build_below(base: &str, template: Value, arguments: Value) -> Result<Request, Failure> {
    let template: contract::Request = serde_json::from_value(template).unwrap();
    Request::build(&Url::parse(base).unwrap(), &template, &arguments)
}

#[test]
fn a_full_template_becomes_one_request() {
    let request = build(
        json!({
            "method": "POST",
            "path": "/repos/{/owner}/{/repo}/issues/{/number}",
            "query": {"state": "{/state}", "page": "{/page}", "sort": "created"},
            "headers": {"accept": "application/vnd.github+json", "x-trace": "call-{/number}", "x-none": "{/none}"},
            "body": {"title": "{/title}", "labels": "{/labels}", "assignee": "{/none}"},
        }),
        json!({
            "owner": "acme", "repo": "web app", "number": 7, "state": "a&b=c", "title": "T", "labels": ["x"],
        }),
    )
    .unwrap();
    assert_eq!(request.method, Method::POST);
    assert_eq!(
        request.url.as_str(),
        "https://api.example/v3/repos/acme/web%20app/issues/7?sort=created&state=a%26b%3Dc"
    );
    assert_eq!(request.headers["accept"], "application/vnd.github+json");
    assert_eq!(request.headers["x-trace"], "call-7");
    assert!(!request.headers.contains_key("x-none"));
    assert_eq!(request.headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&request.body.unwrap()).unwrap();
    assert_eq!(body, json!({ "title": "T", "labels": ["x"] }));
}

#[rstest]
#[case::slash("a/b", "a%2Fb")]
#[case::traversal("../admin", "..%2Fadmin")]
#[case::deep_traversal("../../../etc/passwd", "..%2F..%2F..%2Fetc%2Fpasswd")]
#[case::encoded_dots("%2e%2e", "%252e%252e")]
#[case::encoded_slash("a%2fb", "a%252fb")]
#[case::backslash("..\\admin", "..%5Cadmin")]
#[case::query("a?admin=true", "a%3Fadmin%3Dtrue")]
#[case::fragment("a#b", "a%23b")]
#[case::semicolon("a;b=c", "a%3Bb%3Dc")]
#[case::at("@evil.example", "%40evil.example")]
#[case::authority("//evil.example/", "%2F%2Fevil.example%2F")]
#[case::pointer("{/secret}", "%7B%2Fsecret%7D")]
#[case::unicode("ü", "%C3%BC")]
#[case::three_dots("...", "...")]
fn a_value_stays_within_its_segment(#[case] value: &str, #[case] segment: &str) {
    let request = build(
        json!({"method": "GET", "path": "/r/{/v}/x"}),
        json!({ "v": value, "secret": "S" }),
    );
    assert_eq!(
        request.unwrap().url.as_str(),
        format!("https://api.example/v3/r/{segment}/x")
    );
}

#[rstest]
#[case::dot(json!({ "v": "." }))]
#[case::dots(json!({ "v": ".." }))]
#[case::empty(json!({ "v": "" }))]
#[case::newline(json!({ "v": "a\nb" }))]
#[case::nul(json!({ "v": "a\0b" }))]
#[case::tab(json!({ "v": "a\tb" }))]
#[case::list(json!({ "v": ["a"] }))]
#[case::object(json!({ "v": {"a": 1} }))]
#[case::null(json!({ "v": null }))]
#[case::missing(json!({}))]
fn a_value_that_is_no_segment_is_refused(#[case] arguments: Value) {
    assert!(build(json!({"method": "GET", "path": "/r/{/v}/x"}), arguments).is_err());
}

#[test]
fn dots_that_only_come_together_are_refused() {
    let template = json!({"method": "GET", "path": "/r/{/a}{/b}/x"});
    assert!(build(template.clone(), json!({ "a": ".", "b": "." })).is_err());
    assert!(build(template, json!({ "a": "a", "b": "b" })).is_ok());
    assert!(
        build(
            json!({"method": "GET", "path": "/r/.{/a}/x"}),
            json!({ "a": "." })
        )
        .is_err()
    );
}

#[rstest]
#[case::no_slash("r/x")]
#[case::dots("/r/../x")]
#[case::encoded_dots("/r/%2e%2e/x")]
#[case::query("/r?x=1")]
#[case::fragment("/r#x")]
#[case::open_pointer("/r/{/a")]
fn a_path_that_is_not_normal_is_a_fault_of_the_template(#[case] path: &str) {
    let failure = build(json!({"method": "GET", "path": path}), json!({ "a": "x" })).unwrap_err();
    assert_eq!(failure.kind, FailureKind::Invalid, "{}", failure.message);
}

#[rstest]
#[case("Host")]
#[case("authorization")]
#[case("Cookie")]
#[case("Proxy-Authorization")]
#[case("Transfer-Encoding")]
#[case("Content-Length")]
#[case("Connection")]
#[case("Accept-Encoding")]
#[case("a b")]
fn some_headers_are_not_a_templates(#[case] header: &str) {
    let failure = build(
        json!({"method": "GET", "path": "/", "headers": {header: "{/v}"}}),
        json!({ "v": "x" }),
    );
    assert_eq!(failure.unwrap_err().kind, FailureKind::Invalid);
}

#[rstest]
#[case("a\r\nX-Admin: 1")]
#[case("a\nX-Admin: 1")]
#[case("a\0")]
#[case("\u{7f}")]
#[case("\u{85}")]
fn a_header_value_can_not_begin_another_header(#[case] value: &str) {
    let failure = build(
        json!({"method": "GET", "path": "/", "headers": {"x-v": "{/v}"}}),
        json!({ "v": value }),
    );
    assert_eq!(failure.unwrap_err().kind, FailureKind::Refused);
}

#[test]
fn a_query_value_can_not_begin_another_parameter() {
    let request = build(
        json!({"method": "GET", "path": "/", "query": {"q": "{/v}"}}),
        json!({ "v": "x&admin=1#f +%26" }),
    );
    let url = request.unwrap().url;
    let pairs: Vec<_> = url.query_pairs().into_owned().collect();
    assert_eq!(pairs, [("q".to_owned(), "x&admin=1#f +%26".to_owned())]);
    assert_eq!(url.fragment(), None);
}

#[test]
fn the_base_path_stays_in_front() {
    let request = build_below("http://h/a/b", json!({"method": "GET", "path": "/x"}), json!({})).unwrap();
    assert_eq!(request.url.as_str(), "http://h/a/b/x");
}

#[test]
fn unknown_methods_and_keys_are_no_template() {
    for wrong in [
        json!({"method": "TRACE", "path": "/"}),
        json!({"method": "CONNECT", "path": "/"}),
        json!({"method": "GET", "path": "/", "url": "http://evil/"}),
        json!({"path": "/"}),
    ] {
        assert!(
            serde_json::from_value::<contract::Request>(wrong.clone()).is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn a_debug_print_shows_no_url_and_no_header() {
    let request = build(
        json!({"method": "GET", "path": "/{/v}"}),
        json!({ "v": "secret" }),
    )
    .unwrap();
    assert!(!format!("{request:?}").contains("secret"));
}
