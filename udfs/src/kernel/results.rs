//! What a plan can be asked for: counts, tests, pieces, bytes. Must not know: how containers are combined.

use std::collections::BinaryHeap;
use std::ops::ControlFlow::{Break, Continue};
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::{Error, Result};
use super::expression::{Expr, Node, Operator, Plan};
use super::flat;
use super::ids::Ids;
use super::split::{Split, person_hash};
use super::view::BitmapRef;
use super::writer::{Encoding, Writer};

impl<'a> Plan<'a> {
    /// Members.
    pub fn count(&self) -> u64 {
        if let Some(Node::Leaf(view)) = self.root.map(|root| &self.nodes[root]) {
            return self.views[*view].count();
        }
        if let Some((operator, nodes)) = flat::operands(self) {
            return self.over_ranges(|from, to| flat::count_keys(self, operator, nodes, from, to)).into_iter().sum();
        }
        let counts = self.fold_ranges(
            || 0_u64,
            |sum, evaluator, key| {
                *sum += u64::from(evaluator.count(key));
                Continue(())
            },
        );
        counts.into_iter().sum()
    }

    /// Whether there is a member; stops at the first.
    pub fn exists(&self) -> bool {
        self.more_than(0)
    }

    /// Whether there are more than `limit` members; stops as soon as that is known.
    pub fn more_than(&self, limit: u64) -> bool {
        if self.upper_bound() <= limit {
            return false;
        }
        let seen = AtomicU64::new(0);
        self.fold_ranges(
            || (),
            |(), evaluator, key| {
                let here = u64::from(evaluator.count(key));
                let before = seen.fetch_add(here, Ordering::Relaxed);
                if before + here > limit { Break(()) } else { Continue(()) }
            },
        );
        seen.into_inner() > limit
    }

    /// How many members of this result each of `groups` has: an overlap row, a profile.
    pub fn counts_within(&self, groups: &[BitmapRef<'_>]) -> Vec<u64> {
        let parts = self.fold_ranges(
            || (vec![0_u64; groups.len()], vec![0_usize; groups.len()]),
            |(sums, places), evaluator, key| {
                let part = evaluator.evaluate(key);
                if let Some(container) = part.container() {
                    super::overlap::add_row(container, groups, key, places, sums);
                }
                evaluator.release(part);
                Continue(())
            },
        );
        parts.into_iter().fold(vec![0; groups.len()], |mut sums, (part, _)| {
            sums.iter_mut().zip(part).for_each(|(sum, more)| *sum += more);
            sums
        })
    }

    /// The members in ascending order, one container at a time: nothing else is held.
    pub fn ids(&self) -> Ids<'_> {
        Ids::new(self)
    }

    /// Up to `limit` members after the `offset` lowest. Containers before the page are counted, not read out.
    pub fn page(&self, offset: u64, limit: usize) -> Vec<u32> {
        let (mut page, mut skip) = (Vec::new(), offset);
        if limit == 0 {
            return page;
        }
        self.for_keys(|evaluator, key| {
            let part = evaluator.evaluate(key);
            let here = u64::from(part.count());
            if skip >= here {
                skip -= here;
            } else if let Some(container) = part.container() {
                let mut at = 0;
                container.for_each(|low| {
                    if at >= skip && page.len() < limit {
                        page.push(key << 16 | u32::from(low));
                    }
                    at += 1;
                });
                skip = 0;
            }
            evaluator.release(part);
            if page.len() < limit { Continue(()) } else { Break(()) }
        });
        page
    }

    /// The bytes of [`Plan::page`]: members by rank.
    pub fn page_bytes(&self, offset: u64, limit: u64, budget: u64) -> Result<Vec<u8>> {
        let (mut skip, mut left) = (offset, limit);
        self.write_some(budget, |from_here| {
            let skipped = skip.min(from_here);
            skip -= skipped;
            let taken = left.min(from_here - skipped);
            left -= taken;
            (skipped, taken, left > 0)
        })
    }

    /// Writes, of each container, the members of a range of ranks: `choose` gets the members of the container and says
    /// how many to leave out, how many to take then, and whether to go on.
    fn write_some(&self, budget: u64, mut choose: impl FnMut(u64) -> (u64, u64, bool)) -> Result<Vec<u8>> {
        let mut writer = Writer::new(Encoding::Optimized, budget);
        let mut outcome = Ok(());
        self.for_keys(|evaluator, key| {
            let part = evaluator.evaluate(key);
            let mut go_on = true;
            if let Some(container) = part.container() {
                let here = u64::from(container.count());
                let (skipped, taken, more) = choose(here);
                go_on = more;
                if taken == here {
                    outcome = writer.push(key, container);
                } else if taken > 0 {
                    let bounds = (container.select(skipped as u32), container.select((skipped + taken - 1) as u32));
                    if let (Some(first), Some(last)) = bounds {
                        let mut scratch = evaluator.scratch();
                        scratch.set(container);
                        // A rank beyond malformed contents may give bounds in the wrong order: nothing is kept then.
                        if first <= last {
                            let range = [super::container::run(u32::from(first), u32::from(last) + 1)];
                            scratch.and(super::container::Container::Runs(&range));
                            outcome = writer.push(key, scratch.as_container());
                        }
                        evaluator.release(super::combine::Part::Work(scratch));
                    }
                }
            }
            evaluator.release(part);
            if go_on && outcome.is_ok() { Continue(()) } else { Break(()) }
        });
        outcome.map(|()| writer.finish())
    }

