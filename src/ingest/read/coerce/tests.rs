//! Values to types, case by case.
//!
//! Expected instants of local times were computed with Python's `zoneinfo` (`datetime.replace(tzinfo=..., fold=0)`),
//! which shares nothing with the zone tables used here but their source.

use chrono_tz::Tz;

use super::*;

fn parser(zone: &str, format: Option<&str>) -> TimeParser {
    TimeParser::new(zone.parse::<Tz>().unwrap(), format).unwrap()
}

#[test]
fn local_times_as_python_zoneinfo_reads_them() {
    let cases = [
        ("Asia/Shanghai", "1997-01-01 00:00:00", 852_048_000),
        // Shanghai had summer time until 1991: a gap, an hour that exists twice, a summer day.
        ("Asia/Shanghai", "1986-05-04 02:30:00", 515_529_000),
        ("Asia/Shanghai", "1986-09-14 01:30:00", 527_013_000),
        ("Asia/Shanghai", "1988-07-01 12:00:00", 583_729_200),
        ("Europe/Berlin", "2024-03-31 02:30:00", 1_711_848_600),
        ("Europe/Berlin", "2024-10-27 02:30:00", 1_729_989_000),
        ("Europe/Berlin", "2024-07-01", 1_719_784_800),
        ("Europe/Berlin", "2024-01-01 00:00:00", 1_704_063_600),
        ("America/New_York", "2024-03-10 02:30:00", 1_710_055_800),
        ("America/New_York", "2024-11-03 01:30:00", 1_730_611_800),
        ("America/New_York", "19970704", 867_988_800),
        ("America/New_York", "2024-03-10 03:00:00", 1_710_054_000),
        ("America/New_York", "1900-01-01 00:00:00", -2_208_970_800),
        // A whole day that Samoa skipped, and a gap of half an hour.
        ("Pacific/Apia", "2011-12-30 12:00:00", 1_325_282_400),
        ("Australia/Lord_Howe", "2024-10-06 02:15:00", 1_728_143_100),
        ("UTC", "2000-02-29 23:59:59", 951_868_799),
    ];
    for (zone, text, seconds) in cases {
        let parser = parser(zone, None);
        assert_eq!(parser.instant_of_text(text), Ok(seconds * 1_000_000), "{text} in {zone}");
    }
}

#[test]
fn written_forms_of_one_instant() {
    let instant = 1_717_163_100_000_000;
    for text in [
        "2024-05-31T13:45:00Z",
        "2024-05-31t13:45:00z",
        "2024-05-31 13:45:00 UTC",
        "2024-05-31T15:45:00+02:00",
        "2024-05-31 21:45:00.000000+0800",
        "2024-05-31T08:45-05",
        "2024-05-31T13:45Z",
        "1717163100",
        "1717163100000",
        "1717163100000000",
        "1717163100000000000",
        "1717163100.0",
    ] {
        assert_eq!(parser("Asia/Shanghai", None).instant_of_text(text), Ok(instant), "{text}");
    }
    let naive = ["2024-05-31 21:45", "2024-05-31T21:45:00", "2024/05/31 21:45:00.000"];
    for text in naive {
        assert_eq!(parser("Asia/Shanghai", None).instant_of_text(text), Ok(instant), "{text}");
    }
    assert_eq!(parser("UTC", None).instant_of_text("2024-05-31 13:45:00.1234569"), Ok(instant + 123_456));
    assert_eq!(parser("UTC", None).instant_of_text("1717163100.25"), Ok(instant + 250_000));
    assert_eq!(parser("UTC", None).instant_of_text("-999999999.5"), Ok(-999_999_999_500_000));
    // What is finer than a microsecond is cut to the earlier one, also before 1970.
    assert_eq!(parser("UTC", None).instant_of_text("-999999999.0000005"), Ok(-999_999_999_000_001));
    assert_eq!(parser("UTC", None).instant_of_text("-171716310000.0005"), Ok(-171_716_310_000_001));
    assert_eq!(parser("UTC", None).instant_of_text("-999999999.0000010"), Ok(-999_999_999_000_001));
}

