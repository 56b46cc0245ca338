//! What a commit costs while many persons are there: the state of the identity graph that a commit of 1,000 events
//! publishes.

use std::collections::VecDeque;
use std::time::Instant;

use convoke::clock::Clock;
use convoke::identity::{
    IdentifierTypes, IdentityGraph, IdentitySnapshot, LoadNumbers, NumberEvents, OriginRef, Overlay, Seen, SetBuilder,
};

use super::samples;

const ORIGIN: OriginRef<'_> = OriginRef { source: Some("web"), kind: "track", load: None };
const COMMITS: usize = 200;
const EVENTS: usize = 1_000;
/// Of the events of a commit those of new persons; the others bring a new cookie of one who is there.
const NEW: usize = 100;
/// States that queries still read.
const HELD: usize = 16;

pub fn measure(sizes: &[usize]) -> anyhow::Result<()> {
    println!(
        "| persons | identifiers | {EVENTS} events into the graph, ms | the state published, ms | 95 %, ms | a state, MB | all arrays, MB |"
    );
    println!("|---|---|---|---|---|---|---|");
    for size in sizes {
        row(*size)?;
    }
    println!();
    Ok(())
}

fn row(persons: usize) -> anyhow::Result<()> {
    let mut graph = IdentityGraph::default();
    let (user, cookie, email) = (IdentifierTypes::USER_ID, IdentifierTypes::ANONYMOUS_ID, graph.types().id("email")?);
    let mut sets = SetBuilder::default();
    let mut numbers = LoadNumbers::new(&mut graph, &mut sets);
    let seen = Seen { ts: 0, origin: numbers.origin(ORIGIN) };
    for person in 0..persons {
        let (member, address) = (format!("u{person}"), format!("person{person}@example.com"));
        numbers
            .add_event(seen, [(user, member.as_str()), (email, address.as_str()), (cookie, &format!("c{person}"))])?;
    }
    graph.place(sets.finish(), 1, &Clock::default());
    graph.finish_batch();
    let all = graph.snapshot();
    let mut held: VecDeque<IdentitySnapshot> = VecDeque::from([all.clone()]);
    let (mut adding, mut publishing, mut own) = (Vec::new(), Vec::new(), Vec::new());
    for commit in 0..COMMITS {
        let start = Instant::now();
        let mut overlay = Overlay::new(graph.snapshot(), Clock::default());
        let seen = Seen { ts: commit as i64, origin: overlay.origin(ORIGIN) };
        for event in 0..EVENTS {
            let number = commit * EVENTS + event;
            // A stride without a common divisor visits persons all over the numbers.
            let person = if event < NEW { persons + number } else { number.wrapping_mul(7_919_991) % persons };
            overlay.add_event(seen, [(user, format!("u{person}").as_str()), (cookie, &format!("new{number}"))])?;
        }
        graph.replay(&overlay.finish())?;
        adding.push(start.elapsed().as_secs_f64() * 1e3);
        let start = Instant::now();
        let state = graph.snapshot();
        publishing.push(start.elapsed().as_secs_f64() * 1e3);
        if let Some(before) = held.back() {
            own.push(state.bytes_beside(before) as f64 / 1e6);
        }
        held.push_back(state);
        if held.len() > HELD {
            held.pop_front();
        }
    }
    println!(
        "| {persons} | {} | {:.2} | {:.2} | {:.2} | {:.1} | {:.0} |",
        all.nodes(),
        samples::median(&adding),
        samples::median(&publishing),
        samples::quantile(&publishing, 0.95),
        samples::median(&own),
        all.bytes_beside(&IdentitySnapshot::default()) as f64 / 1e6
    );
    Ok(())
}
