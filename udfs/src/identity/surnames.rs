//! Surnames whose reading differs from the most common reading of their characters, in simplified and traditional
//! characters. Those that the list of surnames of overtrue/pinyin (MIT) reads in another way than the first reading of
//! mozillazg/pinyin-data, and 澹台 by the phrases of pypinyin.

/// The reading of the surname that a name begins with, and what follows it; none where the common reading is right.
pub(super) fn surname(name: &str) -> Option<(&'static str, &str)> {
    let mut letters = name.chars();
    let (first, after_first) = (letters.next()?, letters.as_str());
    if let Some(second) = letters.next()
        && let Some(reading) = compound(first, second)
    {
        return Some((reading, letters.as_str()));
    }
    single(first).map(|reading| (reading, after_first))
}

fn compound(first: char, second: char) -> Option<&'static str> {
    match (first, second) {
        ('万' | '萬', '俟') => Some("mo qi"),
        ('尉', '迟' | '遲') => Some("yu chi"),
        ('单' | '單', '于') => Some("chan yu"),
        ('澹', '台' | '臺') => Some("tan tai"),
        _ => None,
    }
}

fn single(letter: char) -> Option<&'static str> {
    Some(match letter {
        '卜' => "bu",
        '查' => "zha",
        '曾' => "zeng",
        '单' | '單' => "shan",
        '都' => "du",
        '佴' => "nai",
        '繁' => "po",
        '盖' | '蓋' => "ge",
        '解' => "xie",
        '阚' | '闞' => "kan",
        '乐' | '樂' => "yue",
        '六' => "lu",
        '秘' => "bi",
        '缪' | '繆' => "miao",
        '乜' => "nie",
        '粘' => "nian",
        '朴' => "piao",
        '仇' => "qiu",
        '区' | '區' => "ou",
        '覃' => "qin",
        '折' => "she",
        '薄' => "bo",
        '贠' | '貟' => "yun",
        '藏' => "zang",
        '扎' => "za",
        '翟' => "zhai",
        '种' | '重' => "chong",
        _ => return None,
    })
}
