//! The conversation as chat messages.
//!
//! A tool message is text only here, so that what a call showed follows as a message of the user's. Where the user may not speak directly
//! after a tool, the assistant says a word in between.

use monstrum_wire::policy::RequestShape;
use serde_json::{Map, Value, json};

use super::reasoning::Reasoning;
use crate::providers::conversation::{Image, Message, ModelRequest, Opaque, Origin, ToolCall};
use crate::providers::ids::{Ids, is_plain};
use crate::providers::shape;

/// What the assistant says between the results of its calls and the user.
const BRIDGE: &str = "I have the results.";

pub(super) fn all(request: &ModelRequest<'_>, shape: &RequestShape) -> Vec<Value> {
    let mut writer = Writer {
        written: Vec::new(),
        shown: Vec::new(),
        ids: Ids::new(Origin::of(request.model), is_plain),
        reasoning: Reasoning::of(request, shape),
        sees: request.model.images,
        bridges: bridges(shape, &request.model.base_url),
    };
    if !request.system.is_empty() {
        let system = json!({ "role": "system", "content": request.system });
        writer.written.push(system);
    }
    for message in request.messages {
        writer.message(message);
    }
    writer.show();
    writer.written
}

struct Writer {
    written: Vec<Value>,
    /// What the calls of the last answer showed; results must follow their answer without a gap.
    shown: Vec<Value>,
    ids: Ids,
    reasoning: Reasoning,
    sees: bool,
    bridges: bool,
}

/// Mistral's own addresses are known to refuse a user who speaks after a tool.
fn bridges(shape: &RequestShape, base_url: &str) -> bool {
    let is_mistral = || shape::host(base_url).is_some_and(|host| host.ends_with(".mistral.ai"));
    shape.bridge_tool_results.unwrap_or_else(is_mistral)
}

impl Writer {
    fn message(&mut self, message: &Message) {
        match message {
            Message::User { text, images } => {
                self.show();
                let content = self.user(text, images);
                self.say(&content);
            }
            Message::Assistant {
                text,
                calls,
                origin,
                state,
            } => {
                self.show();
                let answer = self.assistant(text, calls, origin.as_ref(), state);
                self.written.push(answer);
            }
            Message::ToolResult {
                id, content, images, ..
            } => {
                let id = self.ids.result(id);
                let mut text = content.clone();
                if !images.is_empty() && self.sees {
                    let about = format!("The images in the result of the call {id}:");
                    self.shown.push(json!({ "type": "text", "text": about }));
                    self.shown.extend(images.iter().map(image));
                } else {
                    text = told(text, images);
                }
                let result = json!({ "role": "tool", "tool_call_id": id, "content": text });
                self.written.push(result);
            }
        }
    }

    fn show(&mut self) {
        if !self.shown.is_empty() {
            let parts = std::mem::take(&mut self.shown);
            self.say(&json!(parts));
        }
    }

    /// Something of the user's side.
    fn say(&mut self, content: &Value) {
        let follows_tool = self.written.last().is_some_and(|last| last["role"] == "tool");
        if self.bridges && follows_tool {
            self.written
                .push(json!({ "role": "assistant", "content": BRIDGE }));
        }
        self.written.push(json!({ "role": "user", "content": content }));
    }

    fn user(&self, text: &str, images: &[Image]) -> Value {
        if images.is_empty() || !self.sees {
            return json!(told(text.to_owned(), images));
        }
        let text = (!text.is_empty()).then(|| json!({ "type": "text", "text": text }));
        text.into_iter().chain(images.iter().map(image)).collect()
    }

    fn assistant(
        &mut self,
        text: &str,
        calls: &[ToolCall],
        origin: Option<&Origin>,
        state: &Opaque,
    ) -> Value {
        let state = self.reasoning.state(origin, !calls.is_empty(), state);
        let mut answer = state.message;
        answer.insert("role".to_owned(), json!("assistant"));
        let silent = text.is_empty() && !calls.is_empty();
        answer.insert(
            "content".to_owned(),
            if silent { Value::Null } else { json!(text) },
        );
        if !calls.is_empty() {
            let calls = calls.iter().enumerate().map(|(at, call)| {
                let id = self.ids.call(origin, &call.id);
                let fields = state.calls.get(&at).cloned().unwrap_or_default();
                self::call(call, &id, fields)
            });
            answer.insert("tool_calls".to_owned(), calls.collect());
        }
        Value::Object(answer)
    }
}

/// Our own fields come last, so that a provider's state replaces none of them.
fn call(call: &ToolCall, id: &str, mut fields: Map<String, Value>) -> Value {
    fields.insert("id".to_owned(), json!(id));
    fields.insert("type".to_owned(), json!("function"));
    let function = json!({ "name": call.echo_name(), "arguments": call.echo().to_string() });
    fields.insert("function".to_owned(), function);
    Value::Object(fields)
}

fn image(image: &Image) -> Value {
    let url = format!("data:{};base64,{}", image.media_type.name(), image.data);
    json!({ "type": "image_url", "image_url": { "url": url } })
}

/// The text, and of images that can't be shown what they are.
fn told(text: String, images: &[Image]) -> String {
    images
        .iter()
        .fold(text, |text, image| format!("{text}\n{}", image.told()))
}
