//! Tables by kind, and limits.

mod laws;

use std::time::{Duration, Instant};

use rstest::rstest;
use serde_json::{Value, json};

use super::{Containment, contains};
use crate::source::{Match, Unit};

const SLASH: Match = Match::Glob { separator: Some('/') };

/// What is beyond the ceiling; none if nothing is.
fn example(matching: &Match, ceiling: &[Value], granted: &[Value]) -> Option<Value> {
    match contains(matching, ceiling, granted) {
        Containment::Contained => None,
        Containment::Exceeds { example } => Some(example),
        Containment::Undecided { why } => panic!("{ceiling:?} {granted:?}: {why}"),
    }
}

fn texts(texts: &[&str]) -> Vec<Value> {
    texts.iter().map(|text| json!(text)).collect()
}

fn check(matching: &Match, ceiling: &[&str], granted: &[&str], beyond: Option<&str>) {
    let found = example(matching, &texts(ceiling), &texts(granted));
    assert_eq!(found, beyond.map(|text| json!(text)), "{ceiling:?} {granted:?}");
}

#[rstest]
#[case::same(&["acme/*"], &["acme/*"], None)]
#[case::literal(&["acme/*"], &["acme/web"], None)]
#[case::narrower(&["acme/*"], &["acme/docs-*"], None)]
#[case::other(&["acme/*"], &["evil/*"], Some("evil/a"))]
#[case::deeper(&["acme/*"], &["acme/**"], Some("acme/a/a"))]
#[case::no_segment_is_empty(&["acme/**"], &["acme/*"], None)]
#[case::sibling(&["acme/*"], &["acme*/web"], Some("acmea/web"))]
#[case::everything(&["**"], &["acme/**", "*", "a*b/c"], None)]
#[case::together(&["a*", "*a", "b", "*b"], &["a*b", "*a*a"], None)]
#[case::union(&["*", "*/**"], &["**"], None)]
#[case::union_with_a_hole(&["*", "*/*"], &["**"], Some("a/a/a"))]
#[case::star_may_be_empty(&["acme/web-*"], &["acme/web*"], Some("acme/web"))]
#[case::double_star_beside_text(&["a*/b"], &["a**b"], Some("ab"))]
#[case::climbing_is_no_value(&["*a*", "*b*", "x*"], &["."], None)]
#[case::no_ceiling(&[], &["a"], Some("a"))]
#[case::escaped_star(&["a\\*"], &["a*"], Some("a"))]
#[case::segments(&["**/x"], &["x", "*/x", "a/**/x"], None)]
fn globs(#[case] ceiling: &[&str], #[case] granted: &[&str], #[case] beyond: Option<&str>) {
    check(&SLASH, ceiling, granted, beyond);
}

#[rstest]
#[case(&["*"], &["a/b*"], None)]
#[case(&["*"], &["a*", "*"], None)]
#[case::star_alone_is_not_empty(&["*"], &["a*", "**"], None)]
#[case(&["a*"], &["*"], Some("b"))]
fn globs_without_segments(#[case] ceiling: &[&str], #[case] granted: &[&str], #[case] beyond: Option<&str>) {
    check(&Match::Glob { separator: None }, ceiling, granted, beyond);
}

#[rstest]
#[case(&["docs/**"], &["docs/*", "docs/a/b.md"], None)]
#[case(&["docs/**"], &["**"], Some("a"))]
#[case::the_folder_itself(&["*.md"], &["."], Some("."))]
#[case(&["docs/**"], &["docs*/**"], Some("docsa/a"))]
#[case::absolute_is_another_matter(&["**"], &["/**"], Some("/a"))]
#[case::relative_is_another_matter(&["/**"], &["**/x"], Some("x"))]
#[case(&["/srv/**"], &["/srv/*.log"], None)]
#[case::never_climbs(&["docs/**"], &["docs/*/*"], None)]
#[case::no_segment_ends_with_a_dot(&["x"], &["docs/*.", "docs/**/a."], None)]
fn paths(#[case] ceiling: &[&str], #[case] granted: &[&str], #[case] beyond: Option<&str>) {
    check(&Match::Path {}, ceiling, granted, beyond);
}

