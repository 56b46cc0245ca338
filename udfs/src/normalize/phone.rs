//! Telephone numbers in E.164. The rules of all countries are those of libphonenumber, which stays behind the functions
//! of this file.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region as Country};

/// The country in which a number without a country code is dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Region {
    country: Option<Country>,
}

impl Region {
    /// No country: only numbers with a country code, that begin with a plus, are taken.
    pub const INTERNATIONAL: Self = Self { country: None };

    /// Of two letters of ISO 3166-1 in any case, `CN` or `US`; `ZZ` is [`Region::INTERNATIONAL`]. `None` for what is no
    /// country with telephone numbers of its own.
    pub fn new(code: &str) -> Option<Self> {
        match Country::from_code(code.trim()).ok()? {
            Country::ZZ => Some(Self::INTERNATIONAL),
            country => PHONE_NUMBER_UTIL.get_country_code_for_region(country).map(|_| Self { country: Some(country) }),
        }
    }
}

/// The number in E.164: a plus, the country code, digits. `None` for what is no number that its country gives out. An
/// extension is left off: E.164 has none.
///
/// ```
/// use convoke_udfs::normalize::{Region, phone};
/// let china = Region::new("CN").unwrap();
/// assert_eq!(phone("138 0013 8000", china).as_deref(), Some("+8613800138000"));
/// assert_eq!(phone("+1 (650) 253-0000", china).as_deref(), Some("+16502530000"));
/// assert_eq!(phone("12345", china), None);
/// ```
pub fn phone(text: &str, region: Region) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(text, region.country).ok()?;
    let is_valid = PHONE_NUMBER_UTIL.is_valid_number(&number);
    is_valid.then(|| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned())
}
