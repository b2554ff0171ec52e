//! `Cel`: boolean expressions over the whole call. An expression that fails, or answers anything but true, does not hold.
//!
//! The language has no limit on work, so one is put around it: [`cost`] refuses an expression that could take long, and
//! values that are large for an expression are refused before it runs. It runs on a thread with a large stack, so that no input
//! ends the process.

mod cost;

use std::collections::HashMap;

use cel::objects::Value as CelValue;
use cel::parser::{Expression, PrattParser};
use cel::{Context, ParseErrors};
use serde_json::Value;

use super::{PatternFault, text};
use crate::source::{BotName, Tool};

/// The longest expression.
const MAX_SOURCE: usize = 4096;
/// How deeply an expression may nest: for the parser, which does not count all that nests, and in brackets.
const MAX_NESTING: u16 = 24;
/// Enough for the deepest permitted expression, also in a debug build.
const STACK: usize = 16 << 20;
/// The most elements of one list or map that an expression looks at.
const MAX_ELEMENTS: usize = 128;

/// What an expression may look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) bot: &'a BotName,
    pub(crate) tool: &'a Tool,
    /// With canonical forms put in place.
    pub(crate) arguments: &'a Value,
    pub(crate) now: jiff::Timestamp,
}

/// A compiled expression over `call`, `bot` and `now`.
#[derive(Debug)]
pub(crate) struct Rule(Expression);

impl Rule {
    pub(crate) fn compile(pattern: &Value) -> Result<Self, PatternFault> {
        let source = pattern
            .as_str()
            .ok_or_else(|| format!("{pattern} is not an expression; write it in quotes"))?;
        if source.len() > MAX_SOURCE {
            return Err(format!(
                "the expression is longer than {MAX_SOURCE} bytes; split it"
            ));
        }
        if bracket_depth(source) > MAX_NESTING {
            return Err(format!(
                "brackets nest more than {MAX_NESTING} times; split the expression"
            ));
        }
        on_large_stack(|| {
            let expression = parse(source).map_err(|errors| errors.to_string().replace('\n', " "))?;
            cost::check(&expression)?;
            Ok(Self(expression))
        })?
    }

    /// Whether the expression is true. An error is not.
    pub(crate) fn holds(&self, moment: &Moment<'_>) -> Result<bool, String> {
        let call = call_value(moment)?;
        let now = format!("timestamp('{}')", moment.now);
        on_large_stack(|| {
            let mut context = Context::default();
            let now = parse(&now).map_err(|errors| errors.to_string())?;
            let now = context.resolve(&now).map_err(|error| error.to_string())?;
            context.add_variable_from_value("now", now);
            context.add_variable_from_value("call", call);
            context.add_variable_from_value("bot", bot_value(moment.bot));
            match context.resolve(&self.0).map_err(|error| error.to_string())? {
                CelValue::Bool(answer) => Ok(answer),
                _ => Err("the expression does not answer true or false".to_owned()),
            }
        })?
    }
}

/// Runs the work where deep recursion has room, and where a panic is an error.
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, work);
        let thread = thread.map_err(|error| format!("no thread for the expression: {error}"))?;
        thread
            .join()
            .map_err(|_| "the expression cannot be evaluated".to_owned())
    })
}

fn parse(source: &str) -> Result<Expression, ParseErrors> {
    PrattParser::new()
        .max_recursion_depth(MAX_NESTING)
        .max_expression_node_count(cost::MAX_PARTS)
        .parse(source)
}

/// How many brackets are open at once, at most; those in strings count too.
fn bracket_depth(source: &str) -> u16 {
    let mut open = 0_u16;
    let mut deepest = 0;
    for c in source.chars() {
        match c {
            '(' | '[' | '{' => open = open.saturating_add(1),
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

fn bot_value(bot: &BotName) -> CelValue {
    map([
        ("namespace", bot.namespace.as_str().into()),
        ("name", bot.name.as_str().into()),
    ])
}

fn call_value(moment: &Moment<'_>) -> Result<CelValue, String> {
    let tool = moment.tool;
    Ok(map([
        ("tool", tool.name.as_str().into()),
        ("operation", tool.operation.as_str().into()),
        ("risk", format!("{:?}", tool.risk).into()),
        ("arguments", cel_value(moment.arguments)?),
    ]))
}

fn map<const N: usize>(fields: [(&str, CelValue); N]) -> CelValue {
    fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect::<HashMap<_, _>>()
        .into()
}

/// Integers stay integers, so that `call.arguments.n < 10` is what it looks like.
fn cel_value(value: &Value) -> Result<CelValue, String> {
    let too_large = || Err("an argument is too large for an expression".to_owned());
    Ok(match value {
        Value::Null => CelValue::Null,
        Value::Bool(flag) => CelValue::Bool(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => CelValue::Int(integer),
            (None, Some(float)) => CelValue::Float(float),
            (None, None) => return too_large(),
        },
        Value::String(text) if text.len() <= text::MAX_TEXT => text.as_str().into(),
        Value::Array(items) if items.len() <= MAX_ELEMENTS => {
            items.iter().map(cel_value).collect::<Result<Vec<_>, _>>()?.into()
        }
        Value::Object(fields) if fields.len() <= MAX_ELEMENTS => {
            let field = |(key, value): (&String, &Value)| cel_value(value).map(|value| (key.clone(), value));
            fields
                .iter()
                .map(field)
                .collect::<Result<HashMap<_, _>, _>>()?
                .into()
        }
        Value::String(_) | Value::Array(_) | Value::Object(_) => return too_large(),
    })
}

#[cfg(test)]
mod tests {
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
}
