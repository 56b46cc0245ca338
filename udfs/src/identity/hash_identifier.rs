//! `hash_identifier(id_type, value, platform)`: identifiers as advertising platforms match them.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err};
use hashbrown::HashMap;

use super::arguments::Arguments;
use super::declared::Declaration;
use super::platform::{IdType, Platform, hash};

const NAME: &str = "hash_identifier";

pub(super) static HASH: Declaration = Declaration {
    name: NAME,
    arguments: &[
        ("id_type", "'email' or 'phone'"),
        ("value", "the identifier; a telephone number with + and its country code, as normalize_phone returns it"),
        ("platform", "'google', 'meta' or 'tiktok'"),
    ],
    returns: DataType::Utf8,
    may_find_nothing: true,
    check: |place, text| match place {
        0 => id_type(text).map(|_| ()),
        2 => platform(text).map(|_| ()),
        _ => Ok(()),
    },
    evaluate,
    description: "An identifier as an advertising platform matches it: normalised by the rules of the platform, then \
                  SHA-256 in lower-case hexadecimal. 'google': spaces removed, lower case, at gmail.com and googlemail.com \
                  without dots and without what begins with + before the @; telephone numbers in E.164. 'meta': trimmed, \
                  lower case; digits of E.164 without the plus. 'tiktok': spaces removed, lower case, without what begins \
                  with + before the @; digits of E.164 without the plus. NULL for what is no such identifier. Device ids \
                  and ids of your own are given to platforms as they are.",
    example: "SELECT hash_identifier('email', 'Ann.Lee@Example.com', 'meta'), \
              hash_identifier('phone', normalize_phone('138 0013 8000', 'CN'), 'google')",
};

fn id_type(text: &str) -> std::result::Result<IdType, String> {
    IdType::from_name(text).ok_or_else(|| {
        format!(
            "argument 1 (id_type) is '{text}': use 'email' or 'phone'; platforms take other identifiers as they are, without \
             a hash"
        )
    })
}

fn platform(text: &str) -> std::result::Result<Platform, String> {
    let refused = || format!("argument 3 (platform) is '{text}': use 'google', 'meta' or 'tiktok'");
    Platform::from_name(text).ok_or_else(refused)
}

/// Values repeat within a batch: each is normalised and hashed once.
fn evaluate(arguments: &Arguments) -> Result<ArrayRef> {
    let (id_types, values, platforms) = (arguments.texts(0)?, arguments.texts(1)?, arguments.texts(2)?);
    let mut known: HashMap<(IdType, &str, Platform), Option<String>> = HashMap::new();
    let mut results = StringBuilder::new();
    for row in 0..arguments.rows {
        let (Some(id), Some(value), Some(name)) = (id_types.get(row), values.get(row), platforms.get(row)) else {
            results.append_null();
            continue;
        };
        let refused = |fault| exec_datafusion_err!("{NAME}: {fault}");
        let (id, name) = (id_type(id).map_err(refused)?, platform(name).map_err(refused)?);
        let hashed = known.entry((id, value, name)).or_insert_with(|| hash(id, value, name));
        results.append_option(hashed.as_deref());
    }
    Ok(Arc::new(results.finish()))
}
