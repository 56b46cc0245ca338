//! The full check of a bitmap's contents, made once when bytes come in from outside. Must not know: expressions.

use super::container::{Container, value, word};
use super::error::{Result, malformed};
use super::view::BitmapRef;

impl BitmapRef<'_> {
    /// Checks what [`BitmapRef::new`] leaves out: arrays ascend, bitsets hold as many members as the header says, runs
    /// ascend, neither touch nor overlap nor pass the end, and add up to what the header says. The error has the byte
    /// of the fault.
    pub fn check_contents(&self) -> Result<()> {
        (0..self.containers()).try_for_each(|index| self.check_container(index))
    }

    fn check_container(&self, index: usize) -> Result<()> {
        let (at, card) = (self.start(index), self.card(index));
        match self.container(index) {
            Container::Array(values) => {
                let fault = values.windows(2).position(|pair| value(pair[0]) >= value(pair[1]));
                fault.map_or(Ok(()), |before| malformed(at + 2 * (before + 1), "array values do not ascend"))
            }
            Container::Bitset(words) => {
                let members: u32 = words.iter().map(|bytes| word(*bytes).count_ones()).sum();
                if members == card { Ok(()) } else { malformed(at, "a bitset has other members than its header says") }
            }
            Container::Runs(runs) => {
                let (mut least, mut members) = (0_u32, 0_u32);
                for (place, run) in runs.iter().enumerate() {
                    let start = u32::from(u16::from_le_bytes([run[0], run[1]]));
                    let end = start + u32::from(u16::from_le_bytes([run[2], run[3]])) + 1;
                    let here = at + 2 + 4 * place;
                    if start < least {
                        return malformed(here, "runs overlap, touch or do not ascend");
                    }
                    if end > 1 << 16 {
                        return malformed(here + 2, "a run passes the end of its container");
                    }
                    (least, members) = (end + 1, members + end - start);
                }
                if runs.is_empty() {
                    return malformed(at, "a run container without runs");
                }
                if members == card { Ok(()) } else { malformed(at, "runs have other members than the header says") }
            }
        }
    }
}
