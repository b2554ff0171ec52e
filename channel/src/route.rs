//! Which bot a message is for, who sent it, and whether they may.

use monstrum_wire::chat::SendRequest;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::config::{Config, Route};

/// Why an authentic message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unroutable {
    #[error("no route fits this path and body")]
    NoRoute,
    #[error("the body has no text, or no sender, where the route expects them")]
    Incomplete,
    #[error("this sender may not talk here")]
    Forbidden,
}

/// The bot that a message is for: which object, so that no namesake gets it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Recipient {
    pub(crate) name: String,
    /// As the operator wrote it.
    pub(crate) uid: String,
}

impl Route {
    /// Whom it leads to.
    pub(crate) fn recipient(&self) -> Recipient {
        Recipient {
            name: self.bot.clone(),
            uid: self.bot_uid.to_string(),
        }
    }
}

/// A message on its way to a bot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Routed {
    pub(crate) route: String,
    pub(crate) bot: Recipient,
    pub(crate) request: SendRequest,
}

/// Finds the first route that fits, and takes the message out of the body.
pub(crate) fn route(
    config: &Config,
    path: &str,
    body: &Value,
    message_id: &str,
) -> Result<Routed, Unroutable> {
    let route = config
        .routes
        .iter()
        .find(|route| fits(route, path, body))
        .ok_or(Unroutable::NoRoute)?;
    let text = body
        .pointer(&route.text)
        .and_then(Value::as_str)
        .ok_or(Unroutable::Incomplete)?;
    let user = body
        .pointer(&route.user)
        .and_then(id)
        .ok_or(Unroutable::Incomplete)?;
    if !may_talk(config, &user) {
        return Err(Unroutable::Forbidden);
    }
    let conversation = match &route.session {
        Some(pointer) => body.pointer(pointer).and_then(id).ok_or(Unroutable::Incomplete)?,
        None => user.clone(),
    };
    let request = SendRequest {
        session: session(&route.name, route.session.is_some(), &conversation),
        text: text.to_owned(),
        user,
        message_id: message_id.to_owned(),
        images: Vec::new(),
    };
    Ok(Routed {
        route: route.name.clone(),
        bot: route.recipient(),
        request,
    })
}

fn fits(route: &Route, path: &str, body: &Value) -> bool {
    route.path == path
        && route
            .matches
            .iter()
            .all(|wanted| body.pointer(&wanted.pointer) == Some(&wanted.equals))
}

/// An id is a string or a whole number, as platforms have them. Never a name.
fn id(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return None,
    };
    (!id.is_empty() && id.len() <= 200 && !id.chars().any(char::is_control)).then_some(id)
}

/// Whether the settings let this sender talk.
pub(crate) fn may_talk(config: &Config, user: &str) -> bool {
    config.everyone || config.users.iter().any(|known| known == user)
}

/// The session's name at the gateway: one word for every conversation, whatever characters its id has. Two routes, or a sender's and a
/// named conversation, never share one.
fn session(route: &str, named: bool, conversation: &str) -> String {
    let mut hasher = Sha256::new();
    for part in [route, if named { "conversation" } else { "sender" }, conversation] {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part);
    }
    let digest = hex::encode(hasher.finalize());
    format!("{route}.{}", digest.get(..32).unwrap_or(&digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn config(users: &[&str], everyone: bool) -> Config {
        let users: Vec<&str> = users.to_vec();
        serde_json::from_value(json!({
            "mode": "Synchronous", "toleranceSeconds": 300, "maxBodyBytes": 1000, "users": users, "everyone": everyone,
            "routes": [
                {
                    "name": "incident", "bot": "oncall", "botUid": "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11", "path": "/hooks",
                    "match": [{ "pointer": "/kind", "equals": "incident" }, { "pointer": "/level", "equals": 1 }],
                    "text": "/payload/text", "user": "/from/id", "session": "/thread"
                },
                { "name": "rest", "bot": "triage", "botUid": "c0b1f6d2-33a5-4c0e-9a61-5d2b0a4be0a7", "path": "/hooks" }
            ]
        }))
        .unwrap()
    }

    #[test]
    fn the_first_fitting_route_is_taken() {
        let body = json!({
            "kind": "incident", "level": 1, "payload": { "text": "fire" }, "from": { "id": 42 }, "thread": "t1"
        });
        let routed = route(&config(&["42"], false), "/hooks", &body, "m1").unwrap();
        assert_eq!(
            (routed.bot.name.as_str(), routed.request.user.as_str()),
            ("oncall", "42")
        );
        assert_eq!(
            (routed.request.text.as_str(), routed.request.message_id.as_str()),
            ("fire", "m1")
        );
        assert!(routed.request.session.starts_with("incident."));
    }

    #[rstest]
    #[case::number_as_text(json!({ "kind": "incident", "level": "1", "text": "x", "user": "u" }))]
    #[case::number_as_float(json!({ "kind": "incident", "level": 1.0, "text": "x", "user": "u" }))]
    #[case::missing(json!({ "kind": "incident", "text": "x", "user": "u" }))]
    fn a_match_is_strict_in_type(#[case] body: Value) {
        assert_eq!(
            route(&config(&[], true), "/hooks", &body, "m").unwrap().bot.name,
            "triage"
        );
    }

    #[rstest]
    #[case::other_path("/", json!({ "text": "x", "user": "u" }), Unroutable::NoRoute)]
    #[case::longer_path("/hooks/", json!({ "text": "x", "user": "u" }), Unroutable::NoRoute)]
    #[case::no_text("/hooks", json!({ "user": "u" }), Unroutable::Incomplete)]
    #[case::text_is_no_string("/hooks", json!({ "text": ["x"], "user": "u" }), Unroutable::Incomplete)]
    #[case::no_user("/hooks", json!({ "text": "x" }), Unroutable::Incomplete)]
    #[case::empty_user("/hooks", json!({ "text": "x", "user": "" }), Unroutable::Incomplete)]
    #[case::user_is_a_list("/hooks", json!({ "text": "x", "user": ["u"] }), Unroutable::Incomplete)]
    #[case::user_with_line_break("/hooks", json!({ "text": "x", "user": "u\n" }), Unroutable::Incomplete)]
    #[case::stranger("/hooks", json!({ "text": "x", "user": "v" }), Unroutable::Forbidden)]
    #[case::other_case("/hooks", json!({ "text": "x", "user": "U" }), Unroutable::Forbidden)]
    #[case::name_beside_id("/hooks", json!({ "text": "x", "user": "v", "name": "u" }), Unroutable::Forbidden)]
    fn what_does_not_fit_is_refused(#[case] path: &str, #[case] body: Value, #[case] expected: Unroutable) {
        assert_eq!(route(&config(&["u"], false), path, &body, "m"), Err(expected));
    }

    #[test]
    fn without_talkers_nobody_may_talk() {
        let body = json!({ "text": "x", "user": "u" });
        assert_eq!(
            route(&config(&[], false), "/hooks", &body, "m"),
            Err(Unroutable::Forbidden)
        );
    }

    #[test]
    fn conversations_do_not_mix() {
        assert_ne!(session("a", true, "x"), session("a", false, "x"));
        assert_ne!(session("a", true, "x"), session("b", true, "x"));
        assert_ne!(session("a", true, "x"), session("a", true, "y"));
        assert_eq!(session("a", true, "x"), session("a", true, "x"));
    }
}
