//! Selections. Whoever changes one changes its row first, so that of two who do so at once the second waits, and the count is right.
//! Every statement on one of them takes `$1` tenant, `$2` user, `$3` portal.

crate::statements! {
    /// How many lines, and when they were touched.
    FIND = "SELECT line_count, touched_at FROM selection WHERE tenant_id = $1 AND user_id = $2 AND portal_type = $3";
    /// Begins the selection, or says that it is used. `$4` now.
    TOUCH = "INSERT INTO selection (tenant_id, user_id, portal_type, line_count, touched_at) VALUES ($1, $2, $3, 0, $4)
        ON CONFLICT (tenant_id, user_id, portal_type) DO UPDATE SET touched_at = excluded.touched_at";
    /// `$4` how many lines more.
    COUNT_UP = "UPDATE selection SET line_count = line_count + $4 WHERE tenant_id = $1 AND user_id = $2 AND portal_type = $3";
    /// The last line of the next ones, by the primary key; none: the rest is fewer. `$4` after which line, `$5` how many less one.
    END_OF_CHUNK = "SELECT device_id FROM selection_line
        WHERE tenant_id = $1 AND user_id = $2 AND portal_type = $3 AND device_id > $4 ORDER BY device_id LIMIT 1 OFFSET $5";
    /// A range of the primary key. `$4` after which line, `$5` up to which.
    DELETE_RANGE = "DELETE FROM selection_line
        WHERE tenant_id = $1 AND user_id = $2 AND portal_type = $3 AND device_id > $4 AND device_id <= $5";
    /// The selection itself, when its lines are gone.
    DELETE_EMPTY = "DELETE FROM selection WHERE tenant_id = $1 AND user_id = $2 AND portal_type = $3 AND line_count <= 0";
    /// Selections that nobody touched since, the oldest first. By `selection_touched`. `$1` tenant, `$2` when.
    LIST_UNTOUCHED = "SELECT user_id, portal_type FROM selection WHERE tenant_id = $1 AND touched_at < $2
        ORDER BY touched_at LIMIT 100";
}
