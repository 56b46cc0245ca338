//! The names that a part of a query has itself, those of queries inside it left out. Must not know what they name.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Query, Visit, Visitor};

use super::walk::visit;

/// What `name_of` says of each expression, in their order.
pub(super) fn own_names(part: &impl Visit, name_of: fn(&Expr) -> Option<String>) -> Vec<String> {
    let mut names = Names { name_of, found: Vec::new(), depth: 0 };
    // It breaks off nowhere.
    let _: ControlFlow<()> = visit(part, &mut names);
    names.found
}

struct Names {
    name_of: fn(&Expr) -> Option<String>,
    found: Vec<String>,
    /// How many queries stand around.
    depth: usize,
}

impl Visitor for Names {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if self.depth == 0 {
            self.found.extend((self.name_of)(expression));
        }
        ControlFlow::Continue(())
    }
}
