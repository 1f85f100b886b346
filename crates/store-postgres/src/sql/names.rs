//! What things are called that stand by their ids in a list.

lineshift_store::statements! {
    /// The names of things. `$1` tenant, then JSON arrays of ids: `$2` customers, `$3` sites, `$4` service providers, `$5` customer rate
    /// plans, `$6` customer rate pools. Answers which of the arrays, from 0, the id, the name.
    ///
    /// Rows: as many as ids are given, those of one page. Indexes: the primary keys. Locks: none, a read. Tuned: one statement for a page; OFFSET 0
    /// keeps PostgreSQL from reading the tenant and looking each up in the array.
    FIND_NAMES = "SELECT CAST(0 AS BIGINT), named.id, named.name
            FROM (SELECT value::bigint AS id FROM json_array_elements_text($2::json)) AS wanted
            CROSS JOIN LATERAL (SELECT thing.id, thing.name FROM rev_customer AS thing
                WHERE thing.tenant_id = $1 AND thing.id = wanted.id OFFSET 0) AS named
        UNION ALL SELECT CAST(1 AS BIGINT), named.id, named.name
            FROM (SELECT value::bigint AS id FROM json_array_elements_text($3::json)) AS wanted
            CROSS JOIN LATERAL (SELECT thing.id, thing.name FROM site AS thing
                WHERE thing.tenant_id = $1 AND thing.id = wanted.id OFFSET 0) AS named
        UNION ALL SELECT CAST(2 AS BIGINT), named.id, named.name
            FROM (SELECT value::bigint AS id FROM json_array_elements_text($4::json)) AS wanted
            CROSS JOIN LATERAL (SELECT thing.id, thing.name FROM service_provider AS thing
                WHERE thing.tenant_id = $1 AND thing.id = wanted.id OFFSET 0) AS named
        UNION ALL SELECT CAST(3 AS BIGINT), named.id, named.name
            FROM (SELECT value::bigint AS id FROM json_array_elements_text($5::json)) AS wanted
            CROSS JOIN LATERAL (SELECT thing.id, thing.name FROM customer_rate_plan AS thing
                WHERE thing.tenant_id = $1 AND thing.id = wanted.id OFFSET 0) AS named
        UNION ALL SELECT CAST(4 AS BIGINT), named.id, named.name
            FROM (SELECT value::bigint AS id FROM json_array_elements_text($6::json)) AS wanted
            CROSS JOIN LATERAL (SELECT thing.id, thing.name FROM customer_rate_pool AS thing
                WHERE thing.tenant_id = $1 AND thing.id = wanted.id OFFSET 0) AS named";
}
