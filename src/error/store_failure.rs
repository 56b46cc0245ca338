//! What went wrong in an object store, in one line: no stack of nested errors, no bodies of answers, no secrets.
//!
//! Knows HTTP codes and the error codes of S3 and its kin, but no address and no setting.

use std::error::Error as StdError;
use std::fmt;

use object_store::client::HttpError;

use super::Kind;

/// Codes with which stores say that a key, a signature or a token is wrong.
const CREDENTIAL_CODES: [&str; 9] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "TokenRefreshRequired",
    "RequestTimeTooSkewed",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
    "InvalidSecurity",
];
const BUCKET_CODES: [&str; 4] = ["NoSuchBucket", "ContainerNotFound", "InvalidBucketName", "InvalidResourceName"];

/// Hosts that give credentials to programs on machines of a cloud: asked when the environment holds none.
const CREDENTIAL_HOSTS: [&str; 3] = ["169.254.", "metadata.google.internal", "[fd00:ec2::"];

/// How an object store failed, as far as somebody can do something about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreFailure {
    /// No connection, or no answer in time.
    Unreachable,
    /// The environment holds no credentials, and the machine gives none.
    NoCredentials,
    /// The credentials are unknown, wrong or over; the store's code for it.
    Credentials(String),
    /// Good credentials without the right.
    Forbidden,
    /// There is no such bucket or container.
    NoBucket,
    NoObject,
    /// The object is there already, or has changed.
    Taken,
    /// Another status, with the store's code if it gave one.
    Status(u16, String),
}

impl StoreFailure {
    /// The failure of a remote object store somewhere in the chain of `error`; `None` when there is none.
    pub fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        let store = causes(error).find_map(|cause| cause.downcast_ref::<object_store::Error>())?;
        let text = causes(store).last()?.to_string();
        let whole = store.to_string();
        let asked_for_credentials = CREDENTIAL_HOSTS.iter().any(|host| whole.contains(host));
        if causes(store).any(|cause| cause.is::<HttpError>()) {
            return Some(if asked_for_credentials { Self::NoCredentials } else { Self::Unreachable });
        }
        let status = status(&text)?;
        if asked_for_credentials {
            return Some(Self::NoCredentials);
        }
        Some(Self::of_answer(store, status, code(&text)))
    }

    fn of_answer(error: &object_store::Error, status: u16, code: String) -> Self {
        if CREDENTIAL_CODES.contains(&code.as_str()) || status == 401 {
            return Self::Credentials(code);
        }
        if BUCKET_CODES.contains(&code.as_str()) {
            return Self::NoBucket;
        }
        match (error, status) {
            (_, 403) => Self::Forbidden,
            (object_store::Error::NotFound { .. }, _) | (_, 404) => Self::NoObject,
            (object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }, _) => Self::Taken,
            _ => Self::Status(status, code),
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Unreachable | Self::Status(..) => Kind::Busy,
            Self::NoCredentials | Self::Credentials(_) | Self::Forbidden => Kind::Forbidden,
            Self::NoBucket | Self::NoObject => Kind::NotFound,
            Self::Taken => Kind::Conflict,
        }
    }
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("the object store does not answer"),
            Self::NoCredentials => f.write_str("there are no credentials for the object store"),
            Self::Credentials(code) if code.is_empty() => f.write_str("the object store refuses the credentials"),
            Self::Credentials(code) => write!(f, "the object store refuses the credentials ({code})"),
            Self::Forbidden => f.write_str("the credentials have no right to do this in the object store"),
            Self::NoBucket => f.write_str("there is no such bucket in the object store"),
            Self::NoObject => f.write_str("there is no such object in the object store"),
            Self::Taken => f.write_str("an object of this name is there already"),
            Self::Status(status, code) if code.is_empty() => write!(f, "the object store answers {status}"),
            Self::Status(status, code) => write!(f, "the object store answers {status} ({code})"),
        }
    }
}

/// The object that an error is about, where it says so.
pub(super) fn object(error: &object_store::Error) -> Option<&str> {
    use object_store::Error;
    match error {
        Error::NotFound { path, .. }
        | Error::AlreadyExists { path, .. }
        | Error::Precondition { path, .. }
        | Error::PermissionDenied { path, .. }
        | Error::Unauthenticated { path, .. } => Some(path),
        _ => None,
    }
}

/// An error, and those below it.
pub(super) fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// The number in `Server returned non-2xx status code: 403 Forbidden: <body>`.
fn status(text: &str) -> Option<u16> {
    let rest = text.split_once("status code: ")?.1;
    rest.get(..3)?.parse().ok()
}

/// The text of `<Code>` in a body; empty when there is none, or when it is not a plain word.
fn code(text: &str) -> String {
    let code = text.split_once("<Code>").and_then(|(_, rest)| rest.split_once("</Code>")).map(|(code, _)| code);
    let plain = code.filter(|code| code.len() <= 64 && code.chars().all(|c| c.is_ascii_alphanumeric()));
    plain.unwrap_or_default().to_owned()
}
