//! With letters as rows, whose order shows in the texts that they give.

use std::cell::Cell;
use std::ops::Range;

use proptest::prelude::*;

use super::super::tests::steps;
use super::*;

/// Puts letters behind each other, and counts them.
#[derive(Debug, Default)]
struct Joining {
    letters: Cell<usize>,
}

impl Merge for Joining {
    type Row = char;
    type Partial = String;

    fn merge(&self, before: Option<&String>, rows: Iter<'_, char>, behind: Option<&String>) -> DfResult<String> {
        self.letters.set(self.letters.get() + rows.len());
        let mut text = before.cloned().unwrap_or_default();
        text.extend(rows);
        text.extend(behind.map(String::as_str));
        Ok(text)
    }
}

fn letter(at: usize) -> char {
    char::from(b'a' + (at % 23) as u8)
}

fn text_of(queue: &mut TwoPartQueue<Joining>) -> String {
    let Whole { merge, front, rows, back } = queue.whole().unwrap();
    merge.merge(front, rows, back).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Not every step asks: rows come and leave unseen, too.
    #[test]
    fn a_frame_gives_what_its_rows_give(steps in steps(), asks in proptest::collection::vec(any::<bool>(), 24)) {
        let mut queue = TwoPartQueue::new(Joining::default());
        let mut frame: Range<usize> = 0..0;
        for ((added, leaving), is_asked) in steps.into_iter().zip(asks) {
            (frame.end..frame.end + added).for_each(|at| queue.push(letter(at)));
            frame.end += added;
            let gone = (frame.len() as f64 * leaving).ceil() as usize;
            queue.forget_oldest(gone).unwrap();
            frame.start += gone;
            prop_assert_eq!(queue.len(), frame.len());
            if is_asked {
                let expected: String = frame.clone().map(letter).collect();
                // Twice: to ask changes nothing.
                prop_assert_eq!(&text_of(&mut queue), &expected);
                prop_assert_eq!(&text_of(&mut queue), &expected);
            }
        }
    }
}

/// Each row is merged into the back, into the blocks of the front and into its own partial result, once.
#[test]
fn a_row_costs_as_much_in_a_great_frame_as_in_a_small_one() {
    let rows = 10_000;
    for size in [SMALL + 1, BLOCK, 1000, 4000] {
        let mut queue = TwoPartQueue::new(Joining::default());
        for at in 0..rows {
            queue.push(letter(at));
            queue.forget_oldest(queue.len().saturating_sub(size)).unwrap();
            queue.whole().unwrap();
        }
        let letters = queue.merge.letters.get();
        assert!((rows..=3 * rows).contains(&letters), "{letters} for a frame of {size}");
    }
}

/// A great frame has a partial result a block and one a row of the oldest block, not one a row.
#[test]
fn a_great_frame_holds_few_partial_results() {
    let mut queue = TwoPartQueue::new(Joining::default());
    let rows = 40 * BLOCK + 1;
    (0..rows).for_each(|at| queue.push(letter(at)));
    assert_eq!(text_of(&mut queue).len(), rows);
    assert!(queue.front.len() <= BLOCK && queue.blocks.len() == 40);
    assert_eq!(queue.rows().count(), rows);
    // The last block has none behind it, and nothing is in the back yet.
    assert_eq!(queue.partials().count(), queue.front.len() + 39);
}

#[test]
fn a_row_that_is_not_there_cannot_leave() {
    let mut queue = TwoPartQueue::new(Joining::default());
    queue.push('a');
    queue.forget_oldest(1).unwrap();
    assert_eq!(text_of(&mut queue), "");
    assert!(queue.forget_oldest(1).is_err());
}
