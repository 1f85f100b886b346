//! What things are called that stand by their ids in a list.

lineshift_store::statements! {
    /// The names of things. `$1` tenant, then JSON arrays of ids: `$2` customers, `$3` sites, `$4` service providers, `$5` customer rate
    /// plans, `$6` customer rate pools. Answers which of the arrays, from 0, the id, the name.
    ///
    /// Rows: as many as ids are given, those of one page. Indexes: the primary keys. Locks: none, a read. Tuned: one statement for a page.
    FIND_NAMES = "SELECT CAST(0 AS BIGINT), named.id, named.name FROM jsonb_array_elements_text(CAST($2 AS JSONB)) AS wanted (id)
            JOIN rev_customer AS named ON named.tenant_id = $1 AND named.id = CAST(wanted.id AS BIGINT)
        UNION ALL SELECT CAST(1 AS BIGINT), named.id, named.name FROM jsonb_array_elements_text(CAST($3 AS JSONB)) AS wanted (id)
            JOIN site AS named ON named.tenant_id = $1 AND named.id = CAST(wanted.id AS BIGINT)
        UNION ALL SELECT CAST(2 AS BIGINT), named.id, named.name FROM jsonb_array_elements_text(CAST($4 AS JSONB)) AS wanted (id)
            JOIN service_provider AS named ON named.tenant_id = $1 AND named.id = CAST(wanted.id AS BIGINT)
        UNION ALL SELECT CAST(3 AS BIGINT), named.id, named.name FROM jsonb_array_elements_text(CAST($5 AS JSONB)) AS wanted (id)
            JOIN customer_rate_plan AS named ON named.tenant_id = $1 AND named.id = CAST(wanted.id AS BIGINT)
        UNION ALL SELECT CAST(4 AS BIGINT), named.id, named.name FROM jsonb_array_elements_text(CAST($6 AS JSONB)) AS wanted (id)
            JOIN customer_rate_pool AS named ON named.tenant_id = $1 AND named.id = CAST(wanted.id AS BIGINT)";
}
