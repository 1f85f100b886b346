-- The two roles of the product. Run once by a superuser, in any database of the cluster; running it again changes nothing.
--
--   lineshift_owner   owns the schema and runs the migrations. It may not log in until somebody lets it:
--                       ALTER ROLE lineshift_owner LOGIN PASSWORD '...';
--                       CREATE DATABASE lineshift OWNER lineshift_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
--   lineshift_app     what servers and workers may do. It owns nothing; the roles that log in are its members:
--                       CREATE ROLE lineshift_server LOGIN PASSWORD '...' IN ROLE lineshift_app;
--
-- Neither is a superuser nor passes by row level security, so that a statement without a tenant sees no tenant's rows,
-- whoever sends it. What a role may do otherwise is set back to that here.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'lineshift_owner') THEN
        CREATE ROLE lineshift_owner NOLOGIN;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'lineshift_app') THEN
        CREATE ROLE lineshift_app NOLOGIN;
    END IF;
END
$$;

-- LOGIN is left as it is: the passwords are the operator's.
ALTER ROLE lineshift_owner NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
ALTER ROLE lineshift_app NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;

COMMENT ON ROLE lineshift_owner IS 'Lineshift: owns the schema, runs migrations and retention';
COMMENT ON ROLE lineshift_app IS 'Lineshift: rights of servers and workers; roles that log in are members of it';
