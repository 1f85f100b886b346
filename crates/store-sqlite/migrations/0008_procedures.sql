-- The procedures are functions on PostgreSQL. This engine has none: there each is a store method of the same name.
SELECT 1;
