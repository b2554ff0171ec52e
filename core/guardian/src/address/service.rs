//! Names of a cluster's Services: they lead to private addresses, and whoever writes one means that.

/// Which namespace's Service a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service<'a> {
    /// One beside whoever asks: `ollama`.
    Beside,
    /// One of this namespace: `ollama.models.svc`, with or without the cluster's usual domain.
    Of(&'a str),
}

/// The domain of a cluster that says nothing else.
pub const CLUSTER_DOMAIN: &str = "cluster.local";

/// The Service that a host in lower case stands for, if it does, in a cluster with the usual domain.
pub fn service(host: &str) -> Option<Service<'_>> {
    service_of(host, CLUSTER_DOMAIN)
}

/// The Service that a host in lower case stands for, if it does, in a cluster with this domain. Nothing else is ever completed:
/// `ollama.models` is a name of the internet.
pub fn service_of<'a>(host: &'a str, cluster_domain: &str) -> Option<Service<'a>> {
    if !host.contains('.') {
        let is_name = host.bytes().any(|byte| byte.is_ascii_alphabetic()) && !host.contains(':');
        return (is_name && host != "localhost").then_some(Service::Beside);
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let (_, namespace) = [cluster_domain, CLUSTER_DOMAIN]
        .iter()
        .find_map(|domain| host.strip_suffix(domain)?.strip_suffix('.'))
        .unwrap_or(host)
        .strip_suffix(".svc")?
        .rsplit_once('.')?;
    Some(Service::Of(namespace))
}
