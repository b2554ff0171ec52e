//! What the settings of webhooks must say.

use monstrum_egress::{Access, Proxy};
use reqwest::Url;

use crate::settings::webhook::{Mode, Webhook as Settings};
use crate::settings::{Route, SettingsError};

/// The largest body that is read, and the largest that one is unpacked to.
pub(super) fn largest_body(settings: &Settings) -> usize {
    usize::try_from(settings.max_body_bytes).unwrap_or(usize::MAX)
}

/// How callbacks get to their address.
pub(super) fn access(settings: &Settings) -> Result<Access, String> {
    let proxy = settings.proxy.as_ref().map(|proxy| {
        let url = Url::parse(&proxy.url).map_err(|error| format!("proxy.url: {error}"))?;
        let allowed = proxy.allowed_addresses.clone();
        Ok::<_, String>(Proxy { url, allowed })
    });
    Ok(Access {
        allowed: settings.allowed_addresses.clone(),
        ca_certificate: settings.ca_certificate.clone(),
        proxy: proxy.transpose()?,
    })
}

pub(super) fn check(settings: &Settings, routes: &[Route]) -> Result<(), SettingsError> {
    let wrong = |field, problem: &str| Err(SettingsError::field(field, problem));
    if settings.tolerance_seconds == 0 || settings.tolerance_seconds > 3600 {
        return wrong("toleranceSeconds", "must be from 1 to 3600");
    }
    if settings.max_body_bytes == 0 {
        return wrong("maxBodyBytes", "must be positive");
    }
    if settings.mode == Mode::Callback && settings.callback_url.is_none() {
        return wrong(
            "callbackUrl",
            "mode Callback needs the address that answers are sent to",
        );
    }
    if routes
        .iter()
        .any(|route| !settings.routes.contains_key(&route.name))
    {
        return wrong("routes", "a route has no webhook part");
    }
    let pointers = settings.routes.values().flat_map(|route| {
        let places = [Some(&route.text), Some(&route.user), route.session.as_ref()];
        let matches = route.matches.iter().map(|matching| &matching.pointer);
        places.into_iter().flatten().chain(matches)
    });
    for pointer in pointers {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return wrong("routes", "a JSON Pointer is empty or begins with '/'");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings;
    use crate::settings::Platform;
    use serde_json::{Value, json};

    fn parse(value: Value) -> Result<settings::Settings, String> {
        let settings: settings::Settings =
            serde_json::from_value(value).map_err(|error| error.to_string())?;
        let Platform::Webhook(webhook) = &settings.platform;
        settings::check(&settings.routes).map_err(|error| error.to_string())?;
        check(webhook, &settings.routes).map_err(|error| error.to_string())?;
        Ok(settings)
    }

    fn plain() -> Value {
        json!({
            "namespace": "team-a", "name": "inbox", "secretVersion": "v1",
            "routes": [{ "name": "all", "bot": "triage", "botUid": "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11" }],
            "talkers": { "everyone": false, "users": ["u1"] },
            "platform": { "webhook": {
                "mode": "Synchronous", "toleranceSeconds": 300, "maxBodyBytes": 65536,
                "routes": { "all": {
                    "path": "/", "match": [{ "pointer": "/kind", "equals": "ask" }], "text": "/text", "user": "/user"
                } }
            } }
        })
    }

    #[test]
    fn the_operators_form_is_read() {
        let settings = parse(plain()).unwrap();
        assert_eq!(settings.routes[0].bot, "triage");
        assert_eq!(settings.talkers.users, ["u1"]);
        assert!(!settings.talkers.everyone);
    }

    #[test]
    fn without_talkers_nobody_may_talk() {
        let mut value = plain();
        value.as_object_mut().unwrap().remove("talkers");
        let talkers = parse(value).unwrap().talkers;
        assert!(!talkers.everyone && talkers.users.is_empty());
        assert!(!talkers.may_talk("u1"));
    }

    #[test]
    fn wrong_settings_name_their_field() {
        let change = |place: &str, to: Value| {
            let mut value = plain();
            let (parent, field) = place.rsplit_once('/').unwrap();
            value.pointer_mut(parent).unwrap()[field] = to;
            parse(value).unwrap_err()
        };
        let webhook = |field: &str| format!("/platform/webhook/{field}");
        assert!(change(&webhook("toleranceSeconds"), json!(0)).contains("toleranceSeconds"));
        assert!(change(&webhook("maxBodyBytes"), json!(0)).contains("maxBodyBytes"));
        assert!(change(&webhook("mode"), json!("Callback")).contains("callbackUrl"));
        assert!(change("/speakers", json!({})).contains("speakers"));
        assert!(change(&webhook("routes/all/text"), json!("text")).contains("routes"));
        assert!(change(&webhook("routes"), json!({})).contains("routes"));
        let route = json!([{ "name": "all", "bot": "b", "botUid": "newest" }]);
        assert!(change("/routes", route).contains("UID"));
    }
}
