//! Rules by example.

use rstest::rstest;
use serde_json::json;

use super::*;

fn holds(source: &str, arguments: Value) -> Result<bool, String> {
    let tool: Tool = serde_json::from_value(json!({
        "name": "shop_buy", "description": "", "operation": "order.create", "risk": "High", "parameters": {"type": "object"}
    }))
    .unwrap();
    let bot = BotName {
        namespace: "shop".to_owned(),
        name: "buyer".to_owned(),
    };
    let now = "2026-03-02T10:30:00Z".parse().unwrap();
    Rule::compile(&json!(source))?.holds(&Moment {
        bot: &bot,
        tool: &tool,
        arguments: &arguments,
        now,
    })
}

#[rstest]
#[case("call.arguments.amount <= 100", true)]
#[case("call.arguments.amount < 7", false)]
#[case("call.arguments.price * 2.0 == 5.0", true)]
#[case("call.tool == 'shop_buy' && call.operation.startsWith('order.')", true)]
#[case("call.risk == 'High'", true)]
#[case("bot.name == 'buyer' && bot.namespace == 'shop'", true)]
#[case("now > timestamp('2026-01-01T00:00:00Z')", true)]
#[case("now.getHours() >= 9 && now.getHours() < 17", true)]
#[case("has(call.arguments.coupon)", false)]
#[case("call.arguments.tags.all(tag, tag in ['a', 'b'])", true)]
#[case("call.arguments.tags.exists(tag, tag == 'c')", false)]
#[case("call.arguments.to.matches('^[a-z]+@example[.]com$')", true)]
#[case("size(call.arguments.tags) == 2 ? true : false", true)]
fn evaluates(#[case] source: &str, #[case] expected: bool) {
    let arguments = json!({"amount": 7, "price": 2.5, "tags": ["a", "b"], "to": "x@example.com"});
    assert_eq!(holds(source, arguments), Ok(expected));
}

#[rstest]
#[case::missing("call.arguments.nothing == 1")]
#[case::mistyped("call.arguments.amount.startsWith('a')")]
#[case::division_by_zero("1 / 0 == 1")]
#[case::overflow("9223372036854775807 + 1 > 0")]
#[case::no_boolean("call.arguments.amount")]
#[case::bad_timestamp("timestamp('yesterday') < now")]
fn an_error_does_not_hold(#[case] source: &str) {
    assert!(holds(source, json!({"amount": 7})).is_err());
}

#[rstest]
#[case::syntax("call.arguments.amount <".to_owned())]
#[case::long(format!("'{}' == ''", "a".repeat(5000)))]
#[case::deep(format!("{}true{}", "(".repeat(200), ")".repeat(200)))]
#[case::many_terms(format!("1{} > 0", "+1".repeat(1500)))]
#[case::deep_lists(format!("{}1{} == []", "[".repeat(500), "]".repeat(500)))]
#[case::unknown_name("request.user == 'x'".to_owned())]
#[case::unknown_function("fetch('http://x') == 1".to_owned())]
#[case::nested_loops("call.arguments.a.all(x, call.arguments.a.all(y, call.arguments.a.all(z, x+y+z > 0)))".to_owned())]
#[case::loop_over_sum("(call.arguments.a + call.arguments.a).all(x, x > 0)".to_owned())]
#[case::loop_over_loop("call.arguments.a.map(x, [x, x]).all(y, size(y) > 0)".to_owned())]
#[case::regex_from_the_call("call.arguments.a.matches(call.arguments.b)".to_owned())]
#[case::huge_regex("call.arguments.a.matches('(a{1000}){1000}')".to_owned())]
#[case::only_open("[".repeat(4000))]
#[case::brackets(format!("{}true{}", "(".repeat(2000), ")".repeat(2000)))]
#[case::many_conditions(format!("{}true", "true?true:".repeat(400)))]
#[case::many_and("true&&".repeat(600) + "true")]
#[case::many_selects(format!("call{} == 1", ".a".repeat(2000)))]
#[case::many_indexes(format!("call{} == 1", "[0]".repeat(1300)))]
#[case::many_minus(format!("{}a == 1", "-".repeat(4000)))]
#[case::many_not_brackets(format!("{}true{}", "!(".repeat(1300), ")".repeat(1300)))]
fn refuses(#[case] source: String) {
    assert!(Rule::compile(&json!(source)).is_err());
}

#[test]
fn refuses_large_arguments() {
    let source = "call.arguments.a != null";
    assert_eq!(holds(source, json!({"a": vec![0; 128]})), Ok(true));
    assert!(holds(source, json!({"a": vec![0; 129]})).is_err());
    assert!(holds(source, json!({"a": "x".repeat(5000)})).is_err());
}

#[test]
fn deepest_permitted_expression_evaluates() {
    let source = format!("{}true{}", "(true && ".repeat(20), ")".repeat(20));
    assert_eq!(holds(&source, json!({})), Ok(true));
}

/// What a rule does not read may be as large as it likes.
#[rstest]
#[case::another("call.arguments.n < 10")]
#[case::by_index("call.arguments['n'] < 10")]
#[case::presence("has(call.arguments.long) && has(call.arguments.list) && !has(call.arguments.none)")]
#[case::presence_by_in("'long' in call.arguments && !('none' in call.arguments)")]
#[case::inside("call.arguments.deep.n == 1 && call.arguments.deep.inner.n == 2")]
#[case::presence_inside("has(call.arguments.deep.long) && !has(call.arguments.deep.none)")]
#[case::elements("call.arguments.items.all(item, item.n > 0)")]
#[case::one_element("call.arguments.items[1].n == 2")]
#[case::an_element_of_a_long_list("call.arguments.list[0] == 0")]
#[case::named_like_the_call("call.arguments.items.exists(call, call.n == 2)")]
#[case::an_element_of_an_element("['x', 'y'].all(name, call.arguments.items[0].tags.all(tag, tag != name))")]
#[case::filtered("[call.arguments.n].filter(n, n < 9).size() == 1")]
#[case::of_either("call.arguments.n > 9 ? call.arguments.deep.n == 0 : call.arguments.deep.n == 1")]
#[case::no_argument("call.tool == 'shop_buy' && bot.name == 'buyer'")]
#[case::nothing("true")]
fn a_rule_bounds_only_what_it_reads(#[case] source: &str) {
    assert_eq!(holds(source, large()), Ok(true));
}

