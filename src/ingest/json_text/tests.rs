use super::*;

#[test]
fn half_a_surrogate_pair_becomes_the_replacement_character() {
    // RFC 8259, 8.2: the behaviour of software that receives such is unpredictable; U+FFFD as WHATWG Encoding has it.
    for (given, right) in [
        (r#"{"a":"\ud83d","b":1}"#, r#"{"a":"\ufffd","b":1}"#),
        (r#"{"a":"\uDE00x"}"#, r#"{"a":"\ufffdx"}"#),
        (r#"{"a":"\ud83d\ud83d\ude00"}"#, r#"{"a":"\ufffd\ud83d\ude00"}"#),
        (r#"{"\ud83d":1}"#, r#"{"\ufffd":1}"#),
        (r#"{"a":"\ud83d\n"}"#, r#"{"a":"\ufffd\n"}"#),
    ] {
        assert_eq!(normalize(given), right);
    }
}

#[test]
fn whole_characters_and_escaped_backslashes_stay() {
    for text in [r#"{"a":"\ud83d\ude00"}"#, r#"{"a":"\\ud83d"}"#, r#"{"a":"\u00e9\\"}"#, "{}", "no JSON \\ud", "\\é"] {
        assert_eq!(normalize(text), text);
    }
}

#[test]
fn of_equal_keys_the_last_counts_at_any_depth() {
    // As Python's json, JavaScript's JSON.parse and serde_json read them.
    for (given, right) in [
        (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"b":{"a":1,"a":[{"c":1,"c":2}]},"x":1.50}"#, r#"{"b":{"a":[{"c":2}]},"x":1.50}"#),
        (r#"{"a":1,"\u0061":2}"#, r#"{"a":2}"#),
        (r#"{"b":1e999,"a":1,"a":2}"#, r#"{"a":2,"b":1e999}"#),
    ] {
        assert_eq!(normalize(given), right);
    }
    let many: Vec<String> = (0..100).map(|key| format!("\"k{key}\":{key}")).collect();
    let text = format!("{{{},\"k99\":7}}", many.join(","));
    let read: serde_json::Value = serde_json::from_str(&normalize(&text)).unwrap();
    assert_eq!(read["k99"], 7);
    assert_eq!(read.as_object().unwrap().len(), 100);
}

#[test]
fn distinct_keys_cost_no_copy() {
    assert!(matches!(normalize(r#" {"b": 1, "a": {"b": 2}} "#), Cow::Borrowed(_)));
}

#[test]
fn more_than_64_levels_are_refused_and_brackets_in_texts_are_none() {
    // The levels are those that were written; what stands in a text is no level by RFC 8259, 7.
    let lists = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let nested = |levels: usize| format!(r#"{{"name":"Ann","x":{},"zz":"last"}}"#, lists(levels - 1));
    let objects = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    let too_deep = Some("nested deeper than 64 levels".to_owned());
    for is_object in [false, true] {
        for text in [nested(65), nested(128), nested(100_000), objects(65)] {
            assert_eq!(fault(&text, is_object), too_deep, "{} bytes", text.len());
        }
        let beside = format!(r#"{{"a":[{}]}}"#, vec!["{}"; 100].join(","));
        let in_text = format!(r#"{{"a":"\"{}","b\\":{}}}"#, "[{".repeat(100), lists(63));
        for text in [nested(64), objects(64), beside, in_text] {
            assert_eq!(fault(&text, is_object), None, "{text}");
        }
    }
    for text in ["[]", "5", "{oops", "{} {}"] {
        assert_eq!(fault(text, false).as_deref(), Some("not a JSON object"));
    }
}
