use super::super::field::EventField;
use super::super::mapping::{Mapping, Target};

fn parsed(text: &str) -> Vec<(String, String)> {
    let mapping = Mapping::parse(text).unwrap();
    mapping.entries().map(|(target, columns)| (target.to_string(), columns.join("|"))).collect()
}

fn refused(text: &str) -> String {
    Mapping::parse(text).unwrap_err().message().to_owned()
}

#[test]
fn targets_and_columns() {
    let pairs = parsed(" ts = date ,revenue=dollars,id.email=mail,category=a/b/c,properties.color=event");
    let expected = [
        ("ts", "date"),
        ("revenue", "dollars"),
        ("category", "a|b|c"),
        ("id.email", "mail"),
        ("properties.color", "event"),
    ];
    assert_eq!(pairs, expected.map(|(target, column)| (target.to_owned(), column.to_owned())));
}

#[test]
fn a_flag_given_twice_is_one_mapping() {
    let mapping = Mapping::parse_all(&["ts=date", "event=what,"]).unwrap();
    assert_eq!(mapping, Mapping::parse("event=what,ts=date").unwrap());
}

#[test]
fn backslashes_take_separators_literally() {
    assert_eq!(
        parsed(r"ts=a\,b,category=x\/y/z,event=c:\d"),
        [
            ("ts".to_owned(), "a,b".to_owned()),
            ("event".to_owned(), r"c:\d".to_owned()),
            ("category".to_owned(), "x/y|z".to_owned()),
        ]
    );
}

#[test]
fn identifiers_with_columns_of_their_own_are_these() {
    let mapping = Mapping::parse("id.user_id=customer,id.loyalty_card2=card").unwrap();
    assert!(mapping.maps(EventField::UserId));
    assert!(mapping.entries().any(|(target, _)| *target == Target::Identifier("loyalty_card2".into())));
}

#[test]
fn several_columns_feed_one_identifier_type_but_no_field() {
    assert_eq!(parsed("id.phone=home,id.phone=work"), [("id.phone".to_owned(), "home|work".to_owned())]);
    assert_eq!(refused("ts=a,ts=b"), "'ts' is mapped twice: to 'a' and 'b'");
    assert!(refused("user_id=a,id.user_id=b").contains("mapped twice"));
}

#[test]
fn targets_are_named_in_any_case_and_by_the_segment_spec() {
    let expected = [("ts", "d"), ("user_id", "c"), ("order_id", "o"), ("id.email", "m")];
    let mut expected = expected.map(|(target, column)| (target.to_owned(), column.to_owned()));
    let mut found = parsed("TS=d,userId=c,OrderID=o,ID.Email=m");
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn slips_are_named() {
    assert!(refused("revnue=x").contains("did you mean revenue"), "{}", refused("revnue=x"));
    assert!(refused("zzz=x").contains("use one of message_id, ts, type"), "{}", refused("zzz=x"));
    assert!(refused("id.E-Mail=x").contains("'E-Mail' is not an identifier type"));
    for text in ["ts", "ts=", "=x", "ts= "] {
        assert!(refused(text).contains("write target=column"), "{text}");
    }
    assert!(refused("category=a//b").contains("empty column"));
}

#[test]
fn serialised_in_one_order() {
    let text = |mapping: &str| serde_json::to_string(&Mapping::parse(mapping).unwrap()).unwrap();
    assert_eq!(text("ts=a,event=b,id.email=c"), text("id.email=c,event=b,ts=a"));
    assert_eq!(text("category=a/b"), r#"{"category":["a","b"]}"#);
    assert_ne!(text("category=a/b"), text("category=b/a"));
}
