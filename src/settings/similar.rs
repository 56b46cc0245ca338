//! Names that a user may have meant. Must not know what they name.

/// Names offered at most.
const OFFERED: usize = 3;
/// Jaro-Winkler similarity from which a name is worth naming: one or two slips in a word.
const SIMILAR: f64 = 0.75;

/// The names most similar to `wanted`, best first.
pub fn similar_names<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        .filter(|(score, _)| *score >= SIMILAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(OFFERED).map(|(_, name)| name).collect()
}

/// "did you mean a or b?", or else `otherwise`.
pub fn did_you_mean<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>, otherwise: &str) -> String {
    match similar_names(wanted, names).as_slice() {
        [] => otherwise.to_owned(),
        names => format!("did you mean {}?", names.join(" or ")),
    }
}
