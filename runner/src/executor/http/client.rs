//! Clients that connect to checked addresses and to nothing else.

use std::collections::VecDeque;
use std::error::Error;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};

use super::guard::Target;
use crate::call::{Failure, chain};

/// How many clients, with their idle connections, are kept.
const KEPT: usize = 16;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const USER_AGENT: &str = concat!("monstrum-runner/", env!("CARGO_PKG_VERSION"));
/// Response headers above this are an attack.
const HEADER_LIST_BYTES: u32 = 64 * 1024;

/// One client for each target and authority, so that connections are used again.
#[derive(Debug, Default)]
pub(super) struct Clients {
    recent: Mutex<VecDeque<(Key, Client)>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    target: Target,
    ca_certificate: Option<String>,
}

impl Clients {
    /// A client that can only connect to `target`, and trusts only `ca_certificate` if it is given.
    pub(super) fn get(&self, target: &Target, ca_certificate: Option<&String>) -> Result<Client, Failure> {
        let key = Key {
            target: target.clone(),
            ca_certificate: ca_certificate.cloned(),
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

fn build(key: &Key) -> Result<Client, Failure> {
    let mut builder = Client::builder()
        .dns_resolver(Pinned(key.target.clone()))
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        // An effect happens at most once: what failed is reported, never sent again.
        .retry(reqwest::retry::never())
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(2)
        .http2_max_header_list_size(HEADER_LIST_BYTES);
    if let Some(pem) = &key.ca_certificate {
        let certificates = Certificate::from_pem_bundle(pem.as_bytes()).map_err(|error| {
            Failure::invalid(format!("the resource's config: caCertificate: {}", chain(&error)))
        })?;
        if certificates.is_empty() {
            return Err(Failure::invalid(
                "the resource's config: caCertificate holds no PEM certificate",
            ));
        }
        builder = builder.tls_certs_only(certificates);
    }
    builder
        .build()
        .map_err(|error| Failure::internal(format!("no HTTP client: {}", chain(&error))))
}

/// Answers with the checked addresses for the checked host. A literal address is never asked for: the client takes it
/// from the URL, from where the guard took it, too.
#[derive(Debug)]
struct Pinned(Target);

impl Resolve for Pinned {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(ready(if name.as_str() == self.0.host {
            let addresses: Vec<SocketAddr> = self.0.addresses.clone();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        } else {
            Err(Box::<dyn Error + Send + Sync>::from("this name was not checked"))
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
        let client = clients.get(&target("a.example", "127.0.0.1:1"), None).unwrap();
        let error = client.get("http://localhost:1/").send().await.unwrap_err();
        assert!(chain(&error).contains("not checked"), "{}", chain(&error));
    }

    #[test]
    fn clients_are_kept_by_target_and_authority_and_in_number() {
        monstrum_service::install_crypto();
        let clients = Clients::default();
        for number in 0..KEPT + 3 {
            clients
                .get(&target(&format!("h{number}.example"), "1.1.1.1:443"), None)
                .unwrap();
        }
        clients.get(&target("h18.example", "1.1.1.1:443"), None).unwrap();
        assert_eq!(clients.recent.lock().unwrap().len(), KEPT);
        clients.get(&target("h18.example", "1.1.1.2:443"), None).unwrap();
        let recent = clients.recent.lock().unwrap();
        assert_eq!(
            recent.front().unwrap().0.target,
            target("h18.example", "1.1.1.2:443")
        );
    }

    #[test]
    fn an_unreadable_authority_is_told() {
        monstrum_service::install_crypto();
        let failure = Clients::default()
            .get(&target("a", "1.1.1.1:443"), Some(&"not PEM".to_owned()))
            .unwrap_err();
        assert!(failure.message.contains("caCertificate"), "{}", failure.message);
    }
}
