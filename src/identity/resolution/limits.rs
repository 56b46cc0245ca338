//! Whether two parts of a component may be one person, as far as values of one type go.
//!
//! A limit is broken where some stretch of its length has more values than it allows, of both parts. So what one part
//! breaks alone, since an override says so, stands against no other link; and two parts that may not be one never may,
//! whatever either of them takes in.

use super::given::{Given, NodeFacts};
use super::overrides::OverrideId;
use crate::identity::identifier::TypeId;
use crate::identity::link_rules::{Limit, Period};
use crate::ids::Node;

const DAY: i64 = 86_400_000_000;

/// What two parts of a component would break as one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    Excluded(OverrideId),
    Unique(TypeId),
    Limit(TypeId),
    MaxIdentifiers,
    MaxLinks,
}

/// One limit of one type.
#[derive(Debug, Clone, Copy)]
pub(super) struct TypeLimit {
    pub(super) kind: TypeId,
    pub(super) limit: Limit,
    pub(super) rule: Rule,
}

/// A value of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Value {
    /// When it was first linked to anything, in microseconds since 1970.
    pub(super) time: i64,
    pub(super) key: u128,
    pub(super) node: Node,
}

/// All limits, those of the highest priority first.
pub(super) fn type_limits<F: NodeFacts>(given: Given<'_, F>) -> Vec<TypeLimit> {
    let of_type = |kind: TypeId| {
        let rule = given.rule(kind);
        let unique = rule.filter(|rule| rule.unique).map(|_| TypeLimit {
            kind,
            limit: Limit { count: 1, per: Period::Ever },
            rule: Rule::Unique(kind),
        });
        let limit = rule.and_then(|rule| rule.limit).map(|limit| TypeLimit { kind, limit, rule: Rule::Limit(kind) });
        [unique, limit].into_iter().flatten()
    };
    given.types.by_priority().into_iter().flat_map(of_type).collect()
}

/// In microseconds; `None` for all time.
fn length(per: Period) -> Option<i64> {
    match per {
        Period::Ever => None,
        Period::Year => Some(365 * DAY),
        Period::Month => Some(30 * DAY),
        Period::Week => Some(7 * DAY),
        Period::Day => Some(DAY),
    }
}

/// A value of each of two parts that break a limit together; `None` where they keep it.
pub(super) fn broken_by(limit: Limit, a: &[Value], b: &[Value]) -> Option<(Node, Node)> {
    let count = limit.count.max(1) as usize;
    if a.is_empty() || b.is_empty() || a.len() + b.len() <= count {
        return None;
    }
    let mut values: Vec<(Value, bool)> = Vec::with_capacity(a.len() + b.len());
    values.extend(a.iter().map(|value| (*value, true)));
    values.extend(b.iter().map(|value| (*value, false)));
    values.sort_unstable();
    // A stretch with too many of both has one of just one too many where a value of the one is next to one of the other.
    let is_broken = |stretch: &&[(Value, bool)]| {
        let (first, last) = (stretch[0].0.time, stretch[count].0.time);
        length(limit.per).is_none_or(|length| last.saturating_sub(first) < length)
            && stretch.iter().any(|(_, is_a)| *is_a != stretch[0].1)
    };
    let stretch = values.windows(count + 1).find(is_broken)?;
    let (one, other) = stretch.iter().zip(&stretch[1..]).find(|(one, other)| one.1 != other.1)?;
    let (in_a, in_b) = if one.1 { (one, other) } else { (other, one) };
    Some((in_a.0.node, in_b.0.node))
}