/// Expected instants by Python: `datetime.strptime(text, format).replace(tzinfo=zone).timestamp()`.
#[test]
fn digits_that_read_as_a_calendar_time_are_one() {
    let cases = [
        ("UTC", "20240131", 1_706_659_200_000_000),
        ("UTC", "202401312359", 1_706_745_540_000_000),
        ("UTC", "20240131235959", 1_706_745_599_000_000),
        ("UTC", "20240131235959.25", 1_706_745_599_250_000),
        ("UTC", "20240131235959.1234567", 1_706_745_599_123_456),
        ("UTC", "20240131235959123", 1_706_745_599_123_000),
        ("UTC", "20240131235959123456", 1_706_745_599_123_456),
        ("UTC", "202401312359.0", 1_706_745_540_000_000),
        ("UTC", "20240131.0", 1_706_659_200_000_000),
        ("UTC", "190001010000", -2_208_988_800_000_000),
        ("Asia/Shanghai", "202401312359", 1_706_716_740_000_000),
        ("America/New_York", "20240704120000", 1_720_108_800_000_000),
    ];
    for (zone, text, micros) in cases {
        assert_eq!(parser(zone, None).instant_of_text(text), Ok(micros), "{text} in {zone}");
        if let Ok(number) = text.parse::<i64>() {
            assert_eq!(parser(zone, None).instant_of_integer(number), Ok(micros), "{number} in {zone}");
        }
    }
    for text in ["20240230", "20240131.5", "202401312359.5.1", "20240131235959.1x", "20240131235959.1234567.8"] {
        assert!(parser("UTC", None).instant_of_text(text).unwrap_err().contains("is not a time"), "{text}");
    }
    // No day or hour that there is, or in another order: as milliseconds they would be of before 1980.
    for number in [202_413_312_359, 202_401_312_400, 202_402_301_200, 310_120_242_359, 240_131_235_959] {
        let refusals = [
            parser("UTC", None).instant_of_text(&number.to_string()),
            parser("UTC", None).instant_of_text(&format!("{number}.5")),
            parser("UTC", None).instant_of_integer(number),
        ];
        for refusal in refusals {
            assert!(refusal.as_ref().is_err_and(|reason| reason.contains("is not a time")), "{number}: {refusal:?}");
        }
    }
    // CDNOW's first day: milliseconds of the years before 2001 have twelve digits.
    assert_eq!(parser("UTC", None).instant_of_integer(852_076_800_000), Ok(852_076_800_000_000));
    assert_eq!(parser("UTC", None).instant_of_integer(315_532_800_000), Ok(315_532_800_000_000), "1980");
    assert_eq!(parser("UTC", None).instant_of_text("1795900000"), Ok(1_795_900_000_000_000), "seconds of today");
    let shortened = parser("UTC", Some("%Y%m%d%H%M")).instant_of_integer(202_401_312_359);
    assert_eq!(shortened, Ok(1_706_745_540_000_000), "a format is obeyed");
}

#[test]
fn whole_numbers_are_written_by_their_digits() {
    for (text, expected) in [
        ("123.0", "123"),
        ("123.000", "123"),
        ("-5.0", "-5"),
        ("0.0", "0"),
        ("-0.0", "0"),
        ("1e+16", "10000000000000000"),
        ("1.5e+16", "15000000000000000"),
        ("1.38001380E10", "13800138000"),
        ("13800138000.0", "13800138000"),
        ("123", "123"),
        ("123.4", "123.4"),
        ("007.0", "007.0"),
        ("1.2.0", "1.2.0"),
        ("10.0.0.1", "10.0.0.1"),
        ("12E5", "12E5"),
        ("12e5", "12e5"),
        ("1.38E+10", "1.38E+10"),
        ("1.5e+0", "1.5e+0"),
        ("1e+99", "1e+99"),
        ("+86.0", "+86.0"),
        ("v1.0", "v1.0"),
        ("1.", "1."),
        ("", ""),
        ("-", "-"),
    ] {
        assert_eq!(whole_number_text(text), expected, "{text}");
    }
    // What JSON writes as a number is one, in every form.
    for (text, expected) in
        [("1e5", "100000"), ("1.5E3", "1500"), ("12E5", "1200000"), ("1.5e-3", "1.5e-3"), ("0", "0")]
    {
        assert_eq!(whole_number(text), expected, "{text}");
    }
}

