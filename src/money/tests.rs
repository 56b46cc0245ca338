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

proptest::proptest! {
    /// Whole numbers of ten-thousandths, whose exact product has eight decimals, and as amounts.
    #[test]
    fn small_products_are_those_of_integers(left in -1_000_000_000_i64..1_000_000_000, right in -1_000_000_i64..1_000_000) {
        let exact = |units: i64| Exact::of_amount(i128::from(units));
        let expected = divide(i128::from(left) * i128::from(right), ONE);
        proptest::prop_assert_eq!(exact(left).times(exact(right)), Some(expected));
        let text = format!("{left}e-4");
        proptest::prop_assert_eq!(Exact::from_text(&text).unwrap().amount(), Some(i128::from(left)));
        proptest::prop_assert_eq!(decimal_from_text(&text), Ok(i128::from(left)));
    }
}
