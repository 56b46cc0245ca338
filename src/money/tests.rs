//! Products by hand.

use super::*;

#[track_caller]
fn product(left: &str, right: &str) -> Option<i128> {
    Exact::from_text(left).unwrap().times(Exact::from_text(right).unwrap())
}

#[test]
fn products_are_rounded_once() {
    // 1.23456 x 1000 = 1234.56; of the price cut to 1.2346 it would be 1234.6.
    assert_eq!(product("1.23456", "1000"), Some(12_345_600));
    assert_eq!(product("10000", "0.33335"), Some(33_335_000));
    // 0.00005 x 3 = 0.00015, half away from zero.
    assert_eq!(product("0.00005", "3"), Some(2));
    assert_eq!(product("-0.00005", "3"), Some(-2));
    assert_eq!(product("0.0049", "0.01"), Some(0), "0.000049");
    assert_eq!(product("1e-3", "5E2"), Some(5_000));
    // 0.30000000000000004 x 10^13 = 3000000000000.0004.
    assert_eq!(product("0.30000000000000004", "10000000000000"), Some(30_000_000_000_000_004));
    // Two numbers of 38 digits each: 3.3..3 x 3.0..0 = 9.9..9.
    let thirds = format!("3.{}", "3".repeat(37));
    assert_eq!(product(&thirds, &format!("3.{}", "0".repeat(37))), Some(100_000));
}

#[track_caller]
fn less(left: &str, right: &str, less: &str) -> Option<i128> {
    let [left, right, less] = [left, right, less].map(|text| Exact::from_text(text).unwrap());
    left.times_less(right, less)
}

#[test]
fn what_is_subtracted_is_not_rounded_before() {
    // 1 - 0.00005 = 0.99995, half away from zero; of the discount rounded to 0.0001 it would be 0.9999.
    assert_eq!(less("1", "1", "0.00005"), Some(10_000));
    // 1.00005 - 0.00004 = 1.00001; of both rounded it would be 1.0001.
    assert_eq!(less("0.33335", "3", "0.00004"), Some(10_000));
    assert_eq!(less("-1", "1", "-0.00005"), Some(-10_000));
    assert_eq!(less("2", "3", "0.5"), Some(55_000));
    assert_eq!(less("1", "1", "3"), Some(-20_000));
    assert_eq!(less("2", "3", "0e400"), Some(60_000));
    assert_eq!(less("1e2", "1e2", "1e3"), Some(90_000_000));
    // Beyond an amount before, not behind it.
    assert_eq!(less("100000000000000", "1", "1"), Some(999_999_999_999_990_000));
    assert_eq!(less("1", "1", "1e15"), None);
    assert_eq!(less("1", "1", "1e400"), None);
    // 1e-80 less 5, and numbers of 38 digits: 3.3..3 x 3.0..0 = 9.9..9, less 99999.
    assert_eq!(less("1e-80", "1", "5"), Some(-50_000));
    let thirds = format!("3.{}", "3".repeat(37));
    assert_eq!(less(&thirds, &format!("3.{}", "0".repeat(37)), "99999"), Some(-999_890_000));
}

#[test]
fn products_beyond_an_amount_are_none() {
    assert_eq!(product("99999999999999.9999", "1"), Some(999_999_999_999_999_999));
    assert_eq!(product("99999999999999.99995", "1"), None, "rounded up to 15 digits");
    assert_eq!(product("10000000", "10000000"), None);
    assert_eq!(product("-1e200", "1e200"), None);
    assert_eq!(product("1e-200", "1e200"), Some(10_000));
    assert_eq!(product("1e-400", "1e-400"), Some(0));
    assert_eq!(product("0", "1e400"), Some(0));
    assert!(Exact::from_text("1e401").is_err() && Exact::from_text("abc").is_err() && Exact::from_text("").is_err());
}

/// Worked out by Python's `decimal`: `Decimal(text).quantize(Decimal('1e-24'), ROUND_HALF_UP)`.
#[test]
fn quantities_keep_the_digits_that_were_written() {
    let cases = [
        ("0", 0),
        ("-3", -3_000_000_000_000_000_000_000_000),
        ("0.00005", 50_000_000_000_000_000_000),
        ("1.23456789", 1_234_567_890_000_000_000_000_000),
        ("-12e-24", -12),
        ("5e-25", 1),
        ("-4.9e-25", 0),
        ("1e-400", 0),
        ("0e400", 0),
        ("99999999999999.999949999999999999999999", 99_999_999_999_999_999_949_999_999_999_999_999_999),
    ];
    for (text, units) in cases {
        assert_eq!(quantity_from_text(text), Ok(units), "{text}");
    }
    for text in ["abc", "", "3 pcs", "1e14", "99999999999999.99995", "1e401"] {
        assert_eq!(quantity_from_text(text).unwrap_err(), decimal_from_text(text).unwrap_err(), "{text}");
    }
}

#[test]
fn quantities_of_numbers_are_those_of_their_texts() {
    for value in [0.0, -2.0, 0.1, 0.000_05, 1.234_567_89, 0.1 + 0.2, 99_999_999_999_999.0, 1e-7, 1.5e14, f64::NAN] {
        assert_eq!(quantity_from_float(value), quantity_from_text(&value.to_string()), "{value}");
    }
    assert_eq!(quantity_from_integer(123_456_789, 8), quantity_from_text("1.23456789"));
    assert_eq!(quantity_from_integer(-7, 0), Ok(-7 * QUANTITY_ONE));
    assert_eq!(quantity_from_integer(5, 38), Ok(0), "5e-38");
    assert_eq!(quantity_from_integer(10_i128.pow(37), 38), quantity_from_text("0.1"));
    assert!(quantity_from_integer(100_000_000_000_000, 0).is_err());
}

proptest::proptest! {
    /// What is stored of a quantity does not depend on the way: rounded once, half away from zero.
    #[test]
    fn a_quantity_rounds_to_the_amount_of_its_text(text in "-?[0-9]{1,14}\\.[0-9]{0,24}") {
        let stored = quantity_from_text(&text).and_then(|units| decimal_from_integer(units, QUANTITY_SCALE));
        proptest::prop_assert_eq!(stored.ok(), decimal_from_text(&text).ok());
    }

    /// Whole numbers of ten-thousandths, whose exact product has eight decimals, and as amounts.
    #[test]
    fn small_products_are_those_of_integers(left in -1_000_000_000_i64..1_000_000_000, right in -1_000_000_i64..1_000_000) {
        let exact = |units: i64| Exact::of_units(i128::from(units), 4);
        let expected = divide(i128::from(left) * i128::from(right), ONE);
        proptest::prop_assert_eq!(exact(left).times(exact(right)), Some(expected));
        let numbers = [left, right].map(exact);
        let less = divide(i128::from(left) * i128::from(right) - i128::from(left) * ONE, ONE);
        proptest::prop_assert_eq!(numbers[0].times_less(numbers[1], numbers[0]), Some(less));
        let text = format!("{left}e-4");
        proptest::prop_assert_eq!(Exact::from_text(&text).unwrap().amount(), Some(i128::from(left)));
        proptest::prop_assert_eq!(decimal_from_text(&text), Ok(i128::from(left)));
    }
}
