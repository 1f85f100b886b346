//! The kinds of files, one a module.

mod assignments;
mod authentications;
mod customers;
mod devices;
mod plan_queue;
mod plans;
mod pools;
mod providers;
mod rev_services;
mod sites;

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;

use super::run::look_through;
use super::{Column, Kind as _, Report, Target, run};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FileKind {
    /// Credentials of billing and carrier accounts, by name.
    Authentications,
    /// Carrier accounts, by name.
    Providers,
    /// Rev customers.
    Customers,
    /// Sites.
    Sites,
    /// Customer rate plans.
    Plans,
    /// Customer rate pools.
    Pools,
    /// Lines.
    Devices,
    /// Present assignments of lines.
    Assignments,
    /// Rev services with their products.
    RevServices,
    /// Open plan queue entries.
    PlanQueue,
}

impl FileKind {
    /// All of them.
    #[must_use]
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// The name, as it is typed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authentications => "authentications",
            Self::Providers => "providers",
            Self::Customers => "customers",
            Self::Sites => "sites",
            Self::Plans => "plans",
            Self::Pools => "pools",
            Self::Devices => "devices",
            Self::Assignments => "assignments",
            Self::RevServices => "rev-services",
            Self::PlanQueue => "plan-queue",
        }
    }

    /// The columns of its files.
    const fn columns(self) -> &'static [Column] {
        match self {
            Self::Authentications => authentications::Authentications::COLUMNS,
            Self::Providers => providers::Providers::COLUMNS,
            Self::Customers => customers::Customers::COLUMNS,
            Self::Sites => sites::Sites::COLUMNS,
            Self::Plans => plans::Plans::COLUMNS,
            Self::Pools => pools::Pools::COLUMNS,
            Self::Devices => devices::Devices::COLUMNS,
            Self::Assignments => assignments::Assignments::COLUMNS,
            Self::RevServices => rev_services::RevServices::COLUMNS,
            Self::PlanQueue => plan_queue::PlanQueue::COLUMNS,
        }
    }

    /// What `--help` says about the columns of every kind.
    pub(crate) fn columns_help() -> String {
        let mut text = "Columns, those in brackets may be left out:".to_owned();
        for kind in Self::value_variants() {
            let shown = |column: &Column| if column.required { column.name.to_owned() } else { format!("[{}]", column.name) };
            let columns: Vec<String> = kind.columns().iter().map(shown).collect();
            text.push_str(&format!("\n  {:16} {}", kind.as_str(), columns.join(" ")));
        }
        text
    }

    /// Brings a file in.
    pub async fn import(
        self,
        target: &Target<'_>,
        file: &Path,
        take_good: bool,
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<Report> {
        macro_rules! run {
            ($kind:ty) => {
                run::<$kind>(target, file, take_good, progress).await
            };
        }
        match self {
            Self::Authentications => run!(authentications::Authentications),
            Self::Providers => run!(providers::Providers),
            Self::Customers => run!(customers::Customers),
            Self::Sites => run!(sites::Sites),
            Self::Plans => run!(plans::Plans),
            Self::Pools => run!(pools::Pools),
            Self::Devices => run!(devices::Devices),
            Self::Assignments => run!(assignments::Assignments),
            Self::RevServices => run!(rev_services::RevServices),
            Self::PlanQueue => run!(plan_queue::PlanQueue),
        }
    }

    /// Looks through a file without storing anything: what [`FileKind::import`] does first.
    ///
    /// # Errors
    /// As the command does; `Refused` says what is wrong with the header.
    pub async fn look_through(self, target: &Target<'_>, bytes: &[u8]) -> Result<Report> {
        let file = Path::new(self.as_str());
        macro_rules! look {
            ($kind:ty) => {
                look_through::<$kind>(target, file, bytes).await
            };
        }
        match self {
            Self::Authentications => look!(authentications::Authentications),
            Self::Providers => look!(providers::Providers),
            Self::Customers => look!(customers::Customers),
            Self::Sites => look!(sites::Sites),
            Self::Plans => look!(plans::Plans),
            Self::Pools => look!(pools::Pools),
            Self::Devices => look!(devices::Devices),
            Self::Assignments => look!(assignments::Assignments),
            Self::RevServices => look!(rev_services::RevServices),
            Self::PlanQueue => look!(plan_queue::PlanQueue),
        }
    }
}
