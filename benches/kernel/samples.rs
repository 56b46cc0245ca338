//! Sets of a given density and shape, the same in every run.

use convoke_udfs::kernel::from_sorted;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Each number with the same chance.
    Random,
    /// Stretches of about 4,000 numbers of which 80 % are members.
    Clustered,
    /// Runs of about 200 members.
    Runs,
    /// The shape goes by the set: random, clustered, runs, random, ...
    Mixed,
}

pub const SHAPES: [Shape; 4] = [Shape::Random, Shape::Clustered, Shape::Runs, Shape::Mixed];

/// SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// Geometric, at least 1, of this mean.
    fn gap(&mut self, mean: f64) -> u32 {
        let uniform = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        let gap = 1.0 + ((1.0 - uniform).ln() / (1.0 - 1.0 / mean.max(1.000_001)).ln()).floor();
        gap.min(1e9) as u32
    }
}

/// Portable bytes of one set below `universe`.
pub fn set(universe: u32, density: f64, shape: Shape, seed: u64) -> Vec<u8> {
    let mut numbers = Numbers(seed.wrapping_mul(7919) + 17);
    let ids = match shape {
        Shape::Random => stretches(&mut numbers, universe, 1e12, 0.0, density),
        Shape::Clustered => stretches(&mut numbers, universe, 4000.0, 4000.0 * (0.8 / density - 1.0), 0.8),
        Shape::Runs => stretches(&mut numbers, universe, 200.0, 200.0 * (1.0 / density - 1.0), 1.0),
        Shape::Mixed => return set(universe, density, SHAPES[(seed % 3) as usize], seed),
    };
    from_sorted(ids).expect("made in order")
}

/// Stretches of a mean length, with a mean gap between, of which a share are members.
fn stretches(numbers: &mut Numbers, universe: u32, length: f64, gap: f64, share: f64) -> Vec<u32> {
    let mut ids = Vec::new();
    let mut at = if gap > 0.0 { numbers.gap(gap) - 1 } else { 0 };
    while at < universe {
        let end = at.saturating_add(numbers.gap(length)).min(universe);
        if share == 1.0 {
            ids.extend(at..end);
        } else if share == 0.5 {
            (at..end).step_by(64).for_each(|base| {
                let bits = numbers.next();
                ids.extend((0..64).filter(|bit| bits >> bit & 1 == 1).map(|bit| base + bit).filter(|id| *id < end));
            });
        } else {
            let mut id = at + numbers.gap(1.0 / share) - 1;
            while id < end {
                ids.push(id);
                id += numbers.gap(1.0 / share);
            }
        }
        at = end.saturating_add(numbers.gap(gap.max(1.0)));
    }
    ids
}
