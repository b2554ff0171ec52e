//! Which call of the same tool a URL amounts to: the template read backwards.

use monstrum_contract::http::{self as contract, path};
use percent_encoding::percent_decode_str;
use serde_json::{Number, Value};
use url::Url;

use super::super::template::{Filling, Text};

/// The arguments with which `template` leads to `url`, `arguments` being those of the call that runs; nothing if it leads
/// nowhere like that.
pub(super) fn arguments(
    base: &Url,
    template: &contract::Request,
    arguments: &Value,
    url: &Url,
) -> Option<Value> {
    let mut arguments = arguments.clone();
    below(base, template, &mut arguments, url)?;
    query(template, &mut arguments, url)?;
    Some(arguments)
}

fn below(base: &Url, template: &contract::Request, arguments: &mut Value, url: &Url) -> Option<()> {
    let found = url
        .path()
        .strip_prefix(base.path().trim_end_matches('/'))?
        .strip_prefix('/')?;
    let sources = path::segments(template.path.strip_prefix('/')?);
    let found: Vec<&str> = found.split('/').collect();
    if sources.len() != found.len() {
        return None;
    }
    for (source, segment) in sources.into_iter().zip(found) {
        let text = Text::parse(source).ok()?;
        if text.has_pointers() {
            put(&text, &percent_decode_str(segment).decode_utf8().ok()?, arguments)?;
        } else if source != segment {
            return None;
        }
    }
    Some(())
}

/// Every pair of the URL must be one of the template's; what the URL leaves out is an argument that is not there.
fn query(template: &contract::Request, arguments: &mut Value, url: &Url) -> Option<()> {
    let pairs: Vec<_> = url.query_pairs().collect();
    let times = |name: &str| pairs.iter().filter(|(other, _)| other == name).count();
    for (name, value) in &pairs {
        if times(name) != 1 {
            return None;
        }
        put(
            &Text::parse(template.query.get(name.as_ref())?).ok()?,
            value,
            arguments,
        )?;
    }
    for source in template
        .query
        .iter()
        .filter(|(name, _)| times(name) == 0)
        .map(|(_, source)| source)
    {
        let text = Text::parse(source).ok()?;
        if matches!(text.fill(arguments).ok()?, Filling::Full(_)) {
            arguments
                .as_object_mut()?
                .remove(top_level(text.capture("x")?.0)?);
        }
    }
    Some(())
}

/// Sets the argument that `text` shows as `value`.
fn put(text: &Text<'_>, value: &str, arguments: &mut Value) -> Option<()> {
    if matches!(text.fill(arguments).ok()?, Filling::Full(same) if same == value) {
        return Some(());
    }
    let (pointer, shown) = text.capture(value)?;
    let new = match arguments.pointer(pointer) {
        Some(Value::Number(_)) => shown.parse::<Number>().ok()?.into(),
        Some(Value::Bool(_)) => shown.parse::<bool>().ok()?.into(),
        Some(Value::String(_) | Value::Null) | None => Value::from(shown),
        Some(Value::Array(_) | Value::Object(_)) => return None,
    };
    if let Some(place) = arguments.pointer_mut(pointer) {
        *place = new;
    } else {
        arguments
            .as_object_mut()?
            .insert(top_level(pointer)?.to_owned(), new);
    }
    Some(())
}

fn top_level(pointer: &str) -> Option<&str> {
    pointer
        .strip_prefix('/')
        .filter(|name| !name.is_empty() && !name.contains(['/', '~']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn read(url: &str) -> Option<Value> {
        let template = json!({
            "method": "GET", "path": "/repos/{/owner}/{/repo}/issues/{/number}", "query": {"page": "{/page}", "v": "1"},
        });
        arguments(
            &Url::parse("https://a.example/api").unwrap(),
            &serde_json::from_value(template).unwrap(),
            &json!({ "owner": "acme", "repo": "web", "number": 7, "page": 2 }),
            &Url::parse(url).unwrap(),
        )
    }

    #[rstest]
    #[case::same("/api/repos/acme/web/issues/7?page=2&v=1", json!({ "owner": "acme", "repo": "web", "number": 7, "page": 2 }))]
    #[case::renamed("/api/repos/evil/x%20y/issues/8?page=2&v=1", json!({ "owner": "evil", "repo": "x y", "number": 8, "page": 2 }))]
    #[case::slash_in_a_segment("/api/repos/acme/a%2Fb/issues/7?page=2&v=1", json!({ "owner": "acme", "repo": "a/b", "number": 7, "page": 2 }))]
    #[case::without_page("/api/repos/acme/web/issues/7?v=1", json!({ "owner": "acme", "repo": "web", "number": 7 }))]
    fn a_url_of_the_template_is_a_call(#[case] path: &str, #[case] expected: Value) {
        assert_eq!(read(&format!("https://a.example{path}")), Some(expected));
    }

    #[rstest]
    #[case::other_place("/api/admin")]
    #[case::longer("/api/repos/acme/web/issues/7/comments?v=1")]
    #[case::trailing_slash("/api/repos/acme/web/issues/7/?v=1")]
    #[case::above_the_base("/repos/acme/web/issues/7?v=1")]
    #[case::beside_the_base("/apiary/repos/acme/web/issues/7?v=1")]
    #[case::not_a_number("/api/repos/acme/web/issues/latest?v=1")]
    #[case::further_query("/api/repos/acme/web/issues/7?v=1&admin=true")]
    #[case::query_twice("/api/repos/acme/web/issues/7?v=1&page=2&page=3")]
    #[case::other_constant("/api/repos/acme/web/issues/7?v=2")]
    #[case::no_constant("/api/repos/acme/web/issues/7?page=2")]
    fn any_other_is_none(#[case] path: &str) {
        assert_eq!(read(&format!("https://a.example{path}")), None);
    }
}
