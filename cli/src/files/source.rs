//! From paths to documents.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{InputError, Spot};
use super::node::Node;
use super::yaml;

/// The text of one file.
#[derive(Debug)]
pub(crate) struct Source {
    /// As the user named it.
    pub(crate) name: String,
    /// What it says.
    pub(crate) text: String,
}

/// No file of objects is larger.
const MAX_BYTES: u64 = 16 << 20;

/// Reads files, and folders with all that is below them, in the order of their names. `-` is the standard input.
pub(crate) fn collect(paths: &[PathBuf]) -> Result<Vec<Arc<Source>>, InputError> {
    let mut sources = Vec::new();
    for path in paths {
        gather(path, true, &mut sources)?;
    }
    if sources.is_empty() {
        return Err(InputError::Empty {
            paths: names_of(paths),
        });
    }
    Ok(sources)
}

/// The paths, for a message.
pub(crate) fn names_of(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}

/// A file that was named is read whatever it is called; of a folder, only YAML and JSON that is not hidden.
fn gather(path: &Path, named: bool, sources: &mut Vec<Arc<Source>>) -> Result<(), InputError> {
    let failed = |source| InputError::Read {
        path: path.display().to_string(),
        source,
    };
    if path.as_os_str() == "-" {
        sources.push(Arc::new(Source {
            name: "<stdin>".to_owned(),
            text: bounded(std::io::stdin()).map_err(failed)?,
        }));
        return Ok(());
    }
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        if named || is_manifest(path) {
            let text = bounded(fs::File::open(path).map_err(failed)?).map_err(failed)?;
            let name = path.strip_prefix(".").unwrap_or(path).display().to_string();
            sources.push(Arc::new(Source { name, text }));
        }
        return Ok(());
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(failed)?;
    entries.sort();
    entries
        .iter()
        .filter(|entry| !is_hidden(entry))
        .try_for_each(|entry| gather(entry, false, sources))
}

fn bounded(reader: impl std::io::Read) -> std::io::Result<String> {
    let mut text = String::new();
    reader
        .take(MAX_BYTES.saturating_add(1))
        .read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(std::io::Error::other(format!(
            "it is larger than {} MiB",
            MAX_BYTES >> 20
        )));
    }
    Ok(text)
}

fn is_manifest(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| ["yaml", "yml", "json"].iter().any(|known| extension == *known))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// The documents of a text. Empty ones are left out.
pub(crate) fn parse(name: &str, text: &str) -> Result<Vec<Node>, InputError> {
    yaml::read(text).map_err(|refusal| {
        let source = Arc::new(Source {
            name: name.to_owned(),
            text: text.to_owned(),
        });
        let spot = Spot {
            source,
            place: refusal.place,
        };
        InputError::content(refusal.message, spot, refusal.help)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn error(text: &str) -> String {
        match parse("bot.yaml", text).unwrap_err() {
            InputError::Content { message, spot, .. } => format!("{}: {message}", spot.position()),
            other => other.to_string(),
        }
    }

    #[rstest]
    #[case::duplicate("a: 1\nb: 2\na: 3\n", "bot.yaml:3:1: ")]
    #[case::unclosed("a: [1\nb: 2\n", "bot.yaml:2:2: ")]
    #[case::second_document("a: 1\n---\nb: {\n", "bot.yaml:3:4: ")]
    fn a_broken_text_names_line_and_column(#[case] text: &str, #[case] start: &str) {
        let error = error(text);
        assert!(error.starts_with(start), "{error}");
    }

    #[test]
    fn documents_keep_their_places_in_the_whole_text() {
        let text = "a: 1\n---\n# nothing\n---\nb: two\n";
        let nodes = parse("x", text).unwrap();
        assert_eq!(nodes.len(), 2);
        let place = nodes[1].get("b").unwrap().place;
        assert_eq!(&text[place.range()], "two");
    }

    #[test]
    fn a_bomb_is_refused() {
        let lines = (1..8).map(|level| {
            let previous = format!("*a{}", level - 1);
            format!("a{level}: &a{level} [{}]\n", [previous.as_str(); 9].join(","))
        });
        let text = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned() + &lines.collect::<String>();
        assert!(parse("x", &text).is_err());
    }
}
