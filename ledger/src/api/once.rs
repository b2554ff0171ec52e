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
        let ticket = asked(request)?;
        Ok(TakeOnceResponse {
            fresh: self.store.take_once(owner, self.clock.now(), ticket).await?,
        })
    }
}

pub(super) fn asked(request: TakeOnceRequest) -> Result<Ticket, Refusal> {
    ticket(request.scope, request.id, request.keep_seconds)
}

pub(super) fn ticket(scope: String, id: String, keep_seconds: u32) -> Result<Ticket, Refusal> {
    Ok(Ticket {
        scope: field::path("scope", scope)?,
        id: field::name("id", id)?,
        keep: field::seconds("keep_seconds", keep_seconds, LONGEST)?,
    })
}