#[rstest]
#[case::text("call.arguments.long != ''")]
#[case::part_of_a_text("call.arguments.long.startsWith('x')")]
#[case::size_of_a_text("size(call.arguments.long) > 1")]
#[case::list("call.arguments.list == []")]
#[case::loop_over_a_list("call.arguments.list.exists(n, n == 0)")]
#[case::loop_over_a_list_that_reads_nothing("call.arguments.list.exists(n, true)")]
#[case::membership("0 in call.arguments.list")]
#[case::by_index("call.arguments['long'] != ''")]
#[case::inside("call.arguments.deep.long != ''")]
#[case::whole_of_a_part("call.arguments.deep != null")]
#[case::element("call.arguments.items.all(item, item.long != '')")]
#[case::whole_element("call.arguments.items.filter(item, item.n > 0).size() == 2")]
#[case::one_element("call.arguments.items[0].long != ''")]
#[case::all_arguments("call.arguments.size() > 0")]
#[case::all_of_the_call("call != bot")]
#[case::loop_over_all("call.arguments.exists(name, name == 'n')")]
#[case::dynamic_name("call.arguments[call.tool] == 1 || true")]
#[case::dynamic_name_in("call.tool in call.arguments || true")]
#[case::in_a_list("[call.arguments.long].exists(x, x == '')")]
#[case::in_a_map("{'a': call.arguments.long} == {}")]
#[case::chosen("(call.tool == 'x' ? call.arguments.deep : call.arguments.items[0]).n == 1")]
#[case::although_it_is_also_asked_for("has(call.arguments.long) && call.arguments.long != ''")]
#[case::in_a_named_loop("[1].exists(x, call.arguments.long != '')")]
fn what_a_rule_reads_is_bounded(#[case] source: &str) {
    let refused = holds(source, large()).unwrap_err();
    assert!(refused.contains("4096 bytes or has more than 128"), "{refused}");
}

/// Names of an object that is looked at as a whole are bounded like texts.
#[test]
fn long_names_are_bounded() {
    let arguments = json!({"map": {"x".repeat(4097): 1}});
    assert!(holds("call.arguments.map.exists(name, name != '')", arguments).is_err());
}

fn large() -> Value {
    let long = "x".repeat(4097);
    json!({
        "n": 1, "long": long, "list": vec![0; 129],
        "deep": {"n": 1, "long": long, "list": vec![0; 129], "inner": {"n": 2, "long": long}},
        "items": [{"n": 1, "long": long, "tags": ["a"]}, {"n": 2, "long": long, "tags": []}]
    })
}

/// Leaving out what is not read changes no answer.
#[rstest]
#[case("call.arguments.none == 1")]
#[case("call.arguments.deep.none == 1")]
#[case("call.arguments.items[2].n == 1")]
#[case("call.arguments.n.none == 1")]
#[case("call.arguments.list.none == 1")]
#[case("call.arguments.list['a'] == 1")]
#[case("call.arguments.deep[0] == 1")]
#[case("call.arguments.items.all(item, item.none == 1)")]
#[case("has(call.arguments.n.none)")]
fn what_is_not_there_is_still_an_error(#[case] source: &str) {
    assert!(holds(source, large()).is_err(), "{:?}", holds(source, large()));
}

#[rstest]
#[case::digits("call.arguments.to.matches('^\\\\d$')", "٣", false)]
#[case::words("call.arguments.to.matches('^\\\\w+$')", "ä", false)]
#[case::boundary("call.arguments.to.matches('a\\\\b')", "aä", true)]
#[case::line_end("call.arguments.to.matches('^.$')", "\u{2028}", false)]
#[case::in_a_loop("[call.arguments.to].all(to, to.matches('^\\\\d$'))", "٣", false)]
#[case::as_a_function("matches(call.arguments.to, '^\\\\d$')", "٣", false)]
fn regular_expressions_are_of_the_one_dialect(
    #[case] source: &str,
    #[case] to: &str,
    #[case] expected: bool,
) {
    assert_eq!(holds(source, json!({"to": to})), Ok(expected));
}

#[test]
fn what_is_no_expression_is_told_on_one_line() {
    let fault = Rule::compile(&json!("call.arguments.amount =< 50")).unwrap_err();
    assert_eq!(
        fault,
        "the expression is no CEL: mismatched input '=' expecting <EOF> at column 23"
    );
}

#[test]
fn every_function_and_every_limit_is_in_the_documentation() {
    const PAGE: &str = include_str!("../../../../../docs/permissions.md");
    let section = PAGE.split("### Cel").nth(1).unwrap();
    for function in cost::FUNCTIONS {
        assert!(section.contains(&format!("{function}(")), "{function}");
    }
    for limit in [
        MAX_SOURCE,
        usize::from(MAX_NESTING),
        cost::MAX_PARTS,
        super::super::text::MAX_TEXT,
        reads::MAX_ELEMENTS,
        regex::MAX_REGEX,
    ] {
        assert!(section.contains(&limit.to_string()), "{limit}");
    }
}
