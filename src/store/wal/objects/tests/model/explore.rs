//! Every order in which actors can take their steps, and every fault at every step, as far as states differ.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use super::stepped::{NOBODY, Outcome, World};

/// Something that takes one step a request.
type Actor = Pin<Box<dyn Future<Output = ()>>>;

/// Hashes what actors share beside the world, such as the memory of one process.
pub(super) type Shared = Box<dyn Fn(&mut DefaultHasher)>;

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Choice {
    Step(usize, Outcome),
    Deliver(usize),
}

/// A world with its actors, at one moment.
pub(super) struct Play {
    pub(super) world: Arc<World>,
    actors: Vec<Option<Actor>>,
    shared: Shared,
    faults_left: u32,
    pub(super) trace: Vec<String>,
}

impl Play {
    /// With what actors share, and with so many faults.
    pub(super) fn new(world: Arc<World>, actors: Vec<Actor>, shared: Shared, faults: u32) -> Self {
        let actors = actors.into_iter().map(Some).collect();
        let mut play = Self { world, actors, shared, faults_left: faults, trace: Vec::new() };
        for actor in 0..play.actors.len() {
            play.poll(actor);
        }
        play
    }

    pub(super) fn is_over(&self) -> bool {
        self.actors.iter().all(Option::is_none)
    }

    /// Runs an actor until its next request.
    fn poll(&mut self, actor: usize) {
        self.world.current.store(actor, Ordering::Relaxed);
        let done = self.actors[actor]
            .as_mut()
            .is_none_or(|future| future.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(()));
        if done {
            self.actors[actor] = None;
        }
        self.world.current.store(NOBODY, Ordering::Relaxed);
    }

    fn take(&mut self, choice: Choice) {
        match choice {
            Choice::Deliver(number) => {
                self.trace.push(format!("arrives late: {}", self.world.late.lock()[number].0));
                self.world.deliver(number);
            }
            Choice::Step(actor, outcome) => {
                let request = self.world.turns[actor].waiting().map(|(request, _)| request).unwrap_or_default();
                self.trace.push(format!("actor {actor}: {request} {outcome:?}"));
                self.faults_left -= u32::from(outcome != Outcome::Fine);
                self.world.turns[actor].grant(outcome);
                self.poll(actor);
            }
        }
    }

    fn choices(&self) -> Vec<Choice> {
        // One that arrives where something lies changes nothing.
        let late = self.world.late.lock();
        let lands = |number: &usize| self.world.peek(&late[*number].0).is_none();
        let mut choices: Vec<_> = (0..late.len()).filter(lands).map(Choice::Deliver).collect();
        drop(late);
        for actor in (0..self.actors.len()).filter(|actor| self.actors[*actor].is_some()) {
            let creates = self.world.turns[actor].waiting().is_some_and(|(_, creates)| creates);
            choices.push(Choice::Step(actor, Outcome::Fine));
            if creates && self.faults_left > 0 {
                let faults = [Outcome::LostRequest, Outcome::LostAnswer, Outcome::Late];
                choices.extend(faults.map(|fault| Choice::Step(actor, fault)));
            }
        }
        choices
    }

    /// Two plays with one hash go on alike.
    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.world.hash(&mut hasher);
        self.faults_left.hash(&mut hasher);
        for (turn, actor) in self.world.turns.iter().zip(&self.actors) {
            turn.hash(&mut hasher);
            actor.is_some().hash(&mut hasher);
        }
        (self.shared)(&mut hasher);
        hasher.finish()
    }
}

/// How much was looked at.
#[derive(Debug, Default)]
pub(super) struct Explored {
    pub(super) states: usize,
    pub(super) ends: usize,
}

/// Plays `start` to every end; `check` looks at each.
///
/// # Errors
/// What `check` found first, with the steps that led there.
pub(super) fn explore(
    start: &dyn Fn() -> Play,
    check: &dyn Fn(&Play) -> Result<(), String>,
) -> Result<Explored, String> {
    let mut seen = HashSet::new();
    let mut explored = Explored::default();
    let mut open: Vec<Vec<Choice>> = vec![Vec::new()];
    while let Some(mut path) = open.pop() {
        let mut play = start();
        path.iter().for_each(|choice| play.take(*choice));
        while seen.insert(play.hash()) {
            if seen.len() % 20000 == 0 {
                println!("{} states, open {}, {} ends", seen.len(), open.len(), explored.ends);
            }
            if play.is_over() {
                explored.ends += 1;
                check(&play).map_err(|why| format!("{why}\nafter\n  {}", play.trace.join("\n  ")))?;
            }
            let choices = play.choices();
            let Some((first, others)) = choices.split_first() else { break };
            open.extend(others.iter().map(|other| [&path[..], &[*other]].concat()));
            play.take(*first);
            path.push(*first);
        }
    }
    explored.states = seen.len();
    Ok(explored)
}