#[rstest]
#[case(&["**.example.com"], &["*.example.com", "a.b.example.com"], None)]
#[case(&["*.example.com"], &["**.example.com"], Some("a.a.example.com"))]
#[case::apex(&["**.example.com"], &["example.com"], Some("example.com"))]
#[case::suffix_trick(&["*.example.com"], &["*example.com"], Some("example.com"))]
#[case::case_folds(&["*.Example.COM"], &["API.example.com"], None)]
#[case::idna(&["*.bücher.de"], &["www.xn--bcher-kva.de"], None)]
#[case::wildcards_reach_no_local_name(&["**"], &["*.monstrum.svc"], Some("a.monstrum.svc"))]
#[case::completed_names_are_no_part_of_a_wildcard(&["**"], &["*.default"], Some("a.default"))]
#[case::nor_is_one_of_them(&["**"], &["ledger.monstrum-system"], Some("ledger.monstrum-system"))]
#[case::a_namespace_that_is_named(&["**", "*.default"], &["kubernetes.default"], None)]
#[case::partly_wild(&["*.a*"], &["*.a*", "b.ac"], None)]
#[case::partly_wild_is_less(&["*.a*"], &["*.*"], Some("a.ba"))]
#[case::local_names_are_no_part_of_a_wildcard(&["**.com", "**.*"], &["**"], None)]
#[case::machines(&["dev-*"], &["dev-1*", "dev-db-*", "dev-1"], None)]
#[case::fewer_machines(&["dev-1*"], &["dev-*"], Some("dev-"))]
#[case::machines_are_no_part_of_everything(&["**"], &["dev-*"], Some("dev-"))]
#[case::names_that_begin_so(&["dev-**"], &["dev-*", "dev-*.com"], None)]
#[case::machines_that_are_no_names(&["**"], &["*", "d*"], None)]
#[case::well_known_names_must_be_named(&["kube*", "local*"], &["kubernetes", "kube-1"], Some("kubernetes"))]
#[case::a_beginning_of_well_known_names(&["kubern*"], &["kubernet*"], None)]
#[case::no_label_begins_with_a_hyphen(&["*.example.com"], &["*-x.example.com", "x-*.example.com"], None)]
#[case::single_labels_must_be_named(&["**"], &["kubernetes"], Some("kubernetes"))]
#[case::names_are_no_addresses(&["**"], &["93.184.216.34"], Some("93.184.216.34"))]
#[case::special_is_no_part_of_everything(&["0.0.0.0/0"], &["10.0.0.1"], Some("10.0.0.1"))]
#[case::special_network(&["0.0.0.0/0"], &["10.0.0.0/8"], Some("10.0.0.0"))]
#[case::public_part(&["0.0.0.0/0"], &["8.0.0.0/6"], None)]
#[case::named_special(&["10.0.0.0/8"], &["10.1.0.0/16", "10.2.3.4"], None)]
#[case::wider(&["10.1.0.0/16"], &["10.0.0.0/8"], Some("10.0.0.0"))]
#[case::halves(&["10.0.0.0/9", "10.128.0.0/9"], &["10.0.0.0/8"], None)]
#[case::halves_with_a_hole(&["10.0.0.0/9", "10.128.0.0/10"], &["10.0.0.0/8"], Some("10.192.0.0"))]
#[case::public_halves(&["0.0.0.0/1", "128.0.0.0/1"], &["0.0.0.0/0"], None)]
#[case::every_spelling(&["10.0.0.1"], &["167772161", "0x0a000001"], None)]
#[case::v6(&["fd00::/8"], &["fd12::/16"], None)]
#[case::v6_wider(&["2606:4700::/33"], &["2606:4700::/32"], Some("2606:4700:8000::"))]
#[case::v6_mapped_is_v4(&["10.0.0.0/8"], &["::ffff:10.1.2.3"], None)]
fn hosts(#[case] ceiling: &[&str], #[case] granted: &[&str], #[case] beyond: Option<&str>) {
    check(&Match::Host {}, ceiling, granted, beyond);
}

