//! Chinese names in pinyin: characters by their most common reading, surnames by their own.

use pinyin::ToPinyin;

use super::surnames::surname;

/// Syllables and words in lower case, separated by spaces. `None` for a text without letters or digits.
pub(super) fn pinyin(text: &str) -> Option<String> {
    let text = text.trim_start();
    let mut spelled = String::with_capacity(2 * text.len());
    let rest = match surname(text) {
        Some((reading, rest)) => {
            spelled.push_str(reading);
            rest
        }
        None => text,
    };
    // Whether the next letter begins a word of its own.
    let mut is_apart = true;
    for letter in rest.chars() {
        let reading = letter.to_pinyin();
        let is_word = letter.is_alphanumeric();
        if (reading.is_some() || (is_word && is_apart)) && !spelled.is_empty() {
            spelled.push(' ');
        }
        match reading {
            Some(reading) => spelled.extend(reading.plain().chars().map(in_ascii)),
            None if is_word => spelled.extend(letter.to_lowercase()),
            None => {}
        }
        is_apart = reading.is_some() || !is_word;
    }
    (!spelled.is_empty()).then_some(spelled)
}

/// As it is typed: v for ü. A lone ê occurs in interjections only.
fn in_ascii(letter: char) -> char {
    match letter {
        'ü' => 'v',
        'ê' => 'e',
        letter => letter,
    }
}
