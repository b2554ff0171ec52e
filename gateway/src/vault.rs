//! Leased credentials: opened by the operator ahead of use, and kept in memory for as long as the policy that names their
//! version holds.
//!
//! Each renewal of the policy says that its credentials are still the current ones, so that the policy's lease bounds
//! theirs, and a gateway goes on for as long without an operator.

mod secret;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use monstrum_scrub::{Scrubber, Tainted};
use monstrum_service::Channel;
use monstrum_wire::policy::vault_client::VaultClient;
use monstrum_wire::policy::{LeaseRequest, LeaseResponse, lease_request};
use tonic::Code;

pub use secret::{KeyError, Secret};

use crate::policy::{Enforced, Policy};

/// A shorter key is a placeholder, such as local servers are given, and may be a word that a call needs.
const SHORTEST_KEY: usize = 16;
/// How long the operator may take.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Whose credential.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A binding's.
    Binding(String),
    /// The model provider's.
    Provider(String),
}

/// Why there is no credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The operator does not answer.
    #[error("the vault can't be reached: {0}")]
    Unreachable(String),
    /// The operator refuses.
    #[error("the vault does not open the credential: {0}")]
    Refused(String),
}

/// The credentials that this gateway holds.
#[derive(Debug, Clone)]
pub struct Vault {
    client: VaultClient<Channel>,
    policy: Policy,
    /// One lease is asked for at a time, so that nobody asks for what another is about to get.
    opening: Arc<tokio::sync::Mutex<()>>,
    held: Arc<Mutex<Holdings>>,
}

#[derive(Debug, Default)]
struct Holdings {
    leases: HashMap<Subject, Lease>,
    /// Knows every secret in `leases`.
    scrubber: Scrubber,
    /// Knows the keys of model providers among them.
    keys: Scrubber,
}

impl Holdings {
    /// After `leases` changed.
    fn learn(&mut self) {
        let secrets = self.leases.values().flat_map(|lease| lease.secret.values());
        self.scrubber = Scrubber::new(secrets);
        let of_provider = |(subject, _): &(&Subject, &Lease)| matches!(subject, Subject::Provider(_));
        let providers = self.leases.iter().filter(of_provider);
        let keys = providers.flat_map(|(_, lease)| lease.secret.values());
        self.keys = Scrubber::new(keys.filter(|key| key.trim_ascii().len() >= SHORTEST_KEY));
    }
}

#[derive(Debug, Clone)]
struct Lease {
    version: String,
    secret: Arc<Secret>,
}

impl Vault {
    /// Over a channel to the operator, for what `policy` names.
    pub fn new(channel: Channel, policy: Policy) -> Self {
        Self {
            client: VaultClient::new(channel),
            policy,
            opening: Arc::default(),
            held: Arc::default(),
        }
    }

    /// The secret of `subject` in exactly `version`.
    pub async fn open(&self, subject: Subject, version: &str) -> Result<Arc<Secret>, VaultError> {
        if let Some(secret) = self.cached(&subject, version) {
            return Ok(secret);
        }
        let _opening = self.opening.lock().await;
        if let Some(secret) = self.cached(&subject, version) {
            return Ok(secret);
        }
        let request = LeaseRequest {
            subject: Some(match &subject {
                Subject::Binding(name) => lease_request::Subject::Binding(name.clone()),
                Subject::Provider(name) => lease_request::Subject::Provider(name.clone()),
            }),
            version: version.to_owned(),
        };
        let answer = tokio::time::timeout(TIMEOUT, self.client.clone().lease(request)).await;
        let answer = answer.map_err(|_| VaultError::Unreachable("no answer in time".to_owned()))?;
        let response = answer.map_err(|status| self.refusal(&status))?.into_inner();
        if response.version != version {
            return Err(VaultError::Refused(format!(
                "version {version} was asked for, another one came"
            )));
        }
        Ok(self.keep(subject, response))
    }

