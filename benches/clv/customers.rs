//! Customers drawn from a BG/NBD model by a seed, acquired evenly over a year and seen to its end, in whole days.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch};
use arrow::csv::Writer;
use datafusion::datasource::MemTable;

use super::dice::Dice;

/// Changes with what is generated.
const GENERATION: u32 = 2;
/// The fit of CDNOW (Fader, Hardie and Lee 2005), in days: r, alpha, a, b.
const PARAMETERS: [f64; 4] = [0.243, 4.414 * 7.0, 0.793, 2.426];
const DAYS: f64 = 365.0;

/// Customers as our side holds them, and as the other one reads them.
pub struct Customers {
    pub rows: RecordBatch,
    pub file: PathBuf,
}

/// All customers, and the distinct ones with weights.
pub fn prepare(cache: &Path, count: u64) -> anyhow::Result<(Customers, Customers)> {
    let folder = cache.join(format!("bench/customers-{GENERATION}-{count}"));
    std::fs::create_dir_all(&folder)?;
    let mut dice = Dice(2);
    let customers: Vec<[u32; 3]> = (0..count).map(|_| customer(&mut dice)).collect();
    let mut weights: BTreeMap<[u32; 3], i64> = BTreeMap::new();
    customers.iter().for_each(|customer| *weights.entry(*customer).or_default() += 1);
    let (distinct, weights): (Vec<_>, Vec<_>) = weights.into_iter().unzip();
    Ok((
        Customers::new(&customers, vec![1; customers.len()], folder.join("whole.csv"))?,
        Customers::new(&distinct, weights, folder.join("grouped.csv"))?,
    ))
}

impl Customers {
    fn new(customers: &[[u32; 3]], weights: Vec<i64>, file: PathBuf) -> anyhow::Result<Self> {
        let column = |place: usize| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(customers.iter().map(|row| row[place].into())))
        };
        let columns: [(&str, ArrayRef); 4] = [
            ("frequency", Arc::new(Int64Array::from_iter_values(customers.iter().map(|row| row[0].into())))),
            ("recency", column(1)),
            ("age", column(2)),
            ("weight", Arc::new(Int64Array::from(weights))),
        ];
        let rows = RecordBatch::try_from_iter(columns)?;
        let writing = File::create(&file).with_context(|| file.display().to_string())?;
        Writer::new(writing).write(&rows)?;
        Ok(Self { rows, file })
    }

    /// A table in memory: a share of the rows for each core, in batches of the size that operators hand on.
    pub fn table(&self, cores: usize) -> anyhow::Result<MemTable> {
        const BATCH: usize = 8192;
        let rows = self.rows.num_rows();
        let batches = |from: usize, to: usize| {
            (from..to).step_by(BATCH).map(|at| self.rows.slice(at, BATCH.min(to - at))).collect::<Vec<_>>()
        };
        let shares = (0..cores).map(|core| batches(rows * core / cores, rows * (core + 1) / cores)).collect();
        Ok(MemTable::try_new(self.rows.schema(), shares)?)
    }
}

/// Frequency, recency and age of one.
fn customer(dice: &mut Dice) -> [u32; 3] {
    let [r, alpha, a, b] = PARAMETERS;
    let rate = gamma(dice, r) / alpha;
    let (dies, stays) = (gamma(dice, a), gamma(dice, b));
    let drops_out = dies / (dies + stays);
    let age = (1.0 + dice.share() * (DAYS - 1.0)).floor();
    // Purchases of one day are one.
    let (mut time, mut last, mut frequency) = (0.0, 0.0, 0);
    loop {
        time -= (1.0 - dice.share()).ln() / rate;
        if time >= age {
            break;
        }
        let day = f64::floor(time);
        if day > last {
            (last, frequency) = (day, frequency + 1);
        }
        if dice.share() < drops_out {
            break;
        }
    }
    [frequency, last as u32, age as u32]
}

/// Marsaglia and Tsang 2000; below 1 by way of shape + 1.
fn gamma(dice: &mut Dice, shape: f64) -> f64 {
    if shape < 1.0 {
        return gamma(dice, shape + 1.0) * (1.0 - dice.share()).powf(1.0 / shape);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let normal = (-2.0 * (1.0 - dice.share()).ln()).sqrt() * (std::f64::consts::TAU * dice.share()).cos();
        let cube = (1.0 + c * normal).powi(3);
        if cube > 0.0 && (1.0 - dice.share()).ln() < 0.5 * normal * normal + d - d * cube + d * cube.ln() {
            return d * cube;
        }
    }
}
