//! The languages of each kind of text.

use std::fmt::Write as _;
use std::sync::OnceLock;

use serde_json::Value;

use super::effort::{Effort, TOO_COMPLEX};
use super::host::{self, Region};
use super::search::{self, Found, Problem};
use super::{Answer, MAX_EFFORT, Pair, TooComplex};
use crate::matching::{Canonical, Pattern, command, text};
use crate::source::Match;

/// How a text of a search is written as a value.
#[derive(Debug, Clone, Copy)]
enum Form {
    Plain,
    Argv,
    Host(Region),
    Url(Region),
}

impl Form {
    fn value(self, text: &str) -> Value {
        match self {
            Self::Plain => text.into(),
            Self::Argv => command::line(text.split_terminator('\0')).into(),
            Self::Host(region) => region.written(text).into(),
            Self::Url(region) => host::written_url(region, text).into(),
        }
    }
}

/// The smallest granted value that the ceiling does not have.
pub(super) fn smallest(pair: &Pair<'_>, effort: &mut Effort) -> Result<Answer, TooComplex> {
    let (mut open, literals) = without_literals(pair);
    // What one pattern of the ceiling contains by itself is contained: of long lists that is almost everything.
    open.retain(|granted| !pair.ceiling.iter().any(|pattern| pattern.covers(granted)));
    // Even to begin a search takes time.
    if effort.is_spent() && !open.is_empty() {
        return if literals.is_empty() {
            Err(TOO_COMPLEX)
        } else {
            Ok(Answer::least(literals))
        };
    }
    let ceiling: Vec<&Pattern> = pair.ceiling.iter().collect();
    let mut half = effort.part(MAX_EFFORT / 2);
    let together = search_all(pair.matching, &open, &ceiling, &mut half);
    effort.give_back(&half);
    let found = match together {
        Err(_) => one_by_one(pair.matching, &open, &ceiling, effort),
        found => found,
    };
    match found {
        Ok(Answer::Value(value)) => Ok(Answer::least(literals.into_iter().chain([value]))),
        found if literals.is_empty() => found,
        // What is known to be beyond is an answer, whatever is not known.
        Ok(_) | Err(_) => Ok(Answer::least(literals)),
    }
}

/// The same, after what one pattern of the ceiling contains alone is set aside. Of patterns that are still too complex, a value is
/// answered that is beyond, though it may not be the smallest.
fn one_by_one(
    matching: &Match,
    granted: &[&Pattern],
    ceiling: &[&Pattern],
    effort: &mut Effort,
) -> Result<Answer, TooComplex> {
    let mut left = Vec::new();
    let mut beyond = Vec::new();
    for pattern in granted {
        match alone(matching, pattern, ceiling, effort)? {
            Alone::Contained => {}
            Alone::Beyond(value) => beyond.push(value),
            Alone::Open => left.push(*pattern),
        }
    }
    if beyond.is_empty() {
        search_all(matching, &left, ceiling, effort)
    } else {
        Ok(Answer::least(beyond))
    }
}

/// What is known of one granted pattern.
enum Alone {
    /// It matches nothing, or one pattern of the ceiling contains it.
    Contained,
    /// No pattern of the ceiling matches this value of it.
    Beyond(Value),
    /// The ceiling must be looked at as a whole.
    Open,
}

/// Looks for one pattern of the ceiling that contains a granted one, among those that match its smallest value: in long
/// lists that is most often so, and much less work than comparing with all of them together.
fn alone(
    matching: &Match,
    pattern: &Pattern,
    ceiling: &[&Pattern],
    effort: &mut Effort,
) -> Result<Alone, TooComplex> {
    let granted = [pattern];
    let value = match search_all(matching, &granted, &[], effort)? {
        Answer::Nothing => return Ok(Alone::Contained),
        Answer::Unconfirmed => return Ok(Alone::Open),
        Answer::Value(value) => value,
    };
    let Ok(canonical) = Canonical::read(matching, &value) else {
        return Ok(Alone::Open);
    };
    let mut candidates = ceiling
        .iter()
        .filter(|other| other.matches(&canonical))
        .peekable();
    if candidates.peek().is_none() {
        return Ok(Alone::Beyond(value));
    }
    for candidate in candidates {
        if search_all(matching, &granted, &[candidate], effort)? == Answer::Nothing {
            return Ok(Alone::Contained);
        }
    }
    Ok(Alone::Open)
}

