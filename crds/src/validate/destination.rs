//! Where objects send things: within what the Workspace permits, and with a credential only where that may go.

use monstrum_guardian::destination::{self, Destinations};
use url::Url;

use super::Fault;
use crate::conditions::Reason;
use crate::kinds::Credential;
use crate::world::World;

/// What is wrong with the entries of a list of hosts.
pub(crate) fn list_fault(field: &str, hosts: &[String]) -> Option<Fault> {
    let fault = Destinations::read(hosts).err()?;
    Some(Fault::invalid(format!("{field}{}", fault.field), fault.message))
}

/// Why an object of this namespace may not send anything to `url`.
pub(crate) fn beyond_workspace(field: &str, url: &str, world: &World) -> Option<Fault> {
    // What is no URL is told by others, and used by nobody.
    let origin = destination::origin(&Url::parse(url).ok()?)?;
    list_beyond_workspace(field, &[origin], world)
}

/// Why nothing of this namespace may name these hosts.
pub(crate) fn list_beyond_workspace(field: &str, hosts: &[String], world: &World) -> Option<Fault> {
    if world.is_workspace_unreadable {
        let message = "the Workspace can't be read, so that it is not known where this may go: put Workspace \"workspace\" right";
        return Some(Fault::new(field, message, Reason::NotPermitted));
    }
    let permitted = world.workspace.as_ref()?.spec.permitted_hosts.as_ref()?;
    let beyond = destination::excess(hosts, permitted)?;
    let message = format!(
        "the Workspace does not permit {beyond}: name another host, or add it to spec.permittedHosts of Workspace \"workspace\""
    );
    Some(Fault::new(field, message, Reason::NotPermitted))
}

/// Why nothing of this namespace may have connections that are not bound to hosts.
pub(crate) fn unbounded(field: &str, world: &World) -> Option<Fault> {
    let permitted = world
        .workspace
        .as_ref()
        .and_then(|workspace| workspace.spec.permitted_hosts.as_ref());
    (world.is_workspace_unreadable || permitted.is_some()).then(|| {
        let message = "these connections are bound to ports and not to hosts, and the Workspace permits only some hosts: remove them, or remove \
             spec.permittedHosts of Workspace \"workspace\"";
        Fault::new(field, message, Reason::NotPermitted)
    })
}

/// Why a credential may not be sent to `url`. `place` says where the address is written.
pub(crate) fn not_for(field: &str, credential: &Credential, (place, url): (&str, &str)) -> Option<Fault> {
    let url = Url::parse(url).ok()?;
    let hosts = &credential.spec.hosts;
    if Destinations::read(hosts).is_ok_and(|destinations| destinations.permit(&url)) {
        return None;
    }
    let name = credential.metadata.name.as_deref().unwrap_or_default();
    let origin = destination::origin(&url).unwrap_or_default();
    let goes = if hosts.is_empty() {
        "names no hosts in its spec.hosts, so that it goes nowhere".to_owned()
    } else {
        format!("goes only to {}", hosts.join(", "))
    };
    let message = format!(
        "Credential {name:?} {goes}, and {place} says {origin}: name another credential or address, or add \
         {origin:?} to the Credential's spec.hosts, to which its Secrets must agree"
    );
    Some(Fault::new(field, message, Reason::RefNotPermitted))
}
