//! What holds without a text.

use super::*;
use crate::identity::{AddedType, IdentifierClass, NO_LIMIT, Place};

/// SQL.md 5: the types, highest priority first, with their classes.
const DEFAULTS: [(&str, &str); 8] = [
    ("user_id", "person"),
    ("member_no", "person"),
    ("email", "person"),
    ("phone", "person"),
    ("wechat_unionid", "person"),
    ("wechat_openid", "person"),
    ("device_id", "device"),
    ("anonymous_id", "cookie"),
];

fn by_priority(rulebook: &Rulebook) -> Vec<(String, &'static str)> {
    let types = rulebook.types();
    types.by_priority().into_iter().map(|id| (types.name(id).to_owned(), types.class(id).as_str())).collect()
}

#[test]
fn the_types_are_those_of_the_program() {
    let defaults = DEFAULTS.map(|(name, class)| (name.to_owned(), class));
    for rulebook in [Rulebook::default(), rules(""), rules("# nothing\n"), rules("version: 1"), rules("id_types: []")] {
        assert_eq!(by_priority(&rulebook), defaults);
        assert_eq!(**rulebook.types(), IdentifierTypes::default());
        assert_eq!(rulebook, Rulebook::default());
    }
}

#[test]
fn no_link_is_limited_and_no_value_is_changed() {
    let rulebook = Rulebook::default();
    assert_eq!(rulebook.link_rules(), LinkRules::none(rulebook.types()));
    assert_eq!(rulebook.link_rules().max_identifiers, NO_LIMIT);
    assert!(rulebook.check_supported().is_ok());
    for (kind, _) in DEFAULTS {
        assert_eq!(asked(&rulebook, kind, "Ann@Example.COM").as_deref(), Ok("Ann@Example.COM"), "{kind}");
        assert_eq!(asked(&rulebook, kind, "n").as_deref(), Ok("n"), "{kind}");
    }
}

/// The list of identity.md: all of its values are blocked without a word in the rules.
#[test]
fn junk_is_blocked_always() {
    for rulebook in [Rulebook::default(), rules("block_values: {exact: [\"kasse\"]}")] {
        for value in ["", "-1", "null", "undefined", "anonymous", "(not set)", "000-000", "0000-0000", "1.38E+10"] {
            assert_eq!(asked(&rulebook, "user_id", value), Err(BlockReason::Value), "{value}");
        }
    }
}

#[test]
fn the_text_of_the_defaults_names_all_types() {
    let text = Rulebook::default().to_text();
    for (name, class) in DEFAULTS {
        assert!(text.contains(&format!("  - {{name: {name}, class: {class}}}\n")), "{text}");
    }
    assert_eq!(rules(&text), Rulebook::default());
}

#[test]
fn settings_of_a_workspace_make_the_same_rules_as_their_text() {
    let added = |name: &str, class, place| AddedType { name: name.to_owned(), class, place };
    let types = IdentifierTypes::with_added(&[
        added("card_no", IdentifierClass::Person, Some(Place::Before("email".to_owned()))),
        added("tv_id", IdentifierClass::Device, None),
    ]);
    let types = Arc::new(types.unwrap());
    let of_settings = Rulebook::of_types(&types, &["Kasse 1".to_owned()]);
    let read = rules(&of_settings.to_text());
    assert_eq!(read, of_settings);
    assert_eq!(*read.types(), types, "with the same numbers, so that no graph is read anew");
    assert_eq!(asked(&read, "card_no", "kasse 1"), Err(BlockReason::Value));
}

#[test]
fn types_that_a_text_leaves_out_follow_those_of_their_class() {
    let rulebook = rules("id_types: [{name: phone}, {name: email}, {name: anonymous_id}, {name: tv, class: device}]");
    let names: Vec<String> = by_priority(&rulebook).into_iter().map(|(name, _)| name).collect();
    let expected = [
        "phone",
        "email",
        "user_id",
        "member_no",
        "wechat_unionid",
        "wechat_openid",
        "anonymous_id",
        "tv",
        "device_id",
    ];
    assert_eq!(names, expected);
    assert_eq!(id(&rulebook, "user_id"), IdentifierTypes::USER_ID);
    assert_eq!(id(&rulebook, "anonymous_id"), IdentifierTypes::ANONYMOUS_ID);
}
