//! Convoke: events, persons and audiences of a retailer, behind one SQL endpoint.

pub mod auth;
pub mod error;
pub mod flight;
pub mod http;
pub mod ids;
pub mod ingest;
pub mod metrics;
pub mod query;
pub mod server;
