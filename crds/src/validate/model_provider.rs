//! What is wrong with a `ModelProvider`.

use std::collections::BTreeSet;

use super::request::is_reserved_header;
use super::{Fault, address, destination, limits, reference, request_shape};
use crate::conditions::Reason;
use crate::kinds::ModelProvider;
use crate::kinds::model_provider::KEY_FIELD;
use crate::world::World;

const HOUR: u64 = 3_600;

/// Its address and headers must be usable, its credential there.
pub fn validate(provider: &ModelProvider, world: &World) -> Vec<Fault> {
    let spec = &provider.spec;
    let mut faults = Vec::new();
    if let Some(message) = address::http_url_fault(&spec.base_url) {
        faults.push(Fault::invalid("spec.baseUrl", message));
    }
    faults.extend(destination::beyond_workspace(
        "spec.baseUrl",
        &spec.base_url,
        world,
    ));
    faults.extend(header_faults(provider));
    faults.extend(limits::span(
        "spec.requestTimeout",
        spec.request_timeout.as_ref(),
        HOUR,
    ));
    faults.extend(request_shape::faults(
        "spec.request",
        spec.request.as_ref(),
        spec.dialect,
    ));
    for (index, model) in spec.models.iter().enumerate() {
        let field = format!("spec.models[{index}].request");
        faults.extend(request_shape::faults(
            &field,
            model.request.as_ref(),
            spec.dialect,
        ));
    }
    if let Some(name) = &spec.credential {
        faults.extend(credential_fault(name, &spec.base_url, world));
    }
    faults
}

fn header_faults(provider: &ModelProvider) -> Vec<Fault> {
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (index, header) in provider.spec.headers.iter().enumerate() {
        let field = format!("spec.headers[{index}].name");
        if is_reserved_header(&header.name) || header.name.eq_ignore_ascii_case("x-api-key") {
            let message = format!(
                "{:?} can't be set here: keys belong into spec.credential",
                header.name
            );
            faults.push(Fault::invalid(&field, message));
        }
        if !seen.insert(header.name.to_ascii_lowercase()) {
            faults.push(Fault::invalid(
                &field,
                format!("{:?} is there twice: remove one", header.name),
            ));
        }
    }
    if let Some(name) = provider
        .spec
        .auth_header
        .as_ref()
        .filter(|name| is_reserved_header(name) && !name.eq_ignore_ascii_case("authorization"))
    {
        faults.push(Fault::invalid(
            "spec.authHeader",
            format!("{name:?} can't carry a key: name another header"),
        ));
    }
    faults
}

fn credential_fault(name: &str, url: &str, world: &World) -> Option<Fault> {
    match reference::credential("spec.credential", name, world) {
        Err(fault) => Some(fault),
        Ok(credential) if reference::has_field(credential, KEY_FIELD) => {
            destination::not_for("spec.credential", credential, ("spec.baseUrl", url))
        }
        Ok(_) => Some(Fault::new(
            "spec.credential",
            format!("Credential {name:?} has no field {KEY_FIELD:?}: add it"),
            Reason::RefInvalid,
        )),
    }
}
