//! Convoke: events, persons and audiences of a retailer, behind one SQL endpoint.
//!
//! # Code map
//! Each module imports only those above it in this list (`tests/it/tidy.rs` checks it).
//!
//! | module | is for | must never know |
//! |---|---|---|
//! | [`error`] | one error, its kinds and their protocol codes | any other module |
//! | [`clock`] | times and new ids, of the machine or of a seed | what they are for |
//! | [`doubles`] | DOUBLE columns with one zero and one NaN | where they come from |
//! | [`ids`] | names and numbers that travel everywhere | how they are stored |
//! | [`money`] | amounts and quantities, and how they are rounded | where they come from |
//! | [`orders`] | what an order is: its events resolved into entries and items | Arrow, SQL, storage |
//! | [`settings`] | documented values that a user may change | parts, clocks, stores |
//! | [`metrics`] | counters that a scraper reads | what they count |
//! | [`request`] | one request's id, and what is learned of it | how it arrives |
//! | [`store`] | object store, paths, events and user tables as Delta tables, the log | callers, persons, SQL |
//! | [`auth`] | who calls and what they may do | protocols, SQL |
//! | [`identity`] | identifiers to nodes, nodes to persons | files, SQL |
//! | [`workspace`] | events and identity under one snapshot, one writer | SQL, protocols |
//! | [`ingest`] | accept events: read, validate, number, commit | SQL, protocols |
//! | [`query`] | the engine: SQL in, Arrow out | protocols, wire formats |
//! | [`jobs`] | compaction, vacuum, checks | protocols, terminals |
//! | [`shop`] | the synthetic retail data of demo and tests | storage, SQL |
//! | [`flight`], [`http`] | protocols over the engine and the loader | each other |
//! | [`server`] | one listener for all protocols | the command line |
//! | [`cli`] | commands, progress, tables on a terminal | |
//!
//! Three walks: an event comes in by `cli` or `flight`, goes through `ingest` (parse, validate, number) into
//! `workspace` (durable files, one commit) and is visible. A query goes from `flight` to `query::Engine`, a session of
//! the caller's workspace at one snapshot, and streams out. A fetch of a set will go from `http` past SQL to stored
//! bytes.

pub mod auth;
pub mod cli;
pub mod clock;
pub mod doubles;
pub mod error;
pub mod flight;
pub mod http;
pub mod identity;
pub mod ids;
pub mod ingest;
pub mod jobs;
pub mod metrics;
pub mod money;
pub mod orders;
pub mod query;
pub mod request;
pub mod server;
pub mod settings;
pub mod shop;
pub mod store;
pub mod workspace;
