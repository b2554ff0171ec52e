//! Texts to compare: every short scalar of the letters that matter, longer ones by chance, documents of every construct, and
//! the project's own files with small damage.

use std::fs;
use std::path::Path;

/// Letters of which numbers, booleans and the like are made.
const LETTERS: &[u8] = b"0178+-._exob:~ynf";

const SCALARS: &[&str] = &[
    "017",
    "0777",
    "-017",
    "+017",
    "00",
    "08",
    "0o17",
    "0O17",
    "-0o17",
    "0b1",
    "0B11",
    "-0b11",
    "0b",
    "0b-1",
    "0x1F",
    "0X1f",
    "0x",
    "0x1.8p1",
    "1__0",
    "_1",
    "1_",
    "685_230.15",
    "1_000",
    "0_17",
    "0x_1F",
    ".1_0",
    "1:30",
    "190:20:30",
    "190:20:30.15",
    "yes",
    "Yes",
    "YES",
    "yEs",
    "no",
    "No",
    "NO",
    "on",
    "On",
    "ON",
    "off",
    "Off",
    "OFF",
    "y",
    "Y",
    "n",
    "N",
    "true",
    "True",
    "TRUE",
    "tRUE",
    "false",
    "null",
    "Null",
    "NULL",
    "nULL",
    "~",
    "",
    ".inf",
    "-.inf",
    "+.Inf",
    ".INF",
    ".nan",
    ".NaN",
    "inf",
    "nan",
    "Infinity",
    "1e3",
    "1E3",
    "1e+3",
    "1e-3",
    "1.e3",
    ".5",
    "-.5",
    "+.5",
    "5.",
    ".",
    "..",
    "-",
    "+",
    "1.0",
    "1.10",
    "-0",
    "-0.0",
    "0.0",
    "1e400",
    "-1e400",
    "1e-400",
    "1e308",
    "1.7976931348623157e308",
    "4.9e-324",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999",
    "0x7fffffffffffffff",
    "0x8000000000000000",
    "-0x8000000000000000",
    "1e18",
    "1e19",
    "1e20",
    "1e21",
    "123456789012345678",
    "0.1234567890123456789",
    "2001-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-15T02:59:43.1Z",
    "2001-1-1",
    "2001-01",
    "1.2.3",
    "v1",
    "=",
    "<<",
    "!",
    "@a",
    "`a",
    "%a",
    "&a",
    "*a",
    "a b",
    "a: b",
    "a:b",
    "a#b",
    "a #b",
    "'a'",
    "\"a\"",
    "''",
    "'it''s'",
    "\"\\x41\"",
    "\"\\u00e9\"",
    "\"\\U0001F600\"",
    "\"\\ud83d\\ude00\"",
    "\"\\/\"",
    "\"\\e\"",
    "\"\\N\"",
    "\"\\_\"",
    "\"\\L\"",
    "\"\\q\"",
    "\"\\0\"",
    "!!str 5",
    "!!str",
    "!!str ~",
    "!!int \"5\"",
    "!!int 5.0",
    "!!int 017",
    "!!float 5",
    "!!float abc",
    "!!bool yes",
    "!!bool 1",
    "!!null ''",
    "!!null x",
    "!!timestamp 2001-01-01",
    "!!timestamp x",
    "!!binary aGk=",
    "!!set {a, b}",
    "!!map {a: b}",
    "!!seq [a]",
    "!custom 5",
    "!custom {a: b}",
    "! 5",
    "!<tag:yaml.org,2002:str> 5",
    "[]",
    "{}",
    "[a, b,]",
    "{a, b: c}",
    "{a: , b}",
    "[a: b]",
    "{a:b}",
    "{\"a\":b}",
    "{\"a\":1}",
    "[a?b]",
    "{a: b?c}",
    "[http://x:80/y]",
    "{u: http://x}",
    "[a:b]",
    "[-1, - 1]",
    "[1 2]",
    "{? a : b}",
    "? a",
    "- a",
    "|",
    ">",
    "|-\n  x",
    ">-\n  x\n  y",
];

