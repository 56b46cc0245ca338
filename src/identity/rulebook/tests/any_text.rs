//! No text makes the rulebook panic, and what it writes it reads.

use proptest::prelude::*;

use super::*;
use crate::identity::{Keep, Period};

/// Pieces of YAML and of rules, right and wrong.
fn piece() -> impl Strategy<Value = String> {
    let words = [
        "version: 1\n",
        "id_types:",
        "block_values:",
        "\n  - name: email",
        "\n    normalize: ",
        "{phone: CN}",
        "filters: [{type: include, regex: \"a+\"}]",
        "exact: ",
        "min_length: 3",
        "limits: {max_identifiers: 5}",
        "conflict: {keep: latest}",
        "edges: [{from: events, ids: [email, phone]}]",
        "limit: {count: 2, per: 7d}",
        "max_fanout: {of: user_id, count: 5}",
        "- ",
        "? ",
        ": ",
        ", ",
        "{",
        "}",
        "[",
        "]",
        "\"",
        "'",
        "|",
        ">-",
        "&a ",
        "*a ",
        "!!str ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "# x\n",
        "\n",
        "\t",
        "  ",
        "\u{feff}",
        "\0",
    ];
    prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(str::to_owned), 1 => any::<String>()]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[a-z@.+ -]{0,12}".prop_map(|text| text), Just("null".to_owned())]
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

proptest! {
    #[test]
    fn no_text_panics(pieces in prop::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        if let Ok(rulebook) = Rulebook::parse(&text) {
            prop_assert_eq!(Rulebook::parse(&rulebook.to_text()).unwrap(), rulebook);
        }
    }

    #[test]
    fn no_bytes_panic(text in any::<String>()) {
        drop(Rulebook::parse(&text));
    }

    #[test]
    fn no_value_panics(value in any::<String>()) {
        let rulebook = rules("id_types: [{name: email, normalize: email}, {name: phone, normalize: {phone: CN}}]");
        for kind in rulebook.types().by_priority() {
            rulebook.usable(kind, &value);
        }
    }

    /// Rules of all keys, with any texts in them, are read as they were written.
    #[test]
    fn what_is_written_is_read(
        mut exact in prop::collection::vec(value(), 0..5),
        filter in value(),
        (count, fanout, length) in (1..100_u32, 1..100_u32, 0..9_u32),
        normalize in prop::sample::select(vec!["email", "lower", "trim", "none", "phone", "{phone: NO}"]),
        (per, keep) in (prop::sample::select(Period::ALL.to_vec()), prop::sample::select(Keep::ALL.to_vec())),
        order in Just(vec!["email", "phone", "card_no", "user_id", "anonymous_id"]).prop_shuffle(),
    ) {
        exact.iter_mut().for_each(|text| *text = text.trim().to_owned());
        exact.sort();
        exact.dedup();
        let exact: Vec<String> = exact.iter().map(|text| quoted(text)).collect();
        let types: Vec<String> = order
            .iter()
            .map(|name| format!("  - {{name: {name}, class: person, limit: {{count: {count}, per: {}}}, \
                                 normalize: {normalize}, max_fanout: {{of: user_id, count: {fanout}}}, \
                                 filters: [{{type: exclude, value: {}}}]}}\n", per.as_str(), quoted(&filter)))
            .collect();
        let text = format!(
            "id_types:\n{}block_values: {{exact: [{}], min_length: {length}}}\nconflict: {{keep: {}}}\n",
            types.concat(), exact.join(", "), keep.as_str()
        );
        let rulebook = rules(&text);
        let written = rulebook.to_text();
        let again = rules(&written);
        prop_assert_eq!(&again, &rulebook);
        prop_assert_eq!(again.to_text(), written);
        prop_assert_eq!(again.types().by_priority().into_iter().take(5).map(|id| again.types().name(id).to_owned())
            .collect::<Vec<_>>(), order.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    }
}
