//! What is wrong with a `Credential`.

use kube::ResourceExt as _;

use super::{Fault, destination, reference};
use crate::consent::User;
use crate::kinds::Credential;
use crate::kinds::credential::Method;
use crate::world::{SecretUse, World};

/// Its hosts must be usable and permitted here, its Secrets must be there and agree.
pub fn validate(credential: &Credential, world: &World) -> Vec<Fault> {
    let hosts = &credential.spec.hosts;
    if let Some(fault) = destination::list_fault("spec.hosts", hosts) {
        return vec![fault];
    }
    let beyond = destination::list_beyond_workspace("spec.hosts", hosts, world);
    let Method::Static(method) = &credential.spec.method;
    let secrets = method.fields.iter().enumerate().filter_map(|(index, field)| {
        let place = format!("spec.method.static.fields[{index}].secretKeyRef");
        let used = SecretUse {
            secret: field.secret_key_ref.clone(),
            user: User::Credential(credential.name_any()),
            hosts: hosts.clone(),
        };
        reference::secret(&place, &used, world)
    });
    beyond.into_iter().chain(secrets).collect()
}
