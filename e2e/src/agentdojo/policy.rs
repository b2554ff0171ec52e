//! From a folder of objects to the policy of the one bot in it, as the operator and the command line make it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use monstrum_crds::convert;
use monstrum_crds::object::Object;
use monstrum_crds::validate::validate;
use monstrum_crds::world::World;
use monstrum_guardian::{Engine, compile};
use serde_json::Value;

/// Compiles and loads. Objects with any fault are refused: what they leave out would count as blocked.
pub(super) fn load(folder: &Path, namespace: &str) -> Result<Engine> {
    let world = world(folder, namespace)?;
    let [bot] = world.bots.keys().collect::<Vec<_>>()[..] else {
        bail!(
            "{} holds {} bots, and needs one",
            folder.display(),
            world.bots.len()
        );
    };
    let conversion = convert::bot(bot, &world).context("the bot is gone")?;
    let faults: Vec<String> = conversion.faults.iter().map(ToString::to_string).collect();
    ensure!(faults.is_empty(), "{}: {}", folder.display(), faults.join("; "));
    let compilation = compile(&conversion.source);
    let faults: Vec<String> = compilation
        .faults
        .iter()
        .map(|fault| format!("binding {}: {}: {}", fault.binding, fault.field, fault.message))
        .collect();
    ensure!(faults.is_empty(), "{}: {}", folder.display(), faults.join("; "));
    Engine::load(&compilation.document).with_context(|| format!("the policy of {bot} does not load"))
}

fn world(folder: &Path, namespace: &str) -> Result<World> {
    let mut objects = Vec::new();
    for file in manifests(folder)? {
        objects.extend(read(&file)?);
    }
    let mut world = World::new(namespace);
    for object in objects.clone() {
        world.insert(object)?;
    }
    world.assume_secrets();
    for object in objects {
        if let Some(fault) = validate(&object, &world).first() {
            bail!(
                "{} {}: {}: {}",
                object.kind(),
                object.name(),
                fault.field,
                fault.message
            );
        }
    }
    Ok(world)
}

fn manifests(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<Vec<Object>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
    let documents: Vec<Value> =
        serde_saphyr::from_multiple(&text).map_err(|error| anyhow!("{}: {error}", file.display()))?;
    documents
        .into_iter()
        .map(|document| Object::read(document).with_context(|| file.display().to_string()))
        .collect()
}
