//! From objects to the policies of all their bots.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use monstrum_crds::convert;
use monstrum_crds::object::{Kind, Object};
use monstrum_crds::validate::{Fault, validate};
use monstrum_crds::world::World;

use super::bot::BotPolicy;
use super::problem::Problem;
use crate::cluster::{self, Cluster};
use crate::failure::Failure;
use crate::files::{self, InputError, Manifest, is_cluster_wide, title};

/// What objects amount to.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    /// In the order of namespace and name.
    pub(crate) bots: Vec<BotPolicy>,
    /// What is wrong with the objects. A faulty object takes its grants away and nobody else's.
    pub(crate) problems: Vec<Problem>,
    /// Secrets that nobody could look at: they are taken to exist and to agree.
    pub(crate) assumed: BTreeSet<String>,
    /// What the bots were compiled from, by namespace.
    pub(crate) worlds: BTreeMap<String, Arc<World>>,
}

/// What files hold.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// Objects of this group.
    pub(crate) manifests: Vec<Manifest>,
    /// Secrets.
    pub(crate) secrets: Vec<files::Secret>,
}

impl Compiled {
    /// The bot of this name, or of this `namespace/name`.
    pub(crate) fn bot(&self, name: &str) -> Result<&BotPolicy, Failure> {
        let found: Vec<&BotPolicy> = self
            .bots
            .iter()
            .filter(|bot| bot.source.bot.name == name || bot.title() == name)
            .collect();
        match found.as_slice() {
            [bot] => Ok(bot),
            [] => {
                let known: Vec<String> = self.bots.iter().map(BotPolicy::title).collect();
                let known = if known.is_empty() {
                    "there are none".to_owned()
                } else {
                    known.join(", ")
                };
                Err(Failure::NotFound {
                    message: format!("there is no bot {name} among the objects"),
                    help: format!("the bots are: {known}"),
                })
            }
            several => {
                let titles: Vec<String> = several.iter().map(|bot| bot.title()).collect();
                Err(Failure::Usage {
                    message: format!("there are {} bots called {name}", titles.len()),
                    help: format!("say which: {}", titles.join(", ")),
                })
            }
        }
    }
}

/// Reads the objects of files. Those without a namespace are taken to be in `namespace`.
pub(crate) fn read(paths: &[PathBuf], namespace: &str) -> Result<Input, InputError> {
    let mut input = Input::default();
    for source in files::collect(paths)? {
        input.manifests.extend(Manifest::all(&source, namespace)?);
        input.secrets.extend(files::Secret::all(&source, namespace)?);
    }
    Ok(input)
}

/// Reads files and compiles what they hold.
pub(crate) fn from_paths(paths: &[PathBuf], namespace: &str) -> Result<Compiled, Failure> {
    from_input(&read(paths, namespace)?)
}

/// Compiles objects that were read from files.
pub(crate) fn from_input(input: &Input) -> Result<Compiled, Failure> {
    let objects = input
        .manifests
        .iter()
        .map(|manifest| (manifest.object.clone(), Some(manifest)));
    let mut compiled = assuming(worlds(objects, &input.secrets)?)?;
    compiled.problems = compiled
        .problems
        .into_iter()
        .map(|problem| placed(problem, &input.manifests))
        .collect();
    Ok(compiled)
}

/// Compiles objects and Secrets that came from nowhere in particular.
pub(crate) fn from_objects(objects: Vec<Object>, secrets: &[files::Secret]) -> Result<Compiled, Failure> {
    assuming(worlds(objects.into_iter().map(|object| (object, None)), secrets)?)
}

/// Compiles what is in the user's namespace of the cluster.
pub(crate) async fn from_cluster(cluster: &Cluster) -> Result<Compiled, Failure> {
    within_cluster(cluster, cluster::fetch(cluster).await?, &[]).await
}

/// Compiles objects as they would be in the user's namespace of the cluster, beside its Secrets and those of files.
pub(crate) async fn within_cluster(
    cluster: &Cluster,
    objects: Vec<Object>,
    secrets: &[files::Secret],
) -> Result<Compiled, Failure> {
    let mut compiled = Compiled::default();
    let mut assumed = BTreeMap::new();
    for (namespace, mut world) in worlds(objects.into_iter().map(|object| (object, None)), &[])? {
        if namespace == cluster.namespace {
            cluster::note_secrets(cluster, &mut world).await;
            note(&mut world, secrets);
            compile(world, &mut compiled)?;
        } else {
            note(&mut world, secrets);
            assumed.insert(namespace, world);
        }
    }
    judged(assumed, &mut compiled)?;
    compiled.bots.sort_by_key(BotPolicy::title);
    Ok(compiled)
}

fn assuming(worlds: BTreeMap<String, World>) -> Result<Compiled, Failure> {
    let mut compiled = Compiled::default();
    judged(worlds, &mut compiled)?;
    Ok(compiled)
}

/// Compiles worlds of whose Secrets nothing more will be known.
fn judged(worlds: BTreeMap<String, World>, compiled: &mut Compiled) -> Result<(), Failure> {
    for mut world in worlds.into_values() {
        let assumed = world.assume_secrets();
        let assumed = assumed
            .into_iter()
            .map(|name| format!("{}/{name}", world.namespace));
        compiled.assumed.extend(assumed);
        compile(world, compiled)?;
    }
    Ok(())
}

