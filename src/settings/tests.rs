use super::*;

fn environment(pairs: &[(&str, &str)]) -> std::vec::IntoIter<(String, String)> {
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect::<Vec<_>>().into_iter()
}

#[test]
fn flags_beat_environment_beats_file_beats_default() {
    let file = Some("[query]\nmemory = \"1MiB\"\nseconds = 5\nconcurrency = 3\n");
    let env = environment(&[("CONVOKE_QUERY_MEMORY", "2MiB"), ("CONVOKE_QUERY_SECONDS", "6"), ("CONVOKE_BIN", "x")]);
    let settings = Settings::load(file, env, &[("query.memory", "3MiB".into())]).unwrap();
    assert_eq!(settings.query.memory, Bytes(3 << 20));
    assert_eq!(settings.query.seconds, 6);
    assert_eq!(settings.query.concurrency, 3);
    assert_eq!(settings.query.cached_plans, 256);
    let origin = |key: &str| settings.entries.iter().find(|entry| entry.key == key).unwrap().origin;
    assert_eq!(
        [origin("query.memory"), origin("query.seconds"), origin("query.concurrency"), origin("query.spill")],
        ["flag", "environment", "file", "default"]
    );
}

#[test]
fn unknown_keys_and_wrong_values_name_the_key() {
    let message = |file| Settings::load(Some(file), environment(&[]), &[]).unwrap_err().to_string();
    assert!(message("[query]\nmemroy = \"1MiB\"\n").contains("unknown setting 'query.memroy'"));
    assert!(message("[query]\nmemory = \"lots\"\n").contains("'lots' is not a size"));
}

#[test]
fn variables_of_a_section_that_are_no_settings_are_told() {
    let told = |name: &str| note_unknown_variables([name.to_owned()].into_iter()).unwrap();
    for (name, meant) in [
        ("CONVOKE_LOG_FLUSH_SECOND", "did you mean CONVOKE_LOG_FLUSH_SECONDS"),
        ("CONVOKE_QUERY_MEMORYY", "did you mean CONVOKE_QUERY_MEMORY"),
        ("CONVOKE_UPKEEP_ZZ", "system.settings lists them"),
    ] {
        let notes = told(name);
        assert!(notes.len() == 1 && notes[0].contains(name) && notes[0].contains(meant), "{notes:?}");
    }
    for name in ["CONVOKE_LOG", "CONVOKE_LOG_FLUSH_SECONDS", "CONVOKE_BIN", "CONVOKE_TEST_DATA", "LOG_FLUSH", "PATH"] {
        assert_eq!(told(name), [""; 0], "{name}");
    }
}

#[test]
fn the_base_currency_is_three_letters_in_upper_case() {
    let currency = |text: &str| {
        let env = environment(&[("CONVOKE_ORDERS_BASE_CURRENCY", text)]);
        Settings::load(None, env, &[]).map(|settings| settings.orders.base_currency).map_err(|error| error.to_string())
    };
    assert_eq!(currency(" eur"), Ok("EUR".into()));
    assert!(currency("euros").unwrap_err().contains("base_currency: 'euros' is not a currency"));
}

#[test]
fn a_log_has_room_for_its_records() {
    assert_eq!(LogSettings::default(), Settings::defaults().unwrap().log);
    let limit = |text: &str| {
        let env = environment(&[("CONVOKE_LOG_DISK_LIMIT", text), ("CONVOKE_LOG", "debug")]);
        Settings::load(None, env, &[]).map(|settings| settings.log.disk_limit).map_err(|error| error.to_string())
    };
    assert_eq!(limit("256MiB"), Ok(Bytes(256 << 20)));
    assert!(limit("255MiB").unwrap_err().contains("log.disk_limit"));
}

#[test]
fn sizes_take_units_of_ten_and_of_two() {
    for (text, bytes) in [("64MiB", 64 << 20), ("2GB", 2_000_000_000), ("17", 17), ("1 kib", 1024)] {
        assert_eq!(text.parse::<Bytes>().unwrap(), Bytes(bytes), "{text}");
    }
    for text in ["", "MiB", "1 parsec", "99999999999999999999"] {
        assert!(text.parse::<Bytes>().is_err(), "{text}");
    }
}
