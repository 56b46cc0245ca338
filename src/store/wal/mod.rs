//! The write-ahead log of a workspace: what is acknowledged lies here until it is flushed.
//!
//! Knows positions and bytes; must not know what a payload means, nor what a person or an event is.

pub mod local;
mod log;
pub mod objects;
mod places;
pub mod record;
mod size;

pub use log::{Log, Records};
pub use places::RecordPlaces;
pub use size::{LogGauge, LogSize};
