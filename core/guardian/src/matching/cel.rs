//! `Cel`: boolean expressions over the whole call. An expression that fails, or answers anything but true, does not hold.
//!
//! The language has no limit on work, so one is put around it: [`cost`] refuses an expression that could take long, and
//! values that an expression [`reads`] and that are large for it are refused before it runs. It runs on a thread with a large
//! stack, so that no input ends the process.

mod cost;
mod reads;
mod regex;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use cel::objects::Value as CelValue;
use cel::parser::{Expression, PrattParser};
use cel::{Context, ParseErrors};
use serde_json::Value;

use self::reads::Reads;
use super::PatternFault;
use crate::source::{BotName, Tool};

/// The longest expression.
const MAX_SOURCE: usize = 4096;
/// How deeply an expression may nest: for the parser, which does not count all that nests, and in brackets.
const MAX_NESTING: u16 = 24;
/// Enough for the deepest permitted expression, also in a debug build.
const STACK: usize = 16 << 20;
/// The fields of `call`, of which `arguments` has those that the tool declares.
const CALL: [&str; 4] = ["tool", "operation", "risk", ARGUMENTS];
const ARGUMENTS: &str = "arguments";
/// The fields of `bot`.
const BOT: [&str; 2] = ["namespace", "name"];

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
pub(crate) struct Rule {
    expression: Expression,
    reads: Reads,
}

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
            let mut expression = parse(source).map_err(|errors| told(&errors))?;
            cost::check(&expression)?;
            regex::translate(&mut expression.expr)?;
            let reads = reads::reads(&expression);
            Ok(Self { expression, reads })
        })?
    }

    /// What it reads that no call and no bot has, as it is written.
    pub(crate) fn unknown(&self) -> Option<String> {
        let unknown = |root: &str, known: &[&str]| {
            let read = self.reads.named(root)?;
            let name = read.names().find(|name| !known.contains(name))?;
            Some(format!(
                "there is no {root}.{name}; {root} has {}",
                known.join(", ")
            ))
        };
        unknown("call", &CALL).or_else(|| unknown("bot", &BOT))
    }

    /// JSON Pointers to the arguments that it reads, as far as its form tells.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let call = self.reads.named("call");
        let arguments = call.and_then(|reads| reads.named(ARGUMENTS));
        arguments.map(Reads::pointers).unwrap_or_default()
    }

    /// Whether the expression is true. An error is not.
    pub(crate) fn holds(&self, moment: &Moment<'_>) -> Result<bool, String> {
        let call = self.call_value(moment)?;
        let now = format!("timestamp('{}')", moment.now);
        on_large_stack(|| {
            let mut context = Context::default();
            let now = parse(&now).map_err(|errors| errors.to_string())?;
            let now = context.resolve(&now).map_err(|error| error.to_string())?;
            context.add_variable_from_value("now", now);
            context.add_variable_from_value("call", call);
            context.add_variable_from_value("bot", bot_value(moment.bot));
            match context
                .resolve(&self.expression)
                .map_err(|error| error.to_string())?
            {
                CelValue::Bool(answer) => Ok(answer),
                _ => Err("the expression does not answer true or false".to_owned()),
            }
        })?
    }

    /// With those of its arguments that the expression reads.
    fn call_value(&self, moment: &Moment<'_>) -> Result<CelValue, String> {
        let tool = moment.tool;
        let call = self.reads.named("call");
        let read = call.map(|reads| reads.of_field(ARGUMENTS)).unwrap_or_default();
        let arguments = if read.is_empty() {
            CelValue::Null
        } else {
            reads::seen(moment.arguments, &read)?
        };
        Ok(map([
            ("tool", tool.name.as_str().into()),
            ("operation", tool.operation.as_str().into()),
            ("risk", format!("{:?}", tool.risk).into()),
            (ARGUMENTS, arguments),
        ]))
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

/// The first error, on one line: the others follow from it.
fn told(errors: &ParseErrors) -> String {
    errors.errors.first().map_or_else(
        || "the expression is no CEL".to_owned(),
        |error| {
            let message = error.msg.strip_prefix("Syntax error: ").unwrap_or(&error.msg);
            format!(
                "the expression is no CEL: {} at column {}",
                message.replace('\n', " "),
                error.pos.1
            )
        },
    )
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

fn map<const N: usize>(fields: [(&str, CelValue); N]) -> CelValue {
    fields
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect::<HashMap<_, _>>()
        .into()
}
