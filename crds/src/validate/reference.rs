//! What objects name, and what is wrong with the names.

use std::sync::Arc;

use monstrum_contract::Placement;
use serde_json::Value;

use super::{Fault, credential, destination, model_provider, resource};
use crate::conditions::Reason;
use crate::consent;
use crate::contract::Contract;
use crate::kinds::credential::Method;
use crate::kinds::{Credential, CredentialUse, ModelProvider, Resource};
use crate::object::Kind;
use crate::world::{SecretUse, World};

/// A fault of `field`: nothing of this kind and name is there.
pub(crate) fn missing(field: &str, kind: Kind, name: &str) -> Fault {
    let place = if kind == Kind::ResourceType {
        "cluster"
    } else {
        "namespace"
    };
    Fault::new(
        field,
        format!("there is no {kind} {name:?} in this {place}: create it, or name another"),
        Reason::NotFound,
    )
}

/// A fault of `field`: what it names can't be used.
fn unusable(field: &str, kind: Kind, name: &str, first: &Fault) -> Fault {
    Fault::new(
        field,
        format!("{kind} {name:?} can't be used ({first})"),
        Reason::RefInvalid,
    )
    .caused_by(first.cause.seen_through(kind))
}

/// What is wrong with the use of a Secret's key. Which keys there are is told only to whom the Secret agrees.
pub(crate) fn secret(field: &str, used: &SecretUse, world: &World) -> Option<Fault> {
    let SecretUse { secret, user, hosts } = used;
    if let Some(consent) = world.consents.get(&secret.name)
        && let Some(refusal) = consent.refusal(user, &secret.key, hosts)
    {
        let fault = Fault::new(
            field,
            format!(
                "Secret {:?} does not agree to this use: {user} {refusal}; whoever owns the Secret and agrees runs: {} \
                 (or adds to the annotation that is there)",
                secret.name,
                refusal.remedy(&secret.name, &world.namespace, user, hosts)
            ),
            Reason::RefNotPermitted,
        );
        return Some(fault.caused_by(Reason::SecretNotConsented));
    }
    if world.consents.contains_key(&secret.name) && world.secret_version(secret).is_some() {
        return None;
    }
    Some(Fault::new(
        field,
        format!(
            "there is no Secret {:?} with key {:?} in this namespace: create it, with the annotation {}={user}",
            secret.name,
            secret.key,
            consent::USED_BY
        ),
        Reason::SecretNotFound,
    ))
}

/// A resource type that can be used here.
pub(crate) fn contract<'a>(field: &str, name: &str, world: &'a World) -> Result<&'a Arc<Contract>, Fault> {
    if !world.permits_type(name) && world.resource_types.contains_key(name) {
        return Err(Fault::new(
            field,
            format!(
                "the Workspace does not permit ResourceType {name:?}: add it to spec.permittedResourceTypes of Workspace \"workspace\""
            ),
            Reason::NotPermitted,
        ));
    }
    known_type(field, name, world)
}

/// A resource type that is right, whether or not it may be used here.
pub(crate) fn known_type<'a>(field: &str, name: &str, world: &'a World) -> Result<&'a Arc<Contract>, Fault> {
    let contract = world
        .resource_types
        .get(name)
        .ok_or_else(|| missing(field, Kind::ResourceType, name))?;
    match contract.faults.first() {
        Some(first) => Err(unusable(field, Kind::ResourceType, name, first)),
        None => Ok(contract),
    }
}

/// A resource that can be used, with its type.
pub(crate) fn resource<'a>(
    field: &str,
    name: &str,
    world: &'a World,
) -> Result<(&'a Arc<Resource>, &'a Arc<Contract>), Fault> {
    let resource = world
        .resources
        .get(name)
        .ok_or_else(|| missing(field, Kind::Resource, name))?;
    let (faults, contract) = resource::judged(resource, world);
    match (faults.first(), contract) {
        (None, Some(contract)) => Ok((resource, contract)),
        (Some(first), _) => Err(unusable(field, Kind::Resource, name, first)),
        (None, None) => Err(missing("spec.type", Kind::ResourceType, &resource.spec.type_)),
    }
}

