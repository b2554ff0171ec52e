//! How an answer ends: whole, at a limit, withheld, or broken off. One rule for both dialects, so that half an answer is never
//! taken for a whole one, nor a whole one lost.

/// What a provider says is why the model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::providers) enum Reason {
    /// It was done.
    Finished,
    /// It wants its calls answered.
    Calls,
    /// It ran into a limit.
    Length,
    /// The provider withheld the rest.
    Filtered,
    /// Something failed.
    Failed,
    /// A word that says nothing.
    Unclear,
}

impl Reason {
    /// From a word of any provider. A word that nobody knows is no reason to take an answer for whole.
    pub(in crate::providers) fn of(word: &str) -> Self {
        let word = word.to_ascii_lowercase().replace('-', "_");
        match word.split_once(':') {
            // Google's OpenAI dialect: `content_filter: RECITATION`, `function_call_filter: MALFORMED_FUNCTION_CALL`.
            Some((sort, _)) if sort.trim() == "function_call_filter" => Self::Failed,
            Some((sort, _)) => Self::of_word(sort.trim()),
            None => Self::of_word(word.trim()),
        }
    }

    fn of_word(word: &str) -> Self {
        match word {
            "stop" | "end_turn" | "stop_sequence" | "eos" | "eos_token" | "complete" | "completed"
            | "done" | "finish" | "finished" | "end" | "normal" => Self::Finished,
            "tool_calls" | "tool_call" | "tool_use" | "function_call" | "function_calls" => Self::Calls,
            "length"
            | "max_tokens"
            | "max_output_tokens"
            | "max_completion_tokens"
            | "max_length"
            | "model_length"
            | "token_limit"
            | "model_context_window_exceeded" => Self::Length,
            "content_filter"
            | "content_filtered"
            | "refusal"
            | "safety"
            | "sensitive"
            | "recitation"
            | "blocklist"
            | "prohibited_content"
            | "spii"
            | "moderation"
            | "blocked"
            | "guardrail_intervened"
            | "image_safety" => Self::Filtered,
            "error"
            | "failed"
            | "network_error"
            | "server_error"
            | "insufficient_system_resource"
            | "abort"
            | "aborted"
            | "cancelled"
            | "canceled"
            | "timeout"
            | "overloaded"
            // The provider could not read the call that the model made: whatever it made of it is not what was meant.
            | "malformed_function_call"
            | "malformed_tool_call"
            | "malformed_response"
            | "unexpected_tool_call" => Self::Failed,
            _ => Self::Unclear,
        }
    }

    /// Whether an answer may end with it.
    fn is_real(self) -> bool {
        match self {
            Self::Finished | Self::Calls | Self::Length | Self::Filtered => true,
            Self::Failed | Self::Unclear => false,
        }
    }
}

/// What is known of an answer's end until now.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ending {
    reason: Option<Reason>,
    /// More of the answer came after its reason to stop.
    went_on: bool,
    mark: Mark,
}

/// What says that nothing more comes, beside the end of the connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Mark {
    #[default]
    None,
    /// `[DONE]` or `message_stop`.
    Stream,
    /// A document that was read to its closing brace.
    Document,
}

/// The calls of an answer, as far as its end depends on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calls {
    /// There are none.
    None,
    /// Nothing is missing in any of them, for certain: the arguments of each are JSON that is closed.
    Whole,
    /// Nothing says that something is missing.
    Plausible,
    /// The arguments of one are open at their end.
    Half,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// All of it is there.
    Whole,
    /// At the output limit: none of its calls is made.
    Limit,
    /// Withheld by the provider: none of its calls is made.
    Withheld,
    /// In the middle of a call though the provider calls it finished: none of its calls is made.
    HalfCall,
    /// Nobody knows how it would have gone on.
    Broken,
}

impl Ending {
    /// Text or a call came.
    pub(super) fn more(&mut self) {
        self.went_on = self.reason.is_some();
    }

    /// A reason came. A limit or a filter stays the reason, whatever is said later, and a word that says nothing takes none back.
    pub(super) fn because(&mut self, reason: Reason) {
        let stays = match self.reason {
            Some(Reason::Filtered) => true,
            Some(Reason::Length) => reason != Reason::Filtered,
            Some(Reason::Finished | Reason::Calls) => !reason.is_real(),
            Some(Reason::Failed | Reason::Unclear) | None => false,
        };
        if reason.is_real() {
            self.went_on = false;
        }
        if !stays {
            self.reason = Some(reason);
        }
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        self.mark = mark;
    }

    /// Whether there is a reason to stop, so that what is still to come can be done without.
    pub(super) fn is_settled(self) -> bool {
        !self.went_on && self.reason.is_some_and(Reason::is_real)
    }

