//! Models that think aloud: `<think>…</think>` at the beginning of an answer, which is not for its reader.

/// How it begins and ends: in most models' words, in Google's OpenAI dialect, in Mistral's template.
const TAGS: [(&str, &str); 4] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("[THINK]", "[/THINK]"),
];

/// Takes the thinking out of a text that streams by.
#[derive(Debug, Default)]
pub(super) struct Thinking {
    place: Place,
    held: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing but white space has come, or the beginning of a tag.
    #[default]
    Beginning,
    /// Inside, with this tag; no end of it in so many bytes.
    Inside { close: &'static str, searched: usize },
    /// Behind the thinking, before the answer's first words.
    Between,
    /// From here on everything is answer, tags included.
    Answer,
}

impl Thinking {
    /// Takes more text; gives what of it is answer.
    pub(super) fn push(&mut self, text: &str) -> String {
        if self.place == Place::Answer {
            return text.to_owned();
        }
        self.held.push_str(text);
        if self.place == Place::Beginning {
            self.begin();
        }
        if let Place::Inside { close, searched } = self.place {
            self.leave(close, searched);
        }
        if self.place == Place::Between && !self.held.trim_start().is_empty() {
            self.held = self.held.trim_start().to_owned();
            self.place = Place::Answer;
        }
        match self.place {
            Place::Answer => std::mem::take(&mut self.held),
            Place::Beginning | Place::Inside { .. } | Place::Between => String::new(),
        }
    }

    /// What is left when nothing more comes. A tag that was never closed was no thinking, unless the answer was `cut` in it.
    pub(super) fn finish(self, cut: bool) -> String {
        match self.place {
            Place::Inside { .. } if cut => String::new(),
            Place::Between => String::new(),
            Place::Beginning | Place::Inside { .. } | Place::Answer => self.held,
        }
    }

    fn begin(&mut self) {
        let text = self.held.trim_start();
        let tag = TAGS.iter().find(|(open, _)| text.starts_with(open));
        if let Some(&(_, close)) = tag {
            self.place = Place::Inside { close, searched: 0 };
        } else if !TAGS.iter().any(|(open, _)| open.starts_with(text)) {
            self.place = Place::Answer;
        }
    }

    fn leave(&mut self, close: &'static str, searched: usize) {
        let from = self.held.floor_char_boundary(searched);
        let rest = self.held.get(from..).unwrap_or_default();
        if let Some((_, answer)) = rest.split_once(close) {
            self.held = answer.to_owned();
            self.place = Place::Between;
            return;
        }
        let searched = self.held.len().saturating_sub(close.len());
        self.place = Place::Inside { close, searched };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn shown(text: &str, at_once: usize, cut: bool) -> String {
        let mut thinking = Thinking::default();
        let characters: Vec<char> = text.chars().collect();
        let mut shown = String::new();
        for piece in characters.chunks(at_once) {
            shown.push_str(&thinking.push(&piece.iter().collect::<String>()));
        }
        shown + &thinking.finish(cut)
    }

    #[rstest]
    #[case::plain("an answer", "an answer")]
    #[case::thought("<think>hm\n\nso</think>\n\nan answer ", "an answer ")]
    #[case::thought_after_white_space("\n <think>hm</think>an answer", "an answer")]
    #[case::other_tag("<thinking>hm</think></thinking>an answer", "an answer")]
    #[case::googles_tag("<thought>hm</thought>an answer", "an answer")]
    #[case::mistrals_tag("[THINK]hm[/THINK]an answer", "an answer")]
    #[case::a_list_is_an_answer("[THIS]", "[THIS]")]
    #[case::empty("<think>\n\n</think>\n\nan answer", "an answer")]
    #[case::only_thought("<think>hm</think>\n", "")]
    #[case::mentioned("`<think>` opens, `</think>` closes", "`<think>` opens, `</think>` closes")]
    #[case::mentioned_later("so <think>hm</think>", "so <think>hm</think>")]
    #[case::mentioned_after_a_thought("<think>a</think>b <think>c</think>", "b <think>c</think>")]
    #[case::never_closed("<think> is a tag of some models", "<think> is a tag of some models")]
    #[case::a_beginning_only(" <thin", " <thin")]
    #[case::another_tag("<b>hi</b>", "<b>hi</b>")]
    #[case::unicode("<think>grübel 🚀</think>grüße", "grüße")]
    fn thinking_at_the_beginning_is_not_shown(#[case] text: &str, #[case] expected: &str) {
        for at_once in 1..=text.chars().count() {
            assert_eq!(shown(text, at_once, false), expected, "{at_once} at once");
        }
    }

    #[test]
    fn a_thought_that_the_limit_cut_is_not_shown() {
        assert_eq!(shown("<think>hm, and then", 3, true), "");
    }
}
