//! Reading the audit through the loopback port: passed on to the ledger, which sees this bot's rows only.

use std::sync::Arc;

use monstrum_wire::ledger::audit_server::{self, AuditServer};
use monstrum_wire::ledger::{AuditRecord, HeadRequest, HeadResponse, ReadRequest};
use tonic::{Request, Response, Status, Streaming};

use crate::gateway::Gateway;

/// `monstrum.ledger.v1.Audit`.
#[derive(Debug, Clone)]
pub struct AuditFace {
    gateway: Arc<Gateway>,
}

impl AuditFace {
    /// The tonic service, for the loopback port only.
    pub fn server(gateway: Arc<Gateway>) -> AuditServer<Self> {
        AuditServer::new(Self { gateway })
    }
}

#[tonic::async_trait]
impl audit_server::Audit for AuditFace {
    type ReadStream = Streaming<AuditRecord>;

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<Self::ReadStream>, Status> {
        let response = self.gateway.ledger.audit().read(request.into_inner()).await?;
        Ok(Response::new(response.into_inner()))
    }

    async fn head(&self, request: Request<HeadRequest>) -> Result<Response<HeadResponse>, Status> {
        let response = self.gateway.ledger.audit().head(request.into_inner()).await?;
        Ok(Response::new(response.into_inner()))
    }
}
