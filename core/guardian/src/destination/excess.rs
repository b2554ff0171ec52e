//! Whether one list of destinations lies within another one.
//!
//! Whoever may write objects writes such lists, and they are compared at each look at an object. Most entries are plain hosts, or stand in
//! the other list as well, or within a single entry of it: those cost a comparison of texts. What is left is searched with those entries
//! alone that have anything in common with it, within a bound on the work. What came of a comparison is remembered.

use serde_json::Value;
use url::Url;

use super::{Destinations, canonical, memory, origin, pattern};
use crate::containment::{Containment, Effort, MAX_EFFORT, within};
use crate::source::Match;

/// How `granted` goes beyond `ceiling`: a destination that the one permits and the other does not, or why that is not known. Nothing
/// when everything that is granted is within the ceiling.
pub fn excess(granted: &[String], ceiling: &[String]) -> Option<String> {
    memory::remembered(granted, ceiling, || found(granted, ceiling))
}

fn found(granted: &[String], ceiling: &[String]) -> Option<String> {
    let lists = match (Destinations::read(granted), Destinations::read(ceiling)) {
        (Ok(granted), Ok(ceiling)) => (granted, ceiling),
        (Err(fault), _) | (_, Err(fault)) => return Some(fault.message),
    };
    match compared((granted, &lists.0), (ceiling, &lists.1)) {
        Compared::Within => None,
        Compared::Beyond(example) => Some(example),
        Compared::Open(question) => question.answer(&mut Effort::of(MAX_EFFORT)),
    }
}

/// What is known without a search.
#[derive(Debug, PartialEq)]
enum Compared {
    Within,
    Beyond(String),
    Open(Question),
}

/// What takes a search: entries of which no single one of the ceiling is seen to contain them, as URL patterns.
#[derive(Debug, Default, PartialEq)]
struct Question {
    granted: Vec<Value>,
    ceiling: Vec<Value>,
}

type List<'a> = (&'a [String], &'a Destinations);

fn compared((granted, asked): List<'_>, (ceiling, within): List<'_>) -> Compared {
    let mut question = Question::default();
    let mut meets = vec![false; ceiling.len()];
    for (entry, asked) in granted.iter().zip(&asked.patterns) {
        if ceiling.contains(entry) {
            continue;
        }
        if let Some(url) = literal(entry)
            && let Some(target) = canonical(&url)
        {
            if within.permit_canonical(&target) {
                continue;
            }
            if asked.matches(&target) {
                return Compared::Beyond(origin(&url).unwrap_or_else(|| entry.clone()));
            }
        }
        if within.patterns.iter().any(|wide| wide.covers(asked)) {
            continue;
        }
        let met = within.patterns.iter().map(|other| other.may_meet(asked));
        meets.iter_mut().zip(met).for_each(|(meets, met)| *meets |= met);
        question.granted.extend(pattern(entry));
    }
    if question.granted.is_empty() {
        return Compared::Within;
    }
    let met = ceiling.iter().zip(meets).filter(|(_, meets)| *meets);
    question.ceiling = met.filter_map(|(entry, _)| pattern(entry).ok()).collect();
    Compared::Open(question)
}

impl Question {
    /// Within a bound on the work; what is not known then is beyond.
    fn answer(&self, effort: &mut Effort) -> Option<String> {
        match within(&Match::Url {}, &self.ceiling, &self.granted, effort) {
            Containment::Contained => None,
            Containment::Exceeds { example } => {
                let example = example.as_str().unwrap_or_default();
                Some(example.trim_end_matches('/').to_owned())
            }
            Containment::Undecided { why } => Some(why),
        }
    }
}

