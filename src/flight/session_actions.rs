//! SetSessionOptions, GetSessionOptions, CloseSession: the options `catalog`, `schema` and `time_zone`.

use std::collections::HashMap;
use std::str::FromStr;

use bytes::Bytes;
use prost::Message;
use tonic::Response;
use tonic::metadata::MetadataValue;

use super::login::{CallContext, SESSION_COOKIE};
use super::service::FlightSql;
use super::session_messages::{
    CloseSessionResult, CloseStatus, GetSessionOptionsResult, OptionValue, SessionOptionValue, SetOptionError,
    SetOptionFailure, SetSessionOptionsRequest, SetSessionOptionsResult,
};
use crate::error::{Error, Result};
use crate::query::SessionOptions;

const CATALOG: &str = "catalog";
const SCHEMA: &str = "schema";
const TIME_ZONE: &str = "time_zone";

/// Schema of unqualified names when a session has set none.
const DEFAULT_SCHEMA: &str = "main";
/// The schemas that every workspace has (SQL.md 1).
const SCHEMAS: [&str; 3] = [DEFAULT_SCHEMA, "system", "information_schema"];

/// The answer with the cookie of a session that was just made.
pub(super) fn with_cookie<T>(mut response: Response<T>, cookie: Option<String>) -> Response<T> {
    let header = cookie.and_then(|id| MetadataValue::try_from(format!("{SESSION_COOKIE}={id}; HttpOnly")).ok());
    if let Some(header) = header {
        response.metadata_mut().insert("set-cookie", header);
    }
    response
}

impl FlightSql {
    /// Sets each option by itself: a wrong one is named in the answer and does not hinder the others.
    pub(super) fn set_session_options(&self, context: &CallContext, body: Bytes) -> Result<Response<Bytes>> {
        let request = SetSessionOptionsRequest::decode(body).map_err(malformed)?;
        let mut options = context.options.clone();
        let mut errors = HashMap::new();
        for (name, value) in request.session_options {
            if let Err(error) = set(&mut options, context.caller.workspace.as_str(), &name, value) {
                errors.insert(name, SetOptionFailure { value: error.into() });
            }
        }
        let cookie = self.sessions.set(&context.caller, &context.clues, options);
        let answer = SetSessionOptionsResult { errors }.encode_to_vec();
        Ok(with_cookie(Response::new(answer.into()), cookie))
    }

    pub(super) fn session_options(&self, context: &CallContext) -> Bytes {
        let SessionOptions { time_zone, schema } = context.options.clone();
        let workspace = context.caller.workspace.as_str();
        let mut session_options = HashMap::from([
            (CATALOG.to_owned(), SessionOptionValue::text(workspace)),
            (SCHEMA.to_owned(), SessionOptionValue::text(schema.unwrap_or_else(|| DEFAULT_SCHEMA.to_owned()))),
        ]);
        if let Some(zone) = time_zone {
            session_options.insert(TIME_ZONE.to_owned(), SessionOptionValue::text(zone));
        }
        GetSessionOptionsResult { session_options }.encode_to_vec().into()
    }

    /// Always succeeds: JDBC throws on any error here.
    pub(super) fn close_session(&self, context: &CallContext) -> Bytes {
        self.sessions.close(&context.caller, &context.clues);
        CloseSessionResult { status: CloseStatus::Closed.into() }.encode_to_vec().into()
    }
}

fn set(
    options: &mut SessionOptions,
    workspace: &str,
    name: &str,
    value: SessionOptionValue,
) -> Result<(), SetOptionError> {
    let text = match value.option_value {
        // No value, and the empty text that drivers send for it, mean the default.
        None => None,
        Some(OptionValue::Text(text)) => Some(text).filter(|text| !text.is_empty()),
        Some(_) => return Err(if is_known(name) { SetOptionError::InvalidValue } else { SetOptionError::InvalidName }),
    };
    match (name, text) {
        (CATALOG, Some(catalog)) if catalog != workspace => return Err(SetOptionError::InvalidValue),
        (CATALOG, _) => {}
        (SCHEMA, Some(schema)) if !SCHEMAS.contains(&schema.as_str()) => return Err(SetOptionError::InvalidValue),
        (SCHEMA, schema) => options.schema = schema,
        (TIME_ZONE, Some(zone)) if chrono_tz::Tz::from_str(&zone).is_err() => {
            return Err(SetOptionError::InvalidValue);
        }
        (TIME_ZONE, zone) => options.time_zone = zone,
        _ => return Err(SetOptionError::InvalidName),
    }
    Ok(())
}

fn is_known(name: &str) -> bool {
    matches!(name, CATALOG | SCHEMA | TIME_ZONE)
}

fn malformed(error: prost::DecodeError) -> Error {
    Error::invalid(format!("the session options are malformed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn try_set(name: &str, value: SessionOptionValue) -> Result<SessionOptions, SetOptionError> {
        let mut options = SessionOptions::default();
        set(&mut options, "shop", name, value).map(|()| options)
    }

    #[test]
    fn the_catalog_is_the_callers_workspace_or_refused() {
        assert!(try_set("catalog", SessionOptionValue::text("shop")).is_ok());
        assert_eq!(try_set("catalog", SessionOptionValue::text("other")), Err(SetOptionError::InvalidValue));
    }

    #[test]
    fn wrong_names_and_values_are_told_apart() {
        assert_eq!(try_set("color", SessionOptionValue::text("red")), Err(SetOptionError::InvalidName));
        assert_eq!(try_set("schema", SessionOptionValue::text("nowhere")), Err(SetOptionError::InvalidValue));
        assert_eq!(try_set("time_zone", SessionOptionValue::text("Mars/Base")), Err(SetOptionError::InvalidValue));
        let number = SessionOptionValue { option_value: Some(OptionValue::Int(1)) };
        assert_eq!(try_set("time_zone", number), Err(SetOptionError::InvalidValue));
    }

    #[test]
    fn no_value_sets_the_default_again() {
        let mut options = SessionOptions { time_zone: Some("Asia/Shanghai".into()), schema: None };
        set(&mut options, "shop", "time_zone", SessionOptionValue { option_value: None }).unwrap();
        assert_eq!(options, SessionOptions::default());
    }
}
