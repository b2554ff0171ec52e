//! From an expression to what it reads.

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, operators};

use super::{Reads, Step};

/// What the expression reads of `call` and `bot`, as fields of one value.
pub(in super::super) fn reads(expression: &IdedExpr) -> Reads {
    let root = |name: &'static str| (name, Some(vec![Step::Field(name.to_owned())]));
    let mut analysis = Analysis {
        variables: vec![root("call"), root("bot")],
        reads: Reads::default(),
    };
    analysis.visit(&expression.expr);
    analysis.reads
}

struct Analysis<'e> {
    /// Names with the place that each stands for; none for a value that is no part of the call. The innermost is the last.
    variables: Vec<(&'e str, Option<Vec<Step>>)>,
    reads: Reads,
}

impl<'e> Analysis<'e> {
    /// The part of the call that an expression stands for, if its form tells.
    fn place(&self, expr: &Expr) -> Option<Vec<Step>> {
        let (operand, step) = match expr {
            Expr::Ident(name) => {
                let known = self
                    .variables
                    .iter()
                    .rev()
                    .find(|(known, _)| *known == name.as_str());
                return known.and_then(|(_, place)| place.clone());
            }
            Expr::Select(select) if !select.test => (&*select.operand, Step::Field(select.field.clone())),
            Expr::Call(call) => element(call)?,
            _ => return None,
        };
        let mut place = self.place(&operand.expr)?;
        place.push(step);
        Some(place)
    }

    fn visit(&mut self, expr: &'e Expr) {
        if let Some(place) = self.place(expr) {
            self.reads.at(&place).whole = true;
            return;
        }
        match expr {
            Expr::Select(select) => match self.place(&select.operand.expr) {
                // `has(a.b)` asks whether b is there, and not for what it is.
                Some(mut place) if select.test => {
                    place.push(Step::Field(select.field.clone()));
                    self.reads.at(&place);
                }
                _ => self.visit(&select.operand.expr),
            },
            Expr::Call(call) => self.visit_call(call),
            Expr::List(list) => self.visit_all(&list.elements),
            Expr::Map(map) => {
                for entry in &map.entries {
                    match &entry.expr {
                        EntryExpr::MapEntry(entry) => self.visit_all([&entry.key, &entry.value]),
                        EntryExpr::StructField(field) => self.visit(&field.value.expr),
                    }
                }
            }
            Expr::Comprehension(comprehension) => self.visit_loop(comprehension),
            Expr::Literal(_) | Expr::Ident(_) | Expr::Struct(_) | Expr::Unspecified => {}
        }
    }

    fn visit_all(&mut self, parts: impl IntoIterator<Item = &'e IdedExpr>) {
        for part in parts {
            self.visit(&part.expr);
        }
    }

    fn visit_call(&mut self, call: &'e CallExpr) {
        // `'n' in call.arguments`, which is known to be an object.
        if call.func_name == operators::IN
            && let [name, whole] = call.args.as_slice()
            && let Some(name) = literal_text(&name.expr)
            && let Some(mut place) = self.place(&whole.expr)
            && place == ["call", "arguments"].map(|name| Step::Field(name.to_owned()))
        {
            place.push(Step::Field(name.to_owned()));
            self.reads.at(&place);
            return;
        }
        self.visit_all(call.target.as_deref().into_iter().chain(&call.args));
    }

    fn visit_loop(&mut self, comprehension: &'e ComprehensionExpr) {
        let range = self.place(&comprehension.iter_range.expr);
        match &range {
            Some(place) => {
                let reads = self.reads.at(place);
                reads.counted = true;
                reads.at(&[Step::Each]);
            }
            None => self.visit(&comprehension.iter_range.expr),
        }
        self.visit(&comprehension.accu_init.expr);
        let known = self.variables.len();
        let element = range.map(|mut place| {
            place.push(Step::Each);
            place
        });
        // With two variables, the first is the place or the key.
        let (first, second) = match &comprehension.iter_var2 {
            None => (element, None),
            Some(name) => (None, Some((name.as_str(), element))),
        };
        self.variables.push((&comprehension.iter_var, first));
        self.variables.extend(second);
        self.variables.push((&comprehension.accu_var, None));
        self.visit_all([
            &comprehension.loop_cond,
            &comprehension.loop_step,
            &comprehension.result,
        ]);
        self.variables.truncate(known);
    }
}

/// Operand and step of `a['b']` and `a[0]`.
fn element(call: &CallExpr) -> Option<(&IdedExpr, Step)> {
    if call.func_name != operators::INDEX {
        return None;
    }
    let mut parts = call.target.as_deref().into_iter().chain(&call.args);
    let (operand, index) = (parts.next()?, parts.next()?);
    match &index.expr {
        Expr::Literal(LiteralValue::Int(_)) => Some((operand, Step::Each)),
        other => literal_text(other).map(|name| (operand, Step::Field(name.to_owned()))),
    }
}

fn literal_text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}
