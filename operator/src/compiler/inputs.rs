//! What one bot's compilation reads, so that it is done again only when some of that changed.

use std::collections::{BTreeMap, BTreeSet};

use kube::ResourceExt;
use monstrum_crds::kinds::Bot;
use monstrum_crds::kinds::credential::Method;
use monstrum_crds::object::Kind;
use monstrum_crds::world::World;

/// An object as it was: a spec can't change without its generation, nor an object be replaced without its uid.
type Stamp = (Kind, String, Option<String>, Option<i64>);

/// Everything that one bot's compilation reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Inputs {
    objects: BTreeSet<Stamp>,
    secrets: BTreeMap<(String, String), Option<String>>,
    is_workspace_unreadable: bool,
}

impl Inputs {
    /// The inputs of `bot`. Never too few; where it is simpler, too many.
    pub(super) fn of(bot: &Bot, world: &World) -> Self {
        let mut inputs = Self {
            objects: BTreeSet::new(),
            secrets: BTreeMap::new(),
            is_workspace_unreadable: world.is_workspace_unreadable,
        };
        let name = bot.name_any();
        inputs.add(Kind::Bot, bot);
        let mut credentials = BTreeSet::new();
        if let Some(workspace) = &world.workspace {
            inputs.add(Kind::Workspace, workspace.as_ref());
        }
        for provider in world.providers.values() {
            inputs.add(Kind::ModelProvider, provider.as_ref());
            credentials.extend(provider.spec.credential.clone());
        }
        for role in world.roles.values() {
            inputs.add(Kind::BotRole, role.as_ref());
        }
        for contract in world.resource_types.values() {
            inputs.add(Kind::ResourceType, contract.object.as_ref());
        }
        for binding in world.bindings.values().filter(|binding| binding.spec.bot == name) {
            inputs.add(Kind::BotBinding, binding.as_ref());
            credentials.extend(binding.spec.credential.as_ref().map(|used| used.name.clone()));
            if let Some(resource) = world.resources.get(&binding.spec.resource) {
                inputs.add(Kind::Resource, resource.as_ref());
                credentials.extend(resource.spec.credential.as_ref().map(|used| used.name.clone()));
            }
        }
        for credential in credentials.iter().filter_map(|name| world.credentials.get(name)) {
            inputs.add(Kind::Credential, credential.as_ref());
            let Method::Static(method) = &credential.spec.method;
            for field in &method.fields {
                let key = (
                    field.secret_key_ref.name.clone(),
                    field.secret_key_ref.key.clone(),
                );
                inputs
                    .secrets
                    .insert(key.clone(), world.secret_versions.get(&key).cloned().flatten());
            }
        }
        inputs
    }

    fn add<K: ResourceExt>(&mut self, kind: Kind, object: &K) {
        let metadata = object.meta();
        self.objects
            .insert((kind, object.name_any(), metadata.uid.clone(), metadata.generation));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{NAMESPACE, Scenario, objects};
    use serde_json::json;

    async fn inputs(scenario: &Scenario) -> Inputs {
        scenario.compile().await;
        let world = scenario.index.world(NAMESPACE);
        Inputs::of(&world.bots["triage"], &world)
    }

    #[tokio::test]
    async fn a_change_of_anything_that_a_bot_depends_on_is_another_input() {
        let scenario = Scenario::full();
        for object in objects().into_iter().filter(|object| object["kind"] != "Channel") {
            let before = inputs(&scenario).await;
            scenario.put(object.clone());
            assert_ne!(
                before,
                inputs(&scenario).await,
                "{} {}",
                object["kind"],
                object["metadata"]["name"]
            );
        }
        for secret in ["model-key", "github"] {
            let before = inputs(&scenario).await;
            scenario.put_secret(secret, &[("key", "new"), ("token", "new")]);
            assert_ne!(before, inputs(&scenario).await, "{secret}");
            let before = inputs(&scenario).await;
            scenario.take_secret(secret);
            assert_ne!(before, inputs(&scenario).await, "{secret}");
        }
    }

    #[tokio::test]
    async fn another_bots_objects_are_no_input() {
        let scenario = Scenario::full();
        let before = inputs(&scenario).await;
        let object = |kind: &str, spec| json!({"apiVersion": "monstrum.dev/v1alpha1", "kind": kind, "metadata": {"name": "other"}, "spec": spec});
        scenario.put(object("Bot", json!({})));
        scenario.put(object(
            "BotBinding",
            json!({"bot": "other", "resource": "github", "grants": []}),
        ));
        scenario.put_secret("unrelated", &[("key", "value")]);
        assert_eq!(before, inputs(&scenario).await);
    }
}
