//! What is wrong is said with its line and key, and all of it at once.

use super::*;

/// The text has one fault: what is said has the line and each of these parts.
fn refused(text: &str, line: usize, parts: &[&str]) {
    let said = refusal(text);
    assert_eq!(said.len(), 1, "{text}: {said:?}");
    assert!(said[0].starts_with(&format!("line {line}: ")), "{text}: {said:?}");
    for part in parts {
        assert!(said[0].contains(part), "{part}: {text}: {said:?}");
    }
}

#[test]
fn unknown_keys_are_told_with_those_that_there_are() {
    refused("version: 1\nid_type: []", 2, &["'id_type'", "did you mean id_types?", "block_values"]);
    refused("id_types:\n- name: email\n  uniqe: true", 3, &["'uniqe'", "did you mean unique?", "max_fanout"]);
    refused("id_types:\n- {name: email, limit: {\n  many: 5, count: 1}}", 3, &["'many'", "a limit", "count, per"]);
    refused("block_values:\n  exakt: []", 2, &["'exakt'", "did you mean exact?"]);
    refused("conflict: {keep: oldest, zz: 1}", 1, &["'zz'", "conflict"]);
    refused("limits: {max_links: 5}", 1, &["'max_links'", "max_component_edges"]);
    refused("id_types: [{name: phone, normalize: {region: CN, phone: CN}}]", 1, &["'region'", "phone"]);
    refused("id_types: [{name: email, filters: [{type: exclude, values: x, value: y}]}]", 1, &["'values'", "regex"]);
    refused("edges: [{from: events, ids: [email, phone], when: ts}]", 1, &["'when'", "from, ids, time"]);
    refused("id_types: [{name: email, max_fanout: {count: 5, by: user_id}}]", 1, &["'by'", "of, count"]);
}

#[test]
fn wrong_values_are_told_with_those_that_are_right() {
    refused("version: 2", 1, &["'version'", "'2'", "write 1"]);
    refused("entity: shop", 1, &["'entity'", "write user"]);
    refused("overrides: my_table", 1, &["'overrides'", "write identity_overrides"]);
    refused("conflict:\n  keep: first", 2, &["'keep'", "'first'", "oldest or latest"]);
    refused("limits: {max_identifiers: 1}", 1, &["'max_identifiers'", "at least 2"]);
    refused("limits: {max_component_edges: many}", 1, &["'many'", "a whole number"]);
    refused("limits: {max_component_edges: 4294967295}", 1, &["'max_component_edges'", "a whole number"]);
    refused("block_values: {min_length: -1}", 1, &["'min_length'", "a whole number"]);
    refused("block_values: {exact: null}", 1, &["'exact'", "nothing", "a list of texts"]);
    refused("block_values: {exact: [a,\n  null]}", 2, &["'exact'", "\"null\" in quotes"]);
    refused("block_values: {exact: [[a]]}", 1, &["'exact'", "a list", "write a text"]);
    refused("id_types: [{name: email, unique: yes}]", 1, &["'unique'", "'yes'", "true or false"]);
    refused("id_types: [{name: email, unique: \"true\"}]", 1, &["'unique'", "true or false"]);
    refused("id_types:\n- name: email\n  limit: 5", 3, &["'limit'", "'5'", "count, per"]);
    refused("id_types: [{name: email, limit: {count: 0}}]", 1, &["'count'", "at least 1"]);
    refused("id_types: [{name: email, limit: {count: 2, per: 2d}}]", 1, &["'per'", "ever, 365d, 30d, 7d or 1d"]);
    refused("id_types: [{name: email, normalize: upper}]", 1, &["'upper'", "email, phone, trim, lower or none"]);
    refused("id_types: [{name: phone, normalize: {phone: China}}]", 1, &["'phone'", "'China'", "CN or DE"]);
    refused("id_types: [{name: phone, normalize: {phone: XX}}]", 1, &["'XX'", "two letters"]);
    refused("id_types: [{name: email, on_shared: last}]", 1, &["'last'", "none, last_authenticated or first"]);
    refused("id_types: [{name: email, max_fanout: 0}]", 1, &["'max_fanout'", "at least 1"]);
    refused("id_types: [{name: email, filters: [{type: drop, value: x}]}]", 1, &["'drop'", "include or exclude"]);
    refused(
        "id_types: [{name: tv, class: household}]",
        1,
        &["household", "not supported yet", "person, device or cookie"],
    );
    refused("id_types: [{name: tv, class: screen}]", 1, &["'class'", "person, device or cookie"]);
    refused("edges: [{from: events.buy, ids: [email, phone]}]", 1, &["'events.buy'", "events.identify"]);
    refused("edges: [{from: \"\", ids: [email, phone]}]", 1, &["'from'", "events.identify or a table"]);
}

