//! Rules of DESIGN 3 that a reviewer would otherwise have to keep: layers, sizes, names, headers, `unsafe`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each module imports only from lines above its own; modules of one line do not import each other.
const LAYERS: [&[&str]; 15] = [
    &["error"],
    &["clock", "doubles", "ids", "money"],
    &["orders"],
    &["settings"],
    &["metrics", "request"],
    &["store"],
    &["auth"],
    &["identity"],
    &["workspace"],
    &["ingest", "query"],
    &["jobs", "shop"],
    &["flight", "http", "cluster"],
    &["server"],
    &["cli"],
    &["main", "lib"],
];

/// Ways to a time or an id of the machine.
const OF_THE_MACHINE: [&str; 6] =
    ["Utc::now", "Local::now", "SystemTime::now", "Uuid::now_v7", "Uuid::new_v4", "Clock::default"];

/// Modules where these are at home: the clock, and what begins or accompanies a process.
const WITH_THE_MACHINE: [&str; 4] = ["clock", "cli", "shop", "server"];

/// Where no clock of a root can be asked: (file, way, why).
const WITHOUT_A_ROOT: [(&str, &str, &str); 4] = [
    ("src/store/root.rs", "Clock::default", "a root begins with the clock of the machine"),
    ("src/metrics.rs", "SystemTime::now", "when the process began"),
    ("src/request.rs", "Uuid::now_v7", "tells requests apart in the log of a process; is stored nowhere"),
    (
        "src/ingest/late_checks.rs",
        "Utc::now",
        "a file is read where no root is known; decides of no row, only of its text",
    ),
];

const MAX_FILE_LINES: usize = 500;
const MAX_FUNCTION_LINES: usize = 80;
const FORBIDDEN_NAMES: [&str; 3] = ["utils.rs", "common.rs", "helpers.rs"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// All Rust files under `src` and `udfs/src`: (path below the root, text).
fn all_sources() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    sources(&root().join("src"), &mut paths);
    sources(&root().join("udfs/src"), &mut paths);
    assert!(paths.len() > 50, "the sources were not found");
    paths
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            // Tests at the end of a file are not its code.
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
            (name, code)
        })
        .collect()
}

fn is_test(name: &str) -> bool {
    name.ends_with("tests.rs") || name.contains("/tests/") || name.ends_with("smoke.rs")
}

