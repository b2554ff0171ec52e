//! Who a process is: the URI in its certificate, a SPIFFE id.
//!
//! `spiffe://<trust domain>/ns/<namespace>/bot/<bot>/gateway`, `…/bot/<bot>/runner/<runner>`,
//! `…/ns/<namespace>/channel/<channel>`, and the two of the installation itself: `/operator` and `/ledger`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a bot's own runner; a sandbox runner is called after its resource, with this in front.
pub const SANDBOX_PREFIX: &str = "resource-";

/// The name of a bot's own runner.
pub const DEFAULT_RUNNER: &str = "default";

/// A bot's identity: its namespace (the workspace) and its name in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BotName {
    /// The Kubernetes namespace.
    pub namespace: String,
    /// The name of the `Bot` object.
    pub name: String,
}

/// A process of this installation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// Compiles policies and opens credentials.
    Operator,
    /// Keeps the durable state.
    Ledger,
    /// Enforces one bot's policy.
    Gateway(BotName),
    /// Executes one bot's calls.
    Runner {
        /// Whose calls.
        bot: BotName,
        /// `default`, or `resource-<name>` for a sandbox.
        runner: String,
    },
    /// Speaks with one chat platform.
    Channel {
        /// The channel's namespace.
        namespace: String,
        /// The channel's name.
        name: String,
    },
}

/// Why a URI names no identity of this installation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// Not a SPIFFE id at all.
    #[error("{0:?} is not a SPIFFE id")]
    NotSpiffe(String),
    /// Another installation's.
    #[error("trust domain {found:?} is not {expected:?}")]
    ForeignTrustDomain {
        /// The domain in the URI.
        found: String,
        /// This installation's.
        expected: String,
    },
    /// A path that no process here has.
    #[error("{0:?} names no process of this installation")]
    UnknownPath(String),
}

impl Identity {
    /// Reads a URI of `trust_domain`.
    pub fn parse(uri: &str, trust_domain: &str) -> Result<Self, IdentityError> {
        let rest = uri
            .strip_prefix("spiffe://")
            .ok_or_else(|| IdentityError::NotSpiffe(uri.to_owned()))?;
        let (domain, path) = rest
            .split_once('/')
            .ok_or_else(|| IdentityError::UnknownPath(uri.to_owned()))?;
        if domain != trust_domain {
            return Err(IdentityError::ForeignTrustDomain {
                found: domain.to_owned(),
                expected: trust_domain.to_owned(),
            });
        }
        let segments: Vec<&str> = path.split('/').collect();
        if segments.iter().any(|segment| !is_name(segment)) {
            return Err(IdentityError::UnknownPath(uri.to_owned()));
        }
        Self::from_segments(&segments).ok_or_else(|| IdentityError::UnknownPath(uri.to_owned()))
    }

    fn from_segments(segments: &[&str]) -> Option<Self> {
        match *segments {
            ["operator"] => Some(Self::Operator),
            ["ledger"] => Some(Self::Ledger),
            ["ns", namespace, "bot", bot, "gateway"] => Some(Self::Gateway(bot_name(namespace, bot))),
            ["ns", namespace, "bot", bot, "runner", runner] => Some(Self::Runner {
                bot: bot_name(namespace, bot),
                runner: runner.to_owned(),
            }),
            ["ns", namespace, "channel", name] => Some(Self::Channel {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
            _ => None,
        }
    }

    /// The URI of this identity in `trust_domain`.
    pub fn uri(&self, trust_domain: &str) -> String {
        format!("spiffe://{trust_domain}/{self}")
    }

    /// The bot that this identity acts for, if it acts for one.
    pub fn bot(&self) -> Option<&BotName> {
        match self {
            Self::Gateway(bot) | Self::Runner { bot, .. } => Some(bot),
            Self::Operator | Self::Ledger | Self::Channel { .. } => None,
        }
    }
}

/// The path part of the SPIFFE id, for logs and URIs.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::Ledger => f.write_str("ledger"),
            Self::Gateway(bot) => write!(f, "ns/{}/bot/{}/gateway", bot.namespace, bot.name),
            Self::Runner { bot, runner } => {
                write!(f, "ns/{}/bot/{}/runner/{runner}", bot.namespace, bot.name)
            }
            Self::Channel { namespace, name } => write!(f, "ns/{namespace}/channel/{name}"),
        }
    }
}

fn bot_name(namespace: &str, name: &str) -> BotName {
    BotName {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

/// A Kubernetes object name: lower-case letters, digits, `-` and `.`; never empty, never `.` or `..`.
fn is_name(segment: &str) -> bool {
    segment.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && segment
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::operator("operator")]
    #[case::ledger("ledger")]
    #[case::gateway("ns/team-a/bot/triage/gateway")]
    #[case::runner("ns/team-a/bot/triage/runner/default")]
    #[case::sandbox("ns/team-a/bot/triage/runner/resource-shell")]
    #[case::channel("ns/team-a/channel/inbox")]
    fn a_uri_reads_back(#[case] path: &str) {
        let uri = format!("spiffe://monstrum.local/{path}");
        let identity = Identity::parse(&uri, "monstrum.local").unwrap();
        assert_eq!(identity.uri("monstrum.local"), uri);
    }

    #[rstest]
    #[case::other_scheme("https://monstrum.local/operator")]
    #[case::other_domain("spiffe://evil.local/operator")]
    #[case::domain_prefix("spiffe://monstrum.local.evil/operator")]
    #[case::no_path("spiffe://monstrum.local")]
    #[case::empty_path("spiffe://monstrum.local/")]
    #[case::trailing_slash("spiffe://monstrum.local/operator/")]
    #[case::empty_namespace("spiffe://monstrum.local/ns//bot/a/gateway")]
    #[case::dots("spiffe://monstrum.local/ns/../bot/a/gateway")]
    #[case::upper_case("spiffe://monstrum.local/ns/A/bot/a/gateway")]
    #[case::longer("spiffe://monstrum.local/ns/a/bot/a/gateway/x")]
    #[case::percent("spiffe://monstrum.local/ns/a%2fb/bot/a/gateway")]
    #[case::query("spiffe://monstrum.local/operator?x")]
    fn anything_else_is_nobody(#[case] uri: &str) {
        assert!(Identity::parse(uri, "monstrum.local").is_err());
    }
}
