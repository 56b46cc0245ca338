//! What a call gives for one row: nested calls become one kernel expression, so that nothing in between is built.
//!
//! Must not know: arrays, plans.

use datafusion::common::{DataFusionError, Result, exec_err, internal_err};

use super::super::limit::too_large;
use super::super::vocabulary::{Kind, Meaning, OneSet, Operator, TwoSets};
use super::asked::Asked;
use super::formula::{Call, Node};
use super::leaves::Value;
use super::output::Answer;
use crate::kernel::{self, Encoding, Expr};

/// The values of the leaves in one row, none of them NULL.
pub(super) struct Row<'r, 'a> {
    pub(super) values: &'r [Value<'a>],
    /// Bytes that a result may still take.
    pub(super) budget: u64,
    /// Bytes that all results of the batch may take.
    pub(super) most_bytes: u64,
}

impl<'a> Row<'_, 'a> {
    pub(super) fn answer(&self, call: &Call) -> Result<Answer> {
        let fault = |error| self.failed(call, &error);
        match call.function.meaning {
            Meaning::Set(operator) => {
                let plan = self.apply(operator, call)?.plan().map_err(fault)?;
                plan.to_bytes_within(self.budget, Encoding::Optimized).map(Answer::Bytes).map_err(fault)
            }
            Meaning::Count(operator) => {
                if let Some(count) = self.count_of_stored(operator, call) {
                    return Ok(Answer::Integer(Some(count)));
                }
                let asked = Asked::new(self.apply(operator, call)?).map_err(fault)?;
                Ok(Answer::Integer(Some(asked.count())))
            }
            Meaning::One(question) => self.one(question, call),
            Meaning::Two(question) => two(question, self.set(call, 0)?, self.set(call, 1)?).map_err(fault),
        }
    }

    /// Members of one operator over stored sets, which needs no expression.
    fn count_of_stored(&self, operator: Operator, call: &Call) -> Option<u64> {
        let operator = match operator {
            Operator::And => kernel::Operator::And,
            Operator::Or => kernel::Operator::Or,
            Operator::Xor => kernel::Operator::Xor,
            Operator::AndNot => kernel::Operator::AndNot,
            Operator::Only => match &call.operands[..] {
                [Node::Call(inner)] => match inner.function.meaning {
                    Meaning::Set(operator) => return self.count_of_stored(operator, inner),
                    _ => return None,
                },
                _ => return None,
            },
            _ => return None,
        };
        let stored = |operand: &Node| match operand {
            Node::Leaf(leaf) => match self.values.get(*leaf) {
                Some(Value::Set(bitmap)) => Some(*bitmap),
                _ => None,
            },
            Node::Call(_) => None,
        };
        if let [one, other] = &call.operands[..] {
            return Some(kernel::count(operator, &[stored(one)?, stored(other)?]));
        }
        let sets: Option<Vec<_>> = call.operands.iter().map(stored).collect();
        Some(kernel::count(operator, &sets?))
    }

    /// The operand at a place as a set.
    fn set(&self, call: &Call, place: usize) -> Result<Expr<'a>> {
        match call.operands.get(place) {
            Some(Node::Call(inner)) => match inner.function.meaning {
                Meaning::Set(operator) => self.apply(operator, inner),
                _ => internal_err!("{} is no set", inner.function.name),
            },
            Some(Node::Leaf(leaf)) => match self.values.get(*leaf) {
                Some(Value::Set(bitmap)) => Ok(Expr::Set(*bitmap)),
                _ => internal_err!("{}: argument {} is no set", call.function.syntax, place + 1),
            },
            None => internal_err!("{}: there is no argument {}", call.function.syntax, place + 1),
        }
    }

    /// The operands from a place on as sets.
    fn sets(&self, call: &Call, from: usize) -> Result<Vec<Expr<'a>>> {
        (from..call.operands.len()).map(|place| self.set(call, place)).collect()
    }

    /// The operand at a place as a number within the limits of its kind.
    fn number(&self, call: &Call, place: usize) -> Result<u64> {
        let value = match call.operands.get(place) {
            Some(Node::Leaf(leaf)) => self.values.get(*leaf),
            _ => None,
        };
        let (Some(Value::Number(number)), Some(kind)) = (value, call.function.kind(place)) else {
            return internal_err!("{}: argument {} is no number", call.function.syntax, place + 1);
        };
        let (least, most, what) = kind.limits();
        if (least..=most).contains(number) {
            // Columns hold at most 64 bits, and the lower limit is not below 0.
            return Ok(u64::try_from(*number).unwrap_or(u64::MAX));
        }
        exec_err!("{}: argument {} is {number}: {what}", call.function.name, place + 1)
    }

    /// A number of kind [`Kind::Element`], which has been checked to fit.
    fn element(&self, call: &Call, place: usize) -> Result<u32> {
        debug_assert_eq!(call.function.kind(place), Some(Kind::Element));
        Ok(u32::try_from(self.number(call, place)?).unwrap_or(u32::MAX))
    }

    fn apply(&self, operator: Operator, call: &Call) -> Result<Expr<'a>> {
        Ok(match operator {
            Operator::Only => self.set(call, 0)?,
            Operator::And => Expr::And(self.sets(call, 0)?),
            Operator::Or => Expr::Or(self.sets(call, 0)?),
            Operator::Xor => Expr::Xor(self.sets(call, 0)?),
            Operator::AndNot => Expr::AndNot(self.sets(call, 0)?),
            Operator::Threshold => {
                // More than there are sets is more than there are sets, however many.
                let least = u32::try_from(self.number(call, 0)?).unwrap_or(u32::MAX);
                Expr::Threshold(least, self.sets(call, 1)?)
            }
            Operator::Within => self.set(call, 0)?.within(self.number(call, 1)?, self.number(call, 2)?),
            Operator::Flip => self.set(call, 0)?.flip(self.number(call, 1)?, self.number(call, 2)?),
            Operator::Add => self.set(call, 0)?.add(self.element(call, 1)?),
            Operator::Remove => self.set(call, 0)?.remove(self.element(call, 1)?),
        })
    }

    fn failed(&self, call: &Call, error: &kernel::Error) -> DataFusionError {
        let (name, most) = (call.function.name, self.most_bytes);
        match error {
            kernel::Error::OverBudget { .. } => too_large(name, most),
            other => DataFusionError::Execution(format!("{name}: {other}")),
        }
    }

    fn one(&self, question: OneSet, call: &Call) -> Result<Answer> {
        let fault = |error| self.failed(call, &error);
        let asked = Asked::new(self.set(call, 0)?).map_err(fault)?;
        Ok(match question {
            OneSet::IsEmpty => Answer::Flag(asked.is_empty()),
            OneSet::Contains => Answer::Flag(asked.contains(self.element(call, 1)?)),
            OneSet::Min => Answer::Integer(asked.min().map(u64::from)),
            OneSet::Max => Answer::Integer(asked.max().map(u64::from)),
            OneSet::Rank => Answer::Integer(Some(asked.rank(self.element(call, 1)?))),
            OneSet::Select => Answer::Integer(asked.select(self.number(call, 1)?).map(u64::from)),
            OneSet::Page => {
                let (offset, most) = (self.number(call, 1)?, self.number(call, 2)?);
                let page = asked.into_plan().and_then(|plan| plan.page_bytes(offset, most, self.budget));
                Answer::Bytes(page.map_err(fault)?)
            }
            OneSet::LimitFrom => {
                let (from, most) = (self.element(call, 1)?, self.number(call, 2)?);
                let page = asked.into_plan().and_then(|plan| plan.limit_from(from, most, self.budget));
                Answer::Bytes(page.map_err(fault)?)
            }
        })
    }
}