#[test]
fn blanks_of_every_kind_are_cut() {
    for text in [
        "a b",
        " a b",
        "a b\u{a0}",
        "\u{3000}a b\u{feff}",
        "\u{200b}a b\u{2060}",
        "\ta b\r\n",
        "\u{202a}a b\u{202c}",
        "a b\0",
    ] {
        assert_eq!(trim_blanks(text), "a b", "{text:?}");
    }
    assert_eq!(trimmed("\u{a0}\u{feff}"), None);
    assert_eq!(trim_blanks("é"), "é");
}

#[test]
fn what_is_no_time() {
    for text in [
        "abc",
        "2024-13-01",
        "2024-02-30",
        "2023-02-29",
        "1900-02-29",
        "2024-05-31T25:00",
        "2024-05-31 13:60",
        "1997",
        "0",
        "-",
        ".",
        "1.",
        "20241301",
        "2024-05-31x",
        "2024-05-31 13:45:00.",
        "2024-05-31T13:45:00+25:00",
        "2024.05.31",
        "31.05.2024",
        "99999999999999999999",
        "é024-05-31",
    ] {
        let reason = parser("UTC", None).instant_of_text(text).unwrap_err();
        assert!(reason.contains("is not a time"), "{text}: {reason}");
    }
    for text in [
        "1899-12-31",
        "2201-01-01 00:00:00",
        "0024-05-31",
        "9999-12-31T00:00:00Z",
        "99999999999",
        "9223372036854775807",
    ] {
        let reason = parser("UTC", None).instant_of_text(text).unwrap_err();
        assert!(reason.contains("outside the years 1900 to 2200"), "{text}: {reason}");
    }
}

#[test]
fn formats_of_the_user() {
    let day = 1_717_113_600_000_000;
    assert_eq!(parser("UTC", Some("%d.%m.%Y")).instant_of_text("31.05.2024"), Ok(day));
    assert_eq!(parser("Asia/Shanghai", Some("%d.%m.%Y")).instant_of_text("31.05.2024"), Ok(day - 28_800_000_000));
    assert_eq!(parser("UTC", Some("%d.%m.%Y %H:%M")).instant_of_text("31.05.2024 01:30"), Ok(day + 5_400_000_000));
    assert_eq!(parser("Asia/Shanghai", Some("%d.%m.%Y %H:%M %z")).instant_of_text("31.05.2024 02:00 +0200"), Ok(day));
    assert_eq!(parser("Asia/Shanghai", Some("%s")).instant_of_text("1717113600"), Ok(day));
    assert_eq!(parser("UTC", Some("%Y%m%d")).instant_of_integer(20_240_531), Ok(day));
    let reason = parser("UTC", Some("%d.%m.%Y")).instant_of_text("2024-05-31").unwrap_err();
    assert_eq!(reason, "'2024-05-31' is not a time in the format %d.%m.%Y");
    assert!(TimeParser::new(Tz::UTC, Some("%Q")).is_err());
}

#[test]
fn decimals_from_text_are_exact() {
    let cases = [
        ("0", 0),
        ("-0", 0),
        ("12", 120_000),
        ("+12.5", 125_000),
        (".5", 5_000),
        ("5.", 50_000),
        ("-1.00005", -10_001),
        ("1.00005", 10_001),
        ("1.00004999999", 10_000),
        ("0.00005", 1),
        ("0.00004", 0),
        ("0.000009", 0),
        ("1e3", 10_000_000),
        ("1.5E-3", 15),
        ("5e-5", 1),
        ("5e-6", 0),
        ("9e-400", 0),
        ("0e400", 0),
        ("0000000000000000000000001", 10_000),
        ("99999999999999.9999", 999_999_999_999_999_999),
        ("-99999999999999.99994", -999_999_999_999_999_999),
        ("12345678901234.5678", 123_456_789_012_345_678),
    ];
    for (text, units) in cases {
        assert_eq!(decimal_from_text(text), Ok(units), "{text}");
    }
}

