//! Runs a plan over ranges of keys, on several threads if asked. Ranges are independent, and results come back in the
//! order of keys, so the number of threads changes nothing but the time. Must not know: what is made of the members.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::evaluate::{Evaluator, NO_KEY};
use super::expression::{Node, Plan};

const KEYS: u32 = 1 << 16;
/// Less input than this for each thread is not worth a thread.
const BYTES_PER_WORKER: u64 = 1 << 20;
/// Ranges a worker, so that a heavy one does not hold up the rest.
const RANGES_PER_WORKER: usize = 8;

impl<'a> Plan<'a> {
    /// Calls `each` with all keys at which there may be members, in ascending order, until it breaks.
    pub(crate) fn for_keys<'p>(&'p self, mut each: impl FnMut(&mut Evaluator<'p>, u32) -> ControlFlow<()>) {
        let mut evaluator = Evaluator::new(self);
        // A break is the end that was asked for.
        let _ = walk(&mut evaluator, 0, KEYS, &mut each);
    }

    /// Makes one `T` a range of keys, in the order of keys. When `each` breaks, its range ends and the ranges not begun
    /// are left out.
    pub(crate) fn fold_ranges<'p, T: Send>(
        &'p self,
        start: impl Fn() -> T + Sync,
        each: impl Fn(&mut T, &mut Evaluator<'p>, u32) -> ControlFlow<()> + Sync,
    ) -> Vec<T> {
        let stopped = AtomicBool::new(false);
        self.over_ranges(|from, to| {
            let mut result = start();
            if !stopped.load(Ordering::Relaxed) {
                let mut evaluator = Evaluator::new(self);
                if walk(&mut evaluator, from, to, &mut |evaluator, key| each(&mut result, evaluator, key)).is_break() {
                    stopped.store(true, Ordering::Relaxed);
                }
            }
            result
        })
    }

    /// Calls `work` with ranges of keys [from, to) that make up all keys; the results are in their order.
    pub(crate) fn over_ranges<T: Send>(&self, work: impl Fn(u32, u32) -> T + Sync) -> Vec<T> {
        let workers = self.workers.min(usize::try_from(self.input_bytes() / BYTES_PER_WORKER).unwrap_or(1));
        let ranges = if workers < 2 { vec![(0, KEYS)] } else { self.key_ranges(workers * RANGES_PER_WORKER) };
        if let [(from, to)] = ranges[..] {
            return vec![work(from, to)];
        }
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some((from, to)) = ranges.get(at) else { break };
                done.push((at, work(*from, *to)));
            }
            done
        };
        let mut results = std::thread::scope(|scope| {
            let threads: Vec<_> = (1..workers).map(|_| scope.spawn(work)).collect();
            let mut results = work();
            for thread in threads {
                match thread.join() {
                    Ok(done) => results.extend(done),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            results
        });
        results.sort_by_key(|(at, _)| *at);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// Cuts the keys into about `count` ranges of like work: by the containers of the view that has most of them.
    fn key_ranges(&self, count: usize) -> Vec<(u32, u32)> {
        let has_range = self.nodes.iter().any(|node| matches!(node, Node::Range(_)));
        let largest = self.views.iter().max_by_key(|view| view.containers());
        let (Some(view), false) = (largest, has_range && self.views.is_empty()) else { return vec![(0, KEYS)] };
        let step = view.containers().div_ceil(count).max(1);
        let mut starts: Vec<u32> = (step..view.containers()).step_by(step).map(|index| view.key(index)).collect();
        starts.insert(0, 0);
        starts.push(KEYS);
        starts.dedup();
        starts.windows(2).map(|pair| (pair[0], pair[1])).collect()
    }
}

fn walk<'p>(
    evaluator: &mut Evaluator<'p>,
    from: u32,
    to: u32,
    each: &mut impl FnMut(&mut Evaluator<'p>, u32) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut key = evaluator.next_key(from);
    while key < to && key != NO_KEY {
        each(evaluator, key)?;
        key = evaluator.next_key(key + 1);
    }
    ControlFlow::Continue(())
}
