use proptest::prelude::*;

use super::{EmailOptions, Region, email, email_with, phone};

fn region(code: &str) -> Region {
    Region::new(code).unwrap()
}

/// What the HTML standard's pattern of a valid e-mail address takes and refuses, and RFC 5321's lengths.
#[test]
fn addresses_are_told_from_other_texts() {
    let long = |length: usize| "a".repeat(length);
    let label = long(63);
    let good = [
        "ann@example.com".to_owned(),
        "o'brien+news/1@example.co.uk".to_owned(),
        "ann@localhost".to_owned(),
        "1@2.cn".to_owned(),
        "用户@例子.公司".to_owned(),
        format!("{}@example.com", long(64)),
        format!("a@{label}.com"),
        format!("a@{label}.{label}.{label}.{}", long(61)),
    ];
    for address in &good {
        assert_eq!(email(address).as_deref(), Some(address.as_str()));
    }
    let bad = [
        String::new(),
        "  ".to_owned(),
        "ann".to_owned(),
        "@example.com".to_owned(),
        "ann@".to_owned(),
        "ann@@example.com".to_owned(),
        "ann lee@example.com".to_owned(),
        "Ann <ann@example.com>".to_owned(),
        "mailto:ann@example.com".to_owned(),
        "\"ann\"@example.com".to_owned(),
        "ann@example..com".to_owned(),
        "ann@example.com.".to_owned(),
        "ann@-example.com".to_owned(),
        "ann@example-.com".to_owned(),
        "ann@exa_mple.com".to_owned(),
        "ann@[192.0.2.1]".to_owned(),
        "ann@example.com,bob@example.com".to_owned(),
        format!("{}@example.com", long(65)),
        format!("a@{}.com", long(64)),
        format!("a@{label}.{label}.{label}.{}", long(62)),
    ];
    for text in &bad {
        assert_eq!(email(text), None, "{text}");
    }
}

#[test]
fn addresses_have_one_form() {
    assert_eq!(email("\u{feff} Ann.Lee+x@EXAMPLE.Com\r\n").as_deref(), Some("Ann.Lee+x@example.com"));
    // e and a combining accent are é (NFC).
    assert_eq!(email("rene\u{301}@CAFE\u{301}.fr").as_deref(), Some("ren\u{e9}@caf\u{e9}.fr"));
}

#[test]
fn only_options_touch_the_part_before_the_at() {
    let lower = EmailOptions { lower_case_local: true, ..EmailOptions::default() };
    assert_eq!(email_with("Ann.Lee+x@Gmail.com", lower).as_deref(), Some("ann.lee+x@gmail.com"));
    let fold = EmailOptions { fold_gmail: true, ..EmailOptions::default() };
    assert_eq!(email_with("Ann.Lee+x@Gmail.com", fold).as_deref(), Some("AnnLee@gmail.com"));
    assert_eq!(email_with("a.b+c@googlemail.com", fold).as_deref(), Some("ab@googlemail.com"));
    assert_eq!(email_with("a.b+c@example.com", fold).as_deref(), Some("a.b+c@example.com"));
    assert_eq!(email_with("+c@gmail.com", fold), None);
}

#[test]
fn regions_are_countries_with_numbers() {
    assert_eq!(Region::new("cn"), Region::new("CN"));
    assert_eq!(Region::new(" zz "), Some(Region::INTERNATIONAL));
    for code in ["", "C", "CHN", "XX", "86", "001", "中国"] {
        assert_eq!(Region::new(code), None, "{code}");
    }
}

/// Mobile numbers that libphonenumber 9.0.43 gives as examples of each country, in their national form (PyPI
/// phonenumbers, `example_number_for_type`).
#[test]
fn examples_of_libphonenumber_are_read() {
    let examples = [
        ("AE", "050 123 4567", "+971501234567"),
        ("AU", "0412 345 678", "+61412345678"),
        ("BR", "(11) 96123-4567", "+5511961234567"),
        ("CA", "(506) 234-5678", "+15062345678"),
        ("CH", "078 123 45 67", "+41781234567"),
        ("CN", "131 2345 6789", "+8613123456789"),
        ("DE", "01512 3456789", "+4915123456789"),
        ("ES", "612 34 56 78", "+34612345678"),
        ("FR", "06 12 34 56 78", "+33612345678"),
        ("GB", "07400 123456", "+447400123456"),
        ("HK", "5123 4567", "+85251234567"),
        ("ID", "0812-345-678", "+62812345678"),
        ("IN", "081234 56789", "+918123456789"),
        ("IT", "312 345 6789", "+393123456789"),
        ("JP", "090-1234-5678", "+819012345678"),
        ("KR", "010-2000-0000", "+821020000000"),
        ("MX", "222 123 4567", "+522221234567"),
        ("MY", "012-345 6789", "+60123456789"),
        ("NZ", "021 123 4567", "+64211234567"),
        ("PH", "0905 123 4567", "+639051234567"),
        ("PL", "512 345 678", "+48512345678"),
        ("RU", "8 (912) 345-67-89", "+79123456789"),
        ("SG", "8123 4567", "+6581234567"),
        ("TH", "081 234 5678", "+66812345678"),
        ("TR", "0501 234 56 78", "+905012345678"),
        ("TW", "0912 345 678", "+886912345678"),
        ("US", "(201) 555-0123", "+12015550123"),
        ("VN", "0912 345 678", "+84912345678"),
        ("ZA", "071 123 4567", "+27711234567"),
    ];
    for (code, national, expected) in examples {
        assert_eq!(phone(national, region(code)).as_deref(), Some(expected), "{code} {national}");
        assert_eq!(phone(expected, Region::INTERNATIONAL).as_deref(), Some(expected));
    }
}

proptest! {
    #[test]
    fn what_is_normal_stays(text in "[ A-Za-zäÖİßΣς.+\u{301}]{0,6}@[A-Za-zäÖİßΣς\u{301}.-]{0,8}") {
        for fold_gmail in [false, true] {
            let options = EmailOptions { lower_case_local: fold_gmail, fold_gmail };
            if let Some(once) = email_with(&text, options) {
                let again = email_with(&once, options);
                prop_assert_eq!(again.as_deref(), Some(&*once));
            }
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>(), digits in "[+0-9 ()/;=a-z-]{0,20}") {
        email(&text);
        for text in [&text, &digits] {
            if let Some(number) = phone(text, region("CN")) {
                prop_assert_eq!(phone(&number, Region::INTERNATIONAL), Some(number));
            }
        }
    }
}
