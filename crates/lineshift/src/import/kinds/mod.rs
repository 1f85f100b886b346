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

use super::{Column, Kind, Report, Target, run};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileKind {
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

/// Runs the same generic function for the module that belongs to a kind.
macro_rules! of_kind {
    ($kind:expr, $row:ident => $body:expr) => {
        match $kind {
            FileKind::Authentications => of_kind!(@ authentications::Authentications, $row => $body),
            FileKind::Providers => of_kind!(@ providers::Providers, $row => $body),
            FileKind::Customers => of_kind!(@ customers::Customers, $row => $body),
            FileKind::Sites => of_kind!(@ sites::Sites, $row => $body),
            FileKind::Plans => of_kind!(@ plans::Plans, $row => $body),
            FileKind::Pools => of_kind!(@ pools::Pools, $row => $body),
            FileKind::Devices => of_kind!(@ devices::Devices, $row => $body),
            FileKind::Assignments => of_kind!(@ assignments::Assignments, $row => $body),
            FileKind::RevServices => of_kind!(@ rev_services::RevServices, $row => $body),
            FileKind::PlanQueue => of_kind!(@ plan_queue::PlanQueue, $row => $body),
        }
    };
    (@ $type:ty, $row:ident => $body:expr) => {{
        type $row = $type;
        $body
    }};
}

impl FileKind {
    /// The name, as it is typed.
    pub(crate) const fn as_str(self) -> &'static str {
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
    pub(crate) const fn columns(self) -> &'static [Column] {
        of_kind!(self, K => K::COLUMNS)
    }

    /// Brings a file in; see [`run`].
    pub(crate) async fn import(
        self,
        target: &Target<'_>,
        file: &Path,
        take_good: bool,
        progress: &(dyn Fn(u64, u64) + Sync),
    ) -> Result<Report> {
        of_kind!(self, K => run::<K>(target, file, take_good, progress).await)
    }
}
