//! Values that stand where an identifier or an order number should, and name nobody and nothing: what programs write for
//! "there is none". Left alone, each of them joins strangers to one person, or their purchases to one order.

use std::collections::HashSet;

/// The built-in values, in lower case and without brackets and quotes around them; see [`BlockedValues::contains`] for
/// what is blocked by its form.
///
/// Sources: the NA values of pandas' `read_csv`, the ids that PostHog refuses, Segment's suggestions for its block list,
/// the errors of spreadsheets, the placeholders of Google Analytics, NULL as databases export it.
const BUILT_IN: [&str; 142] = [
    // No value.
    "null",
    "nul",
    "\\n",
    "none",
    "nil",
    "nan",
    "-nan",
    "nat",
    "na",
    "n/a",
    "n.a.",
    "nonetype",
    "undefined",
    "object object",
    "object null",
    "object undefined",
    "true",
    "false",
    "#n/a n/a",
    "#na",
    "1.#ind",
    "-1.#ind",
    "1.#qnan",
    "-1.#qnan",
    // Errors of spreadsheets.
    "#n/a",
    "#ref!",
    "#value!",
    "#name?",
    "#div/0!",
    "#null!",
    "#num!",
    "#error!",
    // Words for it.
    "not set",
    "not_set",
    "notset",
    "not provided",
    "not available",
    "not applicable",
    "not_authenticated",
    "no value",
    "no data",
    "missing",
    "empty",
    "unknown",
    "unspecified",
    "anonymous",
    "guest",
    "test",
    "-1",
    "无",
    "空",
    "未知",
    "匿名",
    "游客",
    // The same in German, French, Spanish, Italian, Portuguese, Dutch and Polish.
    "keine",
    "kein",
    "keiner",
    "k.a.",
    "k. a.",
    "keine angabe",
    "ohne angabe",
    "nicht angegeben",
    "nicht vorhanden",
    "nicht bekannt",
    "nicht verfügbar",
    "unbekannt",
    "anonym",
    "gast",
    "gastkunde",
    "laufkunde",
    "laufkundschaft",
    "leer",
    "aucun",
    "aucune",
    "néant",
    "non renseigné",
    "non renseigne",
    "non disponible",
    "inconnu",
    "inconnue",
    "anonyme",
    "invité",
    "vide",
    "ninguno",
    "ninguna",
    "sin datos",
    "no aplica",
    "no disponible",
    "desconocido",
    "desconocida",
    "anónimo",
    "anonimo",
    "invitado",
    "vacío",
    "vacio",
    "nessuno",
    "nessuna",
    "non disponibile",
    "sconosciuto",
    "sconosciuta",
    "ospite",
    "vuoto",
    "nenhum",
    "nenhuma",
    "sem dados",
    "não informado",
    "nao informado",
    "desconhecido",
    "desconhecida",
    "anônimo",
    "convidado",
    "vazio",
    "geen",
    "niet bekend",
    "onbekend",
    "anoniem",
    "leeg",
    "brak",
    "brak danych",
    "nie dotyczy",
    "nieznany",
    "nieznana",
    "nieznane",
    "gość",
    // Names of columns that stand in a row.
    "id",
    "user_id",
    "userid",
    "anonymous_id",
    "anonymousid",
    "distinct_id",
    "distinctid",
    "order_id",
    "orderid",
    "email",
    "phone",
    // Addresses of nobody, beside those whose name is that of their domain (none@none.com).
    "no@email.com",
    "noemail@email.com",
    "noemail@noemail.com",
    "no@no.com",
    // Devices that hide or lack their own number.
    "9774d56d682e549c",
    "02:00:00:00:00:00",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
];

/// Pairs that programs write around a value that is none: `(null)`, `<NA>`, `[object Object]`, `{}`, `""`.
const ENCLOSURES: [(char, char); 8] =
    [('(', ')'), ('<', '>'), ('[', ']'), ('{', '}'), ('"', '"'), ('\'', '\''), ('`', '`'), ('（', '）')];

/// Signs beyond ASCII that stand alone where there is no value.
const LONE_SIGNS: [char; 7] = ['–', '—', '−', '－', '…', '？', '／'];

/// What is blocked in a workspace: the built-in values, which are always on, and those that were added.
#[derive(Debug, Clone)]
pub struct BlockedValues {
    /// In lower case.
    values: HashSet<String>,
    longest: usize,
    /// By first byte: a bit for each length that a value has, see [`bit_of`].
    lengths: Box<[u64; 256]>,
}

