//! The operator's life: what is started, in which order, and what waits for leadership.

use std::sync::Arc;

use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client};
use monstrum_service::listener::grpc_server;
use monstrum_service::{Service, TlsError};
use monstrum_wire::identity::BotId;
use monstrum_wire::policy::enrolment_server::EnrolmentServer;
use monstrum_wire::policy::policy_server::PolicyServer;
use monstrum_wire::policy::vault_server::VaultServer;
use tokio::sync::mpsc;

use crate::admission::{AdmissionServer, AdmissionServerError, keep_bundle};
use crate::args::OperatorArgs;
use crate::child::Applier;
use crate::claim::{GOVERNS, Keeper, Reach};
use crate::compiler::{Compiler, Facts};
use crate::definitions::Definitions;
use crate::endpoint::{self, Endpoint};
use crate::index::{Index, Key, Watches};
use crate::installation::{Installation, service_names};
use crate::kinds::{Pods, Reconciler};
use crate::leadership::{Candidate, Leadership, Timing, TimingError};
use crate::ledger_identity;
use crate::lookout::Lookout;
use crate::metrics::Metrics;
use crate::policy::{EnrolmentService, Hub, Mandate, PolicyService};
use crate::status::StatusWriter;
use crate::trust::{
    AuthorityKeeper, Census, Follower, Rotation, ServerIdentity, ServerIdentityError, Trust, TrustError,
};
use crate::vault::{Opener, VaultService};

/// The lease's name.
pub(crate) const LEASE: &str = "monstrum-operator";
/// Reconciles that run at once.
const WORKERS: usize = 4;

