use super::*;

fn blocked(added: &[&str]) -> BlockedValues {
    BlockedValues::new(&added.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>())
}

/// The list of cases A7, A12 and C18, and what pandas, PostHog, Segment, spreadsheets and databases write beside it.
#[test]
fn what_programs_write_for_nothing_is_blocked() {
    let blocked = blocked(&[]);
    for value in [
        "",
        "NULL",
        "null",
        "Null",
        "N/A",
        "n/a",
        "0",
        "nan",
        "NaN",
        "(not set)",
        "Not Set",
        "\\N",
        "#N/A",
        "-",
        "(null)",
        "<null>",
        "[object Object]",
        "{}",
        "[]",
        "false",
        "True",
        "none@none.com",
        "\"\"",
        "''",
        "\"null\"",
        "None",
        "nil",
        "undefined",
        "unknown",
        "Anonymous",
        "--",
        "0000",
        "0-0",
        "00000000-0000-0000-0000-000000000000",
        "0.0",
        "?",
        "...",
        "<NA>",
        "NaT",
        "#REF!",
        "1.#QNAN",
        "( null )",
        "((null))",
        "—",
        "无",
        "（未知）",
        "NULL@null.com",
        "0@0.cn",
        "1.38E+10",
        "8.61381E+12",
        "9774d56d682e549c",
        "02:00:00:00:00:00",
        "#DIV/0!",
        "distinct_id",
        "guest",
        "-1",
        "unbekannt",
        "Keine",
        "(keine Angabe)",
        "k.A.",
        "nicht verfügbar",
        "NICHT VERFÜGBAR",
        "Gast",
        "Inconnu",
        "NÉANT",
        "Non renseigné",
        "Desconocido",
        "Anónimo",
        "nessuno",
        "Não informado",
        "onbekend",
        "Gość",
        "geen@geen.nl",
    ] {
        assert!(blocked.contains(value), "{value}");
    }
}

#[test]
fn what_may_name_somebody_is_not() {
    let blocked = blocked(&[]);
    for value in [
        "nullable",
        "00001",
        "n",
        "u0",
        "0a",
        "-7",
        "10",
        "o'neill",
        "none@shop.cn",
        "nina@nina.com",
        "test1",
        "(42)",
        "[7]",
        "1E+2a",
        "1.380013800E+9",
        "1.5e+16",
        "12E5",
        "C0",
        "Ω",
        "🙂",
        "a-b",
        "张三",
        "123e4567",
        "null null",
        "2.",
        "keiner1",
        "leerer",
        "Gasthof",
        "vides",
        "ohne",
        "Brakel",
        "geen@shop.nl",
    ] {
        assert!(!blocked.contains(value), "{value}");
    }
}

#[test]
fn what_is_added_is_blocked_beside_the_rest() {
    let blocked = blocked(&[" Kasse ", "u0"]);
    for value in ["kasse", "KASSE", "(kasse)", "u0", "null", "kasse@kasse.de"] {
        assert!(blocked.contains(value), "{value}");
    }
    assert!(!blocked.contains("kasse1"));
}
