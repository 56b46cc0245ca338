//! Counts of one operator over stored sets only, the most frequent question: headers are walked side by side without the
//! general evaluator, whose cost a key is more than that of two small arrays. Must not know: nested expressions.

use super::combine::{self, Outcome, Part, Tools};
use super::container::{Container, MAX_ARRAY};
use super::expression::{Node, NodeId, Operator, Plan};
use super::pair::count_and;
use super::scratch::Scratch;
use super::simd::{OR, XOR};
use super::view::BitmapRef;

/// The root's operator and operands if all of these are stored sets.
pub(crate) fn operands<'p>(plan: &'p Plan<'_>) -> Option<(Operator, &'p [NodeId])> {
    let (operator, nodes) = match &plan.nodes[plan.root?] {
        Node::And(nodes) => (Operator::And, nodes),
        Node::Or(nodes) => (Operator::Or, nodes),
        Node::Xor(nodes) => (Operator::Xor, nodes),
        Node::AndNot(nodes) => (Operator::AndNot, nodes),
        _ => return None,
    };
    nodes.iter().all(|node| matches!(plan.nodes[*node], Node::Leaf(_))).then_some((operator, nodes))
}

/// A view and the first of its containers that can still be asked for.
struct Cursor<'p> {
    view: &'p BitmapRef<'p>,
    place: usize,
    end: usize,
}

impl<'p> Cursor<'p> {
    /// Over the keys [from, to).
    fn new(view: &'p BitmapRef<'p>, from: u32, to: u32) -> Self {
        let place = view.seek(0, from);
        Cursor { view, place, end: view.seek(place, to) }
    }

    fn whole(view: &'p BitmapRef<'p>) -> Self {
        Cursor { view, place: 0, end: view.containers() }
    }

    /// The key at hand; above all keys at the end.
    #[inline(always)]
    fn key(&self) -> u32 {
        if self.place < self.end { self.view.key(self.place) } else { u32::MAX }
    }

    /// Members in this range, by the header.
    fn members(&self) -> u64 {
        if self.end - self.place == self.view.containers() {
            return self.view.count();
        }
        (self.place..self.end).map(|index| u64::from(self.view.card(index))).sum()
    }

    /// The container of `key` if there is one, where keys asked for ascend.
    #[inline(always)]
    fn at(&mut self, key: u32) -> Option<Container<'p>> {
        self.place = self.view.seek(self.place, key).min(self.end);
        (self.key() == key).then(|| self.view.container(self.place))
    }
}

/// Members of an operator over stored sets: `Expr`, `plan` and `count` in one, without their allocations, which cost more
/// than the counting of small sets.
pub fn count(operator: Operator, sets: &[BitmapRef<'_>]) -> u64 {
    if let [one, other] = sets {
        return of_two(operator, Cursor::whole(one), Cursor::whole(other));
    }
    let mut cursors: Vec<Cursor<'_>> = sets.iter().map(Cursor::whole).collect();
    if operator == Operator::And {
        cursors.sort_by_key(|cursor| cursor.view.count());
    }
    of_many(operator, &mut cursors)
}

/// Members of the root of a plan, an operator over these stored sets, with keys in [from, to).
pub(crate) fn count_keys(plan: &Plan<'_>, operator: Operator, nodes: &[NodeId], from: u32, to: u32) -> u64 {
    let cursor = |node: &NodeId| match plan.nodes[*node] {
        Node::Leaf(view) => Some(Cursor::new(&plan.views[view], from, to)),
        _ => None,
    };
    let mut cursors: Vec<Cursor<'_>> = nodes.iter().filter_map(cursor).collect();
    match cursors.pop() {
        Some(last) if cursors.len() == 1 => of_two(operator, cursors.remove(0), last),
        last => {
            cursors.extend(last);
            of_many(operator, &mut cursors)
        }
    }
}

fn of_two(operator: Operator, mut one: Cursor<'_>, mut other: Cursor<'_>) -> u64 {
    let (left, right) = (one.members(), other.members());
    let both = if right < left { count_both(&mut other, &mut one) } else { count_both(&mut one, &mut other) };
    match operator {
        Operator::And => both,
        Operator::Or => (left + right).saturating_sub(both),
        Operator::Xor => (left + right).saturating_sub(2 * both),
        Operator::AndNot => left.saturating_sub(both),
    }
}

/// Under AND the smallest comes first.
fn of_many(operator: Operator, cursors: &mut [Cursor<'_>]) -> u64 {
    let leads = matches!(operator, Operator::And | Operator::AndNot);
    match cursors {
        [one] => return one.members(),
        [first, ..] if leads && first.place == first.end => return 0,
        _ => {}
    }
    let mut work = Work { parts: Vec::new(), scratch: Scratch::new(), tools: Tools::new() };
    match operator {
        Operator::And => count_all(cursors, &mut work),
        Operator::Or => count_any::<OR>(cursors, &mut work),
        Operator::Xor => count_any::<XOR>(cursors, &mut work),
        Operator::AndNot => count_first(cursors, &mut work),
    }
}

struct Work<'p> {
    parts: Vec<Part<'p>>,
    scratch: Scratch,
    tools: Tools,
}

impl Work<'_> {
    fn take(&mut self, outcome: &Outcome) -> u64 {
        match outcome {
            Outcome::Count(count) => u64::from(*count),
            Outcome::Same(at) => u64::from(self.parts.get(*at).map_or(0, Part::count)),
            Outcome::Scratch => u64::from(self.scratch.as_container().count()),
        }
    }
}

