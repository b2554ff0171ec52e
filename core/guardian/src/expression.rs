//! Regular expressions that somebody else wrote. One set of limits holds wherever they stand: in a grant, in a rule, in the schema of
//! parameters or settings; so that operator, command line and gateway take and refuse the same ones.
//!
//! A few characters can describe a program of megabytes, and the parsed form can be large before the program's own limit is
//! looked at. So an expression is short, is weighed from its parsed form, and only then compiled.
//!
//! All of them are of one [`dialect`].

mod dialect;

use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::ast::{self, Ast, ClassSetItem, ErrorKind};
use regex_syntax::hir::translate::Translator;
use regex_syntax::hir::{Class, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

pub(crate) use self::dialect::reworded;
use crate::fault::excerpt;

/// The most memory that one compiled expression, and the cache of its searches, may take. A dot of the dialect has more ranges than one
/// of the library, which a text of 200 characters must not feel.
pub(crate) const MAX_COMPILED: usize = 384 << 10;
/// How deeply groups may nest.
const MAX_NESTING: u32 = 32;
/// The longest expression: it bounds the parsed form.
const MAX_LENGTH: usize = 4096;
/// The most character classes: each may be a table of all letters, to be folded and turned round before anything is weighed.
const MAX_CLASSES: usize = 128;
/// The heaviest expression, in byte ranges of its program.
const MAX_WEIGHT: u64 = 64_000;
/// The heaviest that the expressions of one object may be together.
const MAX_TOTAL_WEIGHT: u64 = 512_000;
/// How much of an expression is told with what is wrong with it.
const MAX_TOLD: usize = 40;
/// How many expressions one object may have.
const MAX_EXPRESSIONS: usize = 512;
/// How large the schemas of one object may be together.
const MAX_SCHEMA_BYTES: usize = 1 << 20;

/// What the expressions and schemas of one object may still cost. An object is what one person wrote at once: a resource type, a binding.
#[derive(Debug)]
pub struct Allowance {
    expressions: usize,
    weight: u64,
    bytes: usize,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            expressions: MAX_EXPRESSIONS,
            weight: MAX_TOTAL_WEIGHT,
            bytes: MAX_SCHEMA_BYTES,
        }
    }
}

impl Allowance {
    /// Takes what one expression costs, after its translation.
    pub(crate) fn expression(&mut self, translated: &str) -> Result<(), String> {
        let weight = weight(translated)?;
        let left = self
            .expressions
            .checked_sub(1)
            .zip(self.weight.checked_sub(weight));
        let (expressions, weight) = left.ok_or_else(|| {
            "the expressions of this object are too many or too large together; use fewer or smaller ones"
                .to_owned()
        })?;
        (self.expressions, self.weight) = (expressions, weight);
        Ok(())
    }

    /// Takes what the text of a schema costs.
    pub(crate) fn schema(&mut self, bytes: usize) -> Result<(), String> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(|| {
            format!("the schemas of this object are larger than {MAX_SCHEMA_BYTES} bytes together")
        })?;
        Ok(())
    }
}

/// The expression in the words of the library that compiles it, where it may be compiled at all.
pub(crate) fn checked(pattern: &str) -> Result<String, String> {
    let translated = dialect::unambiguous(pattern).and_then(|()| translated(pattern))?;
    weight(&translated)?;
    Ok(translated)
}

/// The expression in the words of the library that compiles it. Its weight is not known yet.
pub(crate) fn translated(pattern: &str) -> Result<String, String> {
    if pattern.len() > MAX_LENGTH {
        return Err(format!("the expression is longer than {MAX_LENGTH} bytes"));
    }
    dialect::translated(pattern)
}

/// Compiles an expression that was translated, within the limits.
pub(crate) fn compile(translated: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(translated)
        .size_limit(MAX_COMPILED)
        .dfa_size_limit(MAX_COMPILED)
        .nest_limit(MAX_NESTING.saturating_add(1))
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => {
                format!("the expression needs more than {limit} bytes; make its repetitions smaller")
            }
            other => one_line(&other.to_string()),
        })
}

/// How heavy an expression is: the byte ranges of its program, at most. An error where it is too heavy to be compiled.
fn weight(pattern: &str) -> Result<u64, String> {
    let ast = parsed(pattern)?;
    ast::visit(&ast, Classes(MAX_CLASSES))?;
    let hir = Translator::new()
        .translate(pattern, &ast)
        .map_err(|error| one_line(&error.to_string()))?;
    let weight = weigh(&hir);
    if weight > MAX_WEIGHT {
        return Err(
            "the expression is too large; make its repetitions or character classes smaller".to_owned(),
        );
    }
    Ok(weight)
}