/// Two stored sets have ways of their own, which look at headers first.
fn two<'a>(question: TwoSets, a: Expr<'a>, b: Expr<'a>) -> kernel::Result<Answer> {
    if let (Expr::Set(a), Expr::Set(b)) = (&a, &b) {
        let (a, b) = (*a, *b);
        return match question {
            TwoSets::HasAny => kernel::has_any(a, b).map(Answer::Flag),
            TwoSets::HasAll => kernel::has_all(a, b).map(Answer::Flag),
            TwoSets::Equals => kernel::equals(a, b).map(Answer::Flag),
            TwoSets::Jaccard => Ok(Answer::Ratio(kernel::jaccard(a, b))),
        };
    }
    Ok(match question {
        TwoSets::HasAny => Answer::Flag(Expr::And(vec![a, b]).plan()?.exists()),
        TwoSets::HasAll => Answer::Flag(!Expr::AndNot(vec![b, a]).plan()?.exists()),
        TwoSets::Equals => Answer::Flag(!Expr::Xor(vec![a, b]).plan()?.exists()),
        TwoSets::Jaccard => {
            let both = Expr::And(vec![a.clone(), b.clone()]).plan()?.count();
            let either = Expr::Or(vec![a, b]).plan()?.count();
            Answer::Ratio(if either == 0 { 0.0 } else { both as f64 / either as f64 })
        }
    })
}
