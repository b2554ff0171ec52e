//! Where a URL points, as far as a network policy can tell.

use std::net::IpAddr;

use ipnet::IpNet;
use monstrum_contract::{Place, Reach};
use monstrum_guardian::address::{self, Service};
use url::Url;

/// Where a URL points.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Which host.
    pub host: Host,
    /// Which port of it.
    pub port: i32,
}

/// From where a URL is read: names of Services are completed there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vantage<'a> {
    /// The namespace of the pod.
    pub namespace: &'a str,
    /// The cluster's domain.
    pub cluster_domain: &'a str,
}

/// Where pods may have to connect to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Where it is.
    pub endpoint: Endpoint,
    /// The ranges that may be reached for it although they are not the internet.
    pub ranges: Vec<IpNet>,
}

impl Target {
    /// What a pod connects to for `url`: the proxy, if there is one.
    pub fn of(
        url: &str,
        ranges: &[IpNet],
        proxy: Option<(&str, &[IpNet])>,
        from: Vantage<'_>,
    ) -> Option<Self> {
        let (url, ranges) = proxy.unwrap_or((url, ranges));
        Some(Self {
            endpoint: Endpoint::of_url(url, from)?,
            ranges: ranges.to_vec(),
        })
    }
}

/// Everywhere that a pod's calls go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outward {
    /// Places.
    pub targets: Vec<Target>,
    /// Ports of the internet, whichever the host.
    pub ports: Vec<i32>,
}

impl Outward {
    /// Where calls go that reach all this.
    pub fn of<'a>(reaches: impl IntoIterator<Item = &'a Reach>, from: Vantage<'_>) -> Self {
        let (mut targets, mut ports) = (Vec::new(), Vec::new());
        for reach in reaches {
            let dialled = reach.places.iter().map(Place::dialled);
            targets
                .extend(dialled.filter_map(|address| Target::of(&address.url, &address.ranges, None, from)));
            ports.extend(reach.ports().iter().copied().map(i32::from));
        }
        targets.sort();
        targets.dedup();
        ports.sort_unstable();
        ports.dedup();
        Self { targets, ports }
    }

    /// Whether they go nowhere.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.ports.is_empty()
    }
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
    /// Where an `http` or `https` URL points. None for anything else.
    pub fn of_url(url: &str, from: Vantage<'_>) -> Option<Self> {
        let url = Url::parse(url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let host = match url.host()? {
            // Every notation of an address was folded.
            url::Host::Ipv4(address) => Host::Address(address.into()),
            url::Host::Ipv6(address) => Host::Address(address::folded(address.into())),
            url::Host::Domain(name) => Host::of(name, from),
        };
        Some(Self {
            host,
            port: i32::from(url.port_or_known_default()?),
        })
    }
}

impl Host {
    fn of(name: &str, from: Vantage<'_>) -> Self {
        match address::service_of(name, from.cluster_domain) {
            Some(Service::Beside) => Self::Cluster {
                namespace: from.namespace.to_owned(),
            },
            Some(Service::Of(other)) => Self::Cluster {
                namespace: other.to_owned(),
            },
            None => Self::Name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const HERE: Vantage<'_> = Vantage {
        namespace: "team-a",
        cluster_domain: "k8s.corp",
    };

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
    #[case::own_domain("https://model.tools.svc.k8s.corp", cluster("tools"), 443)]
    #[case::other_domain("https://model.tools.svc.k8s.evil", Host::Name, 443)]
    #[case("https://10.0.0.7:8443", Host::Address("10.0.0.7".parse().unwrap()), 8443)]
    #[case::folded("http://0x7f.1:1", Host::Address("127.0.0.1".parse().unwrap()), 1)]
    #[case::mapped("http://[::ffff:a9fe:a9fe]", Host::Address("169.254.169.254".parse().unwrap()), 80)]
    #[case::headless("http://db-0.db.tools.svc", cluster("tools"), 80)]
    #[case::a_name_is_never_completed("http://kubernetes.default", Host::Name, 80)]
    #[case("https://[2001:db8::1]", Host::Address("2001:db8::1".parse().unwrap()), 443)]
    fn a_url_points_somewhere(#[case] url: &str, #[case] host: Host, #[case] port: i32) {
        assert_eq!(Endpoint::of_url(url, HERE), Some(Endpoint { host, port }));
    }

    #[rstest]
    #[case("ftp://example.com")]
    #[case("not a url")]
    #[case("/path")]
    fn anything_else_points_nowhere(#[case] url: &str) {
        assert_eq!(Endpoint::of_url(url, HERE), None);
    }
}
