//! Who calls, and what they may do. Knows the object store (tokens are objects), no protocol and no SQL.

mod caller;
mod tokens;

pub use caller::{Caller, Role, Visibility};
pub use tokens::{TokenEntry, TokenState, Tokens};
