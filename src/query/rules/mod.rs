//! What is changed in a plan, or refused, between SQL and execution: each rule a file, each list of rules in its order.
//!
//! Must know no protocol and no workspace: a rule sees a plan and the options of the session.

pub(super) mod logical;
pub(super) mod optimizer;
pub(super) mod physical;
