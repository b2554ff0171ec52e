//! What a provider says that a request used, and whether that can be: a budget counts nothing that a provider forgot to say.

use super::json::Json;
use crate::providers::conversation::Usage;

/// No request uses more tokens than this.
const MOST: u64 = 100_000_000;
/// An estimate has four bytes a token; no text has more than four times that.
const SURELY: u64 = 4;

/// What is said; nothing where it is not said, or is no number of tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Claim {
    pub(in crate::providers) input: Option<u64>,
    pub(in crate::providers) cached: Option<u64>,
    pub(in crate::providers) cache_written: Option<u64>,
    pub(in crate::providers) output: Option<u64>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// The tokens.
    pub usage: Usage,
    /// Whether all of it is what the provider says.
    pub said: bool,
}

/// A count of tokens.
pub(in crate::providers) fn tokens(json: Option<Json<'_>>) -> Option<u64> {
    json.and_then(Json::number).filter(|tokens| *tokens <= MOST)
}

impl Claim {
    /// Together with what was said before: counts only grow in the course of an answer, and what is left out is not taken back.
    pub(in crate::providers) fn and(self, later: Self) -> Self {
        Self {
            input: self.input.max(later.input),
            cached: self.cached.max(later.cached),
            cache_written: self.cache_written.max(later.cache_written),
            output: self.output.max(later.output),
        }
    }

    /// The claim where it can be, and the estimate where nothing is said or less than was surely used. Of the estimated input,
    /// `unsure` tokens need not have been used at all.
    pub fn against(self, estimate: Usage, unsure: u64) -> Counted {
        let believed = |said: Option<u64>, sure: u64| {
            let least = sure.div_euclid(SURELY).max(u64::from(sure > 0));
            said.filter(|said| *said >= least)
        };
        let input = believed(self.input, estimate.input.saturating_sub(unsure));
        let output = believed(self.output, estimate.output);
        let usage = Usage {
            input: input.unwrap_or(estimate.input),
            cached: input.and(self.cached).unwrap_or(0),
            cache_written: input.and(self.cache_written).unwrap_or(0),
            output: output.unwrap_or(estimate.output),
        };
        Counted {
            usage,
            said: input.is_some() && output.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::json::Document;
    use super::*;
    use rstest::rstest;

    const ESTIMATE: Usage = Usage {
        input: 400,
        cached: 0,
        cache_written: 0,
        output: 40,
    };

    #[rstest]
    #[case::said(Some(390), Some(38), (390, 38, true))]
    #[case::more_than_estimated(Some(9_000), Some(4_000), (9_000, 4_000, true))]
    #[case::nothing(None, None, (400, 40, false))]
    #[case::input_only(Some(390), None, (390, 40, false))]
    #[case::output_only(None, Some(38), (400, 38, false))]
    #[case::zero(Some(0), Some(0), (400, 40, false))]
    #[case::less_than_surely(Some(99), Some(9), (400, 40, false))]
    fn what_was_surely_used_is_counted(
        #[case] input: Option<u64>,
        #[case] output: Option<u64>,
        #[case] expected: (u64, u64, bool),
    ) {
        let claim = Claim {
            input,
            output,
            ..Claim::default()
        };
        let counted = claim.against(ESTIMATE, 0);
        assert_eq!(
            (counted.usage.input, counted.usage.output, counted.said),
            expected
        );
    }

    #[test]
    fn what_need_not_have_been_used_is_not_insisted_on() {
        let claim = Claim {
            input: Some(50),
            output: Some(40),
            ..Claim::default()
        };
        assert!(claim.against(ESTIMATE, 300).said);
        assert!(!claim.against(ESTIMATE, 100).said);
    }

    #[test]
    fn an_empty_answer_may_have_used_nothing() {
        let claim = Claim {
            input: Some(400),
            output: Some(0),
            ..Claim::default()
        };
        let estimate = Usage {
            output: 0,
            ..ESTIMATE
        };
        assert!(claim.against(estimate, 0).said);
    }

    #[rstest]
    #[case("12", Some(12))]
    #[case("12.5", Some(13))]
    #[case("-1", None)]
    #[case("1e18", None)]
    #[case("18446744073709551615", None)]
    #[case("\"12\"", Some(12))]
    #[case("{}", None)]
    fn an_absurd_count_is_none(#[case] text: &str, #[case] expected: Option<u64>) {
        let document = Document::of(text);
        assert_eq!(tokens(document.root().ok()), expected);
    }
}