/// One world for each namespace that an object is in, each with all cluster-wide objects.
fn worlds<'a>(
    objects: impl Iterator<Item = (Object, Option<&'a Manifest>)>,
    secrets: &[files::Secret],
) -> Result<BTreeMap<String, World>, Failure> {
    let objects: Vec<_> = objects.collect();
    let mut worlds: BTreeMap<String, World> = BTreeMap::new();
    for namespace in objects.iter().filter_map(|(object, _)| namespace_of(object)) {
        worlds
            .entry(namespace.clone())
            .or_insert_with(|| World::new(namespace));
    }
    if worlds.is_empty() {
        worlds.insert(String::new(), World::new("default"));
    }
    for (object, manifest) in objects {
        let namespace = namespace_of(&object);
        let own = worlds
            .iter_mut()
            .filter(|(name, _)| namespace.as_ref().is_none_or(|own| own == *name));
        for (_, world) in own {
            insert(world, object.clone(), manifest)?;
        }
    }
    for world in worlds.values_mut() {
        note(world, secrets);
    }
    Ok(worlds)
}

/// Tells the world of those Secrets that stand in the files.
fn note(world: &mut World, secrets: &[files::Secret]) {
    for secret in secrets
        .iter()
        .filter(|secret| secret.namespace == world.namespace)
    {
        world.consents.insert(secret.name.clone(), secret.consent.clone());
        for key in &secret.keys {
            let version = Some("in a file".to_owned());
            world
                .secret_versions
                .insert((secret.name.clone(), key.clone()), version);
        }
    }
}

fn insert(world: &mut World, object: Object, manifest: Option<&Manifest>) -> Result<(), Failure> {
    let of = title(&object);
    let Err(misplaced) = world.insert(object) else {
        return Ok(());
    };
    let help = "every object is given once, in one namespace, with metadata.name";
    Err(match manifest {
        Some(manifest) => {
            InputError::content(misplaced.to_string(), manifest.spot("metadata.name"), help).into()
        }
        None => Failure::NotFound {
            message: format!("{of} cannot be used: {misplaced}"),
            help: help.to_owned(),
        },
    })
}

fn namespace_of(object: &Object) -> Option<String> {
    let namespace = object.meta().namespace.clone().unwrap_or_default();
    (!is_cluster_wide(object.kind())).then_some(namespace)
}

fn compile(world: World, compiled: &mut Compiled) -> Result<(), Failure> {
    let world = Arc::new(world);
    for object in objects(&world) {
        compiled.problems.extend(
            validate(&object, &world)
                .into_iter()
                .map(|fault| problem(title(&object), fault)),
        );
    }
    for name in world.bots.keys() {
        let Some(conversion) = convert::bot(name, &world) else {
            continue;
        };
        compiled
            .problems
            .extend(conversion.faults.into_iter().map(|fault| Problem {
                object: titled(fault.kind, &world.namespace, &fault.name),
                field: fault.field,
                message: fault.message,
                reason: fault.reason.as_str().to_owned(),
                place: None,
            }));
        let policy = BotPolicy::compile(conversion.source, Arc::clone(&world))?;
        compiled
            .problems
            .extend(policy.faults.iter().map(|fault| Problem {
                object: titled(Kind::BotBinding, &world.namespace, &fault.binding),
                field: format!("spec.{}", fault.field),
                message: fault.message.clone(),
                reason: "Invalid".to_owned(),
                place: None,
            }));
        compiled.bots.push(policy);
    }
    // The same fault shows in the object itself and in every bot that is affected by it.
    let mut told = BTreeSet::new();
    compiled.problems.retain(|problem| told.insert(problem.key()));
    compiled.worlds.insert(world.namespace.clone(), world);
    Ok(())
}

fn titled(kind: Kind, namespace: &str, name: &str) -> String {
    if is_cluster_wide(kind) {
        format!("{kind} {name}")
    } else {
        format!("{kind} {namespace}/{name}")
    }
}

fn problem(object: String, fault: Fault) -> Problem {
    Problem {
        object,
        field: fault.field,
        message: fault.message,
        reason: fault.reason.as_str().to_owned(),
        place: None,
    }
}

fn objects(world: &World) -> Vec<Object> {
    let types = world
        .resource_types
        .values()
        .map(|contract| Object::ResourceType(Box::new((*contract.object).clone())));
    let workspace = world
        .workspace
        .iter()
        .map(|object| Object::Workspace(Box::new((**object).clone())));
    let providers = world
        .providers
        .values()
        .map(|object| Object::ModelProvider(Box::new((**object).clone())));
    let credentials = world
        .credentials
        .values()
        .map(|object| Object::Credential(Box::new((**object).clone())));
    let resources = world
        .resources
        .values()
        .map(|object| Object::Resource(Box::new((**object).clone())));
    let bots = world
        .bots
        .values()
        .map(|object| Object::Bot(Box::new((**object).clone())));
    let roles = world
        .roles
        .values()
        .map(|object| Object::BotRole(Box::new((**object).clone())));
    let bindings = world
        .bindings
        .values()
        .map(|object| Object::BotBinding(Box::new((**object).clone())));
    let channels = world
        .channels
        .values()
        .map(|object| Object::Channel(Box::new((**object).clone())));
    types
        .chain(workspace)
        .chain(providers)
        .chain(credentials)
        .chain(resources)
        .chain(bots)
        .chain(roles)
        .chain(bindings)
        .chain(channels)
        .collect()
}

/// With the spot in the file that the object came from.
fn placed(problem: Problem, manifests: &[Manifest]) -> Problem {
    match manifests
        .iter()
        .find(|manifest| manifest.title() == problem.object)
    {
        Some(manifest) => {
            let spot = manifest.spot(&problem.field);
            problem.at(spot)
        }
        None => problem,
    }
}
