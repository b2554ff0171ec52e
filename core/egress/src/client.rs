//! Clients that connect to judged addresses and to nothing else.

use std::collections::VecDeque;
use std::error::Error;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use url::Url;

use crate::EgressError;
use crate::error::chain;

/// How many clients, with their idle connections, are kept.
const KEPT: usize = 16;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const KEEPALIVE: Duration = Duration::from_secs(30);
const IDLE_PER_HOST: usize = 4;
const USER_AGENT: &str = concat!("monstrum/", env!("CARGO_PKG_VERSION"));
/// Response headers above this are an attack.
const HEADER_LIST_BYTES: u32 = 64 * 1024;

/// Where a request may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The URL's host, as the client will ask for it.
    pub(crate) host: String,
    /// The addresses that passed, in a fixed order. Never empty.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// One client for each way, so that connections are used again.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    recent: Mutex<VecDeque<(Key, Client)>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    target: Target,
    proxy: Option<(Url, Target)>,
    ca_certificate: Option<String>,
}

impl Clients {
    /// A client that can only connect to `target`, or to the proxy if there is one, and trusts only `ca_certificate` if it is given.
    pub(crate) fn get(
        &self,
        target: Target,
        proxy: Option<(Url, Target)>,
        ca_certificate: Option<&str>,
    ) -> Result<Client, EgressError> {
        let key = Key {
            target,
            proxy,
            ca_certificate: ca_certificate.map(str::to_owned),
        };
        if let Some(client) = self.kept(&key) {
            return Ok(client);
        }
        let client = build(&key)?;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_front((key, client.clone()));
        recent.truncate(KEPT);
        Ok(client)
    }

    fn kept(&self, key: &Key) -> Option<Client> {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let position = recent.iter().position(|(kept, _)| kept == key)?;
        let entry = recent.remove(position)?;
        let client = entry.1.clone();
        recent.push_front(entry);
        Some(client)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where such clients are made"
)]
fn build(key: &Key) -> Result<Client, EgressError> {
    let failed = |error: reqwest::Error| EgressError::Client(chain(&error));
    let pinned = match &key.proxy {
        None => &key.target,
        Some((_, proxy)) => proxy,
    };
    let mut builder = Client::builder()
        .dns_resolver(Pinned(pinned.clone()))
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        // An effect happens at most once: what failed is reported, never sent again.
        .retry(reqwest::retry::never())
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST)
        .tcp_keepalive(KEEPALIVE)
        .http2_max_header_list_size(HEADER_LIST_BYTES);
    if let Some((url, _)) = &key.proxy {
        builder = builder.proxy(reqwest::Proxy::all(url.clone()).map_err(failed)?);
    }
    if let Some(pem) = &key.ca_certificate {
        builder = builder.tls_certs_only(authorities(pem)?);
    }
    builder.build().map_err(failed)
}

/// Whether the certificates can be read.
pub(crate) fn check_authorities(pem: &str) -> Result<(), EgressError> {
    authorities(pem).map(drop)
}

fn authorities(pem: &str) -> Result<Vec<Certificate>, EgressError> {
    let certificates = Certificate::from_pem_bundle(pem.as_bytes())
        .map_err(|error| EgressError::Authorities(chain(&error)))?;
    if certificates.is_empty() {
        return Err(EgressError::Authorities("it holds no PEM certificate".to_owned()));
    }
    Ok(certificates)
}

/// Answers with the judged addresses for the judged host. A literal address is never asked for: the client takes it
/// from the URL, from where it was judged, too.
#[derive(Debug)]
struct Pinned(Target);

impl Resolve for Pinned {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(ready(if name.as_str() == self.0.host {
            let addresses: Vec<SocketAddr> = self.0.addresses.clone();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        } else {
            Err(Box::<dyn Error + Send + Sync>::from("this name was not judged"))
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, address: &str) -> Target {
        Target {
            host: host.to_owned(),
            addresses: vec![address.parse().unwrap()],
        }
    }

    #[tokio::test]
    async fn another_name_is_never_resolved() {
        monstrum_service::install_crypto();
        let clients = Clients::default();
        let client = clients
            .get(target("a.example", "127.0.0.1:1"), None, None)
            .unwrap();
        let error = client.get("http://localhost:1/").send().await.unwrap_err();
        assert!(chain(&error).contains("not judged"), "{}", chain(&error));
    }

    #[test]
    fn clients_are_kept_by_way_and_in_number() {
        monstrum_service::install_crypto();
        let clients = Clients::default();
        let get = |host: &str, address: &str| clients.get(target(host, address), None, None).unwrap();
        for number in 0..KEPT + 3 {
            get(&format!("h{number}.example"), "1.1.1.1:443");
        }
        get("h18.example", "1.1.1.1:443");
        assert_eq!(clients.recent.lock().unwrap().len(), KEPT);
        get("h18.example", "1.1.1.2:443");
        let recent = clients.recent.lock().unwrap();
        assert_eq!(
            recent.front().unwrap().0.target,
            target("h18.example", "1.1.1.2:443")
        );
    }

    #[test]
    fn an_unreadable_authority_is_told() {
        monstrum_service::install_crypto();
        let error = Clients::default()
            .get(target("a", "1.1.1.1:443"), None, Some("not PEM"))
            .unwrap_err();
        assert!(error.to_string().contains("caCertificate"), "{error}");
    }
}
