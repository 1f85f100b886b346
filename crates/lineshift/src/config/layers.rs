//! Laying the file, the environment and flags over the defaults, each setting with where it comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use lineshift_domain::reading::nearest;
use serde::Deserialize as _;
use toml::{Table, Value};

use super::Settings;
use super::environment::{Environment, PREFIX};

/// Settings that hold, and where each comes from.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    /// The settings.
    pub(crate) settings: Settings,
    /// Where each comes from, by its name (`limits.page_lines`).
    sources: BTreeMap<String, Source>,
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nobody said anything else.
    Default,
    /// That file.
    File(PathBuf),
    /// That variable.
    Environment(String),
    /// That flag.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// A setting given by a flag.
#[derive(Debug, Clone)]
pub(crate) struct Flag {
    /// As it is typed: `--store`.
    pub(crate) flag: &'static str,
    /// The setting's name.
    pub(crate) setting: &'static str,
    /// What was given.
    pub(crate) text: String,
}

impl Configuration {
    /// Reads the configuration. `file` is that of `--config`.
    ///
    /// # Errors
    /// Names the file with line and column, the variable or the flag at fault; several values out of bounds at once.
    pub(crate) fn load(file: Option<&Path>, environment: &Environment, flags: &[Flag]) -> Result<Self> {
        let mut layers = Layers::defaults();
        if let Some(path) = file.map(Path::to_owned).or_else(|| environment.config_file()) {
            layers.lay_file(&path)?;
        }
        for (name, text) in environment.settings() {
            layers.lay_variable(name, text)?;
        }
        for flag in flags {
            layers.set(flag.setting, &flag.text, Source::Flag(flag.flag))?;
        }
        let settings = Settings::deserialize(layers.table).context("reading the settings")?;
        let configuration = Self { settings, sources: layers.sources };
        configuration.check()?;
        Ok(configuration)
    }

    /// Where a setting comes from.
    pub(crate) fn source(&self, setting: &str) -> &Source {
        self.sources.get(setting).unwrap_or(&Source::Default)
    }

    /// Every setting by name with its value and where it comes from.
    pub(crate) fn listed(&self) -> Vec<(String, Value, &Source)> {
        leaves(&table_of(&self.settings))
            .into_iter()
            .map(|(name, value)| {
                let source = self.source(&name);
                // The store's URL may hold a password.
                let value = if name == "store" { Value::String(self.settings.store.to_string()) } else { value };
                (name, value, source)
            })
            .collect()
    }
}

struct Layers {
    table: Table,
    sources: BTreeMap<String, Source>,
}

impl Layers {
    fn defaults() -> Self {
        Self { table: table_of(&Settings::default()), sources: BTreeMap::new() }
    }

    fn lay_file(&mut self, path: &Path) -> Result<()> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading the configuration file {}", path.display()))?;
        // Into the settings first: its errors say line, column and what is known there.
        toml::from_str::<Settings>(&text).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        let table: Table = toml::from_str(&text).with_context(|| format!("reading {}", path.display()))?;
        for (name, value) in leaves(&table) {
            *leaf_mut(&mut self.table, &name).with_context(|| format!("{}: {name} is no setting", path.display()))? = value;
            self.sources.insert(name, Source::File(path.to_owned()));
        }
        Ok(())
    }

    fn lay_variable(&mut self, variable: &str, text: &str) -> Result<()> {
        let known: BTreeMap<String, String> =
            leaves(&self.table).into_iter().map(|(name, _)| (variable_of(&name), name)).collect();
        let Some(setting) = known.get(variable) else {
            let meant = nearest(variable, known.keys().map(String::as_str));
            bail!(
                "the environment has {variable}, which is no setting{}; `lineshift config show` lists them",
                meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default()
            );
        };
        self.set(setting, text, Source::Environment(variable.to_owned()))
    }

    fn set(&mut self, setting: &str, text: &str, source: Source) -> Result<()> {
        let leaf = leaf_mut(&mut self.table, setting).with_context(|| format!("{setting} is no setting"))?;
        *leaf = match leaf {
            Value::Integer(_) => {
                let number = text.trim().parse();
                Value::Integer(number.map_err(|_| anyhow!("{source}: found {text:?}, expected a whole number"))?)
            }
            Value::Array(_) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::Array(parts.map(|part| Value::String(part.to_owned())).collect())
            }
            _ => Value::String(text.to_owned()),
        };
        // At once, so that the error is about this one.
        Settings::deserialize(self.table.clone()).map_err(|error| anyhow!("{source}: found {text:?}: {}", error.message()))?;
        self.sources.insert(setting.to_owned(), source);
        Ok(())
    }
}

/// The variable by which a setting can be given.
pub(super) fn variable_of(setting: &str) -> String {
    format!("{PREFIX}{}", setting.replace('.', "_").to_ascii_uppercase())
}

fn table_of(settings: &Settings) -> Table {
    Table::try_from(settings).expect("settings are texts and numbers in tables")
}

fn leaves(table: &Table) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(inner) => found.extend(leaves(inner).into_iter().map(|(leaf, value)| (format!("{name}.{leaf}"), value))),
            leaf => found.push((name.clone(), leaf.clone())),
        }
    }
    found
}

fn leaf_mut<'t>(table: &'t mut Table, setting: &str) -> Option<&'t mut Value> {
    match setting.split_once('.') {
        Some((section, leaf)) => leaf_mut(table.get_mut(section)?.as_table_mut()?, leaf),
        None => table.get_mut(setting).filter(|value| !value.is_table()),
    }
}
