//! What is wrong with how a credential is shown.

use crate::executor::CredentialMethod;
use crate::http::Request;
use crate::{Fault, Presentation, headers};

/// A presentation shows only fields that are always there, and takes no place that the transport or a tool's request has.
pub(super) fn faults(field: &str, method: &CredentialMethod<'_>, requests: &[(&str, Request)]) -> Vec<Fault> {
    let Some(presentation) = method.presentation else {
        return Vec::new();
    };
    let mut faults = unknown_fields(field, method, presentation);
    match presentation {
        Presentation::Header(header) => {
            let field = format!("{field}.header.name");
            if !headers::carries_credentials(&header.name) {
                let message = format!("{:?} belongs to the transport: name another header", header.name);
                faults.push(Fault::new(&field, message));
            }
            let sets = |request: &Request| {
                let mut names = request.headers.keys();
                names.any(|name| name.eq_ignore_ascii_case(&header.name))
            };
            faults.extend(taken(&field, &header.name, requests, sets));
        }
        Presentation::Query(query) => {
            let sets = |request: &Request| request.query.contains_key(&query.name);
            faults.extend(taken(&format!("{field}.query.name"), &query.name, requests, sets));
        }
        // No request can set `Authorization`.
        Presentation::Bearer(_) | Presentation::Basic(_) => {}
    }
    faults
}

fn unknown_fields(field: &str, method: &CredentialMethod<'_>, presentation: &Presentation) -> Vec<Fault> {
    let shown = presentation.fields().into_iter();
    shown
        .filter(|(_, name)| !method.fields.contains(name))
        .map(|(place, name)| {
            let message = format!(
                "method {:?} has no field {name:?} that is always there: declare it",
                method.method
            );
            Fault::new(format!("{field}.{place}"), message)
        })
        .collect()
}

/// A request has each header and query parameter once.
fn taken(
    field: &str,
    name: &str,
    requests: &[(&str, Request)],
    sets: impl Fn(&Request) -> bool,
) -> Option<Fault> {
    let (tool, _) = requests.iter().find(|(_, request)| sets(request))?;
    let message =
        format!("the request of tool {tool:?} sets {name:?} itself: remove it there, or name another");
    Some(Fault::new(field, message))
}