#[rstest]
#[case(&["https://*.example.com/**"], &["https://api.example.com/v1/*"], None)]
#[case::scheme(&["https://a.example.com/**"], &["http://a.example.com/x"], Some("http://a.example.com/x"))]
#[case::port(&["https://a.example.com/**"], &["https://a.example.com:*/x"], Some("https://a.example.com:1/x"))]
#[case::own_port(&["https://a.example.com:*/**"], &["https://a.example.com/x"], None)]
#[case::written_own_port(&["https://a.example.com/**"], &["https://a.example.com:443/x"], None)]
#[case::other_scheme_port(&["http://a.example.com:443/**"], &["http://a.example.com/**"], Some("http://a.example.com/"))]
#[case::path(&["https://a.example.com/v1/**"], &["https://a.example.com/**"], Some("https://a.example.com/"))]
#[case::path_root(&["https://a.example.com/v1/**"], &["https://a.example.com/v1*/**"], Some("https://a.example.com/v1a/"))]
#[case::host(&["https://*.example.com/**"], &["https://**/**"], Some("https://a.ac/"))]
#[case::private_address(&["https://[0.0.0.0/0]/**"], &["https://[10.0.0.0/8]/**"], Some("https://10.0.0.0/"))]
#[case::metadata(&["http://**/**", "http://[0.0.0.0/0]/**"], &["http://169.254.169.254/latest/**"], Some("http://169.254.169.254/latest/"))]
#[case::halves(&["https://[10.0.0.0/9]/**", "https://[10.128.0.0/9]/**"], &["https://[10.0.0.0/8]/a"], None)]
#[case::product_is_not_mixed(
    &["https://a.example.com/x", "https://b.example.com/y"],
    &["https://*.example.com/x"],
    Some("https://b.example.com/x")
)]
#[case::v6(&["http://[::1]/**"], &["http://[::/8]/a"], Some("http://[::]/a"))]
#[case::one_label(&["https://db/**"], &["https://dev-*/**", "https://db/x"], None)]
#[case::no_segment_ends_with_a_dot(&["https://a.example.com/x"], &["https://a.example.com/x", "https://a.example.com/*"], Some("https://a.example.com/a"))]
#[case::encoded(&["https://a.example.com/é/**"], &["https://a.example.com/%C3%A9/*"], None)]
fn urls(#[case] ceiling: &[&str], #[case] granted: &[&str], #[case] beyond: Option<&str>) {
    check(&Match::Url {}, ceiling, granted, beyond);
}

#[rstest]
#[case(&["docker logs *"], &["docker logs web"], None)]
#[case(&["docker logs *"], &["docker logs **"], Some("docker logs"))]
#[case(&["docker logs **"], &["docker logs *", "docker logs"], None)]
#[case::option(&["docker logs **"], &["docker logs --* *"], Some("docker logs -a a"))]
#[case::both_spellings(&["docker logs --tail * *"], &["docker logs --tail=20 web", "docker logs --tail 20 web"], None)]
#[case::one_spelling(&["docker logs --tail=* *"], &["docker logs --tail * *"], Some("docker logs --tail a a"))]
#[case::any_option(&["ls --* **"], &["ls -l **", "ls **", "ls --* *"], None)]
#[case::spaced_value_of_any_option(&["ls --* **"], &["ls --color * **"], None)]
#[case::double_dash_is_no_option(&["ls --* **"], &["ls -- *"], Some("ls -- a"))]
#[case::program(&["docker logs *"], &["sudo docker logs *"], Some("sudo docker logs a"))]
#[case::words_together(&["git", "git *", "git * **"], &["git **"], None)]
#[case::words_with_a_hole(&["git", "git * * **"], &["git **"], Some("git a"))]
#[case::quoted(&["echo *"], &["echo 'a b'"], None)]
#[case::quoted_example(&["echo a"], &["echo 'a b'"], Some("echo 'a b'"))]
#[case::dash_is_no_word(&["cat *"], &["cat -"], Some("cat -"))]
fn commands(#[case] ceiling: &[&str], #[case] granted: &[&str], #[case] beyond: Option<&str>) {
    check(&Match::Command {}, ceiling, granted, beyond);
}

