use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::identity::IdentityGraph;
use crate::identity::tests::{Event, add, event};
use crate::store::delta::LiveFiles;

const MINUTE: Duration = Duration::from_secs(60);

/// States one after the other, each with more persons than the one before.
struct Growing {
    graph: IdentityGraph,
    version: u64,
}

impl Growing {
    fn new() -> Self {
        Self { graph: IdentityGraph::default(), version: 0 }
    }

    fn next(&mut self) -> Arc<Snapshot> {
        let events: Vec<Event> = (0..10).map(|person| event(&[(0, &format!("u{}-{person}", self.version))])).collect();
        add(&mut self.graph, &events);
        self.graph.finish_batch();
        self.version += 1;
        let events = LiveFiles { version: self.version, ..Default::default() };
        Arc::new(Snapshot { events, identity: self.graph.snapshot(), ..Default::default() })
    }
}

fn name(text: &str) -> WorkspaceName {
    WorkspaceName::new(text).unwrap()
}

/// What the leases of one workspace cost, counted anew.
fn bytes_of(leases: &Leases, workspace: &WorkspaceName, newest: &Snapshot) -> usize {
    let held = leases.held.lock();
    let Some(states) = held.get(workspace) else { return 0 };
    let states: Vec<&Snapshot> = states.states.iter().map(|held| held.state.as_ref()).chain([newest]).collect();
    let pairs = states.windows(2).filter(|pair| pair[0].id() != pair[1].id());
    pairs.map(|pair| pair[0].bytes_beside(pair[1])).sum()
}

#[test]
fn a_thousand_tickets_of_one_position_hold_one_state() {
    let (leases, shop, mut growing) = (Leases::new(1 << 30), name("shop"), Growing::new());
    let state = growing.next();
    let (id, now) = (state.id(), Instant::now());
    for _ in 0..1_000 {
        leases.lease(&shop, &state, &state, now, now + MINUTE);
    }
    assert_eq!(leases.size(), (1, 0), "it is the newest one: it costs nothing");
    let weak = Arc::downgrade(&state);
    drop(state);
    let newest = growing.next();
    assert_eq!(leases.find(&shop, &newest, id, now).unwrap().id(), id);
    // A lease of a newer one tells what the older one costs.
    leases.lease(&shop, &newest, &newest, now, now + MINUTE);
    let (states, bytes) = leases.size();
    assert_eq!((states, bytes), (2, bytes_of(&leases, &shop, &newest)));
    assert!(bytes > 0);
    let later = now + MINUTE;
    assert!(leases.find(&shop, &newest, id, later).is_err(), "its time is over");
    assert_eq!(leases.size().0, 0, "what is over is forgotten");
    assert!(weak.upgrade().is_none());
}

#[test]
fn beyond_the_budget_the_one_used_least_lately_ends_of_whom_holds_the_most() {
    let (shop, other) = (name("shop"), name("other"));
    let mut growing = Growing::new();
    let (first, second) = (growing.next(), growing.next());
    let of_one = first.bytes_beside(&second);
    let leases = Leases::new(10 * of_one);
    let now = Instant::now();
    let until = now + MINUTE;
    let alone = Growing::new().next();
    leases.lease(&other, &alone, &alone, now, until);
    let states: Vec<_> = (0..100).map(|_| growing.next()).collect();
    for state in &states {
        leases.lease(&shop, state, state, now, until);
        assert!(leases.find(&shop, state, state.id(), now).is_ok());
        // The first one is in use all the time.
        assert!(leases.find(&shop, state, states[0].id(), now).is_ok());
        assert!(leases.size().1 <= 10 * of_one);
    }
    let newest = states.last().unwrap();
    let held: Vec<bool> = states.iter().map(|state| leases.find(&shop, newest, state.id(), now).is_ok()).collect();
    assert!(held[0] && held[99] && !held[1] && !held[50], "{held:?}");
    let error = leases.find(&shop, newest, states[50].id(), now).unwrap_err();
    assert_eq!(error.kind(), crate::error::Kind::Conflict);
    assert!(leases.find(&other, newest, alone.id(), now).is_ok(), "nothing is taken from others");
    assert!(leases.find(&other, newest, states[0].id(), now).is_err(), "nor given to others");
}

/// What states cost that all are held.
fn together(states: &[Arc<Snapshot>]) -> usize {
    states.windows(2).map(|pair| pair[0].bytes_beside(&pair[1])).sum()
}

