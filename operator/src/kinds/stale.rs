//! What is said of objects while it is not known whether what we see of them is current.

use std::time::Duration;

use monstrum_crds::conditions::{ConditionType, Reason, State};
use monstrum_crds::kinds::{Bot, BotBinding, Channel};
use monstrum_crds::object::Kind;

use super::{ReconcileError, Reconciler};
use crate::index::Key;
use crate::status::Governed;

/// A term that has only begun knows within moments what is current.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Takes `Ready` from what does not work while nothing is renewed, and leaves everything else as it is. The lookout has it
/// reconciled when it is current again.
pub(super) async fn reconcile(
    reconciler: &Reconciler,
    key: &Key,
) -> Result<Option<Duration>, ReconcileError> {
    if !reconciler.index.currency.is_stale(&key.namespace) {
        return Ok(Some(LOOK_AGAIN));
    }
    match key.kind {
        Kind::Bot => unready::<Bot>(reconciler, key).await?,
        Kind::BotBinding => unready::<BotBinding>(reconciler, key).await?,
        Kind::Channel => unready::<Channel>(reconciler, key).await?,
        Kind::ResourceType
        | Kind::Workspace
        | Kind::ModelProvider
        | Kind::Credential
        | Kind::Resource
        | Kind::BotRole => {}
    }
    Ok(None)
}

async fn unready<K: Governed>(reconciler: &Reconciler, key: &Key) -> Result<(), ReconcileError> {
    let index = &reconciler.index;
    let Some(object) = K::objects(index).get(&key.namespace, &key.name) else {
        return Ok(());
    };
    let message = format!(
        "nothing is permitted: the operator can't follow the API server ({})",
        index.currency.faults_of(&key.namespace).join("; ")
    );
    let state = State::new(ConditionType::Ready, false, Reason::Stale, message);
    reconciler
        .status
        .write_one(index, object.as_ref(), &state)
        .await?;
    Ok(())
}
