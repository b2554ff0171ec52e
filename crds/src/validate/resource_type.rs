//! What is wrong with a `ResourceType`.

use std::sync::Arc;

use monstrum_guardian::source;
use serde_json::Value;

use super::template::{Declared, declared};
use super::{Fault, request};
use crate::contract::Contract;
use crate::kinds::ResourceType;
use crate::kinds::resource_type::{
    CredentialMethod, Executor, FeedFrom, Match, Presentation, ResourceTypeSpec, Tool,
};

/// Its dimensions and tools must make sense to the engine, its requests and settings to the executors.
pub fn validate(resource_type: &ResourceType) -> Vec<Fault> {
    Contract::new(Arc::new(resource_type.clone())).faults
}

/// Everything but the config schema, which [`Contract`] compiles.
pub(crate) fn faults(spec: &ResourceTypeSpec, source: &source::ResourceType) -> Vec<Fault> {
    let mut faults: Vec<_> = monstrum_guardian::validate_resource_type(source)
        .into_iter()
        .map(|fault| Fault::invalid(format!("spec.{}", fault.field), fault.message))
        .collect();
    faults.extend(executor_fault(spec.executor));
    faults.extend(credentials_fault(spec));
    for (index, tool) in spec.tools.iter().enumerate() {
        let field = format!("spec.tools[{index}].parameters");
        faults.extend(parameter_name_faults(&field, &tool.parameters));
    }
    for (index, method) in spec.credentials.iter().enumerate() {
        faults.extend(presentation_faults(&format!("spec.credentials[{index}]"), method));
    }
    match spec.executor {
        Executor::Http => faults.extend(http_faults(spec)),
        Executor::Shell => faults.extend(shell_faults(spec)),
        Executor::Mcp
        | Executor::Ssh
        | Executor::Web
        | Executor::Browser
        | Executor::Docker
        | Executor::Bot
        | Executor::Agent => {}
    }
    faults
}

fn executor_fault(executor: Executor) -> Option<Fault> {
    (!executor.is_available()).then(|| {
        Fault::invalid(
            "spec.executor",
            "this version carries out only http and shell: use one of them",
        )
    })
}

/// A secret in a sandbox would go wherever the sandbox reaches, so none is put there.
fn credentials_fault(spec: &ResourceTypeSpec) -> Option<Fault> {
    (!spec.credentials.is_empty() && spec.executor.runs_foreign_code()).then(|| {
        Fault::invalid(
            "spec.credentials",
            "what runs foreign code is handed no credential: remove them",
        )
    })
}

/// A provider refuses every request in which one tool has a parameter whose name it does not take.
fn parameter_name_faults(field: &str, schema: &Value) -> Vec<Fault> {
    let fits = |name: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        (1..=64).contains(&name.len()) && name.bytes().all(letter)
    };
    let names = schema.get("properties").and_then(Value::as_object);
    let names = names.into_iter().flat_map(|names| names.keys());
    let mut faults: Vec<_> = names
        .filter(|name| !fits(name))
        .map(|name| {
            let message = format!(
                "{name:?} is no name that model providers take: use 1 to 64 letters, digits, _, . and -"
            );
            Fault::invalid(format!("{field}.properties"), message)
        })
        .collect();
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let parts = schema
            .get(keyword)
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for (index, part) in parts.enumerate() {
            faults.extend(parameter_name_faults(
                &format!("{field}.{keyword}[{index}]"),
                part,
            ));
        }
    }
    faults
}

