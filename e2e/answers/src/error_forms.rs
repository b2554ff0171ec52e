//! The forms of errors, all with the reply's text as the words.

use serde_json::{Value, json};

use crate::form::{Form, Wire};
use crate::reply::{Dialect, Reply};

const STREAM: &str = "text/event-stream";
const JSON: &str = "application/json";

/// The response, if it is one of these forms.
pub(crate) fn write(form: Form, dialect: Dialect, reply: &Reply) -> Option<Wire> {
    let words = &reply.text;
    let ordinary = json!({"type": "error", "error": {"type": "invalid_request_error", "message": words}});
    Some(match form {
        Form::StatusError => Wire {
            status: 400,
            ..sent(JSON, &ordinary.to_string())
        },
        Form::ErrorDocument => sent(JSON, &ordinary.to_string()),
        Form::ErrorFields => event(&json!({"error_type": "invalid_request", "error_message": words})),
        Form::ErrorWords => sent(STREAM, &format!("data: error: invalid request: {words}\n\n")),
        Form::ErrorEvent => sent(
            STREAM,
            &format!(
                "event: error\ndata: {}\n\n",
                json!({"code": 400, "message": words})
            ),
        ),
        Form::PlainWords => sent("text/plain", &format!("invalid request: {words}\n")),
        Form::Page => sent(
            "text/html",
            &format!("<!DOCTYPE html>\n<html><head><title>{words}</title></head></html>"),
        ),
        Form::BareError => event(&json!({"object": "error", "code": 400, "message": words})),
        Form::Detail => sent(
            JSON,
            &json!({"detail": [{"type": "missing", "loc": ["body"], "msg": words}]}).to_string(),
        ),
        Form::UnclosedError => {
            let begun = reply.stream(dialect, true).into_iter().next().unwrap_or_default();
            sent(STREAM, &format!("{begun}data: {ordinary}"))
        }
        Form::Brotli => Wire {
            headers: vec![("content-type", STREAM), ("content-encoding", "br")],
            ..sent(STREAM, "\u{b}\u{2}\u{80}hi\u{3}")
        },
        _ => return None,
    })
}

fn event(json: &Value) -> Wire {
    sent(STREAM, &format!("data: {json}\n\n"))
}

fn sent(label: &'static str, body: &str) -> Wire {
    Wire {
        status: 200,
        headers: vec![("content-type", label)],
        body: vec![body.as_bytes().to_vec()],
        stays_open: false,
    }
}