/// The one origin that an entry permits, where it has neither wildcard nor network.
fn literal(entry: &str) -> Option<Url> {
    let pattern = pattern(entry).ok()?;
    let origin = pattern.as_str()?.strip_suffix("/**")?;
    if origin.contains('*') || origin.matches('/').count() > 2 {
        return None;
    }
    Url::parse(origin).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::containment::contains;

    const MOST: usize = super::super::MAX_ENTRIES;

    fn list(entry: &str, count: usize) -> Vec<String> {
        (0..count)
            .map(|number| entry.replace("{}", &number.to_string()))
            .collect()
    }

    /// The steps of the search that a comparison needs; none where it needs no search.
    fn steps(granted: &[String], ceiling: &[String]) -> usize {
        let lists = (
            Destinations::read(granted).unwrap(),
            Destinations::read(ceiling).unwrap(),
        );
        match compared((granted, &lists.0), (ceiling, &lists.1)) {
            Compared::Within | Compared::Beyond(_) => 0,
            Compared::Open(question) => {
                let mut effort = Effort::of(MAX_EFFORT);
                question.answer(&mut effort);
                MAX_EFFORT.saturating_sub(effort.left())
            }
        }
    }

    /// Those of a search through both lists as they are.
    fn steps_before(granted: &[String], ceiling: &[String]) -> usize {
        let patterns =
            |list: &[String]| -> Vec<Value> { list.iter().map(|entry| pattern(entry).unwrap()).collect() };
        let mut effort = Effort::of(MAX_EFFORT);
        within(
            &Match::Url {},
            &patterns(ceiling),
            &patterns(granted),
            &mut effort,
        );
        MAX_EFFORT.saturating_sub(effort.left())
    }

    #[rstest]
    #[case::the_same("api-{}.team.example.com", "api-{}.team.example.com")]
    #[case::the_same_wildcards("*.team-{}.example.com", "*.team-{}.example.com")]
    #[case::hosts_within_wildcards("api.team-{}.example.com", "*.team-{}.example.com")]
    #[case::wildcards_within_wildcards("api-*.team-{}.example.com:8443", "*.team-{}.example.com:*")]
    #[case::hosts_elsewhere("api-{}.example.org", "api-{}.example.com")]
    #[case::networks_within_networks("[10.{}.1.0/24]:8080", "[10.{}.0.0/16]:8080")]
    fn ordinary_long_lists_take_no_search(#[case] granted: &str, #[case] ceiling: &str) {
        let (granted, ceiling) = (list(granted, MOST), list(ceiling, MOST));
        assert_eq!(steps(&granted, &ceiling), 0);
    }

    #[test]
    fn one_host_beyond_a_long_list_is_told_without_a_search() {
        let ceiling = list("api-{}.example.com", MOST.saturating_sub(1));
        let granted = list("api-{}.example.com", MOST);
        assert_eq!(steps(&granted, &ceiling), 0);
        assert_eq!(
            excess(&granted, &ceiling).unwrap(),
            format!("https://api-{}.example.com", MOST.saturating_sub(1))
        );
    }

    /// What has to be searched is searched alone: a wildcard beyond a long list, halves of networks.
    #[rstest]
    #[case::one_wildcard_beyond(list("*.team-{}.example.com", MOST), list("*.team-{}.example.com", MOST.saturating_sub(1)), 4)]
    #[case::wider(list("*.team-{}.example.com", MOST), list("api.team-{}.example.com", MOST), 1)]
    fn a_search_is_among_what_has_something_in_common(
        #[case] granted: Vec<String>,
        #[case] ceiling: Vec<String>,
        #[case] ratio: usize,
    ) {
        let (now, before) = (steps(&granted, &ceiling), steps_before(&granted, &ceiling));
        assert!(
            now.saturating_mul(ratio) <= before,
            "{now} steps, {before} before"
        );
        assert!(excess(&granted, &ceiling).is_some());
    }

    /// It says the same as a search through everything.
    #[rstest]
    #[case(&["*.example.com"], &["a.example.com"])]
    #[case(&["*.example.com", "10.0.0.0/8"], &["*.example.com:*", "10.0.0.0/9", "10.128.0.0/9"])]
    #[case(&["a*.example.com"], &["*.example.com:8443", "*.example.org"])]
    #[case(&["**.example.com"], &["*.example.com", "*.*.example.com"])]
    #[case(&["http://*.example.com:*"], &["*.example.com:*", "http://a.example.com:*"])]
    #[case(&["[10.0.0.0/7]:*"], &["[10.0.0.0/8]:*", "[11.0.0.0/8]:*"])]
    #[case(&["*.a.example.com", "*.b.example.com"], &["**.example.com"])]
    fn leaving_out_what_has_nothing_in_common_changes_no_answer(
        #[case] granted: &[&str],
        #[case] ceiling: &[&str],
    ) {
        let owned = |list: &[&str]| -> Vec<String> { list.iter().map(|entry| (*entry).to_owned()).collect() };
        let patterns =
            |list: &[&str]| -> Vec<Value> { list.iter().map(|entry| pattern(entry).unwrap()).collect() };
        let all = contains(&Match::Url {}, &patterns(ceiling), &patterns(granted));
        let found = excess(&owned(granted), &owned(ceiling));
        assert_eq!(
            found.is_none(),
            all == Containment::Contained,
            "{found:?}, {all:?}"
        );
    }
}
