use super::*;

fn set(pairs: &[(&str, &str)]) -> Result<WorkspaceSettings> {
    let pairs: Vec<_> = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    WorkspaceSettings::default().with(&pairs, &Settings::defaults().unwrap())
}

fn refusal(key: &str, value: &str) -> String {
    set(&[(key, value)]).unwrap_err().to_string()
}

fn value(settings: &WorkspaceSettings, key: &str) -> (String, bool) {
    let entries = settings.entries(&Settings::defaults().unwrap());
    let (_, value, own) = entries.into_iter().find(|(known, _, _)| known == key).unwrap();
    (value, own)
}

#[test]
fn what_is_set_holds_and_what_is_taken_back_is_the_servers() {
    let set = set(&[("purchase_events", "Sold, Sold Online"), ("orders.base_currency", "CNY")]).unwrap();
    assert_eq!(value(&set, "orders.purchase_events"), (r#"["Sold", "Sold Online"]"#.into(), true));
    assert_eq!(value(&set, "orders.base_currency"), ("CNY".into(), true));
    assert_eq!(
        value(&set, "orders.refund_events"),
        (r#"["Order Refunded", "order_refunded", "Order Cancelled", "order_cancelled"]"#.into(), false)
    );
    let back = [("purchase_events".to_owned(), String::new())];
    let back = set.with(&back, &Settings::defaults().unwrap()).unwrap();
    assert_eq!(value(&back, "orders.purchase_events"), (r#"["Order Completed", "order_completed"]"#.into(), false));
    assert_eq!(value(&back, "orders.base_currency"), ("CNY".into(), true));
}

#[test]
fn blocked_values_are_added_to_those_of_the_server_and_of_the_program() {
    let mut server = Settings::defaults().unwrap();
    server.identity.blocked_values = vec!["kiosk".into()];
    let set = set(&[("blocked_values", "Kasse 1,u0")]).unwrap();
    let rulebook = set.rulebook().unwrap().with_blocked(&server.identity.blocked_values);
    for value in ["kasse 1", "u0", "KIOSK", "(not set)", "NULL"] {
        assert!(rulebook.blocked().contains(value), "{value}");
    }
    assert!(!rulebook.blocked().contains("kasse 2"));
    let (held, own) = value(&set, "identity.blocked_values");
    assert!(own && held.contains("\"null\"") && held.ends_with("\"Kasse 1\", \"u0\"]"), "{held}");
    assert_eq!(set.own(&server), [("identity.blocked_values".to_owned(), r#"["Kasse 1", "u0"]"#.to_owned())]);
    let back = set.with(&[("blocked_values".to_owned(), String::new())], &server).unwrap();
    assert_eq!(back, WorkspaceSettings::default());
}

#[test]
fn a_currency_has_three_letters_in_any_case() {
    assert_eq!(set(&[("base_currency", "cny")]).unwrap().base_currency.as_deref(), Some("CNY"));
    for wrong in ["US", "USDT", "US1", "€", "元", "U D", "ＵＳＤ"] {
        assert!(refusal("base_currency", wrong).contains("three letters"), "{wrong}");
    }
}

#[test]
fn keys_of_orders_ages_of_rates_and_currencies_are_read() {
    let set = set(&[("order_key", "brand"), ("orders.fx_max_age_days", "0"), ("base_currency", "eur")]).unwrap();
    assert_eq!(value(&set, "orders.order_key"), ("brand".into(), true));
    assert_eq!(value(&set, "orders.fx_max_age_days"), ("0".into(), true));
    assert_eq!(value(&set, "orders.base_currency"), ("EUR".into(), true));
    let orders = set.orders(&Settings::defaults().unwrap().orders);
    assert_eq!((orders.order_key.part(), orders.fx_max_age_days), (Some("brand"), 0));
    assert_eq!(value(&WorkspaceSettings::default(), "orders.order_key"), ("order_id".into(), false));
    assert_eq!(value(&WorkspaceSettings::default(), "orders.fx_max_age_days"), ("7".into(), false));
}

#[test]
fn a_json_list_takes_commas_and_may_be_empty() {
    let set = set(&[("purchase_events", r#"["Sold, at last"]"#), ("refund_events", "[]")]).unwrap();
    assert_eq!(set.purchase_events.as_deref(), Some(&["Sold, at last".to_owned()][..]));
    assert_eq!(set.refund_events, Some(Vec::new()));
}

#[test]
fn own_identifier_types_stand_where_they_are_put() {
    let set =
        set(&[("identifier_types", "card_no:person:before email, tv_id:device, app_id:device:after tv_id")]).unwrap();
    let (types, own) = value(&set, "identity.identifier_types");
    assert!(own);
    let expected = [
        "user_id:person",
        "member_no:person",
        "card_no:person",
        "email:person",
        "phone:person",
        "wechat_unionid:person",
        "wechat_openid:person",
        "device_id:device",
        "tv_id:device",
        "app_id:device",
        "anonymous_id:cookie",
    ];
    assert_eq!(types, format!("[\"{}\"]", expected.join("\", \"")));
}

#[test]
fn mistakes_are_named_with_what_was_meant() {
    assert!(
        refusal("purchase_event", "x").contains("did you mean purchase_events"),
        "{}",
        refusal("purchase_event", "x")
    );
    assert!(refusal("time_zone", "UTC").contains("fixed when"));
    assert!(refusal("workspace.time_zone", "UTC").contains("fixed when"));
    assert!(refusal("query.memory", "1").contains("no such setting"));
    assert!(refusal("orders.blocked_values", "x").contains("no such setting"), "the wrong section");
    assert!(refusal("base_currency", "dollars").contains("USD"));
    assert!(refusal("base_currency", "US1").contains("three letters"));
    assert!(refusal("order_key", "shop").contains("order_id, source, brand"));
    assert!(refusal("fx_max_age_days", "a week").contains("whole number"));
    assert!(refusal("fx_max_age_days", "-1").contains("whole number"));
    assert!(refusal("purchase_events", "a,,b").contains("element 2"));
    assert!(refusal("purchase_events", "a,a").contains("twice"));
    assert!(refusal("purchase_events", "[1]").contains("JSON list"));
    assert!(refusal("purchase_events", "Order Refunded").contains("both"), "the server's refund event");
    assert!(refusal("identifier_types", "card").contains("name:class"));
    assert!(refusal("identifier_types", "card:robot").contains("person, device or cookie"));
    assert!(refusal("identifier_types", "Card:person").contains("lower-case"));
    assert!(refusal("identifier_types", "email:person").contains("there already"));
    assert!(refusal("identifier_types", "card:person:after emial").contains("did you mean email"));
    assert!(refusal("pii_columns", "ts").contains("skipped"));
    assert!(refusal("pii_columns", "node").contains("skipped"));
    assert!(refusal("pii_columns", "brnad").contains("did you mean brand"));
    assert!(refusal("pii_columns", "brand.x").contains("no column"));
}

#[test]
fn personal_keys_are_told_from_a_whole_personal_column() {
    let keys = set(&[("pii_columns", "brand, properties.phone, context.ip")]).unwrap();
    assert_eq!(keys.pii_keys("properties"), Some(vec!["phone"]));
    assert_eq!(keys.pii_keys("context"), Some(vec!["ip"]));
    assert_eq!(set(&[("pii_columns", "properties")]).unwrap().pii_keys("properties"), None);
}
