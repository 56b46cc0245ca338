//! Reference tables out of files: names of days, exchange rates. All rows are right or nothing is imported.
//!
//! Must not know storage or SQL: the workspace stores what comes out of here.

mod dates;
mod fx_rates;
mod rows;
#[cfg(test)]
mod tests;

pub use dates::read_dates;
pub use fx_rates::read_fx_rates;
