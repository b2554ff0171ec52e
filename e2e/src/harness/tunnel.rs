//! HTTP to a pod, through the API server's port-forward.

use std::io;

use anyhow::{Context as _, Result, anyhow};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::api::ListParams;
use kube::{Api, Client};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::transport::{Channel, Endpoint};

/// Sends one request to a ready pod with these labels.
pub async fn send(
    client: &Client,
    namespace: &str,
    labels: &str,
    port: u16,
    request: Request<String>,
) -> Result<Response<String>> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let pod = ready_pod(&pods, labels).await?;
    let stream = open(&pods, &pod, port)
        .await
        .with_context(|| format!("port-forward to {pod}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let (mut parts, body) = request.into_parts();
    parts
        .headers
        .entry(http::header::HOST)
        .or_insert(http::HeaderValue::from_static("localhost"));
    let response = sender
        .send_request(Request::from_parts(parts, Full::new(bytes::Bytes::from(body))))
        .await?;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    connection.abort();
    Ok(Response::from_parts(
        parts,
        String::from_utf8_lossy(&bytes).into_owned(),
    ))
}

/// A byte stream to a port of a pod.
pub(super) async fn open(
    pods: &Api<Pod>,
    pod: &str,
    port: u16,
) -> io::Result<impl AsyncRead + AsyncWrite + Unpin + Send + use<>> {
    let mut forward = pods.portforward(pod, &[port]).await.map_err(io::Error::other)?;
    forward
        .take_stream(port)
        .ok_or_else(|| io::Error::other(format!("no stream for port {port}")))
}

/// A gRPC connection to a port of a pod.
pub fn grpc(pods: Api<Pod>, pod: String, port: u16) -> Channel {
    let connector = tower::service_fn(move |_| {
        let (pods, pod) = (pods.clone(), pod.clone());
        async move { open(&pods, &pod, port).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://pod").connect_with_connector_lazy(connector)
}

/// The name of a pod with these labels that is ready.
pub async fn ready_pod(pods: &Api<Pod>, labels: &str) -> Result<String> {
    let found = pods.list(&ListParams::default().labels(labels)).await?;
    let ready = found.items.into_iter().find(is_ready);
    ready
        .and_then(|pod| pod.metadata.name)
        .ok_or_else(|| anyhow!("no pod with {labels} is ready"))
}

/// Whether a pod is ready and not on its way out.
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready =
        conditions.is_some_and(|all| all.iter().any(|one| one.type_ == "Ready" && one.status == "True"));
    ready && pod.metadata.deletion_timestamp.is_none()
}
