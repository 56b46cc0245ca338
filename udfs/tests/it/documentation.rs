//! Every function says what it is for: description, syntax, arguments and an example.

use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::prelude::SessionContext;

#[test]
fn every_function_is_documented() {
    let plain = SessionContext::new();
    let mut context = SessionContext::new();
    convoke_udfs::register_all(&mut context).unwrap();
    let state = context.state();
    let scalars = state.scalar_functions().iter().filter(|(name, _)| plain.udf(name).is_err());
    let scalars = scalars.map(|(_, function)| (function.name().to_owned(), function.documentation().cloned()));
    let aggregates = state.aggregate_functions().iter().filter(|(name, _)| plain.udaf(name).is_err());
    let aggregates = aggregates.map(|(_, function)| (function.name().to_owned(), function.documentation().cloned()));
    let windows = state.window_functions().iter().filter(|(name, _)| plain.udwf(name).is_err());
    let windows = windows.map(|(_, function)| (function.name().to_owned(), function.documentation().cloned()));
    let all: Vec<_> = scalars.chain(aggregates).chain(windows).collect();
    assert!(all.len() > 10, "the functions are registered");
    for (name, documentation) in all {
        let documentation = documentation.unwrap_or_else(|| panic!("{name} has no documentation"));
        assert!(documentation.description.len() > 20, "{name}");
        assert!(documentation.syntax_example.starts_with(&name), "{name}: {}", documentation.syntax_example);
        assert!(documentation.sql_example.is_some(), "{name}");
        let takes_arguments = !documentation.syntax_example.contains("()");
        assert_eq!(documentation.arguments.is_some_and(|list| !list.is_empty()), takes_arguments, "{name}");
    }
}
