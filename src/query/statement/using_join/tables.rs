//! The columns that tables have by the text: those of derived tables and WITH tables as their SELECTs name them. Where
//! the text does not tell, there are none.

use datafusion::sql::sqlparser::ast::{
    Cte, Expr, Join, JoinOperator, ObjectName, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr,
    SetQuantifier, TableAlias, TableFactor, TableWithJoins, WildcardAdditionalOptions,
};

use super::super::normalize;
use super::ColumnsOf;

/// Which sides of a join have columns behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outputs {
    Both,
    Left,
    Right,
}

impl Outputs {
    pub(super) fn by(operator: &JoinOperator) -> Self {
        match operator {
            JoinOperator::Semi(_) | JoinOperator::LeftSemi(_) | JoinOperator::Anti(_) | JoinOperator::LeftAnti(_) => {
                Self::Left
            }
            JoinOperator::RightSemi(_) | JoinOperator::RightAnti(_) => Self::Right,
            _ => Self::Both,
        }
    }
}

type Columns = Option<Vec<String>>;

/// Tables by their names in the text.
pub(super) struct Tables<'a> {
    columns_of: ColumnsOf<'a>,
    /// The WITH tables of the queries around, the innermost last.
    scopes: Vec<Vec<(String, Columns)>>,
}

impl<'a> Tables<'a> {
    pub(super) fn new(columns_of: ColumnsOf<'a>) -> Self {
        Self { columns_of, scopes: Vec::new() }
    }

    pub(super) fn open_scope(&mut self) {
        self.scopes.push(Vec::new());
    }

    pub(super) fn close_scope(&mut self) {
        self.scopes.pop();
    }

    /// A WITH table that the innermost query has from here on.
    pub(super) fn add(&mut self, table: &Cte) {
        let named = columns_of_alias(&table.alias);
        let columns = if named.is_empty() { self.of_query(&table.query) } else { Some(named) };
        if let Some(scope) = self.scopes.last_mut() {
            scope.push((normalize(&table.alias.name), columns));
        }
    }

    pub(super) fn of_name(&self, name: &ObjectName) -> Columns {
        if let [part] = name.0.as_slice()
            && let Some(name) = part.as_ident().map(normalize)
            && let Some((_, columns)) =
                self.scopes.iter().rev().flat_map(|scope| scope.iter().rev()).find(|(known, _)| *known == name)
        {
            return columns.clone();
        }
        (self.columns_of)(name)
    }

    pub(super) fn of_query(&mut self, query: &Query) -> Columns {
        self.open_scope();
        for table in query.with.iter().flat_map(|with| &with.cte_tables) {
            self.add(table);
        }
        let columns = self.of_body(&query.body);
        self.close_scope();
        columns
    }

    fn of_body(&mut self, body: &SetExpr) -> Columns {
        match body {
            SetExpr::Select(select) => self.of_select(select),
            SetExpr::Query(query) => self.of_query(query),
            SetExpr::SetOperation { left, set_quantifier, .. } => {
                let by_name = matches!(
                    set_quantifier,
                    SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName
                );
                if by_name { None } else { self.of_body(left) }
            }
            SetExpr::Values(values) => {
                let width = values.rows.first()?.len();
                Some((1..=width).map(|place| format!("column{place}")).collect())
            }
            _ => None,
        }
    }

    fn of_select(&mut self, select: &Select) -> Columns {
        let none = WildcardAdditionalOptions::default();
        let mut columns = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::ExprWithAlias { expr: _, alias } => columns.push(normalize(alias)),
                SelectItem::UnnamedExpr(expr) => columns.push(name_of(expr)),
                SelectItem::Wildcard(options) if *options == none => {
                    for (_, of_table) in self.of_from(&select.from) {
                        columns.extend(of_table?);
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(table), options)
                    if *options == none =>
                {
                    let table = last_name(table)?;
                    let (_, of_table) = self.of_from(&select.from).into_iter().find(|(name, _)| *name == table)?;
                    columns.extend(of_table?);
                }
                _ => return None,
            }
        }
        Some(columns)
    }

    fn of_from(&mut self, from: &[TableWithJoins]) -> Vec<(String, Columns)> {
        let mut all = Vec::new();
        for relations in from {
            let mut shown = self.of_relation(&relations.relation);
            for Join { relation, join_operator, .. } in &relations.joins {
                let right = self.of_relation(relation);
                match Outputs::by(join_operator) {
                    Outputs::Both => shown.extend(right),
                    Outputs::Left => {}
                    Outputs::Right => shown = right,
                }
            }
            all.extend(shown);
        }
        all
    }

    fn of_relation(&mut self, relation: &TableFactor) -> Vec<(String, Columns)> {
        let (name, alias, columns) = match relation {
            TableFactor::NestedJoin { table_with_joins, alias: None } => {
                return self.of_from(std::slice::from_ref(table_with_joins.as_ref()));
            }
            TableFactor::Table { name, alias, args: None, .. } => (last_name(name), alias, self.of_name(name)),
            TableFactor::Derived { subquery, alias, .. } => (None, alias, self.of_query(subquery)),
            TableFactor::Table { alias, .. }
            | TableFactor::Function { alias, .. }
            | TableFactor::UNNEST { alias, .. }
            | TableFactor::NestedJoin { alias, .. } => (None, alias, None),
            _ => return vec![(String::new(), None)],
        };
        let named = alias.as_ref().map(columns_of_alias).unwrap_or_default();
        let name = alias.as_ref().map(|alias| normalize(&alias.name)).or(name);
        vec![(name.unwrap_or_default(), if named.is_empty() { columns } else { Some(named) })]
    }
}

/// The columns that an alias gives.
pub(super) fn columns_of_alias(alias: &TableAlias) -> Vec<String> {
    alias.columns.iter().map(|column| normalize(&column.name)).collect()
}

fn last_name(name: &ObjectName) -> Option<String> {
    name.0.last().and_then(|part| part.as_ident()).map(normalize)
}

/// The name of a column without one in the text.
fn name_of(expression: &Expr) -> String {
    match expression {
        Expr::Identifier(name) => normalize(name),
        Expr::CompoundIdentifier(parts) => parts.last().map(normalize).unwrap_or_default(),
        other => other.to_string(),
    }
}