    /// `n` members drawn by the hash of each with `seed`, in ascending order. A member drawn stays drawn when others
    /// leave the set, and leaves only for members of lower hash: stable as the set grows.
    pub fn sample(&self, n: usize, seed: u64) -> Vec<u32> {
        let mut drawn: BinaryHeap<(u64, u32)> = BinaryHeap::new();
        if n > 0 {
            self.ids().for_each(|id| {
                let ranked = (person_hash(id, seed), id);
                if drawn.len() < n {
                    drawn.push(ranked);
                } else if drawn.peek().is_some_and(|highest| ranked < *highest) {
                    drawn.pop();
                    drawn.push(ranked);
                }
            });
        }
        let mut ids: Vec<u32> = drawn.into_iter().map(|(_, id)| id).collect();
        ids.sort_unstable();
        ids
    }

    /// The members that fall into one arm of a split. The arms of a split have each member once.
    pub fn arm(&self, split: &Split, arm: usize, budget: u64) -> Result<Vec<u8>> {
        let mut writer = Writer::new(Encoding::Optimized, budget);
        let mut outcome = Ok(());
        let mut values = Vec::new();
        self.for_keys(|evaluator, key| {
            let part = evaluator.evaluate(key);
            values.clear();
            if let Some(container) = part.container() {
                container.for_each(|low| {
                    if split.arm_of(key << 16 | u32::from(low)) == arm {
                        values.push(low.to_le_bytes());
                    }
                });
            }
            evaluator.release(part);
            outcome = super::writer::write_values(&mut writer, key, &values);
            if outcome.is_ok() { Continue(()) } else { Break(()) }
        });
        outcome.map(|()| writer.finish())
    }

    /// Members up to and including `id`.
    pub fn rank(&self, id: u32) -> u64 {
        let mut rank = 0;
        self.for_keys(|evaluator, key| {
            if key > id >> 16 {
                return Break(());
            }
            let part = evaluator.evaluate(key);
            rank += match part.container() {
                Some(container) if key == id >> 16 => u64::from(container.rank(id as u16)),
                _ => u64::from(part.count()),
            };
            evaluator.release(part);
            Continue(())
        });
        rank
    }

    /// The member with `index` members before it.
    pub fn select(&self, index: u64) -> Option<u32> {
        self.page(index, 1).first().copied()
    }

    pub fn min(&self) -> Option<u32> {
        self.ids().next()
    }

    pub fn max(&self) -> Option<u32> {
        let mut max = None;
        self.for_keys(|evaluator, key| {
            let part = evaluator.evaluate(key);
            let last = part.container().and_then(|container| container.select(container.count().checked_sub(1)?));
            max = last.map(|low| key << 16 | u32::from(low)).or(max);
            evaluator.release(part);
            Continue(())
        });
        max
    }

    pub fn contains(&self, id: u32) -> bool {
        let mut evaluator = super::evaluate::Evaluator::new(self);
        if evaluator.next_key(id >> 16) != id >> 16 {
            return false;
        }
        evaluator.evaluate(id >> 16).container().is_some_and(|container| container.contains(id as u16))
    }

    /// The result as portable bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Without a budget nothing can fail.
        self.to_bytes_within(u64::MAX, Encoding::Optimized).unwrap_or_else(|_| super::view::EMPTY.to_vec())
    }

    /// The result as portable bytes, or `OverBudget` before more than `budget` bytes are held.
    pub fn to_bytes_within(&self, budget: u64, encoding: Encoding) -> Result<Vec<u8>> {
        let parts = self.fold_ranges(
            || (Writer::new(encoding, budget), Ok(())),
            |(writer, outcome), evaluator, key| {
                let part = evaluator.evaluate(key);
                if let Some(container) = part.container() {
                    *outcome = writer.push(key, container);
                }
                evaluator.release(part);
                if outcome.is_ok() { Continue(()) } else { Break(()) }
            },
        );
        let mut parts = parts.into_iter();
        let Some((mut writer, outcome)) = parts.next() else { return Ok(super::view::EMPTY.to_vec()) };
        outcome?;
        for (part, outcome) in parts {
            outcome?;
            writer.append(part)?;
        }
        Ok(writer.finish())
    }

    /// All members, or `OverBudget` when there are more than `most`.
    pub fn to_ids(&self, most: u64) -> Result<Vec<u32>> {
        let count = self.count();
        if count > most {
            return Err(Error::OverBudget { needed: count, budget: most });
        }
        let mut ids = Vec::with_capacity(count as usize);
        ids.extend(self.ids());
        Ok(ids)
    }

    /// Up to `limit` members from the value `from` on, as bytes.
    pub fn limit_from(&self, from: u32, limit: u64, budget: u64) -> Result<Vec<u8>> {
        let before = from.checked_sub(1).map_or(0, |below| self.rank(below));
        self.page_bytes(before, limit, budget)
    }
}

/// Members of both over members of either; two empty sets give 0.
pub fn jaccard(a: BitmapRef<'_>, b: BitmapRef<'_>) -> f64 {
    let both = flat::count(Operator::And, &[a, b]);
    let either = (a.count() + b.count()).saturating_sub(both);
    if either == 0 { 0.0 } else { both as f64 / either as f64 }
}

/// Whether they have the same members, whatever their containers.
pub fn equals(a: BitmapRef<'_>, b: BitmapRef<'_>) -> Result<bool> {
    Ok(a.as_bytes() == b.as_bytes() || (a.count() == b.count() && !Expr::xor([a, b]).plan()?.exists()))
}

/// Whether they share a member.
pub fn has_any(a: BitmapRef<'_>, b: BitmapRef<'_>) -> Result<bool> {
    Ok(Expr::and([a, b]).plan()?.exists())
}

/// Whether all members of `b` are members of `a`.
pub fn has_all(a: BitmapRef<'_>, b: BitmapRef<'_>) -> Result<bool> {
    Ok(b.count() <= a.count() && !Expr::andnot([b, a]).plan()?.exists())
}
