//! From a parser's events to trees: aliases followed, merge keys carried out.

use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle};

use super::Refusal;
use super::dialect::{self, Tabs};
use super::scalar::{self, Meaning};
use crate::files::node::{Key, Kind, Node, Place};

/// How many values a text may hold, with those that aliases repeat.
const MAX_NODES: usize = 250_000;
/// How deep they may be nested.
const MAX_DEPTH: usize = 128;
/// How many documents there may be.
const MAX_DOCUMENTS: usize = 1_024;
/// The namespace of YAML's own tags.
const OWN_TAGS: &str = "tag:yaml.org,2002:";
const HELP: &str = "the file must be YAML or JSON; strings with special characters need quotes";

type Tag<'t> = Option<std::borrow::Cow<'t, granit_parser::Tag>>;

/// The documents of a text. Empty ones are left out.
pub(super) fn documents(text: &str, is_json: bool) -> Result<Vec<Node>, Refusal> {
    let mut options = granit_parser::options! {
        disallow_directives: true,
        emit_anchor_events: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    let mut builder = Builder {
        events: Parser::new_from_str_with_options(text, options),
        anchors: HashMap::new(),
        tabs: Tabs::default(),
        nodes: 0,
        text,
        is_json,
    };
    let mut documents = Vec::new();
    let mut count: usize = 0;
    while let Some((event, span)) = builder.next()? {
        match event {
            Event::DocumentStart(..) => {
                builder.anchors.clear();
                count = count.saturating_add(1);
                if count > MAX_DOCUMENTS {
                    let message = format!("there are more than {MAX_DOCUMENTS} documents");
                    return Err(Refusal::new(message, "divide the file", place(&span)));
                }
            }
            Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..) => {
                return Err(Refusal::new("a document is a mapping", HELP, place(&span)));
            }
            other => documents.push(builder.node(other, &span, Inside::new())?),
        }
    }
    if !is_json {
        builder.tabs.check(text)?;
    }
    documents.retain(|node| !matches!(node.kind, Kind::Null));
    Ok(documents)
}

/// What a value stands in.
#[derive(Clone, Copy)]
struct Inside {
    /// How many levels there may still be.
    depth: usize,
    /// Whether brackets are open.
    flow: bool,
}

impl Inside {
    fn new() -> Self {
        Self {
            depth: MAX_DEPTH,
            flow: false,
        }
    }

    fn one(self, style: StructureStyle) -> Self {
        Self {
            flow: self.flow || style == StructureStyle::Flow,
            ..self
        }
    }
}

struct Builder<'t> {
    events: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    tabs: Tabs,
    nodes: usize,
    text: &'t str,
    is_json: bool,
}

impl<'t> Builder<'t> {
    /// The next event but for those that only name anchors.
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, Refusal> {
        loop {
            let next = self.events.next().transpose();
            match next.map_err(|error| broken(&error, self.text))? {
                Some((Event::Anchor(_, name), span)) => dialect::anchor(&name, place(&span))?,
                other => return Ok(other),
            }
        }
    }

    /// The next event of an open list or mapping.
    fn inner(&mut self) -> Result<(Event<'t>, Span), Refusal> {
        self.next()?
            .ok_or_else(|| Refusal::new("the text ends too early", HELP, Place::default()))
    }

