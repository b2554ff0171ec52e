//! Argv patterns: words separated by spaces.
//!
//! | word | stands for |
//! | --- | --- |
//! | a literal, quoted where it holds a space, quote, backslash or `*` | itself |
//! | `*` | one word, not empty, that does not begin with `-` or `+` |
//! | `**` | any number of such words |
//! | `--name *` | the option with such a word, written `--name word` or `--name=word` |
//! | `--name word` | the option with this word, in both spellings |
//! | `--name=*` | the option with such a word, in this spelling only |
//! | `--*` | any number of options, each one word; beside `**`, options and words in any order |
//!
//! The first word is always literal. `--` in a call is only what a `--` in the pattern stands for.

use smallvec::SmallVec;

use super::super::reach::Reach;
use super::super::{Anchor, PatternFault};
use super::Argv;

/// More words than anyone writes; a bound on the work of one comparison.
const MAX_WORDS: usize = 64;

/// A compiled argv pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArgvPattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Word(String),
    /// One word that is not an option.
    Any,
    /// `--name=` and a word that is not an option, as one word.
    Joined(String),
    /// `--name` and a value, as two words or joined.
    Option {
        name: String,
        value: Option<String>,
    },
    /// Any number of words: those that are not options, those that are, or both.
    Run {
        words: bool,
        options: bool,
    },
}

impl ArgvPattern {
    pub(in crate::matching) fn compile(pattern: &str) -> Result<Self, PatternFault> {
        let words = split(pattern)?;
        if words.len() > MAX_WORDS {
            return Err(format!("more than {MAX_WORDS} words; shorten the pattern"));
        }
        if !matches!(words.first(), Some(Word::Literal(first)) if !first.is_empty() && !first.starts_with(['-', '+']))
        {
            return Err("the first word is not the name of a program; name it literally".to_owned());
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut words = words.into_iter().peekable();
        while let Some(word) = words.next() {
            let name = match &word {
                Word::Literal(name) if name.len() > 2 && name.starts_with("--") && !name.contains('=') => {
                    Some(name)
                }
                Word::Literal(_) | Word::Wild(_) => None,
            };
            let valued = name.and_then(|name| {
                let value = words.next_if(Word::is_value)?;
                Some(Part::Option {
                    name: name.clone(),
                    value: value.literal(),
                })
            });
            push(&mut parts, valued.map_or_else(|| word.part(), Ok)?);
        }
        Ok(Self { parts })
    }

    /// Whether the whole argv is described.
    pub(in crate::matching) fn matches(&self, argv: &Argv) -> bool {
        let mut words = argv.words();
        let mut parts = self.parts.as_slice();
        // Most patterns are literal words and at most one run: there is only one way to compare them.
        while let [Part::Word(literal), later @ ..] = parts {
            if words.next() != Some(literal.as_str()) {
                return false;
            }
            parts = later;
        }
        match parts {
            [] => words.next().is_none(),
            [run @ Part::Run { .. }] => words.all(|word| run.runs_over(word)),
            _ => reaches_end(parts, &words.collect::<SmallVec<[&str; 16]>>()),
        }
    }

    /// Whether it is known to match everything that the other one matches: part by part, and a run at the end for all that is left.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let mut parts = other.parts.as_slice();
        for (place, part) in self.parts.iter().enumerate() {
            if let Part::Run { .. } = part
                && place.saturating_add(1) == self.parts.len()
            {
                return parts.iter().all(|narrow| part.runs_over_all(narrow));
            }
            match parts {
                [narrow, later @ ..] if part.covers(narrow) => parts = later,
                _ => return false,
            }
        }
        parts.is_empty()
    }

    /// The same language as a regular expression over [`super::key`].
    pub(crate) fn to_regex(&self) -> String {
        self.parts.iter().map(Part::to_regex).collect()
    }

    /// The literal words at the beginning.
    pub(in crate::matching) fn anchor(&self) -> Anchor {
        let mut words = Argv::default();
        let mut whole = true;
        for part in &self.parts {
            let Part::Word(word) = part else {
                whole = false;
                break;
            };
            words.push(word);
        }
        let key = words.text().to_owned();
        if whole {
            Anchor::Whole(key)
        } else {
            Anchor::Prefix(key)
        }
    }
}

