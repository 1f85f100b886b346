-- `tenant_work` says of messages and of synchronisations, too, which tenants have some, so that nothing else is read across tenants.
-- Databases on this engine never were without.
SELECT 1;