/// The smallest value that `granted` matches and `ceiling` does not, over all parts of the language of values.
fn search_all(
    matching: &Match,
    granted: &[&Pattern],
    ceiling: &[&Pattern],
    effort: &mut Effort,
) -> Result<Answer, TooComplex> {
    let matches =
        |patterns: &[&Pattern], value: &Canonical| patterns.iter().any(|pattern| pattern.matches(value));
    let confirmed = |value: &Value| {
        Canonical::read(matching, value)
            .is_ok_and(|value| matches(granted, &value) && !matches(ceiling, &value))
    };
    let mut found = Vec::new();
    let mut unconfirmed = false;
    let mut gave_up = None;
    for (form, problem) in problems(matching, granted, ceiling) {
        match search::smallest(&problem, effort, |text| confirmed(&form.value(text))) {
            Ok(Found::Nothing) => {}
            Ok(Found::Text(text)) => found.push(form.value(&text)),
            Ok(Found::NoValue) => unconfirmed = true,
            Err(why) => gave_up = Some(why),
        }
    }
    match (Answer::least(found), gave_up) {
        (answer @ Answer::Value(_), _) => Ok(answer),
        (_, Some(why)) => Err(why),
        (answer, None) => Ok(if unconfirmed { Answer::Unconfirmed } else { answer }),
    }
}

/// Whether no value at all matches the pattern, as far as a search of so much effort can tell.
pub(super) fn is_dead(matching: &Match, pattern: &Pattern, effort: &mut Effort) -> bool {
    let mut shortest = None;
    for (form, problem) in problems(matching, &[pattern], &[]) {
        let found = search::smallest(&problem, effort, |text| {
            shortest.get_or_insert(text.chars().count());
            Canonical::read(matching, &form.value(text)).is_ok_and(|value| pattern.matches(&value))
        });
        match found {
            Ok(Found::Nothing) => {}
            // All others are longer still.
            Ok(Found::NoValue) if shortest.is_some_and(|length| length > text::MAX_TEXT) => {}
            Ok(Found::Text(_) | Found::NoValue) | Err(_) => return false,
        }
    }
    true
}

/// The granted patterns that are no mere literals, and the literals that the ceiling does not have.
fn without_literals<'a>(pair: &'a Pair<'_>) -> (Vec<&'a Pattern>, Vec<Value>) {
    let mut open = Vec::new();
    let mut found = Vec::new();
    for pattern in &pair.granted {
        let literal = pattern
            .only_value()
            .filter(|value| Canonical::read(pair.matching, value).is_ok_and(|read| pattern.matches(&read)));
        match literal {
            None => open.push(pattern),
            Some(literal) if pair.tells_apart(&literal) => found.push(literal),
            Some(_) => {}
        }
    }
    (open, found)
}

fn problems(matching: &Match, granted: &[&Pattern], ceiling: &[&Pattern]) -> Vec<(Form, Problem)> {
    match matching {
        Match::Glob { separator } => {
            let (values, unreal) = glob_values(*separator);
            vec![(Form::Plain, of_texts(values, unreal, granted, ceiling))]
        }
        Match::Path {} => [false, true]
            .into_iter()
            .map(|absolute| (Form::Plain, paths(absolute, granted, ceiling)))
            .collect(),
        Match::Regex {} => {
            let values = "[\\s\\S]*".to_owned();
            vec![(Form::Plain, of_texts(values, Vec::new(), granted, ceiling))]
        }
        Match::Command {} => {
            let (values, unreal) = argv_values();
            vec![(Form::Argv, of_texts(values, unreal, granted, ceiling))]
        }
        Match::Host {} => Region::ALL
            .into_iter()
            .map(|region| (Form::Host(region), host::hosts(region, granted, ceiling)))
            .collect(),
        Match::Url {} => Region::ALL
            .into_iter()
            .map(|region| (Form::Url(region), host::urls(region, granted, ceiling)))
            .collect(),
        Match::Exact {} | Match::Enum { .. } | Match::Range { .. } | Match::Cel {} => Vec::new(),
    }
}

fn of_texts(values: String, unreal: Vec<String>, granted: &[&Pattern], ceiling: &[&Pattern]) -> Problem {
    let regexes = |patterns: &[&Pattern]| patterns.iter().filter_map(|pattern| regex(pattern)).collect();
    Problem {
        values,
        unreal,
        granted: regexes(granted),
        ceiling: regexes(ceiling),
    }
}