fn count_both(one: &mut Cursor<'_>, other: &mut Cursor<'_>) -> u64 {
    let mut both = 0;
    while one.place < one.end {
        let key = one.view.key(one.place);
        if let Some(container) = other.at(key) {
            both += u64::from(count_and(one.view.container(one.place), container));
            one.place += 1;
        } else {
            if other.place == other.end {
                break;
            }
            one.place = one.view.seek(one.place + 1, other.key()).min(one.end);
        }
    }
    both
}

/// The first cursor is the smallest and leads. Where it has few members, the others are looked at one by one: mostly
/// nothing is left after the first.
fn count_all<'p>(cursors: &mut [Cursor<'p>], work: &mut Work<'p>) -> u64 {
    let mut sum = 0;
    let Some((lead, others)) = cursors.split_first_mut() else { return 0 };
    while lead.place < lead.end {
        let (key, container, card) = (lead.key(), lead.view.container(lead.place), lead.view.card(lead.place));
        let next = match container {
            Container::Array(_) | Container::Runs(_) if card as usize <= MAX_ARRAY => {
                fold(container, others, key, &mut work.scratch, &mut sum)
            }
            _ => {
                work.parts.clear();
                work.parts.push(Part::Stored(container, card));
                let missing = others.iter_mut().find_map(|other| match other.at(key) {
                    Some(container) => {
                        work.parts.push(Part::Stored(container, other.view.card(other.place)));
                        None
                    }
                    None => Some(other.key()),
                });
                if missing.is_none() {
                    let outcome = combine::and::<true>(&work.parts, &mut work.scratch);
                    sum += work.take(&outcome);
                }
                missing
            }
        };
        lead.place = next.map_or(lead.place + 1, |key| lead.view.seek(lead.place + 1, key).min(lead.end));
    }
    sum
}

/// Adds the members that all have to `sum`; when one has no container, gives the next key that it has.
fn fold(lead: Container<'_>, others: &mut [Cursor<'_>], key: u32, scratch: &mut Scratch, sum: &mut u64) -> Option<u32> {
    let last = others.len() - 1;
    for (at, other) in others.iter_mut().enumerate() {
        let Some(container) = other.at(key) else { return Some(other.key()) };
        let left = if at == 0 { lead } else { scratch.as_container() };
        if at == last {
            *sum += u64::from(count_and(left, container));
        } else if at == 0 {
            match lead {
                Container::Array(values) => scratch.set_common(values, container),
                _ => {
                    scratch.set(lead);
                    scratch.and(container);
                }
            }
        } else {
            scratch.and(container);
        }
        if at < last && matches!(scratch.as_container(), Container::Array([]) | Container::Runs([])) {
            return None;
        }
    }
    None
}

fn count_any<'p, const OP: u8>(cursors: &mut [Cursor<'p>], work: &mut Work<'p>) -> u64 {
    let mut sum = 0;
    loop {
        let key = cursors.iter().map(Cursor::key).min().unwrap_or(u32::MAX);
        if key == u32::MAX {
            return sum;
        }
        work.parts.clear();
        for cursor in cursors.iter_mut().filter(|cursor| cursor.key() == key) {
            work.parts.push(Part::Stored(cursor.view.container(cursor.place), cursor.view.card(cursor.place)));
            cursor.place += 1;
        }
        if let [one] = &work.parts[..] {
            sum += u64::from(one.count());
            continue;
        }
        let outcome = combine::any::<OP, true>(&work.parts, &mut work.scratch, &mut work.tools);
        sum += work.take(&outcome);
    }
}

fn count_first<'p>(cursors: &mut [Cursor<'p>], work: &mut Work<'p>) -> u64 {
    let mut sum = 0;
    let Some((first, others)) = cursors.split_first_mut() else { return 0 };
    while first.place < first.end {
        let (key, card) = (first.key(), first.view.card(first.place));
        work.parts.clear();
        let lead = first.view.container(first.place);
        work.parts.push(Part::Stored(lead, card));
        for other in others.iter_mut() {
            if let Some(container) = other.at(key).filter(|container| !container.is_apart(lead)) {
                work.parts.push(Part::Stored(container, other.view.card(other.place)));
            }
        }
        first.place += 1;
        if work.parts.len() == 1 {
            sum += u64::from(card);
            continue;
        }
        let outcome = combine::andnot::<true>(&work.parts, &mut work.scratch, &mut work.tools);
        sum += work.take(&outcome);
    }
    sum
}