#[test]
fn what_is_no_decimal() {
    for text in
        ["", "abc", ".", "-", "1e", "e1", "1.2.3", "1 2", "--1", "NaN", "inf", "1e999", "$5", "0x1F", "1_000", "１"]
    {
        let reason = decimal_from_text(text).unwrap_err();
        assert!(reason.contains("is not a decimal number"), "{text}: {reason}");
    }
    assert!(decimal_from_text("30 EUR").unwrap_err().ends_with(": write digits and a point alone, such as 1234.56"));
    assert!(decimal_from_text("NaN").unwrap_err().ends_with("is not a decimal number"));
    assert!(decimal_from_text("1,234.50").unwrap_err().contains("without thousands separators"));
    assert!(decimal_from_text("12,5").unwrap_err().contains("has a comma"));
    for text in ["100000000000000", "99999999999999.99995", "1e14", "-1e300"] {
        assert!(decimal_from_text(text).unwrap_err().contains("more than 14 digits"), "{text}");
    }
}

#[test]
fn decimals_from_numbers() {
    assert_eq!(decimal_from_integer(-7, 0), Ok(-70_000));
    assert_eq!(decimal_from_integer(12_345_650, 6), Ok(123_457));
    assert_eq!(decimal_from_integer(-12_345_650, 6), Ok(-123_457));
    assert_eq!(decimal_from_integer(12_345_649, 6), Ok(123_456));
    assert_eq!(decimal_from_integer(12, -2), Ok(12_000_000));
    assert_eq!(decimal_from_integer(i128::MAX, 38), Ok(17_014));
    assert!(decimal_from_integer(i128::MAX, 0).is_err());
    assert!(decimal_from_integer(100_000_000_000_000, 0).is_err());
    assert_eq!(decimal_from_float(0.1), Ok(1_000));
    assert_eq!(decimal_from_float(-19.99), Ok(-199_900));
    // Written as a binary fraction this lies below the half: its text decides.
    assert_eq!(decimal_from_float(1.000_05), Ok(10_001));
    assert_eq!(decimal_from_float(-2.5e-5), Ok(0));
    assert!(decimal_from_float(f64::NAN).is_err());
    assert!(decimal_from_float(f64::INFINITY).is_err());
    assert!(decimal_from_float(1e15).is_err());
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_value_or_a_reason(text in "\\PC{1,40}") {
        let _ = decimal_from_text(&text);
        let _ = parser("Europe/Berlin", None).instant_of_text(&text);
    }

    #[test]
    fn number_like_text_is_a_value_or_a_reason(text in "[-+0-9.eTZ: ]{1,30}") {
        let _ = decimal_from_text(&text);
        let _ = parser("Europe/Berlin", None).instant_of_text(&text);
    }

    #[test]
    fn a_decimal_of_four_places_reads_back(units in -999_999_999_999_999_999_i64..=999_999_999_999_999_999) {
        let text = format!("{}{}.{:04}", if units < 0 { "-" } else { "" }, units.abs() / 10_000, units.abs() % 10_000);
        proptest::prop_assert_eq!(decimal_from_text(&text), Ok(i128::from(units)));
    }
}

/// Excel's count: day 1 is 1900-01-01, and 1900 has a 29th of February there, so that 45292 is 2024-01-01.
#[test]
fn day_counts_of_spreadsheets_are_told() {
    let told = |text: &str| parser("UTC", None).instant_of_text(text).unwrap_err();
    for (text, day) in
        [("45292", "2024-01-01"), ("45292.75", "2024-01-01"), ("45351", "2024-02-29"), ("29221", "1980-01-01")]
    {
        assert!(
            told(text).contains(&format!("as Excel counts days it would be {day}: format the column as a date")),
            "{text}"
        );
    }
    for text in ["99999", "4529", "452920", "45292.", "45292.x"] {
        assert!(!told(text).contains("Excel"), "{text}: {}", told(text));
    }
}
