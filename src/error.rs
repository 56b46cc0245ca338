//! The one error of the server. A [`Kind`] tells a caller what to do; the message tells how.
//!
//! Must not know any protocol beyond the two numbers that each kind maps to.

mod full_disk;
mod help;
mod open_files;
mod read_only;
mod store_failure;

use std::fmt;

use datafusion::arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use datafusion::sql::sqlparser::parser::ParserError;

pub use self::full_disk::{WriteFailure, is_full_disk};
pub use self::help::RUN_CHECK;
pub use self::open_files::is_out_of_files;
pub use self::store_failure::StoreFailure;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request is wrong: change it.
    InvalidInput,
    /// The named thing does not exist, or not for this caller.
    NotFound,
    /// No valid credentials: log in again.
    Unauthenticated,
    /// Valid credentials without the right.
    Forbidden,
    /// The state has changed in between, or somebody else holds it.
    Conflict,
    /// A limit of time, memory or concurrency was reached: try again, or ask for less.
    Busy,
    /// Stored data is damaged: `convoke check` tells more.
    Corrupt,
    /// A fault of ours.
    Internal,
}

/// A value in quotes for a message, cut where it gets long.
pub fn shown(value: &str) -> String {
    const SHOWN_CHARS: usize = 100;
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("'{}...'", &value[..end]),
        None => format!("'{value}'"),
    }
}

/// The gRPC code and the HTTP status of each kind.
const PROTOCOL_CODES: [(Kind, tonic::Code, u16); 8] = [
    (Kind::InvalidInput, tonic::Code::InvalidArgument, 400),
    (Kind::NotFound, tonic::Code::NotFound, 404),
    (Kind::Unauthenticated, tonic::Code::Unauthenticated, 401),
    (Kind::Forbidden, tonic::Code::PermissionDenied, 403),
    (Kind::Conflict, tonic::Code::Aborted, 409),
    (Kind::Busy, tonic::Code::ResourceExhausted, 429),
    (Kind::Corrupt, tonic::Code::DataLoss, 500),
    (Kind::Internal, tonic::Code::Internal, 500),
];

impl Kind {
    fn codes(self) -> (tonic::Code, u16) {
        PROTOCOL_CODES
            .iter()
            .find(|(kind, _, _)| *kind == self)
            .map_or((tonic::Code::Internal, 500), |(_, grpc, http)| (*grpc, *http))
    }

    /// The kind that a gRPC code stands for; a code that none of ours has is a fault.
    pub fn from_grpc_code(code: tonic::Code) -> Self {
        if code == tonic::Code::AlreadyExists {
            return Kind::Conflict;
        }
        PROTOCOL_CODES.iter().find(|(_, grpc, _)| *grpc == code).map_or(Kind::Internal, |(kind, _, _)| *kind)
    }

    /// The kind's name in answers over HTTP, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::InvalidInput => "invalid_input",
            Kind::NotFound => "not_found",
            Kind::Unauthenticated => "unauthenticated",
            Kind::Forbidden => "forbidden",
            Kind::Conflict => "conflict",
            Kind::Busy => "busy",
            Kind::Corrupt => "corrupt",
            Kind::Internal => "internal",
        }
    }

    pub fn grpc_code(self) -> tonic::Code {
        self.codes().0
    }

    pub fn http_status(self) -> u16 {
        self.codes().1
    }
}

/// What the standards name by a code of its own, beyond the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// A table of this name is there already.
    TableExists,
    /// There is no table of this name.
    NoTable,
    /// A local disk has no space left.
    FullDisk,
    /// The log of a workspace holds as much as it may.
    FullLog,
}

impl Detail {
    /// The SQLSTATE, as ODBC and ADBC list it; of what they have none for, as PostgreSQL does (class 53).
    pub fn sqlstate(self) -> &'static str {
        match self {
            Detail::TableExists => "42S01",
            Detail::NoTable => "42S02",
            Detail::FullDisk => "53100",
            Detail::FullLog => "53400",
        }
    }
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// An error with its kind, a message that says what to do, and the fault below it, if any.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    detail: Option<Detail>,
    /// Ends with `: ` and the help, where there is some.
    message: String,
    help: Option<&'static str>,
    source: Option<Source>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, detail: None, message: message.into(), help: None, source: None }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::InvalidInput, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, message)
    }

    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(Kind::Unauthenticated, message)
    }

    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, message)
    }

    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, message)
    }

    pub fn busy(message: impl Into<String>) -> Self {
        Self::new(Kind::Busy, message)
    }

    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(Kind::Corrupt, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    pub fn with_detail(mut self, detail: Detail) -> Self {
        self.detail = Some(detail);
        self
    }

    /// The same error with what was being done in front of the message.
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.message = format!("{doing}: {}", self.message);
        self
    }

    /// What a remote object store said somewhere below `error`, in one line; `None` when it has no part in it.
    pub fn of_store(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        StoreFailure::find(error).map(|failure| Self::new(failure.kind(), failure.to_string()))
    }

    /// What a local disk said somewhere below `error`, and what can be done about it; `None` where it said no such thing.
    pub fn of_disk(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        Self::of_open_files(error).or_else(|| Self::of_read_only(error)).or_else(|| Self::of_full_disk(error))
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The same error for another one whose request shared the fate.
    pub fn repeat(&self) -> Self {
        let Self { kind, detail, help, .. } = *self;
        Self { kind, detail, message: self.message.clone(), help, source: None }
    }

    pub fn detail(&self) -> Option<Detail> {
        self.detail
    }

    /// That of the kind, unless the detail has one of its own.
    pub fn grpc_code(&self) -> tonic::Code {
        match self.detail {
            Some(Detail::TableExists) => tonic::Code::AlreadyExists,
            Some(Detail::NoTable | Detail::FullDisk | Detail::FullLog) | None => self.kind.grpc_code(),
        }
    }

    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        if let Some(ours) = Error::of_store(&error) {
            return ours.with_source(error);
        }
        let kind = match error.find_root() {
            DataFusionError::SQL(..)
            | DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::Configuration(_)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::Execution(_) => Kind::InvalidInput,
            DataFusionError::ArrowError(arrow, _) => match below_writer(arrow) {
                Some(ours) => return ours,
                None => arrow_kind(arrow),
            },
            DataFusionError::ResourcesExhausted(_) => Kind::Busy,
            DataFusionError::External(source) => match source.downcast_ref::<Error>() {
                Some(ours) => return ours.repeat(),
                // A pattern of a column, which is compiled when the rows are there.
                None if source.is::<regex::Error>() => Kind::InvalidInput,
                None => source.downcast_ref::<ArrowError>().map_or(Kind::Internal, arrow_kind),
            },
            DataFusionError::ParquetError(parquet) => match parquet.as_ref() {
                ParquetError::External(source) => match source.downcast_ref::<Error>() {
                    Some(ours) => return ours.repeat(),
                    None => cut_short(source.as_ref()),
                },
                _ => Kind::Corrupt,
            },
            _ => Kind::Internal,
        };
        // What is none of the statement's: a disk may say what helps.
        if kind == Kind::Internal
            && let Some(ours) = Error::of_disk(&error)
        {
            return ours.with_source(error);
        }
        let message = match error.find_root() {
            DataFusionError::SchemaError(schema_error, _) => schema_message(schema_error),
            DataFusionError::SQL(fault, _) => syntax_message(fault),
            DataFusionError::Context(_, _) | DataFusionError::External(_) => error.find_root().strip_backtrace(),
            root => first_lines(&root.message()),
        };
        Error::new(kind, message).with_source(error)
    }
}