/// Whether the parts can describe all the words.
fn reaches_end(parts: &[Part], words: &[&str]) -> bool {
    let mut reach = Reach::none(words.len());
    reach.add(0);
    for part in parts {
        reach = part.advance(words, reach);
        if reach.is_none() {
            return false;
        }
    }
    reach.holds(words.len())
}

/// Adds a part; neighbouring runs become one.
fn push(parts: &mut Vec<Part>, part: Part) {
    if let (
        Some(Part::Run { words, options }),
        Part::Run {
            words: more_words,
            options: more_options,
        },
    ) = (parts.last_mut(), &part)
    {
        *words |= more_words;
        *options |= more_options;
    } else {
        parts.push(part);
    }
}

/// A word for [`is_plain`] and one for [`is_option`], as regular expressions.
const PLAIN: &str = "[^\\x00\\-+][^\\x00]*";
const OPTION: &str = "-(?:[^\\x00\\-][^\\x00]*|-[^\\x00]+)";

impl Part {
    fn to_regex(&self) -> String {
        let escape = regex_syntax::escape;
        match self {
            Self::Word(word) => format!("{}\\x00", escape(word)),
            Self::Any => format!("{PLAIN}\\x00"),
            Self::Joined(start) => format!("{}{PLAIN}\\x00", escape(start)),
            Self::Option { name, value } => {
                let value = value.as_deref().map_or_else(|| PLAIN.to_owned(), escape);
                format!("{}(?:\\x00|=){value}\\x00", escape(name))
            }
            Self::Run { words, options } => {
                let fits: Vec<&str> = [(*words, PLAIN), (*options, OPTION)]
                    .into_iter()
                    .filter_map(|(permitted, word)| permitted.then_some(word))
                    .collect();
                format!("(?:(?:{})\\x00)*", fits.join("|"))
            }
        }
    }

    /// Every place at which the argv can go on after this part.
    fn advance(&self, argv: &[&str], mut reach: Reach) -> Reach {
        let word = |place: usize| argv.get(place).copied();
        match self {
            Self::Word(literal) => reach.stepped(|place| word(place) == Some(literal.as_str())),
            Self::Any => reach.stepped(|place| word(place).is_some_and(is_plain)),
            Self::Joined(start) => reach.stepped(|place| {
                word(place)
                    .and_then(|word| word.strip_prefix(start.as_str()))
                    .is_some_and(is_plain)
            }),
            Self::Option { name, value } => {
                let fits = |word: &str| {
                    value
                        .as_deref()
                        .map_or_else(|| is_plain(word), |value| value == word)
                };
                let joined = |word: &str| {
                    word.strip_prefix(name.as_str())
                        .and_then(|tail| tail.strip_prefix('='))
                        .is_some_and(fits)
                };
                let named = reach.stepped(|place| word(place) == Some(name.as_str()));
                let mut next = named.stepped(|place| word(place).is_some_and(fits));
                reach
                    .stepped(|place| word(place).is_some_and(joined))
                    .places()
                    .for_each(|place| next.add(place));
                next
            }
            Self::Run { .. } => {
                reach.spread(|place| word(place).is_some_and(|word| self.runs_over(word)));
                reach
            }
        }
    }

    /// Whether one part stands for all that another one stands for.
    fn covers(&self, other: &Self) -> bool {
        self == other || matches!((self, other), (Self::Any, Self::Word(word)) if is_plain(word))
    }

    /// Whether a run goes on over all words that a part stands for.
    fn runs_over_all(&self, other: &Self) -> bool {
        let Self::Run { words, options } = self else {
            return false;
        };
        match other {
            Self::Word(word) => self.runs_over(word),
            Self::Any => *words,
            Self::Joined(start) => *options && is_option(start),
            Self::Option { name, value } => {
                let value = value.as_deref().is_none_or(is_plain);
                *words && *options && is_option(name) && value
            }
            Self::Run {
                words: other_words,
                options: other_options,
            } => (*words || !other_words) && (*options || !other_options),
        }
    }

