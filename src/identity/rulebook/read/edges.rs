//! `edges`: where links come from, in place of the identifiers of all events.

use super::types::check_known;
use crate::error::shown;
use crate::identity::rulebook::faults::{Fault, Faults};
use crate::identity::rulebook::fields::{Fields, twice};
use crate::identity::rulebook::rules::{EdgeSource, Source, TypeRules};
use crate::identity::rulebook::yaml::{Entry, Node};

/// Types of events, and the names of their tables in warehouses.
const EVENT_TYPES: [(&str, &str); 6] = [
    ("track", "tracks"),
    ("identify", "identifies"),
    ("page", "pages"),
    ("screen", "screens"),
    ("group", "groups"),
    ("alias", "aliases"),
];
/// When an event was, under the name that the rules have for it.
pub(in crate::identity::rulebook) const EVENT_TIME: &str = "event_time";
/// Bytes of a table's or column's name.
const MAX_NAME_BYTES: usize = 128;

pub(super) fn read(entry: &Entry, types: &[TypeRules], faults: &mut Faults) -> Vec<EdgeSource> {
    let items = entry.items("sources of links", faults);
    items.iter().filter_map(|node| read_source(node, types, faults)).collect()
}

fn read_source(node: &Node, types: &[TypeRules], faults: &mut Faults) -> Option<EdgeSource> {
    let fields = Fields::of(node, "a source of links", "edges", &["from", "ids", "time"], faults)?;
    let from = fields.required("from", faults);
    let from = from.and_then(|entry| source(entry.text(faults)?, entry.value.line, faults));
    let mut ids: Vec<String> = Vec::new();
    if let Some(entry) = fields.required("ids", faults) {
        for (line, name) in entry.texts("identifier types", faults) {
            if ids.contains(&name) {
                twice(line, &name, faults);
            } else if check_known(&name, line, "ids", types, faults) {
                ids.push(name);
            }
        }
        if ids.len() < 2 {
            let fault = "needs two types at least: a link is between two identifiers";
            faults.push(Fault::at(entry.line, "ids", fault.to_owned()));
        }
    }
    let time = match fields.entry("time") {
        Some(entry) => entry.text(faults)?.to_owned(),
        None => EVENT_TIME.to_owned(),
    };
    Some(EdgeSource { from: from?, ids, time })
}

/// `events`, `events.identify` or the name of a user table.
fn source(text: &str, line: usize, faults: &mut Faults) -> Option<Source> {
    let is_name = |name: &str| !name.is_empty() && name.len() <= MAX_NAME_BYTES && !name.chars().any(char::is_control);
    match text.split_once('.') {
        None if text == "events" => Some(Source::Events),
        Some(("events", kind)) => {
            let known = EVENT_TYPES.iter().find(|(one, many)| *one == kind || *many == kind);
            if known.is_none() {
                let names = EVENT_TYPES.map(|(one, _)| format!("events.{one}")).join(", ");
                let fault = format!("names {}, which is no type of events: there are {names}", shown(text));
                faults.push(Fault::at(line, "from", fault));
            }
            known.map(|(one, _)| Source::EventsOf((*one).to_owned()))
        }
        _ if is_name(text) => Some(Source::Table(text.to_owned())),
        _ => {
            let fault = format!("names {}, which is no table: write events, events.identify or a table", shown(text));
            faults.push(Fault::at(line, "from", fault));
            None
        }
    }
}
