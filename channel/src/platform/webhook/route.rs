//! Which route a body fits, and where in it the parts of the message stand.

use serde_json::Value;

use crate::intake::{Received, Refusal};
use crate::settings::Route;
use crate::settings::webhook::{Route as Places, Webhook as Settings};

/// Finds the first route that fits, and takes the message out of the body.
pub(super) fn received<'a>(
    routes: &'a [Route],
    settings: &Settings,
    path: &str,
    body: &Value,
    message_id: &str,
) -> Result<Received<'a>, Refusal> {
    let mut fitting = routes.iter().filter_map(|route| {
        let places = settings.routes.get(&route.name)?;
        fits(places, path, body).then_some((route, places))
    });
    let (route, places) = fitting.next().ok_or(Refusal::NoRoute)?;
    let text = body.pointer(&places.text).and_then(Value::as_str);
    let part = |pointer: &String| body.pointer(pointer).and_then(id).unwrap_or_default();
    Ok(Received {
        route,
        id: message_id.to_owned(),
        user: part(&places.user),
        conversation: places.session.as_ref().map(part),
        text: text.ok_or(Refusal::Incomplete)?.to_owned(),
    })
}

fn fits(places: &Places, path: &str, body: &Value) -> bool {
    places.path == path
        && places
            .matches
            .iter()
            .all(|wanted| body.pointer(&wanted.pointer) == Some(&wanted.equals))
}

/// An id is a string or a whole number, as platforms have them. Never a name.
fn id(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Message;
    use crate::settings::Talkers;
    use rstest::rstest;
    use serde_json::json;

    const UID: &str = "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11";

    fn route(users: &[&str], everyone: bool, path: &str, body: &Value) -> Result<Message, Refusal> {
        let routes: Vec<Route> = serde_json::from_value(json!([
            { "name": "incident", "bot": "oncall", "botUid": UID },
            { "name": "rest", "bot": "triage", "botUid": UID }
        ]))
        .unwrap();
        let settings: Settings = serde_json::from_value(json!({
            "mode": "Synchronous", "toleranceSeconds": 300, "maxBodyBytes": 1000, "routes": {
                "incident": {
                    "path": "/hooks",
                    "match": [{ "pointer": "/kind", "equals": "incident" }, { "pointer": "/level", "equals": 1 }],
                    "text": "/payload/text", "user": "/from/id", "session": "/thread"
                },
                "rest": { "path": "/hooks", "text": "/text", "user": "/user" }
            }
        }))
        .unwrap();
        let talkers: Talkers =
            serde_json::from_value(json!({ "users": users, "everyone": everyone })).unwrap();
        received(&routes, &settings, path, body, "m1")?.admitted(&talkers)
    }

    #[test]
    fn the_first_fitting_route_is_taken() {
        let body = json!({
            "kind": "incident", "level": 1, "payload": { "text": "fire" }, "from": { "id": 42 }, "thread": "t1"
        });
        let message = route(&["42"], false, "/hooks", &body).unwrap();
        assert_eq!(
            (message.bot.name.as_str(), message.user.as_str()),
            ("oncall", "42")
        );
        assert_eq!((message.text.as_str(), message.id.as_str()), ("fire", "m1"));
        assert!(message.session.starts_with("incident."));
    }

    #[rstest]
    #[case::number_as_text(json!({ "kind": "incident", "level": "1", "text": "x", "user": "u" }))]
    #[case::number_as_float(json!({ "kind": "incident", "level": 1.0, "text": "x", "user": "u" }))]
    #[case::missing(json!({ "kind": "incident", "text": "x", "user": "u" }))]
    fn a_match_is_strict_in_type(#[case] body: Value) {
        assert_eq!(route(&[], true, "/hooks", &body).unwrap().bot.name, "triage");
    }

    #[rstest]
    #[case::other_path("/", json!({ "text": "x", "user": "u" }), Refusal::NoRoute)]
    #[case::longer_path("/hooks/", json!({ "text": "x", "user": "u" }), Refusal::NoRoute)]
    #[case::no_text("/hooks", json!({ "user": "u" }), Refusal::Incomplete)]
    #[case::text_is_no_string("/hooks", json!({ "text": ["x"], "user": "u" }), Refusal::Incomplete)]
    #[case::no_user("/hooks", json!({ "text": "x" }), Refusal::Incomplete)]
    #[case::empty_user("/hooks", json!({ "text": "x", "user": "" }), Refusal::Incomplete)]
    #[case::user_is_a_list("/hooks", json!({ "text": "x", "user": ["u"] }), Refusal::Incomplete)]
    #[case::user_with_line_break("/hooks", json!({ "text": "x", "user": "u\n" }), Refusal::Incomplete)]
    #[case::stranger("/hooks", json!({ "text": "x", "user": "v" }), Refusal::Forbidden)]
    #[case::other_case("/hooks", json!({ "text": "x", "user": "U" }), Refusal::Forbidden)]
    #[case::name_beside_id("/hooks", json!({ "text": "x", "user": "v", "name": "u" }), Refusal::Forbidden)]
    fn what_does_not_fit_is_refused(#[case] path: &str, #[case] body: Value, #[case] expected: Refusal) {
        assert_eq!(route(&["u"], false, path, &body), Err(expected));
    }

    #[test]
    fn without_talkers_nobody_may_talk() {
        let body = json!({ "text": "x", "user": "u" });
        assert_eq!(route(&[], false, "/hooks", &body), Err(Refusal::Forbidden));
    }
}
