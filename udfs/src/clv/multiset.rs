//! Equal customers as one entry with a weight: the state of the fits. Sorted when it is read, so that a fit has the same
//! bits however the rows were split and ordered.

use arrow::array::{ArrayRef, AsArray};
use datafusion::common::{HashMap, Result, ScalarValue, exec_err};

const WORD: usize = size_of::<u64>();

/// Keys of N words with their weights. Words order entries: bits of doubles not below 0 sort as the numbers do.
#[derive(Debug)]
pub(super) struct Multiset<const N: usize> {
    function: &'static str,
    weights: HashMap<[u64; N], u64>,
}

impl<const N: usize> Multiset<N> {
    /// `function` is named in errors.
    pub(super) fn new(function: &'static str) -> Self {
        Self { function, weights: HashMap::default() }
    }

    /// # Errors
    /// When the weights of a key exceed 64 bits.
    pub(super) fn add(&mut self, key: [u64; N], weight: u64) -> Result<()> {
        let held = self.weights.entry(key).or_default();
        match held.checked_add(weight) {
            Some(sum) => *held = sum,
            None => return exec_err!("{}: the weights add up to more than 2^64", self.function),
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.weights.is_empty()
    }

    pub(super) fn sorted(&self) -> Vec<([u64; N], u64)> {
        let mut entries: Vec<([u64; N], u64)> = self.weights.iter().map(|(key, weight)| (*key, *weight)).collect();
        entries.sort_unstable();
        entries
    }

    /// Bytes beyond the value itself.
    pub(super) fn heap_size(&self) -> usize {
        self.weights.capacity() * (size_of::<([u64; N], u64)>() + 1)
    }

    /// All entries as bytes, for [`Self::merge`].
    pub(super) fn state(&self) -> ScalarValue {
        let mut bytes = Vec::with_capacity(self.weights.len() * (N + 1) * WORD);
        for (key, weight) in &self.weights {
            key.iter().chain([weight]).for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
        }
        ScalarValue::LargeBinary(Some(bytes))
    }

    /// Takes in a column of states.
    ///
    /// # Errors
    /// For bytes that are no whole entries.
    pub(super) fn merge(&mut self, states: &ArrayRef) -> Result<()> {
        for state in states.as_binary::<i64>().iter().flatten() {
            let (words, rest) = state.as_chunks::<WORD>();
            if !rest.is_empty() || words.len() % (N + 1) != 0 {
                return exec_err!("{}: a state of {} bytes is damaged", self.function, state.len());
            }
            for entry in words.chunks_exact(N + 1) {
                let key = std::array::from_fn(|place| u64::from_le_bytes(entry[place]));
                self.add(key, u64::from_le_bytes(entry[N]))?;
            }
        }
        Ok(())
    }
}
