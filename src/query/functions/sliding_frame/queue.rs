//! The rows of a frame that slides, and what they give together: none is ever taken out of a result.
//!
//! A small frame is aggregated anew. A greater one is a queue of two parts, so that each row costs a few calls however
//! great the frame is: the back, where rows come in, has one partial result of all its rows; the front, where they
//! leave, has for each row that of the row and all behind it in the front. When no front is left, the back becomes it.
//!
//! Must not know what rows and partial results are.

use std::collections::VecDeque;
use std::collections::vec_deque::Iter;
use std::fmt::Debug;

use datafusion::common::Result as DfResult;

use crate::error::Error;

/// Frames up to this size are aggregated anew: that costs no more than to merge, and is rounded as a group is.
pub(super) const SMALL: usize = 64;

/// The front has partial results of this many rows at a time, and one for all rows behind them: that of a set or a text
/// may be great.
pub(super) const BLOCK: usize = 256;

/// How rows and partial results become one.
pub(super) trait Merge {
    type Row: Debug;
    type Partial: Debug;

    /// The partial result of all that is given, in its order.
    ///
    /// # Errors
    /// What the aggregate refuses.
    fn merge(
        &self,
        before: Option<&Self::Partial>,
        rows: Iter<'_, Self::Row>,
        behind: Option<&Self::Partial>,
    ) -> DfResult<Self::Partial>;
}

/// Rows of the front that have no partial results yet.
#[derive(Debug)]
struct Block<P> {
    len: usize,
    /// The partial result of all rows of the front behind the block.
    behind: Option<P>,
}

/// The rows of `front`, of `blocks` and of the back follow each other in `rows`.
#[derive(Debug)]
pub(super) struct TwoPartQueue<M: Merge> {
    merge: M,
    rows: VecDeque<M::Row>,
    /// The partial results of the oldest rows, of the oldest one last.
    front: Vec<M::Partial>,
    /// The oldest one last; there is none without a front.
    blocks: Vec<Block<M::Partial>>,
    /// The rows of all blocks.
    in_blocks: usize,
    back: Option<M::Partial>,
    /// The rows that `back` is of; those behind them are in no partial result yet.
    in_back: usize,
}

/// The parts of a frame, in their order: its rows, or no row and two partial results.
pub(super) struct Whole<'a, M: Merge> {
    pub(super) merge: &'a M,
    pub(super) front: Option<&'a M::Partial>,
    pub(super) rows: Iter<'a, M::Row>,
    pub(super) back: Option<&'a M::Partial>,
}

impl<M: Merge> TwoPartQueue<M> {
    pub(super) fn new(merge: M) -> Self {
        Self {
            merge,
            rows: VecDeque::new(),
            front: Vec::new(),
            blocks: Vec::new(),
            in_blocks: 0,
            back: None,
            in_back: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn rows(&self) -> Iter<'_, M::Row> {
        self.rows.iter()
    }

    pub(super) fn partials(&self) -> impl Iterator<Item = &M::Partial> {
        let behind = self.blocks.iter().filter_map(|block| block.behind.as_ref());
        self.front.iter().chain(behind).chain(&self.back)
    }

    pub(super) fn push(&mut self, row: M::Row) {
        self.rows.push_back(row);
    }

    /// Lets so many rows leave, the oldest first.
    ///
    /// # Errors
    /// When there are not so many, and what the aggregate refuses.
    pub(super) fn forget_oldest(&mut self, gone: usize) -> DfResult<()> {
        for _ in 0..gone {
            if self.rows.pop_front().is_none() {
                return Err(Error::internal("a row left a frame that it was not in").into());
            }
            if self.front.pop().is_none() {
                self.back = None;
                self.in_back = 0;
            } else if self.front.is_empty() {
                self.open_block()?;
            }
        }
        Ok(())
    }

    /// The parts that give, merged, what all rows of the frame give. To ask changes nothing that is seen.
    ///
    /// # Errors
    /// What the aggregate refuses.
    pub(super) fn whole(&mut self) -> DfResult<Whole<'_, M>> {
        if self.rows.len() <= SMALL {
            return Ok(Whole { merge: &self.merge, front: None, rows: self.rows.iter(), back: None });
        }
        if self.front.is_empty() {
            self.turn()?;
        }
        let first = self.front.len() + self.in_blocks + self.in_back;
        if first < self.rows.len() {
            self.back = Some(self.merge.merge(self.back.as_ref(), self.rows.range(first..), None)?);
            self.in_back += self.rows.len() - first;
        }
        let none = self.rows.range(0..0);
        Ok(Whole { merge: &self.merge, front: self.front.last(), rows: none, back: self.back.as_ref() })
    }

    /// Makes a front of all rows.
    fn turn(&mut self) -> DfResult<()> {
        self.back = None;
        self.in_back = 0;
        let mut behind = None;
        let mut end = self.rows.len();
        while end > 0 {
            let start = end.saturating_sub(BLOCK);
            let further = match start {
                0 => None,
                _ => Some(self.merge.merge(None, self.rows.range(start..end), behind.as_ref())?),
            };
            self.blocks.push(Block { len: end - start, behind });
            behind = further;
            end = start;
        }
        self.in_blocks = self.rows.len();
        self.open_block()
    }

    /// Makes the partial results of the oldest block, whose rows are the oldest ones.
    fn open_block(&mut self) -> DfResult<()> {
        let Some(Block { len, behind }) = self.blocks.pop() else { return Ok(()) };
        self.in_blocks -= len;
        self.front.reserve_exact(len);
        for at in (0..len).rev() {
            let behind = self.front.last().or(behind.as_ref());
            let partial = self.merge.merge(None, self.rows.range(at..=at), behind)?;
            self.front.push(partial);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
