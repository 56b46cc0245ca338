//! What helps against an error, beside the message that ends with it: for those who show it by itself, or know better.

use super::Error;

/// What helps most where stored data is damaged.
pub const RUN_CHECK: &str = "run `convoke check`";

impl Error {
    /// The same error with what helps behind the message.
    pub fn with_help(mut self, help: &'static str) -> Self {
        self.message = format!("{}: {help}", self.message);
        self.help = Some(help);
        self
    }

    /// What helps, as the message ends.
    pub fn help(&self) -> Option<&'static str> {
        self.help
    }

    /// The message without the help.
    pub fn what(&self) -> &str {
        let before = self.help.and_then(|help| self.message.strip_suffix(help)?.strip_suffix(": "));
        before.unwrap_or(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::error::DataFusionError;

    use super::*;

    #[test]
    fn what_helps_is_shown_behind_the_message_and_told_apart_from_it() {
        let error = Error::corrupt("table 'a: restore b' is damaged").with_help(RUN_CHECK).context("opening");
        for error in [error.repeat(), Error::from(DataFusionError::from(error))] {
            assert_eq!(error.to_string(), "opening: table 'a: restore b' is damaged: run `convoke check`");
            assert_eq!((error.what(), error.help()), ("opening: table 'a: restore b' is damaged", Some(RUN_CHECK)));
        }
        let without = Error::corrupt("damaged: run `convoke check`");
        assert_eq!((without.what(), without.help()), (without.message(), None));
    }
}
