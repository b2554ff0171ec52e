//! A reference page for each kind: every field with its type, bounds and description.

use std::fmt::Write as _;

use anyhow::Context as _;
use serde_json::{Map, Value};

use super::{MARK, text};

/// The page of a kind, in Markdown.
pub(super) fn page(definition: &Value) -> anyhow::Result<String> {
    let kind = text(definition, "/spec/names/kind")?;
    let schema = definition
        .pointer("/spec/versions/0/schema/openAPIV3Schema")
        .context("a definition without schema")?;
    let mut page =
        format!("<!-- {MARK}. Change the Rust types in crds/src/kinds instead. -->\n\n# {kind}\n\n");
    writeln!(
        page,
        "{}\n",
        schema
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default()
    )?;
    names(&mut page, definition)?;
    rules(&mut page, "the object", schema)?;
    for part in ["spec", "status"] {
        if let Some(schema) = schema.pointer(&format!("/properties/{part}")) {
            writeln!(page, "## {part}\n")?;
            section(&mut page, part, schema)?;
        }
    }
    Ok(format!("{}\n", page.trim_end()))
}

fn names(page: &mut String, definition: &Value) -> anyhow::Result<()> {
    let short = text(definition, "/spec/names/shortNames/0")?;
    writeln!(
        page,
        "`apiVersion: {}/{}` · {} · `kubectl get {}` or `kubectl get {short}`\n",
        text(definition, "/spec/group")?,
        text(definition, "/spec/versions/0/name")?,
        if text(definition, "/spec/scope")? == "Cluster" {
            "cluster-wide"
        } else {
            "in a namespace"
        },
        text(definition, "/spec/names/plural")?,
    )?;
    Ok(())
}

/// The fields of an object, then those of the objects below it.
fn section(page: &mut String, path: &str, schema: &Value) -> anyhow::Result<()> {
    rules(page, path, schema)?;
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return Ok(());
    };
    if properties.is_empty() {
        return Ok(());
    }
    let required: Vec<_> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .collect();
    writeln!(page, "| field | type | |\n| --- | --- | --- |")?;
    for (name, field) in sorted(properties) {
        let mark = if required.iter().any(|required| *required == name) {
            " **(required)**"
        } else {
            ""
        };
        writeln!(
            page,
            "| `{name}`{mark} | {} | {} |",
            kind_of(field),
            description(field)
        )?;
    }
    writeln!(page)?;
    for (name, field) in sorted(properties) {
        let (below, inner) = descended(&format!("{path}.{name}"), field);
        let has_fields = inner
            .get("properties")
            .and_then(Value::as_object)
            .is_some_and(|fields| !fields.is_empty());
        if has_fields {
            writeln!(page, "### {below}\n")?;
            section(page, &below, inner)?;
        }
    }
    Ok(())
}

fn sorted(properties: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut all: Vec<_> = properties.iter().collect();
    all.sort_by_key(|(name, _)| *name);
    all
}

/// The schema of a list's items or a map's values, with its path; another schema as it is.
fn descended<'a>(path: &str, schema: &'a Value) -> (String, &'a Value) {
    match schema.get("items").or_else(|| schema.get("additionalProperties")) {
        Some(inner) => descended(&format!("{path}[]"), inner),
        None => (path.to_owned(), schema),
    }
}

fn rules(page: &mut String, path: &str, schema: &Value) -> anyhow::Result<()> {
    let rules = schema.get("x-kubernetes-validations").and_then(Value::as_array);
    for rule in rules.into_iter().flatten() {
        let message = rule.get("message").and_then(Value::as_str).unwrap_or_default();
        writeln!(page, "- Rule of {path}: {message}.")?;
    }
    if rules.is_some() {
        writeln!(page)?;
    }
    Ok(())
}

fn kind_of(schema: &Value) -> String {
    if schema.get("x-kubernetes-int-or-string").is_some() {
        return "quantity".to_owned();
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        let names: Vec<_> = values
            .iter()
            .filter_map(Value::as_str)
            .map(|name| format!("`{name}`"))
            .collect();
        return names.join(", ");
    }
    match schema.get("type").and_then(Value::as_str) {
        Some("array") => format!(
            "list of {}",
            schema.get("items").map_or("values".to_owned(), kind_of)
        ),
        Some("object") => match schema.get("additionalProperties") {
            Some(values) => format!("map of {}", kind_of(values)),
            None if schema.get("properties").is_none() => "any object".to_owned(),
            None if schema.get("oneOf").is_some() => "object, one field of it".to_owned(),
            None => "object".to_owned(),
        },
        Some(plain) => format!("{plain}{}", bounds(schema)),
        None => "any value".to_owned(),
    }
}

fn bounds(schema: &Value) -> String {
    let number = |key: &str| {
        schema
            .get(key)
            .map(|value| value.as_f64().map_or(value.to_string(), |n| n.to_string()))
    };
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) => format!(", at least {least}"),
        (None, Some(most)) => format!(", at most {most}"),
        (None, None) => match schema.get("format").and_then(Value::as_str) {
            Some("date-time") => ", RFC 3339".to_owned(),
            _ => String::new(),
        },
    }
}

/// On one line, without what would end a table's cell or look like HTML.
fn description(schema: &Value) -> String {
    let text = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
        .replace('<', "&lt;")
}