/// The top module of a file: `src/query/engine.rs` is `query`.
fn module(name: &str) -> Option<&str> {
    let below = name.strip_prefix("src/")?;
    Some(below.split('/').next()?.trim_end_matches(".rs"))
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

/// Modules named in `crate::...` paths of a line.
fn imported(line: &str) -> Vec<&str> {
    line.match_indices("crate::")
        .filter(|(at, _)| !line[..*at].ends_with('$'))
        .filter_map(|(at, found)| {
            let rest = &line[at + found.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (!rest[..end].is_empty()).then(|| &rest[..end])
        })
        .collect()
}

#[test]
fn modules_import_only_lower_layers() {
    let mut faults = Vec::new();
    for (name, text) in all_sources().iter().filter(|(name, _)| !is_test(name)) {
        let Some(own) = module(name) else { continue };
        let own_layer = layer(own).unwrap_or_else(|| panic!("{name}: module '{own}' is in no layer"));
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for other in imported(line).into_iter().filter(|other| *other != own) {
                let Some(other_layer) = layer(other) else { continue };
                if other_layer >= own_layer {
                    faults.push(format!("{name}: {own} must not import {other}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_and_functions_stay_small() {
    let mut faults = Vec::new();
    for (name, text) in all_sources().iter().filter(|(name, _)| !is_test(name)) {
        let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//")).count();
        if lines > MAX_FILE_LINES {
            faults.push(format!("{name}: {lines} lines of code"));
        }
        for (function, length) in functions(text) {
            if length > MAX_FUNCTION_LINES {
                faults.push(format!("{name}: fn {function} has {length} lines"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Functions with their lengths, told by indentation: rustfmt closes a function in the column where it began.
fn functions(text: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    for (start, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let close = format!("{}}}", " ".repeat(indent));
        if let Some(length) = lines[start..].iter().position(|line| **line == close) {
            found.push((name, length + 1));
        }
    }
    found
}

fn function_name(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "fn")?;
    let modifiers = ["pub", "const", "async", "unsafe"];
    if !words[..at].iter().all(|word| modifiers.contains(word) || word.starts_with("pub(")) {
        return None;
    }
    Some(words.get(at + 1)?.split(['(', '<']).next()?.to_owned())
}

#[test]
fn every_file_says_what_it_is_for() {
    let without: Vec<_> = all_sources()
        .into_iter()
        .filter(|(name, text)| !is_test(name) && !text.starts_with("//!"))
        .map(|(name, _)| name)
        .collect();
    assert!(without.is_empty(), "no module header: {without:?}");
}

#[test]
fn no_file_is_a_drawer_for_anything() {
    let drawers: Vec<_> = all_sources()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| FORBIDDEN_NAMES.iter().any(|forbidden| name.ends_with(&format!("/{forbidden}"))))
        .collect();
    assert!(drawers.is_empty(), "name these for their subject: {drawers:?}");
}

#[test]
fn panics_outside_of_tests_are_proven() {
    let mut faults = BTreeMap::new();
    for (name, text) in all_sources().iter().filter(|(name, _)| !is_test(name)) {
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let may_panic = code.contains(".unwrap()") || code.contains(".expect(") || code.contains("unreachable!");
            let explained = at > 0 && lines[at - 1].trim_start().starts_with("//");
            if may_panic && !explained {
                faults.insert(format!("{name}:{}", at + 1), line.trim().to_owned());
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Lines of code with what stands behind `//` left out.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split("//").next().unwrap_or_default())
}

#[test]
fn times_and_ids_come_from_the_clock_of_the_root() {
    let mut found = BTreeSet::new();
    for (name, text) in all_sources().iter().filter(|(name, _)| !is_test(name)) {
        if module(name).is_none_or(|own| WITH_THE_MACHINE.contains(&own)) {
            continue;
        }
        for line in code(text) {
            let ways = OF_THE_MACHINE.iter().filter(|way| line.contains(**way));
            found.extend(ways.map(|way| (name.clone(), (*way).to_owned())));
        }
    }
    let reasoned = WITHOUT_A_ROOT.iter().map(|(file, way, _)| ((*file).to_owned(), (*way).to_owned()));
    let reasoned = BTreeSet::from_iter(reasoned);
    let faults: Vec<_> = found.difference(&reasoned).collect();
    assert!(faults.is_empty(), "ask `Root::clock`, or say in this test why none can be asked: {faults:?}");
    let idle: Vec<_> = reasoned.difference(&found).collect();
    assert!(idle.is_empty(), "nothing asks the machine there any more, take it out of this test: {idle:?}");
}

/// It panics in a runtime of one thread, as that of a simulation is.
#[test]
fn nothing_below_query_blocks_in_place() {
    let is_below = |name: &str| module(name).is_some_and(|own| layer(own) < layer("query"));
    let faults: Vec<_> = all_sources()
        .into_iter()
        .filter(|(name, _)| !is_test(name) && is_below(name))
        .filter(|(_, text)| code(text).any(|line| line.contains("block_in_place")))
        .map(|(name, _)| name)
        .collect();
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn paths_are_joined_in_one_file() {
    let names = ["_tokens", "dead_letters/", "identity/", "open/", "workspace.json"];
    let faults: Vec<_> = all_sources()
        .into_iter()
        .filter(|(name, _)| !is_test(name) && name != "src/store/paths.rs" && !name.starts_with("src/store/paths/"))
        .flat_map(|(file, text)| {
            let code: Vec<String> =
                text.lines().filter(|line| !line.trim_start().starts_with("//")).map(str::to_owned).collect();
            let code = code.join("\n");
            names
                .iter()
                .filter(|name| code.contains(&format!("\"{name}")))
                .map(|name| format!("{file}: {name}"))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(faults.is_empty(), "only store/paths.rs knows paths: {faults:?}");
}
