//! Who calls: Handshake, and the credentials that every other call carries.
//!
//! A token is a password (any user name) or a bearer token. Must not know what a call wants.

use std::sync::Arc;
use std::time::Duration;

use arrow_flight::{BasicAuth, HandshakeRequest, HandshakeResponse};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use prost::Message;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Request, Response, Status, Streaming};

use super::service::FlightSql;
use super::sessions::{SessionClues, new_session_id};
use super::status::to_status;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::query::SessionOptions;
use crate::request;

pub(super) const SESSION_COOKIE: &str = "convoke_session";

/// How long Handshake waits for the old style of login, which comes in a message.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);

const NO_CREDENTIALS: &str = "no credentials were sent: give a token as the password (any user name), or as \
                              `authorization: Bearer <token>`; `convoke token create` makes one";

/// The secret of a call and what it says of its session.
pub(super) struct Credentials {
    secret: Option<String>,
    clues: SessionClues,
}

/// Who calls, in which session.
pub(super) struct CallContext {
    pub(super) caller: Caller,
    /// To ask again whether it is good, in a call that lasts.
    pub(super) secret: Arc<str>,
    pub(super) clues: SessionClues,
    pub(super) options: SessionOptions,
}

impl Credentials {
    /// Reads the headers of a call. Takes no part of the body.
    pub(super) fn of<T>(request: &Request<T>) -> Self {
        let headers = request.metadata();
        let (secret, token_suffix) = match authorization(headers) {
            Some(secret) => split_suffix(&secret),
            None => (None, None),
        };
        let clues = SessionClues { token_suffix, cookie: session_cookie(headers), peer: request.remote_addr() };
        Self { secret, clues }
    }
}

impl FlightSql {
    /// The caller of a request.
    pub(super) async fn authenticate(&self, credentials: Credentials) -> Result<CallContext> {
        let secret = credentials.secret.ok_or_else(|| Error::unauthenticated(NO_CREDENTIALS))?;
        let caller = self.tokens.authenticate(&secret).await?;
        request::identify(&caller.workspace, &caller.principal);
        let options = self.sessions.options(&caller, &credentials.clues);
        Ok(CallContext { caller, secret: secret.into(), clues: credentials.clues, options })
    }

    /// Checks the password now, so that a wrong one is refused here and not at the first query, and gives back the
    /// bearer token for all further calls, with the id of a session behind it.
    pub(super) async fn log_in(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<HandshakeResponse>, Status> {
        let credentials = Credentials::of(&request);
        let secret = match credentials.secret {
            Some(secret) => secret,
            None => first_message_secret(request.into_inner()).await?,
        };
        self.tokens.authenticate(&secret).await.map_err(to_status)?;
        let bearer = format!("{secret}.{}", new_session_id());
        let header = MetadataValue::try_from(format!("Bearer {bearer}"))
            .map_err(|_| to_status(Error::internal("the token does not fit a header")))?;
        let mut response = Response::new(HandshakeResponse { protocol_version: 0, payload: Bytes::from(bearer) });
        response.metadata_mut().insert("authorization", header);
        Ok(response)
    }
}

/// pyarrow's oldest login sends the password as a message.
async fn first_message_secret(mut messages: Streaming<HandshakeRequest>) -> Result<String, Status> {
    let refused = || to_status(Error::unauthenticated(NO_CREDENTIALS));
    let first = tokio::time::timeout(FIRST_MESSAGE, messages.message()).await.map_err(|_| refused())??;
    let payload = first.ok_or_else(refused)?.payload;
    BasicAuth::decode(payload).map(|login| login.password).map_err(|_| refused())
}

/// Go's Flight client leaves the padding out, others do not.
const BASIC: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

fn authorization(headers: &MetadataMap) -> Option<String> {
    if let Some(value) = headers.get("authorization").and_then(|value| value.to_str().ok()) {
        let (scheme, rest) = value.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(rest.trim().to_owned());
        }
        if scheme.eq_ignore_ascii_case("basic") {
            let decoded = String::from_utf8(BASIC.decode(rest.trim()).ok()?).ok()?;
            // A user name has no colon, a password may.
            return decoded.split_once(':').map(|(_, password)| password.to_owned());
        }
        return None;
    }
    // Where clients of the message login keep what they got.
    let token = headers.get_bin("auth-token-bin")?.to_bytes().ok()?;
    String::from_utf8(token.to_vec()).ok()
}

/// Tokens are base64url, which has no dot.
fn split_suffix(secret: &str) -> (Option<String>, Option<String>) {
    match secret.split_once('.') {
        Some((secret, id)) => (Some(secret.to_owned()), Some(id.to_owned())),
        None => (Some(secret.to_owned()), None),
    }
}

fn session_cookie(headers: &MetadataMap) -> Option<String> {
    headers
        .get_all("cookie")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == SESSION_COOKIE)
        .map(|(_, id)| id.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&'static str, &str)]) -> Request<()> {
        let mut request = Request::new(());
        for (name, value) in headers {
            request.metadata_mut().append(*name, value.parse().unwrap());
        }
        request
    }

    #[test]
    fn basic_and_bearer_give_the_same_secret() {
        let basic = format!("Basic {}", BASIC.encode("anybody:cvk_x"));
        for value in [basic.as_str(), "Bearer cvk_x", "bearer cvk_x"] {
            let credentials = Credentials::of(&request(&[("authorization", value)]));
            assert_eq!(credentials.secret.as_deref(), Some("cvk_x"));
            assert_eq!(credentials.clues.token_suffix, None);
        }
    }

    #[test]
    fn the_session_stands_behind_the_token_or_in_a_cookie() {
        let credentials = Credentials::of(&request(&[
            ("authorization", "Bearer cvk_x.abc"),
            ("cookie", "other=1; convoke_session=\"def\""),
        ]));
        assert_eq!(credentials.secret.as_deref(), Some("cvk_x"));
        assert_eq!(credentials.clues.token_suffix.as_deref(), Some("abc"));
        assert_eq!(credentials.clues.cookie.as_deref(), Some("def"));
    }

    #[test]
    fn nonsense_gives_no_secret() {
        for value in ["", "Bearer", "Basic !!!", "Digest abc"] {
            assert_eq!(Credentials::of(&request(&[("authorization", value)])).secret, None, "{value}");
        }
    }
}
