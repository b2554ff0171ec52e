//! What is said of objects while nothing may be done for their namespace: it is not known whether what we see of it is current,
//! or there is more of it than is kept.

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
    let index = &reconciler.index;
    if !index.ownership.is_ours(&key.namespace) {
        // Whoever governs it says how it stands.
        return Ok(None);
    }
    let overrun = index.budget.overrun(&key.namespace);
    let state = match overrun {
        Some(overrun) => State::new(
            ConditionType::Ready,
            false,
            Reason::TooLarge,
            format!("nothing is permitted: {overrun}"),
        ),
        None if index.currency.is_stale(&key.namespace) => State::new(
            ConditionType::Ready,
            false,
            Reason::Stale,
            format!(
                "nothing is permitted: the operator can't follow the API server ({})",
                index.currency.faults_of(&key.namespace).join("; ")
            ),
        ),
        None => return Ok(Some(LOOK_AGAIN)),
    };
    match key.kind {
        Kind::Bot => unready::<Bot>(reconciler, key, &state).await?,
        Kind::BotBinding => unready::<BotBinding>(reconciler, key, &state).await?,
        Kind::Channel => unready::<Channel>(reconciler, key, &state).await?,
        Kind::ResourceType
        | Kind::Workspace
        | Kind::ModelProvider
        | Kind::Credential
        | Kind::Resource
        | Kind::BotRole => {}
    }
    Ok(None)
}

async fn unready<K: Governed>(
    reconciler: &Reconciler,
    key: &Key,
    state: &State,
) -> Result<(), ReconcileError> {
    let index = &reconciler.index;
    let Some(object) = K::objects(index).get(&key.namespace, &key.name) else {
        return Ok(());
    };
    reconciler.status.write_one(index, object.as_ref(), state).await?;
    Ok(())
}
