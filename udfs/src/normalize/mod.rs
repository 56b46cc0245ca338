//! Identifiers brought into the one form in which they are compared: plain functions of texts, for SQL and for whoever
//! reads identifiers from elsewhere. Must not know: Arrow, DataFusion, whose identifiers they are.
//!
//! What is no identifier of its kind gives `None`. Each function gives its own results back unchanged.

mod email;
mod phone;
#[cfg(test)]
mod tests;

pub use email::{EmailOptions, email, email_with};
pub use phone::{Region, phone};
