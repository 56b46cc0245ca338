//! Walks over parsed statements. Must know no visitor.
//!
//! sqlparser compiles the walk over all types of a statement anew for each visitor and each closure: of thirty of them that
//! was more than half of the program's own code, and of the time that a build takes. Here it is compiled once for those
//! that read and once for those that change.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, ObjectName, Query, Select, Statement, TableFactor, ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut,
};

/// Shows the visitor all that the node holds.
pub(in crate::query) fn visit<V: Visitor>(node: &impl Visit, visitor: &mut V) -> ControlFlow<V::Break> {
    walk(node, &mut |place| match place {
        Place::BeforeQuery(query) => visitor.pre_visit_query(query),
        Place::AfterQuery(query) => visitor.post_visit_query(query),
        Place::BeforeSelect(select) => visitor.pre_visit_select(select),
        Place::AfterSelect(select) => visitor.post_visit_select(select),
        Place::BeforeRelation(name) => visitor.pre_visit_relation(name),
        Place::AfterRelation(name) => visitor.post_visit_relation(name),
        Place::BeforeTableFactor(factor) => visitor.pre_visit_table_factor(factor),
        Place::AfterTableFactor(factor) => visitor.post_visit_table_factor(factor),
        Place::BeforeExpression(expression) => visitor.pre_visit_expr(expression),
        Place::AfterExpression(expression) => visitor.post_visit_expr(expression),
        Place::BeforeStatement(statement) => visitor.pre_visit_statement(statement),
        Place::AfterStatement(statement) => visitor.post_visit_statement(statement),
        Place::BeforeValue(value) => visitor.pre_visit_value(value),
        Place::AfterValue(value) => visitor.post_visit_value(value),
    })
}

/// Shows all expressions of the node, each before its parts.
pub(in crate::query) fn visit_expressions<B>(
    node: &impl Visit,
    mut show: impl FnMut(&Expr) -> ControlFlow<B>,
) -> ControlFlow<B> {
    walk(node, &mut |place| match place {
        Place::BeforeExpression(expression) => show(expression),
        _ => ControlFlow::Continue(()),
    })
}

/// Shows the names of all tables of the node.
pub(super) fn visit_relations<B>(
    node: &impl Visit,
    mut show: impl FnMut(&ObjectName) -> ControlFlow<B>,
) -> ControlFlow<B> {
    walk(node, &mut |place| match place {
        Place::BeforeRelation(name) => show(name),
        _ => ControlFlow::Continue(()),
    })
}

/// Has the visitor change what the node holds.
pub(super) fn visit_mut<V: VisitorMut>(node: &mut impl VisitMut, visitor: &mut V) -> ControlFlow<V::Break> {
    walk_mut(node, &mut |place| match place {
        PlaceMut::BeforeQuery(query) => visitor.pre_visit_query(query),
        PlaceMut::AfterQuery(query) => visitor.post_visit_query(query),
        PlaceMut::BeforeSelect(select) => visitor.pre_visit_select(select),
        PlaceMut::AfterSelect(select) => visitor.post_visit_select(select),
        PlaceMut::BeforeRelation(name) => visitor.pre_visit_relation(name),
        PlaceMut::AfterRelation(name) => visitor.post_visit_relation(name),
        PlaceMut::BeforeTableFactor(factor) => visitor.pre_visit_table_factor(factor),
        PlaceMut::AfterTableFactor(factor) => visitor.post_visit_table_factor(factor),
        PlaceMut::BeforeExpression(expression) => visitor.pre_visit_expr(expression),
        PlaceMut::AfterExpression(expression) => visitor.post_visit_expr(expression),
        PlaceMut::BeforeStatement(statement) => visitor.pre_visit_statement(statement),
        PlaceMut::AfterStatement(statement) => visitor.post_visit_statement(statement),
        PlaceMut::BeforeValue(value) => visitor.pre_visit_value(value),
        PlaceMut::AfterValue(value) => visitor.post_visit_value(value),
    })
}

/// Changes all expressions of the node, each behind its parts.
pub(in crate::query) fn visit_expressions_mut<B>(
    node: &mut impl VisitMut,
    mut change: impl FnMut(&mut Expr) -> ControlFlow<B>,
) -> ControlFlow<B> {
    walk_mut(node, &mut |place| match place {
        PlaceMut::AfterExpression(expression) => change(expression),
        _ => ControlFlow::Continue(()),
    })
}

