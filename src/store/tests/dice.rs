//! A source of chance that a seed repeats.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// Each stream of a seed has throws of its own.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream + 1);
        Self(random)
    }

    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.0.next_u32() % end
    }

    /// Waits up to so long.
    pub(crate) async fn rest(&mut self, longest_ms: u32) {
        tokio::time::sleep(Duration::from_millis(u64::from(self.below(longest_ms + 1)))).await;
    }
}
