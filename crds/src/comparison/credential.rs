//! Whose secrets a bot's calls carry, and where these may go.

use std::collections::BTreeSet;

use kube::ResourceExt as _;
use monstrum_guardian::destination;

use super::Change;
use crate::convert;
use crate::kinds::Credential;
use crate::kinds::credential::{Method, StaticField};
use crate::object::Kind;
use crate::world::World;

/// What changed of the credentials that the bot's calls, and its questions to the model, are made with.
pub(super) fn changes(bot: &str, old: &World, new: &World) -> Vec<Change> {
    let names = used(bot, new);
    let pairs = names
        .iter()
        .filter_map(|name| Some((old.credentials.get(name), new.credentials.get(name)?)));
    pairs
        .flat_map(|(before, after)| match before {
            Some(before) => between(before, after),
            None => vec![Change::new(
                Kind::Credential,
                &after.name_any(),
                "",
                "is new",
                true,
            )],
        })
        .collect()
}

fn used(bot: &str, world: &World) -> BTreeSet<String> {
    let Some(conversion) = convert::bot(bot, world) else {
        return BTreeSet::new();
    };
    let bindings = conversion.source.bindings.into_iter();
    let of_bindings = bindings.filter_map(|binding| Some(binding.credential?.name));
    let of_model = conversion
        .resolved
        .and_then(|resolved| Some(resolved.model.credential?.name));
    of_bindings.chain(of_model).collect()
}

fn between(old: &Credential, new: &Credential) -> Vec<Change> {
    let name = new.name_any();
    let mut changes = Vec::new();
    for field in fields(new) {
        let before = fields(old).iter().find(|before| before.name == field.name);
        let place = format!("spec.method.static.fields[{}]", field.name);
        let what = match before {
            None => format!("is new, taken from {}", source(field)),
            Some(before) if before.secret_key_ref != field.secret_key_ref => {
                format!("is taken from {} → {}", source(before), source(field))
            }
            Some(_) => continue,
        };
        changes.push(Change::new(Kind::Credential, &name, &place, what, true));
    }
    let (before, after) = (&old.spec.hosts, &new.spec.hosts);
    if let Some(beyond) = destination::excess(after, before) {
        let what = format!("it may also be sent to {beyond}");
        changes.push(Change::new(Kind::Credential, &name, "spec.hosts", what, true));
    } else if before.iter().any(|host| !after.contains(host)) {
        let what = "it may be sent to fewer hosts";
        changes.push(Change::new(Kind::Credential, &name, "spec.hosts", what, false));
    }
    changes
}

fn fields(credential: &Credential) -> &[StaticField] {
    let Method::Static(method) = &credential.spec.method;
    &method.fields
}

fn source(field: &StaticField) -> String {
    let from = &field.secret_key_ref;
    format!("key {} of Secret {}", from.key, from.name)
}