    /// Opens every credential that the policy names, so that none has to be opened while no operator answers.
    pub async fn prepare(&self) {
        for (subject, version) in subjects(&self.policy.current()) {
            if let Err(error) = self.open(subject, &version).await {
                // Whoever needs it tries again, and tells.
                tracing::debug!(error = %error, "a credential could not be opened ahead of use");
            }
        }
    }

    /// Finds every secret that is held now.
    pub fn scrubber(&self) -> Scrubber {
        self.lock().scrubber.clone()
    }

    /// Whether `text` holds the key of a model provider, however it is written. It is sent to the provider with each question, who
    /// may send it back; in a call's arguments it would go to whoever the call goes to.
    pub fn tells_key(&self, text: &str) -> bool {
        let keys = self.lock().keys.clone();
        keys.text(text) != text
    }

    /// Finds `secret` besides, which may have been forgotten since it was opened.
    pub fn scrubber_with(&self, secret: &Arc<Secret>) -> Scrubber {
        let held = self.lock();
        let mut leases = held.leases.values();
        if leases.any(|lease| Arc::ptr_eq(&lease.secret, secret)) {
            return held.scrubber.clone();
        }
        let secrets = held.leases.values().map(|lease| &lease.secret).chain([secret]);
        Scrubber::new(secrets.flat_map(|secret| secret.values()))
    }

    /// Forgets what the policy does not name in this version; everything, when there is no policy.
    pub fn retain(&self) {
        let policy = self.policy.current();
        let mut held = self.lock();
        let before = held.leases.len();
        held.leases
            .retain(|subject, lease| names(&policy, subject, &lease.version));
        if held.leases.len() != before {
            held.learn();
        }
    }

    fn refusal(&self, status: &tonic::Status) -> VaultError {
        let message = Tainted::from(status.message()).text(&self.scrubber());
        match status.code() {
            Code::NotFound | Code::FailedPrecondition | Code::PermissionDenied | Code::InvalidArgument => {
                VaultError::Refused(message)
            }
            _ => VaultError::Unreachable(message),
        }
    }

    fn cached(&self, subject: &Subject, version: &str) -> Option<Arc<Secret>> {
        let held = self.lock();
        let lease = held.leases.get(subject)?;
        let named = lease.version == version && names(&self.policy.current(), subject, version);
        named.then(|| Arc::clone(&lease.secret))
    }

    fn keep(&self, subject: Subject, response: LeaseResponse) -> Arc<Secret> {
        let secret = Arc::new(Secret::new(response.fields, response.hosts));
        let lease = Lease {
            version: response.version,
            secret: Arc::clone(&secret),
        };
        let mut held = self.lock();
        held.leases.insert(subject, lease);
        held.learn();
        secret
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Holdings> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn names(policy: &Enforced, subject: &Subject, version: &str) -> bool {
    match subject {
        Subject::Binding(name) => {
            let credential = policy
                .engine
                .binding(name)
                .and_then(|binding| binding.credential.as_ref());
            credential.is_some_and(|credential| credential.version == version)
        }
        Subject::Provider(name) => {
            let model = policy.settings.model.as_ref();
            model.is_some_and(|model| model.provider == *name && model.credential_version == version)
        }
    }
}

/// Everything that `policy` names a credential for.
fn subjects(policy: &Enforced) -> Vec<(Subject, String)> {
    let bindings = policy.engine.document().bindings.iter().filter_map(|binding| {
        let credential = binding.credential.as_ref()?;
        Some((Subject::Binding(binding.name.clone()), credential.version.clone()))
    });
    let model = policy.settings.model.as_ref();
    let provider = model
        .filter(|model| !model.credential_version.is_empty())
        .map(|model| {
            (
                Subject::Provider(model.provider.clone()),
                model.credential_version.clone(),
            )
        });
    bindings.chain(provider).collect()
}