/// What every reader must take.
pub(super) const ORDINARY: &[&str] = &[
    "a: 1\nb: [x, 'y', \"z\"]\nc: {d: e}\n",
    "\u{feff}a: 1\r\nb: 2\r\n",
    "a: &x {b: 1}\nc: *x\n",
    "a: &x {b: 1}\nc: {<<: *x, d: 2}\n",
    "a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n",
    "a: &x {b: 1}\nd: &y {b: 2, e: 3}\nc: {<<: [*x, *y]}\n",
    "# first\n---\na: 1\n---\n# nothing\n---\nb: 2\n...\n",
    "{\"a\": [1, 2.5, null, true, \"x\\ny\"]}\n",
    "{\n\t\"a\": {\n\t\t\"b\": 1\n\t}\n}\n",
    "a: |\n  x\n   y\n\n  z\nb: >-\n  folded\n  text\n\n  more\nc: |+\n  keep\n\n",
    "a: |2\n    x\n",
    "a: plain\n  continued\n  text\n",
    "a: \"quoted\n  and continued\\\n  here\"\n",
    "a:\n- b\n- c:\n  - d\n",
    "80: a\ntrue: b\n1.5: c\n",
    "a: !!str 5\n",
    "a: b # comment\n# another\nc: d#e\n",
    "a: http://x:80/y?z=1&w=2#f\nb: acme/**/x\nc: '*'\n",
    "'a b': \"c\"\n\"d\": 'e'\n? f\n: g\n",
];

/// What is read by some and refused by others, or means different things.
const ODD: &[&str] = &[
    "a: [u:, v]\n",
    "a: {b: 1, c:,0}\n",
    "a: 1\na: 2\n",
    "1: a\n\"1\": b\n",
    "yes: a\n\"true\": b\n",
    "017: a\n",
    "on: push\n",
    "~: a\n",
    "1.50: a\n",
    "1000000.5: a\n",
    "123456.7: a\n",
    "0.00001: a\n",
    "1.23456789: a\n",
    "1e3: a\n",
    "2001-01-01: a\n",
    "[a]: b\n",
    "{a: b}: c\n",
    "a: &x {b: 1}\nc:\n  b: 2\n  <<: *x\n",
    "a: &x {b: 1}\nd: &y {b: 2}\nc: {<<: *x, <<: *y}\n",
    "a: &x 1\nc: {<<: *x}\n",
    "a: &x [{b: 1}]\nc: {<<: *x}\n",
    "a: {<<: {b: 1}}\n",
    "a: {<<: [{b: 1}, {b: 2}]}\n",
    "a: {\"<<\": {b: 1}}\n",
    "a: {'<<': {b: 1}}\n",
    "a: &x [*x]\n",
    "a: *none\n",
    "a: &x 017\nb: *x\n",
    "&k a: 1\nb: *k\n",
    "a: &x y\n*x : 1\n",
    "a: 1\n--- {b: 2}\n",
    "a: 1\n---b: 2\n",
    "--- a: 1\n",
    "---\n",
    "--- # x\na: 1\n",
    "a: 1\n...\nb: 2\n",
    "a: 1\n...\n---\nb: 2\n",
    "%YAML 1.2\n---\na: 1\n",
    "%YAML 1.1\n---\na: 1\n",
    "%TAG ! tag:x,2000:\n---\na: !b c\n",
    "a: 1\n---\n%YAML 1.1\n---\nb: 2\n",
    "a: \"x\n---\ny\"\n",
    "a: \"x\n--- \n  y\"\n",
    "a: 'x\n...\n  y'\n",
    "a: |\n  x\n--- y\nb: c\n",
    "{\"a\": 1}{\"b\": 2}\n",
    "{\"a\": 1}\n---\n{\"b\": 2}\n",
    "{\"a\": 1}\n---\nb: 2\n",
    "{\"a\": 1, \"a\": 2}\n",
    "{\"a\": 1.0, \"b\": 1e3, \"c\": 1e400}\n",
    "{\"a\": 9223372036854775808}\n",
    "{\"a\": \"\\ud83d\\ude00\"}\n",
    "{\"a\": \"\\ud83d\"}\n",
    "{'a': 017}\n",
    "{a: 017}\n",
    "[1, 2]\n",
    "text\n",
    "5\n",
    "a: x\u{2028}y\n",
    "a: x\u{85}y\n",
    "a: \"x\u{2028}y\"\n",
    "a: x\u{7f}\n",
    "a: \u{a0}x\n",
    "a:\tx\n",
    "a:\n\t- b\n",
    "\ta: b\n",
    "a:\n  - b\n - c\n",
    "a: [\nb\n]\n",
    "a: {\nb: c\n}\n",
    "a: [b\n, c]\n",
    "a: 'x'y\n",
    "a: \"x\" y\n",
    "a: b: c\n",
    "a: b\n  c: d\n",
    "a: - b\n",
    "a:\n  b\n c\n",
    "a: |\n  x",
    "a: |\n x\n  y\n z\n",
    "a: |\n\n\n  x\n",
    "a: >\n  x\n   y\n  z\n",
    "a: >+\n  x\n\n\n",
    "a: |9\n  x\n",
    "a: |-2\n   x\n",
    "a: |x\n",
    "a: x\rb: y\r",
    "a: |\r\n  x\r\n  y\r\n",
    "a: \"x\r\n  y\"\n",
    "a: \"x\\\r\n  y\"\n",
    "a: 'x\n\n  y'\n",
    "a: x\n\n  y\n",
    "a: x # c\n  y\n",
    "- a\n-\n  b: c\n- - d\n",
    "-a: b\n",
    "?a: b\n",
    ":a: b\n",
    "a : b\n",
    "a:  b  \n",
    "a: 'b'  # c\n",
    "a: 'b'# c\n",
    "a: [b]# c\n",
    "a: b,c]\n",
    "a: [b\u{a0},c]\n",
    "a: [?b]\n",
    "a: [b, ? c : d]\n",
    "a: {b c: d}\n",
    "a: {b: c: d}\n",
    "a: {b: [c}\n",
    "a: [,]\n",
    "a: [b,,c]\n",
    "a: {,}\n",
    "a: {b: c,, d: e}\n",
    "a: &b\nc: d\n",
    "a: &b c: d\n",
    "a: !!str\nb: c\n",
    "a: !\nb: c\n",
    "a: @b\n",
    "a: `b\n",
    "a: %b\n",
    "a: b %c\n",
    "a: ?b\n",
    "a: -b\n",
    "a: :b\n",
    "a: ,b\n",
    "a: ]b\n",
    "a: |b\n",
    "a: >b\n",
    "a: #b\n",
    "a:#b\n",
    "a: b\n...x\n",
    "a: b\n....\n",
    "a: b\n----\n",
    "----\n",
    "a:\n---\nb:\n",
    "\n\n\na: b\n",
    "# only\n",
    "",
    " ",
    "\u{feff}",
    "\u{feff}---\na: b\n",
    "a: b\n---\n\u{feff}c: d\n",
    "a: \u{feff}b\n",
];

