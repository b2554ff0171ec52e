//! An object's metadata, by the API server's own rules: no definition says them.

use monstrum_crds::object::Kind;
use monstrum_crds::schema::{LABEL, SUBDOMAIN};
use serde_json::{Map, Value};

use super::{Fault, pointer};
use crate::output::closest;

/// The fields that there are.
const FIELDS: [&str; 15] = [
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "labels",
    "managedFields",
    "name",
    "namespace",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
];
/// The longest name of an object.
const MAX_NAME: usize = 253;
/// The longest name of a namespace, of a label, and of what stands behind the slash of a key.
const MAX_LABEL: usize = 63;
/// How large annotations may be together.
const MAX_ANNOTATIONS: usize = 256 << 10;

/// What is wrong with it.
pub(super) fn faults(kind: Kind, value: &Value) -> Vec<Fault> {
    let at = "/metadata";
    let Some(metadata) = value.get("metadata").filter(|metadata| !metadata.is_null()) else {
        return vec![Fault::schema(
            "/metadata/name",
            format!("is missing: a {kind} needs a name"),
        )];
    };
    let Value::Object(metadata) = metadata else {
        return vec![Fault::schema(
            at,
            "must be a mapping: write name: and more below it",
        )];
    };
    let mut faults = unknown(metadata);
    match metadata.get("name") {
        None | Some(Value::Null) => {
            faults.push(Fault::schema(
                "/metadata/name",
                format!("is missing: a {kind} needs a name"),
            ));
        }
        Some(name) => faults.extend(name_fault("/metadata/name", name, MAX_NAME, false)),
    }
    if let Some(namespace) = metadata
        .get("namespace")
        .filter(|namespace| !namespace.is_null() && *namespace != "")
    {
        faults.extend(name_fault("/metadata/namespace", namespace, MAX_LABEL, true));
    }
    for part in ["labels", "annotations"] {
        match metadata.get(part) {
            None | Some(Value::Null) => {}
            Some(Value::Object(entries)) => entry_faults(part, entries, &mut faults),
            Some(_) => faults.push(Fault::schema(
                format!("{at}/{part}"),
                "must be a mapping of strings",
            )),
        }
    }
    faults.extend(finalizer_faults(metadata));
    faults
}

fn unknown(metadata: &Map<String, Value>) -> Vec<Fault> {
    let unknown = metadata.keys().filter(|name| !FIELDS.contains(&name.as_str()));
    unknown
        .map(|name| Fault {
            pointer: pointer::join("/metadata", name),
            message: match closest(name, &FIELDS) {
                Some(known) => format!("there is no field {name}: did you mean {known}?"),
                None => format!("there is no field {name}: remove it, or put it under labels or annotations"),
            },
            reason: "UnknownField",
        })
        .collect()
}

fn name_fault(at: &str, name: &Value, longest: usize, is_label: bool) -> Option<Fault> {
    let form = if is_label { LABEL } else { SUBDOMAIN };
    let Some(text) = name.as_str() else {
        return Some(Fault::schema(at, "must be a string: put it in quotes"));
    };
    if text.len() > longest {
        let message = format!("has {} characters: at most {longest} are permitted", text.len());
        return Some(Fault::schema(at, message));
    }
    let characters = if is_label {
        "digits and -"
    } else {
        "digits, - and ."
    };
    (!fits(form, text)).then(|| {
        let message =
            format!("use lower-case letters, {characters} only, with a letter or digit at both ends");
        Fault::schema(at, message)
    })
}

/// Both forms are of words that begin and end with a letter or digit.
fn fits(form: &str, text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let word = |word: &str| {
        let ends =
            word.bytes().next().is_some_and(is_plain) && word.bytes().next_back().is_some_and(is_plain);
        ends && word.bytes().all(|byte| is_plain(byte) || byte == b'-')
    };
    if form == LABEL {
        word(text)
    } else {
        text.split('.').all(word)
    }
}

fn entry_faults(part: &str, entries: &Map<String, Value>, faults: &mut Vec<Fault>) {
    let mut size: usize = 0;
    for (key, value) in entries {
        let at = pointer::join(&format!("/metadata/{part}"), key);
        if !is_qualified(key) {
            let message =
                format!("{key:?} is no key: write name or example.com/name, of letters, digits, -, _ and .");
            faults.push(Fault::schema(&at, message));
        }
        match value {
            Value::Null => {}
            Value::String(text) => {
                size = size.saturating_add(key.len()).saturating_add(text.len());
                if part == "labels" && !(text.is_empty() || is_name(text)) {
                    let message = "a label has at most 63 letters, digits, -, _ and ., with a letter or digit at both ends";
                    faults.push(Fault::schema(&at, message));
                }
            }
            _ => faults.push(Fault::schema(&at, "must be a string: put it in quotes")),
        }
    }
    if part == "annotations" && size > MAX_ANNOTATIONS {
        let message = format!("has {size} bytes: at most {MAX_ANNOTATIONS} are permitted");
        faults.push(Fault::schema("/metadata/annotations", message));
    }
}

fn finalizer_faults(metadata: &Map<String, Value>) -> Vec<Fault> {
    let finalizers = metadata.get("finalizers").and_then(Value::as_array);
    let wrong = finalizers
        .into_iter()
        .flatten()
        .enumerate()
        .filter(|(_, name)| name.as_str().is_none_or(|name| !is_qualified(name)));
    wrong
        .map(|(place, name)| {
            let message = format!("{name} is no finalizer: write one such as example.com/name");
            Fault::schema(format!("/metadata/finalizers/{place}"), message)
        })
        .collect()
}

/// A name, with a domain before it or without. Upper-case domains are taken in annotations only, and not needed there.
fn is_qualified(key: &str) -> bool {
    match key.split_once('/') {
        Some((domain, name)) => domain.len() <= MAX_NAME && fits(SUBDOMAIN, domain) && is_name(name),
        None => is_name(key),
    }
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    text.len() <= MAX_LABEL
        && text.bytes().next().is_some_and(plain)
        && text.bytes().next_back().is_some_and(plain)
        && text
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'-' | b'_' | b'.'))
}
