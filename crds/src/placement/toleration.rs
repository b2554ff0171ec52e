//! Which tolerations a permitted one covers.

use crate::kinds::pod::{TaintEffect, Toleration, TolerationOperator};

/// Whether every taint that `asked` tolerates is one that `permitted` tolerates.
pub(super) fn covers(permitted: &Toleration, asked: &Toleration) -> bool {
    let key = permitted.key.as_deref().unwrap_or_default();
    let any_key = key.is_empty() && exists(permitted);
    let same_key = !key.is_empty() && asked.key.as_deref() == Some(key);
    let value = exists(permitted) || (!exists(asked) && permitted.value == asked.value);
    let effect = permitted.effect.is_none_or(|effect| asked.effect == Some(effect));
    // Only `NoExecute` knows a time; to stay for ever is more than to stay for a while.
    let time = match permitted.toleration_seconds {
        Some(most)
            if permitted
                .effect
                .is_none_or(|effect| effect == TaintEffect::NoExecute) =>
        {
            asked.toleration_seconds.is_some_and(|seconds| seconds <= most)
        }
        Some(_) | None => true,
    };
    (any_key || same_key) && value && effect && time
}

fn exists(toleration: &Toleration) -> bool {
    toleration.operator == Some(TolerationOperator::Exists)
}
