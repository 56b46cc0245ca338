//! What is to be said of identifiers that stand beside many others: they make one person of many, and where they name
//! nobody, no row tells.

use super::setting_list::list_of;
use crate::identity::Crowded;
use crate::ids::WorkspaceName;
use crate::workspace::WorkspaceSettings;

/// Identifiers of persons that one identifier may stand beside before it is told. Families share a phone or a device, and
/// one who orders as a guest may get a new number each time: seldom so often within one load.
pub(super) const MOST: usize = 20;
/// Identifiers that are shown.
const SHOWN: usize = 3;

/// What is to be said, with a way to block such values beside those that the workspace blocks already.
pub(super) fn note(crowded: &[Crowded], workspace: &WorkspaceName, settings: &WorkspaceSettings) -> Option<String> {
    let blocked = settings.blocked_values.as_slice();
    if crowded.is_empty() {
        return None;
    }
    let shown = &crowded[..crowded.len().min(SHOWN)];
    let texts: Vec<String> = shown.iter().map(show).collect();
    let (more, them) = match crowded.len() - shown.len() {
        0 => (String::new(), if shown.len() == 1 { "it" } else { "each" }),
        more => (format!(", and {more} more likewise"), "each"),
    };
    let mut values: Vec<&str> = Vec::new();
    for value in shown.iter().map(|crowded| crowded.value.as_str()) {
        // One value may be that of several types.
        if !values.contains(&value) && !blocked.iter().any(|held| held == value) {
            values.push(value);
        }
    }
    let texts = texts.join(", ");
    if settings.identity_rules.is_some() {
        return Some(format!(
            "{texts}{more}: {them} makes one person of all of these. Where such a value names nobody, name it in \
             block_values of the identity rules (`convoke identity rules` shows them, and stores a file with others): it is \
             left out of rows that are loaded from then on. Those that are there stay one person: to part them, load each \
             file once into a new workspace with these rules"
        ));
    }
    let list = list_of(blocked, &values);
    Some(format!(
        "{texts}{more}: {them} makes one person of all of these. Where such a value names nobody, `convoke workspace set \
         {workspace} blocked_values='{list}'` (with the --data of the workspace, while no server has it open) leaves it \
         out of rows that are loaded from then on. Those that are there stay one person: to part them, `convoke \
         workspace drop {workspace}` or another --data folder, `convoke workspace create {workspace}` with the same \
         setting, and each file loaded once"
    ))
}

fn show(crowded: &Crowded) -> String {
    let beside: Vec<String> = crowded.beside.iter().map(|(kind, count)| format!("{count} different {kind}")).collect();
    format!("the {} '{}' stands beside {}", crowded.kind, crowded.value, beside.join(" and "))
}
