//! The conversation as messages of blocks.

use serde_json::{Value, json};

use super::thinking::Thoughts;
use crate::providers::conversation::{Block, Image, Message, ModelRequest, Origin, ToolCall};
use crate::providers::ids::{Ids, is_word};

/// Roles alternate in this format, so that neighbours of one role become one message.
pub(super) fn all(request: &ModelRequest<'_>, thoughts: &Thoughts) -> Vec<Value> {
    let mut writer = Writer {
        ids: Ids::new(Origin::of(request.model), is_word),
        thoughts,
        sees: request.model.images,
    };
    let mut grouped: Vec<(&'static str, Vec<Value>)> = Vec::new();
    for message in request.messages {
        let (role, blocks) = writer.blocks(message);
        if blocks.is_empty() {
            continue;
        }
        match grouped.last_mut() {
            Some((last, known)) if *last == role => known.extend(blocks),
            Some(_) | None => grouped.push((role, blocks)),
        }
    }
    let messages = grouped.into_iter();
    messages
        .map(|(role, blocks)| json!({ "role": role, "content": blocks }))
        .collect()
}

struct Writer<'a> {
    ids: Ids,
    thoughts: &'a Thoughts,
    sees: bool,
}

impl Writer<'_> {
    fn blocks(&mut self, message: &Message) -> (&'static str, Vec<Value>) {
        match message {
            Message::User { text, images } => ("user", self.shown(text, images)),
            Message::Assistant {
                text,
                calls,
                origin,
                state,
            } => {
                let own = self.thoughts.back(origin.as_ref(), state);
                ("assistant", self.answer(text, calls, origin.as_ref(), own))
            }
            Message::ToolResult {
                id,
                content,
                images,
                ok,
            } => {
                let content = if images.is_empty() {
                    json!(content)
                } else {
                    json!(self.shown(content, images))
                };
                let id = self.ids.result(id);
                let block =
                    json!({ "type": "tool_result", "tool_use_id": id, "content": content, "is_error": !ok });
                ("user", vec![block])
            }
        }
    }

    /// Images stand before the text about them, as the API's documentation advises.
    fn shown(&self, text: &str, images: &[Image]) -> Vec<Value> {
        let images = images.iter().map(|image| {
            if self.sees {
                let (kind, data) = (image.media_type.name(), &image.data);
                json!({ "type": "image", "source": { "type": "base64", "media_type": kind, "data": data } })
            } else {
                json!({ "type": "text", "text": image.told() })
            }
        });
        images.chain(text_block(text)).collect()
    }

    /// Text and calls, with the provider's own blocks where they stood.
    fn answer(
        &mut self,
        text: &str,
        calls: &[ToolCall],
        origin: Option<&Origin>,
        own: &[Block],
    ) -> Vec<Value> {
        let mut blocks = Vec::new();
        let mut own = own.iter().peekable();
        let mut told = 0_usize;
        while let Some(block) = own.next_if(|block| block.calls == 0) {
            let upto = text.floor_char_boundary(block.text).max(told);
            blocks.extend(text_block(text.get(told..upto).unwrap_or_default()));
            blocks.push(block.content.clone());
            told = upto;
        }
        blocks.extend(text_block(text.get(told..).unwrap_or_default()));
        for (at, call) in calls.iter().enumerate() {
            while let Some(block) = own.next_if(|block| block.calls <= at) {
                blocks.push(block.content.clone());
            }
            let id = self.ids.call(origin, &call.id);
            let call =
                json!({ "type": "tool_use", "id": id, "name": call.echo_name(), "input": call.echo() });
            blocks.push(call);
        }
        blocks
    }
}

/// Empty text blocks are refused by the API.
fn text_block(text: &str) -> Option<Value> {
    (!text.trim().is_empty()).then(|| json!({ "type": "text", "text": text }))
}
