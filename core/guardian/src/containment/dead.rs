//! Patterns that no value ever matches: whoever writes one means something else.

use serde_json::Value;

use super::{Answer, Effort, Pair, interval, problem};
use crate::address;
use crate::matching::host::HostPattern;
use crate::matching::{Canonical, Pattern};
use crate::source::Match;

/// The most work for one pattern. What takes more is taken for alive.
const MAX_EFFORT: usize = 200_000;

/// Why no value ever matches the pattern, and what to write instead. None where some value does, where it is not known, and where the
/// pattern can't be used at all.
pub(crate) fn dead(matching: &Match, pattern: &Value, effort: &mut Effort) -> Option<String> {
    let compiled = Pattern::compile(matching, pattern).ok()?;
    if is_alive(matching, pattern, &compiled) {
        return None;
    }
    let mut part = effort.part(MAX_EFFORT);
    let is_dead = match matching {
        Match::Exact {} | Match::Enum { .. } | Match::Cel {} => false,
        Match::Range { unit } => {
            let pair = Pair {
                matching,
                ceiling: Vec::new(),
                granted: vec![Pattern::compile(matching, pattern).ok()?],
            };
            interval::smallest(&pair, *unit) == Answer::Nothing
        }
        Match::Glob { .. }
        | Match::Path {}
        | Match::Host {}
        | Match::Url {}
        | Match::Command {}
        | Match::Regex {} => problem::is_dead(matching, &compiled, &mut part),
    };
    effort.give_back(&part);
    is_dead.then(|| {
        let advice = advice(&compiled);
        format!("{pattern} never matches anything: {advice}")
    })
}

/// Whether the value that is like the pattern, with a letter for each wildcard, matches it. That is so for almost all patterns.
fn is_alive(matching: &Match, pattern: &Value, compiled: &Pattern) -> bool {
    let Value::String(text) = pattern else {
        return false;
    };
    let value = Value::String(text.replace("**", "a").replace('*', "a"));
    Canonical::read(matching, &value).is_ok_and(|value| compiled.matches(&value))
}

fn advice(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Host(host) => of_host(host, false),
        Pattern::Url(url) => of_host(&url.host, true),
        Pattern::Command(_) => "no command begins with this word; write the name of a program".to_owned(),
        Pattern::Regex(_) => {
            "what it asks for contradicts itself, such as a beginning (^) in the middle, or is longer than any value; correct it"
                .to_owned()
        }
        Pattern::Path(_) | Pattern::Glob(_) => {
            "no value has an empty segment, or one that climbs, ends with a dot or is encoded; write it as values have it"
                .to_owned()
        }
        Pattern::Literal(_) | Pattern::Range(_) => "no value is in it; correct it".to_owned(),
    }
}

fn of_host(host: &HostPattern, in_url: bool) -> String {
    match host {
        HostPattern::Network(network) => {
            let special: Vec<String> = address::special_within(network)
                .iter()
                .take(4)
                .map(ToString::to_string)
                .collect();
            format!(
                "every address of {network} is special, and special addresses match only where a pattern lies within their range; \
                 name the ranges that are meant ({})",
                special.join(", ")
            )
        }
        HostPattern::Name(glob) if glob.may_be_one_segment() && in_url => {
            "in a URL, a name of one label matches only where it is written out, since it is completed inside the cluster; write it out, \
             or the whole name, such as dev-*.example.com"
                .to_owned()
        }
        HostPattern::Name(glob) if glob.may_be_one_segment() => {
            "a name of one label matches only a pattern that begins with at least three literal characters, such as dev-*, and a name of \
             several labels needs a dot in the pattern; write *.example.com, or ** for every public name"
                .to_owned()
        }
        HostPattern::Name(_) => "no host name has this form; correct it".to_owned(),
    }
}
