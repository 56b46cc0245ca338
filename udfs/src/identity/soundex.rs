//! American Soundex, as the United States National Archives describe it (archives.gov/research/census/soundex).

use icu_normalizer::DecomposingNormalizerBorrowed;

const LENGTH: usize = 4;

/// The code of a name: a letter and three digits. `None` without any Latin letter.
pub(super) fn soundex(text: &str) -> Option<String> {
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let upper = decomposed.chars().flat_map(char::to_uppercase);
    let mut letters = upper.filter(char::is_ascii_uppercase);
    let first = letters.next()?;
    let mut code = String::from(first);
    let mut last = digit(first);
    for letter in letters {
        if code.len() == LENGTH {
            break;
        }
        match digit(letter) {
            Some(digit) if last == Some(digit) => {}
            Some(digit) => {
                code.push(digit);
                last = Some(digit);
            }
            // Equal digits with an H or W between them are one, with a vowel between them two.
            None if matches!(letter, 'H' | 'W') => {}
            None => last = None,
        }
    }
    while code.len() < LENGTH {
        code.push('0');
    }
    Some(code)
}

fn digit(letter: char) -> Option<char> {
    match letter {
        'B' | 'F' | 'P' | 'V' => Some('1'),
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => Some('2'),
        'D' | 'T' => Some('3'),
        'L' => Some('4'),
        'M' | 'N' => Some('5'),
        'R' => Some('6'),
        _ => None,
    }
}
