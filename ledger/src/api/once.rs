//! Ids that are taken once.

use std::time::Duration;

use monstrum_wire::ledger::{TakeOnceRequest, TakeOnceResponse};

use super::{Api, Refusal, field};
use crate::store::{Store, Ticket};
use crate::tenant::Owner;

const LONGEST: Duration = Duration::from_hours(30 * 24);

impl<S: Store> Api<S> {
    pub(super) async fn take(
        &self,
        owner: &Owner,
        request: TakeOnceRequest,
    ) -> Result<TakeOnceResponse, Refusal> {
        let ticket = Ticket {
            scope: field::path("scope", request.scope)?,
            id: field::name("id", request.id)?,
            keep: field::seconds("keep_seconds", request.keep_seconds, LONGEST)?,
        };
        Ok(TakeOnceResponse {
            fresh: self.store.take_once(owner, self.clock.now(), ticket).await?,
        })
    }
}
