//! GetSqlInfo: what this server's SQL can do. Tableau, DBeaver and JDBC read dozens of these before the first query,
//! and fail on those that are missing.

use std::collections::BTreeMap;

use arrow_flight::sql::metadata::{SqlInfoData, SqlInfoDataBuilder};
use arrow_flight::sql::{
    SqlInfo, SqlNullOrdering, SqlOuterJoinsSupportLevel, SqlSupportedCaseSensitivity, SqlSupportedGroupBy,
    SqlSupportedResultSetConcurrency, SqlSupportedResultSetType, SqlSupportedSubqueries, SqlSupportedTransaction,
    SqlSupportedUnions, SqlSupportsConvert, SqlTransactionIsolationLevel, SupportedSqlGrammar,
};

use crate::error::{Error, Result};

/// Words of our SQL that SQL:2003 does not reserve.
const KEYWORDS: [&str; 26] = [
    "ANTI",
    "ASOF",
    "AUDIENCE",
    "CALL",
    "DESCRIBE",
    "EXCLUDE",
    "EXPLAIN",
    "EXPRESSION",
    "FILTER",
    "HIERARCHY",
    "IDENTITY",
    "ILIKE",
    "LIMIT",
    "MEMBERSHIP",
    "NULLS",
    "OFFSET",
    "OVERWRITE",
    "PERSON",
    "PREVIEW",
    "QUALIFY",
    "REFRESH",
    "REPLACE",
    "SEMI",
    "SHOW",
    "TAG",
    "UNNEST",
];

const NUMERIC_FUNCTIONS: [&str; 40] = [
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "cos",
    "cosh",
    "cot",
    "degrees",
    "exp",
    "factorial",
    "floor",
    "gcd",
    "isnan",
    "iszero",
    "lcm",
    "ln",
    "log",
    "log10",
    "log2",
    "mod",
    "nanvl",
    "pi",
    "power",
    "radians",
    "random",
    "round",
    "sign",
    "signum",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
];

const STRING_FUNCTIONS: [&str; 46] = [
    "ascii",
    "bit_length",
    "btrim",
    "char_length",
    "chr",
    "concat",
    "concat_ws",
    "contains",
    "decode",
    "encode",
    "ends_with",
    "find_in_set",
    "initcap",
    "left",
    "length",
    "levenshtein",
    "lower",
    "lpad",
    "ltrim",
    "md5",
    "octet_length",
    "overlay",
    "position",
    "regexp_count",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "sha256",
    "sha512",
    "split_part",
    "starts_with",
    "strpos",
    "substr",
    "substr_index",
    "substring",
    "to_hex",
    "translate",
    "trim",
    "upper",
    "uuid",
];

const SYSTEM_FUNCTIONS: [&str; 8] =
    ["arrow_cast", "arrow_typeof", "coalesce", "greatest", "least", "nullif", "nvl", "version"];

const DATETIME_FUNCTIONS: [&str; 15] = [
    "current_date",
    "current_time",
    "current_timestamp",
    "date_bin",
    "date_part",
    "date_trunc",
    "extract",
    "from_unixtime",
    "make_date",
    "now",
    "to_char",
    "to_date",
    "to_timestamp",
    "to_timestamp_millis",
    "to_unixtime",
];

/// Built once for a server.
pub(super) fn sql_info() -> Result<SqlInfoData> {
    let mut builder = SqlInfoDataBuilder::new();
    add_server(&mut builder);
    add_statements(&mut builder);
    add_names(&mut builder);
    add_language(&mut builder);
    add_queries(&mut builder);
    add_limits(&mut builder);
    add_transactions_and_results(&mut builder);
    builder.build().map_err(|error| Error::internal(error.to_string()))
}

/// Bit `n` for each number `n`.
fn bits(numbers: &[i32]) -> i32 {
    numbers.iter().fold(0, |mask, number| mask | (1 << number))
}

fn add_server(builder: &mut SqlInfoDataBuilder) {
    builder.append(SqlInfo::FlightSqlServerName, "Convoke");
    builder.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    builder.append(SqlInfo::FlightSqlServerArrowVersion, "1.3");
    builder.append(SqlInfo::FlightSqlServerReadOnly, false);
    builder.append(SqlInfo::FlightSqlServerSql, true);
    builder.append(SqlInfo::FlightSqlServerSubstrait, false);
    builder.append(SqlInfo::FlightSqlServerTransaction, SqlSupportedTransaction::None as i32);
    builder.append(SqlInfo::FlightSqlServerCancel, true);
    builder.append(SqlInfo::FlightSqlServerBulkIngestion, true);
    builder.append(SqlInfo::FlightSqlServerIngestTransactionsSupported, false);
    builder.append(SqlInfo::FlightSqlServerStatementTimeout, 0_i32);
    builder.append(SqlInfo::FlightSqlServerTransactionTimeout, 0_i32);
}

