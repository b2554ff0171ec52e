//! Which model a bot thinks with, where that is, and how much it may think.

use monstrum_guardian::source::{Budget, Counted};
use serde::Serialize;

use super::{Change, became};
use crate::convert::resolved::{ResolvedCredential, ResolvedPrices};
use crate::convert::{self, BotConversion, Resolved, ResolvedLimits, ResolvedModel};
use crate::object::Kind;
use crate::world::World;

/// What changed of the bot's model and of the bounds of its turns.
pub(super) fn changes(bot: &str, old: &World, new: &World) -> Vec<Change> {
    let (before, after) = (convert::bot(bot, old), convert::bot(bot, new));
    let Some(resolved) = after.as_ref().and_then(|after| after.resolved.as_ref()) else {
        return Vec::new();
    };
    let Some(former) = before.as_ref().and_then(|before| before.resolved.as_ref()) else {
        let what = format!(
            "it can be asked: model {} at {}",
            resolved.model.id, resolved.model.base_url
        );
        return vec![Change::new(Kind::Bot, bot, "spec.model", what, true)];
    };
    let mut changes = of_model(bot, &former.model, &resolved.model);
    changes.extend(of_limits(bot, former, resolved));
    changes.extend(of_prices(bot, (former, resolved), after.as_ref()));
    changes.extend(of_context(bot, (former, resolved), after.as_ref()));
    changes
}

fn of_model(bot: &str, old: &ResolvedModel, new: &ResolvedModel) -> Vec<Change> {
    let provider = |field: &str, what: Option<String>| {
        what.map(|what| Change::new(Kind::ModelProvider, &new.provider, field, what, true))
    };
    let name = |credential: &Option<ResolvedCredential>| {
        credential.as_ref().map(|credential| credential.name.clone())
    };
    let chosen = [
        (old.provider != new.provider).then(|| format!("provider {} → {}", old.provider, new.provider)),
        (old.id != new.id).then(|| format!("model {} → {}", old.id, new.id)),
    ];
    let mut changes: Vec<Change> = chosen
        .into_iter()
        .flatten()
        .map(|what| Change::new(Kind::Bot, bot, "spec.model", what, true))
        .collect();
    let of_provider = [
        provider("spec.dialect", became(&old.dialect, &new.dialect)),
        provider("spec.baseUrl", became(&old.base_url, &new.base_url)),
        provider("spec.headers", became(&old.headers, &new.headers)),
        provider(
            "spec.credential",
            became(&name(&old.credential), &name(&new.credential)),
        ),
        provider("spec.authHeader", became(&old.auth_header, &new.auth_header)),
        provider(
            "spec.allowedAddresses",
            added(&old.egress.allowed_addresses, &new.egress.allowed_addresses),
        ),
        provider(
            "spec.caCertificate",
            became(&old.egress.ca_certificate, &new.egress.ca_certificate),
        ),
        provider("spec.proxy", became(&old.egress.proxy, &new.egress.proxy)),
        // Who answers behind the address, what it keeps, how much it may answer: none of it is known to be less.
        provider("spec.request", became(&old.request, &new.request)),
        provider(
            "spec.requestTimeout",
            (new.request_timeout_seconds > old.request_timeout_seconds).then(|| {
                format!(
                    "{} → {}",
                    old.request_timeout_seconds, new.request_timeout_seconds
                )
            }),
        ),
        provider(
            "spec.models",
            (new.images && !old.images).then(|| format!("model {} is shown images", new.id)),
        ),
    ];
    changes.extend(of_provider.into_iter().flatten());
    changes
}

/// What of a list was not in another.
pub(super) fn added<T: PartialEq + Serialize>(old: &[T], new: &[T]) -> Option<String> {
    let more: Vec<String> = new
        .iter()
        .filter(|item| !old.contains(item))
        .filter_map(|item| serde_json::to_string(item).ok())
        .collect();
    (!more.is_empty()).then(|| format!("+ {}", more.join(", ")))
}

fn of_limits(bot: &str, old: &Resolved, new: &Resolved) -> Vec<Change> {
    let bounds = |limits: &ResolvedLimits, tokens: u32| {
        [
            ("spec.limits.maxSteps", u64::from(limits.max_steps)),
            ("spec.limits.maxTurnDuration", u64::from(limits.max_turn_seconds)),
            ("spec.limits.maxTurnTokens", limits.max_turn_tokens),
            ("spec.limits.maxResultBytes", u64::from(limits.max_result_bytes)),
            (
                "spec.limits.maxParallelCalls",
                u64::from(limits.max_parallel_calls),
            ),
            (
                "spec.limits.maxQueuedMessages",
                u64::from(limits.max_queued_messages),
            ),
            ("spec.limits.callTimeout", u64::from(limits.call_timeout_seconds)),
            ("spec.model.maxOutputTokens", u64::from(tokens)),
        ]
    };
    let before = bounds(&old.limits, old.model.max_output_tokens);
    let after = bounds(&new.limits, new.model.max_output_tokens);
    let changed = before
        .iter()
        .zip(&after)
        .filter(|(before, after)| before.1 != after.1);
    changed
        .map(|((field, was), (_, is))| Change::new(Kind::Bot, bot, field, format!("{was} → {is}"), is > was))
        .collect()
}

/// Where tokens or money are counted, no more is reserved for a question than fits into the model: one that is said to be smaller can use
/// more than was reserved.
fn of_context(
    bot: &str,
    (old, new): (&Resolved, &Resolved),
    after: Option<&BotConversion>,
) -> Option<Change> {
    let is_of_model = |budget: &Budget| matches!(budget.counts, Counted::Tokens | Counted::MicroUsd);
    if !after.is_some_and(|after| after.source.budgets.iter().any(is_of_model)) {
        return None;
    }
    // 0 is unknown, and bounds nothing.
    let (was, is) = (old.model.context_tokens, new.model.context_tokens);
    let shown = |tokens: u32| match tokens {
        0 => "unknown".to_owned(),
        tokens => tokens.to_string(),
    };
    let may_widen = is != 0 && (was == 0 || is < was);
    (was != is).then(|| {
        let what = format!(
            "how much its budgets reserve at most for a question, contextTokens: {} → {}",
            shown(was),
            shown(is)
        );
        Change::new(Kind::Bot, bot, "spec.budgets", what, may_widen)
    })
}

/// Where money is counted, what costs less is more.
fn of_prices(bot: &str, (old, new): (&Resolved, &Resolved), after: Option<&BotConversion>) -> Option<Change> {
    let is_money = |budget: &Budget| budget.counts == Counted::MicroUsd;
    if !after.is_some_and(|after| after.source.budgets.iter().any(is_money)) {
        return None;
    }
    let each = |prices: ResolvedPrices| {
        [
            prices.input,
            prices.cached_input,
            prices.output,
            prices.cache_write,
        ]
    };
    let (before, after) = (each(old.model.prices), each(new.model.prices));
    let is_less = before.iter().zip(&after).any(|(before, after)| after < before);
    let what = became(&old.model.prices, &new.model.prices)?;
    let what = format!("what its model costs, which its budgets count: {what}");
    Some(Change::new(Kind::Bot, bot, "spec.budgets", what, is_less))
}
