//! Each key means what it says. The first text is the one of the reference page on identity, word for word.

use super::*;
use crate::identity::{Keep, Limit, NO_LIMIT, Period};

const REFERENCE: &str = r##"
version: 1
entity: user
id_types:                      # list order = priority, highest first (explicit, never alphabetical)
  - name: user_id
    unique: true               # = limit 1 ever; two values never in one person (Adobe unique, TD do_not_merge_key)
    class: person              # person | device | cookie | household
  - name: email
    limit: {count: 5, per: ever}      # per: ever | 7d | 30d | 365d, evaluated at edge event time
    normalize: email
    filters:                   # RudderStack shape
      - {type: exclude, value: "noreply@example.com"}
      - {type: include, regex: ".+@.+"}
    max_fanout: {of: user_id, count: 5}    # value linked to >5 user_ids becomes "shared", not stitched
  - {name: phone, normalize: {phone: CN}}
  - {name: device_id, class: device, on_shared: last_authenticated}      # | first | none
  - {name: anonymous_id, class: cookie, limit: {count: 5, per: 7d}}
block_values:                  # applies to all types
  {exact: ["", "-1", "null", "undefined", "anonymous", "(not set)"], regex: ["^[0-]*$"], min_length: 3}
conflict: {keep: oldest}       # oldest (Segment-like) | latest (Adobe-like)
limits: {max_identifiers: 1000, max_component_edges: 100000}   # stop, record, never truncate silently
edges:                         # RudderStack edge_sources
  - {from: events.identifies, ids: [user_id, email, anonymous_id, device_id], time: event_time}
overrides: identity_overrides  # table: id1_type,id1,id2_type,id2,action INCLUDE|EXCLUDE,reason,actor,at
"##;

#[test]
fn the_text_of_the_reference_says_what_it_says() {
    let rulebook = rules(REFERENCE);
    let links = rulebook.link_rules();
    assert!(links.of(id(&rulebook, "user_id")).unique);
    let email = links.of(id(&rulebook, "email"));
    assert_eq!(email.limit, Some(Limit { count: 5, per: Period::Ever }));
    assert_eq!(email.max_fanout, Some(5));
    assert_eq!(rulebook.fanout_of(id(&rulebook, "email")), Some(IdentifierTypes::USER_ID));
    let cookie = links.of(IdentifierTypes::ANONYMOUS_ID);
    assert_eq!(cookie.limit, Some(Limit { count: 5, per: Period::Week }));
    assert_eq!((links.keep, links.max_identifiers, links.max_links), (Keep::Oldest, 1_000, 100_000));
    assert_eq!(asked(&rulebook, "email", "noreply@example.com"), Err(BlockReason::Filter));
    assert_eq!(asked(&rulebook, "email", "ann@EXAMPLE.com").as_deref(), Ok("ann@example.com"));
    assert_eq!(asked(&rulebook, "phone", "138 0013 8000").as_deref(), Ok("+8613800138000"));
    assert_eq!(asked(&rulebook, "device_id", "ab"), Err(BlockReason::Length));
    assert_eq!(rules(&rulebook.to_text()), rulebook);
}

#[test]
fn what_is_not_supported_yet_is_named() {
    let refusal = rules(REFERENCE).check_supported().unwrap_err().to_string();
    for rule in [
        "unique of user_id",
        "limit of email",
        "max_fanout of email",
        "on_shared of device_id",
        "limit of anonymous_id",
        "limits.max_identifiers",
        "limits.max_component_edges",
        "edges",
    ] {
        assert!(refusal.contains(rule), "{rule}: {refusal}");
    }
    let latest = rules("conflict: {keep: latest}");
    assert_eq!(latest.link_rules().keep, Keep::Latest);
    assert!(latest.check_supported().unwrap_err().to_string().contains("conflict.keep: latest"));
}

#[test]
fn periods_have_days() {
    for (text, days) in [("ever", None), ("365d", Some(365)), ("30d", Some(30)), ("7d", Some(7)), ("1d", Some(1))] {
        let rulebook = rules(&format!("id_types: [{{name: email, limit: {{count: 2, per: {text}}}}}]"));
        let limit = rulebook.link_rules().of(id(&rulebook, "email")).limit.unwrap();
        assert_eq!((limit.count, limit.per.days()), (2, days), "{text}");
    }
    let rulebook = rules("id_types: [{name: email, limit: {count: 2}, max_fanout: 7}]");
    let email = id(&rulebook, "email");
    assert_eq!(rulebook.link_rules().of(email).limit.unwrap().per, Period::Ever);
    assert_eq!((rulebook.link_rules().of(email).max_fanout, rulebook.fanout_of(email)), (Some(7), None));
    assert_eq!(rulebook.link_rules().max_links, NO_LIMIT);
}

#[test]
fn links_may_come_from_all_events_and_from_user_tables() {
    let text = "edges: [{from: events, ids: [user_id, email]}, \
                {from: crm_contacts, ids: [member_no, phone], time: \"changed at\"}]";
    let rulebook = rules(text);
    assert_eq!(rulebook.rules.edges.len(), 2);
    let written = rulebook.to_text();
    assert!(written.contains("from: \"crm_contacts\"") && written.contains("time: \"changed at\""), "{written}");
    assert_eq!(rules(&written), rulebook);
    // The names of tables of warehouses are those of types of events.
    assert_eq!(
        rules("edges: [{from: events.identifies, ids: [user_id, email]}]"),
        rules("edges: [{from: events.identify, ids: [user_id, email], time: event_time}]")
    );
}

#[test]
fn own_types_stand_where_they_are_written() {
    let rulebook = rules("id_types:\n- name: card_no\n  class: person\n- name: user_id\n- name: tv\n  class: device\n");
    let types = rulebook.types();
    assert_eq!((types.rank(id(&rulebook, "card_no")), types.rank(IdentifierTypes::USER_ID)), (0, 1));
    assert_eq!(types.class(id(&rulebook, "tv")).as_str(), "device");
    assert!(rulebook.check_supported().is_ok());
}

#[test]
fn another_spelling_is_told_by_its_type() {
    let (before, after) = (Rulebook::default(), rules("id_types: [{name: email, normalize: lower}]"));
    assert_eq!(after.respelled(&before).collect::<Vec<_>>(), ["email"]);
    assert_eq!(before.respelled(&after).collect::<Vec<_>>(), ["email"]);
    assert_eq!(after.respelled(&after).next(), None);
}
