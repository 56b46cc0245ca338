//! Turns of two sides, medians, and the table. Must not know: bitmaps.

use std::hint::black_box;
use std::time::Instant;

/// Pairs of every cell.
const PAIRS: usize = 21;
/// A turn takes at least this long, by repeating what is shorter.
const TURN_MICROS: f64 = 150.0;

/// One cell of the list.
pub struct Line {
    pub label: String,
    /// Median time of ours in microseconds.
    ours: f64,
    /// Median of the ratios ours / CRoaring's view (or what the label names).
    ratio: f64,
    rivals: Vec<(&'static str, f64)>,
}

impl Line {
    pub fn rival(&mut self, name: &'static str, micros: f64) {
        self.rivals.push((name, micros));
    }
}

fn turn<T>(times: usize, work: &impl Fn() -> T) -> f64 {
    let start = Instant::now();
    (0..times).for_each(|_| {
        black_box(work());
    });
    start.elapsed().as_secs_f64() * 1e6 / times as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Median microseconds of some turns.
pub fn micros<T>(turns: usize, work: impl Fn() -> T) -> f64 {
    median((0..turns).map(|_| turn(1, &work)).collect())
}

pub fn compare<A, B>(label: String, ours: impl Fn() -> A, theirs: impl Fn() -> B) -> Line {
    let first = turn(1, &ours).max(turn(1, &theirs)).max(0.01);
    let times = (TURN_MICROS / first).ceil().max(1.0) as usize;
    let pairs: Vec<(f64, f64)> = (0..PAIRS).map(|_| (turn(times, &ours), turn(times, &theirs))).collect();
    Line {
        label,
        ours: median(pairs.iter().map(|pair| pair.0).collect()),
        ratio: median(pairs.iter().map(|pair| pair.0 / pair.1).collect()),
        rivals: Vec::new(),
    }
}

pub struct Table {
    quick: bool,
    filter: String,
    lines: Vec<Line>,
}

impl Table {
    pub fn new(quick: bool, filter: String) -> Self {
        println!("| cell | ours, us | ours / view | other rivals over ours |\n|---|---|---|---|");
        Table { quick, filter, lines: Vec::new() }
    }

    /// Whether a cell, or one below it, was asked for.
    pub fn wants(&self, label: &str) -> bool {
        self.filter.is_empty() || label.contains(&self.filter) || self.filter.starts_with(label)
    }

    pub fn all_rivals(&self) -> bool {
        !self.quick
    }

    pub fn add(&mut self, line: Line) {
        let rivals: Vec<String> =
            line.rivals.iter().map(|(name, time)| format!("{name} {:.1}x", time / line.ours)).collect();
        println!("| {} | {:.1} | {:.2} | {} |", line.label, line.ours, line.ratio, rivals.join(", "));
        self.lines.push(line);
    }

    /// The ratios once more: a row for each density and shape, a column for each operator and number of sets.
    fn matrix(&self) {
        let cells: Vec<(&str, &str, f64)> = self
            .lines
            .iter()
            .filter_map(|line| line.label.rsplit_once(", ").map(|(row, column)| (row, column, line.ratio)))
            .filter(|(row, column, _)| row.matches(", ").count() == 2 && !column.contains(':'))
            .collect();
        let Some((first, _, _)) = cells.first() else { return };
        let columns: Vec<&str> = cells.iter().take_while(|cell| cell.0 == *first).map(|cell| cell.1).collect();
        println!("\n| ours / view | {} |\n|---|{}", columns.join(" | "), "---|".repeat(columns.len()));
        for row in cells.chunk_by(|one, other| one.0 == other.0) {
            let ratios: Vec<String> = row.iter().map(|cell| format!("{:.2}", cell.2)).collect();
            println!("| {} | {} |", row[0].0, ratios.join(" | "));
        }
    }

    pub fn summary(&self) {
        let sets: Vec<&Line> = self.lines.iter().filter(|line| !line.label.contains(':')).collect();
        if sets.is_empty() {
            return;
        }
        let ratios: Vec<f64> = sets.iter().map(|line| line.ratio).collect();
        self.matrix();
        println!("\n{} cells; median ratio {:.2}", sets.len(), median(ratios.clone()));
        let slow: Vec<_> = sets.iter().filter(|line| line.ratio > 1.1).collect();
        println!("above 1.10: {}", slow.len());
        slow.iter().for_each(|line| println!("  {} {:.2} ({:.1} us)", line.label, line.ratio, line.ours));
    }
}
