//! A Markov chain of order one over channels, and how much conversion each channel carries. Knows no Arrow and no SQL.

/// Counts of transitions of one path model; channels are numbered from 0.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) channels: usize,
    /// How often paths begin at each channel.
    pub(super) starts: Vec<f64>,
    /// How often a channel is followed by another one, row by row.
    pub(super) moves: Vec<f64>,
    /// How often a channel ends a path that converts, and one that does not.
    pub(super) converted: Vec<f64>,
    pub(super) lost: Vec<f64>,
}

impl Chain {
    pub(super) fn new(channels: usize) -> Self {
        let zeros = || vec![0.0; channels];
        Self { channels, starts: zeros(), moves: vec![0.0; channels * channels], converted: zeros(), lost: zeros() }
    }

    /// The removal effect of each channel: the share of conversions that is lost when paths end at it instead.
    ///
    /// With N = (I - Q)^-1, a path ever comes to channel c with probability (s N)_c / N_cc, and converts from there with
    /// (N r)_c; without c the conversions are fewer by the product of the two. So one inversion serves all channels.
    pub(super) fn removal_effects(&self) -> Vec<f64> {
        let n = self.channels;
        let starts: f64 = self.starts.iter().sum();
        if starts == 0.0 {
            return vec![0.0; n];
        }
        let outgoing: Vec<f64> =
            (0..n).map(|from| self.row(from).iter().sum::<f64>() + self.converted[from] + self.lost[from]).collect();
        let mut matrix = vec![0.0; n * n];
        for (from, all) in outgoing.iter().enumerate() {
            for (to, count) in self.row(from).iter().enumerate() {
                let own = if from == to { 1.0 } else { 0.0 };
                matrix[from * n + to] = own - count / all;
            }
        }
        let inverse = inverted(matrix, n);
        let column = |to: usize| (0..n).map(|from| self.starts[from] / starts * inverse[from * n + to]).sum::<f64>();
        let converts =
            |from: usize| (0..n).map(|to| inverse[from * n + to] * self.converted[to] / outgoing[to]).sum::<f64>();
        let all: f64 = (0..n).map(|channel| self.starts[channel] / starts * converts(channel)).sum();
        if all == 0.0 {
            return vec![0.0; n];
        }
        (0..n).map(|channel| column(channel) / inverse[channel * n + channel] * converts(channel) / all).collect()
    }

    fn row(&self, from: usize) -> &[f64] {
        &self.moves[from * self.channels..(from + 1) * self.channels]
    }
}

/// The inverse of an n by n matrix by Gauss and Jordan. Every channel is left by some path, so that I - Q has one.
fn inverted(mut matrix: Vec<f64>, n: usize) -> Vec<f64> {
    let mut inverse = vec![0.0; n * n];
    (0..n).for_each(|place| inverse[place * n + place] = 1.0);
    for column in 0..n {
        let size = |row: usize| matrix[row * n + column].abs();
        let pivot = (column..n).fold(column, |best, row| if size(row) > size(best) { row } else { best });
        for place in 0..n {
            matrix.swap(column * n + place, pivot * n + place);
            inverse.swap(column * n + place, pivot * n + place);
        }
        let by = matrix[column * n + column];
        for place in 0..n {
            matrix[column * n + place] /= by;
            inverse[column * n + place] /= by;
        }
        for row in (0..n).filter(|row| *row != column) {
            let factor = matrix[row * n + column];
            if factor == 0.0 {
                continue;
            }
            for place in 0..n {
                matrix[row * n + place] -= factor * matrix[column * n + place];
                inverse[row * n + place] -= factor * inverse[column * n + place];
            }
        }
    }
    inverse
}
