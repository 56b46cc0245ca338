//! Which identifiers are usable, and in which spelling.

use super::*;

#[test]
fn values_have_the_spelling_of_their_type() {
    let rulebook = rules(
        "id_types:\n\
         - {name: user_id, normalize: lower}\n\
         - {name: member_no, normalize: trim}\n\
         - {name: email, normalize: email}\n\
         - {name: phone, normalize: {phone: CN}}\n\
         - {name: wechat_openid, normalize: none}\n\
         - {name: fax, class: person, normalize: phone}\n",
    );
    for (kind, value, spelled) in [
        ("user_id", " ÄNNE-7 ", "änne-7"),
        ("user_id", "ab", "ab"),
        ("member_no", " M-7 ", "M-7"),
        ("email", " Ann.Lee@Example.COM", "Ann.Lee@example.com"),
        ("email", "ann@example.com", "ann@example.com"),
        // The example of ITU-T E.164 for China: country code 86, eleven digits.
        ("phone", "138-0013-8000", "+8613800138000"),
        ("phone", "+86 138 0013 8000", "+8613800138000"),
        ("phone", "+41 44 668 18 00", "+41446681800"),
        ("fax", "+41 (0)44 668 1800", "+41446681800"),
        ("wechat_openid", "oXYZ", "oXYZ"),
    ] {
        assert_eq!(asked(&rulebook, kind, value).as_deref(), Ok(spelled), "{kind} {value}");
    }
    for (kind, value) in [
        ("email", "ann"),
        ("email", "@example.com"),
        ("email", "ann lee@example.com"),
        ("phone", "12"),
        ("phone", "call me"),
        // Without a region a number needs its country code.
        ("fax", "138 0013 8000"),
    ] {
        assert_eq!(asked(&rulebook, kind, value), Err(BlockReason::Form), "{kind} {value}");
    }
}

#[test]
fn what_is_blocked_is_blocked_before_and_after_it_is_spelled() {
    let rulebook = rules(
        "id_types: [{name: phone, normalize: {phone: CN}}, {name: user_id, normalize: lower}]\n\
         block_values: {exact: [\"+8613800138000\", Kasse], regex: [\"test-[0-9]+\"], min_length: 3}",
    );
    assert_eq!(asked(&rulebook, "phone", "138 0013 8000"), Err(BlockReason::Value));
    assert_eq!(asked(&rulebook, "phone", "1.380013E+10"), Err(BlockReason::Value));
    for value in ["KASSE", "(kasse)", " kasse "] {
        assert_eq!(asked(&rulebook, "user_id", value), Err(BlockReason::Value), "{value}");
    }
    for (value, reason) in
        [("TEST-77", BlockReason::Pattern), ("ab", BlockReason::Length), ("张三", BlockReason::Length)]
    {
        assert_eq!(asked(&rulebook, "user_id", value), Err(reason), "{value}");
    }
    // A pattern is of the whole value, a length is of characters.
    for value in ["my-test-77", "test-77a", "张三丰", "abc"] {
        assert_eq!(asked(&rulebook, "user_id", value).as_deref(), Ok(value));
    }
}

#[test]
fn filters_leave_out_and_let_in() {
    let rulebook = rules(
        "id_types:\n\
         - name: email\n\
         \x20 filters:\n\
         \x20 - {type: include, regex: \".+@shop[.]cn\"}\n\
         \x20 - {type: include, value: \"ann@example.com\"}\n\
         \x20 - {type: exclude, value: \"noreply@shop.cn\"}\n\
         \x20 - {type: exclude, regex: \"bot-.*\"}\n",
    );
    for value in ["ann@example.com", "bob@shop.cn"] {
        assert_eq!(asked(&rulebook, "email", value).as_deref(), Ok(value));
    }
    for value in ["noreply@shop.cn", "bot-1@shop.cn", "bob@shop.cn.example", "bob@example.com"] {
        assert_eq!(asked(&rulebook, "email", value), Err(BlockReason::Filter), "{value}");
    }
    // Filters are of their type alone.
    assert_eq!(asked(&rulebook, "user_id", "bot-1").as_deref(), Ok("bot-1"));
}

#[test]
fn what_a_server_blocks_is_blocked_and_not_written() {
    let rulebook = rules("block_values: {exact: [kasse]}");
    let here = rulebook.with_blocked(&["kiosk".to_owned()]);
    assert_eq!(asked(&here, "user_id", "Kiosk"), Err(BlockReason::Value));
    assert_eq!(asked(&here, "user_id", "kasse"), Err(BlockReason::Value));
    assert_eq!(asked(&rulebook, "user_id", "Kiosk").as_deref(), Ok("Kiosk"));
    assert_eq!(here.to_text(), rulebook.to_text());
}
