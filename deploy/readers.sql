-- A role that reads the warehouse and changes nothing. Run once as the owner of the warehouse:
--   psql "$EXPOSURE_WAREHOUSE_URL" -v reader=analyst -f deploy/readers.sql
-- then: ALTER ROLE analyst PASSWORD '...' (or let your directory sign it in).
CREATE ROLE :"reader" LOGIN;
ALTER ROLE :"reader" SET default_transaction_read_only = on;
GRANT USAGE ON SCHEMA public TO :"reader";
GRANT SELECT ON ALL TABLES IN SCHEMA public TO :"reader";
-- tables that a later release or a changed mart brings
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO :"reader";