#[rstest]
#[case(&["[a-z]+"], &["[a-c]{2,5}"], None)]
#[case(&["[a-z]+"], &["[a-z]*"], Some(""))]
#[case::anchored(&["a"], &["a+"], Some("aa"))]
#[case::case_insensitive(&["[a-z]+"], &["(?i)[a-z]"], Some("A"))]
#[case::line_end(&[".*"], &["(?s).*"], Some("\u{2028}"))]
#[case::union(&["a*", "b*"], &["(aa)*|b{3}"], None)]
#[case::own_anchors(&["a|b"], &["^a$", "^(?:b|c$)"], Some("c"))]
#[case::impossible_anchor(&["a"], &["b^c", "a$a", "a"], None)]
#[case::repeated_anchor(&["x?"], &["(^|$)*x?(?:$)*"], None)]
#[case::classes_are_of_ascii(&["\\w+"], &["[a-z_]+", "[äöü]"], Some("ä"))]
#[case::classes_are_classes(&["[0-9A-Za-z_]+", "\\p{L}"], &["\\d\\w*", "[äöü]"], None)]
#[case::dots_take_all(&["(?s).*"], &["[\\s\\S]*", ".*\\n.*"], None)]
#[case::modular(&["(aa)*", "(aaa)*"], &["a*"], Some("a"))]
#[case::modular_together(&["(aa)*", "a(aa)*"], &["a*"], None)]
fn regexes(#[case] ceiling: &[&str], #[case] granted: &[&str], #[case] beyond: Option<&str>) {
    check(&Match::Regex {}, ceiling, granted, beyond);
}

#[rstest]
#[case::within(Unit::Number, &["1..50"], &["2..3", "50"], None)]
#[case::above(Unit::Number, &["1..50"], &["1.."], Some(json!(51)))]
#[case::below(Unit::Number, &["1..50"], &["..10"], Some(json!(0)))]
#[case::adjacent(Unit::Number, &["1..5", "5..10"], &["1..10"], None)]
#[case::between_whole_numbers(Unit::Number, &["1..5", "6..10"], &["1..10"], Some(json!(5.1)))]
#[case::units(Unit::Duration, &["..1h"], &["60m", "..3600"], None)]
#[case::units_exceeded(Unit::Duration, &["..1h"], &["..2h"], Some(json!(3601)))]
#[case::no_negative_duration(Unit::Duration, &["0..1h"], &["..1m"], None)]
#[case::bytes(Unit::Bytes, &["..1Mi"], &["1M"], None)]
#[case::bytes_exceeded(Unit::Bytes, &["..1M"], &["..1Mi"], Some(json!(1_000_001)))]
fn ranges(
    #[case] unit: Unit,
    #[case] ceiling: &[&str],
    #[case] granted: &[&str],
    #[case] beyond: Option<Value>,
) {
    assert_eq!(
        example(&Match::Range { unit }, &texts(ceiling), &texts(granted)),
        beyond
    );
}

#[rstest]
#[case(json!(["open", "closed"]), json!(["open"]), None)]
#[case(json!(["open"]), json!(["open", "closed", "all"]), Some(json!("all")))]
#[case::types(json!(["1", true]), json!([1]), Some(json!(1)))]
#[case::numbers_have_one_form(json!([1]), json!([1.0]), None)]
#[case::star_is_a_literal(json!(["*"]), json!(["a"]), Some(json!("a")))]
fn literals(#[case] ceiling: Value, #[case] granted: Value, #[case] beyond: Option<Value>) {
    let list = |value: &Value| value.as_array().cloned().unwrap();
    assert_eq!(
        example(&Match::Exact {}, &list(&ceiling), &list(&granted)),
        beyond
    );
}

