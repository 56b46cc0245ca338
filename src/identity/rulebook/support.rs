//! What rules may say and no part of the program does yet. A rule that is kept and does nothing would be believed to hold.

use super::Rulebook;
use super::rules::{OnShared, TypeRules};
use crate::error::{Error, Result};
use crate::identity::link_rules::{Keep, NO_LIMIT};

impl Rulebook {
    /// # Errors
    /// `InvalidInput` that names all rules which are not supported yet.
    pub fn check_supported(&self) -> Result<()> {
        let mut not_yet: Vec<String> = self.rules.types.iter().flat_map(of_type).collect();
        if self.rules.keep != Keep::Oldest {
            not_yet.push(format!("conflict.keep: {}", self.rules.keep.as_str()));
        }
        for (key, limit) in
            [("max_identifiers", self.rules.max_identifiers), ("max_component_edges", self.rules.max_links)]
        {
            if limit != NO_LIMIT {
                not_yet.push(format!("limits.{key}"));
            }
        }
        if !self.rules.edges.is_empty() {
            not_yet.push("edges".to_owned());
        }
        if not_yet.is_empty() {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "these rules are read and not supported yet: {}: leave them out; until they are, identifiers of one event always \
             belong to one person, and nothing was changed",
            not_yet.join(", ")
        )))
    }
}

fn of_type(of_type: &TypeRules) -> Vec<String> {
    let said = [
        ("unique", of_type.links.unique),
        ("limit", of_type.links.limit.is_some()),
        ("max_fanout", of_type.links.max_fanout.is_some()),
        ("on_shared", of_type.on_shared != OnShared::default()),
    ];
    let said = said.into_iter().filter(|(_, is_said)| *is_said);
    said.map(|(key, _)| format!("{key} of {}", of_type.name)).collect()
}
