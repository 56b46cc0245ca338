//! Random choices of the shop: one stream a person, mapped to integers here.
//!
//! Only the raw words of ChaCha8 are used and only integers are computed: both are the same on every machine and with
//! every release of the library, which the distributions of `rand` are not. Must not know what is being chosen.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The random stream of one person.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of person `index` in the shop of `seed`: no person's stream depends on another's.
    pub fn new(seed: u64, index: u32) -> Self {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        bytes[8..12].copy_from_slice(&index.to_le_bytes());
        Self(ChaCha8Rng::from_seed(bytes))
    }

    /// A number in `0..limit` (0 for a limit of 0). The bias of the multiplication is below one in a million here.
    pub fn below(&mut self, limit: u32) -> u32 {
        let scaled = u64::from(self.0.next_u32()) * u64::from(limit);
        (scaled >> 32) as u32
    }

    /// A number in `first..=last`; `first` when the range is empty.
    pub fn between(&mut self, first: i32, last: i32) -> i32 {
        let width = (last - first + 1).max(1);
        first + self.below(width.unsigned_abs()) as i32
    }

    /// True in `per_mille` of 1,000 cases.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// An entry of a table that is not empty.
    pub fn pick<T: Copy>(&mut self, table: &[T]) -> T {
        table[self.below(table.len() as u32) as usize]
    }

    /// An index of `weights`, in proportion to them; the last one when all are 0.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut rest = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if rest < *weight {
                return index;
            }
            rest -= weight;
        }
        weights.len().saturating_sub(1)
    }

    /// 16 lower-case hexadecimal digits.
    pub fn hex(&mut self) -> String {
        format!("{:016x}", self.0.next_u64())
    }
}
