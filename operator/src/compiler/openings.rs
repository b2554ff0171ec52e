//! Where the secrets of a policy stand.

use std::collections::BTreeMap;

use monstrum_crds::consent::User;
use monstrum_crds::convert::{Resolved, channel};
use monstrum_crds::kinds::channel::ChannelType;
use monstrum_crds::kinds::credential::Method;
use monstrum_crds::kinds::{Credential, SecretKeyRef, model_provider};
use monstrum_crds::world::World;
use monstrum_guardian::document::{Binding, Document};
use monstrum_guardian::source::CredentialRef;
use monstrum_wire::identity::ChannelId;

use crate::identity;
use crate::policy::{FieldSource, Opening, Openings};

/// The field of a channel's secret.
const CHANNEL_FIELD: &str = "secret";

/// The secrets that a bot's policy names.
pub(super) fn of_bot(document: &Document, resolved: Option<&Resolved>, world: &World) -> Openings {
    let bindings = document.bindings.iter().filter_map(|binding| {
        let credential = binding.credential.as_ref()?;
        Some((binding.name.clone(), of_binding(binding, credential, world)?))
    });
    let provider = resolved.and_then(|resolved| {
        let credential = resolved.model.credential.as_ref()?;
        let object = world.credentials.get(&credential.name)?;
        let only_key = |field: &str| field == model_provider::KEY_FIELD;
        let opening = of_credential(object, &credential.name, &credential.version, only_key, world)?;
        Some((resolved.model.provider.clone(), opening))
    });
    Openings {
        bindings: bindings.collect(),
        providers: provider.into_iter().collect(),
    }
}

/// The fields that the binding's credential method asks for, and no others.
fn of_binding(binding: &Binding, credential: &CredentialRef, world: &World) -> Option<Opening> {
    let contract = world.resource_types.get(&binding.resource_type)?;
    let method = contract.credential_method(&credential.method)?;
    let asked_for = |field: &str| method.fields.iter().any(|wanted| wanted.name == field);
    let object = world.credentials.get(&credential.name)?;
    of_credential(object, &credential.name, &credential.version, asked_for, world)
}

fn of_credential(
    credential: &Credential,
    name: &str,
    version: &str,
    wanted: impl Fn(&str) -> bool,
    world: &World,
) -> Option<Opening> {
    let Method::Static(method) = &credential.spec.method;
    let fields = method.fields.iter().filter(|field| wanted(&field.name));
    let fields: Option<Vec<_>> = fields
        .map(|field| source(&field.name, &field.secret_key_ref, world))
        .collect();
    Some(Opening {
        user: User::Credential(name.to_owned()),
        hosts: credential.spec.hosts.clone(),
        version: version.to_owned(),
        fields: fields?,
    })
}

fn source(name: &str, secret: &SecretKeyRef, world: &World) -> Option<FieldSource> {
    Some(FieldSource {
        name: name.to_owned(),
        secret: secret.name.clone(),
        key: secret.key.clone(),
        secret_version: world.secret_version(secret)?.to_owned(),
    })
}

/// The secrets of a namespace's channels.
pub(super) fn of_channels(world: &World) -> BTreeMap<ChannelId, Opening> {
    world
        .channels
        .iter()
        .filter_map(|(name, channel)| Some((identity::channel(channel)?, of_channel(name, world)?)))
        .collect()
}

/// The secret of one channel.
fn of_channel(name: &str, world: &World) -> Option<Opening> {
    let resolved = channel::convert(name, world)?.resolved?;
    let ChannelType::Webhook(webhook) = &world.channels.get(name)?.spec.type_;
    let field = source(CHANNEL_FIELD, &webhook.secret, world)?;
    Some(Opening {
        user: User::Channel(name.to_owned()),
        hosts: webhook.hosts(),
        version: resolved.secret_version,
        fields: vec![field],
    })
}