/// A credential that can be used.
pub(crate) fn credential<'a>(
    field: &str,
    name: &str,
    world: &'a World,
) -> Result<&'a Arc<Credential>, Fault> {
    let credential = world
        .credentials
        .get(name)
        .ok_or_else(|| missing(field, Kind::Credential, name))?;
    match credential::validate(credential, world).first() {
        Some(first) => Err(unusable(field, Kind::Credential, name, first)),
        None => Ok(credential),
    }
}

/// A model provider that can be used.
pub(crate) fn provider<'a>(
    field: &str,
    name: &str,
    world: &'a World,
) -> Result<&'a Arc<ModelProvider>, Fault> {
    let provider = world
        .providers
        .get(name)
        .ok_or_else(|| missing(field, Kind::ModelProvider, name))?;
    match model_provider::validate(provider, world).first() {
        Some(first) => Err(unusable(field, Kind::ModelProvider, name, first)),
        None => Ok(provider),
    }
}

/// A fault of `field`: no runner of this version carries calls of this type out.
pub(crate) fn without_runner(field: &str, contract: &Contract) -> Fault {
    let name = contract.name();
    let message =
        format!("no runner of this version carries out calls of ResourceType {name:?}: name another");
    Fault::invalid(field, message)
}

/// What is wrong with using a credential with a resource type.
pub(crate) fn credential_use(
    field: &str,
    used: &CredentialUse,
    contract: &Contract,
    settings: &Value,
    world: &World,
) -> Vec<Fault> {
    let Some(method) = contract.credential_method(&used.method) else {
        return vec![unknown_method(field, used, contract)];
    };
    if contract.placement(settings) == Some(Placement::Sandbox) {
        let message = "what runs foreign code is handed no credential: remove it";
        return vec![Fault::invalid(field, message)];
    }
    let credential = match credential(&format!("{field}.name"), &used.name, world) {
        Ok(credential) => credential,
        Err(fault) => return vec![fault],
    };
    let has = |name: &str| has_field(credential, name);
    let lacking = method
        .fields
        .iter()
        .filter(|wanted| !wanted.optional && !has(&wanted.name));
    // What passes through a proxy, passes it in the clear if it is not encrypted for somebody else, and who is somebody else is for
    // the resource's certificates to say.
    let reach = contract.reach(settings);
    let misdirected = reach.addresses().filter_map(|address| {
        let place = format!("spec.config.{}", address.field);
        destination::not_for(
            &format!("{field}.name"),
            credential,
            (place.as_str(), address.url.as_str()),
        )
    });
    lacking
        .map(|wanted| {
            Fault::new(
                format!("{field}.name"),
                format!(
                    "Credential {:?} has no field {:?}, which method {:?} of ResourceType {:?} needs: add it",
                    used.name,
                    wanted.name,
                    used.method,
                    contract.name()
                ),
                Reason::RefInvalid,
            )
        })
        .chain(misdirected)
        .collect()
}

fn unknown_method(field: &str, used: &CredentialUse, contract: &Contract) -> Fault {
    let known: Vec<_> = contract
        .object
        .spec
        .credentials
        .iter()
        .map(|method| method.method.as_str())
        .collect();
    let remedy = if known.is_empty() {
        "it takes none: remove the credential".to_owned()
    } else {
        format!("use one of {}", known.join(", "))
    };
    Fault::invalid(
        format!("{field}.method"),
        format!(
            "ResourceType {:?} has no credential method {:?}: {remedy}",
            contract.name(),
            used.method
        ),
    )
}

/// Whether a credential has a field of this name.
pub(crate) fn has_field(credential: &Credential, name: &str) -> bool {
    let Method::Static(method) = &credential.spec.method;
    method.fields.iter().any(|field| field.name == name)
}