fn walk<B>(node: &impl Visit, show: &mut dyn FnMut(Place<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
    let mut end = None;
    let _: ControlFlow<()> = node.visit(&mut Reader(&mut |place| show(place).map_break(|value| end = Some(value))));
    end.map_or(ControlFlow::Continue(()), ControlFlow::Break)
}

fn walk_mut<B>(node: &mut impl VisitMut, show: &mut dyn FnMut(PlaceMut<'_>) -> ControlFlow<B>) -> ControlFlow<B> {
    let mut end = None;
    let _: ControlFlow<()> = node.visit(&mut Editor(&mut |place| show(place).map_break(|value| end = Some(value))));
    end.map_or(ControlFlow::Continue(()), ControlFlow::Break)
}

/// Where a walk is: before what a node holds is shown, or after it.
enum Place<'a> {
    BeforeQuery(&'a Query),
    AfterQuery(&'a Query),
    BeforeSelect(&'a Select),
    AfterSelect(&'a Select),
    BeforeRelation(&'a ObjectName),
    AfterRelation(&'a ObjectName),
    BeforeTableFactor(&'a TableFactor),
    AfterTableFactor(&'a TableFactor),
    BeforeExpression(&'a Expr),
    AfterExpression(&'a Expr),
    BeforeStatement(&'a Statement),
    AfterStatement(&'a Statement),
    BeforeValue(&'a ValueWithSpan),
    AfterValue(&'a ValueWithSpan),
}

/// As [`Place`], of a walk that changes.
enum PlaceMut<'a> {
    BeforeQuery(&'a mut Query),
    AfterQuery(&'a mut Query),
    BeforeSelect(&'a mut Select),
    AfterSelect(&'a mut Select),
    BeforeRelation(&'a mut ObjectName),
    AfterRelation(&'a mut ObjectName),
    BeforeTableFactor(&'a mut TableFactor),
    AfterTableFactor(&'a mut TableFactor),
    BeforeExpression(&'a mut Expr),
    AfterExpression(&'a mut Expr),
    BeforeStatement(&'a mut Statement),
    AfterStatement(&'a mut Statement),
    BeforeValue(&'a mut ValueWithSpan),
    AfterValue(&'a mut ValueWithSpan),
}

/// The one visitor that reads.
struct Reader<'a>(&'a mut dyn FnMut(Place<'_>) -> ControlFlow<()>);

impl Visitor for Reader<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        (self.0)(Place::BeforeQuery(query))
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        (self.0)(Place::AfterQuery(query))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        (self.0)(Place::BeforeSelect(select))
    }

    fn post_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        (self.0)(Place::AfterSelect(select))
    }

    fn pre_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        (self.0)(Place::BeforeRelation(name))
    }

    fn post_visit_relation(&mut self, name: &ObjectName) -> ControlFlow<()> {
        (self.0)(Place::AfterRelation(name))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        (self.0)(Place::BeforeTableFactor(factor))
    }

    fn post_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        (self.0)(Place::AfterTableFactor(factor))
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        (self.0)(Place::BeforeExpression(expression))
    }

    fn post_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        (self.0)(Place::AfterExpression(expression))
    }

    fn pre_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        (self.0)(Place::BeforeStatement(statement))
    }

    fn post_visit_statement(&mut self, statement: &Statement) -> ControlFlow<()> {
        (self.0)(Place::AfterStatement(statement))
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        (self.0)(Place::BeforeValue(value))
    }

    fn post_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<()> {
        (self.0)(Place::AfterValue(value))
    }
}

/// The one visitor that changes.
struct Editor<'a>(&'a mut dyn FnMut(PlaceMut<'_>) -> ControlFlow<()>);

impl VisitorMut for Editor<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        (self.0)(PlaceMut::BeforeQuery(query))
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        (self.0)(PlaceMut::AfterQuery(query))
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        (self.0)(PlaceMut::BeforeSelect(select))
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        (self.0)(PlaceMut::AfterSelect(select))
    }

    fn pre_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        (self.0)(PlaceMut::BeforeRelation(name))
    }

    fn post_visit_relation(&mut self, name: &mut ObjectName) -> ControlFlow<()> {
        (self.0)(PlaceMut::AfterRelation(name))
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        (self.0)(PlaceMut::BeforeTableFactor(factor))
    }

    fn post_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        (self.0)(PlaceMut::AfterTableFactor(factor))
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        (self.0)(PlaceMut::BeforeExpression(expression))
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        (self.0)(PlaceMut::AfterExpression(expression))
    }

    fn pre_visit_statement(&mut self, statement: &mut Statement) -> ControlFlow<()> {
        (self.0)(PlaceMut::BeforeStatement(statement))
    }

    fn post_visit_statement(&mut self, statement: &mut Statement) -> ControlFlow<()> {
        (self.0)(PlaceMut::AfterStatement(statement))
    }

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
        (self.0)(PlaceMut::BeforeValue(value))
    }

    fn post_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
        (self.0)(PlaceMut::AfterValue(value))
    }
}
