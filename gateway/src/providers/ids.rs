//! The ids of tool calls, as one request says them.
//!
//! A model gets its own ids back. What another model called, or an id that the dialect does not take or that the request has
//! already, gets the neutral form: always the same for an id, so that a provider's cache still knows the conversation.

use std::collections::{HashMap, HashSet};

use super::conversation::{Origin, ToolCall};

/// The ids of one request, told in the order of its messages.
#[derive(Debug)]
pub(super) struct Ids {
    asked: Origin,
    takes: fn(&str) -> bool,
    said: HashSet<String>,
    /// As it is kept, and as it was said last.
    newest: HashMap<String, String>,
}

impl Ids {
    /// For a request to `asked`, whose dialect `takes` an id or not.
    pub(super) fn new(asked: Origin, takes: fn(&str) -> bool) -> Self {
        Self {
            asked,
            takes,
            said: HashSet::new(),
            newest: HashMap::new(),
        }
    }

    /// The id of a call in an answer of `origin`.
    pub(super) fn call(&mut self, origin: Option<&Origin>, id: &str) -> String {
        let own = origin == Some(&self.asked) && (self.takes)(id) && !self.said.contains(id);
        let said = if own { id.to_owned() } else { self.neutral(id) };
        self.said.insert(said.clone());
        self.newest.insert(id.to_owned(), said.clone());
        said
    }

    /// The id in the result of the newest call that has it.
    pub(super) fn result(&self, id: &str) -> String {
        let said = self.newest.get(id).cloned();
        said.unwrap_or_else(|| ToolCall::neutral_id(id))
    }

    fn neutral(&self, id: &str) -> String {
        let first = ToolCall::neutral_id(id);
        let further = (1_u32..).map(|count| ToolCall::neutral_id(&format!("{id}\n{count}")));
        let mut candidates = std::iter::once(first.clone()).chain(further);
        candidates.find(|id| !self.said.contains(id)).unwrap_or(first)
    }
}

/// What Anthropic takes.
pub(super) fn is_word(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

/// What a server of the OpenAI dialect takes of its own: some are longer than OpenAI's 40 characters, some have dots and colons.
pub(super) fn is_plain(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn origin(model: &str) -> Origin {
        Origin {
            model: model.to_owned(),
            ..Origin::default()
        }
    }

    fn is_neutral(id: &str) -> bool {
        id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }

    #[rstest]
    #[case::openai("call_Fq3zRr8mJ2t0sXkZl5vYbQwE", is_word as fn(&str) -> bool)]
    #[case::anthropic("toolu_01A09q90qw90lq917835lq9", is_word)]
    #[case::mistral("9Ae3bDc2F", is_word)]
    #[case::moonshot("functions.list_issues:0", is_plain)]
    #[case::vllm("chatcmpl-tool-0123456789abcdef0123456789abcdef", is_plain)]
    #[case::gemini("function-call-12345678901234567890", is_plain)]
    fn a_model_gets_its_own_ids_back_and_another_model_a_neutral_form(
        #[case] id: &str,
        #[case] takes: fn(&str) -> bool,
    ) {
        let mut own = Ids::new(origin("a"), takes);
        assert_eq!(own.call(Some(&origin("a")), id), id);
        assert_eq!(own.result(id), id);
        for from in [Some(origin("a")), None] {
            let mut other = Ids::new(origin("b"), takes);
            let said = other.call(from.as_ref(), id);
            assert!(is_neutral(&said), "{said}");
            assert_eq!(other.result(id), said);
            // A cache would not know a conversation whose ids change.
            assert_eq!(Ids::new(origin("b"), takes).call(from.as_ref(), id), said);
        }
    }

    #[rstest]
    #[case::empty("")]
    #[case::punctuation("functions.list_issues:0")]
    #[case::too_long(&"x".repeat(65))]
    #[case::not_ascii("rüf")]
    #[case::blank("a b")]
    fn an_id_that_the_dialect_does_not_take_is_mapped_even_for_its_own_model(#[case] id: &str) {
        let mut ids = Ids::new(origin("a"), is_word);
        assert!(is_neutral(&ids.call(Some(&origin("a")), id)));
    }

    #[test]
    fn an_id_that_comes_again_in_a_request_is_said_once() {
        let mut ids = Ids::new(origin("a"), is_plain);
        let own = Some(origin("a"));
        let first = ids.call(own.as_ref(), "call_0");
        assert_eq!(
            (first.as_str(), ids.result("call_0").as_str()),
            ("call_0", "call_0")
        );
        let second = ids.call(own.as_ref(), "call_0");
        assert_eq!(ids.result("call_0"), second);
        let third = ids.call(None, "call_0");
        assert_eq!(ids.result("call_0"), third);
        assert_eq!(HashSet::from([first, second, third]).len(), 3);
    }

    #[test]
    fn ours_fits_every_dialect() {
        let id = ToolCall::neutral_id("0190b7c2d3e4f5061728394a5b6c7d8e.12.3");
        assert!(is_neutral(&id) && is_word(&id) && is_plain(&id));
    }
}
