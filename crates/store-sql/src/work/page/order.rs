//! Reading what a page is about: its order as it stands now, and its rows with their lines.

use lineshift_domain::ids::{DeviceChangeId, IntegrationAuthenticationId};
use lineshift_store::Result;
use lineshift_store::work::{AccountFacts, OrderFacts, PageLine, TargetsActive};

use crate::bulk_changes::{CHANGE_COLUMNS, read_change};
use crate::facts::read_facts;
use crate::row::Row;

/// Reads the columns of `OPEN_PAGE`: the order, and the change's place among those stored.
pub(super) fn read_order(row: &Row<'_>) -> Result<(OrderFacts, i64)> {
    let at = |column: usize| CHANGE_COLUMNS + column;
    let order = OrderFacts {
        change: read_change(row)?,
        integration_kind: row.term(at(0))?,
        orderer_rights: row.maybe_term(at(1))?,
        runs_as_orderer: row.get(at(16))?,
        targets: TargetsActive {
            customer: row.get(at(2))?,
            site: row.get(at(3))?,
            plan: row.get(at(4))?,
            pool: row.get(at(5))?,
            // Stands in the order's text, by its code: looked up once that is read.
            carrier_rate_plan: true,
        },
        billing: read_account(row, at(8))?,
        carrier: read_account(row, at(12))?,
        time_zone: row.term(at(7))?,
    };
    Ok((order, row.get(at(6))?))
}

fn read_account(row: &Row<'_>, first: usize) -> Result<Option<AccountFacts>> {
    let Some(id) = row.get::<Option<i64>>(first)? else { return Ok(None) };
    Ok(Some(AccountFacts {
        id: IntegrationAuthenticationId(id),
        write_enabled: row.get(first + 1)?,
        has_credentials: row.get(first + 2)?,
        refused: row.get(first + 3)?,
    }))
}

/// Reads the columns of `LIST_OPEN_LINES`.
pub(super) fn read_line(row: &Row<'_>) -> Result<PageLine> {
    let found = row.get::<Option<i64>>(5)?.is_some();
    Ok(PageLine {
        id: DeviceChangeId(row.get(0)?),
        judged_version: row.get(1)?,
        number_unchanged: row.get(2)?,
        lines_with_number: row.get(4)?,
        facts: if found { Some(read_facts(row, 5)?) } else { None },
        named: row.get(3)?,
    })
}