    fn node(&mut self, event: Event<'t>, span: &Span, inside: Inside) -> Result<Node, Refusal> {
        let at = place(span);
        let Some(depth) = inside.depth.checked_sub(1) else {
            return Err(Refusal::new("the text nests too deeply", "flatten it", at));
        };
        let inside = Inside { depth, ..inside };
        self.count(1, at)?;
        let (anchor, node) = match event {
            Event::Scalar(text, style, anchor, tag) => (anchor, self.scalar(&text, style, &tag, at, inside)?),
            Event::SequenceStart(style, anchor, _) => (anchor, self.list(at, inside.one(style))?),
            Event::MappingStart(style, anchor, _) => (anchor, self.mapping(at, inside.one(style))?),
            Event::Alias(anchor) => return self.alias(anchor, at, depth),
            _ => return Err(Refusal::new("a value is expected here", HELP, at)),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: &Tag<'_>,
        at: Place,
        inside: Inside,
    ) -> Result<Node, Refusal> {
        let raw = self.text.get(at.range()).unwrap_or_default();
        match style {
            ScalarStyle::Plain if inside.flow => {
                let rest = self.text.get(at.range().end..).unwrap_or_default();
                dialect::in_flow(raw, rest, at)?;
            }
            ScalarStyle::Plain => {}
            ScalarStyle::DoubleQuoted if !self.is_json => {
                dialect::escapes(raw, at)?;
                self.tabs.free(at.range());
            }
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => self.tabs.free(at.range()),
            ScalarStyle::Literal | ScalarStyle::Folded => self.tabs.block(at.range()),
        }
        scalar(text, style, tag, at)
    }

    fn alias(&mut self, anchor: usize, at: Place, depth: usize) -> Result<Node, Refusal> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(Refusal::new(
                "the alias stands within what it names",
                "write the value out",
                at,
            ));
        };
        let (nodes, levels) = measure(&node);
        self.count(nodes, at)?;
        if levels > depth {
            return Err(Refusal::new("the text nests too deeply", "flatten it", at));
        }
        Ok(Node { place: at, ..node })
    }

    fn count(&mut self, nodes: usize, at: Place) -> Result<(), Refusal> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES {
            let message = format!("there are more than {MAX_NODES} values, with those that aliases repeat");
            return Err(Refusal::new(message, "divide the file", at));
        }
        Ok(())
    }

    fn list(&mut self, at: Place, inside: Inside) -> Result<Node, Refusal> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.inner()?;
            if event == Event::SequenceEnd {
                self.closed(at, &span, inside);
                break;
            }
            items.push(self.node(event, &span, inside)?);
        }
        let place = items.first().map_or(at, |item| item.place);
        Ok(Node::new(place, Kind::List(items)))
    }

    fn mapping(&mut self, at: Place, inside: Inside) -> Result<Node, Refusal> {
        let mut entries = Entries::default();
        loop {
            let (event, span) = self.inner()?;
            if event == Event::MappingEnd {
                self.closed(at, &span, inside);
                break;
            }
            let is_merge = matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
            let key = self.key(event, &span, inside)?;
            let (event, span) = self.inner()?;
            let is_alias = matches!(event, Event::Alias(_));
            let mut node = self.node(event, &span, inside)?;
            if is_merge {
                entries.merge(&key, node, is_alias)?;
                continue;
            }
            if node.is_container() || node.place.length == 0 {
                node.place = key.place;
            }
            entries.insert(key, node)?;
        }
        let place = entries.all.first().map_or(at, |(key, _)| key.place);
        Ok(Node::new(place, Kind::Mapping(entries.all)))
    }

    /// Within brackets, a line may begin as it likes.
    fn closed(&mut self, at: Place, end: &Span, inside: Inside) {
        if inside.flow {
            let end = place(end).range().end;
            self.tabs.free(at.offset..end);
        }
    }

    fn key(&mut self, event: Event<'t>, span: &Span, inside: Inside) -> Result<Key, Refusal> {
        let at = place(span);
        self.count(1, at)?;
        dialect::key(self.text.get(at.range()).unwrap_or_default(), at)?;
        let Event::Scalar(text, style, anchor, tag) = event else {
            let help =
                "write the key out; {{ }} is a template: render it first, for example with helm template";
            return Err(Refusal::new("a key is a plain text", help, at));
        };
        let node = self.scalar(&text, style, &tag, at, inside)?;
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let read = match &node.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Bool(value) => Some(value.to_string()),
            Kind::Number(number) => Some(number.to_string()),
            Kind::Null | Kind::List(_) | Kind::Mapping(_) => None,
        };
        match read {
            Some(read) if read == text && is_short(&node.kind) => Ok(Key {
                text: read,
                place: at,
            }),
            _ => Err(Refusal::new(
                format!("the key {text} is read as something else by Kubernetes' clients"),
                format!("put it in quotes: \"{text}\""),
                at,
            )),
        }
    }
}

/// Keys are written with the digits of 32-bit floats.
fn is_short(kind: &Kind) -> bool {
    match kind {
        Kind::Number(number) => {
            number.is_i64()
                || number
                    .as_f64()
                    .is_some_and(|value| (1e-3..1e5).contains(&value.abs()))
                    && number.to_string().len() <= 7
        }
        _ => true,
    }
}

/// A mapping's entries as they come.
#[derive(Default)]
struct Entries {
    all: Vec<(Key, Node)>,
    /// The keys of all of them.
    names: HashSet<String>,
    /// Where those are that were merged in, which is where the others may differ.
    merged: HashMap<String, usize>,
    has_merge: bool,
}

