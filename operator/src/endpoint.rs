//! Where gateways and channels find the leader.
//!
//! A connection to a follower would be of no use, and would be kept: HTTP/2 connections are. So the Service for them has no
//! selector; the leader itself is its only endpoint, and says so in an `EndpointSlice`.

use std::net::IpAddr;
use std::time::Duration;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use crate::child::{MANAGER, label};
use crate::installation::GRPC_PORT;

/// The label that ties a slice to a Service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// Who writes the slice.
const FIELD_MANAGER: &str = "monstrum-leader-endpoint";
/// How often it is looked at: somebody may have deleted or changed it.
const EVERY: Duration = Duration::from_secs(10);
/// After a failure.
const SOON: Duration = Duration::from_secs(1);

/// The leader's places behind the Service: the same pod, once for each address family.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) namespace: String,
    pub(crate) service: String,
    /// One of each family.
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) pod: String,
}

/// Keeps the leader the Service's only endpoint. Runs until dropped.
pub(crate) async fn keep(client: &Client, endpoint: &Endpoint) {
    loop {
        let wait = match put(client, endpoint).await {
            Ok(written) => {
                if written {
                    tracing::info!(addresses = ?endpoint.addresses, service = %endpoint.service, "gateways find this leader now");
                }
                EVERY
            }
            Err(error) => {
                tracing::warn!(error = %error, service = %endpoint.service, "gateways can't be told where the leader is");
                SOON
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// True when something was written.
async fn put(client: &Client, endpoint: &Endpoint) -> Result<bool, kube::Error> {
    let slices: Api<EndpointSlice> = Api::namespaced(client.clone(), &endpoint.namespace);
    let owner = owner(client, endpoint).await?;
    let mut missing: Vec<Place<'_>> = endpoint.places().collect();
    for found in slices.list(&endpoint.list()).await? {
        let found_name = found.name_any();
        if endpoint.places().any(|place| place.name() == found_name) {
            missing.retain(|place| place.name() != found_name || !place.is_said_by(&found, owner.as_deref()));
        } else {
            // Left from when the Service had a selector, or of a family that this pod has no address of.
            tracing::info!(slice = %found_name, "deleting another slice of the leader's Service");
            slices.delete(&found_name, &DeleteParams::default()).await?;
        }
    }
    for place in &missing {
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        slices
            .patch(
                &place.name(),
                &parameters,
                &Patch::Apply(place.slice(owner.as_deref())),
            )
            .await?;
    }
    Ok(!missing.is_empty())
}

/// The uid of the Service, with which the slice goes, as those of Kubernetes' own controller do. None where it may not be read: that
/// gateways find the leader is worth more than that nothing is left after an uninstall.
async fn owner(client: &Client, endpoint: &Endpoint) -> Result<Option<String>, kube::Error> {
    let services: Api<Service> = Api::namespaced(client.clone(), &endpoint.namespace);
    match services.get_metadata_opt(&endpoint.service).await {
        Ok(service) => Ok(service.and_then(|service| service.uid())),
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(None),
        Err(error) => Err(error),
    }
}

impl Endpoint {
    fn places(&self) -> impl Iterator<Item = Place<'_>> {
        let endpoint = self;
        self.addresses
            .iter()
            .map(move |&address| Place { endpoint, address })
    }

    fn list(&self) -> ListParams {
        ListParams::default().labels(&format!("{SERVICE_NAME}={}", self.service))
    }
}

/// One address of the leader.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    endpoint: &'a Endpoint,
    address: IpAddr,
}

impl Place<'_> {
    /// One slice for each family: a slice's can't be changed.
    fn name(&self) -> String {
        format!(
            "{}-leader-{}",
            self.endpoint.service,
            self.family().to_lowercase()
        )
    }

    fn family(&self) -> &'static str {
        match self.address {
            IpAddr::V4(_) => "IPv4",
            IpAddr::V6(_) => "IPv6",
        }
    }

    fn is_said_by(&self, slice: &EndpointSlice, owner: Option<&str>) -> bool {
        let owners = slice.owner_references();
        if owner.is_some_and(|owner| owners.iter().all(|reference| reference.uid != owner)) {
            return false;
        }
        match slice.endpoints.as_slice() {
            [only] => {
                let ports = slice.ports.iter().flatten();
                only.addresses == [self.address.to_string()]
                    && ports.map(|port| port.port).eq([Some(GRPC_PORT)])
            }
            _ => false,
        }
    }

    fn slice(&self, owner: Option<&str>) -> Value {
        let owners: Vec<_> = owner
            .map(|uid| json!({"apiVersion": "v1", "kind": "Service", "name": self.endpoint.service, "uid": uid}))
            .into_iter()
            .collect();
        json!({
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": self.name(),
                "namespace": self.endpoint.namespace,
                "labels": {
                    SERVICE_NAME: self.endpoint.service,
                    "endpointslice.kubernetes.io/managed-by": MANAGER,
                    label::NAME: "monstrum",
                    label::MANAGED_BY: MANAGER,
                },
                "ownerReferences": owners,
            },
            "addressType": self.family(),
            "endpoints": [{
                "addresses": [self.address.to_string()],
                "conditions": { "ready": true },
                "targetRef": { "kind": "Pod", "name": self.endpoint.pod, "namespace": self.endpoint.namespace },
            }],
            "ports": [{ "name": "grpc", "port": GRPC_PORT, "protocol": "TCP" }],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_api::FakeApi;

    const PATH: &str =
        "/apis/discovery.k8s.io/v1/namespaces/system/endpointslices/monstrum-operator-leader-ipv4";

    fn at(address: &str) -> Endpoint {
        Endpoint {
            namespace: "system".to_owned(),
            service: "monstrum-operator".to_owned(),
            addresses: address
                .split(',')
                .map(|address| address.parse().unwrap())
                .collect(),
            pod: "monstrum-operator-0".to_owned(),
        }
    }

    #[tokio::test]
    async fn the_leader_is_the_only_endpoint() {
        let api = FakeApi::default();
        let client = api.client();
        assert!(put(&client, &at("10.0.0.1")).await.unwrap());
        assert!(!put(&client, &at("10.0.0.1")).await.unwrap());
        assert!(put(&client, &at("10.0.0.2")).await.unwrap());
        assert_eq!(api.paths(), [PATH]);
        let slice = api.get(PATH).unwrap();
        assert_eq!(slice["endpoints"].as_array().unwrap().len(), 1);
        assert_eq!(slice["endpoints"][0]["addresses"], json!(["10.0.0.2"]));
        assert_eq!(
            slice["metadata"]["labels"]["kubernetes.io/service-name"],
            "monstrum-operator"
        );
    }

    #[tokio::test]
    async fn the_slice_goes_with_its_service() {
        let api = FakeApi::default();
        let service = "/api/v1/namespaces/system/services/monstrum-operator";
        let metadata = json!({"name": "monstrum-operator", "namespace": "system", "uid": "u-1"});
        put(&api.client(), &at("10.0.0.1")).await.unwrap();
        api.put(
            service,
            json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata}),
        );
        assert!(
            put(&api.client(), &at("10.0.0.1")).await.unwrap(),
            "one from before has no owner"
        );
        assert!(!put(&api.client(), &at("10.0.0.1")).await.unwrap());
        let owners = api.get(PATH).unwrap()["metadata"]["ownerReferences"].clone();
        assert_eq!(
            (&owners[0]["kind"], &owners[0]["uid"]),
            (&json!("Service"), &json!("u-1"))
        );
    }

    #[tokio::test]
    async fn other_slices_of_the_service_go() {
        let api = FakeApi::default();
        let left = PATH.replace("-leader-ipv4", "-x7k2p");
        let metadata = json!({"name": "monstrum-operator-x7k2p", "namespace": "system"});
        api.put(
            &left,
            json!({"metadata": metadata, "addressType": "IPv4", "endpoints": []}),
        );
        put(&api.client(), &at("10.0.0.1")).await.unwrap();
        assert_eq!(api.paths(), [PATH]);
    }

    #[tokio::test]
    async fn a_leader_with_two_families_is_found_by_both() {
        let api = FakeApi::default();
        assert!(put(&api.client(), &at("10.0.0.1,fd00::1")).await.unwrap());
        assert!(!put(&api.client(), &at("10.0.0.1,fd00::1")).await.unwrap());
        assert_eq!(api.paths(), [PATH.to_owned(), PATH.replace("ipv4", "ipv6")]);
        assert!(!put(&api.client(), &at("10.0.0.1")).await.unwrap());
        assert_eq!(api.paths(), [PATH]);
    }

    #[test]
    fn the_families_have_slices_of_their_own() {
        let endpoint = at("10.0.0.1,fd00::1");
        let places: Vec<Place<'_>> = endpoint.places().collect();
        assert_eq!(places[0].name(), "monstrum-operator-leader-ipv4");
        assert_eq!(places[1].name(), "monstrum-operator-leader-ipv6");
        assert_eq!(places[1].slice(None)["addressType"], "IPv6");
    }
}