fn add_statements(builder: &mut SqlInfoDataBuilder) {
    builder.append(SqlInfo::SqlDdlCatalog, false);
    builder.append(SqlInfo::SqlDdlSchema, false);
    builder.append(SqlInfo::SqlDdlTable, false);
    builder.append(SqlInfo::SqlAllTablesAreSelectable, true);
    builder.append(SqlInfo::SqlSelectForUpdateSupported, false);
    builder.append(SqlInfo::SqlStoredProceduresSupported, false);
    builder.append(SqlInfo::SqlSupportedPositionedCommands, 0_i32);
    builder.append(SqlInfo::SqlNamedParametersSupported, false);
    builder.append(SqlInfo::SqlLocatorsUpdateCopy, false);
    builder.append(SqlInfo::SqlStoredFunctionsUsingCallSyntaxSupported, false);
    builder.append(SqlInfo::SqlBatchUpdatesSupported, true);
}

fn add_names(builder: &mut SqlInfoDataBuilder) {
    let lower = SqlSupportedCaseSensitivity::SqlCaseSensitivityLowercase as i64;
    let exact = SqlSupportedCaseSensitivity::SqlCaseSensitivityUnknown as i64;
    builder.append(SqlInfo::SqlIdentifierCase, lower);
    builder.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    builder.append(SqlInfo::SqlQuotedIdentifierCase, exact);
    builder.append(SqlInfo::SqlSearchStringEscape, "\\");
    builder.append(SqlInfo::SqlExtraNameCharacters, "");
    builder.append(SqlInfo::SqlSchemaTerm, "schema");
    builder.append(SqlInfo::SqlProcedureTerm, "procedure");
    builder.append(SqlInfo::SqlCatalogTerm, "workspace");
    builder.append(SqlInfo::SqlCatalogAtStart, true);
    // Where a schema or catalog name may stand: in statements other than CALL, index and privilege definitions.
    builder.append(SqlInfo::SqlSchemasSupportedActions, 0_i32);
    builder.append(SqlInfo::SqlCatalogsSupportedActions, 0_i32);
}

fn add_language(builder: &mut SqlInfoDataBuilder) {
    builder.append(SqlInfo::SqlKeywords, KEYWORDS.as_slice());
    builder.append(SqlInfo::SqlNumericFunctions, NUMERIC_FUNCTIONS.as_slice());
    builder.append(SqlInfo::SqlStringFunctions, STRING_FUNCTIONS.as_slice());
    builder.append(SqlInfo::SqlSystemFunctions, SYSTEM_FUNCTIONS.as_slice());
    builder.append(SqlInfo::SqlDatetimeFunctions, DATETIME_FUNCTIONS.as_slice());
    let grammars = [SupportedSqlGrammar::SqlMinimumGrammar as i32, SupportedSqlGrammar::SqlCoreGrammar as i32];
    builder.append(SqlInfo::SqlSupportedGrammar, bits(&grammars));
    // Bit 0: entry level of SQL-92.
    builder.append(SqlInfo::SqlAnsi92SupportedLevel, bits(&[0]));
    builder.append(SqlInfo::SqlSupportsIntegrityEnhancementFacility, false);
    builder.append(SqlInfo::SqlSupportsNonNullableColumns, true);
    builder.append(SqlInfo::SqlSupportsConvert, conversions());
}

/// From which type to which a CAST goes: numbers among each other, and everything to and from text.
fn conversions() -> BTreeMap<i32, Vec<i32>> {
    use SqlSupportsConvert as C;
    let numbers = [
        C::SqlConvertTinyint,
        C::SqlConvertSmallint,
        C::SqlConvertInteger,
        C::SqlConvertBigint,
        C::SqlConvertReal,
        C::SqlConvertFloat,
        C::SqlConvertDecimal,
        C::SqlConvertNumeric,
        C::SqlConvertBit,
    ]
    .map(|convert| convert as i32);
    let text = C::SqlConvertVarchar as i32;
    let instants = [C::SqlConvertDate, C::SqlConvertTime, C::SqlConvertTimestamp].map(|convert| convert as i32);
    let mut all = BTreeMap::new();
    for from in numbers {
        all.insert(from, numbers.into_iter().chain([text]).collect());
    }
    for from in instants {
        all.insert(from, vec![text, C::SqlConvertDate as i32, C::SqlConvertTimestamp as i32]);
    }
    all.insert(text, numbers.into_iter().chain(instants).chain([text]).collect());
    all
}