/// Why the operator does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The times of the election don't go together.
    #[error("the times of the election can't be kept")]
    Timing(#[from] TimingError),
    /// There is no way to the API server.
    #[error(
        "the Kubernetes API can't be reached: is this a pod with a service account, or is KUBECONFIG set?"
    )]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no authority.
    #[error("there is no authority")]
    Trust(#[from] TrustError),
    /// It has no certificate.
    #[error("the operator has no identity")]
    Identity(#[from] ServerIdentityError),
    /// It can't listen for gateways.
    #[error("gateways can't be served")]
    Listen(#[from] TlsError),
    /// It can't listen for the API server.
    #[error("admission can't be served")]
    Admission(#[from] AdmissionServerError),
}

/// Starts everything.
pub async fn start(args: OperatorArgs, service: Service) -> Result<(), StartError> {
    let client = Client::try_default()
        .await
        .map_err(|error| StartError::Client(error.into()))?;
    let metrics = service.register(Metrics::register);
    let timing = args.lease.timing()?;
    let index = Arc::new(
        Index::new(
            args.policy_lease(),
            args.pod_placement.clone(),
            args.memory.budget(),
        )
        .in_domain(&args.cluster_domain),
    );
    index.ownership.require(&args.namespace);
    let (namespaces, excluded) = (Installation::watched(&args), Installation::excluded(&args));
    Watches {
        index: &index,
        client: &client,
        service: &service,
        metrics: &metrics,
        namespaces: &namespaces,
        excluded: &excluded,
    }
    .start();
    let keeper = AuthorityKeeper::new(
        client.clone(),
        &args.namespace,
        &args.trust_domain,
        args.authority_source(),
        &args.pod_name,
    );
    let trust = keeper.load_or_create().await?;
    let leadership = stand_for_election(&args, timing, &client, &index, &service);
    let lookout = Lookout::new(
        Arc::clone(&index),
        leadership.clone(),
        service.readiness().clone(),
        metrics.clone(),
    );
    let stopping = service.shutdown();
    service.spawn("lookout", async move {
        tokio::select! {
            ended = lookout.run() => ended,
            () = stopping.requested() => Ok(()),
        }
    });
    let (hub, acknowledged) = Hub::new(metrics.clone());
    let operator = Operator {
        args,
        client,
        index,
        trust,
        leadership,
        hub,
        metrics,
        service,
        facts: Arc::default(),
    };
    operator.follow_authority(keeper);
    operator.serve_gateways().await?;
    operator.serve_admission()?;
    operator.lead(acknowledged);
    Ok(())
}

/// Only a process whose index is complete, and known to be current, may lead.
fn stand_for_election(
    args: &OperatorArgs,
    timing: Timing,
    client: &Client,
    index: &Arc<Index>,
    service: &Service,
) -> Leadership {
    let leases: Api<Lease> = Api::namespaced(client.clone(), &args.namespace);
    // Another identity each time, so that a process that comes back is never taken for the one that went.
    let identity = format!("{}_{}", args.pod_name, uuid::Uuid::new_v4());
    let (known, definitions) = (Arc::clone(index), Definitions::default());
    let (looking, stopping) = (
        definitions
            .clone()
            .watch(client.clone(), service.readiness().clone()),
        service.shutdown(),
    );
    service.spawn_quiet("definitions", async move {
        tokio::select! {
            () = looking => {}
            () = stopping.requested() => {}
        }
    });
    let fit = move || known.currency.faults().is_empty() && definitions.are_fine();
    let (candidate, leadership) = Candidate::new(leases, LEASE, &identity, timing, fit);
    let reach = Reach {
        namespaces: Installation::watched(args),
        except: Installation::excluded(args),
    };
    let candidate = candidate.saying(GOVERNS, reach.to_text());
    let (index, shutdown) = (Arc::clone(index), service.shutdown());
    service.spawn("lease", async move {
        tokio::select! {
            () = index.listed.opened() => candidate.run(shutdown).await,
            () = shutdown.requested() => Ok(()),
        }
    });
    leadership
}

/// Everything that was started so far.
struct Operator {
    args: OperatorArgs,
    client: Client,
    index: Arc<Index>,
    trust: Trust,
    leadership: Leadership,
    hub: Arc<Hub>,
    metrics: Metrics,
    service: Service,
    facts: Arc<Facts>,
}

impl Operator {
    fn names(&self, service: &str) -> Vec<String> {
        service_names(service, &self.args.namespace, &self.args.cluster_domain)
    }

    /// Every replica holds the authority, and puts it back.
    fn follow_authority(&self, keeper: AuthorityKeeper) {
        let rotation = Rotation {
            census: Census::new(self.client.clone(), Arc::clone(&self.index), &self.args.namespace),
            settle: self.args.authority_settle(),
            webhook: !self.args.webhook_configuration.is_empty(),
        };
        let (trust, leadership) = (self.trust.clone(), self.leadership.clone());
        let follower = Follower::new(keeper, trust, leadership, rotation, self.metrics.clone());
        let shutdown = self.service.shutdown();
        self.service.spawn("authority", async move {
            tokio::select! {
                () = follower.run() => {}
                () = shutdown.requested() => {}
            }
            Ok::<(), std::convert::Infallible>(())
        });
    }

    async fn serve_gateways(&self) -> Result<(), StartError> {
        let names = self.names(&self.args.operator_service);
        let identity = ServerIdentity::new(self.trust.clone(), names, self.args.certificate_lifetime());
        let tls = identity.start(&self.service)?;
        let incoming = tls.listen(self.args.grpc_address).await?;
        let mandate = Mandate {
            hub: Arc::clone(&self.hub),
            leadership: self.leadership.clone(),
            index: Arc::clone(&self.index),
        };
        let policies = PolicyService::new(mandate.clone(), self.service.clone());
        let enrolment = EnrolmentService::new(mandate.clone(), self.service.clone());
        let opener = Opener::new(self.client.clone());
        let vault = VaultService::new(mandate, opener, self.metrics.clone());
        let server = grpc_server()
            .add_service(PolicyServer::new(policies))
            .add_service(VaultServer::new(vault))
            .add_service(EnrolmentServer::new(enrolment))
            .serve_with_incoming_shutdown(incoming, self.service.shutdown().requested());
        self.service.spawn("grpc", server);
        Ok(())
    }

    fn serve_admission(&self) -> Result<(), StartError> {
        let server = AdmissionServer {
            index: Arc::clone(&self.index),
            metrics: self.metrics.clone(),
            trust: self.trust.clone(),
            names: self.names(&self.args.admission_service),
            lifetime: self.args.certificate_lifetime(),
            client_authority: self.args.webhook_client_ca.clone(),
        };
        server.start(self.args.webhook_address, &self.service)?;
        Ok(())
    }

    /// Starts what only a leader does; it waits until this process leads.
    fn lead(self, acknowledged: mpsc::UnboundedReceiver<BotId>) {
        let installation = Installation::from_args(&self.args);
        let applier = self.applier(&installation);
        self.reconcile(applier.clone(), &installation);
        self.compile();
        self.take_up(acknowledged);
        let claims = Keeper::new(
            Arc::clone(&self.index),
            self.client.clone(),
            self.leadership.clone(),
            self.metrics.clone(),
            (&self.args.namespace, LEASE),
        );
        self.while_leading("claims", move |_| claims.run());
        let (metrics, index) = (self.metrics.clone(), Arc::clone(&self.index));
        self.while_leading("count", move |_| async move { metrics.count(&index).await });
        let (hub, changes) = (Arc::clone(&self.hub), self.trust.changes());
        self.while_leading("ledger-certificate", move |_| async move {
            ledger_identity::keep(&applier, &installation, hub.rosters(), changes).await;
        });
        self.certify_anew();
        if let Some(endpoint) = self.endpoint() {
            let client = self.client.clone();
            self.while_leading("endpoint", move |_| async move {
                endpoint::keep(&client, &endpoint).await;
            });
        }
        let configuration = self.args.webhook_configuration.clone();
        if !configuration.is_empty() {
            let (client, trust) = (self.client.clone(), self.trust.clone());
            self.while_leading("webhook-bundle", move |_| async move {
                keep_bundle(&client, &configuration, &trust).await;
            });
        }
    }

    /// Another authority, or others to trust: the certificates of all pods follow.
    fn certify_anew(&self) {
        let (index, mut changes) = (Arc::clone(&self.index), self.trust.changes());
        self.while_leading("certificates", move |_| async move {
            while changes.changed().await.is_ok() {
                index.queue_pods();
            }
        });
    }

    fn endpoint(&self) -> Option<Endpoint> {
        let addresses = self.args.pod_addresses.clone();
        (!addresses.is_empty()).then(|| Endpoint {
            namespace: self.args.namespace.clone(),
            service: self.args.operator_service.clone(),
            addresses,
            pod: self.args.pod_name.clone(),
        })
    }

    fn applier(&self, installation: &Installation) -> Applier {
        Applier::new(
            self.client.clone(),
            Arc::clone(&self.index.live),
            self.trust.clone(),
            self.leadership.clone(),
            installation.certificate_lifetime,
            self.metrics.clone(),
        )
    }

    fn reconcile(&self, applier: Applier, installation: &Installation) {
        let (client, leadership) = (self.client.clone(), self.leadership.clone());
        let reconciler = Arc::new(Reconciler {
            index: Arc::clone(&self.index),
            facts: Arc::clone(&self.facts),
            hub: Arc::clone(&self.hub),
            applier,
            pods: Pods::new(client.clone()),
            status: StatusWriter::new(client, &self.args.pod_name, leadership, self.metrics.clone()),
            installation: installation.clone(),
            metrics: self.metrics.clone(),
        });
        for _ in 0..WORKERS {
            let reconciler = Arc::clone(&reconciler);
            self.while_leading("reconcile", move |_| async move { reconciler.work().await });
        }
    }

    fn compile(&self) {
        let compiler = Arc::new(Compiler::new(
            Arc::clone(&self.index),
            Arc::clone(&self.hub),
            Arc::clone(&self.facts),
            self.client.clone(),
            self.metrics.clone(),
        ));
        self.while_leading("compile", move |epoch| compiler.run(epoch));
    }

    /// What gateways say is part of the status of bots and bindings.
    fn take_up(&self, mut acknowledged: mpsc::UnboundedReceiver<BotId>) {
        let index = Arc::clone(&self.index);
        self.while_leading("acknowledgements", move |_| async move {
            while let Some(bot) = acknowledged.recv().await {
                index.bot_changed(&bot);
            }
        });
    }

    /// Runs a task from the beginning of leading to the end of the process.
    fn while_leading<F>(&self, name: &'static str, task: impl FnOnce(u64) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send,
    {
        let (leadership, shutdown) = (self.leadership.clone(), self.service.shutdown());
        let index = Arc::clone(&self.index);
        let leading = async move {
            let epoch = leadership.won().await;
            index.begin(epoch);
            task(epoch).await;
        };
        self.service.spawn(name, async move {
            tokio::select! {
                () = leading => {}
                () = shutdown.requested() => {}
            }
            Ok::<(), std::convert::Infallible>(())
        });
    }
}

/// Has the objects reconciled whose status depends on a bot's gateways.
impl Index {
    fn bot_changed(&self, bot: &BotId) {
        use monstrum_crds::object::Kind;
        self.queue.push(Key {
            kind: Kind::Bot,
            namespace: bot.namespace.clone(),
            name: bot.name.clone(),
        });
        self.queue_bindings_of(&bot.namespace, &bot.name);
    }
}
