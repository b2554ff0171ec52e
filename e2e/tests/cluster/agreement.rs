//! `monstrum validate` says no less than the API server: both are asked about objects with one thing wrong.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use futures::{StreamExt as _, TryStreamExt as _};
use http::{Request, StatusCode};
use monstrum_e2e::harness::Workspace;
use serde_json::{Map, Value, json};

/// Reasons for which `monstrum validate` speaks for the API server, and must not refuse what that takes.
const STRUCTURAL: [&str; 3] = ["Schema", "Rule", "UnknownField"];

/// The accepted cases of every kind.
fn accepted() -> Result<BTreeMap<String, Value>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds/tests/cases");
    let mut cases = BTreeMap::new();
    for kind in std::fs::read_dir(&root)? {
        for file in std::fs::read_dir(kind?.path())? {
            let path = file?.path();
            let name = path.strip_prefix(&root)?.display().to_string();
            if name.contains("/accepted-") {
                cases.insert(name, serde_saphyr::from_str(&std::fs::read_to_string(&path)?)?);
            }
        }
    }
    Ok(cases)
}

/// Every place of a value, as a JSON Pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                places(
                    value,
                    &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                places(item, &format!("{at}/{place}"), found);
            }
        }
        _ => {}
    }
}

/// What may be put in a value's place.
fn others(value: &Value) -> Vec<Value> {
    let mut others = vec![
        json!(null),
        json!(true),
        json!(-1),
        json!("A b"),
        json!(""),
        json!([]),
        json!({}),
        json!({"x": 1}),
    ];
    match value {
        Value::String(text) => {
            others.extend([
                json!(format!("{text}{}", "x".repeat(5000))),
                json!(text.to_uppercase()),
                json!(format!("{text}.")),
            ]);
        }
        Value::Number(number) => {
            others.extend([json!(number.to_string()), json!(1.5), json!(99_999_999_999_i64)]);
        }
        Value::Array(items) => {
            let repeated = items.first().map(|first| json!([first, first]));
            let many = items.first().map(|first| Value::Array(vec![first.clone(); 400]));
            others.extend(repeated.into_iter().chain(many));
        }
        Value::Object(fields) => {
            let mut more: Map<String, Value> = fields.clone();
            more.insert("unknownField".to_owned(), json!("x"));
            others.push(Value::Object(more));
        }
        Value::Null | Value::Bool(_) => {}
    }
    others
}

/// Objects with one thing changed, each place in each way. Kind and version are what they are.
fn changed(object: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    places(object, "", &mut found);
    let mut changed = Vec::new();
    for at in found
        .iter()
        .filter(|at| !matches!(at.as_str(), "" | "/apiVersion" | "/kind"))
    {
        let Some(old) = object.pointer(at) else { continue };
        for other in others(old) {
            let mut object = object.clone();
            if let Some(place) = object.pointer_mut(at) {
                *place = other;
            }
            changed.push(object);
        }
        let mut without = object.clone();
        if let Some((parent, name)) = at.rsplit_once('/')
            && let Some(fields) = without.pointer_mut(parent).and_then(Value::as_object_mut)
        {
            fields.remove(name);
            changed.push(without);
        }
    }
    changed
}

/// Why the API server would not take an object, asked strictly; nothing is kept.
async fn refusal(workspace: &Workspace, object: &Value) -> Result<Option<String>> {
    let kind = object["kind"].as_str().unwrap_or_default();
    let plural = format!("{}s", kind.to_lowercase());
    let scope = if kind == "ResourceType" {
        String::new()
    } else {
        format!("namespaces/{}/", workspace.name())
    };
    let path = format!("/apis/monstrum.dev/v1alpha1/{scope}{plural}?dryRun=All&fieldValidation=Strict");
    let request = Request::post(path)
        .header("content-type", "application/json")
        .body(serde_json::to_vec(object)?)?;
    match workspace.cluster().client().request::<Value>(request).await {
        Ok(_) => Ok(None),
        Err(kube::Error::Api(status)) if status.code == StatusCode::CONFLICT.as_u16() => Ok(None),
        Err(kube::Error::Api(status)) => Ok(Some(status.message.clone())),
        Err(error) => Err(error.into()),
    }
}

/// What `monstrum validate` has to say: reason and message of each problem.
async fn told(workspace: &Workspace, file: &Path) -> Result<Vec<(String, String)>> {
    let file = file.display().to_string();
    let output = workspace
        .cluster()
        .monstrum(&["validate", "-n", workspace.name(), "-f", &file, "-o", "json"])
        .await?;
    let findings: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let text = |problem: &Value, key: &str| problem[key].as_str().unwrap_or_default().to_owned();
    let problems = findings["problems"].as_array().cloned().unwrap_or_default();
    Ok(problems
        .iter()
        .map(|problem| (text(problem, "reason"), text(problem, "message")))
        .collect())
}

/// Of the changed objects, every so many is asked about: a prime, so that each sort of change meets each sort of place.
const STRIDE: usize = 7;
/// How many are asked about at once.
const AT_ONCE: usize = 8;

/// What both say of an object, if that is not the same; and whether the API server takes it.
async fn judged(workspace: &Workspace, file: &Path, object: &Value) -> Result<(bool, Option<String>)> {
    let refusal = refusal(workspace, object).await?;
    std::fs::write(file, serde_json::to_vec(object)?)?;
    let told = told(workspace, file).await?;
    let structural = told
        .iter()
        .any(|(reason, _)| STRUCTURAL.contains(&reason.as_str()));
    let differ = (refusal.is_some() && told.is_empty()) || (refusal.is_none() && structural);
    let said = differ.then(|| format!("{object}\n  server: {refusal:?}\n  monstrum: {told:?}"));
    Ok((refusal.is_none(), said))
}

#[tokio::test]
async fn the_command_line_says_no_less_than_the_api_server() -> Result<()> {
    let workspace = Workspace::create("agreement").await?;
    let folder = tempfile::tempdir()?;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut objects = Vec::new();
    for case in accepted()?.into_values() {
        let known = kinds.entry(case["kind"].to_string()).or_default();
        *known += 1;
        // The cases of a kind differ little: two of each say most.
        if *known <= 2 {
            objects.extend(changed(&case));
        }
    }
    let chosen = objects.iter().step_by(STRIDE).enumerate();
    let judged = futures::stream::iter(chosen.map(|(number, object)| {
        let file = folder.path().join(format!("{number}.json"));
        let workspace = &workspace;
        async move { judged(workspace, &file, object).await }
    }));
    let judged: Vec<(bool, Option<String>)> = judged.buffered(AT_ONCE).try_collect().await?;
    let taken = judged.iter().filter(|(is_taken, _)| *is_taken).count();
    assert!(
        taken > 15 && judged.len() > taken + 200,
        "{taken} of {} were taken",
        judged.len()
    );
    let differing: Vec<&str> = judged.iter().filter_map(|(_, said)| said.as_deref()).collect();
    let shown: Vec<&str> = differing.iter().take(20).copied().collect();
    assert!(
        shown.is_empty(),
        "{} differ:\n{}",
        differing.len(),
        shown.join("\n")
    );
    workspace.remove().await
}
