//! How advertising platforms want identifiers before they are hashed. Sources, read in November 2026:
//! - Google: developers.google.com/data-manager/api/devguides/concepts/formatting
//! - Meta: developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters
//! - TikTok: ads.tiktok.com/help/article/list-of-supported-ids-and-formats-for-a-customer-file

use sha2::{Digest, Sha256};

use crate::normalize::{EmailOptions, Region, email_with, phone};

/// Who matches the hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Platform {
    Google,
    Meta,
    TikTok,
}

impl Platform {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "google" => Some(Self::Google),
            "meta" => Some(Self::Meta),
            "tiktok" => Some(Self::TikTok),
            _ => None,
        }
    }
}

/// What is hashed: platforms take all other identifiers as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum IdType {
    Email,
    Phone,
}

impl IdType {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "email" => Some(Self::Email),
            "phone" => Some(Self::Phone),
            _ => None,
        }
    }
}

/// SHA-256 in lower-case hexadecimal of the identifier as the platform wants it; none for what is no such identifier.
pub(super) fn hash(id_type: IdType, value: &str, platform: Platform) -> Option<String> {
    let normal = match id_type {
        IdType::Email => platform_email(value, platform)?,
        IdType::Phone => platform_phone(value, platform)?,
    };
    let digest = Sha256::digest(normal.as_bytes());
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// All three ignore case and surrounding spaces. Google and TikTok also want spaces within removed; Google folds names at
/// Gmail, TikTok removes what begins with a plus at every provider.
pub(super) fn platform_email(value: &str, platform: Platform) -> Option<String> {
    let options = EmailOptions { lower_case_local: true, fold_gmail: platform == Platform::Google };
    let compact: String = value.chars().filter(|letter| !letter.is_whitespace()).collect();
    let value = if platform == Platform::Meta { value } else { compact.as_str() };
    let address = email_with(value, options)?;
    if platform != Platform::TikTok {
        return Some(address.into_owned());
    }
    let (local, domain) = address.split_once('@')?;
    let name = local.split('+').next().unwrap_or_default();
    (!name.is_empty()).then(|| format!("{name}@{domain}"))
}

/// E.164, at Google with its plus. Only numbers with a plus and a country code are taken: digits alone could be hashed as
/// the number of somebody in another country.
pub(super) fn platform_phone(value: &str, platform: Platform) -> Option<String> {
    let number = phone(value, Region::INTERNATIONAL)?;
    match platform {
        Platform::Google => Some(number),
        Platform::Meta | Platform::TikTok => Some(number.trim_start_matches('+').to_owned()),
    }
}
