//! Makes nested calls one: a call over the results of other calls becomes one formula over the leaves of all.
//!
//! It works on what the plan holds when it is simplified, so also where a subquery computed the operand and its projection
//! was merged. Each operand stands in the fused call once, and equal operands share one place unless each is to be drawn
//! anew; so nothing is evaluated more often than it was written.
//!
//! Must not know: how a call is evaluated.

use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::{Alias, ScalarFunction};

use super::super::vocabulary::Meaning;
use super::formula::{Call, Node};
use super::fused::Fused;
use super::single::Single;
use crate::kernel::MAX_DEPTH;

/// The one call for `call` over these leaves; the leaves where there is nothing to fuse.
pub(super) fn fuse(call: &Call, leaves: Vec<Expr>) -> Result<Expr, Vec<Expr>> {
    let inner = inner_calls(call, &leaves);
    if inner.iter().all(Option::is_none) {
        return Err(leaves);
    }
    let mut arguments = Vec::new();
    let nodes: Vec<Node> = leaves
        .into_iter()
        .zip(inner)
        .map(|(leaf, inner)| match inner {
            None => Node::Leaf(place(leaf, &mut arguments)),
            Some(inner) => {
                let places: Vec<Node> =
                    own_leaves(leaf).into_iter().map(|leaf| Node::Leaf(place(leaf, &mut arguments))).collect();
                Node::Call(substitute(&inner, &places))
            }
        })
        .collect();
    Ok(Fused::call(&substitute(call, &nodes), arguments))
}

/// Of each leaf the call that it is, if that can become a part of `call`. A leaf that is used twice stays a leaf: it is
/// evaluated once, and its formula would be there twice, four times one level up, and so on.
fn inner_calls(call: &Call, leaves: &[Expr]) -> Vec<Option<Call>> {
    let mut uses = vec![(0_usize, 0_usize); leaves.len()];
    call.for_each_leaf(&mut |leaf, origin| {
        if let Some((times, depth)) = uses.get_mut(leaf) {
            *times += 1;
            *depth = origin.depth;
        }
    });
    let calls = leaves.iter().zip(uses).map(|(leaf, (times, depth))| {
        let inner = if times == 1 { set_call(leaf)? } else { return None };
        (depth + inner.depth() <= MAX_DEPTH).then_some(inner)
    });
    calls.collect()
}

fn scalar_function(expression: &Expr) -> Option<&ScalarFunction> {
    match expression {
        Expr::Alias(Alias { expr, .. }) => scalar_function(expr),
        Expr::ScalarFunction(function) => Some(function),
        _ => None,
    }
}

/// The call that an expression is, if its result is a set that need not be built. Functions are told by their type: a
/// program may have its own functions under these names.
fn set_call(expression: &Expr) -> Option<Call> {
    let ScalarFunction { func, args } = scalar_function(expression)?;
    let call = if let Some(single) = func.inner().downcast_ref::<Single>() {
        Call::plain(single.function(), args.len())
    } else if func.inner().is::<Fused>()
        && let Some(Expr::Literal(formula, _)) = args.first()
    {
        Fused::parse(Some(formula)).ok()?
    } else {
        return None;
    };
    matches!(call.function.meaning, Meaning::Set(_)).then_some(call)
}

/// The leaves of an expression that is a [`set_call`].
fn own_leaves(expression: Expr) -> Vec<Expr> {
    match expression {
        Expr::Alias(alias) => own_leaves(*alias.expr),
        Expr::ScalarFunction(ScalarFunction { func, mut args }) => {
            if func.inner().is::<Fused>() && !args.is_empty() {
                args.remove(0);
            }
            args
        }
        _ => Vec::new(),
    }
}

/// The place of an argument in the list, where an equal one may be already.
fn place(argument: Expr, arguments: &mut Vec<Expr>) -> usize {
    let known = if argument.is_volatile() { None } else { arguments.iter().position(|known| *known == argument) };
    known.unwrap_or_else(|| {
        arguments.push(argument);
        arguments.len() - 1
    })
}

/// `call` with nodes in the place of its leaves.
fn substitute(call: &Call, nodes: &[Node]) -> Call {
    let operands = call.operands.iter().map(|operand| match operand {
        // Every leaf has a node.
        Node::Leaf(leaf) => nodes.get(*leaf).cloned().unwrap_or(Node::Leaf(*leaf)),
        Node::Call(inner) => Node::Call(substitute(inner, nodes)),
    });
    Call { function: call.function, operands: operands.collect() }
}
