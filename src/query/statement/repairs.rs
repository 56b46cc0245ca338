//! What a statement that does not plan may have meant: calls and names as other systems have them, in the words of this
//! one. It is told where the statement then plans, and never done unasked. Must not know tables.

use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    ObjectName, Value, Visitor, VisitorMut,
};

use super::walk::{visit, visit_mut};
use super::{FunctionKinds, normalize};

/// Columns of the managed tables that hold JSON texts.
pub(in crate::query) const JSON_COLUMNS: [&str; 3] = ["properties", "context", "traits"];
/// Parts of a time that are functions elsewhere.
const PARTS_OF_TIME: [&str; 8] = ["year", "quarter", "month", "week", "day", "hour", "minute", "second"];

/// A statement as it may have been meant, and what to write for it.
pub(in crate::query) struct Repair {
    pub(in crate::query) statement: DfStatement,
    pub(in crate::query) advice: String,
}

/// The ways in which the statement may have been meant, if there is anything to mend.
pub(in crate::query) fn repairs(statement: &DfStatement, kinds: &FunctionKinds<'_>) -> Vec<Repair> {
    // A value of a JSON text is a text, and where that does not fit, it was meant as a number.
    [false, true].into_iter().filter_map(|as_number| repair(statement, kinds, as_number)).collect()
}

fn repair(statement: &DfStatement, kinds: &FunctionKinds<'_>, as_number: bool) -> Option<Repair> {
    let mut statement = statement.clone();
    let mut mend = Mend { kinds, as_number, advice: Vec::new() };
    match innermost(&mut statement) {
        // It breaks off nowhere.
        DfStatement::Statement(inner) => drop(visit_mut(inner, &mut mend)),
        _ => return None,
    }
    mend.advice.dedup();
    let advice = mend.advice.join("; ");
    (!advice.is_empty()).then_some(Repair { statement, advice })
}

fn innermost(statement: &mut DfStatement) -> &mut DfStatement {
    match statement {
        DfStatement::Explain(explain) => innermost(&mut explain.statement),
        other => other,
    }
}

struct Mend<'a> {
    kinds: &'a FunctionKinds<'a>,
    as_number: bool,
    advice: Vec<String>,
}

impl VisitorMut for Mend<'_> {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        match expression {
            Expr::Function(call) => self.advice.extend(name_part(call, self.kinds)),
            Expr::CompoundIdentifier(names) => {
                if let Some(value) = json_value(names) {
                    let column = names.iter().map(Ident::to_string).collect::<Vec<_>>().join(".");
                    self.advice.push(format!(
                        "there is no column {column}: write {value} for the text, and CAST({value} AS DOUBLE) for the number"
                    ));
                    *expression = if self.as_number { number_of(value) } else { Expr::Nested(Box::new(value)) };
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// Makes `hour(x)` the call of `date_part`, where there is no such function; gives what to write.
fn name_part(call: &mut Function, kinds: &FunctionKinds<'_>) -> Option<String> {
    let part = call.name.to_string().to_ascii_lowercase();
    let FunctionArguments::List(list) = &mut call.args else { return None };
    let [FunctionArg::Unnamed(FunctionArgExpr::Expr(time))] = list.args.as_slice() else { return None };
    if !PARTS_OF_TIME.contains(&part.as_str()) || kinds.knows(&part) {
        return None;
    }
    let advice =
        format!("there is no function {part}(): write extract({part} FROM {time}) or date_part('{part}', {time})");
    list.args.insert(0, FunctionArg::Unnamed(FunctionArgExpr::Expr(text(&part))));
    call.name = ObjectName::from(vec![Ident::new("date_part")]);
    Some(advice)
}

/// `properties.a.b` as `properties -> 'a' ->> 'b'`, with a table in front or not.
fn json_value(names: &[Ident]) -> Option<Expr> {
    /// Catalog, schema and table stand before a column at most.
    const MOST_QUALIFIERS: usize = 3;
    let column =
        names.iter().take(MOST_QUALIFIERS + 1).position(|name| JSON_COLUMNS.contains(&normalize(name).as_str()))?;
    let (column, keys) = names.split_at(column + 1);
    let (last, path) = keys.split_last()?;
    let column = match column {
        [alone] => Expr::Identifier(alone.clone()),
        qualified => Expr::CompoundIdentifier(qualified.to_vec()),
    };
    let step = |left: Expr, op: BinaryOperator, key: &Ident| Expr::BinaryOp {
        left: Box::new(left),
        op,
        right: Box::new(text(&key.value)),
    };
    let object = path.iter().fold(column, |left, key| step(left, BinaryOperator::Arrow, key));
    Some(step(object, BinaryOperator::LongArrow, last))
}

fn number_of(value: Expr) -> Expr {
    Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(Expr::Nested(Box::new(value))),
        data_type: DataType::DoublePrecision,
        array: false,
        format: None,
    }
}

fn text(value: &str) -> Expr {
    Expr::Value(Value::SingleQuotedString(value.to_owned()).into())
}

/// Whether a name in double quotes stands where a value may stand.
pub(in crate::query) fn has_quoted_name(statement: &DfStatement, name: &str) -> bool {
    struct Find<'a>(&'a str);
    impl Visitor for Find<'_> {
        type Break = ();

        fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
            match expression {
                Expr::Identifier(found) if found.quote_style == Some('"') && found.value == self.0 => {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    match statement {
        DfStatement::Statement(inner) => visit(inner, &mut Find(name)).is_break(),
        DfStatement::Explain(explain) => has_quoted_name(&explain.statement, name),
        _ => false,
    }
}