fn add_queries(builder: &mut SqlInfoDataBuilder) {
    builder.append(SqlInfo::SqlNullOrdering, SqlNullOrdering::SqlNullsSortedHigh as i64);
    builder.append(SqlInfo::SqlSupportsColumnAliasing, true);
    builder.append(SqlInfo::SqlNullPlusNullIsNull, true);
    builder.append(SqlInfo::SqlSupportsTableCorrelationNames, true);
    builder.append(SqlInfo::SqlSupportsDifferentTableCorrelationNames, false);
    builder.append(SqlInfo::SqlSupportsExpressionsInOrderBy, true);
    builder.append(SqlInfo::SqlSupportsOrderByUnrelated, true);
    let group_by =
        [SqlSupportedGroupBy::SqlGroupByUnrelated as i32, SqlSupportedGroupBy::SqlGroupByBeyondSelect as i32];
    builder.append(SqlInfo::SqlSupportedGroupBy, bits(&group_by));
    builder.append(SqlInfo::SqlSupportsLikeEscapeClause, true);
    let joins =
        [SqlOuterJoinsSupportLevel::SqlLimitedOuterJoins as i32, SqlOuterJoinsSupportLevel::SqlFullOuterJoins as i32];
    builder.append(SqlInfo::SqlOuterJoinsSupportLevel, bits(&joins));
    let subqueries = [
        SqlSupportedSubqueries::SqlSubqueriesInComparisons as i32,
        SqlSupportedSubqueries::SqlSubqueriesInExists as i32,
        SqlSupportedSubqueries::SqlSubqueriesInIns as i32,
    ];
    builder.append(SqlInfo::SqlSupportedSubqueries, bits(&subqueries));
    builder.append(SqlInfo::SqlCorrelatedSubqueriesSupported, true);
    let unions = [SqlSupportedUnions::SqlUnion as i32, SqlSupportedUnions::SqlUnionAll as i32];
    builder.append(SqlInfo::SqlSupportedUnions, bits(&unions));
}

fn add_limits(builder: &mut SqlInfoDataBuilder) {
    let unlimited = [
        SqlInfo::SqlMaxBinaryLiteralLength,
        SqlInfo::SqlMaxCharLiteralLength,
        SqlInfo::SqlMaxColumnNameLength,
        SqlInfo::SqlMaxColumnsInGroupBy,
        SqlInfo::SqlMaxColumnsInIndex,
        SqlInfo::SqlMaxColumnsInOrderBy,
        SqlInfo::SqlMaxColumnsInSelect,
        SqlInfo::SqlMaxColumnsInTable,
        SqlInfo::SqlMaxConnections,
        SqlInfo::SqlMaxCursorNameLength,
        SqlInfo::SqlMaxIndexLength,
        SqlInfo::SqlDbSchemaNameLength,
        SqlInfo::SqlMaxProcedureNameLength,
        SqlInfo::SqlMaxCatalogNameLength,
        SqlInfo::SqlMaxRowSize,
        SqlInfo::SqlMaxStatementLength,
        SqlInfo::SqlMaxStatements,
        SqlInfo::SqlMaxTableNameLength,
        SqlInfo::SqlMaxTablesInSelect,
        SqlInfo::SqlMaxUsernameLength,
    ];
    for limit in unlimited {
        // 0: no limit, or not known.
        builder.append(limit, 0_i64);
    }
    builder.append(SqlInfo::SqlMaxRowSizeIncludesBlobs, true);
}

fn add_transactions_and_results(builder: &mut SqlInfoDataBuilder) {
    builder.append(SqlInfo::SqlDefaultTransactionIsolation, SqlTransactionIsolationLevel::SqlTransactionNone as i64);
    builder.append(SqlInfo::SqlTransactionsSupported, false);
    builder.append(
        SqlInfo::SqlSupportedTransactionsIsolationLevels,
        bits(&[SqlTransactionIsolationLevel::SqlTransactionNone as i32]),
    );
    builder.append(SqlInfo::SqlDataDefinitionCausesTransactionCommit, false);
    builder.append(SqlInfo::SqlDataDefinitionsInTransactionsIgnored, false);
    builder.append(SqlInfo::SqlSavepointsSupported, false);
    let forward_only = bits(&[SqlSupportedResultSetType::SqlResultSetTypeForwardOnly as i32]);
    builder.append(SqlInfo::SqlSupportedResultSetTypes, forward_only);
    let read_only = bits(&[SqlSupportedResultSetConcurrency::SqlResultSetConcurrencyReadOnly as i32]);
    builder.append(SqlInfo::SqlSupportedConcurrenciesForResultSetUnspecified, 0_i32);
    builder.append(SqlInfo::SqlSupportedConcurrenciesForResultSetForwardOnly, read_only);
    builder.append(SqlInfo::SqlSupportedConcurrenciesForResultSetScrollSensitive, 0_i32);
    builder.append(SqlInfo::SqlSupportedConcurrenciesForResultSetScrollInsensitive, 0_i32);
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::UInt32Type;

    use super::*;

    #[test]
    fn every_info_of_the_specification_is_answered() {
        let batch = sql_info().unwrap().record_batch([]).unwrap();
        let names: Vec<u32> = batch.column(0).as_primitive::<UInt32Type>().values().to_vec();
        // 6 and 7 tell Substrait versions, which there are none of.
        let wanted = (0..=5).chain(8..=11).chain(100..=101).chain(500..=576);
        let missing: Vec<u32> = wanted.filter(|name| !names.contains(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }

    #[test]
    fn only_the_infos_asked_for_are_sent() {
        let batch = sql_info().unwrap().record_batch([0, 8]).unwrap();
        assert_eq!(batch.num_rows(), 2);
    }
}
