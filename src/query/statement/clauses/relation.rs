//! What stands in FROM.

use datafusion::sql::sqlparser::ast::{
    FunctionArg, Join, JoinConstraint, JoinOperator, TableAlias, TableFactor, TableFunctionArgs, TableWithJoins,
};

use super::query::check_alias;
use super::refuse;
use crate::error::Result;

const SAMPLE: &str = "TABLESAMPLE and SAMPLE";
const SAMPLE_REMEDY: &str =
    "answers are exact; take a share of the persons with WHERE person % 100 = 0, or rows with WHERE random() < 0.01";

pub(super) fn check(relation: &TableFactor) -> Result<()> {
    match relation {
        TableFactor::Table {
            name: _,
            alias,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
        } => {
            check_optional_alias(alias)?;
            if let Some(TableFunctionArgs { args, settings }) = args {
                refuse(settings.is_some(), "SETTINGS", "leave it out")?;
                check_arguments(args)?;
            }
            refuse(!with_hints.is_empty(), "WITH (hints) behind a table", "leave it out")?;
            refuse(version.is_some(), "a table at another time", "a statement reads the newest state")?;
            refuse(*with_ordinality, "WITH ORDINALITY", "number the rows with row_number() OVER ()")?;
            refuse(!partitions.is_empty(), "PARTITION behind a table", "name the rows in WHERE")?;
            refuse(json_path.is_some(), "a path behind a table", "read JSON with -> and ->>")?;
            refuse(sample.is_some(), SAMPLE, SAMPLE_REMEDY)?;
            refuse(!index_hints.is_empty(), "USE INDEX and the like", "leave it out: there are no indexes")
        }
        TableFactor::Derived { lateral: _, subquery: _, alias, sample } => {
            check_optional_alias(alias)?;
            refuse(sample.is_some(), SAMPLE, SAMPLE_REMEDY)
        }
        TableFactor::Function { lateral: _, name: _, args, with_ordinality, alias } => {
            check_optional_alias(alias)?;
            refuse(*with_ordinality, "WITH ORDINALITY", "number the rows with row_number() OVER ()")?;
            check_arguments(args)
        }
        TableFactor::UNNEST { alias, array_exprs: _, with_offset, with_offset_alias: _, with_ordinality } => {
            check_optional_alias(alias)?;
            refuse(*with_offset, "WITH OFFSET", "unnest generate_series(1, array_length(list)) beside the list")?;
            refuse(*with_ordinality, "WITH ORDINALITY", "unnest generate_series(1, array_length(list)) beside the list")
        }
        TableFactor::NestedJoin { table_with_joins, alias } => {
            check_optional_alias(alias)?;
            let TableWithJoins { relation: _, joins } = table_with_joins.as_ref();
            joins.iter().try_for_each(check_join)
        }
        TableFactor::Pivot { .. } => {
            refuse(true, "PIVOT", "write sum(x) FILTER (WHERE month = 1) AS january, one column a value")
        }
        TableFactor::Unpivot { .. } => refuse(true, "UNPIVOT", "write SELECT ... UNION ALL SELECT ..., one a column"),
        TableFactor::TableFunction { .. } => refuse(true, "TABLE(f(...))", "write FROM f(...)"),
        TableFactor::JsonTable { .. } | TableFactor::OpenJsonTable { .. } => {
            refuse(true, "JSON_TABLE and OPENJSON", "read JSON with -> and ->>, and lists with unnest")
        }
        TableFactor::MatchRecognize { .. } => refuse(true, "MATCH_RECOGNIZE", "see sequence_match and window_funnel"),
        TableFactor::XmlTable { .. } => refuse(true, "XMLTABLE", "there is no XML"),
        TableFactor::SemanticView { .. } => refuse(true, "SEMANTIC_VIEW", "write the SELECT"),
    }
}

fn check_optional_alias(alias: &Option<TableAlias>) -> Result<()> {
    alias.as_ref().map_or(Ok(()), check_alias)
}

/// DataFusion drops the names, so that values would be taken in the order in which they are written.
fn check_arguments(arguments: &[FunctionArg]) -> Result<()> {
    let named = arguments.iter().any(|argument| !matches!(argument, FunctionArg::Unnamed(_)));
    refuse(named, "a named argument of a table function", "give the arguments in their order")
}

pub(super) fn check_join(join: &Join) -> Result<()> {
    let Join { relation: _, global, join_operator } = join;
    refuse(*global, "GLOBAL JOIN", "write JOIN")?;
    match join_operator {
        JoinOperator::CrossJoin(_) => Ok(()),
        // The planner takes the first two for a CROSS JOIN.
        JoinOperator::Join(condition)
        | JoinOperator::Inner(condition)
        | JoinOperator::Left(condition)
        | JoinOperator::LeftOuter(condition)
        | JoinOperator::Right(condition)
        | JoinOperator::RightOuter(condition)
        | JoinOperator::FullOuter(condition)
        | JoinOperator::LeftSemi(condition)
        | JoinOperator::RightSemi(condition)
        | JoinOperator::LeftAnti(condition)
        | JoinOperator::RightAnti(condition) => {
            let remedy = "write ON l.k = r.k or USING (k), or CROSS JOIN for each row with all rows of the other";
            refuse(matches!(condition, JoinConstraint::None), "JOIN without a condition", remedy)
        }
        JoinOperator::Semi(_) => refuse(true, "SEMI JOIN", "write LEFT SEMI JOIN, or WHERE EXISTS (SELECT ...)"),
        JoinOperator::Anti(_) => refuse(true, "ANTI JOIN", "write LEFT ANTI JOIN, or WHERE NOT EXISTS (SELECT ...)"),
        JoinOperator::CrossApply => refuse(true, "CROSS APPLY", "write CROSS JOIN LATERAL (SELECT ...)"),
        JoinOperator::OuterApply => refuse(true, "OUTER APPLY", "write LEFT JOIN LATERAL (SELECT ...) ON true"),
        JoinOperator::AsOf { .. } => refuse(
            true,
            "ASOF JOIN",
            "join with <= and keep the last row with QUALIFY row_number() OVER (PARTITION BY ... ORDER BY ... DESC) = 1",
        ),
        JoinOperator::StraightJoin(_) => refuse(true, "STRAIGHT_JOIN", "write JOIN"),
        JoinOperator::ArrayJoin | JoinOperator::LeftArrayJoin | JoinOperator::InnerArrayJoin => {
            refuse(true, "ARRAY JOIN", "write SELECT unnest(list) FROM ...")
        }
    }
}