/// Somebody polls while rows come in.
#[test]
fn a_state_that_nobody_has_read_outlives_all_that_were_read() {
    let (shop, other, now) = (name("shop"), name("other"), Instant::now());
    let until = now + MINUTE;
    let mut growing = Growing::new();
    let states: Vec<_> = (0..100).map(|_| growing.next()).collect();
    let newest = states.last().unwrap();
    let budget = together(&states) / 5;
    let leases = Leases::new(budget);
    // One of two is read.
    leases.lease(&shop, &states[0], &states[0], now, until);
    leases.lease(&shop, &states[0], &states[0], now, until);
    assert!(leases.find(&shop, &states[0], states[0].id(), now).is_ok());
    let alone = Growing::new().next();
    leases.lease(&other, &alone, &alone, now, until);
    for state in &states[1..] {
        leases.lease(&shop, state, state, now, until);
        assert!(leases.find(&shop, state, state.id(), now).is_ok());
        assert!(leases.size().1 <= budget);
    }
    let is_held = |state: usize| leases.find(&shop, newest, states[state].id(), now).is_ok();
    assert_eq!([0, 1, 50, 98, 99].map(is_held), [true, false, false, true, true]);
    assert!(is_held(0) && is_held(98), "a second read finds what is still there");
    assert!(leases.find(&other, newest, alone.id(), now).is_ok(), "nothing is taken from others");
}

#[test]
fn where_none_was_read_the_oldest_ends_first() {
    let (shop, mut growing, now) = (name("shop"), Growing::new(), Instant::now());
    let states: Vec<_> = (0..100).map(|_| growing.next()).collect();
    let newest = states.last().unwrap();
    let budget = together(&states) / 5;
    let leases = Leases::new(budget);
    for state in &states {
        leases.lease(&shop, state, state, now, now + MINUTE);
        assert!(leases.size().1 <= budget);
    }
    let is_held = |state: usize| leases.find(&shop, newest, states[state].id(), now).is_ok();
    assert_eq!([0, 50, 98, 99].map(is_held), [false, false, true, true]);
}

/// A ticket that nobody asks for costs more and more while others write.
#[test]
fn a_sweep_counts_what_the_last_state_costs_by_now() {
    let (shop, mut growing, now) = (name("shop"), Growing::new(), Instant::now());
    let (state, newest) = (growing.next(), growing.next());
    let leases = Leases::new(state.bytes_beside(&newest) - 1);
    leases.lease(&shop, &state, &state, now, now + MINUTE);
    assert_eq!(leases.size(), (1, 0));
    leases.sweep(now, |_| Some(Arc::clone(&state)));
    assert_eq!(leases.size(), (1, 0), "it is still the newest");
    leases.sweep(now, |_| Some(Arc::clone(&newest)));
    assert_eq!(leases.size(), (0, 0), "it costs more than the budget");
    leases.lease(&shop, &newest, &newest, now, now + MINUTE);
    leases.sweep(now + MINUTE, |_| None);
    assert_eq!(leases.size(), (0, 0), "its time is over");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is counted as leases come and go is what they cost.
    #[test]
    fn costs_are_those_of_the_states_that_are_held(
        steps in prop::collection::vec((0_u64..4, 0_usize..8, 1_u64..100), 1..40),
        budget in 0_usize..40_000,
    ) {
        let (leases, shop, mut growing, mut now) = (Leases::new(budget), name("shop"), Growing::new(), Instant::now());
        let mut states = vec![growing.next()];
        for (kind, back, seconds) in steps {
            match kind {
                0 => states.push(growing.next()),
                1 => now += Duration::from_secs(seconds),
                _ => {
                    let newest = states.last().unwrap();
                    // Only a state that is there can be leased: the newest, or one that is leased.
                    let wanted = &states[states.len() - 1 - back % states.len()];
                    let Ok(state) = leases.find(&shop, newest, wanted.id(), now) else { continue };
                    leases.lease(&shop, &state, newest, now, now + Duration::from_secs(seconds));
                    let (count, bytes) = leases.size();
                    prop_assert_eq!(bytes, bytes_of(&leases, &shop, newest));
                    prop_assert!(bytes <= budget || count == 1, "{} states of {} bytes", count, bytes);
                }
            }
        }
    }
}
