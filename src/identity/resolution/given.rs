//! What is given to a resolution: rules, types and their priority, and what must be known of a node.

use crate::identity::identifier::{IdentifierClass, IdentifierTypes, TypeId};
use crate::identity::link_rules::{LinkRules, TypeRule};
use crate::ids::Node;

/// What must be known of nodes.
pub trait NodeFacts {
    fn kind(&self, node: Node) -> TypeId;

    /// A number that follows from type and value alone, to order nodes by: those of two identifiers differ, and the order
    /// in which identifiers came does not matter.
    fn key(&self, node: Node) -> u128;

    /// Under the rules in force the value is no identifier.
    fn is_blocked(&self, node: Node) -> bool;
}

/// All that a resolution follows, beside sets and overrides.
#[derive(Debug)]
pub struct Given<'g, F> {
    pub rules: &'g LinkRules,
    pub types: &'g IdentifierTypes,
    pub facts: &'g F,
}

// Not derived: that would ask for facts that can be copied.
impl<F> Clone for Given<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Given<'_, F> {}

impl<F: NodeFacts> Given<'_, F> {
    /// `None` for a type of which the rules say nothing.
    pub(super) fn rule(&self, kind: TypeId) -> Option<&TypeRule> {
        self.rules.types.get(usize::from(kind))
    }

    pub(super) fn rank(&self, node: Node) -> u8 {
        self.types.rank(self.facts.kind(node))
    }

    /// What a node adds to the place of its links in the canonical order: the larger, the weaker.
    pub(super) fn weakness(&self, node: Node) -> (u8, u8) {
        let kind = self.facts.kind(node);
        let class = match self.types.class(kind) {
            IdentifierClass::Person => 0,
            IdentifierClass::Device => 1,
            IdentifierClass::Cookie => 2,
        };
        (class, self.types.rank(kind))
    }

    pub(super) fn is_of_person(&self, node: Node) -> bool {
        self.types.class(self.facts.kind(node)) == IdentifierClass::Person
    }

    pub(super) fn max_fanout(&self, node: Node) -> Option<u32> {
        self.rule(self.facts.kind(node))?.max_fanout
    }
}
