//! Where this cluster resolves names.

use std::net::IpAddr;

use ipnet::IpNet;
use k8s_openapi::api::networking::v1::{NetworkPolicyEgressRule, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Deserialize;

use super::{block, pods_of};
use crate::child::Labels;

/// Where names are resolved: pods of a namespace, addresses, or both.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Dns {
    /// The namespace of the servers' pods; none when empty.
    pub namespace: String,
    /// Their labels; all pods of the namespace when empty.
    pub pod_labels: Labels,
    /// Further servers by address or range, for example a cache on each node.
    pub addresses: Vec<Server>,
    /// The ports that they listen on. Policies see pods, whose port need not be their Service's.
    pub ports: Vec<u16>,
}

/// An address or a range.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Server(IpNet);

impl TryFrom<String> for Server {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let network = text.parse::<IpNet>();
        let network = network.or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network
            .map(Self)
            .map_err(|_| format!("{text:?} is neither an address nor a range of addresses"))
    }
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            namespace: "kube-system".to_owned(),
            pod_labels: Labels::from([("k8s-app".to_owned(), "kube-dns".to_owned())]),
            // Where node-local caches listen.
            addresses: vec![Server(IpNet::from(IpAddr::from([169, 254, 20, 10])))],
            ports: vec![53],
        }
    }
}

/// Why names could not be resolved, or by anybody.
#[derive(Debug, thiserror::Error)]
pub enum DnsError {
    /// It is not what is expected.
    #[error("can't be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A rule without peers opens everything.
    #[error("names neither a namespace nor an address")]
    Nowhere,
    /// A rule without ports opens all of them.
    #[error("names no port")]
    NoPort,
}

impl Dns {
    /// From JSON.
    pub fn read(text: &str) -> Result<Self, DnsError> {
        let dns: Self = serde_json::from_str(text)?;
        if dns.namespace.is_empty() && dns.addresses.is_empty() {
            return Err(DnsError::Nowhere);
        }
        if dns.ports.is_empty() {
            return Err(DnsError::NoPort);
        }
        Ok(dns)
    }

    /// Name resolution, and no other server at its port.
    pub(crate) fn rule(&self) -> NetworkPolicyEgressRule {
        let pods = (!self.namespace.is_empty()).then(|| pods_of(&self.namespace, self.pod_labels.clone()));
        let addresses = self.addresses.iter().map(|Server(range)| block(range, &[]));
        let ports = self.ports.iter().flat_map(|port| {
            ["UDP", "TCP"].map(|protocol| NetworkPolicyPort {
                protocol: Some(protocol.to_owned()),
                port: Some(IntOrString::Int(i32::from(*port))),
                end_port: None,
            })
        });
        NetworkPolicyEgressRule {
            to: Some(pods.into_iter().chain(addresses).collect()),
            ports: Some(ports.collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_resolved_where_the_cluster_does_it() {
        let openshift = r#"{"namespace": "openshift-dns", "podLabels": {"dns.operator.openshift.io/daemonset-dns": "default"},
            "addresses": ["10.0.0.10", "fd00::/64"], "ports": [5353]}"#;
        let rule = serde_json::to_value(Dns::read(openshift).unwrap().rule()).unwrap();
        let expected = json!({
            "to": [
                {
                    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "openshift-dns"}},
                    "podSelector": {"matchLabels": {"dns.operator.openshift.io/daemonset-dns": "default"}},
                },
                {"ipBlock": {"cidr": "10.0.0.10/32"}},
                {"ipBlock": {"cidr": "fd00::/64"}},
            ],
            "ports": [{"port": 5353, "protocol": "UDP"}, {"port": 5353, "protocol": "TCP"}],
        });
        assert_eq!(rule, expected);
    }

    #[test]
    fn what_would_open_everything_is_refused() {
        for text in [
            r#"{"namespace": "", "addresses": []}"#,
            r#"{"ports": []}"#,
            r#"{"addresses": ["dns.example"]}"#,
            r#"{"port": 53}"#,
        ] {
            assert!(Dns::read(text).is_err(), "{text}");
        }
        assert_eq!(Dns::read("{}").unwrap(), Dns::default());
    }
}