/// A presentation sends only fields that the method has, and no header that the transport owns.
fn presentation_faults(field: &str, method: &CredentialMethod) -> Vec<Fault> {
    let used = match &method.presentation {
        None => Vec::new(),
        Some(Presentation::Bearer(bearer)) => vec![("bearer.field", &bearer.field)],
        Some(Presentation::Header(header)) => vec![("header.field", &header.field)],
        Some(Presentation::Basic(basic)) => {
            vec![
                ("basic.usernameField", &basic.username_field),
                ("basic.passwordField", &basic.password_field),
            ]
        }
        Some(Presentation::Query(query)) => vec![("query.field", &query.field)],
    };
    let mut faults: Vec<_> = used
        .into_iter()
        .filter(|(_, name)| {
            !method
                .fields
                .iter()
                .any(|known| known.name == **name && !known.optional)
        })
        .map(|(place, name)| {
            let message = format!(
                "method {:?} has no field {name:?} that is always there: declare it",
                method.method
            );
            Fault::invalid(format!("{field}.presentation.{place}"), message)
        })
        .collect();
    if let Some(Presentation::Header(header)) = &method.presentation
        && request::is_reserved_header(&header.name)
        && !header.name.eq_ignore_ascii_case("authorization")
    {
        let message = format!("{:?} belongs to the transport: name another header", header.name);
        faults.push(Fault::invalid(
            format!("{field}.presentation.header.name"),
            message,
        ));
    }
    faults
}

fn http_faults(spec: &ResourceTypeSpec) -> Vec<Fault> {
    let mut faults = Vec::new();
    let properties = spec
        .config
        .as_ref()
        .and_then(|config| config.schema.get("properties"));
    if properties
        .and_then(|properties| properties.get("baseUrl"))
        .is_none()
    {
        faults.push(Fault::invalid(
            "spec.config.schema.properties",
            "executor http needs a setting baseUrl: declare it as a string",
        ));
    }
    for (index, tool) in spec.tools.iter().enumerate() {
        if let Some(http) = &tool.http {
            faults.extend(request::faults(
                &format!("spec.tools[{index}].http"),
                http,
                &tool.parameters,
            ));
        }
    }
    faults
}

/// The shell runs the canonical value of the dimension `command`, so every tool must feed it, and must always.
fn shell_faults(spec: &ResourceTypeSpec) -> Vec<Fault> {
    let mut faults = Vec::new();
    let is_command = |name: &str, matching: &Match| name == "command" && *matching == Match::Command {};
    if !spec
        .dimensions
        .iter()
        .any(|dimension| is_command(&dimension.name, &dimension.matching))
    {
        faults.push(Fault::invalid(
            "spec.dimensions",
            "executor shell runs what the dimension \"command\" judges: declare it with match: {command: {}}",
        ));
    }
    for (index, tool) in spec.tools.iter().enumerate() {
        if !feeds_one_command(tool) {
            faults.push(Fault::invalid(
                format!("spec.tools[{index}].scope"),
                "a tool of executor shell feeds the dimension \"command\" once, by a pointer to a required string",
            ));
        }
    }
    faults
}

fn feeds_one_command(tool: &Tool) -> bool {
    let mut feeds = tool.scope.iter().filter(|feed| feed.dimension == "command");
    let (Some(feed), None) = (feeds.next(), feeds.next()) else {
        return false;
    };
    let FeedFrom::Pointer(pointer) = &feed.from else {
        return false;
    };
    let kind = pointer
        .strip_prefix('/')
        .and_then(|name| tool.parameters.get("properties")?.get(name)?.get("type"))
        .and_then(Value::as_str);
    kind == Some("string") && declared(pointer, &tool.parameters) == Declared::Required
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(json!({"properties": {"a_b-c.D9": {}}}), None)]
    #[case::below_the_root(json!({"properties": {"a": {"properties": {"$filter": {}}}}}), None)]
    #[case(json!({"properties": {"$filter": {}}}), Some("p.properties"))]
    #[case::blank(json!({"properties": {"a b": {}}}), Some("p.properties"))]
    #[case::empty(json!({"properties": {"": {}}}), Some("p.properties"))]
    #[case::long(json!({"properties": {"a".repeat(65): {}}}), Some("p.properties"))]
    #[case::in_an_alternative(json!({"anyOf": [{}, {"properties": {"ü": {}}}]}), Some("p.anyOf[1].properties"))]
    fn a_parameter_has_a_name_that_providers_take(#[case] schema: Value, #[case] field: Option<&str>) {
        let faults = parameter_name_faults("p", &schema);
        assert_eq!(faults.first().map(|fault| fault.field.as_str()), field);
    }
}
