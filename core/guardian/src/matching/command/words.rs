//! From a command line to its words, as a POSIX shell would read them, or not at all.
//!
//! Everything that a shell would act on is refused: operators, expansions, redirections, assignments, globs, braces,
//! tildes, comments, reserved words, line breaks. Quotes and backslashes only say what is literal.

use brush_parser::word::{WordPiece, WordPieceWithSource};
use brush_parser::{Parser, ParserOptions, ast};

use super::super::{NotCanonical, text};
use super::Argv;

/// Words that begin something other than a simple command.
pub(crate) const RESERVED: [&str; 24] = [
    "!", "{", "}", "[[", "]]", "((", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for",
    "function", "if", "in", "select", "then", "time", "until", "while", ".",
];

/// Characters that a shell acts on when they are not quoted.
const ACTIVE: &str = ";&|<>()$`*?[]{}~!#^";

/// The words of exactly one simple command.
pub(in crate::matching) fn read(line: &str) -> Result<Argv, NotCanonical> {
    let argv = match Argv::of_plain(line).filter(|_| line.len() <= text::MAX_TEXT) {
        Some(argv) => argv,
        None => parse(line)?,
    };
    let first = argv.words().next().unwrap_or_default();
    if first.is_empty() {
        return Err("names no program".into());
    }
    if first.starts_with(['-', '+']) || first.contains('=') || RESERVED.contains(&first) {
        return Err("does not begin with the name of a program".into());
    }
    Ok(argv)
}

