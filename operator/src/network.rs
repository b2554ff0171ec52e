//! Who may talk to whom. A pod that a policy selects may do what the policies name, and nothing else.

mod dns;
mod endpoint;

use ipnet::{IpNet, Ipv4Net};
use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
    NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use monstrum_guardian::address;

pub(crate) use dns::Dns;
use endpoint::Host;
pub(crate) use endpoint::{Outward, Target, Vantage};

use crate::child::{Labels, Owner, label};
use crate::installation::{ADMIN_PORT, GRPC_PORT, Installation};

const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

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
            (label::NAME.to_owned(), installation.system_name.clone()),
            (label::COMPONENT.to_owned(), component.to_owned()),
        ]);
        pods_of(&installation.namespace, labels)
    };
    to(vec![part("operator"), part("ledger")], &[GRPC_PORT])
}

/// Where an administrator's URL points, opened as far as whoever dials it may judge it reachable: nothing for what may not be
/// reached at all.
pub(crate) fn to_target(target: &Target) -> Option<NetworkPolicyEgressRule> {
    let Target { endpoint, ranges } = target;
    match &endpoint.host {
        // Its addresses are private: where no range is named, the connection is refused anyway.
        Host::Cluster { .. } if ranges.is_empty() => None,
        // A Service's port is not its pods' port, and policies see pods.
        Host::Cluster { namespace } => Some(NetworkPolicyEgressRule {
            to: Some(vec![pods_of(namespace, Labels::new())]),
            ports: None,
        }),
        Host::Address(address) => {
            let refused = address::refusal(*address, ranges).is_some();
            let single = IpNet::from(address::folded(*address));
            (!refused).then(|| to(vec![block(&single, &[])], &[endpoint.port]))
        }
        Host::Name => Some(to_internet(&[endpoint.port], ranges)),
    }
}

/// Where a pod's calls go.
pub(crate) fn to_outward(outward: &Outward) -> impl Iterator<Item = NetworkPolicyEgressRule> {
    let ports = (!outward.ports.is_empty()).then(|| to_internet(&outward.ports, &[]));
    outward.targets.iter().filter_map(to_target).chain(ports)
}

/// The internet at these ports, and further ranges without what nobody may reach in them.
pub(crate) fn to_internet(ports: &[i32], also: &[IpNet]) -> NetworkPolicyEgressRule {
    let internet = [IpNet::V4(Ipv4Net::default()), address::GLOBAL_V6];
    let mut peers: Vec<_> = internet
        .iter()
        .map(|range| block(range, &address::special_within(range)))
        .collect();
    let reachable = also.iter().filter(|range| address::never_within(range).is_none());
    peers.extend(reachable.map(|range| block(range, &address::holes(range))));
    to(peers, ports)
}

/// Metrics, for the namespace that may read them.
pub(crate) fn from_metrics(installation: &Installation) -> Option<NetworkPolicyIngressRule> {
    let namespace = installation.metrics_namespace.as_deref()?;
    Some(from(vec![pods_of(namespace, Labels::new())], &[ADMIN_PORT]))
}

fn block(range: &IpNet, except: &[IpNet]) -> NetworkPolicyPeer {
    let except: Vec<String> = except.iter().map(ToString::to_string).collect();
    NetworkPolicyPeer {
        ip_block: Some(IPBlock {
            cidr: range.to_string(),
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

#[cfg(test)]
mod tests;
