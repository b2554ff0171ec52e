//! What is wrong with a request template.

use std::collections::BTreeMap;

use jsonpath_rust::parser::parse_json_path;
use serde_json::Value;
use url::Url;

use crate::http::{Extraction, Method, Request, path};
use crate::template::{Declared, declared, pointers};
use crate::{Fault, headers};

/// How deep a body template may be nested.
const MAX_DEPTH: usize = 16;

/// What is wrong with the template of a tool with these parameters.
pub(super) fn faults(field: &str, request: &Request, parameters: &Value) -> Vec<Fault> {
    let mut faults = path_faults(&format!("{field}.path"), &request.path, parameters);
    for (name, template) in &request.query {
        faults.extend(text_faults(
            &format!("{field}.query.{name}"),
            template,
            parameters,
        ));
    }
    faults.extend(header_faults(
        &format!("{field}.headers"),
        &request.headers,
        parameters,
    ));
    if let Some(body) = &request.body {
        if matches!(request.method, Method::Get | Method::Head) {
            faults.push(Fault::new(
                format!("{field}.body"),
                "GET and HEAD have no body: remove it",
            ));
        }
        body_faults(&format!("{field}.body"), body, parameters, 0, &mut faults);
    }
    if let Some(response) = &request.response {
        faults.extend(response_faults(&format!("{field}.response"), response));
    }
    faults
}

/// Every argument of a path must always be there, and the fixed parts must not climb.
fn path_faults(field: &str, path: &str, parameters: &Value) -> Vec<Fault> {
    let found = match pointers(path) {
        Ok(found) => found,
        Err(message) => return vec![Fault::new(field, message)],
    };
    let mut faults: Vec<_> = found
        .into_iter()
        .filter_map(|pointer| match declared(pointer, parameters) {
            Declared::Required => None,
            Declared::Optional => Some(format!(
                "{{{pointer}}} may be absent: make the parameter required"
            )),
            Declared::Not => Some(undeclared(pointer)),
        })
        .map(|message| Fault::new(field, message))
        .collect();
    let fixed = sent(path);
    if fixed.split('/').any(|segment| segment == "." || segment == "..") {
        faults.push(Fault::new(field, "has a segment '.' or '..': write the path out"));
    } else if !is_normal(&fixed) {
        faults.push(Fault::new(
            field,
            "is not in the form in which it is sent: begin it with '/', and percent-encode what is no letter or digit of ASCII",
        ));
    }
    faults
}

/// A path as it is sent: what a segment with arguments becomes is encoded, whatever it holds.
fn sent(path: &str) -> String {
    let sent = path::segments(path).into_iter();
    let sent: Vec<_> = sent
        .map(|segment| if segment.contains('{') { "a" } else { segment })
        .collect();
    sent.join("/")
}

/// Whether the runner can send it below any base.
fn is_normal(fixed: &str) -> bool {
    let base = Url::parse("https://a.example");
    fixed.starts_with('/') && base.is_ok_and(|base| path::below(&base, fixed).is_some())
}

fn header_faults(field: &str, templates: &BTreeMap<String, String>, parameters: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, template) in templates {
        let place = format!("{field}.{name}");
        if !headers::is_name(name) {
            faults.push(Fault::new(
                &place,
                "is not a header name: use letters, digits and '-'",
            ));
        }
        if !headers::is_settable(name) {
            faults.push(Fault::new(
                &place,
                "belongs to the transport or to credentials: remove it, and describe a credential in spec.credentials",
            ));
        }
        faults.extend(headers::value_fault(template).map(|why| Fault::new(&place, why)));
        faults.extend(text_faults(&place, template, parameters));
    }
    faults
}

fn text_faults(field: &str, template: &str, parameters: &Value) -> Vec<Fault> {
    match pointers(template) {
        Err(message) => vec![Fault::new(field, message)],
        Ok(found) => found
            .into_iter()
            .filter(|pointer| declared(pointer, parameters) == Declared::Not)
            .map(|pointer| Fault::new(field, undeclared(pointer)))
            .collect(),
    }
}

fn undeclared(pointer: &str) -> String {
    format!("{{{pointer}}} is not a parameter of the tool: declare it in parameters.properties")
}

fn body_faults(field: &str, body: &Value, parameters: &Value, depth: usize, faults: &mut Vec<Fault>) {
    if depth > MAX_DEPTH {
        faults.push(Fault::new(
            field,
            format!("is nested more than {MAX_DEPTH} deep: make it flatter"),
        ));
        return;
    }
    let below = depth.saturating_add(1);
    match body {
        Value::String(text) => faults.extend(text_faults(field, text, parameters)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                body_faults(&format!("{field}[{index}]"), item, parameters, below, faults);
            }
        }
        Value::Object(entries) => {
            for (name, entry) in entries {
                if name.contains("{/") {
                    faults.push(Fault::new(
                        field,
                        format!("key {name:?} is never filled in: write it out"),
                    ));
                }
                body_faults(&format!("{field}.{name}"), entry, parameters, below, faults);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn response_faults(field: &str, response: &Extraction) -> Vec<Fault> {
    let items = response.items.iter().map(|path| (format!("{field}.items"), path));
    let fields = response
        .fields
        .iter()
        .map(|(name, path)| (format!("{field}.fields.{name}"), path));
    let mut faults: Vec<_> = items
        .chain(fields)
        .filter_map(|(place, path)| {
            let error = parse_json_path(path).err()?;
            let line = error
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .trim()
                .to_owned();
            Some(Fault::new(
                place,
                format!("{path:?} is not a JSONPath ({line}): write it as $.title or $[*]"),
            ))
        })
        .collect();
    if response.max_items.is_some_and(|most| most < 1) {
        faults.push(Fault::new(format!("{field}.maxItems"), "must be at least 1"));
    }
    if response.max_items.is_some() && response.items.is_none() {
        faults.push(Fault::new(
            format!("{field}.maxItems"),
            "needs items: say where the list is",
        ));
    }
    faults
}
