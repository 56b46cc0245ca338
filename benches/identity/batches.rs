//! What a batch of links costs while many persons are there: links between persons that are within all limits, taken at
//! once, and the state published. The same beside one device that is linked to very many users.

use std::time::Instant;

use convoke::identity::resolution::{Given, NodeFacts, Resolution, Resolver};
use convoke::identity::{IdentifierTypes, Keep, LinkRules, SetFacts, TypeId, TypeRule};

use super::samples;

/// Nodes of a person: a user, an e-mail address, a cookie.
const OF_PERSON: u32 = 3;
const BATCHES: usize = 100;
const LINKS: usize = 1_000;
const BUDGET: usize = 10_000;
const SUPERNODE_LINKS: u32 = 1_000_000;

/// Types follow from the number of a node: persons first, then new cookies, then the one device.
struct Facts {
    persons: u32,
    device: u32,
}

impl NodeFacts for Facts {
    fn kind(&self, node: u32) -> TypeId {
        if node == self.device {
            return 6;
        }
        match node % OF_PERSON {
            0 if node < self.persons * OF_PERSON => IdentifierTypes::USER_ID,
            1 if node < self.persons * OF_PERSON => 2,
            _ => IdentifierTypes::ANONYMOUS_ID,
        }
    }

    fn key(&self, node: u32) -> u128 {
        u128::from(node).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
    }

    fn is_blocked(&self, _: u32) -> bool {
        false
    }
}

pub fn measure(persons: usize) -> anyhow::Result<()> {
    let types = IdentifierTypes::default();
    let mut of_types = vec![TypeRule::default(); 8];
    of_types[usize::from(IdentifierTypes::USER_ID)].unique = true;
    of_types[6].max_fanout = Some(5);
    let rules = LinkRules { types: of_types, keep: Keep::Oldest, max_identifiers: 1_000, max_links: 100_000 };
    let device = (persons * OF_PERSON as usize + 2 * BATCHES * LINKS) as u32;
    let facts = Facts { persons: persons as u32, device };
    let given = Given { rules: &rules, types: &types, facts: &facts };
    let mut resolver = Resolver::default();
    resolver.grow(device as usize + 1);
    let start = Instant::now();
    for person in 0..persons as u32 {
        let user = person * OF_PERSON;
        resolver.add_set(given, &[user, user + 1, user + 2], seen(i64::from(person)))?;
    }
    resolver.settle(given, BUDGET);
    let held = resolver.resolution();
    println!("{persons} persons of {OF_PERSON} identifiers, one set each: {:.1} s.\n", start.elapsed().as_secs_f64());
    println!(
        "| {LINKS} links of new cookies to persons all over | links, ms | 95 %, ms | state published, ms |\n|---|---|---|---|"
    );
    batches(&mut resolver, given, persons, 0, "as it is")?;
    let device_links = SUPERNODE_LINKS.min(persons as u32);
    for person in 0..device_links {
        resolver.add_set(given, &[person * OF_PERSON, device], seen(0))?;
    }
    resolver.settle(given, BUDGET);
    anyhow::ensure!(resolver.resolution().is_shared(device), "the device is linked to too many");
    batches(&mut resolver, given, persons, BATCHES * LINKS, "beside a device of a million users")?;
    println!();
    let start = Instant::now();
    resolver.rebuild(given);
    println!("All of it anew: {:.1} s.\n", start.elapsed().as_secs_f64());
    drop(held);
    Ok(())
}

fn batches(
    resolver: &mut Resolver,
    given: Given<'_, Facts>,
    persons: usize,
    cookies: usize,
    name: &str,
) -> anyhow::Result<()> {
    let (mut linking, mut publishing) = (Vec::new(), Vec::new());
    // What readers hold of the states before.
    let mut held: Vec<Resolution> = Vec::new();
    for batch in 0..BATCHES {
        let start = Instant::now();
        for link in 0..LINKS {
            let number = cookies + batch * LINKS + link;
            let cookie = (persons * OF_PERSON as usize + number) as u32;
            // A stride without a common divisor visits persons all over the numbers.
            let user = (number.wrapping_mul(7_919_991) % persons) as u32 * OF_PERSON;
            resolver.add_set(given, &[user, cookie], seen(number as i64))?;
        }
        let settled = resolver.settle(given, BUDGET);
        linking.push(start.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(settled.pending == 0 && !settled.changed.is_empty(), "a batch was not resolved");
        let start = Instant::now();
        held.push(resolver.resolution());
        publishing.push(start.elapsed().as_secs_f64() * 1e3);
        if held.len() > 16 {
            held.remove(0);
        }
    }
    println!(
        "| {name} | {:.2} | {:.2} | {:.3} |",
        samples::median(&linking),
        samples::quantile(&linking, 0.95),
        samples::median(&publishing)
    );
    Ok(())
}

fn seen(ts: i64) -> SetFacts {
    SetFacts { origin: 0, first_seen: ts, last_seen: ts, events: 1 }
}
