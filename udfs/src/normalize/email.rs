//! E-mail addresses. What is one is what the HTML standard takes as a valid e-mail address, and letters of other scripts
//! (RFC 6531) beside it: no comments, quotes or IP addresses.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// RFC 5321, 4.5.3.1: bytes of the part before the @, and of the domain.
const MOST_LOCAL_BYTES: usize = 64;
const MOST_DOMAIN_BYTES: usize = 253;
/// RFC 1035, 2.3.4.
const MOST_LABEL_BYTES: usize = 63;

/// What an address loses beyond what is safe for every provider: each of these can make one of two persons.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EmailOptions {
    /// The part before the @ in lower case: most providers ignore its case, the standard does not.
    pub lower_case_local: bool,
    /// At gmail.com and googlemail.com, the part before the @ without dots and without what begins with a plus.
    pub fold_gmail: bool,
}

/// The address without white space around it, in Unicode's composed form (NFC), its domain in lower case. The part before
/// the @ stays as it is. `None` for what is no address.
///
/// ```
/// assert_eq!(convoke_udfs::normalize::email(" Ann.Lee@Example.COM ").as_deref(), Some("Ann.Lee@example.com"));
/// assert_eq!(convoke_udfs::normalize::email("ann at example.com"), None);
/// ```
pub fn email(text: &str) -> Option<Cow<'_, str>> {
    email_with(text, EmailOptions::default())
}

/// As [`email`], and what the options say. `None` also where they leave nothing before the @.
pub fn email_with(text: &str, options: EmailOptions) -> Option<Cow<'_, str>> {
    // A byte order mark and a space of no width come with copied text, and are no white space to Unicode.
    let text = text.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}'));
    let address = compose(text);
    let at = address.rfind('@')?;
    let (local, domain) = (&address[..at], &address[at + 1..]);
    let lower_domain = lower_case(domain);
    let folded = fold_local(local, &lower_domain, options);
    // What is left is looked at, too: nothing may be left, and lower case can be longer.
    if !is_local_part(local) || !is_local_part(&folded) || !is_domain(&lower_domain) {
        return None;
    }
    if *folded == *local && *lower_domain == *domain {
        return Some(address);
    }
    Some(Cow::Owned(format!("{folded}@{lower_domain}")))
}

fn compose(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    ComposingNormalizerBorrowed::new_nfc().normalize(text)
}

/// In lower case, which can leave Unicode's composed form and is brought back to it.
fn lower_case(text: &str) -> Cow<'_, str> {
    let is_lower = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    if text.bytes().all(is_lower) {
        return Cow::Borrowed(text);
    }
    let lower = text.to_lowercase();
    Cow::Owned(compose(&lower).into_owned())
}

fn fold_local<'a>(local: &'a str, domain: &str, options: EmailOptions) -> Cow<'a, str> {
    let folded = if options.lower_case_local { lower_case(local) } else { Cow::Borrowed(local) };
    if !options.fold_gmail || !matches!(domain, "gmail.com" | "googlemail.com") {
        return folded;
    }
    let name = folded.split('+').next().unwrap_or_default();
    Cow::Owned(compose(&name.replace('.', "")).into_owned())
}

fn is_local_part(local: &str) -> bool {
    let allowed = |letter: char| match letter {
        letter if letter.is_ascii_alphanumeric() => true,
        '.' | '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '/' | '=' | '?' | '^' | '_' | '`' | '{' | '|' | '}'
        | '~' | '-' => true,
        letter => is_foreign_letter(letter),
    };
    (1..=MOST_LOCAL_BYTES).contains(&local.len()) && local.chars().all(allowed)
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=MOST_LABEL_BYTES).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || is_foreign_letter(letter))
    };
    domain.len() <= MOST_DOMAIN_BYTES && domain.split('.').all(is_label)
}

fn is_foreign_letter(letter: char) -> bool {
    !letter.is_ascii() && !letter.is_whitespace() && !letter.is_control()
}