    /// The rule.
    pub(super) fn end(self, calls: Calls) -> End {
        match self.reason {
            Some(Reason::Filtered) => End::Withheld,
            Some(Reason::Length) => End::Limit,
            Some(Reason::Finished | Reason::Calls) if self.went_on && self.mark == Mark::None => End::Broken,
            Some(Reason::Calls) if calls == Calls::None => End::Broken,
            Some(Reason::Finished | Reason::Calls) if calls == Calls::Half => End::HalfCall,
            Some(Reason::Finished | Reason::Calls) => End::Whole,
            None if self.mark == Mark::Document && matches!(calls, Calls::None | Calls::Whole) => End::Whole,
            // Servers that give no reason mark the end all the same, and a call that is closed lacks nothing.
            Some(Reason::Unclear) | None if self.mark != Mark::None && calls == Calls::Whole => End::Whole,
            Some(Reason::Unclear | Reason::Failed) | None => End::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// `+` is more of the answer, `!` the mark of a stream's end, `}` that of a document's; the rest are reasons.
    fn ending(told: &[&str]) -> Ending {
        let mut ending = Ending::default();
        for word in told {
            match *word {
                "+" => ending.more(),
                "!" => ending.mark(Mark::Stream),
                "}" => ending.mark(Mark::Document),
                word => ending.because(Reason::of(word)),
            }
        }
        ending
    }

    #[rstest]
    #[case::text(&["+", "stop"], Calls::None, End::Whole)]
    #[case::text_and_mark(&["+", "stop", "!"], Calls::None, End::Whole)]
    #[case::call(&["+", "tool_calls"], Calls::Whole, End::Whole)]
    #[case::call_without_arguments(&["+", "tool_calls"], Calls::Plausible, End::Whole)]
    #[case::call_that_stops(&["+", "stop"], Calls::Whole, End::Whole)]
    #[case::call_and_mark_alone(&["+", "!"], Calls::Whole, End::Whole)]
    #[case::call_with_a_word_that_says_nothing(&["+", "unknown", "!"], Calls::Whole, End::Whole)]
    #[case::null_after_the_reason(&["+", "stop", "", "!"], Calls::None, End::Whole)]
    #[case::document(&["+", "}"], Calls::None, End::Whole)]
    #[case::document_with_a_call(&["+", "}"], Calls::Whole, End::Whole)]
    #[case::reason_before_the_last_words(&["stop", "+", "!"], Calls::None, End::Whole)]
    #[case::limit(&["+", "length", "!"], Calls::None, End::Limit)]
    #[case::limit_with_calls_that_look_whole(&["+", "length", "!"], Calls::Whole, End::Limit)]
    #[case::limit_then_stop(&["+", "max_tokens", "stop", "!"], Calls::Whole, End::Limit)]
    #[case::filter(&["+", "content_filter"], Calls::Whole, End::Withheld)]
    #[case::filter_after_all(&["+", "length", "SAFETY"], Calls::None, End::Withheld)]
    #[case::filter_with_its_sort(&["+", "content_filter: RECITATION"], Calls::None, End::Withheld)]
    #[case::filter_with_a_hyphen(&["+", "content-filter"], Calls::None, End::Withheld)]
    #[case::call_with_a_hyphen(&["+", "tool-calls"], Calls::Plausible, End::Whole)]
    #[case::half_call(&["+", "stop", "!"], Calls::Half, End::HalfCall)]
    #[case::half_call_wanted(&["+", "tool_calls", "!"], Calls::Half, End::HalfCall)]
    fn an_answer_with_a_real_end_is_what_its_end_says(
        #[case] told: &[&str],
        #[case] calls: Calls,
        #[case] end: End,
    ) {
        assert_eq!(ending(told).end(calls), end);
    }

    #[rstest]
    #[case::nothing(&[], Calls::None)]
    #[case::text_alone(&["+"], Calls::None)]
    #[case::text_and_mark(&["+", "!"], Calls::None)]
    #[case::call_alone(&["+"], Calls::Whole)]
    #[case::half_call_and_mark(&["+", "!"], Calls::Half)]
    #[case::open_call_and_mark(&["+", "!"], Calls::Plausible)]
    #[case::no_call_though_wanted(&["+", "tool_calls", "!"], Calls::None)]
    #[case::error(&["+", "error", "!"], Calls::Whole)]
    #[case::malformed(&["+", "function_call_filter: MALFORMED_FUNCTION_CALL", "!"], Calls::Whole)]
    #[case::malformed_alone(&["+", "MALFORMED_FUNCTION_CALL", "!"], Calls::Whole)]
    #[case::document_with_error(&["+", "error", "}"], Calls::None)]
    #[case::document_with_half_a_call(&["+", "}"], Calls::Half)]
    #[case::empty_word(&["+", "", "!"], Calls::None)]
    #[case::null_as_word(&["+", "null", "!"], Calls::None)]
    #[case::unknown(&["+", "unknown", "!"], Calls::None)]
    #[case::paused(&["+", "pause_turn", "!"], Calls::None)]
    #[case::more_after_the_reason(&["stop", "+"], Calls::None)]
    fn an_answer_without_a_real_end_broke_off(#[case] told: &[&str], #[case] calls: Calls) {
        assert_eq!(ending(told).end(calls), End::Broken);
    }
}
