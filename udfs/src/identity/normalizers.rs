//! `normalize_email(text)` and `normalize_phone(text, region)`: the normalisers of [`crate::normalize`] over columns.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_datafusion_err};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::arguments::Arguments;
use super::declared::{Declaration, any_text};
use crate::normalize::{Region, email, phone};

const PHONE_NAME: &str = "normalize_phone";

pub(super) static EMAIL: Declaration = Declaration {
    name: "normalize_email",
    arguments: &[("text", "an e-mail address")],
    returns: DataType::Utf8,
    may_find_nothing: true,
    check: any_text,
    evaluate: |arguments| arguments.map(email),
    description: "An e-mail address in the form in which addresses are compared: without white space around it, in \
                  Unicode's composed form (NFC), the domain in lower case. The part before the @ stays as it is: upper \
                  case, dots and plus signs can tell persons apart. NULL for what is no address.",
    example: "SELECT normalize_email(' Ann.Lee@Example.COM ')",
};

pub(super) static PHONE: Declaration = Declaration {
    name: PHONE_NAME,
    arguments: &[
        ("text", "a telephone number as people write it"),
        (
            "region",
            "the country of numbers without a country code, in two letters of ISO 3166-1, such as 'CN'; 'ZZ' takes only \
             numbers that begin with + and a country code",
        ),
    ],
    returns: DataType::Utf8,
    may_find_nothing: true,
    check: |place, text| if place == 1 { region(text).map(|_| ()) } else { Ok(()) },
    evaluate: phones,
    description: "A telephone number in E.164: a plus, the country code, digits. NULL for what is no number that its \
                  country gives out by the rules of libphonenumber. An extension is left off.",
    example: "SELECT normalize_phone('138 0013 8000', 'CN')",
};

/// The region of a text, or what is wrong with it.
fn region(text: &str) -> std::result::Result<Region, String> {
    Region::new(text).ok_or_else(|| {
        format!(
            "argument 2 (region) is '{text}': use a country in two letters of ISO 3166-1, such as 'CN' or 'US', or 'ZZ' for \
             numbers that begin with + and a country code"
        )
    })
}

/// Numbers repeat within a batch, and reading one costs more than looking it up: each is read once.
fn phones(arguments: &Arguments) -> Result<ArrayRef> {
    let (texts, regions) = (arguments.texts(0)?, arguments.texts(1)?);
    let mut known: HashMap<(&str, &str), Option<String>> = HashMap::new();
    let mut results = StringBuilder::new();
    for row in 0..arguments.rows {
        let (Some(text), Some(code)) = (texts.get(row), regions.get(row)) else {
            results.append_null();
            continue;
        };
        let number = match known.entry((text, code)) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(free) => {
                let region = region(code).map_err(|fault| exec_datafusion_err!("{PHONE_NAME}: {fault}"))?;
                free.insert(phone(text, region))
            }
        };
        results.append_option(number.as_deref());
    }
    Ok(Arc::new(results.finish()))
}
