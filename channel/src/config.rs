//! A channel's settings, as the operator mounts them. No secret is among them.

use std::path::{Path, PathBuf};

use ipnet::IpNet;
use monstrum_egress::{Access, Proxy};
use monstrum_wire::identity::Uid;
use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;

/// The settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Config {
    /// The channel's namespace, for people who read the file.
    #[serde(default)]
    pub namespace: String,
    /// The channel's name, for people who read the file.
    #[serde(default)]
    pub name: String,
    /// Changes with the signing secret, so that the pods do.
    #[serde(default)]
    pub secret_version: String,
    /// Whether answers are responses or requests of ours.
    pub mode: Mode,
    /// Where answers are sent in mode `Callback`.
    #[serde(default)]
    pub callback_url: Option<String>,
    /// Address ranges that callbacks may reach although they are not public.
    #[serde(default)]
    pub allowed_addresses: Vec<IpNet>,
    /// PEM certificates of the authorities that callbacks trust, where they are not the public ones.
    #[serde(default)]
    pub ca_certificate: Option<String>,
    /// What callbacks go through.
    #[serde(default)]
    pub proxy: Option<ProxyConfig>,
    /// How far a timestamp may be from the present.
    pub tolerance_seconds: u32,
    /// The largest body that is read.
    pub max_body_bytes: u32,
    /// The first that fits is taken.
    pub routes: Vec<Route>,
    /// Whether everyone whose request is signed may talk.
    #[serde(default)]
    pub everyone: bool,
    /// Who may talk, by id.
    #[serde(default)]
    pub users: Vec<String>,
}

/// A forward proxy.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProxyConfig {
    /// Where it listens.
    pub url: String,
    /// Address ranges that it may stand in although they are not public.
    #[serde(default)]
    pub allowed_addresses: Vec<IpNet>,
}

/// When a sender gets the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Mode {
    /// In the response to its request.
    Synchronous,
    /// In a request of ours, later.
    Callback,
}

/// Which messages go to one bot, and where in the body their parts stand (JSON Pointers, RFC 6901).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Route {
    /// For logs and metrics.
    pub name: String,
    /// In the channel's namespace.
    pub bot: String,
    /// Which bot of that name.
    pub bot_uid: Uid,
    /// The request path.
    #[serde(default = "root")]
    pub path: String,
    /// What the body must say; all of it.
    #[serde(default, rename = "match")]
    pub matches: Vec<Matching>,
    /// Where the text stands.
    #[serde(default = "text")]
    pub text: String,
    /// Where the sender's id stands.
    #[serde(default = "user")]
    pub user: String,
    /// Where the conversation's id stands; without it there is one for each sender.
    #[serde(default)]
    pub session: Option<String>,
}

/// One thing that a body must say, equal in type and value.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matching {
    /// Where.
    pub pointer: String,
    /// What.
    pub equals: Value,
}

/// Why settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file.
    #[error("{path}: can't be read")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its form.
    #[error("{path}: not the settings of a channel")]
    Form {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Its content.
    #[error("{field}: {problem}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: &'static str,
    },
}

impl Config {
    /// Reads and checks a file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = path.to_owned();
        let text = std::fs::read(path).map_err(|source| ConfigError::Read {
            path: file.clone(),
            source,
        })?;
        let config: Self =
            serde_json::from_slice(&text).map_err(|source| ConfigError::Form { path: file, source })?;
        config.check()?;
        Ok(config)
    }

    /// The largest body that is read, and the largest that one is unpacked to.
    pub(crate) fn largest_body(&self) -> usize {
        usize::try_from(self.max_body_bytes).unwrap_or(usize::MAX)
    }

    /// How callbacks get to their address.
    pub(crate) fn access(&self) -> Result<Access, String> {
        let proxy = |proxy: &ProxyConfig| {
            let url = Url::parse(&proxy.url).map_err(|error| format!("proxy.url: {error}"))?;
            let allowed = proxy.allowed_addresses.clone();
            Ok::<_, String>(Proxy { url, allowed })
        };
        Ok(Access {
            allowed: self.allowed_addresses.clone(),
            ca_certificate: self.ca_certificate.clone(),
            proxy: self.proxy.as_ref().map(proxy).transpose()?,
        })
    }

    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |field, problem| Err(ConfigError::Field { field, problem });
        if self.tolerance_seconds == 0 || self.tolerance_seconds > 3600 {
            return wrong("toleranceSeconds", "must be from 1 to 3600");
        }
        if self.max_body_bytes == 0 {
            return wrong("maxBodyBytes", "must be positive");
        }
        if self.mode == Mode::Callback && self.callback_url.is_none() {
            return wrong(
                "callbackUrl",
                "mode Callback needs the address that answers are sent to",
            );
        }
        let pointers = self.routes.iter().flat_map(|route| {
            let places = [Some(&route.text), Some(&route.user), route.session.as_ref()];
            places
                .into_iter()
                .flatten()
                .chain(route.matches.iter().map(|matching| &matching.pointer))
        });
        for pointer in pointers {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                return wrong("routes", "a JSON Pointer is empty or begins with '/'");
            }
        }
        Ok(())
    }
}

fn root() -> String {
    "/".to_owned()
}

fn text() -> String {
    "/text".to_owned()
}

fn user() -> String {
    "/user".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: Value) -> Result<Config, String> {
        let config: Config = serde_json::from_value(value).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn plain() -> Value {
        json!({
            "namespace": "team-a", "name": "inbox", "secretVersion": "v1",
            "mode": "Synchronous", "toleranceSeconds": 300, "maxBodyBytes": 65536,
            "routes": [{
                "name": "all", "bot": "triage", "botUid": "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11", "path": "/", "match": [{ "pointer": "/kind", "equals": "ask" }],
                "text": "/text", "user": "/user"
            }],
            "everyone": false, "users": ["u1"]
        })
    }

    #[test]
    fn the_operators_form_is_read() {
        let config = parse(plain()).unwrap();
        assert_eq!(config.routes[0].bot, "triage");
        assert_eq!(config.users, ["u1"]);
        assert!(!config.everyone);
    }

    #[test]
    fn without_talkers_nobody_may_talk() {
        let mut value = plain();
        let fields = value.as_object_mut().unwrap();
        fields.remove("everyone");
        fields.remove("users");
        let config = parse(value).unwrap();
        assert!(!config.everyone && config.users.is_empty());
    }

    #[test]
    fn wrong_settings_name_their_field() {
        let change = |field: &str, to: Value| {
            let mut value = plain();
            value[field] = to;
            parse(value).unwrap_err()
        };
        assert!(change("toleranceSeconds", json!(0)).contains("toleranceSeconds"));
        assert!(change("maxBodyBytes", json!(0)).contains("maxBodyBytes"));
        assert!(change("mode", json!("Callback")).contains("callbackUrl"));
        assert!(change("talkers", json!({})).contains("talkers"));
        let route = json!([{ "name": "a", "bot": "b", "botUid": "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11", "text": "text" }]);
        assert!(change("routes", route).contains("routes"));
        let route = json!([{ "name": "a", "bot": "b", "botUid": "newest" }]);
        assert!(change("routes", route).contains("UID"));
    }
}
