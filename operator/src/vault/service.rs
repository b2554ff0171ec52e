//! `monstrum.policy.v1.Vault`.

use monstrum_service::peer;
use monstrum_wire::identity::Identity;
use monstrum_wire::policy::lease_request::Subject;
use monstrum_wire::policy::vault_server::Vault;
use monstrum_wire::policy::{LeaseRequest, LeaseResponse, SecretField};
use tonic::{Request, Response, Status};

use super::opener::{OpenError, Opener};
use crate::metrics::{LeaseOutcome, Metrics};
use crate::policy::{Mandate, Opening};

/// Opens credentials while this process leads.
#[derive(Clone)]
pub struct VaultService {
    mandate: Mandate,
    opener: Opener,
    metrics: Metrics,
}

impl VaultService {
    /// A vault whose leases hold for as long as `mandate` says.
    pub fn new(mandate: Mandate, opener: Opener, metrics: Metrics) -> Self {
        Self {
            mandate,
            opener,
            metrics,
        }
    }

    /// What the caller asks for, if it is the caller's: with the namespace that it stands in.
    fn opening(&self, caller: &Identity, subject: Option<&Subject>) -> Option<(String, Opening)> {
        match (caller, subject?) {
            (Identity::Gateway(bot), Subject::Binding(binding)) => {
                Some((bot.namespace.clone(), self.mandate.hub.binding(bot, binding)?))
            }
            (Identity::Gateway(bot), Subject::Provider(provider)) => {
                Some((bot.namespace.clone(), self.mandate.hub.provider(bot, provider)?))
            }
            (Identity::Channel(channel), Subject::Channel(name)) if channel.name == *name => {
                Some((channel.namespace.clone(), self.mandate.hub.channel(channel)?))
            }
            (
                Identity::Operator
                | Identity::Ledger
                | Identity::Runner { .. }
                | Identity::Gateway(_)
                | Identity::Channel(_),
                Subject::Binding(_) | Subject::Provider(_) | Subject::Channel(_),
            ) => None,
        }
    }

    /// Before it is known what is current in a namespace, nobody of it is told anything, not even that there is nothing.
    fn check_mandate(&self, caller: &Identity) -> Result<(), Status> {
        match caller.namespace() {
            Some(namespace) => self.mandate.lease(namespace).map(drop),
            None => self.mandate.epoch().map(drop),
        }
    }

    fn refuse(&self, caller: &Identity, subject: &str, outcome: LeaseOutcome, status: Status) -> Status {
        self.metrics.leased(outcome);
        tracing::warn!(%caller, %subject, reason = %status.message(), "credential refused");
        status
    }
}

#[tonic::async_trait]
impl Vault for VaultService {
    async fn lease(&self, request: Request<LeaseRequest>) -> Result<Response<LeaseResponse>, Status> {
        let peer = peer(&request)?;
        let caller = &peer.identity;
        self.check_mandate(caller)?;
        let asked = request.into_inner();
        let subject = describe(asked.subject.as_ref());
        // Whoever does not live, or shows an old certificate, has no policy that could name anything.
        let opening = if self.mandate.hub.rosters().admits(&peer) {
            self.opening(caller, asked.subject.as_ref())
        } else {
            None
        };
        let Some((namespace, opening)) = opening else {
            let status = Status::not_found("the caller's policy names no such credential");
            return Err(self.refuse(caller, &subject, LeaseOutcome::NotFound, status));
        };
        if asked.version != opening.version {
            let status =
                Status::failed_precondition("the caller's policy names another version of the credential");
            return Err(self.refuse(caller, &subject, LeaseOutcome::Unopenable, status));
        }
        let opened = self.opener.open(&namespace, &opening).await.map_err(|error| {
            let (outcome, status) = refusal(&error);
            self.refuse(caller, &subject, outcome, status)
        })?;
        // What was current when it was asked for may not be when it is handed out.
        let lease = self.mandate.lease(&namespace)?;
        self.metrics.leased(LeaseOutcome::Granted);
        tracing::info!(
            %caller, %subject, user = %opening.user, version = %opening.version, "credential leased"
        );
        let fields = opened.into_iter().map(|field| SecretField {
            name: field.name,
            value: field.value.to_vec(),
        });
        Ok(Response::new(LeaseResponse {
            fields: fields.collect(),
            version: opening.version,
            ttl_seconds: lease.seconds(),
            hosts: opening.hosts,
        }))
    }
}

fn describe(subject: Option<&Subject>) -> String {
    match subject {
        Some(Subject::Binding(name)) => format!("binding/{name}"),
        Some(Subject::Provider(name)) => format!("provider/{name}"),
        Some(Subject::Channel(name)) => format!("channel/{name}"),
        None => "nothing".to_owned(),
    }
}

fn refusal(error: &OpenError) -> (LeaseOutcome, Status) {
    match error {
        OpenError::Missing { .. }
        | OpenError::Refused { .. }
        | OpenError::Changed { .. }
        | OpenError::NoKey { .. } => (
            LeaseOutcome::Unopenable,
            Status::failed_precondition(error.to_string()),
        ),
        OpenError::Read { source, .. } => {
            tracing::error!(error = %source, "a secret can't be read");
            (LeaseOutcome::Failed, Status::unavailable(error.to_string()))
        }
    }
}
