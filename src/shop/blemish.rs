//! What is wrong with real identifiers: placeholders in place of values, and blanks around them.
//!
//! Placeholders must never link two persons; the rule here is the one that the truth is counted by.

use super::plan::{Identifier, IdentifierKind};
use super::script::Script;

/// Placeholders that real trackers, forms and tills send, each with the type that it comes in.
const JUNK: [(IdentifierKind, &str); 14] = [
    (IdentifierKind::Phone, "0000000000"),
    (IdentifierKind::Email, "unknown"),
    (IdentifierKind::MemberNo, "N/A"),
    (IdentifierKind::Phone, ""),
    (IdentifierKind::Email, "null"),
    (IdentifierKind::AnonymousId, "anonymous"),
    (IdentifierKind::UserId, "guest"),
    (IdentifierKind::DeviceId, "00000000-0000-0000-0000-000000000000"),
    (IdentifierKind::UserId, "-1"),
    (IdentifierKind::AnonymousId, "undefined"),
    (IdentifierKind::MemberNo, "NULL"),
    (IdentifierKind::Email, " Unknown "),
    (IdentifierKind::Phone, "none"),
    (IdentifierKind::DeviceId, "test"),
];

/// Events that get a placeholder beside or in place of their identifiers, per mille.
const JUNK_SHARE: u32 = 6;

/// Events with a blank around an identifier, per mille.
const BLANK_SHARE: u32 = 4;

const PLACEHOLDERS: [&str; 12] =
    ["", "null", "none", "nil", "undefined", "unknown", "anonymous", "n/a", "na", "guest", "test", "-1"];

/// Whether a value stands for "no value": one of the placeholders in any case, or nothing but '0' and '-'.
pub fn is_junk(value: &str) -> bool {
    let value = value.trim();
    PLACEHOLDERS.iter().any(|placeholder| value.eq_ignore_ascii_case(placeholder))
        || value.bytes().all(|byte| byte == b'0' || byte == b'-')
}

impl Script {
    pub fn blemish(&mut self) {
        for event in &mut self.events {
            if self.dice.chance(JUNK_SHARE) {
                let (kind, value) = self.dice.pick(&JUNK);
                event.identifiers.retain(|identifier| identifier.kind != kind);
                event.identifiers.push(Identifier { kind, value: value.to_owned() });
            }
            if self.dice.chance(BLANK_SHARE) {
                pad(&mut event.identifiers);
            }
        }
    }
}

/// Only what people type by hand gets a blank; cookies and account numbers come from programs.
fn pad(identifiers: &mut [Identifier]) {
    let typed = [IdentifierKind::Email, IdentifierKind::Phone, IdentifierKind::MemberNo];
    if let Some(identifier) = identifiers.iter_mut().find(|identifier| typed.contains(&identifier.kind)) {
        identifier.value = format!(" {} ", identifier.value);
    }
}