    /// Whether a run goes on over this word.
    fn runs_over(&self, word: &str) -> bool {
        match self {
            Self::Run { words, options } => (*words && is_plain(word)) || (*options && is_option(word)),
            Self::Word(_) | Self::Any | Self::Joined(_) | Self::Option { .. } => false,
        }
    }
}

/// A word that no program takes for an option.
fn is_plain(word: &str) -> bool {
    !word.is_empty() && !word.starts_with(['-', '+'])
}

/// A word that programs take for an option. `--` ends options and is none; `-` is a file.
fn is_option(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-') && word != "--"
}

/// A word of a pattern.
#[derive(Debug)]
enum Word {
    Literal(String),
    Wild(String),
}

impl Word {
    /// Whether it can be the value of an option before it.
    fn is_value(&self) -> bool {
        match self {
            Self::Literal(word) => is_plain(word),
            Self::Wild(word) => word == "*",
        }
    }

    fn literal(self) -> Option<String> {
        match self {
            Self::Literal(word) => Some(word),
            Self::Wild(_) => None,
        }
    }

    fn part(self) -> Result<Part, PatternFault> {
        match self {
            Self::Literal(word) => Ok(Part::Word(word)),
            Self::Wild(word) => match word.as_str() {
                "*" => Ok(Part::Any),
                "**" => Ok(Part::Run {
                    words: true,
                    options: false,
                }),
                "--*" => Ok(Part::Run {
                    words: false,
                    options: true,
                }),
                other => match other.strip_suffix("=*") {
                    Some(name) if name.starts_with('-') && !name.contains('*') => {
                        Ok(Part::Joined(format!("{name}=")))
                    }
                    _ => Err(format!(
                        "in {other} the * is not a whole word; wildcards stand for whole words, so list the words or quote the *"
                    )),
                },
            },
        }
    }
}