impl BlockedValues {
    /// The built-in values and `added` ones.
    pub fn new<'a>(added: impl IntoIterator<Item = &'a String>) -> Self {
        let added = added.into_iter().map(|value| value.trim().to_lowercase());
        let values: HashSet<String> = Self::built_in().map(str::to_owned).chain(added).collect();
        let longest = values.iter().map(String::len).max().unwrap_or_default();
        let mut lengths = Box::new([0; 256]);
        for value in &values {
            if let Some(first) = value.as_bytes().first() {
                lengths[usize::from(*first)] |= bit_of(value.len());
            }
        }
        Self { values, longest, lengths }
    }

    /// The built-in values that are blocked by name.
    pub fn built_in() -> impl Iterator<Item = &'static str> {
        BUILT_IN.into_iter()
    }

    /// Whether `value`, which has no blanks around it, names nobody and nothing.
    ///
    /// Beside the values of the list, in any case and within brackets or quotes, these are blocked by their form: what
    /// has no letter and no digit but 0 (`-`, `0`, `0000-0000`, `?`); an address whose name is blocked and is that of its
    /// domain (`none@none.com`); a number whose digits a spreadsheet has cut (`1.38E+10`), which is that of many.
    pub fn contains(&self, value: &str) -> bool {
        self.lists(value) || is_blank_form(value) || is_cut_number(value) || self.is_address_of_nobody(value) || {
            let inner = without_enclosures(value);
            inner.len() < value.len() && (is_blank_form(inner) || self.lists(inner))
        }
    }

    fn lists(&self, value: &str) -> bool {
        // Most values are longer than any blocked one, and others are lowered without an allocation: this is asked for
        // every identifier of every event.
        if value.len() > self.longest || self.lacks_form_of(value) {
            return false;
        }
        let mut lowered = [0; 64];
        match lowered.get_mut(..value.len()) {
            Some(lowered) if value.is_ascii() => {
                lowered.copy_from_slice(value.as_bytes());
                lowered.make_ascii_lowercase();
                std::str::from_utf8(lowered).is_ok_and(|lowered| self.values.contains(lowered))
            }
            _ => self.values.contains(&value.to_lowercase()),
        }
    }

    /// Whether no value begins as this one and is as long. To hash a text costs more than that.
    fn lacks_form_of(&self, value: &str) -> bool {
        let Some(first) = value.bytes().next() else { return false };
        value.is_ascii() && self.lengths[usize::from(first.to_ascii_lowercase())] & bit_of(value.len()) == 0
    }

    fn is_address_of_nobody(&self, value: &str) -> bool {
        let Some((name, domain)) = value.split_once('@') else { return false };
        let label = domain.split('.').next().unwrap_or_default();
        name.eq_ignore_ascii_case(label) && (self.lists(name) || is_blank_form(name))
    }
}

/// Longer values are not told apart by their length.
fn bit_of(length: usize) -> u64 {
    1 << length.min(63)
}

/// Neither a letter nor a digit but 0: also for a text that is empty.
fn is_blank_form(value: &str) -> bool {
    value.chars().all(|character| {
        character == '0' || character == ' ' || character.is_ascii_punctuation() || LONE_SIGNS.contains(&character)
    })
}

/// What stands within brackets or quotes, however many.
fn without_enclosures(value: &str) -> &str {
    // Nearly every value, and a comparison with each pair takes more than all else that is asked of it.
    if value.bytes().next().is_none_or(|first| first.is_ascii_alphanumeric()) {
        return value;
    }
    let mut inner = value;
    while let Some(next) = ENCLOSURES.iter().find_map(|(open, close)| inner.strip_prefix(*open)?.strip_suffix(*close)) {
        inner = next.trim();
    }
    inner
}

/// `1.38E+10` as spreadsheets show a long number: digits before the exponent's place are missing.
///
/// Programs that write numbers in full give `1.38e+10` or `1.38E10`; a plus sign behind a capital E is a spreadsheet's.
fn is_cut_number(value: &str) -> bool {
    // Asked first, since nearly every value is none: the search for the exponent reads it whole.
    if !matches!(value.as_bytes(), [b'0'..=b'9', b'.' | b'E', ..]) {
        return false;
    }
    let Some((mantissa, exponent)) = value.split_once("E+") else { return false };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    whole.len() == 1
        && is_digits(whole)
        && is_digits(fraction)
        && is_digits(exponent)
        && exponent.parse::<usize>().is_ok_and(|exponent| exponent > fraction.len())
}

#[cfg(test)]
mod tests;