/// The words as a line that reads as them.
pub(crate) fn line<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let quoted = words.map(|word| {
        if !word.is_empty() && !word.contains(' ') && Argv::of_plain(word).is_some() {
            word.to_owned()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Refuses active characters outside quotes, and expansions inside double quotes.
fn refuse_active(line: &str) -> Result<(), NotCanonical> {
    let mut chars = line.chars();
    let mut quote = None;
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if c == open => quote = None,
            (None | Some('"'), '\\') => {
                chars.next().ok_or("ends with a backslash")?;
            }
            (Some('"'), '$' | '`') => return Err("has an expansion in double quotes".into()),
            (None, _) if ACTIVE.contains(c) => {
                return Err("has an operator, expansion, redirection, glob or comment; quote it if it is meant literally".into());
            }
            _ => {}
        }
    }
    let first = line.split(' ').find(|word| !word.is_empty()).unwrap_or_default();
    if RESERVED.contains(&first) {
        return Err("begins with a reserved word".into());
    }
    if quote.is_some() {
        Err("has a quote that is not closed".into())
    } else {
        Ok(())
    }
}

/// The words by the grammar of a real shell.
fn parse(line: &str) -> Result<Argv, NotCanonical> {
    text::visible(line)?;
    if line.chars().any(|c| c.is_whitespace() && c != ' ') {
        return Err("holds white space other than spaces".into());
    }
    // Also keeps everything that nests away from the grammar, which is recursive.
    refuse_active(line)?;
    let options = ParserOptions::default();
    let program = Parser::new(std::io::Cursor::new(line), &options)
        .parse_program()
        .map_err(|_| "is not a command")?;
    let command = only_command(&program).ok_or("is more than one simple command")?;
    let name = command.word_or_name.as_ref().ok_or("names no program")?;
    let mut raw = vec![name];
    for item in command.suffix.iter().flat_map(|suffix| &suffix.0) {
        match item {
            // After the program's name, `A=1` is a word like any other.
            ast::CommandPrefixOrSuffixItem::Word(word)
            | ast::CommandPrefixOrSuffixItem::AssignmentWord(_, word) => raw.push(word),
            ast::CommandPrefixOrSuffixItem::IoRedirect(_) => return Err("has a redirection".into()),
            ast::CommandPrefixOrSuffixItem::ProcessSubstitution(..) => {
                return Err("has a process substitution".into());
            }
        }
    }
    raw.into_iter()
        .map(|word| literal_word(&word.value, &options))
        .collect()
}

fn only_command(program: &ast::Program) -> Option<&ast::SimpleCommand> {
    let [ast::CompoundList(items)] = program.complete_commands.as_slice() else {
        return None;
    };
    let [ast::CompoundListItem(list, ast::SeparatorOperator::Sequence)] = items.as_slice() else {
        return None;
    };
    let pipeline = &list.first;
    // `time ls` is a pipeline like any other but for this field.
    if !list.additional.is_empty() || pipeline.timed.is_some() || pipeline.bang {
        return None;
    }
    match pipeline.seq.as_slice() {
        [ast::Command::Simple(command)] if command.prefix.is_none() => Some(command),
        _ => None,
    }
}

fn literal_word(word: &str, options: &ParserOptions) -> Result<String, NotCanonical> {
    let pieces = brush_parser::word::parse(word, options).map_err(|_| "has a word that cannot be read")?;
    let mut literal = String::new();
    push_literal(&pieces, &mut literal)?;
    Ok(literal)
}

fn push_literal(pieces: &[WordPieceWithSource], literal: &mut String) -> Result<(), NotCanonical> {
    for piece in pieces {
        match &piece.piece {
            WordPiece::Text(text) | WordPiece::SingleQuotedText(text) => literal.push_str(text),
            WordPiece::DoubleQuotedSequence(inner) => push_literal(inner, literal)?,
            WordPiece::EscapeSequence(escape) => {
                literal.push_str(escape.strip_prefix('\\').unwrap_or(escape));
            }
            WordPiece::AnsiCQuotedText(_)
            | WordPiece::GettextDoubleQuotedSequence(_)
            | WordPiece::TildeExpansion(_)
            | WordPiece::ParameterExpansion(_)
            | WordPiece::CommandSubstitution(_)
            | WordPiece::BackquotedCommandSubstitution(_)
            | WordPiece::ArithmeticExpression(_) => return Err("has an expansion".into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("docker logs web", &["docker", "logs", "web"])]
    #[case("  ls   -l ", &["ls", "-l"])]
    #[case("echo 'a b' \"c d\"", &["echo", "a b", "c d"])]
    #[case("echo a\\ b", &["echo", "a b"])]
    #[case("echo ''", &["echo", ""])]
    #[case("echo '$(rm -rf /)'", &["echo", "$(rm -rf /)"])]
    #[case("echo \"a;b\" 'c|d'", &["echo", "a;b", "c|d"])]
    #[case("echo \"a\\\"b\"", &["echo", "a\"b"])]
    #[case("echo a'b'\"c\"d", &["echo", "abcd"])]
    #[case("grep -e '*.rs'", &["grep", "-e", "*.rs"])]
    #[case("env FOO=bar", &["env", "FOO=bar"])]
    #[case("d'ocker' logs", &["docker", "logs"])]
    #[case("echo é", &["echo", "é"])]
    fn reads_words(#[case] line: &str, #[case] words: &[&str]) {
        assert_eq!(read(line).unwrap().words().collect::<Vec<_>>(), words);
    }

    #[rstest]
    #[case::empty("")]
    #[case::spaces("   ")]
    #[case::semicolon("docker logs web; rm -rf /")]
    #[case::semicolon_tight("ls;id")]
    #[case::and("ls && id")]
    #[case::or("ls || id")]
    #[case::pipe("ls | sh")]
    #[case::pipe_both("ls |& sh")]
    #[case::background("ls &")]
    #[case::background_then("ls & id")]
    #[case::substitution("ls $(id)")]
    #[case::substitution_quoted("ls \"$(id)\"")]
    #[case::backticks("ls `id`")]
    #[case::backticks_quoted("ls \"`id`\"")]
    #[case::variable("ls $HOME")]
    #[case::variable_braces("ls ${HOME}")]
    #[case::variable_quoted("ls \"$HOME\"")]
    #[case::arithmetic("ls $((1+1))")]
    #[case::newline("ls\nid")]
    #[case::carriage_return("ls\rid")]
    #[case::tab("ls\tid")]
    #[case::nul("ls\0id")]
    #[case::escape_character("ls \u{1b}[2J")]
    #[case::line_continuation("ls \\\nid")]
    #[case::output("ls > x")]
    #[case::append("ls >> x")]
    #[case::input("cat < /etc/passwd")]
    #[case::descriptor("ls 2>&1")]
    #[case::both("ls &> x")]
    #[case::here_document("cat << EOF")]
    #[case::here_string("cat <<< x")]
    #[case::process_input("cat <(id)")]
    #[case::process_output("cat >(id)")]
    #[case::subshell("(id)")]
    #[case::group("{ id; }")]
    #[case::if_clause("if true; then id; fi")]
    #[case::many_ifs(&"if ".repeat(1000))]
    #[case::many_brackets(&"(".repeat(4000))]
    #[case::many_substitutions(&"$(".repeat(2000))]
    #[case::while_clause("while true; do id; done")]
    #[case::function("f() { id; }")]
    #[case::function_word("function f { id; }")]
    #[case::coproc("coproc id")]
    #[case::time("time ls")]
    #[case::time_p("time -p ls")]
    #[case::negation("! ls")]
    #[case::test("[[ -f x ]]")]
    #[case::test_bracket("[ -f x ]")]
    #[case::assignment("A=1")]
    #[case::assignment_before("LD_PRELOAD=/x ls")]
    #[case::assignment_append("A+=1 ls")]
    #[case::source(". ./x")]
    #[case::glob("ls *")]
    #[case::glob_question("ls ?")]
    #[case::glob_class("ls [ab]")]
    #[case::brace("ls {a,b}")]
    #[case::brace_sequence("ls {1..3}")]
    #[case::tilde("ls ~")]
    #[case::tilde_user("ls ~root")]
    #[case::tilde_assignment("dd of=~/x")]
    #[case::comment("ls # x")]
    #[case::ansi_quotes("ls $'a\\x41'")]
    #[case::gettext_quotes("ls $\"a\"")]
    #[case::history("ls !!")]
    #[case::caret("ls ^a^b")]
    #[case::extended_glob("ls @(a|b)")]
    #[case::unclosed_single("ls 'a")]
    #[case::unclosed_double("ls \"a")]
    #[case::trailing_backslash("ls \\")]
    #[case::option_first("-rf x")]
    #[case::empty_program("'' x")]
    #[case::no_break_space("ls\u{a0}x")]
    #[case::ideographic_space("ls\u{3000}x")]
    #[case::line_separator("ls\u{2028}id")]
    #[case::zero_width("l\u{200b}s")]
    #[case::bidi("ls \u{202e}x")]
    #[case::quoted_reserved("'if' x")]
    fn refuses(#[case] line: &str) {
        assert!(read(line).is_err(), "{:?}", read(line));
    }

    #[test]
    fn refuses_overlong() {
        assert!(read(&format!("ls {}", "a ".repeat(3000))).is_err());
    }
}
