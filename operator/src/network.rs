//! Who may talk to whom. A pod that a policy selects may do what the policies name, and nothing else.

mod endpoint;

use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub(crate) use endpoint::{Endpoint, Host};

use crate::child::{Labels, Owner, label};
use crate::installation::{ADMIN_PORT, GRPC_PORT, Installation};

const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";
/// Where node-local DNS caches listen.
const NODE_LOCAL_DNS: &str = "169.254.20.10/32";
/// Ranges that are not the internet: private, shared, loopback, link-local (cloud metadata), benchmark, multicast.
const NOT_THE_INTERNET: [&str; 10] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
];
const NOT_THE_INTERNET_V6: [&str; 5] = ["::/96", "64:ff9b::/96", "fc00::/7", "fe80::/10", "ff00::/8"];
/// Cloud metadata and other link-local services; nothing that a user names by URL.
const LINK_LOCAL: &str = "169.254.0.0/16";
const LINK_LOCAL_V6: &str = "fe80::/10";

/// Who may connect to a pod, and where it may connect to. Both are closed where nothing is said.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) ingress: Vec<NetworkPolicyIngressRule>,
    pub(crate) egress: Vec<NetworkPolicyEgressRule>,
}

/// The policy of the pods that `selector` finds.
pub(crate) fn policy(
    owner: &Owner,
    name: &str,
    labels: Labels,
    selector: Labels,
    rules: Rules,
) -> NetworkPolicy {
    let pods = LabelSelector {
        match_labels: Some(selector),
        ..LabelSelector::default()
    };
    NetworkPolicy {
        metadata: owner.metadata(name, labels),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(pods),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: (!rules.ingress.is_empty()).then_some(rules.ingress),
            egress: (!rules.egress.is_empty()).then_some(rules.egress),
        }),
    }
}

/// From these peers to these ports.
pub(crate) fn from(peers: Vec<NetworkPolicyPeer>, ports: &[i32]) -> NetworkPolicyIngressRule {
    NetworkPolicyIngressRule {
        from: Some(peers),
        ports: Some(ports.iter().map(|port| tcp(*port)).collect()),
    }
}

/// To these peers at these ports.
pub(crate) fn to(peers: Vec<NetworkPolicyPeer>, ports: &[i32]) -> NetworkPolicyEgressRule {
    NetworkPolicyEgressRule {
        to: Some(peers),
        ports: Some(ports.iter().map(|port| tcp(*port)).collect()),
    }
}

/// Pods of the same namespace.
pub(crate) fn pods(labels: Labels) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        pod_selector: Some(LabelSelector {
            match_labels: Some(labels),
            ..LabelSelector::default()
        }),
        ..NetworkPolicyPeer::default()
    }
}

/// Pods of another namespace; all of them without labels.
pub(crate) fn pods_of(namespace: &str, labels: Labels) -> NetworkPolicyPeer {
    let name = Labels::from([(NAMESPACE_NAME.to_owned(), namespace.to_owned())]);
    NetworkPolicyPeer {
        namespace_selector: Some(LabelSelector {
            match_labels: Some(name),
            ..LabelSelector::default()
        }),
        pod_selector: (!labels.is_empty()).then(|| LabelSelector {
            match_labels: Some(labels),
            ..LabelSelector::default()
        }),
        ip_block: None,
    }
}

/// Operator and ledger, for policy, credentials and records.
pub(crate) fn to_system(installation: &Installation) -> NetworkPolicyEgressRule {
    let part = |component: &str| {
        let labels = Labels::from([
            (label::NAME.to_owned(), "monstrum".to_owned()),
            (label::COMPONENT.to_owned(), component.to_owned()),
        ]);
        pods_of(&installation.namespace, labels)
    };
    to(vec![part("operator"), part("ledger")], &[GRPC_PORT])
}

/// Name resolution, and no other server at its port.
pub(crate) fn to_dns() -> NetworkPolicyEgressRule {
    let labels = Labels::from([("k8s-app".to_owned(), "kube-dns".to_owned())]);
    let peers = vec![pods_of("kube-system", labels), block(NODE_LOCAL_DNS, &[])];
    let port = |protocol: &str| NetworkPolicyPort {
        protocol: Some(protocol.to_owned()),
        port: Some(IntOrString::Int(53)),
        end_port: None,
    };
    NetworkPolicyEgressRule {
        to: Some(peers),
        ports: Some(vec![port("UDP"), port("TCP")]),
    }
}

/// Where an administrator's URL points: an address, a namespace of this cluster, or by name anywhere but link-local.
pub(crate) fn to_endpoint(endpoint: &Endpoint) -> NetworkPolicyEgressRule {
    match &endpoint.host {
        // A Service's port is not its pods' port, and policies see pods.
        Host::Cluster { namespace } => NetworkPolicyEgressRule {
            to: Some(vec![pods_of(namespace, Labels::new())]),
            ports: None,
        },
        Host::Address(address) => to(vec![block(&single(*address), &[])], &[endpoint.port]),
        Host::Name => to(
            vec![block("0.0.0.0/0", &[LINK_LOCAL]), block("::/0", &[LINK_LOCAL_V6])],
            &[endpoint.port],
        ),
    }
}

/// The internet at one port, and the further ranges that a resource may reach.
pub(crate) fn to_internet(ports: &[i32], also: &[String]) -> NetworkPolicyEgressRule {
    let mut peers = vec![
        block("0.0.0.0/0", &NOT_THE_INTERNET),
        block("::/0", &NOT_THE_INTERNET_V6),
    ];
    peers.extend(also.iter().map(|range| block(range, &[])));
    to(peers, ports)
}

/// Metrics, for the namespace that may read them.
pub(crate) fn from_metrics(installation: &Installation) -> Option<NetworkPolicyIngressRule> {
    let namespace = installation.metrics_namespace.as_deref()?;
    Some(from(vec![pods_of(namespace, Labels::new())], &[ADMIN_PORT]))
}

fn single(address: std::net::IpAddr) -> String {
    match address {
        std::net::IpAddr::V4(address) => format!("{address}/32"),
        std::net::IpAddr::V6(address) => format!("{address}/128"),
    }
}

fn block(range: &str, except: &[&str]) -> NetworkPolicyPeer {
    let except: Vec<String> = except.iter().map(|&range| range.to_owned()).collect();
    NetworkPolicyPeer {
        ip_block: Some(IPBlock {
            cidr: range.to_owned(),
            except: (!except.is_empty()).then_some(except),
        }),
        ..NetworkPolicyPeer::default()
    }
}

fn tcp(port: i32) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some("TCP".to_owned()),
        port: Some(IntOrString::Int(port)),
        end_port: None,
    }
}
