//! What is wrong with a `ModelProvider`.

use std::collections::BTreeSet;

use monstrum_contract::headers;

use super::address::Destination;
use super::{Fault, address, base_url, destination, limits, reference, request_shape};
use crate::conditions::Reason;
use crate::kinds::model_provider::KEY_FIELD;
use crate::kinds::{ModelProvider, ModelProviderSpec};
use crate::world::World;

const HOUR: u64 = 3_600;

/// Its address and headers must be usable, its credential there.
pub fn validate(provider: &ModelProvider, world: &World) -> Vec<Fault> {
    let spec = &provider.spec;
    let mut faults = Vec::new();
    let destination = destination(spec);
    let address_faults = destination.faults("spec.baseUrl", "spec.allowedAddresses", world);
    if address_faults.iter().all(|fault| fault.field != "spec.baseUrl") {
        let path = base_url::path_fault(&spec.base_url);
        faults.extend(path.map(|message| Fault::invalid("spec.baseUrl", message)));
    }
    faults.extend(address_faults);
    faults.extend(address::proxy_faults("spec.proxy", spec.proxy.as_ref(), world));
    faults.extend(address::authority_fault(
        "spec.caCertificate",
        spec.ca_certificate.as_deref(),
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
        faults.extend(credential_faults(name, spec, world));
    }
    faults
}

/// Where its requests go.
pub(crate) fn destination(spec: &ModelProviderSpec) -> Destination<'_> {
    Destination {
        url: &spec.base_url,
        allowed: &spec.allowed_addresses,
    }
}

fn header_faults(provider: &ModelProvider) -> Vec<Fault> {
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (index, header) in provider.spec.headers.iter().enumerate() {
        let field = format!("spec.headers[{index}].name");
        if !headers::is_settable(&header.name) || header.name.eq_ignore_ascii_case("x-api-key") {
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
        .filter(|name| !headers::carries_credentials(name))
    {
        faults.push(Fault::invalid(
            "spec.authHeader",
            format!("{name:?} can't carry a key: name another header"),
        ));
    }
    faults
}

/// The key may go to the provider, and to the proxy: who can pass a connection on, and names whom to trust at its end, can read it.
fn credential_faults(name: &str, spec: &ModelProviderSpec, world: &World) -> Vec<Fault> {
    let field = "spec.credential";
    let credential = match reference::credential(field, name, world) {
        Err(fault) => return vec![fault],
        Ok(credential) => credential,
    };
    if !reference::has_field(credential, KEY_FIELD) {
        let message = format!("Credential {name:?} has no field {KEY_FIELD:?}: add it");
        return vec![Fault::new(field, message, Reason::RefInvalid)];
    }
    let proxy = spec
        .proxy
        .as_ref()
        .map(|proxy| ("spec.proxy.url", proxy.url.as_str()));
    [Some(("spec.baseUrl", spec.base_url.as_str())), proxy]
        .into_iter()
        .flatten()
        .filter_map(|place| destination::not_for(field, credential, place))
        .collect()
}
