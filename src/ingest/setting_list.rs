//! The value of a setting that is a list, as a command that is advised writes it.

/// The names of a setting and those that are added, as a shell takes them within single quotes.
pub(super) fn list_of(held: &[String], added: &[&str]) -> String {
    let names: Vec<&str> = held.iter().map(String::as_str).chain(added.iter().copied()).collect();
    let list = match names.iter().any(|name| name.contains(',') || name.starts_with('[')) {
        true => serde_json::json!(names).to_string(),
        false => names.join(","),
    };
    list.replace('\'', r"'\''")
}
