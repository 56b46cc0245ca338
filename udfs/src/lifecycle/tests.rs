//! The state of events, the parts of a credit and the Markov chain, each against a plainer way to the same result.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array};
use datafusion::logical_expr::EmitTo;

use super::attribution_models::{Model, shares};
use super::events::EventLog;
use super::markov_chain::Chain;

/// Numbers without a pattern that repeats soon: the minimal standard generator.
fn numbers(seed: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(seed), |last| Some(last * 48_271 % 2_147_483_647)).skip(1)
}

/// The events of each group as (time, condition 0, condition 9).
fn listed(log: &mut EventLog, emit: EmitTo) -> Vec<Vec<(i64, bool, bool)>> {
    let mut grouped = log.take(emit).unwrap();
    let mut list = Vec::new();
    for group in 0..grouped.groups() {
        let timeline = grouped.timeline(group);
        list.push(
            (0..timeline.len()).map(|at| (timeline.times[at], timeline.met(at, 0), timeline.met(at, 9))).collect(),
        );
    }
    list
}

/// Rows of (group, time, condition 0, condition 9), of ten conditions.
fn filled(rows: &[(usize, i64, bool, bool)], keep_all: bool) -> EventLog {
    let times: ArrayRef = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1)));
    let condition = |place: usize| -> ArrayRef {
        let holds = |row: &(usize, i64, bool, bool)| match place {
            0 => row.2,
            9 => row.3,
            _ => false,
        };
        Arc::new(BooleanArray::from(rows.iter().map(holds).collect::<Vec<bool>>()))
    };
    let conditions: Vec<ArrayRef> = (0..10).map(condition).collect();
    let mut log = EventLog::new("test", 10, keep_all);
    log.set_count(rows.iter().map(|row| row.0 + 1).max().unwrap_or(0));
    log.update(&times, &conditions, None, |row| rows[row].0).unwrap();
    log
}

#[test]
fn events_come_out_by_group_and_time() {
    let mut chance = numbers(7);
    let mut next = |below: u64| chance.next().unwrap() % below;
    let rows: Vec<(usize, i64, bool, bool)> =
        (0..500).map(|_| (next(9) as usize, next(20) as i64 - 5, next(2) == 0, next(3) == 0)).collect();
    for keep_all in [true, false] {
        let expected = |group: usize| {
            let own = rows.iter().filter(|row| row.0 == group && (keep_all || row.2 || row.3));
            let mut events: Vec<(i64, bool, bool)> = own.map(|row| (row.1, row.2, row.3)).collect();
            // The condition with the higher number decides the order at one time.
            events.sort_by_key(|event| (event.0, event.2, event.1));
            events
        };
        let all: Vec<_> = (0..9).map(expected).collect();
        assert_eq!(listed(&mut filled(&rows, keep_all), EmitTo::All), all);
        let mut log = filled(&rows, keep_all);
        assert_eq!(listed(&mut log, EmitTo::First(4)), all[..4]);
        assert_eq!(listed(&mut log, EmitTo::First(1)), all[4..5]);
        // The groups that stay have moved down; those of another log are merged into them.
        log.set_count(4);
        let states: ArrayRef =
            Arc::new(filled(&[(1, 99, true, true)], keep_all).take(EmitTo::All).unwrap().states().unwrap());
        log.merge(&states, |row| row).unwrap();
        let mut rest = all[5..].to_vec();
        rest[1].push((99, true, true));
        assert_eq!(listed(&mut log, EmitTo::All), rest);
    }
}

#[test]
fn a_state_that_is_cut_is_refused() {
    let states = filled(&[(0, 1, true, false)], false).take(EmitTo::All).unwrap().states().unwrap();
    let cut: ArrayRef = Arc::new(arrow::array::LargeBinaryArray::from_iter_values([&states.value(0)[..9]]));
    let error = EventLog::new("test", 10, false).merge(&cut, |row| row).unwrap_err();
    assert!(error.to_string().contains("test: a state is damaged"), "{error}");
}

#[test]
fn sizes_grow_with_the_events() {
    let few = filled(&[(0, 1, true, false)], false).size();
    let many = filled(&vec![(0, 1, true, false); 1_000], false).size();
    assert!(few > 0 && many >= 1_000 * (4 + 8 + 2), "{few} {many}");
}

#[test]
fn parts_add_up_to_the_whole() {
    let mut chance = numbers(3);
    for whole in [0, 1, 7, -10_000, 120_000_000, 999_999_999_999_999_999_999] {
        for touches in 1..20 {
            let days: Vec<f64> = (0..touches).map(|_| chance.next().unwrap() as f64 / 1e7).collect();
            for model in [Model::Linear, Model::Position { first: 0.4, last: 0.4 }, Model::TimeDecay { half_life: 7.0 }]
            {
                let weights = model.weights(&days);
                assert_eq!(shares(whole, &weights).iter().sum::<i128>(), whole, "{model:?} {weights:?}");
            }
        }
    }
}

/// The share of paths that convert when paths end at one channel, by following the chain for many steps.
fn converting(chain: &Chain, removed: Option<usize>) -> f64 {
    let n = chain.channels;
    let starts: f64 = chain.starts.iter().sum();
    let mut here: Vec<f64> = chain.starts.iter().map(|count| count / starts).collect();
    let mut converted = 0.0;
    for _ in 0..10_000 {
        let mut next = vec![0.0; n];
        for from in (0..n).filter(|from| Some(*from) != removed) {
            let moves = &chain.moves[from * n..(from + 1) * n];
            let all: f64 = moves.iter().sum::<f64>() + chain.converted[from] + chain.lost[from];
            converted += here[from] * chain.converted[from] / all;
            next.iter_mut().zip(moves).for_each(|(held, count)| *held += here[from] * count / all);
        }
        here = next;
    }
    converted
}

#[test]
fn removal_effects_are_those_of_removal() {
    let mut chance = numbers(11);
    for channels in [1, 2, 5, 12] {
        let mut chain = Chain::new(channels);
        let mut count = || (chance.next().unwrap() % 5) as f64;
        chain.starts.fill_with(&mut count);
        chain.moves.fill_with(&mut count);
        chain.converted.fill_with(&mut count);
        // Every channel is left, as channels of real paths are.
        chain.lost.fill_with(|| count() + 1.0);
        chain.starts[0] = 1.0;
        chain.converted[0] = 1.0;
        let all = converting(&chain, None);
        for (channel, effect) in chain.removal_effects().into_iter().enumerate() {
            let expected = 1.0 - converting(&chain, Some(channel)) / all;
            assert!((effect - expected).abs() < 1e-9, "{channels} channels, {channel}: {effect} is not {expected}");
        }
    }
}