/// What a writer of ours told the writer of batches above it.
fn below_writer(error: &ArrowError) -> Option<Error> {
    let ArrowError::IoError(_, failure) = error else { return None };
    // Without its source: DataFusion would take the innermost error for what is to be said.
    failure.get_ref()?.downcast_ref::<Error>().map(Error::repeat)
}

fn schema_message(error: &SchemaError) -> String {
    error.to_string()
}

/// What is wrong with the text, without the names that the parser's faults have in its source.
fn syntax_message(fault: &ParserError) -> String {
    match fault {
        ParserError::TokenizerError(said) | ParserError::ParserError(said) => said.clone(),
        ParserError::RecursionLimitExceeded => {
            "the statement is nested too deep: write inner queries as WITH tables, and long chains as IN (...)"
                .to_owned()
        }
    }
}

/// The message without the stack that a debug build of DataFusion appends.
fn first_lines(message: &str) -> String {
    message.split(DataFusionError::BACK_TRACE_SEP).next().unwrap_or_default().to_owned()
}

/// What a reader of Parquet met below it: a file that ends too early is damaged.
fn cut_short(source: &(dyn std::error::Error + Send + Sync + 'static)) -> Kind {
    if let Some(arrow) = source.downcast_ref::<ArrowError>() {
        return arrow_kind(arrow);
    }
    match source.downcast_ref::<std::io::Error>() {
        Some(failure) if failure.kind() == std::io::ErrorKind::UnexpectedEof => Kind::Corrupt,
        _ => Kind::Internal,
    }
}

fn arrow_kind(error: &ArrowError) -> Kind {
    match error {
        ArrowError::CastError(_)
        | ArrowError::ParseError(_)
        | ArrowError::ComputeError(_)
        | ArrowError::DivideByZero
        | ArrowError::ArithmeticOverflow(_)
        | ArrowError::InvalidArgumentError(_)
        | ArrowError::NotYetImplemented(_)
        | ArrowError::CsvError(_)
        | ArrowError::JsonError(_)
        | ArrowError::SchemaError(_) => Kind::InvalidInput,
        ArrowError::MemoryError(_) => Kind::Busy,
        ArrowError::ParquetError(_) => Kind::Corrupt,
        ArrowError::ExternalError(source) if source.is::<ParquetError>() => Kind::Corrupt,
        _ => Kind::Internal,
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        Error::new(arrow_kind(&error), first_lines(&error.to_string())).with_source(error)
    }
}

impl From<ParquetError> for Error {
    fn from(error: ParquetError) -> Self {
        Error::corrupt(error.to_string()).with_source(error)
    }
}

impl From<object_store::Error> for Error {
    fn from(error: object_store::Error) -> Self {
        if let Some(ours) = Error::of_store(&error) {
            let named = match store_failure::object(&error) {
                Some(path) => ours.context(format!("object '{path}'")),
                None => ours,
            };
            return named.with_source(error);
        }
        if let Some(ours) = Error::of_disk(&error) {
            return ours.with_source(error);
        }
        let kind = match &error {
            object_store::Error::NotFound { .. } => Kind::NotFound,
            object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. } => Kind::Conflict,
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                Kind::Forbidden
            }
            _ => Kind::Internal,
        };
        Error::new(kind, error.to_string()).with_source(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        if let Some(ours) = Error::of_disk(&error) {
            return ours.with_source(error);
        }
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => Kind::NotFound,
            std::io::ErrorKind::PermissionDenied => Kind::Forbidden,
            _ => Kind::Internal,
        };
        Error::new(kind, error.to_string()).with_source(error)
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::invalid(error.to_string()).with_source(error)
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        DataFusionError::External(Box::new(error))
    }
}
