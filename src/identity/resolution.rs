//! From identifier sets and rules to persons: which identifiers are one person, which links are refused, and by which
//! rule. The same sets, rules and overrides give the same persons, in whatever order and batches they came.
//!
//! Links come from sets: from the identifier of highest priority that can be used to each other one. An identifier that
//! is linked to too many persons is *shared* and takes no part. The other links are heard in their canonical order, and
//! one is refused whose ends would make a person that breaks a limit.
//!
//! Limits are monotone: a part of a component that breaks none breaks none. So a component that is within all limits as a
//! whole is one person in any order of its links (a *clean* one), and a link between clean ones that stays within them is
//! taken at once. Only the others are replayed, link by link.
//!
//! Knows nodes, types, times and rules; must not know files, SQL, protocols, texts, nor the numbers of persons.

mod component;
mod explain;
mod fanout;
mod forest;
mod given;
mod limits;
mod links;
mod overrides;
mod partition;
mod replay;
mod resolver;
mod set_store;
mod state;
mod tally;
#[cfg(test)]
mod tests;
mod whole;

pub use explain::{Apart, Explanation, explain};
pub use forest::Forest;
pub use given::{Given, NodeFacts};
pub use limits::Rule;
pub use links::Link;
pub use overrides::{Action, Override, OverrideId, Overrides};
pub use replay::{LinkVerdict, Refusal, Verdict};
pub use resolver::{PersonChanges, Resolver};
pub use state::Resolution;
