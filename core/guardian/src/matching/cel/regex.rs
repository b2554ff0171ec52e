//! The regular expressions of `matches`: written in the rule, small, and of the one dialect.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

use crate::expression;

/// The longest one.
pub(super) const MAX_REGEX: usize = 256;
const MAX_REGEX_COMPILED: usize = 64 << 10;

/// Puts each regular expression of an expression into the words of the library that will compile it.
/// Only for an expression that was looked at by [`super::cost`], which bounds the recursion.
pub(super) fn translate(expr: &mut Expr) -> Result<(), String> {
    match expr {
        Expr::Call(call) => {
            if call.func_name == "matches" {
                translate_call(call)?;
            }
            let target = call.target.as_deref_mut();
            all(target.into_iter().chain(&mut call.args))
        }
        Expr::Select(select) => translate(&mut select.operand.expr),
        Expr::List(list) => all(&mut list.elements),
        Expr::Map(map) => map
            .entries
            .iter_mut()
            .try_for_each(|entry| match &mut entry.expr {
                EntryExpr::MapEntry(entry) => all([&mut entry.key, &mut entry.value]),
                EntryExpr::StructField(field) => translate(&mut field.value.expr),
            }),
        Expr::Comprehension(comprehension) => all([
            &mut comprehension.iter_range,
            &mut comprehension.accu_init,
            &mut comprehension.loop_cond,
            &mut comprehension.loop_step,
            &mut comprehension.result,
        ]),
        Expr::Literal(_) | Expr::Ident(_) | Expr::Struct(_) | Expr::Unspecified => Ok(()),
    }
}

fn all<'e>(parts: impl IntoIterator<Item = &'e mut IdedExpr>) -> Result<(), String> {
    parts.into_iter().try_for_each(|part| translate(&mut part.expr))
}

fn translate_call(call: &mut CallExpr) -> Result<(), String> {
    let Some(Expr::Literal(LiteralValue::String(pattern))) =
        call.args.last_mut().map(|argument| &mut argument.expr)
    else {
        return Err("matches takes a regular expression that is written in the rule".to_owned());
    };
    if pattern.inner().len() > MAX_REGEX {
        return Err(format!("a regular expression is longer than {MAX_REGEX} bytes"));
    }
    let translated = expression::checked(pattern.inner())?;
    regex::RegexBuilder::new(&translated)
        .size_limit(MAX_REGEX_COMPILED)
        .build()
        .map_err(|error| error.to_string().replace('\n', " "))?;
    *pattern = translated.into();
    Ok(())
}
