//! Where a URL points, as far as a network policy can tell.

use std::net::IpAddr;

/// Where a URL points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Which host.
    pub host: Host,
    /// Which port of it.
    pub port: i32,
}

/// What sort of host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// A Service of this cluster.
    Cluster {
        /// The namespace that it stands in.
        namespace: String,
    },
    /// An address.
    Address(IpAddr),
    /// A name that DNS resolves.
    Name,
}

impl Endpoint {
    /// Where an `http` or `https` URL points, seen from a pod of `namespace`. None for anything else.
    pub fn of_url(url: &str, namespace: &str) -> Option<Self> {
        let uri: http::Uri = url.parse().ok()?;
        let default = match uri.scheme_str()? {
            "https" => 443,
            "http" => 80,
            _ => return None,
        };
        let host = uri
            .host()?
            .trim_matches(['[', ']'])
            .trim_end_matches('.')
            .to_ascii_lowercase();
        Some(Self {
            host: Host::of(&host, namespace),
            port: uri.port_u16().map_or(default, i32::from),
        })
    }
}

impl Host {
    fn of(host: &str, namespace: &str) -> Self {
        if let Ok(address) = host.parse() {
            return Self::Address(address);
        }
        let labels: Vec<&str> = host.split('.').collect();
        match labels.as_slice() {
            // A bare name is a Service beside the pod.
            [_] => Self::Cluster {
                namespace: namespace.to_owned(),
            },
            [_, other, "svc"] | [_, other, "svc", "cluster", "local"] => Self::Cluster {
                namespace: (*other).to_owned(),
            },
            _ => Self::Name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn cluster(namespace: &str) -> Host {
        Host::Cluster {
            namespace: namespace.to_owned(),
        }
    }

    #[rstest]
    #[case("https://api.example.com/v1", Host::Name, 443)]
    #[case("http://api.example.com:8000", Host::Name, 8000)]
    #[case("http://model", cluster("team-a"), 80)]
    #[case("http://model.tools.svc:11434/v1", cluster("tools"), 11434)]
    #[case("https://Model.Tools.svc.cluster.local.", cluster("tools"), 443)]
    #[case("https://10.0.0.7:8443", Host::Address("10.0.0.7".parse().unwrap()), 8443)]
    #[case("https://[2001:db8::1]", Host::Address("2001:db8::1".parse().unwrap()), 443)]
    fn a_url_points_somewhere(#[case] url: &str, #[case] host: Host, #[case] port: i32) {
        assert_eq!(Endpoint::of_url(url, "team-a"), Some(Endpoint { host, port }));
    }

    #[rstest]
    #[case("ftp://example.com")]
    #[case("not a url")]
    #[case("/path")]
    fn anything_else_points_nowhere(#[case] url: &str) {
        assert_eq!(Endpoint::of_url(url, "team-a"), None);
    }
}
