//! Parts of the chart `monstrum`: the schema of its pod settings, which is the one of the custom resources, and the table of its
//! values.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::json_schema::strict;
use super::{MARK, yaml};

const SCHEMA: &str = include_str!("../../../charts/monstrum/values.schema.json");
const VALUES: &str = include_str!("../../../charts/monstrum/values.yaml");
const README: &str = include_str!("../../../charts/monstrum/README.md");
/// What the line of the schema begins with.
const POD: &str = "    \"pod\": {\"$comment\":";
/// The containers of all pods.
const CONTAINERS: [&str; 7] = [
    "operator", "ledger", "gateway", "runner", "channel", "sandbox", "inject",
];
/// What the table stands between.
const END: &str = "<!-- end of the values -->";

/// The schema of the values, with the definition of pod settings as `definition` (of a Bot) has them.
pub(super) fn schema(definition: &Value) -> anyhow::Result<String> {
    let pod = definition
        .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/gateway/properties/pod")
        .context("a Bot without spec.gateway.pod")?;
    let mut pod = pod.clone();
    strict(&mut pod);
    undescribed(&mut pod);
    emptiable(&mut pod)?;
    named(&mut pod)?;
    let pod = serde_json::to_string(&yaml::sorted(&pod))?;
    let pod = pod.strip_prefix('{').context("a schema that is no object")?;
    let line = format!("{POD} \"{MARK}.\", {pod}");
    ensure_once(SCHEMA.lines().filter(|line| line.starts_with(POD)).count(), POD)?;
    let mut text = String::new();
    for found in SCHEMA.lines() {
        if found.starts_with(POD) {
            let comma = if found.ends_with(',') { "," } else { "" };
            writeln!(text, "{line}{comma}")?;
        } else {
            writeln!(text, "{found}")?;
        }
    }
    Ok(text)
}

/// Values have `""` where nothing is said, so that each can be seen.
fn emptiable(pod: &mut Value) -> anyhow::Result<()> {
    let properties = pod.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.context("pod settings without fields")?.values_mut() {
        if property.get("type") == Some(&json!("string")) {
            *property = json!({ "anyOf": [{ "const": "" }, property.take()] });
        }
    }
    Ok(())
}

/// What is said of a container that is in no pod would be said in vain.
fn named(pod: &mut Value) -> anyhow::Result<()> {
    let containers = pod
        .pointer_mut("/properties/containers")
        .and_then(Value::as_object_mut);
    containers
        .context("pod settings without containers")?
        .insert("propertyNames".to_owned(), json!({ "enum": CONTAINERS }));
    Ok(())
}

fn undescribed(schema: &mut Value) {
    match schema {
        Value::Object(entries) => {
            if entries.get("description").is_some_and(Value::is_string) {
                entries.remove("description");
            }
            entries.values_mut().for_each(undescribed);
        }
        Value::Array(items) => items.iter_mut().for_each(undescribed),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The chart's page, with the table of its values.
pub(super) fn readme() -> anyhow::Result<String> {
    let begin = format!("<!-- {MARK} from values.yaml. -->");
    ensure_once(README.matches(&begin).count(), &begin)?;
    ensure_once(README.matches(END).count(), END)?;
    let (before, rest) = README.split_once(&begin).context("no place for the values")?;
    let (_, after) = rest.split_once(END).context("no end of the values")?;
    let mut table = "| value | default | |\n| --- | --- | --- |\n".to_owned();
    for row in rows(VALUES) {
        let default = row
            .default
            .map(|default| format!("`{default}`"))
            .unwrap_or_default();
        let description = row.description.replace('|', "\\|").replace('<', "&lt;");
        writeln!(table, "| `{}` | {default} | {description} |", row.path)?;
    }
    Ok(format!("{before}{begin}\n{table}{END}{after}"))
}

fn ensure_once(found: usize, what: &str) -> anyhow::Result<()> {
    anyhow::ensure!(found == 1, "{what:?} stands in {found} places, not in one");
    Ok(())
}

/// One value, or a group of them that has a description.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    path: String,
    default: Option<String>,
    description: String,
}

/// The values in their order, each with the comment right above it. Every value stands on a line of its own.
fn rows(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut groups: Vec<(usize, &str)> = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in text.lines() {
        let content = line.trim_start();
        if let Some(said) = content.strip_prefix('#') {
            comment.push(said.trim());
            continue;
        }
        let said = std::mem::take(&mut comment).join(" ");
        let Some((key, default)) = content.split_once(':') else {
            continue;
        };
        let indent = line.len().saturating_sub(content.len());
        groups.retain(|(outer, _)| *outer < indent);
        let path = groups.iter().map(|(_, group)| *group).chain([key]);
        let path = path.collect::<Vec<_>>().join(".");
        let default = default.trim();
        if default.is_empty() {
            groups.push((indent, key));
        }
        if !(default.is_empty() && said.is_empty()) {
            rows.push(Row {
                path,
                default: (!default.is_empty()).then(|| default.to_owned()),
                description: said,
            });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (name, field) in fields {
                    leaves(field, &format!("{path}.{name}"), found);
                }
            }
            _ => found.push(path.trim_start_matches('.').to_owned()),
        }
    }

    #[test]
    fn every_value_is_in_the_table() {
        let values: Value = serde_saphyr::from_str(VALUES).unwrap();
        let mut expected = Vec::new();
        leaves(&values, "", &mut expected);
        let rows = rows(VALUES);
        let mut missing: Vec<_> = expected
            .into_iter()
            .filter(|path| {
                // A map in flow style is one value.
                !rows
                    .iter()
                    .filter(|row| row.default.is_some())
                    .any(|row| *path == row.path || path.starts_with(&format!("{}.", row.path)))
            })
            .collect();
        missing.sort();
        assert_eq!(missing, Vec::<String>::new());
    }

    #[test]
    fn the_values_fit_their_schema_and_what_would_loosen_a_pod_does_not() {
        let definitions = monstrum_crds::definition::all();
        let bot = definitions
            .iter()
            .find(|definition| definition["spec"]["names"]["kind"] == "Bot");
        let schema: Value = serde_json::from_str(&schema(bot.unwrap()).unwrap()).unwrap();
        let validator = jsonschema::options().build(&schema).unwrap();
        let plain: Value = serde_saphyr::from_str(VALUES).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&plain)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new());
        let with = |pod: Value| {
            let mut values = plain.clone();
            values["pod"] = pod;
            validator.is_valid(&values)
        };
        assert!(with(json!({"annotations": {"acme.example/owners": "ann, bob"}})));
        assert!(with(json!({"securityContext": {"assignedByPlatform": true}})));
        assert!(with(json!({"containers": {"sandbox": {"env": {"TZ": "UTC"}}}})));
        assert!(!with(json!({"containers": {"gatway": {"env": {"TZ": "UTC"}}}})));
        for loosening in [
            json!({"hostNetwork": true}),
            json!({"securityContext": {"runAsNonRoot": false}}),
            json!({"securityContext": {"runAsUser": 0}}),
            json!({"containers": {"gateway": {"securityContext": {"privileged": true}}}}),
        ] {
            assert!(!with(loosening.clone()), "{loosening}");
        }
    }
}
