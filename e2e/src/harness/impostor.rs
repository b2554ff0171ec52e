//! Speaks gRPC with a certificate taken from the cluster: what an attacker would do who stole one.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use super::cluster::SYSTEM;
use super::tunnel;
use super::workspace::Workspace;

/// A stolen certificate.
#[derive(Clone)]
pub struct Impostor {
    client: Client,
    config: Arc<ClientConfig>,
}

/// Where a server is.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The pod's namespace.
    pub namespace: &'a str,
    /// Its labels.
    pub labels: &'a str,
    /// The name that its certificate must carry.
    pub name: &'a str,
}

impl Impostor {
    /// Takes the certificate of a TLS Secret.
    pub async fn with(workspace: &Workspace, secret: &str) -> Result<Self> {
        let secret = workspace.get("secret", secret).await?;
        let file = |name: &str| {
            let text = secret["data"][name]
                .as_str()
                .ok_or_else(|| anyhow!("the Secret has no {name}"))?;
            anyhow::Ok(STANDARD.decode(text)?)
        };
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&file("ca.crt")?)?)?;
        let chain = CertificateDer::pem_slice_iter(&file("tls.crt")?).collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_slice(&file("tls.key")?)?;
        let mut config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self {
            client: workspace.cluster().client(),
            config: Arc::new(config),
        })
    }

    /// A connection to port 9443 of a target.
    pub async fn connect(&self, target: Target<'_>) -> Result<Channel> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), target.namespace);
        let pod = tunnel::ready_pod(&pods, target.labels).await?;
        self.connect_to(target.namespace, pod, target.name)
    }

    /// A connection to port 9443 of a target over the pods' own network, which this machine must be part of.
    pub async fn dial(&self, target: Target<'_>) -> Result<Channel> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), target.namespace);
        let pod = pods.get(&tunnel::ready_pod(&pods, target.labels).await?).await?;
        let address = pod.status.and_then(|status| status.pod_ip);
        let address: IpAddr = address
            .ok_or_else(|| anyhow!("the pod has no address"))?
            .parse()?;
        let endpoint = Endpoint::from_static("http://pod").connect_timeout(Duration::from_secs(5));
        self.channel(endpoint, target.name, move || async move {
            let stream = TcpStream::connect((address, 9443)).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }

    /// A connection to port 9443 of the operator that leads.
    pub async fn connect_to_leader(&self) -> Result<Channel> {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), SYSTEM);
        let holder = leases
            .get("monstrum-operator")
            .await?
            .spec
            .and_then(|spec| spec.holder_identity);
        let holder = holder.ok_or_else(|| anyhow!("no operator leads"))?;
        let pod = holder.split('_').next().unwrap_or_default().to_owned();
        self.connect_to(SYSTEM, pod, "monstrum-operator.monstrum-system.svc")
    }

    fn connect_to(&self, namespace: &str, pod: String, name: &str) -> Result<Channel> {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        self.channel(Endpoint::from_static("http://impostor"), name, move || {
            let (pods, pod) = (pods.clone(), pod.clone());
            async move { tunnel::open(&pods, &pod, 9443).await }
        })
    }

    /// TLS with the stolen certificate over whatever `open` gives, to a server that must be called `name`.
    fn channel<F, S>(
        &self,
        endpoint: Endpoint,
        name: &str,
        open: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<Channel>
    where
        F: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let name = ServerName::try_from(name.to_owned())?;
        let config = Arc::clone(&self.config);
        let connector = tower::service_fn(move |_| {
            let (stream, name, config) = (open(), name.clone(), Arc::clone(&config));
            async move {
                TlsConnector::from(config)
                    .connect(name, stream.await?)
                    .await
                    .map(TokioIo::new)
            }
        });
        Ok(endpoint.connect_with_connector_lazy(connector))
    }
}
