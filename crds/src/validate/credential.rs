//! What is wrong with a `Credential`.

use super::{Fault, reference};
use crate::kinds::Credential;
use crate::kinds::credential::Method;
use crate::world::World;

/// Its Secrets must be there.
pub fn validate(credential: &Credential, world: &World) -> Vec<Fault> {
    let Method::Static(method) = &credential.spec.method;
    let fields = method.fields.iter().enumerate();
    fields
        .filter_map(|(index, field)| {
            let place = format!("spec.method.static.fields[{index}].secretKeyRef");
            reference::secret(&place, &field.secret_key_ref, world)
        })
        .collect()
}
