//! A Ballista cluster whose scheduler, executors and clients know puad's functions: stock Ballista sends a function
//! by its name alone. Each program is a pattern to copy; options are `--name value`.

use std::collections::HashMap;
use std::io::{self, Read};
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail};
use datafusion::execution::{FunctionRegistry, SessionState};
use puad_datafusion::{Models, functions};

/// Options of a program, `--name value`.
#[derive(Debug)]
pub struct Options(HashMap<String, String>);

impl Options {
    /// Those of this process.
    ///
    /// # Errors
    /// For what is not of the form `--name value`.
    pub fn of_process() -> Result<Self> {
        let mut words = std::env::args().skip(1);
        let mut options = HashMap::new();
        while let Some(name) = words.next() {
            let Some((name, value)) = name.strip_prefix("--").zip(words.next()) else {
                bail!("{name:?}: options are --name value");
            };
            options.insert(name.to_owned(), value);
        }
        Ok(Self(options))
    }

    /// The value of an option, or what it is without one.
    ///
    /// # Errors
    /// For a value that is none of its type, and for none at all.
    pub fn get<T: FromStr>(&self, name: &str, otherwise: Option<T>) -> Result<T> {
        let Some(value) = self.0.get(name) else {
            return otherwise.with_context(|| format!("--{name} is needed"));
        };
        value.parse().map_err(|_| anyhow!("--{name} {value:?}"))
    }

    /// The models of `--models FOLDER`; `None` without one.
    ///
    /// # Errors
    /// For a folder that is none.
    pub fn models(&self) -> Result<Option<Models>> {
        let folder = self.0.get("models");
        Ok(folder.map(Models::new).transpose()?)
    }
}

/// Makes the functions known to a session.
///
/// # Errors
/// Those of the registry.
pub fn register(state: &mut SessionState, models: &Models) -> datafusion::error::Result<()> {
    for function in functions(models) {
        state.register_udf(function.into())?;
    }
    Ok(())
}

/// Ends the process with whoever started it, where `PUAD_END_WITH_STDIN` is set: when its standard input ends.
pub fn end_with_parent() {
    if std::env::var_os("PUAD_END_WITH_STDIN").is_some() {
        std::thread::spawn(|| {
            let ended = io::copy(&mut io::stdin().take(u64::MAX), &mut io::sink());
            std::process::exit(i32::from(ended.is_err()));
        });
    }
}
