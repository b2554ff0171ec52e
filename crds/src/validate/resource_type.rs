//! What is wrong with a `ResourceType`.

use std::sync::Arc;

use monstrum_contract::{CredentialMethod, ExecutorContract, Executors, Placement, TypeParts};
use monstrum_guardian::source;
use serde_json::Value;

use super::Fault;
use crate::contract::Contract;
use crate::kinds::{ResourceType, ResourceTypeSpec};

/// Its dimensions and tools must make sense to the engine, its requests and settings to the executors.
pub fn validate(resource_type: &ResourceType) -> Vec<Fault> {
    Contract::new(Arc::new(resource_type.clone())).faults
}

/// Everything but the config schema, which [`Contract`] compiles.
pub(crate) fn faults(
    spec: &ResourceTypeSpec,
    source: &source::ResourceType,
    executors: &Executors,
) -> Vec<Fault> {
    let mut found = monstrum_guardian::validate_resource_type(source);
    let executor = executors.get(&spec.executor);
    found.extend(executor.into_iter().flat_map(|executor| {
        let credentials = credentials_fault(spec, executor);
        credentials
            .into_iter()
            .chain(executor.type_faults(&parts(spec, source)))
    }));
    let mut faults: Vec<_> = found
        .into_iter()
        .map(|fault| Fault::invalid(format!("spec.{}", fault.field), fault.message))
        .collect();
    if executor.is_none() {
        faults.push(unavailable(executors));
    }
    for (index, tool) in spec.tools.iter().enumerate() {
        let field = format!("spec.tools[{index}].parameters");
        faults.extend(parameter_name_faults(&field, &tool.parameters));
    }
    faults
}

fn parts<'a>(spec: &'a ResourceTypeSpec, source: &'a source::ResourceType) -> TypeParts<'a> {
    let credentials = spec.credentials.iter().map(|method| CredentialMethod {
        method: &method.method,
        fields: method
            .fields
            .iter()
            .filter(|field| !field.optional)
            .map(|field| field.name.as_str())
            .collect(),
        presentation: method.presentation.as_ref(),
    });
    TypeParts {
        source,
        settings: spec.config.as_ref().map(|config| &config.schema),
        credentials: credentials.collect(),
    }
}

fn unavailable(executors: &Executors) -> Fault {
    let names = executors.names().join(" and ");
    Fault::invalid(
        "spec.executor",
        format!("this version carries out only {names}: use one of them"),
    )
}

/// A secret in a sandbox would go wherever the sandbox reaches, so none is put there.
fn credentials_fault(
    spec: &ResourceTypeSpec,
    executor: &dyn ExecutorContract,
) -> Option<monstrum_contract::Fault> {
    let mut placements = executor.placements().iter();
    let only_in_sandboxes = placements.all(|placement| *placement == Placement::Sandbox);
    (!spec.credentials.is_empty() && only_in_sandboxes).then(|| {
        monstrum_contract::Fault::new(
            "credentials",
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