#[test]
fn missing_keys_are_told_where_they_should_stand() {
    refused("id_types:\n- name: email\n- class: person", 3, &["'name' is missing"]);
    refused("id_types:\n- {name: tv}", 2, &["'class' is missing", "'tv'", "person, device or cookie"]);
    refused("id_types: [{name: email, limit: {per: ever}}]", 1, &["'count' is missing"]);
    refused("id_types: [{name: email, max_fanout: {of: user_id}}]", 1, &["'count' is missing"]);
    refused("id_types: [{name: email, filters: [{value: x}]}]", 1, &["'type' is missing"]);
    refused("id_types: [{name: email, filters: [{type: include}]}]", 1, &["'filters' needs value or regex"]);
    refused("id_types: [{name: email, filters: [{type: include, value: x, regex: y}]}]", 1, &["one of them only"]);
    refused("conflict: {}", 1, &["'keep' is missing"]);
    refused("edges: [{ids: [email, phone]}]", 1, &["'from' is missing"]);
    refused("edges: [{from: events}]", 1, &["'ids' is missing"]);
}

#[test]
fn what_contradicts_itself_is_told() {
    refused("id_types:\n- name: email\n- name: email", 3, &["'email' stands twice in id_types"]);
    refused("id_types:\n- {name: email, unique: true,\n   limit: {count: 2}}", 3, &["'limit'", "unique"]);
    refused("id_types: [{name: Email, class: person}]", 1, &["'Email' is not a name", "lower-case"]);
    refused("id_types: [{name: email, max_fanout: {of: uid, count: 2}}]", 1, &["'of' names 'uid'", "user_id"]);
    refused("edges: [{from: events, ids: [email, phone, uid]}]", 1, &["'ids' names 'uid'", "user_id"]);
    refused("edges: [{from: events, ids: [email]}]", 1, &["two types at least"]);
    refused("block_values: {exact: [a, b, a]}", 1, &["'a' stands twice"]);
    refused("version: 1\nversion: 1", 2, &["'version'", "stands twice in this mapping"]);
    let many: String = (0..70).map(|n| format!("- {{name: t{n}, class: device}}\n")).collect();
    refused(&format!("version: 1\nid_types:\n{many}"), 2, &["'id_types' has 78 types", "more than 64"]);
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_their_lines() {
    let said = refusal("conflict: {keep: x}\nid_types:\n- {name: email, unqiue: true}\n- name: tv\nlimits: 5\n");
    let lines: Vec<&str> = said.iter().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["line 1", "line 3", "line 4", "line 5"], "{said:?}");
    let many: String = (0..50).map(|n| format!("k{n}: 1\n")).collect();
    let said = refusal(&many);
    assert_eq!((said.len(), said[20].as_str()), (21, "and 30 more"), "{said:?}");
    // Long lines are told as far as a header holds them.
    let many: String = (0..50).map(|n| format!("{}{n}: 1\n", "长".repeat(200))).collect();
    let said = refusal(&many);
    assert!(said.len() < 12 && said.concat().len() < 5_000, "{said:?}");
    assert_eq!(said.last().unwrap(), &format!("and {} more", 51 - said.len()));
}

#[test]
fn patterns_are_bounded_and_their_faults_shown() {
    refused("block_values:\n  regex:\n  - a\n  - \"(\"", 4, &["'regex'", "'('", "unclosed group"]);
    refused("id_types: [{name: email, filters: [{type: include, regex: \"[\"}]}]", 1, &["'regex'", "'['"]);
    // Of the suggestions of Segment those with look-ahead are not read by this kind of pattern.
    refused("block_values: {regex: [\"(?!x)\"]}", 1, &["'regex'", "look-around"]);
    refused("block_values: {regex: [\"((a{1000}){1000}){1000}\"]}", 1, &["'regex'", "too much memory"]);
    refused("block_values: {regex: [\"a)|(b\"]}", 1, &["'regex'", "unopened group"]);
    let long = format!("block_values: {{regex: [\"{}\"]}}", "a".repeat(600));
    refused(&long, 1, &["'regex'", "longer than 512 bytes"]);
    let many: Vec<String> = (0..201).map(|n| format!("\"a{n}\"")).collect();
    let said = refusal(&format!("block_values: {{regex: [{}]}}", many.join(",")));
    assert!(said[0].contains("201 patterns, more than 200"), "{said:?}");
}

#[test]
fn texts_that_are_no_rules_are_refused() {
    refused("hello", 1, &["'hello'", "a mapping of the keys version"]);
    refused("- a", 1, &["a list", "a mapping of the keys"]);
    refused("a: b: c", 1, &["is no YAML"]);
    // The list might have ended on the line behind the last one.
    refused("version: 1\nid_types: [", 3, &["is no YAML"]);
    refused("version: 1\n---\nversion: 1", 2, &["a second document"]);
    refused("{[a]: 1}", 1, &["in place of a key"]);
    let long = refusal(&"#".repeat(600_000));
    assert!(long[0].contains("longer than 524288 bytes"), "{long:?}");
}

/// What makes a small text a large tree is not read at all.
#[test]
fn aliases_tags_and_depth_are_refused() {
    refused("version: &a 1", 1, &["anchors (&name)"]);
    refused("block_values: {exact: [a, *b]}", 1, &[]);
    refused("entity: user\nversion: !!int 1", 2, &["tags (!name)"]);
    refused(&format!("edges: {}1{}", "[".repeat(60), "]".repeat(60)), 1, &["nested deeper than 16"]);
    refused(
        &format!("edges:\n{}", (0..60).map(|n| format!("{}- \n", " ".repeat(n))).collect::<String>()),
        17,
        &["nested"],
    );
}
