//! Which arm of an experiment a person falls into, and who is drawn into a sample: by a hash of the person with a salt,
//! so that it never depends on who else is in the set. Must not know: bitmaps.
//!
//! The hash is part of what users rely on and must never change: two rounds of SplitMix64, a published and
//! widely-implemented generator, over the seed and the number; a text salt becomes a seed by 64-bit FNV-1a.

use super::error::{Error, Result};

/// SplitMix64's output function.
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A uniform 64-bit number for each (person, seed).
pub fn person_hash(id: u32, seed: u64) -> u64 {
    mix(mix(seed) ^ u64::from(id))
}

/// The seed of a text: 64-bit FNV-1a.
pub fn seed_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A split of persons into arms by weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    seed: u64,
    /// The hash at which each arm but the last ends.
    ends: Vec<u64>,
    last: usize,
}

impl Split {
    /// Weights are relative, at least one is above 0. Splits with different salts are independent of each other.
    pub fn new(salt: &str, weights: &[f64]) -> Result<Self> {
        if weights.is_empty() {
            return Err(Error::Argument("a split needs at least one weight"));
        }
        if weights.iter().any(|weight| !weight.is_finite() || *weight < 0.0) {
            return Err(Error::Argument("a weight of a split is negative or not a number"));
        }
        let total: f64 = weights.iter().sum();
        let Some(last) = weights.iter().rposition(|weight| *weight > 0.0) else {
            return Err(Error::Argument("all weights of a split are 0"));
        };
        if !total.is_finite() {
            return Err(Error::Argument("the weights of a split are too large"));
        }
        let mut sum = 0.0;
        let ends = weights[..last].iter().map(|weight| {
            sum += weight;
            // The cast saturates, as wanted.
            (sum / total * 18_446_744_073_709_551_616.0) as u64
        });
        Ok(Split { seed: seed_of(salt), ends: ends.collect(), last })
    }

    /// Index of the arm, from 0.
    pub fn arm_of(&self, id: u32) -> usize {
        let hash = person_hash(id, self.seed);
        self.ends.iter().position(|end| hash < *end).unwrap_or(self.last)
    }
}
