//! What objects let a bot do more than others did, beyond its permissions: whose secrets its calls carry and where these may go, which
//! model it thinks with and where that is, who may talk with it, the bounds of its turns, the ceilings of its namespace.
//!
//! Permissions themselves are compared by [`monstrum_guardian::comparison`], from what [`permissions`] gives.
//!
//! **Architecture invariant:** silence is a proof here too. What is not known to be narrower is told as a [`Change`] that may widen.

mod channel;
mod credential;
mod model;
mod pod;
mod workspace;

use monstrum_guardian::compile;
use monstrum_guardian::document::Document;
use monstrum_guardian::source::BotName;
use serde::Serialize;
use serde_json::Value;

use crate::convert;
use crate::object::Kind;
use crate::world::World;

/// One thing that changed of an object that a bot depends on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Of which object, for example `Credential github`.
    pub object: String,
    /// Where in it, for example `spec.hosts`.
    pub field: String,
    /// What became of it.
    pub what: String,
    /// Whether it permits more, or may.
    pub may_widen: bool,
}

impl Change {
    fn new(kind: Kind, name: &str, field: &str, what: impl Into<String>, may_widen: bool) -> Self {
        Self {
            object: format!("{kind} {name}"),
            field: field.to_owned(),
            what: what.into(),
            may_widen,
        }
    }
}

/// The permissions that are enforced for a bot: none while it is suspended. Nothing if there is no such bot.
pub fn permissions(name: &str, world: &World) -> Option<Document> {
    let bot = world.bots.get(name)?;
    if bot.spec.suspend {
        return Some(Document::empty(BotName {
            namespace: world.namespace.clone(),
            name: name.to_owned(),
        }));
    }
    convert::bot(name, world).map(|conversion| compile(&conversion.source).document)
}

/// What changed of the ceilings of a namespace, which hold for every bot of it.
pub fn ceilings(old: &World, new: &World) -> Vec<Change> {
    workspace::changes(old, new)
}

/// What changed for a bot between two worlds of its namespace beside its permissions, ordered.
pub fn changes(name: &str, old: &World, new: &World) -> Vec<Change> {
    let mut changes = of_bot(name, old, new);
    changes.sort();
    changes.dedup();
    changes
}

fn of_bot(name: &str, old: &World, new: &World) -> Vec<Change> {
    let of = |what: &str, may_widen| Change::new(Kind::Bot, name, "", what, may_widen);
    let suspend = |what: &str, may_widen| Change::new(Kind::Bot, name, "spec.suspend", what, may_widen);
    let Some(after) = new.bots.get(name) else {
        return old
            .bots
            .get(name)
            .map(|_| of("is gone", false))
            .into_iter()
            .collect();
    };
    let Some(before) = old.bots.get(name) else {
        // One that is suspended does nothing, and is told of when that is lifted.
        return vec![of("is new", !after.spec.suspend)];
    };
    match (before.spec.suspend, after.spec.suspend) {
        (_, true) if before.spec.suspend => Vec::new(),
        (_, true) => vec![suspend(
            "the bot is suspended: it permits nothing any more",
            false,
        )],
        (true, false) => vec![suspend(
            "the bot is no longer suspended: it does all that its objects permit",
            true,
        )],
        (false, false) => [
            credential::changes(name, old, new),
            model::changes(name, old, new),
            channel::changes(name, old, new),
            pod::changes(name, old, new),
        ]
        .concat(),
    }
}

/// `"https://a" → "https://b"`, with what is absent as that.
fn became<T: Serialize>(old: &T, new: &T) -> Option<String> {
    let json = |value: &T| serde_json::to_value(value).unwrap_or(Value::Null);
    let differences = monstrum_guardian::comparison::differences(&json(old), &json(new));
    (!differences.is_empty()).then(|| differences.join(", "))
}