/// Numbers that look random and are the same in every run.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize
    }

    fn of<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.next() % from.len()]
    }
}

/// Each as a value, and some as an item and as a key.
pub(super) fn scalars() -> Vec<String> {
    let mut scalars: Vec<String> = SCALARS.iter().map(|text| (*text).to_owned()).collect();
    let mut last = vec![String::new()];
    for _ in 0..3 {
        last = last
            .iter()
            .flat_map(|text| {
                LETTERS
                    .iter()
                    .map(move |letter| format!("{text}{}", char::from(*letter)))
            })
            .collect();
        scalars.extend(last.iter().cloned());
    }
    let mut chance = Chance(0x5eed);
    for _ in 0..6_000 {
        let length = 4 + chance.next() % 6;
        scalars.push((0..length).map(|_| char::from(*chance.of(LETTERS))).collect());
    }
    let mut texts: Vec<String> = scalars.iter().map(|scalar| format!("a: {scalar}\n")).collect();
    texts.extend(
        SCALARS
            .iter()
            .map(|scalar| format!("- {scalar}\n- [x, {scalar}]\n")),
    );
    texts.extend(SCALARS.iter().map(|scalar| format!("{{a: {scalar}, b: c}}\n")));
    texts
}

/// Documents by hand, and keys of all sorts.
pub(super) fn documents() -> Vec<String> {
    let mut texts: Vec<String> = ORDINARY
        .iter()
        .chain(ODD)
        .map(|text| (*text).to_owned())
        .collect();
    texts.extend(SCALARS.iter().map(|scalar| format!("{scalar}: a\n")));
    texts.extend(files());
    texts
}

/// The project's own files, each with one or two characters changed.
pub(super) fn damaged() -> Vec<String> {
    const PIECES: [&str; 27] = [
        " ", "  ", "\n", "\t", ":", ": ", "-", "- ", "#", " #", "'", "\"", "\\", "[", "]", "{", "}", ",",
        "&a ", "*a", "!!str ", "|", ">", "? ", "---\n", "0", "é",
    ];
    let mut chance = Chance(0x00da_3a6e);
    // Not the project's files: they change, and with them which damage is tried.
    let sources: Vec<&str> = ORDINARY.iter().chain(ODD).copied().collect();
    let mut texts = Vec::new();
    for _ in 0..4_000 {
        let mut text: Vec<char> = chance.of(&sources).chars().collect();
        for _ in 0..=chance.next() % 2 {
            let at = chance.next() % (text.len() + 1);
            let until = (at + chance.next() % 3).min(text.len());
            text.splice(at..until, chance.of(&PIECES).chars());
        }
        texts.push(text.into_iter().collect());
    }
    texts
}

/// YAML of the project, as people write it.
fn files() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for folder in [
        "tests/cli/data",
        "../crds/tests/cases",
        "../e2e/manifests",
        "../manifests",
        "../crds/yaml",
    ] {
        gather(&root.join(folder), &mut texts);
    }
    assert!(texts.len() > 80, "only {} files were found", texts.len());
    texts
}

fn gather(folder: &Path, texts: &mut Vec<String>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            gather(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
}
