//! Turns: pages of different tenants, and of different bulk changes of one tenant, are run one after the other, so that a
//! change of a million lines delays one of ten by one page at most (B5.2).

use std::collections::HashMap;

use lineshift_domain::ids::{BulkChangeId, TenantId};
use lineshift_store::work::RunnableChange;

/// Whose turn it was.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    last_tenant: Option<TenantId>,
    last_change: HashMap<TenantId, BulkChangeId>,
}

impl Turns {
    /// Orders what is runnable: the tenant after the one served last first, and within a tenant the change after the one
    /// served last.
    pub(crate) fn order(&self, runnable: Vec<RunnableChange>) -> Vec<RunnableChange> {
        let mut in_turn = runnable;
        in_turn.sort_unstable_by_key(|change| {
            let tenant_comes_later = self.last_tenant.is_none_or(|last| change.tenant_id > last);
            let last = self.last_change.get(&change.tenant_id);
            let change_comes_later = last.is_none_or(|last| change.bulk_change_id > *last);
            (!tenant_comes_later, change.tenant_id, !change_comes_later, change.bulk_change_id)
        });
        in_turn
    }

    /// Notes whose turn it was.
    pub(crate) fn served(&mut self, change: RunnableChange) {
        self.last_tenant = Some(change.tenant_id);
        self.last_change.insert(change.tenant_id, change.bulk_change_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(tenant: i64, id: i64) -> RunnableChange {
        RunnableChange { tenant_id: TenantId(tenant), bulk_change_id: BulkChangeId(id) }
    }

    #[test]
    fn every_change_has_its_turn_before_one_has_two() {
        let runnable = vec![change(1, 1), change(1, 2), change(2, 3)];
        let mut turns = Turns::default();
        let mut served = Vec::new();
        for _ in 0..6 {
            let next = turns.order(runnable.clone())[0];
            turns.served(next);
            served.push((next.tenant_id.0, next.bulk_change_id.0));
        }
        assert_eq!(served, [(1, 1), (2, 3), (1, 2), (2, 3), (1, 1), (2, 3)]);
    }
}
