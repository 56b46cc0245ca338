//! Identifiers and names: `normalize_email`, `normalize_phone`, `hash_identifier`, `jaro_winkler`, `soundex`, `pinyin`,
//! and the aggregate `connected_components` (SQL.md 5).
//!
//! `declared` and `arguments` are what the scalar functions share; `platform`, `soundex`, `pinyin`, `surnames` and
//! `forest` compute without Arrow. Must not know: the server, its persons, its identity graph.

mod arguments;
mod comparators;
mod connected_components;
mod declared;
mod forest;
mod hash_identifier;
mod node;
mod normalizers;
mod pinyin;
mod platform;
mod soundex;
mod surnames;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

/// All scalar functions of the family.
pub(crate) fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let declarations = [
        &normalizers::EMAIL,
        &normalizers::PHONE,
        &hash_identifier::HASH,
        &comparators::JARO_WINKLER,
        &comparators::SOUNDEX,
        &comparators::PINYIN,
    ];
    let functions = declarations.into_iter().map(|declaration| declared::Declared::new(declaration).into());
    functions.map(Arc::new).collect()
}

/// All aggregates of the family.
pub(crate) fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    vec![Arc::new(connected_components::ConnectedComponents::new().into())]
}
