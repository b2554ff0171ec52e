//! Who a process is: the URI in its certificate, a SPIFFE id.
//!
//! `spiffe://<trust domain>/ns/<namespace>/bot/<bot>/<uid>/gateway`, `…/bot/<bot>/<uid>/runner/<runner>`,
//! `…/ns/<namespace>/channel/<channel>/<uid>`, and the two of the installation itself: `/operator` and `/ledger`.
//!
//! An identity is an object, not a name: the UID tells a bot from one of the same name that came before it.

mod serial;
mod uid;

use std::fmt;

pub use serial::{Serial, SerialError};
pub use uid::{Uid, UidError};

/// The name of a bot's own runner; a sandbox runner is called after its resource, with this in front.
pub const SANDBOX_PREFIX: &str = "resource-";

/// The name of a bot's own runner.
pub const DEFAULT_RUNNER: &str = "default";

/// One `Bot` object. Its text is `namespace/name/uid`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BotId {
    /// The Kubernetes namespace: the workspace.
    pub namespace: String,
    /// The name of the object.
    pub name: String,
    /// Which object of that name.
    pub uid: Uid,
}

/// One `Channel` object. Its text is `namespace/name/uid`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId {
    /// The Kubernetes namespace.
    pub namespace: String,
    /// The name of the object.
    pub name: String,
    /// Which object of that name.
    pub uid: Uid,
}

/// A process of this installation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// Compiles policies and opens credentials.
    Operator,
    /// Keeps the durable state.
    Ledger,
    /// Enforces one bot's policy.
    Gateway(BotId),
    /// Executes one bot's calls.
    Runner {
        /// Whose calls.
        bot: BotId,
        /// `default`, or `resource-<name>` for a sandbox.
        runner: String,
    },
    /// Speaks with one chat platform.
    Channel(ChannelId),
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
        Self::from_path(path).ok_or_else(|| IdentityError::UnknownPath(uri.to_owned()))
    }

    /// Reads what [`fmt::Display`] wrote: the path of the SPIFFE id, without the slash in front.
    pub fn from_path(path: &str) -> Option<Self> {
        let segments: Vec<&str> = path.split('/').collect();
        if segments.iter().all(|segment| is_name(segment)) {
            Self::from_segments(&segments)
        } else {
            None
        }
    }

    fn from_segments(segments: &[&str]) -> Option<Self> {
        match *segments {
            ["operator"] => Some(Self::Operator),
            ["ledger"] => Some(Self::Ledger),
            ["ns", namespace, "bot", bot, uid, "gateway"] => {
                Some(Self::Gateway(BotId::read(namespace, bot, uid)?))
            }
            ["ns", namespace, "bot", bot, uid, "runner", runner] => Some(Self::Runner {
                bot: BotId::read(namespace, bot, uid)?,
                runner: runner.to_owned(),
            }),
            ["ns", namespace, "channel", channel, uid] => {
                Some(Self::Channel(ChannelId::read(namespace, channel, uid)?))
            }
            _ => None,
        }
    }

    /// The URI of this identity in `trust_domain`.
    pub fn uri(&self, trust_domain: &str) -> String {
        format!("spiffe://{trust_domain}/{self}")
    }

    /// The bot that this identity acts for, if it acts for one.
    pub fn bot(&self) -> Option<&BotId> {
        match self {
            Self::Gateway(bot) | Self::Runner { bot, .. } => Some(bot),
            Self::Operator | Self::Ledger | Self::Channel(_) => None,
        }
    }

    /// Where the object of this identity is; nowhere for the processes of the installation itself.
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::Gateway(bot) | Self::Runner { bot, .. } => Some(&bot.namespace),
            Self::Channel(channel) => Some(&channel.namespace),
            Self::Operator | Self::Ledger => None,
        }
    }
}

/// The path part of the SPIFFE id, for logs and URIs.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::Ledger => f.write_str("ledger"),
            Self::Gateway(BotId { namespace, name, uid }) => {
                write!(f, "ns/{namespace}/bot/{name}/{uid}/gateway")
            }
            Self::Runner {
                bot: BotId { namespace, name, uid },
                runner,
            } => write!(f, "ns/{namespace}/bot/{name}/{uid}/runner/{runner}"),
            Self::Channel(ChannelId { namespace, name, uid }) => {
                write!(f, "ns/{namespace}/channel/{name}/{uid}")
            }
        }
    }
}

impl BotId {
    fn read(namespace: &str, name: &str, uid: &str) -> Option<Self> {
        Some(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uid.parse().ok()?,
        })
    }
}

impl ChannelId {
    fn read(namespace: &str, name: &str, uid: &str) -> Option<Self> {
        Some(Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uid.parse().ok()?,
        })
    }
}

impl fmt::Display for BotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.namespace, self.name, self.uid)
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.namespace, self.name, self.uid)
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
    #[case::gateway("ns/team-a/bot/triage/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11/gateway")]
    #[case::runner("ns/team-a/bot/triage/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11/runner/default")]
    #[case::sandbox("ns/team-a/bot/triage/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11/runner/resource-shell")]
    #[case::channel("ns/team-a/channel/inbox/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11")]
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
    #[case::empty_namespace("spiffe://monstrum.local/ns//bot/a/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11/gateway")]
    #[case::dots("spiffe://monstrum.local/ns/../bot/a/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11/gateway")]
    #[case::upper_case("spiffe://monstrum.local/ns/A/bot/a/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11/gateway")]
    #[case::longer("spiffe://monstrum.local/ns/a/bot/a/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11/gateway/x")]
    #[case::percent("spiffe://monstrum.local/ns/a%2fb/bot/a/6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11/gateway")]
    #[case::a_bot_without_its_uid("spiffe://monstrum.local/ns/a/bot/a/gateway")]
    #[case::a_channel_without_its_uid("spiffe://monstrum.local/ns/a/channel/a")]
    #[case::an_empty_uid("spiffe://monstrum.local/ns/a/bot/a//gateway")]
    #[case::a_word_for_a_uid("spiffe://monstrum.local/ns/a/bot/a/any/gateway")]
    #[case::a_uid_in_upper_case(
        "spiffe://monstrum.local/ns/a/bot/a/6A0F1C1E-8F0B-4C53-9D53-0D6F3A7B2C11/gateway"
    )]
    #[case::a_uid_without_hyphens(
        "spiffe://monstrum.local/ns/a/bot/a/6a0f1c1e8f0b4c539d530d6f3a7b2c11/gateway"
    )]
    #[case::no_object_at_all(
        "spiffe://monstrum.local/ns/a/bot/a/00000000-0000-0000-0000-000000000000/gateway"
    )]
    #[case::query("spiffe://monstrum.local/operator?x")]
    fn anything_else_is_nobody(#[case] uri: &str) {
        assert!(Identity::parse(uri, "monstrum.local").is_err());
    }
}