/// The reason why a comparison is not decided.
fn why(matching: &Match, ceiling: &[&str], granted: &[&str]) -> String {
    match contains(matching, &texts(ceiling), &texts(granted)) {
        Containment::Undecided { why } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn rules_are_contained_in_equal_rules_only() {
    let rules =
        |ceiling: &[&str], granted: &[&str]| contains(&Match::Cel {}, &texts(ceiling), &texts(granted));
    assert_eq!(
        rules(&["call.x < 3", "true"], &["call.x < 3"]),
        Containment::Contained
    );
    assert!(why(&Match::Cel {}, &["true"], &["call.x < 3"]).contains("equal one"));
}

#[rstest]
#[case::word_boundary(Match::Regex {}, &["a b"], &["a\\b b"], "boundary")]
#[case::line_boundary(Match::Regex {}, &["a"], &["(?m)a$"], "boundary")]
#[case::no_pattern(SLASH, &["a/*"], &["a/{b,c}"], "cannot be used")]
#[case::no_ceiling_pattern(SLASH, &["a/{b,c}"], &["a/b"], "ceiling cannot be used")]
fn what_cannot_be_decided_is_told(
    #[case] matching: Match,
    #[case] ceiling: &[&str],
    #[case] granted: &[&str],
    #[case] part: &str,
) {
    let why = why(&matching, ceiling, granted);
    assert!(why.contains(part), "{why}");
}

/// Sets of states that double with every step, texts that are astronomically long, automata that are too large.
#[rstest]
#[case::exponential(&["(a|b)*a(a|b){24}"], &["(a|b)*b(a|b){23}a{0,900}"])]
#[case::coprime(&["(a{97})+", "(a{101})+", "(a{103})+", "(a{107})+", "(a{109})+", "(a{113})+", "a{1,900}b"], &["(a{89})+", "b(a|b)*a(a|b){22}"])]
#[case::nested(&["((a{0,9}){0,9}b){0,20}"], &["((a{0,9}){0,9}b?){0,20}c*"])]
fn no_pattern_takes_long(#[case] ceiling: &[&str], #[case] granted: &[&str]) {
    let start = Instant::now();
    let answer = contains(&Match::Regex {}, &texts(ceiling), &texts(granted));
    assert_ne!(answer, Containment::Contained);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn exponential_sets_are_given_up() {
    let ceiling = "(a|b)*a(a|b){24}";
    let granted = format!("({ceiling})|({ceiling})c?");
    assert!(
        why(
            &Match::Regex {},
            &[ceiling, "[ab]*b[ab]{24}", "[ab]{0,24}", "x"],
            &[&granted]
        )
        .contains("too complex")
    );
    let large: Vec<String> = ('a'..='z').map(|c| format!("(({c}{{9}}){{9}}x){{60}}")).collect();
    let large: Vec<&str> = large.iter().map(String::as_str).collect();
    assert!(why(&Match::Regex {}, &["a"], &large).contains("too large"));
}

/// Long lists of patterns such as people write.
#[rstest]
#[case::globs(256, SLASH, "org-{}/*", "org-{}/web-*")]
#[case::deep_globs(256, SLASH, "org-{}/**", "org-{}/*/x-*")]
#[case::paths(256, Match::Path {}, "/srv/team-{}/**", "/srv/team-{}/logs/*.log")]
#[case::hosts(256, Match::Host {}, "**.team-{}.example.com", "*.api.team-{}.example.com")]
#[case::hosts_by_beginning(256, Match::Host {}, "*.team-{}-*.example.com", "a*.team-{}-x*.example.com")]
#[case::hosts_partly_wild(256, Match::Host {}, "team-{}.*", "team-{}.c*")]
#[case::hosts_that_are_local(256, Match::Host {}, "*.team-{}.svc", "web-*.team-{}.svc")]
#[case::machines(256, Match::Host {}, "team-{}-*", "team-{}-db-*")]
#[case::networks(255, Match::Host {}, "10.{}.0.0/16", "10.{}.1.0/24")]
#[case::urls(256, Match::Url {}, "https://*.team-{}.example.com/**", "https://api.team-{}.example.com/v1/**")]
#[case::urls_of_any_port(256, Match::Url {}, "https://team-{}.example.com:*/**", "https://team-{}.example.com/v1/*/x")]
#[case::commands_of_any_words(256, Match::Command {}, "tool-{} * **", "tool-{} logs *")]
#[case::regexes_within_others(256, Match::Regex {}, "team-{}-.*", "team-{}-(a|b)[0-9]{1,3}")]
#[case::commands(256, Match::Command {}, "tool-{} --* **", "tool-{} logs --tail * *")]
#[case::regexes(256, Match::Regex {}, "[a-z]+-{}-\\d+", "[a-f]{2,8}-{}-\\d{1,5}")]
fn long_lists_are_decided(
    #[case] length: usize,
    #[case] matching: Match,
    #[case] ceiling: &str,
    #[case] granted: &str,
) {
    let list = |pattern: &str, length: usize| -> Vec<Value> {
        (0..length)
            .map(|place| json!(pattern.replace("{}", &place.to_string())))
            .collect()
    };
    let within = contains(&matching, &list(ceiling, length), &list(granted, length));
    assert!(within == Containment::Contained, "{within:?}");
    let beyond = contains(
        &matching,
        &list(ceiling, length),
        &list(granted, length.saturating_add(1)),
    );
    assert!(matches!(beyond, Containment::Exceeds { .. }), "{beyond:?}");
}