/// The language of a pattern whose values are one text.
fn regex(pattern: &Pattern) -> Option<String> {
    match pattern {
        Pattern::Glob(glob) => Some(glob.to_regex()),
        Pattern::Path(path) => Some(path.glob().to_regex()),
        Pattern::Regex(regex) => Some(regex.source().to_owned()),
        Pattern::Command(argv) => Some(argv.to_regex()),
        Pattern::Literal(_) | Pattern::Host(_) | Pattern::Url(_) | Pattern::Range(_) => None,
    }
}

/// See [`crate::matching`]'s `glob::read`.
fn glob_values(separator: Option<char>) -> (String, Vec<String>) {
    let visible = visible();
    let Some(separator) = separator else {
        return (format!("{visible}*"), Vec::new());
    };
    let escaped = format!("\\x{{{:x}}}", u32::from(separator));
    let segment = format!("[{visible}--{}--[{escaped}]]+", folding());
    let climbs = "(?:[\\s\\S]*/)?\\.\\.?(?:/[\\s\\S]*)?".to_owned();
    let unreal = if separator == '/' {
        vec![climbs]
    } else {
        Vec::new()
    };
    (format!("{segment}(?:{escaped}{segment})*"), unreal)
}

/// See `path::read`. Relative and absolute paths have nothing in common.
fn paths(absolute: bool, granted: &[&Pattern], ceiling: &[&Pattern]) -> Problem {
    let within = |patterns: &[&Pattern]| -> Vec<String> {
        let of = patterns.iter().filter_map(|pattern| match pattern {
            Pattern::Path(path) if path.is_absolute() == absolute => Some(path.glob().to_regex()),
            _ => None,
        });
        of.collect()
    };
    let c = format!("[{}--{}--[/\\\\]]", visible(), folding());
    let segment = format!("{c}*[{c}--[. ]]");
    let values = if absolute {
        format!("/|(?:/{segment})+")
    } else {
        format!("\\.|{segment}(?:/{segment})*")
    };
    Problem {
        values,
        unreal: vec!["[\\s\\S]*%[0-9A-Fa-f]{2}[\\s\\S]*".to_owned()],
        granted: within(granted),
        ceiling: within(ceiling),
    }
}

/// See `command::read`: words, each ended by a NUL, the first one the name of a program.
fn argv_values() -> (String, Vec<String>) {
    static CLASS: OnceLock<String> = OnceLock::new();
    let c = CLASS.get_or_init(|| class(|c| !text::is_hidden(c) && (c == ' ' || !c.is_whitespace())));
    let values = format!("[{c}--[=+\\-]][{c}--[=]]*\\x00(?:{c}*\\x00)*");
    let reserved: Vec<String> = command::RESERVED
        .iter()
        .map(|word| regex_syntax::escape(word))
        .collect();
    (values, vec![format!("(?:{})\\x00[\\s\\S]*", reserved.join("|"))])
}

/// The characters that `text::visible` lets pass.
fn visible() -> &'static str {
    static CLASS: OnceLock<String> = OnceLock::new();
    CLASS.get_or_init(|| class(|c| !text::is_hidden(c)))
}

/// The characters that other readers take for separators.
fn folding() -> &'static str {
    static CLASS: OnceLock<String> = OnceLock::new();
    CLASS.get_or_init(|| class(text::folds_to_separator))
}

/// A class of a regular expression, from the very predicate that values are judged by.
fn class(holds: impl Fn(char) -> bool) -> String {
    let mut class = "[".to_owned();
    let mut open: Option<(char, char)> = None;
    let mut close = |open: &mut Option<(char, char)>| {
        if let Some((first, last)) = open.take() {
            // Writing to a string cannot fail.
            let _ = write!(
                class,
                "\\x{{{:x}}}-\\x{{{:x}}}",
                u32::from(first),
                u32::from(last)
            );
        }
    };
    for c in '\0'..=char::MAX {
        match (holds(c), &mut open) {
            (true, Some((_, last))) => *last = c,
            (true, None) => open = Some((c, c)),
            (false, _) => close(&mut open),
        }
    }
    close(&mut open);
    class.push(']');
    class
}
