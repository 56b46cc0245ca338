//! Formats of times as spreadsheets and other systems write them, `DD/MM/YYYY`, in the parts that `--ts-format` takes.

/// The format in strftime's parts; `None` where it has letters that say nothing certain.
pub(super) fn translate(format: &str) -> Option<String> {
    let has_half = has_half_days(format);
    let mut meant = String::new();
    let mut before = ' ';
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let letter = first.to_ascii_lowercase();
        let length: usize =
            rest.chars().take_while(|next| next.to_ascii_lowercase() == letter).map(char::len_utf8).sum();
        let pair = rest.get(..2).unwrap_or_default().to_ascii_lowercase();
        let (part, length) = match (letter, length) {
            ('a' | 'p', _) if pair == "am" || pair == "pm" => ("%p", 2),
            ('m', 1) if pair == "mi" => ("%M", 2),
            ('y', 3..) => ("%Y", length),
            ('y', _) => ("%y", length),
            ('d', ..=2) => ("%d", length),
            // Months and minutes are the same letter: minutes follow hours.
            ('m', ..=2) if before == 'h' => ("%M", length),
            ('m', ..=2) => ("%m", length),
            ('m', 3) => ("%b", length),
            ('m', _) => ("%B", length),
            ('h', ..=2) => {
                let digits = ["24", "12"].into_iter().any(|digits| rest[length..].starts_with(digits));
                (if has_half { "%I" } else { "%H" }, if digits { length + 2 } else { length })
            }
            ('s', ..=2) => ("%S", length),
            ('t', 1) => ("T", 1),
            (other, _) if other.is_alphabetic() => return None,
            _ => (&rest[..length], length),
        };
        meant.push_str(part);
        if letter.is_alphabetic() {
            before = letter;
        }
        rest = &rest[length..];
    }
    meant.contains('%').then_some(meant)
}

fn has_half_days(format: &str) -> bool {
    let lower = format.to_ascii_lowercase();
    lower.contains("am") || lower.contains("pm")
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn formats_of_others_are_told_in_ours() {
        let cases = [
            ("DD/MM/YYYY", Some("%d/%m/%Y")),
            ("m/d/yy", Some("%m/%d/%y")),
            ("dd.MM.yyyy HH:mm:ss", Some("%d.%m.%Y %H:%M:%S")),
            ("YYYY-MM-DDTHH24:MI:SS", Some("%Y-%m-%dT%H:%M:%S")),
            ("DD/MM/YYYY HH:MM", Some("%d/%m/%Y %H:%M")),
            ("MM/DD/YYYY hh:mm AM", Some("%m/%d/%Y %I:%M %p")),
            ("d-MMM-yyyy", Some("%d-%b-%Y")),
            ("iso8601", None),
            ("日", None),
            ("", None),
        ];
        for (given, meant) in cases {
            assert_eq!(translate(given).as_deref(), meant, "{given}");
        }
    }
}
