//! What is wrong with a request template.

use std::collections::BTreeMap;

use jsonpath_rust::parser::parse_json_path;
use serde_json::Value;

use super::Fault;
use super::template::{Declared, declared, pointers};
use crate::kinds::resource_type::request::{HttpMethod, Request, Response};

/// Headers that the transport or a credential owns.
const RESERVED: [&str; 16] = [
    "authorization",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
];

/// How deep a body template may be nested.
const MAX_DEPTH: usize = 16;

/// Whether a header belongs to the transport or to credentials.
pub(crate) fn is_reserved_header(name: &str) -> bool {
    RESERVED
        .iter()
        .any(|reserved| name.eq_ignore_ascii_case(reserved))
}

/// What is wrong with the template of a tool with these parameters.
pub(crate) fn faults(field: &str, request: &Request, parameters: &Value) -> Vec<Fault> {
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
        if matches!(request.method, HttpMethod::Get | HttpMethod::Head) {
            faults.push(Fault::invalid(
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
        Err(message) => return vec![Fault::invalid(field, message)],
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
        .map(|message| Fault::invalid(field, message))
        .collect();
    let mut segments = without_pointers(path);
    if segments.any(|segment| segment == "." || segment == "..") {
        faults.push(Fault::invalid(
            field,
            "has a segment '.' or '..': write the path out",
        ));
    }
    faults
}

/// The segments of a path, each argument replaced by a letter.
fn without_pointers(path: &str) -> impl Iterator<Item = String> {
    let mut fixed = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        fixed.push_str(before);
        fixed.push('a');
        rest = after.split_once('}').map_or("", |(_, tail)| tail);
    }
    fixed.push_str(rest);
    fixed
        .split('/')
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

fn header_faults(field: &str, headers: &BTreeMap<String, String>, parameters: &Value) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, template) in headers {
        let place = format!("{field}.{name}");
        if name.is_empty() || !name.chars().all(is_token) {
            faults.push(Fault::invalid(
                &place,
                "is not a header name: use letters, digits and '-'",
            ));
        }
        if is_reserved_header(name) {
            faults.push(Fault::invalid(
                &place,
                "belongs to the transport or to credentials: remove it, and describe a credential in spec.credentials",
            ));
        }
        if template.chars().any(char::is_control) {
            faults.push(Fault::invalid(&place, "has a control character: remove it"));
        }
        faults.extend(text_faults(&place, template, parameters));
    }
    faults
}

/// A character of an RFC 9110 token.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn text_faults(field: &str, template: &str, parameters: &Value) -> Vec<Fault> {
    match pointers(template) {
        Err(message) => vec![Fault::invalid(field, message)],
        Ok(found) => found
            .into_iter()
            .filter(|pointer| declared(pointer, parameters) == Declared::Not)
            .map(|pointer| Fault::invalid(field, undeclared(pointer)))
            .collect(),
    }
}

fn undeclared(pointer: &str) -> String {
    format!("{{{pointer}}} is not a parameter of the tool: declare it in parameters.properties")
}

fn body_faults(field: &str, body: &Value, parameters: &Value, depth: usize, faults: &mut Vec<Fault>) {
    if depth > MAX_DEPTH {
        faults.push(Fault::invalid(
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
                    faults.push(Fault::invalid(
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

fn response_faults(field: &str, response: &Response) -> Vec<Fault> {
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
            Some(Fault::invalid(
                place,
                format!("{path:?} is not a JSONPath ({line}): write it as $.title or $[*]"),
            ))
        })
        .collect();
    if response.max_items.is_some() && response.items.is_none() {
        faults.push(Fault::invalid(
            format!("{field}.maxItems"),
            "needs items: say where the list is",
        ));
    }
    faults
}