impl Entries {
    fn insert(&mut self, key: Key, node: Node) -> Result<(), Refusal> {
        if let Some(merged) = self.merged.remove(&key.text)
            && let Some(place) = self.all.get_mut(merged)
        {
            *place = (key, node);
            return Ok(());
        }
        if !self.names.insert(key.text.clone()) {
            let message = format!("key {:?} appears twice", key.text);
            return Err(Refusal::new(message, "remove one of them", key.place));
        }
        self.all.push((key, node));
        Ok(())
    }

    /// What a key `<<` brings in. Clients disagree where the same key stands before it.
    fn merge(&mut self, key: &Key, node: Node, is_alias: bool) -> Result<(), Refusal> {
        if std::mem::replace(&mut self.has_merge, true) {
            return Err(Refusal::new(
                "<< appears twice",
                "write one << with a list",
                key.place,
            ));
        }
        let sources = match node.kind {
            Kind::List(items) if !is_alias => items,
            _ => vec![node],
        };
        for source in sources {
            let Kind::Mapping(entries) = source.kind else {
                return Err(Refusal::new(
                    "<< takes a mapping or a list of mappings",
                    HELP,
                    key.place,
                ));
            };
            for (name, value) in entries {
                if self.merged.contains_key(&name.text) {
                    continue;
                }
                if !self.names.insert(name.text.clone()) {
                    let message = format!("{:?} stands before <<, which brings it in as well", name.text);
                    return Err(Refusal::new(message, "write << first", key.place));
                }
                self.merged.insert(name.text.clone(), self.all.len());
                self.all.push((name, value));
            }
        }
        Ok(())
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: &Tag<'_>, at: Place) -> Result<Node, Refusal> {
    let meaning = match tag {
        None if style == ScalarStyle::Plain => scalar::plain(text),
        None => Ok(quoted(text)),
        Some(_) if text.is_empty() && style == ScalarStyle::Plain => {
            Err("write a value behind the tag, for example ''".to_owned())
        }
        Some(tag) => {
            let name = tag.suffix_in_namespace(OWN_TAGS);
            match name.as_deref() {
                Some("binary" | "timestamp") => Err("write the text itself, without the tag".to_owned()),
                Some(name) => {
                    scalar::Tag::named(name).map_or_else(|| Ok(quoted(text)), |tag| scalar::tagged(tag, text))
                }
                None if tag.original() == "!" => Err("remove the !".to_owned()),
                None => Ok(quoted(text)),
            }
        }
    };
    match meaning {
        Ok(Meaning { kind, remark }) => Ok(Node {
            place: at,
            kind,
            remark: remark.map(String::into_boxed_str),
        }),
        Err(help) => Err(Refusal::new(format!("{text:?} can't be read here"), help, at)),
    }
}

fn quoted(text: &str) -> Meaning {
    Meaning {
        kind: Kind::Text(text.to_owned()),
        remark: None,
    }
}

/// How many values there are in one, and on how many levels.
fn measure(node: &Node) -> (usize, usize) {
    let parts: Vec<&Node> = match &node.kind {
        Kind::List(items) => items.iter().collect(),
        Kind::Mapping(entries) => entries.iter().map(|(_, node)| node).collect(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => Vec::new(),
    };
    parts
        .into_iter()
        .map(measure)
        .fold((1, 1), |(count, levels), (more, deep)| {
            (count.saturating_add(more), levels.max(deep.saturating_add(1)))
        })
}

fn place(span: &Span) -> Place {
    let range = span.byte_range().unwrap_or_default();
    Place {
        offset: range.start,
        length: range.len(),
    }
}

fn broken(error: &ScanError, text: &str) -> Refusal {
    let marker = error.marker();
    let offset = marker.byte_offset().unwrap_or_else(|| {
        text.char_indices()
            .nth(marker.index())
            .map_or(text.len(), |(offset, _)| offset)
    });
    let problem = error.info();
    let help = help(&problem);
    Refusal::new(problem, help, Place { offset, length: 0 })
}

/// What is to be done about what the parser says.
fn help(problem: &str) -> &'static str {
    let speaks_of = |words: &[&str]| words.iter().any(|word| problem.contains(word));
    if speaks_of(&["tab"]) {
        "indent with spaces"
    } else if speaks_of(&["escape", "hexadecimal"]) {
        "in double quotes a backslash begins an escape: use single quotes, or write \\\\"
    } else if speaks_of(&["block mapping", "block collection", "indent", "mapping values"]) {
        "look at this line and the one before: lines of one level are indented alike, with spaces, and a blank follows each colon"
    } else {
        HELP
    }
}
