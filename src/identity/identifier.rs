//! Identifier types, their order and class, and values that identify nobody.

use std::collections::HashSet;

use crate::error::{Error, Result};

/// Index of a type in [`identifier_types`]: the lower, the higher its priority.
pub type TypeId = u8;

/// What an identifier names: a person, a device, a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentifierClass {
    Person,
    Device,
    Cookie,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdentifierType {
    pub name: &'static str,
    pub class: IdentifierClass,
}

/// All types, highest priority first (SQL.md 5).
const TYPES: [IdentifierType; 8] = [
    IdentifierType { name: "user_id", class: IdentifierClass::Person },
    IdentifierType { name: "member_no", class: IdentifierClass::Person },
    IdentifierType { name: "email", class: IdentifierClass::Person },
    IdentifierType { name: "phone", class: IdentifierClass::Person },
    IdentifierType { name: "wechat_unionid", class: IdentifierClass::Person },
    IdentifierType { name: "wechat_openid", class: IdentifierClass::Person },
    IdentifierType { name: "device_id", class: IdentifierClass::Device },
    IdentifierType { name: "anonymous_id", class: IdentifierClass::Cookie },
];

pub fn identifier_types() -> &'static [IdentifierType] {
    &TYPES
}

/// # Errors
/// `InvalidInput` for a type that the workspace does not have, with the types that it has.
pub fn type_id(name: &str) -> Result<TypeId> {
    match TYPES.iter().position(|known| known.name == name) {
        // There are eight types.
        Some(index) => Ok(index as TypeId),
        None => Err(Error::invalid(format!(
            "'{name}' is not an identifier type; the types are {}",
            TYPES.map(|known| known.name).join(", ")
        ))),
    }
}

/// Values that identify nobody: `null`, `unknown`, `0000-0000`, ...
#[derive(Debug, Clone)]
pub struct BlockedValues {
    /// In lower case.
    values: HashSet<String>,
    longest: usize,
}

impl BlockedValues {
    pub fn new<'a>(values: impl IntoIterator<Item = &'a String>) -> Self {
        let values: HashSet<String> = values.into_iter().map(|value| value.to_lowercase()).collect();
        let longest = values.iter().map(String::len).max().unwrap_or_default();
        Self { values, longest }
    }

    /// `value` is already trimmed.
    pub fn contains(&self, value: &str) -> bool {
        if value.bytes().all(|byte| byte == b'0' || byte == b'-') {
            return true;
        }
        // Most values are longer than any blocked one: no allocation for them.
        value.len() <= self.longest && self.values.contains(&value.to_lowercase())
    }
}
