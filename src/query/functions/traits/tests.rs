use arrow::array::{StringArray, TimestampMicrosecondArray};

use super::*;

/// Microseconds since 1970, message id, properties.
type Event<'e> = (i64, &'e str, &'e str);

fn traits_of(events: &[Event<'_>]) -> Traits {
    let times = TimestampMicrosecondArray::from_iter_values(events.iter().map(|event| event.0));
    let ids = StringArray::from_iter_values(events.iter().map(|event| event.1));
    let texts = StringArray::from_iter_values(events.iter().map(|event| event.2));
    let columns: [ArrayRef; 3] = [Arc::new(times), Arc::new(ids), Arc::new(texts)];
    let mut traits = Traits::default();
    traits.update_batch(&columns).unwrap();
    traits
}

/// Of all events at once, and of one after the other by its state, as partitions are put together.
fn check(events: &[Event<'_>], expected: &str) {
    assert_eq!(traits_of(events).evaluate().unwrap(), ScalarValue::from(expected));
    let mut merged = Traits::default();
    for event in events {
        let state = traits_of(std::slice::from_ref(event)).state().unwrap();
        merged.merge_batch(&[state[0].to_array().unwrap()]).unwrap();
    }
    assert_eq!(merged.evaluate().unwrap(), ScalarValue::from(expected));
}

#[test]
fn per_key_the_last_value_wins_and_null_takes_it_back() {
    // Worked out by hand from SQL.md 1: the last ts, of one ts the larger message id.
    let events = [
        (2, "b", r#"{"city":"Shanghai","sex":"female","vip":true}"#),
        (1, "z", r#"{"city":"Guangzhou","size":"M"}"#),
        (2, "a", r#"{"sex":"male"}"#),
        (3, "c", r#"{"vip":null}"#),
        (4, "d", "no JSON"),
    ];
    check(&events, r#"{"city":"Shanghai","sex":"female","size":"M"}"#);
}

#[test]
fn values_stay_as_they_were_written() {
    // Expected are the texts that Python's `json.loads(text, parse_int=str, parse_float=str)` finds in what is sent.
    let sent = r#"{"big":12345678901234567890123,"far":1e999,"long":0.12345678901234567890,"tax":1.10,"zero":-0}"#;
    check(&[(1, "a", sent)], sent);
    let nested = r#"{"half":"\ud800","list":[1.0, {"b":2,"a":1}]}"#;
    check(&[(1, "a", nested)], nested);
}

#[test]
fn no_depth_that_is_stored_makes_traits_fail() {
    for levels in [126, 127, 128, 300, 100_000] {
        let deep = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let sent = format!(r#"{{"name":"Ann","x":{deep},"zz":"last"}}"#);
        check(&[(1, "a", &sent), (2, "b", r#"{"name":"Eve"}"#)], &sent.replace("Ann", "Eve"));
    }
}