/// The words of a pattern, and whether each holds a wildcard that is not quoted.
fn split(pattern: &str) -> Result<Vec<Word>, PatternFault> {
    let mut words = Vec::new();
    let mut chars = pattern.chars();
    let mut word: Option<(String, bool)> = None;
    while let Some(c) = chars.next() {
        if c == ' ' {
            words.extend(word.take());
            continue;
        }
        let (text, wild) = word.get_or_insert_with(Default::default);
        match c {
            '\'' | '"' => loop {
                match chars.next() {
                    Some(end) if end == c => break,
                    Some(inner) => text.push(inner),
                    None => return Err("a quote is not closed".to_owned()),
                }
            },
            '\\' => text.push(
                chars
                    .next()
                    .ok_or("the pattern ends with a single \\; double it")?,
            ),
            '*' => {
                *wild = true;
                text.push(c);
            }
            c if c.is_whitespace() => return Err("words are separated by spaces only".to_owned()),
            c if ";&|<>()$`".contains(c) => {
                return Err(format!(
                    "{c} is never part of a permitted command; quote it if it is meant literally"
                ));
            }
            c => text.push(c),
        }
    }
    words.extend(word.take());
    Ok(words
        .into_iter()
        .map(|(text, wild)| {
            if wild {
                Word::Wild(text)
            } else {
                Word::Literal(text)
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::matching::command::read;

    #[rstest]
    #[case("docker logs *", "docker logs web", true)]
    #[case("docker logs *", "docker logs", false)]
    #[case("docker logs *", "docker logs web db", false)]
    #[case("docker logs *", "docker logs 'web db'", true)]
    #[case::option_for_word("docker logs *", "docker logs --follow", false)]
    #[case::dash_for_word("cat *", "cat -", false)]
    #[case::plus_for_word("vim *", "vim '+!sh'", false)]
    #[case::empty_word("ls *", "ls ''", false)]
    #[case::extra_option("docker logs *", "docker logs web --tail 20", false)]
    #[case::other_program("docker logs *", "podman logs web", false)]
    #[case::path_to_program("docker logs *", "/usr/bin/docker logs web", false)]
    #[case::any_number("docker ps **", "docker ps", true)]
    #[case::any_number_many("docker ps **", "docker ps a b c", true)]
    #[case::any_number_no_option("docker ps **", "docker ps a -q", false)]
    #[case::end_of_options("ls **", "ls -- x", false)]
    #[case::end_of_options_named("ls -- *", "ls -- x", true)]
    #[case::end_of_options_no_smuggling("ls -- *", "ls -- -x", false)]
    #[case::end_of_options_is_no_option("ls --* **", "ls -- x", false)]
    #[case::spaced("docker logs --tail * *", "docker logs --tail 20 web", true)]
    #[case::joined("docker logs --tail * *", "docker logs --tail=20 web", true)]
    #[case::joined_other_option("docker logs --tail * *", "docker logs --since=1h web", false)]
    #[case::joined_empty("docker logs --tail * *", "docker logs --tail= web", false)]
    #[case::value_is_no_option("docker logs --tail * *", "docker logs --tail --follow web", false)]
    #[case::abbreviated("docker logs --tail * *", "docker logs --ta 20 web", false)]
    #[case::longer_option("docker logs --tail * *", "docker logs --tails=20 web", false)]
    #[case::literal_value("kubectl get --namespace web *", "kubectl get --namespace=web pods", true)]
    #[case::literal_value_other(
        "kubectl get --namespace web *",
        "kubectl get --namespace=kube-system pods",
        false
    )]
    #[case::joined_only("git log --format=*", "git log --format=oneline", true)]
    #[case::joined_only_spaced("git log --format=*", "git log --format oneline", false)]
    #[case::flag("ls -l **", "ls -l a", true)]
    #[case::flag_missing("ls -l **", "ls a", false)]
    #[case::any_options("ls --* **", "ls -la --color=auto a b -x", true)]
    #[case::any_options_none("ls --* **", "ls", true)]
    #[case::any_options_then_word("ls --* *", "ls -l -a x", true)]
    #[case::any_options_order("ls --* *", "ls x -l", false)]
    #[case::quoted_star("echo '*'", "echo '*'", true)]
    #[case::quoted_star_is_literal("echo '*'", "echo a", false)]
    #[case::middle_run("cp ** /tmp/x", "cp a b /tmp/x", true)]
    #[case::middle_run_other_end("cp ** /tmp/x", "cp a b /tmp/y", false)]
    #[case::wrapper_env("docker logs *", "env docker logs web", false)]
    #[case::wrapper_env_split("docker logs *", "env -S 'docker logs web'", false)]
    #[case::wrapper_sudo("docker logs *", "sudo docker logs web", false)]
    #[case::wrapper_xargs("docker logs *", "xargs docker logs web", false)]
    #[case::wrapper_shell("docker logs *", "sh -c 'docker logs web'", false)]
    #[case::wrapper_busybox("ls **", "busybox ls", false)]
    #[case::wrapper_option_shell("sh **", "sh -c id", false)]
    #[case::git_config("git **", "git -c core.pager=id log", false)]
    #[case::git_upload_pack("git clone *", "git clone --upload-pack=id x", false)]
    #[case::find_exec("find **", "find . -exec id '{}' ';'", false)]
    #[case::find_delete("find **", "find . -delete", false)]
    #[case::tar_checkpoint("tar **", "tar --checkpoint-action=exec=id x", false)]
    #[case::quoted_program("docker logs *", "'docker logs' web", false)]
    fn compares(#[case] pattern: &str, #[case] line: &str, #[case] expected: bool) {
        let pattern = ArgvPattern::compile(pattern).unwrap();
        assert_eq!(pattern.matches(&read(line).unwrap()), expected);
    }

    #[rstest]
    #[case("*", "name of a program")]
    #[case("** --*", "name of a program")]
    #[case("--tail *", "name of a program")]
    #[case("cat /srv/*", "whole word")]
    #[case("cat *.log", "whole word")]
    #[case("cat ***", "whole word")]
    #[case("cat 'a", "not closed")]
    #[case("cat a | sh", "quote it")]
    #[case("cat $HOME", "quote it")]
    #[case("cat\ta", "spaces only")]
    fn refuses_patterns(#[case] pattern: &str, #[case] reason: &str) {
        let error = ArgvPattern::compile(pattern).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn comparison_is_bounded() {
        let pattern = ArgvPattern::compile(&format!("x {} y", "** a ".repeat(25))).unwrap();
        let argv: Argv = std::iter::once("x")
            .chain(std::iter::repeat_n("a", 2000))
            .collect();
        assert!(!pattern.matches(&argv));
    }
}
