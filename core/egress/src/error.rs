//! Why there is no client.

use std::error::Error;
use std::net::IpAddr;

use monstrum_guardian::address::{PROBE, Reach, Special};

/// Why nothing is dialled. No text of it holds more of a URL than its host.
#[derive(Debug, thiserror::Error)]
pub enum EgressError {
    /// Something else than HTTP.
    #[error("only http and https are spoken")]
    Scheme,
    /// A secret where none belongs.
    #[error("the URL holds a user name or password")]
    UserInfo,
    /// Nothing to resolve.
    #[error("the URL has no host")]
    NoHost,
    /// The pod has no resolver.
    #[error("names can't be resolved in this pod: {0}")]
    NoResolver(String),
    /// The name has no answer.
    #[error("{host} can't be resolved: {why}")]
    Unresolved {
        /// As it is asked for.
        host: String,
        /// In the resolver's words.
        why: String,
    },
    /// The name has an empty answer.
    #[error("{host} has no address")]
    NoAddress {
        /// As it is asked for.
        host: String,
    },
    /// Every address is one that may not be reached.
    #[error("{host} is at {address}{}, a {} address that {}", by_way_of(.address, .judged), .special.what, remedy(.special))]
    Refused {
        /// As it is asked for.
        host: String,
        /// The first of them.
        address: IpAddr,
        /// By which it was judged: itself, or the one that a translator or tunnel makes of it.
        judged: IpAddr,
        /// What that is.
        special: &'static Special,
    },
    /// An IPv6 address may stand for an IPv4 one, and nobody can say for which.
    #[error(
        "{host} is at {address}, and whether a translator (NAT64) makes another address of it is not known, since {probe} can't be \
         resolved: {why}; name its range in allowedAddresses, or have the cluster's DNS answer for {probe}",
        probe = PROBE
    )]
    Untold {
        /// As it is asked for.
        host: String,
        /// The first of them.
        address: IpAddr,
        /// In the resolver's words.
        why: String,
    },
    /// The proxy, for one of these reasons.
    #[error("the proxy: {0}")]
    Proxy(#[source] Box<Self>),
    /// The certificates to trust.
    #[error("caCertificate: {0}")]
    Authorities(String),
    /// The HTTP library.
    #[error("no HTTP client: {0}")]
    Client(String),
}

impl EgressError {
    /// Whether an address was refused, here or at the proxy.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused { .. } => true,
            Self::Proxy(inner) => inner.is_refusal(),
            Self::Scheme
            | Self::UserInfo
            | Self::NoHost
            | Self::NoResolver(_)
            | Self::Unresolved { .. }
            | Self::NoAddress { .. }
            | Self::Untold { .. }
            | Self::Authorities(_)
            | Self::Client(_) => false,
        }
    }

    /// Whether it may be otherwise later, without anybody changing an object.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoResolver(_) | Self::Unresolved { .. } | Self::NoAddress { .. } | Self::Untold { .. } => {
                true
            }
            Self::Proxy(inner) => inner.is_transient(),
            Self::Scheme
            | Self::UserInfo
            | Self::NoHost
            | Self::Refused { .. }
            | Self::Authorities(_)
            | Self::Client(_) => false,
        }
    }
}

fn by_way_of(address: &IpAddr, judged: &IpAddr) -> String {
    if address.to_canonical() == *judged {
        String::new()
    } else {
        format!(", which a translator or tunnel takes for {judged}")
    }
}

fn remedy(special: &Special) -> &'static str {
    match special.reach {
        Reach::Named => "may not be reached; name it in allowedAddresses if it should be",
        Reach::Never => "nobody may reach, whatever allowedAddresses says",
    }
}

/// An error with everything that caused it, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
