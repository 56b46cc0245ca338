//! Walks over DataFusion's expressions and plans. Must know no rule.
//!
//! DataFusion compiles a walk anew for each closure, with all that a node may hold: of some eighty of them that was much
//! of the program's own code. Here each kind of walk is compiled once.

use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::physical_plan::ExecutionPlan;

/// Changes a part of an expression.
pub(in crate::query) type Change<'a> = &'a mut dyn FnMut(Expr) -> DfResult<Transformed<Expr>>;

/// Looks at a part of an expression.
type Look<'a> = &'a mut dyn FnMut(&Expr) -> DfResult<TreeNodeRecursion>;

/// Changes a node of a plan.
type ChangeNode<'a> = &'a mut dyn FnMut(LogicalPlan) -> DfResult<Transformed<LogicalPlan>>;

/// Looks at a node of a plan.
type LookAtNode<'a> = &'a mut dyn FnMut(&LogicalPlan) -> DfResult<TreeNodeRecursion>;

/// A node of a plan that runs.
type RunningNode = Arc<dyn ExecutionPlan>;

pub(in crate::query) trait WalkExpression {
    /// The expression with each part changed, from the leaves up.
    fn change_parts(self, change: Change<'_>) -> DfResult<Transformed<Expr>>;

    /// The expression with each part right below changed.
    fn change_children(self, change: Change<'_>) -> DfResult<Transformed<Expr>>;

    /// Shows each part, from the top down.
    fn look_at_parts(&self, look: Look<'_>) -> DfResult<TreeNodeRecursion>;

    /// Whether some part is meant.
    fn has_part(&self, is_meant: &mut dyn FnMut(&Expr) -> DfResult<bool>) -> DfResult<bool>;

    /// The parts right below.
    fn children(&self) -> DfResult<Vec<&Expr>>;
}

impl WalkExpression for Expr {
    fn change_parts(self, change: Change<'_>) -> DfResult<Transformed<Expr>> {
        self.transform_up(change)
    }

    fn change_children(self, change: Change<'_>) -> DfResult<Transformed<Expr>> {
        self.map_children(change)
    }

    fn look_at_parts(&self, look: Look<'_>) -> DfResult<TreeNodeRecursion> {
        self.apply(look)
    }

    fn has_part(&self, is_meant: &mut dyn FnMut(&Expr) -> DfResult<bool>) -> DfResult<bool> {
        self.exists(is_meant)
    }

    fn children(&self) -> DfResult<Vec<&Expr>> {
        let mut children = Vec::new();
        self.apply_children(|child| {
            children.push(child);
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(children)
    }
}

/// A plan's own nodes are those that no expression holds as a subquery.
pub(in crate::query) trait WalkPlan {
    /// The node with other expressions; its schema is not computed anew.
    fn change_expressions(self, change: Change<'_>) -> DfResult<Transformed<LogicalPlan>>;

    /// Shows each expression of the node.
    fn look_at_expressions(&self, look: Look<'_>) -> DfResult<TreeNodeRecursion>;

    /// The plan with each node changed, those of subqueries included, from the leaves up.
    fn change_nodes(self, change: ChangeNode<'_>) -> DfResult<Transformed<LogicalPlan>>;

    /// The plan with each of its own nodes changed, from the leaves up.
    fn change_own_nodes(self, change: ChangeNode<'_>) -> DfResult<Transformed<LogicalPlan>>;

    /// Shows each node, those of subqueries included, from the top down.
    fn look_at_nodes(&self, look: LookAtNode<'_>) -> DfResult<TreeNodeRecursion>;

    /// Shows each of its own nodes, from the top down.
    fn look_at_own_nodes(&self, look: LookAtNode<'_>) -> DfResult<TreeNodeRecursion>;

    /// Whether one of its own nodes is meant.
    fn has_own_node(&self, is_meant: &mut dyn FnMut(&LogicalPlan) -> bool) -> DfResult<bool>;
}

impl WalkPlan for LogicalPlan {
    fn change_expressions(self, change: Change<'_>) -> DfResult<Transformed<LogicalPlan>> {
        self.map_expressions(change)
    }

    fn look_at_expressions(&self, look: Look<'_>) -> DfResult<TreeNodeRecursion> {
        self.apply_expressions(look)
    }

    fn change_nodes(self, change: ChangeNode<'_>) -> DfResult<Transformed<LogicalPlan>> {
        self.transform_up_with_subqueries(change)
    }

    fn change_own_nodes(self, change: ChangeNode<'_>) -> DfResult<Transformed<LogicalPlan>> {
        self.transform_up(change)
    }

    fn look_at_nodes(&self, look: LookAtNode<'_>) -> DfResult<TreeNodeRecursion> {
        self.apply_with_subqueries(look)
    }

    fn look_at_own_nodes(&self, look: LookAtNode<'_>) -> DfResult<TreeNodeRecursion> {
        self.apply(look)
    }

    fn has_own_node(&self, is_meant: &mut dyn FnMut(&LogicalPlan) -> bool) -> DfResult<bool> {
        self.exists(|node| Ok(is_meant(node)))
    }
}

pub(in crate::query) trait WalkExecution {
    /// The plan with each node changed, from the leaves up.
    fn change_nodes(
        self,
        change: &mut dyn FnMut(RunningNode) -> DfResult<Transformed<RunningNode>>,
    ) -> DfResult<Transformed<RunningNode>>;
}

impl WalkExecution for RunningNode {
    fn change_nodes(
        self,
        change: &mut dyn FnMut(RunningNode) -> DfResult<Transformed<RunningNode>>,
    ) -> DfResult<Transformed<RunningNode>> {
        self.transform_up(change)
    }
}
