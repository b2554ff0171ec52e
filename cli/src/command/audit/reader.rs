//! Records from a bot's gateway.

use futures::{Stream, StreamExt as _};
use monstrum_wire::ledger::{AuditRecord, HeadRequest, HeadResponse, ReadRequest};

use crate::cluster::{Cluster, ClusterArgs, Gateway, GatewayError};

/// The audit of one bot.
pub(super) struct Reader {
    gateway: Gateway,
}

impl Reader {
    /// Connects to the bot's gateway.
    pub(super) async fn connect(args: &ClusterArgs, bot: &str) -> Result<Self, GatewayError> {
        let cluster = Cluster::connect(args).await?;
        Ok(Self {
            gateway: Gateway::connect(&cluster, bot).await?,
        })
    }

    /// The newest record's number and hash.
    pub(super) async fn head(&self) -> Result<HeadResponse, GatewayError> {
        match self.gateway.audit().head(HeadRequest {}).await {
            Ok(response) => Ok(response.into_inner()),
            Err(status) => Err(self.gateway.refused(status).await),
        }
    }

    /// Records in order.
    pub(super) async fn read(
        &self,
        request: ReadRequest,
    ) -> Result<impl Stream<Item = Result<AuditRecord, GatewayError>>, GatewayError> {
        match self.gateway.audit().read(request).await {
            Ok(response) => Ok(response.into_inner().then(async |record| match record {
                Ok(record) => Ok(record),
                Err(status) => Err(self.gateway.refused(status).await),
            })),
            Err(status) => Err(self.gateway.refused(status).await),
        }
    }
}
