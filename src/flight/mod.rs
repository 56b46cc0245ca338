//! Flight SQL: how analysts' and BI tools' drivers talk to the engine, and bulk ingest by DoPut.
//!
//! Implements `FlightService` itself rather than arrow-flight's Flight SQL trait, which fixes several calls to
//! "unimplemented". Each file is one subject; `service` only dispatches. Must not know HTTP (but for
//! `fetch`, which frames the messages of DoGet), nor how a query is planned or events are stored.

mod actions;
mod bindings;
mod encode;
mod event_stream;
mod executed;
mod fetch;
mod ingest;
mod keys;
mod login;
mod metadata;
pub mod output;
mod prepared;
mod receive;
mod running;
mod send;
mod service;
mod session_actions;
mod session_messages;
mod sessions;
mod sql_info;
mod statement;
mod status;
mod table_ingest;
mod ticket;
mod type_names;
mod update;
mod xdbc_types;

pub use fetch::fetches;
pub use service::{FlightSql, Stopper};
pub use sessions::SessionCount;
