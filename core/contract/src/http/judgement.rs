//! What is wrong with a resource type whose tools are HTTP requests.

mod credential;
mod template;

use serde_json::Value;

use super::Request;
use crate::executor::TypeParts;
use crate::{Fault, read};

/// Everything but what its schema says.
pub(super) fn of_type(parts: &TypeParts<'_>) -> Vec<Fault> {
    let properties = parts.settings.and_then(|schema| schema.get("properties"));
    let mut faults = Vec::new();
    if properties
        .and_then(|properties| properties.get("baseUrl"))
        .is_none()
    {
        faults.push(Fault::new(
            "config.schema.properties",
            "executor http needs a setting baseUrl: declare it as a string",
        ));
    }
    let mut requests = Vec::new();
    for (index, tool) in parts.source.tools.iter().enumerate() {
        let field = format!("tools[{index}].http");
        match request(&field, &tool.execution) {
            // The definition's rules ask for one.
            Ok(None) => {}
            Ok(Some(request)) => {
                faults.extend(template::faults(&field, &request, &tool.parameters));
                requests.push((tool.name.as_str(), request));
            }
            Err(fault) => faults.push(fault),
        }
    }
    for (index, method) in parts.credentials.iter().enumerate() {
        let field = format!("credentials[{index}].presentation");
        faults.extend(credential::faults(&field, method, &requests));
    }
    faults
}

/// A tool's request, as the runner will read it.
fn request(field: &str, execution: &Value) -> Result<Option<Request>, Fault> {
    read(execution).map_err(|fault| {
        let dot = if fault.field.is_empty() { "" } else { "." };
        Fault::new(format!("{field}{dot}{}", fault.field), fault.message)
    })
}
