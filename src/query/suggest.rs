//! Names that a user may have meant.

use datafusion::error::DataFusionError;

use crate::error::Error;

/// Similar names offered at most.
const OFFERED: usize = 3;
/// Jaro-Winkler similarity from which a name is offered.
const SIMILAR: f64 = 0.75;

/// The names most similar to `wanted`, best first.
pub(super) fn similar<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= SIMILAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

/// A planning error of DataFusion; an unknown table is answered with the tables there are.
///
/// `catalog` is the caller's workspace; `tables` are names as a user writes them: `events`, `system.queries`.
pub(super) fn planning_error(error: DataFusionError, catalog: &str, tables: &[String]) -> Error {
    let error = Error::from(error);
    let Some(missing) = missing_table(error.message()) else {
        return error;
    };
    // The planner prints catalog, schema and name; the user mostly wrote the name.
    let elsewhere = missing.split_once('.').is_some_and(|(first, rest)| rest.contains('.') && first != catalog);
    if elsewhere {
        return Error::invalid(format!("there is no table '{missing}'; SHOW TABLES lists the tables"));
    }
    let short = match missing.rsplit('.').take(2).collect::<Vec<_>>().as_slice() {
        [name, "main"] | [name] => (*name).to_owned(),
        [name, schema, ..] => format!("{schema}.{name}"),
        [] => missing.to_owned(),
    };
    let offered = similar(&short, tables.iter().map(String::as_str));
    let hint = match offered.as_slice() {
        [] => "SHOW TABLES lists the tables".to_owned(),
        names => format!("similar: {}", names.join(", ")),
    };
    Error::invalid(format!("there is no table '{short}'; {hint}"))
}

fn missing_table(message: &str) -> Option<&str> {
    let start = message.find("table '")? + "table '".len();
    let rest = &message[start..];
    let end = rest.find('\'')?;
    rest[end..].starts_with("' not found").then(|| &rest[..end])
}
