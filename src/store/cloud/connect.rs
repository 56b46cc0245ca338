//! From a location and the environment to a store that answers, or to one line that says what to check.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{BackoffConfig, ObjectStore, ObjectStoreScheme, RetryConfig};
use url::Url;

use super::CloudStore;
use crate::error::{Error, Result, StoreFailure};

const SCHEMES: [&str; 8] = ["s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss"];

/// How long a store may take to answer the first question; somebody waits at a terminal.
const PROBE_TIME: Duration = Duration::from_secs(10);

/// How long a failing request is tried again.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) enum Patience {
    /// At the start: a wrong address shall be told at once.
    Probe,
    Work(Duration),
}

impl Patience {
    fn retries(self) -> RetryConfig {
        let (max_retries, retry_timeout) = match self {
            Self::Probe => (1, PROBE_TIME),
            // The time ends it, not the number.
            Self::Work(time) => (20, time),
        };
        let max_backoff = Duration::from_secs(5);
        RetryConfig { backoff: BackoffConfig { max_backoff, ..Default::default() }, max_retries, retry_timeout }
    }
}

pub(in crate::store) fn is_cloud(url: &Url) -> bool {
    SCHEMES.contains(&url.scheme())
}

/// The kind of store and the path in it that `url` names.
///
/// # Errors
/// `InvalidInput` for a URL without a bucket, or with a secret in it.
pub(in crate::store) fn location(url: &Url) -> Result<(ObjectStoreScheme, Path)> {
    let scheme = url.scheme();
    let is_azure = !matches!(scheme, "s3" | "s3a" | "gs");
    let names_user = !url.username().is_empty() && !is_azure;
    if url.password().is_some() || names_user || url.query().is_some() || url.fragment().is_some() {
        // The location itself is not repeated: it may hold a secret.
        return Err(Error::invalid(format!(
            "a data location {scheme}://... has a bucket and a folder, nothing else: credentials come from the \
             environment ({})",
            variables(url)
        )));
    }
    let example = if is_azure { "container" } else { "bucket" };
    let unusable = || Error::invalid(format!("data location '{url}': write it like {scheme}://{example}/folder"));
    if url.host_str().is_none_or(str::is_empty) {
        return Err(unusable());
    }
    ObjectStoreScheme::parse(url).map_err(|_| unusable())
}

/// The store of `url` with the environment's credentials. Nothing is sent yet.
pub(in crate::store) fn connect(url: &Url, scheme: &ObjectStoreScheme, patience: Patience) -> Result<CloudStore> {
    let retries = patience.retries();
    let store: object_store::Result<Arc<dyn ObjectStore>> = match scheme {
        ObjectStoreScheme::AmazonS3 => return s3(url, retries),
        ObjectStoreScheme::GoogleCloudStorage => GoogleCloudStorageBuilder::from_env()
            .with_url(url.as_str())
            .with_retry(retries)
            .build()
            .map(|store| Arc::new(store) as _),
        _ => MicrosoftAzureBuilder::from_env()
            .with_url(url.as_str())
            .with_retry(retries)
            .build()
            .map(|store| Arc::new(store) as _),
    };
    Ok(CloudStore::new(store.map_err(|error| unusable_settings(url, error))?, label(url)))
}

fn s3(url: &Url, retries: RetryConfig) -> Result<CloudStore> {
    let builder = AmazonS3Builder::from_env()
        .with_url(url.as_str())
        .with_retry(retries)
        // Commits and claims rest on it, whatever the environment says.
        .with_conditional_put(S3ConditionalPut::ETagMatch);
    if let Some(endpoint) = endpoint(&builder) {
        check_endpoint(url, &endpoint)?;
    }
    let store = builder.build().map_err(|error| unusable_settings(url, error))?;
    Ok(CloudStore::new(Arc::new(store), label(url)))
}