/// The parsed form, as it is written.
fn parsed(pattern: &str) -> Result<Ast, String> {
    let parsed = ParserBuilder::new()
        .nest_limit(MAX_NESTING)
        .build()
        .parse(pattern);
    parsed.map_err(|error| match error.kind() {
        ErrorKind::NestLimitExceeded(_) => format!("the expression nests more than {MAX_NESTING} deep"),
        kind => at(&kind.to_string(), pattern, error.span()),
    })
}

/// What is wrong, and with which part: the library's own words draw an arrow over several lines.
fn at(problem: &str, pattern: &str, span: &ast::Span) -> String {
    match pattern.get(span.start.offset..span.end.offset) {
        Some(part) if !part.is_empty() => format!("{problem}: {}", excerpt(part, MAX_TOLD)),
        _ => one_line(problem),
    }
}

/// How many character classes an expression may still have.
struct Classes(usize);

impl Classes {
    fn take(&mut self, is_class: bool) -> Result<(), String> {
        if is_class {
            self.0 = self
                .0
                .checked_sub(1)
                .ok_or_else(|| format!("the expression has more than {MAX_CLASSES} character classes"))?;
        }
        Ok(())
    }
}

impl ast::Visitor for Classes {
    type Output = ();
    type Err = String;

    fn finish(self) -> Result<(), String> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), String> {
        self.take(matches!(
            ast,
            Ast::ClassUnicode(_) | Ast::ClassPerl(_) | Ast::ClassBracketed(_)
        ))
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), String> {
        self.take(matches!(
            item,
            ClassSetItem::Unicode(_) | ClassSetItem::Perl(_) | ClassSetItem::Bracketed(_)
        ))
    }
}

/// The parser's own nesting limit bounds the recursion.
fn weigh(hir: &Hir) -> u64 {
    let sum = |parts: &[Hir]| {
        parts
            .iter()
            .fold(1, |sum: u64, part| sum.saturating_add(weigh(part)))
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Class(Class::Bytes(class)) => class.ranges().len() as u64,
        HirKind::Class(Class::Unicode(class)) => class
            .ranges()
            .iter()
            .flat_map(|range| Utf8Sequences::new(range.start(), range.end()))
            .fold(0, |sum: u64, sequence| sum.saturating_add(sequence.len() as u64)),
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            weigh(&repetition.sub)
                .saturating_add(1)
                .saturating_mul(u64::from(times.max(1)))
        }
        HirKind::Capture(capture) => weigh(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
    }
}

fn one_line(text: &str) -> String {
    text.trim().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::letters_of_every_script(r"^\p{L}{200}N$")]
    #[case::nested_repetitions("((a{100}){100}){100}")]
    #[case::endless_repetition_of_many(r"(?:\p{L}{100})*")]
    #[case::many_classes(&r"\p{L}".repeat(800))]
    #[case::many_classes_in_both_cases(&format!("(?i){}", r"\p{L}".repeat(800)))]
    #[case::many_ranges_in_both_cases(&format!("(?i){}", r"[^a]".repeat(1000)))]
    #[case::many_classes_in_one(&format!("(?i)[{}]", r"\p{L}".repeat(800)))]
    #[case::long(&"a".repeat(5000))]
    #[case::deep(&format!("{}a{}", "(".repeat(40), ")".repeat(40)))]
    fn what_would_grow_is_refused_at_once(#[case] pattern: &str) {
        let began = std::time::Instant::now();
        assert!(checked(pattern).is_err());
        assert!(began.elapsed().as_secs() < 2, "{:?}", began.elapsed());
    }

    #[rstest]
    #[case::words("[A-Za-z0-9_.-]{1,253}")]
    #[case::any(".{0,200}")]
    #[case::letters(r"\p{L}+(?: \p{L}+)?")]
    #[case::date(
        r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z"
    )]
    #[case::alternatives("(?:alpha|beta|gamma)(?:-[a-z]+){0,20}")]
    fn honest_expressions_are_taken(#[case] pattern: &str) {
        let compiled = checked(pattern).and_then(|translated| compile(&translated));
        assert!(compiled.is_ok(), "{compiled:?}");
    }

    #[test]
    fn many_small_ones_are_too_much_together() {
        let mut allowance = Allowance::default();
        let taken = (0..2000)
            .take_while(|_| allowance.expression("a").is_ok())
            .count();
        assert_eq!(taken, MAX_EXPRESSIONS);
        let mut allowance = Allowance::default();
        let taken = (0..2000)
            .take_while(|_| allowance.expression(r"\p{L}{8}").is_ok())
            .count();
        assert!((4..100).contains(&taken), "{taken}");
    }
}
