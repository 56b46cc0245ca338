//! Lines from the terminal, on a thread of their own: reading one blocks.

use std::path::PathBuf;
use std::sync::{Arc, mpsc as threads};

use parking_lot::RwLock;
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use tokio::sync::mpsc;

use super::commands;
use super::completion::{LineHelper, Names};
use crate::error::{Error, Result};

const PROMPT: &str = "convoke> ";
/// Names the file of the history.
const HISTORY_VARIABLE: &str = "CONVOKE_HISTORY";

/// What was typed.
pub(super) enum Line {
    Text(String),
    /// Ctrl-C: the line is given up.
    Interrupted,
    /// Ctrl-D.
    End,
}

/// Asks the thread for one line at a time, so that the terminal is in order while a statement runs.
pub(super) struct Lines {
    wanted: threads::Sender<String>,
    lines: mpsc::Receiver<Result<Line>>,
}

impl Lines {
    pub(super) fn open(names: Arc<RwLock<Names>>) -> Result<Self> {
        let (wanted, requests) = threads::channel::<String>();
        let (answers, lines) = mpsc::channel(1);
        std::thread::Builder::new().name("lines".to_owned()).spawn(move || {
            let mut reader = match Reader::open(names) {
                Ok(reader) => reader,
                Err(error) => return drop(answers.blocking_send(Err(error))),
            };
            while let Ok(begun) = requests.recv() {
                if answers.blocking_send(reader.read(&begun)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { wanted, lines })
    }

    /// The next line; it begins with `begun`, as if that had been typed.
    pub(super) async fn next(&mut self, begun: String) -> Result<Line> {
        // If the thread has ended, what it said last is still to be received.
        self.wanted.send(begun).ok();
        self.lines.recv().await.unwrap_or(Ok(Line::End))
    }
}

struct Reader {
    editor: Editor<LineHelper, FileHistory>,
    history: Option<PathBuf>,
}

impl Reader {
    fn open(names: Arc<RwLock<Names>>) -> Result<Self> {
        let config = Config::builder().completion_type(CompletionType::List).history_ignore_space(true).build();
        let mut editor = Editor::with_config(config).map_err(terminal_error)?;
        editor.set_helper(Some(LineHelper { names }));
        let history = history_file();
        if let Some(path) = &history {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).ok();
            }
            // There is none the first time.
            editor.load_history(path).ok();
        }
        Ok(Self { editor, history })
    }

    fn read(&mut self, begun: &str) -> Result<Line> {
        match self.editor.readline_with_initial(PROMPT, (begun, "")) {
            Ok(text) => {
                if commands::below_statement(&text).is_none() {
                    self.remember(text.trim());
                }
                Ok(Line::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Line::Interrupted),
            Err(ReadlineError::Eof) => Ok(Line::End),
            Err(error) => Err(terminal_error(error)),
        }
    }

    /// At once, so that nothing is lost when the terminal is closed. A history that cannot be written is no error.
    fn remember(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        let added = self.editor.add_history_entry(text).unwrap_or(false);
        if let Some(path) = self.history.as_ref().filter(|_| added)
            && let Err(error) = self.editor.append_history(path)
        {
            tracing::debug!(%error, "the history cannot be written");
        }
    }
}

fn terminal_error(error: ReadlineError) -> Error {
    Error::internal(format!("the terminal cannot be read: {error}"))
}

/// `CONVOKE_HISTORY`, or a file in the user's folder for state. An empty variable means: no file.
fn history_file() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let path = variable(HISTORY_VARIABLE).or_else(|| {
        let state = variable("XDG_STATE_HOME").filter(|path| path.is_absolute());
        let state = state.or_else(|| variable("HOME").map(|home| home.join(".local/state")));
        state.map(|state| state.join("convoke/history"))
    });
    path.filter(|path| !path.as_os_str().is_empty())
}