/// The client below panics on an address that is none, and speaks of TLS where encryption is not meant.
fn check_endpoint(url: &Url, endpoint: &str) -> Result<()> {
    let scheme = Url::parse(endpoint).ok().filter(Url::has_host).map(|parsed| parsed.scheme().to_owned());
    let allows_http = std::env::var("AWS_ALLOW_HTTP")
        .is_ok_and(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on" | "y"));
    match scheme.as_deref() {
        Some("https") => Ok(()),
        Some("http") if allows_http => Ok(()),
        Some("http") => Err(Error::invalid(format!(
            "data location '{url}': AWS_ENDPOINT_URL is not encrypted (http://); say AWS_ALLOW_HTTP=true if that is \
             right"
        ))),
        _ => Err(Error::invalid(format!(
            "data location '{url}': AWS_ENDPOINT_URL is not an address: write it like https://s3.example.com:9000"
        ))),
    }
}

fn endpoint(builder: &AmazonS3Builder) -> Option<String> {
    let keys = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint];
    keys.iter().find_map(|key| builder.get_config_value(key))
}

fn label(url: &Url) -> String {
    format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default())
}

/// The error of a builder says which value is missing or malformed, at times with the value: its text is left out.
fn unusable_settings(url: &Url, error: object_store::Error) -> Error {
    Error::invalid(format!(
        "data location '{url}': the environment does not describe a store: check {}",
        variables(url)
    ))
    .with_source(error)
}

/// Where the credentials of a location come from.
fn variables(url: &Url) -> &'static str {
    match url.scheme() {
        "s3" | "s3a" => "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION",
        "gs" => "GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT",
        _ => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
    }
}

/// Asks the store for a list of `base`, and says in one line what to check when that fails.
pub(in crate::store) async fn probe(url: &Url, scheme: &ObjectStoreScheme, base: &Path) -> Result<()> {
    let store = connect(url, scheme, Patience::Probe)?;
    let failure = match tokio::time::timeout(PROBE_TIME, store.list_with_delimiter(Some(base))).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => match StoreFailure::find(&error) {
            Some(failure) => failure,
            None => return Err(unusable_settings(url, error)),
        },
        Err(_) => StoreFailure::Unreachable,
    };
    let bucket = url.host_str().unwrap_or_default();
    // Without keys the machine is asked for some first: it may be that service which does not answer.
    let asks_machine = matches!(url.scheme(), "s3" | "s3a") && std::env::var_os("AWS_ACCESS_KEY_ID").is_none();
    let check = match &failure {
        StoreFailure::Unreachable if asks_machine => {
            format!("check the network, {} and {}", address(url), variables(url))
        }
        StoreFailure::Unreachable => format!("check the network and {}", address(url)),
        StoreFailure::NoCredentials | StoreFailure::Credentials(_) => format!("check {}", variables(url)),
        StoreFailure::Forbidden => {
            format!("check {}, and that they may list, read, write and delete in '{bucket}'", variables(url))
        }
        StoreFailure::NoBucket | StoreFailure::NoObject => {
            let failure = StoreFailure::NoBucket;
            return Err(Error::new(
                failure.kind(),
                format!(
                    "data location '{url}': {failure}: make '{bucket}' first, or check --data and {}",
                    address(url)
                ),
            ));
        }
        StoreFailure::Taken | StoreFailure::Status(..) => format!("check {} and try again", address(url)),
    };
    Err(Error::new(failure.kind(), format!("data location '{url}': {failure}: {check}")))
}

/// What tells where the store is.
fn address(url: &Url) -> String {
    let named = |variable: &str| match std::env::var(variable) {
        Ok(address) => format!("{variable} ({})", without_secrets(&address)),
        Err(_) => variable.to_owned(),
    };
    match url.scheme() {
        "s3" | "s3a" if std::env::var_os("AWS_ENDPOINT_URL_S3").is_some() => named("AWS_ENDPOINT_URL_S3"),
        "s3" | "s3a" if std::env::var_os("AWS_ENDPOINT").is_some() => named("AWS_ENDPOINT"),
        "s3" | "s3a" => format!("{} and AWS_REGION", named("AWS_ENDPOINT_URL")),
        "gs" => "the bucket's name".to_owned(),
        _ => named("AZURE_STORAGE_ACCOUNT_NAME"),
    }
}

/// An address without a user, a password or a query.
fn without_secrets(address: &str) -> String {
    match Url::parse(address) {
        Ok(url) if url.has_host() => {
            url[url::Position::BeforeScheme..url::Position::AfterScheme].to_owned()
                + "://"
                + &url[url::Position::BeforeHost..url::Position::AfterPort]
        }
        Ok(_) => "not an address".to_owned(),
        Err(_) if address.chars().all(|c| c.is_ascii_alphanumeric()) => address.to_owned(),
        Err(_) => "not an address".to_owned(),
    }
}
