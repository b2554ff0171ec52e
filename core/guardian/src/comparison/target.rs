//! What a call reaches: the same words on another target, or with another credential, are another permission.

use serde_json::{Value, json};

use super::json::told;
use super::{Widening, words};
use crate::document::{Binding, Document};
use crate::source::BotName;

/// How the target of a binding's calls changed. A rotated secret is no change: its version does not count.
pub(super) fn changes(old: &Binding, new: &Binding) -> Vec<String> {
    let named = [
        ("resource", json!(old.resource), json!(new.resource)),
        (
            "resource type",
            json!(old.resource_type),
            json!(new.resource_type),
        ),
        ("executor", json!(old.executor), json!(new.executor)),
        ("runner", json!(old.runner), json!(new.runner)),
        ("credential", credential(old), credential(new)),
        ("resource's config", old.config.clone(), new.config.clone()),
    ];
    let changed = named.iter().filter(|(_, old, new)| old != new);
    changed
        .map(|(what, old, new)| format!("the {what} of the binding changed: {}", told(old, new)))
        .collect()
}

fn credential(binding: &Binding) -> Value {
    binding.credential.as_ref().map_or(Value::Null, |credential| {
        json!({
            "name": credential.name, "method": credential.method, "presentation": credential.presentation
        })
    })
}

/// What may be handed on to a bot that could not be given it.
pub(super) fn delegations(old: &Document, new: &Document) -> Vec<Widening> {
    let wider = new.delegations.iter().filter(|delegation| {
        let before = old.delegations.iter().find(|before| before.to == delegation.to);
        before != Some(*delegation)
    });
    wider
        .map(|delegation| Widening {
            binding: String::new(),
            tool: String::new(),
            grant: format!("delegation/{}", title(&delegation.to)),
            why: "what may be handed on to this bot is not what it was".to_owned(),
        })
        .collect()
}

fn title(bot: &BotName) -> String {
    words::listed(&[&bot.namespace, &bot.name], "/")
}
