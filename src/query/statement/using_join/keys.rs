//! The keys that the sides of joins share, and what each stands for.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, ExcludeSelectItem, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, Query, ReplaceSelectElement, ReplaceSelectItem, SelectItem,
    SelectItemQualifiedWildcardKind, VisitMut, VisitorMut, WildcardAdditionalOptions,
};

use super::super::normalize;
use super::super::walk::visit_mut;
use super::refusal;
use crate::error::Result;

/// A relation by the name that qualifies its columns.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) name: Ident,
    /// `None` where the text does not tell.
    pub(super) columns: Option<Vec<String>>,
}

impl Side {
    fn column(&self, key: &Ident) -> Expr {
        Expr::CompoundIdentifier(vec![self.name.clone(), key.clone()])
    }

    fn has(&self, key: &str) -> Option<bool> {
        self.columns.as_ref().map(|columns| columns.iter().any(|column| column == key))
    }
}

/// A key that the text names without a table.
#[derive(Debug)]
struct Key {
    name: String,
    value: Expr,
    /// Where `*` shows it.
    shown_in: Ident,
    /// Where `*` leaves it out.
    hidden_in: Vec<Ident>,
}

/// The keys of one SELECT, and its relations in their order.
#[derive(Debug, Default)]
pub(super) struct Keys {
    pub(super) sides: Vec<Side>,
    keys: Vec<Key>,
}

impl Keys {
    pub(super) fn value(&self, name: &Ident) -> Option<&Expr> {
        let name = normalize(name);
        self.keys.iter().find(|key| key.name == name).map(|key| &key.value)
    }

    /// The condition of a join on `name`, which is a key from here on.
    pub(super) fn join(&mut self, name: &Ident, sides: &[Side], right: &Side) -> Result<Expr> {
        if self.value(name).is_none() {
            let owner = owner(name, sides)?;
            let key = Key {
                name: normalize(name),
                value: owner.column(name),
                shown_in: owner.name.clone(),
                hidden_in: Vec::new(),
            };
            self.keys.push(key);
        }
        let left = self.value(name).cloned().ok_or_else(refusal)?;
        Ok(Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Eq, right: Box::new(right.column(name)) })
    }

    /// The key after a FULL JOIN.
    pub(super) fn take_either(&mut self, name: &Ident, right: &Side) {
        self.set(name, right, coalesce);
    }

    /// The key after a RIGHT JOIN.
    pub(super) fn take_right(&mut self, name: &Ident, right: &Side) {
        self.set(name, right, |_, right| right);
    }

    /// The key after an inner or LEFT JOIN.
    pub(super) fn take_left(&mut self, name: &Ident, right: &Side) {
        self.set(name, right, |left, _| left);
    }

    fn set(&mut self, name: &Ident, right: &Side, value: impl Fn(Expr, Expr) -> Expr) {
        let normalized = normalize(name);
        for key in self.keys.iter_mut().filter(|key| key.name == normalized) {
            key.value = value(key.value.clone(), right.column(name));
            key.hidden_in.push(right.name.clone());
        }
    }

    /// Puts the keys' values in the place of their names, but not inside subqueries, which have names of their own.
    pub(super) fn replace_in(&self, part: &mut impl VisitMut) {
        // It breaks off nowhere.
        let _: ControlFlow<()> = visit_mut(part, &mut Replace { keys: self, depth: 0 });
    }

    /// `*`, with each key once.
    pub(super) fn all_columns(&self, options: &WildcardAdditionalOptions) -> Result<Vec<SelectItem>> {
        if *options != WildcardAdditionalOptions::default() {
            return Err(refusal());
        }
        Ok(self.sides.iter().map(|side| self.columns_of(side)).collect())
    }

    fn columns_of(&self, side: &Side) -> SelectItem {
        let mut options = WildcardAdditionalOptions::default();
        let shown = self.keys.iter().filter(|key| key.shown_in == side.name).map(|key| {
            let column_name = Ident::with_quote('"', key.name.clone());
            Box::new(ReplaceSelectElement { expr: key.value.clone(), column_name, as_keyword: true })
        });
        let items: Vec<_> = shown.collect();
        if !items.is_empty() {
            options.opt_replace = Some(ReplaceSelectItem { items });
        }
        let hidden = self.keys.iter().filter(|key| key.hidden_in.contains(&side.name));
        let hidden: Vec<ObjectName> =
            hidden.map(|key| ObjectName::from(vec![Ident::with_quote('"', key.name.clone())])).collect();
        if !hidden.is_empty() {
            options.opt_exclude = Some(ExcludeSelectItem::Multiple(hidden));
        }
        let name = ObjectName::from(vec![side.name.clone()]);
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
    }
}

/// The one relation that has the column.
fn owner<'a>(name: &Ident, sides: &'a [Side]) -> Result<&'a Side> {
    if let [only] = sides {
        return Ok(only);
    }
    let name = normalize(name);
    if sides.iter().any(|side| side.has(&name).is_none()) {
        return Err(refusal());
    }
    let mut having = sides.iter().filter(|side| side.has(&name) == Some(true));
    match (having.next(), having.next()) {
        (Some(owner), None) => Ok(owner),
        _ => Err(refusal()),
    }
}

/// The columns that NATURAL joins on.
pub(super) fn common(sides: &[Side], right: &Side) -> Result<Vec<Ident>> {
    let columns = right.columns.as_ref().ok_or_else(refusal)?;
    let mut left = Vec::new();
    for side in sides {
        left.extend(side.columns.as_ref().ok_or_else(refusal)?);
    }
    let shared = columns.iter().filter(|column| left.contains(column));
    Ok(shared.map(|column| Ident::with_quote('"', column.clone())).collect())
}

fn coalesce(left: Expr, right: Expr) -> Expr {
    let arguments = [left, right].map(|value| FunctionArg::Unnamed(FunctionArgExpr::Expr(value)));
    let list = FunctionArgumentList { duplicate_treatment: None, args: arguments.into(), clauses: Vec::new() };
    Expr::Function(Function {
        name: ObjectName::from(vec![Ident::new("coalesce")]),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(list),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}

struct Replace<'a> {
    keys: &'a Keys,
    depth: usize,
}

impl VisitorMut for Replace<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &mut Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if self.depth == 0
            && let Expr::Identifier(name) = expression
            && let Some(value) = self.keys.value(name)
        {
            *expression = value.clone();
        }
        ControlFlow::Continue(())
    }
}
