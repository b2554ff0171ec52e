//! How much work an expression can be, at most, from its form alone.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, operators};

use super::reads::MAX_ELEMENTS;

/// How many parts an expression may have.
pub(super) const MAX_PARTS: usize = 600;
/// How deeply they may nest. A chain of `&&` or `+` nests as deeply as it is long.
const MAX_DEPTH: u32 = 64;
/// More than any honest rule; a fraction of a second of work.
const MAX_COST: u64 = 50_000;
/// What one regular expression counts, for it is compiled anew each time.
const REGEX_COST: u64 = 500;

/// Besides the operators. Anything else is refused, so that a newer library cannot bring in a function unseen.
pub(super) const FUNCTIONS: [&str; 21] = [
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "int",
    "double",
    "string",
    "bool",
    "timestamp",
    "duration",
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getHours",
    "getMinutes",
    "getSeconds",
    "getMilliseconds",
];

const OPERATORS: [&str; 18] = [
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::SUBSTRACT,
    operators::ADD,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER_EQUALS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::LESS,
    operators::NEGATE,
    operators::INDEX,
    operators::IN,
];

/// Refuses an expression that could take long or that names something unknown.
pub(super) fn check(expression: &IdedExpr) -> Result<(), String> {
    let mut names = Names {
        known: vec!["call".to_owned(), "bot".to_owned(), "now".to_owned()],
        depth: 0,
        parts: 0,
    };
    let cost = cost(&expression.expr, &mut names)?;
    if cost <= MAX_COST {
        Ok(())
    } else {
        Err("the expression could take too long; nest fewer loops".to_owned())
    }
}

/// What has been seen on the way.
struct Names {
    known: Vec<String>,
    depth: u32,
    parts: usize,
}

fn cost(expr: &Expr, names: &mut Names) -> Result<u64, String> {
    names.depth = names.depth.saturating_add(1);
    names.parts = names.parts.saturating_add(1);
    if names.depth > MAX_DEPTH || names.parts > MAX_PARTS {
        return Err("the expression is too long or nests too deeply; split it into several rules".to_owned());
    }
    let cost = cost_of_parts(expr, names)?;
    names.depth = names.depth.saturating_sub(1);
    Ok(cost.saturating_add(1))
}

fn cost_of_parts(expr: &Expr, names: &mut Names) -> Result<u64, String> {
    match expr {
        Expr::Unspecified => Err("the expression has an empty part".to_owned()),
        Expr::Struct(built) => Err(format!("there is no type {}", built.type_name)),
        Expr::Literal(_) => Ok(0),
        Expr::Ident(name) if names.known.iter().any(|known| known == name) => Ok(0),
        Expr::Ident(name) => Err(format!(
            "there is no {name}; an expression sees call, bot and now"
        )),
        Expr::Select(select) => cost(&select.operand.expr, names),
        Expr::List(list) => sum(list.elements.iter(), names),
        Expr::Map(map) => sum(
            map.entries.iter().flat_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => [&entry.key, &entry.value],
                EntryExpr::StructField(field) => [&field.value, &field.value],
            }),
            names,
        ),
        Expr::Call(call) => call_cost(call, names),
        Expr::Comprehension(comprehension) => loop_cost(comprehension, names),
    }
}

fn sum<'a>(parts: impl IntoIterator<Item = &'a IdedExpr>, names: &mut Names) -> Result<u64, String> {
    parts.into_iter().try_fold(0_u64, |total, part| {
        Ok(total.saturating_add(cost(&part.expr, names)?))
    })
}

fn call_cost(call: &CallExpr, names: &mut Names) -> Result<u64, String> {
    let name = call.func_name.as_str();
    let internal = name == operators::NOT_STRICTLY_FALSE;
    if !internal && !FUNCTIONS.contains(&name) && !OPERATORS.contains(&name) {
        return Err(format!("there is no function {name}"));
    }
    let own = if name == "matches" { REGEX_COST } else { 0 };
    Ok(sum(call.target.iter().map(AsRef::as_ref).chain(&call.args), names)?.saturating_add(own))
}

fn loop_cost(comprehension: &ComprehensionExpr, names: &mut Names) -> Result<u64, String> {
    let range = &comprehension.iter_range.expr;
    let rounds = match range {
        Expr::List(list) => list.elements.len() as u64,
        Expr::Map(map) => map.entries.len() as u64,
        Expr::Ident(_) | Expr::Select(_) => MAX_ELEMENTS as u64,
        Expr::Call(_) | Expr::Comprehension(_) | Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => {
            return Err("a loop runs over a part of the call or a written list only".to_owned());
        }
    };
    let before = cost(range, names)?.saturating_add(cost(&comprehension.accu_init.expr, names)?);
    let known = names.known.len();
    names
        .known
        .extend([comprehension.iter_var.clone(), comprehension.accu_var.clone()]);
    names.known.extend(comprehension.iter_var2.clone());
    let body = sum([&comprehension.loop_cond, &comprehension.loop_step], names);
    let after = cost(&comprehension.result.expr, names);
    names.known.truncate(known);
    Ok(before
        .saturating_add(body?.saturating_mul(rounds))
        .saturating_add(after?))
}
