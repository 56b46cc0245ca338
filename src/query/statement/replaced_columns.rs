//! `SELECT * REPLACE (v + 1 AS zz)` where no table has a column `zz`: DataFusion 55.2 leaves the value out without a word.
//! So it does with `V` for the column `v`, since it takes the names behind `*` for quoted ones; they are written as such.
//!
//! Which columns `*` shows, only the planner knows: it is asked for those of FROM, of such statements alone.

use std::ops::ControlFlow;

use datafusion::common::DFSchema;
use datafusion::sql::parser::Statement as DfStatement;
use datafusion::sql::sqlparser::ast::{
    ExcludeSelectItem, Ident, ObjectName, ObjectNamePart, Query, ReplaceSelectElement, Select, SelectItem,
    SelectItemQualifiedWildcardKind, Visitor, VisitorMut, WildcardAdditionalOptions, With,
};

use super::input_names::{all_columns, inner};
use super::walk::{visit, visit_mut};
use super::{inner_mut, normalize};
use crate::error::{Error, Result};

/// Columns that `*` gives other values, and the query for those that FROM has.
pub(in crate::query) struct Replaced {
    pub(in crate::query) question: DfStatement,
    columns: Vec<Column>,
}

struct Column {
    /// The name before `.*`, without those of its schema and catalog.
    table: Option<String>,
    element: ReplaceSelectElement,
    /// Whether the same `*` leaves the column out, too: DataFusion then does so, and DuckDB refuses it.
    is_excluded: bool,
}

/// Writes the names behind `*` in quotes, as the planner takes them.
pub(super) fn quote_names(statement: &mut DfStatement) {
    struct Quote;
    impl VisitorMut for Quote {
        type Break = ();

        fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
            for item in &mut select.projection {
                if let SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) = item {
                    names_of(options).into_iter().for_each(quote);
                }
            }
            ControlFlow::Continue(())
        }
    }
    // It breaks off nowhere.
    let _: Option<ControlFlow<()>> = inner_mut(statement).map(|inner| visit_mut(inner, &mut Quote));
}

fn names_of(options: &mut WildcardAdditionalOptions) -> Vec<&mut Ident> {
    let mut names = Vec::new();
    if let Some(except) = &mut options.opt_except {
        names.push(&mut except.first_element);
        names.extend(&mut except.additional_elements);
    }
    let excluded: &mut [ObjectName] = match &mut options.opt_exclude {
        Some(ExcludeSelectItem::Single(name)) => std::slice::from_mut(name),
        Some(ExcludeSelectItem::Multiple(names)) => names.as_mut_slice(),
        None => &mut [],
    };
    for name in excluded {
        if let [ObjectNamePart::Identifier(name)] = name.0.as_mut_slice() {
            names.push(name);
        }
    }
    if let Some(replace) = &mut options.opt_replace {
        names.extend(replace.items.iter_mut().map(|element| &mut element.column_name));
    }
    names
}

fn quote(name: &mut Ident) {
    *name = Ident::with_quote('"', normalize(name));
}

/// What each SELECT of the statement replaces.
pub(super) fn replaced(statement: &DfStatement) -> Vec<Replaced> {
    let mut find = Find { withs: Vec::new(), found: Vec::new() };
    if let Some(inner) = inner(statement) {
        // It breaks off nowhere.
        let _: ControlFlow<()> = visit(inner, &mut find);
    }
    find.found
}

impl Replaced {
    /// # Errors
    /// `InvalidInput` for a column that is not there, or that is left out.
    pub(in crate::query) fn check(&self, tables: &DFSchema) -> Result<()> {
        for Column { table, element, is_excluded } in &self.columns {
            if *is_excluded {
                return Err(Error::invalid(format!(
                    "the column {} is behind both EXCLUDE and REPLACE: leave it out of EXCLUDE to show the new value, or \
                     out of REPLACE to show none",
                    element.column_name
                )));
            }
            let name = normalize(&element.column_name);
            let is_meant = |of_table: &str| table.as_ref().is_none_or(|table| table == of_table);
            let has = tables.iter().any(|(of_table, field)| {
                *field.name() == name && of_table.map_or(table.is_none(), |of_table| is_meant(of_table.table()))
            });
            if !has {
                return Err(Error::invalid(format!(
                    "there is no column {} to REPLACE: write SELECT *, {} AS {} for one more column",
                    element.column_name, element.expr, element.column_name
                )));
            }
        }
        Ok(())
    }
}

struct Find {
    /// The WITH of each query around.
    withs: Vec<Option<With>>,
    found: Vec<Replaced>,
}

impl Visitor for Find {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.withs.push(query.with.clone());
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.withs.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        let columns: Vec<Column> = select.projection.iter().flat_map(columns_of).collect();
        if !columns.is_empty() {
            self.found.push(Replaced { question: all_columns(select, &self.withs), columns });
        }
        ControlFlow::Continue(())
    }
}

fn columns_of(item: &SelectItem) -> Vec<Column> {
    match item {
        SelectItem::Wildcard(options) => elements_of(options, None),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
            elements_of(options, last_name(name))
        }
        _ => Vec::new(),
    }
}

fn elements_of(options: &WildcardAdditionalOptions, table: Option<String>) -> Vec<Column> {
    let excluded = excluded_names(options);
    let elements = options.opt_replace.iter().flat_map(|replace| &replace.items);
    elements
        .map(|element| Column {
            table: table.clone(),
            element: (**element).clone(),
            is_excluded: excluded.contains(&normalize(&element.column_name)),
        })
        .collect()
}

fn excluded_names(options: &WildcardAdditionalOptions) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    if let Some(except) = &options.opt_except {
        names.push(normalize(&except.first_element));
        names.extend(except.additional_elements.iter().map(normalize));
    }
    match &options.opt_exclude {
        Some(ExcludeSelectItem::Single(name)) => names.extend(last_name(name)),
        Some(ExcludeSelectItem::Multiple(excluded)) => names.extend(excluded.iter().filter_map(last_name)),
        None => {}
    }
    names
}

fn last_name(name: &ObjectName) -> Option<String> {
    let last: Option<&Ident> = name.0.last().and_then(|part| part.as_ident());
    last.map(normalize)
}
