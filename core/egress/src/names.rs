//! Names to addresses, the same for everybody: a search list never decides what a name means.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::LookupIpStrategy;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::system_conf::read_system_conf;
use monstrum_guardian::address::{PROBE, Translation};

use crate::EgressError;
use crate::error::chain;

/// The domain of a cluster where the pod does not know another.
const CLUSTER: &str = "cluster.local";

/// Resolves names.
pub(crate) struct Names {
    resolver: Result<TokioResolver, String>,
    domains: Domains,
}

/// What completes the names of Services, which are the only ones that are completed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Domains {
    /// The cluster's own.
    cluster: String,
    /// The domain of the Services beside the pod.
    beside: Option<String>,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names")
            .field("domains", &self.domains)
            .finish_non_exhaustive()
    }
}

impl Names {
    pub(crate) fn system() -> Self {
        let read = read_system_conf().and_then(|(config, options)| {
            let search: Vec<String> = config.search().iter().map(ToString::to_string).collect();
            let provider = TokioRuntimeProvider::default();
            let mut builder = TokioResolver::builder_with_config(config, provider);
            *builder.options_mut() = options;
            builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
            Ok((builder.build()?, search))
        });
        match read {
            Ok((resolver, search)) => Self {
                resolver: Ok(resolver),
                domains: Domains::of_search(&search),
            },
            Err(error) => Self {
                resolver: Err(chain(&error)),
                domains: Domains::of_search(&[]),
            },
        }
    }

    pub(crate) fn with(resolver: TokioResolver) -> Self {
        Self {
            resolver: Ok(resolver),
            domains: Domains::of_search(&[]),
        }
    }

    pub(crate) async fn lookup(&self, host: &str) -> Result<Vec<IpAddr>, EgressError> {
        let resolver = self
            .resolver
            .as_ref()
            .map_err(|why| EgressError::NoResolver(why.clone()))?;
        let found = resolver
            .lookup_ip(self.domains.absolute(host))
            .await
            .map_err(|error| EgressError::Unresolved {
                host: host.to_owned(),
                why: chain(&error),
            })?;
        Ok(found.iter().collect())
    }

    /// What makes IPv4 addresses of IPv6 ones here (RFC 7050), as the resolver knows it that leads there. The resolver's cache keeps it.
    pub(crate) async fn translations(&self) -> Result<Vec<Translation>, String> {
        let resolver = self.resolver.as_ref().map_err(Clone::clone)?;
        let found = match resolver.ipv6_lookup(PROBE).await {
            Ok(found) => found,
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(chain(&error)),
        };
        let addresses = found.answers().iter().filter_map(|record| match record.data {
            RData::AAAA(address) => Some(Ipv6Addr::from(address)),
            _ => None,
        });
        Ok(addresses.flat_map(Translation::probed).collect())
    }
}

impl Domains {
    /// From the search list that a pod gets: `<namespace>.svc.<cluster>`, `svc.<cluster>`, `<cluster>`, and the node's own.
    fn of_search(search: &[String]) -> Self {
        let search: Vec<&str> = search.iter().map(|domain| domain.trim_end_matches('.')).collect();
        let cluster = search.iter().find_map(|domain| domain.strip_prefix("svc."));
        let of_services = |domain: &&&str| {
            cluster.is_some_and(|cluster| {
                let before = domain.strip_suffix(cluster);
                before
                    .is_some_and(|before| before.strip_suffix(".svc.").is_some_and(|own| !own.contains('.')))
            })
        };
        Self {
            beside: search.iter().find(of_services).map(|domain| (*domain).to_owned()),
            cluster: cluster.unwrap_or(CLUSTER).to_owned(),
        }
    }

    /// The whole name: `a` is a Service beside the pod, `a.b.svc` one of namespace `b`; all others are whole already.
    fn absolute(&self, host: &str) -> String {
        let name = host.trim_end_matches('.');
        if name != host {
            return format!("{name}.");
        }
        match &self.beside {
            Some(beside) if !name.contains('.') && name != "localhost" => format!("{name}.{beside}."),
            _ if name.to_ascii_lowercase().ends_with(".svc") => format!("{name}.{}.", self.cluster),
            _ => format!("{name}."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::public("api.example.com", "api.example.com.")]
    #[case::public_whole("api.example.com.", "api.example.com.")]
    #[case::never_a_namespace("kubernetes.default", "kubernetes.default.")]
    #[case::never_a_namespace_too("ledger.monstrum-system", "ledger.monstrum-system.")]
    #[case::never_a_pod("10-1-2-3.default.pod", "10-1-2-3.default.pod.")]
    #[case::beside("ollama", "ollama.team-a.svc.k8s.corp.")]
    #[case::elsewhere("ollama.models.svc", "ollama.models.svc.k8s.corp.")]
    #[case::in_full("ollama.models.svc.k8s.corp", "ollama.models.svc.k8s.corp.")]
    #[case::localhost("localhost", "localhost.")]
    #[case::whole_label("ollama.", "ollama.")]
    fn a_name_means_the_same_for_everybody(#[case] host: &str, #[case] expected: &str) {
        let search = ["team-a.svc.k8s.corp.", "svc.k8s.corp", "k8s.corp", "evil.example"].map(str::to_owned);
        assert_eq!(Domains::of_search(&search).absolute(host), expected);
    }

    #[test]
    fn outside_a_cluster_only_services_are_completed() {
        let domains = Domains::of_search(&["home.example".to_owned()]);
        assert_eq!(domains.absolute("printer"), "printer.");
        assert_eq!(domains.absolute("a.b.svc"), "a.b.svc.cluster.local.");
    }
}
