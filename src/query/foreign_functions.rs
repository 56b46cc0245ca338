//! Functions of other systems that are not here, and what is written in their place. Must not know statements.

/// What to write in place of a function, by its name in lower case.
pub(super) fn advice_for(name: &str) -> Option<&'static str> {
    of_times(name).or_else(|| of_groups(name)).or_else(|| of_values(name))
}

fn of_times(name: &str) -> Option<&'static str> {
    Some(match name {
        "datediff" | "date_diff" | "timestampdiff" | "timestamp_diff" => {
            "b - a for the days between two DATEs, and extract(epoch FROM b - a) / 3600 for the hours between two times"
        }
        "age" => "b - a, which is a number of days for two DATEs and a length of time for two times",
        "dateadd" | "date_add" | "timestampadd" => "ts + INTERVAL '3 days'",
        "date_sub" | "datesub" => "ts - INTERVAL '3 days'",
        "add_months" => "ts + INTERVAL '3 months'",
        "months_between" => {
            "(extract(year FROM b) - extract(year FROM a)) * 12 + extract(month FROM b) - extract(month FROM a)"
        }
        "last_day" | "eomonth" => "(date_trunc('month', ts) + INTERVAL '1 month' - INTERVAL '1 day')::DATE",
        "strftime" | "formatdatetime" | "time_format" => "to_char(ts, '%Y-%m-%d')",
        "strptime" | "str_to_date" => "to_timestamp(x, '%d/%m/%Y')",
        "monthname" => "to_char(ts, '%B')",
        "dayname" => "to_char(ts, '%A')",
        "dayofweek" | "weekday" | "dow" => {
            "extract(dow FROM ts), where Sunday is 0, or extract(isodow FROM ts), where it is 7"
        }
        "dayofyear" | "doy" => "extract(doy FROM ts)",
        "year" => "extract(year FROM ts)",
        "quarter" => "extract(quarter FROM ts)",
        "month" => "extract(month FROM ts)",
        "week" | "weekofyear" => "extract(week FROM ts)",
        "day" | "dayofmonth" => "extract(day FROM ts)",
        "hour" => "extract(hour FROM ts)",
        "minute" => "extract(minute FROM ts)",
        "second" => "extract(second FROM ts)",
        "epoch" | "unix_timestamp" => "extract(epoch FROM ts)",
        "date" => "CAST(ts AS DATE)",
        "time_bucket" | "time_slice" => "date_bin(INTERVAL '15 minutes', ts)",
        "getdate" | "sysdate" | "systimestamp" => "now()",
        "curdate" => "current_date",
        _ => return None,
    })
}

fn of_groups(name: &str) -> Option<&'static str> {
    Some(match name {
        "mode" => "SELECT x FROM t GROUP BY x ORDER BY count(*) DESC LIMIT 1",
        "max_by" | "arg_max" | "argmax" => "first_value(x ORDER BY y DESC NULLS LAST)",
        "min_by" | "arg_min" | "argmin" => "first_value(x ORDER BY y NULLS LAST)",
        "count_if" | "countif" => "count(*) FILTER (WHERE x > 0)",
        "sum_if" | "sumif" => "sum(x) FILTER (WHERE x > 0)",
        "percentile_disc" | "quantile" | "quantile_disc" => {
            "percentile_cont(0.5) WITHIN GROUP (ORDER BY x), which lies between two values where none is in the middle"
        }
        "group_concat" | "listagg" | "wm_concat" => "string_agg(x, ',' ORDER BY x)",
        "approx_count_distinct" | "uniq" | "hll" => "approx_distinct(x)",
        "every" | "logical_and" => "bool_and(x)",
        "logical_or" => "bool_or(x)",
        "collect_list" => "array_agg(x)",
        "collect_set" => "array_agg(DISTINCT x)",
        _ => return None,
    })
}

fn of_values(name: &str) -> Option<&'static str> {
    Some(match name {
        "if" | "iff" | "iif" => "CASE WHEN x > 0 THEN a ELSE b END",
        "isnull" => "x IS NULL, or coalesce(x, 0) for another value in its place",
        "zeroifnull" => "coalesce(x, 0)",
        "sign" => "signum(x)",
        "safe_divide" => "a / nullif(b, 0)",
        "len" => "length(x)",
        "ucase" => "upper(x)",
        "lcase" => "lower(x)",
        "mid" => "substr(x, 1, 3)",
        "charindex" => "strpos(x, 'a')",
        "json_extract" | "json_extract_string" | "json_extract_path_text" | "get_json_object" | "json_value" => {
            "properties -> 'a' ->> 'b'"
        }
        _ => return None,
    })
}
